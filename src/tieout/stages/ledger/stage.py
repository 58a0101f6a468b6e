"""Staging: canonical records into unlogged tables by COPY, in bounded memory.

PostgreSQL refuses COPY under row-level security, so the staging tables have none and lie out of the application's
reach; for the length of one transaction it steps into the intake role, which sees them, and `merge` empties the
run's rows before that transaction ends.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

from tieout.core import documents, party, truth
from tieout.core.documents import Application, CreditNote, Customer, Deal, Dispute, Invoice, Line, Payment, Payout, Record, Refund
from tieout.stages.base import walls

BATCH = 20_000
NULL = r"\N"
#: What COPY's text format needs escaped.
_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r", "\x00": "␀"})
_SPECIAL = re.compile("[\\\\\t\n\r\x00]").search

_COLUMNS = {
    "document": "kind, external_id, number, customer_external_id, customer_name, customer_email, issue_date, due_date, due_date_source, currency,"
    " amount_minor, reported_open_minor, status, source_status, po_number, discount_pct, discount_until, related_number, lines, due_dates",
    "payment": "external_id, customer_external_id, customer_name, date, currency, amount_minor, payer_name, payer_account, reference, remittance,"
    " bank_ref, stated_document, status, source_status",
    "customer": "external_id, name, folded_name, aliases, accounts, country, city, currency, email, phone, parent_external_id, debtor_type,"
    " time_zone, language, tax_id, words",
    "application": "external_id, date, entries",
    "refund": "external_id, payment_external_id, credit_external_id, status, currency, amount_minor, date",
    "dispute": "external_id, payment_external_id, status, said, currency, amount_minor, fee_currency, fee_minor, date, respond_by",
    "payout": "external_id, status, source_status, currency, amount_minor, date, reference, reverses, items",
    "deal": "external_id, name, stage, won, customer_external_id, currency, amount_minor, close_date",
}


class Staged:
    """The rows of one run on their way into staging. `counts` says how many of each kind have passed."""

    def __init__(self, *, run_id: int) -> None:
        self.run_id = run_id
        self.counts = dict.fromkeys(_COLUMNS, 0)
        self._buffers: dict[str, list[str]] = {name: [] for name in self.counts}
        self._prefix = f"{walls.current()}\t{run_id}\t"

    def add(self, record: Record) -> bool:
        """Take one record; False for a kind that has no place in the ledger yet (the caller counts it as skipped)."""
        made = _ROWS.get(type(record))
        if made is None:
            return False
        table, text = made[0], made[1](record)
        buffer = self._buffers[table]
        digest = hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
        buffer.append(f"{self._prefix}{NULL if record.line is None else record.line}\t\\\\x{digest}\t{text}\n")
        self.counts[table] += 1
        if len(buffer) >= BATCH:
            self._flush(table)
        return True

    def finish(self) -> None:
        """Bring the last rows in."""
        for table in self._buffers:
            self._flush(table)

    def _flush(self, table: str) -> None:
        buffer = self._buffers[table]
        if not buffer:
            return
        with connection.cursor() as cursor, cursor.copy(
            f"COPY ledger_staged_{table} (organisation_id, run, line, content_hash, {_COLUMNS[table]}) FROM STDIN"
        ) as copy:
            copy.write("".join(buffer))
        buffer.clear()


@contextmanager
def as_intake() -> Iterator[None]:
    """Hold the intake role's rights until the block ends; the walls stay as they are."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE tieout_intake")
        yield
        cursor.execute("RESET ROLE")


class _Days(dict[dt.date, str]):
    """Days as text, each made once: a file of a million rows knows a thousand days."""

    def __missing__(self, day: dt.date) -> str:
        if len(self) > 50_000:
            self.clear()
        text = self[day] = day.isoformat()
        return text


_DAY = _Days()


def _date(value: dt.date | None) -> str | None:
    return None if value is None else _DAY[value]


def _line(line: Line) -> list[Any]:
    # What hardly any source names stands at the end and is left out where it is empty: it makes no version of what has not changed.
    more = [line.item or "", line.tax_code or ""] if line.item or line.tax_code else []
    return [line.description, line.quantity or "", line.amount.minor, *more]


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _row(*cells: str | None) -> str:
    """The cells of one row as COPY's text format has them. Hardly any row needs escapes, so that is asked of it as a whole."""
    if _SPECIAL("".join(filter(None, cells))):
        return "\t".join([NULL if cell is None else cell.translate(_ESCAPES) for cell in cells])
    return "\t".join([NULL if cell is None else cell for cell in cells])


def customer_key(customer_id: str | None, name: str | None) -> str:
    """The key of a customer within one source: its own id, else its folded name."""
    return customer_id or (f"name:{party.fold(name)}" if name else "")


def _invoice(r: Invoice) -> str:
    lines = _json([_line(line) for line in r.lines]) if r.lines else None
    dues = _json([[due.due_date.isoformat(), due.amount.minor] for due in r.due_dates]) if len(r.due_dates) > 1 else None
    return _row(
        "invoice", r.invoice_id, r.number, customer_key(r.customer_id, r.customer_name), r.customer_name,
        r.customer_email, _date(r.issue_date), _date(r.due_date), r.due_date_source if r.due_date else "missing", r.amount.currency,
        str(r.amount.minor), None if r.open_amount is None else str(r.open_amount.minor), r.status, r.source_status, r.po_number,
        r.discount_pct, _date(r.discount_until), None, lines, dues,
    )


def _credit_note(r: CreditNote) -> str:
    return _row(
        "credit_note", r.credit_note_id, r.number, customer_key(r.customer_id, r.customer_name), r.customer_name, None,
        _date(r.date), _date(r.date), "stated" if r.date else "missing", r.amount.currency, str(r.amount.minor),
        None if r.open_amount is None else str(r.open_amount.minor), r.status, r.source_status, None, None, None, r.related_invoice, None, None,
    )


def _payment(r: Payment) -> str:
    return _row(
        r.payment_id, customer_key(r.customer_id, r.customer_name) or None, r.customer_name, _date(r.date), r.amount.currency,
        str(r.amount.minor), r.payer_name, r.payer_account, r.reference, r.remittance, r.bank_ref,
        r.invoice_number, r.status, r.source_status,
    )


def _customer(r: Customer) -> str:
    return _row(
        customer_key(r.customer_id, r.name), r.name[:300], party.fold(r.name)[:300], _json(list(r.aliases)), _json(list(r.accounts)),
        r.country, r.city, r.currency, r.email, r.phone, r.parent_id, r.debtor_type, r.time_zone,
        r.language, r.tax_id, _json(truth.words({field: getattr(r, field) for field in truth.FIELDS})),
    )


def _application(r: Application) -> str:
    entries = [
        ["cash" if e.payment_id else "credit", e.payment_id or e.credit_note_id, e.document_id, e.amount.currency, e.amount.minor] for e in r.entries
    ]
    return _row(r.application_id, _date(r.date), _json(sorted(entries, key=str)))


def _refund(r: Refund) -> str:
    return _row(
        r.refund_id, r.payment_id or "", r.credit_note_id or "", r.status, r.amount.currency, str(r.amount.minor), _date(r.date),
    )


def _dispute(r: Dispute) -> str:
    return _row(
        r.dispute_id, r.payment_id, r.status, r.reason or "", r.amount.currency, str(r.amount.minor), r.fee.currency if r.fee else "",
        str(r.fee.minor) if r.fee else None, _date(r.date), _date(r.respond_by),
    )


def _payout(r: Payout) -> str:
    items = [[part.what, part.id or "", part.gross.minor, part.fee.minor] for part in r.parts]
    return _row(
        r.payout_id, r.status, r.source_status or "", r.amount.currency, str(r.amount.minor), _date(r.date), r.reference or "", r.reverses or "",
        _json(items),
    )


def _deal(r: Deal) -> str:
    return _row(
        r.deal_id, r.name[:300], r.stage[:64], "t" if r.won else "f", r.customer_id or "", r.amount.currency if r.amount else "",
        str(r.amount.minor) if r.amount else None, _date(r.close_date),
    )


_ROWS: dict[type[Record], tuple[str, Callable[..., str]]] = {
    documents.Invoice: ("document", _invoice),
    documents.CreditNote: ("document", _credit_note),
    documents.Payment: ("payment", _payment),
    documents.Customer: ("customer", _customer),
    documents.Application: ("application", _application),
    documents.Refund: ("refund", _refund),
    documents.Dispute: ("dispute", _dispute),
    documents.Payout: ("payout", _payout),
    documents.Deal: ("deal", _deal),
}
