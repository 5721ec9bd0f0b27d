"""polezero.sosfilt gives what scipy.signal.sosfilt gives, and differentiates it."""

from itertools import pairwise
from typing import Any

import pytest
import scipy.signal
import torch
import torch._dynamo.testing
from cases.sosfilt import sections, sosfilt_inputs
from cases.tensors import moving
from support import DTYPES, GRADIENT_TOLERANCE, assert_close, ids, relative_rms, requires_grad, wide
from torch import Tensor

import polezero
from polezero import lpv, reference

ROWS = [1, 3, 8, 20, 40]  # one section after another, and rows side by side in one, two or more groups


def scipy_sosfilt(sos: Tensor, x: Tensor, axis: int, zi: Tensor) -> tuple[Tensor, Tensor]:
    """SciPy wants sections with a_0 = 1."""
    monic = wide(sos) / wide(sos)[:, 3:4]
    monic[:, 3] = 1  # which a complex quotient misses by a bit
    y, zf = scipy.signal.sosfilt(monic.numpy(), wide(x).numpy(), axis, wide(zi).numpy())
    return torch.from_numpy(y), torch.from_numpy(zf)


@pytest.mark.kernels
@pytest.mark.parametrize("dtype", DTYPES, ids=ids(DTYPES))
@pytest.mark.parametrize("K", [1, 2, 7])
@pytest.mark.parametrize("T", [0, 1, 2, 63, 64, 200])
@pytest.mark.parametrize("rows", ROWS)
def test_sosfilt_matches_scipy(rows: int, T: int, K: int, dtype: torch.dtype) -> None:
    sos, x, zi = sosfilt_inputs(dtype, K=K, T=T, lead_x=(rows,), lead_zi=(rows,))

    y, zf = polezero.sosfilt(sos, x, zi=zi)

    assert y.dtype == zf.dtype == dtype
    if T == 0:
        assert_close((y, zf), (x, zi))
    else:
        assert_close((y, zf), scipy_sosfilt(sos, x, -1, zi))
        assert_close(polezero.sosfilt(sos, x), scipy_sosfilt(sos, x, -1, 0 * zi)[0])


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2, -3])
def test_any_axis_with_states_where_scipy_has_them(axis: int) -> None:
    sos, x = sosfilt_inputs(K=3, lead_x=(4, 6), T=5)
    shape = [3, *x.shape]
    shape[axis % 3 + 1] = 2
    zi = torch.randn(shape, dtype=torch.float64)

    assert_close(polezero.sosfilt(sos, x, axis, zi), scipy_sosfilt(sos, x, axis, zi))


@pytest.mark.parametrize("rows", [3, 20])
def test_a_cascade_for_each_row(rows: int) -> None:
    sos, x, zi = sosfilt_inputs(K=3, T=100, lead=(rows,), lead_x=(rows,), lead_zi=(rows,))

    y, zf = polezero.sosfilt(sos, x, zi=zi)

    for r in range(rows):
        assert_close((y[r], zf[:, r]), scipy_sosfilt(sos[r], x[r], -1, zi[:, r]))


def test_a_bank_of_cascades_broadcasts() -> None:
    sos, x = sosfilt_inputs(K=2, T=50, lead=(4,), lead_x=(3,))

    y = polezero.sosfilt(sos, x[:, None])

    assert_close(y, torch.stack([polezero.sosfilt(s, x) for s in sos], 1))


@pytest.mark.kernels
@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("shared", [True, False], ids=["shared", "a_row"])
def test_the_fused_backward_equals_that_of_its_sections(rows: int, shared: bool) -> None:
    lead = () if shared else (rows,)
    inputs = sosfilt_inputs(K=3, T=150, lead=lead, lead_x=(rows,), lead_zi=(rows,))
    inputs = tuple(t.requires_grad_() for t in inputs)
    y, zf = polezero.sosfilt(inputs[0], inputs[1], zi=inputs[2])
    loss = y.square().sum() + zf.sin().sum()

    fused = torch.autograd.grad(loss, inputs, retain_graph=True)

    sections = torch.autograd.grad(loss, inputs, create_graph=True)  # whose graph needs their composition
    assert_close(fused, sections, GRADIENT_TOLERANCE)
    y, zf = reference.sosfilt(inputs[0], inputs[1], -1, inputs[2])
    assert_close(fused, torch.autograd.grad(y.square().sum() + zf.sin().sum(), inputs), GRADIENT_TOLERANCE)


@pytest.mark.parametrize(("radius", "limit"), [(0.9, 2e-6), (0.999, 6e-6), (0.99999, 1e-5)])
@pytest.mark.parametrize("rows", [1, 16])
def test_float32_is_accurate_near_the_unit_circle(rows: int, radius: float, limit: float) -> None:
    for angle in (0.003, 0.1, 1.0, 3.1):
        a = [1.0, -2 * radius * torch.cos(torch.tensor(angle)).item(), radius * radius]
        sos = torch.tensor([[1.0, 0.3, 0.0, *a], [0.5, -0.2, 0.1, *a], [1.0, 0.0, 0.0, 1.0, -0.3, 0.2]])
        x = torch.randn(rows, 20000)

        y = polezero.sosfilt(sos, x)

        assert relative_rms(y, polezero.sosfilt(sos.double(), x.double())) <= limit


def test_lpv_sosfilt_with_constant_sections_is_sosfilt() -> None:
    sos, x, zi = sosfilt_inputs(K=3, T=40, lead_zi=(2,))

    expected = polezero.sosfilt(sos, x, zi=zi)

    assert_close(lpv.sosfilt(sos.expand(40, 3, 6), x, zi), expected)
    assert_close(lpv.sosfilt(sos[None], x, zi), expected)


def frames_of(T: int, hop: int, offset: int, interpolation: str, sos: Tensor) -> Tensor:
    """Sections of each sample."""
    n = torch.arange(offset, offset + T)
    before, after = (sos[..., f.clamp(max=sos.shape[-3] - 1), :, :] for f in (n // hop, n // hop + 1))
    part = (n % hop).double() / hop if interpolation == "linear" else torch.zeros(T, dtype=torch.float64)
    return before + part[:, None, None] * (after - before)


@pytest.mark.kernels
@pytest.mark.parametrize("interpolation", ["linear", "hold"])
@pytest.mark.parametrize(("hop", "offset"), [(1, 0), (3, 2), (32, 31), (50, 7), (1000, 999)])
@pytest.mark.parametrize(("lead", "rows"), [((), (9,)), ((9,), (9,)), ((2, 1), (2, 9)), ((2, 1), (2, 2)), ((3, 1), ())])
def test_frames_are_the_sections_of_each_sample(
    lead: tuple[int, ...], rows: tuple[int, ...], hop: int, offset: int, interpolation: Any
) -> None:
    T = 130
    sos = moving(sections(0.9), -(-(offset + T) // hop) + 1) * (1 + torch.rand(*lead, 1, 1, 1))
    inputs = requires_grad([sos, torch.randn(*rows, T, dtype=torch.float64)])
    zi = torch.randn(3, *torch.broadcast_shapes(lead, rows), 2, dtype=torch.float64)

    got = lpv.sosfilt(*inputs, zi, hop=hop, offset=offset, interpolation=interpolation)
    expected = lpv.sosfilt(frames_of(T, hop, offset, interpolation, inputs[0]), inputs[1], zi)

    assert_close(got, expected)
    loss = [y.square().sum() + zf.sin().sum() for y, zf in (got, expected)]
    assert_close(*(torch.autograd.grad(y, inputs) for y in loss), GRADIENT_TOLERANCE)


@pytest.mark.parametrize("interpolation", ["linear", "hold"])
def test_chunks_of_frames_equal_the_whole(interpolation: Any) -> None:
    hop, T = 40, 500
    inputs = requires_grad([moving(sections(0.9), 14), torch.randn(9, T, dtype=torch.float64)])
    sos, x = inputs
    state: Any = 0.0
    chunks = []
    for begin, end in pairwise([0, 0, 1, 39, 40, 81, 81, 200, 499, 500]):
        first = begin // hop
        y, state = lpv.sosfilt(
            sos[first:], x[:, begin:end], state, hop=hop, offset=begin % hop, interpolation=interpolation
        )
        chunks.append(y)

    whole, zf = lpv.sosfilt(sos, x, 0, hop=hop, interpolation=interpolation)

    assert_close((torch.cat(chunks, -1), state), (whole, zf))
    loss = [y.square().sum() + s.sin().sum() for y, s in ((torch.cat(chunks, -1), state), (whole, zf))]
    assert_close(*(torch.autograd.grad(y, inputs) for y in loss), GRADIENT_TOLERANCE)


def test_sections_in_float64_keep_low_frequencies_beside_float32() -> None:
    """At 20 Hz and 48 kHz; in float32 they are off by 1e-3."""
    sos = polezero.butter(4, 20, fs=48000, output="sos")
    x = torch.randn(4, 48000)

    y = lpv.sosfilt(sos.expand(100, 2, 6), x, hop=480)

    assert y.dtype == torch.float32
    assert relative_rms(y, polezero.sosfilt(sos, x.double())) <= 1e-6


def test_compiled_frames_have_one_graph_for_all_sizes() -> None:
    counter = torch._dynamo.testing.CompileCounterWithBackend("aot_eager")
    compiled = torch.compile(lpv.sosfilt, backend=counter, fullgraph=True, dynamic=True)
    for T, frames, hop, offset in [(11, 4, 5, 2), (70, 10, 8, 3), (300, 8, 41, 17)]:
        sos, x = requires_grad([moving(sections(0.9), frames), torch.randn(7, T, dtype=torch.float64)])
        results = [f(sos, x, hop=hop, offset=offset) for f in (compiled, lpv.sosfilt)]
        assert_close(*results)
        assert_close(*(torch.autograd.grad(y.square().sum(), (sos, x)) for y in results), GRADIENT_TOLERANCE)
    assert counter.frame_count == 1


def test_shared_sections_have_the_same_gradient_whatever_the_threads() -> None:
    """Batches of rows are added up in one order, and spans of time one after another."""
    for frames in (1500, 40):
        sos, x = requires_grad([moving(sections(0.9), frames).float(), torch.randn(100, 1500)])
        options: Any = {} if frames == 1500 else {"hop": 41}
        gradients = []
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)  # conftest.py sets it back
            gradients.append(torch.autograd.grad(lpv.sosfilt(sos, x, **options).square().sum(), (sos, x)))
        for more in gradients[1:]:
            assert all(torch.equal(u, v) for u, v in zip(gradients[0], more))
