"""`tieout init`: first organisation, its owner, its sender address and, if there is one, a first file."""

from __future__ import annotations

import secrets
import sys
from pathlib import Path

import click

from tieout.faces.cli import _setup


@click.command(help="Found an organisation with its owner and sender. It starts in shadow mode: everything is shown, nothing is sent.")
@click.option("--name", prompt="Name of the organisation")
@click.option("--country", prompt="Country (two letters)", default="DE")
@click.option("--time-zone", prompt="Time zone", default="Europe/Berlin")
@click.option("--currency", prompt="Main currency", default="EUR")
@click.option("--language", default="en", show_default=True)
@click.option("--owner", prompt="Owner's e-mail address")
@click.option("--password", default="", help="the owner's password; without it one is made and printed once")
@click.option("--sender-name", default="", help="who letters come from (default: the organisation)")
@click.option("--sender-address", prompt="Address letters come from")
@click.option("--file", "first", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="a first file of invoices")
def command(
    name: str,
    country: str,
    time_zone: str,
    currency: str,
    language: str,
    owner: str,
    password: str,
    sender_name: str,
    sender_address: str,
    first: Path | None,
) -> None:
    from tieout.core import days, money, party

    problems = [f"currency: {currency} is not an ISO 4217 code"] if not money.is_currency(currency.upper()) else []
    try:
        days.zone(time_zone)
    except ValueError as error:
        problems.append(f"time zone: {error}")
    for label, address in (("owner", owner), ("sender address", sender_address)):
        checked = party.mail_address(address)
        if isinstance(checked, party.AddressRefused):
            problems.append(f"{label}: {checked.reason}")
    if len(country) != 2 or not country.isalpha():
        problems.append("country: give the two-letter code, such as DE or GB")
    if problems:
        for problem in problems:
            click.echo(f"tieout: {problem}", err=True)
        sys.exit(2)
    _setup.django()
    from tieout.core.evidence import Actor
    from tieout.flow import clock
    from tieout.stages.base import found, walls

    now = clock.real_now()
    organisation = found.organisation(
        name=name,
        country=country.upper(),
        time_zone=time_zone,
        base_currency=currency.upper(),
        language=language,
        sender_name=sender_name or name,
        sender_address=sender_address,
        now=now,
    )
    made = "" if password else secrets.token_urlsafe(12)
    with walls.inside(organisation):
        person = found.person(email=owner, name="", password=password or made)
        found.member(person=person, role="owner", actor=Actor("machine", "tieout init"), now=now)
    click.echo(f"Founded {name} ({organisation}) in shadow mode: everything is shown, nothing is sent until you release it in Settings.")
    click.echo(f"Sign in as {owner}" + (f" with the password {made}  (shown once)" if made else ""))
    if first is not None:
        from tieout.faces.cli import _take

        sys.exit(_take.file(organisation, "First file", first, answers={}, profile=None, as_json=False))
    click.echo("Next: `tieout serve`, or `tieout import NAME FILE` for a first file of invoices.")
