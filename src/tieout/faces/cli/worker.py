"""`tieout worker`: the jobs, on any number of machines against one database."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import click

from tieout.faces.cli import _setup

#: How often waiting jobs are looked for, beside being told of new ones: nobody tells of one whose lock has become free, and a look costs
#: a millisecond.
_LOOK_SECONDS = 0.2


@click.command(help="Run the jobs: imports, planning, sending, mailboxes, the sweep of stalled jobs.")
@click.option("--concurrency", default=4, show_default=True, help="jobs at once in this process")
def command(concurrency: int) -> None:
    _setup.django()
    from procrastinate.contrib.django import app

    worker_app = app.with_connector(app.connector.get_worker_connector())  # type: ignore[attr-defined]
    asyncio.run(_work(worker_app, concurrency))


async def _work(worker_app: Any, concurrency: int) -> None:
    # Left to itself the loop has a few threads for each processor, and no more jobs than that would run at once.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(concurrency, thread_name_prefix="job"))
    async with worker_app.open_async():
        await worker_app.run_worker_async(
            concurrency=concurrency, install_signal_handlers=True, delete_jobs="successful", fetch_job_polling_interval=_LOOK_SECONDS
        )
