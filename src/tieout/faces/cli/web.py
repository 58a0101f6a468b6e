"""`tieout web`: the pages, on any number of machines against one database."""

from __future__ import annotations

import os
import sys

import click

from tieout.faces.cli import _processes, _setup


@click.command(help="Serve the pages. Run `tieout worker` beside it, or `tieout serve` for both.")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True)
@click.option("--workers", default=1, show_default=True, help="server processes")
def command(host: str, port: int, workers: int) -> None:
    os.environ.setdefault("TIEOUT_URL", f"http://{host}:{port}")
    _setup.django()
    sys.exit(_processes.run_together({"web": _processes.web(port, host, workers)}))
