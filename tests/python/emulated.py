"""A GPU without a GPU: torch's own CUDA device on ptxrun (tests/ptxrun/README.md), for `pytest --device emulated`.

`make emulated` builds what it needs, and starts Python with ptxrun in the place of CUDA's runtime. The kernels are
those that nvcc makes; aten's operators are done by the CPU on the same memory.
"""

import ctypes
import os

import pytest
import torch

# What cannot run there: test files, or tests by what their names begin with, each with its reason.
CANNOT_RUN: dict[str, str] = {}


def start() -> None:
    library = os.environ.get("PTXRUN_TORCH")
    if library is None or not torch.cuda.is_available() or torch.cuda.get_device_name() != "ptxrun":
        raise pytest.UsageError("--device emulated: run `make emulated`, which starts Python on ptxrun")
    torch.ops.load_library(library)
    # ptxrun finds what is read before it is written, which NaN would hide.
    torch.utils.deterministic.fill_uninitialized_memory = False


def assert_nothing_found() -> None:
    """By ptxrun, since the last call."""
    ptxrun = ctypes.CDLL(None)
    ptxrun.ptxrun_finding.restype = ctypes.c_char_p
    found = [ptxrun.ptxrun_finding(i).decode() for i in range(ptxrun.ptxrun_findings(None))]
    ptxrun.ptxrun_clear()
    assert not found, "\n".join(["ptxrun's findings:", *found])


def reason_against(item: pytest.Item) -> str | None:
    return next((why for name, why in CANNOT_RUN.items() if item.name.startswith(name) or item.path.name == name), None)
