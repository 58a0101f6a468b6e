"""What a person does about an alert: take note of it, put it off for a time, or have it told again. Only its cause can end it."""

from __future__ import annotations

import datetime as dt

from tieout.core.evidence import Actor, Refused
from tieout.stages.base import audit
from tieout.stages.health.models import Alert

#: An alert can be put off for so long at most: what lasts longer deserves another look.
LONGEST_DAYS = 30
_OVER = Refused("this alert is over: its cause has ended")


def acknowledge(*, alert: Alert, actor: Actor, now: dt.datetime) -> Refused | None:
    """Somebody looks after it: no more reminders."""
    row = alert.lock()
    if row.closed_at is not None:
        return _OVER
    row.acknowledged_at, row.acknowledged_by, row.snoozed_until, row.snoozed_by = now, actor.name, None, ""
    row.save(update_fields=["acknowledged_at", "acknowledged_by", "snoozed_until", "snoozed_by"])
    audit.write(actor=actor, action="alert.acknowledge", object_kind="alert", object_id=row.pk, now=now)
    return None


def snooze(*, alert: Alert, days: int, actor: Actor, now: dt.datetime) -> Refused | None:
    """Put it off; it comes back by itself where its cause still lasts then."""
    if not 1 <= days <= LONGEST_DAYS:
        return Refused(f"an alert can be put off for 1 to {LONGEST_DAYS} days")
    row = alert.lock()
    if row.closed_at is not None:
        return _OVER
    row.snoozed_until, row.snoozed_by = now + dt.timedelta(days=days), actor.name
    row.save(update_fields=["snoozed_until", "snoozed_by"])
    audit.write(actor=actor, action="alert.snooze", object_kind="alert", object_id=row.pk, now=now, detail={"days": days})
    return None


def wake(*, alert: Alert, actor: Actor, now: dt.datetime) -> Refused | None:
    """Take back that it was acknowledged or put off."""
    row = alert.lock()
    if row.closed_at is not None:
        return _OVER
    row.acknowledged_at, row.acknowledged_by, row.snoozed_until, row.snoozed_by = None, "", None, ""
    row.save(update_fields=["acknowledged_at", "acknowledged_by", "snoozed_until", "snoozed_by"])
    audit.write(actor=actor, action="alert.wake", object_kind="alert", object_id=row.pk, now=now)
    return None
