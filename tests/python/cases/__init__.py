"""All public functions, each with what the tests know of it: a new one is one `Case` in one file of this folder."""

import pkgutil
from collections.abc import Mapping
from importlib import import_module

from cases.case import Arguments, Bound, Case

_MODULES = (import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__))
FAMILIES = [module for module in _MODULES if hasattr(module, "CASES")]
ALL: dict[str, Case] = {case.name: case for family in FAMILIES for case in family.CASES}
OPS: dict[str, Mapping[str, Arguments]] = {name: op for case in ALL.values() for name, op in case.ops.items()}
EXAMPLES = [Bound(case, label, call) for case in ALL.values() for label, call in case.examples.items()]
SIZED = [Bound(case, label, call) for case in ALL.values() for label, call in case.sized.items()]
# Each function's example with all arguments, and others that take another way.
MAIN = [bound for bound in EXAMPLES if bound.call.main or bound.label == next(iter(bound.case.examples))]
