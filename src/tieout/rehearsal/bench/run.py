"""Run a benchmark: each size in a process of its own, whose figures come back as JSON."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from types import MappingProxyType

import msgspec

from tieout.rehearsal.bench import BENCHMARKS, Benchmark
from tieout.rehearsal.bench.figures import Figure
from tieout.rehearsal.bench.place import Place, private

_NOTHING: Mapping[str, str] = MappingProxyType({})


class BenchmarkFailed(Exception):
    """A benchmark ended without figures; the message holds the end of what it said."""


def run(name: str, *, size: int | None = None, given: Mapping[str, str] = _NOTHING, told: Callable[[str], None] = lambda _: None) -> list[Figure]:
    """The figures of a benchmark. With `size` the two runs are a tenth of it and it. `given` is the peer's word (`peers.measured`);
    `told` hears what starts. Raises BenchmarkFailed.
    """
    benchmark = BENCHMARKS[name]
    figures: list[Figure] = []
    with private() as where:
        for one in _sizes(benchmark, size):
            told(f"{name} at {one:,}")
            figures += _apart(where, name, benchmark, one, given)
    return figures


def _sizes(benchmark: Benchmark, size: int | None) -> list[int]:
    small, large = benchmark.sizes
    if size is not None and large > 1:
        # One size where the benchmark itself compares two.
        small, large = (max(1, size // 10) if small < large else size), size
    return sorted({small, large})


def _apart(where: Place, name: str, benchmark: Benchmark, size: int, given: Mapping[str, str]) -> list[Figure]:
    environment = where.with_database() if benchmark.database else where.environment()
    program = [sys.executable, "-m", "tieout.rehearsal.bench", name, str(size)]
    done = subprocess.run(program, env={**environment, **given}, capture_output=True, check=False)
    if benchmark.database:
        where.drop_databases()
    if done.returncode:
        raise BenchmarkFailed(f"{name} at {size:,} failed: {done.stderr.decode(errors='replace')[-3000:]}")
    return msgspec.json.decode(done.stdout.splitlines()[-1], type=list[Figure])
