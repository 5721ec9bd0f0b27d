"""Threads: the same bits on one and on two, forked workers, calls from several Python threads."""

import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from cases import SIZED
from cases.case import Bound
from cases.lfilter import lfilter_inputs
from cases.tensors import random_filter
from support import assert_close, each, ids, requires_grad
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

import polezero

# Rows are cut in time on threads, but not under deterministic algorithms.
pytestmark = pytest.mark.splits_rows

Run = Callable[[int], tuple[Tensor, ...]]


def passes(function: Callable[..., tuple[Tensor, ...]], inputs: tuple[Tensor, ...]) -> Run:
    """A forward and backward pass on some number of threads."""

    def run(threads: int) -> tuple[Tensor, ...]:
        torch.set_num_threads(threads)
        leaves = requires_grad(inputs)
        outputs = function(*leaves)
        torch.manual_seed(1)
        weights = [torch.randn_like(y) for y in outputs]
        return tuple(t.detach() for t in (*outputs, *torch.autograd.grad(outputs, leaves, weights)))

    return run


def run_of(example: Bound, rows: int, T: int) -> Run:
    function, _, inputs = example.at(example.sized(rows, T, torch.float32))
    return passes(function, inputs)


def assert_same_bits(one: tuple[Tensor, ...], other: tuple[Tensor, ...]) -> None:
    differ = [i for i, (p, q) in enumerate(zip(one, other, strict=True)) if not torch.equal(p, q)]
    assert not differ, f"number {differ} of outputs and gradients; one long row's may where its Sized says splits_rows"


SHAPES = [(3, 20_001), (64, 500), (3000, 7)]


@pytest.mark.parametrize("shape", SHAPES, ids=ids(SHAPES))
@each("threads", SIZED)
def test_rows_have_the_same_bits_on_one_and_two_threads(example: Bound, shape: tuple[int, int]) -> None:
    run = run_of(example, *shape)
    assert_same_bits(run(1), run(2))


@each("threads", [bound for bound in SIZED if not bound.call.splits_rows])
def test_one_row_has_the_same_bits_on_any_number_of_threads(example: Bound) -> None:
    run = run_of(example, 1, 2**16 + 1)
    one = run(1)
    for threads in (2, 3, 5):
        assert_same_bits(run(threads), one)


@each("threads", [bound for bound in SIZED if bound.call.splits_rows])
def test_one_row_is_cut_in_time_and_equal_to_rounding(example: Bound) -> None:
    """But under deterministic algorithms."""
    run = run_of(example, 1, 2**17 + 1)
    one = run(1)
    for threads in (2, 5):
        # Sums over all samples, in another order: their rounding grows with the root of that.
        assert_close(run(threads), one, tolerance=3e-6)
    torch.use_deterministic_algorithms(True)
    one = run(1)
    for threads in (2, 5):
        assert_same_bits(run(threads), one)


# ---- what is special of lfilter


def lfilter_run(rows: int, T: int, dtype: torch.dtype, own_filters: bool = False) -> Run:
    lead = (rows,) if own_filters else ()
    inputs = lfilter_inputs(dtype, T=T, lead_b=lead, lead_a=lead, lead_x=(rows,), lead_zi=(rows,))
    return passes(lambda b, a, x, zi: polezero.lfilter(b, a, x, zi=zi), inputs)


@pytest.mark.kernels
@pytest.mark.parametrize("dtype", [torch.float32, torch.complex128], ids=ids([torch.float32, torch.complex128]))
@pytest.mark.parametrize("shape", [(2, 2**16), *SHAPES, (20_000, 5)], ids=str)
def test_filters_of_their_own_have_the_same_bits_on_one_and_two_threads(
    shape: tuple[int, int], dtype: torch.dtype
) -> None:
    run = lfilter_run(*shape, dtype, own_filters=True)
    assert_same_bits(run(1), run(2))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=ids([torch.float32, torch.float64]))
@pytest.mark.parametrize(("rows", "threads"), [(1, 2), (1, 3), (1, 5), (3, 5)])
def test_rows_split_in_time_are_equal_to_rounding(rows: int, threads: int, dtype: torch.dtype) -> None:
    run = lfilter_run(rows, 2**19 + 1, dtype)
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


def load_in_forks() -> None:
    data = Filtered(torch.randn(4, 2**17))
    expected = torch.stack([data[k] for k in range(4)])  # the parent's thread pool exists before the fork
    loader = DataLoader(data, batch_size=2, num_workers=2, multiprocessing_context="fork", timeout=60)
    assert_close(torch.cat(list(loader)), expected, tolerance=3e-6)


def test_forked_data_loader_workers_filter_as_their_parent() -> None:
    """In a new process, as a training script is: torch differentiates in no fork of one whose engine has threads."""
    script = multiprocessing.get_context("spawn").Process(target=load_in_forks)
    script.start()
    script.join(120)
    assert script.exitcode == 0


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
