"""Dtypes: promotion, coefficients that are not tensors, integers, half precision, autocast."""

import functools
import itertools
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import scipy.signal
import torch
from cases import EXAMPLES, MAIN
from cases.case import Bound, is_variable
from support import DTYPES, assert_close, each, ids, wide
from torch import Tensor

import polezero
from polezero import reference

HALVES = (torch.float16, torch.bfloat16)
ALL = (*DTYPES, *HALVES, torch.int64)
B, A = [1.0, 0.5], [1.0, -0.5, 0.25]  # exact in every dtype


# ---- The rules: all that the tests over all cases expect is said here.


def floating(dtype: torch.dtype) -> torch.dtype:
    return dtype if dtype.is_floating_point or dtype.is_complex else torch.get_default_dtype()


def output_dtypes(example: Bound, dtypes: Mapping[str, torch.dtype], count: int) -> list[torch.dtype]:
    """The dtypes of so many outputs, where tensors of these dtypes are given, by the names of arguments.

    y has the signal's dtype, or its complex one beside complex coefficients, zf that and zi's, promoted. Functions of
    coefficients alone promote.
    """
    case = example.case
    if case.signal is None:
        return case.output_dtypes(floating(functools.reduce(torch.promote_types, dtypes.values())), count)
    result = floating(dtypes[case.signal])
    if any(dtype.is_complex for dtype in dtypes.values()) and not case.real_signal:
        result = torch.promote_types(result, torch.complex64)
    if "zi" not in dtypes:
        return [result] * count
    state = torch.promote_types(result, dtypes["zi"])
    return [result, torch.promote_types(state, torch.complex64) if case.real_signal else state]


LISTS = torch.float64  # in which numbers, lists and arrays are taken


# ---- All cases


def signal_of(example: Bound) -> str:
    return example.case.signal or example.names[0]


def own_dtypes(example: Bound, inputs: Mapping[str, Tensor]) -> set[str]:
    """The arguments that have no say."""
    return {name for name, t in inputs.items() if name in example.case.own_dtype or not is_variable(t)}


def exact(t: Tensor) -> Tensor:
    """In double precision, where it is."""
    return wide(t).to(t.device)


def in_dtype(t: Tensor, dtype: torch.dtype) -> Tensor:
    return t.trunc().to(dtype) if dtype == torch.int64 else t.to(dtype)


@each("promotion", MAIN)
def test_tensors_promote(example: Bound) -> None:
    given, signal = example.small(torch.float64), signal_of(example)
    own = own_dtypes(example, given)
    alone = len(own) + 1 == len(given)
    for of_others, of_signal in itertools.product(ALL[:1] if alone else ALL, ALL):
        if example.case.real_signal and (of_signal.is_complex or (of_others in HALVES and of_signal == torch.int64)):
            continue  # refused; and there is no complex number of half precision
        dtypes = {name: of_signal if name == signal else of_others for name in given if name not in own}
        inputs = {name: in_dtype(t, dtypes[name]) if name in dtypes else t for name, t in given.items()}

        outputs = example.run(inputs)

        expected = output_dtypes(example, dtypes, len(outputs))
        assert [y.dtype for y in outputs] == expected, f"{of_others} beside a signal of {of_signal}"
        expected_outputs = example.run({name: exact(t) if name in dtypes else t for name, t in inputs.items()})
        if all(y.isfinite().all() for y in expected_outputs):  # cut off, a filter may have become unstable
            assert_close(outputs, expected_outputs)


@each("promotion", [bound for bound in MAIN if "zi" in bound.small(torch.float64)])
def test_the_state_widens_only_the_state(example: Bound) -> None:
    inputs = example.cast(example.small(torch.float64), torch.float32)
    own = own_dtypes(example, inputs)
    for dtype in (torch.float64, torch.complex64):
        dtypes = {name: dtype if name == "zi" else t.dtype for name, t in inputs.items() if name not in own}
        outputs = example.run(inputs | {"zi": inputs["zi"].to(dtype)})
        assert [y.dtype for y in outputs] == output_dtypes(example, dtypes, len(outputs))


# Their states are samples, which have the signal's precision.
OF_SAMPLES = (
    *("allpole", "linear_recurrence", "lpv.allpole", "lpv.fir"),
    *("comb_filter", "feedforward_comb", "allpass_comb", "sparse_allpole"),
)


@each("promotion", [bound for bound in MAIN if "zi" in bound.small(torch.float64)])
def test_a_number_as_a_state_widens_no_filter_of_samples(example: Bound) -> None:
    """As torch promotes: a number, or a tensor of one, has a say in whether all is complex, and in no more."""
    for dtype in (torch.float32, torch.float64, torch.float16, torch.int64, torch.complex64):
        if example.case.real_signal and dtype.is_complex:
            continue  # refused
        given = {name: t for name, t in example.small(torch.float64).items() if name != "zi"}
        own = own_dtypes(example, given)
        inputs = {name: t if name in own else in_dtype(t, dtype) for name, t in given.items()}
        kept = inputs[signal_of(example)].dtype
        numbers = [torch.tensor(0.5, dtype=torch.float64)] if example.case.name == "linear_recurrence" else []
        for zi in (0, 0.0, *numbers):
            outputs = example.run(inputs | {"zi": zi})
            dtypes = {name: t.dtype for name, t in inputs.items() if name not in own}
            state = floating(kept.to_real() if kept.is_complex else kept) if example.case.name in OF_SAMPLES else LISTS
            assert [y.dtype for y in outputs] == output_dtypes(example, dtypes | {"zi": state}, len(outputs))


@pytest.mark.parametrize("precise", ["state", "coefficients"])
@each("promotion", [bound for bound in EXAMPLES if "zi" in bound.small(torch.float64)])
def test_derivatives_beside_what_is_float64(example: Bound, precise: str) -> None:
    """Of both modes and the second order, and a batch: those of everything in float64."""
    given = example.small(torch.float64)
    narrow = {signal_of(example), "zi"} if precise == "coefficients" else {n for n in given if n != "zi"}
    narrow -= own_dtypes(example, given)
    inputs = {name: t.float() if name in narrow else t for name, t in given.items()}
    doubles = {n: t.double() if is_variable(t) else t for n, t in inputs.items()}
    names = [name for name, t in given.items() if is_variable(t)]
    directions = {name: torch.randn_like(doubles[name]) for name in names}

    def derivatives(values: dict[str, Tensor]) -> list[Tensor]:
        def call(*leaves: Tensor) -> tuple[Tensor, ...]:
            return tuple(example.run(values | dict(zip(names, leaves, strict=True))))

        def gradients(*leaves: Tensor) -> tuple[Tensor, ...]:
            outputs, pullback = torch.func.vjp(call, *leaves)
            return pullback(tuple(torch.ones_like(y) for y in outputs))

        leaves = tuple(values[name] for name in names)
        tangents = tuple(directions[name].to(values[name].dtype) for name in names)
        y, tangent = torch.func.jvp(call, leaves, tangents)
        assert [t.dtype for t in tangent] == [t.dtype for t in y]
        g, moved = torch.func.jvp(gradients, leaves, tangents)
        _, pullback = torch.func.vjp(gradients, *leaves)
        second = pullback(tuple(torch.ones_like(t) for t in g))
        for grads in (g, second):
            assert [t.dtype for t in grads] == [t.dtype for t in leaves]
        batched = torch.vmap(lambda zi: call(*(zi if n == "zi" else v for n, v in zip(names, leaves, strict=True))))
        return [*tangent, *g, *moved, *second, *batched(torch.stack([values["zi"], 2 * values["zi"]]))]

    for got, expected in zip(derivatives(inputs), derivatives(doubles), strict=True):
        error, scale = (wide(got) - wide(expected)).abs().max(), wide(expected).abs().max()
        assert got.shape == expected.shape and error <= 1e-5 * max(1, scale)  # some are zero but for rounding


@pytest.mark.parametrize("form", ["list", "array"])
@each("promotion", [bound for bound in MAIN if bound.case.signal is not None])
def test_coefficients_that_are_not_tensors(example: Bound, form: str) -> None:
    given, signal = example.small(torch.float64), example.case.signal
    own = own_dtypes(example, given)
    for dtype in ALL:
        if example.case.real_signal and dtype.is_complex:
            continue  # refused
        x = in_dtype(given[signal], dtype)
        others = {name: t for name, t in given.items() if name != signal}

        outputs = example.run(
            {name: t.tolist() if form == "list" else t.cpu().numpy() for name, t in others.items()} | {signal: x}
        )

        dtypes = {name: LISTS for name in others if name not in own} | {signal: dtype}
        assert [y.dtype for y in outputs] == output_dtypes(example, dtypes, len(outputs)), dtype
        assert_close(outputs, example.run(others | {signal: exact(x)}))


@pytest.mark.parametrize("dtype", HALVES, ids=ids(HALVES))
@each("promotion", MAIN)
def test_half_precision_is_computed_in_float32(example: Bound, dtype: torch.dtype) -> None:
    """Gradients have its dtype; under autocast it is the same."""
    halves = example.cast(example.small(torch.float64), dtype)
    leaves = [t.requires_grad_() for t in halves.values() if is_variable(t)]
    singles = {name: t.detach().float() if t.dtype == dtype else t.detach().clone() for name, t in halves.items()}
    single_leaves = [t.requires_grad_() for t in singles.values() if is_variable(t)]

    outputs, expected = example.run(halves), example.run(singles)

    assert [y.dtype for y in outputs] == example.case.output_dtypes(dtype, len(outputs))
    assert all(torch.equal(y, single.to(y.dtype)) for y, single in zip(outputs, expected, strict=True))
    gradients = torch.autograd.grad(outputs[0].float().sum(), leaves, materialize_grads=True)
    assert [g.dtype for g in gradients] == [t.dtype for t in leaves]
    assert_close(gradients, torch.autograd.grad(expected[0].sum(), single_leaves, materialize_grads=True))
    with torch.autocast(leaves[0].device.type, dtype=torch.bfloat16):
        autocast = example.run(halves)
    same = expected if example.case.signal else outputs  # coefficients are none of autocast's business
    assert all(y.dtype == one.dtype and torch.equal(y, one) for y, one in zip(autocast, same, strict=True))
    gradients = torch.autograd.grad(autocast[0].sum(), leaves, materialize_grads=True)
    assert [g.dtype for g in gradients] == [t.dtype for t in leaves]


@each("promotion", MAIN)
def test_gradients_have_the_dtypes_of_what_they_belong_to(example: Bound) -> None:
    given, signal = example.small(torch.float64), signal_of(example)
    inputs = {name: t.float() if name == signal else t for name, t in given.items()}
    leaves = [t.requires_grad_() for t in inputs.values() if is_variable(t)]
    outputs = example.run(inputs)
    gradients = torch.autograd.grad(outputs, leaves, [torch.ones_like(y) for y in outputs], materialize_grads=True)
    assert [g.dtype for g in gradients] == [t.dtype for t in leaves]


@each("promotion", MAIN)
def test_autocast_leaves_float64_alone(example: Bound) -> None:
    inputs = example.small(torch.float64)
    expected = example.run(inputs)
    with torch.autocast(next(iter(inputs.values())).device.type, dtype=torch.bfloat16):
        outputs = example.run(inputs)
    assert_close(outputs, expected, tolerance=0.0)


# ---- What is special of lfilter


@pytest.mark.parametrize("dtype", ALL, ids=ids(ALL))
@pytest.mark.parametrize("form", ["list", "tuple", "float64_array", "float32_array", "integer_array"])
def test_coefficients_that_are_not_tensors_leave_the_dtype_of_x(form: str, dtype: torch.dtype) -> None:
    make: Any = {
        "list": list,
        "tuple": tuple,
        "float64_array": np.array,
        "float32_array": lambda v: np.array(v, dtype=np.float32),
        "integer_array": lambda v: np.array(v).astype(int),
    }[form]
    b, a, zi = make([1.0, 2.0]), make([2.0, -1.0]), make([3.0])
    x = in_dtype(torch.tensor([1.0, 2.0, -3.0]), dtype)

    y, zf = polezero.lfilter(b, a, x, zi=zi)

    assert y.dtype == floating(dtype) and zf.dtype == torch.promote_types(y.dtype, torch.float64)
    assert_close((y, zf), reference.lfilter(torch.tensor([1, 2]), torch.tensor([2, -1]), x, zi=torch.tensor([3])))
    assert polezero.allpole(a, x, make([1.0, 0.0]))[0].dtype == floating(dtype)


def test_numbers_in_a_list_are_in_double_precision() -> None:
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
    y = polezero.lfilter(b.to(x.device) if isinstance(b, Tensor) else b, 0.5, x)
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
    assert y.dtype == dtype and zf.dtype == torch.float64
    expected = reference.lfilter(torch.tensor(b), torch.tensor(a), x.double(), zi=torch.tensor(zi.copy()))
    assert_close(y, expected[0])
    # the poles of a low-pass lie close together, and blocks have another basis for the state: 1.8e-11
    assert_close(zf, expected[1], tolerance=3e-11)
    assert polezero.lfilter(b, torch.tensor(a).float(), x).dtype == dtype
    assert all(s.dtype == dtype for s in polezero.sensitivity(b, a, x))
    with torch.autocast(x.device.type, dtype=torch.bfloat16):
        assert_close(polezero.lfilter(b, a, x.bfloat16()), polezero.lfilter(b, a, x.bfloat16().float()))


def test_states_are_in_double_precision_unless_another_is_asked_for() -> None:
    b, a = scipy.signal.butter(4, 0.05)
    x = torch.randn(50)
    for zi in (polezero.lfilter_zi(b, a) * x[0].cpu(), polezero.lfiltic(b, a, [1.0, 2.0], [3.0])):
        y, zf = polezero.lfilter(b, a, x, zi=zi.to(x.device))
        assert y.dtype == torch.float32 and zf.dtype == torch.float64
    assert_close(polezero.lfilter_zi(b, a), torch.tensor(scipy.signal.lfilter_zi(b, a).copy()), 1e-10)
    assert polezero.lfilter_zi(torch.tensor(b).float(), a, dtype=torch.float32).dtype == torch.float32
    assert polezero.lfiltic(b, a, x[:2].half()).dtype == torch.float64
    assert polezero.lfiltic(b, a, [1j]).dtype == torch.complex128


# ---- Near the unit circle, where rounded coefficients would be the largest error


DESIGNS = {
    "low_pass_of_100_hz_at_1.5_mhz": scipy.signal.butter(6, 100, fs=1.5e6, output="sos"),
    "band_from_10_mhz_to_40_hz": scipy.signal.butter(4, [0.01, 40], "band", fs=1000, output="sos"),
}


@pytest.mark.parametrize("design", DESIGNS.values(), ids=DESIGNS)
def test_a_float32_signal_meets_the_coefficients_of_a_design_as_they_are(design: Any) -> None:
    x = torch.randn(50_000)
    expected = torch.from_numpy(scipy.signal.sosfilt(design, wide(x).numpy()))

    for coefficients in (design, design.tolist(), torch.tensor(design)):
        y = polezero.sosfilt(coefficients, x)
        assert y.dtype == torch.float32
        assert_close(y, expected)
    rounded = polezero.sosfilt(torch.tensor(design).float(), x)
    assert (wide(rounded) - expected).abs().max() > 1e-3 * expected.abs().max()  # or this test would show nothing


def test_a_transfer_function_of_a_design_keeps_its_gain() -> None:
    b, a = scipy.signal.butter(4, 0.01)
    assert_close(polezero.lfilter(b, a, torch.ones(10_000))[-1:], torch.ones(1))


def test_a_float32_stream_with_a_float64_state_loses_nothing_at_its_seams() -> None:
    """Chunks of random lengths, of one sample and of none among them."""
    sos = scipy.signal.butter(2, 0.1, "high", fs=1000, output="sos")
    x = torch.randn(20_000)
    expected = torch.from_numpy(scipy.signal.sosfilt(sos, wide(x).numpy()))
    lengths = [0, 1, 1, 256, *torch.randint(0, 600, (40,)).tolist()]
    lengths.append(len(x) - sum(lengths))
    state, parts = torch.zeros(1, 2, dtype=torch.float64), []

    for chunk in x.split(lengths):
        y, state = polezero.sosfilt(sos, chunk, zi=state)
        assert y.dtype == torch.float32 and state.dtype == torch.float64
        parts.append(y)

    assert_close(torch.cat(parts), expected, tolerance=1.2e-7)  # that of one rounding to float32


def test_integers_become_the_default_float() -> None:
    x = torch.tensor([1, 2, 3])
    assert polezero.lfilter([1, 1], [2], x).dtype == torch.float32
    assert_close(polezero.lfilter([1, 1], [2], x), torch.tensor([0.5, 1.5, 2.5]), tolerance=0.0)
    assert polezero.lfilter([1, 1], [2], x > 1).dtype == torch.float32
    torch.set_default_dtype(torch.float64)
    assert polezero.lfilter([1, 1], [2], x).dtype == torch.float64
