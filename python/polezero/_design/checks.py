"""What is wrong with a design's arguments, in one sentence; values only where they can be read."""

from __future__ import annotations

import math
import operator
from typing import Any

import torch
from torch import Tensor

from polezero._arguments import broadcast_leading, readable, to_tensor
from polezero._design.bands import BTYPES
from polezero._signatures import Coefficients

OUTPUTS = ("ba", "zpk", "sos")


MOST_OF_BESSEL = 150  # beyond, the numbers that its poles are the roots of leave float64


def order(function: str, N: Any, family: str) -> int:
    if isinstance(N, float) and N.is_integer():
        N = int(N)
    try:
        whole = operator.index(N)
    except TypeError:
        raise TypeError(f"{function}: N: expected a whole number, the order, got {N!r}") from None
    if whole < 0:
        raise ValueError(f"{function}: N: expected an order of 0 or more, got {whole}")
    if family.startswith("bessel") and whole > MOST_OF_BESSEL:
        raise ValueError(f"{function}: N: expected an order of at most {MOST_OF_BESSEL}, got {whole}")
    return len([*range(whole)])  # a constant to Dynamo, as a size is none


def band_type(function: str, btype: str) -> str:
    name = BTYPES.get(btype.lower()) if isinstance(btype, str) else None
    if name is None:
        raise ValueError(f"{function}: btype: expected lowpass, highpass, bandpass or bandstop, got {btype!r}")
    return name


def output_form(function: str, output: str, forms: tuple[str, ...] = OUTPUTS) -> str:
    name = output.lower() if isinstance(output, str) else output
    if name not in forms:
        raise ValueError(f"{function}: output: expected {', '.join(forms[:-1])} or {forms[-1]}, got {output!r}")
    return name


def norm(function: str, norm: str) -> None:
    if norm not in ("phase", "delay", "mag"):
        raise ValueError(f"{function}: norm: expected phase, delay or mag, got {norm!r}")


def sampling_rate(function: str, fs: float | None, analog: bool = False) -> float | None:
    if fs is None:
        return None
    if analog:
        raise ValueError(f"{function}: fs: expected None of an analog filter, whose Wn is in rad/s, got {fs!r}")
    try:
        rate = float(fs)
    except (TypeError, ValueError, RuntimeError):
        raise ValueError(f"{function}: fs: expected one number, the sampling rate, got {fs!r}") from None
    if not 0 < rate < math.inf:
        raise ValueError(f"{function}: fs: expected a positive sampling rate, got {fs!r}")
    return rate


def device_of(device: torch.device | str | None, *values: object) -> torch.device:
    """The one that is given, that of the first tensor, or the CPU."""
    if device is not None:
        return torch.device(device)
    return next((v.device for v in values if isinstance(v, Tensor)), torch.device("cpu"))


def edges(function: str, Wn: Coefficients, btype: str, fs: float | None, analog: bool, device: torch.device) -> Tensor:
    """``[..., 1]``, or ``[..., 2]`` of a band."""
    w, banded = real(function, "Wn", Wn, device), btype in ("bandpass", "bandstop")
    if banded:
        if w.shape[-1] != 2:
            hint = "; a lowpass or highpass filter has one" if w.numel() == 1 else ""
            raise ValueError(
                f"{function}: Wn: expected two edges [..., 2] of a {btype} filter, got shape {list(w.shape)}{hint}"
            )
    elif w.numel() > 1 and not isinstance(Wn, Tensor):
        raise ValueError(
            f"{function}: Wn: expected one frequency of a {btype} filter, or a tensor of those of a batch, got {Wn!r}"
            " (btype='bandpass' has two)"
        )
    elif w.shape != (1,):
        w = w.unsqueeze(-1)
    if readable(w):
        _check_edges(function, w, fs, analog)
    else:
        w = nan_unless_positive(w, w, *(() if analog else (_nyquist(fs, analog) - w,)), w[..., 1:] - w[..., :-1])
    return w


def real(function: str, name: str, value: Coefficients, device: torch.device) -> Tensor:
    """In float64; at least 1-D."""
    t = to_tensor(f"{function}: {name}", value, torch.float64, device)
    if t.is_complex():
        raise TypeError(f"{function}: {name}: expected real numbers, got complex ones")
    return t.to(device, torch.float64)


def nan_unless_positive(values: Tensor, *others: Tensor) -> Tensor:
    """NaN where one of the others is not above 0, by its logarithm; a graph would keep masks for the derivative."""
    for other in others:
        if other.shape[-1]:
            values = values + 0 * other.detach().log()
    return values


def _nyquist(fs: float | None, analog: bool) -> float:
    return math.inf if analog else 1.0 if fs is None else fs / 2


def in_range(function: str, name: str, edges: list[float], fs: float | None, analog: bool) -> None:
    nyquist = _nyquist(fs, analog)
    for edge in edges:
        if 0 < edge < nyquist:
            continue
        if not edge > 0 or analog:
            raise ValueError(f"{function}: {name}: expected frequencies above 0 and finite, got {edge:g}")
        limit = f"fs / 2 = {nyquist:g}" if fs is not None else "1, which is half the sampling rate"
        hint = " (in Hz without fs?)" if fs is None else ""
        raise ValueError(f"{function}: {name}: expected frequencies below {limit}, got {edge:g}{hint}")


def _check_edges(function: str, w: Tensor, fs: float | None, analog: bool) -> None:
    for row in w.detach().reshape(-1, w.shape[-1]).tolist():
        in_range(function, "Wn", row, fs, analog)
        if len(row) == 2 and not row[0] < row[1]:
            raise ValueError(f"{function}: Wn: expected the lower edge before the upper, got {row}")


def decibels(function: str, name: str, value: Coefficients | None, family: str, Wn: Tensor) -> Tensor:
    """A ripple or an attenuation, ``[..., 1]``, beside edges ``[..., 1]`` or ``[..., 2]``."""
    if value is None:
        raise ValueError(f"{function}: {name}: expected decibels, which {family} needs, got None")
    r = real(function, name, value, Wn.device)
    if r.numel() != 1 or (isinstance(value, Tensor) and value.dim()):
        broadcast_leading(function, 0, **{name: r, "Wn": Wn[..., 0]})
        r = r.unsqueeze(-1)
    if not readable(r):
        return nan_unless_positive(r, r)
    if r.numel() and not r.detach().amin().item() > 0:
        raise ValueError(f"{function}: {name}: expected decibels above 0, got {r.detach().amin().item():g}")
    return r


def attenuation_above(function: str, rp: Tensor, rs: Tensor) -> None:
    """Both are ``[..., 1]``."""
    if rp.dim() > 1 and rs.dim() > 1:
        broadcast_leading(function, 0, rp=rp.squeeze(-1), rs=rs.squeeze(-1))
    if readable(rp) and readable(rs) and not bool((rp < rs).all()):
        raise ValueError(
            f"{function}: rs: expected more decibels in the stop band than rp, those of the pass band,"
            f" got rp={rp.flatten()[0].item():g} and rs={rs.flatten()[0].item():g}"
        )
