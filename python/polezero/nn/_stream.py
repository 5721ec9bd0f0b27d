"""Signals that come in chunks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_map

if TYPE_CHECKING:
    from polezero.nn._module import FilterModule

__all__ = ["Stream"]


class Stream:
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
        self._module = [module]  # in a list, which keeps it from being a child of the module that owns the stream
        self.attached = attached
        self.reset()

    def reset(self) -> None:
        """Forget all: the next chunk begins a new signal."""
        self.state: Any = None
        self._like: tuple[Any, ...] | None = None

    def __call__(self, x: Tensor, *, hop: int | None = None, **values: Tensor | float) -> Tensor:
        module = self._module[0]
        x = module.checked(x)
        like = (tuple(x.shape[:-1]), x.dtype)
        if self._like is not None and like != self._like:
            expected = f"chunks of {self._like[1]} with leading shape {list(self._like[0])}, as before (or reset())"
            raise module.refused("x", expected, f"{x.dtype} with {list(like[0])}")
        if self.state is not None and not torch.compiler.is_compiling():
            # Of tensors that were made in inference mode no gradient may be taken.
            self.state = self.state[0], tree_map(lambda t: t.clone() if t.is_inference() else t, self.state[1])
        y, state = module.step(x, self.state, hop=hop, **values)
        self.state = state if self.attached else (state[0], tree_map(Tensor.detach, state[1]))
        self._like = like
        return y
