"""The differentiable functions of polezero, each with small inputs: what the derivative tests run over."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from cases_delays import CASES as DELAYS_SPLINES_BANKS
from cases_delays import modal_inputs as modal_inputs
from cases_delays import sparse_inputs as sparse_inputs
from support import Case, random_filter
from torch import Tensor

import polezero
from polezero import reference


def lfilter_inputs(
    dtype: torch.dtype = torch.float64,
    *,
    M: int = 2,
    N: int = 2,
    T: int = 5,
    lead_b: tuple[int, ...] = (),
    lead_a: tuple[int, ...] = (),
    lead_x: tuple[int, ...] = (2,),
    lead_zi: tuple[int, ...] | None = None,
) -> tuple[Tensor, ...]:
    """b, a (a_0 is not 1), x and, where its leading dimensions are given, zi."""
    b, _ = random_filter(M, N, dtype, lead_b)
    _, a = random_filter(M, N, dtype, lead_a, a0=1.5 - 0.5j if dtype.is_complex else -1.5)
    inputs = b, a, torch.randn(*lead_x, T, dtype=dtype)
    return inputs if lead_zi is None else (*inputs, torch.randn(*lead_zi, max(M, N), dtype=dtype))


def allpole_inputs(
    dtype: torch.dtype = torch.float64,
    *,
    N: int = 2,
    T: int = 5,
    lead_a: tuple[int, ...] = (),
    lead_x: tuple[int, ...] = (2,),
    lead_zi: tuple[int, ...] | None = None,
) -> tuple[Tensor, ...]:
    """a_1..a_N, x and, where its leading dimensions are given, zi."""
    inputs = random_filter(0, N, dtype, lead_a)[1][..., 1:].clone(), torch.randn(*lead_x, T, dtype=dtype)
    return inputs if lead_zi is None else (*inputs, torch.randn(*lead_zi, N, dtype=dtype))


def lfilter(b: Tensor, a: Tensor, x: Tensor, zi: Tensor | None = None, **options: Any) -> Any:
    return polezero.lfilter(b, a, x, zi=zi, **options)


def true_lfilter(b: Tensor, a: Tensor, x: Tensor, zi: Tensor | None = None, axis: int = -1) -> Any:
    return reference.lfilter(b, a, x, axis, zi)


def _lfilter(options: dict[str, Any] | None = None, **sizes: Any) -> Case:
    options = options or {}
    truth = partial(true_lfilter, **{k: v for k, v in options.items() if k == "axis"})
    return Case(partial(lfilter, **options), truth, partial(lfilter_inputs, **sizes))


def _allpole(backward: str = "one_pass", **sizes: Any) -> Case:
    return Case(partial(polezero.allpole, backward=backward), reference.allpole, partial(allpole_inputs, **sizes))


def lpv_inputs(
    dtype: torch.dtype = torch.float64,
    *,
    M: int = 2,
    N: int = 2,
    T: int = 5,
    lead: tuple[int, ...] = (),
    zi: int | None = None,
    constant: str = "",
) -> tuple[Tensor, ...]:
    """b, a (a_0 is not 1) with an axis of time, x of two rows, and where its length is given zi.

    Coefficients named in ``constant`` do not change with time. M or N of -1: no b, or no a, and a without a_0.
    """
    b = torch.randn(*lead, 1 if "b" in constant else T, M + 1, dtype=dtype)
    a = 0.4 * torch.randn(*lead, 1 if "a" in constant else T, N + 1, dtype=dtype)
    a = torch.cat([a[..., :1] + 1.5, a[..., 1:]], -1)
    inputs = [*([b] if M >= 0 else []), *([a if M >= 0 else a[..., 1:]] if N >= 0 else [])]
    inputs.append(torch.randn(2, T, dtype=dtype))
    return tuple(inputs) if zi is None else (*inputs, torch.randn(2, zi, dtype=dtype))


def _lpv_lfilter(form: str, **sizes: Any) -> Case:
    return Case(
        lambda b, a, x, zi=None: polezero.lpv.lfilter(b, a, x, zi, form),
        lambda b, a, x, zi=None: reference.lpv_lfilter(b, a, x, zi, form),
        partial(lpv_inputs, **sizes),
    )


def _recurrence_inputs(dtype: torch.dtype = torch.float64, *, a: tuple[int, ...], zi: bool = False) -> Any:
    inputs = torch.randn(a, dtype=dtype), torch.randn(2, 5, dtype=dtype)
    return (*inputs, torch.randn(2, 1, dtype=dtype)) if zi else inputs


def _linear_recurrence(**sizes: Any) -> Case:
    return Case(polezero.linear_recurrence, reference.linear_recurrence, partial(_recurrence_inputs, **sizes))


def sosfilt_inputs(
    dtype: torch.dtype = torch.float64,
    *,
    K: int = 2,
    lead: tuple[int, ...] = (),
    lead_x: tuple[int, ...] = (2,),
    T: int = 5,
    lead_zi: tuple[int, ...] | None = None,
) -> tuple[Tensor, ...]:
    """sos [..., K, 6] (a_0 is not 1; lead may end in an axis of time), x and, where its rows are given, zi."""
    b, _ = random_filter(2, 2, dtype, (*lead, K))
    _, a = random_filter(2, 2, dtype, (*lead, K), a0=1.5 - 0.5j if dtype.is_complex else -1.5)
    inputs = torch.cat([b, a], -1), torch.randn(*lead_x, T, dtype=dtype)
    return inputs if lead_zi is None else (*inputs, torch.randn(K, *lead_zi, 2, dtype=dtype))


def _sosfilt(**sizes: Any) -> Case:
    return Case(
        lambda sos, x, zi=None: polezero.sosfilt(sos, x, zi=zi),
        lambda sos, x, zi=None: reference.sosfilt(sos, x, -1, zi),
        partial(sosfilt_inputs, **sizes),
    )


def state_space_inputs(
    dtype: torch.dtype = torch.float64,
    *,
    S: int = 2,
    I: int = 2,  # noqa: E741
    O: int = 1,  # noqa: E741
    T: int = 5,
    rows: int = 2,
    lead: tuple[int, ...] = (),
    over_time: bool = False,
    constant: str = "",
) -> tuple[Tensor, ...]:
    """A (of norm 0.8), B, C, D, x of some rows, and zi. Matrices named in ``constant`` do not change with time."""

    def matrix(name: str, *shape: int) -> Tensor:
        times = ((1 if name in constant else T),) if over_time else ()
        return torch.randn(*lead, *times, *shape, dtype=dtype) / shape[-1] ** 0.5

    A = matrix("A", S, S)
    if A.numel():
        A = 0.8 * A / torch.linalg.matrix_norm(A, 2).clamp(min=1e-3)[..., None, None]
    x, zi = torch.randn(rows, I, T, dtype=dtype), torch.randn(rows, S, dtype=dtype)
    return A, matrix("B", S, I), matrix("C", O, S), matrix("D", O, I), x, zi


def states_only(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda A, B, x, zi=None: function(A, B, None, None, x, zi)


def _only(*names: str, **sizes: Any) -> Callable[[torch.dtype], tuple[Tensor, ...]]:
    """Some of state_space_inputs."""

    def inputs(dtype: torch.dtype) -> tuple[Tensor, ...]:
        values = dict(zip(("A", "B", "C", "D", "x", "zi"), state_space_inputs(dtype, **sizes), strict=True))
        return tuple(values[name] for name in names)

    return inputs


def lattice_inputs(
    dtype: torch.dtype = torch.float64,
    *,
    N: int = 2,
    T: int = 5,
    rows: int = 2,
    lead: tuple[int, ...] = (),
    zi: bool = False,
    taps: bool = False,
    constant: bool = False,
) -> tuple[Tensor, ...]:
    """k of magnitude up to 0.85 with an axis of time, x of some rows and, where they are wanted, zi and taps."""
    times = 1 if constant else T
    k = torch.randn(*lead, times, N, dtype=dtype)
    k = 0.85 * k / (1 + k.abs())
    inputs = [k, torch.randn(rows, T, dtype=dtype)]
    if zi:
        inputs.append(torch.randn(rows, N, dtype=dtype))
    if taps:
        inputs.append(torch.randn(*lead, times, N + 1, dtype=dtype))
    return tuple(inputs)


def moving_sections(
    dtype: torch.dtype = torch.float64, *, K: int = 2, T: int = 5, rows: int = 2, zi: bool = False
) -> tuple[Tensor, ...]:
    """sos [T, K, 6] (a_0 is not 1), each stable by itself, x and, where it is wanted, zi."""
    sections, x = sosfilt_inputs(dtype, K=K, lead=(T,), T=T, lead_x=(rows,))
    return (sections, x, torch.randn(K, rows, 2, dtype=dtype)) if zi else (sections, x)


def without_time(inputs: Callable[..., tuple[Tensor, ...]]) -> Callable[..., tuple[Tensor, ...]]:
    """Those of lattice_inputs or moving_sections, the coefficients of the first sample alone."""

    def constant(*args: Any, **sizes: Any) -> tuple[Tensor, ...]:
        values = inputs(*args, **sizes)
        if inputs is moving_sections:
            return values[0][0], *values[1:]
        return tuple(t[..., 0, :] if i in (0, 3) else t for i, t in enumerate(values))

    return constant


constant_lattice_inputs, constant_sections = without_time(lattice_inputs), without_time(moving_sections)


def with_ladder(function: Callable[..., Any]) -> Callable[..., Any]:
    """Takes the taps without a state."""
    return lambda k, x, taps: function(k, x, None, taps)


TWO_PASS = {"backward": "two_pass"}
CASES = {
    "lfilter": _lfilter(),
    "lfilter_rows": _lfilter(M=1, N=3, lead_b=(2,), lead_a=(2,)),
    "lfilter_zi": _lfilter(M=3, N=1, lead_a=(2,), lead_zi=(2,)),
    "lfilter_zi_broadcast": _lfilter(N=1, lead_zi=(1,)),
    "lfilter_bank": _lfilter(M=1, lead_b=(3, 1), lead_a=(2,), lead_x=(1, 1), T=3, lead_zi=(3, 2)),
    "lfilter_first_axis": _lfilter({"axis": 0}, lead_x=(4,), T=2),
    "lfilter_short": _lfilter(M=3, N=4, T=2, lead_zi=(2,)),
    "lfilter_fir": _lfilter(M=3, N=0, lead_zi=(2,)),
    "lfilter_no_zeros": _lfilter(M=0, N=3, lead_zi=(2,)),
    "lfilter_two_pass": _lfilter(TWO_PASS, M=1, N=3, lead_b=(2,)),
    "lfilter_two_pass_zi": _lfilter(TWO_PASS, M=2, N=3, T=4, lead_zi=(2,)),
    "allpole": _allpole(),
    "allpole_rows": _allpole(N=3, lead_a=(2,), lead_zi=(2,)),
    "allpole_short": _allpole(N=4, T=2, lead_zi=(2,)),
    "allpole_two_pass": _allpole("two_pass", N=3, T=4),
    "allpole_two_pass_zi": _allpole("two_pass", N=3, lead_zi=(1,)),
    "tdf2_ssm": Case(polezero.tdf2_ssm, true_lfilter, partial(lfilter_inputs, M=3, lead_zi=(2,))),
    "lpv_allpole": Case(polezero.lpv.allpole, reference.lpv_allpole, partial(lpv_inputs, M=-1, lead=(2,))),
    "lpv_allpole_zi": Case(polezero.lpv.allpole, reference.lpv_allpole, partial(lpv_inputs, M=-1, N=3, zi=3)),
    "lpv_fir": Case(polezero.lpv.fir, reference.lpv_fir, partial(lpv_inputs, N=-1, lead=(2,))),
    "lpv_fir_zi": Case(polezero.lpv.fir, reference.lpv_fir, partial(lpv_inputs, N=-1, T=3, zi=2)),
    "lpv_df1_zi": _lpv_lfilter("df1", M=1, zi=3),
    "lpv_df2_zi": _lpv_lfilter("df2", M=3, T=4, zi=3, lead=(2,)),
    "lpv_tdf1_zi": _lpv_lfilter("tdf1", N=1, zi=3),
    "lpv_tdf2": _lpv_lfilter("tdf2"),
    "lpv_tdf2_zi": _lpv_lfilter("tdf2", M=1, zi=2, lead=(2,)),
    "lpv_tdf2_short": _lpv_lfilter("tdf2", M=3, T=2, zi=3, constant="a"),
    "sosfilt": _sosfilt(),
    "sosfilt_zi": _sosfilt(K=3, T=4, lead_zi=(2,)),
    "sosfilt_rows_side_by_side": _sosfilt(lead=(9,), lead_x=(9,), T=2, lead_zi=(9,)),
    "lpv_sosfilt_zi": Case(
        polezero.lpv.sosfilt, reference.lpv_sosfilt, partial(sosfilt_inputs, lead=(5,), lead_zi=(2,))
    ),
    "state_space": Case(polezero.state_space, reference.state_space, _only("A", "B", "C", "D", "x")),
    "state_space_zi": Case(polezero.state_space, reference.state_space, partial(state_space_inputs, S=3, lead=(2,))),
    "state_space_states": Case(
        states_only(polezero.state_space), states_only(reference.state_space), _only("A", "B", "x", "zi")
    ),
    "lpv_state_space_zi": Case(
        polezero.lpv.state_space,
        reference.lpv_state_space,
        partial(state_space_inputs, over_time=True, T=3, O=2, constant="C"),
    ),
    "lpv_lattice": Case(polezero.lpv.lattice, reference.lpv_lattice, partial(lattice_inputs, N=3, lead=(2,))),
    "lpv_lattice_zi": Case(
        polezero.lpv.lattice, reference.lpv_lattice, partial(lattice_inputs, zi=True, constant=True)
    ),
    "lpv_lattice_zi_taps": Case(
        polezero.lpv.lattice, reference.lpv_lattice, partial(lattice_inputs, T=3, zi=True, taps=True)
    ),
    "lpv_lattice_taps": Case(
        with_ladder(polezero.lpv.lattice), with_ladder(reference.lpv_lattice), partial(lattice_inputs, N=1, taps=True)
    ),
    "lpv_parallel_zi": Case(polezero.lpv.parallel, reference.lpv_parallel, partial(moving_sections, T=3, zi=True)),
    "lattice": Case(polezero.lattice, reference.lattice, partial(constant_lattice_inputs, N=3, lead=(2,))),
    "lattice_zi_taps": Case(polezero.lattice, reference.lattice, partial(constant_lattice_inputs, zi=True, taps=True)),
    "parallel_zi": Case(polezero.parallel, reference.parallel, partial(constant_sections, T=3, zi=True)),
    "linear_recurrence": _linear_recurrence(a=(2, 5)),
    "linear_recurrence_scalar_zi": _linear_recurrence(a=(), zi=True),
    **DELAYS_SPLINES_BANKS,
}


def requires_grad(inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Fresh leaves with the same values."""
    return tuple(t.detach().clone().requires_grad_() for t in inputs)


def loss(function: Callable[..., Any]) -> Callable[..., Tensor]:
    """A real loss with every derivative, through all outputs of the function."""

    def value(*inputs: Tensor) -> Tensor:
        outputs = function(*inputs)
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        return torch.stack(
            [(y.abs().square() * 0.5).sum() + torch.view_as_real(y + 0j).sin().sum() for y in outputs]
        ).sum()

    return value
