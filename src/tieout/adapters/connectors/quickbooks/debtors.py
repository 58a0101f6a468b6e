"""A customer born elsewhere, in QuickBooks. Its name exists once there, among customers, vendors and employees together."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tieout.adapters.connectors.quickbooks import client, faults, marks, posting
from tieout.adapters.ports.connector import Command, Raw, Receipt
from tieout.adapters.ports.errors import BadRecord
from tieout.adapters.ports.http import Http
from tieout.core import party

#: The longest name QuickBooks takes.
LONGEST = 500


def make(http: Http, settings: Mapping[str, Any], command: Command) -> Receipt:
    """A new customer, or the one we made before. One of that name that is not ours is for a person to tie to ours."""
    name, body = _name(command), command.body
    namesakes = _called(http, settings, name)
    found = posting.ours(namesakes, command)
    if found is not None:
        return found
    if namesakes:
        raise BadRecord(f"QuickBooks has a customer {name!r} already, made by somebody else; say whether they are the same", field="name")
    wanted: dict[str, Any] = {"DisplayName": name, "CompanyName": name, "Notes": marks.mark(command.key)}
    if body.get("email"):
        wanted["PrimaryEmailAddr"] = {"Address": str(body["email"])}
    if body.get("phone"):
        wanted["PrimaryPhone"] = {"FreeFormNumber": str(body["phone"])}
    address = {theirs: str(body[ours]) for ours, theirs in (("city", "City"), ("country", "Country")) if body.get(ours)}
    if address:
        wanted["BillAddr"] = address
    if body.get("currency"):
        wanted["CurrencyRef"] = posting.ref(posting.currency(body))
    try:
        return posting.make(http, settings, client.CUSTOMERS, wanted, command)
    except faults.NameTaken:
        # A try of ours that the look came too early for, or a vendor or employee.
        found = posting.ours(_called(http, settings, name), command)
        if found is None:
            raise BadRecord(f"the name {name!r} is taken in QuickBooks, by another customer, a vendor or an employee", field="name") from None
        return found


def find(http: Http, settings: Mapping[str, Any], command: Command) -> Receipt | None:
    """The customer we made, by its name and our mark."""
    return posting.ours(_called(http, settings, _name(command)), command)


def _called(http: Http, settings: Mapping[str, Any], name: str) -> tuple[Raw, ...]:
    return client.ask(http, settings, client.CUSTOMERS, f"DisplayName = {client.text(name)}", priority="write").raws


def _name(command: Command) -> str:
    """The name as QuickBooks takes it: a colon would make a sub-customer of it."""
    name = party.tidy(re.sub(r"\s*:\s*", " - ", str(command.body["name"])))
    if not name or len(name) > LONGEST:
        raise BadRecord(f"a name in QuickBooks has 1 to {LONGEST} characters", field="name")
    return name
