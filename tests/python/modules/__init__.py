"""What the tests know of the modules of `polezero.nn`: a file for each family, all of which are found by listing."""

import importlib
import pkgutil

from modules.case import ModuleCase

CASES: dict[str, ModuleCase] = {}
for found in pkgutil.iter_modules(__path__):
    for case in getattr(importlib.import_module(f"modules.{found.name}"), "CASES", ()):
        assert case.label not in CASES
        CASES[case.label] = case
