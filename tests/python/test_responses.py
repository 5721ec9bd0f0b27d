"""Responses against SciPy over a grid of filters, against mpmath where SciPy is wrong, and what is special of them."""

import itertools
import math
import warnings
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
import scipy.signal
import torch
from support import assert_close, ids
from torch import Tensor
from torch.autograd import gradcheck

import polezero

DESIGNS: dict[str, Callable[..., Any]] = {
    "butter": lambda N, Wn, btype, **how: scipy.signal.butter(N, Wn, btype, **how),
    "cheby1": lambda N, Wn, btype, **how: scipy.signal.cheby1(N, 1, Wn, btype, **how),
    "cheby2": lambda N, Wn, btype, **how: scipy.signal.cheby2(N, 40, Wn, btype, **how),
    "ellip": lambda N, Wn, btype, **how: scipy.signal.ellip(N, 1, 40, Wn, btype, **how),
    "bessel": lambda N, Wn, btype, **how: scipy.signal.bessel(N, Wn, btype, **how),
}
BANDS = {"low": 0.3, "high": 0.4, "bandpass": (0.2, 0.5), "bandstop": (0.2, 0.5)}
FILTERS = [*itertools.product(DESIGNS, BANDS, (1, 3, 6))]
GRIDS: dict[str, dict[str, Any]] = {
    "default": {},
    "odd_count": {"worN": 101},
    "whole": {"worN": 64, "whole": True},
    "whole_odd": {"worN": 63, "whole": True},
    "hertz": {"worN": 50, "fs": 8000},
    "given": {"worN": [0.0, 0.25, 1.0, 4.0], "fs": 8},
    "negative": {"worN": np.linspace(-3, 7, 11)},
    "one": {"worN": 1.5},
    "none": {"worN": 0},
    "None": {"worN": None},
}
# Beside the largest value: 8e-14 measured, and 6e-11 for polynomials of order 12, whose digits cancel in SciPy, too.
TOLERANCE, OF_POLYNOMIALS = 1e-12, 1e-9


def design(kind: str, band: str, order: int, output: str, **others: Any) -> Any:
    return DESIGNS[kind](order, BANDS[band], band, output=output, **others)


def assert_equal(got: tuple[Tensor, ...], expected: tuple[Any, ...], tolerance: float = TOLERANCE) -> None:
    assert_close(got, tuple(torch.from_numpy(np.asarray(e)) for e in expected), tolerance)


# ---- frequency responses


@pytest.mark.parametrize("output", ["ba", "zpk", "sos"])
@pytest.mark.parametrize("kind, band, order", FILTERS)
def test_responses_are_scipys(kind: str, band: str, order: int, output: str) -> None:
    name = {"ba": "freqz", "zpk": "freqz_zpk", "sos": "freqz_sos"}[output]
    system = design(kind, band, order, output)
    arguments = (system,) if output == "sos" else system
    tolerance = OF_POLYNOMIALS if output == "ba" else TOLERANCE
    for options in ({"worN": 40}, {"worN": np.linspace(0.01, 3, 7)}):
        ours, theirs = (getattr(module, name)(*arguments, **options) for module in (polezero, scipy.signal))
        assert_equal(ours, theirs, tolerance)


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("name", ["freqz", "freqz_zpk", "freqz_sos", "sosfreqz"])
def test_frequencies_are_scipys(name: str, grid: str) -> None:
    output = {"freqz": "ba", "freqz_zpk": "zpk"}.get(name, "sos")
    system = design("ellip", "bandpass", 2, output)
    arguments = (system,) if output == "sos" else system
    theirs = getattr(scipy.signal, "freqz_sos" if name == "sosfreqz" else name)
    assert_equal(getattr(polezero, name)(*arguments, **GRIDS[grid]), theirs(*arguments, **GRIDS[grid]))


@pytest.mark.parametrize("count", [1, 2, 9, 64])
def test_nyquist_may_be_included(count: int) -> None:
    b, a = design("cheby1", "low", 3, "ba")
    options = {"worN": count, "include_nyquist": True, "fs": 10.0}
    assert_equal(polezero.freqz(b, a, **options), scipy.signal.freqz(b, a, **options))


@pytest.mark.parametrize("taps", [1, 5, 32, 33, 300])
@pytest.mark.parametrize("worN", [16, 200, [0.0, 1.3, 3.0]], ids=["short", "long", "given"])
def test_polynomials_of_any_length(taps: int, worN: Any) -> None:
    """By FFT where it is long enough, elsewhere by blocks of powers."""
    b, a = np.random.default_rng(1).standard_normal((2, taps))
    a[0] += 3 * taps
    for pair in ((b, 1), (b, a), (b * 1j, a)):
        assert_equal(polezero.freqz(*pair, worN)[1:], scipy.signal.freqz(*pair, worN)[1:])


def test_plot_is_called() -> None:
    calls: list[tuple[Tensor, Tensor]] = []
    results = [
        polezero.freqz([1.0], [1.0, 0.5], plot=lambda w, h: calls.append((w, h))),
        polezero.freqs([1.0], [1.0, 0.5], plot=lambda w, h: calls.append((w, h))),
    ]
    assert all(one is other for call, result in zip(calls, results, strict=True) for one, other in zip(call, result))


@pytest.mark.parametrize("worN", [None, 30, [0.0, 1.0, 500.0]], ids=["default", "count", "given"])
@pytest.mark.parametrize("band", ["low", "high", "bandpass", "bandstop"])
@pytest.mark.parametrize("kind", ["butter", "ellip"])
def test_analog_responses_are_scipys(kind: str, band: str, worN: Any) -> None:
    Wn = 100 if band in ("low", "high") else (100, 300)
    for order in (1, 4):
        ba, zpk = (DESIGNS[kind](order, Wn, band, analog=True, output=output) for output in ("ba", "zpk"))
        assert_equal(polezero.freqs(*ba, worN), scipy.signal.freqs(*ba, worN))
        assert_equal(polezero.freqs_zpk(*zpk, worN), scipy.signal.freqs_zpk(*zpk, worN))


def test_a_grid_around_analog_filters_spans_all_of_a_batch() -> None:
    slow, fast = [1.0, 1.0], [1.0, 1000.0]
    w, h = polezero.freqs([1.0], [slow, fast], 20)
    assert (w[0].item(), w[-1].item()) == (0.01, 1e4) and h.shape == (2, 20)
    assert_close(h[1], polezero.freqs([1.0], fast, w)[1])
    with pytest.raises(ValueError, match="freqs: worN: expected frequencies where values"):
        torch.vmap(lambda a: polezero.freqs(torch.ones(1), a, 20)[1])(torch.tensor([slow, fast]))


def test_sections_keep_their_digits_at_low_and_high_frequencies() -> None:
    """Of 5 Hz and of Nyquist less 5 Hz at 64 kHz: polynomials in cos w would have lost half of them."""
    mpmath.mp.dps = 40
    for high in (False, True):
        sos = torch.from_numpy(scipy.signal.butter(2, 5, fs=2**16, output="sos"))
        sos = sos * torch.tensor([1, -1, 1, 1, -1, 1]) if high else sos
        hertz = [2**15 - f if high else f for f in (0.5, 4.0, 6.0, 40.0)]
        h = polezero.freqz_sos(sos, hertz, fs=2**16)[1]
        for f, value in zip(hertz, h.tolist()):
            z = mpmath.expjpi(-2 * mpmath.mpf(f) / 2**16)
            c = [mpmath.mpf(v) for v in sos[0].tolist()]
            expected = (c[0] + c[1] * z + c[2] * z**2) / (c[3] + c[4] * z + c[5] * z**2)
            assert abs(mpmath.mpc(value) / expected - 1) < 2e-14  # 4e-15 measured; SciPy's are off by 4e-9


# ---- ranges and zeros


def test_long_cascades_do_not_overflow() -> None:
    """32 sections of +20 dB in float32; and products that leave the range of float64 on the way."""
    sos = torch.tensor([[10.0, 0, 0, 1, 0, 0]]).repeat(32, 1).requires_grad_()
    h = polezero.freqz_sos(sos, 3)[1]
    assert h.dtype == torch.complex64
    assert_close(h.abs(), torch.full((3,), 1e32))
    h.abs().log().sum().backward()
    assert_close(sos.grad[:, 0], torch.full((32,), 0.3), 1e-5)

    narrow = torch.tensor([[1e-12, 0, 0, 1e-12, 0, 0]], dtype=torch.float64).repeat(200, 1)
    assert_close(polezero.freqz_sos(narrow, 3)[1], torch.ones(3, dtype=torch.complex128))


def responses_of_high_pass(order: int) -> dict[str, tuple[Callable[..., Tensor], Tensor]]:
    """|H| at 0, where it is 0, of coefficients."""
    at_zero = torch.zeros(1, dtype=torch.float64)
    b, a = map(torch.from_numpy, scipy.signal.butter(order, 0.3, "high"))
    z, p, k = map(torch.as_tensor, scipy.signal.butter(order, 0.3, "high", output="zpk"))
    sos = torch.from_numpy(scipy.signal.butter(order, 0.3, "high", output="sos"))
    return {
        "ba": (lambda b: polezero.freqz(b, a, at_zero)[1], b),
        "zpk": (lambda z: polezero.freqz_zpk(z, p, k, at_zero)[1], z + 0j),
        "sos": (lambda sos: polezero.freqz_sos(sos, at_zero)[1], sos),
    }


@pytest.mark.parametrize(
    "form, order", [("ba", 1), ("ba", 2), ("zpk", 1), ("zpk", 5), ("sos", 1), ("sos", 2), ("sos", 5)]
)
def test_magnitudes_have_finite_gradients_where_they_vanish(form: str, order: int) -> None:
    response, coefficients = responses_of_high_pass(order)[form]
    leaf = coefficients.clone().requires_grad_()
    h = response(leaf)
    assert h.abs().item() == 0
    (of_magnitude,) = torch.autograd.grad(h.abs().sum(), leaf, retain_graph=True)
    (of_part,) = torch.autograd.grad(h.real.sum(), leaf)
    assert not of_magnitude.any() and of_part.isfinite().all()
    factors = {"ba": 1, "zpk": order, "sos": (order + 1) // 2}[form]
    assert of_part.any() == (factors == 1)  # of several factors 0 none moves the product


@pytest.mark.parametrize("form", ["zpk", "sos"])
def test_zeros_at_nyquist_are_zero(form: str) -> None:
    """fs / 2 is the point -1 to the bit, whatever the units."""
    system = scipy.signal.butter(3, 0.3, output=form)
    for fs in (2 * math.pi, 44100, 7.0):
        respond = polezero.freqz_sos if form == "sos" else lambda z, **how: polezero.freqz_zpk(*z, **how)
        assert respond(system, worN=[fs / 2], fs=fs)[1].item() == 0


# ---- group delay


@pytest.mark.parametrize("kind, band, order", [f for f in FILTERS if f[2] < 6])
def test_group_delay_is_scipys(kind: str, band: str, order: int) -> None:
    w = np.linspace(0.05, 3.1, 30)  # between the zeros on the circle, where SciPy's digits cancel
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = scipy.signal.group_delay(design(kind, band, order, "ba"), w)
    for output in ("ba", "zpk", "sos"):
        got = polezero.group_delay(design(kind, band, order, output), w)
        # SciPy's polynomials have the error, largest beside threefold zeros: the next test is exact
        assert_close(got, tuple(map(torch.from_numpy, expected)), 1e-4)


def true_delay(z: Any, p: Any, w: float) -> float:
    """Root by root with 50 digits; those on the unit circle count half a sample."""
    mpmath.mp.dps = 50

    def of(root: complex) -> Any:
        if abs(abs(root) - 1) < 4e-16:
            return mpmath.mpf(1) / 2
        return mpmath.re(1 / (1 - mpmath.mpc(root) * mpmath.expj(-mpmath.mpf(w))))

    return float(sum(map(of, p)) - sum(map(of, z)))


@pytest.mark.parametrize("band", [(0.3, 0.301), (0.3, 0.30001), (0.001, 0.0011)], ids=ids)
@pytest.mark.parametrize("kind", ["butter", "cheby1", "cheby2", "ellip"])
def test_narrow_bands_have_the_delay_of_their_roots(kind: str, band: tuple[float, float]) -> None:
    """scipy#9310: of polynomials nothing is left there."""
    z, p, _ = zpk = DESIGNS[kind](4, band, "bandpass", output="zpk")
    sos = torch.from_numpy(DESIGNS[kind](4, band, "bandpass", output="sos"))
    w = np.pi * np.linspace(*band, 9)
    expected = torch.tensor([true_delay(z, p, v) for v in w], dtype=torch.float64)
    assert_close(polezero.group_delay(zpk, w)[1], expected, 1e-9)  # the poles are known to 1e-16 of a distance of 1e-6
    of_sections = [polezero.sos2zpk(section[None])[:2] for section in sos]
    zeros, poles = (torch.cat(roots).numpy() for roots in zip(*of_sections))
    expected = torch.tensor([true_delay(zeros, poles, v) for v in w], dtype=torch.float64)
    assert_close(polezero.group_delay(sos, w)[1], expected, 1e-6)  # nor do the sections hold their roots better


SINGULAR: dict[str, tuple[Any, float, float]] = {
    # b, the angle of its zero on the circle, the limit of its delay
    "at_one": ([1.0, -1.0], 0.0, 0.5),
    "at_minus_one": ([1.0, 1.0], math.pi, 0.5),
    "beside_another": ([1.0, -1.5, 0.5], 0.0, 0.5 - 1.0),
    "that_rounds": ([1.0, -1.9, 0.9], 0.0, 0.5 - 9.0),
    "twice": ([1.0, -2.0, 1.0], 0.0, 1.0),
    "pair": ([1.0, -2 * math.cos(0.7), 1.0], 0.7, 1.0),
    "delayed": ([0.0, 1.0, 1.0], math.pi, 1.5),
}


@pytest.mark.parametrize("case", SINGULAR)
def test_group_delay_is_its_limit_where_the_response_vanishes(case: str) -> None:
    b, w, limit = SINGULAR[case]
    b = torch.tensor(b, dtype=torch.float64)
    sos = torch.nn.functional.pad(b, (0, 6 - len(b))) + torch.tensor([0, 0, 0, 1.0, 0, 0])
    for system in ((b, torch.ones(1).double()), sos[None], sos[None] + 0j):
        leaves = tuple(t.clone().requires_grad_() for t in (system if isinstance(system, tuple) else (system,)))
        near, at = (
            polezero.group_delay(leaves if len(leaves) > 1 else leaves[0], torch.tensor([v], dtype=torch.float64))[1]
            for v in (w + 1e-4, w)
        )
        assert_close(at, torch.tensor([limit]).double(), 1e-9)
        assert_close(near, at, 1e-3)
        assert all(
            g.isfinite().all() for g in torch.autograd.grad(at, leaves, allow_unused=True, materialize_grads=True)
        )


def test_roots_on_the_circle_have_half_a_sample() -> None:
    angles = torch.tensor([0.3, 1.1, 3.0], dtype=torch.float64)
    z = torch.polar(torch.ones_like(angles), angles).requires_grad_()
    delay = polezero.group_delay((z, [0.5], 1.0), angles)[1]
    poles_alone = polezero.group_delay(([], [0.5], 1.0), angles)[1]
    assert_close(delay, poles_alone - 1.5)
    assert torch.autograd.grad(delay.sum(), z)[0].isfinite().all()


def test_a_linear_phase_has_its_delay_everywhere() -> None:
    half = scipy.signal.firwin(33, 0.3)[:17]  # SciPy's halves differ by rounding
    for b in (scipy.signal.butter(8, 0.2)[0], [*half, *half[-2::-1]], [1.0, 0.0, 0.0, -1.0]):
        delay = polezero.group_delay((b, [1.0]), w=200, whole=True)[1]
        assert_close(delay, torch.full((200,), (len(b) - 1) / 2).double(), 1e-9)


# ---- poles


@pytest.mark.parametrize("kind, band, order", FILTERS[::3])
def test_poles_of_every_form(kind: str, band: str, order: int) -> None:
    b, a = design(kind, band, order, "ba")
    zpk, sos = (design(kind, band, order, output) for output in ("zpk", "sos"))
    expected = torch.as_tensor(np.sort_complex(zpk[1].round(12)))
    for system in ((b, a), zpk, sos):
        found = polezero.poles(system)
        assert_close(torch.as_tensor(np.sort_complex(found[found != 0].numpy().round(12))), expected, 1e-10)
        assert_close(polezero.pole_radius(system), torch.tensor(np.abs(zpk[1]).max()), 1e-10)
        assert polezero.is_stable(system)


def test_stability_of_a_batch() -> None:
    a = torch.tensor([[1.0, -0.5, 0.0], [1.0, -1.0, 0.0], [1.0, 0.0, 1.01], [0.0, 1.0, 0.0], [torch.nan, 0.0, 0.0]])
    assert polezero.is_stable((a, a)).tolist() == [True, False, False, False, False]
    assert polezero.is_stable(torch.cat([a, a], -1)[:, None]).tolist() == [True, False, False, False, False]
    assert polezero.pole_radius(([1.0], [2.0])) == 0 and polezero.is_stable(([1.0], [2.0]))


def test_a_narrow_band_pass_is_unstable_by_its_polynomials() -> None:
    narrow = {"N": 8, "Wn": (0.1, 0.101), "btype": "bandpass"}
    assert polezero.is_stable(scipy.signal.butter(**narrow, output="sos"))
    assert polezero.pole_radius(scipy.signal.butter(**narrow, output="ba")) > 1.01


# ---- responses in time


@pytest.mark.parametrize("n", [0, 1, 3, 50])
def test_impulse_and_step_responses(n: int) -> None:
    b, a = design("ellip", "bandpass", 3, "ba")
    impulse = np.eye(1, n)[0]
    for pair in ((b, a), (b * np.exp(1j), a)):
        assert_equal((polezero.impulse_response(*pair, n),), (scipy.signal.lfilter(*pair, impulse),))
        assert_equal((polezero.step_response(*pair, n),), (scipy.signal.lfilter(*pair, np.ones(n)),))


def systems(dt: float) -> dict[str, tuple[Any, ...]]:
    b, a = design("cheby1", "bandpass", 2, "ba")
    rng = np.random.default_rng(2)
    A, B, C, D = 0.3 * rng.standard_normal((3, 3)), *map(rng.standard_normal, ((3, 2), (2, 3), (2, 2)))
    return {
        "polynomials": (b, a, dt),
        "short_numerator": ([2.0, 1.0], a, dt),
        "two_outputs": (np.stack([b, b[::-1]]), a, dt),
        "roots": (*design("cheby1", "bandpass", 2, "zpk"), dt),
        "fewer_zeros": ([0.5], [0.2 + 0.3j, 0.2 - 0.3j, 0.1], 2.0, dt),
        "matrices": (A, B, C, D, dt),
    }


@pytest.mark.parametrize("dt", [1, 0.5])
@pytest.mark.parametrize("name", systems(1))
def test_simulations_are_scipys(name: str, dt: float) -> None:
    system = systems(dt)[name]
    rng = np.random.default_rng(3)
    inputs = 2 if name == "matrices" else 1
    x0 = rng.standard_normal(3 if name in ("matrices", "fewer_zeros") else 4)
    u, t = rng.standard_normal((30, inputs)), np.cumsum(0.1 + rng.random(30)) - 0.1
    u, x0 = (u, x0) if inputs == 2 else (u[:, 0], x0)
    for options in ({}, {"t": t}, {"x0": x0}, {"t": t, "x0": x0}):
        assert_equal(polezero.dlsim(system, u, **options), scipy.signal.dlsim(system, u, **options))
    for function in ("dimpulse", "dstep"):
        for options in ({}, {"n": 7}, {"t": np.arange(9) * dt}, {"n": 7, "x0": x0}):
            times, outputs = getattr(polezero, function)(system, **options)
            expected_times, expected = getattr(scipy.signal, function)(system, **options)
            assert_equal((times, *outputs), (expected_times, *expected))


def test_simulations_of_a_batch_are_those_of_each() -> None:
    A, B, C, D, dt = systems(1)["matrices"]
    A = torch.from_numpy(np.stack([A, A.T]))
    u = torch.randn(2, 9, 2, dtype=torch.float64)
    _, y, v = polezero.dlsim((A, B, C, D, dt), u)
    assert (y.shape, v.shape) == ((2, 9, 2), (2, 9, 3))
    for k in range(2):
        assert_close((y[k], v[k]), polezero.dlsim((A[k], B, C, D, dt), u[k])[1:])
    p = torch.tensor([[0.5, 0.2], [0.9, -0.3]])
    _, y = polezero.dlsim((torch.zeros(2, 1), p, torch.ones(2), dt), u[..., :1])
    for k in range(2):
        assert_close(y[k], polezero.dlsim(([0.0], p[k].double(), 1.0, dt), u[k, :, :1])[1], 1e-6)


# ---- batches, dtypes, derivatives, graphs

CALLS: dict[str, tuple[Callable[..., Any], tuple[int, ...]]] = {
    # of tensors with so many last dimensions that are no batch's
    "freqz": (lambda b, a: polezero.freqz(b, a, 9), (1, 1)),
    "freqz_zpk": (lambda z, p, k: polezero.freqz_zpk(z, p, k, 9), (1, 1, 0)),
    "freqz_sos": (lambda sos: polezero.freqz_sos(sos, 9), (2,)),
    "group_delay_ba": (lambda b, a: polezero.group_delay((b, a), 9), (1, 1)),
    "group_delay_zpk": (lambda z, p, k: polezero.group_delay((z, p, k), 9), (1, 1, 0)),
    "group_delay_sos": (lambda sos: polezero.group_delay(sos, 9), (2,)),
    "freqs": (lambda b, a: polezero.freqs(b, a, torch.tensor([0.5, 2.0])), (1, 1)),
    "freqs_zpk": (lambda z, p, k: polezero.freqs_zpk(z, p, k, torch.tensor([0.5, 2.0])), (1, 1, 0)),
    "pole_radius": (lambda sos: (sos.new_zeros(1), polezero.pole_radius(sos)), (2,)),
    "impulse_response": (lambda b, a: (b.new_zeros(1), polezero.impulse_response(b, a, 6)), (1, 1)),
}


def arguments(name: str, lead: tuple[int, ...] = (), dtype: torch.dtype = torch.float64) -> list[Tensor]:
    """Of a batch; roots of real filters are real."""
    sizes = {1: (3,), 2: (2, 6), 0: ()}
    tensors = [torch.rand((*lead, *sizes[n]), dtype=torch.float64) * 0.4 for n in CALLS[name][1]]
    for t in tensors:
        if t.dim() and t.shape[-1] == 6:
            t[..., 3] += 1.5
    if len(tensors) == 2:
        tensors[1][..., 0] += 1.5
    return [t.to(dtype) for t in tensors]


@pytest.mark.parametrize("name", CALLS)
def test_batches_are_those_of_each_filter(name: str) -> None:
    function = CALLS[name][0]
    given = arguments(name, (2, 3))
    _, values = function(*given)
    rows = [[function(*(t[i, j] for t in given))[1] for j in range(3)] for i in range(2)]
    assert_close(values, torch.stack([torch.stack(row) for row in rows]))
    assert_close(torch.vmap(lambda *t: function(*t)[1], randomness="error")(*given), values)
    if len(given) > 1:  # and one tensor for all
        first, *others = given
        repeated = first[:1, :1].expand(first.shape)
        assert_close(function(first[0, 0], *others)[1], function(repeated, *others)[1])


@pytest.mark.parametrize("name", CALLS)
def test_float32_is_rounded_once(name: str) -> None:
    function = CALLS[name][0]
    given = arguments(name, (2,), torch.float32)
    _, values = function(*given)
    exact = function(*(t.double() for t in given))[1]
    if name == "pole_radius":
        assert values.dtype == torch.float64 and torch.equal(values, exact)
    else:
        assert values.dtype == (torch.complex64 if exact.is_complex() else torch.float32)
        assert torch.equal(values, exact.to(values.dtype))
    half = [t.to(torch.bfloat16) for t in given]
    assert function(*half)[1].dtype == values.dtype
    if len(given) > 1:
        assert function(*given[:-1], given[-1].double())[1].dtype == exact.dtype


def test_dtypes_of_frequencies_and_numbers() -> None:
    a32 = torch.tensor([1.0, 0.5])
    assert [t.dtype for t in polezero.freqz([1.0], a32)] == [torch.float64, torch.complex128]  # lists are float64
    assert [t.dtype for t in polezero.freqz(1, a32)] == [torch.float32, torch.complex64]  # numbers have no say
    assert [t.dtype for t in polezero.freqz(a32, worN=torch.ones(2).double())] == [torch.float64, torch.complex64]
    assert [t.dtype for t in polezero.freqz([1], [2])] == [torch.float64, torch.complex128]
    assert polezero.freqz(torch.tensor([1, 2]))[1].dtype == torch.complex64  # integers are the default dtype


@pytest.mark.parametrize("name", CALLS)
def test_derivatives_match_finite_differences(name: str) -> None:
    """Through the evenly spaced grids, which the cases have not."""
    given = [t.requires_grad_() for t in arguments(name)]
    assert gradcheck(lambda *t: CALLS[name][0](*t)[1], given, check_forward_ad=True)


@pytest.mark.parametrize("name", ["freqz", "freqz_sos", "group_delay_ba", "pole_radius"])
def test_a_compiled_grid_is_one_graph(name: str) -> None:
    function, given = CALLS[name][0], [t.requires_grad_() for t in arguments(name)]
    compiled = torch.compile(lambda *t: function(*t)[1], fullgraph=True, backend="aot_eager")
    results = []
    for f in (compiled, lambda *t: function(*t)[1]):
        values = f(*given)
        gradients = torch.autograd.grad(values.abs().sum(), given, allow_unused=True, materialize_grads=True)
        results.append((values, *gradients))
    assert_close(*results, 1e-12)


def test_many_frequencies_are_computed_in_parts() -> None:
    sos = torch.from_numpy(design("ellip", "bandpass", 3, "sos")).requires_grad_()
    w = torch.linspace(0, 3, 20_000, dtype=torch.float64, requires_grad=True)
    h = polezero.freqz_sos(sos, w)[1]
    parts = torch.cat([polezero.freqz_sos(sos, part)[1] for part in w.split(5_000)])
    assert torch.equal(h, parts)
    gradients = [torch.autograd.grad(value.abs().sum(), (sos, w)) for value in (h, parts)]
    assert_close(*gradients, 1e-12)


def test_a_fit_of_a_response_moves_its_sections() -> None:
    """What it is for: sections learned in decibels, from flat ones."""
    target = torch.from_numpy(scipy.signal.butter(2, 0.3, output="sos"))
    sos = torch.tensor([[0.5, 0.1, 0.1, 1.0, 0.0, 0.0]], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([sos], 0.02)

    def decibels(sections: Tensor) -> Tensor:
        return 20 * polezero.freqz_sos(sections, 64)[1].abs().clamp(min=1e-2).log10()

    errors = []
    for _ in range(200):
        error = (decibels(sos) - decibels(target)).square().mean()
        optimizer.zero_grad()
        error.backward()
        optimizer.step()
        errors.append(error.item())
    assert errors[-1] < 0.01 * errors[0]
