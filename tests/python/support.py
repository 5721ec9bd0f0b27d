"""What the tests share: tolerances, random stable filters, SciPy as the truth, what a case is, counted kernel calls."""

import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import pytest
import scipy.signal
import torch
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
    torch.bfloat16: 8e-3,  # 2.6e-3: twice, to 2^-8
}
# Gradients to coefficients are sums over time and rows, so they round T times, and once more for each order of
# differentiation: 3e-15 measured.
GRADIENT_TOLERANCE = 1e-13


def ids(values: Sequence[Any]) -> list[str]:
    """Readable test ids: ``float32``, ``2x3``."""
    return ["x".join(map(str, v)) if isinstance(v, tuple) else str(v).removeprefix("torch.") for v in values]


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


def assert_one_sentence(call: Callable[[], Any], exception: type[Exception], sentence: str) -> None:
    """The call raises this exception and none derived from it, with the sentence."""
    with pytest.raises(exception, match=re.escape(sentence) + "$") as raised:
        call()
    assert type(raised.value) is exception


def polynomial(roots: Tensor) -> Tensor:
    """The monic polynomials [..., N+1] with the roots [..., N], highest power first."""
    p = torch.ones(*roots.shape[:-1], 1, dtype=roots.dtype)
    for root in roots.unbind(-1):
        zero = torch.zeros_like(p[..., :1])
        p = torch.cat([p, zero], -1) - root[..., None] * torch.cat([zero, p], -1)
    return p


def random_filter(
    M: int, N: int, dtype: torch.dtype = torch.float64, lead: tuple[int, ...] = (), a0: complex = 1.0
) -> tuple[Tensor, Tensor]:
    """Coefficients b [*lead, M+1] and a [*lead, N+1].

    The poles have radius 0.3 to 0.8 and are spread around the circle, for poles in a cluster amplify every rounding
    error: the tests of values are not tests of conditioning (test_numerics.py is).
    """
    pairs = N if dtype.is_complex else N // 2
    grid = torch.arange(pairs) + torch.rand(*lead, pairs, dtype=torch.float64)
    angle = (2 if dtype.is_complex else 1) * torch.pi * grid / max(pairs, 1)
    radius = 0.3 + 0.5 * torch.rand_like(angle)
    poles = torch.polar(radius, angle)
    if not dtype.is_complex:
        real = 0.3 + 0.5 * torch.rand(*lead, N % 2, dtype=torch.float64)
        poles = torch.cat([poles, poles.conj(), real.to(poles.dtype)], -1)
    a = polynomial(poles) * a0
    b = torch.randn(*lead, M + 1, dtype=a.dtype) / (M + 1) ** 0.5
    return (b.to(dtype), a.to(dtype)) if dtype.is_complex else (b.real.to(dtype), a.real.to(dtype))


def resonator(radius: float, angle: float, dtype: torch.dtype = torch.float32) -> Tensor:
    """The denominator with one pair of poles at radius * exp(+-j angle)."""
    pole = torch.polar(torch.tensor(radius, dtype=torch.float64), torch.tensor(angle, dtype=torch.float64))
    return torch.stack([torch.ones_like(pole.real), -2 * pole.real, pole.abs() ** 2]).to(dtype)


def scipy_lfilter(b: Tensor, a: Tensor, x: Tensor, axis: int = -1, zi: Tensor | None = None) -> Any:
    """SciPy's filter in double precision, of the same (rounded) coefficients and input."""
    arrays = [wide(t).numpy() for t in (b, a, x)]
    if zi is None:
        return torch.from_numpy(scipy.signal.lfilter(*arrays, axis=axis))
    y, zf = scipy.signal.lfilter(*arrays, axis=axis, zi=wide(zi).numpy())
    return torch.from_numpy(y), torch.from_numpy(zf)


class Case(NamedTuple):
    """``function`` and its plain-PyTorch twin ``truth`` take what ``inputs(dtype)`` makes."""

    function: Callable[..., Any]
    truth: Callable[..., Any]
    inputs: Callable[[torch.dtype], tuple[Tensor, ...]]


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
