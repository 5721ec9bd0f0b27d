"""Splines and the symmetric filters that they are made of, along an axis."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

import polezero
from cases.case import Bad, Case, Example, Sized
from polezero import reference

POINTS = torch.tensor(
    [[-2.3, 0.2, 1.7], [4.1, 4.9, 7.3]], dtype=torch.float64
)  # between all knots, and beyond both ends


SCALE = torch.tensor(1.5, dtype=torch.float64), torch.tensor(-0.25, dtype=torch.float64)


def linear(name: str) -> Callable[..., Tensor]:
    """x times the reference's matrix: jacrev fails in torch.linalg.solve, which the reference calls."""

    def truth(x: Tensor, axis: int = -1, **options: Any) -> Tensor:
        x = x.movedim(axis, -1)
        matrix = getattr(reference, name)(torch.eye(x.shape[-1], dtype=torch.float64), **options)
        return (x @ matrix.to(x.dtype)).movedim(-1, axis)

    return truth


def along_both_axes(name: str) -> Callable[..., Tensor]:
    along = linear(name)
    return lambda x, **options: along(along(x, **options).mT, **options).mT


def at_points(name: str) -> Callable[..., Tensor]:
    """At (newx - x0) / dx."""
    evaluate = getattr(reference, name)
    return lambda cj, newx, dx=1.0, x0=0.0: evaluate(cj, (newx - x0) / dx)


def example(*shape: int, **options: Any) -> Example:
    return Example(inputs=lambda d: (torch.randn(shape, dtype=d),), options=options)


def evaluated(*scale: Tensor) -> Example:
    def inputs(dtype: torch.dtype) -> tuple[Tensor, ...]:
        return torch.randn(2, 6, dtype=dtype), POINTS + 0.1 * torch.rand(2, 3, dtype=torch.float64), *scale

    return Example(inputs=inputs)


def sized(splits_rows: bool = True, ports: tuple[int, ...] = (), **options: Any) -> Sized:
    return Sized(ports=ports, spreads="everywhere", splits_rows=splits_rows, options=options)


def wandering(T: int, radius: float) -> tuple[Tensor]:
    """As many points as there are samples, some of them beyond the end."""
    return (1.1 * T * torch.linspace(0, 1, T, dtype=torch.float64).sin(),)


WEIGHTS = "the reference multiplies coefficients by weights of zero: test_spline.py looks at those that are read"
READ_AT_POINTS = Sized(
    coefficients=wandering, arguments="newx cj", over_time={"newx": -1}, shortest=1, opt_out={"nonfinite": WEIGHTS}
)
NEAR = 1 - 1e-4  # a pole


def arguments(*options: Any, shape: tuple[int, ...] = (2, 7)) -> Callable[[torch.dtype], tuple[Any, ...]]:
    return lambda d: (torch.randn(shape, dtype=d), *options)


def points() -> Tensor:
    return torch.tensor([-0.8, 0.3, 2.2, 5.9, 8.1], dtype=torch.float64)


# ---- what is refused


def bad(name: str, sentence: str, *arguments: Any, exception: type[Exception] = ValueError, **named: Any) -> Bad:
    return Bad(lambda: getattr(polezero, name)(*arguments, **named), exception, f"{name}: {sentence}")


THREE = torch.ones(3)
BAD_UPSAMPLING = {
    "m": bad("cubic_spline", "m: expected an int from 1 to 2147483647, got 0", THREE, 0),
    "m_type": bad("cubic_spline", "m: expected an int, got 1.5", THREE, 1.5, exception=TypeError),
    "boundary": bad("cubic_spline", "boundary: expected 'reflect' or 'scipy', got 'wrap'", THREE, 2, "wrap"),
    "x_empty": bad(
        "cubic_spline", "x: expected at least one sample along axis -1, got shape [2, 0]", torch.ones(2, 0), 2
    ),
}
BAD_POINTS = {
    "newx_dimensions": bad(
        "cspline1d_eval",
        "newx: expected one dimension, or as many as cj has, 2, got shape [1, 2, 3]",
        torch.ones(2, 3),
        torch.ones(1, 2, 3),
    ),
    "newx_complex": bad(
        "cspline1d_eval", "newx: expected real numbers, got complex64", THREE, torch.ones(2) * 1j, exception=TypeError
    ),
    "newx_bool": bad(
        "cspline1d_eval", "newx: expected real numbers, got bool", THREE, torch.ones(2) > 0, exception=TypeError
    ),
    "newx_rows": bad(
        "cspline1d_eval",
        "newx: expected leading dimensions that broadcast, got cj [2, 7], newx [3, 5]",
        torch.ones(2, 7),
        torch.ones(3, 5),
    ),
    "no_coefficients": bad(
        "cspline1d_eval", "cj: expected at least one coefficient, got shape [2, 0]", torch.ones(2, 0), [0.5]
    ),
}
Z1 = "z1: expected a number, which has no gradient, got a tensor that requires one"
BAD_POLE = {
    "z1": bad("symiirorder1", "z1: expected a number between -1 and 1, got 1", THREE, 1.0, 1.0),
    "z1_learnable": bad("symiirorder1", Z1, THREE, 1.0, torch.tensor(0.5, requires_grad=True), exception=TypeError),
}
BAD_POLES = {
    "r": bad("symiirorder2", "r: expected a number from 0 to 1, got -0.5", THREE, -0.5, 1.0),
    "r_of_one": bad(
        "symiirorder2", "r: expected poles that lie inside the circle in float64, got 1", THREE, 1 - 1e-9, 0.0
    ),
    "omega": bad("symiirorder2", "omega: expected a finite number, got nan", THREE, 0.5, torch.nan),
}
BAD_SMOOTHING = {
    "lamb": bad("cspline1d", "lamb: expected 0 or a number above 1/144, got 0.001", THREE, 1e-3),
    "lamb_type": bad("cspline1d", "lamb: expected a real number, got 'much'", THREE, "much", exception=TypeError),
    "axis": bad("cspline1d", "axis: expected a number from -1 to 0, got 1", THREE, axis=1, exception=IndexError),
}
QUADRATIC = "lamb: expected 0 (quadratic splines do not smooth), got 0.5"
IMAGE = "x: expected at least two dimensions, got shape [3]"

CASES = [
    Case(
        "cubic_spline",
        linear("cubic_spline"),
        "x",
        saves={"x": ""},
        examples={
            "reflect": example(2, 6, m=3),
            "scipy": example(2, 3, m=2, boundary="scipy"),
            "first_axis": example(3, 2, m=2, axis=0),
        },
        sized={"by_3": replace(sized(m=3), shortest=1)},
        ops={
            "cubic_spline": {"rows": arguments(3), "scipy": arguments(2, "scipy", 0, shape=(7, 3))},
            "spline_upsample": {"rows": arguments(3), "transposed": arguments(3, True, True, shape=(2, 19))},
        },
        bad=BAD_UPSAMPLING,
    ),
    Case(
        "cspline1d",
        linear("cspline1d"),
        "x",
        saves={"x": ""},
        examples={"smoothing": example(2, 6, lamb=0.5), "through_samples": example(2, 5)},
        sized={"through_samples": sized(), "smoothing": sized(lamb=5.0)},
        ops={
            "cspline1d": {"rows": arguments(), "lamb": arguments(0.5)},
            "symmetric_filter": {
                "rows": arguments(-1.2, 0.5, 0.3),
                "whole_sample": arguments(0.4, 0.0, 0.5, True),
                "sample": lambda d: (torch.randn(3, 2, 1, dtype=d).transpose(0, 1), 0.4, 0.0, 0.5),
            },
        },
        bad=BAD_SMOOTHING,
    ),
    Case(
        "qspline1d",
        linear("qspline1d"),
        "x",
        saves={"x": ""},
        examples={"rows": example(2, 6)},
        sized={"rows": sized()},
        ops={"qspline1d": {"rows": arguments()}},
        bad={"lamb": bad("qspline1d", QUADRATIC, THREE, 0.5)},
    ),
    Case(
        "cspline2d",
        along_both_axes("cspline1d"),
        "x",
        saves={"x": ""},
        examples={"image": example(3, 2), "smoothing": example(2, 3, lamb=0.5)},
        sized={"images": sized(ports=(3,))},
        ops={"cspline2d": {"lamb": arguments(0.5, shape=(3, 2, 7))}},
        bad={"x_of_one_dimension": bad("cspline2d", IMAGE, THREE)},
    ),
    Case(
        "qspline2d",
        along_both_axes("qspline1d"),
        "x",
        saves={"x": ""},
        examples={"image": example(2, 3)},
        sized={"images": sized(ports=(3,))},
        ops={"qspline2d": {"rows": arguments()}},
        bad={"x_of_one_dimension": bad("qspline2d", IMAGE, THREE)},
    ),
    Case(
        "cspline1d_eval",
        at_points("cspline1d_eval"),
        "cj newx dx x0",
        signal="cj",
        own_dtype=("newx", "dx", "x0"),
        examples={"scaled": evaluated(*SCALE), "points": evaluated()},
        sized={"points": READ_AT_POINTS},
        ops={
            "cspline1d_eval": {"rows": lambda d: (torch.randn(2, 7, dtype=d), points())},
            "spline_eval": {
                "cubic": lambda d: (torch.randn(2, 7, dtype=d), points()),
                "quadratic": lambda d: (torch.randn(2, 7, dtype=d), points(), 2, True, 1),
                "transposed": lambda d: (torch.randn(2, 5, dtype=d), points(), 3, True, 0, True, 7),
            },
        },
        bad=BAD_POINTS,
    ),
    Case(
        "qspline1d_eval",
        at_points("qspline1d_eval"),
        "cj newx dx x0",
        signal="cj",
        own_dtype=("newx", "dx", "x0"),
        examples={"scaled": evaluated(*SCALE), "points": evaluated()},
        sized={"points": READ_AT_POINTS},
        ops={"qspline1d_eval": {"rows": lambda d: (torch.randn(2, 7, dtype=d), points())}},
        bad={
            "no_coefficients": bad(
                "qspline1d_eval", "cj: expected at least one coefficient, got shape [2, 0]", torch.ones(2, 0), [0.5]
            )
        },
    ),
    Case(
        "symiirorder1",
        linear("symiirorder1"),
        "x",
        saves={"x": ""},
        examples={"negative": example(2, 4, c0=0.7, z1=-0.6), "sample": example(2, 1, c0=0.7, z1=-0.6)},
        sized={"far": sized(c0=0.5, z1=0.25), "near_circle": sized(c0=(1 - NEAR) ** 2, z1=NEAR)},
        ops={"symiirorder1": {"rows": arguments(0.5, -0.4)}},
        bad=BAD_POLE,
    ),
    Case(
        "symiirorder2",
        linear("symiirorder2"),
        "x",
        saves={"x": ""},
        examples={"rows": example(2, 5, r=0.8, omega=0.4)},
        sized={"far": sized(r=0.5, omega=0.25), "near_circle": sized(r=NEAR, omega=0.003)},
        ops={"symiirorder2": {"rows": arguments(0.7, 0.3)}},
        bad=BAD_POLES,
    ),
]
