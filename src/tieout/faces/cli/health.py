"""`tieout health`: is every source fresh, and does anything wait for somebody?"""

from __future__ import annotations

import json
import sys

import click
import msgspec

from tieout.faces.cli import _organisation, _setup


@click.command(help="Freshness of every source and what waits for somebody. Exit 1 where a source is stale or rows wait.")
@click.option("--org", help="organisation, by name or id, where there is more than one")
@click.option("--json", "as_json", is_flag=True, help="JSON lines")
def command(org: str | None, as_json: bool) -> None:
    _setup.django()
    from tieout.flow import clock
    from tieout.stages.base import queries, walls
    from tieout.stages.intake import queries as intake

    with walls.inside(_organisation.chosen(org)):
        rows = intake.connections(now=clock.now())
        mode, why = queries.sending_mode()
    for row in rows:
        if as_json:
            click.echo(json.dumps(msgspec.to_builtins(row)))
            continue
        fresh = row.freshness
        state = "stale" if fresh.stale else "fresh"
        last = f"{fresh.last_success_at:%Y-%m-%d %H:%M} UTC" if fresh.last_success_at else "never"
        click.echo(f"{fresh.name}: {state}, last {last}, {row.waiting_rows} rows waiting{' - ' + fresh.reason if fresh.reason else ''}")
    if not as_json:
        click.echo(f"sending: {mode}{' - ' + why if why else ''}")
    sys.exit(1 if any(r.freshness.stale or r.waiting_rows for r in rows) else 0)
