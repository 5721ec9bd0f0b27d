"""What torchaudio's filters give, for test_torchaudio.py, which needs no torchaudio.

    PYTHONPATH=tests/python python tests/python/record_torchaudio.py      (with torchaudio 2.11.0 and its torch)

writes data/torchaudio.npz: a waveform, and of each of `CALLS`, in float32 and float64, what torchaudio gives and the
gradients of the `loss` to the waveform and to every tensor. torchaudio's overdrive has no gradient on the CPU; that of
its loop in Python, which it runs elsewhere, is recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

FILE = Path(__file__).parent / "data" / "torchaudio.npz"
DTYPES = (torch.float32, torch.float64)
T = 48


@dataclass(frozen=True)
class Call:
    """A function with a waveform of ``rows``, options, and ``tensors`` in the waveform's dtype, with gradients."""

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)
    tensors: Mapping[str, Any] = field(default_factory=dict)
    rows: tuple[int, ...] = (2,)


A, B = [1.25, -0.9, 0.6, -0.1], [0.4, -0.2, 0.3, 0.15]
A2, B2 = [[1.25, -0.9, 0.6], [0.8, 0.3, -0.2], [1.0, -1.5, 0.7]], [[0.4, -0.2, 0.3], [0.5, 0.5, 0.1], [0.1, 0.2, 0.1]]
SHORT = {"sample_rate": 2000, "speed": 10.0, "phase": 30.0}  # a swing of the delays is 200 samples


def biquad(name: str, options: Mapping[str, Any] | None = None, rate: int = 16000, **tensors: float) -> Call:
    return Call(name, {"sample_rate": rate} | dict(options or {}), tensors)


CALLS: dict[str, Call] = {
    "lfilter": Call("lfilter", {}, {"a_coeffs": A, "b_coeffs": B}),
    "lfilter_unclamped": Call("lfilter", {"clamp": False}, {"a_coeffs": A, "b_coeffs": B}, ()),
    "lfilter_batch": Call("lfilter", {}, {"a_coeffs": A2, "b_coeffs": B2}, (3,)),
    "lfilter_bank": Call("lfilter", {"batching": False}, {"a_coeffs": A2, "b_coeffs": B2}),
    "filtfilt": Call("filtfilt", {}, {"a_coeffs": A, "b_coeffs": B}),
    "filtfilt_batch": Call("filtfilt", {"clamp": False}, {"a_coeffs": A2, "b_coeffs": B2}, (3,)),
    "biquad": Call("biquad", {}, {"b0": 0.4, "b1": -0.2, "b2": 0.3, "a0": 1.25, "a1": -0.9, "a2": 0.6}),
    "biquad_numbers": Call("biquad", {"b0": 0.4, "b1": -0.2, "b2": 0.3, "a0": 1.25, "a1": -0.9, "a2": 0.6}),
    "allpass": biquad("allpass_biquad", central_freq=1234.5, Q=0.9),
    "band": biquad("band_biquad", central_freq=2345.6, Q=1.3),
    "band_noise": biquad("band_biquad", {"noise": True}, central_freq=2345.6, Q=1.3),
    "bandpass": biquad("bandpass_biquad", central_freq=1234.5, Q=0.9),
    "bandpass_skirt": biquad("bandpass_biquad", {"const_skirt_gain": True}, central_freq=1234.5, Q=0.9),
    "bandreject": biquad("bandreject_biquad", central_freq=1234.5, Q=0.9),
    "bass": biquad("bass_biquad", gain=5.5, central_freq=800.0, Q=0.8),
    "bass_defaults": biquad("bass_biquad", {"gain": -7.0}),
    "deemphasis": Call("deemphasis", {"coeff": 0.9}),
    "deemph_44100": biquad("deemph_biquad", rate=44100),
    "deemph_48000": biquad("deemph_biquad", rate=48000),
    "equalizer": biquad("equalizer_biquad", center_freq=1234.5, gain=-4.5, Q=0.9),
    "highpass": biquad("highpass_biquad", cutoff_freq=1234.5, Q=0.9),
    "lowpass": biquad("lowpass_biquad", cutoff_freq=1234.5, Q=0.9),
    "lowpass_numbers": biquad("lowpass_biquad", {"cutoff_freq": 1234.5}),
    "preemphasis": Call("preemphasis", {"coeff": 0.9}),
    "riaa_44100": biquad("riaa_biquad", rate=44100),
    "riaa_48000": biquad("riaa_biquad", rate=48000),
    "riaa_88200": biquad("riaa_biquad", rate=88200),
    "riaa_96000": biquad("riaa_biquad", rate=96000),
    "treble": biquad("treble_biquad", gain=5.5, central_freq=2345.6, Q=0.8),
    "treble_defaults": biquad("treble_biquad", {"gain": -7.0}),
    "phaser": Call("phaser", {"sample_rate": 8000}, {"gain_in": 0.5, "gain_out": 1.1, "decay": 0.6}),
    "phaser_triangle": Call("phaser", {"sample_rate": 4000, "mod_speed": 60.0, "sinusoidal": False}, rows=()),
    "phaser_one_sample": Call("phaser", {"sample_rate": 1000, "delay_ms": 1.0, "mod_speed": 33.0}),
    "flanger": Call("flanger", SHORT),
    "flanger_feedback": Call("flanger", SHORT, {"regen": -60.0, "width": 80.0}, (1, 3)),
    "flanger_triangular": Call(
        "flanger", {**SHORT, "speed": 60.0, "modulation": "triangular", "regen": 50.0, "delay": 1.2}
    ),
    "flanger_quadratic": Call("flanger", {**SHORT, "interpolation": "quadratic", "regen": 70.0, "delay": 0.6}),
    "flanger_constant": Call("flanger", {"sample_rate": 2000, "delay": 2.5, "depth": 0.0, "regen": 80.0}),
    "overdrive": Call("overdrive"),
    "overdrive_soft": Call("overdrive", {"gain": 3.0}, {"colour": 60.0}),
}


def inputs_of(call: Call, waveform: Tensor, dtype: torch.dtype) -> dict[str, Tensor]:
    """Leaves; ``waveform`` has rows enough."""
    rows = 1
    for n in call.rows:
        rows *= n
    x = waveform[:rows].reshape(*call.rows, -1)
    tensors = {name: torch.tensor(value, dtype=dtype) for name, value in call.tensors.items()}
    return {k: t.clone().requires_grad_() for k, t in ({"waveform": x.to(dtype)} | tensors).items()}


def loss(y: Tensor) -> Tensor:
    """Of which all gradients differ."""
    return (y * torch.linspace(0.5, 1.5, y.shape[-1], dtype=y.dtype)).square().sum()


def results(function: Callable[..., Tensor], call: Call, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    y = function(**call.options, **inputs)
    gradients = torch.autograd.grad(loss(y), list(inputs.values()))
    return {"y": y.detach(), **dict(zip(inputs, gradients, strict=True))}


def main() -> None:
    import torchaudio
    from torchaudio.functional import filtering

    assert torchaudio.__version__.startswith("2.11.0")
    filtering._overdrive_core_loop_cpu = filtering._overdrive_core_loop_generic
    generator = torch.Generator().manual_seed(17)
    waveform = 0.6 * torch.randn(3, T, generator=generator)  # every tenth sample is beyond 1
    arrays = {"waveform": waveform.numpy()}
    for label, call in CALLS.items():
        for dtype in DTYPES:
            recorded = results(getattr(torchaudio.functional, call.name), call, inputs_of(call, waveform, dtype))
            prefix = f"{label}/{str(dtype).removeprefix('torch.')}/"
            arrays |= {prefix + name: t.numpy() for name, t in recorded.items()}
    FILE.parent.mkdir(exist_ok=True)
    np.savez_compressed(FILE, **arrays)
    print(f"{len(CALLS)} calls, {FILE.stat().st_size} bytes in {FILE}")


if __name__ == "__main__":
    main()
