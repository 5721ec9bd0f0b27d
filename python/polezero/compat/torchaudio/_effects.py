"""Effects whose delays move, and an overdriven amplifier: nothing is a loop over samples in Python."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from polezero import _lfilter, _sparse
from polezero._overrides import overridable
from polezero.compat.torchaudio._arguments import Number, check_choice, check_waveform, working_dtype

__all__ = ["flanger", "overdrive", "phaser"]


@overridable
def phaser(
    waveform: Tensor,
    sample_rate: int,
    gain_in: Number = 0.4,
    gain_out: Number = 0.74,
    delay_ms: float = 3.0,
    decay: Number = 0.4,
    mod_speed: float = 0.5,
    sinusoidal: bool = True,
) -> Tensor:
    r"""Feed a waveform back to itself after a delay that swings, and clamp the result to [-1, 1].

    .. math::

        v[n] = g_{in} x[n] + \text{decay} \cdot v[n - d[n]], \qquad y[n] = g_{out} v[n]

    The delay d is a whole number of samples from 1 to ``D = round(delay_ms / 1000 * sample_rate)`` and starts at 1.

    Args:
        waveform: Signal, shape ``[..., time]``.
        sample_rate: In Hz.
        gain_in: A factor; it, ``gain_out`` and ``decay`` may be tensors of one element.
        gain_out: A factor.
        delay_ms: The longest delay in ms, of a sample at least.
        decay: Of the feedback; below 1.
        mod_speed: How often the delay swings, in Hz.
        sinusoidal: As a sine, or as a triangle.

    Returns:
        Shape of ``waveform``.

    Errors are those that :mod:`polezero.compat.torchaudio` names. Source: ``torchaudio.functional.phaser``, whose
    buffer of D samples this delay reads; after SoX.

    Example:
        >>> import torch
        >>> import polezero.compat.torchaudio as F
        >>> F.phaser(torch.tensor([1.0, 0.0, 0.0]), 44100, gain_in=0.5, gain_out=1.0, decay=0.5)
        tensor([0.5000, 0.2500, 0.1250])
    """
    function = "compat.torchaudio.phaser"
    check_waveform(function, waveform)
    longest = int(delay_ms * 0.001 * sample_rate + 0.5)
    if longest < 1:
        least = 500 / sample_rate
        raise ValueError(f"{function}: delay_ms: expected at least half a sample, {least:g} ms, got {delay_ms}")
    period = int(_period(function, "mod_speed", sample_rate, mod_speed) + 0.5)
    n = torch.arange(waveform.shape[-1], device=waveform.device)
    wave = _wave(n, period, 1, longest, math.pi / 2, sinusoidal)
    delay = longest + 1 - (wave + 0.5).to(torch.int64)
    x = waveform.to(working_dtype(waveform))
    v = _sparse.comb_filter(-decay, delay[(None,) * (waveform.dim() - 1)], x * gain_in)
    return (v * gain_out).clamp(-1, 1).to(waveform.dtype)


@overridable
def flanger(
    waveform: Tensor,
    sample_rate: int,
    delay: float = 0.0,
    depth: float = 2.0,
    regen: Number = 0.0,
    width: Number = 71.0,
    speed: float = 0.5,
    phase: float = 25.0,
    modulation: str = "sinusoidal",
    interpolation: str = "linear",
) -> Tensor:
    r"""Add to a waveform itself after a delay that swings, and clamp the result to [-1, 1].

    .. math::

        v[n] &= x[n] + r \, v(n - 1 - d[n-1]) \\
        y[n] &= \frac{x[n] + w (1 - |r|) \, v(n - d[n])}{1 + w}

    with ``r = regen / 100`` and ``w = width / 100``; ``v(t)`` is read between samples.

    Args:
        waveform: Signal, shape ``[..., channel, time]``, of at most 4 channels.
        sample_rate: In Hz.
        delay: The shortest delay in ms, from 0 on.
        depth: How much longer the longest one is, in ms.
        regen: The feedback, in percent; it and ``width`` may be tensors of one element.
        width: The delayed part, in percent of the waveform.
        speed: How often the delay swings, in Hz.
        phase: By how much of a swing each channel is ahead of the one before it, in percent.
        modulation: ``"sinusoidal"`` or ``"triangular"``.
        interpolation: ``"linear"``, or ``"quadratic"``, through three samples.

    Returns:
        Shape of ``waveform``.

    Errors are those that :mod:`polezero.compat.torchaudio` names. Source: ``torchaudio.functional.flanger``, after SoX.

    Example:
        >>> import torch
        >>> import polezero.compat.torchaudio as F
        >>> F.flanger(torch.tensor([[0.4, 0.0, 0.0, 0.0]]), 8000, delay=0.25, depth=0.0, width=100.0)
        tensor([[0.2000, 0.0000, 0.2000, 0.0000]])
    """
    function = "compat.torchaudio.flanger"
    check_choice(function, "modulation", modulation, "sinusoidal", "triangular")
    check_choice(function, "interpolation", interpolation, "linear", "quadratic")
    check_waveform(function, waveform, channels=True)
    channels, T = waveform.shape[-2:]
    if channels > 4:
        raise ValueError(f"{function}: waveform: expected at most 4 channels along axis -2, got {channels}")
    for name, value in {"delay": delay, "depth": depth}.items():
        if not value >= 0:
            raise ValueError(f"{function}: {name}: expected a number of ms >= 0, got {value}")

    shortest = math.floor(delay / 1000 * sample_rate + 0.5)
    longest = int((delay / 1000 + depth / 1000) * sample_rate + 0.5)
    period = int(_period(function, "speed", sample_rate, speed))
    n = torch.arange(-1, T, device=waveform.device)  # from one before the first on: see _fed_back_and_delayed
    ahead = (torch.arange(channels, device=n.device) * period * (phase / 100) + 0.5).to(torch.int64)
    wave = _wave(n + ahead[:, None], period, shortest, longest, 3 * math.pi / 2, modulation == "sinusoidal")
    moving = wave.to(torch.float32)  # as torchaudio rounds it

    feedback, wet = regen / 100, width / 100
    loop = feedback.abs() if isinstance(feedback, Tensor) else abs(feedback)
    x = waveform.to(working_dtype(waveform))
    delayed = _fed_back_and_delayed(x, moving, feedback, interpolation)
    y = x * (1 / (1 + wet)) + delayed * (wet / (1 + wet) * (1 - loop))
    return y.clamp(-1, 1).to(waveform.dtype)


def _fed_back_and_delayed(x: Tensor, delay: Tensor, feedback: Number, interpolation: str) -> Tensor:
    """v(n - d[n]), of v[n] = x[n] + feedback * v(n - 1 - d[n - 1]).

    ``delay`` is ``[channel, 1 + time]`` and begins at n = -1. Both are read at n + 1, from where no delay is 0: v[n]
    is fed what is read at n, and the reading at n + 1 is the result.
    """
    weights, delays = _taps(delay, interpolation, x.dtype)
    rows = (None,) * (x.dim() - 2)
    weights, delays = weights[rows], delays[rows] + 1
    v = torch.nn.functional.pad(x, (0, 1))
    if isinstance(feedback, Tensor) or feedback != 0:
        v = _sparse.sparse_allpole(-feedback * weights, delays, v)
    read: Tensor = torch.ops.polezero.sparse_fir(weights, delays, v)
    return read[..., 1:]


@overridable
def overdrive(waveform: Tensor, gain: Number = 20, colour: Number = 20) -> Tensor:
    r"""Amplify a waveform until it is clipped softly, remove what is constant of it, and clamp the result to [-1, 1].

    .. math::

        u[n] &= \text{clip}(10^{\text{gain}/20} x[n] + \text{colour} / 200), \qquad c[n] = u[n] - u[n]^3 / 3 \\
        v[n] &= c[n] - c[n-1] + 0.995 v[n-1], \qquad y[n] = x[n] / 2 + 3 v[n] / 4

    Args:
        waveform: Signal, shape ``[..., time]``.
        gain: In dB; it and ``colour`` may be tensors of one element.
        colour: What is added before the clip, from 0 to 100: even harmonics.

    Returns:
        Shape of ``waveform``. On the CPU torchaudio's has no gradient.

    Errors are those that :mod:`polezero.compat.torchaudio` names. Source: ``torchaudio.functional.overdrive``, after
    SoX.

    Example:
        >>> import torch
        >>> import polezero.compat.torchaudio as F
        >>> F.overdrive(torch.tensor([0.1, -0.1]), gain=0.0, colour=0.0)
        tensor([ 0.1248, -0.1251])
    """
    check_waveform("compat.torchaudio.overdrive", waveform)
    to_linear = math.log(10) / 20.0
    factor = torch.exp(gain * to_linear) if isinstance(gain, Tensor) else math.exp(gain * to_linear)
    x = waveform.to(working_dtype(waveform))
    u = (x * factor + colour / 200).clamp(-1, 1)
    v = _lfilter.lfilter([1.0, -1.0], [1.0, -0.995], torch.sub(u, u**3, alpha=1 / 3))
    return torch.add(x * 0.5, v, alpha=0.75).clamp(-1, 1).to(waveform.dtype)


def _period(function: str, name: str, sample_rate: int, speed: float) -> float:
    """The samples of a swing."""
    if not 0 < speed <= sample_rate:
        raise ValueError(f"{function}: {name}: expected a number of Hz above 0, at most {sample_rate}, got {speed}")
    return sample_rate / speed


def _wave(n: Tensor, period: int, lowest: int, highest: int, phase: float, sinusoidal: bool) -> Tensor:
    """A wave between two numbers at samples n, in float64, by the operations of torchaudio's table of one swing."""
    if n.numel() > period:
        swing = torch.arange(period, device=n.device)
        return _wave(swing, period, lowest, highest, phase, sinusoidal)[n % period]
    point = (n + int(phase / math.pi / 2 * period + 0.5)) % period
    if sinusoidal:
        wave = (torch.sin(point.to(torch.float64) / period * 2 * math.pi) + 1) / 2
    else:
        line, quarter = point.to(torch.float64) * 2 / period, 4 * point // period
        falling = torch.where(quarter == 3, line - 1.5, 1.5 - line)
        wave = torch.where(quarter == 0, line + 0.5, falling)
    return wave * (highest - lowest) + lowest


def _taps(delay: Tensor, interpolation: str, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """The weights of the samples around a delay, ``[..., taps]``, and their whole delays."""
    whole, u = delay.floor().to(torch.int64), delay.frac().to(dtype)
    if interpolation == "linear":
        weights = torch.stack([1 - u, u], -1)
    else:
        weights = torch.stack([(1 - u) * (2 - u) / 2, u * (2 - u), u * (u - 1) / 2], -1)
    return weights, whole.unsqueeze(-1) + torch.arange(weights.shape[-1], device=delay.device)
