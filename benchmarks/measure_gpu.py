"""Time on a GPU, by events: replays of a captured graph, or, where a call cannot be captured, the call itself.

A graph leaves out what Python and torch do on the host, so that what is timed is the kernels and the gaps between
them. The spin ahead of each timing lets the host queue it all before the first event. Contenders take turns; the
median of their timings counts. What fits into the cache of the GPU stays there from one call to the next.
"""

import statistics
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

Call = Callable[[], object]

_SHORTEST_S = 2e-3  # one timing: as many calls as fill this
_MOST_CALLS = 100
_FEWEST_TURNS = 5
_VERY_SLOW_S = 1.0  # a peer's: one call is all it gets
_SPIN_CYCLES = 1_000_000  # half a millisecond
_EAGER_TIMINGS = 5


@dataclass(frozen=True)
class Timing:
    median_s: float  # of one call, on the GPU
    best_s: float
    eager_s: float  # of one call from Python, calls following each other, on the host's clock
    how: str  # "graph", or "events" and why
    timings: int


class Contender:
    """A call, once or often enough for a timing. It has been warmed up on smaller signals."""

    def __init__(self, call: Call, can_be_captured: bool = True) -> None:
        self._call = call
        self._timings: list[float] = []
        self._number = 1
        self._graph: torch.cuda.CUDAGraph | None = None
        self._how = "events"
        first = self._time()
        self._is_done = first > _VERY_SLOW_S
        if self._is_done:
            self._timings.append(first)
            return
        self._number = min(max(1, round(_SHORTEST_S / self._time())), _MOST_CALLS)
        if can_be_captured:
            self._capture()

    def _capture(self) -> None:
        graph = torch.cuda.CUDAGraph()
        try:
            with warnings.catch_warnings():
                warnings.filterwarnings("error", message=".*[Gg]raph is empty.*")  # it ran elsewhere
                with torch.cuda.graph(graph):
                    self._run()
        except Exception as error:
            self._how = f"events: {error}".splitlines()[0]
            torch.cuda.synchronize()
        else:
            self._graph, self._how = graph, "graph"

    def _run(self) -> None:
        for _ in range(self._number):
            self._call()

    def _time(self) -> float:
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        torch.cuda._sleep(_SPIN_CYCLES)
        start.record()
        if self._graph is not None:
            self._graph.replay()
        else:
            self._run()
        end.record()
        end.synchronize()
        return start.elapsed_time(end) / 1e3 / self._number

    def turn(self) -> None:
        if not self._is_done:
            self._timings.append(self._time())

    def result(self) -> Timing:
        return Timing(
            statistics.median(self._timings),
            min(self._timings),
            self._eager(),
            self._how,
            len(self._timings),
        )

    def _eager(self) -> float:
        if self._is_done:
            return self._timings[0]
        seconds = []
        for _ in range(_EAGER_TIMINGS):
            torch.cuda.synchronize()
            start = time.perf_counter()
            self._run()
            torch.cuda.synchronize()
            seconds.append((time.perf_counter() - start) / self._number)
        return statistics.median(seconds)


def interleaved(contenders: Sequence[Contender], seconds: float) -> list[Timing]:
    """Time them in turns; each at least a few times."""
    end = time.perf_counter() + seconds
    turns = 0
    while turns < _FEWEST_TURNS or time.perf_counter() < end:
        for contender in contenders:
            contender.turn()
        turns += 1
    return [contender.result() for contender in contenders]
