"""The figures of customers on their companies (or on the contact, for whoever has none): a hundred in one request, and only those
that differ from what stands there."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from tieout.adapters.connectors.hubspot import client, fields, shapes
from tieout.adapters.connectors.hubspot.whole import named
from tieout.adapters.ports.connector import Command, Raw, Receipt
from tieout.adapters.ports.errors import BadRecord
from tieout.adapters.ports.http import Http
from tieout.core import money

#: The stream name of a receipt: no record of HubSpot's, but what became of each.
STATUS = "status"
_NEEDED = ("balance", "overdue", "currency")

Figures = Mapping[str, str]


class Became(msgspec.Struct):
    """What became of each customer, by the id it has in HubSpot."""

    written: list[str] = []
    unchanged: list[str] = []
    refused: dict[str, str] = {}


class _Wanted(msgspec.Struct, frozen=True):
    """One record, what its customer is called, and our properties as they should stand on it."""

    id: str
    customer: str
    figures: Figures


def write(http: Http, _: Mapping[str, Any], command: Command) -> Receipt:
    """Bring the figures up to date. One that is refused holds back no other; raises BadRecord where none was taken."""
    became = Became()
    for kind, some in _hundreds(command, became):
        _bring(http, kind, some, became)
    if became.refused and not became.written and not became.unchanged:
        raise BadRecord(f"HubSpot takes none of the figures: {next(iter(became.refused.values()))}")
    return _receipt(command, became)


def find(http: Http, _: Mapping[str, Any], command: Command) -> Receipt | None:
    """The receipt where every customer's record says all of it already."""
    became = Became()
    for kind, some in _hundreds(command, became):
        there = _standing(http, kind, some)
        if any(one.id not in there or _differing(there[one.id], one.figures) for one in some):
            return None
        became.unchanged += [one.customer for one in some]
    return None if became.refused else _receipt(command, became)


def _receipt(command: Command, became: Became) -> Receipt:
    said = f"{len(became.written)} written, {len(became.unchanged)} as they were, {len(became.refused)} refused"
    if became.refused:
        said = f"{said}: " + "; ".join(f"{ident}: {why}" for ident, why in list(became.refused.items())[:5])
    rows = command.body["customers"]
    raw = Raw(stream=STATUS, id=str(rows[0]["company"]) if len(rows) == 1 else command.key, body=msgspec.json.encode(became))
    return Receipt(raw=raw, said=said, found=not became.written and not became.refused)


def _hundreds(command: Command, became: Became) -> Iterator[tuple[str, list[_Wanted]]]:
    """What is wanted, by kind of record; a row that cannot be said is refused for itself."""
    kinds: dict[str, dict[str, _Wanted]] = defaultdict(dict)
    for row in command.body["customers"]:
        customer = str(row.get("company") or "")
        try:
            kind, ident = named(customer)
            kinds[kind][ident] = _Wanted(ident, customer, _figures(row))
        except BadRecord as error:
            became.refused[customer] = str(error)
    for kind, wanted in kinds.items():
        some = list(wanted.values())
        yield from ((kind, some[start : start + client.PAGE]) for start in range(0, len(some), client.PAGE))


def _figures(row: Mapping[str, Any]) -> dict[str, str]:
    unsaid = next((name for name in _NEEDED if row.get(name) in (None, "")), None)
    if unsaid is not None:
        raise BadRecord(f"the figures do not say the {unsaid}", field=unsaid)
    currency, oldest = str(row["currency"]), row.get("oldest_due")
    figures = {fields.CURRENCY: currency}
    try:
        figures[fields.BALANCE] = money.from_text(str(row["balance"]), currency).text()
        figures[fields.OVERDUE] = money.from_text(str(row["overdue"]), currency).text()
        figures[fields.OLDEST_DUE] = dt.date.fromisoformat(str(oldest)).isoformat() if oldest else ""
    except ValueError as error:
        raise BadRecord(str(error)) from error
    # What the command does not speak of stays as it is.
    figures |= {fields.RISK: str(row["risk"] or "")} if "risk" in row else {}
    return figures | ({fields.OURS: str(row["ours"])} if row.get("ours") else {})


def _bring(http: Http, kind: str, some: Sequence[_Wanted], became: Became) -> None:
    there = _standing(http, kind, some)
    if not all(fields.known(standing) for standing in there.values()):
        fields.ensure(http, kind)
    given = []
    for one in some:
        differing = _differing(there[one.id], one.figures) if one.id in there else {}
        if one.id not in there:
            became.refused[one.customer] = "it is not there"
        elif differing:
            given.append(msgspec.structs.replace(one, figures={**differing, fields.UPDATED_AT: shapes.written(http.now())}))
        else:
            became.unchanged.append(one.customer)
    _update(http, kind, given, became)


def _update(http: Http, kind: str, given: Sequence[_Wanted], became: Became) -> None:
    if not given:
        return
    # With a trace of its own, one record that is refused does not hold back the others.
    inputs = [{"id": one.id, "objectWriteTraceId": one.id, "properties": one.figures} for one in given]
    answer = client.good(http.send("POST", f"{client.OBJECTS}/{kind}/batch/update", json={"inputs": inputs}, repeatable=True))
    told = client.decoded(answer, shapes.Batch)
    done = {one.id for one in told.results}
    why = {ident: one.message for one in told.errors for ident in one.context.get("objectWriteTraceId") or one.context.get("ids") or ()}
    became.written += [one.customer for one in given if one.id in done]
    left = [one for one in given if one.id not in done]
    became.refused |= {one.customer: why.get(one.id, "HubSpot does not say why") for one in left if fields.OURS not in one.figures}
    # Two companies may be one customer, and only one of them can carry the number; the figures belong on both.
    bare = [_without_number(one) for one in left if fields.OURS in one.figures]
    became.unchanged += [one.customer for one in bare if set(one.figures) == {fields.UPDATED_AT}]
    _update(http, kind, [one for one in bare if set(one.figures) != {fields.UPDATED_AT}], became)


def _without_number(one: _Wanted) -> _Wanted:
    return msgspec.structs.replace(one, figures={name: value for name, value in one.figures.items() if name != fields.OURS})


def _standing(http: Http, kind: str, some: Sequence[_Wanted]) -> dict[str, Mapping[str, Any]]:
    """Our properties of these records as they stand."""
    asked = {"inputs": [{"id": one.id} for one in some], "properties": list(fields.FIELDS), "propertiesWithHistory": []}
    answer = client.asking(http, f"{client.OBJECTS}/{kind}/batch/read", asked, priority="write")
    return {one.id: one.properties for one in client.decoded(answer, shapes.Batch).results}


def _differing(standing: Mapping[str, Any], wanted: Figures) -> Figures:
    return {name: value for name, value in wanted.items() if not _same(fields.FIELDS[name].type, str(standing.get(name) or ""), value)}


def _same(type_: str, one: str, other: str) -> bool:
    if one == other or not one or not other:
        return one == other
    if type_ == "number":
        try:
            return Decimal(one) == Decimal(other)
        except InvalidOperation:
            return False
    return type_ == "date" and shapes.moment(one) == shapes.moment(other)
