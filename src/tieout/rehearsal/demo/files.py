"""The company's files come in through the door every file comes through."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from uuid import UUID

import msgspec

from tieout.adapters.ports.profile import Profile
from tieout.core.evidence import Actor
from tieout.flow import on_upload
from tieout.rehearsal.company import exports, profiles
from tieout.rehearsal.company.trade import World
from tieout.rehearsal.demo import place
from tieout.stages.base import walls
from tieout.stages.intake import connect
from tieout.stages.intake.models import Connection

BRINGS = Actor("machine", "file drop")

#: Name, profile, hours within which the next file is expected: working days, twice a week, weekly, once.
_SOURCES: tuple[tuple[str, Profile, int], ...] = (
    (place.ORDERS, profiles.ORDERS, 80),
    (place.WORKBOOK, profiles.WORKBOOK, 200),
    (place.FAIR, profiles.FAIR, 24 * 120),
    (place.EURO, profiles.EURO, 80),
    (place.STERLING, profiles.STERLING, 110),
    (place.DOLLAR, profiles.DOLLAR, 110),
)


def connections(*, actor: Actor, now: dt.datetime) -> None:
    """Open the connections the files belong to."""
    for name, profile, hours in _SOURCES:
        connect.file(name=name, profile=msgspec.to_builtins(profile), cadence_hours=hours, actor=actor, now=now)


def history(organisation_id: UUID, world: World) -> list[on_upload.Taken]:
    """Everything up to the world's day, documents before money."""
    ever = dt.date.min
    return [
        _take(organisation_id, place.ORDERS, exports.orders(world, since=ever)),
        _take(organisation_id, place.WORKBOOK, exports.workbook(world, since=ever)),
        _take(organisation_id, place.FAIR, exports.fair_list(world.first)),
        _take(organisation_id, place.EURO, exports.euro_account(world, since=ever)),
        _take(organisation_id, place.STERLING, exports.sterling_account(world, since=ever)),
        _take(organisation_id, place.DOLLAR, exports.dollar_account(world, since=ever)),
    ]


def of_the_day(organisation_id: UUID, world: World) -> list[on_upload.Taken]:
    """What is exported on the world's day. Each file reaches back over the one before it, as such exports do."""
    return [_take(organisation_id, name, file) for name, file in _exported(world)]


def _exported(world: World) -> Iterator[tuple[str, exports.File]]:
    def back(days: int) -> dt.date:
        return world.until - dt.timedelta(days=days)

    yield place.ORDERS, exports.orders(world, since=back(7))
    if world.until.weekday() == 0:
        yield place.WORKBOOK, exports.workbook(world, since=back(21))
    yield place.EURO, exports.euro_account(world, since=back(5))
    if world.until.weekday() in (1, 4):
        yield place.STERLING, exports.sterling_account(world, since=back(10))
        yield place.DOLLAR, exports.dollar_account(world, since=back(14))


def _take(organisation_id: UUID, name: str, file: exports.File) -> on_upload.Taken:
    with walls.inside(organisation_id):
        connection_id = int(Connection.objects.values_list("id", flat=True).get(name=name))
    return on_upload.take(organisation_id=organisation_id, connection_id=connection_id, name=file.name, chunks=[file.content], actor=BRINGS)
