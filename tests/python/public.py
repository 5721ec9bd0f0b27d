"""Every public function by its name below polezero, and a small call of each."""

import inspect
from collections.abc import Callable
from typing import Any

import torch
from cases.tensors import random_filter
from torch import Tensor

import polezero
from polezero import freq, lpv

FUNCTIONS: dict[str, Callable[..., Any]] = {
    prefix + name: getattr(module, name)
    for module, prefix in ((polezero, ""), (lpv, "lpv."), (freq, "freq."))
    for name in module.__all__
    if inspect.isfunction(getattr(module, name))
}


def small_calls() -> dict[str, dict[str, Any]]:
    """The arguments of each, but ``zi``, in their order: T = 5, two rows, orders of 2, of double precision."""
    (b, a), x = random_filter(2, 2), torch.randn(2, 5, dtype=torch.float64)
    sos, k, taps = torch.stack([torch.cat([b, a])] * 3), 0.5 * torch.rand_like(b[1:]), torch.randn_like(b)
    A, B, C, D = 0.4 * torch.randn(2, 2).double(), torch.randn(2, 2).double(), torch.randn(1, 2).double(), None
    number, delay = torch.tensor(0.5, dtype=torch.float64), torch.tensor(2)
    poles, gains = torch.tensor([0.5j, -0.3j]), torch.randn(2) + 0j
    spline = {"x": x, "lamb": 0.0}
    specification = {"wp": 0.2, "ws": 0.3, "gpass": 1.0, "gstop": 40.0}

    def over_time(*values: Tensor) -> tuple[Tensor, ...]:
        return tuple(v.expand(5, *v.shape).clone() for v in values)

    bt, at, kt, tapst, sost, At, Bt, Ct = over_time(b, a, k, taps, sos, A, B, C)
    return {
        "allpass_comb": {"a": number, "delay": delay, "x": x},
        "allpole": {"a": a[1:], "x": x},
        "bessel": {"N": 2, "Wn": number},
        "besselap": {"N": 2},
        "buttap": {"N": 2},
        "butter": {"N": 2, "Wn": number},
        "buttord": specification,
        "cheb1ap": {"N": 2, "rp": number},
        "cheb1ord": specification,
        "cheb2ap": {"N": 2, "rs": 30 * number},
        "cheb2ord": specification,
        "cheby1": {"N": 2, "rp": number, "Wn": number},
        "cheby2": {"N": 2, "rs": 30 * number, "Wn": number},
        "comb_filter": {"a": number, "delay": delay, "x": x},
        "cspline1d": spline,
        "cspline1d_eval": {"cj": x, "newx": torch.tensor([0.5, 2.25]).double()},
        "cspline2d": spline,
        "cubic_spline": {"x": x, "m": 2},
        "diagonalise": {"A": A, "B": B, "C": C},
        "ellip": {"N": 2, "rp": number, "rs": 30 * number, "Wn": number},
        "ellipap": {"N": 2, "rp": number, "rs": 30 * number},
        "ellipord": specification,
        "feedforward_comb": {"b": number, "delay": delay, "x": x},
        "gammatone": {"freq": number, "ftype": "iir"},
        "iircomb": {"w0": 0.5, "Q": 4 * number},
        "iirdesign": specification,
        "iirfilter": {"N": 2, "Wn": number, "btype": "lowpass"},
        "iirnotch": {"w0": number, "Q": 4 * number},
        "iirpeak": {"w0": number, "Q": 4 * number},
        "lattice": {"k": k, "x": x, "taps": taps},
        "legendre": {"N": 2, "Wn": number},
        "legendreap": {"N": 2},
        "lfilter": {"b": b, "a": a, "x": x},
        "lfilter_zi": {"b": b, "a": a},
        "lfiltic": {"b": b, "a": a, "y": x[:, :2], "x": x[:, 2:4]},
        "linear_recurrence": {"a": number, "x": x},
        "modal_bank": {"poles": poles, "gains": gains, "x": x},
        "parallel": {"sos": sos, "x": x},
        "parallel_form": {"b": b, "a": a},
        "qspline1d": spline,
        "qspline1d_eval": {"cj": x, "newx": torch.tensor([0.5, 2.25]).double()},
        "qspline2d": spline,
        "sensitivity": {"b": b, "a": a, "x": x},
        "sosfilt": {"sos": sos, "x": x},
        "sparse_allpole": {"a": k, "delays": torch.tensor([2, 3]), "x": x},
        "state_space": {"A": A, "B": B, "C": C, "D": D, "x": x},
        "symiirorder1": {"x": x, "c0": 1.0, "z1": 0.5},
        "symiirorder2": {"x": x, "r": 0.5, "omega": 1.0},
        "tdf2_ssm": {"b": b, "a": a, "x": x},
        "lpv.allpole": {"a": at[:, 1:], "x": x},
        "lpv.fir": {"b": bt, "x": x},
        "lpv.lattice": {"k": kt, "x": x, "taps": tapst},
        "lpv.lfilter": {"b": bt, "a": at, "x": x},
        "lpv.parallel": {"sos": sost, "x": x},
        "lpv.sosfilt": {"sos": sost, "x": x},
        "lpv.state_space": {"A": At, "B": Bt, "C": Ct, "D": D, "x": x},
        "lpv.tdf2_ssm": {"b": bt, "a": at, "x": x},
        "freq.apply": {"b": b, "a": a, "X": torch.fft.rfft(x)},
        "freq.comb": {"a": number, "delay": number + 1, "n": 8},
        "freq.lfilter": {"b": b, "a": a, "x": x},
        "freq.response": {"b": b, "a": a, "n": 8},
    }


def takes_zi(name: str) -> bool:
    return "zi" in inspect.signature(FUNCTIONS[name]).parameters
