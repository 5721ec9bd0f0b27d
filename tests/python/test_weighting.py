"""Weightings, RIAA and octave bands against the tables of their standards."""

import inspect
import math
import re

import numpy as np
import pytest
import scipy.signal
import torch
from support import decibels

import polezero
from polezero._design import weighting

# IEC 61672-1:2013, table 3, at 1000 * 10^(n / 10) Hz from n = -20 on: A, C, and the acceptance limits of class 1; and B
# of ANSI S1.4-1983, table IV.
A = (
    *(-70.4, -63.4, -56.7, -50.5, -44.7, -39.4, -34.6, -30.2, -26.2, -22.5, -19.1, -16.1, -13.4, -10.9, -8.6, -6.6),
    *(-4.8, -3.2, -1.9, -0.8, 0.0, 0.6, 1.0, 1.2, 1.3, 1.2, 1.0, 0.5, -0.1, -1.1, -2.5, -4.3, -6.6, -9.3),
)
B = (
    *(-38.2, -33.2, -28.5, -24.2, -20.4, -17.1, -14.2, -11.6, -9.3, -7.4, -5.6, -4.2, -3.0, -2.0, -1.3, -0.8, -0.5),
    *(-0.3, -0.1, 0.0, 0.0, 0.0, 0.0, -0.1, -0.2, -0.4, -0.7, -1.2, -1.9, -2.9, -4.3, -6.1, -8.4, -11.1),
)
C = (
    *(-14.3, -11.2, -8.5, -6.2, -4.4, -3.0, -2.0, -1.3, -0.8, -0.5, -0.3, -0.2, -0.1, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
    *(0.0, 0.0, 0.0, -0.1, -0.2, -0.3, -0.5, -0.8, -1.3, -2.0, -3.0, -4.4, -6.2, -8.5, -11.2),
)
UPPER = (3.0, 2.5, 2.0, 2.0, 2.0, 1.5, *[1.0] * 14, 0.7, *[1.0] * 6, 1.5, 1.5, 1.5, 2.0, 2.0, 2.5, 3.0)
LOWER = (
    *(math.inf, math.inf, 4.0, 2.0, 1.5, 1.5, *[1.0] * 14, 0.7, *[1.0] * 6),
    *(1.5, 2.0, 2.5, 3.0, 5.0, 16.0, math.inf),
)
THIRDS = 1000 * 10 ** (np.arange(-20, 14) / 10)
TABLES = {"A": A, "B": B, "C": C}
# Zeros at 0, and poles in hertz.
LOWEST, HIGHEST = weighting.LOWEST, weighting.HIGHEST
ANALOG = {
    "A": (4, [LOWEST, LOWEST, weighting.SECOND, weighting.THIRD, HIGHEST, HIGHEST]),
    "B": (3, [LOWEST, LOWEST, weighting.OF_B, HIGHEST, HIGHEST]),
    "C": (2, [LOWEST, LOWEST, HIGHEST, HIGHEST]),
}
RATES = [32000.0, 44100.0, 48000.0, 88200.0, 96000.0, 192000.0]


def curve(name: str, f: np.ndarray) -> np.ndarray:
    zeros, poles = ANALOG[name]

    def level(f: np.ndarray) -> np.ndarray:
        return 20 * zeros * np.log10(f) - sum(10 * np.log10(f * f + p * p) for p in poles)

    return level(f) - level(np.array(1000.0))


def bilinear(f: np.ndarray, fs: float) -> np.ndarray:
    zeros, poles = ANALOG["A"]
    sos = scipy.signal.zpk2sos(*scipy.signal.bilinear_zpk([0] * zeros, [-2 * np.pi * p for p in poles], 1.0, fs))
    levels = decibels(torch.tensor(sos), [*f, 1000.0], fs)
    return levels[:-1] - levels[-1]


def test_corners_are_those_of_the_standard() -> None:
    """IEC 61672-1, E.3: from 3 dB at 10^1.5 and 10^3.9 Hz, relative to 1 kHz."""
    low, high, D = 10**1.5, 10**3.9, math.sqrt(0.5)
    c = (low * high) ** 2
    b = (1000**2 + c / 1000**2 - D * (low**2 + high**2)) / (1 - D)
    roots = [math.sqrt((-b + sign * math.sqrt(b * b - 4 * c)) / 2) for sign in (-1, 1)]
    assert roots == pytest.approx([LOWEST, HIGHEST], rel=1e-11)  # b and its root are nearly equal
    middle = [10**2.45 * (3 + sign * math.sqrt(5)) / 2 for sign in (-1, 1)]
    assert middle == pytest.approx([weighting.SECOND, weighting.THIRD], rel=1e-14)


@pytest.mark.parametrize("fs", RATES)
@pytest.mark.parametrize("name", TABLES)
def test_weightings_are_within_class_1(name: str, fs: float) -> None:
    f = THIRDS[THIRDS <= 0.4 * fs]
    deviation = decibels(polezero.weighting(name, fs), f, fs) - np.array(TABLES[name])[: len(f)]
    assert (deviation <= np.array(UPPER)[: len(f)]).all() and (-deviation <= np.array(LOWER)[: len(f)]).all()
    assert np.abs(deviation).max() < 0.05 + 0.07  # the table's rounding, and the filter's deviation


def test_the_docstring_has_the_deviations() -> None:
    text = inspect.getdoc(polezero.weighting) or ""
    rows = re.findall(r"^([\d ]+?)\s{2,}([\d.]+)\s+([\d.]+)\s+([\d.]+)\s+([\d.]+)$", text, re.M)
    assert len(rows) == 5
    for rate, *said in rows:
        fs = float(rate.replace(" ", ""))
        f = np.geomspace(10, min(20e3, 0.4 * fs), 2000)
        measured = [np.abs(decibels(polezero.weighting(name, fs), f, fs) - curve(name, f)).max() for name in TABLES]
        assert [f"{m:.2f}" for m in measured] == said[:3]
        assert f"{np.abs(bilinear(f, fs) - curve('A', f)).max():.1f}" == said[3]


def test_k_weighting_is_the_recommendations() -> None:
    """ITU-R BS.1770-5, tables 1 and 2."""
    table = [
        [1.53512485958697, -2.69169618940638, 1.19839281085285, 1.0, -1.69065929318241, 0.73248077421585],
        [1.0, -2.0, 1.0, 1.0, -1.99004745483398, 0.99007225036621],
    ]
    assert (polezero.weighting("K", 48000) - torch.tensor(table, dtype=torch.float64)).abs().max() < 1e-15


@pytest.mark.parametrize("fs", [8000.0, 16000.0, 22050.0, *RATES])
def test_k_weighting_is_the_same_at_every_rate(fs: float) -> None:
    f = np.geomspace(10, min(0.45 * fs, 20000), 500)
    deviation = decibels(polezero.weighting("K", fs), f, fs) - decibels(polezero.weighting("K", 48000), f, 48000)
    off = {8000.0: 0.05, 16000.0: 0.002, 22050.0: 4e-4}.get(fs, 5e-5)
    assert np.abs(deviation).max() < off
    # 0 dB FS of 997 Hz in one channel is -3.01 LKFS, which takes 0.691 from the level.
    assert decibels(polezero.weighting("K", fs), [997.0], fs)[0] == pytest.approx(0.691, abs=4e-3 + off)


# ---- RIAA, by IEC 60098 and with the amendment of 1976; dB relative to 1 kHz

RIAA = {
    **{20: 19.274, 30: 18.593, 50: 16.946, 100: 13.088, 200: 8.219, 500: 2.648, 1000: 0.0, 2000: -2.589},
    **{5000: -8.210, 10000: -13.734, 20000: -19.620},
}


@pytest.mark.parametrize("fs", RATES)
def test_riaa_follows_its_table(fs: float) -> None:
    f = np.array([f for f in RIAA if f <= 0.4 * fs], dtype=float)
    table = np.array([RIAA[int(v)] for v in f])
    playback = polezero.riaa(fs=fs)
    assert np.abs(decibels(playback, f, fs) - table).max() < 0.08
    np.testing.assert_allclose(
        decibels(polezero.riaa(fs=fs, record=True), f, fs), -decibels(playback, f, fs), atol=1e-10
    )
    amended = table - 10 * np.log10(1 + 1 / (2 * np.pi * f * 7950e-6) ** 2)
    amended -= amended[f == 1000]
    assert np.abs(decibels(polezero.riaa(fs=fs, iec=True), f, fs) - amended).max() < 0.08
    assert amended[0] == pytest.approx(16.3, abs=0.05)


# ---- octave bands: IEC 61260-1:2014, table 1, class 1

OCTAVE = 10**0.3
PASS = ([0, 1 / 8, 1 / 4, 3 / 8, 1 / 2], [0.4, 0.5, 0.7, 1.4, 5.3])  # at most, and at least -0.4
STOP = ([1 / 2, 1, 2, 3, 4, 6], [1.2, 16.6, 40.5, 60.0, 70.0, 70.0])  # at least


def breakpoints(exponents: list[float], b: int) -> np.ndarray:
    """Of octaves to those of a fraction: formula 9."""
    slope = (OCTAVE ** (0.5 / b) - 1) / (OCTAVE**0.5 - 1)
    return np.log(1 + slope * (OCTAVE ** np.array(exponents) - 1))


def margin(sos: torch.Tensor, middle: float, b: int, fs: float) -> float:
    """In dB, to the limits that are nearest; linear in the logarithm of frequency between breakpoints."""
    margins = []
    reference = decibels(sos, [middle], fs)
    for side in (-1, 1):
        for (exponents, limits), stops in ((PASS, False), (STOP, True)):
            points = breakpoints(exponents, b)
            at = np.linspace(points[0], points[-1], 300)[1:-1]
            f = middle * np.exp(side * at)
            at, f = at[f < 0.4999 * fs], f[f < 0.4999 * fs]
            attenuation = reference - decibels(sos, f, fs)
            limit = np.interp(at, points, limits)
            margins += [attenuation - limit] if stops else [limit - attenuation, attenuation + 0.4]
    return float(np.concatenate(margins).min())


@pytest.mark.parametrize("fs", [8000.0, 44100.0, 48000.0])
@pytest.mark.parametrize("fraction", [1, 2, 3, 12])
def test_octave_bands_are_within_class_1(fraction: int, fs: float) -> None:
    sos, middles = polezero.octave_bands(fraction, fs=fs)
    assert sos.shape == (len(middles), 4, 6)
    assert middles[-1] * OCTAVE ** (0.5 / fraction) <= 0.49 * fs
    bands = list(zip(sos, middles.tolist()))
    for band, middle in [*bands[:: max(1, fraction // 2)], bands[-1]]:
        assert margin(band, middle, fraction, fs) > 0.37, middle
        edges = [middle * OCTAVE ** (side / (2 * fraction)) for side in (-1, 1)]
        assert decibels(band, edges, fs) == pytest.approx([-3.0103] * 2, abs=1e-5)


def test_of_order_3_they_are_as_far_as_the_docstring_says() -> None:
    for fraction, highest in ((1, 0.17), (3, 0.23)):
        sos, middles = polezero.octave_bands(fraction, fs=48000, order=3)
        within = [margin(band, middle, fraction, 48000) > 0 for band, middle in zip(sos, middles.tolist())]
        assert within == [middle < highest * 48000 for middle in middles.tolist()]


def test_mid_band_frequencies() -> None:
    _, thirds = polezero.octave_bands(3, fs=48000)
    np.testing.assert_allclose(thirds, 1000 * 10 ** (np.arange(-17, 14) / 10), rtol=1e-13)
    _, octaves = polezero.octave_bands(1, fs=48000, fmin=31.5, fmax=8000)
    nominal = [31.5, 63, 125, 250, 500, 1000, 2000, 4000, 8000]
    np.testing.assert_allclose(octaves, nominal, rtol=0.011)
    _, halves = polezero.octave_bands(2, fs=48000, fmin=800, fmax=1200)
    np.testing.assert_allclose(halves, 1000 * OCTAVE ** np.array([-0.25, 0.25]), rtol=1e-13)


@pytest.mark.parametrize("order", [1, 2, 3, 4, 5])
def test_octave_bands_are_scipys_butterworth_filters(order: int) -> None:
    sos, middles = polezero.octave_bands(3, fs=48000, fmin=100, fmax=16000, order=order)
    f = np.geomspace(20, 23000, 300)
    for band, middle in zip(sos, middles.tolist()):
        edges = [middle * OCTAVE ** (-1 / 6), middle * OCTAVE ** (1 / 6)]
        expected = torch.tensor(scipy.signal.butter(order, edges, "bandpass", fs=48000, output="sos"))
        np.testing.assert_allclose(
            np.abs(10 ** (decibels(band, f, 48000) / 20)), 10 ** (decibels(expected, f, 48000) / 20), atol=2e-10
        )


def test_results_have_the_dtype_and_the_device_that_are_asked_for() -> None:
    for tensors in (
        [polezero.weighting("A", 48000, dtype=torch.float32, device="meta")],
        polezero.octave_bands(fs=48000, dtype=torch.float32, device="meta"),
    ):
        assert all(t.dtype == torch.float32 and t.device.type == "meta" for t in tensors)
    assert polezero.weighting("K", 48000).dtype == torch.float64


def test_designs_of_numbers_compile() -> None:
    def levels(x: torch.Tensor) -> torch.Tensor:
        bands = polezero.sosfilt(polezero.octave_bands(1, fs=48000.0)[0], x)
        return polezero.sosfilt(polezero.weighting("A", 48000.0), bands).square().mean(-1)

    x = torch.randn(1, 100, dtype=torch.float64)
    assert torch.allclose(torch.compile(levels, fullgraph=True, backend="aot_eager")(x), levels(x), rtol=1e-12)
