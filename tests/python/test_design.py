"""Classical designs: beside SciPy where it is right, and mpmath and printed tables where it is not or has none."""

import itertools
import warnings
from typing import Any

import mpmath
import numpy as np
import pytest
import scipy.signal
import torch
from support import assert_close

import polezero

# Ripples in between those with which SciPy's elliptic filters of order 12 and more lose digits.
RIPPLES: dict[str, tuple[float, ...]] = {"butter": (), "cheby1": (1.0,), "cheby2": (45.0,), "ellip": (0.5, 90.0)}
RIPPLES["bessel"] = ()
# No two poles of these are equally far from the circle, where SciPy's order is that of its rounding errors.
EDGES: dict[str, Any] = {"lowpass": 0.23, "highpass": 0.61, "bandpass": [0.17, 0.44], "bandstop": [0.28, 0.62]}
ORDERS = (*range(13), 16, 20)
AWAY = ("cheby2", "ellip")  # their zeros are off the real axis


def designs(family: str, *arguments: Any, **options: Any) -> tuple[Any, Any]:
    """SciPy's and ours."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of coefficients b and a
        return tuple(getattr(library, family)(*arguments, **options) for library in (scipy.signal, polezero))


def assert_near(actual: Any, expected: Any, tolerance: float) -> None:
    expected = np.asarray(expected)
    assert actual.shape == expected.shape and actual.numpy().dtype == expected.dtype
    if expected.size:
        np.testing.assert_allclose(actual.numpy(), expected, rtol=0, atol=tolerance * abs(expected).max())


@pytest.mark.parametrize("analog", [False, True], ids=["digital", "analog"])
@pytest.mark.parametrize("btype", EDGES)
@pytest.mark.parametrize("family", RIPPLES)
def test_sections_are_scipys(family: str, btype: str, analog: bool) -> None:
    """Each to the rounding of its largest coefficient, and in SciPy's order."""
    for N in ORDERS:
        if analog and btype == "bandpass" and family in AWAY and N % 2:
            continue  # SciPy looks for a second zero at 0 where there is one: IndexError for most edges
        expected, actual = designs(family, N, *RIPPLES[family], EDGES[btype], btype, analog, output="sos")
        for one, other in zip(actual, expected):
            assert_near(one[:3], other[:3], 1e-10)
            assert_near(one[3:], other[3:], 1e-11)


@pytest.mark.parametrize("analog", [False, True], ids=["digital", "analog"])
@pytest.mark.parametrize("btype", EDGES)
@pytest.mark.parametrize("family", RIPPLES)
def test_zeros_poles_gains_and_polynomials_are_scipys(family: str, btype: str, analog: bool) -> None:
    """In SciPy's order, and dtypes."""
    for N in (0, 1, 2, 3, 4, 5, 8):
        arguments = (N, *RIPPLES[family], EDGES[btype], btype, analog)
        expected, actual = designs(family, *arguments, output="zpk")
        for name, one, other in zip("zpk", actual, expected):
            other = np.atleast_1d(other) if name == "p" else other  # of ellip of order 1
            assert_near(one, other, 1e-11)
        expected, actual = designs(family, *arguments)
        for one, other in zip(actual, expected):
            assert_near(one, other, 1e-9)


@pytest.mark.parametrize("output", ["ba", "zpk", "sos"])
def test_sampling_rates_names_and_defaults_are_scipys(output: str) -> None:
    for arguments, options in (
        ((3, [300.0, 3000.0]), {"fs": 16000}),
        ((3, [300.0, 3000.0], 1.0, 40.0, "bp", False, "cauer"), {"fs": 16000}),
        ((3, 0.2), {"btype": "H", "ftype": "Bessel_mag"}),
        ((np.int64(3), np.float32(0.25)), {"btype": "l", "ftype": "chebyshevII", "rs": 30}),
    ):
        expected, actual = designs("iirfilter", *arguments, output=output, **options)
        for one, other in zip(*(([x] if output == "sos" else x) for x in (actual, expected))):
            assert_near(one, other, 1e-12)
    assert torch.equal(polezero.butter(3, [0.2], output="sos"), polezero.butter(3, 0.2, output="sos"))
    assert polezero.butter(3, torch.tensor([0.2]), output="sos").shape == (2, 6)


@pytest.mark.parametrize("output", ["ba", "zpk", "sos"])
@pytest.mark.parametrize(("rp", "Wn"), [([1.0, 2.0], 0.3), (1.0, [0.3, 0.4]), ([1.0, 2.0], [0.3, 0.4])])
def test_filters_of_order_0_come_in_batches(output: str, rp: Any, Wn: Any) -> None:
    rp, Wn = torch.tensor(rp), torch.tensor(Wn)
    batch = polezero.cheby1(0, rp, Wn, output=output)
    for i, one in enumerate(zip(rp.expand(2), Wn.expand(2))):
        expected = polezero.cheby1(0, *one, output=output)
        for ours, theirs in zip(batch, expected, strict=True) if output != "sos" else [(batch, expected)]:
            assert ours.shape == (2, *theirs.shape)
            assert_near(ours[i], theirs, 1e-15)


@pytest.mark.parametrize("norm", ["phase", "delay", "mag"])
def test_bessel_prototypes_are_right_in_every_order(norm: str) -> None:
    """SciPy's are, but for the last digits of those of half the power at 1."""
    for N in (1, 2, 7, 16, 25):
        poles = np.array(sorted(polezero.besselap(N, norm)[1].tolist(), key=lambda p: p.imag))
        expected = np.array(sorted(scipy.signal.besselap(N, norm)[1], key=lambda p: p.imag))
        np.testing.assert_allclose(poles, expected, rtol=1e-14 if norm != "mag" else 1e-13)


@pytest.mark.parametrize(
    ("N", "rp", "rs"),
    [(1, 1.0, 40.0), (2, 0.1, 60.0), (5, 1.0, 40.0), (12, 1.0, 40.0), (20, 3.0, 20.0), (10, 1.0, 1.5), (8, 1.0, 1.01)],
)
def test_elliptic_prototypes_are_right_where_the_bands_are_close(N: int, rp: float, rs: float) -> None:
    """Against Jacobi's functions with 50 digits. SciPy's poles are 2e-14 off in the fourth, and 5e-3 in the fifth."""
    with mpmath.workdps(50):
        e, stop = (mpmath.sqrt(mpmath.mpf(10) ** (mpmath.mpf(r) / 10) - 1) for r in (rp, rs))
        k1 = e / stop
        q = mpmath.exp(mpmath.log(mpmath.qfrom(k=k1)) / N)
        K, K1 = mpmath.ellipk(mpmath.kfrom(q=q) ** 2), mpmath.ellipk(k1**2)
        v = mpmath.ellipf(mpmath.atan(1 / e), 1 - k1**2) * K / (N * K1)
        u = [K * j / N for j in range(1 - N % 2, N, 2)]
        poles = [complex(1j * mpmath.ellipfun("sn", x + 1j * v, q=q)) for x in u]
        zeros = [complex(1j / (mpmath.kfrom(q=q) * mpmath.ellipfun("sn", x, q=q))) for x in u if x]
    z, p, k = polezero.ellipap(N, rp, rs)
    above = sorted((p for p in p.tolist() if p.imag >= 0), key=lambda p: p.real)
    np.testing.assert_allclose(above, sorted(poles, key=lambda p: p.real), rtol=1e-14)
    np.testing.assert_allclose(sorted(z.imag[z.imag > 0].tolist()), sorted(z.imag for z in zeros), rtol=1e-14)
    at_zero = k * (-z).prod() / (-p).prod()
    assert abs(at_zero.item() - (1.0 if N % 2 else 10 ** (-rp / 20))) < 1e-13


# ---- optimum-L


def test_legendre_filters_have_the_published_polynomials_and_poles() -> None:
    """The polynomials of A. Papoulis, 1958 and 1959, and the poles of D. S. Humpherys' and F. F. Kuo's tables."""
    polynomials = {2: [1, 0], 3: [3, -3, 1], 4: [6, -8, 3, 0], 5: [20, -40, 28, -8, 1], 6: [50, -120, 105, -40, 6, 0]}
    w = torch.linspace(0.1, 2.0, 7, dtype=torch.float64)
    for N, coefficients in polynomials.items():
        z, p, k = polezero.legendreap(N)
        power = (k / (1j * w[:, None] - p).prod(-1)).abs().square()
        expected = 1 / (1 + w**2 * sum(c * w ** (2 * (N - 1 - i)) for i, c in enumerate(coefficients)))
        assert z.numel() == 0
        assert_close(power, expected, tolerance=1e-13)
    published = [-0.6203318171 + 0j, -0.3451856190 + 0.9008656355j]
    p = polezero.legendreap(3)[1]
    assert_close(p[p.imag >= 0][[1, 0]], torch.tensor(published, dtype=torch.complex128), tolerance=1e-10)


def test_legendre_filters_of_high_order_are_monotonic_and_have_half_the_power_at_the_edge() -> None:
    """Against their definition, of 1 at the edge, with 60 digits."""
    for N in (9, 20, 31):
        p, k = (t.tolist() for t in polezero.legendreap(N)[1:])
        with mpmath.workdps(60):
            power = [abs(k / mpmath.fprod(mpmath.mpc(0, w / 50) - pole for pole in p)) ** 2 for w in range(0, 100)]
        assert abs(power[0] - 1) < 1e-12 and abs(power[50] - 0.5) < 1e-11
        assert all(after <= before + 1e-13 for before, after in itertools.pairwise(power))


@pytest.mark.parametrize("btype", EDGES)
def test_legendre_sections_are_those_of_their_zeros_and_poles(btype: str) -> None:
    for N in (1, 2, 3, 6, 9):
        zpk = polezero.legendre(N, EDGES[btype], btype, output="zpk")
        sos = polezero.legendre(N, EDGES[btype], btype, output="sos")
        assert_near(sos, scipy.signal.zpk2sos(*(t.numpy() for t in zpk)), 1e-10)


# ---- ties, extremes, dtypes, warnings


def test_symmetric_bands_have_scipys_sections_in_some_order() -> None:
    expected, actual = designs("butter", 4, [0.3, 0.7], "bandpass", output="sos")
    poles = (np.array(sorted(sos[:, 3:].round(9).tolist())) for sos in (expected, actual.numpy()))
    np.testing.assert_allclose(*poles, atol=1e-9)


@pytest.mark.parametrize("edges", [[1e-6, 2e-6], [0.2, 0.2000001], [1e-5, 0.99999]])
def test_bands_at_both_ends_and_narrow_and_wide_ones_are_right(edges: list[float]) -> None:
    """The poles, which are computed with 50 digits: nothing cancels."""
    poles = polezero.butter(3, edges, "bandpass", output="zpk")[1]
    with mpmath.workdps(50):
        low, high = (mpmath.tan(mpmath.pi * mpmath.mpf(w) / 2) for w in edges)
        exact = []
        for m in (-2, 0, 2):
            half = -mpmath.expj(mpmath.pi * m / 6) * (high - low) / 2
            root = mpmath.sqrt(half**2 - low * high)
            exact += [(1 + s) / (1 - s) for s in (half + root, half - root)]
        distances = [
            min(abs(mpmath.mpmathify(p) - q) / min(abs(1 - q), abs(1 + q)) for q in exact) for p in poles.tolist()
        ]
    assert max(distances) < 2e-10 if edges[0] < 1e-5 else max(distances) < 1e-9


def test_results_are_float64_or_of_the_dtype_that_is_given() -> None:
    edge = torch.tensor(0.3)  # float32
    exact = polezero.butter(3, edge.double(), output="sos")
    assert polezero.butter(3, edge, output="sos").dtype == torch.float64
    assert_close(polezero.butter(3, edge, output="sos"), exact)
    assert torch.equal(polezero.butter(3, edge, output="sos", dtype=torch.float32), exact.float())
    z, p, k = polezero.ellip(2, 1.0, 40.0, 0.3, output="zpk", dtype=torch.float32)
    assert (z.dtype, p.dtype, k.dtype) == (torch.complex64, torch.complex64, torch.float32)
    assert polezero.butter(2, 0.3, output="sos", device="meta").device.type == "meta"


def test_unstable_coefficients_are_warned_of() -> None:
    for call in (
        lambda: polezero.butter(8, 0.005),
        lambda: polezero.butter(5, 48.0, "highpass", fs=16000, dtype=torch.float32),
        lambda: polezero.butter(8, torch.tensor([0.3, 0.005])),
        lambda: polezero.gammatone(50.0, "iir", fs=44100),
    ):
        with pytest.warns(UserWarning, match=r"largest pole has the radius 1\.\d+; output='sos' is not"):
            call()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        polezero.butter(8, 0.005, output="sos")
        polezero.butter(8, 0.5)
        polezero.butter(8, 0.005, analog=True)
        torch.vmap(lambda w: polezero.butter(8, w)[1])(torch.tensor([0.005]))


def test_where_values_are_not_looked_at_edges_out_of_range_are_nan() -> None:
    edges = torch.tensor([[0.2, 0.4], [0.4, 0.2], [0.2, 1.4], [-0.2, 0.4]])
    sos = torch.vmap(lambda w: polezero.butter(3, w, "bandpass", output="sos"))(edges)
    assert sos.isfinite().flatten(1).all(-1).tolist() == [True, False, False, False]
    gain = torch.vmap(lambda r: polezero.cheby1(2, r, 0.3, output="sos")[0, 0])(torch.tensor([1.0, -1.0]))
    assert gain.isnan().tolist() == [False, True]
