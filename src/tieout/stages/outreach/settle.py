"""Settle what was claimed: exactly what the other side said, or that nobody knows.

Only the holder of a claim settles it (the claim's number must match). A worker that comes back late still knows what it
did, so its word also resolves a message that was marked unknown in the meantime.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from tieout.core.evidence import Actor, Refused
from tieout.stages.base import audit, feed
from tieout.stages.base import queries as base
from tieout.stages.cash import account
from tieout.stages.collect import release, task
from tieout.stages.collect.models import Task
from tieout.stages.dialogue import contact_point, touch
from tieout.stages.dialogue.models import ContactPoint, Touch
from tieout.stages.ledger.models import Customer
from tieout.stages.outreach import store
from tieout.stages.outreach.claim import ASK_AGAIN, SENDER
from tieout.stages.outreach.models import Message

#: Minutes until a letter the server did not take is offered again, by how often it was tried; the last goes on.
BACK_OFF = (2, 10, 30, 120)

#: sent: taken by the server. refused: never will be. later: not taken, try again. back: not even offered. person: nothing of
#: ours is taken until somebody mends the settings. unknown: handed over, no answer.
Outcome = Literal["sent", "refused", "later", "back", "person", "unknown"]


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one claim. `at` is when to come back; `address_bad` that the refusal was about the recipient."""

    id: int
    claim: int
    outcome: Outcome
    said: str = ""
    at: dt.datetime | None = None
    address_bad: bool = False


def batch(*, outcomes: Sequence[Settled], now: dt.datetime, actor: Actor = SENDER) -> int:
    """Record these outcomes; returns how many were still ours to record."""
    if not outcomes:
        return 0
    customers = set(Message.objects.filter(pk__in=[one.id for one in outcomes]).values_list("customer_id", flat=True))
    account.lock(customers)
    rows = {row.pk: row for row in Message.objects.select_for_update(no_key=True).filter(pk__in=[one.id for one in outcomes])}
    done: list[tuple[Message, Settled]] = []
    for one in outcomes:
        row = rows.get(one.id)
        if row is not None and row.claims == one.claim and row.state in (Message.State.SENDING, Message.State.UNKNOWN):
            _record(row, one, now)
            done.append((row, one))
    store.rows([row for row, _ in done], ("state", "sent_at", "outcome", "hold_reason", "hold_release", "not_before"))
    _log_touches(done, now)
    _follow(done, actor, now)
    feed.publish(kind="message", ids=[row.pk for row, _ in done], customer_ids=[row.customer_id for row, _ in done], cause="message.settle", now=now)
    audit.write_many([(f"message.{one.outcome}", "message", row.pk, one.said, {"claim": one.claim}) for row, one in done], actor=actor, now=now)
    return len(done)


def by_person(*, message: Message, was_sent: bool, actor: Actor, now: dt.datetime, note: str = "") -> Message | Refused:
    """A person has found out what became of an unknown message: it arrived, or it did not and may be asked about again."""
    if actor.kind != "person":
        return Refused("only a person settles a message whose outcome is not known")
    row: Message = message.lock()
    if row.state != Message.State.UNKNOWN:
        return Refused(f"the outcome of this message is known: {row.get_state_display().lower()}")
    said = f"{actor.name}: {note or ('it was sent' if was_sent else 'it was not sent')}"
    batch(outcomes=[Settled(id=row.pk, claim=row.claims, outcome="sent" if was_sent else "back", said=said)], now=now, actor=actor)
    found: Message = Message.objects.get(pk=row.pk)
    return found


def _record(row: Message, one: Settled, now: dt.datetime) -> None:
    row.outcome = one.said
    if one.outcome == "sent":
        row.state, row.sent_at = Message.State.SENT, row.claimed_at or now
    elif one.outcome == "refused":
        row.state = Message.State.REFUSED
    elif one.outcome == "unknown":
        row.state = Message.State.UNKNOWN
    elif one.outcome == "person":
        row.state, row.hold_reason, row.hold_release = Message.State.HELD, one.said, "the mail server's settings are mended"
        row.not_before = now + ASK_AGAIN
    else:
        wait = dt.timedelta(minutes=BACK_OFF[min(row.claims, len(BACK_OFF)) - 1])
        row.state, row.not_before = Message.State.PLANNED, one.at or (now + wait if one.outcome == "later" else None)


def _log_touches(done: Iterable[tuple[Message, Settled]], now: dt.datetime) -> None:
    """The contact log says what the message says: one row for each message that left or may have left."""
    pairs = list(done)
    logged = set(Touch.objects.filter(message_id__in=[row.pk for row, _ in pairs], direction="out").values_list("message_id", flat=True))
    for row, one in pairs:
        if row.pk in logged:
            outcome = one.outcome if one.outcome in ("sent", "unknown", "refused") else "cancelled"
            Touch.objects.filter(message_id=row.pk, direction="out").update(outcome=outcome)
    fresh = [(row, one.outcome) for row, one in pairs if one.outcome in ("sent", "unknown") and row.pk not in logged]
    zones = dict(Customer.objects.filter(pk__in={row.customer_id for row, _ in fresh}).values_list("id", "time_zone"))
    by_moment: dict[dt.datetime, list[touch.Contacted]] = {}
    for row, outcome in fresh:
        by_moment.setdefault(row.claimed_at or now, []).append(_contact(row, outcome, zones.get(row.customer_id, "")))
    for moment, contacts in by_moment.items():
        touch.put(contacts=contacts, now=moment)


def _contact(row: Message, outcome: str, zone: str) -> touch.Contacted:
    return touch.Contacted(
        customer_id=row.customer_id, channel="email", contact_point_id=row.contact_point_id, zone=zone, step=row.step, outcome=outcome,
        summary=row.subject[:300], document_ids=tuple(row.document_ids), message_id=row.pk,
    )  # fmt: skip


def _follow(done: Iterable[tuple[Message, Settled]], actor: Actor, now: dt.datetime) -> None:
    pairs = list(done)
    sent = {row.customer_id for row, one in pairs if one.outcome == "sent"}
    release.harden(customer_ids=sent, now=now)
    for row, one in pairs:
        if one.outcome == "unknown":
            _ask(row, "unknown", f"find out whether “{row.subject}” arrived", one.said, now)
        elif one.outcome == "refused" and one.address_bad:
            point: ContactPoint = ContactPoint.objects.get(pk=row.contact_point_id)
            contact_point.bounce(point=point, how=one.said, hard=True, now=now, actor=actor)
            _ask(row, "address", f"find an address: {row.to_address} was refused", one.said, now)
        elif one.outcome == "refused":
            _ask(row, "review", f"“{row.subject}” was refused by the mail server", one.said, now)
    known = [f"unknown:{row.pk}:{one.claim}" for row, one in pairs if one.outcome != "unknown"]
    Task.objects.filter(natural_key__in=known, state="open").update(
        state="dropped", outcome="the outcome became known", settled_at=now, settled_by=actor.name[:300]
    )


def _ask(row: Message, kind: str, title: str, reason: str, now: dt.datetime) -> None:
    task.make(
        customer=row.customer, kind=kind, title=title, reason=reason, natural_key=f"{kind}:{row.pk}:{row.claims}", document_ids=row.document_ids,
        due_date=base.today_of(base.profile(), now), actor=SENDER, now=now,
    )  # fmt: skip
