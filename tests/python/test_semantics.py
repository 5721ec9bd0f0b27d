"""What a call promises beside its values: chunks, layouts of the inputs, nothing written to, nothing aliased."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from cases import CASES, allpole_inputs, lfilter, lfilter_inputs, loss, requires_grad
from public import FUNCTIONS, small_calls, takes_zi
from support import DTYPES, GRADIENT_TOLERANCE, assert_close, ids, random_filter, wide
from torch import Tensor

import polezero
from polezero import reference

CHUNKS = [[0, 1, 2, 3, 0, 5, 16, 17, 33, 64, 100], [1] * 40, [120, 1], [1, 120]]


@pytest.mark.parametrize("dtype", DTYPES, ids=ids(DTYPES))
@pytest.mark.parametrize("chunks", CHUNKS, ids=["mixed", "singles", "long_first", "long_last"])
@pytest.mark.parametrize(("M", "N"), [(2, 2), (5, 3), (3, 7), (4, 0)])
def test_lfilter_in_chunks_equals_the_whole(M: int, N: int, chunks: list[int], dtype: torch.dtype) -> None:
    b, a = random_filter(M, N, dtype, a0=2.0)
    x, zi = torch.randn(3, sum(chunks), dtype=dtype), torch.randn(3, max(M, N), dtype=dtype)

    whole, zf = polezero.lfilter(b, a, x, zi=zi)
    parts = []
    for part in x.split(chunks, -1):
        y, zi = polezero.lfilter(b, a, part, zi=zi)
        parts.append(y)

    assert_close((torch.cat(parts, -1), zi), (whole, zf))


@pytest.mark.parametrize("dtype", DTYPES, ids=ids(DTYPES))
@pytest.mark.parametrize("chunks", CHUNKS, ids=["mixed", "singles", "long_first", "long_last"])
@pytest.mark.parametrize("N", [0, 2, 7])
def test_allpole_in_chunks_equals_the_whole(N: int, chunks: list[int], dtype: torch.dtype) -> None:
    a, x, zi = allpole_inputs(dtype, N=N, T=sum(chunks), lead_x=(3,), lead_zi=(3,))

    whole, zf = polezero.allpole(a, x, zi)
    parts = []
    for part in x.split(chunks, -1):
        y, zi = polezero.allpole(a, part, zi)
        parts.append(y)

    assert_close((torch.cat(parts, -1), zi), (whole, zf))


@pytest.mark.parametrize("zero", [0, 0.0], ids=["int", "float"])
@pytest.mark.parametrize("name", [n for n in FUNCTIONS if takes_zi(n)])
def test_a_state_of_0_is_rest(name: str, zero: float) -> None:
    function, arguments = FUNCTIONS[name], small_calls()[name]

    y, zf = function(**arguments, zi=zero)

    assert_close(y, function(**arguments), tolerance=0.0)
    assert_close((y, zf), function(**arguments, zi=torch.zeros_like(zf)), tolerance=0.0)


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2, -3])
def test_rest_lies_along_the_axis(axis: int) -> None:
    (b, a), x = random_filter(1, 3), torch.randn(4, 5, 6, dtype=torch.float64)
    sos, rows = torch.cat([*random_filter(2, 2, lead=(2,))], -1), list(x.shape)
    rows[axis] = 3

    y, zf = polezero.lfilter(b, a, x, axis, 0)
    assert_close((y, zf), polezero.lfilter(b, a, x, axis, torch.zeros(rows).double()), tolerance=0.0)
    rows[axis] = 2
    y, zf = polezero.sosfilt(sos, x, axis, 0)
    assert_close((y, zf), polezero.sosfilt(sos, x, axis, torch.zeros(2, *rows).double()), tolerance=0.0)


@pytest.mark.parametrize("form", ["df1", "df2", "tdf1", "tdf2"])
def test_rest_of_each_form(form: str) -> None:
    b, a, x = (t for _, t in small_calls()["lpv.lfilter"].items())
    y, zf = polezero.lpv.lfilter(b[:, :2], a, x, 0, form)
    assert zf.shape[-1] == (3 if form in ("df1", "tdf1") else 2)
    assert_close((y, zf), polezero.lpv.lfilter(b[:, :2], a, x, torch.zeros_like(zf), form), tolerance=0.0)


@pytest.mark.parametrize(
    ("delay", "interpolation", "length"),
    [
        (3, None, 3),
        (torch.tensor([1, 4]), None, 4),
        (torch.arange(1, 7)[None], None, 6),
        (2.5, "linear", 3),
        (torch.tensor(2.5), "lagrange3", 4),
        (3.0, "linear", 4),
    ],
)
def test_rest_is_as_long_as_the_delays_want_it(delay: Any, interpolation: str | None, length: int) -> None:
    x = torch.randn(2, 6, dtype=torch.float64)
    for function in (polezero.comb_filter, polezero.feedforward_comb, polezero.allpass_comb):
        y, zf = function(0.5, delay, x, 0, interpolation=interpolation)
        assert zf.shape == (2, length)
        zeros = torch.zeros(length).double()
        assert_close((y, zf), function(0.5, delay, x, zeros, interpolation=interpolation), tolerance=0.0)


def test_rest_under_transforms() -> None:
    b, a, x = small_calls()["lfilter"].values()
    expected = polezero.lfilter(b, a, x, zi=0)

    def at_rest(x: Tensor) -> Any:
        return polezero.lfilter(b, a, x, zi=0)

    assert_close(torch.vmap(at_rest)(x), expected)
    assert_close(torch.compile(at_rest, fullgraph=True, dynamic=True, backend="eager")(x), expected)
    comb = torch.compile(lambda x: polezero.comb_filter(0.5, 2, x, 0), fullgraph=True, backend="eager")
    assert_close(comb(x), polezero.comb_filter(0.5, 2, x, 0))


def test_other_numbers_are_states_of_one_value() -> None:
    x = torch.zeros(3)
    assert_close(polezero.linear_recurrence(0.5, x, 8.0)[0], torch.tensor([4.0, 2.0, 1.0]))
    for zi in (1.0, False):
        with pytest.raises(ValueError, match="zi: expected 2 values"):
            polezero.allpole([0.5, 0.25], x, zi)


def test_gradients_flow_through_the_states_between_chunks() -> None:
    b, a, x, zi = inputs = requires_grad(lfilter_inputs(M=3, N=2, T=40, lead_zi=(2,)))
    expected = torch.autograd.grad(loss(lfilter)(*inputs), inputs)

    parts, state = [], zi
    for part in x.split(9, -1):
        y, state = polezero.lfilter(b, a, part, zi=state)
        parts.append(y)

    gradients = torch.autograd.grad(loss(lambda: (torch.cat(parts, -1), state))(), inputs)
    assert_close(gradients, expected, tolerance=GRADIENT_TOLERANCE)


def strided(t: Tensor) -> Tensor:
    return torch.stack([t, torch.full_like(t, torch.nan)], -1)[..., 0]


# Views with the values of t, or of a part of it repeated. What they skip is NaN, and must not be read.
LAYOUTS: dict[str, Callable[[Tensor], Tensor]] = {
    "transposed": lambda t: t.mT.clone(memory_format=torch.contiguous_format).mT,
    "every_other_sample": strided,
    "offset": lambda t: torch.nn.functional.pad(t, (3, 1, 1, 1), value=torch.nan)[1:-1, 3:-1],
    "one_row_expanded": lambda t: t[:1].expand_as(t),
    "one_sample_expanded": lambda t: t[:, :1].expand_as(t),
    "conjugate_view": lambda t: t.conj().resolve_conj().conj(),
    "negative_view": lambda t: torch._neg_view(-t),
    "conjugate_of_strided": lambda t: strided(t.conj().resolve_conj()).conj(),
}


@pytest.mark.parametrize("argument", range(4), ids=["b", "a", "x", "zi"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_of_every_argument_gives_the_values_of_a_copy(layout: str, argument: int) -> None:
    sizes: dict[str, Any] = {"M": 2, "N": 3, "T": 30, "lead_b": (3,), "lead_a": (3,), "lead_x": (3,), "lead_zi": (3,)}
    inputs = requires_grad(lfilter_inputs(torch.complex128, **sizes))
    view = LAYOUTS[layout](inputs[argument])
    arguments = [view if k == argument else t for k, t in enumerate(inputs)]
    copies = [t.resolve_conj().resolve_neg().contiguous() for t in arguments]
    assert view.is_conj() == layout.startswith("conj") and view.is_neg() == layout.startswith("neg")

    truth = CASES["lfilter"].truth
    assert_close(lfilter(*arguments), truth(*copies))
    gradients = torch.autograd.grad(loss(lfilter)(*arguments), inputs)
    assert_close(gradients, torch.autograd.grad(loss(truth)(*copies), inputs), tolerance=GRADIENT_TOLERANCE)


@pytest.mark.parametrize("layout", [name for name in LAYOUTS if "conj" not in name])
def test_block_kernels_read_every_layout_and_broadcast_filters(layout: str) -> None:
    """Rows long enough for blocks, in float32: a bank of 3 filters over 2 rows, against float64."""
    b, a, x = lfilter_inputs(torch.float64, M=2, N=2, T=1200, lead_b=(3, 1), lead_a=(3, 1), lead_x=(2,))
    leaves = requires_grad((b.float(), a.float(), x.float()))
    y = polezero.lfilter(leaves[0], leaves[1], LAYOUTS[layout](leaves[2]))
    wide_leaves = requires_grad(tuple(t.detach().double() for t in leaves))
    expected = polezero.lfilter(wide_leaves[0], wide_leaves[1], LAYOUTS[layout](wide_leaves[2]).contiguous())
    assert_close(y, expected)
    grad_y = torch.randn(3, 2, 1200)
    gradients = torch.autograd.grad(y, leaves, grad_y)
    assert_close(gradients, torch.autograd.grad(expected, wide_leaves, grad_y.double()), tolerance=1e-5)


@pytest.mark.parametrize("layout", ["transposed", "every_other_sample", "one_row_expanded", "one_sample_expanded"])
def test_every_layout_of_a_gradient_gives_the_values_of_a_copy(layout: str) -> None:
    inputs = requires_grad(lfilter_inputs(T=30, lead_x=(3,)))
    y = lfilter(*inputs)
    grad_y = LAYOUTS[layout](torch.randn_like(y))
    expected = torch.autograd.grad(reference.lfilter(*inputs), inputs, grad_y.contiguous())
    assert_close(torch.autograd.grad(y, inputs, grad_y), expected, tolerance=GRADIENT_TOLERANCE)


def test_real_parts_of_conjugates_are_read_right() -> None:
    # .imag of a conjugate view has both a negative bit and a stride of two.
    b, a = random_filter(2, 2)
    x = torch.randn(3, 50, dtype=torch.complex128).conj().imag
    assert x.is_neg()
    assert_close(polezero.lfilter(b, a, x), reference.lfilter(b, a, wide(x)))


def test_zero_tensors_are_signals_too() -> None:
    b, a, x, zi = lfilter_inputs(lead_zi=(2,))
    zeros = torch._efficientzerotensor(x.shape, dtype=x.dtype)
    assert_close(polezero.lfilter(b, a, zeros, zi=zi), reference.lfilter(b, a, torch.zeros_like(x), zi=zi))


@pytest.mark.parametrize("name", CASES)
def test_inputs_are_never_written_to(name: str) -> None:
    function, _, make = CASES[name]
    inputs = requires_grad(make(torch.float64))
    before = [(t.detach().clone(), t._version) for t in inputs]

    value = loss(function)(*inputs)
    gradients = torch.autograd.grad(value, inputs, create_graph=True)
    torch.autograd.grad(torch.stack([g.sum() for g in gradients]).sum(), inputs, materialize_grads=True)

    for t, (values, version) in zip(inputs, before, strict=True):
        assert torch.equal(t, values) and t._version == version


def test_the_gradient_that_comes_in_is_never_written_to() -> None:
    inputs = requires_grad(lfilter_inputs(T=100))
    y = lfilter(*inputs)
    grad_y = torch.randn_like(y)
    before = grad_y.clone()
    gradients = torch.autograd.grad(y, inputs, grad_y)
    assert torch.equal(grad_y, before)
    assert gradients[2].untyped_storage().data_ptr() != grad_y.untyped_storage().data_ptr()


# Filters that change nothing are where a shortcut would return the input itself.
@pytest.mark.parametrize("dtype", [*DTYPES, torch.float16, torch.int64], ids=str)
@pytest.mark.parametrize("shape", [(7,), (1, 7), (7, 1), (2, 0)], ids=str)
def test_outputs_never_alias_inputs(shape: tuple[int, ...], dtype: torch.dtype) -> None:
    x = torch.ones(shape, dtype=dtype)
    calls: dict[str, Callable[[], Any]] = {
        "gain": lambda: polezero.lfilter([1.0], [1.0], x),
        "gain_zi": lambda: polezero.lfilter([1.0, 0.0], [1.0], x, zi=torch.zeros(*shape[:-1], 1)),
        "first_axis": lambda: polezero.lfilter([1.0], [1.0], x, axis=0),
        "no_poles": lambda: polezero.allpole([], x),
    }
    for name, call in calls.items():
        result = call()
        outputs = result if isinstance(result, tuple) else (result,)
        for output in outputs:
            alias = output._is_view() and output._base is x
            same = output.numel() > 0 and output.untyped_storage().data_ptr() == x.untyped_storage().data_ptr()
            assert not alias and not same, name


def test_final_states_never_alias_initial_ones() -> None:
    x = torch.empty(2, 0)
    zi = torch.ones(2, 2)
    for zf in (polezero.lfilter([1.0], [1.0, 0.5, 0.5], x, zi=zi)[1], polezero.allpole([0.5, 0.5], x, zi)[1]):
        zf.add_(1)
        assert torch.equal(zi, torch.ones(2, 2))


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_output_is_a_plain_tensor_of_the_inputs_shape(axis: int) -> None:
    y = polezero.lfilter([1.0, 0.5], [1.0, 0.5], torch.randn(3, 4, 5), axis)
    assert type(y) is Tensor and y.shape == (3, 4, 5) and y.is_leaf and not y.is_inference()
