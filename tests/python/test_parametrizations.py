"""`polezero.nn.parametrizations`: ranges, their borders, inverses, gradients, stability."""

import math

import pytest
import torch
from torch import Tensor
from torch.nn.utils import parametrize

import polezero
from polezero.nn import parametrizations
from polezero.nn.parametrizations import (
    MARGIN,
    Decibels,
    LogRange,
    Lsf,
    PoleRadius,
    Range,
    Reflection,
    Tanh,
    TimeConstant,
    Triangle,
)

R = 1 - MARGIN
# Each with values in its range, borders of it, and values outside.
ALL = {
    "Range": (Range(-18, 18), [-3.0, 0.0, 17.5], [-18.0, 18.0], [-18.1, 18.5]),
    "LogRange": (LogRange(20, 20000), [20.5, 440.0, 19000.0], [20.0, 20000.0], [0.0, 19.0, -100.0, 21000.0]),
    "Decibels": (Decibels(-60, 6), [0.01, 0.5, 1.9], [10**-3, 10**0.3], [0.0, 2.0, -0.5]),
    "TimeConstant": (
        TimeConstant(1e-3, 1.0, 48000),
        [0.98, 0.999, 0.9999],
        [math.exp(-1 / 48), math.exp(-1 / 48000)],
        [0.9, 1.0, 0.99999],
    ),
    "PoleRadius": (PoleRadius(), [0.001, 0.5, 0.9999], [0.0, R], [-0.1, 1.0, 1.2]),
    "Reflection": (Reflection(), [-0.99, 0.0, 0.5], [-R, R], [-1.0, 1.1]),
    "Triangle": (
        Triangle(),
        [[0.0, 0.0], [-1.9, 0.95], [1.2, 0.3], [-0.5, -0.4]],
        [[0.0, R], [0.0, -R], [2 * R, R * MARGIN + R]],
        [[2.0, 1.0], [0.0, 1.0], [1.5, 0.4], [0.0, 1.5]],
    ),
    "Tanh": (
        Tanh(),
        [[0.0, 0.0], [0.5, -0.5], [-0.999, 0.01]],
        [[R, 0.0], [0.0, -R]],
        [[1.0, 0.0], [0.8, 0.7]],
    ),
    "Lsf": (
        Lsf(),
        [[0.1, 0.2, 3.0], [1.0, 1.0002, 1.1]],
        [[math.pi * 1e-5, 1.0, 2.0], [1.0, 1.0 + math.pi * 1e-5, 2.0]],
        [[1.0, 0.5, 2.0], [1.0, 1.0, 2.0], [1.0, 2.0, 3.2], [-0.1, 1.0, 2.0]],
    ),
}
EACH = pytest.mark.parametrize("name", ALL)


def tensor(values: object, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.tensor(values, dtype=dtype)


def test_all_are_here() -> None:
    assert set(ALL) == set(parametrizations.__all__)


@EACH
def test_values_come_back_from_their_unconstrained_numbers(name: str) -> None:
    p, inside, borders, _ = ALL[name]
    for values in (inside, borders):
        u = p.right_inverse(tensor(values))
        assert bool(torch.isfinite(u).all())
        torch.testing.assert_close(p(u), tensor(values), rtol=1e-13, atol=1e-12)
    narrow = p.right_inverse(tensor(inside, torch.float32))
    assert narrow.dtype == torch.float32
    torch.testing.assert_close(p(narrow), tensor(inside, torch.float32), rtol=2e-5, atol=2e-5)


@EACH
def test_any_number_gives_a_value_in_the_range(name: str) -> None:
    p, inside, _, _ = ALL[name]
    for scale in (1.0, 30.0, 1e4):
        for dtype in (torch.float32, torch.float64):
            shape = (200, *tensor(inside).shape[1:])
            u = scale * torch.randn(shape, generator=torch.Generator().manual_seed(1), dtype=dtype)
            v = p(u)
            assert bool(torch.isfinite(v).all())
            if name == "TimeConstant" and dtype == torch.float32:  # whose logarithm has no digits left near 1
                v = p(u.double())
            assert p.fits(v), v[:5]


@EACH
def test_values_outside_are_refused(name: str) -> None:
    p, _, _, outside = ALL[name]
    for value in outside:
        with pytest.raises(ValueError, match=f"^{name}: value: expected .*, got "):
            p.right_inverse(tensor([value]))
    with pytest.raises(ValueError, match=f"^{name}: value: expected .*, got "):
        p.right_inverse(torch.full_like(tensor(outside), math.nan))


@EACH
def test_gradients_of_first_and_second_order(name: str) -> None:
    p, inside, _, _ = ALL[name]
    u = p.right_inverse(tensor(inside)).requires_grad_()
    assert torch.autograd.gradcheck(p, (u,), check_forward_ad=True)
    if name not in ("Tanh", "Triangle"):  # whose first value is the origin: a zero by zero, and a kink
        assert torch.autograd.gradgradcheck(p, (u,))
    assert torch.autograd.gradgradcheck(p, (torch.randn_like(u).requires_grad_(),))


def test_line_spectral_frequencies_may_be_in_hertz() -> None:
    u, hertz = tensor([-1.0, 0.5, 2.0]), Lsf(fs=8000.0)
    torch.testing.assert_close(hertz(u), Lsf()(u) * (4000 / math.pi))
    torch.testing.assert_close(hertz.right_inverse(hertz(u)), u)
    with pytest.raises(ValueError, match=r"^Lsf: value: expected ascending Hz between 0 and 4000, 0\.04 apart.*, got"):
        hertz.right_inverse(tensor([1000.0, 4000.0]))


@EACH
def test_they_parametrize_modules_of_torch(name: str) -> None:
    p, inside, borders, _ = ALL[name]
    module = torch.nn.Module()
    module.value = torch.nn.Parameter(tensor(inside[:2]))
    parametrize.register_parametrization(module, "value", p)
    torch.testing.assert_close(module.value, tensor(inside[:2]))
    module.value = tensor(borders[:2])
    torch.testing.assert_close(module.value, tensor(borders[:2]))


def test_sections_of_the_triangle_are_stable_and_all_of_it_is_reached() -> None:
    u = 3 * torch.randn(2000, 2, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    a = Triangle()(u)
    radius = polezero.pole_radius(([1.0], torch.cat([torch.ones(2000, 1), a], -1)))
    assert float(radius.max()) < 1
    # Half of the plane of parameters is complex poles, of radii from 0 to nearly 1.
    complex_ = a[:, 0].square() < 4 * a[:, 1]
    assert 0.2 < float(complex_.double().mean()) < 0.8
    assert float(a[complex_][:, 1].min()) < 0.05 and float(a[complex_][:, 1].max()) > 0.99


def test_reflection_coefficients_are_those_of_stable_filters() -> None:
    k = Reflection()(torch.randn(50, 12, generator=torch.Generator().manual_seed(3), dtype=torch.float64))
    _, a = polezero.latc2tf(k, "allpole")
    assert float(polezero.pole_radius(([1.0], a)).max()) < 1


def test_bad_ranges_are_refused() -> None:
    for make, sentence in (
        (lambda: Range(2.0, 1.0), "Range: low: expected a number below high, got 2.0 and 1.0"),
        (lambda: LogRange(0.0, 1.0), "LogRange: low: expected a number above 0, got 0.0"),
    ):
        with pytest.raises(ValueError, match=f"^{sentence}$"):
            make()
