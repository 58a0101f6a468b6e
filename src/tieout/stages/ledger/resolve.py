"""Look staged rows up once: their records, what those stand for, their customers. What came again as it was leaves staging at once.

A few rows are looked up by their keys, however large the ledger is; where they are many beside it, both sides are hashed. The planner
cannot tell the one from the other: rows staged a moment ago have no statistics, and ANALYZE is the table owner's.
"""

from __future__ import annotations

from typing import Any

_MINE = "s.organisation_id = %(org)s AND s.run = %(run)s"
#: Below this many known records a staged row, reading all of them costs less than looking each up.
_PER_ROW = 20


def hashing(cursor: Any, *, staged: int) -> bool:
    """Whether so many staged rows are to be matched by reading all records there are. A table that was never counted is small."""
    cursor.execute("SELECT reltuples FROM pg_class WHERE oid = 'ledger_sourcerecord'::regclass")
    return bool(cursor.fetchone()[0] < staged * _PER_ROW)


def known(cursor: Any, given: dict[str, Any], *, table: str, hashed: bool) -> int:
    """Put the record of each staged row of a table beside it; returns how many had come before just so, and are gone from staging."""
    kind = "s.kind" if table == "document" else f"'{table}'"
    home = ", home_id = k.home_id" if table == "customer" else ""
    cursor.execute(
        f"""WITH known AS MATERIALIZED (
              SELECT s.ctid AS at, r.id, r.target_id, r.home_id, r.content_hash = s.content_hash AS same
                FROM ledger_staged_{table} s {_record(kind, "s.external_id", hashed)} WHERE {_MINE}),
            again AS (DELETE FROM ledger_staged_{table} s USING known k WHERE s.ctid = k.at AND k.same RETURNING 1),
            changed AS (
              UPDATE ledger_staged_{table} s SET record_id = k.id, target_id = k.target_id{home} FROM known k WHERE s.ctid = k.at AND NOT k.same)
            SELECT count(*) FROM again""",
        given,
    )
    return int(cursor.fetchone()[0])


def customers(cursor: Any, given: dict[str, Any], *, table: str, hashed: bool) -> None:
    """Put the customer of each staged document or payment beside it, where its key has one; of a document also whom that key founded."""
    home = ", home_id = k.home_id" if table == "document" else ""
    cursor.execute(
        f"""WITH known AS MATERIALIZED (
              SELECT s.ctid AS at, r.target_id, r.home_id FROM ledger_staged_{table} s {_record("'customer'", "s.customer_external_id", hashed)}
               WHERE {_MINE} AND s.customer_id IS NULL AND s.customer_external_id IS NOT NULL)
            UPDATE ledger_staged_{table} s SET customer_id = k.target_id{home} FROM known k WHERE s.ctid = k.at""",
        given,
    )


def _record(kind: str, key: str, hashed: bool) -> str:
    matching = f"""r.organisation_id = %(org)s AND r.connection_id = %(conn)s AND r.kind = {kind} AND r.external_id = {key}
               AND r.retracted_at IS NULL"""
    if hashed:
        return f"JOIN ledger_sourcerecord r ON {matching}"
    # The offset keeps it a look-up by the key.
    return f"CROSS JOIN LATERAL (SELECT r.id, r.target_id, r.home_id, r.content_hash FROM ledger_sourcerecord r WHERE {matching} OFFSET 0) r"
