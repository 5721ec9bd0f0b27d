"""Bad input: the exact exception, in one sentence that names the op, the argument, what was expected and what came."""

import re
from collections.abc import Iterator

import pytest
import torch
from cases_errors import CASES as CASES_OF_OTHER_FILTERS
from cases_errors import Bad, X, zeros

import polezero

BA = ([1.0, 0.5], [1.0, 0.5, 0.25])  # P = 2
core = torch.ops.polezero


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
    **CASES_OF_OTHER_FILTERS,
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
