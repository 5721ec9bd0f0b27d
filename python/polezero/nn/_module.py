"""What the modules share: physical parameters, their places beside a signal, state, serialisation."""

from __future__ import annotations

import functools
import numbers
import types
from collections.abc import Callable, Collection, Mapping
from typing import Any, TypedDict, cast

import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from polezero.nn._checks import is_number, truth
from polezero.nn._frames import Timeline
from polezero.nn._parameters import Parameters, Values
from polezero.nn._stream import Kept, Stream

__all__ = ["FilterModule", "Options", "Values"]

Memory = tuple[Tensor, ...]
State = tuple[int | Tensor, Memory]  # how many samples came before, and what is left of them


class Options(TypedDict, total=False):
    """The keyword arguments that all modules have."""

    channels: int | None
    trainable: bool | Collection[str]
    stateful: bool
    save_state: bool
    dtype: torch.dtype
    device: torch.device | str | None


class FilterModule(Parameters):
    """A filter with parameters in physical units.

    A subclass declares its parameters with `declare`, and filters with `filter`; it gets the rest from here.

    Args:
        fs: Sampling frequency in Hz.
        channels: With a number, each channel has parameters of its own, and the signal is ``[..., channels, T]``.
            With None all channels share one set.
        trainable: Whether the parameters are trained, or the names of those that are; the others are buffers.
        stateful: Whether a call goes on where the one before ended, with its state detached, as truncated
            backpropagation wants. ``reset()`` starts anew.
        save_state: Whether that state is in the ``state_dict``.
        dtype: Of the parameters, float32 or float64. ``half()`` and ``bfloat16()`` leave it as it is: the
            coefficients of a filter near the unit circle have no room for less.
        device: Of the parameters.

    An attribute is computed at each read, so that a write into ``module.gain[0]`` or ``module.gain.data`` is lost:
    assign the whole. What is assigned is copied, without its gradient. Values that are given to a call are held to the
    same ranges by the same sentence, but for what only keeps training from a border: where they may be looked at
    without waiting, which is on the CPU, outside of graphs and transforms. A network's outputs go through one of
    :mod:`polezero.nn.parametrizations` first, or the module is made with a wider range.
    """

    counts = False  # whether the shape of a chunk's result depends on how many samples came before it

    def __init__(
        self,
        fs: float,
        *,
        channels: int | None = None,
        trainable: bool | Collection[str] = True,
        stateful: bool = False,
        save_state: bool = False,
        dtype: torch.dtype = torch.float64,
        device: torch.device | str | None = None,
    ) -> None:
        super().__init__(fs, channels=channels, trainable=trainable, dtype=dtype, device=device)
        self._saved = truth(self.refused, "save_state", save_state)
        self._stream = Kept() if truth(self.refused, "stateful", stateful) or save_state else None

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "forward" not in cls.__dict__:
            # A code object of its own: torch.compile keeps its graphs by code object, eight at most.
            own = FilterModule.forward
            code = own.__code__.replace(co_name=own.__name__)
            made = types.FunctionType(code, own.__globals__, own.__name__, own.__defaults__, own.__closure__)
            made.__kwdefaults__ = own.__kwdefaults__
            cls.forward = functools.update_wrapper(made, own)  # type: ignore[method-assign]

    # ---- what a subclass says

    def filter(self, x: Tensor, values: Values, time: Timeline, memory: Memory | None) -> tuple[Tensor, Memory | None]:
        """The samples of ``x`` filtered, and the state after them where ``memory``, that before them, is not None.

        ``values`` has the parameters, each ``[..., *own]`` with leading dimensions that broadcast against those of
        ``x``; where ``time.varies`` they have one more for time, ``[..., F or T or 1, *own]``.
        """
        raise NotImplementedError

    def rest(self, x: Tensor, values: Values, time: Timeline) -> Memory:
        """The state before a signal that begins at rest."""
        raise NotImplementedError

    # ---- calls

    def forward(self, x: Tensor, *, hop: int | None = None, **values: Tensor | float) -> Tensor:
        """Filter ``x``, of shape ``[..., T]`` or ``[..., channels, T]``.

        Parameters that are given stand in for the module's own, in their physical units: a number, ``[batch]`` for
        each item, ``[batch, T]`` for each sample, or with ``hop`` ``[batch, F]`` for each frame, of which frame f
        holds at sample ``f * hop``; between two frames the coefficients are interpolated, after the last one they
        stay. ``channels``, where the module has them, come after ``batch``; dimensions of the parameter's own, such as
        bands, come last. Without a batch, for ``x`` of shape ``[T]``, there is no ``batch`` there either.
        """
        if self._stream is not None:
            return self._stream.run(self, x, hop, values)
        return self._run(x, None, 0, hop, values)[0]

    def step(
        self, x: Tensor, state: State | None = None, *, hop: int | None = None, **values: Tensor | float
    ) -> tuple[Tensor, State]:
        """Filter ``x`` from a state, None for rest, to the state after it: what :class:`Stream` does for each chunk."""
        position = 0 if state is None else state[0]
        y, memory = self._run(x, () if state is None else state[1], position, hop, values)
        return y, (position + x.shape[-1], cast(Memory, memory))

    def stream(self, fs: float | None = None, *, attached: bool = False) -> Stream:
        """Begin a signal that comes in chunks; see :class:`Stream`."""
        if fs is not None and not (is_number(fs, numbers.Real) and fs == self.fs):
            raise self.refused("fs", f"the {self.fs:g} Hz that the module was made for", repr(fs))
        return Stream(self, attached=attached)

    def reset(self) -> None:
        """Forget what a stateful module keeps from call to call."""
        if self._stream is not None:
            self._stream.reset()

    def _run(
        self,
        x: Tensor,
        memory: Memory | None,
        position: int | Tensor,
        hop: int | None,
        values: Mapping[str, Tensor | float],
    ) -> tuple[Tensor, Memory | None]:
        x = self.checked(x)
        placed, time = self._beside(x, position, hop, values)
        if memory == ():
            memory = self.rest(x, placed, time)
        return self.filter(x, placed, time, memory)

    def checked(self, x: Tensor) -> Tensor:
        """A signal, whole numbers as floats, which is how all functions take them."""
        if not isinstance(x, Tensor):
            raise TypeError(f"{self._get_name()}: x: expected a torch.Tensor, got {type(x).__name__}")
        if not x.dim() or (self.channels and (x.dim() < 2 or x.shape[-2] != self.channels)):
            shape = f"[..., {self.channels}, T] for {self.channels} channels" if self.channels else "[..., T]"
            raise self.refused("x", f"a signal of shape {shape}", list(x.shape))
        return x if x.is_floating_point() or x.is_complex() else x.to(torch.get_default_dtype())

    # ---- parameters beside a signal

    def _beside(
        self, x: Tensor, position: int | Tensor, hop: int | None, given: Mapping[str, Tensor | float]
    ) -> tuple[Values, Timeline]:
        given = {name: value for name, value in given.items() if value is not None}
        values = self.tensors(given)
        inner = 1 if self.channels else 0
        outer = min(x.dim() - 1 - inner, 1)  # whether there is a batch
        varies = {name: values[name].dim() - self._ranks[name] == outer + inner + 1 for name in given}
        self._check_frames(hop, {name: values[name].shape[-1 - self._ranks[name]] for name in given if varies[name]})
        time = Timeline(any(varies.values()), hop, position, x.shape[-1], self._get_name())
        for name, value in values.items():
            if name in given:
                self._check_places(name, value, x, outer, inner, varies[name], hop)
                self.check_given(name, value)
                between = x.dim() - 1 - inner - outer  # channels that share the values
                leading = value.dim() - self._ranks[name] - (1 if varies[name] else 0)
                if leading and between > 0:
                    value = value[(slice(None),) * outer + (None,) * between]
            if time.varies and not varies.get(name, False):
                value = value.unsqueeze(value.dim() - self._ranks[name])
            values[name] = value
        return values, time

    def _check_frames(self, hop: int | None, frames: Mapping[str, int]) -> None:
        if hop is not None:
            if not (isinstance(hop, torch.SymInt) or is_number(hop, numbers.Integral)) or hop < 1:
                raise self.refused("hop", "None or a positive int", repr(hop))
            counts = list(frames.values())
            if any(n != counts[0] for n in counts[1:]):
                got = ", ".join(f"{n} of {name}" for name, n in frames.items())
                raise self.refused("hop", "as many frames of each parameter", got)

    def _check_places(
        self, name: str, value: Tensor, x: Tensor, outer: int, inner: int, varies: bool, hop: int | None
    ) -> None:
        rank = self._ranks[name]
        own = getattr(self, name).shape
        own = list(own[len(own) - rank :])
        item = [*x.shape[:outer], *([self.channels] if inner else [])]
        leading = list(value.shape[: value.dim() - rank])
        expected = [*item, *([leading[-1] if hop else x.shape[-1]] if varies else [])]
        fits = len(leading) in (0, len(expected)) and list(value.shape[value.dim() - rank :]) == own
        if not fits or any(n not in (1, m) for n, m in zip(leading, expected)):
            frames = "F frames of hop samples" if hop else "samples (or F frames, with hop=)"
            varying = str([*item, "F" if hop else x.shape[-1], *own]).replace("'", "")
            shapes = f"a number, shape {[*item, *own]}, or {varying} of {frames}"
            raise self.refused(name, f"{shapes}, beside x of shape {list(x.shape)}", list(value.shape))

    # ---- torch.nn.Module

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> FilterModule:
        super()._apply(fn, recurse)
        if self._stream is not None and self._stream.state is not None:
            position, memory = self._stream.state
            self._stream.state = int(position), tree_map(lambda t: t.to(fn(t).device), memory)
        return self

    def _save_to_state_dict(self, destination: dict[str, Any], prefix: str, keep_vars: bool) -> None:
        super()._save_to_state_dict(destination, prefix, keep_vars)
        if self._saved and self._stream is not None and self._stream.state is not None:
            position, memory = self._stream.state
            leading, dtype = cast(tuple[Any, ...], self._stream.like)
            destination[f"{prefix}state.position"] = torch.tensor(int(position))
            destination[f"{prefix}state.signal"] = torch.empty(*leading, 0, dtype=dtype)  # its like, without samples
            for k, tensor in enumerate(memory):
                destination[f"{prefix}state.{k}"] = tensor if keep_vars else tensor.detach()

    def _load_from_state_dict(
        self, state_dict: dict[str, Any], prefix: str, metadata: Any, strict: bool, missing: list[str], *rest: Any
    ) -> None:
        if self._saved and self._stream is not None:
            kept = {name: state_dict.pop(name) for name in list(state_dict) if name.startswith(f"{prefix}state.")}
            parts = ("position", "signal", *range(len(kept) - 2)) if kept else ()
            names = [f"{prefix}state.{part}" for part in parts]
            missing.extend(name for name in names if name not in kept)
            if kept.keys() == set(names):
                self._stream.reset()
                if kept:
                    position, signal, *memory = (kept[name].clone() for name in names)
                    self._stream.state = int(position), tuple(memory)
                    self._stream.like = tuple(signal.shape[:-1]), signal.dtype
        super()._load_from_state_dict(state_dict, prefix, metadata, strict, missing, *rest)
