"""The living sample company: opened, moved forward day by day, deleted with one click.

It uses the product as its users do: files through the upload's door, letters through a mail server, answers through a mailbox.
Only its clock is its own.
"""

from __future__ import annotations

import datetime as dt
from uuid import UUID

import msgspec

from tieout.flow import clock
from tieout.rehearsal import catcher
from tieout.rehearsal.demo import calendar, connected, place, selling, watching
from tieout.rehearsal.demo.connected import Gone
from tieout.rehearsal.demo.forget import delete
from tieout.rehearsal.demo.living import Lived, NoSample, live
from tieout.rehearsal.demo.once import answer_one
from tieout.rehearsal.demo.opening import LOGIN, PASSWORD, company, is_sample, known, post, there
from tieout.rehearsal.demo.place import alone, letters
from tieout.rehearsal.demo.selling import Unreachable
from tieout.rehearsal.demo.summary import of as summary
from tieout.stages.base import queries, walls

__all__ = [
    "LOGIN", "LONGEST", "PASSWORD", "Busy", "Gone", "Lived", "NoSample", "State", "Unreachable", "advance", "alone", "answer_one", "catch_up",
    "company", "connected", "delete", "known", "letters", "post", "selling", "state", "summary", "there", "watching",
]  # fmt: skip

#: Days that can be lived at once.
LONGEST = 31


class Busy(Exception):
    """Its days are being lived already; try again when that is done."""


class State(msgspec.Struct, frozen=True, kw_only=True):
    """Where the sample company stands: its day, how far it was moved, and what its catcher holds."""

    name: str
    now: dt.datetime
    today: dt.date
    first: dt.date
    moved_days: int
    letters: int
    longest: int = LONGEST


def state(organisation_id: UUID) -> State | None:
    """Where it stands; None for an organisation that is no sample."""
    if not is_sample(organisation_id):
        return None
    with walls.inside(organisation_id):
        kept, profile, now, today = place.kept(), queries.profile(), clock.now(), clock.today()
    caught = len(catcher.listed(place.letters(), organisation_id=organisation_id, limit=10_000))
    return State(
        name=profile.name, now=now, today=today, first=kept.first if kept else today, moved_days=profile.clock_offset_days, letters=caught
    )


def advance(organisation_id: UUID, days: int) -> Lived:
    """Move its clock on by so many days (1 to LONGEST), living each: files, money, letters, answers. Raises NoSample, Busy, ValueError.

    Call it outside a transaction: each step of a day is one of its own.
    """
    if not 1 <= days <= LONGEST:
        raise ValueError(f"between 1 and {LONGEST} days, please")
    if not is_sample(organisation_id):
        raise NoSample("only the sample company's time can be moved")
    with place.alone(wait=False) as mine:
        if not mine:
            raise Busy("its days are being lived already; try again in a moment")
        with walls.inside(organisation_id):
            until = clock.now() + dt.timedelta(days=days)
        lived = live(organisation_id, until=until, ahead=days)
    return msgspec.structs.replace(lived, days=days)


def catch_up(organisation_id: UUID) -> Lived:
    """Live what real time has passed since; nothing where somebody else is at it. After a long pause only the last LONGEST days."""
    with place.alone(wait=False) as mine:
        if not mine:
            return Lived()
        with walls.inside(organisation_id):
            kept, now = place.kept(), clock.now()
            if kept is None:
                raise NoSample("only the sample company's time can be moved")
            quiet = next(calendar.between(kept.until, now), None) is None
            earliest = now - dt.timedelta(days=LONGEST)
            if kept.until < earliest:
                place.keep(msgspec.structs.replace(kept, until=earliest))
        if quiet:
            selling.just_now(organisation_id, kept=kept, now=now)
            return Lived()
        return live(organisation_id, until=now)
