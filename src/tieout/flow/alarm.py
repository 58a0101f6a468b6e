"""Look at everything, and tell whom it concerns: claim, call, settle, as with every act on the outside.

One message when an alert opens, one when it is over, a reminder a day while it is open. A channel that knows a message again by its key is
told again after a crash, with the same key; where nobody can know (e-mail, Slack) what may have been told is not told twice.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec
import structlog
from django.conf import settings
from django.urls import reverse

from tieout.adapters.ports import registry
from tieout.adapters.ports.channel import Letter, OutcomeUnknown, Session
from tieout.adapters.ports.errors import BadRecord, NeedsPerson, PortError, TryLater, Unsupported
from tieout.core import days
from tieout.core.evidence import Actor
from tieout.flow import clock
from tieout.stages.base import crash, walls
from tieout.stages.base import queries as base
from tieout.stages.health import address, lookers, notice, watch
from tieout.stages.health.models import Alert, AlertChannel, HealthReport, Notice
from tieout.stages.health.sight import Given
from tieout.stages.insight import tie_out
from tieout.stages.intake.models import Connection
from tieout.stages.ledger.models import TieOutRun
from tieout.stages.outreach import sending

log = structlog.get_logger()

MACHINE = Actor("machine", "tieout")
#: Each system is compared with our books this often, and the outcome kept: what nobody looks at does not tie out by itself.
COMPARE = dt.timedelta(hours=20)
_HEADS = {"opened": "", "worse": "Now urgent: ", "reminder": "Still open: ", "closed": "Over: "}


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What one run told."""

    done: int = 0
    later: int = 0
    failed: int = 0
    unknown: int = 0

    def plus(self, state: str) -> Told:
        """With one more."""
        name = {"waiting": "later"}.get(state, state)
        return msgspec.structs.replace(self, **{name: getattr(self, name) + 1})


def look(organisation_id: UUID) -> watch.Watched:
    """Compare what has not been compared for a day, look at everything, and ask for what is to be told."""
    with walls.inside(organisation_id):
        due = _to_compare()
    for connection_id in due:
        with walls.inside(organisation_id):
            tie_out.run(connection=Connection.objects.get(pk=connection_id), today=clock.today(), now=clock.now())
    with walls.inside(organisation_id):
        watched = watch.run(given=given(), actor=MACHINE)
        notice.plan(now=clock.now(), zone=days.zone(base.profile().time_zone))
    for name, why in watched.failed.items():
        log.error("looker failed", organisation=str(organisation_id), looker=name, reason=why)
    return watched


def given() -> Given:
    """The moments a look needs, of the current organisation."""
    return Given(now=clock.now(), real_now=clock.real_now(), today=clock.today())


def _to_compare() -> list[int]:
    recent = TieOutRun.objects.filter(at__gt=clock.now() - COMPARE).values("connection_id")
    rows = Connection.objects.filter(kind="system", paused_at__isnull=True, last_success_at__isnull=False).exclude(pk__in=recent)
    return list(rows.order_by("id").values_list("pk", flat=True))


def tell(organisation_id: UUID) -> Told:
    """Tell what is due, channel by channel; one that fails does not hold up another."""
    told = Told()
    with walls.inside(organisation_id):
        if base.sending_mode()[0] in ("stopped", "frozen"):
            # "Nothing leaves" means this as well; the pages go on showing every alert.
            return told
        for channel_id in notice.lost(real_now=clock.real_now()):
            repeatable = registry.channels()[AlertChannel.objects.get(pk=channel_id).vendor].repeatable
            notice.take_back(channel_id=channel_id, repeatable=repeatable, now=clock.now(), real_now=clock.real_now())
        due = notice.channels_due(now=clock.now())
    for channel_id in due:
        told = _by(organisation_id, channel_id, told)
    return told


def _by(organisation_id: UUID, channel_id: int, told: Told) -> Told:
    while True:
        with walls.inside(organisation_id):
            claimed = notice.claim(channel_id=channel_id, now=clock.now(), real_now=clock.real_now())
            letters = [letter(row) for row in claimed]
        crash.point("alarm.after_claim")
        if not claimed:
            return told
        for outcome in _offered(organisation_id, claimed, letters):
            told = told.plus(outcome)


def _offered(organisation_id: UUID, claimed: list[Notice], letters: list[Letter]) -> list[str]:
    """Hand them over one by one, each settled before the next."""
    left = list(zip(claimed, letters, strict=True))
    outcomes: list[str] = []

    def settled(state: str, said: str) -> None:
        row, _ = left.pop(0)
        with walls.inside(organisation_id):
            notice.settle(notice=row, state=state, said=said, now=clock.now())
        outcomes.append(state)

    try:
        with walls.inside(organisation_id):
            opened_with = address.settings_of(channel=claimed[0].channel)
        with registry.channels()[claimed[0].channel.vendor].open(opened_with) as session:
            while left:
                state, said = _one(session, left[0][1])
                crash.point("alarm.after_call")
                settled(state, said)
    except TryLater as error:
        while left:
            settled("waiting", str(error))
    except (PortError, OSError) as error:
        while left:
            settled("failed", str(error))
    return outcomes


def _one(session: Session, one: Letter) -> tuple[str, str]:
    try:
        return "done", session.send(one)
    except OutcomeUnknown as error:
        return "unknown", str(error)
    except TryLater as error:
        return "waiting", str(error)
    except (NeedsPerson, BadRecord, Unsupported) as error:
        return "failed", str(error)


def test(organisation_id: UUID, channel_id: int) -> str:
    """Send one channel a test, now; returns what went wrong, empty where it was taken."""
    with walls.inside(organisation_id):
        channel = AlertChannel.objects.get(pk=channel_id, removed_at__isnull=True)
        facts = {"type": "test", "at": clock.now().isoformat(), "organisation": base.profile().name, "says": "This is a test: alerts arrive here"}
        sent = _letter(channel, f"test-{channel.pk}-{int(clock.real_now().timestamp())}", "A test from tieout", facts, clock.now())
        vendor = channel.vendor
    try:
        with walls.inside(organisation_id):
            opened_with = address.settings_of(channel=channel)
        with registry.channels()[vendor].open(opened_with) as session:
            said, state = session.send(sent), ""
    except (PortError, OSError) as error:
        said, state = "", str(error)
    with walls.inside(organisation_id):
        AlertChannel.objects.filter(pk=channel_id).update(last_error=state, **({"last_told_at": clock.now()} if said else {}))
    return state


def letter(row: Notice) -> Letter:
    """A notice in words, for people and for programs. In the transaction that claims it."""
    if row.report is not None:
        return _of_report(row, row.report)
    assert row.alert is not None
    return _of_alert(row, row.alert)


def _of_alert(row: Notice, alert: Alert) -> Letter:
    occasion = row.occasion.partition(":")[0]
    over = occasion == "closed"
    facts: dict[str, Any] = {
        "type": f"alert.{occasion}", "at": row.planned_at.isoformat(), "organisation": base.profile().name,
        "alert": {
            "id": alert.pk, "kind": alert.kind, "title": lookers.kinds().get(alert.kind, alert.kind), "severity": alert.severity,
            "subject": alert.subject, "says": alert.says, "count": alert.count, "opened_at": alert.first_seen_at.isoformat(),
            "closed_at": alert.closed_at.isoformat() if alert.closed_at else None,
        },
        "says": f"Its cause has ended. It was: {alert.says}" if over else alert.says, "what_to_do": "" if over else alert.mend, "link": link(alert),
    }  # fmt: skip
    return _letter(row.channel, str(row.uuid), f"{_HEADS[occasion]}{alert.subject}", facts, row.planned_at)


def _of_report(row: Notice, report: HealthReport) -> Letter:
    facts = {
        "type": "report.made", "at": row.planned_at.isoformat(), "organisation": base.profile().name,
        "report": {"id": report.pk, "from": report.from_date.isoformat(), "to": report.to_date.isoformat()},
        "says": f"How the connected systems agreed from {report.from_date.isoformat()} to {report.to_date.isoformat()}",
        "what_to_do": "", "link": _url(reverse("health_report", args=[report.pk])),
    }  # fmt: skip
    return _letter(row.channel, str(row.uuid), f"Health report, {report.from_date:%B %Y}", facts, row.planned_at)


def _letter(channel: AlertChannel, key: str, subject: str, facts: Mapping[str, Any], at: dt.datetime) -> Letter:
    ours = sending.sender()
    lines = [f"{facts['says']}.".replace("..", ".")]
    if facts.get("what_to_do"):
        lines.append(f"What to do: {facts['what_to_do']}.".replace("..", "."))
    if facts.get("link"):
        lines.append(str(facts["link"]))
    lines.append(f"-- \n{facts['organisation']}, told by tieout. What you are told is chosen here: {_url(reverse('alert_settings'))}")
    mailed = channel.vendor == "email"
    return Letter(
        message_id=f"<alert.{key}.{walls.current().hex}@{_domain(ours.address)}>" if mailed else key, date=at,
        to_address=channel.person.email if mailed else "",
        sender_name=ours.name, sender_address=ours.address, return_address=ours.address, subject=f"[tieout] {subject}" if mailed else subject,
        text="\n\n".join(lines), facts=facts,
    )  # fmt: skip


def link(alert: Alert) -> str:
    """Where an alert leads, as an address."""
    path = reverse(alert.page, args=[alert.page_key] if alert.page_key is not None else [])
    return _url(path + (f"?{alert.page_query}" if alert.page_query else ""))


def _url(path: str) -> str:
    return f"{settings.TIEOUT_URL.rstrip('/')}{path}"


def _domain(sender: str) -> str:
    return sender.rpartition("@")[2] or "tieout.invalid"
