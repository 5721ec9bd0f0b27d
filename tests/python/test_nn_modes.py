"""Values of `ModalReverb` and `PlateReverb`; what all modules do is in test_nn.py."""

import doctest
import math

import numpy as np
import pytest
import scipy.signal
import torch

import polezero
from polezero.nn import ModalReverb, PlateReverb, thin_plate_modes

FS = 8000
FALL = 3 * math.log(10)


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def impulse(samples: int) -> torch.Tensor:
    x = torch.zeros(samples, dtype=torch.float64)
    x[0] = 1
    return x


# ---- any modes


def hidden_bank(modes: int = 40) -> tuple[ModalReverb, list[np.ndarray]]:
    random = np.random.default_rng(0)
    low, high = 20.0, 0.49 * FS
    numbers = [
        np.geomspace(low, high, modes),
        np.geomspace(0.01, 60, modes)[random.permutation(modes)],
        random.standard_normal(modes),
        random.standard_normal(modes),
    ]
    return ModalReverb(*(torch.from_numpy(v) for v in numbers), fs=FS), numbers


def test_modal_reverbs_are_sums_of_damped_cosines_and_sines() -> None:
    bank, (f, t60, g, q) = hidden_bank()
    n = np.arange(4000)[:, None]
    w = 2 * np.pi * f / FS
    expected = (10 ** (-3 * n / (t60 * FS)) * (g * np.cos(w * n) + q * np.sin(w * n))).sum(-1)
    y = bank(impulse(4000)).detach().numpy()
    np.testing.assert_allclose(y, expected, rtol=0, atol=1e-9)
    single = bank(impulse(4000).float()).detach()
    assert single.dtype == torch.float32
    np.testing.assert_allclose(single.numpy(), expected, rtol=0, atol=2e-5 * abs(expected).max())


def test_single_samples_of_float32_are_as_exact_as_the_whole() -> None:
    bank, x = ModalReverb([30.0, 300.0], 30.0, fs=FS, trainable=False), noise(2000)
    y, stream = bank(x), bank.stream()
    for got in (bank(x.float()), torch.cat([stream(sample) for sample in x.float().split(1)])):
        assert got.dtype == torch.float32
        torch.testing.assert_close(got.double(), y, rtol=0, atol=1e-7 * float(y.abs().max()))


def test_modal_reverbs_have_their_response() -> None:
    bank, _ = hidden_bank()
    bank.decay = 0.1
    h = bank(impulse(FS)).detach()  # to 600 dB
    hertz, H = bank.freqz(250)
    expected = torch.fft.rfft(h)[: FS // 2 : 16]
    torch.testing.assert_close(hertz, torch.arange(250, dtype=torch.float64) * 16)
    torch.testing.assert_close(H.detach(), expected, rtol=1e-9, atol=1e-9)


def test_modes_are_sections_side_by_side() -> None:
    module = ModalReverb([900.0, 1500.0], [0.5, 0.2], [1.0, -0.5], [0.3, 0.0], fs=8000)
    x = torch.randn(3, 200, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    torch.testing.assert_close(polezero.parallel(module.sos(), x), module(x))
    assert PlateReverb(0.5, 0.4, thickness=2e-3, fs=4000, channels=2).sos().shape[::2] == (2, 6)


def test_figures_show_the_magnitude() -> None:
    pytest.importorskip("matplotlib").use("Agg")
    bank, _ = hidden_bank()
    curve = bank.plot(300).axes[0].lines[0]
    np.testing.assert_allclose(curve.get_ydata(), 20 * bank.freqz(300)[1].detach().abs().log10().numpy(), atol=1e-9)


def test_modes_that_move_are_recurrences_of_moving_poles() -> None:
    T, K = 300, 3
    bank = ModalReverb([300.0, 700.0, 1500.0], 0.1, fs=FS)
    frequency = 300 + 1000 * torch.rand(1, T, K, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    gain, x = noise(1, T, K, seed=1), noise(1, T)
    poles = np.exp(-FALL / (0.1 * FS) + 2j * np.pi * frequency[0].numpy() / FS)
    s, y = np.zeros(K, complex), np.zeros(T)
    for n in range(T):
        s = poles[n] * s + x[0, n].item()
        y[n] = (gain[0, n].numpy() * s).sum().real
    np.testing.assert_allclose(bank(x, frequency=frequency, gain=gain)[0].detach().numpy(), y, rtol=0, atol=1e-10)


def test_gains_of_modes_are_learned_from_silence() -> None:
    bank, (f, t60, g, q) = hidden_bank(10)
    wanted = bank(impulse(2000)).detach()
    learned = ModalReverb(torch.from_numpy(f), torch.from_numpy(t60), 0.0, 0.0, fs=FS, trainable=["gain", "quadrature"])
    optimiser = torch.optim.LBFGS(
        learned.parameters(), max_iter=200, tolerance_grad=1e-12, tolerance_change=0, line_search_fn="strong_wolfe"
    )

    def step() -> torch.Tensor:
        optimiser.zero_grad()
        error = (learned(impulse(2000)) - wanted).square().sum()
        error.backward()
        return error

    optimiser.step(step)
    np.testing.assert_allclose(learned.gain.detach().numpy(), g, atol=1e-3)
    np.testing.assert_allclose(learned.quadrature.detach().numpy(), q, atol=1e-3)


# ---- plates

PLATE = {
    "Lx": 1.0,
    "Ly": 1.4,
    "thickness": 3e-3,
    "tension": 400.0,
    "density": 8000.0,
    "young": 1.2e11,
    "decay": 6.0,
    "decay_ratio": 1 / 3,
    "input": [0.335, 0.467],
    "output": [0.71, 0.83],
}


def plate_by_hand(orders: tuple[int, int], poisson: float, f1: float, p: dict) -> list[tuple[float, float, float]]:
    """Angular frequency, decay rate and gain of each mode, by the challenge's formulas one after the other."""
    modes = []
    mu, D = p["density"] * p["thickness"], p["young"] * p["thickness"] ** 3 / (12 * (1 - poisson**2))
    alpha = FALL / p["decay"]
    beta = FALL / (2 * math.pi * f1) ** 2 * (1 / (p["decay"] * p["decay_ratio"]) - 1 / p["decay"])
    for m in range(1, orders[0] + 1):
        for n in range(1, orders[1] + 1):
            gamma = (m * math.pi / p["Lx"]) ** 2 + (n * math.pi / p["Ly"]) ** 2
            omega = math.sqrt(p["tension"] / mu * gamma + D / mu * gamma**2)
            weight = math.prod(
                math.sin(math.pi * k * at[i]) for at in (p["input"], p["output"]) for i, k in ((0, m), (1, n))
            )
            modal_mass = 0.25 * mu * p["Lx"] * p["Ly"]
            modes.append((omega, alpha + beta * omega**2, 4 * weight / (modal_mass * p["Lx"] * p["Ly"])))
    return modes


def test_the_modes_of_a_plate_are_those_of_its_formulas() -> None:
    orders, poisson, f1 = (7, 5), 0.3, 700.0
    tensors = {name: torch.tensor(value, dtype=torch.float64) for name, value in PLATE.items()}
    found = thin_plate_modes(orders, **tensors, poisson=poisson, loss_frequency=f1)
    omega, sigma, gain = np.array(plate_by_hand(orders, poisson, f1, PLATE)).T
    for got, expected in zip(found, (omega / (2 * np.pi), FALL / sigma, gain), strict=True):
        np.testing.assert_allclose(got.numpy(), expected, rtol=1e-12, atol=1e-12 * abs(expected).max())


def test_a_membrane_and_a_square_plate_have_their_textbook_frequencies() -> None:
    def frequencies(**changed: float) -> torch.Tensor:
        plate = PLATE | {"Lx": 1.0, "Ly": 1.0} | changed
        tensors = {name: torch.tensor(value, dtype=torch.float64) for name, value in plate.items()}
        return thin_plate_modes((2, 2), **tensors, poisson=0.3)[0]

    membrane = frequencies(young=1e-6, tension=2400.0)  # waves of 10 m/s
    torch.testing.assert_close(membrane, 5 * torch.tensor([2.0, 5.0, 5.0, 8.0]).double().sqrt(), rtol=1e-9, atol=0)
    plate = frequencies(tension=0.0)
    # Leissa: omega a^2 sqrt(rho h / D) = 19.739 and 49.348
    root = math.sqrt(1.2e11 * 9e-6 / (12 * 0.91 * 8000))
    expected = torch.tensor([19.739, 49.348, 49.348, 78.957]).double() * root / (2 * math.pi)
    torch.testing.assert_close(plate, expected, rtol=2e-5, atol=0)


def test_modes_of_plates_are_differentiable() -> None:
    tensors = {name: torch.tensor(value, dtype=torch.float64, requires_grad=True) for name, value in PLATE.items()}

    def modes(*values: torch.Tensor) -> tuple[torch.Tensor, ...]:
        frequency, decay, gain = thin_plate_modes((3, 2), **dict(zip(tensors, values, strict=True)))
        return frequency, decay, 100 * gain

    # Relative changes: the parameters' sizes are from 1e-3 to 1e11.
    scales = [value.detach() for value in tensors.values()]
    ones = [torch.ones_like(value, requires_grad=True) for value in scales]
    assert torch.autograd.gradcheck(lambda *f: modes(*(a * b for a, b in zip(f, scales, strict=True))), ones)


@pytest.mark.parametrize("highest", [None, 700.0])
def test_the_response_of_a_plate_is_that_of_its_resonators(highest: float | None) -> None:
    plate = PlateReverb(**PLATE, gain=0.0, fs=FS, highest=highest)
    orders, k = plate.orders, 1 / FS
    limit = highest or 0.45 * FS
    modes = np.array(plate_by_hand((orders[0] + 1, orders[1] + 1), 0.25, 500.0, PLATE))
    modes = modes[modes[:, 0] <= 2 * math.pi * limit]
    x = noise(1500).numpy()
    y = np.zeros(1500)
    for omega, sigma, b in modes:
        r = math.exp(-sigma * k)
        y += scipy.signal.lfilter([0, b * k * k * r], [1, -2 * r * math.cos(omega * k), r * r], x)
    got = plate(torch.from_numpy(x)).detach().numpy()
    np.testing.assert_allclose(got, y, rtol=0, atol=1e-9 * abs(y).max())
    loud = plate(torch.from_numpy(x), gain=120.0).detach().numpy()
    np.testing.assert_allclose(loud, 1e6 * y, rtol=0, atol=1e-3 * abs(y).max())
    single = plate(torch.from_numpy(x).float(), gain=120.0).detach().numpy()
    np.testing.assert_allclose(single, 1e6 * y, rtol=0, atol=20 * abs(y).max())  # 2e-5 of it


def test_plates_have_all_their_modes_up_to_the_highest() -> None:
    plate = PlateReverb(**PLATE, fs=FS)
    inside = int((plate.plate_modes()[0] <= plate.highest).sum())
    plate.orders = (plate.orders[0] + 3, plate.orders[1] + 3)
    assert int((plate.plate_modes()[0] <= plate.highest).sum()) == inside


def test_stereo_is_two_outputs_of_one_plate() -> None:
    outputs = torch.tensor([[0.6, 0.7], [0.8, 0.9]], dtype=torch.float64)
    stereo = PlateReverb(**PLATE | {"output": outputs}, fs=FS, channels=2, highest=1000.0)
    x = noise(3, 500)
    y = stereo(x[:, None].expand(3, 2, -1)).detach()
    for c in range(2):
        mono = PlateReverb(**PLATE | {"output": outputs[c]}, fs=FS, highest=1000.0)
        torch.testing.assert_close(mono(x).detach(), y[:, c], rtol=0, atol=1e-12)


def test_the_example_of_the_modes_runs() -> None:
    for example in doctest.DocTestFinder(recurse=False).find(thin_plate_modes, "thin_plate_modes"):
        assert doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(example).failed == 0
