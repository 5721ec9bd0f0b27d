"""Dtypes: promotion, coefficients that are not tensors, integers, half precision, autocast."""

import itertools
import warnings
from collections.abc import Callable
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


# Functions of a coefficient, shape [1], and x; and of x alone.
DELAYS_AND_BANKS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "sparse_allpole": lambda a, x: polezero.sparse_allpole(a, [2], x),
    "comb_filter": lambda a, x: polezero.comb_filter(a[0], 2, x),
    "feedforward_comb": lambda b, x: polezero.feedforward_comb(b[0], 2, x),
    "allpass_comb": lambda a, x: polezero.allpass_comb(a[0], 2, x),
    "linear": lambda a, x: polezero.comb_filter(a[0], 2.3, x, interpolation="linear"),
    "lagrange3": lambda a, x: polezero.comb_filter(a[0], torch.tensor(2.3), x, interpolation="lagrange3"),
    "thiran": lambda a, x: polezero.comb_filter(a[0], torch.tensor(2.3).double(), x, interpolation="thiran"),
    "modal_bank": lambda p, x: polezero.modal_bank(p, [1.0], x),
}
SPLINES: dict[str, Callable[[Tensor], Tensor]] = {
    "cubic_spline": lambda x: polezero.cubic_spline(x, 3),
    "cspline1d": polezero.cspline1d,
    "qspline1d": polezero.qspline1d,
    "cspline2d": polezero.cspline2d,
    "cspline1d_eval": lambda x: polezero.cspline1d_eval(x, torch.tensor([0.5, 1.25]).double()),
    "qspline1d_eval": lambda x: polezero.qspline1d_eval(x, [0.5, 1.25]),
    "symiirorder1": lambda x: polezero.symiirorder1(x, 0.5, 0.25),
    "symiirorder2": lambda x: polezero.symiirorder2(x, 0.5, 0.25),
}


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


@pytest.mark.parametrize("name", DELAYS_AND_BANKS)
def test_filters_with_delays_and_banks_promote_alike(name: str) -> None:
    """Delays and points have a precision of their own."""
    function = DELAYS_AND_BANKS[name]
    for type_a, type_x in itertools.product(ALL, ALL):
        if name == "modal_bank" and (type_x.is_complex or (type_a in HALVES and type_x == torch.int64)):
            continue  # a TypeError: test_modal.py; float32, for poles are complex and complex numbers have no half
        a, x = rounded([0.5], type_a), rounded([1.0, -2.0, 3.0, 0.0, 5.0], type_x)
        expected_type = floating(torch.promote_types(type_a, type_x))
        if name == "modal_bank":  # of complex poles too it is the real part
            expected_type = expected_type.to_real()
        y = function(a, x)
        assert y.dtype == expected_type, f"{type_a}, {type_x}"
        assert_close(y, function(wide(a), wide(x)))


@pytest.mark.parametrize("dtype", ALL, ids=ids(ALL))
@pytest.mark.parametrize("name", SPLINES)
def test_splines_have_the_dtype_of_the_signal(name: str, dtype: torch.dtype) -> None:
    x = rounded([1.0, -2.0, 3.0, 0.0, 5.0], dtype).reshape(1, 5)
    y = SPLINES[name](x)
    assert y.dtype == floating(dtype)
    assert_close(y, SPLINES[name](wide(x)))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=ids([torch.bfloat16, torch.float16]))
@pytest.mark.parametrize("name", DELAYS_AND_BANKS | SPLINES)
def test_delays_splines_and_banks_are_computed_in_float32(name: str, dtype: torch.dtype) -> None:
    """For half precision, with gradients of its dtype, and under autocast."""
    function = (DELAYS_AND_BANKS | SPLINES)[name]
    halves = [t.to(dtype) for t in ([torch.tensor([-0.7])] if name in DELAYS_AND_BANKS else [])]
    halves = [t.requires_grad_() for t in (*halves, torch.randn(2, 30).to(dtype))]
    singles = [t.detach().float().requires_grad_() for t in halves]

    y, single = function(*halves), function(*singles)

    assert y.dtype == dtype and torch.equal(y, single.to(dtype))
    gradients = torch.autograd.grad(y.float().sum(), halves)
    assert [g.dtype for g in gradients] == [dtype] * len(halves)
    assert_close(gradients, torch.autograd.grad(single.sum(), singles))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        autocast = function(*halves)
    assert autocast.dtype == torch.float32 and torch.equal(autocast, single)
    assert [g.dtype for g in torch.autograd.grad(autocast.sum(), halves)] == [dtype] * len(halves)


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
