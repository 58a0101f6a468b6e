"""The job queue as it stands: who works, what waits, what hangs."""

from __future__ import annotations

import datetime as dt

import msgspec
from django.db import connection

from tieout.flow.sweep import SILENCE_SECONDS


class Queue(msgspec.Struct, frozen=True, kw_only=True):
    """Workers heard of lately; jobs that are due and since when; jobs whose worker has gone silent; jobs that failed in the last day."""

    workers: int
    waiting: int
    waiting_since: dt.datetime | None
    stalled: int
    failed: int


_STATE = """
SELECT (SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > now() - %(silence)s * interval '1 second'),
       (SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo' AND coalesce(scheduled_at, now()) <= now()),
       (SELECT min(coalesce(j.scheduled_at, e.at)) FROM procrastinate_jobs j
          JOIN procrastinate_events e ON e.job_id = j.id AND e.type = 'deferred'
         WHERE j.status = 'todo' AND coalesce(j.scheduled_at, now()) <= now()),
       (SELECT count(*) FROM procrastinate_jobs j LEFT JOIN procrastinate_workers w ON w.id = j.worker_id
         WHERE j.status = 'doing' AND (w.id IS NULL OR w.last_heartbeat < now() - %(silence)s * interval '1 second')),
       (SELECT count(DISTINCT e.job_id) FROM procrastinate_events e JOIN procrastinate_jobs j ON j.id = e.job_id
         WHERE j.status = 'failed' AND e.type = 'failed' AND e.at > now() - interval '1 day')"""


def state() -> Queue:
    """The queue of this installation, by the database's clock."""
    with connection.cursor() as cursor:
        cursor.execute(_STATE, {"silence": SILENCE_SECONDS})
        workers, waiting, since, stalled, failed = cursor.fetchone()
    return Queue(workers=workers, waiting=waiting, waiting_since=since, stalled=stalled, failed=failed)
