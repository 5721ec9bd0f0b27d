"""What every test runs under: a fixed seed, two threads, empty memory full of NaN, and the process-wide switches put
back afterwards.

--device cuda makes the tensors of the tests on a GPU, --device emulated on one that emulated.py has, whose findings are
failures.
"""

from collections.abc import Iterator

import emulated
import pytest
import torch


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "kernels: of the kernels alone, and so run with those of each instruction set")
    config.addinivalue_line("markers", "splits_rows: not under deterministic algorithms, which never cut a row in time")
    if config.getoption("--device") == "emulated":
        emulated.start()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Known faults of cases are failures that are expected, and strictly."""
    for item in items:
        if config.getoption("--device") == "emulated" and (reason := emulated.reason_against(item)) is not None:
            item.add_marker(pytest.mark.skip(reason=reason))
        example = getattr(item, "callspec", None) and item.callspec.params.get("example")
        for name, fault in example.call.faults.items() if example else ():
            if item.name.startswith(name):
                item.add_marker(pytest.mark.xfail(reason=fault, strict=True))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--device", help="where tests make their tensors: cpu, which is the default, cuda, or emulated")


@pytest.fixture(autouse=True)
def _same_start_for_every_test(request: pytest.FixtureRequest) -> Iterator[None]:
    threads = torch.get_num_threads()
    deterministic = torch.are_deterministic_algorithms_enabled()
    default_dtype = torch.get_default_dtype()
    device = request.config.getoption("--device")
    # torch then fills what it allocates with NaN, so that nothing unwritten passes for a result.
    torch.use_deterministic_algorithms(request.node.get_closest_marker("splits_rows") is None, warn_only=True)
    torch.set_num_threads(2)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(20240229)
        torch.set_default_device("cuda" if device == "emulated" else device)
        yield
    torch.set_default_device(None)
    torch.set_default_dtype(default_dtype)
    torch.use_deterministic_algorithms(deterministic)
    torch.set_num_threads(threads)
    if device == "emulated":
        emulated.assert_nothing_found()


@pytest.fixture
def filled_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """With NaN also where emulated.py leaves it as it is, for what reads memory that nobody has written."""
    monkeypatch.setattr(torch.utils.deterministic, "fill_uninitialized_memory", True)
