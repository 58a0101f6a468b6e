"""`tieout verify`: the promises, checked on the live database. Reads only."""

from __future__ import annotations

import json
import sys
from typing import Any
from uuid import UUID

import click
import msgspec

from tieout.faces.cli import _organisation, _setup


@click.command(help="Check every promise on the database: a line each, and the rows that break it. Exit 1 where one is broken.")
@click.option("--org", help="organisation, by name or id (default: each one there is)")
@click.option("--json", "as_json", is_flag=True, help="JSON lines, one for each promise")
def command(org: str | None, as_json: bool) -> None:
    _setup.django()
    from tieout.stages.base import queries

    found = queries.organisations() if org is None else [_organisation.chosen(org)]
    if not found:
        click.echo("tieout: there is no organisation to verify; run `tieout init` first", err=True)
        sys.exit(2)
    broken = [_verified(organisation, as_json=as_json, named=len(found) > 1) for organisation in found]
    sys.exit(1 if any(broken) else 0)


def _verified(organisation: UUID, *, as_json: bool, named: bool) -> bool:
    """Print one organisation's results; whether a promise is broken."""
    from tieout.flow import anchor, clock
    from tieout.stages.base import queries, walls
    from tieout.stages.health import verify

    # Before the transaction: what is anchored while it looks would lie beyond its view.
    anchors = anchor.anchors(organisation)
    with walls.inside(organisation):
        verify.steady()
        name = queries.profile().name
        results = verify.run(now=clock.now(), anchors=anchors)
    if named and not as_json:
        click.echo(f"{name} ({organisation})")
    for result in results:
        for line in [json.dumps({"organisation": str(organisation), **msgspec.to_builtins(result)})] if as_json else _lines(result):
            click.echo(line)
    return any(not result.holds for result in results)


def _lines(result: Any) -> list[str]:
    seen = f"({result.checked:,} {result.of} checked)"
    if result.holds:
        lines = [f"{result.code} {result.title}: holds {seen}"]
    else:
        lines = [f"{result.code} {result.title}: BROKEN by {result.broken:,} {'row' if result.broken == 1 else 'rows'} {seen}"]
        lines += [f"    {breach.row}: {breach.says}" for breach in result.breaches]
        rest = result.broken - len(result.breaches)
        lines += [f"    and {rest:,} more"] if rest else []
    return [*lines, *(f"    note: {note}" for note in result.notes)]
