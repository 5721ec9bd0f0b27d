"""Linear prediction beside SciPy, NumPy and published values; its forms there and back; silence and its like."""

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
import scipy.linalg
import torch
from cases.case import as_tuple
from cases.tensors import denominator
from support import GRADIENT_TOLERANCE, assert_close
from torch import Tensor
from torch._dynamo.utils import counters
from torch.autograd import gradcheck, gradgradcheck

import polezero
from polezero import reference

METHODS = ("autocorrelation", "burg", "covariance")
STABLE = ("autocorrelation", "burg")
F64 = torch.float64


def speech(T: int, rows: int = 1) -> Tensor:
    """Pulses and a little noise through five formants at 16 kHz, and a noise floor of 80 dB below."""
    formants = 1.0
    for frequency in (500, 1500, 2500, 3500, 4500):
        formants = np.convolve(formants, denominator(0.98, 2 * np.pi * frequency / 16000).numpy())
    pulses = (torch.arange(T) % 120 == 0).to(F64) + 0.01 * torch.randn(rows, T, dtype=F64)
    voice = polezero.lfilter([1.0, -0.9], formants, pulses)
    return voice + 1e-4 * voice.abs().amax() * torch.randn(rows, T, dtype=F64)


def radius(a: Tensor) -> Tensor:
    return polezero.pole_radius(([1.0], a))


def relative(got: Tensor, expected: Any) -> float:
    expected = torch.as_tensor(expected)
    return float((got - expected).abs().max() / expected.abs().max())


# ---- analysis


@pytest.mark.parametrize("dtype", [torch.float64, torch.complex128], ids=["real", "complex"])
@pytest.mark.parametrize("order", [0, 1, 2, 22, 40])
def test_the_autocorrelation_method_solves_the_toeplitz_system(order: int, dtype: torch.dtype) -> None:
    x = speech(400) * torch.hann_window(400) if dtype == F64 else torch.randn(1, 400, dtype=dtype)
    a, error = polezero.lpc(x, order)
    frame = x[0].numpy()
    r = np.correlate(frame, frame, "full")[399 : 400 + order] / 400
    solved = -scipy.linalg.solve_toeplitz(r[:-1], r[1:]) if order else []
    assert relative(a[0], np.r_[1, solved]) < 1e-8  # 5e-10 of speech; of noise 2e-16
    assert (
        relative(error[0], np.mean(np.abs(np.convolve(frame, a[0].numpy())) ** 2) * (400 + order) / 400) < 1e-9
    )  # 7e-11
    assert (radius(a) < 1).all()
    again, rest, k = polezero.levinson(torch.from_numpy(r))
    assert_close((again, rest), (a[0], error[0]), 1e-8)  # 5e-10
    if order:
        assert_close(k, polezero.poly2rc(again), 1e-11)  # 2e-13


@pytest.mark.parametrize("order", [1, 4, 22])
def test_the_covariance_method_is_the_least_squares_of_the_frame(order: int) -> None:
    x = speech(400)
    a, error = polezero.lpc(x, order, "covariance")
    frame = x[0].numpy()
    past = np.stack([frame[order - i : 400 - i] for i in range(1, order + 1)], -1)
    assert relative(a[0, 1:], -np.linalg.lstsq(past, frame[order:], rcond=None)[0]) < 1e-11  # 7e-14
    assert relative(error[0], np.mean(np.square(frame[order:] + past @ a[0, 1:].numpy()))) < 1e-12  # 5e-15


def test_burgs_method_is_that_of_its_definition() -> None:
    x = speech(60, rows=2)
    a, error = polezero.lpc(x, 12, "burg")
    assert_close((a, error), reference.lpc(x, 12, "burg"), 1e-11)  # 2e-13
    assert (radius(a) < 1).all()


@pytest.mark.parametrize("method", ["autocorrelation", "covariance"])
def test_a_free_response_is_predicted_by_its_own_poles(method: str) -> None:
    a = denominator(0.9, 0.4, 1.3)
    x = polezero.lfilter([1.0], a, torch.eye(1, 600, dtype=F64)[0])
    found, error = polezero.lpc(x if method == "autocorrelation" else x[5:200], 4, method)
    assert_close(found, a, 1e-12)
    assert abs(error - (1 / 600 if method == "autocorrelation" else 0)) < 1e-15


def test_only_the_covariance_method_may_be_unstable() -> None:
    x = polezero.lfilter([1.0], denominator(1.05, 0.4), torch.eye(1, 60, dtype=F64)[0])
    assert radius(polezero.lpc(x, 2, "covariance")[0]) > 1.049
    assert all(radius(polezero.lpc(x, 2, method)[0]) < 1 for method in STABLE)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("order", [1, 22, 40])
def test_float32_frames_are_analysed_in_float64(order: int, method: str) -> None:
    x = speech(256, rows=3).float().requires_grad_()
    exact = x.detach().double().requires_grad_()
    got, expected = polezero.lpc(x, order, method), polezero.lpc(exact, order, method)
    assert_close(got, expected, 0.0)
    assert all(t.dtype == F64 and t.isfinite().all() for t in got)
    (gradient,) = torch.autograd.grad(got[0].sum(), x)
    (true,) = torch.autograd.grad(expected[0].sum(), exact)
    assert gradient.dtype == torch.float32 and gradient.isfinite().all()
    assert_close(gradient, true.float(), 1e-6)


# What has no innovation, or hardly any, and levels whose squares are no numbers.
N = torch.arange(300, dtype=F64)
FRAMES = {
    "constant": torch.ones_like(N),
    "alternating": torch.cos(torch.pi * N),
    "sine": torch.cos(0.3 * N),
    "windowed_constant": torch.hann_window(300, dtype=F64),
    "bell": torch.exp(-(((N - 150) / 40) ** 2)),
    "impulse": torch.eye(1, 300, dtype=F64)[0],
    "ramp": N / 300,
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", FRAMES)
def test_frames_that_are_predicted_without_an_error(name: str, method: str) -> None:
    x = FRAMES[name].clone().requires_grad_()
    a, error = polezero.lpc(x, 40, method)
    assert a.isfinite().all() and 0 <= error <= x.square().mean()
    (gradient,) = torch.autograd.grad(a.square().sum() + error, x)
    assert gradient.isfinite().all()
    if method == "autocorrelation":
        assert radius(a) < 1


@pytest.mark.parametrize("method", METHODS)
def test_predictors_do_not_depend_on_the_level(method: str) -> None:
    x = torch.randn(50, dtype=F64)
    a, error = polezero.lpc(x, 8, method)
    for level in (2.0**-600, 2.0**500):
        y = (x * level).requires_grad_()
        quiet, power = polezero.lpc(y, 8, method)
        assert torch.equal(quiet, a)
        assert torch.autograd.grad(quiet.sum(), y)[0].isfinite().all()
        assert torch.equal(power, error * level**2)


@pytest.mark.parametrize("method", METHODS)
def test_silence_has_gradients_of_zero_and_leaves_the_rest_of_the_batch_alone(method: str) -> None:
    x = torch.randn(3, 30, dtype=F64)
    x[1] = 0
    x.requires_grad_()

    def derivatives(x: Tensor) -> list[Tensor]:
        a, error = polezero.lpc(x, 4, method)
        gradients = [a.square()]
        for _ in range(3):
            gradients += torch.autograd.grad(gradients[-1].sin().sum(), x, create_graph=True)
        (of_error,) = torch.autograd.grad(error.sum(), x)
        return [a, error, *gradients[1:], of_error]

    batch, loud = derivatives(x), derivatives(x[::2].detach().requires_grad_())
    a, error, *slopes = (t[1] for t in batch)
    assert torch.equal(a, torch.eye(1, 5, dtype=F64)[0]) and error == 0
    assert all((slope == 0).all() for slope in slopes)
    assert_close([t[::2] for t in batch], loud, 1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_frames_with_nan_are_nan_and_others_are_not(method: str) -> None:
    x = torch.randn(3, 30)
    x[0, 3], x[1, 7] = torch.nan, torch.inf
    a, error = polezero.lpc(x, 4, method)
    assert a[:2, 1:].isnan().all() and error[:2].isnan().all()
    assert_close((a[2], error[2]), polezero.lpc(x[2], 4, method))


def test_the_recursion_ends_where_a_matrix_is_not_positive_definite() -> None:
    r = torch.tensor([1.0, 0.5, 1.5, 0.2, 0.1], dtype=F64).requires_grad_()
    a, error, k = polezero.levinson(r)
    assert k[0] == -0.5 and (k[1:] == 0).all() and error == 0.75
    assert (torch.autograd.grad(a.sum(), r)[0][2:] == 0).all()


# ---- forms


A = [1.0000, 0.6149, 0.9899, 0.0000, 0.0031, -0.0082]
K = [0.3090, 0.9801, 0.0031, 0.0082, -0.0082]


def test_published_values() -> None:
    """The examples of MATLAB's pages on ac2poly, poly2rc, rc2poly, rc2lar, poly2lsf and lsf2poly."""

    def check(got: Any, expected: Any, digits: float = 6e-5) -> None:
        assert (torch.as_tensor(got) - torch.tensor(expected, dtype=F64)).abs().max() <= digits

    a, error, _ = polezero.levinson([5.0000, -1.5450, -3.9547, 3.9331, 1.4681, -4.7500])
    check(a, [1.0000, 0.6147, 0.9898, 0.0004, 0.0034, -0.0077])
    check(error, 0.1791)
    k, r0 = polezero.poly2rc(A, 0.2)
    check(k, [0.3090, 0.9801, 0.0031, 0.0081, -0.0082])
    check(r0, 5.6032)
    check(polezero.rc2poly([0.3090, 0.9800, 0.0031, 0.0082, -0.0082]), [1.0000, 0.6148, 0.9899, 0.0, 0.0032, -0.0082])
    check(polezero.rc2lar(K), [0.6389, 4.6002, 0.0062, 0.0164, -0.0164])
    check(polezero.poly2lsf(A), [0.7842, 1.5605, 1.8776, 1.8984, 2.3593])
    check(
        polezero.lsf2poly([0.7842, 1.5605, 1.8776, 1.8984, 2.3593]), [1.0000, 0.6148, 0.9899, 0.0001, 0.0031, -0.0081]
    )


ORDERS = (1, 2, 3, 7, 22, 40)


@pytest.mark.parametrize("order", ORDERS)
def test_each_form_leads_back(order: int) -> None:
    a, error = polezero.lpc(speech(512, rows=3), order)
    k, r0 = polezero.poly2rc(a, error)
    assert_close(polezero.rc2poly(k, r0), (a, error), 1e-13)  # 1e-15
    assert_close(polezero.lar2rc(polezero.rc2lar(k)), k, 1e-14)
    assert_close(polezero.lsf2poly(polezero.poly2lsf(a)), a, 1e-11)  # 6e-14
    for n in (order, 2 * order):
        assert_close(polezero.cepstrum2poly(polezero.poly2cepstrum(a, error, n), order), (a, error), 1e-13)  # 5e-16
    assert_close(polezero.poly2rc(2 * a), k, 1e-14)


def true_lsf(a: Tensor, near: Tensor) -> tuple[Tensor, Tensor]:
    """By Newton's method with 40 digits, and how far a frequency moves where each coefficient does by its last."""
    found = []
    with mpmath.workdps(40):
        taps = [mpmath.mpf(float(c)) for c in a]
        turns = [mpmath.mpf(len(a)) / 2 - n for n in range(len(a))]
        for k, w in enumerate(map(mpmath.mpf, near.tolist())):
            for _ in range(5):
                angles = [h * w - (k % 2) * mpmath.pi / 2 for h in turns]
                slope = -mpmath.fsum([c * h * mpmath.sin(t) for c, h, t in zip(taps, turns, angles)])
                w -= mpmath.fsum([c * mpmath.cos(t) for c, t in zip(taps, angles)]) / slope
            found.append((float(w), float(mpmath.fsum(map(abs, taps)) / abs(slope)) * torch.finfo(F64).eps))
    exact, conditions = torch.tensor(found, dtype=F64).unbind(-1)
    return exact, conditions


def of_name(name: str, order: int) -> Tensor:
    if name == "speech":
        return polezero.lpc(speech(512)[0], order)[0]
    if name in FRAMES:
        return polezero.lpc(FRAMES[name], order)[0]
    angles = np.linspace(0.1, 3.0, order // 2)
    return denominator(1 - 1e-6, *angles)  # on the circle, nearly


@pytest.mark.parametrize("order", [22, 40])
@pytest.mark.parametrize("name", ["speech", "sine", "constant", "windowed_constant", "bell", "circle"])
def test_line_spectral_frequencies_are_as_precise_as_the_coefficients(name: str, order: int) -> None:
    a = of_name(name, order)
    lsf = polezero.poly2lsf(a)
    exact, conditions = true_lsf(a, lsf)
    assert ((lsf - exact).abs() <= 100 * conditions + 1e-15).all()  # 30
    assert (exact.diff() > 0).all() and exact[0] > 0 and exact[-1] < np.pi


def test_silence_has_frequencies_that_lie_evenly() -> None:
    for order in (1, 4, 9):
        even = torch.pi * torch.arange(1, order + 1, dtype=F64) / (order + 1)
        assert_close(polezero.poly2lsf(torch.eye(1, order + 1)[0]), even)
        assert_close(polezero.lsf2poly(even), torch.eye(1, order + 1, dtype=F64)[0], 1e-14)


def test_unstable_predictors_have_nan_where_no_value_is_looked_at() -> None:
    a = torch.tensor([[1.0, 0.5, 0.2], [1.0, -2.0, 0.3], [1.0, torch.nan, 0.0]], dtype=F64)
    lsf = torch.vmap(polezero.poly2lsf)(a)
    assert lsf[1:].isnan().all()
    assert_close(lsf[0], polezero.poly2lsf(a[0]))
    assert_close(polezero.poly2lsf(a[::2])[0], lsf[0])


def test_a_cepstrum_is_that_of_the_response() -> None:
    a, error = polezero.lpc(speech(512)[0], 12)
    H = error.sqrt() / torch.fft.fft(a, 4096)
    cepstrum = torch.fft.ifft(H.abs().log()).real[:30]  # of minimum phase: one side of it twice
    cepstrum[1:] *= 2
    assert_close(polezero.poly2cepstrum(a, error, 29), cepstrum, 1e-13)  # 3e-15


def test_the_cepstrum_of_silence_ends_at_its_first_value() -> None:
    error = torch.tensor([0.0, 2.0], dtype=F64).requires_grad_()
    c = polezero.poly2cepstrum([1.0, 0.5], error)
    assert c[0, 0] == -torch.inf
    (gradient,) = torch.autograd.grad(c[1].sum() + c[0, 1] + 0 * c[0, 1], error)
    assert_close(gradient, torch.tensor([0.0, 0.25], dtype=F64))
    assert polezero.cepstrum2poly(c)[1][0] == 0


def test_forms_of_order_0() -> None:
    one, none = torch.ones(2, 1, dtype=F64), torch.zeros(2, 0, dtype=F64)
    for got in (polezero.poly2rc(2 * one), polezero.poly2lsf(2 * one), polezero.rc2lar(none), polezero.lar2rc(none)):
        assert got.shape == (2, 0)
    for got in (polezero.rc2poly(none), polezero.lsf2poly(none), *polezero.levinson(one)[:1]):
        assert torch.equal(got, one)
    assert torch.equal(polezero.poly2cepstrum(one), 0 * one)
    assert_close(polezero.cepstrum2poly(one), (one, torch.full((2,), np.e**2, dtype=F64)))


# ---- transforms


CALLS: dict[str, tuple[Callable[..., Any], Tensor]] = {
    **{method: (lambda x, m=method: polezero.lpc(x, 2, m), torch.randn(4, 7, dtype=F64)) for method in METHODS},
    "levinson": (lambda r: polezero.levinson(r), torch.tensor([[2.0, 0.7, -0.4], [1.5, -0.6, 0.2]], dtype=F64)),
    "poly2rc": (polezero.poly2rc, reference.rc2poly(0.5 * torch.rand(4, 3, dtype=F64), torch.ones(4))[0]),
    "rc2poly": (polezero.rc2poly, torch.rand(4, 3, dtype=F64)),
    "rc2lar": (polezero.rc2lar, 0.9 * torch.rand(4, 3, dtype=F64)),
    "lar2rc": (polezero.lar2rc, torch.randn(4, 3, dtype=F64)),
    "poly2lsf": (polezero.poly2lsf, reference.rc2poly(0.5 * torch.rand(4, 4, dtype=F64), torch.ones(4))[0]),
    "lsf2poly": (polezero.lsf2poly, torch.tensor([[0.3, 0.8, 1.7], [0.9, 1.5, 2.4]], dtype=F64)),
    "poly2cepstrum": (polezero.poly2cepstrum, reference.rc2poly(0.5 * torch.rand(4, 3, dtype=F64), torch.ones(4))[0]),
    "cepstrum2poly": (polezero.cepstrum2poly, 0.4 * torch.randn(4, 4, dtype=F64)),
}


@pytest.mark.parametrize("name", CALLS)
def test_batches_are_rows_and_graphs_and_vmap_give_the_same(name: str) -> None:
    function, values = CALLS[name]
    outputs = as_tuple(function(values))
    rows = [torch.stack(t) for t in zip(*(as_tuple(function(row)) for row in values), strict=True)]
    assert_close(outputs, tuple(rows), GRADIENT_TOLERANCE)
    assert_close(as_tuple(torch.vmap(function)(values)), outputs, GRADIENT_TOLERANCE)


@pytest.mark.parametrize("method", METHODS)
def test_frames_of_new_sizes_do_not_recompile(method: str) -> None:
    torch._dynamo.reset()
    counters.clear()
    function = torch.compile(polezero.lpc, fullgraph=True, backend="eager", dynamic=True)
    for rows, T in ((7, 11), (9, 13), (14, 29)):
        x = torch.randn(rows, T, dtype=F64)
        assert_close(function(x, 3, method), polezero.lpc(x, 3, method), GRADIENT_TOLERANCE)
    assert counters["stats"]["unique_graphs"] == 1


@pytest.mark.parametrize("name", ["burg", "lsf2poly"])
def test_compiled_functions_are_one_graph(name: str) -> None:
    function, values = CALLS[name]
    leaf = values.clone().requires_grad_()
    outputs = as_tuple(torch.compile(function, fullgraph=True, backend="aot_eager")(leaf))
    assert_close(outputs, as_tuple(function(values)), GRADIENT_TOLERANCE)
    (gradient,) = torch.autograd.grad(sum(y.sin().sum() for y in outputs), leaf)
    (expected,) = torch.autograd.grad(sum(y.sin().sum() for y in as_tuple(function(leaf))), leaf)
    assert_close(gradient, expected, GRADIENT_TOLERANCE)


@pytest.mark.parametrize("name", CALLS)
def test_second_derivatives_match_finite_differences(name: str) -> None:
    function, values = CALLS[name]
    leaf = values[:2].clone().requires_grad_()
    assert gradcheck(function, leaf, fast_mode=True, check_forward_ad=True)
    assert gradgradcheck(function, leaf, fast_mode=True, check_fwd_over_rev=True, check_rev_over_rev=True)
