"""A killed worker leaves a job behind: it is freed within the sweep, whatever else has been queued meanwhile."""

from __future__ import annotations

import asyncio
import uuid

import pytest
from django.db import connection
from procrastinate.contrib.django import app

from tieout.flow import jobs, sweep

pytestmark = pytest.mark.usefixtures("database")


def rows(query: str, *params: object) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, params)
        return cursor.fetchall() if cursor.description else []


def dead_job(organisation: uuid.UUID) -> int:
    """A job that a worker took and then died: its heartbeat is two minutes old."""
    jobs.later(jobs.send, organisation=organisation, lock="send")
    worker = rows("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '2 minutes') RETURNING id")[0][0]
    job = rows(
        "UPDATE procrastinate_jobs SET status = 'doing', worker_id = %s WHERE args ->> 'organisation' = %s AND status = 'todo' RETURNING id",
        worker,
        str(organisation),
    )[0][0]
    assert isinstance(job, int)
    return job


def status(job: int) -> object:
    return rows("SELECT status FROM procrastinate_jobs WHERE id = %s", job)[0][0]


def sweep_once() -> dict[str, int]:
    async def run() -> dict[str, int]:
        return await sweep.run()

    return asyncio.run(run())


def test_a_dead_workers_job_is_put_back(organisation: uuid.UUID) -> None:
    job = dead_job(organisation)
    sweep_once()
    assert status(job) == "todo"


def test_a_collision_on_the_queueing_lock_ends_one_job_and_frees_the_others(organisation: uuid.UUID) -> None:
    first = dead_job(organisation)
    jobs.later(jobs.send, organisation=organisation, lock="send")  # the newer one holds the lock now
    other = dead_job(uuid.uuid4())
    sweep_once()
    assert (status(first), status(other)) == ("failed", "todo")
    waiting = rows("SELECT count(*) FROM procrastinate_jobs WHERE args ->> 'organisation' = %s AND status = 'todo'", str(organisation))
    assert waiting[0][0] == 1


def test_one_waiting_job_of_a_kind_is_enough_and_asking_again_harms_nothing(organisation: uuid.UUID) -> None:
    for _ in range(5):
        jobs.later(jobs.send, organisation=organisation, lock="send")
    assert rows("SELECT count(*) FROM procrastinate_jobs WHERE args ->> 'organisation' = %s", str(organisation))[0][0] == 1


def test_a_job_deferred_in_a_transaction_that_rolls_back_does_not_exist(organisation: uuid.UUID) -> None:
    from tieout.stages.base import walls

    with pytest.raises(RuntimeError), walls.inside(organisation):
        jobs.later(jobs.judge, organisation=organisation, customers=[1])
        raise RuntimeError
    assert rows("SELECT count(*) FROM procrastinate_jobs WHERE args ->> 'organisation' = %s", str(organisation))[0][0] == 0


def test_every_job_the_schedule_names_exists() -> None:
    app.perform_import_paths()
    assert {"tieout.send", "tieout.sweep", "tieout.nightly", "tieout.read_envelope"} <= set(app.tasks)
