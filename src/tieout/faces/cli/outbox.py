"""`tieout outbox [CONNECTION]`: what connected systems are to hear from us, what would be written, and the way back for files."""

from __future__ import annotations

import datetime as dt
import json
import sys
from typing import Any
from uuid import UUID

import click

from tieout.faces.cli import _organisation, _setup


@click.command(help="Show what CONNECTION (every connected system where none is named) was told and has yet to hear.")
@click.argument("connection", required=False)
@click.option("--org", help="organisation, by name or id, where there is more than one")
@click.option("--dry-run", is_flag=True, help="show what would be written now, with every body, and write nothing")
@click.option("--state", type=click.Choice(["waiting", "claimed", "done", "failed", "unknown", "person"]), help="only effects in this state")
@click.option("--csv", "csv_file", type=click.Path(dir_okay=False, allow_dash=True), help="for a source of files: write its outbox to this file")
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="with --csv: what changed since this day, not since the last file")
@click.option("--repeat", type=int, help="with --csv: file number N once more, byte for byte")
@click.option("--json", "as_json", is_flag=True, help="a JSON line each instead of words")
def command(
    connection: str | None, org: str | None, dry_run: bool, state: str | None, csv_file: str | None, since: dt.datetime | None, repeat: int | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Exit 1 where something waits for a person."""
    _setup.django()
    organisation = _organisation.chosen(org)
    if csv_file is None and (since or repeat is not None):
        _wrong("--since and --repeat go with --csv")
    row = _connection(organisation, connection)
    if csv_file is not None:
        _file(organisation, row, csv_file, since, repeat)
    elif dry_run:
        _would(organisation, row, as_json)
    else:
        _listed(organisation, row, state, as_json)


def _connection(organisation: UUID, wanted: str | None) -> Any:
    from tieout.stages.base import walls
    from tieout.stages.intake.models import Connection

    if wanted is None:
        return None
    with walls.inside(organisation):
        rows = list(Connection.objects.filter(kind__in=("system", "file")).order_by("name"))
    found = next((row for row in rows if wanted in (row.name, str(row.pk))), None)
    if found is None:
        _wrong(f"there is no connection {wanted}; there are: {', '.join(row.name for row in rows) or 'none'}")
    return found


def _file(organisation: UUID, row: Any, csv_file: str, since: dt.datetime | None, repeat: int | None) -> None:
    from tieout.core import days
    from tieout.core.evidence import Actor, Refused
    from tieout.flow import clock
    from tieout.stages.base import queries, walls
    from tieout.stages.writeback import file_out
    from tieout.stages.writeback.models import Download

    if row is None or row.kind != "file":
        _wrong("--csv is for a source of files: name it")
    with walls.inside(organisation):
        if repeat is not None:
            made = Download.objects.filter(connection=row, ordinal=repeat).first()
            made = made if made is not None else Refused(f"{row.name} has no file number {repeat}")
        else:
            moment = dt.datetime.combine(since.date(), dt.time(), days.zone(queries.profile().time_zone)) if since else None
            made = file_out.make(connection=row, since=moment, actor=Actor("person", "the command line"), now=clock.now())
        if isinstance(made, Refused):
            click.echo(f"tieout: {made.reason}", err=True)
            sys.exit(2 if repeat is not None else 0)
        # Written before the file counts as handed out: a full disk must not lose what the next one leaves out.
        try:
            with click.open_file(csv_file, "wb") as out:
                out.write(bytes(made.content))
        except OSError as error:
            raise click.ClickException(f"{csv_file} cannot be written: {error.strerror}; nothing counts as handed out") from None
    click.echo(f"{row.name}: file {made.ordinal} with {made.lines} lines, SHA-256 {made.sha256}", err=True)


def _would(organisation: UUID, row: Any, as_json: bool) -> None:
    from tieout.flow import dry_run

    if row is not None and row.kind != "system":
        _wrong(f"{row.name} is a source of files; its outbox is made with --csv FILE")
    dry = dry_run.run(organisation, row.pk if row else None)
    for one in dry.effects:
        if as_json:
            told = {"connection": one.connection, "act": one.act, "label": one.label, "key": one.key, "waits": one.waits, "body": one.body}
            click.echo(json.dumps(told, ensure_ascii=False, default=str))
            continue
        click.echo(f"{one.connection}: {one.act} {one.label}{f' would wait: {one.waits}' if one.waits else ''}")
        if one.body:
            click.echo(f"  {json.dumps(one.body, ensure_ascii=False, default=str)}")
    if not as_json:
        click.echo(f"{len(dry.effects)} effects{f' and {dry.more} more' if dry.more else ''}; nothing was written", err=True)
    sys.exit(1 if any(one.waits for one in dry.effects) else 0)


def _listed(organisation: UUID, row: Any, state: str | None, as_json: bool) -> None:
    from tieout.stages.base import walls
    from tieout.stages.writeback import queries

    waits = False
    with walls.inside(organisation):
        filters = queries.Filters(state=state, connection_id=row.pk if row else None)
        before: int | None = None
        while rows := queries.listing(filters=filters, before=before, limit=500):
            before = rows[-1].id
            for one in rows:
                waits = waits or one.state in queries.WAITING_FOR_SOMEBODY
                if as_json:
                    told = {
                        "id": one.id, "connection": one.connection, "act": one.kind, "label": one.label, "state": one.state, "said": one.said,
                        "external_id": one.external_id, "key": one.key, "attempts": one.attempts, "written_at": one.written_at.isoformat(),
                    }  # fmt: skip
                    click.echo(json.dumps(told, ensure_ascii=False))
                else:
                    said = f"  {one.said}" if one.said and one.state != "done" else ""
                    click.echo(f"{one.state:<8} {one.connection}: {one.kind} {one.label}{f' = {one.external_id}' if one.external_id else ''}{said}")
    sys.exit(1 if waits else 0)


def _wrong(message: str) -> Any:
    click.echo(f"tieout: {message}", err=True)
    sys.exit(2)
