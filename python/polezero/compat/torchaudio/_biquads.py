r"""Sections of second order that pass or reject a band.

They are the RBJ cookbook's, with :math:`w_0 = 2 \pi f / f_s` and :math:`\alpha = \sin(w_0) / 2Q`, but for
:func:`band_biquad`, which is SoX's own. Frequencies and Q are rounded to the waveform's dtype, and all of the
arithmetic after that: beside a float32 waveform poles near z = 1 are off by as much as torchaudio's.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from polezero._overrides import overridable
from polezero.compat.torchaudio._arguments import Number, numbers
from polezero.compat.torchaudio._filters import section

__all__ = [
    "allpass_biquad",
    "band_biquad",
    "bandpass_biquad",
    "bandreject_biquad",
    "highpass_biquad",
    "lowpass_biquad",
]


@overridable
def lowpass_biquad(waveform: Tensor, sample_rate: int, cutoff_freq: Number, Q: Number = 0.707) -> Tensor:
    r"""Let what is below a frequency pass, and clamp the result to [-1, 1].

    .. math::

        H(z) = \frac{(1 - \cos w_0) (1 + 2 z^{-1} + z^{-2}) / 2}{1 + \alpha - 2 \cos(w_0) z^{-1} + (1 - \alpha) z^{-2}}

    Args:
        waveform: Signal, shape ``[..., time]``.
        sample_rate: In Hz.
        cutoff_freq: In Hz; it and ``Q`` are numbers or tensors of one element, and have gradients.
        Q: Quality factor.

    Returns:
        Shape of ``waveform``.

    Errors are those that :mod:`polezero.compat.torchaudio` names. Source: ``torchaudio.functional.lowpass_biquad``.

    Example:
        >>> import torch
        >>> import polezero.compat.torchaudio as F
        >>> F.lowpass_biquad(torch.ones(4), 8000, 2000, Q=0.5)
        tensor([0.2500, 0.7500, 1.0000, 1.0000])
    """
    function = "compat.torchaudio.lowpass_biquad"
    f, q = numbers(function, waveform, cutoff_freq=cutoff_freq, Q=Q)
    cosine, alpha = cosine_and_alpha(f, sample_rate, q)
    b0 = (1 - cosine) / 2
    return section(function, waveform, b0, 1 - cosine, b0, 1 + alpha, -2 * cosine, 1 - alpha)


@overridable
def highpass_biquad(waveform: Tensor, sample_rate: int, cutoff_freq: Number, Q: Number = 0.707) -> Tensor:
    r"""Let what is above a frequency pass, and clamp the result to [-1, 1].

    .. math::

        H(z) = \frac{(1 + \cos w_0) (1 - 2 z^{-1} + z^{-2}) / 2}{1 + \alpha - 2 \cos(w_0) z^{-1} + (1 - \alpha) z^{-2}}

    Args:
        waveform: Signal, shape ``[..., time]``.
        sample_rate: In Hz.
        cutoff_freq: In Hz; it and ``Q`` are numbers or tensors of one element, and have gradients.
        Q: Quality factor.

    Returns:
        Shape of ``waveform``.

    Errors are those that :mod:`polezero.compat.torchaudio` names. Source: ``torchaudio.functional.highpass_biquad``.

    Example:
        >>> import torch
        >>> import polezero.compat.torchaudio as F
        >>> y = F.highpass_biquad(torch.ones(4), 8000, 2000, Q=0.5)
        >>> torch.allclose(y, torch.tensor([0.25, -0.25, 0.0, 0.0]), atol=1e-6)
        True
    """
    function = "compat.torchaudio.highpass_biquad"
    f, q = numbers(function, waveform, cutoff_freq=cutoff_freq, Q=Q)
    cosine, alpha = cosine_and_alpha(f, sample_rate, q)
    b0 = (1 + cosine) / 2
    return section(function, waveform, b0, -1 - cosine, b0, 1 + alpha, -2 * cosine, 1 - alpha)


@overridable
def bandpass_biquad(
    waveform: Tensor, sample_rate: int, central_freq: Number, Q: Number = 0.707, const_skirt_gain: bool = False
) -> Tensor:
    r"""Let a band around a frequency pass, and clamp the result to [-1, 1].

    .. math::

        H(z) = \frac{g (1 - z^{-2})}{1 + \alpha - 2 \cos(w_0) z^{-1} + (1 - \alpha) z^{-2}}

    Args:
        waveform: Signal, shape ``[..., time]``.
        sample_rate: In Hz.
        central_freq: In Hz; it and ``Q`` are numbers or tensors of one element, and have gradients.
        Q: The frequency, as a multiple of the width of the band.
        const_skirt_gain: Whether g is :math:`Q \alpha`, for a gain of Q at the frequency, and not :math:`\alpha`, for
            one of 1.

    Returns:
        Shape of ``waveform``.

    Errors are those that :mod:`polezero.compat.torchaudio` names. Source: ``torchaudio.functional.bandpass_biquad``.

    Example:
        >>> import torch
        >>> import polezero.compat.torchaudio as F
        >>> tone = torch.sin(torch.arange(400) * torch.pi / 2)
        >>> round(float(F.bandpass_biquad(tone, 8000, 2000)[-4:].abs().max()), 4)
        1.0
    """
    function = "compat.torchaudio.bandpass_biquad"
    f, q = numbers(function, waveform, central_freq=central_freq, Q=Q)
    cosine, alpha = cosine_and_alpha(f, sample_rate, q)
    b0 = torch.sin(2 * math.pi * f / sample_rate) / 2 if const_skirt_gain else alpha
    return section(function, waveform, b0, 0.0, -b0, 1 + alpha, -2 * cosine, 1 - alpha)


@overridable
def bandreject_biquad(waveform: Tensor, sample_rate: int, central_freq: Number, Q: Number = 0.707) -> Tensor:
    r"""Remove a band around a frequency, and clamp the result to [-1, 1].

    .. math::

        H(z) = \frac{1 - 2 \cos(w_0) z^{-1} + z^{-2}}{1 + \alpha - 2 \cos(w_0) z^{-1} + (1 - \alpha) z^{-2}}

    Args:
        waveform: Signal, shape ``[..., time]``.
        sample_rate: In Hz.
        central_freq: In Hz; it and ``Q`` are numbers or tensors of one element, and have gradients.
        Q: The frequency, as a multiple of the width of the band.

    Returns:
        Shape of ``waveform``.

    Errors are those that :mod:`polezero.compat.torchaudio` names. Source: ``torchaudio.functional.bandreject_biquad``.

    Example:
        >>> import torch
        >>> import polezero.compat.torchaudio as F
        >>> tone = torch.sin(torch.arange(400) * torch.pi / 2)
        >>> round(float(F.bandreject_biquad(tone, 8000, 2000)[-4:].abs().max()), 4)
        0.0
    """
    function = "compat.torchaudio.bandreject_biquad"
    f, q = numbers(function, waveform, central_freq=central_freq, Q=Q)
    cosine, alpha = cosine_and_alpha(f, sample_rate, q)
    return section(function, waveform, 1.0, -2 * cosine, 1.0, 1 + alpha, -2 * cosine, 1 - alpha)


@overridable
def allpass_biquad(waveform: Tensor, sample_rate: int, central_freq: Number, Q: Number = 0.707) -> Tensor:
    r"""Turn the phase around a frequency, and clamp the result to [-1, 1].

    .. math::

        H(z) = \frac{1 - \alpha - 2 \cos(w_0) z^{-1} + (1 + \alpha) z^{-2}}
                    {1 + \alpha - 2 \cos(w_0) z^{-1} + (1 - \alpha) z^{-2}}

    Args:
        waveform: Signal, shape ``[..., time]``.
        sample_rate: In Hz.
        central_freq: Where the phase is half a turn, in Hz; it and ``Q`` are numbers or tensors of one element, and
            have gradients.
        Q: The larger, the more suddenly it turns.

    Returns:
        Shape of ``waveform``.

    Errors are those that :mod:`polezero.compat.torchaudio` names. Source: ``torchaudio.functional.allpass_biquad``.

    Example:
        >>> import torch
        >>> import polezero.compat.torchaudio as F
        >>> y = F.allpass_biquad(torch.tensor([0.5, 0.0, 0.0, 0.0]), 8000, 2000, Q=0.5)
        >>> torch.allclose(y, torch.tensor([0.0, 0.0, 0.5, 0.0]), atol=1e-6)
        True
    """
    function = "compat.torchaudio.allpass_biquad"
    f, q = numbers(function, waveform, central_freq=central_freq, Q=Q)
    cosine, alpha = cosine_and_alpha(f, sample_rate, q)
    return section(function, waveform, 1 - alpha, -2 * cosine, 1 + alpha, 1 + alpha, -2 * cosine, 1 - alpha)


@overridable
def band_biquad(
    waveform: Tensor, sample_rate: int, central_freq: Number, Q: Number = 0.707, noise: bool = False
) -> Tensor:
    r"""Let a band around a frequency pass through a pair of poles alone, and clamp the result to [-1, 1].

    .. math::

        H(z) = \frac{b_0}{1 + a_1 z^{-1} + a_2 z^{-2}}, \qquad
        a_2 = e^{-w_0 / Q}, \quad a_1 = \frac{-4 a_2}{1 + a_2} \cos w_0

    Args:
        waveform: Signal, shape ``[..., time]``.
        sample_rate: In Hz.
        central_freq: In Hz; it and ``Q`` are numbers or tensors of one element, and have gradients.
        Q: The frequency, as a multiple of the width of the band.
        noise: Whether :math:`b_0` keeps the power of white noise, and not, of a tone at the frequency, the amplitude.

    Returns:
        Shape of ``waveform``.

    Errors are those that :mod:`polezero.compat.torchaudio` names. Source: ``torchaudio.functional.band_biquad``, after
    SoX.

    Example:
        >>> import torch
        >>> import polezero.compat.torchaudio as F
        >>> tone = torch.sin(torch.arange(400) * torch.pi / 2)
        >>> round(float(F.band_biquad(tone, 8000, 2000)[-4:].abs().max()), 4)
        1.0
    """
    function = "compat.torchaudio.band_biquad"
    f, q = numbers(function, waveform, central_freq=central_freq, Q=Q)
    a2 = torch.exp(-2 * math.pi * (f / q) / sample_rate)
    a1 = -4 * a2 / (1 + a2) * torch.cos(2 * math.pi * f / sample_rate)
    b0 = torch.sqrt(1 - a1 * a1 / (4 * a2)) * (1 - a2)
    if noise:  # (torchaudio's own way, through the other b0: its roundings and, where that is 0, its NaN)
        b0 = torch.sqrt(((1 + a2) * (1 + a2) - a1 * a1) * (1 - a2) / (1 + a2)) / b0 * b0
    return section(function, waveform, b0, 0.0, 0.0, 1.0, a1, a2)


def cosine_and_alpha(frequency: Tensor, sample_rate: int, Q: Tensor) -> tuple[Tensor, Tensor]:
    """What all of the cookbook's coefficients are made of."""
    w0 = 2 * math.pi * frequency / sample_rate
    return torch.cos(w0), torch.sin(w0) / 2 / Q
