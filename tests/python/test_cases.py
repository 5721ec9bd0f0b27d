"""The cases themselves: none is missing, and each says why it stays out of what it stays out of."""

import inspect

import pytest
import torch
from cases import ALL, EXAMPLES, FAMILIES, OPS, SIZED
from cases.case import CONCERNS, NO_SIGNAL, Bound
from cases.torchaudio import THIN
from public import FUNCTIONS


def test_every_public_function_has_a_case() -> None:
    assert set(FUNCTIONS) - set(THIN) == set(ALL), (
        "each has a Case in a file of tests/python/cases that is one of FAMILIES"
    )
    assert sum(len(family.CASES) for family in FAMILIES) == len(ALL), "one each"


def test_every_registered_op_has_arguments() -> None:
    names = torch._C._dispatch_get_all_op_names()
    registered = {name.removeprefix("polezero::") for name in names if name.startswith("polezero::")}
    assert registered == set(OPS), "each has arguments in `ops` of one Case"
    assert sum(len(case.ops) for case in ALL.values()) == len(OPS), "in one case each"


AUTOCAST = {"AutocastCPU", "AutocastCUDA"}
# Of which torch makes the kernels of all devices and of autograd: what users call is a composite.
COMPOSITE = {"CompositeImplicitAutograd", "FuncTorchBatchedDecomposition"}
CORE = {"CPU", "CUDA", "Meta", "Autograd", "FuncTorchBatched", "Batched"} | AUTOCAST
OF_COEFFICIENTS = {"lfilter_zi", "lfiltic", "sosfilt_zi", "parallel_form", "diagonalise", "freq_response", "freq_comb"}
USER_OPS = {op: name for name in ALL if (op := name.replace(".", "_")) in ALL[name].ops}


@pytest.mark.parametrize("op", OPS)
def test_every_op_has_its_kernels_and_no_other(op: str) -> None:
    keys = {key for key in COMPOSITE | CORE if torch._C._dispatch_has_kernel_for_dispatch_key(f"polezero::{op}", key)}
    of_users = COMPOSITE if op in OF_COEFFICIENTS else COMPOSITE | AUTOCAST
    assert keys == (of_users if op in USER_OPS else CORE)


def test_no_kernel_is_without_a_schema() -> None:
    assert not [impl for impl in torch._C._dispatch_find_dangling_impls() if "polezero" in impl]


# What is Python's alone: parameters of SciPy's that have one value, points that are scaled before the op.
ONLY_IN_PYTHON = {
    **dict.fromkeys(("lfilter_zi", "lfiltic", "sosfilt_zi"), "dtype"),
    **dict.fromkeys(("cspline1d_eval", "qspline1d_eval"), "dx x0"),
    **dict.fromkeys(("cspline2d", "symiirorder1", "symiirorder2"), "precision"),
    "qspline1d": "lamb",
    "qspline2d": "lamb precision",
}


@pytest.mark.parametrize("op", USER_OPS)
def test_a_schema_has_the_arguments_of_the_function_in_its_order(op: str) -> None:
    schema = getattr(torch.ops.polezero, op).default._schema
    function = inspect.signature(ALL[USER_OPS[op]].function).parameters
    only_in_python = ONLY_IN_PYTHON.get(op, "").split()
    assert set(only_in_python) <= set(function)
    assert [argument.name for argument in schema.arguments] == [n for n in function if n not in only_in_python]
    for argument in schema.arguments:
        default = function[argument.name].default
        assert argument.has_default_value() == (default is not inspect.Parameter.empty)
        assert not argument.has_default_value() or argument.default_value == default


@pytest.mark.parametrize("name", ALL)
def test_what_a_case_stays_out_of_has_a_reason(name: str) -> None:
    case = ALL[name]
    reasons = [case.opt_out, *(call.opt_out for call in (*case.examples.values(), *case.sized.values()))]
    assert all(concern in CONCERNS and reason for of_call in reasons for concern, reason in of_call.items())
    assert case.examples and case.bad
    assert case.sized or set(NO_SIGNAL) <= set(case.opt_out), "neither signals of any size nor a reason"


@pytest.mark.parametrize("example", [*EXAMPLES, *SIZED], ids=lambda example: example.id)
def test_arguments_have_the_names_of_the_function(example: Bound) -> None:
    known = inspect.signature(example.function).parameters
    inputs = example.small(torch.float64) if example in EXAMPLES else example.sized(2, 9, torch.float64)
    assert len(inputs) == len(set(inputs))
    if "others" not in known:
        assert set(inputs) | set(example.call.options) <= set(known)
