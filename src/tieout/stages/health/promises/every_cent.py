"""P4 Every cent has a cause: what is stored as open and unapplied is what the facts make of it, and the aging sums to the total.

The rule of the database (a generated column) and the rule of `core.position` are written down twice; here they meet on every row.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator

import polars as pl

from tieout.core import position
from tieout.core.measures.aging import BUCKETS, NO_DUE_DATE, aging, totals
from tieout.core.money import minor_text
from tieout.stages.base import queries as base
from tieout.stages.health import looking
from tieout.stages.health.looking import Breach, Given, Looked

CODE, TITLE, OF = "P4", "Every cent has a cause", "documents and payments"
SENTENCE = "Every balance is what dated facts make of it: amounts, money applied, credits, write-offs, the source's report. Never a plug entry."

#: Documents rebuilt at a time, so that memory does not grow with the book.
CHUNK = 200_000
#: Later than every fact: all that is in force counts, whatever its day.
_ALL = dt.date(9999, 12, 31)
_EVER = dt.datetime(9999, 12, 31, tzinfo=dt.UTC)
_LONG_AGO = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)

_UPPER = "SELECT max(id) FROM (SELECT id FROM ledger_{table} WHERE organisation_id = %(org)s AND id > %(low)s ORDER BY id LIMIT %(chunk)s) c"

_DOCUMENTS = """
SELECT d.kind || ':' || d.id, d.kind, v.customer_id, v.currency, v.amount_minor, v.status, v.due_date, v.reported_open_minor, d.open_minor
  FROM ledger_document d JOIN ledger_documentversion v ON v.organisation_id = d.organisation_id AND v.document_id = d.id AND v.superseded_at IS NULL
 WHERE d.organisation_id = %(org)s AND d.id > %(low)s AND d.id <= %(high)s"""
_PAYMENTS = """
SELECT 'payment:' || p.id, 'payment', v.customer_id, v.currency, v.amount_minor, v.status, NULL, NULL, p.unapplied_minor
  FROM ledger_payment p JOIN ledger_paymentversion v ON v.organisation_id = p.organisation_id AND v.payment_id = p.id AND v.superseded_at IS NULL
 WHERE p.organisation_id = %(org)s AND p.id > %(low)s AND p.id <= %(high)s"""
_TO_DOCUMENTS = """
SELECT 'credit_note:' || credit_note_id, 'invoice:' || document_id, kind, amount_minor FROM ledger_allocation
 WHERE organisation_id = %(org)s AND retracted_at IS NULL
   AND ((document_id > %(low)s AND document_id <= %(high)s) OR (credit_note_id > %(low)s AND credit_note_id <= %(high)s))"""
_OF_PAYMENTS = """
SELECT 'payment:' || payment_id, 'invoice:' || document_id, kind, amount_minor FROM ledger_allocation
 WHERE organisation_id = %(org)s AND retracted_at IS NULL AND payment_id > %(low)s AND payment_id <= %(high)s
UNION ALL
SELECT 'payment:' || payment_id, 'refund', 'cash', amount_minor FROM ledger_refund
 WHERE organisation_id = %(org)s AND retracted_at IS NULL AND payment_id > %(low)s AND payment_id <= %(high)s"""

_STORED = {
    "document_id": pl.String, "kind": pl.String, "customer_id": pl.String, "currency": pl.String, "amount_minor": pl.Int64, "status": pl.String,
    "due_date": pl.Date, "reported_open_minor": pl.Int64, "stored_minor": pl.Int64,
}  # fmt: skip
_MONEY = {"source_id": pl.String, "document_id": pl.String, "kind": pl.String, "amount_minor": pl.Int64}
_TOTALS = """
SELECT currency, kind, sum(open_minor)::bigint FROM ledger_document WHERE organisation_id = %(org)s GROUP BY 1, 2
UNION ALL SELECT currency, 'payment', sum(unapplied_minor)::bigint FROM ledger_payment WHERE organisation_id = %(org)s GROUP BY 1"""


def look(given: Given) -> Looked:
    """Rebuild every balance and the aging from facts."""
    today = base.today_of(base.profile(), given.now)
    aged: Counter[tuple[str, str]] = Counter()
    found = Looked(checked=0)
    differing = 0
    for table, stored, applied in (("document", _DOCUMENTS, _TO_DOCUMENTS), ("payment", _PAYMENTS, _OF_PAYMENTS)):
        for rebuilt in _rebuilt(table, stored, applied):
            wrong = rebuilt.filter(pl.col("open_minor") != pl.col("stored_minor"))
            found = found.also(looking.of(map(_says, wrong.iter_rows(named=True)), checked=rebuilt.height))
            differing += int(rebuilt["differs"].sum())
            for row in totals(aging(rebuilt, today)).iter_rows(named=True):
                code, by_age = row["currency"], sum(row[name] for name, _ in BUCKETS) + row[NO_DUE_DATE]
                aged.update({(code, "invoice"): by_age, (code, "credit_note"): row["credit"], (code, "payment"): row["unapplied"]})
    if not found.broken:
        # With a balance wrong its total is wrong too; said once is enough.
        found = found.also(looking.of(_sums(aged)))
    if not differing:
        return found
    note = f"{differing:,} documents of which the source reports another balance than our facts give; the lower one is asked for"
    return found.also(Looked(checked=0, notes=(note,)))


def _rebuilt(table: str, stored: str, applied: str) -> Iterator[pl.DataFrame]:
    low = 0
    while high := looking.count(_UPPER.format(table=table), low=low, chunk=CHUNK):
        rows = looking.frame(stored, _STORED, low=low, high=high)
        money = looking.frame(applied, _MONEY, low=low, high=high)
        yield position.positions(_versions(rows), _applied(money), day=_ALL, known_at=_EVER).join(
            rows.select("document_id", "stored_minor"), on="document_id"
        )
        low = high


def _versions(rows: pl.DataFrame) -> pl.DataFrame:
    types = position.schema(position.Version)
    dates = {"document_date": None, "recorded_at": _LONG_AGO, "superseded_at": None, "reported_date": None}
    return rows.with_columns(pl.lit(value, types[name]).alias(name) for name, value in dates.items()).select(*types)


def _applied(money: pl.DataFrame) -> pl.DataFrame:
    types = position.schema(position.Applied)
    dates = {"date": _LONG_AGO.date(), "recorded_at": _LONG_AGO, "retracted_at": None}
    return money.with_columns(pl.lit(value, types[name]).alias(name) for name, value in dates.items()).select(*types)


def _says(row: dict[str, object]) -> Breach:
    code = str(row["currency"])
    stored, rebuilt = (minor_text(int(str(row[name])), code) for name in ("stored_minor", "open_minor"))
    return Breach(str(row["document_id"]).replace(":", " ").replace("_", " "), f"{stored} {code} is stored as open, its facts give {rebuilt}")


def _sums(aged: Counter[tuple[str, str]]) -> Iterator[Breach]:
    for code, kind, minor in looking.rows(_TOTALS):
        if aged[code, kind] != (minor or 0):
            yield Breach(f"aging in {code}", f"{kind.replace('_', ' ')}s sum to {aged[code, kind]} minor units by age and to {minor} in the ledger")
