"""Classical designs beside SciPy."""

import numpy as np
import pytest
import scipy.signal

import polezero

FAMILIES = {
    "butter": ((), {}),
    "cheby1": ((1.0,), {}),
    "cheby2": ((45.0,), {}),
    "ellip": ((0.5, 50.0), {}),
    "bessel": ((), {}),
}
EDGES = {"lowpass": 0.23, "highpass": 0.61, "bandpass": [0.17, 0.44], "bandstop": [0.28, 0.62]}


@pytest.mark.parametrize("btype", EDGES)
@pytest.mark.parametrize("family", FAMILIES)
def test_sections_are_scipys(family, btype):
    ripples, options = FAMILIES[family]
    for N in range(1, 13):
        arguments = (N, *ripples, EDGES[btype], btype)
        expected = getattr(scipy.signal, family)(*arguments, output="sos", **options)
        actual = getattr(polezero, family)(*arguments, output="sos", **options)
        np.testing.assert_allclose(actual.numpy(), expected, rtol=1e-9, atol=1e-9 * abs(expected).max())
