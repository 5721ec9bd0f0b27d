"""Time by interleaved repeats.

Why minimum and not mean: on a shared machine everything that disturbs a run makes it slower, never faster. Why
interleaved (A B A B): the clock and the neighbours change within seconds, and a ratio of two minima taken in the same
seconds outlives that. The median over the minimum of the clone says how disturbed a measurement was.
"""

import gc
import resource
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

Call = Callable[[], object]

_SHORTEST_S = 1e-3  # one timing: as many calls as fill this, against the clock's own cost
_TIMINGS_A_TURN = 3
_SLOW_S = 0.05  # a call that keeps nothing in a cache: no warming up, one timing a turn


@dataclass(frozen=True)
class Timing:
    best_s: float  # of one call
    median_s: float
    timings: int


@dataclass(frozen=True)
class Contender:
    call: Call
    threads: int = 1


class _Clock:
    """One contender's timings."""

    def __init__(self, contender: Contender) -> None:
        self.contender = contender
        self.timings: list[float] = []
        self.number = 1
        torch.set_num_threads(contender.threads)
        first = self._time()
        self.is_slow = first > _SLOW_S
        if self.is_slow:
            self.timings.append(first)
        else:
            self.number = max(1, round(_SHORTEST_S / min(self._time() for _ in range(3))))

    def _time(self) -> float:
        call = self.contender.call
        start = time.perf_counter()
        for _ in range(self.number):
            call()
        return (time.perf_counter() - start) / self.number

    def turn(self) -> None:
        torch.set_num_threads(self.contender.threads)
        if not self.is_slow:
            self.contender.call()  # untimed: brings its data, code and threads back
        for _ in range(1 if self.is_slow else _TIMINGS_A_TURN):
            self.timings.append(self._time())

    def result(self) -> Timing:
        return Timing(min(self.timings), statistics.median(self.timings), len(self.timings))


def interleaved(first: Contender, second: Contender, seconds: float) -> tuple[Timing, Timing]:
    """Time two contenders in turns within one process, for at least one turn each."""
    end = time.perf_counter() + seconds
    clocks = _Clock(first), _Clock(second)
    was_collecting = gc.isenabled()
    gc.disable()
    try:
        while True:
            for clock in clocks:
                clock.turn()
            if time.perf_counter() > end:
                break
    finally:
        if was_collecting:
            gc.enable()
        torch.set_num_threads(1)
    return clocks[0].result(), clocks[1].result()


def faults_of_a_warm_clone(size: int) -> int:
    """Page faults in one clone of `size` floats after others: zero where malloc keeps its memory."""
    x = torch.zeros(size)
    for _ in range(3):
        x.clone()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    x.clone()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
