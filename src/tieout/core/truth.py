"""Whose word counts: which system is asked first for each field, why, and when two words differ in form only.

The table is data with a reason a person can read. A person's word outranks every system and stands outside it; a document, its money
and its state belong to the system they were born in, which no table changes.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from tieout.core import party

#: Kinds of systems a rule may name, each with the words for it. A single connection is named as `connection:<its number>`.
PLACES: Mapping[str, str] = {
    "accounting": "the accounting system", "gateway": "the invoicing tool", "push": "systems that push their records", "file": "files",
    "crm": "the CRM", "other": "other systems",
}
_ONE = "connection:"


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """Whom to ask for some fields of an entity, the first that has said anything wins. `born` rules cannot be changed."""

    entity: str
    group: str
    title: str
    fields: tuple[str, ...]
    places: tuple[str, ...]
    reason: str
    born: bool = False

    @property
    def key(self) -> str:
        return f"{self.entity}.{self.group}"


_LEGAL = ("accounting", "gateway", "push", "file", "crm", "other")
_PEOPLE = ("crm", "accounting", "gateway", "push", "file", "other")
_BORN = "only the system it was born in changes it; what others say stands beside it and is compared by the tie-out"

DEFAULTS: tuple[Rule, ...] = (
    Rule(entity="customer", group="name", title="Name", fields=("name",), places=_LEGAL,
         reason="the books and the invoices carry the legal name; a CRM often has a working title"),
    Rule(entity="customer", group="address", title="Country and city", fields=("country", "city"), places=_LEGAL,
         reason="invoices are addressed and taxed by what the books say"),
    Rule(entity="customer", group="tax", title="Tax number", fields=("tax_id",), places=_LEGAL,
         reason="a tax number is checked where invoices are posted"),
    Rule(entity="customer", group="terms", title="Currency and kind of debtor", fields=("currency", "debtor_type"), places=_LEGAL,
         reason="whoever invoices knows in which currency, and whether to a business"),
    Rule(entity="customer", group="speaking", title="Language, time zone, telephone", fields=("language", "time_zone", "phone"), places=_PEOPLE,
         reason="whoever speaks with the customer knows how, when and where to reach them"),
    Rule(entity="contact", group="email", title="E-mail for reminders", fields=("email",), places=_PEOPLE,
         reason="whoever speaks with the customer keeps the address that is read; the others are written to only where it fails"),
    Rule(entity="invoice", group="all", title="Everything about an invoice", fields=(), places=(), reason=_BORN, born=True),
    Rule(entity="credit_note", group="all", title="Everything about a credit note", fields=(), places=(), reason=_BORN, born=True),
    Rule(entity="payment", group="all", title="Everything about a payment", fields=(), places=(), reason=_BORN, born=True),
)  # fmt: skip
#: Every field a rule decides, in the order of the table.
FIELDS: tuple[str, ...] = tuple(field for rule in DEFAULTS for field in rule.fields)
RULE_OF: Mapping[str, str] = {field: rule.key for rule in DEFAULTS for field in rule.fields}

#: What fields are called where a person reads them.
WORDS: Mapping[str, str] = {
    "name": "name", "country": "country", "city": "city", "tax_id": "tax number", "currency": "currency", "debtor_type": "kind of debtor",
    "language": "language", "time_zone": "time zone", "phone": "telephone", "email": "e-mail for reminders", "amount_minor": "amount",
    "status": "status", "due_date": "due date", "number": "number",
}


def one(connection_id: int) -> str:
    """How a rule names a single connection."""
    return f"{_ONE}{connection_id}"


def connection_of(place: str) -> int | None:
    """The connection a place names; None where it names a kind of system, or nothing."""
    number = place.removeprefix(_ONE)
    return int(number) if place.startswith(_ONE) and number.isascii() and number.isdigit() and len(number) < 19 else None


def rank(places: Sequence[str], *, connection_id: int, kind: str) -> int:
    """The place of a connection in a rule, 0 being asked first: by its own name where the rule has it, else by its kind; last otherwise."""
    for name in (one(connection_id), kind):
        if name in places:
            return places.index(name)
    return len(places)


def form(field: str, value: object) -> str:
    """A value without what is form only: case, whitespace, punctuation, accents, the spelling of a legal form. Equal forms agree."""
    text = unicodedata.normalize("NFKC", str(value if value is not None else "")).strip()
    if field == "name":
        return party.fold(text)
    if field == "email":
        return party.mailbox_key(text)
    if field == "language":
        return text.casefold()[:2]
    if field == "phone":
        # A country code begins with + or 00, which say the same.
        return re.sub(r"^00", "", re.sub(r"[^0-9]", "", text))
    if field in ("tax_id", "country", "currency", "debtor_type"):
        return re.sub(r"[\W_]", "", text).casefold()
    if field == "number":
        return re.sub(r"\s", "", text).casefold()
    if field in ("time_zone", "due_date", "amount_minor", "status"):
        return text
    return party.fold(text)


def words(said: Mapping[str, str | None]) -> dict[str, tuple[str, str]]:
    """What a record says of the fields a rule decides, with the form of each; what it is silent about is left out."""
    found = {}
    for field in FIELDS:
        value = said.get(field)
        if value and value.strip():
            found[field] = (value, form(field, value)[:300])
    return found


def listed(places: Iterable[str], names: Mapping[int, str]) -> str:
    """The order of a rule in words: `the accounting system, else the invoicing tool, else Acme HubSpot`."""
    said = []
    for place in places:
        connection_id = connection_of(place)
        said.append(names.get(connection_id, "a connection that is gone") if connection_id is not None else PLACES.get(place, place))
    return ", else ".join(said)
