"""What an emulated GPU shows that a real one does not: where each kernel is launched, and that nothing waits."""

from collections.abc import Iterator

import emulated
import pytest
import torch
from cases.allpole import allpole_inputs
from cases.lfilter import lfilter_inputs
from gpu_small import ON_GPU, WAITING_FOR_NOTHING, inputs_of, on, results

import polezero


@pytest.fixture(autouse=True)
def _made_on_the_cpu() -> Iterator[None]:
    if not emulated.is_here():
        pytest.skip("needs the emulated GPU")
    with torch.device("cpu"):
        yield


@pytest.fixture
def side_stream() -> Iterator[torch.cuda.Stream]:
    side = torch.cuda.Stream()
    with torch.cuda.stream(side):
        emulated.ptxrun().ptxrun_only_stream(side.cuda_stream)
        yield side
    emulated.ptxrun().ptxrun_only_stream(None)


# A row of one sample; of one tile or chunk; rows enough for a block or a thread each; tiles and chunks of one row.
@pytest.mark.parametrize("size", [(2, 1), (3, 300), (300, 30), (1, 20_000)], ids=str)
@pytest.mark.parametrize("name", ON_GPU)
def test_every_case_and_its_gradients_are_launched_on_the_current_stream_and_wait_for_nothing(
    name: str, size: tuple[int, int], side_stream: torch.cuda.Stream
) -> None:
    inputs = on("cuda", inputs_of(ON_GPU[name], *size, torch.float32))
    before = emulated.ptxrun().ptxrun_instructions()
    torch.cuda.set_sync_debug_mode("error" if name in WAITING_FOR_NOTHING else "default")
    try:
        results(ON_GPU[name], inputs)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert emulated.ptxrun().ptxrun_instructions() > before or size == (2, 1)  # a spline through one sample is that


# ---- that the emulation can fail


def test_a_launch_on_another_stream_is_found() -> None:
    b, a, x = (t.cuda() for t in lfilter_inputs())
    side = torch.cuda.Stream()
    emulated.ptxrun().ptxrun_only_stream(side.cuda_stream)
    polezero.lfilter(b, a, x)
    emulated.ptxrun().ptxrun_only_stream(None)
    with pytest.raises(AssertionError, match="stream"):
        emulated.assert_nothing_found()


@pytest.mark.parametrize("reader", ["kernel", "aten"])
def test_memory_that_nobody_wrote_is_found(reader: str) -> None:
    a, x = (t.cuda() for t in allpole_inputs())
    nothing = torch.empty_like(x)
    polezero.allpole(a, nothing) if reader == "kernel" else nothing + 1
    with pytest.raises(AssertionError, match="never written"):
        emulated.assert_nothing_found()


def test_tensors_of_two_devices_are_refused() -> None:
    with pytest.raises(RuntimeError, match="same device"):
        torch.ones(3, device="cuda") + torch.ones(3, device="cpu")


def test_what_waits_for_the_gpu_is_found() -> None:
    t = torch.ones(3, device="cuda")
    torch.cuda.set_sync_debug_mode("error")
    try:
        for wait in (lambda: t.sum().item(), t.cpu, t.nonzero):
            with pytest.raises(RuntimeError, match="synchronizing"):
                wait()
    finally:
        torch.cuda.set_sync_debug_mode("default")
