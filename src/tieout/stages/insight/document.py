
"""An invoice or credit note with its history, read in one statement."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

import msgspec
from django.db import connection

from tieout.stages.base import walls


class _Row(msgspec.Struct, frozen=True, kw_only=True):
    """Decoded from the statement below; fields are its columns."""


class Head(_Row):
    """The document as it stands."""

    id: int
    kind: Literal["invoice", "credit_note"]
    number: str
    customer_id: int
    customer: str
    connection: str
    connection_id: int
    external_id: str
    issue_date: dt.date | None
    due_date: dt.date | None
    due_date_source: str
    currency: str
    amount_minor: int
    reported_open_minor: int | None
    allocated_minor: int
    written_off_minor: int
    open_minor: int
    status: str
    source_status: str
    po_number: str
    discount_pct: float | None
    discount_until: dt.date | None
    related_number: str
    recorded_at: dt.datetime


class Line(_Row):
    """A line as the source gave it."""

    ordinal: int
    description: str
    quantity: str
    amount_minor: int


class Due(_Row):
    """An instalment."""

    ordinal: int
    due_date: dt.date
    amount_minor: int


class Version(_Row):
    """What was known from `recorded_at` to before `superseded_at`."""

    number: str
    customer_id: int
    customer: str
    issue_date: dt.date | None
    due_date: dt.date | None
    currency: str
    amount_minor: int
    reported_open_minor: int | None
    status: str
    recorded_at: dt.datetime
    superseded_at: dt.datetime | None
    cause: str


class Dispute(_Row):
    """An objection, open or settled."""

    id: int
    amount_minor: int
    category: str
    said: str
    opened_at: dt.datetime
    opened_by: str
    state: str
    settled_at: dt.datetime | None
    settled_by: str
    answer: str


class Hold(_Row):
    """A live hold of the document, or of its customer (`whole`)."""

    id: int
    reason: str
    whole: bool
    amount_minor: int | None
    until_date: dt.date | None
    note: str
    placed_by: str


class Promise(_Row):
    """An open promise that names the document."""

    id: int
    amount_minor: int
    currency: str
    promised_date: dt.date


class Message(_Row):
    """A message that named the document."""

    id: int
    subject: str
    state: str
    to_address: str
    at: dt.datetime


class Correction(_Row):
    """A person's word on a field, in force or taken back."""

    id: int
    field: str
    value: Any
    before: Any
    reason: str
    by: str
    recorded_at: dt.datetime
    retracted_at: dt.datetime | None


class Record(_Row):
    """A source record that is this document."""

    connection: str
    connection_id: int
    external_id: str
    envelope_id: int | None
    file: str | None
    line: int | None
    evidence: str
    seen_at: dt.datetime


class Card(_Row):
    """All of it."""

    head: Head
    lines: list[Line]
    dues: list[Due]
    versions: list[Version]
    disputes: list[Dispute]
    holds: list[Hold]
    promises: list[Promise]
    messages: list[Message]
    corrections: list[Correction]
    records: list[Record]


_HEAD = """SELECT d.id, d.kind, d.number, d.customer_id, c.name AS customer, k.name AS connection, d.connection_id, d.external_id, d.issue_date,
    d.due_date, d.due_date_source, d.currency, d.amount_minor, d.reported_open_minor, d.allocated_minor, d.written_off_minor, d.open_minor, d.status,
    d.source_status, d.po_number, d.discount_pct::float, d.discount_until, d.related_number, d.recorded_at
    FROM ledger_document d JOIN ledger_customer c ON (c.organisation_id, c.id) = (d.organisation_id, d.customer_id)
    JOIN intake_connection k ON (k.organisation_id, k.id) = (d.organisation_id, d.connection_id)
    WHERE d.organisation_id = %(o)s AND d.id = %(d)s"""
_OF = "organisation_id = %(o)s AND document_id = %(d)s"
_TARGET = "organisation_id = %(o)s AND kind IN ('invoice', 'credit_note') AND target_id = %(d)s"
_PARTS: dict[str, str] = {
    "lines": f"SELECT ordinal, description, quantity, amount_minor FROM ledger_documentline WHERE {_OF} ORDER BY ordinal LIMIT 500",
    "dues": f"SELECT ordinal, due_date, amount_minor FROM ledger_duedate WHERE {_OF} ORDER BY due_date, ordinal",
    "versions": """SELECT v.number, v.customer_id, c.name AS customer, v.issue_date, v.due_date, v.currency, v.amount_minor, v.reported_open_minor,
        v.status, v.recorded_at, v.superseded_at, v.cause
        FROM ledger_documentversion v JOIN ledger_customer c ON (c.organisation_id, c.id) = (v.organisation_id, v.customer_id)
        WHERE v.organisation_id = %(o)s AND v.document_id = %(d)s ORDER BY v.recorded_at DESC, v.id DESC LIMIT 500""",
    "disputes": f"""SELECT id, amount_minor, category, said, opened_at, opened_by, state, settled_at, settled_by, answer
        FROM dialogue_dispute WHERE {_OF} ORDER BY opened_at DESC""",
    "holds": """SELECT id, reason, document_id IS NULL AS whole, amount_minor, until_date, note, placed_by FROM dialogue_hold
        WHERE organisation_id = %(o)s AND released_at IS NULL AND (until_date IS NULL OR until_date > %(today)s)
          AND customer_id = (SELECT customer_id FROM ledger_document WHERE organisation_id = %(o)s AND id = %(d)s)
          AND (document_id IS NULL OR document_id = %(d)s) ORDER BY placed_at DESC""",
    "promises": f"SELECT id, amount_minor, currency, promised_date FROM dialogue_promise WHERE {_OF} AND state = 'open' ORDER BY promised_date",
    "messages": """SELECT id, subject, state, to_address, coalesce(sent_at, drafted_at) AS at FROM outreach_message
        WHERE organisation_id = %(o)s AND document_ids @> to_jsonb(%(d)s::bigint)
          AND customer_id IN (SELECT customer_id FROM ledger_documentversion WHERE organisation_id = %(o)s AND document_id = %(d)s)
        ORDER BY 5 DESC LIMIT 50""",
    "corrections": f"""SELECT id, field, value, before, reason, "by", recorded_at, retracted_at FROM ledger_correction WHERE {_TARGET}
        ORDER BY recorded_at DESC LIMIT 100""",
    "records": """SELECT k.name AS connection, k.id AS connection_id, s.external_id, s.envelope_id, e.name AS file, s.line, s.evidence, s.seen_at
        FROM ledger_sourcerecord s JOIN intake_connection k ON (k.organisation_id, k.id) = (s.organisation_id, s.connection_id)
        LEFT JOIN intake_envelope e ON (e.organisation_id, e.id) = (s.organisation_id, s.envelope_id)
        WHERE s.organisation_id = %(o)s AND s.kind IN ('invoice', 'credit_note') AND s.target_id = %(d)s AND s.retracted_at IS NULL""",
}
_CARD = (
    f"SELECT json_build_object('head', (SELECT row_to_json(x) FROM ({_HEAD}) x), "
    + ", ".join(f"'{name}', (SELECT coalesce(json_agg(x), '[]') FROM ({query}) x)" for name, query in _PARTS.items())
    + ")::text"
)


def card(*, document_id: int, today: dt.date) -> Card | None:
    """The document with all that hangs on it; None where there is no such document here."""
    with connection.cursor() as cursor:
        cursor.execute(_CARD, {"o": walls.current(), "d": document_id, "today": today})
        text = cursor.fetchone()[0]
    if msgspec.json.decode(text)["head"] is None:
        return None
    return msgspec.json.decode(text, type=Card)
