"""Dtypes: promotion, coefficients that are not tensors, integers, half precision, autocast."""

import itertools
import warnings
from typing import Any

import numpy as np
import pytest
import scipy.signal
import torch
from support import DTYPES, assert_close, ids, wide
from torch import Tensor

import polezero
from polezero import reference

ALL = (*DTYPES, torch.float16, torch.bfloat16, torch.int64)
HALVES = (torch.float16, torch.bfloat16)
B, A = [1.0, 0.5], [1.0, -0.5, 0.25]  # exact in every dtype


def floating(dtype: torch.dtype) -> torch.dtype:
    return dtype if dtype.is_floating_point or dtype.is_complex else torch.get_default_dtype()


def rounded(values: list[float], dtype: torch.dtype) -> Tensor:
    return torch.tensor(values).round().to(dtype) if dtype == torch.int64 else torch.tensor(values).to(dtype)


@pytest.mark.parametrize(("type_b", "type_x"), list(itertools.product(ALL, ALL)))
def test_tensors_promote_as_torch_promotes_them(type_b: torch.dtype, type_x: torch.dtype) -> None:
    b, x = rounded([1.0, 2.0], type_b), rounded([1.0, -2.0, 3.0, 0.0, 5.0], type_x)
    a, zi = rounded([2.0, 1.0], type_x), rounded([1.0], type_b)
    expected_type = floating(torch.promote_types(type_b, type_x))

    y, zf = polezero.lfilter(b, a, x, zi=zi)

    assert y.dtype == zf.dtype == expected_type
    assert_close((y, zf), reference.lfilter(b, a, x, zi=zi))
    assert polezero.allpole(b, x).dtype == expected_type


def test_the_state_alone_can_widen_the_result() -> None:
    y, zf = polezero.lfilter([1.0], [1.0, 0.5], torch.ones(3), zi=torch.ones(1, dtype=torch.complex128))
    assert y.dtype == zf.dtype == torch.complex128


@pytest.mark.parametrize("dtype", ALL, ids=ids(ALL))
@pytest.mark.parametrize("form", ["list", "tuple", "float64_array", "float32_array", "integer_array"])
def test_coefficients_that_are_not_tensors_take_the_dtype_of_x(form: str, dtype: torch.dtype) -> None:
    make: Any = {
        "list": list,
        "tuple": tuple,
        "float64_array": np.array,
        "float32_array": lambda v: np.array(v, dtype=np.float32),
        "integer_array": lambda v: np.array(v).astype(int),
    }[form]
    b, a, zi = make([1.0, 2.0]), make([2.0, -1.0]), make([3.0])
    x = rounded([1.0, 2.0, -3.0], dtype)

    y, zf = polezero.lfilter(b, a, x, zi=zi)

    assert y.dtype == zf.dtype == floating(dtype)
    assert_close((y, zf), reference.lfilter(torch.tensor([1, 2]), torch.tensor([2, -1]), x, zi=torch.tensor([3])))
    assert polezero.allpole(a, x, make([1.0, 0.0]))[0].dtype == floating(dtype)


def test_numbers_in_a_list_are_as_precise_as_x() -> None:
    x = torch.randn(20, dtype=torch.float64)
    tensors = [torch.tensor(t, dtype=torch.float64) for t in ([0.1, 0.2], [1.0, -0.9, 0.4])]
    assert_close(polezero.lfilter([0.1, 0.2], [1.0, -0.9, 0.4], x), polezero.lfilter(*tensors, x))
    zi = polezero.lfilter_zi([0.1, 0.2], [1.0, -0.9, 0.4], dtype=torch.float64)
    assert_close(zi, polezero.lfilter_zi(*tensors))


@pytest.mark.parametrize(
    "b", [2, 2.0, np.float64(2.0), np.array(2.0), torch.tensor(2.0)], ids=lambda b: type(b).__name__
)
def test_a_number_is_a_filter_of_order_zero(b: Any) -> None:
    x = torch.randn(5)
    y = polezero.lfilter(b, 0.5, x)
    assert y.dtype == torch.float32
    assert_close(y, 4 * x)


@pytest.mark.parametrize(("real", "complex_"), [(torch.float32, torch.complex64), (torch.float64, torch.complex128)])
def test_complex_coefficients_that_are_not_tensors_make_a_real_signal_complex(
    real: torch.dtype, complex_: torch.dtype
) -> None:
    x = torch.randn(6, dtype=real)
    for b in ([1.0, 0.5j], np.array([1.0, 0.5j])):
        y = polezero.lfilter(b, A, x)
        assert y.dtype == complex_
        assert_close(y, reference.lfilter(torch.tensor([1.0, 0.5j], dtype=torch.complex128), A, wide(x)))


def test_arrays_need_not_be_writable_or_in_order() -> None:
    x = torch.randn(6, dtype=torch.float64)
    b = np.array([0.25, 1.0])[::-1]
    a = np.array([1.0, 0.5])
    a.flags.writeable = False
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        y = polezero.lfilter(b, a, x)
    assert_close(y, reference.lfilter([1.0, 0.25], [1.0, 0.5], x))


def test_a_list_of_scalar_tensors_keeps_their_graph() -> None:
    pole = torch.tensor(0.5, requires_grad=True)
    x = torch.randn(6)
    (gradient,) = torch.autograd.grad(polezero.lfilter([1.0], [1.0, -pole], x).sum(), pole)
    a = torch.tensor([1.0, -0.5], requires_grad=True)
    (expected,) = torch.autograd.grad(reference.lfilter([1.0], a, x).sum(), a)
    assert_close(gradient, -expected[1])


def test_a_list_of_lists_with_tensors_keeps_their_graph() -> None:
    pole = torch.tensor(0.5, requires_grad=True)
    x = torch.randn(6)
    y = polezero.lfilter([1.0], [[1.0, -pole], (1.0, pole)], x)
    (gradient,) = torch.autograd.grad(y.sum(), pole)
    a = torch.tensor([[1.0, -0.5], [1.0, 0.5]], requires_grad=True)
    (expected,) = torch.autograd.grad(reference.lfilter([1.0], a, x).sum(), a)
    assert_close(gradient, expected[1, 1] - expected[0, 1])


@pytest.mark.parametrize("dtype", HALVES, ids=ids(HALVES))
def test_a_design_is_not_rounded_to_half_precision(dtype: torch.dtype) -> None:
    """Rounded to bfloat16 these poles lie outside the unit circle."""
    b, a = scipy.signal.butter(4, 0.05)
    x, zi = torch.randn(2, 500).to(dtype), scipy.signal.lfilter_zi(b, a)
    y, zf = polezero.lfilter(b, a, x, zi=zi)
    assert y.dtype == zf.dtype == dtype
    expected = reference.lfilter(torch.tensor(b), torch.tensor(a), x.double(), zi=torch.tensor(zi.copy()))
    assert_close((y, zf), expected)
    assert polezero.lfilter(b, torch.tensor(a).float(), x).dtype == torch.float32, "a tensor promotes"
    assert all(s.dtype == dtype for s in polezero.sensitivity(b, a, x))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert_close(polezero.lfilter(b, a, x.bfloat16()), polezero.lfilter(b, a, x.bfloat16().float()))


def test_states_of_a_scipy_design_leave_a_float32_signal_float32() -> None:
    b, a = scipy.signal.butter(4, 0.05)
    x = torch.randn(50)
    for zi in (polezero.lfilter_zi(b, a) * x[0], polezero.lfiltic(b, a, [1.0, 2.0], [3.0])):
        assert polezero.lfilter(b, a, x, zi=zi)[0].dtype == torch.float32
    assert_close(
        polezero.lfilter_zi(b, a, dtype=torch.float64), torch.tensor(scipy.signal.lfilter_zi(b, a).copy()), 1e-10
    )
    assert polezero.lfilter_zi(torch.tensor(b), a).dtype == torch.float64
    assert polezero.lfiltic(b, a, x[:2].half()).dtype == torch.float16


def test_integers_become_the_default_float() -> None:
    x = torch.tensor([1, 2, 3])
    assert polezero.lfilter([1, 1], [2], x).dtype == torch.float32
    assert_close(polezero.lfilter([1, 1], [2], x), torch.tensor([0.5, 1.5, 2.5]), tolerance=0.0)
    assert polezero.lfilter([1, 1], [2], x > 1).dtype == torch.float32
    torch.set_default_dtype(torch.float64)
    assert polezero.lfilter([1, 1], [2], x).dtype == torch.float64


@pytest.mark.parametrize("dtype", HALVES, ids=ids(HALVES))
def test_half_precision_is_computed_in_float32(dtype: torch.dtype) -> None:
    b, a, x = torch.randn(3).to(dtype), torch.tensor([1.5, -0.9, 0.4]).to(dtype), torch.randn(4, 200).to(dtype)
    zi = torch.randn(4, 2).to(dtype)

    y, zf = polezero.lfilter(b, a, x, zi=zi)

    assert y.dtype == zf.dtype == dtype
    single = polezero.lfilter(b.float(), a.float(), x.float(), zi=zi.float())
    assert torch.equal(y, single[0].to(dtype)) and torch.equal(zf, single[1].to(dtype))
    assert torch.equal(polezero.allpole(a[1:], x), polezero.allpole(a[1:].float(), x.float()).to(dtype))


@pytest.mark.parametrize("dtype", HALVES, ids=ids(HALVES))
def test_half_precision_has_gradients_of_its_dtype(dtype: torch.dtype) -> None:
    values = torch.tensor([1.0, 0.5]), torch.tensor([1.0, -0.5]), torch.randn(2, 20)
    inputs = [t.to(dtype).requires_grad_() for t in values]

    gradients = torch.autograd.grad(polezero.lfilter(*inputs).float().sum(), inputs)

    assert [g.dtype for g in gradients] == [dtype] * 3
    expected = [t.detach().float().requires_grad_() for t in inputs]
    assert_close(gradients, torch.autograd.grad(polezero.lfilter(*expected).to(dtype).float().sum(), expected))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32], ids=ids([torch.bfloat16, torch.float32]))
@pytest.mark.parametrize("function", ["lfilter", "allpole", "sensitivity"])
def test_autocast_computes_in_float32(function: str, dtype: torch.dtype) -> None:
    a, x = torch.tensor([1.0, -0.5, 0.25]).to(dtype), torch.randn(2, 30).to(dtype)
    inputs = [t.requires_grad_() for t in ((a[1:].clone(), x) if function == "allpole" else (a.clone(), a, x))]

    with torch.autocast("cpu", dtype=torch.bfloat16):
        outputs = getattr(polezero, function)(*inputs)
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)

    assert all(y.dtype == torch.float32 for y in outputs)
    gradients = torch.autograd.grad([y.sum() for y in outputs], inputs)
    assert [g.dtype for g in gradients] == [dtype] * len(inputs)
    single = getattr(polezero, function)(*(t.detach().float() for t in inputs))
    assert_close(outputs, single if isinstance(single, tuple) else (single,))


def test_autocast_leaves_float64_alone() -> None:
    x = torch.randn(10, dtype=torch.float64)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        y = polezero.lfilter(B, A, x)
    assert y.dtype == torch.float64
    assert_close(y, reference.lfilter(B, A, x))
