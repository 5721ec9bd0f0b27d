"""Bad input: the exact exception, in one sentence that names the op, the argument, what was expected and what came."""

import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
import torch

import polezero
from polezero import lpv

X = torch.ones(2, 5)
BA = ([1.0, 0.5], [1.0, 0.5, 0.25])  # P = 2
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


def lfilter_cases(op: str) -> dict[str, Bad]:
    """What lfilter and sensitivity, which take b, a, x and an axis, refuse alike."""
    call = getattr(polezero, op)
    a = torch.tensor([[1.0, 0.5], [0.0, 0.5]])
    op = "lfilter" if op == "lfilter" else "(sensitivity|lfilter)"  # made of lfilter, which checks too
    return {
        "a0_zero": Bad(lambda: call([1.0], [0.0, 1.0], X), ValueError, op, "a", ("0",)),
        "a0_zero_in_a_row": Bad(lambda: call([1.0], a, X), ValueError, op, "a", ("0",)),
        "a0_complex_zero": Bad(lambda: call([1.0], [0j, 1j], X), ValueError, op, "a", ("0",)),
        "b_empty": Bad(lambda: call([], [1.0], X), ValueError, op, "b", ("[0]",)),
        "a_empty": Bad(lambda: call([1.0], [], X), ValueError, op, "a", ("[0]",)),
        "b_rows_empty": Bad(lambda: call(zeros(2, 0), [1.0], X), ValueError, op, "b", ("[2, 0]",)),
        "x_scalar": Bad(lambda: call(*BA, torch.tensor(1.0)), ValueError, op, "x", ("dimension",)),
        "x_list": Bad(lambda: call(*BA, [1.0, 2.0]), TypeError, op, "x", ("Tensor", "list")),
        "x_sparse": Bad(lambda: call(*BA, X.to_sparse()), ValueError, op, "x", ("Sparse",)),
        "x_float8": Bad(lambda: call(*BA, X.to(torch.float8_e4m3fn)), TypeError, op, "x", ("Float8_e4m3fn",)),
        "x_complex32": Bad(lambda: call(*BA, X.to(torch.complex32)), TypeError, op, "x", ("ComplexHalf",)),
        "b_rows": Bad(lambda: call(zeros(3, 2), [1.0], X), ValueError, op, "x", ("[3, 2]", "[2, 5]")),
        "a_rows": Bad(lambda: call([1.0], torch.ones(3, 2), X), ValueError, op, "x", ("[3, 2]", "[2, 5]")),
        "b_device": Bad(lambda: call(zeros(2, device="meta"), [1.0], X), ValueError, op, "b", ("cpu", "meta")),
        "a_device": Bad(lambda: call([1.0], zeros(2, device="meta"), X), ValueError, op, "a", ("cpu", "meta")),
        "axis_high": Bad(lambda: call(*BA, X, 2), IndexError, op, "axis", ("-2", "1", "got 2")),
        "axis_float": Bad(lambda: call(*BA, X, 1.0), TypeError, op, "axis", ("int", "1.0")),
        "b_ragged": Bad(lambda: call([[1.0], [1.0, 2.0]], [1.0], X), ValueError, op, "b", ("rectangular",)),
        "a_text": Bad(lambda: call([1.0], "abc", X), ValueError, op, "a", ("'abc'",)),
        "b_stack": Bad(lambda: call([zeros(2), zeros(3)], [1.0], X), ValueError, op, "b", ("rectangular",)),
        "b_float8": Bad(lambda: call(zeros(2).to(torch.float8_e4m3fn), [1.0], X), TypeError, op, "b", ("Float8",)),
        "x_nested": Bad(
            lambda: call(*BA, torch.nested.nested_tensor([zeros(3)], layout=torch.jagged)),
            ValueError,
            op,
            "x",
            ("nested|Jagged",),
        ),
        "axis_low": Bad(lambda: call(*BA, X, -3), IndexError, op, "axis", ("-2", "1", "got -3")),
    }


CASES: dict[str, dict[str, Bad]] = {
    "lfilter": lfilter_cases("lfilter")
    | {
        "zi_short": Bad(
            lambda: polezero.lfilter(*BA, X, zi=zeros(2, 1)), ValueError, "lfilter", "zi", ("axis -1", "2", "[2, 1]")
        ),
        "zi_along_axis": Bad(
            lambda: polezero.lfilter(*BA, X, 0, zeros(3, 5)), ValueError, "lfilter", "zi", ("axis", "2", "[3, 5]")
        ),
        "zi_transposed": Bad(
            lambda: polezero.lfilter(*BA, X, 0, zeros(5, 2)), ValueError, "lfilter", "zi", ("axis", "2", "[5, 2]")
        ),
        "zi_rows": Bad(lambda: polezero.lfilter(*BA, X, zi=zeros(3, 2)), ValueError, "lfilter", "zi", ("[3, 2]",)),
        "zi_more_rows_than_x": Bad(
            lambda: polezero.lfilter(*BA, X[:1], zi=zeros(3, 2)), ValueError, "lfilter", "zi", ("[3, 2]",)
        ),
        "zi_more_dimensions_than_x": Bad(
            lambda: polezero.lfilter(*BA, X, zi=zeros(4, 2, 2)), ValueError, "lfilter", "zi", ("[4, 2, 2]",)
        ),
        "zi_of_an_fir_filter": Bad(
            lambda: polezero.lfilter([1.0, 2.0], [1.0], X, zi=zeros(2, 2)), ValueError, "lfilter", "zi", ("1", "[2, 2]")
        ),
        "zi_device": Bad(
            lambda: polezero.lfilter(*BA, X, zi=zeros(2, 2, device="meta")),
            ValueError,
            "lfilter",
            "zi",
            ("cpu", "meta"),
        ),
        "zi_axis_as_given": Bad(
            lambda: polezero.lfilter(*BA, X, 0, zeros(1, 5)), ValueError, "lfilter", "zi", ("along axis 0",)
        ),
        "zi_text": Bad(lambda: polezero.lfilter(*BA, X, zi="abc"), ValueError, "lfilter", "zi", ("'abc'",)),
        "backward_none": Bad(
            lambda: polezero.lfilter(*BA, X, backward=None), TypeError, "lfilter", "backward", ("one_pass", "None")
        ),
        "backward": Bad(
            lambda: polezero.lfilter(*BA, X, backward="three_pass"),
            ValueError,
            "lfilter",
            "backward",
            ("one_pass", "two_pass", "three_pass"),
        ),
    },
    "sensitivity": lfilter_cases("sensitivity"),
    "allpole": {
        "x_scalar": Bad(lambda: polezero.allpole([0.5], torch.tensor(1.0)), ValueError, "allpole", "x", ("dimension",)),
        "x_list": Bad(lambda: polezero.allpole([0.5], [1.0]), TypeError, "allpole", "x", ("Tensor", "list")),
        "x_float8": Bad(
            lambda: polezero.allpole([0.5], X.to(torch.float8_e4m3fn)), TypeError, "allpole", "x", ("Float8_e4m3fn",)
        ),
        "a_rows": Bad(lambda: polezero.allpole(zeros(3, 2), X), ValueError, "allpole", "x", ("[3, 2]", "[2, 5]")),
        "a_device": Bad(
            lambda: polezero.allpole(zeros(2, device="meta"), X), ValueError, "allpole", "a", ("cpu", "meta")
        ),
        "zi_long": Bad(lambda: polezero.allpole([0.5], X, zeros(2, 2)), ValueError, "allpole", "zi", ("1", "[2, 2]")),
        "zi_rows": Bad(lambda: polezero.allpole([0.5], X, zeros(3, 1)), ValueError, "allpole", "zi", ("[3, 1]",)),
        "zi_more_rows_than_x": Bad(
            lambda: polezero.allpole([0.5], X[:1], zeros(3, 1)), ValueError, "allpole", "zi", ("[3, 1]",)
        ),
        "backward": Bad(
            lambda: polezero.allpole([0.5], X, backward=""),
            ValueError,
            "allpole",
            "backward",
            ("one_pass", "two_pass"),
        ),
    },
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
    "initial_states": {
        "zi_b_empty": Bad(lambda: polezero.lfilter_zi([], [1.0]), ValueError, "(lfilter_zi|lfilter)", "b", ("[0]",)),
        "zi_b_float8": Bad(
            lambda: polezero.lfilter_zi(zeros(2).to(torch.float8_e4m3fn), [1.0]), TypeError, "lfilter", "b", ("Float8",)
        ),
        "ic_y_text": Bad(lambda: polezero.lfiltic([1.0], [1.0, 0.5], "abc"), ValueError, "lfiltic", "y", ("'abc'",)),
        "zi_a_empty": Bad(lambda: polezero.lfilter_zi([1.0], []), ValueError, "(lfilter_zi|lfilter)", "a", ("[0]",)),
        "zi_a0": Bad(
            lambda: polezero.lfilter_zi([1.0, 1.0], [0.0, 1.0]), ValueError, "(lfilter_zi|lfilter)", "a", ("0",)
        ),
        "ic_b_empty": Bad(lambda: polezero.lfiltic([], [1.0], [1.0]), ValueError, "(lfiltic|lfilter)", "b", ("[0]",)),
        "ic_a_empty": Bad(lambda: polezero.lfiltic([1.0], [], [1.0]), ValueError, "(lfiltic|lfilter)", "a", ("[0]",)),
        "ic_a0": Bad(
            lambda: polezero.lfiltic([1.0, 1.0], [0.0, 1.0], [1.0]), ValueError, "(lfiltic|lfilter)", "a", ("0",)
        ),
    },
    "core": {
        "dtypes": Bad(
            lambda: core.lfilter_forward(zeros(2), torch.ones(2), X.double(), None),
            TypeError,
            "lfilter",
            "b",
            ("Double",),
        ),
        "integers": Bad(
            lambda: core.lfilter_forward(zeros(2), torch.ones(2), X.long(), None), TypeError, "lfilter", "x", ("Long",)
        ),
        "a0": Bad(lambda: core.lfilter_forward(zeros(2), zeros(2), X, None), ValueError, "lfilter", "a", ("0",)),
        "zi": Bad(
            lambda: core.lfilter_forward(zeros(2), torch.ones(2), X, zeros(2, 2)),
            ValueError,
            "lfilter",
            "zi",
            ("[2, 2]",),
        ),
        "allpole_zi": Bad(
            lambda: core.allpole_forward(zeros(1, 1), X, zeros(2, 2)), ValueError, "allpole", "zi", ("[2, 2]",)
        ),
        "fir": Bad(lambda: core.fir(zeros(1, 0), X), ValueError, "fir", "b", ("[1, 0]",)),
        "fir_time": Bad(lambda: core.fir(zeros(3, 2), X), ValueError, "fir", "b", ("5", "[3, 2]")),
        "fir_no_time": Bad(lambda: core.fir(zeros(2), X), ValueError, "fir", "b", ("5", "[2]")),
        "allpole_time": Bad(lambda: core.allpole_forward(zeros(3, 2), X), ValueError, "allpole", "a", ("5", "[3, 2]")),
        "allpole_shift": Bad(
            lambda: core.allpole_forward(zeros(5, 2), X, None, 1), ValueError, "allpole", "shift", ("0 or -1", "1")
        ),
        "allpole_shift_zi": Bad(
            lambda: core.allpole_forward(zeros(5, 2), X, zeros(2), -1), ValueError, "allpole", "zi", ("-1",)
        ),
        "allpole_reverse_two_pass": Bad(
            lambda: core.allpole_forward(zeros(1, 2), X, None, 0, True, True),
            ValueError,
            "allpole",
            "backward",
            ("one_pass", "two_pass"),
        ),
        "allpole_wide": Bad(
            lambda: core.allpole_forward(zeros(5, 2).double(), X), TypeError, "allpole", "a", ("Float", "Double")
        ),
        "fir_wide": Bad(lambda: core.fir(zeros(5, 2).double(), X), TypeError, "fir", "b", ("Float", "Double")),
        "allpole_two_pass": Bad(
            lambda: core.allpole_forward(zeros(5, 2), X, None, 0, False, True),
            ValueError,
            "allpole",
            "backward",
            ("one_pass", "two_pass"),
        ),
        "lag_product_shift": Bad(
            lambda: core.lag_product(X, X, 2, -1, True), ValueError, "lag_product", "shift", ("0 or 1", "-1")
        ),
        "lag_product_taps": Bad(lambda: core.lag_product(X, X, -1), ValueError, "lag_product", "taps", ("-1",)),
        "lags": Bad(lambda: core.lag_correlation(X, X, -1), ValueError, "lag_correlation", "taps", ("-1",)),
        "lengths": Bad(
            lambda: core.lag_correlation(X, X[:, 1:], 2), ValueError, "lag_correlation", "x", ("5", "[2, 4]")
        ),
    },
}
FLAT = {f"{group}-{name}": bad for group, cases in CASES.items() for name, bad in cases.items()}


@pytest.fixture(params=["grad_mode", "inference_mode"])
def mode(request: pytest.FixtureRequest) -> Iterator[None]:
    with torch.inference_mode(request.param == "inference_mode"):
        yield


@pytest.mark.usefixtures("mode")
@pytest.mark.parametrize("name", FLAT)
def test_bad_input_gets_one_sentence(name: str) -> None:
    bad = FLAT[name]
    with pytest.raises(bad.exception) as raised:
        bad.call()
    message = str(raised.value)
    assert type(raised.value) is bad.exception
    assert "\n" not in message, "one sentence"
    assert re.fullmatch(rf"{bad.op}: ({bad.argument}): expected .+, got .+", message), message
    missing = [word for word in bad.says if not any(one in message for one in word.split("|"))]
    assert not missing, f"{missing} not in {message!r}"


def test_the_wrong_number_of_arguments_is_a_type_error() -> None:
    with pytest.raises(TypeError):
        polezero.lfilter([1.0], [1.0])
    with pytest.raises(TypeError):
        polezero.lfilter([1.0], [1.0], X, -1, None, "one_pass")


@pytest.mark.skipif(
    not torch.cuda.is_available() or polezero._C.build_info()["cuda_archs"] != "none",
    reason="needs a GPU and a build without CUDA kernels",
)
def test_a_build_without_cuda_kernels_says_so() -> None:
    with pytest.raises(NotImplementedError, match="this build of polezero has no CUDA kernels"):
        polezero.lpv.lattice(torch.zeros(2).cuda(), X.cuda())


def test_nothing_is_checked_by_value_on_tensors_without_values() -> None:
    y = polezero.lfilter(zeros(2, device="meta"), zeros(3, device="meta"), X.to("meta"))
    assert isinstance(y, torch.Tensor) and y.device.type == "meta" and y.shape == X.shape
