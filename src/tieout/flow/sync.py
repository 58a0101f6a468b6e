"""Read a connected system: its history once, its changes from then on, whole again where that is needed.

One reader a connection at a time (a lease), and older answers are passed over (`later`). Everything fetched up to a
checkpoint goes into the ledger together with the place to go on from; whatever dies in between is read again, which changes
nothing. Events are hints: the object is read as it stands now.
"""

from __future__ import annotations

import datetime as dt
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import msgspec

from tieout.adapters.ports.connector import Page, Raw, Ref, Stream
from tieout.adapters.ports.errors import BadRecord, NeedsPerson, TryLater, Unsupported
from tieout.flow import ahead, clock, identity, line, taking
from tieout.stages.base import crash, walls
from tieout.stages.intake import hint, run, stream, system
from tieout.stages.intake.models import Connection
from tieout.stages.ledger import gone, seen, take_stock

#: A checkpoint is made when this many objects are at hand, or after this long, so that a crash costs little and a merge pays.
_OBJECTS, _SECONDS = 2_000, 5.0
#: A full reading that finds more missing than this share of a stream (and than a few) stops for a person.
_BRAKE_SHARE, _BRAKE_LEAST = 0.05, 20
#: Every stream is read whole this often, for deletions that no event told of.
SWEEP_DAYS = 7


class Synced(msgspec.Struct, frozen=True, kw_only=True):
    """What one reading brought; `stopped` says why it ended early, empty where it came to its end."""

    seen: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    gone: int = 0
    quarantined: int = 0
    calls: int = 0
    stopped: str = ""

    def plus(self, taken: taking.Taken) -> Synced:
        """With one more checkpoint."""
        return msgspec.structs.replace(
            self, seen=self.seen + taken.seen, created=self.created + taken.created, updated=self.updated + taken.updated,
            unchanged=self.unchanged + taken.unchanged, gone=self.gone + taken.gone, quarantined=self.quarantined + taken.quarantined,
        )  # fmt: skip


Progress = Callable[[str, int], None]


def once(
    organisation_id: UUID,
    connection_id: int,
    *,
    refs: Iterable[Ref] = (),
    resync: Iterable[str] = (),
    progress: Progress | None = None,
    poll: bool = True,
) -> Synced:
    """Read what there is to read now. `refs` are looked at as well; the streams named in `resync` are read whole as a new generation.

    Without `poll` only what came to the door (and `refs`) is looked at, which is quick; the system is asked for its changes anyway
    every minute.
    """
    with walls.inside(organisation_id):
        lease = system.lease(connection_id=connection_id, at=_machine_now())
        if lease is None:
            return Synced(stopped="somebody is reading this connection just now, or it is paused")
        stream.ask_anew(connection_id=connection_id, names=tuple(resync), now=clock.now())
        started = run.begin(connection=Connection.objects.get(pk=connection_id), envelope=None, now=clock.now())
        started.mode = "changes"
        started.save(update_fields=["mode"])
    reader = _Reader(organisation_id, connection_id, lease, started.pk, progress or (lambda _name, _count: None))
    try:
        with line.open(organisation_id, connection_id) as open_line:
            reader.line = open_line
            try:
                reader.everything(tuple(refs), poll=poll)
            finally:
                reader.synced = msgspec.structs.replace(reader.synced, calls=open_line.http.calls)
    except (TryLater, NeedsPerson, Unsupported, BadRecord, system.Overtaken) as error:
        reader.synced = msgspec.structs.replace(reader.synced, stopped=str(error))
        with walls.inside(organisation_id):
            stream.stopped(connection_id=connection_id, error=error, now=clock.now())
    finally:
        with walls.inside(organisation_id):
            taking.ended(run_id=started.pk, connection_id=connection_id, synced=msgspec.to_builtins(reader.synced), now=clock.now())
            system.release(connection_id=connection_id, lease=lease)
    if reader.synced.created or reader.synced.updated:
        identity.follow(organisation_id)
    return reader.synced


class _Reader:
    """One reading under one lease."""

    line: line.Line

    def __init__(self, organisation_id: UUID, connection_id: int, lease: uuid.UUID, run_id: int, progress: Progress) -> None:
        self.organisation_id, self.connection_id, self.lease, self.run_id = organisation_id, connection_id, lease, run_id
        self.progress = progress
        self.synced = Synced()
        self._stock = 0
        #: Objects of which nobody can say whether the answer at hand is older than what was taken in meanwhile.
        self.again: dict[Ref, None] = {}

    @contextmanager
    def _inside(self) -> Iterator[None]:
        """A transaction in which the connection is still ours to read."""
        with walls.inside(self.organisation_id):
            system.hold(connection_id=self.connection_id, lease=self.lease, at=_machine_now())
            yield

    def _now(self) -> dt.datetime:
        with walls.inside(self.organisation_id):
            return clock.now()

    def everything(self, refs: tuple[Ref, ...], *, poll: bool) -> None:
        connector, http, settings = self.line.connector, self.line.http, self.line.settings
        with self._inside():
            states = stream.states(connection_id=self.connection_id)
        if not states[system.CHANGES].cursor:
            cursor = connector.start(http, settings)
            with self._inside():
                stream.move(connection_id=self.connection_id, name=system.CHANGES, cursor=cursor, state="live", now=clock.now())
        with self._inside():
            fresh_as_of = clock.now()
        history = [one for one in connector.manifest.streams if states[one.name].state in stream.UNREAD]
        if history:
            with self._inside():
                stream.state(connection_id=self.connection_id, name=system.CHANGES, state="backfilling")
        for one in history:
            self._history(one)
        if history or states[system.CHANGES].state == "backfilling":
            # Marked by the state: a reader that dies between a history and what the money makes of it leaves that to the next one.
            with walls.inside(self.organisation_id):
                take_stock.run()
            with self._inside():
                taking.settle(customer_ids=None, now=clock.now())
                stream.state(connection_id=self.connection_id, name=system.CHANGES, state="live")
        self._hinted(refs)
        if poll:
            self._changes()
        while self.again:
            refs, self.again = tuple(self.again), {}
            self._hinted(refs)
        if not poll:
            return
        with self._inside():
            stream.fresh(connection_id=self.connection_id, as_of=fresh_as_of)

    # History, and whole readings

    def _history(self, one: Stream) -> None:
        connector, http, settings = self.line.connector, self.line.http, self.line.settings
        with self._inside():
            place = stream.begin(connection_id=self.connection_id, name=one.name, now=clock.now())
        anew, read = place.anew, 0
        waiting: list[Page] = []
        since, asked_at = time.monotonic(), self._now()
        coming = ahead.pages(lambda at: connector.page(http, settings, stream=one.name, cursor=at), place.cursor)
        try:
            for page in coming:
                waiting.append(page)
                read += len(page.raws)
                self.progress(one.name, read)
                if page.last or sum(len(p.raws) for p in waiting) >= _OBJECTS or time.monotonic() - since > _SECONDS:
                    crash.point("sync.after_read")
                    self._checkpoint(one, waiting, place.generation if anew else None, asked_at)
                    waiting, since, asked_at = [], time.monotonic(), self._now()
        except Unsupported as without:
            with self._inside():
                stream.disable(connection_id=self.connection_id, name=one.name, reason=str(without))
            return
        finally:
            coming.close()
        if anew:
            self._missing(one, place.generation)
        with self._inside():
            stream.move(connection_id=self.connection_id, name=one.name, cursor={}, state="live", swept=True, now=clock.now())
            seen.forget(connection_id=self.connection_id, stream=one.name)

    def _checkpoint(self, one: Stream, pages: list[Page], generation: int | None, asked_at: dt.datetime) -> None:
        """What some pages brought, together with the place to go on from. `asked_at` is before the first of them was asked for."""
        with self._inside():
            taken = self._taken([raw for p in pages for raw in p.raws], b"\n".join(p.content for p in pages), asked_at)
            if generation is not None:
                ids = [raw.id for p in pages for raw in p.raws]
                seen.note(connection_id=self.connection_id, stream=one.name, generation=generation, external_ids=ids)
            stream.move(connection_id=self.connection_id, name=one.name, cursor=pages[-1].cursor, seen=taken.seen, now=clock.now())
            crash.point("sync.before_checkpoint")
        crash.point("sync.after_checkpoint")
        self.synced = self.synced.plus(taken)
        if self.synced.created > self._stock:
            # What fills an empty ledger outruns its statistics: taken after the first pages, and each time it has grown eightfold.
            self._stock = self.synced.created * 8
            with walls.inside(self.organisation_id):
                take_stock.run()

    def _missing(self, one: Stream, generation: int) -> None:
        """What a whole reading has not met is asked for by name; only what is really not there is gone. Many at once stop for a person."""
        kind = one.kinds[0]
        if kind == "application":
            return
        with self._inside():
            unseen = gone.missing(connection_id=self.connection_id, kind=kind, generation=generation, stream=one.name)
            known = gone.known(connection_id=self.connection_id, kind=kind)
        if len(unseen) > max(_BRAKE_LEAST, known * _BRAKE_SHARE):
            raise NeedsPerson(
                f"{len(unseen)} of {known} {one.title.lower()} were not met when they were read anew; {gone.TOO_MANY}. "
                "Look whether the account is the right one and its records are there, then have them read once more."
            )
        for begin in range(0, len(unseen), 100):
            refs = [Ref(one.name, external_id) for external_id in unseen[begin : begin + 100]]
            asked_at = self._now()
            raws = self.line.connector.reread(self.line.http, self.line.settings, refs=refs)
            with self._inside():
                self.synced = self.synced.plus(self._taken(raws, b"", asked_at, settle=True))

    # Changes

    def _hinted(self, refs: tuple[Ref, ...]) -> None:
        connector, http, settings = self.line.connector, self.line.http, self.line.settings
        with self._inside():
            deliveries = hint.waiting(connection_id=self.connection_id)
        wanted, bad = dict.fromkeys(refs), {}
        for envelope_id, body in deliveries:
            try:
                wanted.update(dict.fromkeys(connector.hints(body=body, settings=settings)))
            except BadRecord as error:
                bad[envelope_id] = str(error)
        if not wanted and not deliveries:
            return
        asked_at = self._now()
        raws = connector.reread(http, settings, refs=list(wanted)) if wanted else ()
        crash.point("sync.after_read")
        with self._inside():
            taken = self._taken(raws, b"", asked_at, settle=True)
            good = [envelope_id for envelope_id, _ in deliveries if envelope_id not in bad]
            hint.settle(envelope_ids=good, state="applied", reason="looked at what it points to", now=clock.now())
            for envelope_id, why in bad.items():
                hint.settle(envelope_ids=[envelope_id], state="quarantined", reason=why, now=clock.now())
        self.synced = self.synced.plus(taken)

    def _changes(self) -> None:
        connector, http, settings = self.line.connector, self.line.http, self.line.settings
        with self._inside():
            cursor = stream.states(connection_id=self.connection_id)[system.CHANGES].cursor
        last = False
        while not last:
            asked_at = self._now()
            change = connector.changes(http, settings, cursor=cursor)
            if change.resync:
                with self._inside():
                    stream.ask_anew(connection_id=self.connection_id, names=[s.name for s in connector.manifest.streams], now=clock.now())
                    stream.move(connection_id=self.connection_id, name=system.CHANGES, cursor={}, state="live", now=clock.now())
                raise TryLater(f"{change.resync}; everything is read anew")
            raws = (*change.raws, *(connector.reread(http, settings, refs=change.refs) if change.refs else ()))
            cursor, last = change.cursor, change.last
            crash.point("sync.after_read")
            with self._inside():
                taken = self._taken(raws, change.content if raws else b"", asked_at, settle=True)
                for name, reason in change.closed.items():
                    stream.disable(connection_id=self.connection_id, name=name, reason=reason)
                stream.move(connection_id=self.connection_id, name=system.CHANGES, cursor=cursor, state="live", now=clock.now())
                crash.point("sync.before_checkpoint")
            crash.point("sync.after_checkpoint")
            self.synced = self.synced.plus(taken)

    def _taken(self, raws: Iterable[Raw], content: bytes, asked_at: dt.datetime, *, settle: bool = False) -> taking.Taken:
        connector = self.line.connector
        taken = taking.raws(
            connector=connector, settings=self.line.settings, raws=raws, content=content, connection_id=self.connection_id, run_id=self.run_id,
            settle_after=settle, now=clock.now(), asked_at=asked_at,
        )  # fmt: skip
        self.again.update(dict.fromkeys(taken.again))
        return taken


def due_for_sweep(organisation_id: UUID, connection_id: int) -> list[str]:
    """One stream that has not been read whole for a week, the longest first: they roll, so that no day has to bear them all."""
    with walls.inside(organisation_id):
        return stream.longest_unswept(connection_id=connection_id, before=clock.now() - dt.timedelta(days=SWEEP_DAYS))


def _machine_now() -> dt.datetime:
    # A lease runs by the machine's clock: the demo's days fly.
    return dt.datetime.now(dt.UTC)


def plain(synced: Synced) -> dict[str, Any]:
    """What a reading brought, for a terminal."""
    told: dict[str, Any] = msgspec.to_builtins(synced)
    return told
