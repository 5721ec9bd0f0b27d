"""polezero.compat.torchaudio: its filter with a clamp, and the three effects, as loops over samples.

The other functions are `compat.torchaudio.lfilter` of coefficients that a few operations of torch make, or twice.
test_torchaudio.py compares all of them with torchaudio, in results and gradients.
"""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

import polezero.compat.torchaudio as F
from cases.case import NO_SIGNAL, Bad, Case, Example
from polezero import reference

# Public functions without a case.
THIN = tuple(
    f"compat.torchaudio.{name}"
    for name in F.__all__
    if name.endswith("biquad") or name in ("deemphasis", "filtfilt", "preemphasis")
)


def true_lfilter(waveform: Tensor, a_coeffs: Tensor, b_coeffs: Tensor, batching: bool = True) -> Tensor:
    x = waveform if batching or a_coeffs.dim() == 1 else waveform.unsqueeze(-2)
    return reference.lfilter(b_coeffs, a_coeffs, x).clamp(-1, 1)


def swing(n: int, period: int, ahead: float, sinusoidal: bool) -> float:
    """From 0 to 1 and back in a period; ``ahead`` is a part of it."""
    t = ((n + int(ahead * period + 0.5)) % period) / period
    return (math.sin(2 * math.pi * t) + 1) / 2 if sinusoidal else 1 - 2 * abs((t + 0.25) % 1 - 0.5)


def true_phaser(
    waveform: Tensor,
    gain_in: Tensor,
    gain_out: Tensor,
    decay: Tensor,
    sample_rate: int,
    delay_ms: float = 3.0,
    mod_speed: float = 0.5,
    sinusoidal: bool = True,
) -> Tensor:
    longest, period = round(delay_ms * sample_rate / 1000), round(sample_rate / mod_speed)
    v: list[Tensor] = []
    for n, x in enumerate(waveform.unbind(-1)):
        delay = longest + 1 - math.floor(1 + (longest - 1) * swing(n, period, 0.25, sinusoidal) + 0.5)
        v.append(gain_in * x + (decay * v[n - delay] if n >= delay else 0))
    return (gain_out * torch.stack(v, -1)).clamp(-1, 1)


def true_flanger(
    waveform: Tensor,
    regen: Tensor,
    width: Tensor,
    sample_rate: int,
    delay: float = 0.0,
    depth: float = 2.0,
    speed: float = 0.5,
    phase: float = 25.0,
    modulation: str = "sinusoidal",
    interpolation: str = "linear",
) -> Tensor:
    """Of whole milliseconds. Each channel by itself: they differ in the phase."""
    shortest, span, period = delay * sample_rate / 1000, depth * sample_rate / 1000, round(sample_rate / speed)
    r, w = regen / 100, width / 100
    channels = []
    for channel, x in enumerate(waveform.unbind(-2)):
        ahead = int(channel * period * phase / 100 + 0.5)
        v: list[Tensor] = []
        y: list[Tensor] = []
        fed_back = torch.zeros_like(x[..., 0])
        for n, x_n in enumerate(x.unbind(-1)):
            v.append(x_n + r * fed_back)
            d = shortest + span * swing(n + ahead, period, 0.75, modulation == "sinusoidal")
            d = float(torch.tensor(d, dtype=torch.float32))  # as torchaudio rounds it
            fed_back = read(v, n - d, interpolation)
            y.append((x_n + w * (1 - abs(r)) * fed_back) / (1 + w))
        channels.append(torch.stack(y, -1))
    return torch.stack(channels, -2).clamp(-1, 1)


def read(v: list[Tensor], t: float, interpolation: str) -> Tensor:
    """Before t, at ceil(t), and one and two samples earlier; before the first one is zero."""
    newest = math.ceil(t)
    u = newest - t
    p, q, s = (v[n] if n >= 0 else torch.zeros_like(v[0]) for n in range(newest, newest - 3, -1))
    if interpolation == "linear":
        return p + u * (q - p)
    return p + u * (2 * (q - p) - (s - p) / 2) + u * u * ((s - p) / 2 - (q - p))


def true_overdrive(waveform: Tensor, gain: Tensor, colour: Tensor) -> Tensor:
    u = 10 ** (gain / 20) * waveform + colour / 200
    clipped = torch.where(u.abs() > 1, u.sign() * 2 / 3, u - u**3 / 3)
    y, before, v = [], torch.zeros_like(u[..., 0]), torch.zeros_like(u[..., 0])
    for x, c in zip(waveform.unbind(-1), clipped.unbind(-1)):
        v, before = c - before + 0.995 * v, c
        y.append(x / 2 + 3 * v / 4)
    return torch.stack(y, -1).clamp(-1, 1)


def example(shape: tuple[int, ...], *values: Any, **options: Any) -> Example:
    """A waveform from -0.3 to 0.3, away from where it is clamped, and tensors."""

    def inputs(dtype: torch.dtype) -> tuple[Tensor, ...]:
        return 0.6 * torch.rand(shape, dtype=dtype) - 0.3, *(torch.tensor(v, dtype=dtype) for v in values)

    return Example(inputs=inputs, options=options, dtypes=(torch.float64,))


SWING = {"sample_rate": 1000, "mod_speed": 100.0}
FLANGER_SWING = {"sample_rate": 1000, "speed": 90.0, "phase": 30.0}
TWO_A, TWO_B = [[1.25, -0.9, 0.6], [0.8, 0.3, -0.2]], [[0.4, -0.2, 0.3], [0.5, 0.5, 0.1]]
X = torch.zeros(2, 5)


def bad(name: str, sentence: str, *arguments: Any, exception: type[Exception] = ValueError, **named: Any) -> Bad:
    call: Callable[[], Any] = lambda: getattr(F, name)(*arguments, **named)  # noqa: E731
    return Bad(call, exception, f"compat.torchaudio.{name}: {sentence}")


BAD_LFILTER = {
    "sizes": bad(
        "lfilter",
        "a_coeffs: expected the shape of b_coeffs, and a coefficient, got [3] and [2]",
        *(X, torch.ones(3), torch.ones(2)),
    ),
    "empty": bad(
        "lfilter",
        "a_coeffs: expected the shape of b_coeffs, and a coefficient, got [0] and [0]",
        *(X, torch.ones(0), torch.ones(0)),
    ),
    "three_dimensions": bad(
        "lfilter",
        "a_coeffs: expected one or two dimensions, got shape [2, 2, 3]",
        *(X, torch.ones(2, 2, 3), torch.ones(2, 2, 3)),
    ),
    "device": bad(
        "lfilter",
        "b_coeffs: expected a tensor on cpu as waveform, got one on meta",
        *(X, torch.ones(3), torch.ones(3, device="meta")),
    ),
    "rows": bad(
        "lfilter",
        "waveform: expected shape [..., 3, time] for 3 filters, got [2, 5]",
        *(X, torch.ones(3, 2), torch.ones(3, 2)),
    ),
    "one_row": bad(
        "filtfilt",
        "waveform: expected shape [..., 3, time] for 3 filters, got [5]",
        *(X[0], torch.ones(3, 2), torch.ones(3, 2)),
    ),
    "no_row": bad("biquad", "waveform: expected shape [..., time], got []", X[0, 0], *[1.0] * 6),
    "list": bad(
        "lfilter",
        "waveform: expected a torch.Tensor, got builtins.list (torch.as_tensor makes one)",
        *([1.0], [1.0], [1.0]),
        exception=TypeError,
    ),
    "integers": bad(
        "lowpass_biquad",
        "waveform: expected a real floating-point tensor, got int64",
        *(X.long(), 16000, 1000),
        exception=TypeError,
    ),
    "complex": bad(
        "lfilter",
        "waveform: expected a real floating-point tensor, got complex64",
        *(X + 0j, [1.0], [1.0]),
        exception=TypeError,
    ),
    "elements": bad(
        "highpass_biquad",
        "cutoff_freq: expected a number or a tensor of one element, got shape [2]",
        *(X, 16000, torch.ones(2)),
    ),
    "text": bad(
        "biquad",
        "b1: expected a tensor, a number or a rectangular array of numbers, got 'b'",
        *(X, 1.0, "b", 1.0, 1.0, 1.0, 1.0),
    ),
    "riaa": bad("riaa_biquad", "sample_rate: expected 44100, 48000, 88200 or 96000, got 16000", X, 16000),
    "deemph": bad("deemph_biquad", "sample_rate: expected 44100 or 48000, got 96000", X, 96000),
}
BAD_PHASER = {
    "delay": bad("phaser", "delay_ms: expected at least half a sample, 0.05 ms, got 0.01", X, 10000, delay_ms=0.01),
    "speed": bad("phaser", "mod_speed: expected a number of Hz above 0, at most 8000, got 0", X, 8000, mod_speed=0),
    "no_row": bad("phaser", "waveform: expected shape [..., time], got []", X[0, 0], 8000),
}
BAD_FLANGER = {
    "channels": bad(
        "flanger", "waveform: expected at most 4 channels along axis -2, got 5", torch.zeros(1, 5, 7), 8000
    ),
    "no_channel": bad("flanger", "waveform: expected shape [..., channel, time], got [5]", X[0], 8000),
    "modulation": bad(
        "flanger", "modulation: expected 'sinusoidal' or 'triangular', got 'sine'", X, 8000, modulation="sine"
    ),
    "interpolation": bad(
        "flanger", "interpolation: expected 'linear' or 'quadratic', got None", X, 8000, interpolation=None
    ),
    "delay": bad("flanger", "delay: expected a number of ms >= 0, got -1.0", X, 8000, delay=-1.0),
    "depth": bad("flanger", "depth: expected a number of ms >= 0, got nan", X, 8000, depth=math.nan),
    "speed": bad("flanger", "speed: expected a number of Hz above 0, at most 8000, got 9000", X, 8000, speed=9000),
}
BAD_OVERDRIVE = {
    "integers": bad(
        "overdrive",
        "waveform: expected a real floating-point tensor, got int32",
        X.int(),
        exception=TypeError,
    ),
}

COMPOSED = dict.fromkeys(NO_SIGNAL, "a few operations of torch around ops that are others' cases") | dict.fromkeys(
    ("errors", "promotion"), "a waveform is floating-point, as torchaudio's: test_torchaudio.py has its dtypes"
)

CASES = [
    Case(
        "compat.torchaudio.lfilter",
        true_lfilter,
        "waveform a_coeffs b_coeffs",
        signal="waveform",
        examples={
            "bank": example((5,), TWO_A, TWO_B, batching=False),
        },
        bad=BAD_LFILTER,
        opt_out=COMPOSED,
    ),
    Case(
        "compat.torchaudio.phaser",
        true_phaser,
        "waveform gain_in gain_out decay",
        signal="waveform",
        examples={
            "sine": example((2, 6), 0.5, 1.1, 0.6, **SWING),
            "triangle": example((6,), 0.5, 1.1, 0.6, **SWING, sinusoidal=False),
        },
        bad=BAD_PHASER,
        opt_out=COMPOSED,
    ),
    Case(
        "compat.torchaudio.flanger",
        true_flanger,
        "waveform regen width",
        signal="waveform",
        examples={
            "linear": example((2, 6), 60.0, 80.0, **FLANGER_SWING),
            "quadratic": example(
                (2, 2, 6), -60.0, 80.0, **FLANGER_SWING, delay=1.0, modulation="triangular", interpolation="quadratic"
            ),
        },
        bad=BAD_FLANGER,
        opt_out=COMPOSED,
    ),
    Case(
        "compat.torchaudio.overdrive",
        true_overdrive,
        "waveform gain colour",
        signal="waveform",
        examples={"rows": example((2, 5), 6.0, 20.0)},
        bad=BAD_OVERDRIVE,
        opt_out=COMPOSED,
    ),
]
