"""Stalled jobs: a worker that was killed leaves its job `doing`, and the job's lock bars that account's next one.

Each stalled job is freed by itself: putting one back may collide with a queueing lock that a newer job holds, and
that collision must not end the sweep for the others (the newer job does the same work, so the old one is ended).
"""

from __future__ import annotations

import datetime as dt

import psycopg
import structlog
from django.db import Error as DatabaseProblem
from procrastinate.contrib.django import app
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job, Status

log = structlog.get_logger()

#: A worker renews its heartbeat every 10 s; three missed ones mean it is gone.
SILENCE_SECONDS = 30


async def run() -> dict[str, int]:
    """Free every stalled job; returns how many were put back and how many ended because a newer one waits."""
    manager = app.job_manager
    counts = {"put_back": 0, "ended": 0}
    for job in await manager.get_stalled_jobs(seconds_since_heartbeat=SILENCE_SECONDS):
        try:
            await manager.retry_job(job, retry_at=dt.datetime.now(dt.UTC))
            counts["put_back"] += 1
        except (ConnectorException, DatabaseProblem, psycopg.Error) as collision:
            log.warning("stalled job gives way to a newer one", job=job.id, task=job.task_name, because=type(collision).__name__)
            await _end(job)
            counts["ended"] += 1
    await manager.prune_stalled_workers(SILENCE_SECONDS * 4)
    return counts


async def _end(job: Job) -> None:
    await app.job_manager.finish_job(job, status=Status.FAILED, delete_job=False)
