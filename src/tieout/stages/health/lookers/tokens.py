"""Consents that run out: a system lets us in by a token that is good for a time, and only a person can give the next."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from tieout.stages.health.sight import Given, Sight
from tieout.stages.intake.models import Connection

KINDS = {"expiring": "A consent runs out"}
_SOON, _URGENT = dt.timedelta(days=14), dt.timedelta(days=3)


def look(*, given: Given) -> Iterator[Sight]:
    """By the machine's clock: a token does not know of a demo's days."""
    for row in Connection.objects.filter(kind="system", paused_at__isnull=True, needs_person="").order_by("name"):
        told = row.account.get("refresh_expires_at")
        ends = dt.datetime.fromisoformat(told) if told else None
        if ends is None or ends - given.real_now > _SOON:
            continue
        left = ends - given.real_now
        in_days = "within a day" if left.days == 0 else f"in {left.days} day{'' if left.days == 1 else 's'}"
        when = "has run out" if left <= dt.timedelta(0) else f"runs out {in_days}"
        yield Sight(
            kind="expiring", key=f"expiring:{row.pk}", severity="urgent" if left <= _URGENT else "soon", what="consent",
            subject=f"The consent of {row.name} {when}",
            says=f"It is good until {ends:%Y-%m-%d %H:%M} UTC; after that {row.name} is not read any more",
            mend="connect it again before that day: a new consent begins a new term", page="connection", page_key=row.pk, connection_id=row.pk,
        )  # fmt: skip
