"""The cases themselves: none is missing, and each says why it stays out of what it stays out of."""

import inspect

import pytest
import torch
from cases import ALL, EXAMPLES, FAMILIES, OPS, SIZED
from cases.case import CONCERNS, NO_SIGNAL, Bound

import polezero
from polezero import freq, lpv

PUBLIC = {
    prefix + name
    for module, prefix in ((polezero, ""), (lpv, "lpv."), (freq, "freq."))
    for name in module.__all__
    if inspect.isfunction(getattr(module, name))
}


def test_every_public_function_has_a_case() -> None:
    assert PUBLIC == set(ALL)
    assert sum(len(family.CASES) for family in FAMILIES) == len(ALL), "one each"


def test_every_registered_op_has_arguments() -> None:
    names = torch._C._dispatch_get_all_op_names()
    assert {name.removeprefix("polezero::") for name in names if name.startswith("polezero::")} == set(OPS)
    assert sum(len(case.ops) for case in ALL.values()) == len(OPS), "in one case each"


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
