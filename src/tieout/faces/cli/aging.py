"""`tieout aging`: what is open by how long it is overdue, per customer and currency, on files.

The command reads facts with their two clocks and hands frames to `core.position` and `core.measures`; a ledger that
hands over the same frames gets the same figures.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import click
import msgspec
import polars as pl

from tieout.core import measures, position
from tieout.core.documents import DocumentStatus
from tieout.core.money import minor_text
from tieout.core.position import Applied, Version
from tieout.faces.cli import _facts, _tables

COLUMNS = ("customer_id", "currency", *measures.COLUMNS)
TOTAL_COLUMNS = ("currency", "customers", *measures.COLUMNS)


class Book(msgspec.Struct, frozen=True):
    """The frames an aging is computed from: document versions, and what was applied (None: the sources' open amounts stand)."""

    versions: pl.DataFrame
    applied: pl.DataFrame | None


def aged(book: Book, *, as_of: dt.date, known_at: dt.datetime) -> pl.DataFrame:
    """The aging of a book on `as_of` as known at `known_at`: one row per customer and currency, minor units."""
    found = position.positions(book.versions, book.applied, day=as_of, known_at=known_at)
    return measures.aging(found, as_of)


@click.command()
@click.option("--invoices", required=True, help="CSV of invoices; `open_amount` wins unless --allocations is given")
@click.option("--payments", help="CSV of payments; without --allocations they are money not yet applied")
@click.option("--allocations", help="CSV of allocations; what is open is then rebuilt from amounts and allocations")
@click.option("--credit-notes", help="CSV of credit notes")
@click.option("--as-of", required=True, type=click.DateTime(["%Y-%m-%d"]), help="the business day the aging is about")
@click.option("--known-as-of", type=click.DateTime(["%Y-%m-%d"]), help="use only what was recorded by the end of this day (UTC); default: all of it")
@click.option("--totals", is_flag=True, help="one row per currency instead of one per customer and currency")
@click.option("--json", "as_json", is_flag=True, help="JSON lines instead of CSV")
@click.option("--out", default="-", help="where to write; a `.jsonl` ending gives JSON lines")
def command(
    invoices: str,
    payments: str | None,
    allocations: str | None,
    credit_notes: str | None,
    as_of: dt.datetime,
    known_as_of: dt.datetime | None,
    totals: bool,
    as_json: bool,
    out: str,
) -> None:
    """Age what is open: current, 1-30, 31-60, 61-90 and 90+ days overdue, per customer and currency.

    Credit notes and money not applied stand in columns of their own and lower only `net`. An invoice without a due date
    stands under `no_due_date`.
    """
    faults = _tables_faults()
    book = _book(invoices, payments, allocations, credit_notes, faults)
    known_at = _end_of(known_as_of.date()) if known_as_of else _facts.ALWAYS_LATER
    found = aged(book, as_of=as_of.date(), known_at=known_at)
    rows = measures.totals(found) if totals else found
    _tables.write(_texts(rows), columns=TOTAL_COLUMNS if totals else COLUMNS, out=out, as_json=as_json)
    faults.finish()


def _texts(rows: pl.DataFrame) -> Iterator[Mapping[str, Any]]:
    for row in rows.iter_rows(named=True):
        yield {**row, **{name: minor_text(row[name], row["currency"]) for name in measures.COLUMNS}}
