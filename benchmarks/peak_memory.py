"""Peak memory of one call by the high-water mark of a fresh process.

python benchmarks/peak_memory.py IMPLEMENTATION CASE        prints the number of signals
"""

import gc
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from cases import CASES, Case
from implementations import find
from measure import Call
from problems import noise


def peak_signals(case: Case, name: str) -> float:
    """Resident memory at its highest over the start, in signals of the case, in a process of its own.

    That process has malloc's own thresholds (not the benchmark's), which give freed signals back at once.
    """
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MALLOC_")}
    run = subprocess.run(
        [sys.executable, __file__, name, case.name], env=environment, check=True, stdout=subprocess.PIPE, text=True
    )
    return float(run.stdout.splitlines()[-1])


def _peak_signals_here(case: Case, name: str) -> float:
    """After one tiny call, so that loading code does not count."""
    torch.set_num_threads(1)
    implementation = find(name)
    assert implementation is not None, name
    tiny = replace(case, rows=2, samples=64)
    for shape in (tiny, case):
        peak = peak_bytes(lambda shape=shape: implementation.call(shape, noise(shape)))
    return peak / (case.size * getattr(torch, case.dtype).itemsize)


def peak_bytes(prepared: Callable[[], Call]) -> int:
    """Resident memory at its highest over that before, while a call and its data are made, and it is called once."""
    gc.collect()
    start = _status_bytes("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # sets the high-water mark back to the present
    prepared()()
    return _status_bytes("VmHWM") - start


def _status_bytes(field: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"/proc/self/status has no {field}")


if __name__ == "__main__":
    _, wanted_name, wanted_case = sys.argv
    print(_peak_signals_here(next(c for c in CASES if c.name == wanted_case), wanted_name))
