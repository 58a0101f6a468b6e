"""A small office for stories told day by day: a real mail server, a mailbox, a clock one can set, and its days."""

from __future__ import annotations

import datetime as dt
import uuid
from pathlib import Path
from typing import Any

from tests.stages import builders
from tieout.core.evidence import Actor
from tieout.flow import clock, nightly, on_mail, send
from tieout.rehearsal import catcher
from tieout.stages.base import walls
from tieout.stages.base.models import Profile
from tieout.stages.collect import policy
from tieout.stages.collect.models import Policy, Release
from tieout.stages.intake.models import Connection
from tieout.stages.ledger.models import Customer
from tieout.stages.outreach import mailbox, sending

ADA = Actor("person", "Ada", 1)


def moment(text: str) -> dt.datetime:
    """`2026-05-18 09:30` in Berlin."""
    from zoneinfo import ZoneInfo

    return dt.datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Berlin"))


#: One ladder for everybody, so that a story does not turn on what a customer's record has become meanwhile.
POLICY = """
version: 1
as_of: 2026-01-01
name: Story
group: customer
minimum: {"*": 25}
max_age: 1095
segments:
- name: everybody
  steps:
  - {step: friendly, days: 7, channel: email, tone: friendly}
  - {step: second, days: 14, channel: email, tone: neutral}
  - {step: firm, days: 30, channel: email, tone: firm, approval: required}
"""


class Office:
    """Marrow Lane Studio at work. `tick` is one round of everything the scheduler does."""

    def __init__(self, organisation: uuid.UUID, caught: Path, server: dict[str, Any], box: dict[str, Any]) -> None:
        self.id = organisation
        self.caught = caught
        self.now = moment("2026-04-01 09:00")
        clock.inject(lambda: self.now)
        with walls.inside(organisation):
            Profile.objects.update(mode="live")
            assert sending.configure(settings=server, actor=ADA, now=self.now) is None
            assert mailbox.configure(settings=box, actor=ADA, now=self.now) is None
            assert isinstance(policy.save(text=POLICY, actor=ADA, now=self.now), Policy)

    def customer(self, name: str, email: str, **fields: Any) -> Customer:
        """A released customer; call inside the walls."""
        row = builders.customer(name, email=email, **fields)
        Release.objects.create(customer=row, released_at=self.now, soft=False)
        return row

    def tick(self, text: str) -> list[catcher.Caught]:
        """It is then: the sources have delivered, the mailbox is read, the day is judged, what may leave leaves. Returns what did."""
        self.now = moment(text)
        before = {c.file for c in self.letters()}
        with walls.inside(self.id):
            Connection.objects.filter(kind="file").update(last_success_at=self.now)
        on_mail.fetch(self.id)
        nightly.run(self.id)
        send.run(self.id)
        send.reconcile(self.id)
        return [c for c in self.letters() if c.file not in before]

    def letters(self) -> list[catcher.Caught]:
        return catcher.listed(self.caught, organisation_id=self.id)
