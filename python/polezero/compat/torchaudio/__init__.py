"""The filters of :mod:`torchaudio.functional`, under its names and with its arguments.

    import polezero.compat.torchaudio as F      # in place of torchaudio.functional

Results are those of torchaudio 2.11.0 to rounding: coefficients are rounded where torchaudio rounds them, to the dtype
of the waveform, and what is filtered is clamped to [-1, 1] where it clamps. What is added is in docs/torchaudio.md.

A waveform has shape ``[..., time]`` and a floating-point dtype; it and every parameter that may be a tensor have
gradients, to any order. A call that torchaudio refuses by a sentence of its own raises the same exception; other
mistakes are the ``ValueError`` and ``TypeError`` of :func:`polezero.lfilter`. Nothing here needs torchaudio.
"""

from polezero.compat.torchaudio._biquads import (
    allpass_biquad,
    band_biquad,
    bandpass_biquad,
    bandreject_biquad,
    highpass_biquad,
    lowpass_biquad,
)
from polezero.compat.torchaudio._effects import flanger, overdrive, phaser
from polezero.compat.torchaudio._equalizers import (
    bass_biquad,
    deemph_biquad,
    equalizer_biquad,
    riaa_biquad,
    treble_biquad,
)
from polezero.compat.torchaudio._filters import biquad, deemphasis, filtfilt, lfilter, preemphasis

__all__ = [
    "allpass_biquad",
    "band_biquad",
    "bandpass_biquad",
    "bandreject_biquad",
    "bass_biquad",
    "biquad",
    "deemph_biquad",
    "deemphasis",
    "equalizer_biquad",
    "filtfilt",
    "flanger",
    "highpass_biquad",
    "lfilter",
    "lowpass_biquad",
    "overdrive",
    "phaser",
    "preemphasis",
    "riaa_biquad",
    "treble_biquad",
]
