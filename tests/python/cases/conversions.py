"""Conversions of filters from one form to another: what they return does what the filter did.

The truths are the definitions: a filter is a function of s or z, compared at some points, and a change of band one of
its argument.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

import polezero
from cases.at_points import (
    POINTS,
    at,
    fractions_at,
    fractions_in_z,
    of_num_and_den,
    outputs_at,
    sos_at,
    ss_at,
    tf_at,
    tf_in_z,
    through_filter,
    through_lattice,
    zpk_at,
)
from cases.bad_conversions import (
    BAD_C2D,
    BAD_LATC2TF,
    BAD_TF2LATC,
    BAD_TF2ZPK,
    BAD_ZPK2SOS,
    NO_A0,
    ONE_OUTPUT,
    TO_STATES,
    bad,
    bad_sos,
    bad_systems,
    bad_tf,
    bad_values,
    bad_zpk,
    choice,
    improper,
)
from cases.case import DOUBLES, NO_SIGNAL, Bad, Case, Example
from cases.tensors import polynomial

# ---- truths


def monic(b: Tensor, a: Tensor) -> tuple[Tensor, Tensor]:
    return b / a[..., :1], a / a[..., :1]


SUBSTITUTIONS: dict[str, Callable[..., Tensor]] = {
    "lp2lp": lambda s, wo: s / wo,
    "lp2hp": lambda s, wo: wo / s,
    "lp2bp": lambda s, wo, bw: (s * s + wo * wo) / (bw * s),
    "lp2bs": lambda s, wo, bw: bw * s / (s * s + wo * wo),
    "bilinear": lambda z, fs: 2 * fs * (z - 1) / (z + 1),
}
PARAMETERS = {"lp2lp": "wo", "lp2hp": "wo", "lp2bp": "wo bw", "lp2bs": "wo bw", "bilinear": "fs"}


def elsewhere(form: Callable[..., Tensor], substitution: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """A prototype at the points to which parameters move those of the filter."""

    def value(wo: Any = None, bw: Any = None, fs: Any = None, **others: Tensor) -> Tensor:
        parameters = [v for v in (wo, bw, fs) if v is not None]
        return form(**others, x=substitution(POINTS.to(parameters[0].device), *parameters))

    return value


def held(num: Tensor, den: Tensor, dt: Tensor) -> Tensor:
    """b_0 + g / (s + a) of an input that is held is b_0 + g (1 - p) / a / (z - p), with p = exp(-a dt)."""
    (b0, b1), (_, a) = (t.unbind(-1) for t in monic(num, den))
    pole = torch.exp(-a * dt)
    return b0[..., None] + ((b1 - b0 * a) * (1 - pole) / a)[..., None] / (POINTS.to(a.device) - pole[..., None])


def sections_of(z: Tensor, p: Tensor, k: Tensor) -> Tensor:
    """Of pairs side by side, the first of which is closest to the circle: that is the last section."""

    def quadratics(parts: Tensor) -> Tensor:
        re, im = parts.flip(-1).unbind(-2)
        return torch.stack([torch.ones_like(re), -2 * re, re * re + im * im], -1)

    b = quadratics(z)
    return torch.cat([torch.cat([k[..., None, None] * b[..., :1, :], b[..., 1:, :]], -2), quadratics(p)], -1)


# ---- functions, from inputs to what is compared


def then(name: str, form: Callable[..., Any]) -> Callable[..., Any]:
    """A conversion, and what its result does."""

    def function(**others: Tensor) -> Any:
        result = getattr(polezero, name)(**others)
        return form(*result) if isinstance(result, tuple) else form(result)

    return function


def sections_of_pairs(z: Tensor, p: Tensor, k: Tensor) -> Tensor:
    def both(parts: Tensor) -> Tensor:
        re, im = parts.unbind(-2)
        return torch.cat([torch.complex(re, im), torch.complex(re, -im)], -1)

    return polezero.zpk2sos(both(z), both(p), k)


def discrete(num: Tensor, den: Tensor, dt: Tensor) -> Tensor:
    b, a, _ = polezero.cont2discrete((num, den), dt)
    return outputs_at(b, a)


# ---- inputs


def tf_inputs(dtype: torch.dtype, M: int = 2, N: int = 2, lead: tuple[int, ...] = ()) -> tuple[Tensor, Tensor]:
    """Roots far apart from each other, so that nothing is more sensitive than it need be."""
    zeros = torch.tensor([-0.9, 0.4, 1.1][:M], dtype=torch.complex128)
    poles = torch.tensor([0.5 + 0.6j, 0.5 - 0.6j, -0.7], dtype=torch.complex128)[-N:] * (1 - 0.3 * torch.rand(*lead, 1))
    if dtype.is_complex:
        return polynomial(zeros * (0.6 + 0.8j)) * (0.7 + 0.3j), polynomial(poles * (0.8 - 0.6j)) * (1.5 - 0.5j)
    return polynomial(zeros).real * 0.7, polynomial(poles).real * -1.5


def and_parameters(inputs: Callable[..., Any], names: list[str], dtype: torch.dtype) -> tuple[Tensor, ...]:
    values = torch.tensor([1.2, 0.8], dtype=dtype.to_real())
    return (*inputs(dtype), *values[: len(names)])


def zpk_inputs(dtype: torch.dtype) -> tuple[Tensor, ...]:
    """Real or complex zeros and poles, of which there are more, and a gain."""
    z, p = torch.tensor([0.5, -0.7], dtype=dtype), torch.tensor([-0.4, 0.2, 0.6], dtype=dtype)
    if dtype.is_complex:
        z, p = z + torch.tensor([0.3j, 0.2j], dtype=dtype), p + torch.tensor([0.1j, -0.5j, 0.4j], dtype=dtype)
    return z, p, torch.tensor(0.8, dtype=dtype)


def pairs_inputs(dtype: torch.dtype) -> tuple[Tensor, ...]:
    """Real and imaginary parts of two pairs of zeros and two of poles."""
    z, p = [[0.4, -0.6], [0.9, 0.7]], [[0.3, -0.4], [0.8, 0.5]]
    return torch.tensor(z, dtype=dtype), torch.tensor(p, dtype=dtype), torch.tensor(0.7, dtype=dtype)


def sos_inputs(dtype: torch.dtype) -> tuple[Tensor]:
    return (torch.stack([torch.cat(tf_inputs(dtype)) for _ in range(2)]),)


def ss_inputs(dtype: torch.dtype, outputs: int = 2, pole: float = 0.5) -> tuple[Tensor, ...]:
    """With a repeated eigenvalue, of which polynomials have derivatives as well."""
    A = torch.tensor([[0.5, 1.0], [0.0, pole]], dtype=dtype)
    return (A, *(torch.randn(*shape, dtype=dtype) for shape in ((2, 1), (outputs, 2), (outputs, 1))))


def fractions_inputs(dtype: torch.dtype) -> tuple[Tensor, ...]:
    r, p = torch.randn(2, dtype=dtype), torch.tensor([0.5, -0.3], dtype=dtype)
    return r, p, torch.randn(1, dtype=dtype)


def ladder_inputs(dtype: torch.dtype) -> tuple[Tensor, ...]:
    k = torch.tensor([0.5, -0.3], dtype=dtype)
    return (k + 0.2j if dtype.is_complex else k), torch.randn(3, dtype=dtype)


def multiplied_again(signal: Tensor, divisor: Tensor) -> Tensor:
    quotient, remainder = polezero.deconvolve(signal, divisor)
    return at(quotient, POINTS) * at(divisor, POINTS) + at(remainder, POINTS)


# ---- cases

SEVERAL = {  # the first of a kind, through everything that does not look at bad or other input
    **NO_SIGNAL,
    "errors": "compared at points that are on the CPU: test_conversions.py has other places",
    "promotion": "always of double precision: test_conversions.py",
}
OTHERS = SEVERAL | dict.fromkeys(
    ("autograd", "compile", "functorch", "semantics"),
    "consists of what others of these consist of; test_conversions.py differentiates and batches each",
)
ON_VALUES = SEVERAL | dict.fromkeys(
    ("autograd", "compile", "functorch", "semantics"),
    "one filter on the CPU, whose values are looked at; test_conversions.py differentiates each",
)
REAL = (torch.float64,)


def case(
    name: str,
    arguments: str,
    form: Callable[..., Any],
    truth: Callable[..., Any],
    inputs: Callable[..., Any],
    bad: dict[str, Bad],
    opt_out: dict[str, str] = OTHERS,
    *,
    function: Callable[..., Any] | None = None,
    dtypes: tuple[torch.dtype, ...] = DOUBLES,
) -> Case:
    """``form`` makes of what the function returns what is compared with what ``truth`` makes of the arguments."""
    example = Example(function=function or then(name, form), inputs=inputs, dtypes=dtypes)
    return Case(name, truth, arguments, signal=None, examples={"small": example}, bad=bad, opt_out=opt_out)


def changes(name: str) -> list[Case]:
    """Of the band, or to digital: by coefficients, and by zeros and poles."""
    names, others = PARAMETERS[name].split(), [1.0] if name == "bilinear" else []
    zpk = f"{name}_zpk"
    opt_out = SEVERAL | {"compile": "a few operations without a choice"} if name == "lp2bp" else OTHERS
    tf = and_parameters, partial(tf_inputs, M=1, N=2, lead=(2,)), names
    return [
        case(
            name,
            f"b a {PARAMETERS[name]}",
            tf_at,
            elsewhere(tf_at, SUBSTITUTIONS[name]),
            partial(*tf),
            bad_tf(name),
            OTHERS,
        ),
        case(
            zpk,
            f"z p k {PARAMETERS[name]}",
            zpk_at,
            elsewhere(zpk_at, SUBSTITUTIONS[name]),
            partial(and_parameters, zpk_inputs, names),
            bad_zpk(zpk, *others) | improper(zpk, *others),
            opt_out,
            dtypes=REAL,  # the gain is a real part, as in SciPy
        ),
    ]


two = partial(tf_inputs, lead=(2,))
ss_of_one = partial(ss_inputs, outputs=1, pole=-0.3)
NUM = "num den"
ANY_ONE = torch.tensor([0.5, -0.25, 2.0])
CASES = [
    case(
        "tf2zpk",
        "b a",
        zpk_at,
        tf_at,
        partial(two, M=2, N=3),
        BAD_TF2ZPK,
        SEVERAL | dict.fromkeys(("compile", "functorch"), "tf2sos goes through it"),
    ),
    case("zpk2tf", "z p k", tf_at, zpk_at, zpk_inputs, bad_zpk("zpk2tf")),
    case("tf2sos", "b a", polezero.sos2tf, monic, two, bad_tf("tf2sos"), SEVERAL, dtypes=REAL),
    case("sos2tf", "sos", tf_at, sos_at, sos_inputs, bad_sos("sos2tf")),
    case("sos2zpk", "sos", zpk_at, sos_at, sos_inputs, bad_sos("sos2zpk")),
    case("zpk2sos", "z p k", sos_at, sections_of, pairs_inputs, BAD_ZPK2SOS, function=sections_of_pairs, dtypes=REAL),
    case("tf2ss", NUM, ss_at, of_num_and_den, partial(two, M=1, N=3), bad_tf("tf2ss", NUM) | TO_STATES),
    case("zpk2ss", "z p k", ss_at, zpk_at, zpk_inputs, bad_zpk("zpk2ss")),
    case("sos2ss", "sos", ss_at, sos_at, sos_inputs, bad_sos("sos2ss") | NO_A0),
    case("ss2tf", "A B C D", outputs_at, ss_at, ss_inputs, bad_systems("ss2tf"), SEVERAL),
    case("ss2zpk", "A B C D", zpk_at, ss_at, ss_of_one, bad_systems("ss2zpk") | ONE_OUTPUT),
    case(
        "cont2discrete",
        f"{NUM} dt",
        outputs_at,
        held,
        partial(and_parameters, partial(two, M=1, N=1), ["dt"]),
        BAD_C2D,
        SEVERAL,
        function=discrete,
    ),
    *(change for name in SUBSTITUTIONS for change in changes(name)),
    case("normalize", "b a", tf_at, tf_at, tf_inputs, bad_values("normalize", 2, "b") | bad_tf("normalize"), ON_VALUES),
    case(
        "residue",
        "b a",
        fractions_at,
        tf_at,
        tf_inputs,
        bad_values("residue", 2, "b") | choice("residue", 1, [1.0, 2.0]),
        ON_VALUES,
    ),
    case(
        "residuez",
        "b a",
        fractions_in_z,
        tf_in_z,
        tf_inputs,
        bad_values("residuez", 2, "b") | choice("residuez", 1, [1.0, 2.0]),
        ON_VALUES,
    ),
    case(
        "invres",
        "r p k",
        tf_at,
        fractions_at,
        fractions_inputs,
        bad_values("invres", 3, "r") | choice("invres", 1, 2, 3),
        ON_VALUES,
    ),
    case(
        "invresz",
        "r p k",
        tf_in_z,
        fractions_in_z,
        fractions_inputs,
        bad_values("invresz", 3, "r") | choice("invresz", 1, 2, 3),
        ON_VALUES,
    ),
    case(
        "unique_roots",
        "p",
        lambda unique, multiplicity: unique,
        lambda p: p,
        lambda dtype: (ANY_ONE.to(dtype),),
        bad_values("unique_roots", 1, "p") | choice("unique_roots", [1.0]),
        ON_VALUES,
    ),
    case(
        "deconvolve",
        "signal divisor",
        at,
        lambda signal, divisor: at(signal, POINTS),
        partial(tf_inputs, M=4, N=2),
        {
            "zero": bad(
                "deconvolve", "divisor: expected a first coefficient that is not 0, got [0.0, 1.0]", [1.0], [0.0, 1.0]
            ),
        }
        | bad_values("deconvolve", 2, "signal"),
        ON_VALUES,
        function=multiplied_again,
    ),
    case("tf2latc", NUM, through_lattice, through_filter, two, BAD_TF2LATC),
    case("latc2tf", "k v", through_filter, through_lattice, ladder_inputs, BAD_LATC2TF),
]
