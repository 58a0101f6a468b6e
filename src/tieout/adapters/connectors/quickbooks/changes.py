"""What changed since, by change data capture: all kinds in one question, deletions among them, with an overlap.

It answers with a thousand objects over all kinds and has no next page. Where an answer is full, each kind is asked for by itself, and
what is full even so is read by when it changed last.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from tieout.adapters.connectors.quickbooks import client, faults, reading
from tieout.adapters.ports.connector import Change, Raw
from tieout.adapters.ports.errors import Unsupported
from tieout.adapters.ports.http import Http

#: The most objects one answer holds, over all kinds.
MOST = 1_000
#: Looked at again each time: what was saved in the moment of the last look may show up after it.
OVERLAP_SECONDS = 120
#: Thirty days are kept; a day less, because the walk itself takes time.
LOOKBACK_DAYS = 29
#: A refusal of so old a moment is one of its age, whatever its words are.
_OLD_DAYS = 25
#: How often the window of a full answer is halved in search of deletions.
_HALVINGS = 5
#: A customer that others were merged into is saved with the merge.
_MERGE_SECONDS = 60


class _Part(msgspec.Struct):
    response: list[dict[str, msgspec.Raw]] = msgspec.field(name="QueryResponse", default_factory=list)


class _Captured(msgspec.Struct):
    parts: list[_Part] = msgspec.field(name="CDCResponse")
    time: str = ""


class Captured(msgspec.Struct, frozen=True, kw_only=True):
    """One answer: what changed, by QuickBooks' time, and the bytes."""

    raws: tuple[Raw, ...]
    time: str
    content: bytes

    @property
    def full(self) -> bool:
        """Whether it may lack others."""
        return len(self.raws) >= MOST


_CAPTURED = msgspec.json.Decoder(_Captured)


def start(http: Http, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Changes are followed from now on, by QuickBooks' own clock."""
    return {"since": client.server_time(http, settings)}


def changes(http: Http, settings: Mapping[str, Any], *, cursor: Mapping[str, Any]) -> Change:
    """What changed since the cursor, or the next page of what an answer could not hold."""
    if cursor.get("todo"):
        return _walked(http, settings, cursor)
    since = client.moment(str(cursor["since"]))
    if since is None:
        return Change(cursor=cursor, last=True, resync=f"{cursor['since']!r} is no moment that could be gone on from")
    days = (http.now() - since).days
    if days >= LOOKBACK_DAYS:
        return Change(cursor=cursor, last=True, resync=f"changes since {since:%Y-%m-%d} are no longer all told")
    after = since - dt.timedelta(seconds=OVERLAP_SECONDS)
    try:
        told = captured(http, settings, tuple(client.ENTITIES), after)
    except Unsupported as refused:
        if days < _OLD_DAYS:
            raise
        return Change(cursor=cursor, last=True, resync=f"changes since {since:%Y-%m-%d} are not told: {refused}")
    until = told.time or _newest(told.raws) or str(cursor["since"])
    raws, content = told.raws, told.content
    todo: list[list[str]] = []
    if told.full:
        raws, content, todo = _one_by_one(http, settings, after, client.moment(until) or http.now())
    todo += [[stream, reading.belonging_to(survivor)] for survivor in _survivors(raws) for stream in reading.OF_CUSTOMERS]
    ahead = {"since": until} if not todo else {"since": cursor["since"], "until": until, "todo": todo, "place": {}}
    return Change(raws=_in_order(raws), cursor=ahead, last=not todo, content=content)


def captured(http: Http, settings: Mapping[str, Any], streams: tuple[str, ...], since: dt.datetime) -> Captured:
    """What changed of these kinds since a moment."""
    entities = ",".join(client.ENTITIES[stream] for stream in streams)
    answer = client.get(http, settings, "cdc", priority="change", entities=entities, changedSince=since.isoformat(timespec="seconds"))
    told = client.decoded(answer, _Captured, _CAPTURED)
    return Captured(raws=tuple(_objects(told)), time=client.stamp(told.time), content=answer.content)


def _objects(told: _Captured) -> Iterator[Raw]:
    for response in (one for part in told.parts for one in part.response):
        fault = faults.inside({name: msgspec.json.decode(bytes(body)) for name, body in response.items() if name.lower() == "fault"})
        if fault is not None:
            raise faults.error(fault)
        for entity in client.ENTITIES.values():
            yield from client.raws_in(response, entity)


def _one_by_one(http: Http, settings: Mapping[str, Any], since: dt.datetime, until: dt.datetime) -> tuple[tuple[Raw, ...], bytes, list[list[str]]]:
    """Each kind by itself: (objects, bytes, what remains to be walked). Of a kind that is full even so, deletions only."""
    raws: list[Raw] = []
    contents: list[bytes] = []
    todo: list[list[str]] = []
    for stream in client.ENTITIES:
        told = captured(http, settings, (stream,), since)
        contents.append(told.content)
        if told.full:
            todo.append([stream, f"MetaData.LastUpdatedTime >= {client.text(since.isoformat(timespec='seconds'))}"])
            raws += _deletions(http, settings, stream, told, since, until)
        else:
            raws += told.raws
    return tuple(raws), b"\n".join(contents), todo


def _deletions(http: Http, settings: Mapping[str, Any], stream: str, told: Captured, since: dt.datetime, until: dt.datetime) -> Iterator[Raw]:
    """The deletions a full answer shows, and those of ever shorter windows until one is told whole."""
    met: dict[str, Raw] = {}
    for _ in range(_HALVINGS):
        met |= {raw.id: raw for raw in told.raws if raw.gone}
        if not told.full:
            break
        since += (until - since) / 2
        told = captured(http, settings, (stream,), since)
    yield from met.values()


def _walked(http: Http, settings: Mapping[str, Any], cursor: Mapping[str, Any]) -> Change:
    """One page of what remains."""
    (stream, where), *others = cursor["todo"]
    found = reading.step(http, settings, stream, cursor.get("place") or {}, where, priority="change")
    if not found.last:
        return Change(raws=found.raws, cursor={**cursor, "place": found.place}, last=False, content=found.content)
    ahead = {**cursor, "todo": others, "place": {}} if others else {"since": cursor["until"]}
    return Change(raws=found.raws, cursor=ahead, last=not others, content=found.content)


def _survivors(raws: tuple[Raw, ...]) -> Iterator[str]:
    """Customers that may have taken over what was a merged one's: those saved in the same moment."""
    merged = [raw.changed_at for raw in raws if raw.gone == "merged" and raw.changed_at]
    for raw in raws:
        at = raw.changed_at if raw.stream == client.CUSTOMERS and not raw.gone else None
        if at is not None and any(abs((at - when).total_seconds()) <= _MERGE_SECONDS for when in merged):
            yield raw.id


def _in_order(raws: tuple[Raw, ...]) -> tuple[Raw, ...]:
    """Oldest first; of one moment, what others refer to first."""
    return tuple(sorted(raws, key=lambda raw: raw.changed_at or dt.datetime.min.replace(tzinfo=dt.UTC)))


def _newest(raws: tuple[Raw, ...]) -> str:
    """The latest change, of a deleted object too; empty where nothing changed."""
    moments = [raw.changed_at for raw in raws if raw.changed_at]
    return max(moments).isoformat(timespec="seconds") if moments else ""
