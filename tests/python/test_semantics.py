"""What a call promises beside its values: chunks, layouts of the inputs, nothing written to, nothing aliased."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from cases import EXAMPLES, MAIN, SIZED
from cases.case import Bound, is_variable
from cases.lfilter import lfilter_inputs
from cases.tensors import random_filter
from support import DTYPES, GRADIENT_TOLERANCE, assert_close, each, loss, memory, requires_grad, wide
from torch import Tensor

import polezero
from polezero import reference

CHUNKS = [[0, 1, 2, 3, 0, 5, 16, 17, 33, 64, 100], [1] * 40, [120, 1], [1, 120]]


def in_chunks(example: Bound, inputs: dict[str, Tensor], chunks: Sequence[int]) -> tuple[Tensor, Tensor]:
    """y, and the last state, of calls that hand the state on."""
    axes = {example.case.signal: -1, **example.call.over_time}
    parts = {name: t.split(chunks, axes[name]) for name, t in inputs.items() if name in axes}
    state, outputs = inputs["zi"], []
    for k in range(len(chunks)):
        y, state = example.run(inputs | {name: of_time[k] for name, of_time in parts.items()} | {"zi": state})
        outputs.append(y)
    return torch.cat(outputs, -1), state


STREAMS = [bound for bound in SIZED if bound.call.state is not None]


@pytest.mark.parametrize("chunks", CHUNKS, ids=["mixed", "singles", "long_first", "long_last"])
@each("semantics", STREAMS)
def test_chunks_equal_the_whole(example: Bound, chunks: list[int]) -> None:
    inputs = example.sized(3, sum(chunks), torch.float64)
    assert_close(in_chunks(example, inputs, chunks), example.run(inputs))


@pytest.mark.parametrize("rows", [1, 3, 18])
@each("semantics", STREAMS)
def test_float32_chunks_with_a_float64_state_equal_the_whole_to_the_bit(example: Bound, rows: int) -> None:
    """Chunks of random lengths, of one sample and of none among them."""
    chunks = [0, 1, 1, *torch.randint(0, 90, (12,)).tolist(), 0, 300]
    whole_blocks = [1024 * n for n in (1, 3, 2)]
    for lengths in (chunks, whole_blocks):
        given = example.sized(rows, sum(lengths), torch.float64)
        inputs = {name: t.float() if name != "zi" and t.dtype == torch.float64 else t for name, t in given.items()}

        (y, zf), (parts, state) = example.run(inputs), in_chunks(example, inputs, lengths)

        assert parts.dtype == torch.float32 and wide(state).dtype == state.dtype
        # above order 2 blocks round their state where they hand it on
        if not example.call.in_blocks or (lengths is whole_blocks and rows < 4 and state.shape[-1] <= 2):
            assert torch.equal(parts, y)
        else:
            assert (parts - y).abs().max() <= 2 * torch.finfo(y.dtype).eps * y.abs().max()
        assert_close(state, zf, 1e-11)


@each("semantics", STREAMS)
def test_gradients_flow_through_the_states_between_chunks(example: Bound) -> None:
    inputs = example.sized(2, 40, torch.float64)
    leaves = [t.requires_grad_() for t in inputs.values() if is_variable(t)]
    whole, parts = (loss(lambda *y: y)(*y) for y in (example.run(inputs), in_chunks(example, inputs, [1, 17, 22])))
    assert_close(torch.autograd.grad(parts, leaves), torch.autograd.grad(whole, leaves), GRADIENT_TOLERANCE)


def strided(t: Tensor) -> Tensor:
    return torch.stack([t, torch.full_like(t, torch.nan)], -1)[..., 0]


def framed(t: Tensor) -> Tensor:
    """Within NaN on all sides."""
    padded = torch.nn.functional.pad(t, (3, 1) + (1, 1) * (t.dim() - 1), value=torch.nan)
    for d in range(t.dim()):
        padded = padded.narrow(d, 3 if d == t.dim() - 1 else 1, t.shape[d])
    return padded


# Views with the values of t, or of a part of it repeated. What they skip is NaN, and must not be read.
LAYOUTS: dict[str, Callable[[Tensor], Tensor]] = {
    "transposed": lambda t: t.mT.clone(memory_format=torch.contiguous_format).mT if t.dim() > 1 else t,
    "every_other_sample": strided,
    "offset": framed,
    "one_row_expanded": lambda t: t[:1].expand_as(t),
    "one_sample_expanded": lambda t: t[..., :1].expand_as(t),
    "conjugate_view": lambda t: t.conj().resolve_conj().conj(),
    "negative_view": lambda t: torch._neg_view(-t),
    "conjugate_of_strided": lambda t: strided(t.conj().resolve_conj()).conj(),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@each("semantics", MAIN)
def test_every_layout_of_every_argument_gives_the_values_of_a_copy(example: Bound, layout: str) -> None:
    function, _, inputs = point = example.at(example.small(example.call.dtypes[-1]))
    leaves = requires_grad(inputs)
    signals = (example.case.signal, "zi")
    for k, t in enumerate(leaves):
        # all coefficients alike are no stable filter
        if t.dim() == 0 or (layout == "one_sample_expanded" and point.names[k] not in signals):
            continue
        view = LAYOUTS[layout](t)
        arguments = [view if j == k else leaf for j, leaf in enumerate(leaves)]
        copies = [a.resolve_conj().resolve_neg().contiguous() for a in arguments]
        assert_close(function(*arguments), function(*copies))
        gradients, expected = (torch.autograd.grad(loss(function)(*a), leaves) for a in (arguments, copies))
        assert_close(gradients, expected, GRADIENT_TOLERANCE)


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


@pytest.mark.parametrize("layout", LAYOUTS)
@each("semantics", MAIN)
def test_every_layout_of_a_gradient_gives_the_values_of_a_copy(example: Bound, layout: str) -> None:
    function, _, inputs = example.at(example.small(example.call.dtypes[-1]))
    leaves = requires_grad(inputs)
    y = function(*leaves)[0]
    weight = LAYOUTS[layout](torch.randn_like(y))
    copy = weight.resolve_conj().resolve_neg().contiguous()
    gradients, expected = (
        torch.autograd.grad(y, leaves, w, retain_graph=True, materialize_grads=True) for w in (weight, copy)
    )
    assert_close(gradients, expected, GRADIENT_TOLERANCE)


def test_real_parts_of_conjugates_are_read_right() -> None:
    # .imag of a conjugate view has both a negative bit and a stride of two.
    b, a = random_filter(2, 2)
    x = torch.randn(3, 50, dtype=torch.complex128).conj().imag
    assert x.is_neg()
    assert_close(polezero.lfilter(b, a, x), reference.lfilter(b, a, wide(x)))


def test_zero_tensors_are_signals_too() -> None:
    b, a, x, zi = lfilter_inputs(lead_zi=(2,))
    zeros = torch._efficientzerotensor(x.shape, dtype=x.dtype, device=x.device)
    assert_close(polezero.lfilter(b, a, zeros, zi=zi), reference.lfilter(b, a, torch.zeros_like(x), zi=zi))


@each("semantics", EXAMPLES)
def test_nothing_that_is_given_is_written_to(example: Bound) -> None:
    function, _, inputs = example.at(example.small(torch.float64))
    leaves = requires_grad(inputs)
    outputs = function(*leaves)
    weights = [torch.randn_like(y).requires_grad_() for y in outputs]
    given = [*leaves, *weights]
    before = [(t.detach().clone(), t._version) for t in given]

    gradients = torch.autograd.grad(outputs, leaves, weights, create_graph=True, materialize_grads=True)
    total = torch.stack([g.abs().square().sum() for g in gradients]).sum()
    torch.autograd.grad(total, given, allow_unused=True, materialize_grads=True)

    for t, (values, version) in zip(given, before, strict=True):
        assert torch.equal(t, values) and t._version == version


@each("semantics", EXAMPLES)
def test_outputs_and_gradients_never_alias_what_is_given(example: Bound) -> None:
    function, _, inputs = example.at(example.small(torch.float64))
    leaves = requires_grad(inputs)
    outputs = function(*leaves)
    weights = [torch.randn_like(y) for y in outputs]
    gradients = torch.autograd.grad(outputs, leaves, weights, materialize_grads=True)
    given = {memory(t) for t in (*leaves, *weights)}
    assert not given & {memory(t) for t in (*outputs, *gradients)}
    assert all(type(y) is Tensor and not y.is_inference() for y in outputs)


# ---- what is special of some functions


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
