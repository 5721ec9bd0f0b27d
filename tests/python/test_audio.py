"""Equaliser sections, crossovers and emphasis: what they are for, against SciPy and by their responses."""

import math
from typing import Any

import numpy as np
import pytest
import scipy.signal
import torch
from support import assert_close, decibels, response
from torch import Tensor

import polezero
from polezero import reference
from polezero._design.cookbook import SHELVES, TYPES, WITHOUT_GAIN

FS = 48000.0


def first_order(f: np.ndarray, tau: float) -> np.ndarray:
    """In decibels."""
    return -10 * np.log10(1 + (2 * np.pi * f * tau) ** 2)


# ---- biquad


@pytest.mark.parametrize("btype", TYPES)
def test_a_biquad_has_the_coefficients_of_the_cookbook(btype: str) -> None:
    gain: Any = {} if btype in WITHOUT_GAIN else {"gain": torch.tensor([-20.0, 0.0, 13.0])}
    f0 = torch.tensor([[20.0], [1000.0], [17000.0]])
    widths: list[Any] = [{}, {"Q": torch.tensor([0.3, 1.0, 20.0])}, {"bandwidth": 0.5}]
    if btype in SHELVES:
        widths.append({"slope": torch.tensor([0.2, 0.7, 1.0])})
    for width in widths:
        double = {name: torch.as_tensor(t).double() for name, t in (gain | width).items()}
        expected = reference.biquad(btype, f0.double(), fs=FS, **double)
        # In the cookbook 1 - cos(w0) is a difference of what is nearly equal at 20 Hz: 6e-12 of a numerator of 2e-6.
        assert_close(polezero.biquad(btype, f0, fs=FS, **gain, **width), expected, 1e-14)


@pytest.mark.parametrize(("name", "btype"), [("iirpeak", "bandpass"), ("iirnotch", "notch")])
def test_a_band_pass_and_a_notch_are_scipys(name: str, btype: Any) -> None:
    """Which says Q by the bandwidth in hertz, before warping."""
    b, a = getattr(scipy.signal, name)(3000.0, 5.0, fs=FS)
    omega = 2 * math.pi * 3000 / FS
    Q = math.sin(omega) / (2 * math.tan(omega / 10))
    assert_close(polezero.biquad(btype, 3000.0, Q=Q, fs=FS), torch.tensor([[*b, *a]]), 1e-14)


def test_gains_of_each_type_at_their_frequencies() -> None:
    def at(btype: Any, f: float, **options: Any) -> float:
        return float(decibels(polezero.biquad(btype, 1000.0, fs=FS, **options), [f], FS)[0])

    assert at("lowpass", 1000.0) == pytest.approx(at("highpass", 1000.0)) == pytest.approx(20 * math.log10(0.5**0.5))
    assert at("lowpass", 1000.0, Q=4.0) == pytest.approx(20 * math.log10(4))
    assert at("bandpass", 1000.0, Q=4.0) == pytest.approx(0, abs=1e-12)
    assert at("bandpass_skirt", 1000.0, Q=4.0) == pytest.approx(20 * math.log10(4))
    assert at("notch", 1000.0, Q=4.0) < -250
    assert at("allpass", 777.0, Q=4.0) == pytest.approx(0, abs=1e-12)
    assert at("peaking", 1000.0, Q=4.0, gain=-7.0) == pytest.approx(-7)
    for btype, far, near in (("lowshelf", 1e-3, 23999.0), ("highshelf", 23999.0, 1e-3)):
        assert at(btype, far, gain=6.0) == pytest.approx(6, abs=1e-6)
        assert at(btype, near, gain=6.0) == pytest.approx(0, abs=1e-6)
        assert at(btype, 1000.0, gain=6.0, slope=0.6) == pytest.approx(3)


@pytest.mark.parametrize(("btype", "gain", "edge"), [("notch", None, -3.0103), ("peaking", 8.0, 4.0)])
def test_a_bandwidth_is_between_the_edges(btype: Any, gain: float | None, edge: float) -> None:
    """And so that of the bilinear transform's analog filter, low in frequency."""
    sos = polezero.biquad(btype, 100.0, bandwidth=1.5, gain=gain, fs=FS)
    assert decibels(sos, [100 * 2**-0.75, 100 * 2**0.75], FS) == pytest.approx([edge, edge], abs=2e-4)


# ---- crossovers


CROSSOVERS = [("linkwitz-riley", order) for order in (2, 4, 6, 8, 12)] + [("butterworth", order) for order in (1, 3, 5)]
OMEGA = np.linspace(0.001, 0.499, 400)


@pytest.mark.parametrize(("ftype", "order"), CROSSOVERS)
@pytest.mark.parametrize("frequencies", [[0.1], [0.02, 0.1], [0.005, 0.02, 0.1, 0.3]], ids=len)
def test_bands_sum_to_an_all_pass(ftype: Any, order: int, frequencies: list[float]) -> None:
    sos = polezero.crossover(order, frequencies, ftype, fs=1.0)
    n = len(frequencies)
    assert sos.shape == (n + 1, n * (order // 2 if ftype == "linkwitz-riley" else (order + 1) // 2), 6)
    bands = response(sos, OMEGA, 1.0)
    # 3e-11: poles at 0.005 of fs are where roundings of coefficients are amplified 1 / (2 pi 0.005)^2 times
    np.testing.assert_allclose(np.abs(bands.sum(0)), 1, atol=3e-11)
    if n > 1:
        without = response(polezero.crossover(order, frequencies, ftype, compensate=False, fs=1.0), OMEGA, 1.0)
        np.testing.assert_allclose(np.abs(without), np.abs(bands), atol=3e-11)
        assert (np.abs(np.abs(without.sum(0)) - 1).max() < 0.04) == (ftype == "butterworth" and order == 1)


@pytest.mark.parametrize("order", [2, 4, 8])
def test_linkwitz_riley_is_butterworth_twice(order: int) -> None:
    bands = response(polezero.crossover(order, 0.1, fs=1.0), OMEGA, 1.0)
    for band, btype in zip(bands, ("lowpass", "highpass")):
        once = scipy.signal.butter(order // 2, 0.1, btype, fs=1.0, output="sos")
        sign = -1 if order == 2 and btype == "highpass" else 1  # else nothing is left where they cross
        np.testing.assert_allclose(band, sign * response(torch.tensor(once), OMEGA, 1.0) ** 2, atol=1e-13)
    assert decibels(polezero.crossover(order, 0.1, fs=1.0), [0.1], 1.0) == pytest.approx(-6.0206 * np.ones((2, 1)))


@pytest.mark.parametrize(("order", "at_the_crossover"), [(2, 0.0), (4, math.sqrt(2)), (6, 0.0), (8, math.sqrt(2))])
def test_even_butterworth_crossovers_sum_in_power_alone(order: int, at_the_crossover: float) -> None:
    sos = polezero.crossover(order, [0.1, 0.3], "butterworth", fs=1.0)
    np.testing.assert_allclose((np.abs(response(sos, OMEGA, 1.0)) ** 2).sum(0), 1, atol=1e-12)
    two = response(polezero.crossover(order, 0.1, "butterworth", fs=1.0), [0.1], 1.0)
    assert abs(two.sum()) == pytest.approx(at_the_crossover, abs=1e-12)
    assert torch.equal(sos, polezero.crossover(order, [0.1, 0.3], "butterworth", compensate=False, fs=1.0))


def test_one_call_filters_all_bands() -> None:
    f, x = torch.tensor([[200.0, 2000.0], [500.0, 5000.0]]), torch.zeros(2, 1, 4096, dtype=torch.float64)
    x[..., 0] = 1
    bands = polezero.sosfilt(polezero.crossover(4, f, fs=FS), x)
    assert bands.shape == (2, 3, 4096)
    np.testing.assert_allclose(torch.fft.rfft(bands.sum(1)).abs(), 1, atol=1e-9)


# ---- emphasis


def test_emphasis_of_a_coefficient_is_that_filter() -> None:
    assert_close(polezero.preemphasis(0.9), torch.tensor([[1.0, -0.9, 0.0, 1.0, 0.0, 0.0]]).double(), 1e-7)
    assert_close(polezero.deemphasis(0.9), torch.tensor([[1.0, 0.0, 0.0, 1.0, -0.9, 0.0]]).double(), 1e-7)
    assert torch.equal(polezero.preemphasis(), polezero.preemphasis(0.97))
    assert torch.equal(polezero.deemphasis(), polezero.deemphasis(0.97))
    assert polezero.preemphasis(1.0)[0, 1] == -1  # a difference, which nothing undoes


@pytest.mark.parametrize("fs", [8000.0, 32000.0, 44100.0, 48000.0, 192000.0])
@pytest.mark.parametrize("tau", [1e-6, 15e-6, 50e-6, 75e-6, 3180e-6])
def test_emphasis_of_a_time_constant_follows_its_curve(tau: float, fs: float) -> None:
    """As its docstring says."""
    f = np.linspace(0, 0.4 * fs, 500)
    curve = first_order(f, tau)
    deemphasis = polezero.deemphasis(time_constant=tau, fs=fs)
    assert np.abs(decibels(deemphasis, f, fs) - curve).max() < 0.08
    preemphasis = polezero.preemphasis(time_constant=tau, fs=fs)
    np.testing.assert_allclose(response(preemphasis, f, fs) * response(deemphasis, f, fs), 1, atol=1e-12)
    assert all(np.abs(np.roots(part)).max() < 1 for part in deemphasis.reshape(2, 3).numpy())


# ---- of all


@pytest.mark.parametrize(
    "design",
    [
        lambda p, **o: polezero.biquad("peaking", p, Q=1.0, gain=3.0, **o),
        lambda p, **o: polezero.crossover(4, p, **o),
        lambda p, **o: polezero.preemphasis(p, **o),
        lambda p, **o: polezero.deemphasis(p, **o),
        lambda p, **o: polezero.riaa(torch.stack([p, p / 4, p / 32]) / 64, fs=FS, **o),
    ],
    ids=["biquad", "crossover", "preemphasis", "deemphasis", "riaa"],
)
def test_all_is_computed_in_float64(design: Any) -> None:
    exact = torch.tensor(0.25, dtype=torch.float64)  # in every dtype
    sos = design(exact)
    assert sos.dtype == torch.float64
    for dtype in (torch.float32, torch.bfloat16):
        p = exact.to(dtype).requires_grad_()
        assert torch.equal(design(p), sos)
        (gradient,) = torch.autograd.grad(design(p).sum(), p)
        assert gradient.dtype == dtype
    assert design(exact, dtype=torch.float32).dtype == torch.float32
    assert design(exact, device="meta").device.type == "meta"


def test_numbers_lists_and_arrays_are_as_tensors() -> None:
    sos = polezero.biquad(
        "peaking", torch.tensor([0.1, 0.2], dtype=torch.float64), Q=torch.tensor([1.0, 2.0]), gain=3.0
    )
    for f0 in ([0.1, 0.2], (0.1, 0.2), np.array([0.1, 0.2]), [torch.tensor(0.1, dtype=torch.float64), 0.2]):
        assert torch.equal(polezero.biquad("peaking", f0, Q=np.array([1.0, 2.0]), gain=np.float64(3.0)), sos)
    for f0 in (0.1, np.float64(0.1), np.array(0.1), torch.tensor(0.1, dtype=torch.float64)):
        assert torch.equal(polezero.biquad("peaking", f0, Q=1, gain=3), sos[0])
    assert polezero.biquad("peaking", [], Q=1.0, gain=3.0).shape == (0, 1, 6)


@pytest.mark.parametrize("through", ["vmap", "compile"])
def test_where_values_are_not_read_wrong_ones_are_nan(through: str) -> None:
    def design(f0: Tensor) -> Tensor:
        return polezero.biquad("lowpass", f0, fs=FS)

    f0 = torch.tensor([-5.0, 1000.0, 30000.0]).double()
    changed = torch.vmap(design) if through == "vmap" else torch.compile(design, fullgraph=True, backend="aot_eager")
    sos = changed(f0)
    assert sos[[0, 2], :, :3].isnan().all() and sos[[0, 2], :, 4:].isnan().all()
    assert_close(sos[1], design(f0[1]))


def test_an_equaliser_is_differentiated_with_its_filter() -> None:
    x = torch.randn(2, 20, dtype=torch.float64)

    def filtered(f0: Tensor, Q: Tensor, gain: Tensor) -> Tensor:
        return polezero.sosfilt(polezero.biquad("peaking", f0, Q=Q, gain=gain, fs=48.0).squeeze(-2), x)

    parameters = [
        torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in ([3.0, 9.0], [1.0, 0.7], [4.0, -6.0])
    ]
    assert torch.autograd.gradcheck(filtered, parameters)


def test_an_equaliser_finds_another_ones_parameters() -> None:
    wanted = torch.fft.rfft(polezero.sosfilt(polezero.biquad("peaking", 2000.0, Q=2.0, gain=6.0, fs=FS), _impulse()))
    logs = torch.tensor([math.log(1200.0), 0.0, 2.0], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([logs], max_iter=100, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        sos = polezero.biquad("peaking", logs[0].exp(), Q=logs[1].exp(), gain=logs[2], fs=FS)
        error = (torch.fft.rfft(polezero.sosfilt(sos, _impulse())) - wanted).abs().square().mean()
        error.backward()
        return error

    optimizer.step(loss)
    found = [math.exp(logs[0].item()), math.exp(logs[1].item()), logs[2].item()]
    assert found == pytest.approx([2000.0, 2.0, 6.0], rel=1e-3)


def _impulse() -> Tensor:
    return torch.nn.functional.pad(torch.ones(1, dtype=torch.float64), (0, 511))
