"""polezero and its peers behind one call f(b, a, x), with a_0 = 1. A peer that is not installed is None."""

import importlib
import importlib.metadata
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from cases import Direction, Problem

PEERS = ("scipy", "torchaudio", "philtorch")
HOW_TO_INSTALL = {
    "polezero": "make build",
    "scipy": "pip install scipy",
    "torchaudio": "pip install --no-deps 'torchaudio==2.11.*' (the minor version of torch)",
    "philtorch": "pip install 'philtorch==0.7.*' 'torch==2.14.*' in an environment of its own, .venv-philtorch",
}


@dataclass(frozen=True)
class Implementation:
    name: str
    version: str
    function: Callable[..., Any]
    arguments: Callable[[Problem], list[Any]]  # (b, a, x) as the function wants them
    has_gradients: bool = True

    def call(self, problem: Problem, direction: Direction) -> Callable[[], object] | None:
        """What is timed: forward, or forward and the gradients to x, b and a; None where there are no gradients."""
        function, arguments = self.function, self.arguments(problem)
        if direction == "forward":
            b, a, x = arguments
            return lambda: function(b, a, x)
        if not self.has_gradients:
            return None
        b, a, x = leaves = [t.detach().requires_grad_() for t in arguments]
        grad_y = problem.grad_y
        return lambda: torch.autograd.grad(function(b, a, x), leaves, grad_y)


def find(name: str) -> Implementation | None:
    if importlib.util.find_spec(name) is None:
        return None
    try:
        version = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:  # on the path, not installed
        version = "?"
    return _MAKERS[name](version)


def _tensors(problem: Problem) -> list[Any]:
    return [problem.b, problem.a, problem.x]


def _polezero(version: str) -> Implementation:
    return Implementation("polezero", version, importlib.import_module("polezero").lfilter, _tensors)


def _scipy(version: str) -> Implementation:
    lfilter = importlib.import_module("scipy.signal").lfilter
    return Implementation("scipy", version, lfilter, lambda p: [t.numpy() for t in _tensors(p)], has_gradients=False)


def _torchaudio(version: str) -> Implementation:
    lfilter = importlib.import_module("torchaudio.functional").lfilter
    return Implementation("torchaudio", version, lambda b, a, x: lfilter(x, a, b, clamp=False), _tensors)


def _philtorch(version: str) -> Implementation:
    lfilter = importlib.import_module("philtorch.lti").lfilter
    return Implementation("philtorch", version, lfilter, lambda p: [p.b, p.a[1:], p.x])  # its a_0 = 1 is implied


_MAKERS: dict[str, Callable[[str], Implementation]] = {
    "polezero": _polezero,
    "scipy": _scipy,
    "torchaudio": _torchaudio,
    "philtorch": _philtorch,
}
