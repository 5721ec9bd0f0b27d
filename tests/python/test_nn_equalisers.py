"""Values of the equalisers: `ParametricEQ`, `ShelvingEQ`, `GraphicEQ`, `Crossover`, `ToneStack`, `NonlinearBiquad`."""

import copy
import math
import pickle
from typing import Any

import numpy as np
import pytest
import torch
from support import assert_close, decibels
from torch import Tensor

import polezero
from polezero import reference
from polezero._design.cookbook import TYPES, WITHOUT_GAIN
from polezero._design.parameters import prewarped
from polezero.nn import Biquad, Crossover, GraphicEQ, NonlinearBiquad, ParametricEQ, ShelvingEQ, ToneStack

FS = 48000.0


def signal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


# ---- ParametricEQ


def by_the_cookbook(btype: str, f: np.ndarray, Q: np.ndarray, gain: np.ndarray) -> np.ndarray:
    """Numerator and denominator of s = (1 - z^-1) / (1 + z^-1), in extended precision, where a platform has it.

    From K on: the tangent of what is rounded near a right angle has fewer digits, 12 at 23999 Hz.
    """
    K, Q, gain = (np.longdouble(v) for v in (prewarped(torch.tensor(f.copy()), FS).numpy(), Q, gain))
    A = np.power(np.longdouble(10), gain / 40)
    d, S, root, zero, one = K / Q, K * K, np.sqrt(A), 0 * K, 1 + 0 * K
    resonance = (one, d, S)
    numerator, denominator = {
        "lowpass": ((zero, zero, S), resonance),
        "highpass": ((one, zero, zero), resonance),
        "bandpass": ((zero, d, zero), resonance),
        "bandpass_skirt": ((zero, K, zero), resonance),
        "notch": ((one, zero, S), resonance),
        "allpass": ((one, -d, S), resonance),
        "peaking": ((one, d * A, S), (one, d / A, S)),
        "lowshelf": ((one, d * root, S * A), (one, d / root, S / A)),
        "highshelf": ((A, d * root, S), (1 / A, d / root, S)),
    }[btype]
    rows = [[s + m + c, 2 * (c - s), s - m + c] for s, m, c in (numerator, denominator)]
    b, a = (np.stack(row, -1) for row in rows)
    return np.concatenate([b, a], -1) / a[..., :1]


@pytest.mark.parametrize("btype", TYPES)
def test_sections_are_exact_from_low_frequencies_to_nyquists(btype: Any) -> None:
    f = np.array([0.1, 20.0, 33.0, 1e3, 11999.0, 23e3, 23999.0])[:, None, None]
    Q = np.array([0.1, 0.5, 2**-0.5, 3.0, 10.0, 1000.0])[:, None]
    gain = np.array([-18.0, -6.0, 0.0, 0.1, 18.0])
    f, Q, gain = np.broadcast_arrays(f, Q, gain)
    expected = by_the_cookbook(btype, f, Q, gain)
    given = {} if btype in WITHOUT_GAIN else {"gain": gain}
    section = polezero.biquad(btype, f, Q=Q, fs=FS, **given)
    eq = ParametricEQ([btype], fs=FS, frequency_range=(0.1, 23999.0), Q_range=(0.1, 1000.0))
    tensors = {name: torch.tensor(v.copy())[..., None] for name, v in {"frequency": f, "Q": Q, **given}.items()}
    assert_close(eq.sos(**tensors), section, 1e-15)
    for part in (slice(0, 3), slice(3, 6)):
        got, exact = section[..., 0, part].numpy(), expected[..., part]
        size = np.abs(exact).max(-1, keepdims=True)  # of lowpass at 20 Hz 2e-6
        assert np.max(np.abs(got - exact) / size) < 1e-14  # 4e-15


def test_all_bands_are_those_of_biquad_whatever_their_types() -> None:
    frequency, Q = torch.linspace(50, 9000, 9).double(), torch.linspace(0.3, 4, 9).double()
    gain = torch.tensor([3.0, -5.0, 7.0]).double()
    eq, gains = ParametricEQ(TYPES, frequency, Q, gain, fs=FS), iter(gain)
    bands = [
        polezero.biquad(t, f, Q=q, gain=None if t in WITHOUT_GAIN else next(gains), fs=FS)  # type: ignore[arg-type]
        for t, f, q in zip(TYPES, frequency, Q)
    ]
    assert_close(eq.sos().detach(), torch.cat(bands), 1e-14)


def test_the_six_bands_are_flat_but_for_their_ends_until_gains_are_set() -> None:
    eq = ParametricEQ(fs=FS)
    assert decibels(eq.sos().detach(), [200.0, 1000.0, 5000.0], FS) == pytest.approx(np.zeros(3), abs=0.05)
    eq.gain = [0.0, -6.0, 0.0, 0.0]
    assert decibels(eq.sos().detach(), [5000.0], FS)[0] == pytest.approx(-6, abs=0.05)
    for fs in (1000.0, 8000.0, 192e3):
        f = ParametricEQ(TYPES, fs=fs).frequency
        assert bool((f <= 0.45 * fs).all()) and bool((f > 0).all())


@pytest.mark.parametrize("fs", [8000, 16000, 22050, 32000])
def test_default_frequencies_can_be_trained_at_every_rate(fs: int) -> None:
    eq = ParametricEQ(gain=3.0, fs=fs)
    eq(torch.randn(2000, dtype=torch.float64)).square().mean().backward()
    gradient = eq.parametrizations.frequency.original.grad
    assert bool((gradient.abs() > 1e-6).all())


def test_settings_are_lines_for_an_engineer() -> None:
    eq = ParametricEQ(["highshelf", "notch"], [8000.0, 50.0], [0.7, 9.0], -4.5, fs=FS, channels=2)
    eq.gain = [[-4.5], [12.0]]
    assert eq.settings().splitlines() == [
        "channel 0",
        "highshelf  8000 Hz   -4.5 dB  Q 0.70",
        "notch        50 Hz            Q 9.00",
        "channel 1",
        "highshelf  8000 Hz  +12.0 dB  Q 0.70",
        "notch        50 Hz            Q 9.00",
    ]


def test_an_equaliser_of_single_precision_designs_in_double() -> None:
    eq = ParametricEQ(frequency=[300.0, 3000.0, 120.0, 8000.0, 16000.0, 32.0], gain=[3.0, -2.0, 0.0, 4.0], fs=FS)
    single = copy.deepcopy(eq).float()
    assert torch.equal(single._exponents.double(), eq._exponents) and torch.equal(single._mixing.double(), eq._mixing)
    values = {name: v.detach().double() for name, v in single.values().items()}
    assert single.sos().dtype == torch.float64 and torch.equal(single.sos().detach(), eq.sos(**values).detach())


def test_frames_of_all_parameters_meet_the_interpolated_sections() -> None:
    bands, hop, x = ["peaking", "lowpass"], 8, signal(2, 30)
    eq = ParametricEQ(bands, fs=8000.0)
    frequency = torch.rand(2, 5, 2).double() * 1000 + 500
    Q, gain = torch.rand(2, 5, 2).double() + 0.5, torch.rand(2, 5, 1).double() * 12 - 6
    frames = eq.sos(frequency=frequency, Q=Q, gain=gain).detach()
    n = torch.arange(30)
    left, part = n // hop, (n % hop / hop)[:, None, None]
    sos = frames[:, left] * (1 - part) + frames[:, left + 1] * part
    got = eq(x, hop=hop, frequency=frequency, Q=Q, gain=gain)
    assert_close(got, reference.lpv_sosfilt(sos, x), 1e-12)
    given = [v.requires_grad_() for v in (frequency, Q, gain)]

    def filtered(x: Tensor, *values: Tensor) -> Tensor:
        return eq(x, hop=hop, **dict(zip(("frequency", "Q", "gain"), values)))

    assert torch.autograd.gradcheck(filtered, (x.requires_grad_(), *given), fast_mode=True, rtol=1e-3)


def test_one_wrong_item_of_a_batch_leaves_the_others_alone() -> None:
    eq, x = ParametricEQ(fs=8000.0), signal(2, 16)
    f = eq.frequency.detach().repeat(2, 1)
    f[1, 2] = math.nan
    compiled = torch.compile(eq, backend="eager")  # where nobody looks at the values
    y = compiled(x, frequency=f)
    assert_close(y[0], eq(x[0]))
    assert y[1].isnan().any()


def test_shelves_tilt() -> None:
    eq = ShelvingEQ(gain=[-3.0, 3.0], fs=FS)
    assert decibels(eq.sos().detach(), [1.0, 1000.0, 23900.0], FS) == pytest.approx([-3, 0, 3], abs=0.05)


# ---- GraphicEQ


@pytest.mark.parametrize(("spacing", "bands"), [("octave", 10), ("third octave", 31), ("bark", 24)])
def test_the_response_goes_through_the_gains(spacing: Any, bands: int) -> None:
    """As the docstring says."""
    signs = (-1.0) ** torch.arange(bands)
    gains = torch.cat([(12 * signs)[None], torch.full((1, bands), 12.0), 24 * torch.rand(30, bands) - 12]).double()
    for corrections, off in ((0, 1.5), (1, 0.3), (2, 0.15)):
        eq = GraphicEQ(spacing, fs=FS, corrections=corrections)
        assert eq.frequency.shape == (bands,)
        error = decibels(eq.sos(gain=gains), eq.frequency.numpy(), FS) - gains.numpy()
        assert np.abs(error).max() < off
    if spacing != "bark":
        middles = (eq.frequency[1:] * eq.frequency[:-1]).sqrt()
        ripple = decibels(eq.sos(gain=gains), middles.numpy(), FS) - (gains[:, 1:] + gains[:, :-1]).numpy() / 2
        assert np.abs(ripple).max() < 1.5
    if spacing == "octave":
        raw = [polezero.biquad("peaking", f, Q=q, gain=12.0, fs=FS) for f, q in zip(eq.frequency, eq._Q)]
        assert decibels(torch.cat(raw), eq.frequency.numpy(), FS).max() == pytest.approx(23, abs=0.2)


def test_bands_that_end_above_the_highest_frequency_are_left_out() -> None:
    assert GraphicEQ("octave", fs=44100.0).frequency[-1] == pytest.approx(
        10**4.2 if 10**4.35 < 0.49 * 44100 else 7943.28
    )
    assert GraphicEQ("bark", fs=16000.0).frequency.tolist()[-2:] == [5800.0, 7000.0]
    assert GraphicEQ("third octave", fs=1000.0).frequency[-1] == pytest.approx(10**2.6)


# ---- Crossover


@pytest.mark.parametrize(("order", "ftype"), [(2, "linkwitz-riley"), (4, "linkwitz-riley"), (3, "butterworth")])
def test_bands_of_a_crossover_sum_to_an_all_pass(order: int, ftype: Any) -> None:
    split, impulse = Crossover([200.0, 1000.0, 5000.0], order, ftype, fs=FS), torch.zeros(2, 16384).double()
    impulse[:, 0] = 1
    bands = split(impulse).detach()
    assert bands.shape == (2, 4, 16384)
    assert_close(torch.fft.rfft(bands.sum(1)).abs(), torch.ones(2, 8193).double(), 1e-9)
    expected = polezero.sosfilt(polezero.crossover(order, [200.0, 1000.0, 5000.0], ftype, fs=FS), impulse[:, None])
    assert_close(bands, expected, 1e-10)


def test_float32_streams_of_a_crossover_equal_the_whole() -> None:
    split, x = Crossover([30.0, 200.0], fs=FS), signal(1, 4000).float()
    stream = split.stream()
    y = torch.cat([stream(part) for part in x.split(1, -1)], -1)
    torch.testing.assert_close(y, split(x), atol=2e-6, rtol=0)  # 1e-5 where the state is rounded to float32


def test_frequencies_of_a_crossover_rise_whatever_an_optimiser_does() -> None:
    split = Crossover([200.0, 1000.0, 5000.0], fs=FS)
    (original,) = split.parameters()
    for seed in range(20):
        with torch.no_grad():
            original.copy_(20 * signal(3, seed=seed))
        f = split.frequency.detach()
        assert bool((f[1:] > f[:-1]).all()) and 20 <= f[0] and f[-1] <= 0.45 * FS
        split.frequency = f
        assert_close(split.frequency.detach(), f, 1e-10)


# ---- ToneStack


def of_the_circuit(f: np.ndarray, bass: float, middle: float, treble: float, part: dict[str, float]) -> np.ndarray:
    """Voltages of the nodes by Kirchhoff's current law: treble top, slope, treble bottom, bass bottom, wipers."""
    top, slope, bottom, pot, middle_wiper, out = range(6)
    source, ground, low = -1, -2, math.exp(3.4 * (bass - 1))
    result = []
    for s in 2j * np.pi * f:
        elements = [
            (source, top, s * part["C1"]),
            (top, out, 1 / ((1 - treble) * part["R1"])),
            (out, bottom, 1 / (treble * part["R1"])),
            (source, slope, 1 / part["R4"]),
            (slope, bottom, s * part["C2"]),
            (bottom, pot, 1 / (low * part["R2"])),
            (slope, middle_wiper, s * part["C3"]),
            (pot, middle_wiper, 1 / ((1 - middle) * part["R3"])),
            (middle_wiper, ground, 1 / (middle * part["R3"])),
        ]
        G, current = np.zeros((6, 6), complex), np.zeros(6, complex)
        for one, other, admittance in elements:
            for node, far in ((one, other), (other, one)):
                if node >= 0:
                    G[node, node] += admittance
                    if far >= 0:
                        G[node, far] -= admittance
                    elif far == source:
                        current[node] += admittance
        result.append(np.linalg.solve(G, current)[out])
    return np.array(result)


MARSHALL = {"R1": 220e3, "R2": 1e6, "R3": 22e3, "R4": 33e3, "C1": 470e-12, "C2": 22e-9, "C3": 22e-9}


@pytest.mark.parametrize("components", [None, MARSHALL], ids=["Bassman", "Marshall"])
@pytest.mark.parametrize("knobs", [(0.5, 0.5, 0.5), (0.1, 0.9, 0.3), (0.95, 0.05, 0.7), (0.3, 0.4, 0.99)])
def test_a_tone_stack_has_the_response_of_its_circuit(knobs: tuple[float, ...], components: Any) -> None:
    stack = ToneStack(*knobs, fs=FS, components=components)
    f = np.geomspace(10, 23000, 40)
    warped = FS / math.pi * np.tan(math.pi * f / FS)  # where the transform takes f from
    _, H = stack.freqz(torch.tensor(f))
    np.testing.assert_allclose(H.detach().numpy(), of_the_circuit(warped, *knobs, stack.components), rtol=1e-8)


def test_a_tone_stack_is_stable_for_all_positions() -> None:
    for fs in (8000.0, 48000.0, 384e3):
        knobs = torch.cartesian_prod(*[torch.tensor([0.0, 0.2, 0.5, 1.0]).double()] * 3)
        b, a = ToneStack(fs=fs).ba(**dict(zip(("bass", "middle", "treble"), knobs.unbind(-1))))
        assert np.abs([np.roots(row) for row in a.detach().numpy()]).max() < 1
        assert b.sum(-1).abs().max() < 1e-9  # no direct current


def test_knobs_that_turn_give_each_sample_the_coefficients_of_a_circuit() -> None:
    stack, x = ToneStack(fs=FS), signal(17)
    bass = torch.tensor([0.1, 0.9, 0.4]).double()
    each = torch.nn.functional.interpolate(bass[None, None], 17, mode="linear", align_corners=True)[0, 0]
    b, a = stack.ba(bass=each)
    b, a = b.detach(), a.detach()
    assert_close(stack(x, hop=8, bass=bass).detach(), reference.lpv_lfilter(b, a, x, form="tdf2"), 1e-11)


# ---- NonlinearBiquad


def identity(u: Tensor) -> Tensor:
    return u


def test_a_nonlinear_biquad_without_a_nonlinearity_is_a_biquad() -> None:
    options: Any = {"frequency": 1000.0, "Q": 3.0, "gain": 6.0, "fs": 8000.0}
    x = signal(3, 40)
    linear, cell = Biquad("peaking", **options), NonlinearBiquad("peaking", **options, activation=identity)
    assert_close(cell(x).detach(), linear(x).detach(), 1e-12)
    assert_close(cell(x, hop=8, Q=torch.full((3, 6), 3.0)).detach(), linear(x).detach(), 1e-6)
    assert cell(x[:, :0]).shape == (3, 0)


def test_a_nonlinear_biquad_feeds_back_what_the_function_gives() -> None:
    cell, x = NonlinearBiquad("lowpass", 1000.0, 5.0, fs=8000.0), 3 * signal(30)
    b0, b1, b2, _, a1, a2 = cell.sos()[0].tolist()
    y = [0.0, 0.0]
    padded = [0.0, 0.0, *x.tolist()]
    for n in range(2, 32):
        y.append(math.tanh(b0 * padded[n] + b1 * padded[n - 1] + b2 * padded[n - 2] - a1 * y[-1] - a2 * y[-2]))
    assert_close(cell(x).detach(), torch.tensor(y[2:], dtype=torch.float64), 1e-13)


def test_a_function_with_parameters_is_trained_and_pickled_with_its_cell() -> None:
    cell = NonlinearBiquad("lowpass", 1000.0, activation=torch.nn.PReLU(dtype=torch.float64), fs=8000.0)
    x = signal(2, 12)
    cell(x).square().sum().backward()
    assert cell.activation.weight.grad.abs() > 0
    assert torch.equal(pickle.loads(pickle.dumps(cell))(x), cell(x))
