"""`tieout import CONNECTION FILE`: a file into the ledger."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from tieout.faces.cli import _organisation, _setup, _take


@click.command(help="Take FILE into CONNECTION (made where it is new). Good rows go on, bad ones are set aside with their reason.")
@click.argument("connection")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--org", help="organisation, by name or id, where there is more than one")
@click.option("--profile", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="how to read the file, saved for the connection")
@click.option("--answer", "answers", multiple=True, metavar="CODE=VALUE", help="answer to a question the file leaves open, such as date_order=DMY")
@click.option("--every", "cadence_hours", type=int, help="hours within which this source is expected to bring something new")
@click.option("--json", "as_json", is_flag=True, help="one JSON line instead of words")
def command(
    connection: str, file: Path, org: str | None, profile: Path | None, answers: tuple[str, ...], cadence_hours: int | None, as_json: bool
) -> None:
    from tieout.adapters.ports import profile as profiles

    wrong = [a for a in answers if "=" not in a]
    if wrong:
        click.echo(f"tieout: --answer {wrong[0]} is not CODE=VALUE", err=True)
        sys.exit(2)
    try:
        saved = profiles.load(profile) if profile else None
    except ValueError as error:
        click.echo(f"tieout: {error}", err=True)
        sys.exit(2)
    _setup.django()
    given = dict(a.split("=", 1) for a in answers)
    sys.exit(_take.file(_organisation.chosen(org), connection, file, answers=given, profile=saved, as_json=as_json, cadence_hours=cadence_hours))
