"""Sources: access refused, too many records missing at once, readings that fail, news that is overdue, silence where there is traffic."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator

from tieout.core import days
from tieout.core.measures import silence
from tieout.stages.base import queries as base
from tieout.stages.health import looking
from tieout.stages.health.sight import Given, Sight
from tieout.stages.intake import queries as intake
from tieout.stages.intake.models import Connection
from tieout.stages.ledger.gone import TOO_MANY

KINDS = {
    "refused": "A system does not let us in",
    "brake": "Too many records missing at once",
    "failing": "Readings fail",
    "stale": "A source is stale",
    "silent": "Silence where there is traffic",
}
#: So many readings in a row must fail, for so long, before it is more than a hiccup that the next one mends.
_IN_A_ROW, _FOR = 3, dt.timedelta(minutes=10)

_FAILED = """
SELECT c.id, count(*), min(r.started_at)
  FROM intake_connection c JOIN intake_run r ON r.organisation_id = c.organisation_id AND r.connection_id = c.id AND r.state = 'failed'
   AND r.started_at > coalesce(c.last_success_at, '-infinity')
 WHERE c.organisation_id = %(org)s AND c.paused_at IS NULL AND c.last_error <> '' GROUP BY 1"""

#: The hours in which a source brought something: as fine as silence is judged, and no longer than eight weeks of hours.
_SPOKE = """
SELECT DISTINCT r.connection_id, date_trunc('hour', r.started_at)
  FROM intake_run r JOIN intake_connection c ON c.organisation_id = r.organisation_id AND c.id = r.connection_id AND c.paused_at IS NULL
 WHERE r.organisation_id = %(org)s AND r.started_at > %(since)s AND r.mode <> 'echo' AND r.created + r.updated + r.tombstoned > 0"""


def look(*, given: Given) -> Iterator[Sight]:
    """Every connection in use that has somebody or something behind it."""
    failed = {pk: (times, since) for pk, times, since in looking.rows(_FAILED)}
    spoke: dict[int, list[dt.datetime]] = defaultdict(list)
    for pk, hour in looking.rows(_SPOKE, since=given.now - dt.timedelta(weeks=2 * silence.MOST_WEEKS)):
        spoke[pk].append(hour)
    zone = days.zone(base.profile().time_zone)
    for row in Connection.objects.filter(paused_at__isnull=True).exclude(kind="hand").order_by("name"):
        fresh = intake.freshness_of(row, given.now)
        times, since = failed.get(row.pk, (0, None))
        if row.needs_person:
            yield _refused(row)
            continue
        failing = bool(times) and (row.kind != "system" or (times >= _IN_A_ROW and since <= given.now - _FOR))
        if failing:
            yield _sight(
                row, "failing", "soon", f"Readings of {row.name} fail",
                f"The last {f'{times} readings' if times > 1 else 'reading'} failed: {row.last_error}",
                "it is tried again by itself; where the reason is on your side, mend it and read again" if row.kind == "system"
                else "bring the file again, or another one", count=times,
            )  # fmt: skip
        if fresh.stale:
            yield _sight(
                row, "stale", "urgent", f"{row.name} is stale", f"{row.name} is stale: {fresh.reason}",
                "bring a newer file or mend the connection; until then nobody is chased over its items",
            )  # fmt: skip
        elif not failing and row.kind != "mailbox":
            heard = silence.judge(spoke[row.pk], now=given.now, zone=zone)
            if heard.silent and heard.since is not None:
                yield _sight(
                    row, "silent", "note", f"{row.name} is unusually quiet",
                    f"Nothing new has come since {heard.since:%Y-%m-%d %H:%M}; in {heard.usual_hours} of the hours since then something usually "
                    f"does, by the last {heard.weeks} weeks. Readings themselves do not fail",
                    "look whether anything changed in that system that should be here; if not, it was only a quiet day",
                )  # fmt: skip


def _refused(row: Connection) -> Sight:
    if TOO_MANY in row.needs_person:
        return _sight(
            row, "brake", "urgent", f"Many records of {row.name} are missing at once", row.needs_person,
            "look at that account: if its records are there, have everything read anew; nothing has been deleted here",
        )  # fmt: skip
    return _sight(row, "refused", "urgent", f"{row.name} does not let us in", row.needs_person, "connect it again with credentials that are good")


def _sight(row: Connection, kind: str, severity: str, subject: str, says: str, mend: str, *, count: int = 1) -> Sight:
    return Sight(
        kind=kind, key=f"{kind}:{row.pk}", severity=severity, what="source", subject=subject, says=says, mend=mend, page="connection",  # type: ignore[arg-type]
        page_key=row.pk, connection_id=row.pk, count=count,
    )  # fmt: skip
