"""Shapes and broadcasting that nobody thought of, against the reference."""

from typing import Any

import torch
from cases.tensors import random_filter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import mutually_broadcastable_shapes
from support import GRADIENT_TOLERANCE, assert_close, scipy_lfilter

import polezero
from polezero import reference

DTYPES = st.sampled_from([torch.float64, torch.complex128])
ORDER = st.integers(0, 6)
SAMPLES = st.integers(0, 25)
SEEDS = st.integers(0, 2**31)

# The examples are the same in every run, and as slow as the reference's loop over time.
examples = settings(
    max_examples=80, deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)


def leading(count: int) -> Any:
    """Leading dimensions that broadcast, some of size zero."""
    return mutually_broadcastable_shapes(num_shapes=count, max_dims=3, min_side=0, max_side=3)


@examples
@given(leading(3), ORDER, ORDER, SAMPLES, DTYPES, st.data(), SEEDS)
def test_lfilter_broadcasts_as_the_reference(
    shapes: Any, M: int, N: int, T: int, dtype: torch.dtype, data: st.DataObject, seed: int
) -> None:
    torch.manual_seed(seed)
    lead_b, lead_a, lead_x = shapes.input_shapes
    b, a = random_filter(M, 0, dtype, lead_b)[0], random_filter(0, N, dtype, lead_a, a0=0.8)[1]
    x = torch.randn(*lead_x, T, dtype=dtype)
    axis = data.draw(st.integers(-x.dim(), x.dim() - 1))
    x = x.movedim(-1, axis)

    y = polezero.lfilter(b, a, x, axis)

    assert y.numel() == torch.Size(shapes.result_shape).numel() * T
    assert_close(y, reference.lfilter(b, a, x, axis))


@examples
@given(leading(3), ORDER, ORDER, SAMPLES, DTYPES, st.data(), SEEDS)
def test_lfilter_states_broadcast_as_the_reference(
    shapes: Any, M: int, N: int, T: int, dtype: torch.dtype, data: st.DataObject, seed: int
) -> None:
    torch.manual_seed(seed)
    lead_b, lead_a, lead_x = shapes.input_shapes
    b, a = random_filter(M, 0, dtype, lead_b)[0], random_filter(0, N, dtype, lead_a, a0=0.8)[1]
    x = torch.randn(*lead_x, T, dtype=dtype)
    ones = data.draw(st.tuples(*(st.booleans() for _ in shapes.result_shape)))
    lead_zi = tuple(1 if one else size for one, size in zip(ones, shapes.result_shape, strict=True))
    zi = torch.randn(*lead_zi, max(M, N), dtype=dtype)
    inputs = [t.requires_grad_() for t in (b, a, x, zi)]

    outputs = polezero.lfilter(b, a, x, zi=zi)
    expected = reference.lfilter(b, a, x, zi=zi)

    assert_close(outputs, expected)
    weights = [torch.randn_like(t) for t in expected]
    gradients = torch.autograd.grad(outputs, inputs, weights)
    truth = torch.autograd.grad(expected, inputs, weights, materialize_grads=True)
    assert_close(gradients, truth, tolerance=GRADIENT_TOLERANCE)


@examples
@given(leading(2), ORDER, SAMPLES, DTYPES, st.booleans(), SEEDS)
def test_allpole_broadcasts_as_the_reference(
    shapes: Any, N: int, T: int, dtype: torch.dtype, with_zi: bool, seed: int
) -> None:
    torch.manual_seed(seed)
    lead_a, lead_x = shapes.input_shapes
    a, x = random_filter(0, N, dtype, lead_a)[1][..., 1:], torch.randn(*lead_x, T, dtype=dtype)
    zi = torch.randn(*shapes.result_shape, N, dtype=dtype) if with_zi else None

    assert_close(polezero.allpole(a, x, zi), reference.allpole(a, x, zi))


@examples
@given(st.lists(st.integers(1, 4), min_size=1, max_size=4), ORDER, ORDER, st.integers(1, 25), st.data(), SEEDS)
def test_lfilter_matches_scipy_for_any_rank_axis_and_zi(
    shape: list[int], M: int, N: int, T: int, data: st.DataObject, seed: int
) -> None:
    torch.manual_seed(seed)
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    shape[axis] = T
    x = torch.randn(shape, dtype=torch.float64)
    ones = data.draw(st.tuples(*(st.booleans() for _ in shape)))
    shape = [1 if one else size for one, size in zip(ones, shape, strict=True)]
    shape[axis] = max(M, N)
    zi = torch.randn(shape, dtype=torch.float64)
    b, a = random_filter(M, N, a0=-0.7)

    assert_close(polezero.lfilter(b, a, x, axis, zi), scipy_lfilter(b, a, x, axis, zi))


@examples
@given(st.integers(0, 80), st.integers(0, 80), st.integers(1, 4), ORDER, ORDER, SEEDS)
def test_lfilter_split_anywhere_equals_the_whole(first: int, second: int, rows: int, M: int, N: int, seed: int) -> None:
    torch.manual_seed(seed)
    b, a = random_filter(M, N, torch.float32)
    x, zi = torch.randn(rows, first + second), torch.randn(rows, max(M, N))

    y_first, middle = polezero.lfilter(b, a, x[:, :first], zi=zi)
    y_second, zf = polezero.lfilter(b, a, x[:, first:], zi=middle)

    assert_close((torch.cat([y_first, y_second], -1), zf), polezero.lfilter(b, a, x, zi=zi))
