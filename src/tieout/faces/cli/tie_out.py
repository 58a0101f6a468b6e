"""`tieout tie-out [CONNECTION]`: our balances against each connected source's, with a cause for every difference."""

from __future__ import annotations

import json
import sys

import click

from tieout.faces.cli import _organisation, _setup


@click.command(help="Compare what we hold to be open with what CONNECTION (every connected system where none is named) reports.")
@click.argument("connection", required=False)
@click.option("--org", help="organisation, by name or id, where there is more than one")
@click.option("--json", "as_json", is_flag=True, help="a JSON line for each document that differs")
def command(connection: str | None, org: str | None, as_json: bool) -> None:
    """Exit 1 where something stays unexplained."""
    _setup.django()
    from tieout.core.money import minor_text
    from tieout.core.tieout import MEANING
    from tieout.flow import clock
    from tieout.stages.base import walls
    from tieout.stages.insight import tie_out
    from tieout.stages.intake.models import Connection

    organisation = _organisation.chosen(org)
    unexplained = False
    with walls.inside(organisation):
        systems = list(Connection.objects.filter(kind="system").order_by("name"))
        wanted = [row for row in systems if connection in (None, row.name, str(row.pk))]
        if not wanted:
            click.echo(f"tieout: no connected system {connection or ''}; there are: {', '.join(r.name for r in systems) or 'none'}", err=True)
            sys.exit(2)
        for row in wanted:
            told = tie_out.run(connection=row, today=clock.today(), now=clock.now())
            unexplained = unexplained or bool(told.unexplained)
            if not as_json:
                click.echo(f"{row.name}: {len(told.documents)} documents, {told.differing} differ")
                for currency, causes in sorted(told.causes.items()):
                    for cause, minor in sorted(causes.items()):
                        click.echo(f"  {minor_text(minor, currency):>16} {currency}  {cause}: {MEANING[cause]}")
            for line in told.lines if as_json else ():
                for part in line.parts:
                    document = told.documents[part.id]
                    click.echo(json.dumps({
                        "connection": row.name, "customer_id": line.customer, "customer": told.names[line.customer], "document": document.number,
                        "source_id": document.external_id, "currency": line.currency, "difference": minor_text(part.minor, line.currency),
                        "cause": part.cause,
                    }, ensure_ascii=False))  # fmt: skip
    sys.exit(1 if unexplained else 0)
