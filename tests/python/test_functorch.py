"""torch.func transforms and vmap, alone, nested and mixed, against the same transforms of the reference."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest
import torch
from cases import MAIN
from cases.case import Bound, is_variable
from cases.lfilter import lfilter_inputs
from support import GRADIENT_TOLERANCE, KernelCalls, assert_close, each, loss
from torch import Tensor
from torch.func import functional_call, grad, hessian, jacfwd, jacrev, jvp, linearize, vjp, vmap
from torch.utils._pytree import tree_map

import polezero
from polezero import reference

# Warnings are errors: above all torch's, that it loops over an operation which has no batching rule.
pytestmark = [
    pytest.mark.filterwarnings("error::UserWarning"),
    pytest.mark.filterwarnings("ignore:Attempted to insert a get_attr Node"),  # linearize's own
]


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    """On a busy machine MKL's second thread lets each small FFT wait for milliseconds."""
    torch.set_num_threads(1)


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
    "jvp_jvp": lambda f, p, t, s: jvp(lambda *q: jvp(f, q, t)[1], p, s),
    "jacrev": lambda f, p, t, s: [jacrev(f, k)(*p) for k in every(p)],
    "jacfwd": lambda f, p, t, s: [jacfwd(f, k)(*p) for k in every(p)],
    "hessian": lambda f, p, t, s: [hessian(loss(f), k)(*p) for k in every(p)],
    "hessian_of_all": lambda f, p, t, s: hessian(loss(f), every(p))(*p),
    "jacrev_jacrev": lambda f, p, t, s: jacrev(jacrev(loss(f), every(p)), every(p))(*p),
    "jacrev_jacfwd": lambda f, p, t, s: jacrev(jacfwd(loss(f), every(p)), every(p))(*p),
    "jacfwd_jacfwd": lambda f, p, t, s: jacfwd(jacfwd(loss(f), every(p)), every(p))(*p),
    "grad_grad": lambda f, p, t, s: grad(square(f, p), every(p))(*p),
    "jvp_grad": lambda f, p, t, s: jvp(grad(loss(f), every(p)), p, t),
    "grad_jvp": lambda f, p, t, s: grad(lambda *q: jvp(loss(f), q, t)[1], every(p))(*p),
    "jvp_jvp_grad": lambda f, p, t, s: jvp(lambda *q: jvp(grad(loss(f), every(p)), q, t)[1], p, s),
    "vectorized_jacobian": lambda f, p, t, s: torch.autograd.functional.jacobian(f, p, vectorize=True),
}


REVERSE_OVER_FORWARD = ("jacrev_jacfwd", "grad_jvp")


def in_reals(function: Function, inputs: Inputs) -> tuple[Function, Inputs]:
    """The function and its inputs with real and imaginary parts in place of complex numbers, which Jacobians refuse."""
    complex_ = [t.is_complex() for t in inputs]

    def real(*parts: Tensor) -> Inputs:
        outputs = function(*(torch.view_as_complex(t) if c else t for t, c in zip(parts, complex_, strict=True)))
        return tuple(torch.view_as_real(y) if y.is_complex() else y for y in outputs)

    return real, tuple(torch.view_as_real(t) if t.is_complex() else t for t in inputs)


@pytest.mark.parametrize("transform", TRANSFORMS)
@each("functorch", MAIN, [torch.float64])
def test_transform_matches_the_reference(example: Bound, dtype: torch.dtype, transform: str) -> None:
    if transform in REVERSE_OVER_FORWARD and "reverse over forward" in example.case.lacks:
        pytest.skip(example.case.lacks["reverse over forward"])
    function, truth, inputs = example.at(example.small(dtype))
    (function, p), (truth, _) = in_reals(function, inputs), in_reals(truth, inputs)
    t, s = (tuple(torch.randn_like(v) for v in p) for _ in range(2))
    apply = TRANSFORMS[transform]
    assert_close(apply(function, p, t, s), apply(truth, p, t, s), GRADIENT_TOLERANCE)


@pytest.mark.parametrize("transform", ["grad", "vjp", "jvp", "jvp_jvp"])
@each("functorch", MAIN, [torch.complex128])
def test_transform_of_a_complex_filter_matches_the_reference(
    example: Bound, dtype: torch.dtype, transform: str
) -> None:
    function, truth, p = example.at(example.small(dtype))
    t, s = (tuple(torch.randn_like(v) for v in p) for _ in range(2))
    apply = TRANSFORMS[transform]
    assert_close(apply(function, p, t, s), apply(truth, p, t, s), GRADIENT_TOLERANCE)


@pytest.mark.usefixtures("filled_memory")  # linearize traces with tangents that nobody has written
@each("functorch", [bound for bound in MAIN if bound.case.signal is not None or bound.case.ops])
def test_linearize_is_the_jvp_of_the_reference(example: Bound) -> None:
    """Of what has an op: it records a graph, node by node, and test_compile.py has those of operations of torch."""
    function, truth, p = example.at(example.small(torch.float64))
    t = tuple(torch.randn_like(v) for v in p)
    assert_close(linearize(function, *p)[1](*t), jvp(truth, p, t)[1], GRADIENT_TOLERANCE)


def one_by_one(function: Function, inputs: Inputs, in_dims: tuple[int | None, ...]) -> list[Tensor]:
    """vmap as a loop."""
    size = next(t.shape[d] for t, d in zip(inputs, in_dims, strict=True) if d is not None)
    rows = [
        function(*(t if d is None else t.select(d, i) for t, d in zip(inputs, in_dims, strict=True)))
        for i in range(size)
    ]
    return [torch.stack(outputs) for outputs in zip(*rows, strict=True)]


def variants(example: Bound, name: str, t: Tensor, size: int, dim: int = 0) -> Tensor:
    """Several values for an argument: a filter stays stable, and a delay or a point where it may be."""
    if not is_variable(t):
        values = [t.roll(i, -1) for i in range(size)]
    elif name in example.case.own_dtype:
        values = [t + 0.01 * i for i in range(size)]
    else:
        values = [t * (1 - 0.1 * i) for i in range(size)]
    return torch.stack(values, dim)


def choices(inputs: list[Tensor], dims: tuple[int, ...]) -> list[tuple[int | None, ...]]:
    """Every subset of the inputs, at each of the dimensions that they have."""
    subsets = [s for s in itertools.product((False, True), repeat=len(inputs)) if any(s)]
    return [tuple(min(d, t.dim()) if chosen else None for chosen, t in zip(s, inputs)) for s in subsets for d in dims]


class Batches:
    """A function of all tensors of an example, and several values of each."""

    def __init__(self, example: Bound) -> None:
        self.example = example
        self.given = example.small(example.call.dtypes[-1])

    def function(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        return self.example.run(dict(zip(self.given, tensors, strict=True)))

    def stacked(self, in_dims: tuple[int | None, ...], size: int = 3) -> Inputs:
        return tuple(
            t if d is None else variants(self.example, name, t, size, d)
            for (name, t), d in zip(self.given.items(), in_dims, strict=True)
        )


@each("functorch", MAIN)
def test_vmap_over_every_subset_of_tensors_is_as_many_kernel_calls_as_one_row(example: Bound) -> None:
    batches = Batches(example)
    with KernelCalls() as one:
        batches.function(*batches.given.values())
    for in_dims in choices([*batches.given.values()], (0, 1, -1)):
        inputs = batches.stacked(in_dims)
        with KernelCalls() as kernels:
            outputs = vmap(batches.function, in_dims)(*inputs)
        assert_close(list(outputs), one_by_one(batches.function, inputs, in_dims))
        assert kernels.names == one.names, in_dims


@each("functorch", MAIN)
def test_vmap_nests_over_any_two_tensors(example: Bound) -> None:
    """One of them outside and one inside, or all, and the other way round."""
    batches = Batches(example)
    count = len(batches.given)
    alone = [tuple(0 if j == k else None for j in range(count)) for k in range(count)]
    for outer, inner in itertools.product([*alone, (0,) * count], repeat=2):
        inputs = tuple(
            t if d is None else variants(example, name, t, 2)
            for name, t, d in zip(batches.given, batches.stacked(inner), outer)
        )
        outputs = vmap(vmap(batches.function, inner), outer)(*inputs)
        expected = one_by_one(lambda *p, inner=inner: one_by_one(batches.function, p, inner), inputs, outer)
        assert_close(list(outputs), expected)


def first_of(f: Function, p: Inputs) -> Function:
    """The function of the first input alone."""
    return lambda first: f(first, *p[1:])


# Transforms of a function of one row.
MIXED: dict[str, Callable[[Function, Inputs], Any]] = {
    "jvp": lambda f, p: jvp(f, p, tuple(t + 1 for t in p))[1],
    "vjp": lambda f, p: vjp(f, *p)[1](tree_map(torch.ones_like, f(*p))),
    "grad": lambda f, p: grad(loss(f), every(p))(*p),
    "jacrev": lambda f, p: jacrev(first_of(f, p))(p[0]),
    "jacfwd": lambda f, p: jacfwd(first_of(f, p))(p[0]),
    "hessian": lambda f, p: (hessian(loss(first_of(f, p)))(p[0]),),
}


@each("functorch", MAIN)
def test_vmap_mixes_with_derivatives(example: Bound) -> None:
    point = example.at(example.small(torch.float64))
    function, given = in_reals(point.function, point.inputs)
    stacked = tuple(variants(example, name, t, 2) for name, t in zip(point.names, given))
    rows = list(zip(*(t.unbind() for t in stacked), strict=True))
    for apply in MIXED.values():
        expected = [torch.stack(t) for t in zip(*(apply(function, row) for row in rows), strict=True)]
        assert_close(list(vmap(lambda *p, apply=apply: apply(function, p))(*stacked)), expected, GRADIENT_TOLERANCE)
    outside = grad(loss(vmap(function)), every(stacked))(*stacked)
    expected = [torch.stack(t) for t in zip(*(grad(loss(function), every(row))(*row) for row in rows), strict=True)]
    assert_close(list(outside), expected, GRADIENT_TOLERANCE)


# ---- what is special of some functions


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_vmap_keeps_the_meaning_of_axis(axis: int) -> None:
    b, a, x = lfilter_inputs(T=6, lead_x=(4, 5))
    vmapped = vmap(lambda one: polezero.lfilter(b, a, one, axis), 1)(x)
    assert_close(vmapped, torch.stack([reference.lfilter(b, a, one, axis) for one in x.unbind(1)]))


def lfilter(b: Tensor, a: Tensor, x: Tensor, zi: Tensor | None = None) -> Any:
    return polezero.lfilter(b, a, x, zi=zi)


def test_vmap_of_grad_is_two_kernel_calls() -> None:
    inputs = lfilter_inputs(T=30, lead_b=(5,), lead_a=(5,), lead_x=(5,), lead_zi=(5,))
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


def test_vmap_in_chunks_with_autograd_outside() -> None:
    inputs = lfilter_inputs(M=1, lead_b=(4,), lead_a=(4,), lead_x=(4,), lead_zi=(4,))
    leaves = tuple(t.requires_grad_() for t in inputs)

    def gradients(f: Function) -> Inputs:
        return torch.autograd.grad(loss(f)(*leaves), leaves)

    assert_close(gradients(vmap(lfilter, chunk_size=2)), gradients(lfilter), GRADIENT_TOLERANCE)


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
