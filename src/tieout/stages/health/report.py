"""The health report of a period: what each connected system said, what failed, what was set aside, written and alerted; and the statuses
that changed in one system and not in another. Gathered once, kept with the report, and shown by page and PDF alike.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping
from zoneinfo import ZoneInfo

import msgspec

from tieout.core.evidence import Actor, Refused
from tieout.core.tieout import MEANING
from tieout.stages.base import audit
from tieout.stages.base import queries as base
from tieout.stages.health import looking
from tieout.stages.health.models import HealthReport
from tieout.stages.intake import queries as intake
from tieout.stages.intake.models import Connection

#: Rows of changed statuses that a report lists; the rest is counted.
SHOWN = 200
#: A report is about a year at most.
LONGEST_DAYS = 366


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """A comparison with one system, made for the report: differences by currency and cause, and the cause of each document's."""

    at: dt.datetime
    documents: int
    differing: int
    causes: dict[str, dict[str, int]]
    of_document: dict[int, str]


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """What one cause comes to in one currency."""

    currency: str
    cause: str
    minor: int


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """What was written to a system, of one kind."""

    act: str
    done: int
    failed: int
    unknown: int
    waiting: int


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One connection over the period; its freshness is that of the moment the report was made."""

    connection_id: int
    name: str
    kind: str
    stage: str
    in_use: bool
    last_success_at: dt.datetime | None
    stale: str
    readings: int
    failed: int
    created: int
    updated: int
    gone: int
    quarantined: int
    still_aside: int
    corrections: int
    alerts_opened: int
    alerts_closed: int
    alert_minutes: int
    compared_at: dt.datetime | None
    documents: int
    differing: int
    differences: tuple[Difference, ...]
    written: tuple[Written, ...]


class Changed(msgspec.Struct, frozen=True, kw_only=True):
    """A status that changed in one place and, when the report was made, not in another."""

    document_id: int
    number: str
    customer: str
    changed_in: str
    to: str
    changed_at: dt.datetime
    not_in: str
    still: str
    cause: str


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """All a report says."""

    organisation: str
    from_date: dt.date
    to_date: dt.date
    made_at: dt.datetime
    parts: tuple[Part, ...]
    changed: tuple[Changed, ...]
    changed_count: int
    older_count: int
    alerts_opened: int
    alerts_closed: int

    @property
    def sums(self) -> dict[str, int]:
        """The figures at the head."""
        written = [one for part in self.parts for one in part.written]
        return {
            "changed": self.changed_count, "older": self.older_count, "readings": sum(p.readings for p in self.parts),
            "failed": sum(p.failed for p in self.parts), "still_aside": sum(p.still_aside for p in self.parts),
            "differing": sum(p.differing for p in self.parts), "written": sum(w.done for w in written),
            "stuck": sum(w.failed + w.unknown for w in written), "alerts_opened": self.alerts_opened, "alerts_closed": self.alerts_closed,
        }  # fmt: skip


def make(
    *, from_date: dt.date, to_date: dt.date, monthly: bool, compared: Mapping[int, Compared], today: dt.date, actor: Actor, now: dt.datetime,
    zone: ZoneInfo,
) -> HealthReport | Refused:  # fmt: skip
    """Gather and keep it. `compared` is what each system was compared at just now, by connection."""
    if from_date > to_date:
        return Refused("the period ends before it begins")
    if to_date > today:
        return Refused("the period ends in the future; a report is about days that have been")
    if (to_date - from_date).days >= LONGEST_DAYS:
        return Refused("a report is about a year at most; choose a shorter period")
    facts = _gather(from_date, to_date, compared, now, zone)
    row: HealthReport = HealthReport.objects.create(
        from_date=from_date, to_date=to_date, monthly=monthly, made_at=now, made_by=actor.name, facts=msgspec.to_builtins(facts)
    )
    audit.write(
        actor=actor, action="health.report", object_kind="health report", object_id=row.pk, now=now,
        detail={"from": from_date.isoformat(), "to": to_date.isoformat(), "monthly": monthly},
    )
    return row


def facts_of(report: HealthReport) -> Facts:
    """What a kept report says."""
    return msgspec.convert(report.facts, Facts)


_RUNS = """
SELECT r.connection_id, count(*), count(*) FILTER (WHERE r.state = 'failed'), sum(r.created), sum(r.updated), sum(r.tombstoned), sum(r.quarantined)
  FROM intake_run r WHERE r.organisation_id = %(org)s AND r.started_at >= %(begin)s AND r.started_at < %(end)s AND r.mode <> 'echo' GROUP BY 1"""
_ASIDE = "SELECT connection_id, count(*) FROM intake_quarantinedrow WHERE organisation_id = %(org)s AND state = 'open' GROUP BY 1"
_CORRECTED = """
SELECT s.connection_id, count(DISTINCT c.id)
  FROM ledger_correction c JOIN ledger_sourcerecord s ON s.organisation_id = c.organisation_id AND s.kind = c.kind AND s.target_id = c.target_id
   AND s.retracted_at IS NULL
 WHERE c.organisation_id = %(org)s AND c.recorded_at >= %(begin)s AND c.recorded_at < %(end)s GROUP BY 1"""
_ALERTS = """
SELECT connection_id, count(*) FILTER (WHERE first_seen_at >= %(begin)s), count(*) FILTER (WHERE closed_at < %(end)s),
       coalesce(sum(extract(epoch FROM least(coalesce(closed_at, %(now)s), %(end)s) - greatest(first_seen_at, %(begin)s))), 0)::bigint / 60
  FROM health_alert
 WHERE organisation_id = %(org)s AND first_seen_at < %(end)s AND (closed_at IS NULL OR closed_at >= %(begin)s) GROUP BY 1"""
_WRITTEN = """
SELECT connection_id, kind, count(*) FILTER (WHERE state = 'done'), count(*) FILTER (WHERE state = 'failed'),
       count(*) FILTER (WHERE state = 'unknown'), count(*) FILTER (WHERE state IN ('waiting', 'claimed'))
  FROM writeback_outgoing
 WHERE organisation_id = %(org)s AND connection_id IS NOT NULL
   AND ((settled_at >= %(begin)s AND settled_at < %(end)s) OR (state IN ('waiting', 'claimed') AND written_at < %(end)s))
 GROUP BY 1, 2 ORDER BY 1, 2"""

#: Each document as our books have it, and as each connected system that knows it last said. A system that has not said anything yet is left
#: out. `here_at` is when it last changed in our books (or where it was born), `there_at` when that system's word last changed.
_STATUSES = """
WITH word AS MATERIALIZED (
  SELECT d.id, d.number, d.kind, d.customer_id, d.connection_id AS birth, r.connection_id,
         CASE WHEN d.status IN ('void', 'deleted', 'draft') THEN d.status
              WHEN d.amount_minor - d.allocated_minor - d.written_off_minor <= 0 THEN 'paid'
              WHEN d.allocated_minor + d.written_off_minor > 0 THEN 'partially_paid' ELSE 'open' END AS here,
         CASE WHEN r.gone_at IS NOT NULL THEN 'deleted'
              WHEN r.connection_id = d.connection_id THEN
                CASE WHEN d.status IN ('void', 'deleted', 'draft') THEN d.status WHEN d.reported_open_minor IS NULL THEN NULL
                     WHEN d.reported_open_minor <= 0 THEN 'paid' WHEN d.reported_open_minor < d.amount_minor THEN 'partially_paid' ELSE 'open' END
              WHEN r.reported_status IN ('void', 'deleted', 'draft') THEN r.reported_status
              WHEN r.reported_open_minor IS NULL THEN NULL
              WHEN r.reported_open_minor <= 0 THEN 'paid'
              WHEN r.reported_open_minor < r.reported_minor THEN 'partially_paid' ELSE 'open' END AS there,
         d.recorded_at AS document_at, coalesce(r.gone_at, r.seen_at) AS there_at
    FROM ledger_document d
    JOIN ledger_sourcerecord r ON r.organisation_id = d.organisation_id AND r.kind = d.kind AND r.target_id = d.id AND r.retracted_at IS NULL
    JOIN intake_connection c ON c.organisation_id = d.organisation_id AND c.id = r.connection_id AND c.kind = 'system' AND c.paused_at IS NULL
   WHERE d.organisation_id = %(org)s),
differs AS (
  SELECT w.*, o.there AS at_birth,
         greatest(w.document_at, (SELECT max(greatest(a.recorded_at, a.retracted_at)) FROM ledger_allocation a
                                   WHERE a.organisation_id = %(org)s AND (a.document_id = w.id OR a.credit_note_id = w.id))) AS here_at
    FROM word w LEFT JOIN word o ON o.id = w.id AND o.connection_id = w.birth
   WHERE w.there IS NOT NULL AND w.here <> w.there)
SELECT f.id, f.number, f.kind, c.name, f.birth, f.connection_id, f.here, f.there, f.at_birth, f.here_at, f.there_at,
       greatest(f.here_at, f.there_at) >= %(begin)s AND greatest(f.here_at, f.there_at) < %(end)s
  FROM differs f JOIN ledger_customer c ON c.organisation_id = %(org)s AND c.id = f.customer_id
 WHERE greatest(f.here_at, f.there_at) < %(end)s ORDER BY greatest(f.here_at, f.there_at) DESC, f.id, f.connection_id"""

_CREDIT = {"paid": "used up", "partially_paid": "partly used"}
_SAYS = {"partially_paid": "part paid", "written_off": "written off"}
OUR_BOOKS = "our books"


def _gather(from_date: dt.date, to_date: dt.date, compared: Mapping[int, Compared], now: dt.datetime, zone: ZoneInfo) -> Facts:
    begin = dt.datetime.combine(from_date, dt.time(), zone)
    # A period that is not over yet ends with the moment of the report.
    end = min(dt.datetime.combine(to_date + dt.timedelta(days=1), dt.time(), zone), now + dt.timedelta(microseconds=1))
    given = {"begin": begin, "end": end}
    runs = {row[0]: row[1:] for row in looking.rows(_RUNS, **given)}
    aside: dict[int, int] = dict(looking.rows(_ASIDE))
    corrected: dict[int, int] = dict(looking.rows(_CORRECTED, **given))
    alerts = {row[0]: row[1:] for row in looking.rows(_ALERTS, now=now, **given)}
    written: dict[int, list[Written]] = defaultdict(list)
    for pk, act, done, failed, unknown, waiting in looking.rows(_WRITTEN, **given):
        written[pk].append(Written(act=act.replace("_", " "), done=done, failed=failed, unknown=unknown, waiting=waiting))
    parts = [
        _part(row, now, runs, aside, corrected, alerts, compared.get(row.pk), written[row.pk])
        for row in Connection.objects.exclude(kind="hand").order_by("name") if row.created_at < end
    ]  # fmt: skip
    changed, count, older = _changed(given, compared)
    return Facts(
        organisation=base.profile().name, from_date=from_date, to_date=to_date, made_at=now, parts=tuple(parts), changed=tuple(changed),
        changed_count=count, older_count=older, alerts_opened=sum(a[0] for a in alerts.values()), alerts_closed=sum(a[1] for a in alerts.values()),
    )  # fmt: skip


def _part(
    row: Connection, now: dt.datetime, runs: Mapping[int, tuple[int, ...]], aside: Mapping[int, int], corrected: Mapping[int, int],
    alerts: Mapping[int, tuple[int, ...]], compared: Compared | None, written: list[Written],
) -> Part:  # fmt: skip
    readings, failed, created, updated, gone, quarantined = (int(n) for n in runs.get(row.pk, (0,) * 6))
    opened, closed, minutes = (int(n) for n in alerts.get(row.pk, (0,) * 3))
    fresh = intake.freshness_of(row, now)
    differences = [
        Difference(currency=currency, cause=MEANING.get(cause, cause), minor=minor)  # type: ignore[call-overload]
        for currency, causes in sorted((compared.causes if compared else {}).items()) for cause, minor in sorted(causes.items())
    ]  # fmt: skip
    return Part(
        connection_id=row.pk, name=row.name, kind=row.get_kind_display(), stage=row.stage if row.kind == "system" else "",
        in_use=row.paused_at is None, last_success_at=row.last_success_at,
        stale=fresh.reason if fresh.stale and row.paused_at is None else "", readings=readings, failed=failed,
        created=created, updated=updated, gone=gone, quarantined=quarantined, still_aside=aside.get(row.pk, 0), corrections=corrected.get(row.pk, 0),
        alerts_opened=opened, alerts_closed=closed, alert_minutes=minutes, compared_at=compared.at if compared else None,
        documents=compared.documents if compared else 0, differing=compared.differing if compared else 0, differences=tuple(differences),
        written=tuple(written),
    )  # fmt: skip


def _changed(given: Mapping[str, dt.datetime], compared: Mapping[int, Compared]) -> tuple[list[Changed], int, int]:
    names: dict[int, str] = dict(Connection.objects.values_list("pk", "name"))
    listed: list[Changed] = []
    count = older = 0
    for pk, number, kind, customer, birth, there_id, here, there, at_birth, here_at, there_at, within in looking.rows(_STATUSES, **given):
        if not within:
            older += 1
            continue
        count += 1
        if len(listed) == SHOWN:
            continue
        # Where our books and the system it was born in agree, that system is where it happened.
        home = names[birth] if at_birth == here and birth != there_id else OUR_BOOKS
        pair = ((home, here, here_at), (names[there_id], there, there_at))
        # What we learn of a document from where it was born changes both at one moment, and happened there.
        happened_here = here_at > there_at if birth == there_id else here_at >= there_at
        (changed_in, to, at), (not_in, still, _) = pair if happened_here else pair[::-1]
        told = compared.get(there_id)
        listed.append(Changed(
            document_id=pk, number=number, customer=customer, changed_in=changed_in, to=_word(to, kind), changed_at=at, not_in=not_in,
            still=_word(still, kind), cause=told.of_document.get(pk, "") if told else "",
        ))  # fmt: skip
    return listed, count, older


def _word(status: str, kind: str) -> str:
    return (_CREDIT.get(status) if kind == "credit_note" else None) or _SAYS.get(status, status)
