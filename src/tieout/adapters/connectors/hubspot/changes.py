"""What changed since we last looked: a walk through companies, contacts, deals and, now and then, the archives.

A search gives no more than ten thousand results, its index is some seconds late, and a record that changes meanwhile moves to the
end of it. So no page is asked for by its place: each begins at the last moment met, what was met is dropped, and records of one and
the same moment are gone through by their ids. For as long as the index may still be late, the walk begins a little earlier.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import msgspec

from tieout.adapters.connectors.hubspot import client, reading, shapes
from tieout.adapters.connectors.hubspot.reading import CONTACTS
from tieout.adapters.connectors.hubspot.whole import CUSTOMERS, DEALS
from tieout.adapters.ports.connector import Change, Raw, Ref
from tieout.adapters.ports.errors import NeedsPerson, NotPermitted
from tieout.adapters.ports.http import Http

KINDS = ("companies", "contacts", "deals")
#: How late the index is believed to be at most, in milliseconds.
OVERLAP = 120_000
#: The archive has no order by time and must be walked whole, so that is done no more often than this, in milliseconds.
ARCHIVE = 15 * 60_000
#: How far HubSpot's clock and ours may be apart, in milliseconds.
SKEW = 10 * 60_000
#: Of a mass change only so many records are remembered as met; others may be read twice, which changes nothing.
MOST_SEEN = 2_000
_TAIL = 10


class Mark(msgspec.Struct):
    """How far one kind was followed, in milliseconds: where to begin, the newest change met and when we met it by our clock, and
    what was met since `floor`."""

    floor: int = 0
    newest: int = 0
    met: int = 0
    seen: dict[str, int] = {}


class Archive(msgspec.Struct):
    """How far the archives were followed: what was put away before `mark` is known, and when we last looked by our clock."""

    mark: int = 0
    looked: int = 0
    seen: dict[str, int] = {}


class Walk(msgspec.Struct):
    """Where a walk stands. `step` counts the kinds, and then their archives; `at` is the moment gone on from, `tie` the id among the
    records of exactly that moment, `after` the place in an archive."""

    began: int
    step: int = 0
    at: int | None = None
    tie: str | None = None
    after: str | None = None
    newest: int = 0


class Place(msgspec.Struct):
    """The cursor."""

    marks: dict[str, Mark]
    archive: Archive
    walk: Walk | None = None


def start(http: Http) -> Mapping[str, Any]:
    """From the newest change of each kind on, by HubSpot's own clock."""
    now = shapes.millis(http.now())
    marks: dict[str, Mark] = {}
    for kind in KINDS:
        try:
            newest = max((one.modified(kind) for one in _newest(http, kind)), default=0)
        except NotPermitted:
            # The history says which stream that closes; this one begins where the others do.
            newest = max((mark.newest for mark in marks.values()), default=0)
        marks[kind] = Mark(floor=max(0, newest - OVERLAP), newest=newest, met=now)
    return _plain(Place(marks=marks, archive=Archive(mark=now - SKEW)))


def _newest(http: Http, kind: str) -> tuple[client.Found, ...]:
    return client.searched(http, kind, filters=(), sort=client.MODIFIED[kind], falling=True, limit=1).found


def changes(http: Http, *, cursor: Mapping[str, Any], now: dt.datetime) -> Change:
    """One step: the changes of one kind as references to what should be looked at, or a page of an archive."""
    place = msgspec.convert(cursor, Place)
    walk = place.walk or Walk(began=shapes.millis(now))
    place.walk = walk
    raws: list[Raw] = []
    refs: list[Ref] = []
    closed: dict[str, str] = {}
    kind = KINDS[walk.step % len(KINDS)]
    try:
        if walk.step < len(KINDS):
            refs, ended = _changed(http, kind, place.marks[kind], walk)
            if ended:
                _note(place.marks[kind], walk, shapes.millis(http.now()))
        else:
            raws, refs, ended = _put_away(http, kind, place.archive, walk)
    except NotPermitted:
        stream, ended = DEALS if kind == DEALS else CUSTOMERS, True
        closed = {stream: reading.closed(stream)}
    if ended:
        walk.step, walk.at, walk.tie, walk.after = walk.step + 1, None, None, None
    quiet = walk.step >= len(KINDS) and walk.began - place.archive.looked < ARCHIVE
    if walk.step >= 2 * len(KINDS):
        _note_archive(place.archive, walk)
    last = quiet or walk.step >= 2 * len(KINDS)
    if last:
        place.walk = None
    return Change(raws=tuple(raws), refs=tuple(refs), cursor=_plain(place), last=last, closed=closed)


# What was modified


def _changed(http: Http, kind: str, mark: Mark, walk: Walk) -> tuple[list[Ref], bool]:
    at = mark.floor if walk.at is None else walk.at
    name = client.MODIFIED[kind]
    filters = [{"propertyName": name, "operator": "GTE", "value": str(at)}]
    if walk.tie is not None:
        filters.append({"propertyName": name, "operator": "LTE", "value": str(at)})
        filters.append({"propertyName": "hs_object_id", "operator": "GT", "value": walk.tie})
    found = client.searched(http, kind, filters=filters, sort=name if walk.tie is None else "hs_object_id").found
    fresh = [one.id for one in found if mark.seen.get(one.id) != one.modified(kind)]
    mark.seen |= {one.id: one.modified(kind) for one in found}
    ended = len(found) < client.PAGE and walk.tie is None
    if len(found) < client.PAGE:
        walk.at, walk.tie = at + 1, None
    elif walk.tie is not None:
        walk.at, walk.tie = at, found[-1].id
    else:
        walk.at, walk.tie = _onward(at, [one.modified(kind) for one in found[-_TAIL:]])
    mark.seen = _kept(mark.seen, since=walk.at - OVERLAP)
    return [Ref(_stream(kind), one) for one in fresh], ended


def _onward(at: int, tail: list[int]) -> tuple[int, str | None]:
    """Where the page after a full one begins: at the last moment met; or, where that is where we are, among its records by their ids.

    An index may order a record by what it was and show it as it is. The least of the last moments is therefore gone on from: of the
    last records hardly all have changed meanwhile, and what is met twice is dropped. Raises NeedsPerson.
    """
    if min(tail) < max(at, 1):
        raise NeedsPerson("HubSpot's records do not say when they were modified")
    return (min(tail), None) if min(tail) > at else (at, "0")


def _note(mark: Mark, walk: Walk, now: int) -> None:
    """A kind has been walked to its end."""
    newest = max([mark.newest, *mark.seen.values()])
    if newest > mark.newest:
        mark.newest, mark.met, mark.floor = newest, now, max(0, newest - OVERLAP)
    elif walk.began - mark.met >= OVERLAP:
        # Looked at once more after so long, nothing up to there can still be on its way into the index: a quiet account stays quiet.
        mark.floor = newest + 1
    mark.seen = _kept(mark.seen, since=mark.floor)


def _stream(kind: str) -> str:
    return {"companies": CUSTOMERS, "contacts": CONTACTS, "deals": DEALS}[kind]


# What was put away


def _put_away(http: Http, kind: str, archive: Archive, walk: Walk) -> tuple[list[Raw], list[Ref], bool]:
    page = client.listed(http, kind, after=walk.after, archived=True, priority="change")
    raws: list[Raw] = []
    refs: list[Ref] = []
    for one in page.found:
        when = shapes.moment(one.head.archived_at)
        moment = shapes.millis(when) if when else archive.mark
        if moment < archive.mark or archive.seen.get(f"{kind}:{one.id}") == moment:
            continue
        archive.seen[f"{kind}:{one.id}"] = moment
        walk.newest = max(walk.newest, moment)
        raws.append(reading.put_away(kind, one))
        company = one.head.properties.get("associatedcompanyid")
        if company:
            refs.append(Ref(CUSTOMERS, str(company)))
    archive.seen = _kept(archive.seen, since=archive.mark)
    walk.after = page.after
    return raws, refs, page.after is None


def _note_archive(archive: Archive, walk: Walk) -> None:
    # What was put away while we walked may lie behind us; it is met next time, since the mark stays before our beginning.
    archive.mark = max(archive.mark, min(walk.newest, walk.began - SKEW))
    archive.looked = walk.began
    archive.seen = _kept(archive.seen, since=archive.mark)


def _kept(seen: dict[str, int], *, since: int) -> dict[str, int]:
    recent = {one: moment for one, moment in seen.items() if moment >= since}
    if len(recent) <= MOST_SEEN:
        return recent
    return dict(sorted(recent.items(), key=lambda entry: entry[1])[-MOST_SEEN:])


def _plain(place: Place) -> Mapping[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(place)
    return plain
