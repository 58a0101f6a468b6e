"""Who works here: invite, change a role, end a membership. Roles are granted from above and never lost to the last owner."""

from __future__ import annotations

import datetime as dt

import msgspec
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from tieout.core.evidence import Actor
from tieout.stages.base import audit, found, queries, walls
from tieout.stages.base.models import Membership, Person


class NotAllowed(Exception):
    """The change to the team cannot be made; the message says why and what to do instead."""


class Invited(msgspec.Struct, frozen=True):
    """The person, and whether they still have to choose a password: only then may an invitation link be shown."""

    person_id: int
    email: str
    needs_password: bool


def invite(*, email: str, name: str, role: str, granted_by: str, actor: Actor, now: dt.datetime) -> Invited:
    """Give somebody a place in the current organisation. Raises NotAllowed.

    `granted_by` is the role of who invites: only an owner makes owners.
    """
    address = email.strip()
    try:
        validate_email(address)
    except ValidationError:
        raise NotAllowed(f"{address or 'an empty field'} is not an e-mail address") from None
    _may_grant(role, granted_by)
    existing = Person.objects.filter(email__iexact=address).first()
    if existing is not None:
        _known_here(existing)
    person = existing or found.person(email=address, name=name.strip(), password=None)
    found.member(person=person, role=role, actor=actor, now=now)
    return Invited(person.pk, person.email, may_choose_password(person))


def may_choose_password(person: Person) -> bool:
    """Whether this organisation may hand out a link that sets the person's password.

    Never for somebody who has one, and never for somebody who belongs to another organisation too: the link would
    let whoever invites them in through that organisation's door.
    """
    if person.has_usable_password():
        return False
    return all(m.organisation_id == walls.current() for m in queries.memberships_of(person_id=person.pk))


def change_role(*, person_id: int, role: str, granted_by: str, actor: Actor, now: dt.datetime) -> None:
    """Give a member another role. Raises NotAllowed."""
    member = _current(person_id)
    _may_grant(role, granted_by)
    _may_touch(member, granted_by)
    if member.role == role:
        return
    if role != Membership.Role.OWNER:
        _another_owner_than(member)
    found.member(person=member.person, role=role, actor=actor, now=now)


def remove(*, person_id: int, granted_by: str, actor: Actor, now: dt.datetime) -> None:
    """End a membership; what the person did stays theirs in the audit trail. Raises NotAllowed."""
    member = _current(person_id)
    _may_touch(member, granted_by)
    _another_owner_than(member)
    member.ended_at = now
    member.save(update_fields=["ended_at"])
    audit.write(actor=actor, action="team.remove", object_kind="person", object_id=person_id, now=now, detail={"role": member.role})


def _known_here(person: Person) -> None:
    # An address proves nothing: whoever made the account first would enter every organisation that later invites it.
    # So an account made elsewhere is joined to this organisation by the operator, not from a page.
    rows = Membership.objects.filter(person=person)
    if rows.filter(ended_at__isnull=True).exists():
        raise NotAllowed(f"{person.email} is already in the team: change the role in the list instead")
    if not rows.exists():
        raise NotAllowed("this address cannot be invited from here: whoever runs this installation can add it")


def _current(person_id: int) -> Membership:
    member = Membership.objects.select_related("person").filter(person_id=person_id, ended_at__isnull=True).first()
    if member is None:
        raise NotAllowed("this person is not in the team (any more)")
    return member


def _may_grant(role: str, granted_by: str) -> None:
    if role not in Membership.Role.values:
        raise NotAllowed(f"there is no role {role!r}: choose one of {', '.join(Membership.Role.values)}")
    if role == Membership.Role.OWNER and granted_by != Membership.Role.OWNER:
        raise NotAllowed("only an owner can make somebody an owner")


def _may_touch(member: Membership, granted_by: str) -> None:
    if member.role == Membership.Role.OWNER and granted_by != Membership.Role.OWNER:
        raise NotAllowed("only an owner can change or remove an owner")


def _another_owner_than(member: Membership) -> None:
    if member.role != Membership.Role.OWNER:
        return
    # Locked, so that two owners removing each other at once do not leave none.
    owners = list(Membership.objects.select_for_update().filter(role=Membership.Role.OWNER, ended_at__isnull=True).order_by("id"))
    if all(o.pk == member.pk for o in owners):
        raise NotAllowed("this is the last owner: make somebody else an owner first")
