"""Merge what was staged into the ledger, set-wise: new, changed, the same.

Unchanged content is recognised by its hash and writes nothing at all. Changed content becomes a new version beside
the old one (two clocks), and the change feed gets its entry in the same transaction. What a person corrected stays
corrected. A row that cannot be true beside what we hold (an amount below what was already applied to it) is refused
with its reason and everything else goes on.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from django.db import connection

from tieout.core import moves
from tieout.stages.base import walls
from tieout.stages.ledger import merge_customers, merge_gateway, merge_stated, reapply, resolve
from tieout.stages.ledger.merge_sql import DOCUMENTS, PAYMENTS

FEED_PAGE = 10_000
#: Moves of status that are not taken (`core.moves`), as the statements compare them.
_MOVES: dict[moves.What, list[str]] = {what: [" ".join(move) for move in moves.refused(what)] for what in moves.TABLES}


class Refused(msgspec.Struct, frozen=True):
    """A staged row that was not taken: where it stood and why."""

    line: int | None
    external_id: str
    code: str
    message: str
    raw: dict[str, Any]


class Merged(msgspec.Struct, frozen=True, kw_only=True):
    """What a merge did. `customer_ids` are those whose position changed; None stands for "more than is worth naming". `yielded` are
    allocations that a connected system's own change has taken back."""

    created: int
    updated: int
    unchanged: int
    repeated: int
    refused: tuple[Refused, ...]
    customer_ids: tuple[int, ...] | None
    payments_changed: bool
    yielded: tuple[int, ...] = ()


#: The staging tables, with what makes a row of each one record.
_OF_FILES = {"document": "kind, external_id", "payment": "external_id", "customer": "external_id"}
TABLES = {**_OF_FILES, **dict.fromkeys(("application", "refund", "dispute", "payout", "deal"), "external_id")}

#: Past this many touched customers the followers look at the whole book instead of at a list.
NAMED_CUSTOMERS = 5_000
#: By their numbers rows are looked up one by one, until they are so many that a hash costs less.
MANY = 10_000


def run(*, run_id: int, connection_id: int, envelope_id: int | None, now: dt.datetime, system: bool = False) -> Merged:
    """Merge the rows staged under `run_id` and empty them from staging. Call within `stage.as_intake()`.

    Of a connected `system` what it says itself of its own documents outranks what was applied by its own word or by machine.
    """
    given = {"org": walls.current(), "run": run_id, "conn": connection_id, "envelope": envelope_id, "now": now, "page": FEED_PAGE}
    tables = TABLES if system else _OF_FILES
    with connection.cursor() as cursor:
        counts = _counts(cursor, given, tables)
        staged = sum(counts.values())
        hashed = resolve.hashing(cursor, staged=staged)
        if hashed:
            cursor.execute("SET LOCAL enable_nestloop = off")
        repeated = 0
        for table in [name for name, count in counts.items() if count > 1]:
            dropped = _drop_repeated(cursor, given, table, tables[table])
            repeated, counts[table] = repeated + dropped, counts[table] - dropped
        unchanged = {table: resolve.known(cursor, given, table=table, hashed=hashed) for table, count in counts.items() if count}
        fresh = {table: count - unchanged.get(table, 0) for table, count in counts.items()}
        named = [table for table in ("document", "payment") if fresh[table]]
        customers = merge_customers.run(cursor, given, staged=fresh["customer"], named=named, hashed=hashed)
        if hashed and staged < MANY:
            cursor.execute("SET LOCAL enable_nestloop = on")
        touched: set[int] = set(customers.touched)
        created, updated = customers.created, customers.updated
        refused = _wrong_moves(cursor, given, named)
        yielded = merge_stated.give_way(cursor, given) if system and named else []
        changed_documents: list[int] = []
        payments = 0
        for table, sql in (("document", DOCUMENTS), ("payment", PAYMENTS)):
            if not fresh[table]:
                continue
            refused += [Refused(*row) for row in _all(cursor, sql.REFUSE, given)]
            # Changed ones first: a first import has no links yet, and what it inserts need not be looked through for changes.
            changed = _all(cursor, sql.UPDATE, given)
            updated += len(changed)
            made = _all(cursor, sql.INSERT, given)
            created += sum(row[0] for row in made)
            touched.update(c for row in made for c in (row[1] or ()) if c)
            touched.update(c for row in changed for c in row[1:3] if c)
            if sql is DOCUMENTS:
                changed_documents = [row[0] for row in changed]
                for follow in sql.FOLLOW if changed else ():
                    cursor.execute(follow, given)
            else:
                payments = sum(row[0] for row in made) + len(changed)
        reapply.corrections(cursor, given, document_ids=changed_documents)
        if system:
            heard = merge_stated.run(cursor, given, staged=fresh)
            created, updated = created + heard.created, updated + heard.updated
            touched.update(heard.touched)
            new, again = merge_gateway.run(cursor, given, staged=fresh)
            created, updated = created + new, updated + again
        for table in [name for name, count in fresh.items() if count]:
            cursor.execute(f"DELETE FROM ledger_staged_{table} WHERE organisation_id = %(org)s AND run = %(run)s", given)
        if hashed:
            cursor.execute("SET LOCAL enable_nestloop = on")
    return Merged(
        created=created, updated=updated, unchanged=sum(counts.values()) - created - updated - len(refused),
        repeated=repeated,
        refused=tuple(refused), yielded=tuple(yielded),
        customer_ids=tuple(sorted(touched)) if len(touched) <= NAMED_CUSTOMERS else None, payments_changed=payments > 0,
    )


def _counts(cursor: Any, given: dict[str, Any], tables: Iterable[str]) -> dict[str, int]:
    """How many rows of each kind are staged."""
    counted = ", ".join(f"(SELECT count(*) FROM ledger_staged_{table} WHERE organisation_id = %(org)s AND run = %(run)s)" for table in tables)
    return dict(zip(tables, _all(cursor, f"SELECT {counted}", given)[0], strict=True))


def _drop_repeated(cursor: Any, given: dict[str, Any], table: str, key: str) -> int:
    """The same key twice in one run: the later line speaks, the earlier one is counted as repeated."""
    keys = key.split(", ")
    cursor.execute(
        f"""WITH twice AS MATERIALIZED (SELECT {key}, max(line) AS last FROM ledger_staged_{table}
                                         WHERE organisation_id = %(org)s AND run = %(run)s GROUP BY {key} HAVING count(*) > 1)
            DELETE FROM ledger_staged_{table} s USING twice t
             WHERE s.organisation_id = %(org)s AND s.run = %(run)s
               AND ({", ".join("s." + k for k in keys)}) = ({", ".join("t." + k for k in keys)}) AND s.line IS DISTINCT FROM t.last""",
        given,
    )
    return int(cursor.rowcount)


def _wrong_moves(cursor: Any, given: dict[str, Any], named: Sequence[str]) -> list[Refused]:
    """Take out of staging what would move along a path that money does not take."""
    asked: tuple[tuple[moves.What, str], ...] = (("document", DOCUMENTS.WRONG), ("payment", PAYMENTS.WRONG))
    return [
        Refused(line, external_id, "wrong_move", moves.sentence(what, name, before, after), raw)
        for what, query in asked
        if what in named
        for line, external_id, name, before, after, raw in _all(cursor, query, {**given, "moves": _MOVES[what]})
    ]


def _all(cursor: Any, query: str, given: dict[str, Any]) -> Sequence[tuple[Any, ...]]:
    cursor.execute(query, given)
    rows: Sequence[tuple[Any, ...]] = cursor.fetchall()
    return rows
