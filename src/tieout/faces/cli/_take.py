"""Take a file into a connection from the terminal: progress on a terminal, quiet in a pipe, findings told at the end."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import click
import msgspec


def file(
    organisation: UUID, name: str, path: Path, *, answers: dict[str, str], profile: object | None, as_json: bool, cadence_hours: int | None = None
) -> int:
    """Import `path` into the connection `name`, founding it where it is new. Returns the exit code."""
    from tieout.core.evidence import Actor
    from tieout.flow import clock, on_upload
    from tieout.stages.base import walls
    from tieout.stages.intake import connect
    from tieout.stages.intake.models import Connection

    actor = Actor("person", "the command line")
    with walls.inside(organisation):
        now = clock.now()
        connection = Connection.objects.filter(name=name).first() or connect.file(
            name=name, profile={}, cadence_hours=cadence_hours, actor=actor, now=now
        )
        if profile is not None:
            connect.profile(connection=connection, profile=msgspec.to_builtins(profile), actor=actor, now=now)
        if cadence_hours is not None and cadence_hours != connection.cadence_hours:
            connect.cadence(connection=connection, hours=cadence_hours, actor=actor, now=now)
    with click.progressbar(length=max(1, path.stat().st_size), label=path.name, file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:

        def progress(done: int, _total: int) -> None:
            bar.update(max(0, done - bar.pos))

        taken = on_upload.take(
            organisation_id=organisation,
            connection_id=connection.pk,
            name=path.name,
            chunks=_chunks(path),
            actor=actor,
            answers=answers,
            progress=progress,
        )
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(taken), ensure_ascii=False))
    else:
        click.echo(f"{path.name}: {taken.state}: {taken.reason}")
        if taken.run_id is not None and taken.read:
            click.echo(
                f"  {taken.read} records: {taken.created} new, {taken.updated} updated, {taken.unchanged} unchanged, {taken.quarantined} set aside,"
                f" {taken.skipped} skipped"
            )
        for notice in taken.notices[:20]:
            click.echo(f"  line {notice['line'] or '-'}: {notice['message']}", err=True)
    if taken.state == "quarantined" and not taken.read:
        return 2
    return 1 if taken.quarantined else 0


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as handle:
        while chunk := handle.read(1024 * 1024):
            yield chunk
