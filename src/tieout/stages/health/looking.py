"""How a promise is looked at: questions whose answer is the rows that break it, the first few shown and all of them counted."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
import polars as pl
from django.db import connection

from tieout.stages.base import walls

#: Rows shown of each promise; the rest is counted.
SHOWN = 20


class Breach(msgspec.Struct, frozen=True):
    """A row that breaks a promise: which one, and how in words."""

    row: str
    says: str


class Looked(msgspec.Struct, frozen=True, kw_only=True):
    """What was looked at: how many (of what stands with the promise), the rows that break it, how many those are, and what else to know."""

    checked: int
    breaches: tuple[Breach, ...] = ()
    broken: int = 0
    notes: tuple[str, ...] = ()

    def also(self, other: Looked) -> Looked:
        """Both together."""
        return Looked(
            checked=self.checked + other.checked, breaches=(*self.breaches, *other.breaches)[:SHOWN], broken=self.broken + other.broken,
            notes=(*self.notes, *other.notes),
        )  # fmt: skip


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """What the caller knows and a room below the clock and the files does not: the moment, and the anchors kept outside (None: not given)."""

    now: Any
    anchors: list[dict[str, Any]] | None = None


def of(breaches: Iterable[Breach], *, checked: int = 0, notes: tuple[str, ...] = ()) -> Looked:
    """Rows found one by one."""
    found = tuple(breaches)
    return Looked(checked=checked, breaches=found[:SHOWN], broken=len(found), notes=notes)


def rows(query: str, **values: Any) -> list[tuple[Any, ...]]:
    """The rows of a question that names its organisation as `%(org)s`."""
    with connection.cursor() as cursor:
        cursor.execute(query, {"org": walls.current(), **values})
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def as_mapping(value: Any) -> dict[str, Any]:
    """A JSON column as a raw question brings it: text."""
    found: dict[str, Any] = json.loads(value) if isinstance(value, str) else dict(value or {})
    return found


def count(query: str, **values: Any) -> int:
    """The one figure of a question."""
    return int(rows(query, **values)[0][0] or 0)


def ask(*queries: str, **values: Any) -> Looked:
    """Questions whose rows are (which row, what is wrong with it): each row breaks the promise."""
    together = Looked(checked=0)
    for query in queries:
        found = rows(f"SELECT b.*, count(*) OVER () FROM ({query}) b LIMIT {SHOWN}", **values)
        if found:
            breaches = tuple(Breach(str(row), says) for row, says, _ in found)
            together = together.also(Looked(checked=0, breaches=breaches, broken=found[0][2]))
    return together


def frame(query: str, schema: Mapping[str, Any], **values: Any) -> pl.DataFrame:
    """The rows of a question as columns. By COPY: a million rows come in a second or two, and never as objects of their own."""
    parts = io.BytesIO()
    with connection.cursor() as cursor, cursor.copy(f"COPY ({query}) TO STDOUT (FORMAT csv)", {"org": walls.current(), **values}) as copy:
        for part in copy:
            parts.write(part)
    if not parts.tell():
        return pl.DataFrame(schema=dict(schema))
    parts.seek(0)
    return pl.read_csv(parts, has_header=False, schema=dict(schema))
