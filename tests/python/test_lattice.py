"""Lattices and sections side by side, constant or moving: against plain loops, the direct forms, and stability."""

import math
from typing import Any

import pytest
import torch
from cases.lattice import constant_lattice_inputs, constant_sections, lattice_inputs, moving_sections
from cases.sosfilt import sections
from support import DTYPES, GRADIENT_TOLERANCE, assert_close, ids, relative_rms, wide
from torch import Tensor

import polezero
from polezero import lpv, reference

FORMS = ["df1", "df2", "tdf1", "tdf2"]


def step_up(k: Tensor) -> tuple[Tensor, Tensor]:
    """A_N and its reverse, [N + 1], of reflection coefficients [N]."""
    A = reverse = torch.ones(1, dtype=k.dtype)
    zero = torch.zeros(1, dtype=k.dtype)
    for k_i in k:
        longer, delayed = torch.cat([A, zero]), torch.cat([zero, reverse])
        A, reverse = longer + k_i * delayed, delayed + k_i.conj() * longer
    return A, reverse


@pytest.mark.kernels
@pytest.mark.parametrize("dtype", DTYPES, ids=ids(DTYPES))
@pytest.mark.parametrize("constant", [False, True], ids=["moving", "constant"])
@pytest.mark.parametrize("taps", [False, True], ids=["allpole", "ladder"])
@pytest.mark.parametrize("rows", [1, 3, 8, 20])
@pytest.mark.parametrize(("N", "T"), [(1, 0), (1, 5), (2, 1), (2, 70), (5, 16), (16, 33), (33, 40)])
def test_lattice_matches_its_loop(N: int, T: int, rows: int, taps: bool, constant: bool, dtype: torch.dtype) -> None:
    inputs = lattice_inputs(dtype, N=N, T=T, rows=rows, zi=True, taps=taps, constant=constant)

    y, zf = lpv.lattice(*inputs)

    assert y.dtype == zf.dtype == dtype
    # the gains are products of N factors, each rounded
    tolerance = (4e-6 if dtype in (torch.float32, torch.complex64) else 1e-14) if N > 5 else None
    assert_close((y, zf), reference.lpv_lattice(*map(wide, inputs)), tolerance)


@pytest.mark.parametrize("dtype", [torch.float64, torch.complex128], ids=["float64", "complex128"])
@pytest.mark.parametrize("N", [1, 2, 5, 12])
def test_constant_coefficients_give_the_allpole_filter(N: int, dtype: torch.dtype) -> None:
    (k, x), taps = lattice_inputs(dtype, N=N, T=200, constant=True), torch.randn(1, N + 1, dtype=dtype)
    A, _ = step_up(k[0])
    numerator = torch.zeros(N + 1, dtype=dtype)
    for i in range(N + 1):
        numerator[: i + 1] += taps[0, i] * step_up(k[0, :i])[1]

    for times in (1, 200):
        assert_close(lpv.lattice(k.expand(times, N), x), polezero.allpole(A[1:], x), tolerance=1e-12)
        ladder = lpv.lattice(k.expand(times, N), x, taps=taps.expand(times, N + 1))
        assert_close(ladder, polezero.lfilter(numerator, A, x), tolerance=1e-12)


@pytest.mark.parametrize("dtype", [torch.float64, torch.complex128], ids=["float64", "complex128"])
def test_constant_sections_give_the_sum_of_their_filters(dtype: torch.dtype) -> None:
    sos, x = moving_sections(dtype, K=3, T=1)
    x = torch.randn(2, 100, dtype=dtype)
    expected = sum(polezero.lfilter(sos[0, i, :3], sos[0, i, 3:], x) for i in range(3))

    assert_close(lpv.parallel(sos, x), expected, tolerance=1e-13)
    assert_close(lpv.parallel(sos.expand(100, 3, 6), x), expected, tolerance=1e-13)


@pytest.mark.parametrize("dtype", DTYPES, ids=ids(DTYPES))
def test_moving_sections_match_their_loop(dtype: torch.dtype) -> None:
    inputs = moving_sections(dtype, K=3, T=60, rows=9, zi=True)

    tolerance = {torch.float32: 1e-5, torch.complex64: 1e-5}.get(dtype, 1e-13)  # a_0 is divided out first
    assert_close(lpv.parallel(*inputs), reference.lpv_parallel(*map(wide, inputs)), tolerance)


def two_multiplier_lattice(k: Tensor, x: Tensor) -> Tensor:
    """The lattice without its c: f_{i-1} = f_i - k_i b_{i-1}[n-1], b_i = k_i f_{i-1} + b_{i-1}[n-1]."""
    b = [x.new_zeros(()) for _ in range(k.shape[-1])]
    y = []
    for k_n, f in zip(k, x, strict=True):
        after = []
        for i in reversed(range(len(b))):
            f = f - k_n[i] * b[i]
            after.append(k_n[i] * f + b[i])
        b = [f, *reversed(after)][: len(b)]
        y.append(f)
    return torch.stack(y)


# Three sets of reflection coefficients that take turns, each stable.
TAKING_TURNS = [[-0.19, 0.8], [0.82, 0.95], [-0.93, -0.94]]


@pytest.mark.parametrize("dtype", DTYPES, ids=ids(DTYPES))
@pytest.mark.parametrize("lead", [(), (3,), (2, 1)], ids=["shared", "of_rows", "bank"])
@pytest.mark.parametrize("taps", [False, True], ids=["allpole", "ladder"])
def test_a_constant_lattice_matches_its_loop(taps: bool, lead: tuple[int, ...], dtype: torch.dtype) -> None:
    k, x, _, *ladder = constant_lattice_inputs(dtype, N=3, T=40, rows=3, lead=lead, zi=True, taps=taps)
    zi = torch.randn(3, dtype=dtype)

    assert_close(polezero.lattice(k, x, zi, *ladder), reference.lattice(*map(wide, (k, x, zi, *ladder))))
    assert_close(polezero.lattice(k, x, None, *ladder), reference.lattice(wide(k), wide(x), None, *map(wide, ladder)))


@pytest.mark.parametrize("lead", [(), (3,), (2, 1)], ids=["shared", "of_rows", "bank"])
def test_constant_sections_match_their_loop(lead: tuple[int, ...]) -> None:
    sos, x, _ = constant_sections(K=3, T=40, rows=3, zi=True)
    sos = sos * (1 + 0.01 * torch.rand(*lead, 1, 1, dtype=torch.float64))
    zi = torch.randn(3, 3, 2, dtype=torch.float64)

    assert_close(polezero.parallel(sos, x), reference.parallel(sos, x), tolerance=1e-13)
    assert_close(polezero.parallel(sos, x, zi), reference.parallel(sos, x, zi), tolerance=1e-13)


def test_constant_coefficients_may_be_lists_and_half_precision() -> None:
    x = torch.randn(3, 6)
    k, taps = [-0.5, 0.25], [1.0, 0.5, 0.25]
    sos = [[1.0, 0.5, 0.25, 1.0, -0.5, 0.25], [0.0, 1.0, 0.0, 2.0, 0.5, 0.25]]

    assert_close(polezero.lattice(k, x, taps=taps), reference.lattice(k, x, taps=taps))
    assert_close(polezero.parallel(sos, x), reference.parallel(sos, x))
    for function, truth, values in (
        (polezero.lattice, reference.lattice, k),
        (polezero.parallel, reference.parallel, sos),
    ):
        y = function(values, x.half())
        assert y.dtype == torch.float16
        assert_close(y, truth(values, wide(x.half())))


def test_the_state_of_a_constant_lattice_goes_on_in_a_moving_one() -> None:
    k, x, zi, taps = lattice_inputs(T=40, zi=True, taps=True, constant=True)
    sos, _ = constant_sections()
    whole = polezero.lattice(k[0], x, zi, taps[0]), polezero.parallel(sos, x, torch.ones(2, 2, 2, dtype=torch.float64))

    first, state = polezero.lattice(k[0], x[:, :17], zi, taps[0])
    second, state = lpv.lattice(k.expand(23, -1), x[:, 17:], state, taps.expand(23, -1))
    assert_close((torch.cat([first, second], -1), state), whole[0])
    first, state = polezero.parallel(sos, x[:, :17], torch.ones(2, 2, 2, dtype=torch.float64))
    second, state = lpv.parallel(sos.expand(23, 2, 6), x[:, 17:], state)
    assert_close((torch.cat([first, second], -1), state), whole[1])


def test_the_lattice_stays_stable_where_direct_forms_blow_up() -> None:
    T = 3000
    k = torch.tensor(TAKING_TURNS, dtype=torch.float64).repeat(T // 3, 1)
    a = torch.stack([step_up(row)[0] for row in k])
    x = torch.randn(T, dtype=torch.float64)

    outputs = {form: lpv.lfilter(torch.ones(1, 1).double(), a, x, form=form) for form in FORMS}

    # Every filter that takes its turn is stable by itself: its poles lie within a circle of this radius.
    poles = torch.linalg.eigvals(
        torch.stack([torch.stack([-a[:3, 1], -a[:3, 2]], -1), torch.eye(2)[0].expand(3, 2)], 1)
    )
    assert poles.abs().max() < 0.998
    assert all(y[-300:].abs().max() > 1e30 for y in outputs.values())
    assert two_multiplier_lattice(k, x)[-300:].abs().max() > 1e10  # a lattice is not enough: it has to be normalised
    y = lpv.lattice(k, x)
    # the energy in the states, of which y is one, is at most that of what has gone into the stages
    energy_in = x.square() / (1 - k.square()).prod(-1)
    assert (y.square() <= energy_in.cumsum(0)).all()
    assert y[-300:].abs().max() < 50


def test_sections_side_by_side_stay_stable_where_direct_forms_blow_up() -> None:
    T = 900
    a = torch.stack([step_up(row)[0] for row in torch.tensor(TAKING_TURNS, dtype=torch.float64).repeat(T // 3, 1)])
    b = torch.tensor([1.0, 0.5, -0.3], dtype=torch.float64).expand(T, 3)
    sos = torch.stack([torch.cat([b, a], -1), torch.cat([b, a.roll(1, 0)], -1)], -2)
    x = torch.randn(2, T, dtype=torch.float64)

    assert lpv.sosfilt(sos, x)[:, -300:].abs().max() > 1e30
    direct = sum(lpv.tdf2_ssm(sos[:, i, :3], sos[:, i, 3:], x) for i in range(2))
    assert direct[:, -300:].abs().max() > 1e30
    y = lpv.parallel(sos, x)
    assert y[:, -300:].abs().max() < 1000


def test_a_stable_lattice_has_bounded_gradients_where_the_direct_form_has_none() -> None:
    T = 900
    k = torch.tensor(TAKING_TURNS, dtype=torch.float64).repeat(T // 3, 1).requires_grad_()
    x = torch.randn(T, dtype=torch.float64, requires_grad=True)

    of_k, of_x = torch.autograd.grad(lpv.lattice(k, x)[-1], (k, x))

    assert of_k.isfinite().all() and of_x.isfinite().all()
    assert of_x[:-300].abs().max() < of_x[-300:].abs().max()


def test_gradients_at_every_order_match_the_reference() -> None:
    for N in (1, 3, 9):
        for rows in (1, 9):
            inputs = [t.requires_grad_() for t in lattice_inputs(N=N, T=40, rows=rows, zi=True, taps=True)]

            def gradients(function: Any, inputs: list[Tensor] = inputs) -> Any:
                y, zf = function(*inputs)
                return torch.autograd.grad(y.square().sum() + zf.sin().sum(), inputs)

            assert_close(gradients(lpv.lattice), gradients(reference.lpv_lattice), 10 * GRADIENT_TOLERANCE)


@pytest.mark.parametrize(("radius", "limit"), [(0.9, 1e-6), (0.999, 1e-6), (0.99999, 1e-6)])
def test_float32_is_accurate_near_the_unit_circle(radius: float, limit: float) -> None:
    """The filter meant is that of the reflection coefficients as they are given: k_2 = radius^2 near 1."""
    x = torch.randn(9, 20000)
    for angle in (0.003, 0.1, 1.0, 3.1):
        k = torch.tensor([[-2 * radius * math.cos(angle) / (1 + radius**2), radius**2]])
        for times in (1, 20000):
            y = lpv.lattice(k.expand(times, 2), x)
            assert relative_rms(y, lpv.lattice(wide(k), wide(x))) <= limit


@pytest.mark.parametrize("angle", [0.003, 0.1, 1.0, 3.1])
def test_a_float32_signal_meets_float64_coefficients_as_they_are(angle: float) -> None:
    x, radius = torch.randn(9, 20000), 0.99999
    a = torch.tensor([1.0, -2 * radius * math.cos(angle), radius**2], dtype=torch.float64)
    k, taps = torch.stack([a[1] / (1 + a[2]), a[2]]), torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
    sos = torch.cat([torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64), a])[None]

    for function, coefficients in (
        (polezero.lattice, (k,)),
        (lambda k, taps, x: polezero.lattice(k, x, taps=taps), (k, taps)),
        (polezero.parallel, (sos,)),
    ):
        y, expected = function(*coefficients, x), function(*coefficients, wide(x))
        assert y.dtype == torch.float32 and relative_rms(y, expected) <= 2e-7
        rounded = function(*(t.float() for t in coefficients), x)
        assert relative_rms(rounded, expected) > 1e-4  # or this test would show nothing


def test_coefficients_from_one_on_are_nan() -> None:
    x = torch.ones(3)
    assert lpv.lattice(torch.tensor([[1.5]]), x).isnan().all()
    assert lpv.lattice(torch.tensor([[1.0]]), x).isnan().all()


def test_complex_sections_close_to_the_circle_are_as_accurate_as_real_ones() -> None:
    """Where the first reflection coefficient is a quotient of differences near zero."""
    sos, x = sections(0.9999).expand(500, -1, 6), torch.randn(2, 500)
    for dtype in (torch.float32, torch.complex64):
        expected = lpv.parallel(wide(sos.to(dtype)), wide(x.to(dtype)))
        assert relative_rms(lpv.parallel(sos.to(dtype), x.to(dtype)), expected) <= 1e-4  # 2e-2 without care


def test_the_second_derivative_at_zero() -> None:
    """Where a lattice begins to learn: every k is 0."""
    k, x = torch.zeros(4, 2, dtype=torch.float64), torch.randn(1, 4, dtype=torch.float64)

    def loss(function: Any) -> Any:
        return lambda k: function(k, x).square().sum()

    hessian = torch.func.hessian(loss(lpv.lattice))(k)

    assert_close(hessian, torch.func.hessian(loss(reference.lpv_lattice))(k), GRADIENT_TOLERANCE)
