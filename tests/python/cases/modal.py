"""Banks of modes, and filters and systems turned into them."""

from functools import partial
from typing import Any

import torch
from torch import Tensor

import polezero
from cases.case import NO_SIGNAL, Bad, Case, Example, Sized
from cases.lfilter import lfilter_inputs
from cases.sentences import ROWS, state, too_many_rows
from cases.state_space import state_space_inputs
from cases.tensors import X, last, zeros
from polezero import reference

core = torch.ops.polezero


def modal_inputs(
    dtype: torch.dtype = torch.float64,
    *,
    modes: int = 3,
    T: int = 5,
    lead: tuple[int, ...] = (),
    rows: int = 2,
    zi: bool = False,
    radius: float = 0.9,
) -> tuple[Tensor, ...]:
    """Poles of up to a radius and gains, real or complex, a real x of some rows and, where it is wanted, zi."""
    poles = torch.randn(*lead, modes, dtype=dtype)
    poles = radius * poles / poles.abs().clamp(min=1)
    gains = torch.randn(*lead, modes, dtype=dtype) / max(modes, 1)
    inputs = poles, gains, torch.randn(rows, T, dtype=dtype.to_real())
    return (*inputs, torch.randn(rows, modes, dtype=dtype)) if zi else inputs


def of_frequency_and_decay(bank: Any) -> Any:
    """The bank with poles exp(i omega - decay)."""
    return lambda omega, decay, **others: bank(poles=torch.exp(torch.complex(-decay, omega)), **others)


def frequency_and_decay_inputs(dtype: torch.dtype) -> tuple[Tensor, ...]:
    """omega and decay, which are real, gains, x and zi."""
    _, *others = modal_inputs(dtype, zi=True)
    real = dtype.to_real()
    return (3 * torch.rand(3, dtype=real), 0.05 + 0.5 * torch.rand(3, dtype=real), *others)


def around(T: int, radius: float) -> tuple[Tensor, Tensor]:
    """Poles of 40 modes, and gains."""
    angles = torch.linspace(0.05, 3.0, 40, dtype=torch.float64)
    return torch.polar(torch.full_like(angles, radius), angles), torch.full_like(angles, 1 / 40)


# ---- modes of a filter and of a system, in an order that nothing says: compared by what they do to a signal


def through_modes(b: Tensor, a: Tensor, x: Tensor) -> Any:
    residues, poles, direct = polezero.parallel_form(b, a)
    real = not any(t.is_complex() for t in (b, a, x))
    return polezero.lfilter(direct, [1.0], x) + modes_of(poles, residues, x, real)


def through_diagonal(A: Tensor, B: Tensor, C: Tensor, x: Tensor) -> Tensor:
    poles, gains = polezero.diagonalise(A, B, C)
    delayed = torch.nn.functional.pad(x, (1, 0))[..., :-1]
    real = not any(t.is_complex() for t in (A, B, C, x))
    return modes_of(poles[..., None, None, :], gains, delayed.unsqueeze(-3), real).sum(-2)


def modes_of(poles: Tensor, gains: Tensor, x: Tensor, real: bool) -> Tensor:
    """The modes' output, its real part where the filter was real."""
    if real:
        return polezero.modal_bank(poles, gains, x)
    return (polezero.linear_recurrence(poles.unsqueeze(-1), x.unsqueeze(-2)) * gains.unsqueeze(-1)).sum(-2)


def filter_inputs(dtype: torch.dtype, **sizes: Any) -> tuple[Tensor, ...]:
    return lfilter_inputs(dtype, T=4, **sizes)


def system_inputs(dtype: torch.dtype, **sizes: Any) -> tuple[Tensor, ...]:
    A, B, C, _, x, _ = state_space_inputs(dtype, T=4, **sizes)
    return A, B, C, x


# ---- arguments of the ops


def bank(dtype: torch.dtype, zi: bool, *attributes: Any) -> tuple[Any, ...]:
    """Two gains for each mode."""
    poles, gains, x, *state = modal_inputs(dtype.to_complex(), T=7, zi=zi)
    return poles, torch.stack([gains, 2 * gains], -1), x, *state, *attributes


def correlation(dtype: torch.dtype, zi: bool) -> tuple[Any, ...]:
    poles, _, x, *state = modal_inputs(dtype.to_complex(), T=7, zi=zi)
    return poles, torch.randn_like(x), x, *(state or [None]), 4


# ---- what is refused


def bad(name: str, sentence: str, *arguments: Any, exception: type[Exception] = ValueError) -> Bad:
    return Bad(lambda: getattr(polezero, name)(*arguments), exception, f"{name}: {sentence}")


GAINS = "gains: expected 1 values along the last axis, as there are poles, got shape [2]"
APART = "parallel_form: a: expected poles at least 1e-05 apart, got a distance of *"
FAR_APART = (
    "a: expected poles so far apart that their residues are at most 10000 times the impulse response, got * times"
)
FINITE = "expected finite numbers, got NaN or inf"
EYE = torch.eye(2)
BAD_BANK = {
    "x_complex": bad(
        "modal_bank", "x: expected real numbers, got ComplexFloat", [0.5], [1.0], X + 0j, exception=TypeError
    ),
    "gains": bad("modal_bank", GAINS, [0.5], [1.0, 2.0], X),
    "zi": bad("modal_bank", state(2, "[2, 3]"), [0.5, 0.1], [1.0, 2.0], X, zeros(2, 3)),
    "zi_rows": bad("modal_bank", too_many_rows("[2, 1]", "[3, 1]"), [0.5], [1.0], X, zeros(3, 1)),
    "rows": bad("modal_bank", f"{ROWS} poles [3, 1], gains [1], x [2, 5]", zeros(3, 1), [1.0], X),
    "core_orders": Bad(
        lambda: core.modal_correlation(zeros(1) + 0j, X, X, None, -1),
        ValueError,
        "modal_correlation: orders: expected a number >= 0, got -1",
    ),
    "core_real_poles": Bad(
        lambda: core.modal_bank_forward(zeros(1), zeros(1, 1) + 0j, X),
        TypeError,
        "modal_bank: poles: expected complex64 or complex128, got Float",
    ),
    "core_reverse_zi": Bad(
        lambda: core.modal_bank_forward(zeros(1) + 0j, zeros(1, 1) + 0j, X, zeros(1) + 0j, True),
        ValueError,
        "modal_bank: zi: expected None backwards in time",
    ),
}
BAD_PARALLEL = {
    "double_pole": Bad(lambda: polezero.parallel_form([1.0], [1.0, -1.0, 0.25]), ValueError, APART),
    "triple_pole_in_a_row": Bad(
        lambda: polezero.parallel_form([1.0], [[1.0, 0.0, 0.0, 0.3], [1.0, -1.5, 0.75, -0.125]]), ValueError, APART
    ),
    "pole_of_order_4": bad("parallel_form", FAR_APART, [1.0], [1.0, -2.0, 1.5, -0.5, 0.0625]),
    "last_a_zero": bad("parallel_form", "a: expected a[..., 1] != 0 for M >= N, got 0", [1.0, 1.0], [1.0, 0.0]),
    "a0_zero": bad("parallel_form", "a: expected a[..., 0] != 0, got 0", [1.0], [0.0, 1.0]),
    "a_nan": bad("parallel_form", f"a: {FINITE}", [1.0, 2.0], [1.0, float("nan"), 1.0]),
}
BAD_DIAGONAL = {
    "A_inf": bad("diagonalise", f"A: {FINITE}", torch.full((2, 2), torch.inf), zeros(2, 1), zeros(1, 2)),
    "A_defective": bad(
        "diagonalise",
        "A: expected eigenvectors with a condition number up to 2.9e+03, got *",
        torch.tensor([[0.5, 1.0], [-1e-8, 0.5]]),
        zeros(2, 1),
        zeros(1, 2),
    ),
    "A_repeated": bad(
        "diagonalise", "A: expected poles at least 1e-05 apart, got a distance of 0", EYE, zeros(2, 1), zeros(1, 2)
    ),
    "A": bad("diagonalise", "A: expected [..., S, S], got shape [2, 3]", zeros(2, 3), zeros(2, 1), zeros(1, 2)),
    "B": bad("diagonalise", "B: expected [..., 2, I], got shape [1, 2]", EYE, zeros(1, 2), zeros(1, 2)),
    "C": bad("diagonalise", "C: expected [..., O, 2], got shape [2, 1]", EYE, zeros(2, 1), zeros(2, 1)),
    "rows": bad(
        "diagonalise",
        "B: expected leading dimensions that broadcast, got A [3, 2, 2], B [4, 2, 1], C [1, 2]",
        EYE.expand(3, 2, 2),
        zeros(4, 2, 1),
        zeros(1, 2),
    ),
}
EIGENVALUES = {**NO_SIGNAL, "promotion": "its results have dtypes of their own: test_modal.py"}
THIRD_DERIVATIVES = {
    f"test_transform_matches_the_reference[{name}-rows-float64-jvp_jvp_grad]": (
        "torch 2.11 has the second forward derivative of linalg.solve wrong, which makes the gradient of linalg.eig"
    )
    for name in ("parallel_form", "diagonalise")
    if torch.__version__.startswith("2.11.")
}

CASES = [
    Case(
        "modal_bank",
        reference.modal_bank,
        "poles gains x zi",
        real_signal=True,
        results=lambda dtype: (dtype.to_real(), torch.promote_types(dtype, torch.complex64)),
        saves={"poles": "x", "gains": "x", "x": "", "zi": ""},
        examples={
            "zi": Example(inputs=partial(modal_inputs, zi=True)),
            "rows": Example(inputs=partial(modal_inputs, lead=(2,))),
            "of_frequency_and_decay": Example(
                inputs=frequency_and_decay_inputs,
                arguments="omega decay gains x zi",
                function=of_frequency_and_decay(polezero.modal_bank),
                truth=of_frequency_and_decay(reference.modal_bank),
            ),
        },
        sized={"modes": Sized(coefficients=around, state=last(40))},
        ops={
            "modal_bank": {
                "rest": lambda d: modal_inputs(d, T=7, lead=(2,)),
                "zi": lambda d: modal_inputs(d, T=7, zi=True),
            },
            "modal_bank_forward": {"zi": lambda d: bank(d, True), "reverse": lambda d: bank(d, False, None, True)},
            "modal_correlation": {"rest": lambda d: correlation(d, False), "zi": lambda d: correlation(d, True)},
        },
        bad=BAD_BANK,
    ),
    Case(
        "parallel_form",
        reference.lfilter,
        "b a x",
        signal=None,
        examples={
            "rows": Example(
                function=through_modes,
                inputs=partial(filter_inputs, M=1, N=3, lead_a=(2,)),
                faults=THIRD_DERIVATIVES,
            ),
            "direct": Example(function=through_modes, inputs=partial(filter_inputs, M=3, N=2)),
        },
        ops={
            "parallel_form": {
                "short": lambda d: lfilter_inputs(d, M=1, N=3)[:2],
                "direct": lambda d: lfilter_inputs(d, M=4, N=2, lead_b=(3,))[:2],
            }
        },
        bad=BAD_PARALLEL,
        opt_out=EIGENVALUES,
    ),
    Case(
        "diagonalise",
        lambda A, B, C, x: reference.state_space(A, B, C, None, x),
        "A B C x",
        signal=None,
        examples={
            "rows": Example(
                function=through_diagonal,
                inputs=partial(system_inputs, S=2, I=1, lead=(2,)),
                faults=THIRD_DERIVATIVES,
            )
        },
        ops={"diagonalise": {"rows": lambda d: state_space_inputs(d, S=3, I=2, O=4, lead=(5,))[:3]}},
        bad=BAD_DIAGONAL,
        opt_out=EIGENVALUES,
        lacks={"reverse over forward": "torch takes the derivative of linalg.eig for one that depends on phases"},
    ),
]
