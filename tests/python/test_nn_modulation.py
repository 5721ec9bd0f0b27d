"""Values of `Flanger`, `Chorus` and `Phaser`; what all modules do is in test_nn.py."""

import math

import numpy as np
import pytest
import torch

import polezero
from polezero.nn import Chorus, Flanger, Phaser

FS = 8000
RANGES = {"fs": FS, "delay_range": (0.002, 0.02)}


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def oscillation(rate: float, phase: float, samples: int, waveform: str = "sine") -> np.ndarray:
    cycles = rate * np.arange(samples) / FS + phase / (2 * np.pi)
    if waveform == "sine":
        return np.sin(2 * np.pi * cycles)
    return np.interp(cycles % 1, [0, 0.25, 0.75, 1], [0, 1, -1, 0])


def read(past: np.ndarray, n: int, delay: float) -> float:
    """Of a signal `delay` samples before n, between its samples by a line."""
    k, u = int(delay), delay - int(delay)
    at = [past[n - j] if n >= j else 0.0 for j in (k, k + 1)]
    return (1 - u) * at[0] + u * at[1]


@pytest.mark.parametrize("waveform", ["sine", "triangle"])
def test_flangers_are_their_equation(waveform: str) -> None:
    T, g, m = 800, -0.7, 0.9
    made = Flanger(0.004, 0.8, 5.0, g, m, 1.2, waveform=waveform, **RANGES)
    D = FS * 0.004 * (1 + 0.8 * oscillation(5.0, 1.2, T, waveform))
    x = noise(T).numpy()
    w, y = np.zeros(T), np.zeros(T)
    for n in range(T):
        v = read(w, n, D[n])
        w[n], y[n] = x[n] + g * v, x[n] + m * v
    np.testing.assert_allclose(made(torch.from_numpy(x)).detach().numpy(), y, rtol=0, atol=1e-10)


def test_choruses_are_their_equation() -> None:
    T, K, m = 800, 3, 0.6
    made = Chorus(0.01, 0.2, 7.0, m, 0.5, voices=K, interpolation="linear", **RANGES)
    x = noise(T).numpy()
    y = x.copy()
    for k in range(K):
        D = FS * 0.01 * (1 + 0.2 * oscillation(7.0, 0.5 + 2 * np.pi * k / K, T))
        y += m / K * np.array([read(x, n, D[n]) for n in range(T)])
    np.testing.assert_allclose(made(torch.from_numpy(x)).detach().numpy(), y, rtol=0, atol=1e-10)


@pytest.mark.parametrize("stages", [1, 4, 7])
def test_phasers_are_their_equation(stages: int) -> None:
    T, g, m = 500, 0.8, -0.9
    made = Phaser(500.0, 1.5, 6.0, g, m, 0.2, stages=stages, fs=FS)
    turn = np.tan(np.pi / FS * 500 * 2 ** (1.5 * oscillation(6.0, 0.2, T)))
    a = (turn - 1) / (turn + 1)
    x, s, v = noise(T).numpy(), np.zeros(stages), 0.0
    y = np.zeros(T)
    for n in range(T):
        c, v = math.sqrt(1 - a[n] ** 2), x[n] + g * v
        for k in range(stages):
            s[k], v = -a[n] * s[k] + c * v, c * s[k] + a[n] * v
        y[n] = x[n] + m * v
    np.testing.assert_allclose(made(torch.from_numpy(x)).detach().numpy(), y, rtol=0, atol=1e-10)
    single = made(torch.from_numpy(x).float()).detach()
    np.testing.assert_allclose(single.numpy(), y, rtol=0, atol=1e-5 * abs(y).max())


def test_phasers_that_stand_still_have_their_response() -> None:
    K, g, m, f = 6, 0.5, 0.8, 700.0
    made = Phaser(f, 0.0, 1.0, g, m, stages=K, fs=FS)
    x = torch.zeros(4096, dtype=torch.float64)
    x[0] = 1
    H = np.fft.rfft(made(x).detach().numpy())
    z = np.exp(-2j * np.pi * np.arange(len(H)) / 4096)
    a = (math.tan(math.pi * f / FS) - 1) / (math.tan(math.pi * f / FS) + 1)
    A = ((a + z) / (1 + a * z)) ** K
    np.testing.assert_allclose(H, 1 + m * A / (1 - g * z * A), rtol=0, atol=1e-9)
    np.testing.assert_allclose(made.freqz(2048)[1].detach().numpy(), H[:-1], rtol=0, atol=1e-9)
    torch.testing.assert_close(polezero.freqz(*made.ba(), 2048, fs=FS), made.freqz(2048), rtol=0, atol=1e-9)
    assert abs(A[round(4096 * f / FS)] - 1j ** (-K)) < 0.02  # 90 degrees a stage


@pytest.mark.parametrize("kind", [Flanger, Chorus])
def test_delays_that_stand_still_have_the_response_of_the_middle(kind: type) -> None:
    still = kind(depth=0.0, channels=2, mix=[0.5, 0.9], **RANGES)
    x = torch.zeros(2, FS, dtype=torch.float64)
    x[:, 0] = 1
    H = torch.fft.rfft(still(x).detach())[:, :-1]
    torch.testing.assert_close(still.freqz(FS // 2)[1].detach(), H, rtol=0, atol=1e-8)


@pytest.mark.parametrize("kind", [Flanger, Phaser])
def test_figures_show_the_middle_of_the_sweep(kind: type) -> None:
    pytest.importorskip("matplotlib").use("Agg")
    module = kind(**({"fs": FS} if kind is Phaser else RANGES))
    curve = module.plot().axes[0].lines[0]
    hertz = torch.from_numpy(np.asarray(curve.get_xdata())).double()
    level = 20 * module.freqz(hertz)[1].detach().abs().log10().numpy()
    np.testing.assert_allclose(curve.get_ydata(), level, rtol=0, atol=1e-6)


def test_loops_of_phasers_and_flangers_hold_however_they_are_swept() -> None:
    T, g = 20_000, 0.95
    generator = torch.Generator().manual_seed(0)
    x, jumps = noise(2, T), torch.rand(2, T, generator=generator, dtype=torch.float64)
    phaser = Phaser(feedback=g, mix=1.0, depth=2.0, rate=10.0, fs=FS)
    v = phaser(x, frequency=100 * 8**jumps).detach() - x  # |v| <= |x| + g |v|: the stages keep the energy
    assert bool((v.norm(dim=-1) <= x.norm(dim=-1) / (1 - g)).all())
    x = x.clamp(-1, 1)
    flanger = Flanger(feedback=g, mix=1.0, depth=0.8, rate=10.0, **RANGES)
    v = flanger(x, delay=0.002 + 0.01 * jumps).detach() - x
    assert float(v.abs().max()) <= 1 / (1 - g)


@pytest.mark.parametrize("kind", [Flanger, Chorus, Phaser])
def test_a_rate_that_changes_goes_on_from_the_phase_that_it_reached(kind: type) -> None:
    module = kind(rate=2.0, **({"fs": FS} if kind is Phaser else RANGES))
    x = noise(2, 900)
    rates = torch.cat([torch.full((1, 400), 2.0), torch.full((1, 500), 7.0)], -1).double()
    whole = module(x, rate=rates)
    stream = module.stream()
    first = stream(x[:, :400])
    module.rate = 7.0
    torch.testing.assert_close(torch.cat([first, stream(x[:, 400:])], -1), whole.detach(), rtol=0, atol=1e-10)


def test_channels_may_sweep_apart() -> None:
    stereo = Chorus(channels=2, phase=[0.0, 1.5], **RANGES)
    x = noise(2, 1000)
    y = stereo(x).detach()
    for phase, mono, expected in zip((0.0, 1.5), x, y, strict=True):
        torch.testing.assert_close(Chorus(phase=phase, **RANGES)(mono).detach(), expected, rtol=0, atol=1e-12)
    assert not torch.allclose(stereo(x[:1].expand(2, -1))[0], stereo(x[:1].expand(2, -1))[1])


def test_the_oscillator_of_a_phaser_is_learned() -> None:
    hidden = Phaser(600.0, 1.2, 9.0, 0.4, 0.8, 0.7, fs=FS)
    x = noise(1500)
    wanted = hidden(x).detach()
    phaser = Phaser(700.0, 0.8, 8.0, 0.2, 1.0, 0.3, fs=FS)
    optimiser = torch.optim.LBFGS(
        phaser.parameters(), max_iter=100, tolerance_grad=1e-12, tolerance_change=0, line_search_fn="strong_wolfe"
    )

    def step() -> torch.Tensor:
        optimiser.zero_grad()
        error = (phaser(x) - wanted).square().mean()
        error.backward()
        return error

    optimiser.step(step)
    for name, value in hidden.values().items():
        torch.testing.assert_close(getattr(phaser, name).detach(), value.detach(), rtol=1e-3, atol=0)
