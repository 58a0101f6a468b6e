"""What the shell of every page shows, read in one statement."""

from __future__ import annotations

import datetime as dt

import msgspec
from django.db import connection

from tieout.stages.base import walls

#: Counts in the menu stop here: a menu tells that work waits, not how much to the last row.
MOST = 1000


class Source(msgspec.Struct, frozen=True):
    """A connection and whether it brought something within its cadence; `reason` says what is wrong, in words."""

    id: int
    name: str
    last_success_at: dt.datetime | None
    stale: bool
    reason: str


class Shell(msgspec.Struct, frozen=True, kw_only=True):
    """Work waiting per room (at most `MOST` counted), the sources' freshness, and whether messages may leave."""

    cash: int
    tasks: int
    drafts: int
    replies: int
    quarantined: int
    unknown: int
    sources: tuple[Source, ...]
    mode: str
    mode_reason: str

    @property
    def stale(self) -> tuple[Source, ...]:
        return tuple(source for source in self.sources if source.stale)


_WAITING = {
    "cash": "ledger_payment WHERE organisation_id = %(o)s AND unapplied_minor > 0",
    "tasks": "collect_task WHERE organisation_id = %(o)s AND state = 'open'",
    "drafts": "outreach_message WHERE organisation_id = %(o)s AND state = 'draft'",
    "replies": "dialogue_reply WHERE organisation_id = %(o)s AND state = 'open'",
    "quarantined": "intake_quarantinedrow WHERE organisation_id = %(o)s AND state = 'open'",
    "unknown": "outreach_message WHERE organisation_id = %(o)s AND state = 'unknown'",
}
_SHELL = (
    "SELECT "
    + ", ".join(f"(SELECT count(*) FROM (SELECT 1 FROM {where} LIMIT {MOST}) waiting)" for where in _WAITING.values())
    + """,
    (SELECT coalesce(json_agg(json_build_array(id, name, last_success_at, created_at, cadence_hours, last_error) ORDER BY name), '[]')::text
       FROM intake_connection WHERE organisation_id = %(o)s AND paused_at IS NULL AND kind <> 'hand'),
    (SELECT coalesce(json_agg(json_build_array(name, reason)), '[]')::text FROM base_globalswitch WHERE "on"),
    p.mode, p.stopped_at IS NOT NULL, p.stopped_reason, p.frozen_at IS NOT NULL, p.frozen_reason
    FROM base_profile p WHERE p.organisation_id = %(o)s"""
)


def shell(*, now: dt.datetime) -> Shell:
    """The menu's counts, the sources and the mode of the current organisation at `now`."""
    with connection.cursor() as cursor:
        cursor.execute(_SHELL, {"o": walls.current()})
        row = cursor.fetchone()
    waiting = dict(zip(_WAITING, row, strict=False))
    sources, switches, mode, stopped, stopped_why, frozen, frozen_why = row[len(_WAITING) :]
    read = msgspec.json.decode(sources, type=list[tuple[int, str, dt.datetime | None, dt.datetime, int | None, str]])
    on = dict(msgspec.json.decode(switches, type=list[tuple[str, str]]))
    return Shell(**waiting, sources=tuple(_source(*values, now=now) for values in read), **_mode(mode, on, stopped, stopped_why, frozen, frozen_why))


def _source(
    number: int, name: str, last: dt.datetime | None, created: dt.datetime, cadence: int | None, error: str, *, now: dt.datetime
) -> Source:
    if cadence is None:
        return Source(number, name, last, False, "")
    due = (last or created) + dt.timedelta(hours=cadence)
    if due >= now:
        return Source(number, name, last, False, "")
    why = f"expected every {cadence} hours" if cadence < 48 else f"expected every {cadence // 24} days"
    return Source(number, name, last, True, why + (f"; the last attempt failed: {error}" if error else ""))


def _mode(mode: str, on: dict[str, str], stopped: bool, stopped_why: str, frozen: bool, frozen_why: str) -> dict[str, str]:
    if "stop" in on or stopped:
        return {"mode": "stopped", "mode_reason": on.get("stop") or stopped_why or "sending was stopped"}
    if "frozen" in on or frozen:
        return {"mode": "frozen", "mode_reason": on.get("frozen") or frozen_why or "restored from a backup and not yet checked"}
    return {"mode": mode, "mode_reason": ""}
