"""Messages that were claimed and never settled: their worker died or is very slow."""

from __future__ import annotations

import datetime as dt

import msgspec

from tieout.stages.outreach.models import Message

#: A live worker has called within five seconds of its claim and waits ten at most for the answer; a minute leaves it every chance.
AFTER = dt.timedelta(seconds=60)


class Stale(msgspec.Struct, frozen=True):
    """One such claim: the message, the claim's number, and the Message-ID by which the other side can be asked."""

    id: int
    claim: int
    message_id: str


def stale(*, now: dt.datetime, older_than: dt.timedelta = AFTER, limit: int = 200) -> list[Stale]:
    """Claims older than that, oldest first."""
    rows = Message.objects.filter(state=Message.State.SENDING, claimed_at__lte=now - older_than).order_by("claimed_at")
    return [Stale(*row) for row in rows.values_list("id", "claims", "message_id")[:limit]]
