"""The autograd graph: what it saves, when it is freed, and what it refuses."""

import gc
import threading
import weakref
from collections.abc import Callable
from typing import Any

import pytest
import torch
from cases import ALL, MAIN
from cases.allpole import allpole_inputs
from cases.case import Bound
from cases.lfilter import lfilter_inputs
from support import GRADIENT_TOLERANCE, KernelCalls, assert_close, each, loss, memory, requires_grad
from torch import Tensor
from torch.utils.checkpoint import checkpoint

import polezero
from polezero import reference

ROWS, T = 9, 50


def keep(saved: list[Tensor]) -> Any:
    """Hooks that put what is saved in the list."""

    def pack(t: Tensor) -> Tensor:
        saved.append(t)
        return t

    return torch.autograd.graph.saved_tensors_hooks(pack, lambda t: t)


FIRST = [Bound(case, *next(iter(case.sized.items()))) for case in ALL.values() if case.saves]


@each("autograd", FIRST)
def test_only_the_signals_that_the_gradients_need_are_saved(example: Bound) -> None:
    """And where they are: nothing as long as a signal is made for the backward pass."""
    for wanted, signals in example.case.saves.items():
        inputs = example.sized(ROWS, T, torch.float64)
        inputs[wanted].requires_grad_()
        saved: list[Tensor] = []
        with keep(saved):
            y = example.run(inputs)[0]
        places = {memory(t): name for name, t in inputs.items()} | {memory(y): "y"}
        names = {places[memory(t)] for t in saved if t.numel() >= ROWS * T}
        assert names & {"x", "y"} == set(signals.split()), wanted


@each("autograd", MAIN)
def test_nothing_is_saved_without_gradients(example: Bound) -> None:
    saved: list[Tensor] = []
    with keep(saved):
        outputs = example.run(example.small(torch.float64))
    assert not saved and not any(y.requires_grad or y.grad_fn for y in outputs)


@each("autograd", MAIN)
def test_the_graph_is_freed_with_its_output(example: Bound) -> None:
    function, _, inputs = example.at(example.small(torch.float64))
    leaves = requires_grad(inputs)
    gc.disable()
    try:
        outputs = function(*leaves)
        output = weakref.ref(outputs[0])  # kept alive by a node that saves it as anything but its own output
        del outputs
        assert output() is None, "the node and its saved output keep each other alive"
    finally:
        gc.enable()


@each("autograd", MAIN)
def test_checkpoint_and_saving_elsewhere_keep_the_gradients(example: Bound) -> None:
    function, _, inputs = example.at(example.small(torch.float64))
    leaves = requires_grad(inputs)
    expected = torch.autograd.grad(loss(function)(*leaves), leaves)

    outputs = checkpoint(function, *leaves, use_reentrant=False)
    assert_close(torch.autograd.grad(loss(lambda: outputs)(), leaves), expected, tolerance=0.0)

    with torch.autograd.graph.save_on_cpu():
        outputs = function(*leaves)
    assert_close(torch.autograd.grad(loss(lambda: outputs)(), leaves), expected, tolerance=0.0)


@each("autograd", MAIN)
def test_inference_mode_makes_inference_tensors(example: Bound) -> None:
    inputs = example.small(torch.float64)
    expected = example.run(inputs)
    with torch.inference_mode():
        outputs = example.run(inputs)
    assert all(y.is_inference() for y in outputs)
    assert_close(outputs, expected, tolerance=0.0)


# ---- what is special of lfilter and allpole


def lfilter(b: Tensor, a: Tensor, x: Tensor, zi: Tensor | None = None) -> Any:
    return polezero.lfilter(b, a, x, zi=zi)


def named_inputs(op: str) -> dict[str, Tensor]:
    if op == "lfilter":
        return dict(zip(("b", "a", "x", "zi"), lfilter_inputs(M=3, N=2, T=T, lead_zi=(2,)), strict=True))
    return dict(zip(("a", "x", "zi"), allpole_inputs(N=3, T=T, lead_zi=(2,)), strict=True))


FUNCTIONS: dict[str, Callable[..., Any]] = {"lfilter": lfilter, "allpole": polezero.allpole}


@pytest.mark.parametrize("op", FUNCTIONS)
def test_a_second_derivative_computes_only_what_is_needed(op: str) -> None:
    """With a gradient to x alone, differentiated with respect to it, no sum over time is made."""
    inputs = named_inputs(op)
    x = inputs["x"].requires_grad_()
    y, _ = FUNCTIONS[op](*inputs.values())
    grad_y = torch.randn_like(y).requires_grad_()
    (grad_x,) = torch.autograd.grad(y, x, grad_y, create_graph=True)
    with KernelCalls() as calls:
        torch.autograd.grad(grad_x.square().sum(), grad_y)
    assert calls.names == [f"{op}_forward"]


# The output is saved too: writing to it is as wrong as writing to an input.
@pytest.mark.parametrize(
    ("op", "wanted", "written"),
    [
        ("lfilter", "x", "b"),
        ("lfilter", "x", "a"),
        ("lfilter", "b", "x"),
        ("lfilter", "a", "y"),
        ("allpole", "x", "a"),
        ("allpole", "a", "y"),
    ],
)
def test_writing_to_a_saved_tensor_is_caught(op: str, wanted: str, written: str) -> None:
    inputs = named_inputs(op)
    inputs[wanted].requires_grad_()
    y, _ = FUNCTIONS[op](*inputs.values())
    result = y.sum()
    with torch.no_grad():
        (inputs | {"y": y})[written].add_(1)

    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        result.backward()


def test_writing_to_a_tensor_that_is_not_saved_is_harmless() -> None:
    inputs = named_inputs("lfilter")
    inputs["a"].requires_grad_()
    expected = torch.autograd.grad(reference.lfilter(*list(inputs.values())[:3]).sum(), inputs["a"])
    y = polezero.lfilter(inputs["b"], inputs["a"], inputs["x"])

    inputs["x"].zero_()

    assert_close(torch.autograd.grad(y.sum(), inputs["a"]), expected, tolerance=GRADIENT_TOLERANCE)


def test_a_second_backward_needs_retain_graph() -> None:
    inputs = requires_grad(lfilter_inputs())
    y = lfilter(*inputs).sum()
    first = torch.autograd.grad(y, inputs, retain_graph=True)
    assert_close(torch.autograd.grad(y, inputs), first, tolerance=0.0)
    with pytest.raises(RuntimeError, match="a second time"):
        torch.autograd.grad(y, inputs)


def test_one_graph_serves_several_backward_threads() -> None:
    inputs = requires_grad(lfilter_inputs(T=500, lead_x=(4,)))
    y = lfilter(*inputs).square().sum()
    expected = torch.autograd.grad(y, inputs, retain_graph=True)
    results: list[tuple[Tensor, ...]] = []

    threads = [
        threading.Thread(target=lambda: results.append(torch.autograd.grad(y, inputs, retain_graph=True)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(results) == 4
    for gradients in results:
        assert_close(gradients, expected, tolerance=GRADIENT_TOLERANCE)


def test_gradients_accumulate_and_hooks_run() -> None:
    inputs = requires_grad(lfilter_inputs())
    seen: list[torch.Size] = []
    y = lfilter(*inputs)
    y.register_hook(lambda g: seen.append(g.shape))
    y.sum().backward(retain_graph=True)
    once = [t.grad.clone() for t in inputs if t.grad is not None]
    y.sum().backward()
    assert seen == [y.shape, y.shape]
    assert_close([t.grad for t in inputs], [2 * g for g in once], tolerance=1e-15)


def test_anomaly_mode_names_the_op() -> None:
    x = torch.randn(5, requires_grad=True)
    with torch.autograd.set_detect_anomaly(True):
        y = polezero.lfilter([1.0], [1.0, 0.5], x)
        # An infinite gradient is inf - inf at the second step of the adjoint filter.
        with pytest.raises(RuntimeError, match=r"(?i)lfilter.*returned nan"):
            y.backward(torch.full_like(y, torch.inf))
