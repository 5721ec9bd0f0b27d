"""`PCEN` beside loops over frames, by the formulas of the paper, of librosa and of asteroid-filterbanks."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from polezero.nn import PCEN

FRAMES, BANDS = 200, 5


def energies(*leading: int, seed: int = 0) -> Tensor:
    """As of a mel spectrogram: positive, over ten decades."""
    generator = torch.Generator().manual_seed(seed)
    levels = torch.rand(*leading, BANDS, FRAMES, generator=generator, dtype=torch.float64) * 10 - 8
    return 10**levels


def slow(E: np.ndarray, alpha: float, delta: float, r: float, eps: float, s: float, before: np.ndarray) -> np.ndarray:
    """The paper's equations 1 and 2, a frame at a time."""
    y, M = np.empty_like(E), before
    for n in range(E.shape[-1]):
        M = (1 - s) * M + s * E[..., n]
        y[..., n] = (E[..., n] / (eps + M) ** alpha + delta) ** r - delta**r
    return y


def librosas(
    E: np.ndarray, seconds: float, frames: float, gain: float, bias: float, power: float, eps: float
) -> np.ndarray:
    """librosa's `pcen`, whose mean begins at 1 and whose powers are taken of logarithms."""
    t = seconds * frames
    b = (math.sqrt(1 + 4 * t**2) - 1) / (2 * t**2)
    y, M = np.empty_like(E), np.ones(E.shape[:-1])
    for n in range(E.shape[-1]):
        M = (1 - b) * M + b * E[..., n]
        smooth = np.exp(-gain * (np.log(eps) + np.log1p(M / eps)))
        y[..., n] = bias**power * np.expm1(power * np.log1p(E[..., n] * smooth / bias))
    return y


@pytest.mark.parametrize("s", [1e-4, 0.025, 0.3, 1.0])
@pytest.mark.parametrize("alpha, r", [(0.98, 0.5), (0.0, 1.0), (1.0, 0.02)])
@pytest.mark.parametrize("delta, eps", [(2.0, 1e-6), (1e-3, 1e-12), (100.0, 0.1)])
def test_equals_the_papers_loop(s: float, alpha: float, r: float, delta: float, eps: float) -> None:
    E = energies(2).numpy()
    y = PCEN(alpha, delta, r, eps, s)(torch.from_numpy(E)).detach().numpy()
    expected = slow(E, alpha, delta, r, eps, s, E[..., 0])
    np.testing.assert_allclose(y, expected, rtol=1e-9, atol=1e-13 * delta**r)  # the loop's difference cancels
    y = PCEN(alpha, delta, r, eps, s, initial=0.25)(torch.from_numpy(E)).detach().numpy()
    np.testing.assert_allclose(y, slow(E, alpha, delta, r, eps, s, np.full(E.shape[:-1], 0.25)), 1e-9, 1e-13 * delta**r)


@pytest.mark.parametrize("seconds", [0.06, 0.4, 2.0])
def test_equals_librosas_with_its_time_constant_and_beginning(seconds: float) -> None:
    E, frames = energies(2).numpy(), 22050 / 512
    module = PCEN(0.98, 2.0, 0.5, 1e-6, time_constant=seconds, initial=1.0, fs=frames)
    expected = librosas(E, seconds, frames, 0.98, 2.0, 0.5, 1e-6)
    np.testing.assert_allclose(module(torch.from_numpy(E)).detach().numpy(), expected, rtol=1e-10)


def test_defaults_are_those_of_asteroid() -> None:
    E = energies(3).numpy()
    alpha, delta, root, floor, smooth = 0.96, 2.0, 2.0, 1e-6, 0.04
    y, M = np.empty_like(E), E[..., 0]
    for n in range(FRAMES):
        M = smooth * E[..., n] + (1 - smooth) * M
        y[..., n] = (E[..., n] / (floor + M) ** alpha + delta) ** (1 / root) - delta ** (1 / root)
    np.testing.assert_allclose(PCEN()(torch.from_numpy(E)).detach().numpy(), y, rtol=1e-9, atol=1e-13)


def test_float32_has_the_digits_that_float32_has() -> None:
    E = energies(2)
    exact, y = PCEN()(E).detach(), PCEN()(E.float()).detach()
    assert y.dtype == torch.float32
    assert float(((y - exact) / exact).abs().max()) < 3e-6  # of each, also of the smallest: nothing cancels
    assert bool(torch.isfinite(PCEN(eps=1e-4)(E.half())).all())


def test_each_band_has_parameters_of_its_own() -> None:
    E, alphas = energies(2), [0.5, 0.6, 0.7, 0.8, 0.9]
    together = PCEN(alphas, s=[0.01, 0.02, 0.05, 0.1, 0.5], channels=BANDS)(E)
    for k, (alpha, s) in enumerate(zip(alphas, (0.01, 0.02, 0.05, 0.1, 0.5))):
        torch.testing.assert_close(together[:, k], PCEN(alpha, s=s)(E[:, k]), rtol=1e-12, atol=0)


def test_silence_stays_silent_with_finite_gradients() -> None:
    E = energies()
    E[:, :50] = 0
    E.requires_grad_()
    module = PCEN()
    y = module(E)
    assert not bool(y[:, :50].any())
    for gradient in torch.autograd.grad(y.sum(), [E, *module.parameters()]):
        assert bool(torch.isfinite(gradient).all())


def test_parameters_are_learned_from_its_output() -> None:
    E, target = energies(4), PCEN(0.8, 1.0, 0.3, s=0.1, trainable=False)
    module = PCEN(trainable=["alpha", "delta", "r", "s"])
    wanted = target(E)
    optimiser = torch.optim.LBFGS(module.parameters(), max_iter=300, line_search_fn="strong_wolfe", tolerance_change=0)

    def loss() -> Tensor:
        optimiser.zero_grad()
        error = (module(E) - wanted).square().mean()
        error.backward()
        return error

    optimiser.step(loss)
    for name in ("alpha", "delta", "r", "s"):
        torch.testing.assert_close(getattr(module, name).detach(), getattr(target, name), rtol=1e-3, atol=0)


@pytest.mark.parametrize("seconds", [0.0, -0.4, float("nan"), "0.4"])
def test_a_time_constant_is_positive(seconds: Any) -> None:
    with pytest.raises(ValueError, match=r"^PCEN: time_constant: expected a positive number of seconds, got "):
        PCEN(time_constant=seconds)
