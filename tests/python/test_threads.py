"""Threads: the same bits on one and on two, forked workers, calls from several Python threads."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
import torch
from cases import allpole_inputs, lfilter, lfilter_inputs, requires_grad
from support import assert_close, ids, random_filter
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

import polezero

# Rows are cut in time on threads, but not under deterministic algorithms.
pytestmark = pytest.mark.splits_rows

Run = Callable[[int], tuple[Tensor, ...]]


def passes(function: Callable[..., Any], inputs: tuple[Tensor, ...]) -> Run:
    """A forward and backward pass on some number of threads."""

    def run(threads: int) -> tuple[Tensor, ...]:
        torch.set_num_threads(threads)
        leaves = requires_grad(inputs)
        outputs = function(*leaves)
        y, *rest = outputs if isinstance(outputs, tuple) else (outputs,)
        torch.manual_seed(1)
        gradients = torch.autograd.grad(y, leaves, torch.randn_like(y))
        return (y.detach(), *(t.detach() for t in rest), *gradients)

    return run


def lfilter_run(rows: int, T: int, dtype: torch.dtype, own_filters: bool = False) -> Run:
    lead = (rows,) if own_filters else ()
    return passes(lfilter, lfilter_inputs(dtype, T=T, lead_b=lead, lead_a=lead, lead_x=(rows,), lead_zi=(rows,)))


def allpole_run(rows: int, T: int, dtype: torch.dtype) -> Run:
    return passes(polezero.allpole, allpole_inputs(dtype, T=T, lead_x=(rows,), lead_zi=(rows,)))


# Filters with delays, and banks, whose rows stay whole on any number of threads, and splines: a function, and all of
# its inputs before x.
A, BETWEEN = torch.tensor([-0.7]), torch.tensor([40.3], dtype=torch.float64)
WHOLE_ROWS: dict[str, tuple[Callable[..., Any], tuple[Tensor, ...]]] = {
    "sparse_allpole": (lambda a, x: polezero.sparse_allpole(a, [30, 50], x), (torch.tensor([0.4, -0.3]),)),
    "comb_filter": (lambda a, x: polezero.comb_filter(a, 40, x), (A,)),
    "feedforward_comb": (lambda b, x: polezero.feedforward_comb(b, 40, x), (A,)),
    "allpass_comb": (lambda a, x: polezero.allpass_comb(a, 40, x), (A,)),
    "linear": (partial(polezero.comb_filter, interpolation="linear"), (A, BETWEEN)),
    "lagrange3": (partial(polezero.comb_filter, interpolation="lagrange3"), (A, BETWEEN)),
    "cspline1d_eval": (
        lambda newx, x: polezero.cspline1d_eval(x, newx),
        (torch.linspace(-5, 2000, 301, dtype=torch.float64),),
    ),
    "modal_bank": (polezero.modal_bank, (torch.polar(torch.full((9,), 0.95), torch.arange(9.0) / 3), torch.ones(9))),
}
SPLIT_ROWS: dict[str, tuple[Callable[..., Any], tuple[Tensor, ...]]] = {
    "thiran": (partial(polezero.comb_filter, interpolation="thiran"), (A, BETWEEN)),
    "cubic_spline": (lambda x: polezero.cubic_spline(x, 3), ()),
    "qspline1d": (polezero.qspline1d, ()),
    "symiirorder2": (lambda x: polezero.symiirorder2(x, 0.9, 0.3), ()),
}


def assert_same_bits(one: tuple[Tensor, ...], other: tuple[Tensor, ...]) -> None:
    assert all(torch.equal(p, q) for p, q in zip(one, other, strict=True))


SHAPES = [(2, 2**16), (3, 50_001), (64, 1000), (1000, 37), (20_000, 5)]


@pytest.mark.parametrize("dtype", [torch.float32, torch.complex128], ids=ids([torch.float32, torch.complex128]))
@pytest.mark.parametrize("own_filters", [False, True], ids=["shared", "own"])
@pytest.mark.parametrize("shape", SHAPES, ids=ids(SHAPES))
def test_lfilter_has_the_same_bits_on_one_and_two_threads(
    shape: tuple[int, int], own_filters: bool, dtype: torch.dtype
) -> None:
    run = lfilter_run(*shape, dtype, own_filters)
    assert_same_bits(run(1), run(2))


@pytest.mark.parametrize("shape", SHAPES[:3], ids=ids(SHAPES[:3]))
def test_allpole_has_the_same_bits_on_one_and_two_threads(shape: tuple[int, int]) -> None:
    run = allpole_run(*shape, torch.float32)
    assert_same_bits(run(1), run(2))


@pytest.mark.parametrize("shape", SHAPES, ids=ids(SHAPES))
@pytest.mark.parametrize("name", WHOLE_ROWS | SPLIT_ROWS)
def test_rows_of_delays_splines_and_banks_have_the_same_bits_on_one_and_two_threads(
    name: str, shape: tuple[int, int]
) -> None:
    function, parameters = (WHOLE_ROWS | SPLIT_ROWS)[name]
    run = passes(function, (*parameters, torch.randn(shape)))
    assert_same_bits(run(1), run(2))


@pytest.mark.parametrize("threads", [2, 3, 5])
@pytest.mark.parametrize("name", WHOLE_ROWS)
def test_one_row_of_delays_and_banks_has_the_same_bits_on_any_number_of_threads(name: str, threads: int) -> None:
    function, parameters = WHOLE_ROWS[name]
    run = passes(function, (*parameters, torch.randn(1, 2**17 + 1)))
    assert_same_bits(run(1), run(threads))


@pytest.mark.parametrize("threads", [2, 5])
@pytest.mark.parametrize("name", SPLIT_ROWS)
def test_one_row_of_a_spline_is_split_and_equal_to_rounding(name: str, threads: int) -> None:
    function, parameters = SPLIT_ROWS[name]
    run = passes(function, (*parameters, torch.randn(1, 2**17 + 1)))
    assert_close(run(threads), run(1), tolerance=3e-6)
    torch.use_deterministic_algorithms(True)
    assert_same_bits(run(threads), run(1))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=ids([torch.float32, torch.float64]))
@pytest.mark.parametrize("op", [lfilter_run, allpole_run], ids=["lfilter", "allpole"])
@pytest.mark.parametrize("threads", [2, 5])
def test_deterministic_algorithms_do_not_split_one_row_in_time(
    threads: int, op: Callable[..., Run], dtype: torch.dtype
) -> None:
    torch.use_deterministic_algorithms(True)
    run = op(1, 2**19, dtype)
    assert_same_bits(run(1), run(threads))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=ids([torch.float32, torch.float64]))
@pytest.mark.parametrize("op", [lfilter_run, allpole_run], ids=["lfilter", "allpole"])
@pytest.mark.parametrize(("rows", "threads"), [(1, 2), (1, 3), (1, 5), (3, 5)])
def test_rows_split_in_time_are_equal_to_rounding(
    rows: int, threads: int, op: Callable[..., Run], dtype: torch.dtype
) -> None:
    run = op(rows, 2**19 + 1, dtype)
    # Sums over 2^19 samples, in another order: their rounding grows with the root of that.
    assert_close(run(threads), run(1), tolerance=3e-6 if dtype == torch.float32 else 1e-12)


@pytest.mark.parametrize("order", [4, 8, 12])
@pytest.mark.parametrize("dtype", [torch.float32, torch.complex128], ids=ids([torch.float32, torch.complex128]))
def test_one_row_of_a_higher_order_is_split_too(order: int, dtype: torch.dtype) -> None:
    b, a = random_filter(order, order, dtype)
    x = torch.randn(2**18, dtype=dtype)
    y = {}
    for threads in (1, 3):
        torch.set_num_threads(threads)
        y[threads] = polezero.lfilter(b, a, x)
    assert_close(y[3], y[1])


def test_a_gradient_that_is_one_number_has_the_same_bits_on_any_number_of_threads() -> None:
    """torch alone would sum 200 000 rows to one number in as many parts as there are threads."""
    x = torch.randn(200_000, 3)
    gains, grads = torch.tensor([0.5], requires_grad=True), []
    for threads in (1, 2, 5):
        torch.set_num_threads(threads)
        for y in (polezero.lfilter(gains, [1.0], x), polezero.allpole(gains, x)):
            grads.append(torch.autograd.grad(y, gains, x)[0].item())
    assert len(set(grads)) == 2, "one for each filter"


@pytest.mark.parametrize("rows", [1, 2, 5])
def test_repeated_runs_have_the_same_bits(rows: int) -> None:
    run = lfilter_run(rows, 2**17, torch.float32)
    first = run(2)
    for _ in range(5):
        assert_same_bits(run(2), first)


class Filtered(Dataset[Tensor]):
    """Filters in the worker; each item is as long as what the parent split over its threads."""

    def __init__(self, signals: Tensor) -> None:
        self.signals = signals

    def __len__(self) -> int:
        return len(self.signals)

    def __getitem__(self, index: int) -> Tensor:
        x = self.signals[index].requires_grad_()
        y = polezero.lfilter([1.0, 0.5], [1.0, -0.9], x)
        assert isinstance(y, Tensor)
        (grad_x,) = torch.autograd.grad(y.sum(), x)
        return torch.stack([y.detach(), grad_x])


def test_forked_data_loader_workers_filter_as_their_parent() -> None:
    data = Filtered(torch.randn(4, 2**17))
    expected = torch.stack([data[k] for k in range(4)])  # the parent's thread pool exists before the fork
    loader = DataLoader(data, batch_size=2, num_workers=2, multiprocessing_context="fork", timeout=60)
    assert_close(torch.cat(list(loader)), expected, tolerance=3e-6)


def test_a_forked_child_filters_as_its_parent() -> None:
    x = torch.randn(4, 2**15)
    expected = polezero.lfilter([1.0, 0.5], [1.0, -0.9], x)
    child = os.fork()
    if child == 0:  # on one thread: torch's own pool does not survive a fork, which is why loaders do the same
        torch.set_num_threads(1)
        same = torch.equal(polezero.lfilter([1.0, 0.5], [1.0, -0.9], x), expected)
        os._exit(0 if same else 1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0


def test_calls_from_several_python_threads_do_not_disturb_each_other() -> None:
    signals = torch.randn(16, 2**15)
    expected = [polezero.lfilter([1.0, 0.5], [1.0, -0.9], x) for x in signals]
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda x: polezero.lfilter([1.0, 0.5], [1.0, -0.9], x), signals))
    # The intra-op pool has as many threads in each caller, or one: a row may be split in another way.
    assert_close(results, expected, tolerance=3e-6)
