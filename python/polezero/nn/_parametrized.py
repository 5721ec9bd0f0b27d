"""What torch's parametrizations need beside them for modules that are pickled, copied, compiled and stacked."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils import parametrize

__all__ = ["rebuilt", "share_class"]


class _Shared(type):
    """Of a class that all modules of a kind have, whatever of them is parametrized.

    Torch makes one for each object, whose properties know that object: ensembles
    (:func:`torch.func.stack_module_state`) would see models of different kinds, and torch.compile a graph for each.
    """

    def __setattr__(cls, name: str, value: object) -> None:
        """Torch sets a property on the class of a module that it parametrizes."""
        super().__setattr__(name, _attribute(name) if isinstance(value, property) else value)

    def __delattr__(cls, name: str) -> None:
        """Torch deletes it where it removes a parametrization, which leaves those of the other modules here."""


_shared: dict[type, _Shared] = {}


def _attribute(name: str) -> property:
    """The value of what is parametrized, by its parametrizations in the module that it is read from."""

    def read(module: torch.nn.Module) -> Tensor:
        lists: Any = module._modules.get("parametrizations")
        if lists is None or name not in lists:
            raise AttributeError(name)  # where it is a plain parameter, torch.nn.Module finds it then
        if not parametrize._cache_enabled:
            return lists[name]()  # type: ignore[no-any-return]
        key = id(module), name
        if key not in parametrize._cache:
            parametrize._cache[key] = lists[name]()
        return parametrize._cache[key]  # type: ignore[return-value]

    def assign(module: torch.nn.Module, value: Tensor) -> None:
        module.parametrizations[name].right_inverse(value)  # type: ignore[index,union-attr]

    return property(read, assign)


def share_class(module: torch.nn.Module) -> None:
    """One class for all modules of a kind, in place of that which torch made of a module that it parametrized."""
    made = type(module)
    if isinstance(made, _Shared) or not parametrize.is_parametrized(module):
        return
    kind = parametrize.type_before_parametrizations(module)
    own = dict(made.__dict__)
    names = [name for name, value in own.items() if isinstance(value, property)]
    if kind not in _shared:
        _shared[kind] = _Shared(made.__name__, (kind,), {k: v for k, v in own.items() if k not in names})
    for name in names:
        setattr(_shared[kind], name, own[name])
    module.__class__ = _shared[kind]  # type: ignore[assignment]


def rebuilt(kind: type[torch.nn.Module], state: dict[str, Any], lists: Mapping[str, Any]) -> torch.nn.Module:
    """The module that was pickled."""
    module = kind.__new__(kind)
    module.__dict__.update(state)
    module._stream = copy.copy(module._stream)  # which goes its own way, of a module that is copied by copy.copy()
    for name, saved in lists.items():
        # A place is parametrized, whose list is then the saved one: its values may be out of range, NaN of a training
        # that diverged.
        module.register_buffer(name, torch.empty(0))
        parametrize.register_parametrization(module, name, torch.nn.Identity(), unsafe=True)
        module.parametrizations[name] = saved  # type: ignore[index,operator]
    share_class(module)
    return module
