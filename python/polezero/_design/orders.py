"""The order that meets a specification, and designs by it. These take numbers: an order has no gradient."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from polezero._design import checks
from polezero._design.families import FAMILIES
from polezero._design.iir import Filter, design
from polezero._overrides import overridable
from polezero._signatures import Coefficients

__all__ = ["buttord", "cheb1ord", "cheb2ord", "ellipord", "iirdesign"]


class _Specification(NamedTuple):
    """Of an analog filter: the edges, and of the low-pass prototype how far the stop band's lies above 1."""

    btype: str
    passband: list[float]
    stretch: float
    ratio: float  # (10^(gstop/10) - 1) / (10^(gpass/10) - 1)
    analog: bool
    fs: float | None
    gpass: float


def _numbers(function: str, name: str, value: Coefficients) -> list[float]:
    if isinstance(value, Tensor) and value.requires_grad:
        raise TypeError(f"{function}: {name}: expected numbers, got a tensor that requires grad (an order has none)")
    try:
        values = torch.as_tensor(value, dtype=torch.float64).reshape(-1).tolist()
    except (TypeError, ValueError, RuntimeError):
        values = []
    if len(values) not in (1, 2):
        raise ValueError(f"{function}: {name}: expected one edge, or two of a band, got {value!r}")
    return values


def _specification(
    function: str,
    wp: Coefficients,
    ws: Coefficients,
    gpass: float,
    gstop: float,
    analog: bool,
    fs: float | None,
) -> _Specification:
    if not gpass > 0:
        raise ValueError(f"{function}: gpass: expected decibels above 0, got {gpass!r}")
    if not gstop > gpass:
        raise ValueError(f"{function}: gstop: expected more decibels than gpass, which is {gpass!r}, got {gstop!r}")
    rate = checks.sampling_rate(function, fs, analog)
    edges = {"wp": _numbers(function, "wp", wp), "ws": _numbers(function, "ws", ws)}
    for name, values in edges.items():
        checks.in_range(function, name, values, rate, analog)
    wp, ws = edges.values()
    if len(wp) != len(ws):
        raise ValueError(f"{function}: ws: expected as many edges as wp, got {len(ws)} beside {len(wp)}")
    if len(wp) == 1:
        if wp[0] == ws[0]:
            raise ValueError(f"{function}: ws: expected an edge beside that of wp, got {ws[0]!r} twice")
        btype = "lowpass" if wp[0] < ws[0] else "highpass"
    elif ws[0] < wp[0] < wp[1] < ws[1]:
        btype = "bandpass"
    elif wp[0] < ws[0] < ws[1] < wp[1]:
        btype = "bandstop"
    else:
        raise ValueError(f"{function}: ws: expected the edges of one band inside those of the other, got {wp} and {ws}")
    if not analog:
        wp, ws = ([math.tan(math.pi * w / (2 if rate is None else rate)) for w in edge] for edge in (wp, ws))
    if btype == "bandstop":  # the pass bands grow until the two slopes are equally steep
        centre2 = ws[0] * ws[1]
        wp = [max(wp[0], centre2 / wp[1]), min(wp[1], centre2 / wp[0])]
    stretch = min(_stretches(btype, wp, ws))
    decades = math.log(10) / 10
    ratio = math.expm1(gstop * decades) / math.expm1(gpass * decades)
    return _Specification(btype, wp, stretch, ratio, analog, rate, gpass)


def _stretches(btype: str, wp: list[float], ws: list[float]) -> list[float]:
    """Where the band transform backwards puts the edges of the stop band."""
    if len(wp) == 1:
        return [ws[0] / wp[0] if btype == "lowpass" else wp[0] / ws[0]]
    narrow = [abs((w * w - wp[0] * wp[1]) / (w * (wp[1] - wp[0]))) for w in ws]
    return narrow if btype == "bandpass" else [1 / w for w in narrow]


def _edges(s: _Specification, w: float, device: torch.device | str | None) -> Tensor:
    """As design functions take them: those of the filter whose prototype's edge is at w, the pass band's being at 1."""
    if len(s.passband) == 1:
        edges = [s.passband[0] * w if s.btype == "lowpass" else s.passband[0] / w]
    elif w == 1:
        edges = s.passband
    else:
        centre2 = s.passband[0] * s.passband[1]
        half = (s.passband[1] - s.passband[0]) / 2 * (w if s.btype == "bandpass" else 1 / w)
        high = math.hypot(half, math.sqrt(centre2)) + half
        edges = [centre2 / high, high]
    if not s.analog:
        edges = [math.atan(w) * (2 if s.fs is None else s.fs) / math.pi for w in edges]
    return torch.tensor(edges if len(edges) > 1 else edges[0], dtype=torch.float64, device=device)


def _butterworth(s: _Specification) -> tuple[int, float]:
    """The order, and where the prototype has half its power."""
    order = math.ceil(math.log(s.ratio) / (2 * math.log(s.stretch)))
    return order, math.expm1(s.gpass * math.log(10) / 10) ** (-1 / (2 * order))


def _chebyshev1(s: _Specification) -> tuple[int, float]:
    return math.ceil(math.acosh(math.sqrt(s.ratio)) / math.acosh(s.stretch)), 1.0


def _chebyshev2(s: _Specification) -> tuple[int, float]:
    """The order, and where its stop band begins."""
    order = _chebyshev1(s)[0]
    return order, math.cosh(math.acosh(math.sqrt(s.ratio)) / order)


def _elliptic(s: _Specification) -> tuple[int, float]:
    """The quotient of the half periods K' / K of two moduli, each of which is one of arithmetic-geometric means."""
    ripples = 1 / s.ratio
    of_ripples = _mean(math.sqrt(1 - ripples)) / _mean(math.sqrt(ripples))
    k = 1 / s.stretch
    of_edges = _mean(math.sqrt((1 - k) * (1 + k))) / _mean(k)
    return math.ceil(of_ripples / of_edges), 1.0


def _mean(b: float) -> float:
    """Arithmetic-geometric, of 1 and b."""
    a = 1.0
    while abs(a - b) > 1e-15 * a:
        a, b = (a + b) / 2, math.sqrt(a * b)
    return a


_ESTIMATES = {"butter": _butterworth, "cheby1": _chebyshev1, "cheby2": _chebyshev2, "ellip": _elliptic}


@overridable
def buttord(
    wp: Coefficients,
    ws: Coefficients,
    gpass: float,
    gstop: float,
    analog: bool = False,
    fs: float | None = None,
    *,
    device: torch.device | str | None = None,
) -> tuple[int, Tensor]:
    r"""The lowest order of a Butterworth filter that meets a specification, and its ``Wn``.

    .. math::

        N \ge \frac{\log d}{2 \log v}, \quad d = \frac{10^{g_s / 10} - 1}{10^{g_p / 10} - 1}

    Here v is where the edge of the stop band lies, when the band is moved to that of a prototype with an edge at 1.

    Args:
        wp: The edge of the pass band, or its two: numbers, in units of half the sampling rate, in those of ``fs``,
            or in rad/s of an analog filter.
        ws: Those of the stop band, which say whether it is a low-pass, high-pass, band-pass or band-stop filter.
        gpass: The largest loss in the pass band, in decibels.
        gstop: The smallest loss in the stop band, in decibels.
        analog: Whether the filter is one in s.
        fs: The sampling rate.
        device: That of ``Wn``.

    Returns:
        The order, and the frequencies at which it has lost half its power,
        as :func:`butter` takes them, in float64, of shape ``[]`` or ``[2]``.

    Of a band-stop filter the pass bands are first widened until both slopes are equally steep, here by a formula, where
    SciPy searches to 1e-5. Errors are ValueError: edges, decibels and bands that are none. Source:
    :func:`scipy.signal.buttord`.

    Example:
        >>> import polezero
        >>> polezero.buttord(0.2, 0.3, gpass=3, gstop=40)
        (11, tensor(0.2000, dtype=torch.float64))
    """
    s = _specification("buttord", wp, ws, gpass, gstop, analog, fs)
    order, w = _butterworth(s)
    return order, _edges(s, w, device)


@overridable
def cheb1ord(
    wp: Coefficients,
    ws: Coefficients,
    gpass: float,
    gstop: float,
    analog: bool = False,
    fs: float | None = None,
    *,
    device: torch.device | str | None = None,
) -> tuple[int, Tensor]:
    r"""The lowest order of a Chebyshev filter that meets a specification, and its ``Wn``.

    .. math::

        N \ge \frac{\cosh^{-1} \sqrt{d}}{\cosh^{-1} v}, \quad d = \frac{10^{g_s / 10} - 1}{10^{g_p / 10} - 1}

    Here v is where the edge of the stop band lies, when the band is moved to that of a prototype with an edge at 1.

    Args:
        wp, ws, gpass, gstop, analog, fs, device: As :func:`buttord` has them.

    Returns:
        The order, and the edges of its pass band,
        as :func:`cheby1` takes them, in float64, of shape ``[]`` or ``[2]``.

    Of band-stop filters and errors :func:`buttord` tells. Source: :func:`scipy.signal.cheb1ord`.

    Example:
        >>> import polezero
        >>> polezero.cheb1ord(0.2, 0.3, gpass=3, gstop=40)
        (6, tensor(0.2000, dtype=torch.float64))
    """
    s = _specification("cheb1ord", wp, ws, gpass, gstop, analog, fs)
    order, w = _chebyshev1(s)
    return order, _edges(s, w, device)


@overridable
def cheb2ord(
    wp: Coefficients,
    ws: Coefficients,
    gpass: float,
    gstop: float,
    analog: bool = False,
    fs: float | None = None,
    *,
    device: torch.device | str | None = None,
) -> tuple[int, Tensor]:
    r"""The lowest order of an inverse Chebyshev filter that meets a specification, and its ``Wn``.

    .. math::

        N \ge \frac{\cosh^{-1} \sqrt{d}}{\cosh^{-1} v}, \quad d = \frac{10^{g_s / 10} - 1}{10^{g_p / 10} - 1}

    Here v is where the edge of the stop band lies, when the band is moved to that of a prototype with an edge at 1.

    Args:
        wp, ws, gpass, gstop, analog, fs, device: As :func:`buttord` has them.

    Returns:
        The order, and the edges of its stop band,
        as :func:`cheby2` takes them, in float64, of shape ``[]`` or ``[2]``.

    Of band-stop filters and errors :func:`buttord` tells. Source: :func:`scipy.signal.cheb2ord`.

    Example:
        >>> import polezero
        >>> polezero.cheb2ord(0.2, 0.3, gpass=3, gstop=40)
        (6, tensor(0.2746, dtype=torch.float64))
    """
    s = _specification("cheb2ord", wp, ws, gpass, gstop, analog, fs)
    order, w = _chebyshev2(s)
    return order, _edges(s, w, device)


@overridable
def ellipord(
    wp: Coefficients,
    ws: Coefficients,
    gpass: float,
    gstop: float,
    analog: bool = False,
    fs: float | None = None,
    *,
    device: torch.device | str | None = None,
) -> tuple[int, Tensor]:
    r"""The lowest order of an elliptic filter that meets a specification, and its ``Wn``.

    .. math::

        N \ge \frac{K(1 / v) K'(1 / \sqrt{d})}{K'(1 / v) K(1 / \sqrt{d})}, \quad
        d = \frac{10^{g_s / 10} - 1}{10^{g_p / 10} - 1}

    Here v is where the edge of the stop band lies, when the band is moved to that of a prototype with an edge at 1.

    Args:
        wp, ws, gpass, gstop, analog, fs, device: As :func:`buttord` has them.

    Returns:
        The order, and the edges of its pass band,
        as :func:`ellip` takes them, in float64, of shape ``[]`` or ``[2]``.

    Of band-stop filters and errors :func:`buttord` tells. Source: :func:`scipy.signal.ellipord`.

    Example:
        >>> import polezero
        >>> polezero.ellipord(0.2, 0.3, gpass=3, gstop=40)
        (4, tensor(0.2000, dtype=torch.float64))
    """
    s = _specification("ellipord", wp, ws, gpass, gstop, analog, fs)
    order, w = _elliptic(s)
    return order, _edges(s, w, device)


@overridable
def iirdesign(
    wp: Coefficients,
    ws: Coefficients,
    gpass: float,
    gstop: float,
    analog: bool = False,
    ftype: str = "ellip",
    output: str = "ba",
    fs: float | None = None,
    *,
    dtype: torch.dtype | None = None,
    device: torch.device | str | None = None,
) -> Filter:
    r"""The filter of lowest order that meets a specification.

    .. math::

        |H| \ge 10^{-g_p / 20} \text{ in the pass band}, \quad |H| \le 10^{-g_s / 20} \text{ in the stop band}

    Args:
        wp, ws, gpass, gstop, analog, fs: As :func:`buttord` has them.
        ftype: The family: butter, cheby1, cheby2 or ellip. A Bessel filter has no slope to speak of.
        output, dtype, device: As :func:`iirfilter` has them, and the shapes of the results.

    Returns:
        What :func:`iirfilter` does, with the order and ``Wn`` of :func:`buttord`, :func:`cheb1ord`, :func:`cheb2ord`
        or :func:`ellipord`.

    It takes numbers and has no gradient: an order has none. Errors are those of :func:`buttord`. Source:
    :func:`scipy.signal.iirdesign`.

    Example:
        >>> import polezero
        >>> polezero.iirdesign(0.2, 0.3, gpass=1, gstop=40, ftype="cheby1", output="sos").shape
        torch.Size([3, 6])
    """
    family = FAMILIES.get(ftype.lower()) if isinstance(ftype, str) else None
    if family not in _ESTIMATES:
        reason = "; of this family no order can be estimated: iirfilter takes it" if family else ""
        raise ValueError(f"iirdesign: ftype: expected butter, cheby1, cheby2 or ellip, got {ftype!r}{reason}")
    s = _specification("iirdesign", wp, ws, gpass, gstop, analog, fs)
    order, w = _ESTIMATES[family](s)
    edges = _edges(s, w, device)
    return design("iirdesign", family, order, edges, s.btype, analog, output, fs, dtype, device, gpass, gstop)
