"""`tieout connect pilot CONNECTION` and `tieout connect live CONNECTION`: a rehearsal from the terminal, and the end of it."""

from __future__ import annotations

import sys
from uuid import UUID

import click

from tieout.faces.cli import _organisation, _setup


def pilot(org: str | None, name: str, numbers: tuple[str, ...]) -> None:
    """Let invoices travel and say what was met; exit 1 where something is unexplained or would be refused."""
    _setup.django()
    from tieout.core.evidence import Actor
    from tieout.flow import pilot as rehearsal
    from tieout.stages.base import walls
    from tieout.stages.writeback import pilot as kept

    organisation = _organisation.chosen(org)
    connection = _connection(organisation, name)
    try:
        number = rehearsal.ask(organisation, connection, numbers=numbers, actor=Actor("person", "the command line"))
    except kept.NothingToShow as error:
        click.echo(f"tieout: {error}", err=True)
        sys.exit(2)
    rehearsal.run(organisation, number)
    with walls.inside(organisation):
        run = kept.runs(connection_id=connection, limit=1)[0]
    if run.error:
        click.echo(f"tieout: {run.error}", err=True)
        sys.exit(2)
    for one in run.results:
        source = f"read again in {one['milliseconds']} ms" if one["read"] else one["note"] or "from a file"
        click.echo(f"{one['number']}  {one['customer']}: {source}")
        _differences(one["differences"], one["source"])
        for there in one["there"]:
            click.echo(f"  {there['system']}: {there['error'] or ('has it' if there['has'] else 'does not have it yet')}")
            _differences(there["differences"], there["system"])
            for told in there["told"]:
                why = f"would wait: {told['waits']}" if told["waits"] else told["request"]
                why = f"would be refused: {told['refused']}" if told["refused"] else why
                click.echo(f"    {told['act']} {told['label']}: {why}")
    click.echo(f"{run.invoices} invoices, {run.differing} unexplained, {run.refused} would be refused; nothing was written or sent")
    sys.exit(1 if run.differing or run.refused else 0)


def live(org: str | None, name: str, reason: str) -> None:
    """From now on it is written to; where something of the checklist is missing, only with a reason."""
    _setup.django()
    from tieout.core.evidence import Actor
    from tieout.flow import clock, connecting, consent
    from tieout.stages.base import walls
    from tieout.stages.health import piloted
    from tieout.stages.intake.models import Connection

    organisation = _organisation.chosen(org)
    connection = _connection(organisation, name)
    with walls.inside(organisation):
        row = Connection.objects.get(pk=connection)
        ends = consent.ends(row.account, now=clock.real_now())
        missing = piloted.missing(connection=row, consent_ended=bool(ends and not ends.days), now=clock.now())
    if missing and not reason:
        click.echo(f"tieout: not yet live, this is missing: {', '.join(missing).lower()}; say why not to wait with --reason WHY", err=True)
        sys.exit(2)
    lines = connecting.go_live(
        organisation, connection, actor=Actor("person", "the command line"), reason=reason if missing else "", missing=missing
    )
    click.echo(f"{row.name} is live; {lines} lines were added to the map")


def _differences(differences: list[dict[str, str]], theirs: str) -> None:
    for one in differences:
        click.echo(f"    {one['field']}: here {one['ours']}, {theirs} {one['theirs']} ({one['why'] or 'unexplained'})")


def _connection(organisation: UUID, name: str) -> int:
    from tieout.stages.base import walls
    from tieout.stages.intake.models import Connection

    with walls.inside(organisation):
        rows = list(Connection.objects.filter(kind="system").order_by("name").values_list("pk", "name"))
    found = [pk for pk, called in rows if name in (called, str(pk))]
    if not found:
        known = ", ".join(called for _, called in rows) or "none"
        click.echo(f"tieout: there is no connected system {name!r}; there are: {known}", err=True)
        sys.exit(2)
    return int(found[0])
