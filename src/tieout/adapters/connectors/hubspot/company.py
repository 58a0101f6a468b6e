"""A company for a customer who was born elsewhere. It carries the customer's number in a property that HubSpot keeps unique, so it
is made once however often it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tieout.adapters.connectors.hubspot import client, fields, reading, shapes
from tieout.adapters.connectors.hubspot.whole import CUSTOMERS, named
from tieout.adapters.ports.connector import Command, Raw, Receipt, Ref
from tieout.adapters.ports.errors import BadRecord, Unsupported
from tieout.adapters.ports.http import Http

_COMPANIES = f"{client.OBJECTS}/companies"
#: What it is given besides its name.
_FURTHER = ("domain", "phone", "city", "country")


def make(http: Http, settings: Mapping[str, Any], command: Command) -> Receipt:
    """The company that carries the customer's number, made where there is none; one that is there is left as it is."""
    body = command.body
    ours, name = str(body["ours"]), str(body["name"])
    fields.ensure(http, "companies")
    found = find(http, settings, command)
    if found is not None:
        return found
    given = {"name": name, fields.OURS: ours, fields.KEY: command.key} | {field: str(body[field]) for field in _FURTHER if body.get(field)}
    inputs = [{"id": ours, "idProperty": fields.OURS, "properties": given}]
    answer = client.good(http.send("POST", f"{_COMPANIES}/batch/upsert", json={"inputs": inputs}, repeatable=True))
    told = client.decoded(answer, shapes.Batch)
    if not told.results:
        raise BadRecord(f"HubSpot makes no company: {told.errors[0].message if told.errors else 'it does not say why'}")
    return Receipt(raw=_as_read(http, settings, told.results[0].id))


def find(http: Http, settings: Mapping[str, Any], command: Command) -> Receipt | None:
    """The company that carries the customer's number, where there is one."""
    # Asked for in a body and not in a path: a number may hold any sign.
    asked = {"idProperty": fields.OURS, "inputs": [{"id": str(command.body["ours"])}], "properties": [fields.OURS], "propertiesWithHistory": []}
    answer = http.send("POST", f"{_COMPANIES}/batch/read", json=asked, repeatable=True, reads=True)
    # 400 says that nobody has made the property yet, so no company can carry it.
    if answer.status == 400:
        return None
    found = client.decoded(client.good(answer), shapes.Batch).results
    return Receipt(raw=_as_read(http, settings, found[0].id), found=True) if found else None


#: What can be changed of a company; the addresses of people are theirs.
CHANGES = ("name", "phone", "city", "country")


def change(http: Http, settings: Mapping[str, Any], command: Command) -> Receipt:
    """One property of a company; writing the same again changes nothing."""
    ident, field = _changing(command)
    client.good(http.send("PATCH", f"{_COMPANIES}/{ident}", json={"properties": {field: str(command.body["value"])}}, repeatable=True))
    return Receipt(raw=_as_read(http, settings, ident))


def find_change(http: Http, settings: Mapping[str, Any], command: Command) -> Receipt | None:
    """Whether the company says so already."""
    ident, field = _changing(command)
    asked = {"inputs": [{"id": ident}], "properties": [field], "propertiesWithHistory": []}
    found = client.decoded(client.good(http.send("POST", f"{_COMPANIES}/batch/read", json=asked, repeatable=True)), shapes.Batch).results
    if not found or str(found[0].properties.get(field) or "") != str(command.body["value"]):
        return None
    return Receipt(raw=_as_read(http, settings, ident), found=True)


def _changing(command: Command) -> tuple[str, str]:
    kind, ident = named(command.body["customer"])
    field = str(command.body["field"])
    if kind != "companies" or field not in CHANGES:
        raise Unsupported(f"HubSpot takes no change of the {field} of {'a company' if kind == 'companies' else 'a contact'} from here")
    return ident, field


def _as_read(http: Http, settings: Mapping[str, Any], ident: str) -> Raw:
    return next(iter(reading.again(http, refs=[Ref(CUSTOMERS, ident)], label=reading.label(settings))))
