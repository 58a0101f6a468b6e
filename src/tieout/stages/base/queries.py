"""Rows in, frozen values out: memberships, profiles, switches, the list of organisations."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

import msgspec
from django.db import connection
from django.db.models import Q

from tieout.stages.base import walls
from tieout.stages.base.models import AuditEntry, GlobalSwitch, Membership, Organisation, Profile


class Member(msgspec.Struct, frozen=True):
    """Somebody's place in an organisation."""

    organisation_id: UUID
    person_id: int
    role: str


def membership_of(*, person_id: int, organisation_id: UUID | None = None) -> Member | None:
    """The person's membership: in the wanted organisation, else the oldest they have; None where they have none."""
    with walls.as_person(person_id):
        rows = Membership._base_manager.filter(person_id=person_id, ended_at__isnull=True).order_by("since", "id")
        members = [Member(row.organisation_id, person_id, row.role) for row in rows]
    for member in members:
        if organisation_id is None or member.organisation_id == organisation_id:
            return member
    return members[0] if members else None


def memberships_of(*, person_id: int) -> list[Member]:
    """Every organisation the person may enter."""
    with walls.as_person(person_id):
        rows = Membership._base_manager.filter(person_id=person_id, ended_at__isnull=True).order_by("since", "id")
        return [Member(row.organisation_id, person_id, row.role) for row in rows]


def profile() -> Profile:
    """Name, seat and ways of the current organisation."""
    found: Profile = Profile.objects.get()
    return found


def days_ahead() -> int:
    """How far the current organisation's clock is moved: 0 but in a demo. Asked at every step, so nothing else is read with it."""
    return int(Profile.objects.values_list("clock_offset_days", flat=True).get())


def organisations() -> list[UUID]:
    """Every organisation here: the operator's list, for jobs that visit each one inside its own walls."""
    return list(Organisation.objects.order_by("created_at").values_list("id", flat=True))


def global_switch(name: str) -> GlobalSwitch | None:
    """The switch if it is on."""
    return GlobalSwitch.objects.filter(name=name, on=True).first()


def sending_mode() -> tuple[str, str]:
    """Whether messages may leave: `live`, or `shadow`, `stopped`, `frozen` with the reason in words."""
    for name, mode in (("stop", "stopped"), ("frozen", "frozen")):
        switch = global_switch(name)
        if switch:
            return mode, switch.reason or f"the global {name} switch is on"
    ours = profile()
    if ours.stopped_at:
        return "stopped", ours.stopped_reason or "sending was stopped"
    if ours.frozen_at:
        return "frozen", ours.frozen_reason or "restored from a backup and not yet checked"
    if ours.mode == Profile.Mode.SHADOW:
        return "shadow", "shadow mode: everything is shown, nothing is sent until it is released in Settings"
    return "live", ""


def today_of(ours: Profile, now: dt.datetime) -> dt.date:
    """The organisation's business day at `now`."""
    from tieout.core import days

    return now.astimezone(days.zone(ours.time_zone)).date()


class Colleague(msgspec.Struct, frozen=True):
    """A member as the team page shows them; `invited` until they have chosen a password."""

    person_id: int
    email: str
    name: str
    role: str
    since: dt.datetime
    invited: bool


def team() -> list[Colleague]:
    """Who belongs to the current organisation now, owners first."""
    order = {role: place for place, role in enumerate(Membership.Role.values)}
    rows = Membership.objects.select_related("person").filter(ended_at__isnull=True)
    people = [
        Colleague(r.person_id, r.person.email, r.person.name, r.role, r.since, not r.person.has_usable_password())
        for r in rows
    ]
    return sorted(people, key=lambda c: (order.get(c.role, 9), c.email))


class Act(msgspec.Struct, frozen=True):
    """One line of the audit trail as shown."""

    seq: int
    at: dt.datetime
    actor_kind: str
    actor_name: str
    action: str
    object_kind: str
    object_id: str
    reason: str
    detail: dict[str, Any]
    hash: str


def acts(
    *, actor_kind: str = "", action: str = "", object_kind: str = "", object_id: str = "", text: str = "", before_seq: int | None = None,
    limit: int = 50,
) -> list[Act]:
    """The newest acts that fit; `before_seq` continues a page. `action` is a beginning: `cash` finds `cash.apply`."""
    rows = AuditEntry.objects.order_by("-seq")
    if actor_kind:
        rows = rows.filter(actor_kind=actor_kind)
    if action:
        rows = rows.filter(action__startswith=action)
    if object_kind:
        rows = rows.filter(object_kind=object_kind)
    if object_id:
        rows = rows.filter(object_id=object_id)
    if text:
        rows = rows.filter(Q(actor_name__icontains=text) | Q(reason__icontains=text) | Q(object_id=text))
    if before_seq is not None:
        rows = rows.filter(seq__lt=before_seq)
    return [
        Act(r.seq, r.at, r.actor_kind, r.actor_name, r.action, r.object_kind, r.object_id, r.reason, r.detail, bytes(r.hash).hex())
        for r in rows[:limit]
    ]


def kinds_of_acts() -> list[str]:
    """The rooms and things acts are about, for the filter: `cash`, `team` ..."""
    with connection.cursor() as sql:
        # A loose index scan would need an index on action; the trail of one organisation is small enough to group.
        sql.execute("SELECT DISTINCT split_part(action, '.', 1) FROM base_auditentry WHERE organisation_id = %s ORDER BY 1", [walls.current()])
        return [str(row[0]) for row in sql.fetchall()]


def is_demo() -> bool:
    """Whether the current organisation is a living sample: its time may be moved, and nothing of it may leave the machine."""
    return Organisation.objects.filter(pk=walls.current(), is_demo=True).exists()
