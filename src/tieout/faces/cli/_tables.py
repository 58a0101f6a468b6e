"""Contract tables in and out (DESIGN, section 7): CSV with a header (plain or gzip, `-` is standard input), CSV or JSON lines out.

A missing required column is wrong usage (exit 2) and names what was found. A bad cell is a `BadCell` with file, line and
column: the caller reports it, leaves the row out and goes on (exit 1).
"""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import io
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

import click
import msgspec

from tieout.core.money import Money, MoneyError, from_text

#: Other names under which a column of the contract is understood, for every table.
ALIASES: dict[str, tuple[str, ...]] = {
    "invoice_id": ("invoice", "document_id", "doc_id"),
    "number": ("invoice_number", "invoice_no", "document_number"),
    "customer_id": ("customer", "customer_number", "customer_no", "account_id", "debtor_id"),
    "issue_date": ("invoice_date", "date_issued", "document_date"),
    "due_date": ("due", "date_due"),
    "currency": ("currency_code", "ccy"),
    "amount": ("total", "gross", "invoice_amount"),
    "open_amount": ("open", "balance", "outstanding", "amount_due", "amount_open"),
}


class UnreadableInput(click.ClickException):
    """The file cannot be taken at all: wrong usage, exit 2."""

    exit_code = 2


class BadCell(ValueError):
    """One cell cannot be taken: `str()` names file, line, column and what to do."""


class Row(dict[str, str]):
    """One row by contract column; cells are stripped text, absent columns are missing keys. `file` and `line` say where it
    stood, `ragged` how many cells stood beyond the header."""

    file: str
    line: int
    ragged: int = 0

    def fault(self, column: str, message: str) -> BadCell:
        return BadCell(f"{self.file}, line {self.line}, column {column}: {message}")

    def text(self, column: str) -> str | None:
        return self.get(column) or None

    def needed(self, column: str) -> str:
        if self.ragged:
            raise self.fault(column, f"the row has {self.ragged} cells more than the header; quote cells that hold a comma")
        value = self.get(column)
        if not value:
            raise self.fault(column, "is empty; every row needs it")
        return value

    def day(self, column: str) -> dt.date | None:
        """The ISO date, None where empty."""
        value = self.get(column)
        if not value:
            return None
        day = _day(value)
        if day is None:
            raise self.fault(column, f"{value!r} is not a date; write YYYY-MM-DD")
        return day

    def moment(self, column: str) -> dt.datetime | None:
        """The ISO moment (a bare date counts as its midnight, a missing zone as UTC), None where empty."""
        value = self.get(column)
        if not value:
            return None
        try:
            moment = dt.datetime.fromisoformat(value)
        except ValueError:
            raise self.fault(column, f"{value!r} is not a moment; write YYYY-MM-DDTHH:MM:SSZ") from None
        return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)

    def money(self, column: str, currency: str | None = None) -> Money | None:
        """The amount in `currency` (default: the row's own currency column), None where empty."""
        value = self.get(column)
        if not value:
            return None
        try:
            return from_text(value, currency or self.needed("currency"))
        except MoneyError as error:
            raise self.fault(column, str(error)) from None


@lru_cache(maxsize=65536)
def _day(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None


@contextmanager
def _opened(path: str) -> Iterator[IO[str]]:
    if path == "-":
        yield io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8-sig", newline="")
        return
    with ExitStack() as stack:
        try:
            raw = stack.enter_context(Path(path).open("rb"))
        except OSError as error:
            raise UnreadableInput(f"{path}: {error.strerror or error}") from None
        zipped = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        source: Any = stack.enter_context(gzip.open(raw)) if zipped else raw
        yield io.TextIOWrapper(source, encoding="utf-8-sig", newline="")


def _columns(header: Sequence[str], aliases: Mapping[str, Sequence[str]]) -> list[str]:
    """The contract column of each header cell (its own folded name where the contract has none)."""
    folded = ["_".join(cell.strip().casefold().replace("-", " ").split()) for cell in header]
    for column, others in aliases.items():
        if column in folded:
            continue
        found = next((other for other in others if other in folded), None)
        if found is not None:
            folded[folded.index(found)] = column
    return folded


def rows(path: str, *, required: Sequence[str], known: Sequence[str] = (), aliases: Mapping[str, Sequence[str]] = ALIASES) -> Iterator[Row]:
    """The rows of a contract CSV. Raises UnreadableInput (exit 2) for a file that is no such table; `known` (with
    `required`) are the columns understood, others are ignored with a notice on a terminal."""
    with _opened(path) as source:
        reader = csv.reader(source)
        try:
            header = next(reader, None)
            if header is None:
                raise UnreadableInput(f"{path}: the file is empty; a header line is needed")
            columns = _columns(header, aliases)
            _check(path, columns, required, known)
            for cells in reader:
                if not any(cells):
                    continue
                row = Row(zip(columns, [cell.strip() for cell in cells], strict=False))
                row.file, row.line, row.ragged = path, reader.line_num, max(0, len(cells) - len(columns))
                yield row
        except (csv.Error, UnicodeDecodeError, gzip.BadGzipFile, EOFError) as error:
            raise UnreadableInput(f"{path}, line {reader.line_num + 1}: not a UTF-8 CSV table ({error})") from None


def _check(path: str, columns: Sequence[str], required: Sequence[str], known: Sequence[str]) -> None:
    missing = [column for column in required if column not in columns]
    if missing:
        found = ", ".join(c for c in columns if c) or "nothing"
        raise UnreadableInput(f"{path}, line 1: missing column {', '.join(missing)}; found: {found}")
    twice = sorted({c for c in columns if c and columns.count(c) > 1})
    if twice:
        raise UnreadableInput(f"{path}, line 1: column {', '.join(twice)} appears twice; name each column once")
    unknown = [c for c in columns if c and known and c not in known and c not in required]
    if unknown and sys.stderr.isatty():
        click.echo(f"{path}: ignoring unknown columns {', '.join(unknown)}", err=True)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, (list, tuple)):
        return "|".join(str(item) for item in value)
    return value.isoformat() if isinstance(value, (dt.date, dt.datetime)) else str(value)


def write(records: Iterable[Mapping[str, Any]], *, columns: Sequence[str], out: str, as_json: bool) -> int:
    """Write records as CSV with a header, or as JSON lines for `as_json` or a `.jsonl` ending; `-` is standard output.

    Lists are parted by `|` in CSV. Returns how many records were written.
    """
    lines = as_json or out.endswith(".jsonl")
    if out == "-":
        return _write(records, columns, sys.stdout, lines)
    with ExitStack() as stack:
        try:
            target = stack.enter_context(Path(out).open("w", encoding="utf-8", newline=""))
        except OSError as error:
            raise UnreadableInput(f"{out}: {error.strerror or error}") from None
        return _write(records, columns, target, lines)


def _write(records: Iterable[Mapping[str, Any]], columns: Sequence[str], target: IO[str], as_json: bool) -> int:
    count = 0
    if as_json:
        encoder = msgspec.json.Encoder()
        for record in records:
            target.write(encoder.encode({c: record.get(c) for c in columns}).decode() + "\n")
            count += 1
        return count
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(columns)
    for record in records:
        writer.writerow([_cell(record.get(c)) for c in columns])
        count += 1
    return count
