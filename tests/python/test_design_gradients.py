"""Designs with gradients: from a filtered signal's loss to edges and ripples, in batches, transforms and graphs."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from cases.case import as_tuple
from support import assert_close, requires_grad
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck

import polezero
from polezero._design.outputs import square_root

EDGES = {"lowpass": 0.3, "highpass": 0.3, "bandpass": [0.2, 0.45], "bandstop": [0.2, 0.45]}
# By its name, of an order, edges, and rp and rs, of which a family takes what it has.
FAMILIES: dict[str, Callable[..., Any]] = {
    "butter": lambda N, w, rp, rs, **options: polezero.butter(N, w, **options),
    "cheby1": lambda N, w, rp, rs, **options: polezero.cheby1(N, rp, w, **options),
    "cheby2": lambda N, w, rp, rs, **options: polezero.cheby2(N, rs, w, **options),
    "ellip": lambda N, w, rp, rs, **options: polezero.ellip(N, rp, rs, w, **options),
    "bessel": lambda N, w, rp, rs, **options: polezero.bessel(N, w, **options),
    "legendre": lambda N, w, rp, rs, **options: polezero.legendre(N, w, **options),
}
HAS = {"cheby1": "rp", "cheby2": "rs", "ellip": "rp rs"}


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def double(values: Any) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def parameters(family: str, btype: str) -> tuple[Tensor, ...]:
    ripples = {"rp": 1.0, "rs": 30.0}
    return requires_grad([double(EDGES[btype]), *(double(ripples[name]) for name in HAS.get(family, "").split())])


def call(family: str, N: int, tensors: tuple[Tensor, ...], **options: Any) -> Any:
    named = dict(zip(HAS.get(family, "").split(), tensors[1:]))
    return FAMILIES[family](N, tensors[0], named.get("rp"), named.get("rs"), **options)


def design_of(family: str, *tensors: Tensor, **options: Any) -> Any:
    return call(family, 3, tensors, **options)


@pytest.mark.parametrize("btype", EDGES)
@pytest.mark.parametrize("family", FAMILIES)
def test_gradients_reach_edges_and_ripples_through_a_filter(family: str, btype: str) -> None:
    x = torch.randn(2, 24, dtype=torch.float64)

    def loss(*tensors: Tensor) -> Tensor:
        return polezero.sosfilt(call(family, 3, tensors, btype=btype, output="sos"), x).square().mean()

    tensors = parameters(family, btype)
    assert gradcheck(loss, tensors)
    if family in ("butter", "ellip"):
        assert gradgradcheck(loss, tensors)


@pytest.mark.parametrize("output", ["ba", "zpk"])
def test_polynomials_zeros_and_poles_have_derivatives_of_both_modes(output: str) -> None:
    for family, btype, analog in (
        ("butter", "bandpass", False),
        ("cheby2", "bandstop", False),
        ("ellip", "highpass", True),
    ):
        function = partial(design_of, family, btype=btype, analog=analog, output=output)
        assert gradcheck(function, parameters(family, btype), check_forward_ad=True)


def test_a_pair_of_real_poles_has_a_gradient_and_a_double_one_a_finite_one() -> None:
    """Of a wide band's: by convention the roots of a double pole do not move, and the sections do."""
    edges = double([0.01, 0.9]).requires_grad_()
    poles = polezero.butter(3, edges, "bandpass", output="zpk")[1]
    assert (poles.imag == 0).sum() == 2
    assert gradcheck(lambda w: polezero.butter(3, w, "bandpass", output="zpk")[1], edges)
    assert gradcheck(lambda w: polezero.butter(3, w, "bandpass", output="sos"), edges)

    gaps = double([4.0, 0.0, -4.0]).requires_grad_()
    assert torch.autograd.grad(square_root(gaps).sum(), gaps)[0].tolist() == [0.25, 0.0, 0.0]


def test_edges_and_ripples_are_found_by_those_of_a_response() -> None:
    omega = torch.linspace(0.05, 3.0, 60, dtype=torch.float64)
    powers = torch.exp(-1j * torch.arange(3)[:, None] * omega)

    def response(logarithms: Tensor) -> Tensor:
        low, width, rp, rs = logarithms.exp()
        sos = polezero.ellip(3, rp, rs, torch.stack([low, low + width]), "bandpass", output="sos") + 0j
        return ((sos[:, :3] @ powers) / (sos[:, 3:] @ powers)).prod(0).abs()

    target = response(double([0.25, 0.25, 1.0, 20.0]).log())
    found = double([0.22, 0.33, 0.5, 25.0]).log().requires_grad_()
    optimizer = torch.optim.LBFGS([found], max_iter=60, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = (response(found) - target).square().mean()
        loss.backward()
        return loss

    optimizer.step(closure)
    assert_close(found.exp(), double([0.25, 0.25, 1.0, 20.0]), tolerance=1e-3)


# ---- batches, transforms and graphs


@pytest.mark.parametrize("output", ["ba", "zpk", "sos"])
@pytest.mark.parametrize("btype", EDGES)
def test_a_batch_equals_a_loop_and_vmap(btype: str, output: str) -> None:
    low = double([0.1, 0.15, 0.3, 0.45])
    edges = torch.stack([low, low * 2], -1) if btype.startswith("band") else low
    rp, rs = double([0.1, 1.0, 2.0, 3.0]), double([20.0, 60.0, 40.0, 30.0])
    for family, analog in (("butter", False), ("ellip", False), ("cheby2", True)):
        for N in (2, 3):

            def one(w: Tensor, rp: Tensor, rs: Tensor, N: int = N, family: str = family, analog: bool = analog) -> Any:
                return as_tuple(FAMILIES[family](N, w, rp, rs, btype=btype, analog=analog, output=output))

            loop = tuple(torch.stack(parts) for parts in zip(*(one(*each) for each in zip(edges, rp, rs))))
            assert_close(one(edges, rp, rs), loop)
            assert_close(torch.vmap(one)(edges, rp, rs), loop)


def real_parts(t: Tensor) -> Tensor:
    """The real and the imaginary part."""
    return torch.view_as_real(t) if t.is_complex() else t


@pytest.mark.parametrize("btype", EDGES)
def test_one_filter_has_the_derivatives_of_a_batch(btype: str) -> None:
    """The former is computed in Python's numbers, and its derivatives by the complex step."""
    for family, analog, output in (("cheby1", False, "ba"), ("cheby2", True, "zpk"), ("ellip", False, "sos")):
        for N in (1, 2, 5):
            one = parameters(family, btype)
            several = requires_grad([t.detach()[None] for t in one])
            results = [as_tuple(call(family, N, t, btype=btype, analog=analog, output=output)) for t in (one, several)]
            assert_close([t[None] for t in results[0]], list(results[1]))
            sums = (sum(real_parts(t).square().sum() for t in result) for result in results)
            slopes, expected = (
                torch.cat([g.flatten() for g in torch.autograd.grad(total, leaves)])
                for total, leaves in zip(sums, (one, several))
            )
            assert_close(slopes, expected, 1e-11)


def test_leading_dimensions_broadcast() -> None:
    sos = polezero.ellip(
        2, torch.full((5, 1), 1.0), torch.full((5, 1), 40.0), torch.tensor([0.1, 0.2, 0.3]), output="sos"
    )
    assert sos.shape == (5, 3, 1, 6)
    z, p, k = polezero.cheby1(3, torch.tensor([1.0, 2.0]), [0.1, 0.2], "bandpass", output="zpk")
    assert (z.shape, p.shape, k.shape) == ((2, 6), (2, 6), (2,))
    b, a = polezero.cheby2(2, torch.tensor([30.0, 40.0]), torch.tensor([[0.1], [0.2], [0.3]]), output="ba")
    assert b.shape == a.shape == (3, 2, 3)
    assert polezero.butter(3, torch.empty(0), output="sos").shape == (0, 2, 6)


@pytest.mark.parametrize(
    ("family", "N", "btype", "output"),
    [
        ("butter", 4, "bandpass", "sos"),
        ("bessel", 3, "bandstop", "zpk"),
        ("legendre", 3, "lowpass", "ba"),
        ("ellip", 3, "bandpass", "sos"),
    ],
)
def test_designs_are_one_graph_each(family: str, N: int, btype: str, output: str) -> None:
    """Of edges, and of orders, which Dynamo takes for symbols unless they are used as numbers."""
    torch._dynamo.reset()
    tensors = parameters(family, btype)
    compiled = torch.compile(
        lambda N, *t: call(family, N, t, btype=btype, output=output), fullgraph=True, backend="eager", dynamic=True
    )
    outputs, expected = (
        as_tuple(f) for f in (compiled(N, *tensors), call(family, N, tensors, btype=btype, output=output))
    )
    assert_close(outputs, expected)
    for one, other in zip(outputs, expected):
        if one.requires_grad:  # of both parts: the moduli of zeros on the circle have no gradient but rounding
            sums = (real_parts(t).abs().sum() for t in (one, other))
            assert_close(*(torch.autograd.grad(t, tensors, retain_graph=True) for t in sums), 1e-11)


def test_designs_are_traced_and_exported() -> None:
    class Filter(torch.nn.Module):
        def forward(self, w: Tensor) -> Tensor:
            return polezero.butter(3, w, "bandpass", output="sos")

    edges = torch.tensor([0.2, 0.4])
    exported = torch.export.export(Filter(), (edges,)).module()
    made = torch.fx.experimental.proxy_tensor.make_fx(Filter())(edges)
    for w in (edges, torch.tensor([0.1, 0.7])):
        assert_close(exported(w), Filter()(w))
        assert_close(made(w), Filter()(w))


def test_parameters_in_float32_get_gradients_in_float32() -> None:
    edges = torch.nn.Parameter(torch.tensor([300.0, 3000.0]))
    polezero.ellip(3, 1.0, 40.0, edges, "bandpass", output="sos", fs=16000).sum().backward()
    exact = edges.detach().double().requires_grad_()
    polezero.ellip(3, 1.0, 40.0, exact, "bandpass", output="sos", fs=16000).sum().backward()
    assert edges.grad.dtype == torch.float32
    assert_close(edges.grad, exact.grad)


def test_designs_in_inference_mode_leave_nothing_behind() -> None:
    """Constants made there could not be saved for a gradient later."""
    with torch.inference_mode():
        polezero.ellip(4, 1.0, 40.0, 0.3, output="sos")
    edge = double(0.3).requires_grad_()
    polezero.ellip(4, 1.0, 40.0, edge, output="sos").sum().backward()
    assert edge.grad.isfinite()
