"""How the functions answer to ``__torch_function__``: tensor-likes, the proxies of torch.fx, TorchFunctionMode."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar, cast

from torch.overrides import handle_torch_function, has_torch_function

Function = TypeVar("Function", bound=Callable[..., Any])


def overridable(function: Function) -> Function:
    """Make a function public: an argument with ``__torch_function__``, or one in a system, gets the call instead.

    It gets it as it is. So torch.fx sees one node, whose target has the public name and not that of the private module.
    A plain tensor or parameter takes the short way.
    """

    def public(*args: Any, **kwargs: Any) -> Any:
        values = (*args, *kwargs.values()) if kwargs else args
        system = args[0] if args else kwargs.get("system")
        if type(system) is tuple:  # such as (b, a)
            values = (*values, *system)
        if has_torch_function(values):
            return handle_torch_function(public, values, *args, **kwargs)
        return function(*args, **kwargs)

    # A code object of its own: torch.compile keeps its graphs by code object, eight at most.
    public.__code__ = public.__code__.replace(co_name=function.__name__)
    functools.update_wrapper(public, function)
    public.__module__ = function.__module__.partition("._")[0]
    return cast(Function, public)
