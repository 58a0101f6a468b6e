"""`tieout sync [CONNECTION]`: read connected systems now."""

from __future__ import annotations

import json
import sys

import click

from tieout.faces.cli import _organisation, _setup


@click.command(help="Read CONNECTION (every connected system where none is named): its history once, then what changed.")
@click.argument("connection", required=False)
@click.option("--org", help="organisation, by name or id, where there is more than one")
@click.option("--anew", is_flag=True, help="read every stream whole again, to find what was deleted")
@click.option("--json", "as_json", is_flag=True, help="a JSON line each instead of words")
def command(connection: str | None, org: str | None, anew: bool, as_json: bool) -> None:
    _setup.django()
    from tieout.adapters.ports import registry
    from tieout.flow import sync
    from tieout.stages.base import walls
    from tieout.stages.intake.models import Connection

    organisation = _organisation.chosen(org)
    with walls.inside(organisation):
        rows = list(Connection.objects.filter(kind="system").order_by("name").values_list("pk", "name", "vendor"))
    wanted = [row for row in rows if connection in (None, row[1], str(row[0]))]
    if not wanted:
        click.echo(f"tieout: there is no connected system {connection or ''}; there are: {', '.join(row[1] for row in rows) or 'none'}", err=True)
        sys.exit(2)
    findings = False
    for connection_id, name, vendor in wanted:
        streams = [one.name for one in registry.connectors()[vendor].manifest.streams] if anew else []
        synced = sync.once(organisation, connection_id, resync=streams, progress=_progress(name))
        findings = findings or bool(synced.stopped or synced.quarantined)
        if as_json:
            click.echo(json.dumps({"connection": name, **sync.plain(synced)}, ensure_ascii=False))
            continue
        click.echo(
            f"{name}: {synced.seen} objects read in {synced.calls} calls: {synced.created} new, {synced.updated} updated,"
            f" {synced.unchanged} unchanged, {synced.gone} gone, {synced.quarantined} set aside"
        )
        if synced.stopped:
            click.echo(f"  stopped: {synced.stopped}", err=True)
    sys.exit(1 if findings else 0)


def _progress(name: str):  # type: ignore[no-untyped-def]
    def told(stream: str, count: int) -> None:
        if sys.stderr.isatty():
            click.echo(f"\r  {name}: {stream} {count}", err=True, nl=False)

    return told
