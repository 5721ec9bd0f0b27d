"""The dtypes of :mod:`polezero.reference`."""

from typing import Any

import torch
from torch import Tensor

from polezero._arguments import HALVES


def promote(x: Any, *values: Any) -> tuple[list[Any], torch.dtype]:
    """The values as tensors of the dtype to compute in, and the dtype to return (they differ for half precision).

    Tensors promote as torch promotes them; other values take x's dtype, or its complex one; integers become the
    default float.
    """
    x = torch.as_tensor(x)
    own = _floating(x.dtype)
    dtype = x.dtype
    tensors: list[Tensor | None] = []
    for value in values:
        if value is None:
            tensors.append(None)
            continue
        t = torch.as_tensor(value, device=x.device)
        if not isinstance(value, Tensor):
            t = torch.as_tensor(value, dtype=own.to_complex() if t.is_complex() else own, device=x.device)
        tensors.append(t if t.dim() else t[None])
        dtype = torch.promote_types(dtype, t.dtype)
    dtype = _floating(dtype)
    compute = torch.float32 if dtype in HALVES else dtype
    return [None if t is None else t.to(compute) for t in tensors], dtype


def _floating(dtype: torch.dtype) -> torch.dtype:
    return dtype if dtype.is_floating_point or dtype.is_complex else torch.get_default_dtype()
