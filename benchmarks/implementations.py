"""polezero and its peers behind one call for each op, with a_0 = 1. A peer that is not installed is None."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import torch
from cases import Case, Op
from machine import is_installed, version
from problems import Problem
from torch import Tensor

PEERS = ("scipy", "torchaudio", "philtorch")
HOW_TO_INSTALL = {
    "polezero": "make build",
    "scipy": "pip install scipy",
    "torchaudio": "pip install --no-deps torchaudio==2.11.1 (2.11.0 beside torch 2.11)",
    "philtorch": "pip install 'philtorch==0.7.*' 'torch==2.14.*' in an environment of its own, .venv-philtorch",
    "flamo": "make bench-flamo",
    "dasp_pytorch": "make bench-modules",
    "grafx": "make bench-modules",
}
GPU_PEERS = ("torchaudio", "cupyx", "philtorch", "torchlpc")


@dataclass(frozen=True)
class Operator:
    function: Callable[..., Any]
    arguments: Callable[[Problem], list[Any]]  # the tensors as the function wants them


@dataclass(frozen=True)
class Implementation:
    name: str
    version: str
    operators: dict[Op, Operator]
    has_gradients: bool = True
    can_be_captured: bool = True  # in a CUDA graph: launches on torch's stream, and never waits

    def call(self, case: Case, problem: Problem, device: str = "cpu") -> Callable[[], object]:
        """What is timed: forward, or forward and the gradients to all arguments."""
        operator = self.operators[case.op]
        function, arguments = operator.function, operator.arguments(problem)
        is_wanted = [case.direction == "both" or t is problem.x for t in arguments]
        arguments = [t.to(device) if isinstance(t, Tensor) else t for t in arguments]
        if case.direction == "forward":
            return lambda: function(*arguments)
        arguments = [t.detach().requires_grad_(wanted) for t, wanted in zip(arguments, is_wanted, strict=True)]
        leaves = [t for t in arguments if t.requires_grad]
        grad_y = problem.grad_y.to(device)
        return lambda: torch.autograd.grad(function(*arguments), leaves, grad_y)

    def has(self, case: Case) -> bool:
        return case.op in self.operators and (self.has_gradients or case.direction == "forward")


def find(name: str) -> Implementation | None:
    return _MAKERS[name](version(name)) if is_installed(name) else None


@cache
def _delays(device: torch.device) -> Tensor:
    return torch.tensor([80, 113, 151, 200], device=device)


def _dense(taps: Tensor, delays: Tensor) -> Tensor:
    """a_1..a_N of a sparse filter."""
    return taps.new_zeros(int(delays.max())).index_put((delays - 1,), taps)


def _polezero(version: str) -> Implementation:
    polezero = importlib.import_module("polezero")
    operators = {
        Op.LFILTER: Operator(polezero.lfilter, lambda p: [p.b, p.a, p.x]),
        Op.ALLPOLE: Operator(polezero.allpole, lambda p: [p.a[1:], p.x]),
        Op.SOSFILT: Operator(polezero.sosfilt, lambda p: [p.sos(), p.x]),
        Op.LPV_ALLPOLE: Operator(polezero.lpv.allpole, lambda p: [p.moving(), p.x]),
        Op.LINEAR_RECURRENCE: Operator(polezero.linear_recurrence, lambda p: [-p.a[1:], p.x]),
        Op.COMB_FILTER_100: Operator(lambda a, x: polezero.comb_filter(a, 100, x), lambda p: [p.feedback(1), p.x]),
        Op.SPARSE_ALLPOLE_4_TAPS: Operator(
            lambda a, x: polezero.sparse_allpole(a, _delays(x.device), x), lambda p: [p.feedback(4), p.x]
        ),
        Op.COMB_FILTER_LAGRANGE3_MOVING: Operator(
            partial(polezero.comb_filter, interpolation="lagrange3"),
            lambda p: [p.feedback(1), p.moving_delay(), p.x],
        ),
        Op.COMB_FILTER_LINEAR_MOVING: Operator(
            partial(polezero.comb_filter, interpolation="linear"),
            lambda p: [p.feedback(1), p.moving_delay(), p.x],
        ),
        Op.COMB_FILTER_THIRAN: Operator(
            partial(polezero.comb_filter, interpolation="thiran"),
            lambda p: [p.feedback(1), p.moving_delay()[0, 0], p.x],
        ),
        Op.COMB_FILTER_4: Operator(lambda a, x: polezero.comb_filter(a, 4, x), lambda p: [p.feedback(1), p.x]),
        Op.FEEDFORWARD_COMB_LAGRANGE3_MOVING: Operator(
            partial(polezero.feedforward_comb, interpolation="lagrange3"),
            lambda p: [p.feedback(1), p.moving_delay(), p.x],
        ),
        Op.ALLPASS_COMB_100: Operator(lambda a, x: polezero.allpass_comb(a, 100, x), lambda p: [p.feedback(1), p.x]),
        Op.CSPLINE1D: Operator(polezero.cspline1d, lambda p: [p.x]),
        Op.CSPLINE1D_SMOOTHING: Operator(lambda x: polezero.cspline1d(x, 1.0), lambda p: [p.x]),
        Op.CSPLINE1D_EVAL: Operator(polezero.cspline1d_eval, lambda p: [p.x, p.points()]),
        Op.SYMIIRORDER2: Operator(lambda x: polezero.symiirorder2(x, 0.5, 1.0), lambda p: [p.x]),
        Op.CUBIC_SPLINE_4: Operator(lambda x: polezero.cubic_spline(x, 4), lambda p: [p.x]),
        Op.MODAL_BANK: Operator(polezero.modal_bank, lambda p: [*p.modes(), p.x]),
        Op.STATE_SPACE: Operator(
            lambda A, B, C, D, x: polezero.state_space(A, B, C, D, x[:, None])[:, 0], lambda p: [*p.system(), p.x]
        ),
        Op.LPV_LATTICE: Operator(polezero.lpv.lattice, lambda p: [p.reflections(), p.x]),
        Op.LPV_TDF2_SSM: Operator(polezero.lpv.tdf2_ssm, lambda p: [p.moving_with_a0(), p.moving_with_a0(), p.x]),
        Op.LINEAR_RECURRENCE_VARYING: Operator(polezero.linear_recurrence, lambda p: [-p.moving()[..., 0], p.x]),
        Op.FILTFILT: Operator(polezero.filtfilt, lambda p: [p.b, p.a, p.x]),
        Op.SOSFILTFILT: Operator(polezero.sosfiltfilt, lambda p: [p.sos(), p.x]),
        Op.COMPAT_FILTFILT: Operator(
            partial(importlib.import_module("polezero.compat.torchaudio").filtfilt, clamp=False),
            lambda p: [p.x, p.a, p.b],
        ),
    }
    assert operators.keys() == set(Op), "every op that a case may name"
    return Implementation("polezero", version, operators)


def _scipy(version: str) -> Implementation:
    signal = importlib.import_module("scipy.signal")
    lfilter = signal.lfilter
    operators = {
        Op.LFILTER: Operator(lfilter, lambda p: [p.b.numpy(), p.a.numpy(), p.x.numpy()]),
        Op.SOSFILT: Operator(signal.sosfilt, lambda p: [p.sos().numpy(), p.x.numpy()]),
        Op.ALLPOLE: Operator(partial(lfilter, [1.0]), lambda p: [p.a.numpy(), p.x.numpy()]),
        Op.CSPLINE1D: Operator(lambda x: [signal.cspline1d(row) for row in x], lambda p: [p.x.numpy()]),
        Op.CSPLINE1D_EVAL: Operator(
            lambda x, t: [signal.cspline1d_eval(row, t) for row in x], lambda p: [p.x.numpy(), p.points().numpy()]
        ),
        Op.SYMIIRORDER2: Operator(lambda x: signal.symiirorder2(x, 0.5, 1.0), lambda p: [p.x.numpy()]),
        Op.FILTFILT: Operator(signal.filtfilt, lambda p: [p.b.numpy(), p.a.numpy(), p.x.numpy()]),
        Op.SOSFILTFILT: Operator(signal.sosfiltfilt, lambda p: [p.sos().numpy(), p.x.numpy()]),
    }
    return Implementation("scipy", version, operators, has_gradients=False)


def _torchaudio(version: str) -> Implementation:
    functional = importlib.import_module("torchaudio.functional")
    lfilter = functional.lfilter
    operators = {
        Op.LFILTER: Operator(lambda b, a, x: lfilter(x, a, b, clamp=False), lambda p: [p.b, p.a, p.x]),
        Op.ALLPOLE: Operator(lambda a, x: lfilter(x, a, _one(a), clamp=False), lambda p: [p.a, p.x]),
        Op.COMPAT_FILTFILT: Operator(partial(functional.filtfilt, clamp=False), lambda p: [p.x, p.a, p.b]),
    }
    return Implementation("torchaudio", version, operators)


def _philtorch(version: str) -> Implementation:
    lti, lpv = importlib.import_module("philtorch.lti"), importlib.import_module("philtorch.lpv")
    lfilter = lti.lfilter

    def state_space(A: Tensor, B: Tensor, C: Tensor, D: Tensor, x: Tensor) -> Tensor:
        return lti.state_space(A, x, B[:, 0], C[0], D[0])

    operators = {  # its a_0 = 1 is implied
        Op.LFILTER: Operator(lfilter, lambda p: [p.b, p.a[1:], p.x]),
        Op.ALLPOLE: Operator(lambda a, x: lfilter(a.new_ones(1), a, x), lambda p: [p.a[1:], p.x]),
        Op.LPV_ALLPOLE: Operator(lpv.allpole, lambda p: [p.moving(), p.x]),  # torchlpc's kernel
        Op.LINEAR_RECURRENCE: Operator(
            lambda a, x: lti.linear_recurrence(a, a.new_zeros(1), x), lambda p: [-p.a[1:], p.x]
        ),
        Op.LINEAR_RECURRENCE_VARYING: Operator(
            lambda a, x: lpv.linear_recurrence(a, a.new_zeros(1), x), lambda p: [-p.moving()[..., 0], p.x]
        ),
        Op.STATE_SPACE: Operator(state_space, lambda p: [*p.system(), p.x]),
        Op.COMB_FILTER_100: Operator(lambda a, x: lti.comb_filter(a, 100, x), lambda p: [p.feedback(1)[0], p.x]),
        Op.SPARSE_ALLPOLE_4_TAPS: Operator(  # by dense taps and torchlpc's kernel: it has no sparse ones
            lambda a, x: lpv.allpole(_dense(a, _delays(x.device)).expand(*x.shape, -1), x),
            lambda p: [p.feedback(4), p.x],
        ),
        Op.CUBIC_SPLINE_4: Operator(lambda x: lti.cubic_spline(x, 4), lambda p: [p.x]),
    }
    return Implementation("philtorch", version, operators)


def _cupyx(version: str) -> Implementation:
    cupy, signal = importlib.import_module("cupy"), importlib.import_module("cupyx.scipy.signal")

    def on_gpu(*tensors: Tensor) -> list[Any]:
        return [cupy.from_dlpack(t.cuda()) for t in tensors]

    operators = {
        Op.LFILTER: Operator(signal.lfilter, lambda p: on_gpu(p.b, p.a, p.x)),
        Op.SOSFILT: Operator(signal.sosfilt, lambda p: on_gpu(p.sos(), p.x)),
    }
    return Implementation("cupyx", cupy.__version__, operators, has_gradients=False, can_be_captured=False)


def _torchlpc(version: str) -> Implementation:
    sample_wise_lpc = importlib.import_module("torchlpc").sample_wise_lpc
    operators = {"lpv.allpole": Operator(lambda a, x: sample_wise_lpc(x, a), lambda p: [p.moving(), p.x])}
    return Implementation("torchlpc", version, operators, can_be_captured=False)


def _one(a: torch.Tensor) -> torch.Tensor:
    """The numerator 1, as long as a."""
    return torch.nn.functional.pad(a.new_ones(1), (0, a.shape[-1] - 1))


_MAKERS: dict[str, Callable[[str], Implementation]] = {
    "polezero": _polezero,
    "scipy": _scipy,
    "torchaudio": _torchaudio,
    "philtorch": _philtorch,
    "cupyx": _cupyx,
    "torchlpc": _torchlpc,
}
