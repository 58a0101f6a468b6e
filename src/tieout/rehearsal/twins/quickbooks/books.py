"""One company's books: records with their tokens and times, what each customer owes, and which payment pays what.

A record's body is replaced, never changed in place, so an answer given earlier stays as it was.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from tieout.rehearsal.twins.quickbooks import refusals
from tieout.rehearsal.twins.quickbooks.reading import money
from tieout.rehearsal.twins.quickbooks.refusals import Json
from tieout.rehearsal.twins.quickbooks.shapes import SHAPES

#: Names of the currencies a rehearsal is likely to see.
CURRENCIES = {
    "USD": "United States Dollar",
    "EUR": "Euro",
    "GBP": "British Pound Sterling",
    "CAD": "Canadian Dollar",
    "AUD": "Australian Dollar",
    "CHF": "Swiss Franc",
    "JPY": "Japanese Yen",
}
#: Ids of accounts the rules know by heart.
RECEIVABLE, UNDEPOSITED, CHECKING, SALES_INCOME, BANK_CHARGES, DISCOUNTS, SALES_TAX, BAD_DEBTS = "84", "4", "35", "79", "8", "86", "90", "9"
#: Customers and vendors draw their ids from one sequence, all transactions from another, each list from its own.
_SEQUENCES = {"Customer": "names", "Vendor": "names"}

#: Called with company, entity, what happened, id and the event's own particulars.
News = Callable[["Company", str, str, str, Json], None]


@dataclass(slots=True)
class Record:
    """One object of the books; times are whole seconds, as QuickBooks keeps them."""

    entity: str
    number: int
    body: Json
    created: dt.datetime
    updated: dt.datetime

    @property
    def id(self) -> str:
        return str(self.number)


@dataclass(kw_only=True)
class Terms:
    """How a company is set up."""

    currency: str = "USD"
    zone: str = "America/Los_Angeles"
    country: str = "US"
    tax_percent: Decimal = Decimal(8)
    #: Other currencies by code, with what one unit is worth at home; none means multicurrency is off.
    rates: dict[str, Decimal] = field(default_factory=dict)
    #: Custom transaction numbers: a form without a number stays without one.
    custom_numbers: bool = False
    #: Refuse a document number that is taken (6140) instead of repeating it.
    unique_numbers: bool = False


class Company:
    """One realm."""

    def __init__(self, realm: str, name: str, terms: Terms, clock: Callable[[], dt.datetime], news: News) -> None:
        self.realm = realm
        self.name = name
        self.terms = terms
        self.zone = ZoneInfo(terms.zone)
        self.records: dict[str, dict[str, Record]] = {entity: {} for entity in SHAPES}
        self.gone: dict[str, dict[str, Record]] = {entity: {} for entity in SHAPES}
        self.owed: defaultdict[str, Decimal] = defaultdict(Decimal)
        self.children: defaultdict[str, set[str]] = defaultdict(set)
        #: By the id of an invoice or credit memo: what each payment takes of it.
        self.applied: defaultdict[str, dict[str, Decimal]] = defaultdict(dict)
        #: By the id of a payment or receipt: the deposit it went to the bank in.
        self.deposited: dict[str, str] = {}
        self.version = 0
        self.next_document = 1001
        self._clock = clock
        self._news = news
        self._last: defaultdict[str, int] = defaultdict(int)

    # Time

    def moment(self) -> dt.datetime:
        return self._clock().replace(microsecond=0)

    def today(self) -> dt.date:
        return self._clock().astimezone(self.zone).date()

    def stamp(self, moment: dt.datetime, timespec: str = "seconds") -> str:
        """A moment with the company's offset."""
        return moment.astimezone(self.zone).isoformat(timespec=timespec)

    # Looking

    def find(self, entity: str, record_id: Any) -> Record:
        """The living record of this id. Raises Refused."""
        text = str(record_id)
        if not text.isdigit() and entity != "TaxCode":
            raise refusals.not_a_number(text)
        record = self.records[entity].get(text)
        if record is None:
            raise refusals.not_found(entity, text)
        return record

    def ref(self, entity: str, given: Json, *, active: bool = True) -> Json:
        """A reference with the name of what it points at. Raises Refused where that is not there, or no longer in use."""
        value = str(given["value"])
        record = self.records[entity].get(value)
        if record is None or (active and record.body.get("Active") is False):
            raise refusals.invalid_reference(entity, value)
        body = record.body
        return {"value": value, "name": body.get("FullyQualifiedName") or body.get("DisplayName") or body["Name"]}

    def currency_ref(self, code: str) -> Json:
        return {"value": code, "name": CURRENCIES.get(code, code)}

    def shown(self, record: Record) -> Json:
        """The record as an answer shows it; a customer's balances are worked out at that moment."""
        if record.entity != "Customer":
            return record.body
        return {**record.body, "Balance": money(self.owed[record.id]), "BalanceWithJobs": money(self._owed_with_jobs(record.id))}

    def _owed_with_jobs(self, customer: str) -> Decimal:
        return self.owed[customer] + sum((self._owed_with_jobs(child) for child in self.children.get(customer, ())), Decimal(0))

    # Writing

    def new_number(self, entity: str) -> int:
        sequence = "transactions" if SHAPES[entity].is_transaction else _SEQUENCES.get(entity, entity)
        self._last[sequence] += 1
        return self._last[sequence]

    def start_after(self, entity: str, number: int) -> None:
        """New records of this list are numbered after this one."""
        sequence = _SEQUENCES.get(entity, entity)
        self._last[sequence] = max(self._last[sequence], number)

    def number_document(self, given: str) -> str:
        """The number for a sales form: the one given, or the next; QuickBooks counts on from the last number it saw."""
        if not given and self.terms.custom_numbers:
            return ""
        number = given or str(self.next_document)
        if number.isdigit():
            self.next_document = int(number) + 1
        return number

    def put(self, entity: str, body: Json, old: Record | None = None, *, news: str = "", silent: bool = False) -> Record:
        """Store a new record, or the next state of `old`; the customers whose balance moves are touched."""
        now = self.moment()
        record = old or Record(entity, self.new_number(entity), {}, now, now)
        before = record.body
        record.updated = now
        token = str(int(before["SyncToken"]) + 1) if old else "0"
        own = {"domain": "QBO", "sparse": False, "Id": record.id, "SyncToken": token, "MetaData": self.metadata(record)}
        record.body = own | body | own
        self.records[entity][record.id] = record
        self._reckon(entity, before, record.body)
        self.version += 1
        if not silent:
            self._news(self, entity, news or ("updated" if old else "created"), record.id, {})
        return record

    def metadata(self, record: Record) -> Json:
        created = self.stamp(record.created)
        return {"CreateTime": created, "LastUpdatedTime": created if record.updated == record.created else self.stamp(record.updated)}

    def touch(self, record: Record) -> None:
        """Move the time of last change and nothing else: the token stays."""
        record.updated = max(record.updated, self.moment())
        record.body = {**record.body, "MetaData": self.metadata(record)}
        self.version += 1

    def drop(self, record: Record, *, news: str = "deleted", about: str = "", particulars: Json | None = None) -> None:
        """Take a record out of the books; change data capture remembers that it was there."""
        del self.records[record.entity][record.id]
        record.updated = self.moment()
        self.gone[record.entity][record.id] = record
        self._reckon(record.entity, record.body, {})
        self.version += 1
        self._news(self, record.entity, news, about or record.id, particulars or {})

    def redirect(self, customer: str, ref: Json, *, touch: bool = False) -> None:
        """Point every transaction of this customer at `ref`; tokens stay, and times too unless `touch`."""
        for entity in SHAPES:
            for record in self.records[entity].values():
                body = _redirected(record.body, customer, ref)
                if body is not record.body:
                    record.body = body
                    if touch:
                        self.touch(record)
        self.version += 1

    def _reckon(self, entity: str, before: Json, after: Json) -> None:
        moved: defaultdict[str, Decimal] = defaultdict(Decimal)
        for customer, amount in owing(entity, before):
            moved[customer] -= amount
        for customer, amount in owing(entity, after):
            moved[customer] += amount
        for customer, amount in moved.items():
            self.owed[customer] += amount
            if amount or not before or not after:
                self._touch_family(customer)

    def _touch_family(self, customer: str) -> None:
        record = self.records["Customer"].get(customer)
        while record is not None:
            self.touch(record)
            record = self.records["Customer"].get((record.body.get("ParentRef") or {}).get("value", ""))


def owing(entity: str, body: Json) -> Iterator[tuple[str, Decimal]]:
    """What a transaction adds to the balances of customers."""
    if not body:
        return
    if entity == "Invoice":
        yield body["CustomerRef"]["value"], body["Balance"]
    elif entity == "CreditMemo":
        yield body["CustomerRef"]["value"], -body["RemainingCredit"]
    elif entity == "Payment":
        yield body["CustomerRef"]["value"], -body["UnappliedAmt"]
    elif entity == "JournalEntry":
        for line in body["Line"]:
            customer = _party(line)
            detail = line.get("JournalEntryLineDetail", {})
            if customer and detail["AccountRef"]["value"] == RECEIVABLE:
                yield customer, line["Amount"] if detail["PostingType"] == "Debit" else -line["Amount"]


def _redirected(body: Json, customer: str, ref: Json) -> Json:
    if (body.get("CustomerRef") or {}).get("value") == customer:
        return {**body, "CustomerRef": ref}
    if not any(_party(line) == customer for line in body.get("Line", ())):
        return body
    lines = []
    for line in body["Line"]:
        if _party(line) == customer:
            detail = line["JournalEntryLineDetail"]
            line = {**line, "JournalEntryLineDetail": {**detail, "Entity": {**detail["Entity"], "EntityRef": ref}}}
        lines.append(line)
    return {**body, "Line": lines}


def _party(line: Json) -> str:
    """The customer a journal line is about, or nothing."""
    entity = line.get("JournalEntryLineDetail", {}).get("Entity", {})
    return str(entity["EntityRef"]["value"]) if entity.get("Type") == "Customer" else ""
