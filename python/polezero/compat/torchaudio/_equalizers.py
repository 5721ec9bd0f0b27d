"""Sections of second order that raise or lower a part of the spectrum. Roundings are those of :mod:`._biquads`."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from polezero._overrides import overridable
from polezero.compat.torchaudio._arguments import Number, check_sample_rate, numbers
from polezero.compat.torchaudio._biquads import cosine_and_alpha
from polezero.compat.torchaudio._filters import section

__all__ = ["bass_biquad", "deemph_biquad", "equalizer_biquad", "riaa_biquad", "treble_biquad"]


@overridable
def equalizer_biquad(
    waveform: Tensor, sample_rate: int, center_freq: Number, gain: Number, Q: Number = 0.707
) -> Tensor:
    r"""Raise or lower a band around a frequency, and clamp the result to [-1, 1].

    .. math::

        H(z) = \frac{1 + \alpha A - 2 \cos(w_0) z^{-1} + (1 - \alpha A) z^{-2}}
                    {1 + \alpha / A - 2 \cos(w_0) z^{-1} + (1 - \alpha / A) z^{-2}}, \qquad A = 10^{\text{gain} / 40}

    Args:
        waveform: Signal, shape ``[..., time]``.
        sample_rate: In Hz.
        center_freq: In Hz; it, ``gain`` and ``Q`` are numbers or tensors of one element, and have gradients.
        gain: At the frequency, in dB.
        Q: The frequency, as a multiple of the width of the band.

    Returns:
        Shape of ``waveform``.

    Errors are those that :mod:`polezero.compat.torchaudio` names. Source: ``torchaudio.functional.equalizer_biquad``,
    the peaking filter of the RBJ cookbook.

    Example:
        >>> import torch
        >>> import polezero.compat.torchaudio as F
        >>> tone = 0.25 * torch.sin(torch.arange(400) * torch.pi / 2)
        >>> round(float(F.equalizer_biquad(tone, 8000, 2000, gain=6.0206)[-4:].abs().max()), 4)
        0.5
    """
    function = "compat.torchaudio.equalizer_biquad"
    f, q, dB = numbers(function, waveform, center_freq=center_freq, Q=Q, gain=gain)
    cosine, alpha = cosine_and_alpha(f, sample_rate, q)
    A = torch.exp(dB / 40.0 * math.log(10))
    b1 = -2 * cosine
    return section(function, waveform, 1 + alpha * A, b1, 1 - alpha * A, 1 + alpha / A, b1, 1 - alpha / A)


@overridable
def bass_biquad(
    waveform: Tensor, sample_rate: int, gain: Number, central_freq: Number = 100, Q: Number = 0.707
) -> Tensor:
    r"""Raise or lower what is below a frequency, and clamp the result to [-1, 1].

    .. math::

        H(s) = A \frac{s^2 + s \sqrt A / Q + A}{A s^2 + s \sqrt A / Q + 1}, \qquad A = 10^{\text{gain} / 40}

    with :math:`s = (1 - z^{-1}) / (1 + z^{-1}) / \tan(w_0 / 2)`.

    Args:
        waveform: Signal, shape ``[..., time]``.
        sample_rate: In Hz.
        gain: At 0 Hz, in dB; it, ``central_freq`` and ``Q`` are numbers or tensors of one element, and have gradients.
        central_freq: Where half of the gain is reached, in Hz.
        Q: The larger, the steeper.

    Returns:
        Shape of ``waveform``.

    Errors are those that :mod:`polezero.compat.torchaudio` names. Source: ``torchaudio.functional.bass_biquad``, the
    low shelf of the RBJ cookbook.

    Example:
        >>> import torch
        >>> import polezero.compat.torchaudio as F
        >>> round(float(F.bass_biquad(torch.full((4000,), 0.25), 8000, gain=6.0206)[-1]), 3)
        0.5
    """
    function = "compat.torchaudio.bass_biquad"
    f, q, dB = numbers(function, waveform, central_freq=central_freq, Q=Q, gain=gain)
    return _shelf(function, waveform, *cosine_and_alpha(f, sample_rate, q), dB, low=True)


@overridable
def treble_biquad(
    waveform: Tensor, sample_rate: int, gain: Number, central_freq: Number = 3000, Q: Number = 0.707
) -> Tensor:
    r"""Raise or lower what is above a frequency, and clamp the result to [-1, 1].

    .. math::

        H(s) = A \frac{A s^2 + s \sqrt A / Q + 1}{s^2 + s \sqrt A / Q + A}, \qquad A = 10^{\text{gain} / 40}

    with s as in :func:`bass_biquad`.

    Args:
        waveform: Signal, shape ``[..., time]``.
        sample_rate: In Hz.
        gain: At half the sample rate, in dB; it, ``central_freq`` and ``Q`` are numbers or tensors of one element, and
            have gradients.
        central_freq: Where half of the gain is reached, in Hz.
        Q: The larger, the steeper.

    Returns:
        Shape of ``waveform``.

    Errors are those that :mod:`polezero.compat.torchaudio` names. Source: ``torchaudio.functional.treble_biquad``, the
    high shelf of the RBJ cookbook.

    Example:
        >>> import torch
        >>> import polezero.compat.torchaudio as F
        >>> round(float(F.treble_biquad(torch.full((4000,), 0.25), 8000, gain=6.0206, central_freq=1000)[-1]), 3)
        0.25
    """
    function = "compat.torchaudio.treble_biquad"
    f, q, dB = numbers(function, waveform, central_freq=central_freq, Q=Q, gain=gain)
    return _shelf(function, waveform, *cosine_and_alpha(f, sample_rate, q), dB, low=False)


@overridable
def deemph_biquad(waveform: Tensor, sample_rate: int) -> Tensor:
    r"""Take the emphasis of compact discs back, and clamp the result to [-1, 1].

    .. math::

        H(s) \approx \frac{1 + 15\,\mu\text{s} \cdot s}{1 + 50\,\mu\text{s} \cdot s}

    by a high shelf of the RBJ cookbook of -9.477 dB at 44100 Hz and of -9.62 dB at 48000 Hz.

    Args:
        waveform: Signal, shape ``[..., time]``.
        sample_rate: 44100 or 48000 Hz.

    Returns:
        Shape of ``waveform``.

    Errors are those that :mod:`polezero.compat.torchaudio` names. Source: ``torchaudio.functional.deemph_biquad``,
    after SoX; ISO 908.

    Example:
        >>> import torch
        >>> import polezero.compat.torchaudio as F
        >>> round(float(F.deemph_biquad(torch.full((4000,), 0.5), 44100)[-1]), 4)
        0.5
    """
    function = "compat.torchaudio.deemph_biquad"
    check_sample_rate(function, sample_rate, 44100, 48000)
    frequency, slope, gain = (5283, 0.4845, -9.477) if sample_rate == 44100 else (5356, 0.479, -9.62)
    w0 = 2 * math.pi * frequency / sample_rate
    A = math.exp(gain / 40.0 * math.log(10))
    alpha = math.sin(w0) / 2 * math.sqrt((A + 1 / A) * (1 / slope - 1) + 2)
    return section(function, waveform, *_shelf_coefficients(math.cos(w0), alpha, A, math.sqrt(A), low=False))


# The roots of numerator and denominator.
_RIAA = {
    44100: ((-0.2014898, 0.9233820), (0.7083149, 0.9924091)),
    48000: ((-0.1766069, 0.9321590), (0.7396325, 0.9931330)),
    88200: ((-0.1168735, 0.9648312), (0.8590646, 0.9964002)),
    96000: ((-0.1141486, 0.9676817), (0.8699137, 0.9966946)),
}


@overridable
def riaa_biquad(waveform: Tensor, sample_rate: int) -> Tensor:
    r"""Equalise a vinyl record, and clamp the result to [-1, 1].

    .. math::

        H(z) = g \frac{(1 - q_1 z^{-1}) (1 - q_2 z^{-1})}{(1 - p_1 z^{-1}) (1 - p_2 z^{-1})}, \qquad
        |H(e^{2 \pi j \cdot 1000 / f_s})| = 1

    Args:
        waveform: Signal, shape ``[..., time]``.
        sample_rate: 44100, 48000, 88200 or 96000 Hz.

    Returns:
        Shape of ``waveform``.

    Errors are those that :mod:`polezero.compat.torchaudio` names. Source: ``torchaudio.functional.riaa_biquad``, after
    SoX.

    Example:
        >>> import torch
        >>> import polezero.compat.torchaudio as F
        >>> tone = 0.5 * torch.sin(torch.arange(4800) * torch.pi / 24)  # of 1 kHz
        >>> round(float(F.riaa_biquad(tone, 48000)[-48:].norm() / tone[-48:].norm()), 3)
        1.0
    """
    function = "compat.torchaudio.riaa_biquad"
    check_sample_rate(function, sample_rate, *_RIAA)
    zeros, poles = _RIAA[sample_rate]
    b1, b2 = -(zeros[0] + zeros[1]), zeros[0] * zeros[1]
    a1, a2 = -(poles[0] + poles[1]), poles[0] * poles[1]
    w = 2 * math.pi * 1000 / sample_rate
    g = _magnitude(a1, a2, w) / _magnitude(b1, b2, w)
    return section(function, waveform, g, b1 * g, b2 * g, 1.0, a1, a2)


def _magnitude(c1: float, c2: float, w: float) -> float:
    """Of 1 + c1 z^-1 + c2 z^-2 at the frequency w."""
    return math.hypot(1 + c1 * math.cos(w) + c2 * math.cos(2 * w), c1 * math.sin(w) + c2 * math.sin(2 * w))


def _shelf(function: str, waveform: Tensor, cosine: Tensor, alpha: Tensor, dB: Tensor, low: bool) -> Tensor:
    A = torch.exp(dB / 40 * math.log(10))
    return section(function, waveform, *_shelf_coefficients(cosine, alpha, A, torch.sqrt(A), low))


def _shelf_coefficients(cosine: Number, alpha: Number, A: Number, root: Number, low: bool) -> tuple[Number, ...]:
    """b and a; the two shelves differ in the sign of the cosine and of what stands beside it."""
    t1, t2, t3 = 2 * root * alpha, (A - 1) * cosine, (A + 1) * cosine
    if low:
        return (
            *(A * ((A + 1) - t2 + t1), 2 * A * ((A - 1) - t3), A * ((A + 1) - t2 - t1)),
            *((A + 1) + t2 + t1, -2 * ((A - 1) + t3), (A + 1) + t2 - t1),
        )
    return (
        *(A * ((A + 1) + t2 + t1), -2 * A * ((A - 1) + t3), A * ((A + 1) + t2 - t1)),
        *((A + 1) - t2 + t1, 2 * ((A - 1) - t3), (A + 1) - t2 - t1),
    )
