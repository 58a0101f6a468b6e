"""`tieout serve`: pages and jobs together, on the embedded database unless DATABASE_URL names another."""

from __future__ import annotations

import os
import sys

import click

from tieout.faces.cli import _processes, _setup


@click.command(help="Run everything: database, pages and jobs, until Ctrl-C.")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True)
def command(host: str, port: int) -> None:
    os.environ.setdefault("TIEOUT_URL", f"http://{host}:{port}")
    _setup.django()
    click.echo(f"Tieout answers at http://{host}:{port}  (data in {os.environ['TIEOUT_DATA']}; Ctrl-C ends it)")
    sys.exit(_processes.run_together({"web": _processes.web(port, host), "worker": _processes.worker()}))
