"""Docstrings and README: their examples run, and no public function lacks the parts that all have."""

import doctest
import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import pytest

import polezero
from polezero import freq, lpv

FUNCTIONS = {
    prefix + name: getattr(module, name)
    for module, prefix in ((polezero, ""), (lpv, "lpv."), (freq, "freq."))
    for name in module.__all__
    if inspect.isfunction(getattr(module, name))
}


@pytest.mark.parametrize("module", [m.name for m in pkgutil.walk_packages(polezero.__path__, "polezero.")])
def test_every_example_prints_what_it_says(module: str) -> None:
    result = doctest.testmod(importlib.import_module(module), optionflags=doctest.NORMALIZE_WHITESPACE)
    assert result.failed == 0
    assert result.attempted >= sum(f.__module__ == module for f in FUNCTIONS.values())


def test_the_example_of_the_readme_runs() -> None:
    readme = Path(__file__).parents[2] / "README.md"
    (example,) = re.findall(r"^```python\n(.*?)^```", readme.read_text(), re.M | re.S)
    exec(compile(example, readme, "exec"), {})


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_says_the_same_things(name: str) -> None:
    text = inspect.getdoc(FUNCTIONS[name]) or ""
    missing = [
        part for part in ("math::", "Args:", "Returns:", "shape", "rror", "Source:", "Example:") if part not in text
    ]
    assert not missing, f"polezero.{name} lacks {missing}"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_is_typed(name: str) -> None:
    signature = inspect.signature(FUNCTIONS[name])
    assert signature.return_annotation is not inspect.Signature.empty
    assert all(p.annotation is not inspect.Parameter.empty for p in signature.parameters.values())
