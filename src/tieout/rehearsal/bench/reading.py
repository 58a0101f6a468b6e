"""`read`: an export as CSV into canonical records, beside the standard library's bare `csv.reader` over the same file.

The reader recognises delimiter, dates, marks and currency, checks every cell and makes a record of every row; the peer splits
lines and throws them away. A million rows must pass in bounded memory.
"""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tieout.adapters.ports import registry
from tieout.adapters.ports.upload import Upload
from tieout.core.documents import Invoice
from tieout.rehearsal.bench import books
from tieout.rehearsal.bench.figures import Figure, peak_megabytes, rate, timed

_MEMORY = 1_000_000


def run(size: int) -> Iterator[Figure]:
    """Read them all, count the invoices."""
    with tempfile.TemporaryDirectory() as folder:
        path = books.write(Path(folder) / "invoices.csv", size)
        with timed() as ours:
            found = sum(isinstance(record, Invoice) for record in registry.read(Upload.of_path(path)))
        assert found == size, found
        peak = peak_megabytes()
        with timed() as bare, path.open(newline="", encoding="utf-8") as handle:
            assert sum(1 for _ in csv.reader(handle)) == size + 1
    yield rate("read: CSV to records", size, ours.seconds, "rows")
    yield Figure(name="read: of bare csv.reader", size=size, value=bare.seconds / ours.seconds, unit="x", against="csv.reader, rows thrown away")
    yield Figure(name="read: peak memory", size=size, value=peak, unit="MB", must=400, better="less").judged(_MEMORY)
