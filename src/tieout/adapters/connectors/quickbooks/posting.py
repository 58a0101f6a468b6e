"""One request that writes, the object it left, and what stands in a command's body: shared by all acts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from tieout.adapters.connectors.quickbooks import client, faults, marks
from tieout.adapters.ports.choices import Unmapped, pairs
from tieout.adapters.ports.connector import Command, Raw, Receipt
from tieout.adapters.ports.errors import BadRecord
from tieout.adapters.ports.http import Answer, Http
from tieout.core import money
from tieout.core.money import Money

Settings = Mapping[str, Any]
Json = dict[str, Any]
#: The longest text of a number QuickBooks takes, of a document and of a payment.
LONGEST_NUMBER = 21


def post(http: Http, settings: Settings, stream: str, body: Json, *, request_id: str, operation: str | None = None) -> Answer:
    """Send one request that writes. The same `request_id` does nothing twice and is answered as the first time."""
    params = {"operation": operation, "requestid": request_id, "minorversion": client.MINOR_VERSION}
    answer = http.send("POST", client.path(settings, client.ENTITIES[stream].lower()), params=params, json=body, repeatable=True)
    return faults.good(answer)


def make(http: Http, settings: Settings, stream: str, body: Json, command: Command) -> Receipt:
    """A new object, as it reads afterwards. Raises BadRecord where somebody has deleted it since an earlier try."""
    answer = post(http, settings, stream, body, request_id=marks.request_id(command.key))
    made = client.shown(answer, stream)
    now = client.one(http, settings, stream, made.id, priority="write")
    if now.gone:
        raise BadRecord(f"{command.act} was done as {client.ENTITIES[stream]} {made.id}, which has been deleted in QuickBooks since")
    return Receipt(raw=now, said=answer.headers.get("intuit_tid", ""))


def make_for(http: Http, settings: Settings, stream: str, body: Json, command: Command, total: Money) -> Receipt:
    """As `make`, and over exactly `total`: where QuickBooks reckons another sum (a tax of its own), what was made is taken away again.
    Raises BadRecord."""
    receipt = make(http, settings, stream, body, command)
    reckoned = client.head_of(receipt.raw.body).total_amt
    # What has been saved since is somebody's correction, and theirs.
    if receipt.raw.version != "0" or reckoned == total.decimal():
        return receipt
    body = {"Id": receipt.raw.id, "SyncToken": receipt.raw.version}
    post(http, settings, stream, body, request_id=marks.request_id(command.key, "undo"), operation="delete")
    raise BadRecord(f"QuickBooks makes {reckoned} of it, not {total}, so it was taken away again; look at its tax", field="tax_minor")


def ours(raws: Iterable[Raw], command: Command) -> Receipt | None:
    """Of some objects the one this command wrote."""
    found = next((raw for raw in raws if not raw.gone and marks.is_of(raw, command.key)), None)
    return Receipt(raw=found, found=True) if found else None


# What stands in a body


def minor(body: Mapping[str, Any], name: str) -> int:
    """An amount in minor units. Raises BadRecord where it is no whole number."""
    value = body.get(name)
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadRecord(f"{name} is no whole number of minor units", field=name)
    return value


def currency(body: Mapping[str, Any]) -> str:
    """The currency of a body. Raises BadRecord."""
    code = str(body["currency"]).upper()
    if not money.is_currency(code):
        raise BadRecord(f"{code!r} is no ISO 4217 currency", field="currency")
    return code


def positive(body: Mapping[str, Any], name: str) -> Money:
    """An amount above zero. Raises BadRecord."""
    found = Money(minor(body, name), currency(body))
    if found.minor <= 0:
        raise BadRecord(f"{name} is {found}; it must be more than zero", field=name)
    return found


def day(body: Mapping[str, Any], name: str) -> str | None:
    """A plain date; None where it is not said. Raises BadRecord."""
    value = body.get(name)
    if value in (None, ""):
        return None
    try:
        return dt.date.fromisoformat(str(value)).isoformat()
    except ValueError:
        raise BadRecord(f"{name} {value!r} is no date", field=name) from None


def parts(body: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """A list of objects. Raises BadRecord."""
    found = body.get(name) or []
    if not isinstance(found, list | tuple) or not all(isinstance(one, Mapping) for one in found):
        raise BadRecord(f"{name} is no list", field=name)
    return list(found)


def ref(ident: Any) -> Json:
    """A reference as QuickBooks takes it."""
    return {"value": str(ident)}


# What a person has said goes where


def account_of(settings: Settings, name: str, what: str) -> Json:
    """The account or item a setting names. Raises Unmapped where nobody has said it."""
    value = str(settings.get(name) or "")
    if not value:
        raise Unmapped(f"{what} needs mapping: nobody has said which it is in QuickBooks ({name})", field=name)
    return ref(value)


def mapped(settings: Settings, name: str, ours: str, what: str) -> Json:
    """What one of our names is in QuickBooks, by a setting of the form `ours = theirs; …`. Raises Unmapped where it is not there."""
    found = {key.casefold(): value for key, value in pairs(settings.get(name)).items()}.get(ours.strip().casefold())
    if not found:
        raise Unmapped(f"{what} {ours!r} needs mapping: nobody has said what it is in QuickBooks ({name})", field=name, key=ours)
    return ref(found)
