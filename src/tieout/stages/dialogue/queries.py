"""Rows in, frozen values out: what was said and agreed with a customer, and what holds it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

import msgspec
from django.db import connection
from django.db.models import Q

from tieout.stages.base import walls
from tieout.stages.dialogue.models import ContactPoint, Dispute, Hold, Note, Promise, Reply, Touch


class LiveHold(msgspec.Struct, frozen=True, kw_only=True):
    """A hold nobody has released. In force from `from_date` to before `until_date` (None: until released).

    `promised_date` is set for the hold of a promise: its `until_date` has the grace of the contact rules in it already.
    `amount_minor` is the only part held (of `document_id`); None holds the whole.
    """

    hold_id: int
    customer_id: int
    document_id: int | None
    document_number: str
    reason: str
    amount_minor: int | None
    currency: str
    from_date: dt.date
    until_date: dt.date | None
    promised_date: dt.date | None
    note: str
    placed_at: dt.datetime
    placed_by: str
    rank: int


class PromiseRow(msgspec.Struct, frozen=True, kw_only=True):
    """A promise as it stands: open, kept, broken or withdrawn."""

    promise_id: int
    customer_id: int
    document_id: int | None
    document_number: str
    currency: str
    amount_minor: int
    promised_date: dt.date
    made_at: dt.datetime
    made_how: str
    state: str
    settled_at: dt.datetime | None


class DisputeRow(msgspec.Struct, frozen=True, kw_only=True):
    """A dispute as it stands: open, upheld, rejected or withdrawn."""

    dispute_id: int
    customer_id: int
    document_id: int
    document_number: str
    currency: str
    amount_minor: int
    category: str
    said: str
    opened_at: dt.datetime
    opened_by: str
    state: str
    answer: str
    settled_at: dt.datetime | None
    settled_by: str


class ReplyRow(msgspec.Struct, frozen=True, kw_only=True):
    """A reply; `customer_id` None waits for somebody to say whose it is."""

    reply_id: int
    customer_id: int | None
    customer_name: str
    message_id: int | None
    received_at: dt.datetime
    sender: str
    subject: str
    text: str
    state: str
    closed_at: dt.datetime | None
    closed_by: str


class PointRow(msgspec.Struct, frozen=True, kw_only=True):
    """A contact point with what stands against using it."""

    point_id: int
    channel: str
    address: str
    opted_out_at: dt.datetime | None
    opted_out_how: str
    bounced_at: dt.datetime | None
    bounced_how: str
    soft_bounces: int


class PointTouch(msgspec.Struct, frozen=True, kw_only=True):
    """An outward contact that counts against a point's budget, over all customers."""

    point_id: int
    customer_id: int
    channel: str
    at: dt.datetime
    local_date: dt.date
    step: str
    outcome: str
    message_id: int | None


class NoteRow(msgspec.Struct, frozen=True, kw_only=True):
    """A note in force."""

    note_id: int
    document_id: int | None
    text: str
    written_at: dt.datetime
    written_by: str


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a customer's timeline.

    `kind` is hold, release, promise, promise_end, dispute, dispute_end, note, touch, reply, payment, invoice or credit_note;
    `object_id` is the row of that kind; `word` its reason, state, channel or number; `text` what was said or written.
    """

    at: dt.datetime
    kind: str
    object_id: int
    word: str
    text: str
    by: str
    document_id: int | None
    document_number: str
    amount_minor: int | None
    currency: str
    date: dt.date | None


def live_holds(customer_ids: Iterable[int] | None = None, today: dt.date | None = None) -> list[LiveHold]:
    """Holds nobody has released, of these customers (None: of all); with `today` only those in force on that day."""
    rows = Hold.objects.filter(released_at__isnull=True)
    if customer_ids is not None:
        rows = rows.filter(customer_id__in=set(customer_ids))
    if today is not None:
        rows = rows.filter(Q(until_date__isnull=True) | Q(until_date__gt=today), from_date__lte=today)
    held = list(rows.select_related("document").order_by("customer_id", "placed_at", "id"))
    promised = {p.hold_id: p.promised_date for p in Promise.objects.filter(hold_id__in=[h.pk for h in held if h.reason == "promise"], state="open")}
    return [
        LiveHold(
            hold_id=h.pk, customer_id=h.customer_id, document_id=h.document_id, document_number=_number(h), reason=h.reason,
            amount_minor=h.amount_minor, currency=h.currency, from_date=h.from_date, until_date=h.until_date, promised_date=promised.get(h.pk),
            note=h.note, placed_at=h.placed_at, placed_by=h.placed_by, rank=h.rank,
        )
        for h in held
    ]


def promises(customer_ids: Iterable[int], state: str | None = None) -> list[PromiseRow]:
    """Promises of these customers, newest first; in one state where given."""
    rows = Promise.objects.filter(customer_id__in=set(customer_ids), **({"state": state} if state else {}))
    return [
        PromiseRow(
            promise_id=p.pk, customer_id=p.customer_id, document_id=p.document_id, document_number=_number(p), currency=p.currency,
            amount_minor=p.amount_minor, promised_date=p.promised_date, made_at=p.made_at, made_how=p.made_how, state=p.state,
            settled_at=p.settled_at,
        )
        for p in rows.select_related("document").order_by("-made_at", "-id")
    ]


def disputes(customer_ids: Iterable[int] | None = None, state: str | None = None, document_id: int | None = None) -> list[DisputeRow]:
    """Disputes, newest first: of these customers, in one state, of one document where given."""
    wanted: dict[str, Any] = {"state": state} if state else {}
    if customer_ids is not None:
        wanted["customer_id__in"] = set(customer_ids)
    if document_id is not None:
        wanted["document_id"] = document_id
    return [
        DisputeRow(
            dispute_id=d.pk, customer_id=d.customer_id, document_id=d.document_id, document_number=_number(d), currency=d.currency,
            amount_minor=d.amount_minor, category=d.category, said=d.said, opened_at=d.opened_at, opened_by=d.opened_by, state=d.state,
            answer=d.answer, settled_at=d.settled_at, settled_by=d.settled_by,
        )
        for d in Dispute.objects.filter(**wanted).select_related("document").order_by("-opened_at", "-id")
    ]


def replies(state: str | None = "open", customer_id: int | None = None, limit: int = 200) -> list[ReplyRow]:
    """Replies in one state (None: any), newest first."""
    wanted: dict[str, Any] = {"state": state} if state else {}
    if customer_id is not None:
        wanted["customer_id"] = customer_id
    rows = Reply.objects.filter(**wanted).select_related("customer").order_by("-received_at", "-id")[:limit]
    return [_reply(r) for r in rows]


def reply(reply_id: int) -> ReplyRow | None:
    """One reply, or None where there is none of that id."""
    found = Reply.objects.filter(pk=reply_id).select_related("customer").first()
    return _reply(found) if found else None


def notes(customer_id: int, document_id: int | None = None) -> list[NoteRow]:
    """Notes in force on a customer (or on one of its documents), newest first."""
    rows = Note.objects.filter(customer_id=customer_id, retracted_at__isnull=True).order_by("-written_at", "-id")
    if document_id is not None:
        rows = rows.filter(document_id=document_id)
    return [NoteRow(note_id=n.pk, document_id=n.document_id, text=n.text, written_at=n.written_at, written_by=n.written_by) for n in rows]


def points(channel: str, addresses: Iterable[str]) -> list[PointRow]:
    """Known points of these addresses, given as points are known by (`contact_point.normalise`)."""
    return [
        PointRow(
            point_id=p.pk, channel=p.channel, address=p.address, opted_out_at=p.opted_out_at, opted_out_how=p.opted_out_how, bounced_at=p.bounced_at,
            bounced_how=p.bounced_how, soft_bounces=p.soft_bounces,
        )
        for p in ContactPoint.objects.filter(channel=channel, address__in=set(addresses)).order_by("id")
    ]


def touches_of_points(point_ids: Iterable[int], since: dt.date) -> list[PointTouch]:
    """Outward contacts at these points on or after the local day `since`, over all customers, oldest first."""
    rows = Touch.objects.filter(contact_point_id__in=set(point_ids), local_date__gte=since, direction="out").order_by("at", "id")
    return [
        PointTouch(
            point_id=t.contact_point_id, customer_id=t.customer_id, channel=t.channel, at=t.at, local_date=t.local_date, step=t.step,
            outcome=t.outcome, message_id=t.message_id,
        )
        for t in rows
    ]


_TIMELINE = """
WITH holds AS MATERIALIZED (
  SELECT * FROM dialogue_hold WHERE organisation_id = %(org)s AND customer_id = %(customer)s
), events (at, kind, object_id, word, text, by, document_id, amount_minor, currency, date) AS (
  SELECT placed_at, 'hold', id, reason, note, placed_by, document_id, amount_minor, currency, until_date FROM holds
  UNION ALL
  SELECT released_at, 'release', id, reason, released_reason, released_by, document_id, amount_minor, currency, NULL FROM holds
   WHERE released_at IS NOT NULL
  UNION ALL
  SELECT made_at, 'promise', id, 'made', made_how, '', document_id, amount_minor, currency, promised_date FROM dialogue_promise
   WHERE organisation_id = %(org)s AND customer_id = %(customer)s
  UNION ALL
  SELECT settled_at, 'promise_end', id, state, '', '', document_id, amount_minor, currency, promised_date FROM dialogue_promise
   WHERE organisation_id = %(org)s AND customer_id = %(customer)s AND settled_at IS NOT NULL
  UNION ALL
  SELECT opened_at, 'dispute', id, category, said, opened_by, document_id, amount_minor, currency, NULL FROM dialogue_dispute
   WHERE organisation_id = %(org)s AND customer_id = %(customer)s
  UNION ALL
  SELECT settled_at, 'dispute_end', id, state, answer, settled_by, document_id, amount_minor, currency, NULL FROM dialogue_dispute
   WHERE organisation_id = %(org)s AND customer_id = %(customer)s AND settled_at IS NOT NULL
  UNION ALL
  SELECT written_at, 'note', id, '', text, written_by, document_id, NULL, '', NULL FROM dialogue_note
   WHERE organisation_id = %(org)s AND customer_id = %(customer)s AND retracted_at IS NULL
  UNION ALL
  -- An inward touch is the shadow of a reply, which is shown itself.
  SELECT at, 'touch', id, channel, summary, outcome, NULL, NULL, '', local_date FROM dialogue_touch
   WHERE organisation_id = %(org)s AND customer_id = %(customer)s AND direction = 'out'
  UNION ALL
  SELECT received_at, 'reply', id, state, coalesce(nullif(text, ''), subject), sender, NULL, NULL, '', NULL FROM dialogue_reply
   WHERE organisation_id = %(org)s AND customer_id = %(customer)s
  UNION ALL
  SELECT created_at, 'payment', id, status, payer_name, '', NULL, amount_minor, currency, date FROM ledger_payment
   WHERE organisation_id = %(org)s AND customer_id = %(customer)s
  UNION ALL
  SELECT created_at, kind, id, number, '', '', id, amount_minor, currency, issue_date FROM ledger_document
   WHERE organisation_id = %(org)s AND customer_id = %(customer)s
)
SELECT e.at, e.kind, e.object_id, e.word, e.text, e.by, e.document_id, coalesce(d.number, ''), e.amount_minor, e.currency, e.date
  FROM (SELECT * FROM events ORDER BY at DESC, kind, object_id DESC LIMIT %(limit)s) e
  LEFT JOIN ledger_document d ON d.organisation_id = %(org)s AND d.id = e.document_id
 ORDER BY e.at DESC, e.kind, e.object_id DESC"""


def timeline(customer_id: int, limit: int = 200) -> list[Event]:
    """What happened with a customer, newest first, from the moment we learnt of it."""
    with connection.cursor() as cursor:
        cursor.execute(_TIMELINE, {"org": walls.current(), "customer": customer_id, "limit": limit})
        return [
            Event(
                at=at, kind=kind, object_id=object_id, word=word, text=text, by=by, document_id=document_id, document_number=number,
                amount_minor=amount, currency=currency, date=date,
            )
            for at, kind, object_id, word, text, by, document_id, number, amount, currency, date in cursor.fetchall()
        ]


def _reply(r: Reply) -> ReplyRow:
    return ReplyRow(
        reply_id=r.pk, customer_id=r.customer_id, customer_name=r.customer.name if r.customer else "", message_id=r.message_id,
        received_at=r.received_at, sender=r.sender, subject=r.subject, text=r.text, state=r.state, closed_at=r.closed_at, closed_by=r.closed_by,
    )


def _number(row: Hold | Promise | Dispute) -> str:
    return str(row.document.number) if row.document_id else ""
