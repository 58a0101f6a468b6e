"""`tieout aging`: what is open by how long it is overdue, per customer and currency, on files or on the ledger.

The command reads facts with their two clocks and hands frames to `core.position` and `core.measures`; a ledger that
hands over the same frames gets the same figures.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

import click
import msgspec
import polars as pl

from tieout.core import measures, position
from tieout.core.documents import CreditNote, Invoice, Payment
from tieout.core.money import Money, minor_text
from tieout.core.position import Applied, DocumentKind, Version
from tieout.faces.cli import _books, _tables

#: A row that does not say when it was recorded has always been known.
_ALWAYS = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_NEVER_ENDS = dt.datetime(9999, 1, 1, tzinfo=dt.UTC)

COLUMNS = ("customer_id", "currency", *measures.COLUMNS)
TOTAL_COLUMNS = ("currency", "customers", *measures.COLUMNS)


class Book(msgspec.Struct, frozen=True):
    """The frames an aging is computed from: document versions, and what was applied to them."""

    versions: pl.DataFrame
    applied: pl.DataFrame


def aged(book: Book, *, as_of: dt.date, known_at: dt.datetime, at_once: int = 200_000) -> tuple[pl.DataFrame, list[str]]:
    """The aging on `as_of` as known at `known_at`, in minor units, and what does not add up in the book, in sentences.

    A large book is judged in shares of about `at_once` documents, so that memory follows the answer and not the working.
    """
    shares = book.versions.height // at_once + 1
    share = pl.col("document_id").hash(seed=0) % shares
    open_items, told = [], []
    for nth in range(shares):
        found = position.positions(book.versions.filter(share == nth), book.applied, day=as_of, known_at=known_at)
        open_items.append(found.select("customer_id", "currency", "kind", "due_date", "open_minor", "contested_minor"))
        over = found.filter(pl.col("over_minor") > 0).select("kind", "document_id", "over_minor", "currency")
        for kind, name, minor, currency in over.rows():
            told.append(f"{kind.replace('_', ' ')} {_plain(name)}: {minor_text(minor, currency)} {currency} more was applied than it holds")
    return measures.aging(pl.concat(open_items), as_of), sorted(told)


@click.command()
@click.option("--invoices", help="CSV of invoices; `open_amount` wins unless --allocations is given")
@click.option("--org", help="the ledger of this organisation (name or id; `-` for the only one) instead of files")
@click.option("--payments", help="CSV of payments; without --allocations they are money not yet applied")
@click.option("--allocations", help="CSV of allocations; what is open is then rebuilt from amounts and allocations")
@click.option("--credit-notes", help="CSV of credit notes")
@click.option("--as-of", required=True, type=click.DateTime(["%Y-%m-%d"]), help="the business day the aging is about")
@click.option("--known-as-of", type=click.DateTime(["%Y-%m-%d"]), help="use only what was recorded by the end of this day (UTC); default: all of it")
@click.option("--totals", is_flag=True, help="one row per currency instead of one per customer and currency")
@click.option("--json", "as_json", is_flag=True, help="JSON lines instead of CSV")
@click.option("--out", default="-", help="where to write; a `.jsonl` ending gives JSON lines")
def command(
    invoices: str | None,
    org: str | None,
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
    findings = _books.Findings()
    known_at = _end_of(known_as_of.date()) if known_as_of else _NEVER_ENDS
    if (invoices is None) == (org is None):
        raise click.UsageError("give either --invoices FILE or --org NAME")
    files = invoices and read_book(invoices, payments, allocations, credit_notes, findings)
    book = files or ledger_book(org, as_of.date(), known_at)
    found, told = aged(book, as_of=as_of.date(), known_at=known_at)
    for sentence in told:
        findings.tell(sentence)
    rows = measures.totals(found) if totals else found
    _tables.write(_texts(rows), columns=TOTAL_COLUMNS if totals else COLUMNS, out=out, as_json=as_json)
    findings.finish()


def ledger_book(org: str | None, day: dt.date, known_at: dt.datetime) -> Book:
    """The facts in the ledger of one organisation, known at `known_at`; customers by their name there."""
    from tieout.faces.cli import _organisation, _setup

    _setup.django()
    from tieout.stages.base import walls
    from tieout.stages.ledger import as_of as ledger

    with walls.inside(_organisation.chosen(None if org == "-" else org)):
        return Book(*ledger.facts(day=day, known_at=known_at))


def _plain(key: str) -> str:
    return key.partition(":")[2]


def _end_of(day: dt.date) -> dt.datetime:
    """The last moment of the day in UTC: a fact recorded on it counts."""
    return dt.datetime.combine(day, dt.time.max, dt.UTC)


def _texts(rows: pl.DataFrame) -> Iterator[Mapping[str, Any]]:
    for row in rows.iter_rows(named=True):
        yield {**row, **{name: minor_text(row[name], row["currency"]) for name in measures.COLUMNS}}


def read_book(invoices: str, payments: str | None, allocations: str | None, credit_notes: str | None, findings: _books.Findings) -> Book:
    """The facts in the files. Without allocations the sources' open amounts stand; with them, only amounts and allocations do."""
    rows = _Rows(rebuilt=allocations is not None)
    for invoice in _books.invoices(invoices, findings):
        rows.add(invoice, "invoice", invoice.invoice_id, invoice.issue_date, invoice.due_date, invoice.open_amount)
    for note in _books.credit_notes(credit_notes, findings) if credit_notes else ():
        rows.add(note, "credit_note", note.credit_note_id, note.date, None, note.open_amount)
    for payment in _books.payments(payments, findings) if payments else ():
        rows.add(payment, "payment", payment.payment_id, payment.date, None, None)
    applied = [
        Applied(
            source_id=rows.source(row.payment_id),
            document_id=rows.target(row.document_id),
            kind="cash",
            amount_minor=row.amount.minor,
            date=row.date or dt.date.min,
            recorded_at=row.recorded_at or _ALWAYS,
        )
        for row in (_books.allocations(allocations, findings, rows.currency) if allocations else ())
    ]
    return Book(rows.versions(findings), position.frame(Applied, applied))


#: Rows held as objects before they are packed into a frame.
_PACK = 50_000
_COLUMNS = ("document_id", "kind", "customer_id", "currency", "amount_minor", "status", "document_date", "due_date", "recorded_at")


class _Rows:
    """Document versions gathered into packed frames, so that a large file does not stand in memory as objects."""

    def __init__(self, *, rebuilt: bool) -> None:
        self.rebuilt = rebuilt
        self.rows: list[tuple[Any, ...]] = []
        self.packed: list[pl.DataFrame] = []
        self.currencies: dict[str, str] = {}
        self.payments: set[str] = set()

    def add(
        self,
        record: Invoice | CreditNote | Payment,
        kind: DocumentKind,
        document_id: str,
        document_date: dt.date | None,
        due_date: dt.date | None,
        open_amount: Money | None,
    ) -> None:
        # Without allocations the open amount *is* the position: it stands as the amount, with nothing applied to it.
        amount = record.amount if open_amount is None or self.rebuilt else open_amount
        key = f"{kind}:{document_id}"  # payment 17 and invoice 17 are two things
        self.rows.append(
            (key, kind, record.customer_id, amount.currency, amount.minor, record.status, document_date, due_date, record.recorded_at or _ALWAYS)
        )
        if len(self.rows) >= _PACK:
            self._pack()
        if self.rebuilt and kind == "payment":
            self.payments.add(document_id)
        elif self.rebuilt:
            self.currencies[key] = amount.currency

    def _pack(self) -> None:
        schema = position.schema(Version)
        self.packed.append(pl.DataFrame(self.rows, schema={name: schema[name] for name in _COLUMNS}, orient="row"))
        self.rows.clear()

    def target(self, document_id: str) -> str:
        """The key of the document an allocation is set against: an invoice, else a credit note."""
        invoice, note = f"invoice:{document_id}", f"credit_note:{document_id}"
        return note if note in self.currencies and invoice not in self.currencies else invoice

    def source(self, payment_id: str) -> str:
        """The key of what an allocation comes from: a credit note where one has that id and no payment does."""
        note = f"credit_note:{payment_id}"
        return note if note in self.currencies and payment_id not in self.payments else f"payment:{payment_id}"

    def currency(self, document_id: str) -> str | None:
        """The currency of the document an allocation is set against, None where it is not in the files."""
        return self.currencies.get(self.target(document_id))

    def versions(self, findings: _books.Findings) -> pl.DataFrame:
        """The versions; several rows of one document are its versions by `recorded_at`, each ended by the next."""
        self._pack()
        frame = pl.concat(self.packed)
        ended = pl.lit(None, position.schema(Version)["superseded_at"])
        if frame["document_id"].n_unique() < frame.height:
            frame = _in_order(frame, findings)
            ended = pl.col("recorded_at").shift(-1).over("document_id")
        return frame.with_columns(
            ended.alias("superseded_at"), pl.lit(None, pl.Int64).alias("reported_open_minor"), pl.lit(None, pl.Date).alias("reported_date")
        )


def _in_order(frame: pl.DataFrame, findings: _books.Findings) -> pl.DataFrame:
    """Versions in the order they were recorded; of two recorded at once the first row is taken and the other told."""
    key = ["document_id", "recorded_at"]
    for kind, document_id in frame.filter(pl.struct(key).is_duplicated()).unique(key).sort(key).select("kind", "document_id").rows():
        findings.tell(f"{kind.replace('_', ' ')} {_plain(document_id)} stands twice with the same recorded_at; the first row was taken")
    return frame.unique(key, keep="first", maintain_order=True).sort("recorded_at", maintain_order=True)
