"""What the functions do with their arguments before the ops see them, and with results after."""

from __future__ import annotations

import inspect
import operator
import re
import sys
import warnings
from collections.abc import Callable
from types import FrameType
from typing import Any

import torch
from torch import Tensor
from torch._C._functorch import is_functorch_wrapped_tensor
from torch._subclasses.fake_tensor import FakeTensor

from polezero._signatures import Coefficients


def _holds_tensor(value: object) -> bool:
    return isinstance(value, Tensor) or (isinstance(value, (list, tuple)) and any(map(_holds_tensor, value)))


def _is_whole(value: Any) -> bool:
    """Integers, or an array of them; what is no number at all is for :func:`to_tensor` to refuse."""
    if isinstance(value, (list, tuple)):
        return all(map(_is_whole, value))
    if isinstance(value, Tensor):
        return not (value.is_floating_point() or value.is_complex())
    if isinstance(value, (int, float, complex)):  # before hasattr, which Dynamo has not for symbolic numbers
        return isinstance(value, int) and not isinstance(value, bool)
    return hasattr(value, "dtype") and value.dtype.kind in "iu"  # NumPy's


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


def readable(*tensors: Tensor) -> bool:
    """Whether the values of tensors may be looked at: on the CPU, and not while they are traced, batched or wrapped."""
    if torch.compiler.is_compiling() or torch._C._get_tracing_state() is not None:
        return False
    if torch._C._get_dispatch_mode(torch._C._TorchDispatchModeKey.PROXY):
        return False
    return all(t.is_cpu and not isinstance(t, FakeTensor) and not is_functorch_wrapped_tensor(t) for t in tensors)


def to_tensor(name: str, value: Coefficients | None, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Tensors as they are, anything else in ``dtype`` (or its complex) on ``device``; at least 1-D."""
    try:
        tensor = _convert(value, dtype, device)
    except (TypeError, ValueError, RuntimeError, OverflowError) as error:
        if unknown := re.search(r"numpy\.(c?)longdouble", str(error)):
            known = "complex128" if unknown[1] else "float64"
            message = f"{name}: expected numbers of a dtype that torch has, got np.{unknown[1]}longdouble ones"
            raise TypeError(f"{message} (.astype(np.{known}) rounds them)") from None
        message = f"{name}: expected a tensor, a number or a rectangular array of numbers, got {value!r}"
        raise ValueError(message) from None
    return tensor if tensor.dim() else tensor.unsqueeze(0)


def coefficients(function: str, name: str, value: Coefficients | None, x: Tensor) -> Tensor:
    """Tensors as they are, anything else in float64 (complex128), so that nothing is rounded; None is an error."""
    if isinstance(value, Tensor):
        return value if value.dim() else value.unsqueeze(0)
    return to_tensor(f"{function}: {name}", value, torch.float64, x.device)


def to_delays(function: str, name: str, value: Coefficients, x: Tensor) -> Tensor:
    """Tensors as they are, whole numbers in int64, others in float64."""
    if isinstance(value, Tensor):
        return value if value.dim() else value.unsqueeze(0)
    return to_tensor(f"{function}: {name}", value, torch.int64 if _is_whole(value) else torch.float64, x.device)


def signal(function: str, value: Tensor, name: str = "x") -> Tensor:
    if not isinstance(value, Tensor):
        kind, source = f"{type(value).__module__}.{type(value).__name__}", ""
        if getattr(value, "dtype", "") in ("longdouble", "clongdouble"):
            kind, source = f"{kind} of np.longdouble", " of float64 or complex128"
        raise TypeError(
            f"{function}: {name}: expected a torch.Tensor, got {kind} (torch.as_tensor makes one{source}"
            f"{_order(function, name)})"
        )
    return value


def _order(function: str, name: str = "x") -> str:
    """For messages: the order of a public function's arguments as far as its signal, where that is not the first."""
    names = list(inspect.signature(operator.attrgetter(function)(sys.modules["polezero"])).parameters)
    before = names[: names.index(name)]
    return f"; the order of arguments is {', '.join(before)}, {name}" if before else ""


def _swapped(function: str, tensors: dict[str, Tensor | None], x: Tensor) -> str:
    """For messages: that a coefficient is longer than x, as it is where they come in torchaudio's order."""
    samples = x.shape[-1] if x.dim() else 0
    for name, t in tensors.items():
        length = 0 if t is None or (name == "sos" and t.shape[-1] == 6) else t.shape[-1]  # 6 beside any signal
        if isinstance(length, int) and isinstance(samples, int) and length > samples > 0:  # no symbols
            return f"{name} has {length} values along its last axis and x {samples}{_order(function)}"
    return ""


def check_int(function: str, name: str, value: int) -> None:
    if not isinstance(value, int) and not hasattr(value, "__index__"):  # a symbolic size is an int to Dynamo
        raise TypeError(f"{function}: {name}: expected an int, got {value!r}")


def check_backward(function: str, backward: str) -> None:
    if not isinstance(backward, str):
        raise TypeError(f"{function}: backward: expected 'one_pass' or 'two_pass', got {backward!r}")


def precise(function: str, **values: Coefficients) -> list[Tensor]:
    """Tensors as they are, anything else in double precision on the device of the first one."""
    device = next((v.device for v in values.values() if isinstance(v, Tensor)), torch.device("cpu"))
    return [to_tensor(f"{function}: {name}", v, torch.float64, device) for name, v in values.items()]


def doubles(function: str, **values: Coefficients) -> list[Tensor]:
    """In float64 or complex128, all on the device of the first tensor; a number has one dimension of one value."""
    tensors = precise(function, **values)
    place = tensors[0].device
    for name, t in zip(values, tensors):
        if t.device != place:
            where = f"a tensor on {place} as {next(iter(values))}"
            raise ValueError(f"{function}: {name}: expected {where}, got one on {t.device}")
    return [t.to(torch.complex128 if t.is_complex() else torch.float64) for t in tensors]


def warn(message: str) -> None:
    """A warning at the line that called the package."""
    frame: FrameType | None = sys._getframe(1)
    level = 2
    while frame is not None and frame.f_globals.get("__name__", "").partition(".")[0] == "polezero":
        frame, level = frame.f_back, level + 1
    warnings.warn(message, stacklevel=level)


def broadcast_leading(function: str, dimensions: int, **tensors: Tensor) -> torch.Size:
    """The leading dimensions of all tensors, which are what precedes the last ``dimensions`` of each, broadcast."""
    try:
        return torch.Size(torch.broadcast_shapes(*(t.shape[: t.dim() - dimensions] for t in tensors.values())))
    except RuntimeError:
        got = ", ".join(f"{name} {list(t.shape)}" for name, t in tensors.items())
        first = next(iter(tensors))
        raise ValueError(f"{function}: {first}: expected leading dimensions that broadcast, got {got}") from None


def _of_the_first(values: Tensor, *others: Tensor | None) -> tuple[int]:
    return (values.shape[-1],)


def _of_the_signal(state: Tensor, x: Tensor) -> Tensor:
    """Past samples, in the signal's precision, real or complex as they are."""
    real = x.real.dtype if x.is_floating_point() or x.is_complex() else torch.get_default_dtype()
    return state.to(torch.promote_types(real, torch.complex64) if state.is_complex() else real)


def run(
    function: str,
    op: Callable[..., tuple[Tensor, Tensor]],
    x: Tensor,
    zi: Coefficients | None,
    *options: object,
    states: Callable[..., tuple[int, ...]] = _of_the_first,
    axis: int | None = None,
    optional: tuple[str, ...] = (),
    of_samples: bool = False,
    **values: Coefficients | None,
) -> Tensor | tuple[Tensor, Tensor]:
    """Call a filter's op with its coefficients, of which those called ``optional`` may be None, and what follows them.

    There is a final state only where there is an initial one. ``states`` finds the shape of that of one row, time
    last, in the coefficients; ``axis`` is where x has the time, of an op that takes one. A state ``of_samples`` that
    has no dimensions does not widen the filter, as torch promotes; others are float64, which their ops read as it is.
    """
    x = signal(function, x)
    tensors = [
        None if value is None and name in optional else coefficients(function, name, value, x)
        for name, value in values.items()
    ]
    state = None if zi is None else coefficients(function, "zi", zi, x)
    if of_samples and state is not None and (isinstance(zi, (int, float, complex)) or getattr(zi, "ndim", 1) == 0):
        state = _of_the_signal(state, x)
    if state is not None and isinstance(zi, (int, float)) and zi == 0 and not isinstance(zi, bool):
        after = 0 if axis is None else (-axis if axis < 0 else x.dim() - axis) - 1
        state = state.expand(*states(*tensors), *(1,) * after)  # rest, however many states there are
    try:
        if axis is None:  # (names in place of this order cost a short call 1.2 us of 6)
            y, zf = op(*tensors, x, state, *options)
        else:
            y, zf = op(*tensors, x, axis, state, *options)
    except (TypeError, ValueError) as error:
        if ": zi:" not in str(error) and (hint := _swapped(function, dict(zip(values, tensors)), x)):
            raise type(error)(f"{error} ({hint})") from None
        raise
    return y if zi is None else (y, zf)


def without_time(function: str, op: torch._ops.OpOverload, **dimensions: int) -> Callable[..., tuple[Tensor, Tensor]]:
    """Make an op of :mod:`polezero.lpv` one of constant coefficients, which have no axis of time.

    ``dimensions`` are the coefficients, and how many dimensions they have behind that axis.
    """
    names = [argument.name for argument in op._schema.arguments]

    def call(*arguments: Tensor | None) -> tuple[Tensor, Tensor]:
        values = dict(zip(names, arguments))
        given = {k: t for k, t in values.items() if k in dimensions and t is not None and t.dim() >= dimensions[k]}
        over_time = {name: t.unsqueeze(-1 - dimensions[name]) for name, t in given.items()}
        try:
            y, zf = op(**values | over_time)
            return y, zf
        except (NotImplementedError, TypeError, ValueError) as error:  # the sentence knows of that axis
            sentence = str(error).replace(f"lpv.{function}:", f"{function}:").replace("[..., T, ", "[..., ")
            for name, t in given.items():
                seen = re.escape(str(list(over_time[name].shape)))
                sentence = re.sub(rf"\b({name} |{name}: .*shape ){seen}", rf"\g<1>{list(t.shape)}", sentence)
            raise type(error)(sentence) from None

    return call
