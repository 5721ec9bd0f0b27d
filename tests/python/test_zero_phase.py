"""filtfilt, sosfiltfilt and sosfilt_zi beside SciPy, and what they promise beyond it."""

import itertools
from typing import Any

import numpy as np
import pytest
import scipy.signal
import torch
from support import assert_close
from torch import Tensor

import polezero

PADDINGS: list[tuple[str | None, int | None]] = [
    *itertools.product(("odd", "even", "constant"), (None, 0, 7)),
    (None, None),
]
DESIGNS: dict[str, Any] = {
    "lowpass": lambda **out: scipy.signal.butter(3, 0.2, **out),
    "highpass": lambda **out: scipy.signal.cheby2(4, 40, 0.3, "highpass", **out),
    "bandpass": lambda **out: scipy.signal.ellip(2, 1, 40, [0.2, 0.5], "bandpass", **out),
}


def from_scipy(result: np.ndarray) -> Tensor:
    return torch.from_numpy(result.copy())  # some have negative strides


@pytest.mark.parametrize(("padtype", "padlen"), PADDINGS)
@pytest.mark.parametrize("design", DESIGNS)
def test_padding_is_scipys(design: str, padtype: Any, padlen: int | None) -> None:
    (b, a), sos = DESIGNS[design](), DESIGNS[design](output="sos")
    x = torch.randn(3, 50, 2, dtype=torch.float64)
    how = {"axis": 1, "padtype": padtype, "padlen": padlen}
    expected = from_scipy(scipy.signal.filtfilt(b, a, x.numpy(), **how))
    assert_close(polezero.filtfilt(b, a, x, **how), expected, tolerance=1e-9)
    expected = from_scipy(scipy.signal.sosfiltfilt(sos, x.numpy(), **how))
    assert_close(polezero.sosfiltfilt(sos, x, **how), expected, tolerance=1e-12)


def composed(sos: Tensor, x: Tensor, padlen: int) -> Tensor:
    """Odd padding, written out with sosfilt."""
    before, behind = 2 * x[:, :1] - x[:, 1 : padlen + 1].flip(-1), 2 * x[:, -1:] - x[:, -padlen - 1 : -1].flip(-1)
    u = torch.cat([before, x, behind], -1)
    zi = polezero.sosfilt_zi(sos)[:, None]
    for _ in range(2):
        u = polezero.sosfilt(sos, u, zi=zi * u[:, :1])[0].flip(-1)
    return u[:, padlen:-padlen]


# Rows this long and few are cut into pieces that go side by side; the last band is too narrow for that.
@pytest.mark.parametrize(("rows", "samples"), [(1, 16384), (1, 20001), (3, 40000), (1, 300_000)])
@pytest.mark.parametrize("band", [0.1, 0.4, 0.0005])
def test_long_rows_are_those_of_sosfilt(rows: int, samples: int, band: float) -> None:
    x = torch.randn(rows, samples, dtype=torch.float64)
    sos = torch.from_numpy(scipy.signal.butter(4, [band, band + 0.2], "bandpass", output="sos"))
    inputs = (sos.requires_grad_(), x.requires_grad_())
    grad_y = torch.randn_like(x)
    results = []
    for filter in (composed, lambda sos, x, padlen: polezero.sosfiltfilt(sos, x, padlen=padlen)):
        y = filter(*inputs, 33)
        results.append((y.detach(), *torch.autograd.grad(y, inputs, grad_y)))
    x_alone = torch.autograd.grad(polezero.sosfiltfilt(sos.detach(), x, padlen=33), x, grad_y)[0]
    for expected, got in zip((*results[0], results[0][2]), (*results[1], x_alone)):
        assert_close(got, expected, tolerance=1e-9)


def test_how_many_threads_there_are_does_not_show_in_a_long_row() -> None:
    x = torch.randn(1, 300_000)
    sos = scipy.signal.butter(4, 0.2, output="sos")
    threads = torch.get_num_threads()
    try:
        results = []
        for count in (1, 2, 3):
            torch.set_num_threads(count)
            results.append(polezero.sosfiltfilt(sos, x))
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(results[0], results[1]) and torch.equal(results[0], results[2])


@pytest.mark.parametrize("order", [1, 3, 8, 40])  # padded with zeros, not padded, and too high for the kernels
@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_taps_that_are_not_there_spread_nothing(order: int, bad: float) -> None:
    b = np.random.default_rng(0).standard_normal(order + 1)
    x = torch.randn(2, 400, dtype=torch.float64)
    x[1, 200] = bad
    expected = from_scipy(scipy.signal.filtfilt(b, [1.0], x.numpy()))
    y = polezero.filtfilt(b, [1.0], x)
    assert torch.equal(y.isfinite(), expected.isfinite())
    assert_close(y[expected.isfinite()], expected[expected.isfinite()])


@pytest.mark.parametrize("irlen", [None, 20, 29, 30])
@pytest.mark.parametrize("design", DESIGNS)
def test_gust_is_scipys(design: str, irlen: int | None) -> None:
    (b, a), sos = DESIGNS[design](), DESIGNS[design](output="sos")
    x = torch.randn(2, 60, dtype=torch.float64)
    expected = from_scipy(scipy.signal.filtfilt(b, a, x.numpy(), method="gust", irlen=irlen))
    assert_close(polezero.filtfilt(b, a, x, method="gust", irlen=irlen), expected, tolerance=1e-8)
    assert_close(polezero.sosfiltfilt(sos, x, method="gust", irlen=irlen), expected, tolerance=1e-8)


@pytest.mark.parametrize("kind", ["filtfilt", "sosfiltfilt"])
def test_gust_does_not_depend_on_the_direction(kind: str) -> None:
    given = scipy.signal.butter(4, 0.3, output="ba" if kind == "filtfilt" else "sos")
    filter = getattr(polezero, kind)
    coefficients = given if kind == "filtfilt" else (given,)
    x = torch.randn(2, 80, dtype=torch.float64)
    forth = filter(*coefficients, x, method="gust")
    assert_close(filter(*coefficients, x.flip(-1), method="gust").flip(-1), forth, tolerance=1e-8)


def test_a_gain_has_no_state() -> None:
    x = torch.randn(5, dtype=torch.float64)
    for method in ("pad", "gust"):
        assert_close(polezero.filtfilt([2.0], [4.0], x, method=method), x / 4)


@pytest.mark.parametrize("padtype", ["odd", "even", "constant", None])
def test_a_constant_stays_one(padtype: Any) -> None:
    x = torch.full((5,), 100.0)
    b, a = scipy.signal.butter(3, 0.1)
    assert_close(polezero.filtfilt(b, a, x, padtype=padtype, padlen=4), x, tolerance=1e-6)
    sos = scipy.signal.butter(3, 0.1, output="sos")
    assert_close(polezero.sosfiltfilt(sos, x, padtype=padtype, padlen=4), x, tolerance=1e-6)


def test_complex_coefficients_have_a_real_gain() -> None:
    """The values of scipy issue 17877."""
    x = torch.zeros(9, dtype=torch.float64)
    x[4] = 1
    for padlen, centre in ((None, 1.3227545), (0, 1.3359375)):
        y = polezero.filtfilt([-1j], [1, -0.5], x, padlen=padlen)
        assert abs(y[4].item() - centre) < 1e-7
    sos = [[-1j, 0, 0, 1, -0.5, 0]]
    assert abs(polezero.sosfiltfilt(sos, x, padlen=0)[4].item() - 1.3359375) < 1e-7


def test_the_order_5_high_pass_of_48_hz_is_finite_in_float32() -> None:
    """In float32 its coefficients have a pole at 1.037 (torchaudio's filtfilt: NaN)."""
    b, a = scipy.signal.butter(5, 48, "highpass", fs=16000)
    x = torch.randn(2, 16000)
    exact = from_scipy(scipy.signal.filtfilt(b, a, x.double().numpy()))
    assert_close(polezero.filtfilt(b, a, x).double(), exact, tolerance=1e-6)
    sos = scipy.signal.butter(5, 48, "highpass", fs=16000, output="sos")
    assert_close(polezero.sosfiltfilt(sos, x).double(), exact, tolerance=1e-6)


def test_float32_is_rounded_once() -> None:
    """The worst sample of the largest is off by no more than a rounding of the result."""
    sos = scipy.signal.butter(4, [0.001, 0.02], "bandpass", output="sos")
    x = torch.randn(16, 4096)
    exact = polezero.sosfiltfilt(sos, x.double())
    assert (polezero.sosfiltfilt(sos, x).double() - exact).abs().max() <= 6e-8 * exact.abs().max()


@pytest.mark.parametrize("order", range(1, 9))
@pytest.mark.parametrize("kind", ["lowpass", "bandpass"])
def test_sosfilt_zi_is_scipys(order: int, kind: Any) -> None:
    sos = scipy.signal.cheby1(order, 1, 0.3 if kind == "lowpass" else [0.3, 0.5], kind, output="sos")
    assert_close(polezero.sosfilt_zi(sos), from_scipy(scipy.signal.sosfilt_zi(sos)), tolerance=1e-9)


def test_sosfilt_zi_of_a_bessel_filter() -> None:
    zi = polezero.sosfilt_zi(scipy.signal.bessel(1, 0.5, fs=250, output="sos"))
    assert_close(zi, torch.tensor([[0.993755965, 0.0]], dtype=torch.float64), tolerance=1e-8)


def test_batched_states_begin_batched_filters() -> None:
    sos = torch.from_numpy(np.stack([scipy.signal.butter(4, w, output="sos") for w in (0.1, 0.2, 0.4)]))
    x = torch.full((3, 6), 2.0, dtype=torch.float64)
    y, _ = polezero.sosfilt(sos, x, zi=polezero.sosfilt_zi(sos) * x[:, :1])
    assert_close(y, x)


@pytest.mark.filterwarnings("ignore:filtfilt. the coefficients b and a are unstable")
def test_a_pole_near_1_is_found_by_condition() -> None:
    """Each coefficient of an integrator times a filter is rounded, and their sum is not 0 but 1e-17."""
    a = np.polymul([1.0, -1.0], [1.0, -0.1, 0.23])
    for call in (lambda: polezero.lfilter_zi([1.0], a), lambda: polezero.filtfilt([1.0], a, torch.zeros(30))):
        with pytest.raises(ValueError, match="a: expected no pole at z = 1"):
            call()
    assert polezero.filtfilt([1.0], a, torch.ones(30), method="gust").isfinite().all()


def test_default_padding_where_values_may_not_be_looked_at() -> None:
    sos = torch.from_numpy(scipy.signal.butter(3, 0.2, output="sos"))
    x = torch.randn(2, 40, dtype=torch.float64)
    under_vmap = torch.vmap(lambda x: polezero.sosfiltfilt(sos, x))(x)
    assert_close(under_vmap, polezero.sosfiltfilt(sos, x))  # sos itself is not batched
    batched = torch.vmap(polezero.sosfiltfilt)(sos.expand(2, 2, 6).clone(), x)
    assert_close(batched, polezero.sosfiltfilt(sos, x, padlen=15))


def test_an_unstable_filter_is_warned_of() -> None:
    b, a = scipy.signal.butter(8, 0.005)  # its poles once rounded to float32, in which it is given
    given = torch.from_numpy(b).float(), torch.from_numpy(a).float()
    with pytest.warns(
        UserWarning, match=r"filtfilt: .* the largest pole has the radius 1\.\d+; sosfiltfilt of .*'sos'"
    ):
        polezero.filtfilt(*given, torch.zeros(60))


def test_a_stable_one_is_not(recwarn: pytest.WarningsRecorder) -> None:
    polezero.filtfilt(*scipy.signal.butter(3, 0.1), torch.zeros(60))
    assert not recwarn.list


def test_decimate_of_float32_by_20() -> None:
    """Values of SciPy's issue on designs as transfer functions, which give 5279."""
    np.random.seed(1)
    y = polezero.decimate(torch.from_numpy(np.random.rand(50)).float(), 20)
    assert_close(y, torch.tensor([0.3717975614, 0.4861026455, 0.5261338016]), tolerance=1e-6)


@pytest.mark.parametrize("zero_phase", [True, False])
@pytest.mark.parametrize(("q", "n", "axis"), [(4, None, 0), (5, 3, -1), (13, None, 1)])
def test_decimate_is_scipys(q: int, n: int | None, axis: int, zero_phase: bool) -> None:
    x = torch.randn(101, 100, dtype=torch.float64)
    expected = from_scipy(scipy.signal.decimate(x.numpy(), q, n, axis=axis, zero_phase=zero_phase))
    assert_close(polezero.decimate(x, q, n, axis=axis, zero_phase=zero_phase), expected, tolerance=1e-9)
