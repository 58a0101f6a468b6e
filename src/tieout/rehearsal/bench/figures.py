"""Figures of a benchmark, and how they are judged: against a must, an aim, and their own growth with the size."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import msgspec

Better = Literal["more", "less"]


class Figure(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One measured thing at one size. A figure with a `must` is judged; `seconds` lets its growth with `size` be told.

    `against` names the peer or limit of a ratio. `better` says which way is good.
    """

    name: str
    size: int
    value: float
    unit: str
    must: float | None = None
    aim: float | None = None
    better: Better = "more"
    against: str = ""
    seconds: float | None = None

    def judged(self, at_least: int) -> Figure:
        """The figure as it is where its size reaches that for which the promise is made; below, nothing is asked of it."""
        return self if self.size >= at_least else msgspec.structs.replace(self, must=None, aim=None)

    @property
    def verdict(self) -> str:
        """`aim` reached, `must` kept, `missed`, or '' where nothing is asked of it."""
        if self.must is None:
            return ""
        if self.aim is not None and self._reaches(self.aim):
            return "aim"
        return "must" if self._reaches(self.must) else "missed"

    def _reaches(self, limit: float) -> bool:
        return self.value >= limit if self.better == "more" else self.value <= limit


class Slope(msgspec.Struct, frozen=True, kw_only=True):
    """How the time of a figure grows: time ~ size ** `power`. 1 is in step with the work."""

    name: str
    small: int
    large: int
    power: float


def slopes(figures: Iterable[Figure]) -> list[Slope]:
    """The growth of every timed figure that was taken at two sizes, in the order they first came."""
    taken: dict[str, dict[int, float]] = {}
    for figure in figures:
        if figure.seconds:
            taken.setdefault(figure.name, {})[figure.size] = figure.seconds
    found = []
    for name, times in taken.items():
        small, large = min(times), max(times)
        if small < large:
            found.append(Slope(name=name, small=small, large=large, power=math.log(times[large] / times[small]) / math.log(large / small)))
    return found


class Stopwatch:
    """Seconds of a block, once it has ended: by the clock, and on the processor (0 where that is not known)."""

    seconds: float = 0.0
    busy: float = 0.0

    def __add__(self, other: Stopwatch) -> Stopwatch:
        both = Stopwatch()
        both.seconds, both.busy = self.seconds + other.seconds, self.busy + other.busy
        return both


@contextmanager
def timed(*, server: int | None = None) -> Iterator[Stopwatch]:
    """Time of the block by the clock; on the processor this process and, with `server`, the database's process of that number."""
    watch, begun, busy = Stopwatch(), time.perf_counter(), time.process_time() + _busy(server)
    try:
        yield watch
    finally:
        watch.seconds = time.perf_counter() - begun
        watch.busy = time.process_time() + _busy(server) - busy


def _busy(process: int | None) -> float:
    """Seconds another process has had of the processor (proc(5): utime and stime)."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError):
        return 0.0


def rate(name: str, size: int, seconds: float, unit: str) -> Figure:
    """So many a second."""
    return Figure(name=name, size=size, value=size / seconds, unit=f"{unit}/s", seconds=seconds)


def peak_megabytes() -> float:
    """The most memory this process has held, in MB of 2^20 bytes.

    From the kernel's own mark for this address space: the figure of `getrusage` begins with the memory of the process that
    started this one.
    """
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
    except (OSError, StopIteration):
        import resource
        import sys

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)
