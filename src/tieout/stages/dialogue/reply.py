"""Replies: a message from a debtor. A human one holds the customer until somebody closes it; an automatic one is noted."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec

from tieout.core.evidence import Actor, Refused
from tieout.stages.base import audit, feed
from tieout.stages.cash import account
from tieout.stages.dialogue import contact_point, hold, touch
from tieout.stages.dialogue.models import Reply
from tieout.stages.intake.models import Envelope
from tieout.stages.ledger.models import Customer

_MAILBOX = Actor("machine", "mailbox")


class Parsed(msgspec.Struct, frozen=True, kw_only=True):
    """What was read from a message: who wrote, about what, the new text without what it quotes.

    `automatic`: out of office and the like. `received_at` None: as the mailbox was read.
    """

    sender: str
    subject: str = ""
    text: str = ""
    automatic: bool = False
    received_at: dt.datetime | None = None


def receive(*, envelope: Envelope | None, parsed: Parsed, customer: Customer | None, message: Any = None, now: dt.datetime) -> Reply:
    """Keep a reply and hold its customer; the same envelope a second time is the same reply.

    `message` is the message it answers (its row or its id), if known. Without a customer it waits in the queue, for `assign`.
    """
    account.lock([customer.pk if customer else None])
    known = Reply.objects.filter(envelope=envelope).first() if envelope is not None else None
    if known:
        found: Reply = known
        return found
    point = contact_point.of(channel="email", address=parsed.sender, now=now)
    row: Reply = Reply.objects.create(
        customer=customer, contact_point=None if isinstance(point, Refused) else point, envelope=envelope, message_id=getattr(message, "pk", message),
        received_at=parsed.received_at or now, sender=parsed.sender[:320], subject=parsed.subject, text=parsed.text,
        state=Reply.State.AUTOMATIC if parsed.automatic else Reply.State.OPEN,
    )
    if customer is not None:
        _attach(row, customer, _MAILBOX, now)
    _tell("reply.receive", row, actor=_MAILBOX, now=now)
    return row


def assign(*, reply: Reply, customer: Customer, actor: Actor, now: dt.datetime) -> Reply | Refused:
    """Say whose reply it is: that customer is held while it is open, and the one who was held for it no longer."""
    account.lock([customer.pk, reply.customer_id])
    row: Reply = reply.lock()
    if row.customer_id == customer.pk:
        return row
    hold.lift(row.hold, reason="the reply is another customer's", actor=actor, now=now)
    row.customer, row.hold = customer, None
    row.save(update_fields=["customer", "hold"])
    _attach(row, customer, actor, now)
    _tell("reply.assign", row, actor=actor, now=now)
    return row


def close(*, reply: Reply, actor: Actor, now: dt.datetime, reason: str = "") -> Reply:
    """The reply is dealt with: its hold ends. Twice changes nothing."""
    account.lock([reply.customer_id])
    row: Reply = reply.lock()
    if row.state == Reply.State.OPEN:
        row.state, row.closed_at, row.closed_by = Reply.State.CLOSED, now, actor.name
        row.save(update_fields=["state", "closed_at", "closed_by"])
        hold.lift(row.hold, reason=reason or "reply closed", actor=actor, now=now)
        _tell("reply.close", row, actor=actor, now=now, reason=reason)
    return row


def reopen(*, reply: Reply, actor: Actor, now: dt.datetime, reason: str = "") -> Reply:
    """Take the closing back (or treat an automatic answer as a human one): open again, and its customer held again."""
    account.lock([reply.customer_id])
    row: Reply = reply.lock()
    if row.state != Reply.State.OPEN:
        row.state, row.closed_at, row.closed_by = Reply.State.OPEN, None, ""
        row.save(update_fields=["state", "closed_at", "closed_by"])
        if row.customer is not None:
            _hold(row, row.customer, actor, now)
        _tell("reply.reopen", row, actor=actor, now=now, reason=reason)
    return row


def _attach(row: Reply, customer: Customer, actor: Actor, now: dt.datetime) -> None:
    outcome = "automatic" if row.state == Reply.State.AUTOMATIC else "reply"
    inward = touch.Contacted(
        customer_id=customer.pk, channel="email", direction="in", contact_point_id=row.contact_point_id, zone=customer.time_zone, outcome=outcome,
        summary=row.subject[:300], message_id=row.message_id,
    )
    touch.put(contacts=[inward], now=now)
    if row.state == Reply.State.OPEN:
        _hold(row, customer, actor, now)


def _hold(row: Reply, customer: Customer, actor: Actor, now: dt.datetime) -> None:
    row.hold = hold.put(
        customer=customer, reason="reply_open", document=None, amount_minor=None, until=None, note=row.subject[:300], actor=actor, now=now
    )
    row.save(update_fields=["hold"])


def _tell(action: str, row: Reply, *, actor: Actor, now: dt.datetime, reason: str = "") -> None:
    customers = [row.customer_id] if row.customer_id else []
    feed.publish(kind="reply", ids=[row.pk], customer_ids=customers, cause=action, now=now)
    detail = {"customer_id": row.customer_id, "sender": row.sender, "state": row.state, "message_id": row.message_id, "envelope_id": row.envelope_id}
    audit.write(actor=actor, action=action, object_kind="reply", object_id=row.pk, now=now, reason=reason, detail=detail)
