"""Records with what HubSpot keeps apart: a company with the people who speak for it, a deal with whose it is. What was put together
is what `translate` reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from tieout.adapters.connectors.hubspot import client, shapes
from tieout.adapters.connectors.hubspot.client import Found
from tieout.adapters.connectors.hubspot.shapes import PERSON, Tie
from tieout.adapters.ports.connector import Raw
from tieout.adapters.ports.errors import BadRecord
from tieout.adapters.ports.http import Http, Priority

CUSTOMERS, DEALS = "customers", "deals"
#: The ties of a contact and of a deal to its primary company. HubSpot asks to go by the number and never by the label, whose words it has
#: changed (2024-02).
_PRIMARY = frozenset({1, 5})
#: Of people with the label, so many are looked at for one with an address.
_MOST_LABELLED = 10


class Named(NamedTuple):
    """A record as HubSpot names it."""

    kind: str
    id: str


def named(customer: object) -> Named:
    """The record of a customer: a company, or a contact without one. Raises BadRecord."""
    text = str(customer)
    found = Named("contacts", text.removeprefix(PERSON)) if text.startswith(PERSON) else Named("companies", text)
    if not found.id.isdecimal():
        raise BadRecord(f"{text!r} is no company of HubSpot's", field="company")
    return found


def companies(http: Http, found: Sequence[Found], *, label: str, priority: Priority = "change") -> Iterator[Raw]:
    """Companies, each with those of its contacts who speak for it."""
    tied = client.ties(http, "companies", "contacts", [one.id for one in found], priority=priority) if found else {}
    chosen = {one.id: speakers(tied.get(one.id, ()), label) for one in found}
    people = client.read(http, "contacts", [ident for some in chosen.values() for ident in some], priority=priority)
    for one in found:
        speaking = [msgspec.Raw(people[ident].body) for ident in chosen[one.id] if ident in people]
        yield _raw(CUSTOMERS, one.id, {"company": msgspec.Raw(one.body), "people": speaking}, one.modified("companies"))


def speakers(tied: Sequence[Tie], label: str) -> list[str]:
    """Who speaks for a company about money: the contacts that carry the label, the oldest first; without one, its only contact.

    Of several without the label nobody is chosen: a wrong guess would write to somebody about a debt that is not theirs to know of.
    """
    wanted = label.strip().casefold()
    labelled = [tie.other for tie in tied if any((type_.label or "").strip().casefold() == wanted for type_ in tie.association_types)]
    if wanted and labelled:
        return sorted(labelled, key=int)[:_MOST_LABELLED]
    return [tied[0].other] if len(tied) == 1 else []


def person(found: Found) -> Raw:
    """A contact that belongs to no company, as a customer of its own."""
    return _raw(CUSTOMERS, PERSON + found.id, {"contact": msgspec.Raw(found.body)}, found.modified("contacts"))


def deals(http: Http, found: Sequence[Found], *, priority: Priority = "change") -> Iterator[Raw]:
    """Deals, each with the customer it belongs to."""
    if not found:
        return
    firms = client.ties(http, "deals", "companies", [one.id for one in found], priority=priority)
    alone = [one.id for one in found if not firms.get(one.id)]
    owners = {ident: firm(tied) for ident, tied in firms.items()} | (_owned_by_people(http, alone, priority) if alone else {})
    bare = any(one.head.properties.get("amount") and not one.head.properties.get("deal_currency_code") for one in found)
    currency = client.details(http, priority=priority).company_currency if bare else None
    for one in found:
        body = {"deal": msgspec.Raw(one.body), "customer": owners.get(one.id), "currency": currency}
        yield _raw(DEALS, one.id, body, one.modified("deals"))


def firm(tied: Iterable[Tie]) -> str | None:
    """The company a deal or a contact belongs to: its primary one, or its only one; None where that is not said."""
    all_of_them = list(tied)
    primary = [tie.other for tie in all_of_them if any(type_.type_id in _PRIMARY for type_ in tie.association_types)]
    if primary:
        return primary[0]
    return all_of_them[0].other if len(all_of_them) == 1 else None


def _owned_by_people(http: Http, deals: Sequence[str], priority: Priority) -> dict[str, str | None]:
    """Deals without a company belong to their only contact, or to the company that one belongs to."""
    tied = client.ties(http, "deals", "contacts", deals, priority=priority)
    only = {deal: people[0].other for deal, people in tied.items() if len(people) == 1}
    firms = client.ties(http, "contacts", "companies", only.values(), priority=priority) if only else {}
    return {deal: firm(firms[one]) if firms.get(one) else PERSON + one for deal, one in only.items()}


def _raw(stream: str, ident: str, body: object, modified: int) -> Raw:
    return Raw(stream=stream, id=ident, body=msgspec.json.encode(body), changed_at=shapes.at(modified) if modified else None)
