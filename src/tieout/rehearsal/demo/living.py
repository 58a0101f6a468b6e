"""Live the days: what the calendar of the company says, moment by moment, each at its own time."""

from __future__ import annotations

import contextlib
import datetime as dt
import socket
from collections.abc import Callable, Iterator
from functools import lru_cache
from uuid import UUID

import msgspec

from tieout.flow import clock, nightly, on_change, on_mail, send
from tieout.rehearsal import catcher
from tieout.rehearsal.company import trade
from tieout.rehearsal.demo import calendar, connected, debtors, desk, files, place, selling
from tieout.stages.base import queries, walls
from tieout.stages.outreach import sending


class NoSample(Exception):
    """Only the sample company's time can be moved; this organisation is real."""


class Lived(msgspec.Struct, frozen=True, kw_only=True):
    """What the days brought."""

    days: int = 0
    files: int = 0
    rows: int = 0
    sent: int = 0
    held: int = 0
    answers: int = 0
    shop: int = 0

    def plus(self, **more: int) -> Lived:
        """With one more moment of them."""
        return msgspec.structs.replace(self, **{name: getattr(self, name) + value for name, value in more.items()})


class _Moment(msgspec.Struct, frozen=True):
    organisation_id: UUID
    kept: place.Kept
    world: trade.World
    now: dt.datetime


def live(organisation_id: UUID, *, until: dt.datetime, ahead: int = 0) -> Lived:
    """Everything from where the company is up to a moment, which its clock shows afterwards `ahead` days further than before.

    Call it under `place.alone()`; what was lived is not lived again.
    """
    with walls.inside(organisation_id):
        kept = place.kept()
    if kept is None:
        raise NoSample("only the sample company's time can be moved")
    whole = _world(kept.seed, kept.first, until.astimezone(calendar.ZONE).date())
    lived = Lived(days=max(0, (until.astimezone(calendar.ZONE).date() - kept.until.astimezone(calendar.ZONE).date()).days))
    with _mail_server(organisation_id), connected.there(organisation_id), clock.moving(organisation_id):
        for now, what in calendar.between(kept.until, until):
            world = trade.upto(whole, now.astimezone(calendar.ZONE).date())
            with clock.standing_at(now):
                lived = lived.plus(**_DOES[what](_Moment(organisation_id, kept, world, now)))
            kept = _note(organisation_id, now)
        # Whatever the day: that no answer waits is known as of now.
        with clock.standing_at(until):
            on_mail.fetch(organisation_id)
        _note(organisation_id, max(until, kept.until), ahead)
        if ahead:
            selling.stand_ahead(organisation_id)
    return lived


def _note(organisation_id: UUID, until: dt.datetime, ahead: int = 0) -> place.Kept:
    with walls.inside(organisation_id):
        if ahead:
            ours = queries.profile().lock()
            ours.clock_offset_days += ahead
            ours.save(update_fields=["clock_offset_days"])
        kept = place.kept()
        assert kept is not None
        kept = msgspec.structs.replace(kept, until=until)
        place.keep(kept)
    return kept


@lru_cache(maxsize=2)
def _world(seed: int, first: dt.date, until: dt.date) -> trade.World:
    return trade.world(seed=seed, first=first, until=until)


def _files(at: _Moment) -> dict[str, int]:
    taken = files.of_the_day(at.organisation_id, at.world)
    return {"files": len(taken), "rows": sum(t.created + t.updated for t in taken)}


def _judge(at: _Moment) -> dict[str, int]:
    nightly.run(at.organisation_id)
    return {}


def _mail(at: _Moment) -> dict[str, int]:
    on_mail.fetch(at.organisation_id)
    return {}


def _desk(at: _Moment) -> dict[str, int]:
    if at.world.until < at.kept.first:
        with walls.inside(at.organisation_id):
            desk.work(at.world, now=at.now)
        on_change.follow(at.organisation_id)
    return {}


def _send(at: _Moment) -> dict[str, int]:
    sent = send.run(at.organisation_id)
    return {"sent": sent.sent, "held": sent.held}


def _answers(at: _Moment) -> dict[str, int]:
    made, read = debtors.answer(at.organisation_id, at.world.clients, seed=at.kept.seed, after=at.kept.answered, now=at.now)
    with walls.inside(at.organisation_id):
        place.keep(msgspec.structs.replace(at.kept, answered=read))
    on_mail.fetch(at.organisation_id)
    return {"answers": made}


def _shop(at: _Moment) -> dict[str, int]:
    kept = at.kept
    after = kept.shopped or kept.until
    done = selling.lived(at.organisation_id, seed=kept.seed, first=kept.first, after=after, until=at.now)
    # The books and the CRM change only by us: they are read once a week, so that nobody takes them for silent.
    selling.follow(at.organisation_id, whole=at.now.weekday() == 0)
    with walls.inside(at.organisation_id):
        place.keep(msgspec.structs.replace(kept, shopped=at.now))
    return {"shop": done}


_DOES: dict[str, Callable[[_Moment], dict[str, int]]] = {
    "files": _files, "judge": _judge, "mail": _mail, "desk": _desk, "send": _send, "answers": _answers,
    "shop": _shop,
}  # fmt: skip


@contextlib.contextmanager
def _mail_server(organisation_id: UUID) -> Iterator[None]:
    """The catcher that is running, or one for the length of the block on the port the letters go to."""
    with walls.inside(organisation_id):
        port = int((sending.stored() or {}).get("port", 0))
    if not port or _listens(port):
        yield
        return
    server = catcher.start(place.letters(), port=port)
    try:
        yield
    finally:
        server.stop()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
