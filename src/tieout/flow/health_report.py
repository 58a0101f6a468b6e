"""Make the health report of a period: compare every connected system with our books now, gather the rest, keep it, tell who wants to know."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from tieout.core import days
from tieout.core.evidence import Actor, Refused
from tieout.core.tieout import MEANING
from tieout.flow import clock
from tieout.stages.base import queries as base
from tieout.stages.base import walls
from tieout.stages.health import notice, report
from tieout.stages.health.models import HealthReport
from tieout.stages.insight import tie_out
from tieout.stages.intake.models import Connection

MACHINE = Actor("machine", "tieout")


def make(organisation_id: UUID, *, from_date: dt.date, to_date: dt.date, actor: Actor, monthly: bool = False) -> HealthReport | Refused:
    """Make it now."""
    compared: dict[int, report.Compared] = {}
    with walls.inside(organisation_id):
        systems = list(Connection.objects.filter(kind="system", paused_at__isnull=True, last_success_at__isnull=False).order_by("id"))
        for row in systems:
            compared[row.pk] = _compared(row)
        made = report.make(
            from_date=from_date, to_date=to_date, monthly=monthly, compared=compared, today=clock.today(), actor=actor, now=clock.now(),
            zone=days.zone(base.profile().time_zone),
        )  # fmt: skip
        if monthly and isinstance(made, HealthReport):
            notice.of_report(report=made, now=clock.now())
        return made


def monthly(organisation_id: UUID) -> bool:
    """The report of the month before, once, where any system was connected by then; whether it was made now."""
    with walls.inside(organisation_id):
        last = clock.today().replace(day=1) - dt.timedelta(days=1)
        first = last.replace(day=1)
        if HealthReport.objects.filter(from_date=first, monthly=True).exists():
            return False
        if not any(base.today_of(base.profile(), row.created_at) <= last for row in Connection.objects.filter(kind="system")):
            return False
        return isinstance(make(organisation_id, from_date=first, to_date=last, actor=MACHINE, monthly=True), HealthReport)


def _compared(row: Connection) -> report.Compared:
    told = tie_out.run(connection=row, today=clock.today(), now=clock.now())
    of_document: dict[int, str] = {}
    for part in (part for line in told.lines for part in line.parts):
        before = of_document.get(int(part.id))
        of_document[int(part.id)] = f"{before}; {MEANING[part.cause]}" if before else MEANING[part.cause]
    return report.Compared(
        at=clock.now(), documents=len(told.documents), differing=told.differing, causes=told.causes, of_document=of_document
    )
