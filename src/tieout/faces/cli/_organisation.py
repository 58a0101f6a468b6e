"""Which organisation a command is about."""

from __future__ import annotations

import sys
from uuid import UUID

import click


def chosen(wanted: str | None) -> UUID:
    """The organisation named by id or name, or the only one there is. Exits with 2 and the list otherwise."""
    from tieout.stages.base import queries, walls

    names: dict[UUID, str] = {}
    for organisation in queries.organisations():
        with walls.inside(organisation):
            names[organisation] = queries.profile().name
    matching = [o for o, name in names.items() if wanted is None or wanted in (str(o), name)]
    if len(matching) == 1:
        return matching[0]
    known = "; ".join(f"{name} ({o})" for o, name in names.items()) or "none; run `tieout init` first"
    click.echo(f"tieout: say which organisation with --org NAME or --org ID. There are: {known}", err=True)
    sys.exit(2)
