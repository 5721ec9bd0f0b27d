"""`Loudness`: the signals of ITU-R BS.2217, EBU Tech 3341 and 3342 that can be synthesised, and a slow loop."""

import math

import numpy as np
import pytest
import scipy.signal
import torch
from torch import Tensor

from polezero.nn import Loudness
from polezero.nn._loudness import Kind

TOLERANCE = 0.03  # LU, where the EBU allows 0.1, for blocks that a gate lets pass in part
RATES = [16000, 44100, 48000, 96000]
# BS.1770-5, tables 1 and 2
TABLES = (
    ([1.53512485958697, -2.69169618940638, 1.19839281085285], [1.0, -1.69065929318241, 0.73248077421585]),
    ([1.0, -2.0, 1.0], [1.0, -1.99004745483398, 0.99007225036621]),
)


def tone(fs: int, *parts: tuple[float, float], frequency: float = 1000.0) -> Tensor:
    """A sine whose level, that of its peak in dBFS, is held for so many seconds; in float32, of one channel."""
    levels = torch.cat([torch.full((round(fs * seconds),), 10 ** (level / 20)) for level, seconds in parts])
    turns = torch.arange(len(levels), dtype=torch.float64) * (frequency / fs) % 1
    return (levels * torch.sin(2 * math.pi * turns.float()))[None]


def stereo(kind: Kind, fs: int, *parts: tuple[float, float], rate: int = 10) -> Tensor:
    """What is measured of a tone in both channels of two, which is one of twice the weight, and half the work."""
    return Loudness(kind, weights=[2.0], rate=rate, fs=fs)(tone(fs, *parts))


def near(actual: Tensor, expected: float, tolerance: float = TOLERANCE) -> None:
    assert bool((actual - expected).abs().max() <= tolerance), f"{actual} is not {expected}"


# ---- ITU-R BS.1770 and BS.2217


@pytest.mark.parametrize("fs", RATES)
def test_a_sine_of_997_hz_at_full_scale_is_minus_3_01(fs: int) -> None:
    near(Loudness(fs=fs)(tone(fs, (0.0, 2.0), frequency=997.0)), -3.01, 0.05 if fs == 16000 else 0.005)


def test_tones_are_as_loud_as_the_tables_of_the_recommendation_say_at_other_rates_too() -> None:
    for frequency in (25.0, 100.0, 500.0, 1000.0, 2000.0, 5000.0, 10000.0):
        gains = [abs(scipy.signal.freqz(b, a, [frequency], fs=48000)[1][0]) for b, a in TABLES]
        peak = -24 + 0.691 - 20 * math.log10(math.prod(gains))  # of two channels
        for fs in RATES:
            if frequency < 0.4 * fs:
                measured = Loudness(fs=fs)(tone(fs, (peak, 2.0), frequency=frequency).expand(2, -1))
                near(measured, -24.0, TOLERANCE)


@pytest.mark.parametrize("channel", range(6))
def test_each_channel_has_its_weight(channel: int) -> None:
    gain = (0.0, 0.0, 0.0, -math.inf, 10 * math.log10(1.41), 10 * math.log10(1.41))[channel]
    x = torch.zeros(6, 2 * 48000)
    x[channel] = tone(48000, (-20.0, 2.0))
    y = Loudness(fs=48000)(x)
    assert y == -math.inf if channel == 3 else abs(float(y) - (-23.01 + gain)) < 0.01
    given = Loudness(weights=[1.0, 1.0, 1.0, 0.0, 1.41, 1.41], fs=48000)(x)
    assert torch.equal(given, y)
    x[3] = math.nan  # that of low effects is not looked at
    assert torch.equal(Loudness(fs=48000)(x), y)


def test_gates_are_absolute_at_minus_70_and_relative_at_minus_10() -> None:
    def measured(*parts: tuple[float, float]) -> Tensor:
        return stereo("integrated", 44100, *parts)

    near(measured((-69.5, 10.0)), -69.5)
    assert measured((-70.5, 10.0)) == -math.inf
    near(measured((-20.0, 30.0), (-69.0, 30.0)), -20.0)  # below the relative gate
    # The gate of equal parts of -20 and about -33 is 10 LU below the mean of their powers: at -32.8.
    near(measured((-20.0, 30.0), (-32.5, 30.0)), 10 * math.log10((10**-2 + 10**-3.25) / 2))
    near(measured((-20.0, 30.0), (-33.1, 30.0)), -20.0)


# ---- EBU Tech 3341


@pytest.mark.parametrize("fs", RATES)
def test_ebu_3341_cases_1_to_6(fs: int) -> None:
    tolerance = TOLERANCE
    for level in (-23.0, -33.0):  # 1, 2: on all three scales
        near(stereo("integrated", fs, (level, 20.0)), level, tolerance)
        near(stereo("momentary", fs, (level, 20.0))[1:], level, tolerance)
        near(stereo("short-term", fs, (level, 20.0))[1:], level, tolerance)
    for parts in (
        ((-36.0, 10.0), (-23.0, 60.0), (-36.0, 10.0)),
        ((-72.0, 10.0), (-36.0, 10.0), (-23.0, 60.0), (-36.0, 10.0), (-72.0, 10.0)),
        ((-26.0, 20.0), (-20.0, 20.1), (-26.0, 20.0)),
    ):
        near(stereo("integrated", fs, *parts), -23.0, tolerance)
    channels = [tone(fs, (level, 20.0)) for level in (-28.0, -28.0, -24.0, -30.0, -30.0)]
    near(Loudness(fs=fs)(torch.cat(channels)), -23.0, tolerance)


def test_ebu_3341_cases_9_and_12_constant_short_term_and_momentary_loudness() -> None:
    fs = 48000
    y = stereo("short-term", fs, *[(-20.0, 1.34), (-30.0, 1.66)] * 5)
    near(y, -23.0)
    y = stereo("momentary", fs, *[(-20.0, 0.18), (-30.0, 0.22)] * 25, rate=100)
    near(y[60:], -23.0, 0.05)  # the ripple of the weighting's high pass


def test_ebu_3341_cases_10_and_13_largest_loudness_of_a_tone_that_begins_anywhere() -> None:
    fs = 48000
    for i in range(0, 20, 3):
        parts = (-400.0, 0.15 * i), (-23.0, 3.0), (-400.0, 1.0)
        near(stereo("short-term", fs, *parts, rate=50).max(), -23.0)
        parts = (-400.0, 0.02 * i), (-23.0, 0.4), (-400.0, 1.0)
        near(stereo("momentary", fs, *parts, rate=100).max(), -23.0)


# ---- EBU Tech 3342


@pytest.mark.parametrize("fs", [16000, 48000])
def test_ebu_3342_cases_1_to_4(fs: int) -> None:
    cases = (
        ((-20.0, -30.0), 10.0),
        ((-20.0, -15.0), 5.0),
        ((-40.0, -20.0), 20.0),
        ((-50.0, -35.0, -20.0, -35.0, -50.0), 15.0),
    )
    for levels, expected in cases:
        near(stereo("range", fs, *[(level, 20.0) for level in levels]), expected, 1e-3)  # of 1


# ---- beside a loop


def slow(x: np.ndarray, fs: int, weights: list[float]) -> tuple[float, list[float]]:
    """Integrated loudness and the momentary ones, as the recommendation reads."""
    for b, a in TABLES:
        x = scipy.signal.lfilter(b, a, x)
    step = fs // 10
    powers = []
    for begin in range(0, x.shape[-1] - 4 * step + 1, step):
        block = x[:, begin : begin + 4 * step]
        powers.append(sum(g * np.mean(c**2) for g, c in zip(weights, block)))
    loud = [z for z in powers if -0.691 + 10 * np.log10(z) > -70]
    gate = -0.691 + 10 * np.log10(np.mean(loud)) - 10
    kept = [z for z in loud if -0.691 + 10 * np.log10(z) > gate]
    return -0.691 + 10 * np.log10(np.mean(kept)), [-0.691 + 10 * np.log10(z) for z in powers]


def programme(fs: int, channels: int, seconds: float, *leading: int) -> Tensor:
    """Noise whose level wanders over 60 dB."""
    generator = torch.Generator().manual_seed(0)
    T = round(seconds * fs)
    levels = torch.rand(*leading, 1, round(seconds * 2), generator=generator, dtype=torch.float64) * 3 - 4
    gains = torch.nn.functional.interpolate(levels.flatten(0, -3) if leading else levels[None], size=T, mode="linear")
    noise = torch.randn(*leading, channels, T, generator=generator, dtype=torch.float64)
    return noise * 10 ** gains.view(*leading, 1, T)


@pytest.mark.parametrize("channels", [1, 2, 3, 5, 6])
def test_equals_a_slow_loop(channels: int) -> None:
    fs = 48000
    x = programme(fs, channels, 6.05)
    weights = {5: [1, 1, 1, 1.41, 1.41], 6: [1, 1, 1, 0, 1.41, 1.41]}.get(channels, [1] * channels)
    integrated, momentary = slow(x.numpy(), fs, weights)
    assert abs(float(Loudness(fs=fs)(x)) - integrated) < 1e-9
    np.testing.assert_allclose(Loudness("momentary", fs=fs)(x), momentary, atol=1e-9)
    assert abs(float(Loudness(fs=fs)(x.float())) - integrated) < 1e-4
    together = Loudness(fs=fs)(torch.stack([x, x / 2])[:, None])
    assert together.shape == (2, 1) and abs(float(together[0, 0] - together[1, 0]) - 20 * math.log10(2)) < 0.5


# ---- gradients


@pytest.mark.parametrize("kind", ["integrated", "momentary", "short-term", "range"])
def test_gradients_are_right(kind: str) -> None:
    fs = 4001
    module = Loudness(kind, fs=fs)
    x = programme(fs, 2, 3.7)
    scale = torch.tensor([1.0, 0.7], dtype=torch.float64, requires_grad=True)
    ramp = torch.linspace(0, 1, x.shape[-1], dtype=torch.float64)
    slope = torch.tensor(0.3, dtype=torch.float64, requires_grad=True)

    def measured(scale: Tensor, slope: Tensor) -> Tensor:
        return module(x * scale[:, None] * torch.exp(slope * ramp))

    assert torch.autograd.gradcheck(measured, (scale, slope), rtol=1e-5)
    assert torch.autograd.gradgradcheck(measured, (scale, slope), rtol=1e-5)


def test_a_gain_is_learned_by_its_loudness() -> None:
    x, gain = programme(8000, 2, 3.0), torch.zeros((), requires_grad=True)
    module, optimiser = Loudness(fs=8000), torch.optim.LBFGS([gain], max_iter=30, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimiser.zero_grad()
        error = (module(x * 10 ** (gain / 20)) + 23.0).square()
        error.backward()
        return error

    optimiser.step(loss)
    near(module(x * 10 ** (gain.detach() / 20)), -23.0, 1e-3)
    assert abs(float(gain.detach()) - (-23.0 - float(module(x)))) < 1e-3  # gates move with the gain, so that it is one


@pytest.mark.parametrize("kind", ["integrated", "momentary", "short-term", "range"])
def test_silence_and_short_signals_have_no_loudness_and_the_gradient_0(kind: str) -> None:
    module = Loudness(kind, fs=8000)
    for T in (0, 100, 3199, 40000):
        x = torch.zeros(3, 2, T, requires_grad=True)
        y = module(x)
        assert y.shape == ((3,) if kind in ("integrated", "range") else (3, max(T // 800 - module.width + 1, 0)))
        assert bool((y == (0 if kind == "range" else -math.inf)).all())
        y.clamp(min=-200).sum().backward()
        assert x.grad is not None and not bool(x.grad.any())


def test_what_is_not_a_number_is_seen() -> None:
    x = programme(8000, 1, 2.0)
    x[0, 9000] = math.nan
    assert math.isnan(Loudness(fs=8000)(x))
    assert bool(Loudness("momentary", fs=8000)(x)[-3:].isnan().all())


# ---- streams, bad input


@pytest.mark.parametrize("kind", ["integrated", "momentary", "short-term", "range"])
@pytest.mark.parametrize("fs", [8000, 11025])
def test_chunks_of_any_length_end_where_the_whole_does(kind: str, fs: int) -> None:
    module = Loudness(kind, fs=fs)
    x = programme(fs, 2, 4.3, 3).requires_grad_()
    T, whole, stream = x.shape[-1], module(x), module.stream(attached=True)
    cuts = [1, 0, 799, 1, 7, 0, 5000, 12345, T]
    parts = [stream(part) for part in x.split([*cuts[:-1], T - sum(cuts[:-1])], -1)]
    y = parts[-1] if kind in ("integrated", "range") else torch.cat(parts, -1)
    torch.testing.assert_close(y, whole, rtol=1e-10, atol=1e-10)
    grads = [torch.autograd.grad(v.sum(), x)[0] for v in (y, whole)]
    torch.testing.assert_close(*grads, rtol=1e-8, atol=1e-8)
    # what is said after each chunk is that of all so far
    if kind in ("integrated", "range"):
        so_far = module(x[..., : sum(cuts[:7])])
        torch.testing.assert_close(parts[6], so_far, rtol=1e-10, atol=1e-10)
    stateful = Loudness(kind, stateful=True, fs=fs)
    again = [stateful(part.detach()) for part in x.split(5000, -1)]
    y = again[-1] if kind in ("integrated", "range") else torch.cat(again, -1)
    torch.testing.assert_close(y, whole.detach(), rtol=1e-10, atol=1e-10)


def test_momentary_streams_keep_no_more_than_a_block() -> None:
    stream = Loudness("momentary", fs=8000).stream()
    for _ in range(5):
        stream(torch.randn(2, 8000))
    assert stream.state[1][-1].shape == (3,)


def test_channels_are_checked() -> None:
    real = r"x: expected a real signal of shape \[\.\.\., channels, T\], got torch"
    for module, x, sentence in (
        (Loudness(fs=8000), torch.zeros(100), rf"{real}.float32 of \[100\]"),
        (Loudness(fs=8000), torch.zeros(2, 9, dtype=torch.complex64), rf"{real}.complex64 of \[2, 9\]"),
        (Loudness(fs=8000), torch.zeros(4, 9), "weights: expected one for each of 4 channels, which have .*, got None"),
        (Loudness(weights=[1, 1, 0.5], fs=8000), torch.zeros(2, 9), r"x: .* \[..., 3, T\] for 3 weights, got \[2, 9\]"),
        (Loudness(channels=2, fs=8000), torch.zeros(1, 9), r"x: .* \[..., 2, T\] for 2 channels, got \[1, 9\]"),
    ):
        with pytest.raises(ValueError, match=f"^Loudness: {sentence}$"):
            module(x)
    assert Loudness(weights=[0.5] * 4, fs=8000)(torch.zeros(4, 100)) == -math.inf
