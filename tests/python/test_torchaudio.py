"""polezero.compat.torchaudio gives what torchaudio 2.11.0 gave (record_torchaudio.py), gradients too."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
import record_torchaudio as recorded
import scipy.signal
import torch
from public import FUNCTIONS, small_calls
from record_torchaudio import CALLS, DTYPES, Call, inputs_of, results
from support import assert_close, ids
from torch import Tensor

import polezero
import polezero.compat.torchaudio as F

# torchaudio rounds its state in each sample, to float32 beside a float32 waveform, and its poles amplify that: 3.8e-6
# and 1.7e-14 of the largest value were measured for the shelf of 100 Hz, 1.2e-5 and 1.1e-13 for gradients to a Q.
TOLERANCE = {torch.float32: 5e-6, torch.float64: 5e-14}
GRADIENT_TOLERANCE = {torch.float32: 2e-5, torch.float64: 5e-13}

SIGNATURES = {
    "allpass_biquad": "waveform, sample_rate, central_freq, Q=0.707",
    "band_biquad": "waveform, sample_rate, central_freq, Q=0.707, noise=False",
    "bandpass_biquad": "waveform, sample_rate, central_freq, Q=0.707, const_skirt_gain=False",
    "bandreject_biquad": "waveform, sample_rate, central_freq, Q=0.707",
    "bass_biquad": "waveform, sample_rate, gain, central_freq=100, Q=0.707",
    "biquad": "waveform, b0, b1, b2, a0, a1, a2",
    "deemph_biquad": "waveform, sample_rate",
    "deemphasis": "waveform, coeff=0.97",
    "equalizer_biquad": "waveform, sample_rate, center_freq, gain, Q=0.707",
    "filtfilt": "waveform, a_coeffs, b_coeffs, clamp=True",
    "flanger": "waveform, sample_rate, delay=0.0, depth=2.0, regen=0.0, width=71.0, speed=0.5, phase=25.0, "
    "modulation='sinusoidal', interpolation='linear'",
    "highpass_biquad": "waveform, sample_rate, cutoff_freq, Q=0.707",
    "lfilter": "waveform, a_coeffs, b_coeffs, clamp=True, batching=True",
    "lowpass_biquad": "waveform, sample_rate, cutoff_freq, Q=0.707",
    "overdrive": "waveform, gain=20, colour=20",
    "phaser": "waveform, sample_rate, gain_in=0.4, gain_out=0.74, delay_ms=3.0, decay=0.4, mod_speed=0.5, "
    "sinusoidal=True",
    "preemphasis": "waveform, coeff=0.97",
    "riaa_biquad": "waveform, sample_rate",
    "treble_biquad": "waveform, sample_rate, gain, central_freq=3000, Q=0.707",
}


def signature(function: Callable[..., Any]) -> str:
    parameters = inspect.signature(function).parameters.values()
    return ", ".join(p.name if p.default is p.empty else f"{p.name}={p.default!r}" for p in parameters)


def test_functions_have_the_arguments_of_torchaudio() -> None:
    assert {name: signature(getattr(F, name)) for name in F.__all__} == SIGNATURES
    assert {call.name for call in CALLS.values()} == set(SIGNATURES), "all of them are compared"


# ---- what torchaudio gave


@cache
def arrays() -> dict[str, Tensor]:
    with np.load(recorded.FILE) as file:
        return {name: torch.from_numpy(file[name]) for name in file.files}


@pytest.mark.parametrize("dtype", DTYPES, ids=ids(DTYPES))
@pytest.mark.parametrize("label", CALLS)
def test_results_and_gradients_are_those_of_torchaudio(label: str, dtype: torch.dtype) -> None:
    call = CALLS[label]
    prefix = f"{label}/{str(dtype).removeprefix('torch.')}/"

    got = results(getattr(F, call.name), call, inputs_of(call, arrays()["waveform"], dtype))

    for name, value in got.items():
        tolerance = TOLERANCE if name == "y" else GRADIENT_TOLERANCE
        assert value.dtype == dtype
        assert_close(value, arrays()[prefix + name], tolerance[dtype])


@cache
def torchaudio_functional() -> Any:
    """Or the reason why it cannot be imported: it says so itself where it was built for another torch, or CUDA."""
    try:
        import torchaudio.functional
    except (ImportError, OSError, RuntimeError) as error:
        return f"torchaudio cannot be imported: {str(error).splitlines()[0]}"
    return torchaudio.functional


@pytest.mark.parametrize("label", CALLS)
def test_the_installed_torchaudio_gives_the_same(label: str) -> None:
    """Longer waveforms than those that are recorded, and its signature."""
    theirs = torchaudio_functional()
    if isinstance(theirs, str):
        pytest.skip(theirs)
    call = CALLS[label]
    inputs = inputs_of(call, 0.6 * torch.randn(3, 500), torch.float64)
    with torch.no_grad():
        expected = getattr(theirs, call.name)(**call.options, **inputs)
        assert_close(getattr(F, call.name)(**call.options, **inputs), expected, 2e-13)  # 3.1e-14 measured
    assert signature(getattr(theirs, call.name)) == SIGNATURES[call.name]


# ---- what is added


def test_float64_coefficients_beside_float32_are_not_rounded() -> None:
    """Rounded to float32 this filter has a pole of radius 1.037; torchaudio gives NaN."""
    b, a = (torch.from_numpy(c) for c in scipy.signal.butter(5, 48, "highpass", fs=16000))
    x = torch.rand(2, 4000) - 0.5

    y = F.filtfilt(x, a, b, clamp=False)

    expected = x.double().numpy()
    for _ in range(2):
        expected = scipy.signal.lfilter(b.numpy(), a.numpy(), expected)[..., ::-1]
    assert y.dtype == torch.float32
    assert_close(y, torch.from_numpy(expected.copy()), 1e-6)


OF_TORCHAUDIO = [name for name in FUNCTIONS if name.startswith("compat.torchaudio.")]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
@pytest.mark.parametrize("name", OF_TORCHAUDIO)
def test_half_precision_is_computed_in_float32(name: str, dtype: torch.dtype) -> None:
    """Coefficients too: torchaudio has no such filters."""
    call = small_calls()[name]
    x = call.pop("waveform").to(dtype)

    y = FUNCTIONS[name](x, **call)

    assert y.dtype == dtype
    assert torch.equal(y, FUNCTIONS[name](x.float(), **call).to(dtype))


@pytest.mark.parametrize("name", OF_TORCHAUDIO)
def test_waveforms_of_any_layout_and_size(name: str) -> None:
    call = small_calls()[name]
    x = call.pop("waveform")
    expected = FUNCTIONS[name](x, **call)

    assert_close(FUNCTIONS[name](x.mT.contiguous().mT, **call), expected, 0.0)
    assert_close(FUNCTIONS[name](torch.stack([x, 2 * x])[:1], **call), expected[None])
    assert FUNCTIONS[name](x[:, :0], **call).shape == (2, 0)
    assert FUNCTIONS[name](x[None][:0], **call).shape == (0, 2, 5)
    on_meta = {k: v.to("meta") if isinstance(v, Tensor) else v for k, v in call.items()}
    y = FUNCTIONS[name](x.to("meta"), **on_meta)
    assert (y.shape, y.dtype, y.device.type) == (x.shape, x.dtype, "meta")


def test_a_chain_is_one_graph() -> None:
    """Of all functions of numbers, each of which compiles by itself then; the gradient of a frequency is in it."""

    links = {call.name: call for call in CALLS.values() if call.rows == (2,) and "a_coeffs" not in call.tensors}

    def chain(x: Tensor, frequency: Tensor) -> Tensor:
        for call in links.values():
            x = getattr(F, call.name)(0.5 * x, **call.options, **call.tensors)
        return F.lowpass_biquad(x, 16000, frequency)

    x, frequency = torch.randn(2, 40), torch.tensor(2000.0, requires_grad=True)
    compiled = torch.compile(chain, fullgraph=True, backend="eager")

    expected = chain(x, frequency)
    y = compiled(x, frequency)

    assert_close(y, expected)
    (gradient,), (expected_gradient,) = (torch.autograd.grad(out.sum(), frequency) for out in (y, expected))
    assert gradient != 0
    assert_close(gradient, expected_gradient)


def test_vmap_over_frequencies_is_a_filter_bank() -> None:
    x, frequencies = torch.randn(200) * 0.3, torch.tensor([500.0, 1000.0, 2000.0])

    bank = torch.vmap(lambda f: F.bandpass_biquad(x, 16000, f))(frequencies)

    assert_close(bank, torch.stack([F.bandpass_biquad(x, 16000, float(f)) for f in frequencies]))


def test_lists_are_coefficients_too() -> None:
    x = torch.randn(30).double() * 0.3
    assert_close(F.lfilter(x, [2.0, -1.0], [1.0, 0.5]), polezero.lfilter([1.0, 0.5], [2.0, -1.0], x).clamp(-1, 1))


def test_gradients_reach_the_effects_numbers() -> None:
    """In torchaudio gain has none, and with a waveform of the CPU nothing of overdrive has."""
    call = Call("overdrive", {}, {"gain": 3.0, "colour": 60.0})
    inputs = inputs_of(call, torch.rand(2, 10) - 0.5, torch.float64)
    assert torch.autograd.gradcheck(lambda *values: F.overdrive(*values), tuple(inputs.values()))
