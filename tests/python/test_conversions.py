"""Conversions beside SciPy's over filters of many kinds, there and back, in batches, and differentiated."""

import itertools
import warnings
from typing import Any

import numpy as np
import pytest
import scipy.signal
import torch
from cases import conversions
from cases.at_points import tf_at, zpk_at
from cases.case import Bound
from public import small_calls
from support import assert_close
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck
from torch.func import vmap

import polezero

EXAMPLES = [Bound(case, label, call) for case in conversions.CASES for label, call in case.examples.items()]
NAMES = [case.name for case in conversions.CASES]
# One filter on the CPU, whose values are looked at.
ON_VALUES = ("normalize", "residue", "residuez", "invres", "invresz", "unique_roots", "deconvolve")
BATCHED = [bound for bound in EXAMPLES if bound.case.name not in ON_VALUES]
each_example = pytest.mark.parametrize("example", EXAMPLES, ids=lambda bound: bound.case.name)
each_batched = pytest.mark.parametrize("example", BATCHED, ids=lambda bound: bound.case.name)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def tensors(*values: Any) -> list[Tensor]:
    return [torch.as_tensor(np.asarray(v).copy()) for v in values]


def assert_same(got: Any, expected: Any, tolerance: float = 1e-12) -> None:
    """What SciPy returns, shapes too; complex zero imaginary parts are real numbers there."""
    for one, other in zip(got, tensors(*expected), strict=True):
        assert_close(one + 0j, other + 0j, tolerance)


def assert_same_roots(got: Tensor, expected: np.ndarray, tolerance: float) -> None:
    """In any order."""
    assert got.shape == expected.shape
    if len(expected):
        distance = (got[:, None] - torch.as_tensor(expected)).abs()
        limit = tolerance * np.abs(expected).max()
        assert distance.amin(0).max() <= limit and distance.amin(1).max() <= limit


# ---- every conversion


@each_example
def test_a_conversion_does_what_the_filter_did(example: Bound) -> None:
    for dtype in example.call.dtypes:
        inputs = example.small(dtype)
        assert_close(example.run(inputs), example.true(inputs), 1e-13)


@each_example
def test_derivatives_match_finite_differences(example: Bound) -> None:
    """Of the first order and the second; several also run through all of test_autograd.py."""
    function, _, inputs = example.at(example.small(torch.float64))
    leaves = [t.clone().requires_grad_() for t in inputs]
    assert gradcheck(function, leaves, fast_mode=True, check_forward_ad=True, check_batched_grad=True)
    assert gradgradcheck(function, leaves, fast_mode=True)


@each_batched
def test_a_batch_is_its_filters_one_by_one(example: Bound) -> None:
    """By leading dimensions, and by vmap."""
    inputs = example.small(torch.float64)
    one = {name: t[0] if name in ("a", "den") and t.dim() == 2 else t for name, t in inputs.items()}
    rows = [{name: t * (1 - 0.1 * i) for name, t in one.items()} for i in range(3)]
    expected = [torch.stack(outputs) for outputs in zip(*(example.run(row) for row in rows))]
    stacked = {name: torch.stack([row[name] for row in rows]) for name in one}
    assert_close(list(example.run(stacked)), expected, 1e-13)
    assert_close(list(vmap(example.run)(stacked)), expected, 1e-13)


def results(name: str, arguments: dict[str, Any]) -> list[Tensor]:
    """Without the dt that cont2discrete hands on."""
    outputs = getattr(polezero, name)(**arguments)
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    return list(outputs[:-1] if name == "cont2discrete" else outputs)


def tensors_of(arguments: dict[str, Any]) -> list[str]:
    return [name for name, value in arguments.items() if isinstance(value, Tensor)]


@pytest.mark.parametrize("name", NAMES)
def test_results_are_of_double_precision_and_gradients_of_that_of_their_tensor(name: str) -> None:
    arguments = small_calls()[name]
    places = tensors_of(arguments)
    for dtype in (torch.float32, torch.bfloat16):
        narrow = arguments | {k: arguments[k].to(dtype).requires_grad_() for k in places}
        wide = arguments | {k: narrow[k].detach().double() for k in places}
        lists = arguments | {k: wide[k].tolist() for k in places}
        outputs = results(name, narrow)
        assert all(y.dtype in (torch.float64, torch.complex128, torch.int64) for y in outputs)
        assert_close([y.detach() for y in outputs], results(name, wide), 0.0)
        assert_close([y.detach() for y in outputs], results(name, lists), 0.0)
        sum(y.abs().square().sum() for y in outputs if y.requires_grad).backward()
        assert all(narrow[k].grad.dtype == dtype and narrow[k].grad.isfinite().all() for k in places)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_no_number_or_elsewhere_is_refused(name: str) -> None:
    arguments = small_calls()[name]
    first, *others = tensors_of(arguments)
    with pytest.raises(ValueError, match=rf"^{name}: {first}: expected .*'abc'"):
        getattr(polezero, name)(**arguments | {first: "abc"})
    for place in others:
        if arguments[place].dim():
            with pytest.raises(ValueError, match=rf"^{name}: {place}: expected a tensor on cpu as \w+, got one"):
                getattr(polezero, name)(**arguments | {place: arguments[place].to("meta")})


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ON_VALUES])
def test_no_value_is_looked_at_of_tensors_without_values(name: str) -> None:
    arguments = small_calls()[name]
    if name == "cont2discrete":
        arguments = {"system": tuple(torch.ones(2, 2).double()), "dt": torch.ones(()).double()}
    expected = results(name, arguments)
    system = tuple(t.to("meta") for t in arguments.get("system", ()))
    on_meta = arguments | {k: arguments[k].to("meta") for k in tensors_of(arguments)}
    for got, y in zip(results(name, on_meta | ({"system": system} if system else {})), expected, strict=True):
        assert got.device.type == "meta" and (got.shape, got.dtype) == (y.shape, y.dtype)


# ---- transfer functions, zeros and poles, sections

ORDERS = range(1, 21)
DESIGNS = {
    "butter": {},
    "cheby1": {"rp": 1},
    "cheby2": {"rs": 40},
    "ellip": {"rp": 1, "rs": 40},
    "bessel": {},
}
BANDS = {"low": 0.3, "high": 0.3, "bandpass": (0.21, 0.43), "bandstop": (0.21, 0.43)}
# scipy.signal.zpk2sos stops with an IndexError at sections that have a real zero without another.
LACKING = [("cheby2", "bandpass", N) for N in range(9, 21, 2)]


def designs(N: int, analog: bool, bands: tuple[str, ...]) -> list[Any]:
    """zpk of all families."""
    return [
        (
            family,
            band,
            scipy.signal.iirfilter(N, BANDS[band], btype=band, ftype=family, analog=analog, output="zpk", **o),
        )
        for (family, o), band in itertools.product(DESIGNS.items(), bands)
    ]


@pytest.mark.parametrize("bands", [("low", "high"), ("bandpass", "bandstop")], ids=["low_high", "bands"])
@pytest.mark.parametrize("pairing", ["nearest", "keep_odd", "minimal", "analog"])
def test_sections_are_those_of_scipy(pairing: str, bands: tuple[str, ...]) -> None:
    """All designs of one size at a time, in a batch."""
    options: Any = {"analog": True} if pairing == "analog" else {"pairing": pairing}
    for N in ORDERS:
        of_size: dict[tuple[int, int], list[Any]] = {}
        for family, band, zpk in designs(N, pairing == "analog", bands):
            if pairing == "analog" and (family, band, N) in LACKING:
                with pytest.raises(IndexError):
                    scipy.signal.zpk2sos(*zpk, **options)
                assert_close(zpk_at(*tensors(*zpk)), conversions.sos_at(polezero.zpk2sos(*zpk, **options)), 1e-12)
            else:
                of_size.setdefault((len(zpk[0]), len(zpk[1])), []).append(zpk)
        for filters in of_size.values():
            sos = polezero.zpk2sos(*(torch.stack(tensors(*part)) for part in zip(*filters)), **options)
            for got, zpk in zip(sos, filters):
                assert_close(got, torch.from_numpy(scipy.signal.zpk2sos(*zpk, **options)), 1e-12)


@pytest.mark.parametrize("N", [1, 2, 5, 12, 20])
@pytest.mark.parametrize("family", DESIGNS)
def test_sections_of_a_transfer_function_filter_as_scipys(family: str, N: int) -> None:
    b, a = scipy.signal.iirfilter(N, 0.3, btype="low", ftype=family, **DESIGNS[family])
    got, expected = polezero.tf2sos(b, a), torch.from_numpy(scipy.signal.tf2sos(b, a))
    assert got.shape == expected.shape
    z = torch.polar(torch.ones(50, dtype=torch.float64), torch.linspace(0.0, 3.1, 50, dtype=torch.float64))
    exact = np.polyval(b, z) / np.polyval(a, z)
    ours, scipys = (np.abs(np.asarray(sections_at(sos, z)) - exact).max() for sos in (got, expected))
    assert ours <= 10 * scipys + 1e-13


def sections_at(sos: Tensor, z: Tensor) -> Tensor:
    return torch.stack([tf_at(s[:3], s[3:], z) for s in sos]).prod(0)


@pytest.mark.parametrize("dtype", [torch.float64, torch.complex128], ids=["real", "complex"])
@pytest.mark.parametrize("N", [1, 2, 4, 9, 16, 30])
def test_filters_come_back_from_other_forms(N: int, dtype: torch.dtype) -> None:
    b, a = torch.randn(4, N + 1, dtype=dtype), torch.randn(4, N + 1, dtype=dtype)
    a0, tolerance = a[:, :1], 1e-12 if N < 30 else 1e-11
    num, den = polezero.ss2tf(*polezero.tf2ss(b, a))
    for back in (polezero.zpk2tf(*polezero.tf2zpk(b, a)), (num.squeeze(-2), den)):
        assert [t.dtype for t in back] == [dtype, dtype]
        assert_close(back, (b / a0, a / a0), tolerance)
    if dtype == torch.float64 and N % 2 == 0:
        assert_close(polezero.sos2tf(polezero.tf2sos(b, a)), (b / a0, a / a0), tolerance)


def test_a_batch_keeps_imaginary_gains() -> None:
    """scipy issue 24382: the numerators of a batch of real zeros were real."""
    z, p, k = [[0.5, -0.5], [0.25, 1.0]], [0.5], torch.tensor([1.0 + 2.0j, 3.0j], dtype=torch.complex128)
    b, a = polezero.zpk2tf(z, p, k)
    assert_close(b, k[:, None] * torch.tensor([[1.0, 0.0, -0.25], [1.0, -1.25, 0.25]], dtype=torch.float64))
    assert a.dtype == torch.float64
    assert polezero.zpk2tf(z, p, [2.0, 3.0])[0].dtype == torch.float64


def test_a_polynomial_is_real_where_its_roots_are_pairs() -> None:
    pair = torch.tensor([0.5 + 0.25j, 0.5 - 0.25j])
    assert polezero.zpk2tf(pair, [], 1.0)[0].dtype == torch.float64  # to the precision of complex64
    assert polezero.zpk2tf(torch.stack([pair, pair + 0.1j]), [], 1.0)[0].is_complex()
    assert polezero.zpk2tf(pair, [], 1j)[0].is_complex()
    assert vmap(lambda z: polezero.zpk2tf(z, [0.5], 1.0)[0])(pair[None]).is_complex()


@pytest.mark.parametrize(
    ("b", "a", "tiny"),
    [
        ([0.0, 0.0, 1.0, 2.0], [0.0, 3.0, 1.0, 4.0], False),
        ([0.0, 0.0], [1.0, 0.5], False),
        ([1e-20, 1.0, 2.0], [1.0, 2.0], True),
    ],
)
def test_zeros_that_lead_are_cut_off(b: list[float], a: list[float], tiny: bool) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        zpk = polezero.tf2zpk(b, a)
    said = "tf2zpk: b: 1 leading coefficients are as small as rounding errors and taken for 0"
    assert [(str(w.message), w.filename) for w in caught] == [(said, __file__)] * tiny
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert_same(polezero.normalize(b, a), scipy.signal.normalize(b, a))
        if any(b):
            assert_same(zpk, scipy.signal.tf2zpk(b, a))


def test_zeros_that_lead_in_some_rows_alone_stay_and_have_no_roots() -> None:
    z, _, _ = polezero.tf2zpk([[0.0, 1.0, 2.0], [1.0, 1.0, 2.0]], [1.0, 0.5])
    assert z[0].isnan().all() and z[1].isfinite().all()


def test_the_numerator_of_a_narrow_low_pass_stays() -> None:
    """All its coefficients are below 1e-14, and SciPy takes them for zeros."""
    b, a = scipy.signal.butter(8, 0.01)
    with pytest.warns(scipy.signal.BadCoefficients):
        assert len(scipy.signal.tf2zpk(b, a)[0]) < 8
    z, p, k = polezero.tf2zpk(b, a)
    assert z.shape == p.shape == (8,) and float(k) == b[0]
    z, p, k = scipy.signal.buttap(8)
    expected = polezero.zpk2tf(*polezero.bilinear_zpk(z, p, k, 300.0))
    assert_close(polezero.bilinear(*scipy.signal.zpk2tf(z, p, k), 300.0), expected, 1e-13)


def test_sections_with_a_delay_keep_it() -> None:
    sos = torch.tensor([[0.0, 1.0, 2.0, 1.0, 0.5, 0.0], [0.0, 0.0, 3.0, 1.0, -0.25, 0.5]], dtype=torch.float64)
    b, a = polezero.sos2tf(sos)
    x = torch.randn(20, dtype=torch.float64)
    assert_close(polezero.lfilter(b, a, x), polezero.sosfilt(sos, x))
    assert_close(polezero.state_space(*polezero.sos2ss(sos), x[None])[0], polezero.sosfilt(sos, x))
    analog = scipy.signal.butter(3, 2.0, analog=True, output="sos")
    assert_close(polezero.sos2tf(analog)[1], torch.from_numpy(scipy.signal.sos2tf(analog)[1]))


@pytest.mark.parametrize("analog", [False, True], ids=["digital", "analog"])
def test_roots_of_sections_are_those_of_scipy(analog: bool) -> None:
    sos = scipy.signal.ellip(7, 1, 40, 0.3, analog=analog, output="sos")
    (z, p, k), expected = polezero.sos2zpk(sos), scipy.signal.sos2zpk(sos)
    assert_same_roots(z, expected[0], 1e-12)
    assert_same_roots(p, expected[1], 1e-12)
    assert_same([k], [expected[2]])
    z, p, k = polezero.sos2zpk([[1.0, 2.0, 1.0, 1.0, -2.0, 1.0]])  # double roots
    assert torch.equal(z, -p) and torch.equal(z.real, torch.full((2,), -1.0, dtype=torch.float64))


@pytest.mark.parametrize("pairing", ["nearest", "keep_odd", "minimal"])
def test_sections_compile_to_one_graph(pairing: str) -> None:
    z, p, k = tensors(*scipy.signal.ellip(5, 1, 40, 0.3, output="zpk"))
    torch._dynamo.reset()
    compiled = torch.compile(lambda *zpk: polezero.zpk2sos(*zpk, pairing), fullgraph=True, backend="eager")
    assert_close(compiled(z, p, k), polezero.zpk2sos(z, p, k, pairing))


# ---- state space


def test_systems_of_several_inputs_and_outputs_are_those_of_scipy() -> None:
    for S in (1, 3, 6):
        A, B, C, D = (torch.randn(*shape, dtype=torch.float64) for shape in ((S, S), (S, 2), (3, S), (3, 2)))
        matrices = [m.numpy() for m in (A, B, C, D)]
        for i in range(2):
            assert_same(polezero.ss2tf(A, B, C, D, i), scipy.signal.ss2tf(*matrices, i), 1e-11)
        num, den = torch.randn(3, S + 1, dtype=torch.float64), torch.randn(S + 1, dtype=torch.float64)
        for n in (num, num[0], num[:1], num[:, 1:]):
            assert_same(polezero.tf2ss(n, den), scipy.signal.tf2ss(n.numpy(), den.numpy()), 1e-11)
        one = [*matrices[:1], matrices[1][:, :1], matrices[2][:1], matrices[3][:1, :1]]
        (z, p, k), expected = polezero.ss2zpk(*one), scipy.signal.ss2zpk(*one)
        assert_same_roots(z, expected[0], 1e-10)
        assert_same_roots(p, expected[1], 1e-10)
        assert_same([k], [expected[2]])
    assert_same(polezero.tf2ss([2.0], [4.0]), scipy.signal.tf2ss([2.0], [4.0]))


@pytest.mark.parametrize("order", [4, 12, 30])
def test_the_system_of_sections_has_their_transfer_function(order: int) -> None:
    sos = scipy.signal.ellip(order, 1, 60, 0.3, output="sos")
    num, den = polezero.ss2tf(*polezero.sos2ss(sos))
    assert_close((num[0], den), polezero.sos2tf(sos), 1e-13)


METHODS = ["gbt", "bilinear", "tustin", "euler", "forward_diff", "backward_diff", "zoh", "foh", "impulse"]


@pytest.mark.parametrize("method", METHODS)
def test_discrete_systems_are_those_of_scipy(method: str) -> None:
    strictly = method == "impulse"
    A, B, C, D = (torch.randn(*shape, dtype=torch.float64) for shape in ((3, 3), (3, 2), (2, 3), (2, 2)))
    system = [m.numpy() for m in (A, B, C, D * (not strictly))]
    z, p, k = np.array([-0.5, -2.0, 0.3])[: 3 - strictly], np.array([-1 + 2j, -1 - 2j, -0.7]), 1.5
    tf = scipy.signal.zpk2tf(z, p, k)

    def both(given: Any) -> Any:
        return polezero.cont2discrete(given, 0.1, method, 0.3), scipy.signal.cont2discrete(given, 0.1, method, 0.3)

    for given in (system, tf):
        got, expected = both(given)
        assert_same(got[:-1], expected[:-1])
    got, expected = both((z, p, k))
    for ours, scipys in zip(got[:2], expected[:2]):
        assert_same_roots(ours, scipys, 1e-9)
    assert_same(got[2:3], expected[2:3])
    assert got[3] == 0.1


@pytest.mark.parametrize("method", ["gbt", "zoh", "foh", "impulse"])
def test_discrete_systems_are_differentiable_in_all_they_are_made_of(method: str) -> None:
    shapes = ((2, 2, 2), (2, 1), (1, 2), (1, 1))
    matrices = [torch.randn(*shape, dtype=torch.float64).requires_grad_() for shape in shapes]
    dt, alpha = (torch.tensor(v, dtype=torch.float64).requires_grad_() for v in (0.3, 0.6))

    def discrete(A: Tensor, B: Tensor, C: Tensor, D: Tensor, dt: Tensor, alpha: Tensor) -> Any:
        D = D - D.detach() if method == "impulse" else D
        return polezero.cont2discrete((A, B, C, D), dt, method, alpha)[:4]

    assert gradcheck(discrete, (*matrices, dt, alpha), fast_mode=True, check_forward_ad=True, check_batched_grad=True)
    assert gradgradcheck(discrete, (*matrices, dt, alpha), fast_mode=True)


# ---- analog filters


@pytest.mark.parametrize("N", [1, 2, 3, 5, 8])
@pytest.mark.parametrize("name", conversions.SUBSTITUTIONS)
def test_filters_of_other_bands_are_those_of_scipy(name: str, N: int) -> None:
    count = len(conversions.PARAMETERS[name].split())
    for prototype in (scipy.signal.buttap(N), scipy.signal.ellipap(N, 1, 40)):
        for parameters in ((1.0, 1.0), (2.5, 0.7), (300.0, 40.0)):
            of_band, zpk = parameters[:count], f"{name}_zpk"
            b, a = scipy.signal.zpk2tf(*prototype)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", scipy.signal.BadCoefficients)
                expected = getattr(scipy.signal, name)(b, a, *of_band)
            if len(expected[0]) > 1 or N < 8 or name != "bilinear":  # see the numerator of a narrow low-pass
                assert_same(getattr(polezero, name)(b, a, *of_band), expected)
            of_ours, of_scipys = getattr(polezero, zpk), getattr(scipy.signal, zpk)
            got, expected = of_ours(*prototype, *of_band), of_scipys(*prototype, *of_band)
            for ours, scipys in zip(got[:2], expected[:2]):
                assert_same_roots(ours, scipys, 1e-9)  # a double root is one to the square root of rounding
            assert_same(got[2:], expected[2:])


def test_a_double_root_of_a_band_has_a_finite_gradient() -> None:
    p, bw = (torch.tensor(v, dtype=torch.float64).requires_grad_() for v in ([-2.0], 4.0))
    _, poles, _ = polezero.lp2bp_zpk([], p, 1.0, 4.0, bw)
    gradients = torch.autograd.grad(poles.abs().sum(), (p, bw))
    assert all(g.isfinite().all() and g.abs().sum() > 0 for g in gradients)
