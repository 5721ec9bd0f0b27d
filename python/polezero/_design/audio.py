"""Equaliser sections."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from polezero._arguments import broadcast_leading
from polezero._design.cookbook import SHELVES, TYPES, WITHOUT_GAIN, Bands, BiquadType, sections
from polezero._design.parameters import chosen, frequency, number, place_of, prewarped, real
from polezero._overrides import overridable
from polezero._signatures import Coefficients

__all__ = ["biquad"]


@overridable
def biquad(
    btype: BiquadType,
    f0: Coefficients,
    *,
    Q: Coefficients | None = None,
    bandwidth: Coefficients | None = None,
    slope: Coefficients | None = None,
    gain: Coefficients | None = None,
    fs: float = 2.0,
    dtype: torch.dtype | None = None,
    device: torch.device | str | None = None,
) -> Tensor:
    r"""Design one section of an equaliser, by the formulas of R. Bristow-Johnson's cookbook.

    The analog filters below, of a cut-off or centre at s = j, by the bilinear transform that takes it to ``f0``,
    with :math:`A = 10^{\mathtt{gain} / 40}`:

    .. math::

        \text{lowpass}\; \frac{1}{D} \quad \text{highpass}\; \frac{s^2}{D} \quad
        \text{bandpass}\; \frac{s / Q}{D} \quad \text{bandpass_skirt}\; \frac{s}{D} \quad
        \text{notch}\; \frac{s^2 + 1}{D} \quad \text{allpass}\; \frac{s^2 - s / Q + 1}{D}, \qquad
        D = s^2 + \frac{s}{Q} + 1

        \text{peaking}\; \frac{s^2 + A s / Q + 1}{s^2 + s / (A Q) + 1} \quad
        \text{lowshelf}\; A \frac{s^2 + \sqrt{A} s / Q + A}{A s^2 + \sqrt{A} s / Q + 1} \quad
        \text{highshelf}\; A \frac{A s^2 + \sqrt{A} s / Q + 1}{s^2 + \sqrt{A} s / Q + A}

    What audio calls a biquad is one section of :func:`sosfilt`; SciPy's :func:`scipy.signal.iirpeak` and
    :func:`scipy.signal.iirnotch` are the types ``"bandpass"`` and ``"notch"``.

    Args:
        btype: The type, a word of the formulas above. A ``"bandpass"`` has a gain of 1 at ``f0``, a
            ``"bandpass_skirt"`` one of Q.
        f0: Cut-off, centre, or for a shelf the frequency of half its gain in decibels. In the units of ``fs``.
        Q: Quality, :math:`1 / \sqrt 2` where nothing else is said. Of it and the next two one may be given.
        bandwidth: The same by a bandwidth in octaves, for the digital filter: between the points of -3 dB of a band
            pass or notch, or of half the gain in decibels of a peaking filter.
        slope: The same of a shelf by its slope, as a part of the steepest monotonic one. Above 1 it overshoots, and
            where a square root is not positive the section is NaN.
        gain: Decibels of a peaking filter or a shelf, which need it; the other types have none.
        fs: Sampling frequency, a number. The default says that 1 is Nyquist's frequency.
        dtype: Of the result; float64 if None, whatever the parameters have.
        device: Of the result; that of the first parameter that is a tensor if None, else the CPU.

    Returns:
        One section with a_0 = 1, shape ``[..., 1, 6]``, where ``...`` are the shapes of the parameters, broadcast.

    Parameters are numbers, lists, arrays and tensors of any real dtype; all is computed in float64, and
    differentiable in every parameter. Errors are ValueError and TypeError of one sentence. Frequencies outside 0 to
    ``fs / 2``, and other values that make no filter, are refused where they may be looked at; on a GPU, compiled, and
    in transforms their sections are NaN. Several bands in series are ``biquad(..).squeeze(-2)``, for as many
    frequencies. Source: R. Bristow-Johnson, "Cookbook formulae for audio equalizer biquad filter coefficients", W3C
    note, 2021.

    Example:
        >>> import torch, polezero
        >>> f0 = torch.tensor([100.0, 1000.0, 8000.0], requires_grad=True)
        >>> bands = polezero.biquad("peaking", f0, Q=1.0, gain=[3.0, -2.0, 4.0], fs=48000).squeeze(-2)
        >>> y = polezero.sosfilt(bands, torch.randn(2, 48000))
        >>> y.square().mean().backward()
    """
    chosen("biquad", "btype", btype, TYPES)
    fs = number("biquad", "fs", fs)
    place = place_of("biquad", device, f0=f0, Q=Q, bandwidth=bandwidth, slope=slope, gain=gain)
    f = frequency("biquad", "f0", f0, place, fs)
    decibels = _decibels(btype, gain, place)
    width = _width(btype, Q, bandwidth, slope, place)
    given = {"f0": f, "gain": decibels, **width}
    broadcast_leading("biquad", 0, **{name: t for name, t in given.items() if t is not None})
    quality = _quality(f, decibels, fs, **width)
    given_gain = None if decibels is None else decibels.unsqueeze(-1)
    bands = Bands.of([btype], place)
    section = sections(bands, prewarped(f, fs).unsqueeze(-1), quality.unsqueeze(-1), given_gain)
    return section.to(device, dtype)


def _decibels(btype: str, gain: Coefficients | None, place: torch.device) -> Tensor | None:
    if btype in WITHOUT_GAIN:
        if gain is not None:
            raise ValueError(f"biquad: gain: expected None for a {btype}, which has no gain, got {gain!r}")
        return None
    if gain is None:
        raise ValueError(f"biquad: gain: expected decibels for a {btype}, got None")
    return real("biquad", "gain", gain, place)


def _width(
    btype: str,
    Q: Coefficients | None,
    bandwidth: Coefficients | None,
    slope: Coefficients | None,
    place: torch.device,
) -> dict[str, Tensor]:
    """The one that is given, by its name."""
    given = {n: v for n, v in (("Q", Q), ("bandwidth", bandwidth), ("slope", slope)) if v is not None}
    if len(given) > 1:
        names = " and ".join(given)
        raise ValueError(f"biquad: {list(given)[1]}: expected one of Q, bandwidth and slope, got {names}")
    if slope is not None and btype not in SHELVES:
        raise ValueError(f"biquad: slope: expected None for a {btype}, got {slope!r} (only shelves have one)")
    return {name: real("biquad", name, v, place, 0.0, math.inf, "positive numbers") for name, v in given.items()}


def _quality(
    f: Tensor,
    gain: Tensor | None,
    fs: float,
    Q: Tensor | None = None,
    bandwidth: Tensor | None = None,
    slope: Tensor | None = None,
) -> Tensor:
    """Q."""
    if Q is not None:
        return Q
    if bandwidth is not None:
        omega = f * (2 * math.pi / fs)
        return 0.5 / torch.sinh(bandwidth * omega / torch.sin(omega) * (math.log(2) / 2))
    if slope is not None and gain is not None:
        A = torch.exp(gain * (math.log(10) / 40))
        return torch.rsqrt((A + 1 / A) * (1 / slope - 1) + 2)
    return torch.full_like(f, math.sqrt(0.5))
