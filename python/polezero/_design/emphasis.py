"""Pre- and de-emphasis. Parameters, dtypes and errors are those that :func:`biquad` describes."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from polezero._design.matched import inverse, matched_lowpass, normalised
from polezero._design.parameters import number, place_of, real
from polezero._overrides import overridable
from polezero._signatures import Coefficients

__all__ = ["deemphasis", "preemphasis", "riaa"]

IEC_HIGHPASS = 7950e-6  # the time constant that the IEC's amendment adds
POSITIVE = (0.0, math.inf, "positive numbers of seconds")


@overridable
def preemphasis(
    coef: Coefficients | None = None,
    *,
    time_constant: Coefficients | None = None,
    fs: float | None = None,
    dtype: torch.dtype | None = None,
    device: torch.device | str | None = None,
) -> Tensor:
    r"""Design a pre-emphasis, the inverse of :func:`deemphasis`, which describes the arguments.

    .. math::

        H(z) = 1 - c z^{-1} \quad \text{or, of a time constant,} \quad H(s) = 1 + s \tau

    The result is a filter for :func:`sosfilt`; torchaudio's function of this name is ``sosfilt(preemphasis(c), x)``.

    Args:
        coef: c, any real number; 0.97 where there is no time constant either.
        time_constant: tau in seconds, in place of it.
        fs: Sampling frequency, which a time constant needs.
        dtype: Of the result; float64 if None.
        device: Of the result; that of the parameter, or the CPU, if None.

    Returns:
        One section, shape ``[..., 1, 6]``.

    Parameters and errors are those of :func:`biquad`. Source: as :func:`deemphasis`.

    Example:
        >>> import torch, polezero
        >>> polezero.sosfilt(polezero.preemphasis(0.5), torch.tensor([1.0, 1.0, 1.0]))
        tensor([1.0000, 0.5000, 0.5000])
    """
    return inverse(_deemphasis("preemphasis", coef, time_constant, fs, device)).to(device, dtype)


@overridable
def deemphasis(
    coef: Coefficients | None = None,
    *,
    time_constant: Coefficients | None = None,
    fs: float | None = None,
    dtype: torch.dtype | None = None,
    device: torch.device | str | None = None,
) -> Tensor:
    r"""Design a de-emphasis, by a coefficient as speech has it or by a time constant as radio and records have it.

    .. math::

        H(z) = \frac{1}{1 - c z^{-1}} \quad \text{or, of a time constant,} \quad H(s) = \frac{1}{1 + s \tau}

    The latter has its pole at :math:`e^{-1 / (\tau f_s)}` and its gain matched, by two zeros, at 0, 0.3 and 0.4
    ``fs``. It deviates by at most 0.08 dB up to 0.4 ``fs``, at any ``fs`` and tau, where the bilinear transform
    deviates by 7.7 dB (50 us at 44.1 kHz). The gain at 0 is 1 there, and 1 / (1 - c) of a coefficient.

    Args:
        coef: c, between -1 and 1; 0.97 where there is no time constant either.
        time_constant: tau in seconds, in place of it: 75e-6 for FM radio in America and Korea, 50e-6 elsewhere and
            on compact discs (whose second corner, of 15e-6, is a pre-emphasis).
        fs: Sampling frequency, which a time constant needs.
        dtype: Of the result; float64 if None.
        device: Of the result; that of the parameter, or the CPU, if None.

    Returns:
        One section, shape ``[..., 1, 6]``, where ``...`` is the shape of the parameter.

    Parameters and errors are those of :func:`biquad`. Source: ITU-R BS.450 (the time constants); M. Vicanek, "Matched
    second order digital filters", 2016 (matching).

    Example:
        >>> import torch, polezero
        >>> fm = polezero.deemphasis(time_constant=50e-6, fs=48000)
        >>> y = polezero.sosfilt(fm, torch.randn(2, 48000))
    """
    return _deemphasis("deemphasis", coef, time_constant, fs, device).to(device, dtype)


def _deemphasis(
    function: str,
    coef: Coefficients | None,
    time_constant: Coefficients | None,
    fs: float | None,
    device: torch.device | str | None,
) -> Tensor:
    if coef is not None and time_constant is not None:
        raise ValueError(f"{function}: time_constant: expected None beside a coefficient, got {time_constant!r}")
    place = place_of(function, device, coef=coef, time_constant=time_constant)
    if time_constant is not None:
        if fs is None:
            raise ValueError(f"{function}: fs: expected a number beside a time constant, got None")
        tau = real(function, "time_constant", time_constant, place, *POSITIVE)
        return matched_lowpass(1 / (tau * number(function, "fs", fs)), 1).unsqueeze(-2)
    limits = (-1.0, 1.0, "numbers between -1 and 1") if function == "deemphasis" else ()
    c = real(function, "coef", 0.97 if coef is None else coef, place, *limits)
    one, zero = torch.ones_like(c), torch.zeros_like(c)
    return torch.stack([one, zero, zero, one, -c, zero], -1).unsqueeze(-2)


@overridable
def riaa(
    time_constants: Coefficients = (3180e-6, 318e-6, 75e-6),
    *,
    fs: float,
    record: bool = False,
    iec: bool = False,
    dtype: torch.dtype | None = None,
    device: torch.device | str | None = None,
) -> Tensor:
    r"""Design the equalisation of records: for playback, or its inverse for recording.

    .. math::

        H(s) = g \frac{1 + s \tau_2}{(1 + s \tau_1)(1 + s \tau_3)} \left[\frac{s}{s + 1 / \tau_0}\right]

    with a gain of 1 at 1 kHz. Its first two corners are matched in z, the third as in :func:`deemphasis`. It deviates
    from the curve by at most 0.08 dB up to 0.4 ``fs``.

    Args:
        time_constants: tau_1, tau_2, tau_3 in seconds, shape ``[..., 3]``: RIAA's by default, others for older records.
        fs: Sampling frequency.
        record: The inverse, for recording.
        iec: With the high pass of the bracket, tau_0 = 7950 us, which the IEC has amended for playback.
        dtype: Of the result; float64 if None.
        device: Of the result; that of the parameter, or the CPU, if None.

    Returns:
        Two sections, shape ``[..., 2, 6]``.

    Parameters and errors are those of :func:`biquad`. Source: IEC 60098:1987, "Analogue audio disk records and
    reproducing equipment".

    Example:
        >>> import torch, polezero
        >>> y = polezero.sosfilt(polezero.riaa(fs=48000), torch.randn(2, 48000))
    """
    fs, place = number("riaa", "fs", fs), place_of("riaa", device, time_constants=time_constants)
    if fs <= 2000:
        raise ValueError(f"riaa: fs: expected more than 2000, as the gain is 1 at 1 kHz, got {fs:g}")
    if record and iec:
        raise ValueError("riaa: iec: expected False for a recording, as the amendment is of playback, got True")
    taus = real("riaa", "time_constants", time_constants, place, *POSITIVE)
    if taus.dim() == 0 or taus.shape[-1] != 3:
        raise ValueError(f"riaa: time_constants: expected 3 along the last axis, got shape {list(taus.shape)}")
    x = 1 / (taus * fs)
    (pole, zero, _), one = torch.exp(-x).unbind(-1), torch.ones_like(x[..., 0])
    if iec:
        low = math.exp(-1 / (IEC_HIGHPASS * fs))
        shelf = torch.stack([one, -1 - zero, zero, one, -pole - low, pole * low], -1)
    else:
        shelf = torch.stack([one, -zero, 0 * one, one, -pole, 0 * one], -1)
    playback = normalised(torch.stack([shelf, matched_lowpass(x[..., 2], 1)], -2), 2 * math.pi * 1000 / fs)
    return (inverse(playback) if record else playback).to(device, dtype)
