"""Roots of polynomials: as precise as the polynomial has them, in an order that stays, with derivatives where there
are any.
"""

import mpmath
import numpy as np
import pytest
import scipy.signal
import torch
from cases.tensors import polynomial
from support import assert_close
from torch import Tensor
from torch.func import jacrev

import polezero
from polezero._conversions.roots import roots

EPS = torch.finfo(torch.float64).eps


def true_roots(p: Tensor) -> list[mpmath.mpc]:
    with mpmath.workdps(60):
        return mpmath.polyroots([mpmath.mpf(float(c)) for c in p], maxsteps=2000, extraprec=2000)


def conditions(p: Tensor, exact: list[mpmath.mpc]) -> list[float]:
    """How far a root moves where each coefficient does by its last digit."""
    N = len(p) - 1
    found = []
    for r in exact:
        slope = sum(mpmath.mpf(float(c)) * (N - k) * r ** (N - k - 1) for k, c in enumerate(p[:-1]))
        size = sum(abs(float(c)) * abs(r) ** (N - k) for k, c in enumerate(p))
        found.append(float(EPS * size / abs(slope)))
    return found


POLYNOMIALS = {
    "elliptic_16": scipy.signal.ellip(16, 1, 60, 0.3)[1],
    "low_pass_4": scipy.signal.butter(4, 0.1)[1],
    "narrow_low_pass_4": scipy.signal.butter(4, 0.01)[1],
    "low_pass_8": scipy.signal.butter(8, 0.1)[1],
    "low_pass_20": scipy.signal.butter(20, 0.5)[1],
    "elliptic_12": scipy.signal.ellip(12, 1, 60, 0.3)[1],
    "analog_chebyshev_10": scipy.signal.cheby1(10, 1, 1e5, analog=True)[1],
    "analog_bessel_15": scipy.signal.bessel(15, 1e4, analog=True)[1],
    "twelve_decades": np.poly([1e-6, 1e-3, 1, 1e3, 1e6]),
    "close": np.poly([0.9, 0.9001, 0.5]),
    "closer": np.poly([0.9, 0.9 + 1e-6, 0.5]),
    "four_within_a_hundredth": np.poly([0.9, 0.902, 0.905, 0.909]),
}


@pytest.mark.parametrize("p", map(torch.tensor, POLYNOMIALS.values()), ids=POLYNOMIALS)
def test_roots_in_clusters_and_their_derivatives_are_as_precise_as_the_coefficients(p: Tensor) -> None:
    found, exact = roots(p), true_roots(p)
    slopes = jacrev(lambda q: torch.view_as_real(roots(q)))(p)
    N = len(p) - 1
    for r, limit in zip(exact, conditions(p, exact)):
        nearest = (found - complex(r)).abs().argmin()
        assert abs(found[nearest] - complex(r)) <= 200 * limit  # 121; numpy.roots 126
        with mpmath.workdps(60):
            slope = sum(mpmath.mpf(float(c)) * (N - k) * r ** (N - k - 1) for k, c in enumerate(p[:-1]))
            expected = torch.tensor([complex(-(r ** (N - k)) / slope) for k in range(N + 1)], dtype=torch.complex128)
        separation = min(float(abs(r - other)) for other in exact if other is not r)
        # A slope changes in proportion to how far the root is off, seen from the next one.
        tolerance = 1e-13 + 200 * N * limit / separation
        assert_close(torch.view_as_complex(slopes[nearest].mT.contiguous()), expected, tolerance)


@pytest.mark.parametrize("dtype", [torch.float64, torch.complex128], ids=["real", "complex"])
@pytest.mark.parametrize("N", [0, 1, 2, 3, 8, 30, 60])
def test_polynomials_of_any_order_have_the_roots_they_were_made_of(N: int, dtype: torch.dtype) -> None:
    p = torch.randn(5, N + 1, dtype=dtype)
    found = roots(p)
    assert found.shape == (5, N) and found.dtype == torch.complex128
    again = polezero.zpk2tf(found, [], p[:, 0])[0]  # no more is lost than by one root alone
    assert_close(again, p, 1e-12 if N < 60 else 1e-9)  # 7e-15, 2e-10
    assert torch.equal(torch.stack([roots(row) for row in p]), found)
    if not dtype.is_complex:
        above, below = found[found.imag > 0], found[found.imag < 0]
        assert torch.equal(above.conj(), below)


@pytest.mark.parametrize("p", map(torch.tensor, POLYNOMIALS.values()), ids=POLYNOMIALS)
def test_roots_in_clusters_multiply_to_their_polynomial(p: Tensor) -> None:
    """Although each may be off by 1e-3."""
    again, _ = polezero.zpk2tf(roots(p), [], p[0])
    assert_close(again, p, 1e-14)  # 4e-15


def test_pairs_and_the_order_stay_through_steps_of_a_gradient() -> None:
    """Poles are pulled towards others, whose order differs: each root stays the one that it was."""
    a = torch.tensor(scipy.signal.ellip(7, 1, 40, 0.4)[1]).requires_grad_()
    target = roots(torch.tensor(scipy.signal.cheby2(7, 30, 0.5)[1]))
    before = roots(a).detach()
    for _ in range(60):
        poles = roots(a)
        (poles - target).abs().square().sum().backward()
        apart = (before[:, None] - before + torch.eye(7) * 10).abs().min()
        assert (poles - before).abs().max() < apart / 2
        side = poles.detach().imag.sign()
        assert torch.equal(side, before.imag.sign()) and torch.equal(poles[side > 0].conj(), poles[side < 0])
        before = poles.detach()
        with torch.no_grad():
            a -= 2e-5 * a.grad
            a.grad = None
    assert not torch.allclose(before, roots(torch.tensor(scipy.signal.ellip(7, 1, 40, 0.4)[1])), atol=1e-3)


@pytest.mark.parametrize("times", [2, 3, 4, 6])
def test_repeated_roots_have_derivatives_of_zero_and_others_their_own(times: int) -> None:
    p = polynomial(torch.tensor([-1.0] * times + [0.5], dtype=torch.float64)).requires_grad_()
    found = roots(p)
    alone = found.detach().real.argmax()
    for k in range(times + 1):
        (slope,) = torch.autograd.grad(found[k].real + found[k].imag, p, retain_graph=True, create_graph=True)
        (bend,) = torch.autograd.grad(slope.sum(), p, allow_unused=True, materialize_grads=True, retain_graph=True)
        assert slope.isfinite().all() and bend.isfinite().all()
        assert bool((slope != 0).any()) == (k == alone)
    assert (found.detach() + 1).abs().sort().values[:times].max() < 3 * EPS ** (1 / times) * times
    b, a = p, torch.ones(1, dtype=torch.float64)
    for outputs in (polezero.tf2zpk(b, a), polezero.residue(a, b)[:2], (polezero.tf2sos(b, a),)):
        (gradient,) = torch.autograd.grad(sum(y.abs().sum() for y in outputs), p, retain_graph=True)
        assert gradient.isfinite().all()


def test_a_polynomial_without_roots_that_are_numbers_has_nan_and_leaves_others_alone() -> None:
    p = torch.tensor([[0.0, 1.0, 2.0], [1.0, torch.nan, 1.0], [1.0, -3.0, 2.0]], dtype=torch.float64)
    found = roots(p)
    assert found[:2].isnan().all()
    assert_close(found[2].real, torch.tensor([1.0, 2.0], dtype=torch.float64))


def test_third_derivatives_match_those_of_newtons_method() -> None:
    def of_newton(p: Tensor) -> Tensor:
        r = roots(p).detach()
        for _ in range(3):
            value = slope = torch.zeros_like(r)
            for c in p:
                slope = slope * r + value
                value = value * r + c
            r = r - value / slope
        return torch.view_as_real(r).sin().sum()

    p = torch.tensor([1.0, -0.9, 0.7, 0.3], dtype=torch.float64)
    third = jacrev(jacrev(jacrev(lambda p: torch.view_as_real(roots(p)).sin().sum())))(p)
    assert_close(third, jacrev(jacrev(jacrev(of_newton)))(p), 1e-12)
