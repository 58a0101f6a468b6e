"""`tieout worker`: the jobs, on any number of machines against one database."""

from __future__ import annotations

import click

from tieout.faces.cli import _setup


@click.command(help="Run the jobs: imports, planning, sending, mailboxes, the sweep of stalled jobs.")
@click.option("--concurrency", default=4, show_default=True, help="jobs at once in this process")
def command(concurrency: int) -> None:
    _setup.django()
    from procrastinate.contrib.django import app

    worker_app = app.with_connector(app.connector.get_worker_connector())  # type: ignore[attr-defined]
    with worker_app.open():
        worker_app.run_worker(concurrency=concurrency, install_signal_handlers=True, delete_jobs="successful")
