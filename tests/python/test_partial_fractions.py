"""Partial fractions beside SciPy's, repeated poles among them, and lattices beside filters."""

from typing import Any

import numpy as np
import pytest
import scipy.signal
import torch
from cases.tensors import random_filter
from support import assert_close
from torch import Tensor

import polezero

FILTERS = {
    "improper": ([5, 3, -2, 7], [-4, 0, 8, 3]),
    "proper": ([-4, 8], [1, 6, 8]),
    "double": ([2, 1], [1, 5, 8, 4]),
    "double_pairs": ([1, 0.5], [1, 0, 2, 0, 1]),
    "pairs": ([4, 3], [2, -3.4, 1.98, -0.406]),
    "triple": ([1, 2, 3, 4], [1, -1.5, 0.75, -0.125]),
    "direct": ([1, 2, 3, 4, 5], [2, 1]),
    "zeros_around": ([0, 1, 2, 0], [3, 1, 0]),
    "complex": ([1, 2j], [1, 0.5 - 0.2j, 0.1j]),
}


def in_one_order(r: Any, p: Any, *others: Any) -> list[Any]:
    """SciPy leaves open which of two poles of one magnitude comes first; of a repeated one the powers rise."""
    r, p = np.asarray(r), np.asarray(p)
    order = np.lexsort((p.imag.round(4), p.real.round(4), np.abs(p).round(4)))
    return [torch.from_numpy(r[order] + 0j), torch.from_numpy(p[order] + 0j), *others]


@pytest.mark.parametrize("name", ["residue", "residuez"])
@pytest.mark.parametrize("filter", FILTERS.values(), ids=FILTERS)
def test_fractions_are_those_of_scipy_and_add_up_to_the_filter(filter: Any, name: str) -> None:
    got, expected = getattr(polezero, name)(*filter), getattr(scipy.signal, name)(*filter)
    if np.isrealobj(expected[1]):
        assert got[0].dtype == got[1].dtype == torch.float64
    # a pole of the order m is one to rounding to the power of 1/m, and they are averaged
    assert_close(in_one_order(*got[:2]), in_one_order(*expected[:2]), 1e-8)
    assert_close(got[2] + 0j, torch.from_numpy(expected[2] + 0j), 1e-13)

    back = "inv" + name.replace("idue", "")
    again, scipys = getattr(polezero, back)(*got), getattr(scipy.signal, back)(*expected)
    assert_close([t + 0j for t in again], [torch.from_numpy(v + 0j) for v in scipys], 1e-7)
    x = np.array([1.3 + 0.4j, -2.1, 0.7j])
    forms = [np.asarray(v) for v in (*filter, *again)]
    values = [np.polyval(v, x) if name == "residue" else np.polyval(v[::-1], 1 / x) for v in forms]
    assert np.allclose(values[2] / values[3], values[0] / values[1], rtol=1e-9)


def test_invres_takes_poles_within_the_tolerance_for_one() -> None:
    for choice, pole in (("min", 0.5), ("max", 0.502), ("avg", 0.501)):
        b, a = polezero.invres([1.0, 2.0], [0.5, 0.502], [], tol=0.01, rtype=choice)
        assert_close(a, torch.tensor([1.0, -2 * pole, pole**2], dtype=torch.float64))
        assert_close(b, torch.tensor([1.0, 2.0 - pole], dtype=torch.float64))


@pytest.mark.parametrize("choice", ["min", "maximum", "mean"])
@pytest.mark.parametrize("p", [[0, 1.3, 1.31, 2.8, 1.25, 2.2, 10.3], [1 + 1j, 1 - 1j, 1.05 + 1j, 2.0], [], [3.0]])
def test_unique_roots_are_those_of_scipy(p: list[complex], choice: str) -> None:
    got, expected = polezero.unique_roots(p, 0.1, choice), scipy.signal.unique_roots(p, 0.1, choice)
    assert_close([t + 0j for t in got], [torch.from_numpy(v + 0j) for v in expected])


def test_gradients_of_repeated_poles_are_finite() -> None:
    for order in (2, 3):
        b, a = (
            torch.tensor(v, dtype=torch.float64).requires_grad_() for v in ([2.0, 1.0], np.poly([0.5] * order + [0.2]))
        )
        for name in ("residue", "residuez"):
            r, p, _ = getattr(polezero, name)(b, a)
            gradients = torch.autograd.grad(r.abs().sum() + p.abs().sum(), (b, a))
            assert all(g.isfinite().all() and (g != 0).any() for g in gradients)


# ---- lattices


@pytest.mark.parametrize("dtype", [torch.float64, torch.complex128], ids=["real", "complex"])
@pytest.mark.parametrize(("M", "N"), [(0, 4), (3, 0), (2, 5), (5, 2), (12, 12)])
def test_the_lattice_of_a_filter_filters_as_it_does(M: int, N: int, dtype: torch.dtype) -> None:
    b, a = random_filter(M, N, dtype, (3,), a0=1.5)
    x = torch.randn(3, 40, dtype=torch.float64)
    k, v = polezero.tf2latc(b, a)
    assert k.shape == (3, max(M, N)) and v.shape == (3, max(M, N) + 1) and (k.abs() < 1).all()
    assert_close(polezero.lattice(k, x, taps=v), polezero.lfilter(b, a, x), 1e-11)
    num, den = polezero.latc2tf(k, v)
    taps = max(M, N) + 1
    assert_close((num, den), tuple(torch.nn.functional.pad(c / 1.5, (0, taps - c.shape[-1])) for c in (b, a)), 1e-12)


def test_reflection_coefficients_are_those_of_the_levinson_recursion() -> None:
    """The example of MATLAB's poly2rc."""
    a = [1.0000, 0.6149, 0.9899, 0.0000, 0.0031, -0.0082]
    expected = torch.tensor([0.3090, 0.9801, 0.0031, 0.0082, -0.0082], dtype=torch.float64)
    assert (polezero.tf2latc(a) - expected).abs().max() < 1e-4
    assert (polezero.tf2latc(1.0, a)[0] - expected).abs().max() < 1e-4
    assert_close(polezero.latc2tf(polezero.tf2latc(a)), torch.tensor(a, dtype=torch.float64))


def test_kinds_of_lattices() -> None:
    k = torch.tensor([0.5 + 0.1j, -0.3 + 0.6j], dtype=torch.complex128)
    x = torch.randn(30, dtype=torch.float64)
    num, den = polezero.latc2tf(k, "allpole")
    assert torch.equal(num, torch.ones(1, dtype=num.dtype)) and torch.equal(den, polezero.latc2tf(k))
    assert_close(polezero.lfilter(num, den, x), polezero.lattice(k, x))
    num, den = polezero.latc2tf(k, "allpass")
    gain = polezero.freq.response(num, den, 9, onesided=False).abs()
    assert_close(gain, torch.ones_like(gain))
    taps: list[Tensor] = [torch.tensor([0.5]), torch.tensor([0.5, 2.0])]
    for v in taps:
        num, den = polezero.latc2tf(k, v)
        assert_close(
            polezero.lfilter(num, den, x),
            polezero.lattice(k, x, taps=torch.nn.functional.pad(v.double(), (0, 3 - len(v)))),
        )
