"""A customer born elsewhere, in QuickBooks. Its name exists once there, among customers, vendors and employees together."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from tieout.adapters.connectors.quickbooks import client, faults, marks, posting
from tieout.adapters.ports.connector import Command, Raw, Receipt
from tieout.adapters.ports.errors import BadRecord, Unsupported
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


#: What can be changed of a customer, and how QuickBooks has it.
CHANGES: Mapping[str, Callable[[str], dict[str, Any]]] = {
    "name": lambda value: {"DisplayName": value, "CompanyName": value},
    "email": lambda value: {"PrimaryEmailAddr": {"Address": value}},
    "phone": lambda value: {"PrimaryPhone": {"FreeFormNumber": value}},
    "country": lambda value: {"BillAddr": {"Country": value}},
    "city": lambda value: {"BillAddr": {"City": value}},
}


def change(http: Http, settings: Mapping[str, Any], command: Command) -> Receipt:
    """One field of a customer. Somebody else's save in between is met by reading it once more."""
    raw = _standing(http, settings, command)
    todo = _todo(raw, command)
    if todo is None:
        return Receipt(raw=raw, found=True)
    try:
        said = _saved(http, settings, command, raw, todo)
    except faults.Stale:
        raw = _standing(http, settings, command)
        todo = _todo(raw, command)
        said = _saved(http, settings, command, raw, todo) if todo else ""
    raw = _standing(http, settings, command)
    if _todo(raw, command) is not None:
        raise BadRecord(f"QuickBooks took the change of customer {raw.id} and did not do it; look at it there", field=str(command.body["field"]))
    return Receipt(raw=raw, said=said)


def _saved(http: Http, settings: Mapping[str, Any], command: Command, raw: Raw, todo: Mapping[str, Any]) -> str:
    wanted = {"Id": raw.id, "SyncToken": raw.version, "sparse": True, **todo}
    try:
        answer = posting.post(http, settings, client.CUSTOMERS, wanted, request_id=marks.request_id(command.key, raw.version))
    except faults.NameTaken:
        taken = f"the name {command.body['value']!r} is taken in QuickBooks, by another customer, a vendor or an employee"
        raise BadRecord(taken, field="name") from None
    return answer.headers.get("intuit_tid", "")


def find_change(http: Http, settings: Mapping[str, Any], command: Command) -> Receipt | None:
    """Whether the customer says so already."""
    raw = client.one(http, settings, client.CUSTOMERS, str(command.body["customer"]), priority="write")
    return None if raw.gone or _todo(raw, command) is not None else Receipt(raw=raw, found=True)


def _standing(http: Http, settings: Mapping[str, Any], command: Command) -> Raw:
    raw = client.one(http, settings, client.CUSTOMERS, str(command.body["customer"]), priority="write")
    if raw.gone:
        raise BadRecord(f"customer {raw.id} is not in QuickBooks any more", field="customer")
    return raw


def _todo(raw: Raw, command: Command) -> dict[str, Any] | None:
    """What is still to be sent; None where the customer stands as it should. An address goes whole, or its other lines would go."""
    field, value = str(command.body["field"]), str(command.body["value"])
    made = CHANGES.get(field)
    if made is None:
        raise Unsupported(f"QuickBooks takes no change of a customer's {field} from here")
    wanted = made(_name(command, value) if field == "name" else value)
    now = msgspec.json.decode(raw.body, type=dict[str, Any])
    merged = {key: {**(now.get(key) or {}), **part} if isinstance(part, dict) else part for key, part in wanted.items()}
    return None if all(now.get(key) == part for key, part in merged.items()) else merged


def _called(http: Http, settings: Mapping[str, Any], name: str) -> tuple[Raw, ...]:
    return client.ask(http, settings, client.CUSTOMERS, f"DisplayName = {client.text(name)}", priority="write").raws


def _name(command: Command, given: str | None = None) -> str:
    """The name as QuickBooks takes it: a colon would make a sub-customer of it."""
    name = party.tidy(re.sub(r"\s*:\s*", " - ", str(command.body["name"]) if given is None else given))
    if not name or len(name) > LONGEST:
        raise BadRecord(f"a name in QuickBooks has 1 to {LONGEST} characters", field="name")
    return name
