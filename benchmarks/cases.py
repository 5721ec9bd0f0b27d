"""What is measured on the CPU (run.py) and on a GPU (gpu.py), and the reaches; problems.py has filters and signals."""

from dataclasses import dataclass
from enum import Enum
from itertools import product
from typing import Any, Literal

# clone    time over the time of x.clone()              call     microseconds of the whole Python call
# threads  time on one thread over the time on two      memory   peak over the start, in signals of B x T
# silence  time on an impulse and zeros over noise      mode     nanoseconds for each mode and sample
# sosfilt  time over that of one polezero.sosfilt of the same order, with as many threads and gradients
# Those of a GPU (gpu.py):
# copy     time of the kernels over the time of y.copy_(x)  kernel  microseconds of the kernels
Measure = Literal["clone", "call", "threads", "memory", "silence", "mode", "sosfilt", "copy", "kernel"]
Direction = Literal["forward", "both", "signal"]  # both: forward, then backward to x and all coefficients; signal: to x

# The reads and writes of whole signals that no implementation can avoid: forward x, y; backward grad_y, x, y, grad_x.
SIGNALS_MOVED = {"forward": 2, "both": 6, "signal": 4}


class Op(Enum):
    """A function, and the parameters with which it is called; implementations.py has the calls."""

    LFILTER = "lfilter"
    ALLPOLE = "allpole"
    SOSFILT = "sosfilt"
    LPV_ALLPOLE = "lpv.allpole"
    LINEAR_RECURRENCE = "linear_recurrence"
    LINEAR_RECURRENCE_VARYING = "linear_recurrence, varying"
    COMB_FILTER_100 = "comb_filter, D = 100"
    COMB_FILTER_4 = "comb_filter, D = 4"
    COMB_FILTER_LAGRANGE3_MOVING = "comb_filter, lagrange3, moving"
    COMB_FILTER_LINEAR_MOVING = "comb_filter, linear, moving"
    COMB_FILTER_THIRAN = "comb_filter, thiran"
    FEEDFORWARD_COMB_LAGRANGE3_MOVING = "feedforward_comb, lagrange3, moving"
    ALLPASS_COMB_100 = "allpass_comb, D = 100"
    SPARSE_ALLPOLE_4_TAPS = "sparse_allpole, 4 taps"
    CSPLINE1D = "cspline1d"
    CSPLINE1D_SMOOTHING = "cspline1d, smoothing"
    CSPLINE1D_EVAL = "cspline1d_eval"
    SYMIIRORDER2 = "symiirorder2"
    CUBIC_SPLINE_4 = "cubic_spline, m = 4"
    MODAL_BANK = "modal_bank"
    STATE_SPACE = "state_space"
    LPV_LATTICE = "lpv.lattice"
    LPV_TDF2_SSM = "lpv.tdf2_ssm"
    FILTFILT = "filtfilt"
    SOSFILTFILT = "sosfiltfilt"
    COMPAT_FILTFILT = "compat.torchaudio.filtfilt"


@dataclass(frozen=True)
class Case:
    name: str
    measure: Measure
    direction: Direction
    rows: int
    samples: int
    order: int = 2
    dtype: str = "float32"
    op: Op = Op.LFILTER
    reach: float | None = None
    threads: int = 1  # of the units "clone" and "sosfilt" too

    @property
    def size(self) -> int:
        return self.rows * self.samples


def lpv(what: str, rows: int, samples: int, order: int, direction: Direction = "forward", reach: float = 0) -> Case:
    name = f"lpv.allpole, {what}, {rows} x 2^{samples.bit_length() - 1}"
    return Case(name, "clone", direction, rows, samples, order, op=Op.LPV_ALLPOLE, reach=reach)


def sosfilt(what: str, rows: int, samples: int, K: int, direction: Direction = "forward", reach: float = 0) -> Case:
    name = f"sosfilt, {what}, {rows} x 2^{samples.bit_length() - 1}"
    return Case(name, "clone", direction, rows, samples, 2 * K, op=Op.SOSFILT, reach=reach)


WHAT = {"forward": "forward", "both": "forward + backward", "signal": "forward + backward to x"}


def rows_of_32(op: Op, direction: Direction, reach: float | None = None) -> Case:
    return Case(f"{op.value}, {WHAT[direction]}, 32 x 2^16", "clone", direction, 32, 2**16, op=op, reach=reach)


def modal_bank(rows: int, samples: int, modes: int, direction: Direction = "forward", reach: float = 0) -> Case:
    name = f"modal_bank, {WHAT[direction]}, {modes} modes, {rows} x 2^{samples.bit_length() - 1}"
    return Case(name, "mode", direction, rows, samples, modes, op=Op.MODAL_BANK, reach=reach or None)


def zero_phase(op: Op, rows: int, samples: int, direction: Direction, threads: int) -> Case:
    name = f"{op.value}, {WHAT[direction]}, {rows} x 2^{samples.bit_length() - 1}"
    name += f", {threads} threads" if threads > 1 else ""
    has_reach = op is not Op.COMPAT_FILTFILT and direction == "forward" and threads == 1
    return Case(name, "sosfilt", direction, rows, samples, 4, op=op, reach=2.5 if has_reach else None, threads=threads)


def zero_phase_memory(op: Op, rows: int, samples: int, direction: Direction) -> Case:
    name = f"peak memory, {op.value}, {WHAT[direction]}, {rows} x 2^{samples.bit_length() - 1}"
    return Case(name, "memory", direction, rows, samples, 4, op=op, reach=8 if rows == 1 else 5)


def zero_phase_cases() -> list[Case]:
    sizes = ((16, 2**16), (1, 2**20))
    timed = product((1, 2), (Op.FILTFILT, Op.SOSFILTFILT, Op.COMPAT_FILTFILT), sizes, ("forward", "both"))
    weighed = product((Op.FILTFILT, Op.SOSFILTFILT), sizes, ("both", "signal"))
    return [
        *(zero_phase(op, *size, direction, threads) for threads, op, size, direction in timed),
        *(zero_phase_memory(op, *size, direction) for op, size, direction in weighed),
    ]


CASES = [
    Case("forward, 1 x 2^20", "clone", "forward", 1, 2**20, reach=1.45),
    Case("forward, 64 x 2^20", "clone", "forward", 64, 2**20, reach=1.3),
    Case("forward, 1024 x 4096", "clone", "forward", 1024, 4096, reach=1.9),
    Case("forward, 16384 x 256", "clone", "forward", 16384, 256, reach=2.2),
    Case("forward + backward, 1 x 2^20", "clone", "both", 1, 2**20, reach=5),
    Case("forward + backward, 32 x 2^16", "clone", "both", 32, 2**16, reach=5),
    Case("forward, order 8, 16 x 2^16", "clone", "forward", 16, 2**16, order=8, reach=3),
    Case("forward, order 16, 16 x 2^16", "clone", "forward", 16, 2**16, order=16, reach=6),
    Case("whole call, forward, 1 x 2^14", "call", "forward", 1, 2**14, reach=15),
    Case("whole call, forward + backward, 1 x 2^14", "call", "both", 1, 2**14, reach=60),
    Case("2 threads over 1, forward, 32 x 2^16", "threads", "forward", 32, 2**16, reach=1.7),
    Case("2 threads over 1, forward + backward, 32 x 2^16", "threads", "both", 32, 2**16, reach=1.7),
    Case("peak memory, forward + backward, 32 x 2^18", "memory", "both", 32, 2**18, reach=4.3),
    Case("silence over noise, forward, 1 x 480001", "silence", "forward", 1, 480_001, reach=1.5),
    Case("silence over noise, forward + backward, 1 x 480001", "silence", "both", 1, 480_001, reach=1.5),
    Case("forward, order 1, 16 x 2^16", "clone", "forward", 16, 2**16, order=1),
    Case("forward, order 4, 16 x 2^16", "clone", "forward", 16, 2**16, order=4),
    Case("forward, order 32, 16 x 2^16", "clone", "forward", 16, 2**16, order=32),
    Case("forward + backward, order 8, 16 x 2^16", "clone", "both", 16, 2**16, order=8),
    Case("forward, float64, 1 x 2^20", "clone", "forward", 1, 2**20, dtype="float64"),
    Case("forward, float64, 1024 x 4096", "clone", "forward", 1024, 4096, dtype="float64"),
    Case("forward + backward, float64, 32 x 2^16", "clone", "both", 32, 2**16, dtype="float64"),
    Case("allpole, forward, order 2, 32 x 2^16", "clone", "forward", 32, 2**16, op=Op.ALLPOLE),
    Case("allpole, forward + backward, order 2, 32 x 2^16", "clone", "both", 32, 2**16, op=Op.ALLPOLE),
    Case("allpole, forward, order 16, 16 x 2^16", "clone", "forward", 16, 2**16, order=16, op=Op.ALLPOLE),
    Case("allpole, forward + backward, order 16, 16 x 2^16", "clone", "both", 16, 2**16, order=16, op=Op.ALLPOLE),
    lpv("forward, order 2", 32, 2**16, 2, reach=3),
    lpv("forward + backward, order 2", 32, 2**16, 2, "both", reach=10),
    lpv("forward, order 2", 1, 2**20, 2, reach=6),
    lpv("forward, order 16", 16, 2**16, 16, reach=20),
    lpv("forward + backward, order 16", 16, 2**16, 16, "both", reach=50),
    sosfilt("forward, K = 4", 32, 2**16, 4, reach=3.2),
    sosfilt("forward, K = 8", 32, 2**16, 8, reach=5),
    sosfilt("forward, K = 32", 32, 2**16, 32, reach=16),
    sosfilt("forward + backward, K = 4", 32, 2**16, 4, "both", reach=14),
    sosfilt("forward, K = 4", 1, 2**20, 4, reach=5),
    sosfilt("forward, K = 32", 1, 2**20, 32, reach=36),
    rows_of_32(Op.COMB_FILTER_100, "forward", 1.6),
    rows_of_32(Op.COMB_FILTER_100, "both", 6),
    rows_of_32(Op.SPARSE_ALLPOLE_4_TAPS, "forward", 5),
    rows_of_32(Op.SPARSE_ALLPOLE_4_TAPS, "both", 16),
    rows_of_32(Op.COMB_FILTER_LAGRANGE3_MOVING, "both", 60),
    rows_of_32(Op.COMB_FILTER_LINEAR_MOVING, "both"),
    rows_of_32(Op.COMB_FILTER_THIRAN, "both"),
    rows_of_32(Op.COMB_FILTER_4, "forward"),
    rows_of_32(Op.FEEDFORWARD_COMB_LAGRANGE3_MOVING, "forward"),
    rows_of_32(Op.ALLPASS_COMB_100, "both"),
    rows_of_32(Op.CSPLINE1D, "forward", 3),
    rows_of_32(Op.CSPLINE1D, "both"),
    rows_of_32(Op.CSPLINE1D_SMOOTHING, "forward"),
    rows_of_32(Op.CSPLINE1D_EVAL, "both"),
    rows_of_32(Op.SYMIIRORDER2, "forward"),
    rows_of_32(Op.CUBIC_SPLINE_4, "forward", 8),
    Case("linear_recurrence, 32 x 2^16", "clone", "forward", 32, 2**16, 1, op=Op.LINEAR_RECURRENCE, reach=1.4),
    Case(
        "linear_recurrence, varying, 32 x 2^16",
        "clone",
        "forward",
        32,
        2**16,
        1,
        op=Op.LINEAR_RECURRENCE_VARYING,
        reach=2.5,
    ),
    Case("state_space, 4 states, 32 x 2^16", "clone", "forward", 32, 2**16, 4, op=Op.STATE_SPACE, reach=6),
    Case("state_space, 4 states, forward + backward, 32 x 2^16", "clone", "both", 32, 2**16, 4, op=Op.STATE_SPACE),
    Case("lpv.lattice, order 8, 32 x 2^16", "clone", "forward", 32, 2**16, 8, op=Op.LPV_LATTICE),
    Case("lpv.lattice, order 8, forward + backward, 32 x 2^16", "clone", "both", 32, 2**16, 8, op=Op.LPV_LATTICE),
    Case("lpv.tdf2_ssm, order 2, 32 x 2^16", "clone", "forward", 32, 2**16, 2, op=Op.LPV_TDF2_SSM),
    Case("lpv.tdf2_ssm, order 2, forward + backward, 32 x 2^16", "clone", "both", 32, 2**16, 2, op=Op.LPV_TDF2_SSM),
    modal_bank(1, 2**18, 64, reach=0.2),
    modal_bank(1, 2**18, 64, "both"),
    modal_bank(32, 2**12, 16, "both"),
    Case("peak memory, modal_bank, 1024 modes", "memory", "both", 16, 2**18, 1024, op=Op.MODAL_BANK, reach=8),
    Case("peak memory, lpv.allpole, forward + backward", "memory", "both", 32, 2**18, op=Op.LPV_ALLPOLE, reach=8.4),
    *zero_phase_cases(),
]


def against_copy(name: str, rows: int, samples: int, reach: float | None, **what: Any) -> Case:
    what = {"direction": "forward"} | what
    return Case(f"{name}, {rows} x {_size(samples)}", "copy", rows=rows, samples=samples, reach=reach, **what)


def kernel_time(samples: int, reach: float) -> Case:
    return Case(f"lfilter, 1 x {_size(samples)}", "kernel", "forward", 1, samples, reach=reach)


def _size(samples: int) -> str:
    return f"2^{samples.bit_length() - 1}" if samples > 2**13 else str(samples)


# Cases of a GPU, of order 2 and float32 where nothing else is said.
GPU_CASES = [
    against_copy("lfilter", 1, 2**26, 1.35),
    against_copy("lfilter", 64, 2**20, 1.35),
    against_copy("lfilter", 4096, 2**12, 1.35),
    kernel_time(2**20, 20),
    kernel_time(2**14, 12),
    against_copy("lfilter, forward + backward", 64, 2**20, 5, direction="both"),
    against_copy("sosfilt, K = 4", 64, 2**20, 1.8, op=Op.SOSFILT, order=8),
    against_copy("sosfilt, K = 32", 64, 2**20, 10, op=Op.SOSFILT, order=64),
    against_copy("lpv.allpole", 64, 2**18, 3, op=Op.LPV_ALLPOLE),
    against_copy("lpv.allpole, forward + backward", 64, 2**18, 9, op=Op.LPV_ALLPOLE, direction="both"),
    against_copy("linear_recurrence", 64, 2**20, 1.4, op=Op.LINEAR_RECURRENCE, order=1),
    against_copy("linear_recurrence, varying", 64, 2**20, 2, op=Op.LINEAR_RECURRENCE_VARYING, order=1),
    against_copy("lfilter, float64", 64, 2**20, 1.6, dtype="float64"),
    against_copy("comb_filter, D = 100", 64, 2**20, 1.6, op=Op.COMB_FILTER_100),
    against_copy("comb_filter, D = 100, forward + backward", 64, 2**20, 6, op=Op.COMB_FILTER_100, direction="both"),
    against_copy("sparse_allpole, 4 taps", 64, 2**20, 5, op=Op.SPARSE_ALLPOLE_4_TAPS),
    against_copy(
        "sparse_allpole, 4 taps, forward + backward", 64, 2**20, 16, op=Op.SPARSE_ALLPOLE_4_TAPS, direction="both"
    ),
    against_copy(
        "comb_filter, lagrange3, moving, forward + backward",
        64,
        2**20,
        60,
        op=Op.COMB_FILTER_LAGRANGE3_MOVING,
        direction="both",
    ),
    against_copy("cspline1d", 64, 2**20, 3, op=Op.CSPLINE1D),
    against_copy("cubic_spline, m = 4", 64, 2**20, 8, op=Op.CUBIC_SPLINE_4),
    against_copy("modal_bank, 64 modes", 64, 2**18, None, op=Op.MODAL_BANK, order=64),
    against_copy(
        "modal_bank, 64 modes, forward + backward", 64, 2**18, None, op=Op.MODAL_BANK, order=64, direction="both"
    ),
]


def higher_is_better(measure: Measure) -> bool:
    return measure == "threads"


def is_met(case: Case, figure: float) -> bool | None:
    if case.reach is None:
        return None
    return figure >= case.reach if higher_is_better(case.measure) else figure <= case.reach
