"""`tieout migrate`: bring the database to this version, roles and walls included."""

from __future__ import annotations

import click

from tieout.faces.cli import _setup


@click.command(help="Bring the database to this version: roles, tables, walls. Safe to repeat.")
def command() -> None:
    _setup.django()
    click.echo("The database is at this version; every table of an organisation stands behind its wall.")
