"""Signals that come in chunks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_map

if TYPE_CHECKING:
    from polezero.nn._module import FilterModule

__all__ = ["Kept", "Stream"]


class Kept:
    """What is kept from chunk to chunk: the place in the signal with the state there, and the signal's like."""

    def __init__(self, *, attached: bool = False) -> None:
        self.attached = attached
        self.reset()

    def reset(self) -> None:
        """Forget all: the next chunk begins a new signal."""
        self.state: Any = None
        self.like: tuple[Any, ...] | None = None

    def run(self, module: FilterModule, x: Tensor, hop: int | None, values: Mapping[str, Tensor | float]) -> Tensor:
        """Filter the next chunk."""
        x = module.checked(x)
        like = (tuple(x.shape[:-1]), x.dtype)
        if self.like is not None and like != self.like:
            expected = f"chunks of {self.like[1]} with leading shape {list(self.like[0])}, as before (or reset())"
            raise module.refused("x", expected, f"{x.dtype} with {list(like[0])}")
        if self.state is not None and not torch.compiler.is_compiling():
            # Of tensors that were made in inference mode no gradient may be taken.
            kept = tree_map(lambda t: t.clone() if t.is_inference() else t, self.state[1])
            self.state = int(self.state[0]), kept
        y, (position, memory) = module.step(x, self.state, hop=hop, **values)
        if torch.compiler.is_compiling() and not module.counts:
            # For a number behind a module torch.compile makes a graph for each of its values.
            position = torch.as_tensor(position, device=x.device)
        self.state = position, memory if self.attached else tree_map(Tensor.detach, memory)
        self.like = like
        return y


class Stream(Kept):
    """A module that goes on from chunk to chunk: the chunks' results are those of the whole signal.

    ``module.stream()`` makes one. Chunks have any number of samples, none too; all have the leading shape and dtype of
    the first. A parameter that changes, of the module or given to a call, holds from the next sample on; the state goes
    on as it is. Frames, where they are given with ``hop``, are for each chunk those from the last one that is not
    after its first sample.

    Args:
        module: What filters. Its parameters are not copied: they may be trained and assigned while the stream runs.
        attached: Whether gradients go back through the state into the chunks before; else it is detached.

    Errors: ValueError where a chunk has another leading shape or dtype than the one before; nothing is changed then.

    Example:
        >>> import torch, polezero
        >>> module = polezero.nn.Biquad("lowpass", 50.0, fs=1000)
        >>> x, stream = torch.randn(100), module.stream()
        >>> chunked = torch.cat([stream(x[:30]), stream(x[30:])])
        >>> torch.testing.assert_close(chunked, module(x))
    """

    def __init__(self, module: FilterModule, *, attached: bool = False) -> None:
        self.module = module
        super().__init__(attached=attached)

    def __call__(self, x: Tensor, *, hop: int | None = None, **values: Tensor | float) -> Tensor:
        return self.run(self.module, x, hop, values)
