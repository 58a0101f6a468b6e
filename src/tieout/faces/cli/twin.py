"""`tieout twin NAME`: a local stand-in for a vendor, for rehearsal and tests."""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path

import click


@click.command(help="Answer as NAME would (stripe, quickbooks, hubspot) on a port of this machine until Ctrl-C.")
@click.argument("name", required=False)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="0 picks a free one")
@click.option("--faults", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="a fault script, YAML or JSON")
@click.option("--latency-ms", type=click.FloatRange(0, 60_000), default=0.0, help="how long each answer takes")
@click.option("--fill", type=click.IntRange(0, 1_000_000), default=0, help="begin with so many made-up invoices")
def command(name: str | None, port: int, faults: Path | None, latency_ms: float, fill: int) -> None:
    from tieout.rehearsal.twins import faults as faulty
    from tieout.rehearsal.twins import found, server

    twins = found.twins()
    if name not in twins:
        click.echo(f"tieout: {'say which twin' if name is None else f'there is no twin {name!r}'}; there are: {', '.join(twins)}", err=True)
        sys.exit(2)
    twin = twins[name](latency_seconds=latency_ms / 1000)
    try:
        if faults:
            twin.faults.put(*faulty.read(faults))
    except faulty.ScriptRefused as error:
        click.echo(f"tieout: {error}", err=True)
        sys.exit(2)
    if fill:
        twin.fill(fill)
    try:
        running = server.Serving(twin, port=port)
    except (OSError, SystemExit) as error:
        click.echo(f"tieout: port {port} is not free: {error}", err=True)
        sys.exit(2)
    click.echo(f"{twin.title} answers at {running.url} and has a page there for people.")
    given = " ".join(f"--set {field}={value}" for field, value in {**twin.ways_in(), "base_url": running.url}.items())
    click.echo(f"Connect it:  tieout connect {name} {given}".replace("%HERE%", running.url))
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    ended.wait()
    running.stop()
