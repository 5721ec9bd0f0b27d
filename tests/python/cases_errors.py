"""The part of test_errors.py with filters that change with time, cascades, systems of states and lattices."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch

import polezero
from polezero import lpv

X = torch.ones(2, 5)
core = torch.ops.polezero


class Bad(NamedTuple):
    call: Callable[[], Any]
    exception: type[Exception]
    op: str
    argument: str
    says: tuple[str, ...] = ()  # beside "expected" and "got"


def zeros(*shape: int, dtype: torch.dtype = torch.float32, device: str = "cpu") -> torch.Tensor:
    return torch.zeros(shape, dtype=dtype, device=device)


def system(function: Callable[..., Any] = polezero.state_space, **arguments: Any) -> Any:
    """A system of two states, one input and one output, some of its arguments replaced."""
    usual = {"A": zeros(2, 2), "B": zeros(2, 1), "C": zeros(1, 2), "D": zeros(1, 1), "x": zeros(1, 5)}
    return function(**usual | arguments)


CASES: dict[str, dict[str, Bad]] = {
    "lpv": {
        "allpole_time": Bad(
            lambda: lpv.allpole(zeros(4, 2), X), ValueError, "lpv.allpole", "a", ("T = 5 or 1", "[4, 2]")
        ),
        "allpole_no_time": Bad(lambda: lpv.allpole(zeros(2), X), ValueError, "lpv.allpole", "a", ("T = 5", "[2]")),
        "allpole_rows": Bad(
            lambda: lpv.allpole(zeros(3, 5, 2), X), ValueError, "allpole", "x", ("[3, 5, 2]", "[2, 5]")
        ),
        "allpole_zi": Bad(lambda: lpv.allpole(zeros(5, 2), X, zeros(3)), ValueError, "lpv.allpole", "zi", ("2", "[3]")),
        "fir_time": Bad(lambda: lpv.fir(zeros(6, 2), X), ValueError, "lpv.fir", "b", ("T = 5", "[6, 2]")),
        "fir_empty": Bad(lambda: lpv.fir(zeros(5, 0), X), ValueError, "lpv.fir", "b", ("[5, 0]",)),
        "b_time": Bad(
            lambda: lpv.lfilter(zeros(4, 2), zeros(5, 2), X), ValueError, "lpv.lfilter", "b", ("T = 5", "[4, 2]")
        ),
        "a_time": Bad(
            lambda: lpv.tdf2_ssm(zeros(5, 2), zeros(3, 2), X), ValueError, "lpv.tdf2_ssm", "a", ("T = 5", "[3, 2]")
        ),
        "tdf2_a0": Bad(lambda: lpv.tdf2_ssm(zeros(5, 2), zeros(5, 2), X), ValueError, "lpv.tdf2_ssm", "a", ("0",)),
        "a0_zero": Bad(lambda: lpv.lfilter(zeros(5, 2), zeros(5, 2), X), ValueError, "lpv.lfilter", "a", ("0",)),
        "form": Bad(
            lambda: lpv.lfilter(zeros(5, 2), zeros(5, 2), X, form="df3"),
            ValueError,
            "lpv.lfilter",
            "form",
            ("'df1', 'df2', 'tdf1' or 'tdf2'", "'df3'"),
        ),
        "form_number": Bad(
            lambda: lpv.lfilter(zeros(5, 2), zeros(5, 2), X, form=2), TypeError, "lpv.lfilter", "form", ("'df1'", "2")
        ),
        "zi_of_df1": Bad(
            lambda: lpv.lfilter(zeros(5, 2), torch.ones(5, 3), X, zeros(2), "df1"),
            ValueError,
            "lpv.lfilter",
            "zi",
            ("3 values", "[2]"),
        ),
        "x_list": Bad(lambda: lpv.fir(zeros(5, 2), [1.0]), TypeError, "lpv.fir", "x", ("Tensor", "list")),
        "x_device": Bad(
            lambda: lpv.allpole(zeros(5, 2, device="meta"), X), ValueError, "lpv.allpole", "a", ("cpu", "meta")
        ),
        "tdf2_ssm_a_empty": Bad(lambda: polezero.tdf2_ssm([1.0], [], X), ValueError, "tdf2_ssm", "a", ("[0]",)),
        "recurrence_time": Bad(
            lambda: polezero.linear_recurrence(zeros(4), X), ValueError, "linear_recurrence", "a", ("T = 5", "[4]")
        ),
        "recurrence_zi": Bad(
            lambda: polezero.linear_recurrence(0.5, X, zeros(2)), ValueError, "linear_recurrence", "zi", ("1", "[2]")
        ),
    },
    "order_of_arguments": {
        "list_for_x": Bad(
            lambda: polezero.lfilter(X, [1.0, 0.5], [1.0]),
            TypeError,
            "lfilter",
            "x",
            ("list", "order of arguments is b, a, x"),
        ),
        "number_for_x": Bad(
            lambda: polezero.comb_filter(X, 0.5, 2), TypeError, "comb_filter", "x", ("int", "is a, delay, x)")
        ),
        "sosfilt": Bad(
            lambda: polezero.sosfilt(zeros(2, 9), zeros(2, 6)),
            ValueError,
            "sosfilt",
            "sos",
            ("[2, 9]", "sos has 9 values along its last axis and x 6; the order of arguments is sos, x)"),
        ),
        "lpv": Bad(
            lambda: lpv.allpole(X, zeros(5, 3)), ValueError, "lpv.allpole", "a", ("order of arguments is a, x)",)
        ),
        "lattice": Bad(lambda: polezero.lattice(X, [0.5]), TypeError, "lattice", "x", ("order of arguments is k, x)",)),
    },
    "longdouble": {
        "b": Bad(
            lambda: polezero.lfilter(np.ones(2, np.longdouble), [1.0], X), TypeError, "lfilter", "b", ("np.longdouble",)
        ),
        "a_complex": Bad(
            lambda: polezero.allpole([np.clongdouble(1)], X),
            TypeError,
            "allpole",
            "a",
            ("np.clongdouble", "complex128"),
        ),
        "zi": Bad(
            lambda: polezero.allpole([0.5], X, np.ones(1, np.longdouble)),
            TypeError,
            "allpole",
            "zi",
            ("np.longdouble",),
        ),
        "x": Bad(
            lambda: polezero.allpole([0.5], np.ones(3, np.longdouble)), TypeError, "allpole", "x", ("np.longdouble",)
        ),
        "points": Bad(
            lambda: polezero.cspline1d_eval(X, np.ones(3, np.longdouble)),
            TypeError,
            "cspline1d_eval",
            "newx",
            ("np.longdouble",),
        ),
    },
    "rest_of_delays_that_cannot_be_read": {
        "meta": Bad(
            lambda: polezero.sparse_allpole(
                zeros(1, device="meta"), torch.ones(1, dtype=torch.long, device="meta"), X.to("meta"), 0
            ),
            ValueError,
            "sparse_allpole",
            "zi",
            ("cannot be read", "got 0"),
        ),
        "vmap": Bad(
            lambda: torch.vmap(lambda d: polezero.comb_filter(0.5, d, X, 0))(torch.tensor([1, 2])),
            ValueError,
            "comb_filter",
            "zi",
            ("cannot be read", "got 0"),
        ),
    },
    "constant_lattice": {
        "k_rows": Bad(lambda: polezero.lattice(zeros(3, 2), X), ValueError, "lattice", "x", ("k [3, 2]", "x [2, 5]")),
        "k_empty": Bad(lambda: polezero.lattice(zeros(3, 0), X), ValueError, "lattice", "k", ("1", "shape [3, 0]")),
        "taps": Bad(
            lambda: polezero.lattice([0.5], X, None, zeros(3, 3)), ValueError, "lattice", "taps", ("2", "shape [3, 3]")
        ),
        "zi": Bad(lambda: polezero.lattice([0.5], X, zeros(2, 1, 2)), ValueError, "lattice", "zi", ("1", "[2, 1, 2]")),
        "x_list": Bad(lambda: polezero.lattice([0.5], [1.0]), TypeError, "lattice", "x", ("Tensor", "list")),
        "k_device": Bad(
            lambda: polezero.lattice(zeros(2, device="meta"), X), ValueError, "lattice", "k", ("cpu", "meta")
        ),
    },
    "constant_parallel": {
        "rows": Bad(lambda: polezero.parallel(zeros(3, 1, 6), X), ValueError, "parallel", "x", ("sos [3, 1, 6]",)),
        "shape": Bad(
            lambda: polezero.parallel(zeros(2, 5), X), ValueError, "parallel", "sos", ("[..., sections, 6]", "[2, 5]")
        ),
        "one_dimension": Bad(lambda: polezero.parallel(zeros(6), X), ValueError, "parallel", "sos", ("[6]",)),
        "a0": Bad(lambda: polezero.parallel(zeros(1, 6), X), ValueError, "parallel", "sos", ("[..., 3]", "0")),
        "zi": Bad(
            lambda: polezero.parallel(torch.ones(2, 6), X, zeros(2, 2, 3)), ValueError, "parallel", "zi", ("[2, 2, 3]",)
        ),
    },
    "sosfilt": {
        "a0_zero": Bad(
            lambda: polezero.sosfilt([[1.0, 0, 0, 0, 0, 0]], X), ValueError, "sosfilt", "sos", ("[..., 3]", "0")
        ),
        "shape": Bad(lambda: polezero.sosfilt(zeros(2, 5), X), ValueError, "sosfilt", "sos", ("6", "[2, 5]")),
        "one_dimension": Bad(lambda: polezero.sosfilt(zeros(6), X), ValueError, "sosfilt", "sos", ("[6]",)),
        "no_sections": Bad(lambda: polezero.sosfilt(zeros(0, 6), X), ValueError, "sosfilt", "sos", ("[0, 6]",)),
        "rows": Bad(
            lambda: polezero.sosfilt(zeros(3, 1, 6), X), ValueError, "sosfilt", "x|sos", ("[3, 1, 6]", "[2, 5]")
        ),
        "zi_sections": Bad(
            lambda: polezero.sosfilt(torch.ones(2, 6), X, zi=zeros(1, 2, 2)),
            ValueError,
            "sosfilt",
            "zi",
            ("2 sections", "[1, 2, 2]"),
        ),
        "zi_values": Bad(
            lambda: polezero.sosfilt(torch.ones(2, 6), X, zi=zeros(2, 2, 3)),
            ValueError,
            "sosfilt",
            "zi",
            ("[2, 2, 3]",),
        ),
        "zi_rows": Bad(
            lambda: polezero.sosfilt(torch.ones(2, 6), X, zi=zeros(2, 3, 2)), ValueError, "sosfilt", "zi", ("[3, 2]",)
        ),
        "axis": Bad(lambda: polezero.sosfilt(torch.ones(2, 6), X, 2), IndexError, "sosfilt", "axis", ("-2", "got 2")),
        "axis_float": Bad(lambda: polezero.sosfilt(torch.ones(2, 6), X, 0.5), TypeError, "sosfilt", "axis", ("int",)),
        "lpv_time": Bad(
            lambda: lpv.sosfilt(torch.ones(4, 2, 6), X), ValueError, "lpv.sosfilt", "sos", ("T = 5", "[4, 2, 6]")
        ),
        "lpv_a0": Bad(lambda: lpv.sosfilt(zeros(5, 1, 6), X), ValueError, "lpv.sosfilt", "sos", ("[..., 3]", "0")),
        "lpv_shape": Bad(lambda: lpv.sosfilt(torch.ones(2, 6), X), ValueError, "lpv.sosfilt", "sos", ("T", "[2, 6]")),
    },
    "state_space": {
        "A_not_square": Bad(lambda: system(A=zeros(2, 3)), ValueError, "state_space", "A", ("S, S", "[2, 3]")),
        "A_one_dimension": Bad(lambda: system(A=zeros(4)), ValueError, "state_space", "A", ("[4]",)),
        "A_no_states": Bad(lambda: system(A=zeros(0, 0)), ValueError, "state_space", "A", ("one state", "[0, 0]")),
        "B_states": Bad(lambda: system(B=zeros(3, 1)), ValueError, "state_space", "B", ("2, 1", "[3, 1]")),
        "B_inputs": Bad(lambda: system(B=zeros(2, 3)), ValueError, "state_space", "B", ("2, 1", "[2, 3]")),
        "C_states": Bad(lambda: system(C=zeros(1, 3)), ValueError, "state_space", "C", ("O, 2", "[1, 3]")),
        "D": Bad(lambda: system(D=zeros(2, 1)), ValueError, "state_space", "D", ("1, 1", "[2, 1]")),
        "D_without_C": Bad(lambda: system(C=None), ValueError, "state_space", "D", ("None without C", "[1, 1]")),
        "no_inputs": Bad(
            lambda: system(B=zeros(2, 0), x=zeros(0, 5)), ValueError, "state_space", "x", ("one signal", "[0, 5]")
        ),
        "no_outputs": Bad(
            lambda: system(C=zeros(0, 2), D=None), ValueError, "state_space", "C", ("one output", "[0, 2]")
        ),
        "x_one_dimension": Bad(lambda: system(x=zeros(5)), ValueError, "state_space", "x", ("I, T", "[5]")),
        "x_list": Bad(lambda: system(x=[[1.0]]), TypeError, "state_space", "x", ("Tensor", "list")),
        "rows": Bad(
            lambda: system(A=zeros(3, 2, 2), x=zeros(4, 1, 5)),
            ValueError,
            "state_space",
            "x",
            ("[3, 2, 2]", "[4, 1, 5]"),
        ),
        "zi": Bad(lambda: system(zi=zeros(3)), ValueError, "state_space", "zi", ("2 values", "[3]")),
        "zi_rows": Bad(lambda: system(zi=zeros(3, 2)), ValueError, "state_space", "zi", ("broadcasts", "[3, 2]")),
        "lpv_time": Bad(
            lambda: system(lpv.state_space, A=zeros(4, 2, 2)),
            ValueError,
            "lpv.state_space",
            "A",
            ("5 or 1", "[4, 2, 2]"),
        ),
        "lpv_no_time": Bad(lambda: system(lpv.state_space), ValueError, "lpv.state_space", "A", ("5 or 1", "[2, 2]")),
        "core_inputs": Bad(
            lambda: core.state_space_forward(zeros(1, 2, 2), zeros(1, 2, 1), None, None, zeros(3, 5)),
            ValueError,
            "state_space",
            "x",
            ("1 channels", "[3, 5]"),
        ),
        "core_dtype": Bad(
            lambda: core.state_space_forward(zeros(1, 2, 2).double(), None, None, None, zeros(2, 5)),
            TypeError,
            "state_space",
            "A",
            ("Float", "Double"),
        ),
    },
    "lattice": {
        "k_time": Bad(lambda: lpv.lattice(zeros(4, 2), X), ValueError, "lpv.lattice", "k", ("T = 5", "[4, 2]")),
        "k_no_time": Bad(lambda: lpv.lattice(zeros(2), X), ValueError, "lpv.lattice", "k", ("T = 5", "[2]")),
        "k_empty": Bad(lambda: lpv.lattice(zeros(5, 0), X), ValueError, "lpv.lattice", "k", ("[5, 0]",)),
        "k_rows": Bad(lambda: lpv.lattice(zeros(3, 5, 2), X), ValueError, "lpv.lattice", "x", ("[3, 5, 2]", "[2, 5]")),
        "taps": Bad(
            lambda: lpv.lattice(zeros(5, 2), X, taps=zeros(5, 2)),
            ValueError,
            "lpv.lattice",
            "taps",
            ("N + 1 = 3", "[5, 2]"),
        ),
        "taps_time": Bad(
            lambda: lpv.lattice(zeros(5, 2), X, taps=zeros(4, 3)),
            ValueError,
            "lpv.lattice",
            "taps",
            ("T = 5", "[4, 3]"),
        ),
        "taps_rows": Bad(
            lambda: lpv.lattice(zeros(5, 2), X, taps=zeros(3, 5, 3)), ValueError, "lpv.lattice", "x", ("[3, 5, 3]",)
        ),
        "zi": Bad(lambda: lpv.lattice(zeros(5, 2), X, zeros(3)), ValueError, "lpv.lattice", "zi", ("2 values", "[3]")),
        "x_scalar": Bad(lambda: lpv.lattice(zeros(5, 2), zeros()), ValueError, "lpv.lattice", "x", ("dimension",)),
        "core_ports": Bad(
            lambda: core.lattice_forward(zeros(5, 2), zeros(2, 5), None, True), ValueError, "lattice", "u", ("1 or 3",)
        ),
        "sections": Bad(
            lambda: lpv.parallel(torch.ones(4, 2, 6), X), ValueError, "lpv.parallel", "sos", ("T = 5", "[4, 2, 6]")
        ),
        "sections_a0": Bad(
            lambda: lpv.parallel(zeros(5, 1, 6), X), ValueError, "lpv.parallel", "sos", ("[..., 3]", "0")
        ),
        "sections_shape": Bad(
            lambda: lpv.parallel(torch.ones(5, 2, 5), X), ValueError, "lpv.parallel", "sos", ("6", "[5, 2, 5]")
        ),
    },
}
