"""What a person does in the account, as Python: the same acts as by the doors, told as coming from the vendor's pages."""

from __future__ import annotations

import datetime as dt
from typing import Any

from tieout.rehearsal.twins.hubspot import catalogue
from tieout.rehearsal.twins.hubspot.answers import instant
from tieout.rehearsal.twins.hubspot.catalogue import Kind
from tieout.rehearsal.twins.hubspot.page import PageDoors
from tieout.rehearsal.twins.hubspot.records import PERSON, By, Record

_FIRST = ("Alder", "Bramble", "Cinder", "Dunmore", "Elmgate", "Fenwick", "Garrow", "Hazel", "Ivybridge", "Juniper", "Kestrel", "Linden")
_SECOND = ("Ceramics", "Supplies", "Print", "Foods", "Joinery", "Textiles", "Instruments", "Studio", "Packaging", "Works", "Trading")


class People(PageDoors):
    """Acts of people; they return the record, whose `properties` say what it holds."""

    def company(self, name: str, **properties: Any) -> Record:
        """A new company."""
        return self._new("companies", {"name": name, **properties})

    def contact(self, email: str, *, company: Record | None = None, **properties: Any) -> Record:
        """A new contact, whose primary company is `company`."""
        return self._new("contacts", {"email": email, **properties}, company)

    def deal(self, name: str, *, company: Record | None = None, contact: Record | None = None, **properties: Any) -> Record:
        """A new deal, in the first stage unless told otherwise."""
        return self._new("deals", {"dealname": name, **properties}, company, contact)

    def line_item(self, name: str, *, deal: Record | None = None, **properties: Any) -> Record:
        """A new line of a deal."""
        return self._new("line_items", {"name": name, **properties}, deal)

    def invoice(self, number: str, *, company: Record | None = None, deal: Record | None = None, **properties: Any) -> Record:
        """An invoice made in the account itself, which applications only read."""
        return self._new("invoices", {"hs_number": number, "hs_invoice_status": "open", **properties}, company, deal)

    def change(self, record: Record, **properties: Any) -> Record:
        """A person edits a record."""
        with self.lock:
            return self.store(self.judge(record.kind, properties, record), PERSON)

    def win(self, deal: Record) -> Record:
        """A person moves a deal to closed won."""
        return self.change(deal, dealstage="closedwon")

    def archive(self, record: Record) -> None:
        """A person deletes a record: it goes to the archive."""
        with self.lock:
            self.put_away(record, PERSON)

    def restore(self, record: Record) -> None:
        """A person takes a record out of the archive again."""
        with self.lock:
            self.bring_back(record, PERSON)

    def label(self, of: str, to: str, label: str) -> int:
        """A label of the account's own between two kinds; the number of its type, from `of` to `to`."""
        with self.lock:
            return self.links.label(catalogue.kind(of), catalogue.kind(to), label)

    def associate(self, record: Record, other: Record, *labels: str) -> None:
        """A person ties two records, with labels if given."""
        with self.lock:
            types = [type_ for type_ in self.links.between(record.kind, other.kind) if type_.label in labels]
            self.tie(record, other, types or [self.links.default(record.kind, other.kind)])

    def everyone(self, called: str) -> list[Record]:
        """The live records of a kind, oldest first."""
        with self.lock:
            return [record for record in self.records[catalogue.kind(called).name].values() if record.archived_at is None]

    def fill(self, companies: int, *, contacts: bool = True, deals: bool = True) -> list[Record]:
        """So many companies with a past: one a second up to now, a contact for each, a deal for every third. Nobody is told."""
        with self.lock:
            return [self._founded(number, companies, contacts=contacts, deals=deals) for number in range(companies)]

    def _founded(self, number: int, of: int, *, contacts: bool, deals: bool) -> Record:
        name = f"{_FIRST[number % len(_FIRST)]} {_SECOND[number // len(_FIRST) % len(_SECOND)]} {number + 1}"
        domain = f"{name.lower().replace(' ', '-')}.example"
        at = self.ago(of - number)
        company = self._placed("companies", at, name=name, domain=domain, city="Larkfield", country="Germany", lifecyclestage="customer")
        if contacts:
            person = self._placed("contacts", at, email=f"accounts@{domain}", firstname="Robin", lastname=_FIRST[(number * 5) % len(_FIRST)])
            self.associate(person, company, "Primary")
        if deals and number % 3 == 0:
            stage = {"dealstage": "contractsent", "pipeline": "default", "hs_is_closed": "false", "hs_is_closed_won": "false"}
            closing = instant((at + dt.timedelta(days=30)).replace(microsecond=0))
            deal = self._placed(
                "deals",
                at,
                dealname=f"{name}, yearly order",
                amount=f"{1200 + number * 7}.50",
                deal_currency_code=self.currency,
                closedate=closing,
                **stage,
            )
            self.associate(deal, company)
        return company

    def _placed(self, called: str, at: dt.datetime, **properties: str) -> Record:
        return self.place(catalogue.kind(called), self.next_id(), properties, at)

    def _new(self, called: str, properties: dict[str, Any], *others: Record | None) -> Record:
        kind, by = catalogue.kind(called), PERSON
        with self.lock:
            record = self._created(kind, properties, by)
            for other in others:
                if other is not None:
                    # On the vendor's pages the first company of a contact or a deal becomes its primary one.
                    self.associate(record, other, "Primary")
        return record

    def _created(self, kind: Kind, properties: dict[str, Any], by: By) -> Record:
        return self.store(self.judge(kind, properties), by)
