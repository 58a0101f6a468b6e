"""HubSpot's records in canonical ones. Pure; a drifted field is a BadRecord, never a guess."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from babel import Locale

from tieout.adapters.connectors.hubspot import shapes
from tieout.adapters.connectors.hubspot.shapes import PERSON
from tieout.adapters.connectors.hubspot.whole import CUSTOMERS, DEALS
from tieout.adapters.ports.connector import Raw
from tieout.adapters.ports.errors import BadRecord
from tieout.core import documents, money, party
from tieout.core.money import Money, MoneyError

SOURCE = "hubspot"
#: How people write countries that no list has so.
_SPOKEN: Mapping[str, str] = {
    "uk": "GB", "great britain": "GB", "england": "GB", "usa": "US", "united states of america": "US", "czech republic": "CZ", "hong kong": "HK",
}  # fmt: skip


def records(raw: Raw, settings: Mapping[str, Any]) -> tuple[documents.Record, ...]:
    """What a record means; () for what we only write there (notes, tasks). Raises BadRecord."""
    if raw.stream not in _STREAMS:
        return ()
    shape, meaning = _STREAMS[raw.stream]
    try:
        return (meaning(shape.decode(raw.body), ZoneInfo(str(settings.get("time_zone") or "UTC"))),)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadRecord(f"{raw.stream} {raw.id} is not as HubSpot describes it: {error}", field=_field(str(error))) from error


def country(*written: str | None) -> str | None:
    """The ISO 3166-1 code of the first of these that names a country: a code, or the English name that HubSpot fills in."""
    for text in written:
        plain = party.tidy(text or "").casefold()
        found = _SPOKEN.get(plain) or _countries().get(plain)
        if found:
            return found
    return None


@lru_cache(maxsize=1)
def _countries() -> Mapping[str, str]:
    places = {code: name for code, name in Locale.parse("en").territories.items() if len(code) == 2 and code.isalpha() and code not in _NOWHERE}
    return {name.casefold(): code for code, name in places.items()} | {code.casefold(): code for code in places}


#: Codes in the list of countries that are none.
_NOWHERE = frozenset({"EU", "EZ", "QO", "UN", "XA", "XB", "ZZ"})


def _field(said: str) -> str:
    return said.rpartition("`$.")[2].rstrip("`") if "`$." in said else ""


def _customer(told: shapes.Customer, _: ZoneInfo) -> documents.Record:
    if told.company is not None:
        return _company(told.company, told.people)
    if told.contact is not None:
        return _person(told.contact)
    raise BadRecord("neither a company nor a contact", field="company")


def _company(company: shapes.Company, people: list[shapes.Contact]) -> documents.Customer:
    """A company says nothing of being a business: HubSpot makes one of anybody whose address has a domain of its own."""
    its = company.properties
    # The oldest with an address speaks; without one the oldest at least has a telephone.
    speaking = next((one for one in people if _mailbox(one)), people[0] if people else None)
    return documents.Customer(
        source_format=SOURCE, customer_id=company.id, name=party.tidy(its.name or "") or its.domain or company.id, city=its.city or None,
        country=country(its.hs_country_code, its.country), email=_mailbox(speaking), phone=its.phone or _phone(speaking),
        language=_language(speaking),
    )  # fmt: skip


def _person(contact: shapes.Contact) -> documents.Customer:
    its = contact.properties
    name = party.tidy(f"{its.firstname or ''} {its.lastname or ''}") or its.email or contact.id
    return documents.Customer(
        source_format=SOURCE, customer_id=PERSON + contact.id, name=name, city=its.city or None,
        country=country(its.hs_country_region_code, its.country), email=_mailbox(contact), phone=_phone(contact), language=_language(contact),
    )  # fmt: skip


def _mailbox(contact: shapes.Contact | None) -> str | None:
    address = party.mail_address(contact.properties.email) if contact and contact.properties.email else None
    return address if isinstance(address, str) else None


def _phone(contact: shapes.Contact | None) -> str | None:
    return (contact.properties.phone or contact.properties.mobilephone or None) if contact else None


def _language(contact: shapes.Contact | None) -> str | None:
    spoken = (contact.properties.hs_language or "")[:2].lower() if contact else ""
    return spoken if len(spoken) == 2 and spoken.isalpha() else None


def _deal(sale: shapes.Sale, zone: ZoneInfo) -> documents.Record:
    its = sale.deal.properties
    won = its.hs_is_closed_won
    if won not in ("true", "false", "", None):
        raise BadRecord(f"deal {sale.deal.id} is neither won nor not won: {won!r}", field="hs_is_closed_won")
    return documents.Deal(
        source_format=SOURCE, deal_id=sale.deal.id, name=party.tidy(its.dealname or "") or sale.deal.id, stage=its.dealstage or "",
        won=won == "true", customer_id=sale.customer, amount=_amount(its.amount, its.deal_currency_code or sale.currency),
        close_date=_day(its.closedate, zone),
    )  # fmt: skip


def _amount(text: str | None, currency: str | None) -> Money | None:
    """A deal's amount: a decimal as text, exponents included. Raises BadRecord."""
    if not text:
        return None
    code = (currency or "").upper()
    if not money.is_currency(code):
        raise BadRecord(f"the amount {text} is in no currency we know ({currency!r})", field="deal_currency_code")
    try:
        value = money.from_decimal(Decimal(text), code)
    except (InvalidOperation, MoneyError) as error:
        why = error if isinstance(error, MoneyError) else f"{text!r} is no number"
        raise BadRecord(f"the amount cannot be taken: {why}", field="amount") from error
    if value.minor < 0:
        raise BadRecord(f"the amount {text} is negative", field="amount")
    return value


def _day(text: str | None, zone: ZoneInfo) -> dt.date | None:
    if not text:
        return None
    when = shapes.moment(text)
    if when is None:
        raise BadRecord(f"{text!r} is no date", field="closedate")
    return when.astimezone(zone).date()


_STREAMS: Mapping[str, tuple[msgspec.json.Decoder[Any], Callable[[Any, ZoneInfo], documents.Record]]] = {
    CUSTOMERS: (msgspec.json.Decoder(shapes.Customer), _customer),
    DEALS: (msgspec.json.Decoder(shapes.Sale), _deal),
}
