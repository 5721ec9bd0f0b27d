"""Notches, peaks, combs and the gammatone beside SciPy."""

import math
import warnings

import numpy as np
import pytest
import scipy.signal
import torch
from support import assert_close
from torch.autograd import gradcheck, gradgradcheck

import polezero

DOUBLE = torch.float64


@pytest.mark.parametrize("name", ["iirnotch", "iirpeak"])
def test_notches_and_peaks_are_scipys_in_batches(name: str) -> None:
    function, scipys = getattr(polezero, name), getattr(scipy.signal, name)
    w0, Q = torch.tensor([[0.01], [0.3], [0.97]], dtype=DOUBLE), torch.tensor([1.5, 30.0], dtype=DOUBLE)
    for fs in (2.0, 48000.0):
        batch = function(w0 * fs / 2, Q, fs)
        for i, j in np.ndindex(3, 2):
            expected = scipys(w0[i, 0].item() * fs / 2, Q[j].item(), fs)
            for one, other in zip(batch, expected):
                np.testing.assert_allclose(one[i, j].numpy(), other, rtol=1e-12, atol=1e-15)
    b, a = function(0.25, 30)
    assert b.shape == a.shape == (3,)
    assert_close(torch.vmap(function, (0, None))(w0[:, 0], Q), function(w0, Q))


@pytest.mark.parametrize("pass_zero", [False, True])
@pytest.mark.parametrize("ftype", ["notch", "peak"])
def test_combs_are_scipys(ftype: str, pass_zero: bool) -> None:
    for N, Q in ((3, 2.0), (8, 30.0), (441, 100.0)):
        batch = polezero.iircomb(44100 / N, torch.tensor([Q, 5.0]), ftype, 44100, pass_zero=pass_zero)
        expected = scipy.signal.iircomb(44100 / N, Q, ftype, 44100, pass_zero=pass_zero)
        for one, other in zip(batch, expected):
            assert one.dtype == DOUBLE and one.shape == (2, N + 1)
            np.testing.assert_allclose(one[0].numpy(), other, rtol=1e-12)


def test_gammatone_polynomials_are_scipys_and_sections_the_same_filter() -> None:
    frequencies = torch.tensor([440.0, 2000.0, 7000.0], dtype=DOUBLE)
    b, a = polezero.gammatone(frequencies, "iir", fs=16000)
    sos = polezero.gammatone(frequencies, "iir", fs=16000, output="sos")
    for i, frequency in enumerate(frequencies.tolist()):
        for one, other in zip((b[i], a[i]), scipy.signal.gammatone(frequency, "iir", fs=16000)):
            np.testing.assert_allclose(one.numpy(), other, rtol=1e-10, atol=1e-18)
        omega, h = scipy.signal.sosfreqz(sos[i].numpy(), [0.1, 2 * math.pi * frequency / 16000, 3.0])
        np.testing.assert_allclose(h, scipy.signal.freqz(b[i].numpy(), a[i].numpy(), omega)[1], rtol=1e-6)
        assert abs(abs(h[1]) - 1) < 1e-12


def test_low_bands_of_a_gammatone_are_right_as_sections() -> None:
    """Its envelope of 4 poles decays by the band's width; the polynomials are unstable (scipy#16522)."""
    sos = polezero.gammatone(50.0, "iir", fs=44100, output="sos")
    x = torch.zeros(44100, dtype=DOUBLE)
    x[0] = 1
    t = torch.arange(44100, dtype=DOUBLE) / 44100
    width = 2 * math.pi * 1.019 * (24.7 + 50 / 9.26449)
    expected = t**3 * torch.exp(-width * t) * torch.cos(2 * math.pi * 50 * t)
    y = polezero.sosfilt(sos, x)
    scale = (y @ expected) / (expected @ expected)
    assert_close(y, scale * expected, tolerance=1e-2)  # 4.5e-3: the numerator is that of the response's start
    with pytest.warns(UserWarning, match="order: has no effect on an IIR filter, got 4"):
        polezero.gammatone(1000.0, "iir", order=4, fs=16000)


def test_they_are_differentiable() -> None:
    w0 = torch.tensor([0.2, 0.5], dtype=DOUBLE, requires_grad=True)
    Q = torch.tensor([2.0, 9.0], dtype=DOUBLE, requires_grad=True)
    for function, inputs in (
        (polezero.iirnotch, (w0, Q)),
        (polezero.iirpeak, (w0, Q)),
        (lambda Q: polezero.iircomb(0.5, Q), (Q,)),
        (lambda f: polezero.gammatone(f, "iir", output="sos"), (w0,)),
        (lambda f: polezero.gammatone(f, "iir"), (w0,)),
    ):
        assert gradcheck(function, inputs, check_forward_ad=True)
        assert gradgradcheck(function, inputs)


def test_they_are_one_graph_each() -> None:
    torch._dynamo.reset()
    w0, Q = torch.tensor([0.2, 0.5], dtype=DOUBLE), torch.tensor(9.0, dtype=DOUBLE)
    for function in (
        lambda w, Q: polezero.iirnotch(w, Q),
        lambda w, Q: polezero.iircomb(0.5, Q),
        lambda w, Q: polezero.gammatone(w, "iir", output="sos"),
    ):
        compiled = torch.compile(function, fullgraph=True, backend="eager")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert_close(compiled(w0, Q), function(w0, Q))
