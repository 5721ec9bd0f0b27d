"""polezero.freq: what frequency sampling gives, where that is the recursion's output, and where it is not."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import scipy.signal
import torch
from cases.lfilter import lfilter_inputs
from cases.tensors import resonator
from support import DTYPES, assert_close, ids, loss, relative_rms, requires_grad, wide
from torch import Tensor

import polezero
from polezero import freq

CORRECTIONS = ["none", "zeropad", "truncate"]
# FFTs of up to 2 T points; the largest error measured beside each.
TOLERANCE = {
    torch.float32: 3e-6,  # 5.6e-7
    torch.complex64: 3e-6,  # 5.0e-7
    torch.float64: 3e-14,  # 6.2e-15
    torch.complex128: 3e-14,  # 1.4e-15
}


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    """On a busy machine MKL's second thread lets each small FFT wait for milliseconds."""
    torch.set_num_threads(1)


def near_circle(radius: float, angle: float) -> tuple[Tensor, Tensor]:
    return torch.tensor([1.0, 0.4, 0.3], dtype=torch.float64), resonator(radius, angle, torch.float64)


def repeated(b: Tensor, a: Tensor, x: Tensor, L: int) -> Tensor:
    """The recursion's output, gone on without input until it has died away, in pieces of L samples added up."""
    pieces = 40000 // L + 1
    y = polezero.lfilter(b, a, torch.nn.functional.pad(x, (0, L * pieces - x.shape[-1])))
    assert y[..., -L:].abs().max() < 1e-15 * y.abs().max()
    return y.unflatten(-1, (-1, L)).sum(-2)[..., : x.shape[-1]]


def state_space(b: Tensor, a: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """A, B and C of transposed direct form II, for b and a of one length and a_0 = 1."""
    A = torch.diag(torch.ones(len(a) - 2, dtype=a.dtype), 1)
    A[:, 0] = -a[1:]
    B = (b[1:] - a[1:] * b[0])[:, None]
    return A, B, torch.eye(1, len(a) - 1, dtype=a.dtype)


@pytest.mark.parametrize("dtype", DTYPES, ids=ids(DTYPES))
@pytest.mark.parametrize(("M", "N"), [(0, 0), (0, 1), (2, 2), (5, 2), (1, 6), (4, 0)])
@pytest.mark.parametrize("T", [1, 2, 3, 5, 50, 64, 1000])
def test_truncate_is_the_recursion(T: int, M: int, N: int, dtype: torch.dtype) -> None:
    b, a, x = lfilter_inputs(dtype, M=M, N=N, T=T, lead_b=(3, 1), lead_x=(2,))

    y = freq.lfilter(b, a, x, "truncate")

    assert y.dtype == dtype
    assert_close(y, polezero.lfilter(*(wide(t) for t in (b, a, x))), TOLERANCE[dtype])


@pytest.mark.parametrize("angle", [0.003, 0.3, 3.1])
@pytest.mark.parametrize(
    # H has the relative error of A(z) near a pole, where it is small: 2.2e-14, 2.4e-11, 9.9e-11, 4.9e-11 measured
    ("radius", "limit"),
    [(0.9, 1e-13), (0.999, 1e-10), (0.99999, 4e-10), (1.0, 4e-10)],
)
@pytest.mark.parametrize("T", [64, 1024, 16384])
def test_only_truncate_is_the_recursion_where_the_tail_is_long(
    T: int, radius: float, limit: float, angle: float
) -> None:
    b, a = near_circle(radius, angle)
    x = torch.randn(2, T, dtype=torch.float64)
    y = polezero.lfilter(b, a, x)

    none, zeropad, truncate = (relative_rms(freq.lfilter(b, a, x, c), y) for c in CORRECTIONS)

    assert truncate <= limit
    assert none > 0.01  # 0.019 at the least, of radius 0.9 and 16384 samples
    assert zeropad > 0.1 or radius**T < 0.4
    single = freq.lfilter(b.float(), a.float(), x.float(), "truncate")
    expected = polezero.lfilter(b.float().double(), a.float().double(), x.float().double())
    assert relative_rms(single, expected) <= 2e-6  # 3.4e-7 measured


@pytest.mark.parametrize("radius", [0.9, 0.99, 0.999])
@pytest.mark.parametrize("T", [64, 100, 1000])
def test_without_truncation_the_ringing_comes_back(T: int, radius: float) -> None:
    b, a = near_circle(radius, 0.3)
    x = torch.randn(2, T, dtype=torch.float64)
    lengths = {64: 128, 100: 240, 1000: 2048}  # the next from 2 T on of 2^k, 3 * 2^k, 5 * 2^k, 9 * 2^k, 15 * 2^k

    none, zeropad = freq.lfilter(b, a, x), freq.lfilter(b, a, x, "zeropad")

    assert_close(none, repeated(b, a, x, T), 1e-12)  # 1.7e-13 measured
    assert_close(zeropad, repeated(b, a, x, lengths[T]), 1e-12)


@pytest.mark.parametrize("T", [32, 33])
def test_the_truncated_response_needs_a_power_of_z_and_twice_the_points(T: int) -> None:
    b, a = near_circle(0.99, 0.3)
    x = torch.randn(T, dtype=torch.float64)
    A, B, C = (t.to(torch.complex128) for t in state_space(b, a))
    power, one = torch.linalg.matrix_power(A, T), torch.eye(2)

    def filtered(L: int) -> Tensor:
        z = torch.exp(2j * torch.pi * torch.arange(L, dtype=torch.float64) / L)[:, None, None]
        H = b[0] + (C @ (one - z**-T * power) @ torch.linalg.solve(z * one - A, B)).flatten()
        return torch.fft.ifft(torch.fft.fft(x, L) * H).real[:T]

    y = polezero.lfilter(b, a, x)
    assert_close(filtered(2 * T), y, 1e-12)  # 1.5e-14 measured
    assert_close(filtered(2 * T), freq.lfilter(b, a, x, "truncate"), 1e-12)
    # z^T = 1 on a grid of T points: C (I - A^T), and the convolution is circular
    assert relative_rms(filtered(T), y) > 0.3  # 0.79 measured
    h = polezero.lfilter(b, a, torch.eye(1, T + 1, dtype=torch.float64)[0])
    h = h[:T] + torch.nn.functional.pad(h[T:], (0, T - 1))
    circular = torch.stack([h.roll(n) for n in range(T)], -1) @ x
    assert_close(filtered(T), circular, 1e-12)


def test_truncate_is_the_recursion_for_an_integrator_and_unstable_filters() -> None:
    x = torch.randn(3, 1000, dtype=torch.float64)
    for a in ([1.0, -1.0], [1.0, 1.0], [1.0, 0.0, 1.0], [1.0, -2.0, 1.0], resonator(1.01, 0.3, torch.float64)):
        y = polezero.lfilter([1.0, 0.5], a, x)
        assert_close(freq.lfilter([1.0, 0.5], a, x, "truncate"), y, 1e-10)  # 1.0e-11 measured, of two poles at z = 1
    assert y[:, -100:].abs().max() > 1e3


@pytest.mark.parametrize(
    # poles in a cluster, whose companion matrix has powers that are large for a moment
    ("design", "limit"),
    [
        (scipy.signal.butter(4, 0.05), 1e-10),  # 4.3e-12 measured
        (scipy.signal.butter(8, 0.05), 1e-6),  # 1.4e-7; the recursion's own, against long double, is 2.4e-9
        (scipy.signal.ellip(8, 1, 60, 0.2), 1e-9),  # 9.7e-11
        (scipy.signal.butter(20, 0.5), 1e-12),  # 4.0e-14
    ],
)
@pytest.mark.parametrize("T", [30, 300, 4096])
def test_truncate_is_the_recursion_for_high_orders(T: int, design: Any, limit: float) -> None:
    b, a = (torch.from_numpy(c) for c in design)
    x = torch.randn(T, dtype=torch.float64)
    assert_close(freq.lfilter(b, a, x, "truncate"), polezero.lfilter(b, a, x), limit)


def test_gradients_near_the_circle_are_the_recursions() -> None:
    b, a = near_circle(0.999, 0.3)
    inputs = requires_grad((b, a, torch.randn(2, 1000, dtype=torch.float64)))

    def gradients(function: Callable[..., Tensor]) -> Any:
        return torch.autograd.grad(loss(function)(*inputs), inputs)

    expected = gradients(polezero.lfilter)
    assert_close(gradients(partial(freq.lfilter, correction="truncate")), expected, 1e-11)  # 2.3e-13 measured


@pytest.mark.parametrize("correction", CORRECTIONS)
def test_shapes_axes_and_dtypes_are_those_of_lfilter(correction: str) -> None:
    x = torch.randn(2, 7, 3)
    bank = torch.randn(5, 1, 1, 2)
    for axis in (0, 1, 2, -1, -2, -3):
        y, expected = freq.lfilter(bank, [1.0, -0.5], x, correction, axis), polezero.lfilter(bank, [1, -0.5], x, axis)
        assert y.shape == expected.shape
        if correction == "truncate":
            assert_close(y, expected)
    for shape in ((0, 5), (3, 0), (0, 0)):
        assert freq.lfilter(bank[:, 0], [1.0, -0.5], x.new_ones(shape), correction).shape == (5, *shape)
    assert freq.lfilter(torch.ones(0, 2), [1.0, -0.5], x[0, 0], correction).shape == (0, 3)
    for dtype in (torch.float16, torch.bfloat16, torch.int64, torch.bool, *DTYPES):
        for b in ([1.0, 0.5], [1j], torch.ones(2, dtype=torch.float64), torch.ones(2, dtype=torch.bfloat16)):
            signal = torch.ones(4).to(dtype)
            expected = polezero.lfilter(b, [1.0], signal)
            assert freq.lfilter(b, [1.0], signal, correction).dtype == expected.dtype
            assert_close(freq.lfilter(b, [1.0], signal, "truncate"), expected)
            with torch.autocast("cpu", dtype=torch.bfloat16):
                assert freq.lfilter(b, [1.0], signal).dtype == polezero.lfilter(b, [1.0], signal).dtype


@pytest.mark.parametrize("n", [1, 2, 3, 8, 9, 512])
def test_response_is_freqz(n: int) -> None:
    for dtype in (torch.float64, torch.complex128):
        b, a, _ = lfilter_inputs(dtype, M=5, N=3, lead_b=(2,))
        _, expected = scipy.signal.freqz(b[0], a, n, whole=True)
        H = freq.response(b, a, n, onesided=False)
        assert_close(H[0], torch.from_numpy(expected), TOLERANCE[torch.complex128])
        if dtype == torch.float64:
            assert_close(freq.response(b, a, n), H[:, : n // 2 + 1], TOLERANCE[torch.complex128])
    assert freq.response(torch.ones(1), torch.ones(1).half(), n).dtype == torch.complex64
    assert freq.response([1.0], torch.ones(1), n).dtype == torch.complex128
    assert freq.response(torch.ones(0, 2), [1.0], n).shape == (0, n // 2 + 1)


@pytest.mark.parametrize("n", [1, 2, 7, 8])
def test_apply_is_lfilter_on_spectra(n: int) -> None:
    b, a, x = lfilter_inputs(M=3, N=2, T=n, lead_b=(2,), lead_x=(4, 1))
    X = torch.fft.rfft(x)

    Y = freq.apply(b, a, X, n)

    assert_close(torch.fft.irfft(Y, n), freq.lfilter(b, a, x), TOLERANCE[torch.float64])
    assert_close(Y, freq.response(b, a, n) * X, TOLERANCE[torch.float64])
    assert_close(freq.apply(b, a, X.movedim(-1, 0), n, axis=0).movedim(0, -1), Y)
    if n % 2 == 0 or n == 1:
        assert_close(freq.apply(b, a, X), Y)
    b, a, x = lfilter_inputs(torch.complex128, T=n)
    Y = freq.apply(b, a, torch.fft.fft(x), onesided=False)
    assert_close(torch.fft.ifft(Y), freq.lfilter(b, a, x), TOLERANCE[torch.complex128])


def test_apply_filters_the_frames_of_an_stft() -> None:
    x = torch.randn(2, 1000)
    X = torch.stft(x, 64, window=torch.hann_window(64), return_complex=True)
    Y = freq.apply([1.0, 0.5], [1.0, -0.5], X, axis=-2)
    assert Y.dtype == torch.complex64
    assert_close(Y, freq.response([1.0, 0.5], [1.0, -0.5], 64)[:, None] * X)
    bank = freq.apply(torch.ones(3, 1, 1, 2).double(), [1.0], X, axis=-2)
    assert bank.shape == (3, *X.shape) and bank.dtype == torch.complex64


@pytest.mark.parametrize("n", [1, 12, 31])
@pytest.mark.parametrize("onesided", [True, False])
def test_comb_with_a_whole_delay_is_a_filter(onesided: bool, n: int) -> None:
    for delay in (0, 1, 5, 40):
        a = torch.tensor([0.7, -0.4], dtype=torch.float64 if onesided else torch.complex128)
        denominator = torch.cat([a.new_ones(2, 1), a.new_zeros(2, delay)], -1)
        denominator[:, delay] += a
        H = freq.comb(a, delay, n, onesided)
        assert_close(H, freq.response([1.0], denominator, n, onesided), TOLERANCE[torch.complex128])


def test_comb_delays_a_sine_by_less_than_a_sample() -> None:
    n, delay, omega = 64, 3.25, 2 * torch.pi * 5 / 64
    time = torch.arange(n, dtype=torch.float64)
    gain = 1 / (1 + 0.5 * torch.exp(torch.tensor(-1j * omega * delay, dtype=torch.complex128)))
    expected = gain.abs() * (omega * time + gain.angle()).sin()
    for onesided in (True, False):
        H = freq.comb(torch.tensor(0.5, dtype=torch.float64), delay, n, onesided)
        forward, back = (torch.fft.rfft, torch.fft.irfft) if onesided else (torch.fft.fft, torch.fft.ifft)
        y = back(forward((omega * time).sin()) * H, n)
        assert_close(y + 0j, expected + 0j, TOLERANCE[torch.complex128])


def test_comb_keeps_the_phase_of_a_long_delay_in_single_precision() -> None:
    delay = torch.tensor(48000.5)
    H = freq.comb(torch.tensor(0.9), delay, 2**17)
    assert H.dtype == torch.complex64
    assert_close(H, freq.comb(0.9, delay.double(), 2**17))


def test_a_delay_is_learned() -> None:
    X = torch.fft.rfft(torch.randn(256))
    wanted = freq.comb(0.6, 10.4, 256) * X
    delay = torch.tensor(10.1, requires_grad=True)
    optimizer = torch.optim.Adam([delay], 0.02)
    for _ in range(150):
        optimizer.zero_grad()
        (freq.comb(0.6, delay, 256) * X - wanted).abs().square().mean().backward()
        optimizer.step()
    assert abs(delay.item() - 10.4) < 1e-2
