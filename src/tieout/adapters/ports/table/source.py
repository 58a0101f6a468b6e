"""What a tabular format must offer: a sample to understand the columns by, and all rows in batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import msgspec

Row = tuple[int, Sequence[str]]

#: Up to this many rows the columns are understood from all of them; beyond, from the first and from evenly spread ones.
WHOLE = 50_000
FIRST = 5_000

#: Rows per batch: enough to make columns worth while, few enough to stay small.
BATCH = 2_048


class Sample(msgspec.Struct):
    """Rows to understand a table by: `top` in order from the first line on, `spread` from further down."""

    top: list[Row]
    spread: list[Row]
    whole: bool
    row_estimate: int


class Flaw(msgspec.Struct, frozen=True):
    """A stretch of the file that is no row: its first line, what is wrong, and the beginning of its text."""

    line: int
    code: str
    message: str
    text: str = ""


class Raw(msgspec.Struct):
    """A batch as it stands in the file. `position` counts stored bytes taken so far."""

    lines: Sequence[int]
    rows: list[list[str]]
    flaws: list[Flaw]
    position: int


class Table(Protocol):
    """One table of a file, open for reading again and again."""

    name: str
    size: int
    encoding: str | None
    delimiter: str | None
    sheet: str | None
    numeric: frozenset[int]  # columns that hold number cells, which carry no marks

    def sample(self) -> Sample: ...

    def batches(self, *, after: int, width: int) -> Iterator[Raw]: ...
