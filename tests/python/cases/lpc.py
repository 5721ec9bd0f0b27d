"""Linear prediction, and the forms of a predictor."""

from functools import partial
from typing import Any

import torch
from torch import Tensor

from cases.bad_conversions import bad
from cases.case import CONCERNS, DOUBLES, NO_SIGNAL, Case, Example
from cases.sentences import NO_TAPS
from polezero import reference

REAL = (torch.float64,)
DOUBLE = {**NO_SIGNAL, "promotion": "always of double precision: test_lpc.py"}
TRANSFORMED = ("compile", "functorch", "semantics")


def and_not(reason: str, *concerns: str) -> dict[str, str]:
    return DOUBLE | dict.fromkeys(concerns or TRANSFORMED, reason)


ONE_OPERATION = dict.fromkeys(CONCERNS, "one operation of torch: test_lpc.py")


# ---- inputs


def reflections(dtype: torch.dtype) -> Tensor:
    k = torch.tensor([[0.4, -0.3, 0.2], [-0.5, 0.1, 0.3]], dtype=dtype)
    return k * (0.8 + 0.6j) if dtype.is_complex else k


def powers(dtype: torch.dtype) -> Tensor:
    return torch.tensor([1.5, 0.8], dtype=torch.float64)


def predictors(dtype: torch.dtype) -> Tensor:
    k = reflections(dtype)
    a, _ = reference.rc2poly(k, powers(dtype))
    return 1.25 * a


def lags(dtype: torch.dtype) -> tuple[Tensor]:
    r = torch.tensor([[2.0, 0.7, -0.4], [1.5, -0.6, 0.2]], dtype=dtype)
    if dtype.is_complex:  # but the power
        r = r * torch.tensor([1.0, 0.8 + 0.6j, 0.6 - 0.8j])
    return (r,)


def frames(dtype: torch.dtype) -> tuple[Tensor]:
    return (torch.randn(2, 7, dtype=dtype),)


def example(inputs: Any, arguments: str | None = None, dtypes: Any = DOUBLES, **options: Any) -> Example:
    return Example(inputs=inputs, arguments=arguments, options=options, dtypes=dtypes)


# ---- what is refused

X = torch.zeros(2, 5)
COMPLEX = "expected real numbers, got complex ones"
refuses = partial(bad, "lpc")
BAD_LPC = {
    "method": refuses("method: expected 'autocorrelation', 'covariance' or 'burg', got 'yule'", X, 2, "yule"),
    "order": refuses("order: expected a number from 0 to 4, one less than the frame's samples, got 5", X, 5),
    "order_negative": refuses("order: expected a number from 0 to 4, one less than the frame's samples, got -1", X, -1),
    "order_of_burg": refuses("order: expected a number from 0 to 4, one less than *, got 9", X, 9, "burg"),
    "order_of_covariance": refuses(
        "order: expected a number from 0 to 2, half of the frame's samples by this method, got 3", X, 3, "covariance"
    ),
    "order_float": refuses("order: expected an int, got 2.0", X, 2.0, exception=TypeError),
    "empty": refuses("x: expected at least 1 sample along the last axis, got shape [2, 0]", X[:, :0], 0),
}
BAD_LEVINSON = {
    "order": bad("levinson", "order: expected a number from 0 to 1, the last lag of r, got 2", [1.0, 0.5], 2),
    "empty": bad("levinson", f"r: {NO_TAPS} [0]", []),
}
BAD_POLY2RC = {
    "circle": bad("poly2rc", "a: expected reflection coefficients with |k| != 1, got 1", [1.0, 1.0]),
    "a0": bad("poly2rc", "a: expected a[..., 0] != 0, got 0", [0.0, 1.0]),
    "rows": bad(
        "poly2rc",
        "efinal: expected a number, or a shape that broadcasts with the leading dimensions of a, got shape [3] beside"
        " [2, 2]",
        torch.ones(2, 2) + torch.tensor([0, -0.5]),
        torch.ones(3),
    ),
}
BAD_RC2POLY = {
    "r0": bad("rc2poly", f"r0: {COMPLEX}", [0.5], 1j, exception=TypeError),
}
BAD_RC2LAR = {
    "border": bad("rc2lar", "k: expected numbers between -1 and 1, got -1", [0.5, -1.0]),
    "complex": bad("rc2lar", f"k: {COMPLEX}", [0.5j], exception=TypeError),
}
BAD_LAR2RC = {"complex": bad("lar2rc", f"g: {COMPLEX}", [0.5j], exception=TypeError)}
BAD_POLY2LSF = {
    "outside": bad(
        "poly2lsf",
        "a: expected all roots inside the unit circle, got one outside or too close to it",
        [[1.0, 0.5], [1.0, -2.0]],
    ),
    "a0": bad("poly2lsf", "a: expected a[..., 0] != 0, got 0", [0.0, 1.0]),
    "complex": bad("poly2lsf", f"a: {COMPLEX}", [1.0, 0.5j], exception=TypeError),
    "empty": bad("poly2lsf", f"a: {NO_TAPS} [0]", []),
}
BAD_LSF2POLY = {
    "border": bad("lsf2poly", "lsf: expected radians between 0 and pi, got 3.5", [0.5, 3.5]),
    "falling": bad("lsf2poly", "lsf: expected them to rise along the last axis, got some that fall", [0.5, 0.3]),
}
BAD_POLY2CEPSTRUM = {
    "a0": bad("poly2cepstrum", "a: expected a[..., 0] != 0, got 0", [0.0, 1.0]),
    "n": bad("poly2cepstrum", "n: expected a number >= 0, got -1", [1.0], 1.0, -1),
    "error": bad("poly2cepstrum", "error: expected no negative number, got -2", [1.0], -2.0),
}
BAD_CEPSTRUM2POLY = {
    "order": bad("cepstrum2poly", "order: expected a number >= 0, got -1", [1.0], -1),
    "empty": bad("cepstrum2poly", f"c: {NO_TAPS} [0]", []),
}


# ---- the cases


def case(name: str, arguments: str, opt_out: dict[str, str], bad: Any, examples: dict[str, Example]) -> Case:
    return Case(name, getattr(reference, name), arguments, signal=None, opt_out=opt_out, bad=bad, examples=examples)


CASES = [
    case(
        "lpc",
        "x",
        DOUBLE,
        BAD_LPC,
        {
            "autocorrelation": example(frames, order=3),
            "burg": example(frames, order=2, method="burg"),
            "covariance": example(frames, order=2, method="covariance"),
        },
    ),
    case("levinson", "r", and_not("lpc goes through it"), BAD_LEVINSON, {"order_2": example(lags, order=2)}),
    case(
        "poly2rc",
        "a efinal",
        and_not("tf2latc's steps"),
        BAD_POLY2RC,
        {"order_3": example(lambda dtype: (predictors(dtype), powers(dtype)))},
    ),
    case(
        "rc2poly",
        "k r0",
        and_not("latc2tf's steps"),
        BAD_RC2POLY,
        {"order_3": example(lambda dtype: (reflections(dtype), powers(dtype)))},
    ),
    case(
        "poly2lsf",
        "a",
        DOUBLE,
        BAD_POLY2LSF,
        {"order_3": example(lambda dtype: (predictors(dtype),), dtypes=REAL)},
    ),
    case(
        "lsf2poly",
        "lsf",
        and_not("products of polynomials"),
        BAD_LSF2POLY,
        {
            "order_3": example(lambda dtype: (torch.tensor([[0.5, 1.4, 2.0]]).double(),), dtypes=REAL),
            "order_2": example(lambda dtype: (torch.tensor([0.5, 1.4]).double(),), dtypes=REAL),
        },
    ),
    case(
        "poly2cepstrum",
        "a error",
        and_not("a filter's response", "functorch", "semantics"),
        BAD_POLY2CEPSTRUM,
        {"longer": example(lambda dtype: (predictors(dtype), powers(dtype)), n=5)},
    ),
    case(
        "cepstrum2poly",
        "c",
        and_not("a few sums of products", "functorch", "semantics"),
        BAD_CEPSTRUM2POLY,
        {"shorter": example(lambda dtype: (0.5 * torch.randn(2, 4, dtype=dtype),), order=2)},
    ),
    case(
        "rc2lar", "k", ONE_OPERATION, BAD_RC2LAR, {"order_3": example(lambda dtype: (reflections(dtype),), dtypes=REAL)}
    ),
    case(
        "lar2rc", "g", ONE_OPERATION, BAD_LAR2RC, {"order_3": example(lambda dtype: (reflections(dtype),), dtypes=REAL)}
    ),
]
