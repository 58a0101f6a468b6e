"""Look at everything and keep the alerts true: a new cause opens one, a cause that lasts keeps its own, a cause that has ended closes it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
from django.db import transaction

from tieout.core.evidence import Actor
from tieout.stages.base import audit
from tieout.stages.health import lookers
from tieout.stages.health.models import Alert
from tieout.stages.health.sight import ORDER, Given, Sight

#: A cause that comes back so soon after it ended was never away: the same alert goes on, and nobody is told twice.
RESTLESS = dt.timedelta(minutes=10)


class Watched(msgspec.Struct, frozen=True, kw_only=True):
    """What a look brought: alerts opened, opened again, closed, and those that last; lookers that failed, each with its reason."""

    opened: int = 0
    reopened: int = 0
    closed: int = 0
    lasting: int = 0
    failed: dict[str, str] = {}


def run(*, given: Given, actor: Actor) -> Watched:
    """Look once. What a looker that fails would have said stays as it was."""
    seen, failed = _seen(given)
    blind = {kind for name in failed for kind in lookers.known()[name].KINDS}
    known = {row.key: row for row in Alert.objects.select_for_update().filter(closed_at__isnull=True)}
    restless = {
        row.key: row for row in Alert.objects.select_for_update().filter(closed_at__gt=given.now - RESTLESS).order_by("closed_at")
        if row.key not in known
    }  # fmt: skip
    acts: list[tuple[str, str, object, str, dict[str, Any]]] = []
    opened = reopened = lasting = 0
    for sight in seen.values():
        row = known.get(sight.key) or restless.get(sight.key)
        if row is None:
            row = Alert.objects.create(
                key=sight.key, kind=sight.kind, severity=sight.severity, first_seen_at=given.now, last_seen_at=given.now, **_words(sight)
            )
            acts.append(("alert.open", "alert", row.pk, sight.subject, {"kind": sight.kind, "severity": sight.severity}))
            opened += 1
            continue
        reopened, lasting = reopened + (row.closed_at is not None), lasting + (row.closed_at is None)
        _goes_on(row, sight, given.now)
    closed = 0
    for key, row in known.items():
        if key not in seen and row.kind not in blind:
            row.closed_at = given.now
            row.save(update_fields=["closed_at"])
            acts.append(("alert.close", "alert", row.pk, "its cause has ended", {"kind": row.kind}))
            closed += 1
    audit.write_many(acts, actor=actor, now=given.now)
    return Watched(opened=opened, reopened=reopened, closed=closed, lasting=lasting, failed=failed)


def _seen(given: Given) -> tuple[dict[str, Sight], dict[str, str]]:
    seen: dict[str, Sight] = {}
    failed: dict[str, str] = {}
    for name, looker in lookers.known().items():
        try:
            # One that fails must not take the others' sight with it.
            with transaction.atomic():
                for sight in looker.look(given=given):
                    seen.setdefault(sight.key, sight)
        except Exception as error:
            failed[name] = f"{type(error).__name__}: {error}"
    return seen, failed


def _words(sight: Sight) -> dict[str, Any]:
    return {
        "subject": sight.subject[:300], "says": sight.says, "mend": sight.mend, "page": sight.page, "page_key": sight.page_key,
        "page_query": sight.page_query, "connection_id": sight.connection_id, "count": sight.count,
    }  # fmt: skip


def _goes_on(row: Alert, sight: Sight, now: dt.datetime) -> None:
    for name, value in _words(sight).items():
        setattr(row, name, value)
    if ORDER[sight.severity] > ORDER[row.severity]:
        # What was acknowledged was the lesser thing.
        row.worse_at, row.acknowledged_at, row.acknowledged_by, row.snoozed_until, row.snoozed_by = now, None, "", None, ""
    row.severity, row.last_seen_at, row.closed_at = sight.severity, now, None
    row.save()
