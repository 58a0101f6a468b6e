"""Make the framework ready for a command that needs the database."""

from __future__ import annotations

import sys

import click


def django(*, keep_running: bool = False, migrated: bool = True) -> None:
    """Prepare the database and Django. Exits with 2 and a sentence where that cannot be done."""
    from tieout.settings import embedded, place, roles

    try:
        place.prepare(keep_running=keep_running)
    except (embedded.EmbeddedUnavailable, roles.RolesRefused) as error:
        click.echo(f"tieout: {error}", err=True)
        sys.exit(2)
    import django as framework

    framework.setup()
    if migrated:
        from tieout.settings import schema

        schema.bring_up()
