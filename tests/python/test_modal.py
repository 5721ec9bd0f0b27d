"""Banks of modes against plain loops, filters of the same poles and each other."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from cases import loss, modal_inputs, requires_grad
from support import GRADIENT_TOLERANCE, REAL, KernelCalls, assert_close, assert_one_sentence, ids, relative_rms, wide
from torch import Tensor
from torch._dynamo.utils import counters

import polezero
from polezero import reference


@pytest.mark.parametrize("dtype", REAL, ids=ids(REAL))
@pytest.mark.parametrize("zi", [False, True], ids=["rest", "zi"])
@pytest.mark.parametrize("kind", ["real", "complex"])
@pytest.mark.parametrize("modes", [0, 1, 3, 17, 64])
@pytest.mark.parametrize("T", [0, 1, 7, 127, 128, 300, 1000])
def test_modal_bank_matches_its_loop(T: int, modes: int, kind: str, zi: bool, dtype: torch.dtype) -> None:
    inputs = modal_inputs(dtype if kind == "real" else dtype.to_complex(), modes=modes, T=T, zi=zi, lead=(2,))

    result = polezero.modal_bank(*inputs)

    assert_close(result, reference.modal_bank(*map(wide, inputs)))
    y, zf = result if zi else (result, torch.zeros((), dtype=dtype.to_complex()))
    assert (y.dtype, zf.dtype) == (dtype, dtype.to_complex())


@pytest.mark.parametrize(
    ("lead", "rows"), [((), (2, 3)), ((3,), (2, 1)), ((4, 1, 1), (2, 3)), ((2,), ()), ((), (0,)), ((0,), ())], ids=str
)
def test_leading_dimensions_broadcast(lead: tuple[int, ...], rows: tuple[int, ...]) -> None:
    poles, gains, _ = modal_inputs(torch.complex128, lead=lead)
    x = torch.randn(*rows, 150, dtype=torch.float64)
    inputs = requires_grad((poles, gains[..., :1, :] if lead else gains, x))
    truth = reference.modal_bank(*inputs)
    assert_close(polezero.modal_bank(*inputs), truth)
    weights = torch.randn_like(truth)
    expected = torch.autograd.grad(truth, inputs, weights)
    assert_close(
        torch.autograd.grad(polezero.modal_bank(*inputs), inputs, weights), expected, tolerance=GRADIENT_TOLERANCE
    )


@pytest.mark.parametrize("output", [0, 1], ids=["y", "zf"])
@pytest.mark.parametrize("T", [0, 9, 400])
def test_each_input_and_output_alone_has_the_gradients_of_the_loop(T: int, output: int) -> None:
    inputs = requires_grad(modal_inputs(torch.complex128, T=T, zi=True))

    def value(function: Callable[..., Any], inputs: tuple[Tensor, ...]) -> Tensor:
        return loss(lambda: function(*inputs)[output])()

    expected = torch.autograd.grad(value(reference.modal_bank, inputs), inputs, materialize_grads=True)
    for k, gradient in enumerate(expected):
        alone = [t.detach() for t in inputs]
        alone[k].requires_grad_()
        one = torch.autograd.grad(
            value(polezero.modal_bank, tuple(alone)), alone[k], allow_unused=True, materialize_grads=True
        )
        assert_close(one, (gradient,), GRADIENT_TOLERANCE)


@pytest.mark.parametrize("kind", [torch.float64, torch.complex128], ids=["real", "complex"])
def test_third_order_matches_the_loop(kind: torch.dtype) -> None:
    inputs = requires_grad(modal_inputs(kind, zi=True))

    def third(f: Callable[..., Any]) -> tuple[Tensor, ...]:
        first = torch.autograd.grad(loss(f)(*inputs), inputs, create_graph=True)
        second = torch.autograd.grad(sum((g.abs() ** 2).sum() for g in first), inputs, create_graph=True)
        return torch.autograd.grad(sum((g.abs() ** 2).sum() for g in second), inputs)

    assert_close(third(polezero.modal_bank), third(reference.modal_bank), tolerance=10 * GRADIENT_TOLERANCE)


def test_a_conjugate_pair_is_one_mode_of_twice_the_gain() -> None:
    poles, gains, x = modal_inputs(torch.complex128, T=500)
    both = polezero.modal_bank(torch.cat([poles, poles.conj()]), torch.cat([gains, gains.conj()]), x)
    assert_close(polezero.modal_bank(poles, 2 * gains, x), both)


def test_a_pair_of_poles_is_a_filter_of_second_order() -> None:
    pole, gain = torch.tensor([0.8 + 0.5j]).cdouble(), torch.tensor([0.3 - 2j]).cdouble()
    x = torch.randn(2, 400, dtype=torch.float64)
    b = torch.stack([gain.real, -(gain * pole.conj()).real], -1)[0]
    a = torch.stack([torch.ones(1), -2 * pole.real, pole.abs() ** 2], -1)[0].double()
    assert_close(polezero.modal_bank(pole, gain, x), polezero.lfilter(b, a, x), tolerance=1e-13)


def test_chunks_with_their_state_equal_the_whole() -> None:
    poles, gains, x, zi = modal_inputs(torch.complex128, T=700, zi=True, modes=5)
    y, zf = polezero.modal_bank(poles, gains, x, zi)
    head, state = polezero.modal_bank(poles, gains, x[..., :333], zi)
    tail, last = polezero.modal_bank(poles, gains, x[..., 333:], state)
    assert_close((torch.cat([head, tail], -1), last), (y, zf))


# |p|^n for 500 000 samples: an error of one rounding a sample would be 5e-11.
def test_a_mode_that_hardly_decays_keeps_its_phase() -> None:
    n = torch.arange(500_000, dtype=torch.float64)
    pole = torch.tensor([0.999999 * torch.exp(torch.tensor(0.7j).cdouble())])
    exact = (pole.log() * n).exp().real
    impulse = (n == 0).double()
    assert relative_rms(polezero.modal_bank(pole, [1.0], impulse), exact) < 1e-10  # 1.8e-11 are those of exp


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_half_precision_is_computed_in_float32(dtype: torch.dtype) -> None:
    x = torch.randn(2, 300).to(dtype)
    y, zf = polezero.modal_bank([0.9j], [1.0], x, [0.5])
    truth = reference.modal_bank(torch.tensor([0.9j]), torch.tensor([1.0]), x.float(), torch.tensor([0.5]))
    assert (y.dtype, zf.dtype) == (dtype, torch.complex64)
    assert_close((y, zf), truth)


def test_dtypes_promote_and_autocast_computes_in_float32() -> None:
    poles, gains, x = modal_inputs(torch.complex64, T=40)
    assert polezero.modal_bank(poles.to(torch.complex128), gains, x).dtype == torch.float64
    assert polezero.modal_bank(poles, gains, x.double()).dtype == torch.float64
    assert polezero.modal_bank([0.5], [1], torch.arange(5)).dtype == torch.float32
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert polezero.modal_bank(poles, gains, x.bfloat16()).dtype == torch.float32


def test_a_row_that_is_not_finite_leaves_the_others_and_its_past_alone() -> None:
    poles, gains, x = modal_inputs(torch.complex128, T=1000, rows=3)
    expected = polezero.modal_bank(poles, gains, x)
    x[1, 500] = torch.nan
    y = polezero.modal_bank(poles, gains, x)
    assert_close(y[::2], expected[::2], tolerance=0)
    assert_close(y[1, :500], expected[1, :500])
    assert y[1, 500:].isnan().all()


def test_rows_on_two_threads_have_the_bits_of_one() -> None:
    poles, gains, x = modal_inputs(torch.complex128, T=5000, rows=7, modes=9)

    def run(threads: int) -> tuple[Tensor, ...]:
        torch.set_num_threads(threads)
        inputs = requires_grad((poles, gains, x))
        y = polezero.modal_bank(*inputs)
        return (y.detach(), *torch.autograd.grad(y.square().sum(), inputs))

    assert_close(run(2), run(1), tolerance=0)


def test_neither_states_nor_products_are_kept() -> None:
    """What the graph saves is what was given; the backward pass is one filter and one correlation."""
    inputs = requires_grad(modal_inputs(torch.complex128, modes=50, T=2000))
    saved: list[int] = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: saved.append(t.numel()) or t, lambda t: t):
        y = polezero.modal_bank(*inputs)
    assert sum(saved) <= sum(t.numel() for t in inputs)
    with KernelCalls() as kernels:
        y.sum().backward()
    assert sorted(kernels.names) == ["modal_bank_forward", "modal_correlation"]


def test_a_batch_is_one_kernel_call() -> None:
    poles, gains, x = modal_inputs(torch.complex128, T=50, lead=(4,))
    with KernelCalls() as kernels:
        y = torch.vmap(polezero.modal_bank, (0, 0, None))(poles, gains, x)
    assert kernels.names == ["modal_bank_forward"]
    assert_close(y, reference.modal_bank(poles[:, None], gains[:, None], x))


def test_new_sizes_do_not_recompile() -> None:
    torch._dynamo.reset()
    counters.clear()
    function = torch.compile(polezero.modal_bank, fullgraph=True, backend="aot_eager", dynamic=True)
    for rows, T, modes in ((6, 11, 4), (9, 13, 5), (14, 29, 7)):
        inputs = requires_grad(modal_inputs(torch.complex128, rows=rows, T=T, modes=modes, zi=True))
        result = torch.autograd.grad(loss(function)(*inputs), inputs)
        assert_close(result, torch.autograd.grad(loss(reference.modal_bank)(*inputs), inputs), GRADIENT_TOLERANCE)
    assert counters["stats"]["unique_graphs"] == 1


def test_lists_of_poles_compile() -> None:
    x = torch.randn(2, 20)
    function = torch.compile(lambda x: polezero.modal_bank([0.9j, 0.5], [1.0, 2.0], x), fullgraph=True, backend="eager")
    assert_close(function(x), polezero.modal_bank([0.9j, 0.5], [1.0, 2.0], x), tolerance=0)


class Bank(torch.nn.Module):
    def forward(self, poles: Tensor, gains: Tensor, x: Tensor, zi: Tensor) -> tuple[Tensor, Tensor]:
        return polezero.modal_bank(poles, gains, x, zi)


def test_export_with_dynamic_sizes(tmp_path: Path) -> None:
    rows, T = torch.export.Dim("rows"), torch.export.Dim("T", min=4)
    shapes: Any = ({}, {}, {0: rows, 1: T}, {0: rows})
    example = modal_inputs(torch.complex128, rows=4, T=9, zi=True)
    torch.export.save(torch.export.export(Bank(), example, dynamic_shapes=shapes), tmp_path / "bank.pt2")
    inputs = modal_inputs(torch.complex128, rows=5, T=150, zi=True)
    exported = torch.export.load(tmp_path / "bank.pt2").module()
    assert_close(list(exported(*inputs)), list(reference.modal_bank(*inputs)))


def zeros(*shape: int) -> Tensor:
    return torch.zeros(shape or (2, 5))


BAD: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "complex_x": (
        lambda: polezero.modal_bank([0.5], [1.0], zeros() + 0j),
        TypeError,
        "modal_bank: x: expected real numbers, got ComplexFloat",
    ),
    "gains": (
        lambda: polezero.modal_bank([0.5], [1.0, 2.0], zeros()),
        ValueError,
        "modal_bank: gains: expected 1 values along the last axis, as there are poles, got shape [2]",
    ),
    "zi": (
        lambda: polezero.modal_bank([0.5, 0.1], [1.0, 2.0], zeros(), zeros(2, 3)),
        ValueError,
        "modal_bank: zi: expected 2 values along axis -1, got shape [2, 3]",
    ),
    "zi_rows": (
        lambda: polezero.modal_bank([0.5], [1.0], zeros(), zeros(3, 1)),
        ValueError,
        "modal_bank: zi: expected a shape that broadcasts to [2, 1] (time last), got [3, 1]",
    ),
    "rows": (
        lambda: polezero.modal_bank(zeros(3, 1), [1.0], zeros()),
        ValueError,
        "modal_bank: x: expected leading dimensions that broadcast, got poles [3, 1], gains [1], x [2, 5]",
    ),
    "x_scalar": (
        lambda: polezero.modal_bank([0.5], [1.0], torch.tensor(1.0)),
        ValueError,
        "modal_bank: x: expected at least one dimension, got a scalar",
    ),
    "x_list": (
        lambda: polezero.modal_bank([0.5], [1.0], [1.0]),
        TypeError,
        "modal_bank: x: expected a torch.Tensor, got builtins.list (torch.as_tensor makes one; the order of arguments "
        "is poles, gains, x)",
    ),
    "core_orders": (
        lambda: torch.ops.polezero.modal_correlation(zeros(1) + 0j, zeros(), zeros(), None, -1),
        ValueError,
        "modal_correlation: orders: expected a number >= 0, got -1",
    ),
    "core_real_poles": (
        lambda: torch.ops.polezero.modal_bank_forward(zeros(1), zeros(1, 1) + 0j, zeros()),
        TypeError,
        "modal_bank: poles: expected complex64 or complex128, got Float",
    ),
    "core_reverse_zi": (
        lambda: torch.ops.polezero.modal_bank_forward(zeros(1) + 0j, zeros(1, 1) + 0j, zeros(), zeros(1) + 0j, True),
        ValueError,
        "modal_bank: zi: expected None backwards in time",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_gets_one_sentence(name: str) -> None:
    assert_one_sentence(*BAD[name])
