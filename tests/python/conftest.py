"""What every test runs under: a fixed seed, two threads, and the process-wide switches put back afterwards."""

from collections.abc import Iterator

import pytest
import torch


@pytest.fixture(autouse=True)
def _same_start_for_every_test() -> Iterator[None]:
    threads = torch.get_num_threads()
    deterministic = torch.are_deterministic_algorithms_enabled()
    default_dtype = torch.get_default_dtype()
    torch.set_num_threads(2)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(20240229)
        yield
    torch.set_default_dtype(default_dtype)
    torch.use_deterministic_algorithms(deterministic)
    torch.set_num_threads(threads)
