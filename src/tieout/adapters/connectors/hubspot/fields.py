"""The properties of our own that companies carry, and contacts without one: made on first use. Nothing else of a record that is there
is ever written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from tieout.adapters.connectors.hubspot import client, shapes
from tieout.adapters.ports.errors import NeedsPerson
from tieout.adapters.ports.http import Http

GROUP = "tieout_receivables"
BALANCE, OVERDUE, CURRENCY, OLDEST_DUE, RISK = "tieout_balance", "tieout_overdue", "tieout_currency", "tieout_oldest_due", "tieout_risk"
UPDATED_AT, OURS, KEY = "tieout_updated_at", "tieout_customer_id", "tieout_key"
_PATH = f"/crm/properties/{client.API_VERSION}"


class _Field(msgspec.Struct, frozen=True):
    label: str
    type: str
    field_type: str
    description: str
    unique: bool = False


FIELDS: Mapping[str, _Field] = {
    BALANCE: _Field("Balance", "number", "number", "What is open in all, in the currency beside it."),
    OVERDUE: _Field("Overdue", "number", "number", "The part of the balance that is past its due date."),
    CURRENCY: _Field("Currency of the balance", "string", "text", "ISO 4217 code."),
    OLDEST_DUE: _Field("Oldest due date", "date", "date", "When the oldest open document fell due."),
    RISK: _Field("Payment risk", "string", "text", "How likely late payment is, in Tieout's words."),
    UPDATED_AT: _Field("Receivables as of", "datetime", "date", "When one of these figures last changed."),
    OURS: _Field("Tieout customer", "string", "text", "The customer in Tieout that this is.", unique=True),
    KEY: _Field("Tieout reference", "string", "text", "The order by which Tieout made this, where it did."),
}


class _Name(msgspec.Struct):
    name: str


class _Made(msgspec.Struct):
    results: list[_Name] = []
    errors: list[shapes.Trouble] = []


def ensure(http: Http, kind: str) -> bool:
    """Make what a kind of record lacks of our group and properties; False where all was there. Twice is once. Raises NeedsPerson."""
    missing = _missing(http, kind)
    if not missing:
        return False
    # A second time, or somebody else at the same time, is told that it is there already, which is as good.
    group = http.send("POST", f"{_PATH}/{kind}/groups", json={"name": GROUP, "label": "Tieout receivables", "displayOrder": -1}, repeatable=True)
    if group.status != 409:
        client.good(group)
    answer = client.good(http.send("POST", f"{_PATH}/{kind}/batch/create", json={"inputs": [_described(name) for name in missing]}, repeatable=True))
    refused = [one for one in client.decoded(answer, _Made).errors if one.category != "OBJECT_ALREADY_EXISTS"]
    still = _missing(http, kind)
    if still:
        why = f": {refused[0].message}" if refused else " (one in the archive has its name; restore it)"
        raise NeedsPerson(f"HubSpot does not let us make the property {still[0]}{why}")
    return True


def _missing(http: Http, kind: str) -> list[str]:
    asked = {"archived": False, "dataSensitivity": "non_sensitive", "inputs": [{"name": name} for name in FIELDS]}
    answer = client.asking(http, f"{_PATH}/{kind}/batch/read", asked, priority="write")
    there = {one.name for one in client.decoded(answer, _Made).results}
    return [name for name in FIELDS if name not in there]


def _described(name: str) -> Mapping[str, object]:
    field = FIELDS[name]
    return {
        "name": name, "label": field.label, "type": field.type, "fieldType": field.field_type, "description": field.description, "groupName": GROUP,
        "hasUniqueValue": field.unique, "formField": False,
    }  # fmt: skip


def known(names: Iterable[str]) -> bool:
    """Whether an answer that was asked for our properties knows them all: one nobody has made is left out of it."""
    return set(FIELDS) <= set(names)
