"""`Smoother`, `Envelope`, `DCBlocker`, `PreEmphasis` and `Weighting`: values."""

import math

import numpy as np
import pytest
import scipy.signal
import torch
from torch import Tensor

import polezero
from polezero.nn import DCBlocker, Envelope, PreEmphasis, Smoother, Weighting

TIMES = [1e-4, 1e-3, 0.05, 1.0, 10.0]
RATES = [100.0, 8000.0, 192000.0]


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def close(actual: Tensor, expected: Tensor, tolerance: float = 1e-12) -> None:
    torch.testing.assert_close(actual.detach(), torch.as_tensor(expected), rtol=tolerance, atol=tolerance)


# ---- Smoother


@pytest.mark.parametrize("fs", RATES)
@pytest.mark.parametrize("seconds", TIMES)
def test_smoother_is_scipys_filter_of_its_pole(seconds: float, fs: float) -> None:
    x = noise(3, 500)
    p = math.exp(-1 / (seconds * fs))
    close(Smoother(seconds, fs=fs)(x), scipy.signal.lfilter([1 - p], [1, -p], x.numpy()))
    first, _ = scipy.signal.lfilter([1 - p], [1, -p], x.numpy(), zi=p * x.numpy()[:, :1])
    close(Smoother(seconds, initial="first", fs=fs)(x), first)
    number, _ = scipy.signal.lfilter([1 - p], [1, -p], x.numpy(), zi=np.full((3, 1), 2.5 * p))
    close(Smoother(seconds, initial=2.5, fs=fs)(x), number)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("seconds", TIMES)
def test_smoother_leaves_a_constant_and_has_1_over_e_of_a_step_to_go(seconds: float, dtype: torch.dtype) -> None:
    fs, T = 48000.0, 1000
    rounding = 4 * torch.finfo(dtype).eps
    constant = torch.full((T,), 0.75, dtype=dtype)
    y = Smoother(seconds, initial="first", fs=fs)(constant)
    assert y.dtype == dtype
    close(y, constant, rounding)
    step = Smoother(seconds, fs=T / seconds)(torch.ones(T, dtype=dtype))
    close(step[-1].double(), torch.tensor(1 - math.exp(-1), dtype=torch.float64), max(rounding, 1e-13))
    # 1 - p has 13 digits where p is 0.999


def test_smoother_in_float32_keeps_a_float64_state() -> None:
    x = noise(2, 1 << 16)
    module = Smoother(10.0, fs=192000)
    y, exact = module(x.float()).detach(), module(x).detach()
    assert y.dtype == torch.float32
    assert float((y.double() - exact).abs().max() / exact.abs().max()) < 2e-7
    stream = module.stream()
    chunked = torch.cat([stream(part) for part in x.float().split(1000, -1)], -1).detach()
    assert float((chunked - y).abs().max() / y.abs().max()) < 2e-7


def test_a_long_mean_of_single_float32_samples_does_not_stand_still() -> None:
    module = Smoother(10.0, initial="first", fs=192000, trainable=False)
    x, stream = torch.cat([torch.ones(1), torch.full((2000,), 1.05)]), module.stream()
    y = torch.cat([stream(x[n : n + 1]) for n in range(len(x))])  # each adds 2.6e-8, which float32 has not beside 1
    close(y.double(), module(x.double()), 1e-7)


def test_smoothed_values_lie_between_the_samples_however_the_time_changes() -> None:
    x = noise(4, 4000).uniform_(-1, 2, generator=torch.Generator().manual_seed(0))
    times = 10 ** (4 * torch.rand(4, 4000, generator=torch.Generator().manual_seed(1), dtype=torch.float64) - 4)
    for hop in (1, 16):
        y = Smoother(initial="first", fs=8000)(x, hop=hop, time_constant=times)
        assert bool((y <= x.cummax(-1).values + 1e-12).all() and (y >= x.cummin(-1).values - 1e-12).all())


def test_smoother_draws_the_response_of_its_filter() -> None:
    module = Smoother(1 / (2 * math.pi * 100), fs=48000)
    _, H = module.freqz(torch.tensor([0.0, 100.0], dtype=torch.float64))
    H = H.detach()
    assert abs(float(H[0].abs()) - 1) < 1e-12 and abs(20 * math.log10(float(H[1].abs())) + 3.01) < 0.06
    impulse = torch.zeros(64, dtype=torch.float64)
    impulse[0] = 1
    close(module(impulse), polezero.sosfilt(module.sos(), impulse))


# ---- Envelope


@pytest.mark.parametrize("detector", ["rms", "absolute", "peak"])
def test_envelope_is_its_formula(detector: str) -> None:
    x, p = noise(3, 400), math.exp(-1 / 80)
    detected = x.abs() if detector == "absolute" else x.square()
    smooth = scipy.signal.lfilter([1 - p], [1, -p], detected.numpy())
    expected = {"rms": np.sqrt(smooth), "absolute": smooth, "peak": np.sqrt(2 * smooth)}[detector]
    close(Envelope(detector, 0.01, fs=8000)(x), expected)
    close(Envelope(detector, 0.01, decibels=True, fs=8000)(x), 20 * np.log10(expected), 1e-10)


def test_envelope_of_a_sine_is_its_level() -> None:
    fs, amplitude = 48000, 0.5
    x = amplitude * torch.sin(2 * math.pi * 1000 / fs * torch.arange(fs, dtype=torch.float64))
    for detector, level in (("rms", amplitude / 2**0.5), ("absolute", amplitude * 2 / math.pi), ("peak", amplitude)):
        e = Envelope(detector, 0.05, fs=fs)(x)
        assert abs(float(e[-1]) / level - 1) < 2e-3  # the ripple of 1 kHz at 50 ms
        assert abs(float(Envelope(detector, 0.05, decibels=True, fs=fs)(x)[-1]) - 20 * math.log10(level)) < 0.02


@pytest.mark.parametrize("decibels", [False, True])
@pytest.mark.parametrize("detector", ["rms", "absolute", "peak"])
def test_silence_has_an_envelope_and_finite_gradients(detector: str, decibels: bool) -> None:
    x = torch.cat([torch.zeros(50), 1e-3 * torch.ones(50), torch.zeros(50)]).requires_grad_()
    module = Envelope(detector, 0.001, decibels=decibels, floor=-90.0, fs=8000)
    y = module(x)
    assert bool((y[:50] == (-90 if decibels else 0)).all())
    for gradient in torch.autograd.grad(y.sum(), [x, *module.parameters()]):
        assert bool(torch.isfinite(gradient).all())


@pytest.mark.parametrize("detector", ["rms", "absolute", "peak"])
def test_envelope_of_a_loud_half_precision_signal_is_finite(detector: str) -> None:
    x = (600 * torch.randn(2, 400, generator=torch.Generator().manual_seed(0))).half()
    module = Envelope(detector, fs=8000)
    y = module(x)
    assert y.dtype == torch.float16
    torch.testing.assert_close(y.double(), module(x.double()), rtol=2e-3, atol=0.5)


def test_envelope_of_a_complex_signal_is_that_of_its_modulus() -> None:
    x = torch.complex(noise(2, 300), noise(2, 300, seed=1))
    for detector in ("rms", "absolute", "peak"):
        close(Envelope(detector, fs=8000)(x), Envelope(detector, fs=8000)(x.abs()).detach())


# ---- DCBlocker


@pytest.mark.parametrize("fs", RATES)
@pytest.mark.parametrize("relative", [1e-5, 1e-3, 0.05, 0.1])
def test_dc_blocker_is_the_butterworth_high_pass(relative: float, fs: float) -> None:
    x, cutoff = noise(3, 500), relative * fs
    module = DCBlocker(cutoff, fs=fs)
    close(module(x), scipy.signal.sosfilt(scipy.signal.butter(1, cutoff, "high", fs=fs, output="sos"), x.numpy()))
    _, H = module.freqz(torch.tensor([0.0, cutoff, fs / 2], dtype=torch.float64))
    close(H.abs(), torch.tensor([0.0, 0.5**0.5, 1.0], dtype=torch.float64), 1e-10)
    close(DCBlocker(R=module.R.detach(), fs=fs).frequency, module.frequency.detach(), 1e-8)


def test_dc_blocker_of_a_pole_is_smiths_filter_with_gain_1_at_nyquist() -> None:
    x, R = noise(200), 0.995
    close(DCBlocker(R=R, fs=48000)(x), (1 + R) / 2 * scipy.signal.lfilter([1, -1], [1, -R], x.numpy()), 1e-11)


def test_a_constant_stays_away_when_the_cutoff_changes() -> None:
    module, constant = DCBlocker(200.0, fs=8000), torch.ones(4000, dtype=torch.float64)
    stream = module.stream()
    stream(constant)
    module.frequency = 1.0
    assert float(stream(constant).abs().max()) < 1e-12
    swept = module(torch.ones(16000, dtype=torch.float64), frequency=torch.linspace(200, 20, 16000))
    assert float(swept[8000:].abs().max()) < 1e-12


# ---- PreEmphasis, Weighting


@pytest.mark.parametrize("coef", [0.0, 0.5, 0.97, 0.999])
def test_pre_emphasis_is_its_difference_and_the_inverse_undoes_it(coef: float) -> None:
    x = noise(2, 1000)
    y = PreEmphasis(coef)(x)
    close(y, x - coef * torch.nn.functional.pad(x, (1, -1)))
    close(PreEmphasis(coef, inverse=True)(y.detach()), x, 1e-10)


@pytest.mark.parametrize("seconds", [15e-6, 50e-6, 75e-6, 3180e-6])
@pytest.mark.parametrize("fs", [32000.0, 44100.0, 96000.0])
def test_pre_emphasis_of_a_time_constant_is_the_curve_of_radio(seconds: float, fs: float) -> None:
    emphasis = PreEmphasis(time_constant=seconds, fs=fs)
    w, H = emphasis.freqz(torch.linspace(20, 0.4 * fs, 200, dtype=torch.float64))
    curve = 10 * torch.log10(1 + (2 * math.pi * seconds * w).square())
    assert float((20 * torch.log10(H.abs()) - curve).abs().max()) < 0.08  # what polezero.deemphasis states
    x = noise(1000)
    close(PreEmphasis(time_constant=seconds, inverse=True, fs=fs)(emphasis(x).detach()), x, 1e-9)


@pytest.mark.parametrize("curve", ["A", "B", "C", "K"])
@pytest.mark.parametrize("fs", [16000.0, 44100.0, 48000.0])
def test_weighting_is_the_functions_and_stays_double_where_the_module_is_moved(curve: str, fs: float) -> None:
    sos, x, module = polezero.weighting(curve, fs), noise(2, 500), Weighting(curve, fs=fs)
    expected = polezero.sosfilt(sos, x)
    close(module(x), expected)
    assert not list(module.parameters()) and not module.state_dict()
    for moved in (module.float(), module.half(), module.double()):
        close(moved(x), expected, 0.0)
    assert module.to("meta")(x.to("meta")).is_meta
