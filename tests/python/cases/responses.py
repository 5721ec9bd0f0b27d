"""Responses in frequency and time, group delay, poles."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

import polezero
from cases.case import NO_SIGNAL, Bad, Case, Example
from cases.lfilter import lfilter_inputs
from cases.sentences import NO_ARRAY, NO_TAPS
from cases.state_space import state_space_inputs
from cases.tensors import random_filter, zeros
from polezero import reference
from polezero._conversions.roots import polynomial

RATE = 8.0


def frequencies() -> Tensor:
    return torch.tensor([0.3, 1.1, 3.5], dtype=torch.float64)


def response(name: str, **options: Any) -> Callable[..., Tensor]:
    """Without the frequencies, which are those that are given."""
    return lambda *args, **others: getattr(polezero, name)(*args, **others, **options)[1]


def in_hertz(truth: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """The truth takes angles."""
    return lambda *args, worN, **others: truth(*args, **others, w=2 * torch.pi / RATE * worN)


def polynomials(dtype: torch.dtype) -> tuple[Tensor, ...]:
    """b, a of two filters, and frequencies."""
    return (*lfilter_inputs(dtype, M=1, N=2, lead_a=(2,))[:2], frequencies())


def sections(dtype: torch.dtype) -> tuple[Tensor, ...]:
    """Two, of real or complex coefficients, and frequencies."""
    return torch.cat(random_filter(2, 2, dtype, (2,), a0=1.5), -1), frequencies()


def minimum_phase(dtype: torch.dtype) -> tuple[Tensor, ...]:
    """Two sections with zeros, too, well inside the circle, and frequencies."""
    _, c = random_filter(0, 2, dtype, (4,), a0=1.5)
    return torch.cat(c.chunk(2), -1), frequencies()


def roots(dtype: torch.dtype) -> tuple[Tensor, ...]:
    """One zero, two poles, a gain, and frequencies."""
    z, p = torch.randn(1, dtype=dtype), torch.randn(2, dtype=dtype)
    return z, 0.7 * p / p.abs().clamp(min=1), torch.randn((), dtype=dtype), frequencies()


def true_delay_of_sections(sos: Tensor, worN: Tensor) -> Tensor:
    w = 2 * torch.pi / RATE * worN
    return sum(reference.group_delay(s[..., :3], s[..., 3:], w) for s in sos.unbind(-2))


def true_delay_of_roots(z: Tensor, p: Tensor, k: Tensor, worN: Tensor) -> Tensor:
    late = p.shape[-1] - z.shape[-1]
    return late + reference.group_delay(polynomial(z), polynomial(p), 2 * torch.pi / RATE * worN)


def delay_of(*names: str) -> Callable[..., Tensor]:
    """The group delay of a system of these tensors, at the frequencies worN."""

    def delay(worN: Tensor, **others: Tensor) -> Tensor:
        system = tuple(others[name] for name in names) if len(names) > 1 else others["sos"]
        return polezero.group_delay(system, worN, fs=RATE)[1]

    return delay


# ---- in time


def true_impulse_response(b: Tensor, a: Tensor, n: int) -> Tensor:
    dtype = torch.promote_types(b.dtype, a.dtype)
    return reference.lfilter(b, a, torch.eye(1, n, dtype=dtype)[0])


def true_step_response(b: Tensor, a: Tensor, n: int) -> Tensor:
    return true_impulse_response(b, a, n).cumsum(-1)


def system(dtype: torch.dtype) -> tuple[Tensor, ...]:
    """A, B, C, D, u and x0 of two inputs."""
    A, B, C, D, x, x0 = state_space_inputs(dtype, T=4, rows=1)
    return A, B, C, D, x[0].mT, x0[0]


def simulated(A: Tensor, B: Tensor, C: Tensor, D: Tensor, u: Tensor, x0: Tensor) -> tuple[Tensor, ...]:
    return polezero.dlsim((A, B, C, D, 0.5), u, None, x0)[1:]


def true_simulated(A: Tensor, B: Tensor, C: Tensor, D: Tensor, u: Tensor, x0: Tensor) -> tuple[Tensor, ...]:
    y, _ = reference.state_space(A, B, C, D, u.mT, x0)
    v, _ = reference.state_space(A, B, None, None, u.mT, x0)
    return y.mT, v.mT


def simulated_inputs(name: str) -> Callable[..., tuple[Tensor, ...]]:
    return lambda A, B, C, D: getattr(polezero, name)((A, B, C, D, 0.5), n=4)[1]


def true_of_inputs(step: bool) -> Callable[..., tuple[Tensor, ...]]:
    def truth(A: Tensor, B: Tensor, C: Tensor, D: Tensor) -> tuple[Tensor, ...]:
        eye = torch.eye(2, dtype=A.dtype)
        x = eye[..., None].expand(2, 2, 4) if step else torch.nn.functional.pad(eye[..., None], (0, 3))
        return tuple(reference.state_space(A, B, C, D, of_input).mT for of_input in x)

    return truth


# ---- what is refused


def bad(name: str, sentence: str, *arguments: Any, exception: type[Exception] = ValueError, **named: Any) -> Bad:
    return Bad(lambda: getattr(polezero, name)(*arguments, **named), exception, f"{name}: {sentence}")


ONE, SECTION = [1.0], [[1.0, 0.0, 0.0, 1.0, 0.5, 0.0]]
FORMS = "system: expected (b, a), (z, p, k) or sos [..., sections, 6], got"
TIMED = "system: expected (num, den, dt), (z, p, k, dt) or (A, B, C, D, dt)"
EARLY = "system: expected a numerator no longer than its denominator (others look ahead), got shapes [1, 2] and [1]"


def bad_grid(name: str, *arguments: Any, argument: str = "worN") -> dict[str, Bad]:
    return {
        "count": bad(name, f"{argument}: expected a number of frequencies >= 0, got -1", *arguments, **{argument: -1}),
        "complex": bad(
            name,
            f"{argument}: expected real frequencies, got complex128",
            *arguments,
            **{argument: [1j]},
            exception=TypeError,
        ),
        "text": bad(name, f"{argument}: {NO_ARRAY} 'w'", *arguments, **{argument: "w"}),
    }


def bad_rate(name: str, *arguments: Any) -> dict[str, Bad]:
    return {"fs": bad(name, "fs: expected a number, got None", *arguments, fs=None)}


def bad_sections(name: str) -> dict[str, Bad]:
    return {"sos": bad(name, "sos: expected shape [..., sections, 6], got [1, 5]", zeros(1, 5))}


def bad_polynomials(name: str, *others: Any) -> dict[str, Bad]:
    rows = "b: expected leading dimensions that broadcast, got b [3, 1], a [2, 1]"
    return {
        "b": bad(name, f"b: {NO_TAPS} [0]", [], ONE, *others),
        "rows": bad(name, rows, zeros(3, 1), zeros(2, 1), *others),
    }


def bad_systems(name: str) -> dict[str, Bad]:
    return {
        "shape": bad(name, f"{FORMS} shape [1]", ONE),
        "tuple": bad(name, f"{FORMS} a tuple of 4", (ONE, ONE, ONE, ONE)),
    }


def bad_times(name: str, *others: Any, **named: Any) -> dict[str, Bad]:
    return {
        "system": bad(name, f"{TIMED}, got list", [ONE, ONE, 1.0], *others, **named),
        "dt": bad(name, f"{TIMED} with a number dt, got dt = None", (ONE, ONE, None), *others, **named),
        "early": bad(name, EARLY, ([1.0, 1.0], ONE, 1.0), *others, **named),
        "zeros": bad(
            name,
            "system: expected no more zeros than poles (others look ahead), got 1 and 0",
            (ONE, [], 1.0, 1.0),
            *others,
            **named,
        ),
    }


U = zeros(5)
BAD_DLSIM = {
    **bad_times("dlsim", U),
    "t": bad("dlsim", "t: expected 5 times, as u has samples, got 2", (ONE, ONE, 1.0), U, [0.0, 1.0]),
    "inputs": bad("dlsim", "u: expected 1 input, [T] or [..., T, 1], got shape [5, 2]", (ONE, ONE, 1.0), zeros(5, 2)),
}
BAD_N = {
    name: {
        "n": bad(name, "n: expected a number of samples >= 0, got -1", ONE, ONE, -1),
        "n_float": bad(name, "n: expected an int, got 2.0", ONE, ONE, 2.0, exception=TypeError),
        **bad_polynomials(name, 3),
    }
    for name in ("impulse_response", "step_response")
}

# ---- what stays out of which concern

OWN_DTYPES = NO_SIGNAL | {"promotion": "its results have dtypes of their own: test_responses.py"}


def like(other: str) -> dict[str, str]:
    """What the concerns would find, they find in the other one."""
    reason = f"what {other} is made of, and nothing else: test_responses.py has its values"
    return OWN_DTYPES | dict.fromkeys(("autograd", "compile", "functorch", "semantics"), reason)


NO_DERIVATIVE = OWN_DTYPES | dict.fromkeys(
    ("autograd", "compile", "errors", "functorch", "semantics"), "true or false: pole_radius has the derivatives"
)


def analog(truth: Callable[..., Tensor]) -> Callable[..., Tensor]:
    return lambda *args, worN, **others: truth(*args, **others, w=worN)


CASES = [
    Case(
        "freqz",
        reference.freqz,
        "b a worN",
        signal=None,
        own_dtype=("worN",),
        examples={
            "given": Example(function=response("freqz", fs=RATE), truth=in_hertz(reference.freqz), inputs=polynomials)
        },
        bad=bad_polynomials("freqz") | bad_grid("freqz", ONE) | bad_rate("freqz", ONE),
        opt_out=OWN_DTYPES,
    ),
    Case(
        "freqz_zpk",
        reference.freqz_zpk,
        "z p k worN",
        signal=None,
        own_dtype=("worN",),
        examples={
            "given": Example(function=response("freqz_zpk", fs=RATE), truth=in_hertz(reference.freqz_zpk), inputs=roots)
        },
        bad=bad_grid("freqz_zpk", ONE, ONE, 1.0)
        | bad_rate("freqz_zpk", ONE, ONE, 1.0)
        | {"rows": bad("freqz_zpk", "z: expected leading dimensions *", zeros(2, 1), zeros(3, 1), 1.0)},
        opt_out=like("freqz_sos"),
    ),
    Case(
        "freqz_sos",
        reference.freqz_sos,
        "sos worN",
        signal=None,
        own_dtype=("worN",),
        examples={
            "given": Example(
                function=response("freqz_sos", fs=RATE), truth=in_hertz(reference.freqz_sos), inputs=sections
            )
        },
        bad=bad_sections("freqz_sos") | bad_grid("freqz_sos", SECTION) | bad_rate("freqz_sos", SECTION),
        opt_out=OWN_DTYPES,
    ),
    Case(
        "sosfreqz",
        reference.freqz_sos,
        "sos worN",
        signal=None,
        examples={
            "given": Example(
                function=response("sosfreqz", fs=RATE), truth=in_hertz(reference.freqz_sos), inputs=sections
            )
        },
        bad=bad_sections("sosfreqz") | bad_grid("sosfreqz", SECTION),
        opt_out=like("freqz_sos"),
    ),
    Case(
        "group_delay",
        reference.group_delay,
        "sos worN",
        signal=None,
        own_dtype=("worN",),
        examples={
            "sos": Example(function=delay_of("sos"), truth=true_delay_of_sections, inputs=minimum_phase),
            "ba": Example(
                function=delay_of("b", "a"),
                truth=in_hertz(reference.group_delay),
                inputs=polynomials,
                arguments="b a worN",
            ),
            "zpk": Example(
                function=delay_of("z", "p", "k"), truth=true_delay_of_roots, inputs=roots, arguments="z p k worN"
            ),
        },
        bad=bad_systems("group_delay") | bad_grid("group_delay", (ONE, ONE), argument="w"),
        opt_out=OWN_DTYPES,
    ),
    Case(
        "freqs",
        reference.freqs,
        "b a worN",
        signal=None,
        own_dtype=("worN",),
        examples={"given": Example(function=response("freqs"), truth=analog(reference.freqs), inputs=polynomials)},
        bad=bad_polynomials("freqs") | bad_grid("freqs", ONE, ONE),
        opt_out=like("freqz"),
    ),
    Case(
        "freqs_zpk",
        reference.freqs_zpk,
        "z p k worN",
        signal=None,
        own_dtype=("worN",),
        examples={"given": Example(function=response("freqs_zpk"), truth=analog(reference.freqs_zpk), inputs=roots)},
        bad=bad_grid("freqs_zpk", ONE, ONE, 1.0),
        opt_out=like("freqz_sos"),
    ),
    Case(
        "poles",
        lambda a: a / a[..., :1] + 0j,
        "a",
        signal=None,
        examples={
            "roots": Example(
                function=lambda a: polynomial(polezero.poles((a, a))),
                inputs=lambda d: (torch.tensor([1.5, -0.6, 0.9, 0.2], dtype=d) * (0.8 + 0.6j if d.is_complex else 1),),
            )
        },
        bad=bad_systems("poles"),
        opt_out=like("tf2zpk"),
    ),
    Case(
        "pole_radius",
        lambda p: p.abs().amax(-1),
        "p",
        signal=None,
        examples={
            "roots": Example(
                function=lambda p: polezero.pole_radius((p[..., :1], polynomial(p))),
                inputs=lambda d: (torch.tensor([0.3, -0.6, 0.5], dtype=d) * (0.8 + 0.6j if d.is_complex else 1),),
            )
        },
        bad=bad_systems("pole_radius"),
        opt_out=like("tf2zpk"),
    ),
    Case(
        "is_stable",
        lambda p: p.abs().amax(-1) < 1,
        "p",
        signal=None,
        examples={
            "roots": Example(
                function=lambda p: polezero.is_stable((p[..., :1], polynomial(p))), inputs=lambda d: (torch.rand(2, 3),)
            )
        },
        bad=bad_systems("is_stable"),
        opt_out=NO_DERIVATIVE,
    ),
    Case(
        "impulse_response",
        true_impulse_response,
        "b a",
        signal=None,
        examples={"rows": Example(inputs=lambda d: polynomials(d)[:2], options={"n": 4})},
        bad=BAD_N["impulse_response"],
        opt_out=like("lfilter"),
    ),
    Case(
        "step_response",
        true_step_response,
        "b a",
        signal=None,
        examples={"rows": Example(inputs=lambda d: polynomials(d)[:2], options={"n": 4})},
        bad=BAD_N["step_response"],
        opt_out=like("lfilter"),
    ),
    Case(
        "dlsim",
        true_simulated,
        "A B C D u x0",
        signal=None,
        examples={"matrices": Example(function=simulated, inputs=system)},
        bad=BAD_DLSIM,
        opt_out=like("state_space"),
    ),
    *(
        Case(
            name,
            true_of_inputs(step=name == "dstep"),
            "A B C D",
            signal=None,
            examples={"matrices": Example(function=simulated_inputs(name), inputs=lambda d: system(d)[:4])},
            bad=bad_times(name, n=3),
            opt_out=like("state_space"),
        )
        for name in ("dimpulse", "dstep")
    ),
]
