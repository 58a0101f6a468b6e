"""Receivables as a list: filtered, sorted, read page by page from a key, with the totals of all that the filter shows.

Rows are open items (`items.OPEN`) or, where closed ones are asked for, whole documents; the totals are summed over exactly the
rows, so that every figure of another page can be a door to the list that adds up to it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Literal

import iso4217
import msgspec
from django.db import connection

from tieout.core import party
from tieout.stages.base import walls
from tieout.stages.insight.items import BUCKET, EXPECTED, PARTS, WHOLE

State = Literal["open", "overdue", "due", "paid", "void", "all"]
STATES: tuple[str, ...] = ("open", "overdue", "due", "paid", "void", "all")
FLAGS: tuple[str, ...] = ("disputed", "held", "promised", "expected")
PAGE = 50

#: Sort name → (what is compared, its SQL type, how rows are ordered). Ties are broken by id, so that paging by key never skips or
#: repeats a row. `due` is spelled so that the index over open documents has the rows in order already.
SORTS: dict[str, tuple[str, str, str]] = {
    "due": ("coalesce(due_date, 'infinity'::date)", "date", "due_date {way} NULLS {last}"),
    "open": ("open_minor", "bigint", "open_minor {way}"),
    "amount": ("amount_minor", "bigint", "amount_minor {way}"),
    "number": ("number", "text", "number {way}"),
    "issued": ("coalesce(issue_date, '-infinity'::date)", "date", "coalesce(issue_date, '-infinity'::date) {way}"),
    "newest": ("id", "bigint", "id {way}"),
}
OPEN_STATES = ("open", "overdue", "due")


class Wanted(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the list is to show. Amounts are in whole currency units and compared with what is open (else the amount)."""

    state: str = "open"
    kind: str = "invoice"
    bucket: str = ""
    currency: str = ""
    customer: int | None = None
    flag: str = ""
    text: str = ""
    least: Decimal | None = None
    most: Decimal | None = None
    due_from: dt.date | None = None
    due_to: dt.date | None = None
    sort: str = "due"
    down: bool = False


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One row: a document or an instalment of it (`part` counts from 1, 0 is the whole); amounts in minor units."""

    id: int
    part: int
    kind: str
    number: str
    customer_id: int
    customer: str
    issue_date: dt.date | None
    due_date: dt.date | None
    currency: str
    amount_minor: int
    open_minor: int
    status: str
    written_off_minor: int
    disputed_minor: int
    hold: str
    promised_date: dt.date | None
    key: str

    def state(self, today: dt.date) -> str:
        """What to call it on `today`; the strongest word wins."""
        if self.status in ("void", "deleted", "draft", "pending_approval"):
            return self.status
        if self.open_minor == 0:
            return "written_off" if self.written_off_minor else "used" if self.kind == "credit_note" else "paid"
        if self.kind == "credit_note":
            return "available"
        if self.disputed_minor:
            return "disputed"
        if self.hold:
            return "promised" if self.hold == "promise" else self.hold
        return "overdue" if self.due_date and self.due_date < today else "due"


class Total(msgspec.Struct, frozen=True):
    """The sums of all rows the filter shows, in one currency."""

    currency: str
    count: int
    open_minor: int
    amount_minor: int


def _power() -> str:
    # Minor units per whole unit, for comparing an amount typed without a currency with rows of any.
    odd = {c.code: 10**c.exponent for c in iso4217.Currency if c.exponent is not None and c.exponent != 2}
    return "CASE currency " + " ".join(f"WHEN '{code}' THEN {power}" for code, power in sorted(odd.items())) + " ELSE 100 END"


_POWER = _power()
_DOCUMENTS = """
SELECT d.id, 0 AS part, d.kind, d.number, d.customer_id, d.issue_date, d.due_date, d.currency, d.amount_minor, d.open_minor, d.status,
       d.written_off_minor, d.po_number
  FROM ledger_document d WHERE d.organisation_id = %(o)s"""


def page(*, wanted: Wanted, today: dt.date, after: str = "", limit: int = PAGE) -> tuple[list[Item], str]:
    """The rows after the key `after`, and the key of the next page ("" at the end)."""
    after = _valid(after, wanted)
    rows = _read(_statement(wanted, after=after, limit=limit + 1), _parameters(wanted, today, after))
    return rows[:limit], rows[limit - 1].key if len(rows) > limit else ""


def every(*, wanted: Wanted, today: dt.date) -> Iterator[Item]:
    """All rows of the filter, read in stretches: for an export of any length. Consume inside the walls."""
    after = ""
    while True:
        rows, after = page(wanted=wanted, today=today, after=after, limit=2000)
        yield from rows
        if not after:
            return


def totals(*, wanted: Wanted, today: dt.date) -> list[Total]:
    """Per currency the number and the sums of all rows the filter shows."""
    sums = f"SELECT currency, count(*), sum(open_minor)::bigint, sum(amount_minor)::bigint FROM ({_matching(wanted)}) m GROUP BY 1 ORDER BY 1"
    with connection.cursor() as cursor:
        cursor.execute(sums, _parameters(wanted, today, ""))
        return [Total(*row) for row in cursor.fetchall()]


def _read(statement: str, parameters: dict[str, Any]) -> list[Item]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        names = [column.name for column in cursor.description]
        return [Item(**dict(zip(names, row, strict=True))) for row in cursor.fetchall()]


def _arms(wanted: Wanted) -> tuple[str, ...]:
    """The relations the rows come from: open items, or whole documents where closed ones are asked for."""
    return (WHOLE, PARTS) if wanted.state in OPEN_STATES else (_DOCUMENTS,)


def _matching(wanted: Wanted) -> str:
    conditions = " AND ".join(_conditions(wanted))
    return " UNION ALL ".join(f"SELECT * FROM ({arm}) r WHERE {conditions}" for arm in _arms(wanted))


def _conditions(wanted: Wanted) -> Iterator[str]:
    yield "TRUE"
    if wanted.kind:
        yield "kind = %(kind)s"
    if wanted.state in _STATE:
        yield _STATE[wanted.state]
    if wanted.bucket == "60+":
        yield f"({BUCKET}) IN ('61-90', '90+')"
    elif wanted.bucket:
        yield f"({BUCKET}) = %(bucket)s"
    if wanted.currency:
        yield "currency = %(currency)s"
    if wanted.customer is not None:
        yield "customer_id = %(customer)s"
    if wanted.flag in _FLAG:
        yield _FLAG[wanted.flag]
    if wanted.text:
        yield _TEXT
    compared = "open_minor" if wanted.state in OPEN_STATES else "amount_minor"
    if wanted.least is not None:
        yield f"{compared} >= %(least)s * {_POWER}"
    if wanted.most is not None:
        yield f"{compared} <= %(most)s * {_POWER}"
    if wanted.due_from:
        yield "due_date >= %(due_from)s"
    if wanted.due_to:
        yield "due_date <= %(due_to)s"


_STATE = {
    "overdue": "due_date < %(today)s",
    "due": "(due_date >= %(today)s OR due_date IS NULL)",
    "paid": "open_minor = 0 AND status IN ('open', 'unknown')",
    "void": "status IN ('void', 'deleted')",
}
_FLAG = {
    "disputed": "id IN (SELECT document_id FROM dialogue_dispute WHERE organisation_id = %(o)s AND state = 'open')",
    "held": """EXISTS (SELECT 1 FROM dialogue_hold h WHERE h.organisation_id = %(o)s AND h.released_at IS NULL AND h.customer_id = r.customer_id
        AND (h.document_id IS NULL OR h.document_id = r.id) AND (h.until_date IS NULL OR h.until_date > %(today)s))""",
    "promised": """EXISTS (SELECT 1 FROM dialogue_promise p WHERE p.organisation_id = %(o)s AND p.state = 'open' AND p.customer_id = r.customer_id
        AND (p.document_id IS NULL OR p.document_id = r.id))""",
}
_FLAG["expected"] = f"""(id, part) IN (SELECT e.id, e.part FROM ({EXPECTED}) e
    WHERE e.expected_date BETWEEN %(today)s::date AND %(today)s::date + 14)"""
_TEXT = """(number ILIKE %(like)s OR po_number ILIKE %(like)s
    OR customer_id IN (SELECT id FROM ledger_customer WHERE organisation_id = %(o)s AND (folded_name LIKE %(folded)s OR name ILIKE %(like)s)))"""


def _statement(wanted: Wanted, *, after: str, limit: int) -> str:
    key, kind, order = SORTS[wanted.sort]
    way, beyond, last = ("DESC", "<", "FIRST") if wanted.down else ("ASC", ">", "LAST")
    ordered = f"{order.format(way=way, last=last)}, id {way}, part {way}"
    conditions = " AND ".join([*_conditions(wanted), *([f"({key}, id, part) {beyond} (%(key)s::{kind}, %(key_id)s, %(key_part)s)"] if after else [])])
    # Each arm is ordered and cut by itself: the first comes out of its index in order and stops after a page.
    arms = " UNION ALL ".join(f"(SELECT * FROM ({arm}) r WHERE {conditions} ORDER BY {ordered} LIMIT {int(limit)})" for arm in _arms(wanted))
    return f"""
WITH shown AS (SELECT *, {key} AS sort_key FROM ({arms}) a ORDER BY {ordered} LIMIT {int(limit)})
SELECT s.id, s.part, s.kind, s.number, s.customer_id, c.name AS customer, s.issue_date, s.due_date, s.currency, s.amount_minor, s.open_minor,
       s.status, s.written_off_minor,
       coalesce((SELECT sum(x.amount_minor) FROM dialogue_dispute x
                  WHERE x.organisation_id = %(o)s AND x.customer_id = s.customer_id AND x.document_id = s.id AND x.state = 'open'), 0)::bigint
         AS disputed_minor,
       coalesce((SELECT h.reason FROM dialogue_hold h
                  WHERE h.organisation_id = %(o)s AND h.customer_id = s.customer_id AND h.released_at IS NULL
                    AND (h.document_id IS NULL OR h.document_id = s.id) AND (h.until_date IS NULL OR h.until_date > %(today)s)
                  ORDER BY h.document_id IS NULL, h.placed_at DESC LIMIT 1), '') AS hold,
       (SELECT min(p.promised_date) FROM dialogue_promise p
         WHERE p.organisation_id = %(o)s AND p.customer_id = s.customer_id AND p.state = 'open'
           AND (p.document_id IS NULL OR p.document_id = s.id)) AS promised_date,
       s.sort_key::text || '~' || s.id || '~' || s.part AS key
  FROM shown s JOIN ledger_customer c ON (c.organisation_id, c.id) = (%(o)s, s.customer_id)
 ORDER BY s.sort_key {way}, s.id {way}, s.part {way}"""


def _parameters(wanted: Wanted, today: dt.date, after: str) -> dict[str, Any]:
    key, number, part = after.rsplit("~", 2) if after else ("", "0", "0")
    return {
        "o": walls.current(), "today": today, "kind": wanted.kind, "bucket": wanted.bucket, "currency": wanted.currency, "customer": wanted.customer,
        "like": f"%{_escaped(wanted.text)}%", "folded": f"%{_escaped(party.fold(wanted.text) or wanted.text)}%", "least": wanted.least,
        "most": wanted.most, "due_from": wanted.due_from, "due_to": wanted.due_to, "key": key, "key_id": int(number), "key_part": int(part),
    }


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _valid(after: str, wanted: Wanted) -> str:
    """The key if it can be one of this sort order; a mangled address starts at the first page."""
    parts = after.rsplit("~", 2)
    if len(parts) != 3 or not (_is_number(parts[1]) and _is_number(parts[2])):
        return ""
    kind = SORTS[wanted.sort][1]
    if kind == "bigint":
        return after if _is_number(parts[0]) else ""
    if kind == "date" and parts[0] not in ("infinity", "-infinity"):
        try:
            dt.date.fromisoformat(parts[0])
        except ValueError:
            return ""
    return after


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 18
