"""Group delay against SciPy and, where its polynomials have lost their digits, mpmath; at roots on the unit circle."""

import math
import warnings
from typing import Any

import mpmath
import numpy as np
import pytest
import scipy.signal
import torch
from designs import DESIGNS, FILTERS, design
from support import assert_close, ids

import polezero


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
