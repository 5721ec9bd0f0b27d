"""A GPU without a GPU: torch's own CUDA device on ptxrun (tests/ptxrun/README.md), for `pytest --device emulated`.

`make emulated` builds what it needs, and starts Python with ptxrun in the place of CUDA's runtime. The kernels are
those that nvcc makes; aten's operators are done by the CPU on the same memory.
"""

import ctypes
import functools
import os
import re

import pytest
import torch

# What differs on every GPU (docs/cuda.md), and what cannot run on this one: expressions that tests' names match, behind
# their files', each with the reason.
NOT_READ = "the values of CUDA tensors are never read on the host"
CANNOT_RUN = {
    r"test_cuda.*run_on_the_current_stream": "test_emulated.py: streams here are names, and nothing is late",
    r"test_cuda.*captured_in_a_graph": "aten's operators are done by the CPU, which no graph holds",
    r"test_compile.*(inductor_compiles|package_(runs_from_python|of_a_time_varying))": "inductor has Triton for a GPU, "
    "which wants the driver",
    r"test_errors.*one_sentence.*(a0_|core_a0|-pole\b|-delays?_(zero|far|inf|nan|short)|one_of_a_batch)": NOT_READ,
    r"test_errors.*one_sentence.*(comb_filter|sparse_allpole)-zi_short": NOT_READ,
    r"test_errors.*one_sentence.*diagonalise-A_(inf|defective|repeated)": NOT_READ,
    r"test_errors.*one_sentence.*(normalize|residuez?|invresz?|unique_roots|deconvolve)-batch": "refused on a GPU",
    r"test_errors.*one_sentence.*-b_stack": "the sentence shows the tensors, which name their device",
}


@functools.cache
def is_here() -> bool:
    return torch.cuda.is_available() and torch.cuda.get_device_name() == "ptxrun"


def start() -> None:
    library = os.environ.get("PTXRUN_TORCH")
    if library is None or not is_here():
        raise pytest.UsageError("--device emulated: run `make emulated`, which starts Python on ptxrun")
    torch.ops.load_library(library)
    # ptxrun finds what is read before it is written, which NaN would hide.
    torch.utils.deterministic.fill_uninitialized_memory = False


@functools.cache
def ptxrun() -> ctypes.CDLL:
    """tests/ptxrun/src/ptxrun.h"""
    library = ctypes.CDLL(None)
    library.ptxrun_finding.restype = ctypes.c_char_p
    library.ptxrun_instructions.restype = ctypes.c_uint64
    library.ptxrun_only_stream.argtypes = [ctypes.c_void_p]
    return library


def assert_nothing_found() -> None:
    """By ptxrun, since the last call."""
    found = [ptxrun().ptxrun_finding(i).decode() for i in range(ptxrun().ptxrun_findings(None))]
    ptxrun().ptxrun_clear()
    assert not found, "\n".join(["ptxrun's findings:", *found])


def reason_against(item: pytest.Item) -> str | None:
    name = f"{item.path.name}::{item.name}"
    return next((why for pattern, why in CANNOT_RUN.items() if re.match(pattern, name)), None)
