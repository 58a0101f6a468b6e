"""The same road without a server: the company, some days more, one answer dealt with."""

from __future__ import annotations

from uuid import UUID

from tieout.core.evidence import Actor
from tieout.flow import clock, on_mail
from tieout.rehearsal import catcher
from tieout.rehearsal.demo import desk, place
from tieout.stages.base import walls
from tieout.stages.base.models import Membership
from tieout.stages.dialogue import reply
from tieout.stages.dialogue.models import Reply


def answer_one(organisation_id: UUID) -> bool:
    """Close the oldest open answer of a customer as the owner would; where none waits, the newest letter is answered first."""
    with walls.inside(organisation_id):
        row, now = _waiting(), clock.now()
    if row is None:
        letters = catcher.listed(place.letters(), organisation_id=organisation_id, limit=1)
        if not letters:
            return False
        text = "Could you send me a copy of the invoice, please?"
        catcher.answer(caught=letters[0], mailbox_place=place.mailbox(organisation_id), text=text, now=now)
        on_mail.fetch(organisation_id)
    with walls.inside(organisation_id):
        row = _waiting()
        if row is None:
            return False
        member = Membership.objects.select_related("person").get(role="owner", ended_at__isnull=True)
        reply.close(reply=row, actor=Actor("person", member.person.name or desk.OWNER, member.person_id), now=clock.now(), reason="answered")
    return True


def _waiting() -> Reply | None:
    found: Reply | None = Reply.objects.filter(state="open", customer__isnull=False).order_by("received_at", "id").first()
    return found
