"""Which answers of a connected system are later than what we hold: older ones are passed over, and where nobody can say which is the
later, the object is read again (`core.order`). In the transaction of the caller's checkpoint, with the connection locked.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence

import msgspec
from django.db import connection

from tieout.adapters.ports.connector import Raw, Ref
from tieout.core import order
from tieout.core.order import Stamp
from tieout.stages.base import walls


class SortedOut(msgspec.Struct, frozen=True):
    """What is to be taken, in the order it came; how many were older than what we hold; what is to be read again."""

    taken: list[Raw]
    older: int
    again: tuple[Ref, ...]


class _Held(msgspec.Struct, frozen=True):
    stamp: Stamp
    seen_at: dt.datetime


_HELD = """
SELECT w.place, min(r.version), min(r.changed_at), max(r.seen_at)
  FROM unnest(%(places)s::int[], %(kinds)s::text[], %(ids)s::text[]) AS w(place, kind, external_id)
  JOIN ledger_sourcerecord r ON r.organisation_id = %(org)s AND r.connection_id = %(conn)s AND r.kind = w.kind AND r.external_id = w.external_id
       AND r.retracted_at IS NULL
 GROUP BY w.place"""

_NOTE = """
UPDATE ledger_sourcerecord r SET version = w.version, changed_at = w.changed_at
  FROM unnest(%(kinds)s::text[], %(ids)s::text[], %(versions)s::text[], %(moments)s::timestamptz[]) AS w(kind, external_id, version, changed_at)
 WHERE r.organisation_id = %(org)s AND r.connection_id = %(conn)s AND r.kind = w.kind AND r.external_id = w.external_id
   AND r.retracted_at IS NULL AND (r.version, r.changed_at) IS DISTINCT FROM (w.version, w.changed_at)"""


def of(*, connection_id: int, raws: Sequence[Raw], kinds: Mapping[str, tuple[str, ...]], asked_at: dt.datetime | None) -> SortedOut:
    """Sort answers out by what we hold of the same records. Of one object met twice in them, the later one speaks."""
    latest = _latest(raws)
    held = _held(connection_id, latest, kinds)
    taken, again, older = [], [], len(raws) - len(latest)
    for place, raw in enumerate(latest):
        known = held.get(place)
        if known is None:
            taken.append(raw)
            continue
        judged = order.judge(known.stamp, _stamp(raw))
        if judged == "older":
            older += 1
        elif judged == "unknown" and asked_at is not None and known.seen_at > asked_at:
            again.append(Ref(raw.stream, raw.id))
        else:
            # The same answer again costs nothing: unchanged content writes nothing. And what we hold may be a mark of ours only
            # (a link, a record that was gone), which the same version still has to fill.
            taken.append(raw)
    return SortedOut(taken, older, tuple(again))


def note(*, connection_id: int, raws: Iterable[Raw], kinds: Mapping[str, tuple[str, ...]]) -> None:
    """Keep how old the answers say they are, beside the records they became; what stands already is not written again."""
    rows = [(kind, raw.id, raw.version[:64], raw.changed_at) for raw in raws if raw.version or raw.changed_at for kind in kinds[raw.stream]]
    if not rows:
        return
    columns = [list(column) for column in zip(*rows, strict=True)]
    given = dict(zip(("kinds", "ids", "versions", "moments"), columns, strict=True))
    with connection.cursor() as cursor:
        cursor.execute(_NOTE, {"org": walls.current(), "conn": connection_id, **given})


def _latest(raws: Sequence[Raw]) -> list[Raw]:
    found: dict[tuple[str, str], Raw] = {}
    for raw in raws:
        key = (raw.stream, raw.id)
        # Where nobody can say, the one that came later speaks.
        if key not in found or order.judge(_stamp(found[key]), _stamp(raw)) != "older":
            found.pop(key, None)
            found[key] = raw
    return list(found.values())


def _held(connection_id: int, raws: Sequence[Raw], kinds: Mapping[str, tuple[str, ...]]) -> dict[int, _Held]:
    places, names, ids = [], [], []
    for place, raw in enumerate(raws):
        for kind in kinds[raw.stream]:
            places.append(place)
            names.append(kind)
            ids.append(raw.id)
    with connection.cursor() as cursor:
        cursor.execute(_HELD, {"org": walls.current(), "conn": connection_id, "places": places, "kinds": names, "ids": ids})
        return {place: _Held(Stamp(version or "", changed_at), seen_at) for place, version, changed_at, seen_at in cursor.fetchall()}


def _stamp(raw: Raw) -> Stamp:
    return Stamp(raw.version[:64], raw.changed_at)
