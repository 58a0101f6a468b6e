"""Compare the customers of the sources with each other: certain pairs are linked, doubtful ones wait for a person.

`core.identity` judges. What people have said of a pair is given to it and stays; what the rules of keys say is certain. A pair that
would bring two records of one source together is never linked by machine.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import msgspec
from django.db import connection

from tieout.core import identity
from tieout.core.evidence import Actor
from tieout.core.identity import Pair
from tieout.stages.base import walls
from tieout.stages.ledger import key_rule, link, records
from tieout.stages.ledger.models import LinkProposal
from tieout.stages.ledger.records import Held
from tieout.stages.ledger.regroup import Move

MACHINE = Actor("machine", "machine")
_State = LinkProposal.State
#: Up to so many customers all are compared with all; in a larger book only with those who share something with what was touched.
WHOLE = 20_000
#: More touched ones than this, and the whole book is compared, however large.
_MANY = 2_000


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """How many customers were looked at, how many pairs were linked, how many wait for a person now, and what moved."""

    looked_at: int = 0
    linked: int = 0
    proposed: int = 0
    moves: tuple[Move, ...] = ()


def waiting() -> list[int]:
    """Customers that are new or changed since they were last compared; none where there is but one source and no other system to tell."""
    with connection.cursor() as cursor:
        cursor.execute(_WAITING, {"org": walls.current()})
        return [row[0] for row in cursor.fetchall()]


def run(*, customer_ids: Iterable[int], now: dt.datetime) -> Compared:
    """Compare these customers with the others, set-wise. Doing it again changes nothing."""
    touched = sorted(set(customer_ids))
    if not touched:
        return Compared()
    with connection.cursor() as cursor:
        # One comparison of an organisation at a time: the second finds what the first has linked.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 7))", [str(walls.current())])
    held = _population(touched)
    said = _said(held)
    groups = _Groups(held, said)
    by_rule = [one for one in key_rule.pairs(held) if (one.first, one.second) not in said and groups.join(one.first, one.second)]
    said |= {(one.first, one.second): _State.LINKED for one in by_rule}
    judged = identity.link(
        held, confirmed=[two for two, state in said.items() if state == _State.LINKED],
        rejected=[two for two, state in said.items() if state == _State.REFUSED],
    )  # fmt: skip
    certain, doubtful = _parted(judged.pairs, held, said, groups)
    moves = link.found(pairs=[*by_rule, *certain], actor=MACHINE, now=now)
    _propose(doubtful, {one.key for one in held if isinstance(one.key, int)}, whole=len(held), now=now)
    with connection.cursor() as cursor:
        cursor.execute(_COMPARED, {"org": walls.current(), "ids": touched})
    return Compared(looked_at=len(held), linked=len(by_rule) + len(certain), proposed=len(doubtful), moves=tuple(moves))


def _population(touched: list[int]) -> list[Held]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM (SELECT 1 FROM ledger_customer WHERE organisation_id = %s LIMIT %s) c", [walls.current(), WHOLE + 1])
        many = cursor.fetchone()[0] > WHOLE
    return records.read(records.near(touched) if many and len(touched) <= _MANY else None)


def _said(held: Collection[Held]) -> dict[tuple[int, int], str]:
    """What is held of pairs among these: linked or refused."""
    here = {one.key for one in held}
    decided = LinkProposal.objects.filter(kind="customer", state__in=[_State.LINKED, _State.REFUSED])
    return {(a, b): state for a, b, state in decided.values_list("first_id", "second_id", "state") if a in here and b in here}


def _parted(
    pairs: Iterable[Pair], held: Iterable[Held], said: Mapping[tuple[int, int], str], together: _Groups
) -> tuple[list[link.Found], list[tuple[Pair, tuple[str, ...]]]]:
    """Certain pairs, and those that wait for a person with what speaks against them."""
    names = {one.key: one.name for one in held}
    certain, doubtful = [], []
    for pair in pairs:
        first, second = sorted((int(pair.first), int(pair.second)))
        if (first, second) in said:
            continue
        if pair.decision == "certain" and together.join(first, second):
            certain.append(link.Found(first=first, second=second, score=pair.score, reasons=pair.reasons))
        elif not together.one(first, second):
            against = tuple(_named(one, names) for one in pair.against)
            if pair.decision == "certain":
                against = (*against, "both sides have a record in one and the same system")
            doubtful.append((pair, against))
    return certain, doubtful


class _Groups:
    """Who is one with whom. Neither two records of one source nor two that a person parted ever come together here."""

    def __init__(self, held: Iterable[Held], said: Mapping[tuple[int, int], str]) -> None:
        self._sources = {int(one.key): set(one.sources) for one in held}
        self._of = {key: [key] for key in self._sources}
        self._refused = {two for two, state in said.items() if state == _State.REFUSED}
        for (first, second), state in said.items():
            if state == _State.LINKED:
                self._merge(first, second)

    def one(self, first: int, second: int) -> bool:
        return self._of[first] is self._of[second]

    def join(self, first: int, second: int) -> bool:
        if self.one(first, second):
            return True
        mine, theirs = self._of[first], self._of[second]
        if any((min(a, b), max(a, b)) in self._refused for a in mine for b in theirs):
            return False
        if {source for one in mine for source in self._sources[one]} & {source for one in theirs for source in self._sources[one]}:
            return False
        self._merge(first, second)
        return True

    def _merge(self, first: int, second: int) -> None:
        if not self.one(first, second):
            whole = self._of[first] + self._of[second]
            self._of.update(dict.fromkeys(whole, whole))


def _named(against: str, names: Mapping[Any, str]) -> str:
    """A reason that names a record by its number names it by its name instead."""
    words = against.split(" ")
    if words[0] == "record" and len(words) > 1 and words[1].isdigit():
        return f"{names.get(int(words[1]), 'another record')} fits as well"
    return against


def _propose(doubtful: Iterable[tuple[Pair, tuple[str, ...]]], here: set[int], *, whole: int, now: dt.datetime) -> None:
    found: dict[str, list[Any]] = defaultdict(list)
    for pair, against in doubtful:
        first, second = sorted((int(pair.first), int(pair.second)))
        found["first"].append(first)
        found["second"].append(second)
        found["score"].append(pair.score)
        found["related"].append(pair.decision == "related")
        found["reasons"].append(msgspec.json.encode(pair.reasons).decode())
        found["against"].append(msgspec.json.encode(against).decode())
    given = {"org": walls.current(), "now": now, "here": sorted(here)}
    given |= {name: found[name] for name in ("first", "second", "score", "related", "reasons", "against")}
    with connection.cursor() as cursor:
        if whole > _MANY:
            cursor.execute("SET LOCAL enable_nestloop = off")
        cursor.execute(_LAPSE, given)
        cursor.execute(_PROPOSE, given)
        cursor.execute("SET LOCAL enable_nestloop = on")


_WAITING = """
SELECT c.id FROM ledger_customer c
 WHERE c.organisation_id = %(org)s AND c.compared_at IS DISTINCT FROM c.recorded_at
   AND (SELECT count(*) FROM (SELECT 1 FROM intake_connection k WHERE k.organisation_id = %(org)s AND (k.kind = 'system' OR EXISTS (
         SELECT 1 FROM ledger_sourcerecord r WHERE r.organisation_id = %(org)s AND r.connection_id = k.id AND r.kind = 'customer'
            AND r.retracted_at IS NULL)) LIMIT 2) two) > 1
 ORDER BY c.id"""

_COMPARED = """
UPDATE ledger_customer SET compared_at = recorded_at
 WHERE organisation_id = %(org)s AND id = ANY(%(ids)s) AND compared_at IS DISTINCT FROM recorded_at"""

_FOUND = """found AS MATERIALIZED (
  SELECT * FROM unnest(%(first)s::bigint[], %(second)s::bigint[], %(score)s::smallint[], %(related)s::boolean[], %(reasons)s::text[],
         %(against)s::text[]) AS f(first_id, second_id, score, related, reasons, against))"""

#: What is no longer likely does not wait for anybody.
_LAPSE = f"""
WITH {_FOUND}
UPDATE ledger_linkproposal p SET state = 'lapsed'
 WHERE p.organisation_id = %(org)s AND p.kind = 'customer' AND p.state = 'open' AND p.first_id = ANY(%(here)s) AND p.second_id = ANY(%(here)s)
   AND NOT EXISTS (SELECT 1 FROM found f WHERE f.first_id = p.first_id AND f.second_id = p.second_id)"""

_PROPOSE = f"""
WITH {_FOUND}
INSERT INTO ledger_linkproposal AS p (organisation_id, kind, first_id, second_id, state, related, score, reasons, against, rank, decided_by, found_at)
SELECT %(org)s, 'customer', first_id, second_id, 'open', related, score, reasons::jsonb, against::jsonb, 1, 'machine', %(now)s FROM found
    ON CONFLICT (organisation_id, kind, first_id, second_id) DO UPDATE
   SET state = 'open', related = excluded.related, score = excluded.score, reasons = excluded.reasons, against = excluded.against
 WHERE p.state IN ('open', 'lapsed')
   AND (p.state, p.related, p.score, p.reasons, p.against)
       IS DISTINCT FROM ('open', excluded.related, excluded.score, excluded.reasons, excluded.against)"""
