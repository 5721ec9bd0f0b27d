"""The kernels of each instruction set, chosen by POLEZERO_CPU_CAPABILITY in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

FLAGS = {"baseline": set(), "avx2": {"avx2", "fma"}, "avx512": {"avx512f", "avx512bw", "avx512vl", "avx512dq"}}
TESTS = Path(__file__).parent

# Values against SciPy over dtypes and orders, NaN at every position, the accuracy targets, the same bits: what depends
# on the kernels and not on what is above them.
SUBSET = [
    "test_lfilter_scipy.py::test_lfilter_matches_scipy_at_every_order",
    "test_lfilter_scipy.py::test_lfilter_of_a_signal_shorter_than_the_filter",
    "test_allpole.py::test_allpole_primitive_runs_backwards_in_time_without_flips",
    "test_allpole.py::test_lag_correlation_primitive_correlates_without_conjugating",
    "test_nonfinite.py::test_a_bad_sample_at_every_position_spreads_as_in_a_serial_filter",
    "test_nonfinite.py::test_a_bad_gradient_at_every_position_spreads_backwards_alone",
    "test_numerics.py::test_float32_allpole_reaches_the_accuracy_targets",
    "test_numerics.py::test_float64_gradients_are_within_10x_of_a_serial_filter",
    "test_autograd.py::test_gradients_match_the_reference",
    "test_autograd.py::test_lfilter_one_pass_equals_two_pass",
    "test_time_varying.py::test_primitive_matches_its_loop",
    "test_lpv.py::test_allpole_matches_its_loop",
    "test_modal.py::test_modal_bank_matches_its_loop",
    "test_delays.py::test_sparse_allpole_matches_its_loop",
    "test_delays.py::test_combs_match_their_loops",
    "test_delays.py::test_a_comb_with_a_thiran_all_pass_matches_its_loop",
    "test_splines.py::test_cubic_spline_goes_through_its_samples",
    "test_splines.py::test_evaluation_of_few_coefficients_matches_its_definition",
    "test_sosfilt.py::test_sosfilt_matches_scipy",
    "test_sosfilt.py::test_the_fused_backward_equals_that_of_its_sections",
    "test_lattice.py::test_lattice_matches_its_loop",
    "test_state_space.py::test_state_space_matches_its_loop",
    "test_threads.py::test_lfilter_has_the_same_bits_on_one_and_two_threads",
]


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
    skip_unless_available(capability)
    tests = run(capability, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *SUBSET)
    assert tests.returncode == 0, tests.stdout[-3000:] + tests.stderr[-1000:]
