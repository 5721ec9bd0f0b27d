"""torch.func transforms and vmap, alone, nested and mixed, against the same transforms of the reference."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest
import torch
from cases import CASES, allpole_inputs, lfilter, lfilter_inputs, loss, true_lfilter
from support import GRADIENT_TOLERANCE, KernelCalls, assert_close
from torch import Tensor
from torch.func import functional_call, grad, hessian, jacfwd, jacrev, jvp, linearize, vjp, vmap
from torch.utils._pytree import tree_map

import polezero
from polezero import reference

DELAYS_AND_SPLINES = [
    "sparse_allpole_moving_delays_zi",
    "comb_filter_linear_zi",
    "comb_filter_lagrange3_moving",
    "comb_filter_thiran",
    "cubic_spline",
    "cspline1d_eval",
]
NAMES = [
    "lfilter_zi",
    "lfilter_two_pass_zi",
    "lfilter_short",
    "allpole_rows",
    "allpole_two_pass_zi",
    "state_space_zi",
    "lpv_lattice_zi_taps",
    "modal_bank",
    *DELAYS_AND_SPLINES,
]

Inputs = tuple[Tensor, ...]
Function = Callable[..., Any]


def every(inputs: Inputs) -> tuple[int, ...]:
    return tuple(range(len(inputs)))


def square(f: Function, p: Inputs) -> Function:
    """The sum of squares of the gradient of f's loss: a scalar to differentiate again."""
    return lambda *q: torch.stack([g.square().sum() for g in grad(loss(f), every(p))(*q)]).sum()


# (function, point, one tangent, another tangent) -> derivatives
TRANSFORMS: dict[str, Callable[[Function, Inputs, Inputs, Inputs], Any]] = {
    "grad": lambda f, p, t, s: grad(loss(f), every(p))(*p),
    "vjp": lambda f, p, t, s: vjp(f, *p)[1](tree_map(torch.ones_like, f(*p))),
    "jvp": lambda f, p, t, s: jvp(f, p, t),
    "linearize": lambda f, p, t, s: linearize(f, *p)[1](*t),
    "jacrev": lambda f, p, t, s: jacrev(f, every(p))(*p),
    "jacfwd": lambda f, p, t, s: jacfwd(f, every(p))(*p),
    "hessian": lambda f, p, t, s: hessian(loss(f), every(p))(*p),
    "jacrev_jacrev": lambda f, p, t, s: jacrev(jacrev(loss(f), every(p)), every(p))(*p),
    "jacrev_jacfwd": lambda f, p, t, s: jacrev(jacfwd(loss(f), every(p)), every(p))(*p),
    "jacfwd_jacfwd": lambda f, p, t, s: jacfwd(jacfwd(loss(f), every(p)), every(p))(*p),
    "grad_grad": lambda f, p, t, s: grad(square(f, p), every(p))(*p),
    "jvp_jvp": lambda f, p, t, s: jvp(lambda *q: jvp(f, q, t)[1], p, s),
    "jvp_grad": lambda f, p, t, s: jvp(grad(loss(f), every(p)), p, t),
    "grad_jvp": lambda f, p, t, s: grad(lambda *q: jvp(loss(f), q, t)[1], every(p))(*p),
    "jvp_jvp_grad": lambda f, p, t, s: jvp(lambda *q: jvp(grad(loss(f), every(p)), q, t)[1], p, s),
    "vectorized_jacobian": lambda f, p, t, s: torch.autograd.functional.jacobian(f, p, vectorize=True),
}


@pytest.mark.parametrize("transform", TRANSFORMS)
@pytest.mark.parametrize("name", NAMES)
def test_transform_matches_the_reference(name: str, transform: str) -> None:
    function, truth, make = CASES[name]
    p, t, s = make(torch.float64), make(torch.float64), make(torch.float64)
    apply = TRANSFORMS[transform]
    assert_close(apply(function, p, t, s), apply(truth, p, t, s), GRADIENT_TOLERANCE)


@pytest.mark.parametrize("transform", ["grad", "vjp", "jvp", "jvp_jvp"])
@pytest.mark.parametrize("name", [*NAMES, "modal_bank_zi", "modal_bank_of_frequency_and_decay"])
def test_transform_of_a_complex_filter_matches_the_reference(name: str, transform: str) -> None:
    function, truth, make = CASES[name]
    p, t, s = make(torch.complex128), make(torch.complex128), make(torch.complex128)
    apply = TRANSFORMS[transform]
    assert_close(apply(function, p, t, s), apply(truth, p, t, s), GRADIENT_TOLERANCE)


def one_by_one(function: Function, inputs: Inputs, in_dims: tuple[int | None, ...]) -> list[Tensor]:
    """vmap as a loop."""
    size = next(t.shape[d] for t, d in zip(inputs, in_dims, strict=True) if d is not None)
    rows = [
        function(*(t if d is None else t.select(d, i) for t, d in zip(inputs, in_dims, strict=True)))
        for i in range(size)
    ]
    rows = [row if isinstance(row, tuple) else (row,) for row in rows]
    return [torch.stack(outputs) for outputs in zip(*rows, strict=True)]


def batch(inputs: Inputs, in_dims: tuple[int | None, ...], size: int = 3) -> Inputs:
    """Scaled copies of each input along its dimension."""
    return tuple(
        t if d is None else torch.stack([t * (1 + 0.2 * i) for i in range(size)], d)
        for t, d in zip(inputs, in_dims, strict=True)
    )


@pytest.mark.parametrize(
    "in_dims", [d for d in itertools.product((None, 0, -1), repeat=4) if any(v is not None for v in d)], ids=str
)
def test_vmap_of_lfilter_over_any_dimensions(in_dims: tuple[int | None, ...]) -> None:
    inputs = batch(lfilter_inputs(M=1, N=2, T=6, lead_a=(2,), lead_zi=(2,)), in_dims)
    assert_close(list(vmap(lfilter, in_dims)(*inputs)), one_by_one(true_lfilter, inputs, in_dims))


@pytest.mark.parametrize(
    "in_dims", [d for d in itertools.product((None, 0, 1), repeat=3) if any(v is not None for v in d)], ids=str
)
def test_vmap_of_allpole_over_any_dimensions(in_dims: tuple[int | None, ...]) -> None:
    inputs = batch(allpole_inputs(N=3, T=6, lead_zi=(2,)), in_dims)
    assert_close(list(vmap(polezero.allpole, in_dims)(*inputs)), one_by_one(reference.allpole, inputs, in_dims))


@pytest.mark.parametrize("name", [*DELAYS_AND_SPLINES, "cspline2d", "modal_bank_zi"])
def test_vmap_over_any_dimensions_is_as_many_kernel_calls_as_one_row(name: str) -> None:
    function, _, make = CASES[name]
    given = make(torch.complex128)
    with KernelCalls() as one:
        function(*given)
    for in_dims in itertools.product((None, 0, -1), repeat=len(given)):
        if in_dims != (None,) * len(given):
            inputs = batch(given, in_dims)
            with KernelCalls() as kernels:
                outputs = vmap(function, in_dims)(*inputs)
            expected = one_by_one(function, inputs, in_dims)
            assert_close(list(outputs) if isinstance(outputs, tuple) else [outputs], expected)
            assert kernels.names == one.names


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_vmap_keeps_the_meaning_of_axis(axis: int) -> None:
    b, a, x = lfilter_inputs(T=6, lead_x=(4, 5))
    vmapped = vmap(lambda one: polezero.lfilter(b, a, one, axis), 1)(x)
    assert_close(vmapped, torch.stack([reference.lfilter(b, a, one, axis) for one in x.unbind(1)]))


@pytest.mark.parametrize(
    "in_dims", [(0, 0, 0, 0), (None, None, 0, 0), (0, None, None, None), (None, 0, 0, None)], ids=str
)
def test_vmap_is_one_kernel_call(in_dims: tuple[int | None, ...]) -> None:
    inputs = batch(lfilter_inputs(T=30, lead_zi=(2,)), in_dims, size=5)
    with KernelCalls() as kernels:
        vmap(lfilter, in_dims)(*inputs)
    assert kernels.names == ["lfilter_forward"]


def test_vmap_of_grad_is_two_kernel_calls() -> None:
    inputs = batch(lfilter_inputs(T=30, lead_zi=(2,)), (0, 0, 0, 0), size=5)
    with KernelCalls() as kernels:
        vmap(grad(loss(lfilter), (0, 1, 2, 3)))(*inputs)
    assert kernels.names == ["lfilter_forward", "lfilter_backward"]


def test_vmap_shares_coefficients_without_copying_them() -> None:
    b, a, x = lfilter_inputs(M=2, N=3, T=30, lead_x=(2,))
    with KernelCalls() as kernels:
        vmap(lfilter, (None, None, 0))(b, a, torch.stack([x] * 7))
    [(_, (seen_b, seen_a, seen_x, *_))] = kernels.calls
    assert seen_x.numel() == 7 * x.numel()
    for seen, given in ((seen_b, b), (seen_a, a)):
        assert seen.untyped_storage().data_ptr() == given.untyped_storage().data_ptr()


def test_vmap_nests_and_mixes_with_derivatives() -> None:
    inputs = lfilter_inputs(M=1, N=2, T=4, lead_b=(2, 3), lead_a=(2, 3), lead_x=(2, 3), lead_zi=(2, 3))
    rows = tuple(t[0] for t in inputs)
    tangents = tuple(torch.randn_like(t) for t in rows)
    shared = (inputs[0], inputs[1][0, 0], inputs[2], inputs[3][:, 0])

    def both(apply: Callable[[Function], Any]) -> None:
        assert_close(apply(lfilter), apply(true_lfilter), GRADIENT_TOLERANCE)

    both(lambda f: vmap(vmap(f))(*inputs))
    both(lambda f: vmap(vmap(f, (0, None, 0, None)), (0, None, 0, 0))(*shared))
    both(lambda f: vmap(lambda *p: jvp(f, p[:4], p[4:]))(*rows, *tangents))
    both(lambda f: vmap(grad(loss(f), (0, 1, 2, 3)))(*rows))
    both(lambda f: vmap(lambda *p: vjp(f, *p)[1](tuple(torch.ones_like(y) for y in f(*p))))(*rows))
    both(lambda f: grad(loss(vmap(f)), (0, 1, 2, 3))(*rows))
    both(lambda f: jvp(vmap(f), rows, tangents))
    both(lambda f: vmap(jacrev(f, (0, 1)))(*rows))
    both(lambda f: vmap(hessian(loss(f), 1))(*rows))


def test_vmap_in_chunks_with_autograd_outside() -> None:
    inputs = lfilter_inputs(M=1, lead_b=(4,), lead_a=(4,), lead_x=(4,), lead_zi=(4,))
    leaves = tuple(t.requires_grad_() for t in inputs)

    def gradients(f: Function) -> Inputs:
        return torch.autograd.grad(loss(vmap(f, chunk_size=2))(*leaves), leaves)

    assert_close(gradients(lfilter), gradients(true_lfilter), GRADIENT_TOLERANCE)


def test_vmap_of_sensitivity() -> None:
    b, a, x = lfilter_inputs(T=8, lead_x=(3,))
    expected = [torch.stack(s) for s in zip(*(polezero.sensitivity(b, a, one) for one in x), strict=True)]
    assert_close(list(vmap(polezero.sensitivity, (None, None, 0))(b, a, x)), expected)


def test_a_module_trains_under_functional_call() -> None:
    class Filter(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.b, self.a = (torch.nn.Parameter(t) for t in lfilter_inputs()[:2])

        def forward(self, x: Tensor) -> Tensor:
            return polezero.lfilter(self.b, self.a, x)

    module, x = Filter(), torch.randn(3, 20, dtype=torch.float64)
    parameters = dict(module.named_parameters())

    gradients = vmap(grad(lambda p, row: functional_call(module, p, (row,)).square().sum()), (None, 0))(parameters, x)

    for k, row in enumerate(x):
        expected = torch.autograd.grad(reference.lfilter(module.b, module.a, row).square().sum(), (module.b, module.a))
        assert_close((gradients["b"][k], gradients["a"][k]), expected, GRADIENT_TOLERANCE)
