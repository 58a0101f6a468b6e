"""The outbox: an effect on the outside, written with its cause, done at most once (promise P2).

`put` in the transaction that causes it; `claim` commits before the call; `settle` after it. What was claimed and
never settled is `unknown` until somebody or a look-up says what happened; it is never simply tried again.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec

from tieout.stages.writeback.models import Outgoing


class Claimed(msgspec.Struct, frozen=True):
    """An effect that is ours to carry out now; `attempt` counts from 1."""

    id: int
    kind: str
    natural_key: str
    body: dict[str, Any]
    attempt: int


def claim_of(*, connection_id: int, now: dt.datetime, limit: int = 20) -> list[Outgoing]:
    """Take what one system is to hear, oldest first; other workers pass over it. Commit before calling the other side."""
    rows = list(
        Outgoing.objects.select_for_update(skip_locked=True)
        .filter(connection_id=connection_id, state="waiting", not_before__lte=now)
        .order_by("id")[:limit]
    )
    for row in rows:
        row.state, row.claimed_at, row.attempts = Outgoing.State.CLAIMED, now, row.attempts + 1
    Outgoing.objects.bulk_update(rows, ["state", "claimed_at", "attempts"])
    return rows


def ever(*, connection_id: int) -> bool:
    """Whether a system has ever been told anything."""
    return bool(Outgoing.objects.filter(connection_id=connection_id).exists())


def due(*, now: dt.datetime) -> bool:
    """Whether a system is to hear something now."""
    return bool(Outgoing.objects.filter(connection__isnull=False, state__in=("waiting", "unknown"), not_before__lte=now).exists())


def unsure_of(*, connection_id: int) -> list[Outgoing]:
    """What may have happened in a system and nobody knows: to be looked up there."""
    return list(Outgoing.objects.filter(connection_id=connection_id, state="unknown").order_by("id")[:20])


def found(*, id: int, external_id: str, receipt: str, now: dt.datetime) -> None:
    """It did happen: looked up at the other side."""
    Outgoing.objects.filter(pk=id, state="unknown").update(state="done", external_id=external_id, receipt=receipt, settled_at=now)


def once_more(*, id: int, receipt: str, now: dt.datetime) -> None:
    """It surely did not happen, by the other side's own word: it may be tried again."""
    Outgoing.objects.filter(pk=id, state="unknown").update(state="waiting", receipt=receipt, settled_at=None, not_before=now)


def put(*, kind: str, natural_key: str, body: dict[str, Any], now: dt.datetime) -> bool:
    """Ask for an effect once; False where it has been asked for already."""
    _, created = Outgoing.objects.get_or_create(natural_key=natural_key, defaults={"kind": kind, "body": body, "written_at": now, "not_before": now})
    return bool(created)


def claim(*, kind: str, now: dt.datetime, limit: int = 50) -> list[Claimed]:
    """Take waiting effects of a kind; other workers pass over them. Commit before calling the other side."""
    rows = list(
        Outgoing.objects.select_for_update(skip_locked=True)
        .filter(kind=kind, state="waiting", not_before__lte=now)
        .order_by("not_before", "id")[:limit]
    )
    for row in rows:
        row.state, row.claimed_at, row.attempts = Outgoing.State.CLAIMED, now, row.attempts + 1
    Outgoing.objects.bulk_update(rows, ["state", "claimed_at", "attempts"])
    return [Claimed(r.pk, r.kind, r.natural_key, r.body, r.attempts) for r in rows]


def settle(
    *, id: int, state: str, receipt: str, now: dt.datetime, again_at: dt.datetime | None = None, external_id: str = "", lacks: str = "",
    sent: dict[str, Any] | None = None,
) -> None:  # fmt: skip
    """Say how it went: done, failed or unknown; for a person, who is to fill in what it `lacks`; or waiting again at a time, where the
    other side surely did nothing. `sent` is kept as what was told."""
    row = Outgoing.objects.select_for_update().get(pk=id)
    if row.state != Outgoing.State.CLAIMED:
        return
    row.state, row.receipt, row.lacks = state, receipt, lacks
    if sent is not None:
        row.body = {**row.body, "sent": sent}
    row.settled_at = None if state == Outgoing.State.WAITING else now
    row.not_before, row.external_id = again_at or row.not_before, external_id or row.external_id
    row.save(update_fields=["state", "receipt", "settled_at", "not_before", "external_id", "lacks", "body"])


def doubt(*, before: dt.datetime, now: dt.datetime) -> int:
    """Claims older than `before` whose outcome nobody recorded become unknown, for a person. Returns how many."""
    lost = Outgoing.objects.filter(state=Outgoing.State.CLAIMED, claimed_at__lt=before)
    return int(lost.update(state=Outgoing.State.UNKNOWN, settled_at=now, receipt="claimed, and no outcome was recorded"))
