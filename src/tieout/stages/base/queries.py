"""Rows in, frozen values out: memberships, profiles, switches, the list of organisations."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

import msgspec

from tieout.stages.base import walls
from tieout.stages.base.models import GlobalSwitch, Membership, Organisation, Profile


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
