"""One benchmark at one size, in this process: `python -m tieout.rehearsal.bench NAME SIZE`. Prints its figures as JSON.

Started by `tieout bench`, which prepares the environment; the product's own database is never reached from here.
"""

from __future__ import annotations

import importlib
import sys

import msgspec

from tieout.rehearsal.bench import BENCHMARKS


def main(name: str, size: int) -> None:
    """Run it and print the last line that counts."""
    benchmark = BENCHMARKS[name]
    if benchmark.database:
        import django

        django.setup()
    module = importlib.import_module(f"tieout.rehearsal.bench.{benchmark.module}")
    found = list(module.run(size))
    print(msgspec.json.encode(found).decode(), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
