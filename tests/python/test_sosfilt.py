"""polezero.sosfilt gives what scipy.signal.sosfilt gives, and differentiates it."""

import pytest
import scipy.signal
import torch
from cases.sosfilt import sosfilt_inputs
from support import DTYPES, GRADIENT_TOLERANCE, assert_close, ids, relative_rms, wide
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
