"""Values of `Comb`, `Allpass` and `KarplusStrong`; what all modules do is in test_nn.py."""

import itertools
import math

import numpy as np
import pytest
import scipy.signal
import torch

from polezero.nn import Allpass, Comb, KarplusStrong

FS = 8000


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def equals_scipy(module: torch.nn.Module) -> None:
    """The filter is that of its coefficients, by another program."""
    x = noise(2000)
    b, a = (c.detach().numpy() for c in module.ba())
    y = module(x).detach()
    np.testing.assert_allclose(y.numpy(), scipy.signal.lfilter(b, a, x.numpy()), rtol=0, atol=1e-9)
    single = module(x.float()).detach()
    assert single.dtype == torch.float32  # its rounding errors ring on, for 1 / (1 - g) loops at most
    torch.testing.assert_close(single.double(), y, rtol=0, atol=2e-5 * float(y.abs().max()))
    w, H = module.freqz(64)
    expected = scipy.signal.freqz(b, a, w.numpy(), fs=FS)[1]
    np.testing.assert_allclose(H.detach().numpy(), expected, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("interpolation", ["linear", "lagrange3"])
@pytest.mark.parametrize("kind", ["feedback", "feedforward", "allpass"])
def test_combs_are_the_filters_of_their_coefficients(kind: str, interpolation: str) -> None:
    for samples, gain in itertools.product((2.0, 2.5, 17.0, 40.1, 399.999), (-0.99, -0.5, 0.0, 0.7, 0.99)):
        options = {"fs": FS, "delay_range": (2 / FS, 0.1), "interpolation": interpolation}
        made = (
            Allpass(samples / FS, gain, **options) if kind == "allpass" else Comb(samples / FS, gain, kind, **options)
        )
        equals_scipy(made)


def test_delays_of_seconds_are_those_of_samples_at_a_rate_of_one() -> None:
    x = noise(3, 500)
    seconds = Comb(0.01, 0.6, fs=FS)
    samples = Comb(80.0, 0.6, fs=1, delay_range=(2, 200))
    torch.testing.assert_close(seconds(x), samples(x), rtol=0, atol=1e-12)


def test_allpasses_keep_the_magnitude_at_whole_delays() -> None:
    for samples, gain in itertools.product((2, 17, 400), (-0.99, 0.5, 0.9)):
        H = Allpass(samples / FS, gain, fs=FS, delay_range=(2 / FS, 0.1)).freqz(500)[1]
        torch.testing.assert_close(H.detach().abs(), torch.ones(500, dtype=torch.float64), rtol=1e-9, atol=1e-9)


def test_an_allpass_of_one_sample_is_that_of_first_order() -> None:
    x, a = noise(300), 0.6
    made = Allpass(1.0, -a, fs=1, delay_range=(1, 2), interpolation="linear")
    expected = scipy.signal.lfilter([a, 1], [1, a], x.numpy())
    np.testing.assert_allclose(made(x).detach().numpy(), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", [Comb, Allpass])
def test_linear_interpolation_is_stable_however_the_delay_jumps(kind: type) -> None:
    T, g = 20_000, 0.97
    module = kind(0.01, g, fs=FS, interpolation="linear")
    generator = torch.Generator().manual_seed(0)
    delay = 0.002 + 0.02 * torch.rand(2, T, generator=generator, dtype=torch.float64)
    x = 2 * torch.rand(2, T, generator=generator, dtype=torch.float64) - 1
    bound = 1 / (1 - g) if kind is Comb else g + (1 - g * g) / (1 - g)
    assert float(module(x, delay=delay).detach().abs().max()) <= bound


def test_a_hidden_delay_between_samples_is_learned() -> None:
    hidden = Comb(0.00512345, 0.6, fs=FS)
    x = torch.cumsum(noise(2, 3000), -1)  # low frequencies, whose periods are longer than what the delay is off by
    x = x - x.mean(-1, keepdim=True)
    wanted = hidden(x).detach()
    comb = Comb(0.0049, 0.3, fs=FS)
    optimiser = torch.optim.LBFGS(comb.parameters(), max_iter=100, tolerance_change=0, line_search_fn="strong_wolfe")

    def step() -> torch.Tensor:
        optimiser.zero_grad()
        error = (comb(x) - wanted).square().mean() / wanted.square().mean()
        error.backward()
        return error

    optimiser.step(step)
    assert abs(float((comb.delay - hidden.delay).detach())) * FS < 1e-3
    assert abs(float((comb.gain - hidden.gain).detach())) < 1e-4


# ---- strings

PITCHES = (27.5, 110.0, 261.63, 987.77)


@pytest.mark.parametrize("interpolation", ["linear", "lagrange3"])
def test_strings_are_the_filters_of_their_coefficients(interpolation: str) -> None:
    for frequency, damping in itertools.product(PITCHES, (0.0, 0.2, 0.5)):
        equals_scipy(KarplusStrong(frequency, 2.0, damping, fs=FS, interpolation=interpolation))


def test_strings_have_the_pitch_and_the_decay_that_are_asked_for() -> None:
    for frequency, decay, damping in itertools.product(PITCHES, (0.2, 5.0), (0.0, 0.2, 0.5)):
        string = KarplusStrong(frequency, decay, damping, fs=FS)
        a = string.ba()[1].detach()
        loop = -a[1:]
        assert float(loop.sum()) == pytest.approx(10 ** (-3 / (frequency * decay)), rel=1e-9)
        w = 2 * math.pi * frequency / FS
        there = (loop * torch.exp(-1j * w * torch.arange(1, len(a)))).sum()
        cents = 1200 / math.log(2) * float(there.angle()) / (2 * math.pi)
        # What the interpolation is off by: 0.26 at an eighth of the rate, 0.0004 at the next lower pitch.
        assert abs(cents) < (0.3 if frequency > 900 else 5e-4)


def test_a_note_falls_by_60_decibels_in_its_decay() -> None:
    string = KarplusStrong(200.0, 0.5, 0.1, fs=FS)
    x = torch.zeros(FS, dtype=torch.float64)
    x[:40] = torch.hann_window(40, dtype=torch.float64)
    y = string(x).detach()
    window = torch.hann_window(800, dtype=torch.float64) * torch.exp(2j * math.pi * 200 / FS * torch.arange(800))
    levels = [20 * math.log10(abs((y[start : start + 800] * window).sum())) for start in (400, 400 + FS // 2)]
    assert levels[0] - levels[1] == pytest.approx(60, abs=1)  # and a little more for the damping


@pytest.mark.parametrize("damping", [0.0, 0.5])
def test_strings_bend_without_growing(damping: float) -> None:
    string = KarplusStrong(200.0, 60.0, damping, fs=FS, interpolation="linear")
    generator = torch.Generator().manual_seed(0)
    pitch = 100 + 800 * torch.rand(1, 8000, generator=generator, dtype=torch.float64)
    x = torch.zeros(1, 8000, dtype=torch.float64)
    x[0, 0] = 1
    assert float(string(x, frequency=pitch).detach().abs().max()) <= 1
