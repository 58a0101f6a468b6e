"""What the shell of every page shows: work waiting, the sources' freshness, whether messages may leave."""

from __future__ import annotations

import datetime as dt

import msgspec
from django.db import connection

from tieout.stages.base import walls
from tieout.stages.intake import queries as intake
from tieout.stages.intake.queries import Freshness

#: Counts in the menu stop here: a menu tells that work waits, not how much to the last row.
MOST = 1000


class Shell(msgspec.Struct, frozen=True, kw_only=True):
    """Work waiting per room (at most `MOST` counted), the sources' freshness, and whether messages may leave."""

    cash: int
    tasks: int
    drafts: int
    replies: int
    quarantined: int
    unknown: int
    identity: int
    alerts: int
    conflicts: int
    sources: tuple[Freshness, ...]
    mode: str
    mode_reason: str

    @property
    def stale(self) -> tuple[Freshness, ...]:
        return tuple(source for source in self.sources if source.stale)


_WAITING = {
    "cash": "ledger_payment WHERE organisation_id = %(o)s AND unapplied_minor > 0",
    "tasks": "collect_task WHERE organisation_id = %(o)s AND state = 'open'",
    "drafts": "outreach_message WHERE organisation_id = %(o)s AND state = 'draft'",
    "replies": "dialogue_reply WHERE organisation_id = %(o)s AND state = 'open'",
    "quarantined": "intake_quarantinedrow WHERE organisation_id = %(o)s AND state = 'open'",
    "unknown": "outreach_message WHERE organisation_id = %(o)s AND state = 'unknown'",
    "identity": "ledger_linkproposal WHERE organisation_id = %(o)s AND state = 'open' AND NOT related",
    "alerts": "health_alert WHERE organisation_id = %(o)s AND closed_at IS NULL AND acknowledged_at IS NULL"
    " AND (snoozed_until IS NULL OR snoozed_until <= %(now)s)",
    "conflicts": "writeback_conflict WHERE organisation_id = %(o)s AND state = 'open'",
}
_COUNTS = ", ".join(f"(SELECT count(*) FROM (SELECT 1 FROM {where} LIMIT {MOST}) waiting)" for where in _WAITING.values())
_SHELL = f"""
SELECT {_COUNTS},
    (SELECT coalesce(json_agg(json_build_array(name, reason)), '[]')::text FROM base_globalswitch WHERE "on"),
    p.mode, p.stopped_at IS NOT NULL, p.stopped_reason, p.frozen_at IS NOT NULL, p.frozen_reason
    FROM base_profile p WHERE p.organisation_id = %(o)s"""


def shell(*, now: dt.datetime) -> Shell:
    """The menu's counts, the sources and the mode of the current organisation at `now`."""
    with connection.cursor() as cursor:
        cursor.execute(_SHELL, {"o": walls.current(), "now": now})
        row = cursor.fetchone()
    waiting = dict(zip(_WAITING, row, strict=False))
    switches, mode, stopped, stopped_why, frozen, frozen_why = row[len(_WAITING) :]
    sources = tuple(source for source in intake.freshness(now=now) if source.kind != "hand")
    on = dict(msgspec.json.decode(switches, type=list[tuple[str, str]]))
    return Shell(**waiting, sources=sources, **_mode(mode, on, stopped, stopped_why, frozen, frozen_why))


def _mode(mode: str, on: dict[str, str], stopped: bool, stopped_why: str, frozen: bool, frozen_why: str) -> dict[str, str]:
    if "stop" in on or stopped:
        return {"mode": "stopped", "mode_reason": on.get("stop") or stopped_why or "sending was stopped"}
    if "frozen" in on or frozen:
        return {"mode": "frozen", "mode_reason": on.get("frozen") or frozen_why or "restored from a backup and not yet checked"}
    return {"mode": mode, "mode_reason": ""}
