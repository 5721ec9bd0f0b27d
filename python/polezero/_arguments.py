"""What the functions do with their arguments before the ops see them, and with results after."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import torch
from torch import Tensor

if TYPE_CHECKING:  # NumPy is no requirement
    from collections.abc import Callable

    from numpy.typing import ArrayLike

Coefficients: TypeAlias = "Tensor | ArrayLike"
Backward: TypeAlias = Literal["one_pass", "two_pass"]

HALVES = (torch.float16, torch.bfloat16)


def _holds_tensor(value: object) -> bool:
    return isinstance(value, Tensor) or (isinstance(value, (list, tuple)) and any(map(_holds_tensor, value)))


def _convert(value: Any, dtype: torch.dtype, device: torch.device) -> Tensor:
    if isinstance(value, Tensor):
        return value
    if isinstance(value, (list, tuple)) and _holds_tensor(value):
        # stacked, where torch.as_tensor would cut the graph
        return torch.stack([_convert(v, dtype, device) for v in value])
    if isinstance(value, (int, float, complex)):  # on a GPU without waiting for it
        return torch.full((), value, dtype=dtype.to_complex() if isinstance(value, complex) else dtype, device=device)
    if hasattr(value, "strides"):  # of a NumPy array a copy may be written to, and none of its strides is negative
        value = value.copy()
    if torch.as_tensor(value).is_complex():
        dtype = torch.promote_types(dtype, torch.complex64)
    return torch.as_tensor(value, dtype=dtype, device=device)  # not by way of the default dtype


def to_tensor(name: str, value: Coefficients, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Tensors as they are, anything else in ``dtype`` (or its complex) on ``device``; at least 1-D."""
    try:
        tensor = _convert(value, dtype, device)
    except (TypeError, ValueError, RuntimeError):
        message = f"{name}: expected a tensor, a number or a rectangular array of numbers, got {value!r}"
        raise ValueError(message) from None
    return tensor if tensor.dim() else tensor.unsqueeze(0)


def coefficients(name: str, value: Coefficients, x: Tensor) -> Tensor:
    """Tensors as they are, anything else in the dtype that x is filtered in."""
    if isinstance(value, Tensor):
        return value if value.dim() else value.unsqueeze(0)
    dtype = x.dtype if x.is_floating_point() or x.is_complex() else torch.get_default_dtype()
    return to_tensor(name, value, torch.float32 if dtype in HALVES else dtype, x.device)


def to_delays(name: str, value: Coefficients, x: Tensor) -> Tensor:
    """Tensors as they are, whole numbers in int64, others in float64."""
    if isinstance(value, Tensor):
        return value if value.dim() else value.unsqueeze(0)
    delays = to_tensor(name, value, torch.float64, x.device)
    is_whole = not _holds_tensor(value) and not (t := torch.as_tensor(value)).is_floating_point() and not t.is_complex()
    return delays.long() if is_whole else delays


def signal(function: str, value: Tensor) -> Tensor:
    if not isinstance(value, Tensor):
        raise TypeError(
            f"{function}: x: expected a torch.Tensor, got {type(value).__module__}."
            f"{type(value).__name__} (torch.as_tensor makes one)"
        )
    return value


def check_axis(function: str, axis: int) -> None:
    if not hasattr(axis, "__index__"):
        raise TypeError(f"{function}: axis: expected an int, got {axis!r}")


def check_options(function: str, axis: int, backward: str) -> None:
    check_axis(function, axis)
    if not isinstance(backward, str):
        raise TypeError(f"{function}: backward: expected 'one_pass' or 'two_pass', got {backward!r}")


def rounded(outputs: tuple[Tensor, Tensor], x: Tensor, *values: Coefficients | None) -> tuple[Tensor, Tensor]:
    """Lists and arrays beside a half-precision x were float32: a real result is as precise as the tensors are."""
    if torch.is_autocast_enabled(x.device.type):
        return outputs
    dtype = functools.reduce(torch.promote_types, (v.dtype for v in values if isinstance(v, Tensor)), x.dtype)
    y, zf = (t if t.is_complex() else t.to(dtype) for t in outputs)
    return y, zf


def _optional(name: str, value: Coefficients | None, x: Tensor) -> Tensor | None:
    return None if value is None else coefficients(name, value, x)


def run(
    function: str,
    op: Callable[..., tuple[Tensor, Tensor]],
    x: Tensor,
    zi: Coefficients | None,
    *options: object,
    **values: Coefficients | None,
) -> Tensor | tuple[Tensor, Tensor]:
    """Call a filter's op with its coefficients; return the final state only where there is an initial one."""
    x = signal(function, x)
    tensors = [_optional(f"{function}: {name}", value, x) for name, value in values.items()]
    state = _optional(f"{function}: zi", zi, x)
    outputs = op(*tensors, x, state, *options)
    if x.dtype in HALVES:
        outputs = rounded(outputs, x, *values.values(), zi)
    return outputs[0] if zi is None else outputs
