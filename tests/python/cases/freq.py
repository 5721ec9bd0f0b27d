"""Frequency sampling: filters as products of spectra."""

from functools import partial
from typing import Any

import torch
from torch import Tensor

from cases.case import NO_SIGNAL, Bad, Case, Example, Sized
from cases.lfilter import lfilter_inputs
from cases.sentences import A0, NO_ARRAY, NO_TAPS, ROWS
from cases.tensors import X, denominator
from polezero import freq, reference

CORRECTIONS = ("none", "zeropad", "truncate")


def polynomial(c: Tensor, n: int, onesided: bool) -> Tensor:
    """sum_k c_k z^-k at n points of the unit circle."""
    points = torch.arange(n // 2 + 1 if onesided else n, dtype=torch.float64) / n
    powers = torch.exp(-2j * torch.pi * points[:, None] * torch.arange(c.shape[-1]))
    return (c.unsqueeze(-2) * powers.to(torch.complex128)).sum(-1)


def true_response(b: Tensor, a: Tensor, n: int, onesided: bool = True) -> Tensor:
    return polynomial(b, n, onesided) / polynomial(a, n, onesided)


def true_apply(b: Tensor, a: Tensor, X: Tensor, n: int | None = None, axis: int = -1, onesided: bool = True) -> Tensor:
    X = X.movedim(axis, -1)
    points = n or (2 * (X.shape[-1] - 1) if onesided else X.shape[-1])
    return (true_response(b, a, points, onesided) * X).movedim(-1, axis)


def true_lfilter(b: Tensor, a: Tensor, x: Tensor, correction: str = "none", axis: int = -1) -> Tensor:
    """A filter of few samples: 2 T is a length that zeropad takes."""
    if correction == "truncate":
        return reference.lfilter(b, a, x, axis)
    x = x.movedim(axis, -1)
    T = x.shape[-1]
    n = 2 * T if correction == "zeropad" else T
    filtered = torch.fft.ifft(true_response(b, a, n, onesided=False) * torch.fft.fft(x, n))[..., :T]
    is_complex = any(t.is_complex() for t in (b, a, x))
    return (filtered if is_complex else filtered.real).movedim(-1, axis)


def true_comb(a: Tensor, delay: Tensor, n: int, onesided: bool = True) -> Tensor:
    """1 / (1 + a z^-delay), from half the sampling rate on at a negative frequency."""
    bins = torch.arange(n // 2 + 1 if onesided else n, dtype=torch.float64)
    omega = 2 * torch.pi * (bins if onesided else torch.where(bins < n / 2, bins, bins - n)) / n
    return 1 / (1 + a.unsqueeze(-1) * torch.exp(-1j * omega * delay.unsqueeze(-1)))


def filtered(correction: str, axis: int = -1, **sizes: Any) -> Example:
    main = correction == "truncate"
    return Example(inputs=partial(lfilter_inputs, **sizes), options={"correction": correction, "axis": axis}, main=main)


REAL, COMPLEX = (torch.float64,), (torch.complex128,)
TWO_SIDED = {"onesided": False}


def spectrum(dtype: torch.dtype) -> tuple[Tensor, ...]:
    """b, a and a spectrum of five bins."""
    return (*lfilter_inputs(dtype, M=1, N=2)[:2], torch.randn(2, 5, dtype=torch.complex128))


def both(dtype: torch.dtype) -> tuple[Tensor, ...]:
    return lfilter_inputs(dtype, M=1, N=2, lead_a=(2,))[:2]


def feedback(dtype: torch.dtype) -> tuple[Tensor, ...]:
    a = torch.randn(2, dtype=dtype)
    return 0.7 * a / a.abs().clamp(min=1), 2.3 + torch.rand(1, dtype=torch.float64)


def sized(correction: str) -> Sized:
    b = torch.tensor([0.2, -0.1, 0.3], dtype=torch.float64)
    return Sized(
        coefficients=lambda T, radius: (b, denominator(radius, 0.3)),
        options={"correction": correction},
        spreads="everywhere",
        shortest=1,
        opt_out={} if correction == "none" else {"compile": "the length of its FFT depends on T: a graph for each"},
    )


# ---- arguments of the ops


def two_sided_spectra(dtype: torch.dtype) -> tuple[Any, ...]:
    """Coefficients may be complex."""
    b, a, x = lfilter_inputs(dtype, M=1, N=3, T=7)
    return b, a, torch.fft.fft(x), None, -1, False


def delay() -> Tensor:
    return torch.tensor([2.3], dtype=torch.float64)


# ---- what is refused


def bad(name: str, sentence: str, *arguments: Any, exception: type[Exception] = ValueError, **named: Any) -> Bad:
    return Bad(lambda: getattr(freq, name)(*arguments, **named), exception, f"freq.{name}: {sentence}")


ONE = [1.0]
BAD_LFILTER = {
    "correction": bad("lfilter", "correction: expected 'none', 'zeropad' or 'truncate', got 'pad'", ONE, ONE, X, "pad"),
    "correction_type": bad("lfilter", "correction: *got -1", ONE, ONE, X, -1, exception=TypeError),
    "axis": bad("lfilter", "axis: * -2 to 1, got 2", ONE, ONE, X, axis=2, exception=IndexError),
    "axis_float": bad("lfilter", "axis: expected an int, got 1.0", ONE, ONE, X, axis=1.0, exception=TypeError),
    "rows": bad("lfilter", f"{ROWS} b [3, 2], a [1], x [2, 5]", X.new_ones(3, 2), ONE, X),
    "b_text": bad("lfilter", f"b: {NO_ARRAY} 'b'", "b", ONE, X),
    "b_empty": bad("lfilter", f"b: {NO_TAPS} [0]", [], ONE, X),
    "a0_zero": bad("lfilter", A0, ONE, [0.0], X),
}
BAD_APPLY = {
    "no_bins": bad("apply", "X: *, got shape [2, 0]", ONE, ONE, X[:, :0]),
    "n": bad("apply", "n: expected 8 or 9 for F = 5 *, got 7", ONE, ONE, X, 7),
    "n_two_sided": bad("apply", "n: expected 5 *, got 8", ONE, ONE, X, 8, -1, False),
    "n_float": bad("apply", "n: expected an int, got 8.0", ONE, ONE, X, 8.0, exception=TypeError),
    "a_complex": bad("apply", "a: *onesided=False, got *omplex*", ONE, [1j], X, exception=TypeError),
}
BAD_RESPONSE = {
    "n": bad("response", "n: expected at least 1, got 0", ONE, ONE, 0),
    "b_complex": bad("response", "b: *onesided=False, got *omplex*", [1j], ONE, 4, exception=TypeError),
    "a0_zero": bad("response", A0, ONE, [0.0], 4),
}
BAD_COMB = {
    "n_float": bad("comb", "n: expected an int, got 2.0", 0.5, 3.0, 2.0, exception=TypeError),
    "rows": bad("comb", "delay: *[2, 1]*[3, 1]", [0.5, 0.4], [1, 2, 3], 4),
    "a_complex": bad("comb", "a: *onesided=False, got *omplex*", 0.5j, 3.0, 4, exception=TypeError),
    "delay_complex": bad("comb", "delay: expected real numbers, got *", 0.5, 3j, 4, exception=TypeError),
    "delay_device": bad(
        "comb", "delay: expected a tensor on *, got one on meta", torch.ones(1), torch.ones(1, device="meta"), 4
    ),
}

FFT = {
    "threads": "torch's FFT and sums of products, as they are",
    "cuda": "test_cuda.py looks at frequency sampling by itself, which must not wait for the GPU either",
    "numerics": "H is as inexact as A(z) is small near a pole: test_freq.py has its figures",
}
CASES = [
    Case(
        "freq.lfilter",
        true_lfilter,
        "b a x",
        examples={
            "none": filtered("none", M=1, T=4),
            "zeropad": filtered("zeropad", T=4, lead_b=(2,)),
            "truncate": filtered("truncate", M=2, N=3, T=4),
            "truncate_one_sample": filtered("truncate", M=3, N=2, T=1),
            "first_axis": filtered("truncate", axis=0, lead_x=(3,), T=2),
        },
        sized={correction: sized(correction) for correction in CORRECTIONS},
        ops={
            "freq_lfilter": {
                correction: lambda d, correction=correction: (*lfilter_inputs(d, M=1, N=3, T=7), correction)
                for correction in CORRECTIONS
            }
        },
        bad=BAD_LFILTER,
        opt_out=FFT,
    ),
    Case(
        "freq.apply",
        true_apply,
        "b a X",
        signal="X",
        examples={
            "onesided": Example(inputs=spectrum, dtypes=REAL),
            "complex": Example(inputs=spectrum, options=TWO_SIDED, dtypes=COMPLEX, main=True),
            "odd": Example(inputs=spectrum, options={"n": 9}, dtypes=REAL),
        },
        ops={"freq_apply": {"rows": two_sided_spectra}},
        bad=BAD_APPLY,
        opt_out=NO_SIGNAL | {"promotion": "its results have dtypes of their own: test_freq.py"},
    ),
    Case(
        "freq.response",
        true_response,
        "b a",
        signal=None,
        examples={
            "onesided": Example(inputs=both, options={"n": 5}, dtypes=REAL),
            "complex": Example(inputs=both, options={"n": 4, **TWO_SIDED}, dtypes=COMPLEX, main=True),
        },
        ops={"freq_response": {"rows": lambda d: (*lfilter_inputs(d, M=1, N=3, lead_a=(2,))[:2], 7, False)}},
        bad=BAD_RESPONSE,
        opt_out=NO_SIGNAL | {"promotion": "its results have dtypes of their own: test_freq.py"},
    ),
    Case(
        "freq.comb",
        true_comb,
        "a delay",
        signal=None,
        own_dtype=("delay",),
        examples={
            "onesided": Example(inputs=feedback, options={"n": 9}, dtypes=REAL),
            "complex": Example(inputs=feedback, options={"n": 4, **TWO_SIDED}, dtypes=COMPLEX, main=True),
        },
        ops={"freq_comb": {"rows": lambda d: (0.5 * torch.randn(2, dtype=d), delay(), 7, False)}},
        bad=BAD_COMB,
        opt_out=NO_SIGNAL | {"promotion": "its results have dtypes of their own: test_freq.py"},
    ),
]
