"""What we read of HubSpot's records, API version 2026-03. Every property is text or null; those we need are typed, so that a drifted
one is seen and never guessed."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec

#: A contact that is a customer of its own has an id of another number range than companies have, and the two may meet.
PERSON = "contact-"
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class Head(msgspec.Struct, rename="camel"):
    """As much of any record as is needed to go on from it."""

    id: str
    properties: dict[str, Any] = {}
    created_at: str = ""
    updated_at: str = ""
    archived_at: str | None = None


class Next(msgspec.Struct):
    after: str


class Paging(msgspec.Struct):
    next: Next | None = None


class Listed(msgspec.Struct):
    """A page of a list, of a search, or the results of a batch."""

    results: list[msgspec.Raw]
    paging: Paging | None = None


class Trouble(msgspec.Struct):
    """One entry of a batch that was not done."""

    message: str = ""
    category: str = ""
    context: dict[str, list[str]] = {}


class Batch(msgspec.Struct):
    """The answer to a batch of writes: 207 where some of it was not done."""

    results: list[Head] = []
    errors: list[Trouble] = []


class TieType(msgspec.Struct, rename="camel"):
    type_id: int
    label: str | None = None


class Tie(msgspec.Struct, rename="camel"):
    """An association as one of its ends sees it. The dated paths write the other end's id as text, the older ones as a number."""

    to_object_id: str | int
    association_types: list[TieType] = []

    @property
    def other(self) -> str:
        return str(self.to_object_id)


class End(msgspec.Struct):
    id: str


class Ties(msgspec.Struct):
    """All ties of one record, or the first of them where `paging` says so."""

    from_: End = msgspec.field(name="from")
    to: list[Tie]
    paging: Paging | None = None


class TiesRead(msgspec.Struct):
    results: list[Ties]


class TiesListed(msgspec.Struct):
    results: list[Tie]
    paging: Paging | None = None


class Details(msgspec.Struct, rename="camel"):
    """The account."""

    portal_id: int
    account_type: str = ""
    company_currency: str = ""
    ui_domain: str = ""


class CompanyProperties(msgspec.Struct):
    name: str | None = None
    domain: str | None = None
    phone: str | None = None
    city: str | None = None
    country: str | None = None
    hs_country_code: str | None = None


class Company(msgspec.Struct):
    id: str
    properties: CompanyProperties


class ContactProperties(msgspec.Struct):
    email: str | None = None
    firstname: str | None = None
    lastname: str | None = None
    phone: str | None = None
    mobilephone: str | None = None
    city: str | None = None
    country: str | None = None
    hs_country_region_code: str | None = None
    hs_language: str | None = None


class Contact(msgspec.Struct):
    id: str
    properties: ContactProperties


class Customer(msgspec.Struct):
    """What the client puts together: a company with the people who speak for it, or a contact that belongs to no company."""

    company: Company | None = None
    people: list[Contact] = []
    contact: Contact | None = None


class DealProperties(msgspec.Struct):
    dealname: str | None = None
    amount: str | None = None
    deal_currency_code: str | None = None
    closedate: str | None = None
    dealstage: str | None = None
    hs_is_closed_won: str | None = None


class Deal(msgspec.Struct):
    id: str
    properties: DealProperties


class Sale(msgspec.Struct):
    """What the client puts together: a deal, whose it is, and the account's currency where the deal names none."""

    deal: Deal
    customer: str | None = None
    currency: str | None = None


def moment(text: object) -> dt.datetime | None:
    """The instant a value means: ISO 8601, or milliseconds since 1970; None where it means none. HubSpot writes both."""
    if not isinstance(text, str | int):
        return None
    try:
        return at(int(text))
    except (ValueError, OverflowError):
        pass
    try:
        found = dt.datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found.replace(tzinfo=dt.UTC) if found.tzinfo is None else found.astimezone(dt.UTC)


def at(milliseconds: int) -> dt.datetime:
    """The instant so many milliseconds after 1970 began. Raises OverflowError."""
    return _EPOCH + dt.timedelta(milliseconds=milliseconds)


def millis(moment: dt.datetime) -> int:
    """Milliseconds since 1970."""
    return (moment - _EPOCH) // dt.timedelta(milliseconds=1)


def written(moment: dt.datetime) -> str:
    """An instant as HubSpot takes it: ISO 8601 in UTC, with milliseconds."""
    return moment.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
