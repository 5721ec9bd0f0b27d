"""`FilterBank`: bands beside SciPy and the designs, presets, and edges that are trained."""

import itertools
import math

import pytest
import scipy.signal
import torch
from torch import Tensor

import polezero
from polezero.nn import FilterBank
from polezero.nn._rising import Rising

MODES = ("none", "coefficients", "edges")
DECIBELS = {"butter": (), "cheby1": (1,), "cheby2": (20,), "ellip": (1, 40), "bessel": ()}  # the seed's
# The seed's equaliser.
SEED = [
    {"ftype": "butter", "order": 2, "cutoff": 0.2, "btype": "low"},
    {"ftype": "butter", "order": 2, "cutoff": [0.2, 0.6], "btype": "bandpass"},
    {"ftype": "butter", "order": 2, "cutoff": 0.6, "btype": "high"},
]

MIXED = [
    {"ftype": "butter", "order": 2, "cutoff": 300.0, "gain": -2.0},
    {"ftype": "cheby1", "order": 1, "cutoff": [400.0, 900.0], "btype": "bandpass"},
    {"ftype": "peaking", "cutoff": 800.0, "Q": 2.0, "gain": 4.0},
    {"ftype": "gammatone", "cutoff": 1000.0},
    {"ftype": "cheby1", "order": 1, "cutoff": [1000.0, 2000.0], "btype": "bandpass"},
    {"ftype": "butter", "order": 3, "cutoff": 2500.0, "btype": "high"},
]


def close(actual: Tensor, expected: Tensor, tolerance: float) -> None:
    scale = float(expected.detach().abs().max())
    torch.testing.assert_close(actual.detach(), expected.detach(), rtol=0, atol=tolerance * scale)


def noise(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def decibels(bank: FilterBank, frequencies: Tensor) -> Tensor:
    return 20 * torch.log10(bank.freqz(frequencies)[1].abs().detach())


# ---- specifications


@pytest.mark.parametrize("mode", MODES)
def test_bands_of_dictionaries_are_those_of_scipy(mode: str) -> None:
    x = noise(2, 300)
    kinds = (("low", 0.3), ("high", 0.6), ("bandpass", [0.2, 0.5]), ("bandstop", [0.3, 0.4]))
    specs = [
        {"ftype": ftype, "order": order, "cutoff": cutoff, "btype": btype}
        for ftype, order, (btype, cutoff) in itertools.product(DECIBELS, (1, 2, 5), kinds)
    ]
    y = FilterBank(specs, trainable=mode)(x)
    assert y.shape == (2, len(specs), 300)
    for k, s in enumerate(specs):
        design, norm = getattr(scipy.signal, s["ftype"]), {"norm": "phase"} if s["ftype"] == "bessel" else {}
        sos = design(s["order"], *DECIBELS[s["ftype"]], s["cutoff"], btype=s["btype"], output="sos", fs=2.0, **norm)
        close(y[:, k], torch.from_numpy(scipy.signal.sosfilt(sos, x.numpy())), 1e-11)


@pytest.mark.parametrize("mode", MODES)
def test_bands_of_different_structure_are_what_each_is_alone(mode: str) -> None:
    x = noise(300)
    y = FilterBank(MIXED, fs=8000, trainable=mode)(x)
    low, band, bell, tone, other, high = y.unbind(-2)
    f = torch.tensor([400.0, 900.0], dtype=torch.float64)
    for one, sos, gain in (
        (low, polezero.butter(2, 300.0, output="sos", fs=8000), -2),
        (band, polezero.cheby1(1, 1, f, "bandpass", output="sos", fs=8000), 0),
        (bell, polezero.biquad("peaking", 800.0, Q=2.0, gain=4.0, fs=8000), 0),
        (tone, polezero.gammatone(1000.0, "iir", output="sos", fs=8000), 0),
        (other, polezero.cheby1(1, 1, [1000.0, 2000.0], "bandpass", output="sos", fs=8000), 0),
        (high, polezero.butter(3, 2500.0, "highpass", output="sos", fs=8000), 0),
    ):
        close(one, 10 ** (gain / 20) * polezero.sosfilt(sos, x), 1e-12)


def test_bands_of_sections_are_filled_up() -> None:
    x, cascades = noise(3, 200), [polezero.butter(N, 0.3, output="sos") for N in (2, 7, 1)]
    for mode in ("none", "coefficients"):
        bank = FilterBank([2 * sos for sos in cascades], trainable=mode)
        close(bank(x), torch.stack([polezero.sosfilt(sos, x) for sos in cascades], -2), 1e-12)
    close(FilterBank(torch.stack(cascades[:1]))(x)[:, 0], polezero.sosfilt(cascades[0], x), 1e-13)
    unstable = [[[1.0, 0, 0, 1.0, 0, 1.1]]]
    assert FilterBank(unstable).bands == 1
    with pytest.raises(ValueError, match=r"^FilterBank: a: expected a_1 and a_2 of a stable section"):
        FilterBank(unstable, trainable="coefficients")


def test_options_of_designs_may_be_said() -> None:
    x = noise(200)
    bank = FilterBank(
        [
            {"ftype": "ellip", "order": 3, "cutoff": 0.2, "rp": 0.1, "rs": 60},
            {"ftype": "ellip", "order": 3, "cutoff": 0.4, "rp": 0.1, "rs": 60},
            {"ftype": "bessel", "order": 3, "cutoff": 0.2, "norm": "mag"},
            {"ftype": "legendre", "order": 3, "cutoff": 0.2},
        ]
    )
    expected = [
        polezero.ellip(3, 0.1, 60, 0.2, output="sos"),
        polezero.ellip(3, 0.1, 60, 0.4, output="sos"),
        polezero.bessel(3, 0.2, norm="mag", output="sos"),
        polezero.legendre(3, 0.2, output="sos"),
    ]
    close(bank(x), torch.stack([polezero.sosfilt(sos, x) for sos in expected]), 1e-12)


def test_designs_that_float64_does_not_hold_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^FilterBank: bands: order: expected designs whose gain float64 holds, got "):
        FilterBank([{"ftype": "butter", "order": 200, "cutoff": 0.001}])


def test_bands_of_one_structure_are_designed_together() -> None:
    bank = FilterBank.octave(3, fs=48000, trainable="edges")
    assert bank.bands == 31 and len(bank._groups) == 1
    assert [group.bands for group in FilterBank(MIXED, fs=8000, trainable="edges")._groups] == [
        (0,),
        (1, 4),
        (2,),
        (3,),
        (5,),
    ]


def test_zero_phase_is_that_of_scipy_and_wants_whole_signals() -> None:
    x = noise(2, 3, 400)
    for mode in MODES:
        bank = FilterBank.eeg(fs=128, trainable=mode, zero_phase=True)
        y = bank(x)
        assert y.shape == (2, 3, 5, 400)
        for k, sos in enumerate(bank.sos().detach()):
            close(y[..., k, :], torch.from_numpy(scipy.signal.sosfiltfilt(sos.numpy(), x.numpy()).copy()), 1e-10)
    y.square().sum().backward()
    assert bool(torch.isfinite(bank.parametrizations.edges.original.grad).all())
    one = polezero.nn.IIRFilter.from_design("butter", 4, (8.0, 12.0), "bandpass", fs=128, zero_phase=True)
    close(one(x), polezero.sosfiltfilt(one.sos(), x), 1e-13)
    with pytest.raises(
        ValueError, match=r"^FilterBank: zero_phase: expected a whole signal .*, got a signal in chunks"
    ):
        bank.stream()(x)
    with pytest.raises(ValueError, match=r"^FilterBank: zero_phase: expected a whole .*, got values that change with"):
        bank(x[0], edges=bank.edges.expand(3, 10, 5, 2), hop=40)
    with pytest.raises(ValueError, match=r"^FilterBank: zero_phase: expected False of a stateful module, got True"):
        FilterBank.eeg(fs=128, zero_phase=True, stateful=True)


# ---- presets


@pytest.mark.parametrize("fraction", [1, 3, 2])
def test_octaves_are_those_of_the_standard(fraction: int) -> None:
    f = torch.logspace(math.log10(20), math.log10(23000), 300, dtype=torch.float64)
    sos, _ = polezero.octave_bands(fraction, fs=48000)
    expected = polezero.freqz_sos(sos, f, fs=48000)[1]
    for mode in ("none", "edges"):
        close(FilterBank.octave(fraction, fs=48000, trainable=mode).freqz(f)[1], expected, 1e-9)
    single = FilterBank.octave(fraction, fs=48000)(noise(4000).float())
    assert single.dtype == torch.float32
    close(single.double(), polezero.sosfilt(sos, noise(4000)), 3e-7)  # of float32 signals


@pytest.mark.parametrize("scale", ["erb", "mel"])
def test_gammatones_are_evenly_on_their_scale(scale: str) -> None:
    bank = FilterBank.gammatone(24, fs=16000, scale=scale, fmin=80, fmax=7000, trainable="edges")
    centres = bank.cutoff.detach()
    steps = torch.log1p(0.00437 * centres) if scale == "erb" else torch.log1p(centres / 700)
    close(steps.diff(), steps.diff().mean().expand(23), 1e-9)
    close(centres[[0, -1]], torch.tensor([80.0, 7000.0], dtype=torch.float64), 1e-12)
    level = decibels(bank, centres)
    close(level.diagonal() + 1, torch.ones(24, dtype=torch.float64), 1e-9)  # 0 dB
    close(bank.sos(), polezero.gammatone(centres, "iir", fs=16000, output="sos"), 1e-12)
    with pytest.raises(ValueError, match=r"^FilterBank: scale: expected one of erb, mel, got 'bark'"):
        FilterBank.gammatone(fs=16000, scale="bark")
    with pytest.raises(ValueError, match=r"^FilterBank: bands: expected a number of 2 or more, got 1"):
        FilterBank.gammatone(1, fs=16000)


def test_eeg_bands_have_their_edges_at_half_power() -> None:
    for fs in (100, 128, 1000):
        bank = FilterBank.eeg(fs=fs)
        assert bank.bands == 5
        edges = torch.tensor([0.5, 4.0, 8.0, 13.0, 30.0, 45.0], dtype=torch.float64)
        level = decibels(bank, edges)
        for k in range(5):
            half = torch.full((2,), -10 * math.log10(2), dtype=torch.float64)
            close(level[k, k : k + 2], half, 1e-6)


@pytest.mark.parametrize("order", [2, 4, 8])
def test_crossovers_sum_flat_however_their_splits_are_trained(order: int) -> None:
    f = torch.linspace(1.0, 23999.0, 500, dtype=torch.float64)
    for splits in ([1000.0], [300.0, 3000.0], [100.0, 500.0, 2000.0, 9000.0]):
        bank = FilterBank.crossover(splits, order, fs=48000, trainable="edges")
        for _ in range(2):
            total = bank.freqz(f)[1].sum(-2).abs()
            close(total, torch.ones_like(total), 1e-8)
            with torch.no_grad():
                for parameter in bank.parameters():
                    parameter += 0.3 * torch.arange(1.0, parameter.numel() + 1)
        assert not torch.allclose(bank.splits.detach(), torch.tensor(splits, dtype=torch.float64), rtol=0.01)
        assert bool((bank.splits.diff() > 0).all())


# ---- edges


def test_edges_gains_and_qualities_are_those_of_the_design() -> None:
    bank = FilterBank(MIXED, fs=8000, trainable="edges")
    assert {name for name, _ in bank.named_parameters()} == {
        f"parametrizations.{name}.original" for name in ("cutoff", "edges", "gain", "Q")
    }
    bank.cutoff, bank.edges = [200.0, 700.0, 900.0, 3000.0], [[500.0, 800.0], [1500.0, 1600.0]]
    bank.gain, bank.Q = [3.0, -6.0], [5.0]
    changed = [dict(spec) for spec in MIXED]
    for k, f in zip((0, 2, 3, 5, 1, 4), (200.0, 700.0, 900.0, 3000.0, [500.0, 800.0], [1500.0, 1600.0])):
        changed[k]["cutoff"] = f
    changed[0]["gain"], changed[2]["gain"], changed[2]["Q"] = 3.0, -6.0, 5.0
    close(bank(noise(200)), FilterBank(changed, fs=8000)(noise(200)), 1e-11)


def test_training_keeps_edges_in_order_and_filters_stable() -> None:
    notch = {"ftype": "ellip", "order": 4, "cutoff": [0.3, 0.4], "btype": "bandstop"}
    bank = FilterBank([*SEED, notch], trainable="edges")
    random, optimiser = torch.Generator().manual_seed(1), torch.optim.SGD(bank.parameters(), 1.0)
    for _ in range(30):
        for parameter in bank.parameters():
            parameter.grad = 2 * torch.randn(parameter.shape, generator=random, dtype=torch.float64)
        optimiser.step()
        edges = torch.cat([bank.cutoff.detach().flatten(), bank.edges.detach().flatten()])
        assert bool(((edges >= 4e-5) & (edges <= 0.99)).all())
        assert bool((bank.edges[:, 1] > 1.0009 * bank.edges[:, 0]).all())
        assert bool(polezero.is_stable(bank.sos().detach()).all())


def test_coefficients_stay_stable_in_training() -> None:
    bank = FilterBank(SEED, trainable="coefficients")
    random = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in bank.parameters():
            parameter += 5 * torch.randn(parameter.shape, generator=random, dtype=torch.float64)
    assert bool(polezero.is_stable(bank.sos().detach()).all())


def test_only_the_named_parameters_are_trained() -> None:
    bank = FilterBank(MIXED, fs=8000, trainable=["gain"])
    assert [name for name, _ in bank.named_parameters()] == ["parametrizations.gain.original"]
    bank = FilterBank(SEED, trainable=("b",))
    assert [name for name, _ in bank.named_parameters()] == ["b"]


def test_edges_may_be_predicted_for_each_item_and_frame() -> None:
    bank, x = FilterBank(SEED, trainable="edges"), noise(2, 64)
    cutoffs = torch.tensor([[0.1, 0.5], [0.3, 0.8]], dtype=torch.float64)
    y = bank(x, cutoff=cutoffs)
    for item in range(2):
        bank.cutoff = cutoffs[item]
        close(y[item], bank(x[item]), 1e-12)
    frames = torch.stack([cutoffs, cutoffs.flip(0)], 1)  # from one to the other in the first 32 samples, then held
    y = bank(x, cutoff=frames, hop=32)
    assert y.shape == (2, 3, 64)
    assert not torch.allclose(y, bank(x, cutoff=cutoffs))


def test_parameters_in_float32_keep_the_bands_to_their_rounding() -> None:
    x = noise(500)
    for mode in ("coefficients", "edges"):
        bank = FilterBank(MIXED, fs=8000, trainable=mode, dtype=torch.float32)
        assert bank.sos().dtype == torch.float64 and next(bank.parameters()).dtype == torch.float32
        close(bank(x), FilterBank(MIXED, fs=8000)(x), 1e-5)


def test_figures_show_all_bands() -> None:
    pytest.importorskip("matplotlib")
    figure = FilterBank.eeg(fs=128).plot()
    assert len(figure.axes[0].lines) >= 5


# ---- rising frequencies


def test_rising_frequencies_come_back_and_stay_in_order() -> None:
    rising = Rising(20.0, 20000.0)
    for value in ([20.0], [20000.0], [100.0, 100.2], [20.0, 20000.0], [50.0, 400.0, 3000.0], [19980.0, 20000.0]):
        v = torch.tensor(value, dtype=torch.float64)
        original = rising.right_inverse(v)
        assert bool(torch.isfinite(original).all())
        close(rising(original), v, 1e-12)
    extreme = torch.tensor([[500.0, -500.0, 0.0], [-500.0, 500.0, 300.0]], dtype=torch.float64)
    v = rising(extreme)
    assert bool((v[:, 1:] / v[:, :-1] > 1.00099).all()) and bool(((v >= 20) & (v <= 20000)).all())
    for wrong in ([100.0, 100.0], [100.0, 50.0], [10.0], [20001.0], [-1.0], [0.0, 100.0]):
        with pytest.raises(ValueError, match=r"^Rising: value: expected rising frequencies of 20 to 20000 Hz"):
            rising.right_inverse(torch.tensor(wrong, dtype=torch.float64))
    with pytest.raises(ValueError, match=r"^Rising: low: expected a number between 0 and high"):
        Rising(30.0, 20.0)


def test_rising_frequencies_have_right_gradients() -> None:
    original = torch.randn(3, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(Rising(20.0, 20000.0), (original,))
