"""Filters forth and back."""

from functools import partial
from typing import Any

import scipy.signal
import torch
from torch import Tensor

import polezero
from cases.case import NO_SIGNAL, Bad, Case, Example, Sized
from cases.lfilter import lfilter_inputs
from cases.sentences import A0, ROWS
from cases.sosfilt import SHAPE, sections, sosfilt_inputs
from cases.tensors import X, denominator, zeros
from polezero import reference

B = torch.tensor([0.2, -0.1, 0.3], dtype=torch.float64)


def example(inputs: Any, sizes: dict[str, Any] | None = None, **options: Any) -> Example:
    return Example(inputs=partial(inputs, **sizes or {}), options=options)


def sized(coefficients: Any, shortest: int = 5, **options: Any) -> Sized:
    """Both directions reach every sample of a row."""
    return Sized(
        coefficients=coefficients,
        shortest=shortest,
        spreads="everywhere",
        error=None,
        splits_rows=True,
        options=options,
    )


def sections_inputs(dtype: torch.dtype = torch.float64, **sizes: Any) -> tuple[Tensor, ...]:
    """sos and x. No pole is at 1, even where the coefficients are cut to integers."""
    sos, x = sosfilt_inputs(dtype, **sizes)
    return torch.cat([sos[..., :4], 0.5 * sos[..., 4:]], -1), x


def filter_arguments(inputs: Any, **sizes: Any) -> Any:
    """As the ops take them: the signal's options are an axis, a padding and a method."""
    return lambda d: (*inputs(d, T=7, **sizes), -1, "even", 3, "pad", None)


def core_arguments(dtype: torch.dtype, *, several: bool) -> tuple[Any, ...]:
    """b, a without a_0, the states of both directions, x and how it is extended."""
    if several:
        sos, x = sections_inputs(dtype, lead=(2,), T=7)
        b, a = (sos[..., :3] / sos[..., 3:4]), sos[..., 4:] / sos[..., 3:4]
    else:
        b, a, x = lfilter_inputs(dtype, M=1, N=3, T=7, lead_a=(2,))
        b, a = (b / a[..., :1])[..., None, :], (a[..., 1:] / a[..., :1])[..., None, :]
    order = max(b.shape[-1] - 1, a.shape[-1])
    zi, adjoint_zi = (torch.randn(b.shape[-2], order, dtype=dtype) for _ in range(2))
    return b, a, zi, adjoint_zi, x, 3, 2.0, -1.0


def core_backward(dtype: torch.dtype, *, several: bool, need_filter: bool, need_x: bool) -> tuple[Any, ...]:
    *filter, x, length, of_end, of_mirrored = core_arguments(dtype, several=several)
    grad_y = torch.randn(2, 7, dtype=dtype)
    return (grad_y, *filter, x if need_filter else None, length, of_end, of_mirrored, need_filter, need_x)


def refused(sentence: str, **changed: Any) -> Bad:
    """The core op with arguments changed."""
    names = ("b", "a", "zi", "adjoint_zi", "x", "length")

    def call() -> Tensor:
        arguments = core_arguments(torch.float64, several=True)
        given = dict(zip(names, arguments)) | changed
        return torch.ops.polezero.zero_phase_forward(*given.values(), *arguments[len(names) :])

    return Bad(call, ValueError, f"zero_phase: {sentence}")


BAD_CORE = {
    "core_length": refused("length: expected from 0 to T - 1 = 6, got 7", length=7),
    "core_filters": refused(
        "a: expected [..., filters, taps], as many filters as b, got shape [3, 2] beside b [2, 2, 3]",
        a=zeros(3, 2).double(),
    ),
    "core_order": refused(
        "b: expected one filter or filters of order 2, got shape [2, 2] beside a [2, 2, 2]", b=zeros(2, 2).double()
    ),
    "core_states": refused(
        "zi: expected max(M, N) = 2 values along the last axis, got shape [2, 3]", zi=zeros(2, 3).double()
    ),
}


def bad(function: str, *filter: Any) -> dict[str, Bad]:
    """What both functions refuse."""
    call = partial(getattr(polezero, function), *filter)

    def refused(sentence: str, kind: type[Exception] = ValueError, **options: Any) -> Bad:
        return Bad(partial(call, X, **options), kind, f"{function}: {sentence}")

    return {
        "short": refused("x: expected more than padlen = 5 samples along axis -1, got 5", padlen=5),
        "padlen": refused("padlen: expected at least 0, got -1", padlen=-1),
        "padlen_float": refused("padlen: expected an int, got 1.5", TypeError, padlen=1.5),
        "padtype": refused("padtype: expected 'odd', 'even', 'constant' or None, got 'mirror'", padtype="mirror"),
        "padtype_int": refused("padtype: expected 'odd', 'even', 'constant' or None, got 1", TypeError, padtype=1),
        "method": refused("method: expected 'pad' or 'gust', got 'lsq'", method="lsq"),
        "method_none": refused("method: expected 'pad' or 'gust', got None", TypeError, method=None),
        "irlen": refused("irlen: expected at least 1, got 0", method="gust", irlen=0),
        "axis": refused("axis: expected a number from -2 to 1, got 2", IndexError, axis=2),
        "no_tensor": Bad(lambda: call([1.0]), TypeError, f"{function}: x: expected a torch.Tensor, got builtins.list*"),
    }


POLE = "expected no pole at z = 1, for which a step has no steady state, got sum(a) = 0"


def true_decimate(x: Tensor, q: int, n: int = 8, axis: int = -1, zero_phase: bool = True) -> Tensor:
    """SciPy's design, through the slow filters."""
    sos = torch.from_numpy(scipy.signal.cheby1(n, 0.05, 0.8 / q, output="sos"))
    y = reference.sosfiltfilt(sos, x, axis) if zero_phase else reference.sosfilt(sos, x, axis)
    return y[(slice(None),) * (axis % x.dim()) + (slice(None, None, q),)]


CASES = [
    Case(
        "filtfilt",
        reference.filtfilt,
        "b a x",
        examples={
            "odd": example(lfilter_inputs, {"M": 1, "lead_a": (2,)}, padlen=3),
            "even": example(lfilter_inputs, {"N": 1}, padtype="even", padlen=1),
            "constant": example(lfilter_inputs, padtype="constant", padlen=2),
            "none": example(lfilter_inputs, padtype=None),
            "gust": example(lfilter_inputs, {"T": 8}, method="gust"),
            "irlen": example(lfilter_inputs, {"M": 1, "N": 1, "T": 7}, method="gust", irlen=3),
        },
        sized={"order_2": sized(lambda T, radius: (B, denominator(radius, 0.3)), padlen=4)},
        ops={
            "filtfilt": {"even": filter_arguments(lfilter_inputs)},
            "zero_phase_forward": {
                "one": partial(core_arguments, several=False),
                "several": partial(core_arguments, several=True),
            },
            "zero_phase_backward": {
                "one": partial(core_backward, several=False, need_filter=True, need_x=True),
                "several": partial(core_backward, several=True, need_filter=True, need_x=True),
                "filter": partial(core_backward, several=True, need_filter=True, need_x=False),
                "x": partial(core_backward, several=False, need_filter=False, need_x=True),
            },
        },
        saves={"b": "x", "a": "x", "x": ""},
        bad=bad("filtfilt", [1.0], [1.0, 0.5])
        | BAD_CORE
        | {
            "a0_zero": Bad(lambda: polezero.filtfilt([1.0], [0.0, 1.0], X), ValueError, f"filtfilt: {A0}"),
            "pole": Bad(lambda: polezero.filtfilt([1.0], [1.0, -1.0], X, padlen=1), ValueError, f"filtfilt: a: {POLE}"),
            "rows": Bad(
                lambda: polezero.filtfilt(zeros(3, 2) + 1, [1.0, 0.5], X, padlen=1),
                ValueError,
                f"filtfilt: {ROWS} b [3, 2], a [2], x [2, 5]",
            ),
        },
    ),
    Case(
        "sosfiltfilt",
        reference.sosfiltfilt,
        "sos x",
        examples={
            "odd": example(sections_inputs, {"lead": (2,)}, padlen=3),
            "first_axis": Example(
                inputs=lambda d: (sosfilt_inputs(d, K=1)[0], torch.randn(4, 2, dtype=d)),
                options={"axis": 0, "padtype": "even", "padlen": 2},
            ),
            "gust": example(sosfilt_inputs, {"T": 12}, method="gust"),
        },
        sized={"sections": sized(lambda T, radius: (sections(radius),), padlen=4)},
        ops={"sosfiltfilt": {"even": filter_arguments(sosfilt_inputs)}},
        saves={"sos": "x", "x": ""},
        bad=bad("sosfiltfilt", [[1.0, 0, 0, 1, 0.5, 0]])
        | {
            "sos_shape": Bad(lambda: polezero.sosfiltfilt(zeros(2, 5), X), ValueError, f"sosfiltfilt: {SHAPE} [2, 5]"),
            "pole": Bad(
                lambda: polezero.sosfiltfilt([[1.0, 0, 0, 1, -1, 0]], X, padlen=1),
                ValueError,
                f"sosfiltfilt: sos: {POLE}",
            ),
        },
    ),
    Case(
        "sosfilt_zi",
        reference.sosfilt_zi,
        "sos",
        results=lambda result: [torch.promote_types(result, torch.float64)],
        examples={"rows": Example(inputs=lambda d: sosfilt_inputs(d, K=3, lead=(2,))[:1])},
        ops={"sosfilt_zi": {"rows": lambda d: sosfilt_inputs(d, lead=(2,))[:1]}},
        bad={
            "sos_shape": Bad(lambda: polezero.sosfilt_zi(zeros(6)), ValueError, f"sosfilt_zi: {SHAPE} [6]"),
            "pole": Bad(lambda: polezero.sosfilt_zi([[1.0, 0, 0, 1, -1, 0]]), ValueError, f"sosfilt_zi: sos: {POLE}"),
        },
        signal=None,
        opt_out=NO_SIGNAL,
    ),
    Case(
        "decimate",
        true_decimate,
        "x",
        sized={"by_2": Sized(options={"q": 2, "n": 2, "zero_phase": False}, error=None, splits_rows=True)},
        examples={
            "zero_phase": Example(inputs=lambda d: (torch.randn(2, 12, dtype=d),), options={"q": 3, "n": 2}),
            "once": Example(
                inputs=lambda d: (torch.randn(5, 2, dtype=d),),
                options={"q": 2, "n": 3, "axis": 0, "zero_phase": False},
            ),
        },
        bad={
            "fir": Bad(
                lambda: polezero.decimate(X, 2, ftype="fir"), ValueError, "decimate: ftype: expected 'iir', got 'fir'*"
            ),
            "q": Bad(lambda: polezero.decimate(X, 0), ValueError, "decimate: q: expected at least 1, got 0"),
            "q_float": Bad(lambda: polezero.decimate(X, 2.0), TypeError, "decimate: q: expected an int, got 2.0"),
            "n": Bad(lambda: polezero.decimate(X, 2, 0), ValueError, "decimate: n: expected at least 1, got 0"),
            "short": Bad(
                lambda: polezero.decimate(X, 2),
                ValueError,
                "decimate: x: expected more than padlen = 27 samples along axis -1, got 5",
            ),
        },
    ),
]
