"""Rows of a query as columns, fast: the server joins them into one text, polars reads it as CSV.

A driver that hands out 100,000 tuples (or a COPY, one message a row) costs two to three times as much on the way. The server
limits one text to a gigabyte: some thirty million open invoices in the narrow columns planning reads.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import polars as pl
from django.db import connection

#: Customers from which on joins are to be hash joins, whatever the database believes about the size of its tables: after a large
#: import it believes they are empty until it has counted, and a nested loop then takes minutes instead of a second.
MANY = 500

_READ_AS: dict[Any, Any] = {pl.Date: pl.Int32, pl.Boolean: pl.Int8}
_EPOCH = dt.date(1970, 1, 1)


def columns(select: str, args: Mapping[str, Any], schema: Mapping[str, Any], *, bare: Collection[str] = ()) -> pl.DataFrame:
    """The rows of `select`, whose output columns bear the names of `schema`, as a frame of these polars types.

    Known types: Int64, String, Date, Boolean; NULL arrives as null. `args` are the named parameters of the query; `bare` names
    String columns that hold only letters and digits and so need no quotes (keys, codes).
    """
    joined = ", ',', ".join(f'"{name}"' if name in bare else _cell(name, kind) for name, kind in schema.items())
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT string_agg(concat({joined}), E'\\n') FROM ({select}) wanted", args)
        text = cursor.fetchone()[0]
    if not text:
        return pl.DataFrame(schema=dict(schema))
    read = {name: _READ_AS.get(kind, kind) for name, kind in schema.items()}
    found = pl.read_csv(text.encode(), has_header=False, schema=read)
    casts = [pl.col(name).cast(kind) for name, kind in schema.items() if kind in _READ_AS]
    return found.with_columns(casts) if casts else found


def ids(numbers: Iterable[int]) -> str:
    """Keys as an array literal, for a parameter beside a bigint: the driver looks at each of a list's members by itself."""
    return f"{{{','.join(map(str, numbers))}}}"


def _cell(name: str, kind: Any) -> str:
    if kind == pl.String:
        return f"""'"' || replace(replace("{name}"::text, '"', '""'), E'\\r', ' ') || '"'"""
    if kind == pl.Date:
        return f"\"{name}\" - DATE '{_EPOCH}'"
    return f'"{name}"::int' if kind == pl.Boolean else f'"{name}"'


@contextmanager
def set_wise(customers: Collection[int] | None) -> Iterator[None]:
    """Work on many customers (None: all) within the running transaction; on a few, nothing is changed."""
    if customers is not None and len(customers) < MANY:
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_nestloop = off")
    yield
    # Not in a `finally`: after an error the transaction takes no more statements, and the setting ends with it.
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_nestloop = on")
