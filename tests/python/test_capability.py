"""The kernels of each instruction set, chosen by POLEZERO_CPU_CAPABILITY in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from polezero.info import info

FLAGS = {"baseline": set(), "avx2": {"avx2", "fma"}, "avx512": {"avx512f", "avx512bw", "avx512vl", "avx512dq"}}
TESTS = Path(__file__).parent


def processor_flags() -> set[str]:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return set(next((line.partition(":")[2] for line in lines if line.startswith("flags")), "").split())


def run(capability: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"POLEZERO_CPU_CAPABILITY": capability}
    return subprocess.run(
        [sys.executable, *arguments], env=environment, cwd=TESTS, capture_output=True, text=True, timeout=300
    )


def skip_unless_available(capability: str) -> None:
    missing = FLAGS[capability] - processor_flags()
    if missing:
        pytest.skip(f"this processor has no {', '.join(sorted(missing))}")


@pytest.mark.parametrize("capability", FLAGS)
def test_the_forced_capability_is_reported(capability: str) -> None:
    skip_unless_available(capability)
    reported = run(capability, "-c", "from polezero.info import info; print(info()['CPU capability'])")
    assert reported.stdout.strip() == capability, reported.stderr


def test_the_best_capability_is_chosen_when_none_is_forced() -> None:
    best = [name for name, flags in FLAGS.items() if flags <= processor_flags()][-1]
    reported = run("", "-c", "from polezero.info import info; print(info()['CPU capability'])")
    assert reported.stdout.strip() == best, reported.stderr


@pytest.mark.parametrize("call", ["from polezero.info import info; info()", "p.lfilter([1.], [1.], torch.ones(3))"])
def test_an_unknown_capability_is_refused_in_one_sentence(call: str) -> None:
    refused = run("sse9", "-c", f"import torch, polezero as p; {call}")
    last = refused.stderr.strip().splitlines()[-1]
    assert refused.returncode == 1
    assert all(word in last for word in ("POLEZERO_CPU_CAPABILITY", "baseline", "sse9")), last


@pytest.mark.parametrize("capability", FLAGS)
def test_the_kernels_of_each_capability_pass(capability: str) -> None:
    """What depends on the kernels and not on what is above them: the tests that have this mark."""
    skip_unless_available(capability)
    if capability == info()["CPU capability"]:
        pytest.skip("the kernels that the whole suite runs with")
    marked = [path.name for path in TESTS.glob("test_*.py") if "mark.kernels" in path.read_text()]
    tests = run(capability, "-m", "pytest", "-q", "-x", "-m", "kernels", "-p", "no:cacheprovider", *sorted(marked))
    assert tests.returncode == 0, tests.stdout[-3000:] + tests.stderr[-1000:]
