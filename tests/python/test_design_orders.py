"""Orders that meet specifications, and designs by them, beside SciPy."""

import math
from typing import Any

import numpy as np
import pytest
import scipy.signal
import torch

import polezero

SPECIFICATIONS = {
    "lowpass": (0.2, 0.31),
    "highpass": (0.6, 0.43),
    "bandpass": ([0.3, 0.5], [0.22, 0.6]),
    "bandpass_to_one_side": ([0.3, 0.5], [0.1, 0.55]),
    "bandstop": ([0.2, 0.7], [0.33, 0.48]),
}
LOSSES = ((0.1, 20.0), (1.0, 60.0), (3.0, 100.0))


@pytest.mark.parametrize("options", [{}, {"fs": 48000.0}, {"analog": True}], ids=["normalised", "fs", "analog"])
@pytest.mark.parametrize("label", SPECIFICATIONS)
@pytest.mark.parametrize("name", ["buttord", "cheb1ord", "cheb2ord", "ellipord"])
def test_orders_and_edges_are_scipys(name: str, label: str, options: dict[str, Any]) -> None:
    wp, ws = (np.multiply(w, 24000.0) if "fs" in options else w for w in SPECIFICATIONS[label])
    for losses in LOSSES:
        order, edges = getattr(polezero, name)(wp, ws, *losses, **options)
        expected, expected_edges = getattr(scipy.signal, name)(wp, ws, *losses, **options)
        assert order == expected and edges.dtype == torch.float64 and edges.shape == np.shape(expected_edges)
        # SciPy searches the pass band of a band-stop filter to 1e-5
        np.testing.assert_allclose(edges.numpy(), expected_edges, rtol=1e-4 if label == "bandstop" else 1e-12)


def response(sos: torch.Tensor, frequency: float) -> float:
    """In decibels, at one of half the sampling rate."""
    _, h = scipy.signal.sosfreqz(sos.numpy(), [math.pi * frequency])
    return 20 * math.log10(abs(h[0]))


@pytest.mark.parametrize("ftype", ["butter", "cheby1", "cheby2", "ellip"])
@pytest.mark.parametrize("label", SPECIFICATIONS)
def test_designs_meet_their_specification_and_no_lower_order_does(ftype: str, label: str) -> None:
    wp, ws = (np.atleast_1d(w) for w in SPECIFICATIONS[label])
    estimate = {"butter": "buttord", "cheby1": "cheb1ord", "cheby2": "cheb2ord", "ellip": "ellipord"}[ftype]
    for gpass, gstop in LOSSES:
        sos = polezero.iirdesign(wp, ws, gpass, gstop, ftype=ftype, output="sos")
        assert min(response(sos, w) for w in wp) >= -gpass - 1e-9
        assert max(response(sos, w) for w in ws) <= -gstop + 1e-6
        order = getattr(polezero, estimate)(wp, ws, gpass, gstop)[0]
        poles = order * (2 if len(wp) == 2 else 1)
        assert sos.shape == ((poles + 1) // 2, 6)


def test_iirdesign_is_scipys() -> None:
    for output in ("ba", "zpk", "sos"):
        actual = polezero.iirdesign(0.2, 0.3, 1.0, 40.0, output=output, ftype="cheby1")
        expected = scipy.signal.iirdesign(0.2, 0.3, 1.0, 40.0, output=output, ftype="cheby1")
        for one, other in zip(*((x,) if output == "sos" else x for x in (actual, expected))):
            np.testing.assert_allclose(one.numpy(), other, rtol=1e-10, atol=1e-12)
    analog = polezero.iirdesign([1.0, 2.0], [0.5, 3.0], 1.0, 40.0, analog=True, output="zpk", dtype=torch.float32)
    expected = scipy.signal.iirdesign([1.0, 2.0], [0.5, 3.0], 1.0, 40.0, analog=True, output="zpk")
    np.testing.assert_allclose(analog[1].numpy(), expected[1], rtol=1e-5)
