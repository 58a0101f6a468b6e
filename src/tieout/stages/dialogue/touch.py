"""Touches: the log of every contact, outward and inward, that budgets are counted from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import msgspec

from tieout.core import days
from tieout.core.evidence import Actor
from tieout.stages.base import audit, feed
from tieout.stages.base import queries as base
from tieout.stages.dialogue.models import ContactPoint, Touch
from tieout.stages.ledger.models import Customer


class Contacted(msgspec.Struct, frozen=True, kw_only=True):
    """One contact to log. `direction` is out or in; `zone` is the recipient's, in whose days budgets count ('' for ours)."""

    customer_id: int
    channel: str
    direction: str = "out"
    contact_point_id: int | None = None
    zone: str = ""
    step: str = ""
    outcome: str = ""
    summary: str = ""
    document_ids: tuple[int, ...] = ()
    message_id: int | None = None


def record(
    *, customer: Customer, channel: str, direction: str = "out", contact_point: ContactPoint | None = None, step: str = "", outcome: str = "",
    summary: str = "", document_ids: Sequence[int] = (), message_id: int | None = None, actor: Actor, now: dt.datetime,
) -> Touch:
    """Log one contact with a customer at `now`."""
    contact = Contacted(
        customer_id=customer.pk, channel=channel, direction=direction, contact_point_id=contact_point.pk if contact_point else None,
        zone=customer.time_zone, step=step, outcome=outcome, summary=summary, document_ids=tuple(document_ids), message_id=message_id,
    )
    return record_many(contacts=[contact], actor=actor, now=now)[0]


def record_many(*, contacts: Sequence[Contacted], actor: Actor, now: dt.datetime) -> list[Touch]:
    """Log a batch of contacts at `now`: one insert, one audit lock."""
    rows = put(contacts=contacts, now=now)
    feed.publish(kind="touch", ids=[r.pk for r in rows], customer_ids=[r.customer_id for r in rows], cause="touch.record", now=now)
    acts = [
        ("touch.record", "touch", r.pk, r.summary, {"customer_id": r.customer_id, "channel": r.channel, "direction": r.direction, "step": r.step})
        for r in rows
    ]
    audit.write_many(acts, actor=actor, now=now)
    return rows


def put(*, contacts: Sequence[Contacted], now: dt.datetime) -> list[Touch]:
    """Write the rows, untold: for the verb that tells them as part of an act of its own."""
    ours = base.profile().time_zone
    rows = [
        Touch(
            customer_id=c.customer_id, contact_point_id=c.contact_point_id, channel=c.channel, direction=c.direction, at=now,
            local_date=_local_date(now, c.zone or ours, ours), step=c.step, outcome=c.outcome, summary=c.summary,
            document_ids=list(c.document_ids), message_id=c.message_id,
        )
        for c in contacts
    ]
    written: list[Touch] = Touch.objects.bulk_create(rows)
    return written


def _local_date(now: dt.datetime, name: str, ours: str) -> dt.date:
    try:
        return now.astimezone(days.zone(name)).date()
    except ValueError:  # a zone a source made up: our own day is the better guess than none
        return now.astimezone(days.zone(ours)).date()
