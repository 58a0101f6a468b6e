"""Found an organisation: its key, its profile in shadow mode unless told otherwise, and its owner."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from tieout.core.evidence import Actor
from tieout.stages.base import audit, walls
from tieout.stages.base.models import Membership, Organisation, Person, Profile


def organisation(
    *,
    name: str,
    country: str,
    time_zone: str,
    base_currency: str,
    language: str,
    sender_name: str,
    sender_address: str,
    now: dt.datetime,
    is_demo: bool = False,
) -> UUID:
    """Create an organisation and return its id. It starts in shadow mode: everything is shown, nothing is sent."""
    row = Organisation.objects.create(created_at=now, is_demo=is_demo)
    with walls.inside(row.id):
        Profile.objects.create(
            name=name,
            country=country,
            time_zone=time_zone,
            base_currency=base_currency,
            language=language,
            sender_name=sender_name,
            sender_address=sender_address,
        )
        audit.write(actor=Actor("machine", "tieout"), action="organisation.found", object_kind="organisation", object_id=row.id, now=now)
    return row.id


def person(*, email: str, name: str, password: str | None) -> Person:
    """A person who can sign in; found by e-mail address if they already exist."""
    existing = Person.objects.filter(email__iexact=email).first()
    return existing or Person.objects.create_user(email, password, name=name)


def member(*, person: Person, role: str, actor: Actor, now: dt.datetime) -> Membership:
    """Give a person a role in the current organisation; a role they had ends now."""
    Membership.objects.filter(person=person, ended_at__isnull=True).update(ended_at=now)
    row = Membership.objects.create(person=person, role=role, since=now)
    audit.write(actor=actor, action="team.role", object_kind="person", object_id=person.pk, now=now, detail={"role": role})
    return row
