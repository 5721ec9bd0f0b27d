"""The autograd graph: what it saves, when it is freed, and what it refuses."""

import gc
import threading
import weakref
from collections.abc import Callable
from typing import Any

import pytest
import torch
from cases import CASES, allpole_inputs, lfilter, lfilter_inputs, requires_grad
from support import GRADIENT_TOLERANCE, KernelCalls, assert_close
from torch import Tensor
from torch.utils.checkpoint import checkpoint

import polezero
from polezero import reference

T = 50


def keep(saved: list[Tensor]) -> Any:
    """Hooks that put what is saved in the list."""

    def pack(t: Tensor) -> Tensor:
        saved.append(t)
        return t

    return torch.autograd.graph.saved_tensors_hooks(pack, lambda t: t)


def named_inputs(op: str) -> dict[str, Tensor]:
    if op == "lfilter":
        return dict(zip(("b", "a", "x", "zi"), lfilter_inputs(M=3, N=2, T=T, lead_zi=(2,)), strict=True))
    return dict(zip(("a", "x", "zi"), allpole_inputs(N=3, T=T, lead_zi=(2,)), strict=True))


FUNCTIONS: dict[str, Callable[..., Any]] = {"lfilter": lfilter, "allpole": polezero.allpole}

# What each gradient is made of: grad_b of x, grad_a (a_0's too) of y; grad_x and grad_zi of coefficients alone.
SAVED_SIGNALS = [
    ("lfilter", ["x"], set()),
    ("lfilter", ["zi"], set()),
    ("lfilter", ["x", "zi"], set()),
    ("lfilter", ["b"], {"x"}),
    ("lfilter", ["a"], {"y"}),
    ("lfilter", ["b", "a", "x", "zi"], {"x", "y"}),
    ("allpole", ["x"], set()),
    ("allpole", ["zi"], set()),
    ("allpole", ["a"], {"y"}),
    ("allpole", ["a", "x", "zi"], {"y"}),
]


@pytest.mark.parametrize("backward", ["one_pass", "two_pass"])
@pytest.mark.parametrize(
    ("op", "wanted", "signals"), SAVED_SIGNALS, ids=[f"{o}-{'_'.join(w)}" for o, w, _ in SAVED_SIGNALS]
)
def test_only_the_signals_that_the_gradients_need_are_saved(
    op: str, wanted: list[str], signals: set[str], backward: str
) -> None:
    inputs = named_inputs(op)
    for name in wanted:
        inputs[name].requires_grad_()
    saved: list[Tensor] = []

    with keep(saved):
        y, _ = FUNCTIONS[op](*inputs.values(), backward=backward)

    assert saved, "at least the coefficients are needed"
    long = [t for t in saved if t.numel() >= T]
    names = ["x" if torch.equal(t.reshape(2, T), inputs["x"]) else "y" for t in long]
    assert sorted(names) == sorted(signals)
    assert all(torch.equal(t.reshape(2, T), inputs["x"] if n == "x" else y) for t, n in zip(long, names, strict=True))


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


def test_nothing_is_saved_without_gradients() -> None:
    saved: list[Tensor] = []
    with keep(saved):
        y = lfilter(*lfilter_inputs())
    assert not saved and not y.requires_grad and y.grad_fn is None


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


@pytest.mark.parametrize("op", FUNCTIONS)
def test_the_graph_is_freed_with_its_output(op: str) -> None:
    inputs = requires_grad(tuple(named_inputs(op).values()))
    gc.collect()
    gc.disable()
    try:
        y, zf = FUNCTIONS[op](*inputs)
        output = weakref.ref(y)  # kept alive by a node that saves it as anything but its own output
        del y, zf
        assert output() is None, "the node and its saved output keep each other alive"
    finally:
        gc.enable()


@pytest.mark.parametrize("name", ["lfilter_zi", "allpole_rows"])
def test_checkpoint_and_saving_elsewhere_keep_the_gradients(name: str) -> None:
    function, _, make = CASES[name]
    inputs = requires_grad(make(torch.float64))
    expected = torch.autograd.grad(function(*inputs)[0].sum(), inputs)

    y, _ = checkpoint(function, *inputs, use_reentrant=False)
    assert_close(torch.autograd.grad(y.sum(), inputs), expected, tolerance=0.0)

    with torch.autograd.graph.save_on_cpu():
        y, _ = function(*inputs)
    assert_close(torch.autograd.grad(y.sum(), inputs), expected, tolerance=0.0)


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


def test_inference_mode_makes_inference_tensors() -> None:
    inputs = lfilter_inputs(lead_zi=(2,))
    with torch.inference_mode():
        y, zf = lfilter(*inputs)
    assert y.is_inference() and zf.is_inference()
    assert_close((y, zf), lfilter(*inputs), tolerance=0.0)
