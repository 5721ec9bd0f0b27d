"""What the tests share: tolerances, how they run over the cases, SciPy as the truth, counted kernel calls."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import scipy.signal
import torch
from cases.case import Bound
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

REAL = (torch.float32, torch.float64)
DTYPES = (torch.float32, torch.float64, torch.complex64, torch.complex128)

# The largest error allowed, as a part of the largest value expected (rounding scales with the signal, not with the
# sample it falls on). The largest that this suite measured, with AVX-512 kernels, stands beside each; the others sum
# in another order.
TOLERANCE = {
    torch.float32: 1e-6,  # 2.3e-7
    torch.complex64: 1e-6,  # 1.5e-7
    torch.float64: 1e-14,  # 1.7e-15
    torch.complex128: 1e-14,  # 7.5e-16
    torch.float16: 1e-3,  # 3.3e-4: values are rounded twice, to 2^-11 each time
    torch.int64: 0.0,  # how many there are of something
    torch.bfloat16: 8e-3,  # 2.6e-3: twice, to 2^-8
    torch.bool: 0.0,
}
# Gradients to coefficients are sums over time and rows, so they round T times, and once more for each order of
# differentiation: 3e-15 measured.
GRADIENT_TOLERANCE = 1e-13


def ids(values: Sequence[Any]) -> list[str]:
    """Readable test ids: ``float32``, ``2x3``."""
    return ["x".join(map(str, v)) if isinstance(v, tuple) else str(v).removeprefix("torch.") for v in values]


def each(concern: str, calls: Sequence[Bound], dtypes: Sequence[torch.dtype] = ()) -> pytest.MarkDecorator:
    """Runs a test over `example`, and over `dtype` where some are given; the reasons of opt-outs are those of skips."""
    params = []
    for bound in calls:
        reason = bound.reason_against(concern)
        marks = [] if reason is None else [pytest.mark.skip(reason=reason)]
        if dtypes:
            chosen = [d for d in dtypes if d in getattr(bound.call, "dtypes", dtypes)]
            params += [pytest.param(bound, d, id=f"{bound.id}-{ids([d])[0]}", marks=marks) for d in chosen]
        else:
            params.append(pytest.param(bound, id=bound.id, marks=marks))
    return pytest.mark.parametrize("example, dtype" if dtypes else "example", params)


def requires_grad(inputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """Fresh leaves with the same values."""
    return tuple(t.detach().clone().requires_grad_() for t in inputs)


def loss(function: Callable[..., Any]) -> Callable[..., Tensor]:
    """A real loss with every derivative, through all outputs of the function."""

    def value(*inputs: Tensor) -> Tensor:
        outputs = function(*inputs)
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        return torch.stack(
            [(y.abs().square() * 0.5).sum() + torch.view_as_real(y + 0j).sin().sum() for y in outputs]
        ).sum()

    return value


def memory(t: Tensor) -> int:
    """Equal for tensors that share memory, and for no others."""
    return t.untyped_storage().data_ptr() if t.numel() else -id(t)


def wide(t: Tensor) -> Tensor:
    """t in double precision, on the CPU."""
    t = t.detach().cpu().resolve_conj().resolve_neg()
    return t.to(torch.complex128 if t.is_complex() else torch.float64)


def assert_close(actual: Any, expected: Any, tolerance: float | None = None) -> None:
    """Same structure and shapes, and no error above the tolerance of actual's dtype; NaN is an error."""
    if isinstance(expected, (tuple, list)):
        assert isinstance(actual, (tuple, list)) and len(actual) == len(expected)
        for one, other in zip(actual, expected, strict=True):
            assert_close(one, other, tolerance)
        return
    if isinstance(expected, int):
        assert actual == expected
        return
    assert actual.shape == expected.shape, f"expected shape {tuple(expected.shape)}, got {tuple(actual.shape)}"
    assert actual.is_complex() == expected.is_complex(), f"expected {expected.dtype}, got {actual.dtype}"
    if expected.numel() == 0:
        return
    error = (wide(actual) - wide(expected)).abs().max().item()
    scale = wide(expected).abs().max().item()
    limit = TOLERANCE[actual.dtype] if tolerance is None else tolerance
    assert error <= limit * scale, f"error {error:.2e}, largest value {scale:.2e}: above the tolerance {limit:.0e}"


def relative_rms(actual: Tensor, expected: Tensor) -> float:
    """The root mean square error as a part of the root mean square of what is expected."""
    return float((wide(actual) - wide(expected)).abs().norm() / wide(expected).abs().norm())


def scipy_lfilter(b: Tensor, a: Tensor, x: Tensor, axis: int = -1, zi: Tensor | None = None) -> Any:
    """SciPy's filter in double precision, of the same (rounded) coefficients and input."""
    arrays = [wide(t).numpy() for t in (b, a, x)]
    if zi is None:
        return torch.from_numpy(scipy.signal.lfilter(*arrays, axis=axis))
    y, zf = scipy.signal.lfilter(*arrays, axis=axis, zi=wide(zi).numpy())
    return torch.from_numpy(y), torch.from_numpy(zf)


def response(sos: Tensor, f: Any, fs: float) -> np.ndarray:
    """Of cascades ``[..., K, 6]`` at frequencies, in NumPy's double precision."""
    z = np.exp(-2j * np.pi * np.asarray(f, dtype=float) / fs)
    powers = np.stack([z**0, z, z**2])
    sections = sos.detach().numpy()
    return np.prod((sections[..., :3] @ powers) / (sections[..., 3:] @ powers), axis=-2)


def decibels(sos: Tensor, f: Any, fs: float) -> np.ndarray:
    return 20 * np.log10(np.abs(response(sos, f, fs)))


class KernelCalls(TorchDispatchMode):
    """Records the calls that reach polezero's kernels (below autograd and vmap) as (op name, arguments)."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[str, tuple[Any, ...]]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func.namespace == "polezero":
            self.calls.append((func._schema.name.removeprefix("polezero::"), args))
        return func(*args, **(kwargs or {}))

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.calls]
