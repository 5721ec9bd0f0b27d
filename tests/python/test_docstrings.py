"""Docstrings and README: their examples run, and no public function lacks the parts that all have."""

import doctest
import inspect
import re
from pathlib import Path

import pytest

import polezero
from polezero import functional, reference

FUNCTIONS = [name for name in polezero.__all__ if inspect.isfunction(getattr(polezero, name))]


def test_every_example_prints_what_it_says() -> None:
    for module in (functional, reference):
        result = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE)
        assert result.failed == 0
        assert result.attempted >= (len(FUNCTIONS) if module is functional else 0)


def test_the_example_of_the_readme_runs() -> None:
    readme = Path(__file__).parents[2] / "README.md"
    (example,) = re.findall(r"^```python\n(.*?)^```", readme.read_text(), re.M | re.S)
    exec(compile(example, readme, "exec"), {})


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_says_the_same_things(name: str) -> None:
    text = inspect.getdoc(getattr(polezero, name)) or ""
    missing = [
        part for part in ("math::", "Args:", "Returns:", "shape", "rror", "Source:", "Example:") if part not in text
    ]
    assert not missing, f"polezero.{name} lacks {missing}"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_is_typed(name: str) -> None:
    signature = inspect.signature(getattr(polezero, name))
    assert signature.return_annotation is not inspect.Signature.empty
    assert all(p.annotation is not inspect.Parameter.empty for p in signature.parameters.values())
