"""torch.library.opcheck on every op that the dispatcher knows, so that an op without a case here fails."""

from typing import Any

import pytest
import torch
from cases import (
    allpole_inputs,
    lattice_inputs,
    lfilter_inputs,
    lpv_inputs,
    modal_inputs,
    moving_sections,
    sosfilt_inputs,
    sparse_inputs,
    state_space_inputs,
)

import polezero  # noqa: F401  (registers the ops)

ops = torch.ops.polezero


def lfilter_case(dtype: torch.dtype, *options: Any) -> tuple[Any, ...]:
    """Distinct sizes: 2 rows, 7 samples, orders 1 and 3."""
    return (*lfilter_inputs(dtype, M=1, N=3, T=7, lead_a=(2,), lead_zi=(2,)), *options)


def backward_case(dtype: torch.dtype) -> tuple[Any, ...]:
    b, a, x, zi = lfilter_case(dtype)
    y, zf = ops.lfilter_forward(b, a, x, zi)
    return (torch.randn_like(y), torch.randn_like(zf), b, a, x, y, zi, zf, True, True, True, True)


def constant(a: torch.Tensor, *others: Any) -> tuple[Any, ...]:
    """Constant coefficients, for ops whose coefficients have an axis of time."""
    return (a.unsqueeze(-2), *others)


def allpole_backward_case(dtype: torch.dtype) -> tuple[Any, ...]:
    a, x, zi = allpole_inputs(dtype, N=3, T=7, lead_zi=(2,))
    return allpole_backward_arguments(a.unsqueeze(-2), x, zi, 0, False)


def allpole_backward_arguments(*arguments: Any) -> tuple[Any, ...]:
    """After a, x, zi, shift and reverse of the filter."""
    a, _, zi, *lags = arguments
    y = ops.allpole_forward(*arguments)
    return (torch.randn_like(y), a, y, zi, True, True, zi is not None, *lags)


def varying(dtype: torch.dtype, *lags: Any) -> tuple[Any, ...]:
    """Coefficients [T, N] of an all-pole filter, two rows, no past outputs."""
    return (0.3 * torch.randn(7, 3, dtype=dtype), torch.randn(2, 7, dtype=dtype), None, *lags)


def sosfilt_core_case(dtype: torch.dtype) -> tuple[Any, ...]:
    sos, x, zi = sosfilt_inputs(dtype, lead_zi=(2,))
    return sos, x, zi.movedim(0, -2)


def sosfilt_backward_arguments(sos: torch.Tensor, x: torch.Tensor, zi: torch.Tensor) -> tuple[Any, ...]:
    return torch.randn_like(x), torch.randn_like(zi), sos, x, zi, True, True, True


System = tuple[torch.Tensor, ...]


def states_only(system: System) -> tuple[Any, ...]:
    A, B, _, _, x, zi = system
    return A, B, None, None, x, zi


def over_time(system: System) -> System:
    """Constant matrices, for the op whose matrices have an axis of time."""
    *matrices, x, zi = system
    return (*(m.unsqueeze(-3) for m in matrices), x, zi)


def adjoint(system: System) -> tuple[Any, ...]:
    A, B, C, D, x, zi = system
    return A, B, C, D, torch.randn(2, C.shape[-2], x.shape[-1], dtype=x.dtype), zi, True


def adjoint_states(system: System) -> tuple[Any, ...]:
    A, _, C, _, x, zi, flag = adjoint(system)
    return A, None, C, None, x, zi, flag


def ladder(inputs: System) -> System:
    k, x, zi, taps = inputs
    return k, taps, x, zi


def ports(dtype: torch.dtype, count: int, *flags: bool) -> tuple[Any, ...]:
    k, _, zi = lattice_inputs(dtype, N=3, T=7, zi=True)
    return k, torch.randn(2, count, 7, dtype=dtype), zi, *flags


def lattice_backward_case(dtype: torch.dtype, count: int, **sizes: Any) -> tuple[Any, ...]:
    k, x, zi = lattice_inputs(dtype, N=3, T=7, zi=True, **sizes)
    return torch.randn(2, count, 7, dtype=dtype), torch.randn_like(zi), k, x.unsqueeze(-2), zi


def sparse(
    dtype: torch.dtype, *attributes: Any, past: int = 3, moving: bool = False, between: bool = False
) -> tuple[Any, ...]:
    """Taps over time at delays that are constant or not, whole or between samples, two rows."""
    a, x = sparse_inputs(dtype, T=7, L=2, over_time=moving)
    delays = torch.randint(1, 4, (7 if moving else 1, 2))
    if between:
        delays = delays.clamp_max(2).double() + 0.3
    return (a if moving else a.unsqueeze(0)), delays, torch.cat([x[:, :past], x], -1), past, *attributes


def sparse_pair(dtype: torch.dtype, moving: bool, *attributes: Any, between: bool = False) -> tuple[Any, ...]:
    _, delays, x, past, *_ = sparse(dtype, moving=moving, between=between)
    return torch.randn_like(x), x, delays, past, *attributes


def spread(delays: torch.Tensor, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """The delays go behind the coefficients."""
    return inputs[0], delays, *inputs[1:]


def delay() -> torch.Tensor:
    return torch.tensor([2.3], dtype=torch.float64)


def spline_points() -> torch.Tensor:
    return torch.tensor([-0.8, 0.3, 2.2, 5.9, 8.1], dtype=torch.float64)


def spectra(dtype: torch.dtype) -> tuple[Any, ...]:
    """Two-sided: coefficients may be complex."""
    b, a, x = lfilter_inputs(dtype, M=1, N=3, T=7)
    return b, a, torch.fft.fft(x), None, -1, False


def bank(dtype: torch.dtype, zi: bool, *attributes: Any) -> tuple[Any, ...]:
    """Two gains for each mode."""
    poles, gains, x, *state = modal_inputs(dtype.to_complex(), T=7, zi=zi)
    return poles, torch.stack([gains, 2 * gains], -1), x, *state, *attributes


def correlation(dtype: torch.dtype, zi: bool) -> tuple[Any, ...]:
    poles, _, x, *state = modal_inputs(dtype.to_complex(), T=7, zi=zi)
    return poles, torch.randn_like(x), x, *(state or [None]), 4


# Several argument lists for one op.
CASES: dict[str, dict[str, Any]] = {
    "lfilter": {
        "rest": lambda d: lfilter_inputs(d, T=7, lead_x=(3, 2)),
        "zi": lfilter_case,
        "first_axis": lambda d: (*lfilter_inputs(d, M=0, T=2, lead_x=(7,)), None, 0, "two_pass"),
        "mixed": lambda d: (torch.randn(3), *lfilter_inputs(d, T=7)[1:]),
    },
    "allpole": {
        "rest": lambda d: allpole_inputs(d, T=7),
        "zi": lambda d: allpole_inputs(d, N=3, T=7, lead_a=(2,), lead_zi=(2,)),
    },
    "sensitivity": {"shared": lambda d: lfilter_inputs(d, M=1, N=3, T=7)},
    "lfilter_forward": {
        "rest": lambda d: (*lfilter_inputs(d, T=7), None),
        "zi": lfilter_case,
        "two_pass": lambda d: lfilter_case(d, True),
    },
    "lfilter_backward": {
        "all": backward_case,
        "only_x": lambda d: (
            torch.randn(2, 7, dtype=d),
            None,
            *lfilter_inputs(d)[:2],
            *[None] * 4,
            False,
            False,
            True,
            False,
        ),
    },
    "allpole_forward": {
        "rest": lambda d: constant(*allpole_inputs(d, T=7)),
        "zi": lambda d: constant(*allpole_inputs(d, N=3, T=7, lead_zi=(2,))),
        "reverse": lambda d: (*constant(*allpole_inputs(d, N=3, T=7, lead_zi=(2,))), 0, True),
        "two_pass": lambda d: (*constant(*allpole_inputs(d, N=3, T=7, lead_zi=(2,))), 0, False, True),
        "varying": lambda d: (torch.randn(7, 3, dtype=d), *allpole_inputs(d, N=3, T=7, lead_zi=(2,))[1:]),
        "varying_shift": lambda d: varying(d, -1),
    },
    "allpole_backward": {
        "all": allpole_backward_case,
        "varying": lambda d: allpole_backward_arguments(*varying(d, -1, False)),
        "varying_reverse": lambda d: allpole_backward_arguments(*varying(d)[:2], torch.randn(2, 3, dtype=d), 0, True),
    },
    "fir": {
        "forward": lambda d: (torch.randn(1, 3, dtype=d), torch.randn(2, 7, dtype=d)),
        "reverse": lambda d: (torch.randn(2, 1, 3, dtype=d), torch.randn(2, 7, dtype=d), 0, True),
        "varying": lambda d: (torch.randn(7, 3, dtype=d), torch.randn(2, 7, dtype=d), -1),
    },
    "lag_product": {"rows": lambda d: (torch.randn(2, 7, dtype=d), torch.randn(2, 7, dtype=d), 3, 1, True)},
    "monic": {
        "rows": lambda d: lpv_inputs(d, T=7, lead=(2,))[:2],
        "constant_a": lambda d: lpv_inputs(d, T=7, constant="a")[:2],
    },
    "tdf2_ssm": {"zi": lfilter_case},
    "linear_recurrence": {
        "varying": lambda d: (torch.randn(2, 7, dtype=d), torch.randn(2, 7, dtype=d)),
        "scalar_zi": lambda d: (torch.randn((), dtype=d), torch.randn(2, 7, dtype=d), torch.randn(2, 1, dtype=d)),
    },
    "lpv_allpole": {"rest": lambda d: lpv_inputs(d, M=-1), "zi": lambda d: lpv_inputs(d, M=-1, zi=2)},
    "lpv_fir": {"rest": lambda d: lpv_inputs(d, N=-1), "zi": lambda d: lpv_inputs(d, N=-1, zi=2)},
    "lpv_lfilter": {
        form: lambda d, form=form, states=states: (*lpv_inputs(d, M=1, zi=states), form)
        for form, states in [("df1", 3), ("df2", 2), ("tdf1", 3), ("tdf2", 2)]
    },
    "lpv_tdf2_ssm": {"rest": lambda d: lpv_inputs(d, M=3), "zi": lambda d: lpv_inputs(d, M=3, zi=3)},
    "sosfilt": {
        "rest": lambda d: sosfilt_inputs(d),
        "zi": lambda d: sosfilt_inputs(d, lead=(9,), lead_x=(9,), lead_zi=(9,)),
        "first_axis": lambda d: (sosfilt_inputs(d)[0], torch.randn(7, 2, dtype=d), torch.randn(2, 2, 2, dtype=d), 0),
    },
    "sosfilt_forward": {"rest": lambda d: sosfilt_inputs(d), "zi": sosfilt_core_case},
    "sosfilt_backward": {
        "all": lambda d: sosfilt_backward_arguments(*sosfilt_core_case(d)),
        "only_x": lambda d: (torch.randn(2, 7, dtype=d), None, sosfilt_inputs(d)[0], None, None, False, True, False),
    },
    "lpv_sosfilt": {"zi": lambda d: sosfilt_inputs(d, lead=(5,), lead_zi=(2,))},
    "state_space": {
        "rest": lambda d: state_space_inputs(d, T=7, S=3)[:-1],
        "zi": lambda d: state_space_inputs(d, T=7, S=3, O=4),
        "states": lambda d: states_only(state_space_inputs(d, T=7, S=3)),
    },
    "lpv_state_space": {"zi": lambda d: state_space_inputs(d, T=7, S=3, O=4, over_time=True)},
    "state_space_forward": {
        "constant": lambda d: over_time(state_space_inputs(d, T=7, S=3, O=4)),
        "varying": lambda d: state_space_inputs(d, T=7, S=3, O=4, over_time=True),
        "adjoint": lambda d: adjoint(state_space_inputs(d, T=7, S=3, I=2, O=4, over_time=True)),
        "states": lambda d: states_only(over_time(state_space_inputs(d, T=7, S=3))),
        "adjoint_states": lambda d: adjoint_states(over_time(state_space_inputs(d, T=7, S=3, O=4))),
    },
    "lpv_lattice": {
        "rest": lambda d: (lattice_inputs(d, N=3, T=7)[0], None, torch.randn(2, 7, dtype=d)),
        "zi_taps": lambda d: ladder(lattice_inputs(d, N=3, T=7, zi=True, taps=True)),
    },
    "lpv_parallel": {"zi": lambda d: moving_sections(d, K=3, T=7, zi=True)},
    "lattice_forward": {
        "one_port": lambda d: ports(d, 1, False, False),
        "all_ports": lambda d: ports(d, 4, True, False),
        "adjoint": lambda d: ports(d, 4, True, True),
        "adjoint_one_port": lambda d: ports(d, 1, False, True),
    },
    "lattice_backward": {
        "one_port": lambda d: lattice_backward_case(d, 1),
        "all_ports": lambda d: lattice_backward_case(d, 4),
        "constant": lambda d: lattice_backward_case(d, 4, constant=True),
    },
    "sparse_allpole": {
        "zi": lambda d: spread(torch.tensor([2, 3]), sparse_inputs(d, T=7, zi=4)),
        "moving": lambda d: spread(torch.randint(1, 4, (1, 7, 2)), sparse_inputs(d, T=7, over_time=True)),
    },
    "comb_filter": {
        "zi": lambda d: spread(torch.tensor([2]), sparse_inputs(d, L=1, T=7, zi=3)),
        "two_pass": lambda d: (*spread(torch.tensor([2]), sparse_inputs(d, L=1, T=7)), None, None, "two_pass"),
        **{
            how: lambda d, how=how: (*spread(delay(), sparse_inputs(d, L=1, T=7)), None, how)
            for how in ("linear", "lagrange3", "thiran")
        },
    },
    "feedforward_comb": {"zi": lambda d: (*spread(delay(), sparse_inputs(d, L=1, T=7, zi=4)), "linear")},
    "allpass_comb": {"zi": lambda d: (*spread(delay(), sparse_inputs(d, L=1, T=7, zi=5)), "lagrange3")},
    "sparse_allpole_forward": {
        "zi": sparse,
        "transposed": lambda d: sparse(d, True),
        "two_pass": lambda d: (torch.randn(1, 1, dtype=d), torch.ones(1, 1).long(), *sparse(d, False, True)[2:]),
        "moving": lambda d: sparse(d, past=0, moving=True),
        "moving_transposed": lambda d: sparse(d, True, moving=True),
        "between": lambda d: sparse(d, False, False, 1, between=True),
        "between_moving": lambda d: sparse(d, True, False, 1, between=True, moving=True),
    },
    "sparse_fir": {
        "zi": sparse,
        "transposed": lambda d: sparse(d, True),
        "moving_transposed": lambda d: sparse(d, True, moving=True),
        "derivative": lambda d: sparse(d, False, 1, 1, between=True),
        "derivative_moving": lambda d: sparse(d, True, 1, 1, between=True, moving=True),
    },
    "sparse_product": {
        "between": lambda d: sparse_pair(d, False, True, 1, 1, between=True),
        "between_moving_sum": lambda d: sparse_pair(d, True, True, 1, between=True),
        "sum": lambda d: sparse_pair(d, False, True),
        "moving": lambda d: sparse_pair(d, True),
        "moving_sum": lambda d: sparse_pair(d, True, True),
    },
    "cubic_spline": {
        "rows": lambda d: (torch.randn(2, 7, dtype=d), 3),
        "scipy": lambda d: (torch.randn(7, 3, dtype=d), 2, "scipy", 0),
    },
    "cspline1d": {"rows": lambda d: (torch.randn(2, 7, dtype=d),), "lamb": lambda d: (torch.randn(2, 7, dtype=d), 0.5)},
    "qspline1d": {"rows": lambda d: (torch.randn(2, 7, dtype=d),)},
    "cspline2d": {"lamb": lambda d: (torch.randn(3, 2, 7, dtype=d), 0.5)},
    "qspline2d": {"rows": lambda d: (torch.randn(2, 7, dtype=d),)},
    "cspline1d_eval": {"rows": lambda d: (torch.randn(2, 7, dtype=d), spline_points())},
    "qspline1d_eval": {"rows": lambda d: (torch.randn(2, 7, dtype=d), spline_points())},
    "symiirorder1": {"rows": lambda d: (torch.randn(2, 7, dtype=d), 0.5, -0.4)},
    "symiirorder2": {"rows": lambda d: (torch.randn(2, 7, dtype=d), 0.7, 0.3)},
    "symmetric_filter": {
        "rows": lambda d: (torch.randn(2, 7, dtype=d), -1.2, 0.5, 0.3),
        "whole": lambda d: (torch.randn(2, 7, dtype=d), 0.4, 0.0, 0.5, True),
        "sample": lambda d: (torch.randn(3, 2, 1, dtype=d).transpose(0, 1), 0.4, 0.0, 0.5),
    },
    "spline_eval": {
        "cubic": lambda d: (torch.randn(2, 7, dtype=d), spline_points()),
        "quadratic": lambda d: (torch.randn(2, 7, dtype=d), spline_points(), 0, 2, True, 1),
        "transposed": lambda d: (torch.randn(2, 5, dtype=d), spline_points(), 7, 3, True),
    },
    "spline_upsample": {
        "rows": lambda d: (torch.randn(2, 7, dtype=d), 3),
        "transposed": lambda d: (torch.randn(2, 19, dtype=d), 3, True, True),
    },
    "thiran_delay": {"rows": lambda d: (delay(),)},
    "modal_bank": {
        "rest": lambda d: modal_inputs(d, T=7, lead=(2,)),
        "zi": lambda d: modal_inputs(d, T=7, zi=True),
    },
    "parallel_form": {
        "short": lambda d: lfilter_inputs(d, M=1, N=3)[:2],
        "direct": lambda d: lfilter_inputs(d, M=4, N=2, lead_b=(3,))[:2],
    },
    "diagonalise": {"rows": lambda d: state_space_inputs(d, S=3, I=2, O=4, lead=(5,))[:3]},
    "freq_lfilter": {
        correction: lambda d, correction=correction: (*lfilter_inputs(d, M=1, N=3, T=7), correction)
        for correction in ("none", "zeropad", "truncate")
    },
    "freq_apply": {"rows": spectra},
    "freq_response": {"rows": lambda d: (*lfilter_inputs(d, M=1, N=3, lead_a=(2,))[:2], 7, False)},
    "freq_comb": {"rows": lambda d: (0.5 * torch.randn(2, dtype=d), delay(), 7, False)},
    "modal_bank_forward": {
        "zi": lambda d: bank(d, True),
        "reverse": lambda d: bank(d, False, None, True),
    },
    "modal_correlation": {"rest": lambda d: correlation(d, False), "zi": lambda d: correlation(d, True)},
    "lag_correlation": {"rows": lambda d: (torch.randn(2, 7, dtype=d), torch.randn(2, 7, dtype=d), 3)},
}


def registered_ops() -> set[str]:
    names = torch._C._dispatch_get_all_op_names()
    return {name.removeprefix("polezero::") for name in names if name.startswith("polezero::")}


def test_every_op_has_a_case() -> None:
    assert registered_ops() == set(CASES)


@pytest.mark.parametrize("dtype", [torch.float32, torch.complex128], ids=["float32", "complex128"])
@pytest.mark.parametrize("gradients", [False, True], ids=["no_grad", "grad"])
@pytest.mark.parametrize(("op", "case"), [(op, case) for op, cases in CASES.items() for case in cases])
def test_opcheck(op: str, case: str, gradients: bool, dtype: torch.dtype) -> None:
    arguments = tuple(
        t.detach().clone().requires_grad_(gradients and t.dtype != torch.int64) if isinstance(t, torch.Tensor) else t
        for t in CASES[op][case](dtype)
    )
    torch.library.opcheck(getattr(ops, op).default, arguments)


def test_backward_without_gradients_has_a_meta_kernel_for_every_choice() -> None:
    """The sizes that fake tensors promise for each subset of what is needed are those that come."""
    arguments = backward_case(torch.float32)[:8]
    on_meta = [t.to("meta") for t in arguments]
    for needs in range(16):
        flags = [bool(needs >> k & 1) for k in range(4)]
        real, meta = ops.lfilter_backward(*arguments, *flags), ops.lfilter_backward(*on_meta, *flags)
        assert [(t.shape, t.dtype) for t in real] == [(t.shape, t.dtype) for t in meta]
