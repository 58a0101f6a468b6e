"""The change feed, read by commit visibility.

An identity value is handed out before its transaction commits, so the highest id seen says nothing about rows still
under way below it. A reader therefore takes only changes whose transaction is older than every running one
(`pg_snapshot_xmin`), in the order (transaction, id), and nothing is ever skipped.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import msgspec
from django.db import connection

from tieout.stages.base import walls
from tieout.stages.base.models import Change, FeedCursor


class Changed(msgspec.Struct, frozen=True):
    """One entry: `ids` of `kind` changed by `cause`; the customers it touches."""

    kind: str
    cause: str
    ids: tuple[int, ...]
    customer_ids: tuple[int, ...]


def publish(*, kind: str, ids: Iterable[int], customer_ids: Iterable[int], cause: str, now: dt.datetime) -> None:
    """Say, in the transaction that changed them, which rows changed."""
    ids = sorted(set(ids))
    if ids:
        customers = sorted({c for c in customer_ids if c is not None})
        Change.objects.create(kind=kind, cause=cause, ids=ids, customer_ids=customers, recorded_at=now)


def take(*, reader: str, limit: int = 500) -> list[Changed]:
    """What has committed since `reader` last asked, oldest first; moves its cursor in the running transaction."""
    organisation_id = walls.current()
    FeedCursor.objects.bulk_create([FeedCursor(organisation_id=organisation_id, reader=reader)], ignore_conflicts=True)
    cursor = FeedCursor.objects.select_for_update().get(reader=reader)
    with connection.cursor() as sql:
        sql.execute(
            """SELECT xid, id, kind, cause, ids, customer_ids FROM base_change
                WHERE organisation_id = %s AND (xid, id) > (%s, %s) AND xid < (pg_snapshot_xmin(pg_current_snapshot())::text)::bigint
                ORDER BY xid, id LIMIT %s""",
            [organisation_id, cursor.xid, cursor.change_id, limit],
        )
        rows = sql.fetchall()
    if not rows:
        return []
    cursor.xid, cursor.change_id = rows[-1][0], rows[-1][1]
    cursor.save(update_fields=["xid", "change_id"])
    decode = msgspec.json.decode
    return [
        Changed(kind, cause, tuple(decode(ids) if isinstance(ids, str) else ids), tuple(decode(c) if isinstance(c, str) else c))
        for _, _, kind, cause, ids, c in rows
    ]
