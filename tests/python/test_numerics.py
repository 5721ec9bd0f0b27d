"""Accuracy, against float64 filters of the same float32 coefficients and input, and long double ones at float64."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.signal
import torch
from cases import SIZED
from cases.case import Bound
from cases.lfilter import lfilter_inputs
from cases.tensors import resonator
from support import GRADIENT_TOLERANCE, assert_close, each, relative_rms, requires_grad, scipy_lfilter, wide
from torch import Tensor

import polezero
from polezero import reference

# The project's accuracy targets: relative RMS errors by pole radius, for signals; and for every gradient.
SIGNAL_BOUND = {0.9: 2e-6, 0.999: 6e-6, 0.99999: 1e-5}
GRADIENT_BOUND = 1e-4

# One long row is split in time over the threads, a few keep one thread each busy; and rows of 1000 samples end in a
# part of a block.
SHAPES = [(1, 1000), (64, 1000), (1, 2**18), (4, 2**17)]


def zeros(kind: str, angle: float) -> Tensor:
    """Numerators: none in the way, or zeros at the end of the circle where the poles are, which nearly cancel them.

    Then the all-pole part alone is up to 1e5 times larger than the output, and so is a rounding error made between
    the two parts.
    """
    near = -2.0 if angle < torch.pi / 2 else 2.0
    return torch.tensor([1.0, 0.4, 0.3] if kind == "apart" else [1.0, near, 1.0])


def scipy_gradients(b: Tensor, a: Tensor, x: Tensor, zi: Tensor, grad_y: Tensor) -> dict[str, Tensor]:
    """The gradients of sum(grad_y * y) for rows of signals that share one real filter, in double precision.

    With lambda the all-pole filter of grad_y backwards in time, and P states as additive inputs:
    grad_x[n] = sum_k b_k lambda[n+k], grad_b_k = sum_n lambda[n] x[n-k], grad_a_i = -sum_n lambda[n] y[n-i] for
    i > 0, grad_a_0 = sum_n lambda[n] (zi[n] - y[n]), grad_zi[n] = a_0 lambda[n].
    """
    b, a, x, zi, grad_y = (wide(t) for t in (b, a, x, zi, grad_y))
    T, P = x.shape[-1], zi.shape[-1]
    y, _ = scipy_lfilter(b, a, x, zi=zi)
    backwards = scipy_lfilter(torch.ones(1), a, grad_y.flip(-1))
    adjoint = backwards.flip(-1)

    def correlate(signal: Tensor, taps: int) -> Tensor:
        return torch.stack([(adjoint[:, k:] * signal[:, : T - k]).sum() for k in range(taps)])

    grad_a = -correlate(y, len(a))
    grad_a[0] += (adjoint[:, :P] * zi).sum()
    return {
        "x": scipy_lfilter(b, torch.ones(1), backwards).flip(-1),
        "b": correlate(x, len(b)),
        "a": grad_a,
        "zi": a[0] * adjoint[:, :P],
    }


def test_the_expected_gradients_are_those_of_the_reference() -> None:
    inputs = requires_grad(lfilter_inputs(M=3, N=2, T=30, lead_zi=(2,)))
    grad_y = torch.randn(2, 30, dtype=torch.float64)

    y, _ = reference.lfilter(inputs[0], inputs[1], inputs[2], zi=inputs[3])

    expected = torch.autograd.grad(y, inputs, grad_y)
    gradients = scipy_gradients(inputs[0], inputs[1], inputs[2], inputs[3], grad_y)
    assert_close([gradients[k] for k in ("b", "a", "x", "zi")], expected, tolerance=GRADIENT_TOLERANCE)


def check_bounds(errors: dict[str, float], bound: float) -> None:
    beyond = {name: f"{error:.1e}" for name, error in errors.items() if not error <= bound}
    assert not beyond, f"relative RMS errors above {bound:.0e}: {beyond}"


@pytest.mark.parametrize(("rows", "T"), SHAPES)
@pytest.mark.parametrize("kind", ["apart", "cancelling"])
@pytest.mark.parametrize("angle", [0.003, 0.03, 0.3, 1.0, 3.1])
@pytest.mark.parametrize("radius", SIGNAL_BOUND)
def test_float32_value_and_gradients_reach_the_accuracy_targets(
    radius: float, angle: float, kind: str, rows: int, T: int
) -> None:
    b, a = zeros(kind, angle), resonator(radius, angle)
    x, zi, grad_y = torch.randn(rows, T), torch.randn(rows, 2), torch.randn(rows, T)
    inputs = requires_grad((b, a, x, zi))

    y, zf = polezero.lfilter(*inputs[:3], zi=inputs[3])
    expected_y, expected_zf = scipy_lfilter(b, a, x, zi=zi)
    check_bounds({"y": relative_rms(y, expected_y), "zf": relative_rms(zf, expected_zf)}, SIGNAL_BOUND[radius])

    gradients = dict(zip(("b", "a", "x", "zi"), torch.autograd.grad(y, inputs, grad_y), strict=True))
    expected = scipy_gradients(b, a, x, zi, grad_y)
    check_bounds({name: relative_rms(gradients[name], expected[name]) for name in expected}, GRADIENT_BOUND)


@pytest.mark.parametrize("angle", [0.003, 0.3, 3.1])
@pytest.mark.parametrize("radius", SIGNAL_BOUND)
def test_float32_two_pass_gradients_reach_the_accuracy_targets(radius: float, angle: float) -> None:
    b, a = zeros("apart", angle), resonator(radius, angle)
    x, zi, grad_y = torch.randn(2, 1000), torch.randn(2, 2), torch.randn(2, 1000)
    inputs = requires_grad((b, a, x, zi))

    y, _ = polezero.lfilter(*inputs[:3], zi=inputs[3], backward="two_pass")

    gradients = dict(zip(("b", "a", "x", "zi"), torch.autograd.grad(y, inputs, grad_y), strict=True))
    expected = scipy_gradients(b, a, x, zi, grad_y)
    check_bounds({name: relative_rms(gradients[name], expected[name]) for name in expected}, GRADIENT_BOUND)


@pytest.mark.kernels
@pytest.mark.parametrize(("rows", "T"), SHAPES)
@pytest.mark.parametrize("angle", [0.003, 0.3, 3.1])
@pytest.mark.parametrize("radius", SIGNAL_BOUND)
def test_float32_allpole_reaches_the_accuracy_targets(radius: float, angle: float, rows: int, T: int) -> None:
    a, x, grad_y = resonator(radius, angle), torch.randn(rows, T), torch.randn(rows, T)
    inputs = requires_grad((a[1:], x))

    y = polezero.allpole(*inputs)
    expected_y = scipy_lfilter(torch.ones(1), a, x)
    check_bounds({"y": relative_rms(y, expected_y)}, SIGNAL_BOUND[radius])

    grad_a, grad_x = torch.autograd.grad(y, inputs, grad_y)
    expected = scipy_gradients(torch.ones(1), a, x, torch.zeros(rows, 2), grad_y)
    check_bounds(
        {"a": relative_rms(grad_a, expected["a"][1:]), "x": relative_rms(grad_x, expected["x"])}, GRADIENT_BOUND
    )


@pytest.mark.parametrize("angle", [0.003, 3.1])
@pytest.mark.parametrize("radius", SIGNAL_BOUND)
def test_float32_rows_split_over_many_threads_reach_the_accuracy_targets(radius: float, angle: float) -> None:
    torch.set_num_threads(5)
    b, a = zeros("apart", angle), resonator(radius, angle)
    x, zi, grad_y = torch.randn(1, 2**18), torch.randn(1, 2), torch.randn(1, 2**18)
    inputs = requires_grad((b, a, x, zi))

    y, _ = polezero.lfilter(*inputs[:3], zi=inputs[3])

    check_bounds({"y": relative_rms(y, scipy_lfilter(b, a, x, zi=zi)[0])}, SIGNAL_BOUND[radius])
    gradients = dict(zip(("b", "a", "x", "zi"), torch.autograd.grad(y, inputs, grad_y), strict=True))
    expected = scipy_gradients(b, a, x, zi, grad_y)
    check_bounds({name: relative_rms(gradients[name], expected[name]) for name in expected}, GRADIENT_BOUND)


@pytest.mark.parametrize("radius", SIGNAL_BOUND)
def test_complex64_reaches_the_accuracy_targets(radius: float) -> None:
    pole = torch.polar(torch.tensor(radius, dtype=torch.float64), torch.tensor(0.003, dtype=torch.float64))
    a = torch.stack([torch.ones_like(pole), -pole]).to(torch.complex64)
    b, x = torch.tensor([1.0 + 0.5j, 0.4j]), torch.randn(1, 2**16, dtype=torch.complex64)
    assert relative_rms(polezero.lfilter(b, a, x), scipy_lfilter(b, a, x)) <= SIGNAL_BOUND[radius]


@each("numerics", SIZED)
@pytest.mark.parametrize("radius", [0.9, 0.999, 0.99999])
def test_float32_rounds_what_it_writes(example: Bound, radius: float) -> None:
    """The values and all gradients, of float32 coefficients and signals: what is fed back is not rounded."""
    point = example.at(example.sized(1, 2**15, torch.float32, radius))
    inputs, exact_inputs = requires_grad(point.inputs), requires_grad([wide(t).to(t.device) for t in point.inputs])

    outputs, exact = point.function(*inputs), point.function(*exact_inputs)
    weights = [torch.randn_like(y) for y in outputs]
    gradients = torch.autograd.grad(outputs, inputs, weights)
    exact_gradients = torch.autograd.grad(exact, exact_inputs, [wide(w).to(w.device) for w in weights])

    bound = example.call.error or SIGNAL_BOUND[radius]
    check_bounds({f"output {k}": relative_rms(y, e) for k, (y, e) in enumerate(zip(outputs, exact))}, bound)
    errors = {n: relative_rms(g, e) for n, g, e in zip(point.names, gradients, exact_gradients, strict=True)}
    signal = example.case.signal
    check_bounds({n: e for n, e in errors.items() if n == signal}, bound)
    check_bounds({n: e for n, e in errors.items() if n != signal}, GRADIENT_BOUND)


# Clustered poles: the powers of the state matrix that carry a state over a block are large before they decay.
DESIGNS: dict[str, Any] = {
    "butterworth": lambda n: scipy.signal.butter(n, 0.05),
    "highpass": lambda n: scipy.signal.butter(n, 0.05, "highpass"),
    "elliptic": lambda n: scipy.signal.ellip(n, 1, 60, 0.2),
    "chebyshev": lambda n: scipy.signal.cheby1(n, 0.5, 0.1),
    "wide": lambda n: scipy.signal.bessel(n, 0.5),
}


def array(t: Tensor) -> np.ndarray:
    return t.detach().cpu().numpy()


def long_double_lfilter(b: np.ndarray, a: np.ndarray, x: np.ndarray) -> Any:
    return scipy.signal.lfilter(*(t.astype(np.longdouble) for t in (b, a, x)))


@pytest.mark.parametrize(("rows", "T"), [(1, 4096), (1, 2**16), (32, 512)])
@pytest.mark.parametrize("order", range(1, 9))
@pytest.mark.parametrize("design", DESIGNS)
def test_float64_is_within_10x_of_a_serial_filter(design: str, order: int, rows: int, T: int) -> None:
    assert np.finfo(np.longdouble).eps < 1e-18, "long double is no better than double on this machine"
    b, a = DESIGNS[design](order)
    x = torch.randn(rows, T, dtype=torch.float64)

    exact = long_double_lfilter(b, a, array(x))
    y = polezero.lfilter(torch.tensor(b), torch.tensor(a), x)

    scale = np.linalg.norm(exact)
    serial_error = float(np.linalg.norm(scipy.signal.lfilter(b, a, array(x)) - exact) / scale)
    error = float(np.linalg.norm(array(y) - exact) / scale)
    assert error <= 10 * serial_error + np.finfo(np.float64).eps, f"{error:.1e}, serial {serial_error:.1e}"


@pytest.mark.kernels
@pytest.mark.parametrize(("rows", "T"), [(1, 4096), (32, 512)])
@pytest.mark.parametrize("order", [1, 2, 4, 8])
def test_float64_gradients_are_within_10x_of_a_serial_filter(order: int, rows: int, T: int) -> None:
    b, a = scipy.signal.butter(order, 0.05)
    x, grad_y = torch.randn(rows, T, dtype=torch.float64), torch.randn(rows, T, dtype=torch.float64)
    leaf = x.clone().requires_grad_()

    (grad_x,) = torch.autograd.grad(polezero.lfilter(torch.tensor(b), torch.tensor(a), leaf), leaf, grad_y)

    backwards = array(grad_y.flip(-1))
    exact = long_double_lfilter(b, a, backwards)
    scale = np.linalg.norm(exact)
    serial_error = float(np.linalg.norm(scipy.signal.lfilter(b, a, backwards) - exact) / scale)
    error = float(np.linalg.norm(array(grad_x.flip(-1)) - exact) / scale)
    assert error <= 10 * serial_error + np.finfo(np.float64).eps, f"{error:.1e}, serial {serial_error:.1e}"


HIGH_ORDERS = {
    "butterworth12": scipy.signal.butter(12, 0.5),
    "butterworth20": scipy.signal.butter(20, 0.5),
    "chebyshev12": scipy.signal.cheby1(12, 3, 0.5),
    "chebyshev16": scipy.signal.cheby1(16, 3, 0.5),
}


@pytest.mark.parametrize(("rows", "T"), [(1, 20000), (64, 1000)])
@pytest.mark.parametrize("design", HIGH_ORDERS)
def test_float32_at_high_order_is_as_accurate_as_a_serial_filter(design: str, rows: int, T: int) -> None:
    # Such a direct form loses 1e-2 in SciPy's own float32 (chebyshev16), so that is the measure; twice, for luck
    # decides which of two sums of rounding errors is smaller.
    b, a = (torch.tensor(t).float() for t in HIGH_ORDERS[design])
    x = torch.randn(rows, T)
    exact = scipy_lfilter(b, a, x)
    serial = torch.from_numpy(scipy.signal.lfilter(array(b), array(a), array(x)))
    assert serial.dtype == torch.float32
    check_bounds({"y": relative_rms(polezero.lfilter(b, a, x), exact)}, 2 * relative_rms(serial, exact))


@pytest.mark.parametrize("rows", [1, 9])
@pytest.mark.parametrize("M", [64, 400, 1024])
def test_float32_without_feedback_rounds_what_it_writes(M: int, rows: int) -> None:
    """Any number of taps: in batches, in chunks and by FFTs."""
    T = 6000
    b, x, grad_y = torch.randn(M + 1), torch.randn(rows, T), torch.randn(rows, T)
    zi, grad_zf = torch.randn(rows, M), torch.randn(rows, M)
    results = []
    for dtype in (torch.float32, torch.float64):
        inputs = requires_grad([t.to(dtype) for t in (b, x, zi)])
        y, zf = polezero.lfilter(inputs[0], torch.ones(1, dtype=dtype), inputs[1], zi=inputs[2])
        grads = torch.autograd.grad((y, zf), inputs, (grad_y.to(dtype), grad_zf.to(dtype)))
        results.append(dict(zip(("y", "zf", "grad_b", "grad_x", "grad_zi"), (y, zf, *grads))))
    check_bounds({name: relative_rms(t, results[1][name]) for name, t in results[0].items()}, 2e-7)


CUT_OFFS = (1e-4, 1e-3, 6e-3, 0.05, 0.2, 0.5, 0.9)
# Of an order and a cut-off.
GRID: dict[str, Callable[[int, float], Any]] = {
    "lowpass": scipy.signal.butter,
    "highpass": lambda n, c: scipy.signal.butter(n, c, "highpass"),
    "chebyshev": lambda n, c: scipy.signal.cheby1(n, 0.5, c),
    "elliptic": lambda n, c: scipy.signal.ellip(n, 1, 60, c, "highpass"),
    "bandpass": lambda n, c: scipy.signal.butter(n // 2, [c / 2, c], "bandpass"),
    "bandstop": lambda n, c: scipy.signal.butter(n // 2, [c / 2, c], "bandstop"),
    "allpass": lambda n, c: (scipy.signal.butter(n, c)[1][::-1].copy(), scipy.signal.butter(n, c)[1]),
}
# Where a serial filter in float64 is further than this from one in long double, the coefficients no longer say what
# the filter does, or it is unstable and overflows.
SERIAL_BOUND = 1e-6
# Of a row alone (measured: 7.8e-8, with AVX2 9.1e-8). Beside it three times the serial filter's error is allowed, which
# is far smaller for all but a few: that of rows side by side, which baseline kernels prefer above order 8.
ROUNDING_BOUND = 1.5e-7


def rms_error(actual: Any, exact: Any) -> float:
    return float(np.linalg.norm((actual - exact).astype(float)) / np.linalg.norm(exact.astype(float)))


@pytest.mark.kernels
@pytest.mark.parametrize("order", [*range(1, 17), 20, 24])
@pytest.mark.parametrize("design", GRID)
@pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::scipy.signal.BadCoefficients")  # unstable ones
def test_float32_rows_alone_round_what_they_write_wherever_the_poles_are(design: str, order: int) -> None:
    T = 4096
    x, grad_y = torch.randn(T), torch.randn(T)
    for cut_off in CUT_OFFS:
        b, a = GRID[design](max(order, 2 if "band" in design else 1), cut_off)
        exact = long_double_lfilter(b, a, array(x))
        exact_grad_x = long_double_lfilter(b, a, array(grad_y)[::-1])[::-1]
        serial = {
            "y": rms_error(scipy.signal.lfilter(b, a, wide(x)), exact),
            "grad_x": rms_error(scipy.signal.lfilter(b, a, wide(grad_y).numpy()[::-1])[::-1], exact_grad_x),
        }
        if not max(serial.values()) <= SERIAL_BOUND:
            continue
        exact_lambda = long_double_lfilter(np.ones(1), a, array(grad_y)[::-1])[::-1]

        def gradient(signal: Any, taps: int, exact_lambda: Any = exact_lambda) -> Any:
            return np.array([exact_lambda[k:] @ signal[: T - k] for k in range(taps)])

        inputs = requires_grad((torch.tensor(b), torch.tensor(a), x))
        y = polezero.lfilter(*inputs)
        grad_b, grad_a, grad_x = (array(g) for g in torch.autograd.grad(y, inputs, grad_y))
        state = torch.zeros(max(len(b), len(a)) - 1, dtype=torch.float64)
        halves = []
        for half in x.split(T // 2):
            part, state = polezero.lfilter(b, a, half, zi=state)
            halves.append(part)

        allowed = {name: ROUNDING_BOUND + 3 * error for name, error in serial.items()}
        assert rms_error(array(y), exact) <= allowed["y"], cut_off
        assert rms_error(array(torch.cat(halves)), exact) <= allowed["y"], cut_off
        assert rms_error(grad_x, exact_grad_x) <= allowed["grad_x"], cut_off
        assert rms_error(grad_b, gradient(array(x), len(b))) <= GRADIENT_BOUND, cut_off
        assert rms_error(grad_a, -gradient(exact, len(a))) <= GRADIENT_BOUND, cut_off
