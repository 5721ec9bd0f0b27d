"""Time by interleaved repeats.

Why minimum and not mean: on a shared machine everything that disturbs a run makes it slower, never faster. Why
interleaved (A B A B): the clock and the neighbours change within seconds, and a ratio of two minima taken in the same
seconds outlives that. Why the processor's time, where all have one thread: a neighbour that takes turns with it on the
same core would leave no long call undisturbed. Threads wait for each other, so with two it is the clock's. The median
over the minimum of the clone says how disturbed a measurement was.
"""

import gc
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

Call = Callable[[], object]

_SHORTEST_S = 1e-3  # one timing: as many calls as fill this, against the clock's own cost
_TIMINGS_A_TURN = 3
_FEWEST_TURNS = 3
_SLOW_S = 0.05  # a call that keeps nothing in a cache: no warming up, one timing a turn
_VERY_SLOW_S = 1.0  # a peer's: two calls are all it gets
_KEEP_ALL_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(2**40), "MALLOC_TRIM_THRESHOLD_": str(2**40)}


@dataclass(frozen=True)
class Timing:
    best_s: float  # of one call
    median_s: float
    page_faults: float  # a call, in the best
    timings: int


@dataclass(frozen=True)
class Contender:
    call: Call
    threads: int = 1


class _Clock:
    """One contender's timings."""

    def __init__(self, contender: Contender, now: Callable[[], float]) -> None:
        self.contender, self.now = contender, now
        self.timings: list[tuple[float, float]] = []  # seconds and page faults, of one call
        self.number = 1
        torch.set_num_threads(contender.threads)
        first = self._time()  # meets new pages and code: counts only if it is long
        second = self._time()
        self.is_slow = second[0] > _SLOW_S
        self.is_done = second[0] > _VERY_SLOW_S
        if self.is_done:
            self.timings += [first, second]
        elif not self.is_slow:
            self.number = max(1, round(_SHORTEST_S / min(self._time()[0] for _ in range(3))))

    def _time(self) -> tuple[float, float]:
        call = self.contender.call
        faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        start = self.now()
        for _ in range(self.number):
            call()
        seconds = self.now() - start
        faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - faults
        return seconds / self.number, faults / self.number

    def turn(self) -> None:
        if self.is_done:
            return
        torch.set_num_threads(self.contender.threads)
        if not self.is_slow:
            self.contender.call()  # untimed: brings its data, code and threads back
        for _ in range(1 if self.is_slow else _TIMINGS_A_TURN):
            self.timings.append(self._time())

    def result(self) -> Timing:
        best_s, page_faults = min(self.timings)
        return Timing(best_s, statistics.median(s for s, _ in self.timings), page_faults, len(self.timings))


def keep_memory(**others: str) -> None:
    """Start this program again, with `others` in its environment, so that malloc keeps what is freed."""
    wanted = _KEEP_ALL_MEMORY | others
    if any(os.environ.get(k) != v for k, v in wanted.items()):
        os.execve(sys.executable, sys.orig_argv, os.environ | wanted)


def interleaved(contenders: Sequence[Contender], seconds: float) -> list[Timing]:
    """Time contenders in turns within one process."""
    end = time.perf_counter() + seconds
    now = time.process_time if all(c.threads == 1 for c in contenders) else time.perf_counter
    clocks = [_Clock(contender, now) for contender in contenders]
    was_collecting = gc.isenabled()
    gc.disable()
    try:
        turns = 0
        while turns < _FEWEST_TURNS or time.perf_counter() < end:
            for clock in clocks:
                clock.turn()
            turns += 1
    finally:
        if was_collecting:
            gc.enable()
        torch.set_num_threads(1)
    return [clock.result() for clock in clocks]
