"""The dtypes of :mod:`polezero.reference`."""

from typing import Any

import torch
from torch import Tensor


def promote(x: Any, *values: Any, zi: Any = None) -> tuple[list[Any], torch.dtype, torch.dtype]:
    """The values, zi last, as tensors of the dtype to compute in, the widest of all; the dtypes of y and of zf.

    y has x's, or its complex one where a value is complex, zf that and zi's, promoted; integers become the default
    float, half precision is computed in float32. What is no tensor is a number of double precision.
    """
    x = torch.as_tensor(x)
    dtype = x.dtype if x.dtype.is_floating_point or x.dtype.is_complex else torch.get_default_dtype()
    compute = torch.promote_types(dtype, torch.float32)
    tensors: list[Tensor | None] = []
    for value in (*values, zi):
        if value is None:
            tensors.append(None)
            continue
        t = torch.as_tensor(value, device=x.device)
        if not isinstance(value, Tensor):
            wide = torch.complex128 if t.is_complex() else torch.float64
            t = torch.as_tensor(value, dtype=wide, device=x.device)
        tensors.append(t if t.dim() else t[None])
        compute = torch.promote_types(compute, t.dtype)
        if t.is_complex():
            dtype = torch.promote_types(dtype, torch.complex64)
    of_state = dtype
    if tensors[-1] is not None and (tensors[-1].is_floating_point() or tensors[-1].is_complex()):
        of_state = torch.promote_types(dtype, tensors[-1].dtype)
    return [None if t is None else t.to(compute) for t in tensors], dtype, of_state


def returned(
    result: Tensor | tuple[Tensor, Tensor], dtype: torch.dtype, of_state: torch.dtype
) -> Tensor | tuple[Tensor, Tensor]:
    """y, or (y, zf), which were computed in a wider dtype."""
    return (result[0].to(dtype), result[1].to(of_state)) if isinstance(result, tuple) else result.to(dtype)
