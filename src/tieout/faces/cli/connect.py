"""`tieout connect VENDOR`: connect a system from the terminal; `connect pilot NAME` and `connect live NAME` take it further."""

from __future__ import annotations

import sys

import click

from tieout.faces.cli import _organisation, _piloting, _setup


@click.command(
    help="Connect VENDOR; without one, tell which there are. What it needs is given with --set FIELD=VALUE or asked for on a terminal."
    " `pilot CONNECTION [NUMBER...]` lets invoices travel without anything being written, `live CONNECTION` ends the pilot."
)
@click.argument("vendor", required=False)
@click.argument("more", nargs=-1)
@click.option("--org", help="organisation, by name or id, where there is more than one")
@click.option("--name", default="", help="what to call the connection")
@click.option("--set", "given", multiple=True, metavar="FIELD=VALUE", help="a field of the connect form; VALUE may be @FILE")
@click.option("--live", is_flag=True, help="let it be written to at once, instead of beginning in pilot")
@click.option("--reason", default="", help="why to go live although something is missing")
def command(vendor: str | None, more: tuple[str, ...], org: str | None, name: str, given: tuple[str, ...], live: bool, reason: str) -> None:
    from tieout.adapters.ports import registry

    if vendor in ("pilot", "live"):
        if not more or (vendor == "live" and len(more) > 1):
            click.echo(f"tieout: say which connection: `tieout connect {vendor} NAME`", err=True)
            sys.exit(2)
        if vendor == "pilot":
            _piloting.pilot(org, more[0], more[1:])
        _piloting.live(org, more[0], reason)
        return
    if more:
        click.echo(f"tieout: {more[0]!r} is too much: `tieout connect {vendor}` takes --set FIELD=VALUE", err=True)
        sys.exit(2)
    if vendor == "push":
        _push(org, name)
        return
    connectors = registry.connectors()
    if vendor is None or vendor not in connectors:
        for one in connectors.values():
            click.echo(f"{one.manifest.name:12} {one.manifest.about}")
        click.echo(f"{'push':12} Any system that posts its records itself; a key is made for it.")
        if vendor is not None:
            click.echo(f"tieout: there is no connector {vendor!r}", err=True)
        sys.exit(0 if vendor is None else 2)
    wrong = [one for one in given if "=" not in one]
    if wrong:
        click.echo(f"tieout: --set {wrong[0]} is not FIELD=VALUE", err=True)
        sys.exit(2)
    values = {key: _value(value) for key, value in (one.split("=", 1) for one in given)}
    for field in connectors[vendor].manifest.fields:
        if field.name not in values and sys.stdin.isatty():
            values[field.name] = click.prompt(field.label, default=field.default, hide_input=field.secret, show_default=not field.secret)
    _setup.django()
    from tieout.adapters.ports.errors import PortError
    from tieout.core.evidence import Actor
    from tieout.flow import connecting
    from tieout.stages.intake.connect import NameTaken

    try:
        connection_id, account = connecting.open(
            _organisation.chosen(org), vendor=vendor, name=name, given=values, stage="live" if live else "pilot",
            actor=Actor("person", "the command line"),
        )  # fmt: skip
    except (PortError, NameTaken) as error:
        click.echo(f"tieout: {error}", err=True)
        sys.exit(2)
    kind = "" if account.live else ", a test account"
    click.echo(f"connected to {account.name} ({account.id}{kind}) as connection {connection_id}; `tieout sync` reads it")


def _push(org: str | None, name: str) -> None:
    _setup.django()
    from tieout.core.evidence import Actor
    from tieout.flow import pushed
    from tieout.stages.intake.connect import NameTaken

    try:
        issued = pushed.open(_organisation.chosen(org), name=name or "Pushed", actor=Actor("person", "the command line"))
    except NameTaken as error:
        click.echo(f"tieout: {error}", err=True)
        sys.exit(2)
    click.echo(f"{issued.plain}")
    click.echo("This is the key, shown once. Records are posted to /api/v1/, or with `tieout push FOLDER --to URL --key KEY`.", err=True)


def _value(text: str) -> str:
    if not text.startswith("@"):
        return text
    try:
        with open(text[1:], encoding="utf-8") as handle:
            return handle.read().strip()
    except OSError as error:
        click.echo(f"tieout: {text}: {error.strerror}", err=True)
        sys.exit(2)
