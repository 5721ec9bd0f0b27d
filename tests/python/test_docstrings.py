"""Docstrings and README: their examples run, and no public function lacks the parts that all have."""

import doctest
import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import pytest
import torch
from public import FUNCTIONS, small_calls, takes_zi

import polezero

MODULES = ["polezero", *(m.name for m in pkgutil.walk_packages(polezero.__path__, "polezero."))]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_example_prints_what_it_says(name: str) -> None:
    (test,) = doctest.DocTestFinder(recurse=False).find(FUNCTIONS[name], name)
    result = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(test)
    assert result.failed == 0 and result.attempted > 0


@pytest.mark.parametrize("module", MODULES)
def test_so_do_those_of_modules_and_of_what_is_not_public(module: str) -> None:
    assert doctest.testmod(importlib.import_module(module), optionflags=doctest.NORMALIZE_WHITESPACE).failed == 0


@pytest.mark.parametrize("name", ["README.md", "docs/modules.md"])
def test_the_example_of_a_document_runs(name: str) -> None:
    document = Path(__file__).parents[2] / name
    (example,) = re.findall(r"^```python\n(.*?)^```", document.read_text(), re.M | re.S)
    exec(compile(example, document, "exec"), {})


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_says_the_same_things(name: str) -> None:
    text = " ".join((inspect.getdoc(FUNCTIONS[name]) or "").split())
    parts = ["math::", "Args:", "Returns:", "shape", "rror", "Source:", "Example:"]
    missing = [part for part in (*parts, *(["roadcast", "is rest"] if takes_zi(name) else [])) if part not in text]
    assert not missing, f"polezero.{name} lacks {missing}"


@pytest.mark.parametrize("name", [n for n in FUNCTIONS if takes_zi(n)])
def test_functions_say_that_y_is_kept_for_the_gradient(name: str) -> None:
    inputs = {
        k: t.requires_grad_() if torch.is_tensor(t) and t.is_floating_point() else t
        for k, t in small_calls()[name].items()
    }
    y = FUNCTIONS[name](**inputs)
    y.mul_(2)
    text = " ".join((inspect.getdoc(FUNCTIONS[name]) or "").split())

    try:
        y.abs().sum().backward()
        kept = False
    except RuntimeError as error:
        assert "modified by an inplace operation" in str(error)
        kept = True
    assert kept == ("kept for the gradient" in text), f"y is {'' if kept else 'not '}kept for the gradient: say so"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_is_typed(name: str) -> None:
    signature = inspect.signature(FUNCTIONS[name])
    assert signature.return_annotation is not inspect.Signature.empty
    assert all(p.annotation is not inspect.Parameter.empty for p in signature.parameters.values())
