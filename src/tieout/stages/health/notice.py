"""Who is to be told what, once: a notice for each alert, channel and occasion, claimed before the call and settled after it.

An alert is told when it opens, once more when it becomes worse, once a day while it is open and nobody has acknowledged it, and when it
is over. What ends before it could be told is not told at all.
"""

from __future__ import annotations

import datetime as dt
import uuid
from zoneinfo import ZoneInfo

from django.db.models import F, Max, Q

from tieout.stages.base import permit
from tieout.stages.base.models import Membership
from tieout.stages.health.models import Alert, AlertChannel, HealthReport, Notice
from tieout.stages.health.watch import RESTLESS

#: The kind under which a channel may decline the monthly report.
REPORT = "health_report"
_DAY = dt.timedelta(hours=24)
#: When a call that failed is made again, by how often it was made; after the last it is given up.
_AGAIN = tuple(dt.timedelta(minutes=m) for m in (1, 5, 15, 60, 180, 360, 720))
#: A claim nobody settled within this time was that of a worker that died.
LOST = dt.timedelta(minutes=2)


def listening() -> list[AlertChannel]:
    """Where alerts are told now: addresses, and the mailboxes of people who still belong to those who look after the house."""
    allowed = Membership.objects.filter(ended_at__isnull=True, role__in=permit.ACTS["settings"]).values("person_id")
    rows = AlertChannel.objects.filter(removed_at__isnull=True).filter(Q(person__isnull=True) | Q(person_id__in=allowed))
    return list(rows.select_related("person").order_by("vendor", "name", "id"))


def plan(*, now: dt.datetime, zone: ZoneInfo) -> int:
    """Ask for every notice that is due; what is asked for already stays as it is. Returns how many were new."""
    channels = listening()
    if not channels:
        return 0
    alive = list(Alert.objects.filter(closed_at__isnull=True).filter(Q(snoozed_until__isnull=True) | Q(snoozed_until__lte=now)))
    over = list(Alert.objects.filter(closed_at__lte=now - RESTLESS, closed_at__gt=now - 7 * _DAY))
    told = {
        (row["channel_id"], row["alert_id"]): row["at"]
        for row in Notice.objects.filter(alert_id__in=[a.pk for a in alive]).values("channel_id", "alert_id").annotate(at=Max("planned_at"))
    }
    heard = set(
        Notice.objects.filter(alert_id__in=[a.pk for a in over], state__in=("done", "unknown", "claimed")).values_list("channel_id", "alert_id")
    )
    day = now.astimezone(zone).date().isoformat()
    wanted: list[Notice] = []
    for channel in channels:
        for alert in alive:
            occasion = "" if alert.kind in channel.without else _occasion(alert, channel, told.get((channel.pk, alert.pk)), day, now)
            if occasion:
                wanted.append(_notice(channel, occasion, now, alert=alert))
        wanted += [_notice(channel, "closed", now, alert=alert) for alert in over if (channel.pk, alert.pk) in heard]
    before = Notice.objects.count()
    Notice.objects.bulk_create(wanted, ignore_conflicts=True)
    return int(Notice.objects.count() - before)


def _occasion(alert: Alert, channel: AlertChannel, told_at: dt.datetime | None, day: str, now: dt.datetime) -> str:
    if told_at is None and alert.first_seen_at >= channel.since_at:
        return "opened"
    if alert.worse_at is not None and alert.worse_at >= channel.since_at and (told_at is None or told_at < alert.worse_at):
        return f"worse:{alert.worse_at.isoformat()}"[:40]
    # A channel that was added while the alert was open hears of it with its first daily reminder.
    if alert.acknowledged_at is None and now - (told_at or channel.since_at) >= _DAY:
        return f"reminder:{day}"
    return ""


def of_report(*, report: HealthReport, now: dt.datetime) -> int:
    """Tell those who want to know that a report is there."""
    channels = listening()
    wanted = [_notice(channel, "made", now, report=report) for channel in channels if REPORT not in channel.without]
    return len(Notice.objects.bulk_create(wanted, ignore_conflicts=True))


def _notice(channel: AlertChannel, occasion: str, now: dt.datetime, alert: Alert | None = None, report: HealthReport | None = None) -> Notice:
    return Notice(alert=alert, report=report, channel=channel, occasion=occasion, uuid=uuid.uuid4(), planned_at=now, not_before=now)


def channels_due(*, now: dt.datetime) -> list[int]:
    """The channels that have something to tell now."""
    rows = Notice.objects.filter(state="waiting", not_before__lte=now, channel_id__in=[channel.pk for channel in listening()])
    return sorted(set(rows.values_list("channel_id", flat=True)))


def claim(*, channel_id: int, now: dt.datetime, real_now: dt.datetime, limit: int = 20) -> list[Notice]:
    """Take what one channel is to tell, oldest first; others pass over it. Commit before the call. What is over is not told.

    A claim bears the machine's moment, by which a worker is known to have died: the demo's days fly.
    """
    rows = Notice.objects.select_for_update(skip_locked=True, of=("self",)).filter(channel_id=channel_id, state="waiting", not_before__lte=now)
    taken = []
    for row in rows.select_related("alert", "report", "channel", "channel__person").order_by("id")[:limit]:
        if row.alert is not None and row.occasion != "closed" and row.alert.closed_at is not None:
            row.state, row.settled_at, row.said = Notice.State.MOOT, now, "over before it was told"
        else:
            row.state, row.claimed_at, row.attempts = Notice.State.CLAIMED, real_now, row.attempts + 1
            taken.append(row)
        row.save(update_fields=["state", "settled_at", "said", "claimed_at", "attempts"])
    return taken


def settle(*, notice: Notice, state: str, said: str, now: dt.datetime) -> None:
    """Say how it went: done, failed (it will never be taken), unknown, or waiting (surely not taken; tried again, up to a point)."""
    row = Notice.objects.select_for_update().get(pk=notice.pk)
    if row.state != Notice.State.CLAIMED:
        return
    channel = AlertChannel.objects.filter(pk=row.channel_id)
    if state == Notice.State.WAITING and row.attempts > len(_AGAIN):
        state, said = Notice.State.FAILED, f"given up after {row.attempts} tries: {said}"
    if state == Notice.State.WAITING:
        row.not_before = now + _AGAIN[row.attempts - 1]
    else:
        row.settled_at = now
    row.state, row.said = state, said
    row.save(update_fields=["state", "said", "not_before", "settled_at"])
    if state == Notice.State.DONE:
        channel.update(last_told_at=now, last_error="")
    elif state == Notice.State.FAILED:
        channel.update(last_error=said)


def take_back(*, channel_id: int, repeatable: bool, now: dt.datetime, real_now: dt.datetime) -> int:
    """Claims of a worker that died: told again where the other side knows a notice by its key, else unknown. Returns how many."""
    lost = Notice.objects.filter(channel_id=channel_id, state=Notice.State.CLAIMED, claimed_at__lt=real_now - LOST)
    if repeatable:
        return int(lost.update(state=Notice.State.WAITING, not_before=now, said="claimed, and no outcome was recorded"))
    return int(lost.update(state=Notice.State.UNKNOWN, settled_at=now, said="claimed, and no outcome was recorded"))


def lost(*, real_now: dt.datetime) -> list[int]:
    """The channels with claims that nobody has settled in time."""
    rows = Notice.objects.filter(state=Notice.State.CLAIMED, claimed_at__lt=real_now - LOST)
    return sorted(set(rows.values_list("channel_id", flat=True)))


def told_of(*, alert_ids: list[int]) -> dict[int, list[tuple[str, str, str, dt.datetime]]]:
    """What was told of some alerts: by alert, (channel, occasion, state, when)."""
    found: dict[int, list[tuple[str, str, str, dt.datetime]]] = {}
    rows = Notice.objects.filter(alert_id__in=alert_ids).annotate(name=F("channel__name")).order_by("id")
    for row in rows:
        found.setdefault(row.alert_id, []).append((row.name, row.occasion, row.state, row.settled_at or row.planned_at))
    return found
