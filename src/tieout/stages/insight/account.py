
"""A customer's card: everything that stands beside its open items, read in one statement."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
from django.db import connection

from tieout.core import party
from tieout.stages.base import walls


class _Row(msgspec.Struct, frozen=True, kw_only=True):
    """Decoded from the statement below; fields are its columns."""


class Debtor(_Row):
    """The customer's own fields."""

    id: int
    name: str
    aliases: list[str]
    accounts: list[str]
    country: str
    city: str
    currency: str
    debtor_type: str
    time_zone: str
    language: str
    tax_id: str
    phone: str
    parent_id: int | None
    parent_name: str | None
    recorded_at: dt.datetime


class ContactRow(_Row):
    """A contact with what is known of its mailbox."""

    id: int
    name: str
    email: str
    phone: str
    roles: list[str]
    rank: int
    opted_out_at: dt.datetime | None = None
    bounced_at: dt.datetime | None = None
    bounced_how: str = ""


class HoldRow(_Row):
    """A hold nobody has released; `carried` where a dispute, promise or reply stands behind it and releases it."""

    id: int
    reason: str
    document_id: int | None
    number: str | None
    amount_minor: int | None
    currency: str
    from_date: dt.date
    until_date: dt.date | None
    note: str
    placed_by: str
    placed_at: dt.datetime
    carried: bool


class PromiseRow(_Row):
    """An open promise, or one settled lately."""

    id: int
    document_id: int | None
    number: str | None
    currency: str
    amount_minor: int
    promised_date: dt.date
    state: str
    made_how: str


class DisputeRow(_Row):
    """An open dispute."""

    id: int
    document_id: int
    number: str
    currency: str
    amount_minor: int
    category: str
    said: str
    opened_at: dt.datetime


class RecordRow(_Row):
    """A source record that is this customer, with the score and evidence of the link."""

    id: int
    connection: str
    connection_id: int
    external_id: str
    score: int
    evidence: str
    linked_by: str
    linked: bool
    named: str
    recorded_at: dt.datetime
    seen_at: dt.datetime


class CorrectionRow(_Row):
    """A person's word on a field, in force."""

    id: int
    field: str
    value: Any
    before: Any
    reason: str
    by: str
    recorded_at: dt.datetime


class WordRow(_Row):
    """What a record in force last said about a field, with its value in form."""

    field: str
    value: str
    form: str
    connection_id: int
    external_id: str
    received_at: dt.datetime


class RuleRow(_Row):
    """A change to the table of whose word counts."""

    key: str
    places: list[str]
    reason: str


class SourceRow(_Row):
    """A connection, with what it is."""

    id: int
    name: str
    kind: str
    vendor: str


class Behaviour(_Row):
    """Tier with its reasons."""

    tier: str
    median_days_late: float | None
    share_late: float | None
    paid_invoices: int
    broken_promises: int
    reasons: list[str]
    as_of: dt.date


class Released(_Row):
    """Whether the customer may be chased, since when, and by which wave."""

    released_at: dt.datetime
    soft: bool
    wave: str | None


class Unapplied(_Row):
    """Unapplied money of the customer."""

    id: int
    date: dt.date | None
    currency: str
    unapplied_minor: int
    remittance: str


class Next(_Row):
    """What planning says: the state, the next step, and why it was last decided so."""

    state: str
    next_step: str
    reason: str | None
    refreshed_at: dt.datetime


class Card(_Row):
    """The whole card."""

    customer: Debtor
    children: list[dict[str, Any]]
    contacts: list[ContactRow]
    holds: list[HoldRow]
    promises: list[PromiseRow]
    disputes: list[DisputeRow]
    records: list[RecordRow]
    corrections: list[CorrectionRow]
    words: list[WordRow]
    rules: list[RuleRow]
    sources: list[SourceRow]
    behaviour: Behaviour | None
    released: Released | None
    unapplied: list[Unapplied]
    next: Next | None


def _mine(alias: str) -> str:
    return f"{alias}.organisation_id = %(o)s AND {alias}.customer_id = %(c)s"


_PARTS: dict[str, str] = {
    "children": "SELECT id, name FROM ledger_customer WHERE organisation_id = %(o)s AND parent_id = %(c)s ORDER BY name LIMIT 50",
    "contacts": f"SELECT id, name, email, phone, roles, rank FROM ledger_contact t WHERE {_mine('t')} AND retracted_at IS NULL ORDER BY id LIMIT 100",
    "holds": f"""SELECT h.id, h.reason, h.document_id, d.number, h.amount_minor, h.currency, h.from_date, h.until_date, h.note,
        h.placed_by, h.placed_at,
        (EXISTS (SELECT 1 FROM dialogue_dispute x WHERE {_mine('x')} AND x.hold_id = h.id AND x.state = 'open')
         OR EXISTS (SELECT 1 FROM dialogue_promise x WHERE {_mine('x')} AND x.hold_id = h.id AND x.state = 'open')
         OR EXISTS (SELECT 1 FROM dialogue_reply x WHERE {_mine('x')} AND x.hold_id = h.id AND x.state = 'open')) AS carried
        FROM dialogue_hold h LEFT JOIN ledger_document d ON (d.organisation_id, d.id) = (h.organisation_id, h.document_id)
        WHERE {_mine('h')} AND h.released_at IS NULL AND (h.until_date IS NULL OR h.until_date > %(today)s) ORDER BY h.placed_at DESC""",
    "promises": f"""SELECT p.id, p.document_id, d.number, p.currency, p.amount_minor, p.promised_date, p.state, p.made_how
        FROM dialogue_promise p LEFT JOIN ledger_document d ON (d.organisation_id, d.id) = (p.organisation_id, p.document_id)
        WHERE {_mine('p')} AND p.state = 'open' ORDER BY p.promised_date""",
    "disputes": f"""SELECT x.id, x.document_id, d.number, x.currency, x.amount_minor, x.category, x.said, x.opened_at
        FROM dialogue_dispute x JOIN ledger_document d ON (d.organisation_id, d.id) = (x.organisation_id, x.document_id)
        WHERE {_mine('x')} AND x.state = 'open' ORDER BY x.opened_at""",
    "records": """SELECT s.id, k.name AS connection, k.id AS connection_id, s.external_id, s.score, s.evidence, s.linked_by,
        s.home_id IS NOT NULL AS linked, coalesce(h.name, '') AS named, s.recorded_at, s.seen_at
        FROM ledger_sourcerecord s JOIN intake_connection k ON (k.organisation_id, k.id) = (s.organisation_id, s.connection_id)
        LEFT JOIN ledger_customer h ON (h.organisation_id, h.id) = (s.organisation_id, s.home_id)
        WHERE s.organisation_id = %(o)s AND s.kind = 'customer' AND s.target_id = %(c)s AND s.retracted_at IS NULL ORDER BY s.id LIMIT 100""",
    "corrections": """SELECT id, field, value, before, reason, "by", recorded_at FROM ledger_correction
        WHERE organisation_id = %(o)s AND kind = 'customer' AND target_id = %(c)s AND retracted_at IS NULL ORDER BY recorded_at DESC""",
    "words": """SELECT w.field, w.value #>> '{}' AS value, w.form, w.connection_id, w.external_id, w.received_at
        FROM ledger_sourcerecord s JOIN ledger_fieldword w ON w.organisation_id = %(o)s AND w.kind = 'customer'
             AND w.connection_id = s.connection_id AND w.external_id = s.external_id
        WHERE s.organisation_id = %(o)s AND s.kind = 'customer' AND s.target_id = %(c)s AND s.retracted_at IS NULL AND s.gone_at IS NULL""",
    "rules": "SELECT key, places, reason FROM ledger_fieldrule WHERE organisation_id = %(o)s AND retracted_at IS NULL",
    "sources": "SELECT id, name, kind, vendor FROM intake_connection WHERE organisation_id = %(o)s",
    "unapplied": f"""SELECT id, date, currency, unapplied_minor, left(remittance, 200) AS remittance FROM ledger_payment t
        WHERE {_mine('t')} AND unapplied_minor > 0 ORDER BY date DESC, id DESC LIMIT 50""",
}
_ONE: dict[str, str] = {
    "behaviour": f"""SELECT tier, median_days_late, share_late, paid_invoices, broken_promises, reasons, as_of
        FROM behaviour_profile t WHERE {_mine('t')}""",
    "released": f"""SELECT r.released_at, r.soft, w.name AS wave FROM collect_release r
        LEFT JOIN collect_wave w ON (w.organisation_id, w.id) = (r.organisation_id, r.wave_id) WHERE {_mine('r')} AND r.withdrawn_at IS NULL""",
    "next": f"""SELECT t.state, t.next_step, t.refreshed_at,
        (SELECT d.reason FROM collect_decision d WHERE {_mine('d')} ORDER BY d.day DESC, d.id DESC LIMIT 1) AS reason
        FROM collect_workitem t WHERE {_mine('t')}""",
    "customer": """SELECT c.id, c.name, c.aliases, c.accounts, c.country, c.city, c.currency, c.debtor_type, c.time_zone, c.language, c.tax_id,
        c.phone, c.parent_id, p.name AS parent_name, c.recorded_at
        FROM ledger_customer c LEFT JOIN ledger_customer p ON (p.organisation_id, p.id) = (c.organisation_id, c.parent_id)
        WHERE c.organisation_id = %(o)s AND c.id = %(c)s""",
}
_CARD = (
    "SELECT json_build_object("
    + ", ".join(
        [f"'{name}', (SELECT row_to_json(x) FROM ({query}) x)" for name, query in _ONE.items()]
        + [f"'{name}', (SELECT coalesce(json_agg(x), '[]') FROM ({query}) x)" for name, query in _PARTS.items()]
    )
    + ")::text"
)

_POINTS = """SELECT address, opted_out_at, bounced_at, bounced_how FROM dialogue_contactpoint
 WHERE organisation_id = %s AND channel = 'email' AND address = ANY(%s)"""


def card(*, customer_id: int, today: dt.date) -> Card | None:
    """The card of one customer on `today`; None where there is no such customer here."""
    with connection.cursor() as cursor:
        cursor.execute(_CARD, {"o": walls.current(), "c": customer_id, "today": today})
        text = cursor.fetchone()[0]
        if msgspec.json.decode(text).get("customer") is None:
            return None
        found = msgspec.json.decode(text, type=Card)
        addresses = [party.mailbox_key(contact.email) for contact in found.contacts if contact.email]
        if not addresses:
            return found
        cursor.execute(_POINTS, [walls.current(), addresses])
        points = {row[0]: row[1:] for row in cursor.fetchall()}
    return msgspec.structs.replace(found, contacts=[_with_point(contact, points) for contact in found.contacts])


def _with_point(contact: ContactRow, points: dict[str, tuple[Any, ...]]) -> ContactRow:
    opted_out_at, bounced_at, bounced_how = points.get(party.mailbox_key(contact.email), (None, None, ""))
    return msgspec.structs.replace(contact, opted_out_at=opted_out_at, bounced_at=bounced_at, bounced_how=bounced_how)
