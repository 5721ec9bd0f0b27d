"""Parameters in physical units: how they are declared, read, assigned, converted and copied."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeVar, cast

import torch
from torch import Tensor
from torch.nn.utils import parametrize

from polezero._arguments import readable
from polezero.nn._checks import FS, number, real, refusal, whole
from polezero.nn._parametrized import rebuilt, share_class
from polezero.nn._ranges import MARGIN, Parametrization, known, within
from polezero.nn.parametrizations import Decibels, Range

__all__ = ["Parameters", "Values"]

Values = dict[str, Tensor]
Kind = TypeVar("Kind", bound=Parametrization)


class Parameters(torch.nn.Module):
    """A module whose attributes are physical parameters."""

    fs: float
    channels: int | None

    def __init__(
        self,
        fs: float,
        *,
        channels: int | None,
        trainable: bool | Collection[str],
        dtype: torch.dtype,
        device: torch.device | str | None,
    ) -> None:
        super().__init__()
        self._ranks: dict[str, int] = {}  # of each parameter, the dimensions that are its own: bands, say
        self._constants: list[str] = []
        self.fs = number(self.refused, "fs", fs, FS, above=0)
        expected = "None or a positive int"
        self.channels = None if channels is None else whole(self.refused, "channels", channels, expected)
        if not isinstance(trainable, bool):
            names = isinstance(trainable, Collection) and not isinstance(trainable, (str, Tensor))
            if not names or not all(isinstance(name, str) for name in trainable):
                raise self.refused("trainable", "True, False or a list of names", repr(trainable))
            trainable = tuple(trainable)
        if not isinstance(dtype, torch.dtype) or dtype not in (torch.float32, torch.float64):
            raise self.refused("dtype", "torch.float32 or torch.float64", repr(dtype))
        self._trainable = trainable
        try:
            self._like = torch.empty((), dtype=dtype, device=device)
        except (TypeError, ValueError, RuntimeError) as error:
            raise self.refused("device", "None or a device of torch", f"{device!r} ({error})") from None

    # ---- what a subclass says

    def declare(
        self, name: str, value: object, parametrization: Parametrization | None, shape: tuple[int, ...] = ()
    ) -> None:
        """Make a parameter that is read and assigned as an attribute in its physical unit.

        Its shape is ``shape`` after a dimension of channels, where the module has them; ``value`` is broadcast to it.
        """
        self._ranks[name] = len(shape)
        full = (*([self.channels] if self.channels else []), *shape)
        tensor = self._fitting(name, value, self._like.expand(full), parametrization)
        trainable = self._trainable
        if trainable is True or (trainable is not False and name in trainable):
            self.register_parameter(name, torch.nn.Parameter(tensor))
        else:
            self.register_buffer(name, tensor)
        if parametrization is not None:
            parametrize.register_parametrization(self, name, parametrization)
            share_class(self)

    def constant(self, name: str, value: Tensor) -> None:
        """Keep a tensor that nobody sets as an attribute, whose values stay as they are wherever the module is moved.

        A buffer would be rounded by ``float()``, and emptied by ``to_empty()``, after which no state dict fills it.
        Made by ``with torch.device("cpu"):`` it has values in a module on the meta device too, and in one that was
        there: where it is used, it goes to the device of the other tensors.
        """
        self._constants.append(name)
        setattr(self, name, value if self._like.is_meta else value.to(self._like.device))

    def ranged(self, name: str, kind: Callable[..., Kind], limits: tuple[float, float], unit: str = "") -> Kind:
        """A parametrization of the range that a constructor has as ``<name>_range``; in Hz it ends below fs / 2."""
        try:
            row = tuple(map(float, limits))
            if len(row) == 2 and (unit != "Hz" or row[1] < self.fs / 2):
                return kind(*row, unit) if unit else kind(*row)
        except (TypeError, ValueError, RuntimeError, OverflowError):
            pass
        above = "" if kind in (Range, Decibels) else " above 0"
        below = f"{above and ' and'} below fs / 2 = {self.fs / 2:g} Hz" if unit == "Hz" else ""
        raise self.refused(f"{name}_range", f"two rising numbers{above}{below}", repr(limits))

    def declared(self) -> None:
        """The last word of a constructor."""
        if not isinstance(self._trainable, bool):
            for name in self._trainable:
                if name not in self._ranks:
                    raise self.refused("trainable", f"True, False or names out of {', '.join(self._ranks)}", name)

    # ---- attributes

    def values(self, **given: Tensor | float) -> Values:
        """The parameters, or what is given instead of them, as tensors ``[..., *own]``."""
        values = self.tensors(given)
        for name in given:
            own, value = getattr(self, name).shape, values[name]
            own = own[len(own) - self._ranks[name] :]
            if value.shape[value.dim() - self._ranks[name] :] != own:
                raise self.refused(name, f"a number, or shape {['...', *own]}".replace("'", ""), list(value.shape))
            self.check_given(name, value)
        return values

    def tensors(self, given: Mapping[str, Tensor | float]) -> Values:
        """The same, of any shapes and any values."""
        for name in given:
            if name not in self._ranks:
                raise TypeError(
                    f"{self._get_name()}: expected parameters out of {', '.join(self._ranks) or 'none'}, got {name}"
                )
        own = {name: getattr(self, name) for name in self._ranks if name not in given}
        device = next((t.device for t in own.values()), torch.device("cpu"))
        passed = {name: self._given(name, value, device) for name, value in given.items()}
        return {name: own.get(name, passed.get(name)) for name in self._ranks}  # type: ignore[misc]

    def _given(self, name: str, value: object, device: torch.device) -> Tensor:
        """A value as a tensor; one number stands for all that a parameter has."""
        tensor = real(self.refused, name, value, device=device)
        rank = self._ranks[name]
        return tensor.expand(getattr(self, name).shape[-rank:]) if rank and not tensor.dim() else tensor

    def check_given(self, name: str, value: Tensor) -> None:
        """Values of a call are held to the rule of assignment, where they may be looked at without waiting for them."""
        if readable(value):
            self._check(name, value.detach(), self._ours(name), margin=0.0)

    def _check(self, name: str, value: Tensor, range_: Parametrization | None, margin: float = MARGIN) -> None:
        if not within(value, -sys.float_info.max, sys.float_info.max):
            raise self.refused(name, "finite numbers", _shown(value))
        if range_ is not None and not range_.fits(value, margin):
            raise self.refused(name, range_.expected, _shown(value))

    def refused(self, name: str, expected: str, got: object) -> ValueError:
        """The one sentence of bad input."""
        return refusal(self._get_name())(name, expected, got)

    def _stages(self, name: str) -> list[Any]:
        """The parametrizations of a parameter: ours, and what a user registers."""
        lists: Any = self._modules.get("parametrizations")
        return list(lists[name]) if lists is not None and name in lists else []

    def _ours(self, name: str) -> Parametrization | None:
        """The range of a parameter, where it is the module's own: a user's parametrizations have theirs."""
        stages = self._stages(name)
        return stages[0] if len(stages) == 1 and isinstance(stages[0], Parametrization) else None

    def _fitting(self, name: str, value: object, like: Tensor, parametrization: Parametrization | None) -> Tensor:
        """A value as a tensor of the parameter's shape, in its range."""
        tensor = real(self.refused, name, value).detach().to(like)
        try:
            tensor = tensor.broadcast_to(like.shape).clone()
        except RuntimeError:
            raise self.refused(name, f"a value that broadcasts to {list(like.shape)}", list(tensor.shape)) from None
        if known(tensor):
            self._check(name, tensor, parametrization)
        return tensor

    def __setattr__(self, name: str, value: Any) -> None:
        """An assigned parameter is checked and copied in; nothing is changed where it does not fit."""
        if name == "fs" and name in self.__dict__:  # ranges, and what a subclass computed, are of that rate
            raise self.refused("fs", f"the {self.fs:g} Hz that the module was made for", value)
        if name not in self.__dict__.get("_ranks", ()) or not hasattr(self, name):
            return super().__setattr__(name, value)
        stages = self._stages(name)
        lists: Any = self._modules.get("parametrizations")
        original = lists[name].original if stages else getattr(self, name)
        with torch.no_grad():
            tensor = self._fitting(name, value, cast(Tensor, getattr(self, name)), self._ours(name))
            for stage in reversed(stages):
                tensor = stage.right_inverse(tensor)
            original.copy_(tensor)
        parametrize._cache.pop((id(self), name), None)

    # ---- torch.nn.Module

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Parameters:
        def kept(t: Tensor) -> Tensor:
            moved = fn(t)
            return t.to(moved.device) if _is_narrow(moved) else moved

        super()._apply(kept, recurse)  # type: ignore[no-untyped-call]
        for name in self._constants:
            constant = getattr(self, name)
            if (device := fn(constant).device).type != "meta":
                setattr(self, name, constant.to(device))
        return self

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        for name, own in (*self.named_parameters(), *self.named_buffers()):
            loaded = state_dict.get(prefix + name)
            if name.partition(".")[0] in (*self._ranks, "parametrizations") and loaded is not None:
                state_dict[prefix + name] = loaded.to(own.dtype) if _is_narrow(loaded) else loaded
        super()._load_from_state_dict(state_dict, prefix, *rest)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled as its own class with its parametrizations beside it: torch refuses classes that it made for them."""
        state = dict(self.__dict__)
        modules = dict(state["_modules"])
        lists = modules.pop("parametrizations", {})
        return rebuilt, (parametrize.type_before_parametrizations(self), {**state, "_modules": modules}, dict(lists))

    def _get_name(self) -> str:
        return parametrize.type_before_parametrizations(self).__name__

    def __repr__(self) -> str:
        children = {k: v for k, v in self._modules.items() if k != "parametrizations"}
        lines = [f"({name}): {module!r}".replace("\n", "\n  ") for name, module in children.items()]
        inner = "\n  ".join([self.extra_repr(), *lines]) if lines else self.extra_repr()
        return f"{self._get_name()}({inner})"

    def extra_repr(self) -> str:
        shown = [f"{name}={_written(getattr(self, name))}" for name in self._ranks]
        return ", ".join([*shown, f"fs={self.fs:g}", *([f"channels={self.channels}"] if self.channels else [])])


def _is_narrow(t: Tensor) -> bool:
    """Whether the dtype is float16 or the like, in which no filter has parameters."""
    return t.is_floating_point() and t.element_size() < 4


def _shown(value: Tensor) -> str:
    """For messages: the values, or of many their ends."""
    if value.numel() <= 16:
        return str(value.tolist())
    least, greatest = torch.aminmax(value)
    return f"{list(value.shape)} of {least:g} to {greatest:g}"


def _written(value: Tensor) -> str:
    if value.numel() > 16 or value.is_meta:
        return f"[{' x '.join(map(str, value.shape))}]"
    numbers = [f"{v:.4g}" for v in value.detach().flatten().tolist()]
    return numbers[0] if not value.dim() else f"[{', '.join(numbers)}]"
