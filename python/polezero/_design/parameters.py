"""Parameters of a design: real numbers in double precision, checked where their values may be looked at."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from polezero._arguments import readable, to_tensor
from polezero._signatures import Coefficients


def place_of(function: str, device: torch.device | str | None, **values: Coefficients | None) -> torch.device:
    """Where a design is computed: the parameters' own device, or the one that is asked for where none is a tensor."""
    tensors = {name: v for name, v in values.items() if isinstance(v, Tensor)}
    if not tensors:
        return torch.device("cpu" if device is None else device)
    # A number may be anywhere.
    first, place = next((name, t.device) for name, t in sorted(tensors.items(), key=lambda item: item[1].dim() == 0))
    for name, t in tensors.items():
        if t.dim() and t.device != place:
            raise ValueError(f"{function}: {name}: expected a tensor on {place} as {first}, got one on {t.device}")
    return place


def number(function: str, name: str, value: float) -> float:
    """A positive number, such as a sampling frequency."""
    if isinstance(value, Tensor) or not (isinstance(value, (int, float)) or hasattr(value, "__float__")):
        raise TypeError(f"{function}: {name}: expected a number, got {value!r}")
    if not 0 < value < math.inf:
        raise ValueError(f"{function}: {name}: expected a positive number, got {value!r}")
    return float(value)


def chosen(function: str, name: str, value: str, choices: tuple[str, ...]) -> str:
    if value not in choices:
        raise ValueError(f"{function}: {name}: expected one of {', '.join(map(repr, choices))}, got {value!r}")
    return value


def real(
    function: str,
    name: str,
    value: Coefficients,
    device: torch.device,
    low: float = -math.inf,
    high: float = math.inf,
    expected: str = "",
) -> Tensor:
    """The parameter in float64, between two limits that it may not reach.

    A number stays without dimensions. ``expected`` is what the sentence about others says; where the values may not be
    looked at, those become NaN.
    """
    tensor = to_tensor(f"{function}: {name}", value, torch.float64, device)
    if tensor.is_complex():
        raise TypeError(f"{function}: {name}: expected real numbers, got complex ones")
    if tensor.dim() == 1 and not getattr(value, "shape", None) and not isinstance(value, (list, tuple)):
        tensor = tensor.squeeze(0)  # which to_tensor has made of a number
    tensor = tensor.to(device, torch.float64)
    if not expected:
        return tensor
    if not readable(tensor):
        return torch.where((tensor > low) & (tensor < high), tensor, math.nan)
    if tensor.numel():
        least, largest = (t.item() for t in torch.aminmax(tensor.detach()))
        if not (low < least and largest < high):  # NaN neither
            raise ValueError(f"{function}: {name}: expected {expected}, got {largest if low < least else least:g}")
    return tensor


def frequency(function: str, name: str, value: Coefficients, device: torch.device, fs: float) -> Tensor:
    """Frequencies between 0 and Nyquist's."""
    cause = " (in hertz? then say fs)" if fs == 2.0 else ""
    limit = "" if torch.compiler.is_compiling() else f" = {fs / 2:g}"  # of a rate that is a symbol there
    expected = f"frequencies between 0 and fs / 2{limit}{cause}"
    return real(function, name, value, device, 0.0, fs / 2, expected)


def prewarped(f: Tensor, fs: float) -> Tensor:
    """K = tan(pi f / fs), by which the bilinear transform takes s = j to the frequency f."""
    return torch.tan(f * (math.pi / fs))
