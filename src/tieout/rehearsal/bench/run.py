"""Run benchmarks: each size in a process of its own, whose figures come back as JSON."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence

import msgspec

from tieout.rehearsal.bench import BENCHMARKS, Benchmark
from tieout.rehearsal.bench.figures import Figure
from tieout.rehearsal.bench.place import Place, private


class BenchmarkFailed(Exception):
    """A benchmark ended without figures; the message holds the end of what it said."""


def run(names: Sequence[str], *, size: int | None = None, told: Callable[[str], None] = lambda _: None) -> Iterator[tuple[str, list[Figure]]]:
    """The figures of each benchmark, when it is done. With `size` the two runs are a tenth of it and it. `told` hears what starts.

    Raises BenchmarkFailed.
    """
    with private() as where:
        for name in names:
            benchmark = BENCHMARKS[name]
            figures: list[Figure] = []
            for one in _sizes(benchmark, size):
                told(f"{name} at {one:,}")
                figures += _apart(where, name, benchmark, one)
            yield name, figures


def _sizes(benchmark: Benchmark, size: int | None) -> list[int]:
    small, large = benchmark.sizes if size is None or benchmark.sizes == (1, 1) else (max(1, size // 10), size)
    return sorted({small, large})


def _apart(where: Place, name: str, benchmark: Benchmark, size: int) -> list[Figure]:
    environment = where.with_database() if benchmark.database else where.environment()
    program = [sys.executable, "-m", "tieout.rehearsal.bench", name, str(size)]
    done = subprocess.run(program, env=environment, capture_output=True, check=False)
    if benchmark.database:
        where.drop_databases()
    if done.returncode:
        raise BenchmarkFailed(f"{name} at {size:,}: {done.stderr.decode(errors='replace')[-3000:]}")
    return msgspec.json.decode(done.stdout.splitlines()[-1], type=list[Figure])
