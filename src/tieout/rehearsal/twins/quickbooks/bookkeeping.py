"""The bookkeeper's hand: what a person does in QuickBooks itself, as methods a rehearsal can read aloud.

Every method works in the first company unless `realm` names another, takes records or their ids, and returns records as
the API shows them.
"""

from __future__ import annotations

import datetime as dt
import random
import threading
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from tieout.rehearsal.twins.quickbooks import books, filling, names, seeds, verbs
from tieout.rehearsal.twins.quickbooks.books import Company, Record, Terms
from tieout.rehearsal.twins.quickbooks.finding import Finder
from tieout.rehearsal.twins.quickbooks.refusals import Json

#: An amount as a person writes it; never a float.
Amount = Decimal | int | str
Day = dt.date | str


class Bookkeeper:
    """What a twin can do without its API. Everything goes the same way as a request, so events are made of it too."""

    lock: threading.RLock
    chance: random.Random
    now: Callable[[], dt.datetime]
    companies: dict[str, Company]
    finder: Finder

    def _news(self, company: Company, entity: str, happened: str, record_id: str, particulars: Json) -> None:
        """The twin makes events of it."""

    # Companies

    def open_company(self, name: str, *, realm: str = "", **terms: Any) -> Company:
        """A new company; `terms` as in `books.Terms`: currency, zone, country, tax_percent, rates, custom_numbers, unique_numbers."""
        with self.lock:
            number = realm or str(9130357849502001 + len(self.companies))
            company = Company(number, name, Terms(**terms), self.now, self._news)
            seeds.plant(company)
            self.companies[number] = company
            return company

    def company(self, realm: str = "") -> Company:
        """The company of a realm, or the first."""
        return self.companies[realm] if realm else next(iter(self.companies.values()))

    # Records

    def customer(self, name: str, *, email: str = "", parent: Json | str = "", currency: str = "", realm: str = "", **more: Any) -> Json:
        """A new customer; with `parent`, a sub-customer of it."""
        given = {"DisplayName": name, **more}
        if email:
            given["PrimaryEmailAddr"] = {"Address": email}
        if parent:
            given |= {"Job": True, "ParentRef": {"value": _id(parent)}}
        if currency:
            given["CurrencyRef"] = {"value": currency}
        return self.create("Customer", given, realm=realm)

    def invoice(
        self,
        customer: Json | str,
        amount: Amount = 0,
        *,
        number: str = "",
        date: Day = "",
        due: Day = "",
        lines: Iterable[Mapping[str, Any]] = (),
        taxed: bool = False,
        realm: str = "",
        **more: Any,
    ) -> Json:
        """A new invoice of one line over `amount`, or of `lines` as the API takes them."""
        given = _form(customer, amount, number, date, lines, taxed, more)
        if due:
            given["DueDate"] = str(due)
        return self.create("Invoice", given, realm=realm)

    def credit(
        self,
        customer: Json | str,
        amount: Amount = 0,
        *,
        number: str = "",
        date: Day = "",
        lines: Iterable[Mapping[str, Any]] = (),
        taxed: bool = False,
        realm: str = "",
        **more: Any,
    ) -> Json:
        """A new credit memo, not applied to anything yet."""
        return self.create("CreditMemo", _form(customer, amount, number, date, lines, taxed, more), realm=realm)

    def sell(self, customer: Json | str, amount: Amount, *, number: str = "", date: Day = "", realm: str = "", **more: Any) -> Json:
        """A sales receipt: paid on the spot, never owed."""
        return self.create("SalesReceipt", _form(customer, amount, number, date, (), False, more), realm=realm)

    def refund(self, customer: Json | str, amount: Amount, *, number: str = "", date: Day = "", realm: str = "", **more: Any) -> Json:
        """A refund receipt: money given back from the bank account."""
        more = {"DepositToAccountRef": {"value": books.CHECKING}, **more}
        return self.create("RefundReceipt", _form(customer, amount, number, date, (), False, more), realm=realm)

    def pay(
        self,
        *invoices: Json | str,
        amount: Amount | None = None,
        customer: Json | str = "",
        applied: Mapping[str, Amount] | None = None,
        credits: Mapping[str, Amount] | None = None,
        date: Day = "",
        reference: str = "",
        realm: str = "",
        **more: Any,
    ) -> Json:
        """A payment. Without `amount` it pays the invoices in full; with it, one after the other as far as it goes, the rest
        unapplied. `applied` says exactly how much goes to which invoice instead, `credits` which credit memos help."""
        company = self.company(realm)
        with self.lock:
            records = [company.find("Invoice", _id(invoice)) for invoice in invoices]
            shares = {key: Decimal(str(value)) for key, value in (applied or {}).items()}
            left = None if amount is None else Decimal(str(amount))
            for record in records if applied is None else ():
                share = record.body["Balance"] if left is None else min(left, record.body["Balance"])
                left = None if left is None else left - share
                if share:
                    shares[record.id] = share
            helped = {key: Decimal(str(value)) for key, value in (credits or {}).items()}
            total = Decimal(str(amount)) if amount is not None else sum(shares.values(), Decimal(0)) - sum(helped.values(), Decimal(0))
            payer = _id(customer) if customer else _payer(company, records, shares)
            given = {"CustomerRef": {"value": payer}, "TotalAmt": total, "Line": _links("Invoice", shares) + _links("CreditMemo", helped), **more}
            if date:
                given["TxnDate"] = str(date)
            if reference:
                given["PaymentRefNum"] = reference
            return self.create("Payment", given, realm=realm)

    def apply(self, payment: Json | str, applied: Mapping[str, Amount], *, realm: str = "") -> Json:
        """Use what a payment holds for these invoices, and these only; an empty mapping takes it off all of them."""
        shares = {key: Decimal(str(value)) for key, value in applied.items()}
        return self.change("Payment", payment, Line=_links("Invoice", shares), realm=realm)

    def apply_credit(self, memo: Json | str, invoice: Json | str, amount: Amount | None = None, *, realm: str = "") -> Json:
        """A payment of 0 that lets a credit memo pay an invoice, in full or as far as it reaches."""
        company = self.company(realm)
        with self.lock:
            credit, open_invoice = company.find("CreditMemo", _id(memo)).body, company.find("Invoice", _id(invoice)).body
            share = min(credit["RemainingCredit"], open_invoice["Balance"]) if amount is None else Decimal(str(amount))
            used = {credit["Id"]: share}
            return self.pay(amount=0, customer=open_invoice["CustomerRef"]["value"], applied={open_invoice["Id"]: share}, credits=used, realm=realm)

    def deposit(self, *payments: Json | str, fee: Amount = 0, date: Day = "", realm: str = "", **more: Any) -> Json:
        """Take payments out of undeposited funds to the bank together, less a fee."""
        company = self.company(realm)
        lines: list[Json] = []
        for payment in payments:
            kind = next(kind for kind in ("Payment", "SalesReceipt", "RefundReceipt") if _id(payment) in company.records[kind])
            lines.append({"LinkedTxn": [{"TxnId": _id(payment), "TxnType": kind, "TxnLineId": "0"}]})
        if fee:
            detail = {"AccountRef": {"value": books.BANK_CHARGES}}
            lines.append({"Amount": -Decimal(str(fee)), "DetailType": "DepositLineDetail", "DepositLineDetail": detail})
        given: Json = {"DepositToAccountRef": {"value": books.CHECKING}, "Line": lines, **more}
        if date:
            given["TxnDate"] = str(date)
        return self.create("Deposit", given, realm=realm)

    def journal(self, customer: Json | str, amount: Amount, *, against: str = books.BAD_DEBTS, date: Day = "", realm: str = "", **more: Any) -> Json:
        """A journal entry that raises what a customer owes (or lowers it, where negative) against an account: bad debts if not said."""
        figure = Decimal(str(amount))
        sides = ("Debit", "Credit") if figure > 0 else ("Credit", "Debit")
        party = {"Type": "Customer", "EntityRef": {"value": _id(customer)}}
        details: list[Json] = [
            {"PostingType": sides[0], "Entity": party, "AccountRef": {"value": books.RECEIVABLE}},
            {"PostingType": sides[1], "AccountRef": {"value": against}},
        ]
        lines = [{"Amount": abs(figure), "DetailType": "JournalEntryLineDetail", "JournalEntryLineDetail": detail} for detail in details]
        given: Json = {"Line": lines, **more}
        if date:
            given["TxnDate"] = str(date)
        return self.create("JournalEntry", given, realm=realm)

    # Verbs

    def create(self, entity: str, given: Json, *, realm: str = "") -> Json:
        """A new record of any kind."""
        with self.lock:
            company = self.company(realm)
            return company.shown(verbs.create(company, entity, given))

    def read(self, entity: str, record: Json | str, *, realm: str = "") -> Json:
        """The record as it stands now."""
        with self.lock:
            company = self.company(realm)
            return company.shown(company.find(entity, _id(record)))

    def change(self, entity: str, record: Json | str, *, realm: str = "", **fields: Any) -> Json:
        """Change some properties of a record, whatever its token."""
        with self.lock:
            company = self.company(realm)
            current = company.find(entity, _id(record)).body
            given = {"Id": current["Id"], "SyncToken": current["SyncToken"], "sparse": True, **fields}
            return company.shown(verbs.update(company, entity, given))

    def email(self, invoice: Json | str, *, to: str = "accounts@customer.example", realm: str = "") -> Json:
        """Send an invoice from QuickBooks."""
        with self.lock:
            company = self.company(realm)
            return company.shown(verbs.send(company, "Invoice", _id(invoice), to))

    def void(self, entity: str, record: Json | str, *, realm: str = "") -> Json:
        """Void a record; unlike the API, credit memos too."""
        with self.lock:
            company = self.company(realm)
            return company.shown(verbs.erase(company, company.find(entity, _id(record))))

    def delete(self, entity: str, record: Json | str, *, realm: str = "") -> Json:
        """Delete a transaction, whatever its token."""
        with self.lock:
            company = self.company(realm)
            current = company.find(entity, _id(record)).body
            return verbs.delete(company, entity, {"Id": current["Id"], "SyncToken": current["SyncToken"]})

    def merge(self, loser: Json | str, into: Json | str, *, touch: bool = False, realm: str = "") -> Json:
        """Make two customers one. The loser leaves a tombstone; its transactions move without a new time of change unless `touch`."""
        with self.lock:
            company = self.company(realm)
            survivor = company.find("Customer", _id(into))
            names.merge(company, company.find("Customer", _id(loser)), survivor, touch=touch)
            return company.shown(survivor)

    def query(self, statement: str, *, realm: str = "") -> Json:
        """The QueryResponse for a statement."""
        with self.lock:
            found: Json = self.finder.answer(self.company(realm), statement)["QueryResponse"]
            return found

    def fill(
        self, invoices: int = 1000, *, customers: int | None = None, paid_in_hundred: int = 40, days: int = 365, realm: str = ""
    ) -> dict[str, int]:
        """Load many invoices at once, without events; returns how many records there are of each kind."""
        with self.lock:
            wanted = max(1, invoices // 50) if customers is None else customers
            company = self.company(realm)
            return filling.fill(company, invoices, customers=wanted, paid_in_hundred=paid_in_hundred, days=days, chance=self.chance)


def _id(record: Json | str) -> str:
    return str(record["Id"]) if isinstance(record, dict) else str(record)


def _form(
    customer: Json | str, amount: Amount, number: str, date: Day, lines: Iterable[Mapping[str, Any]], taxed: bool, more: Mapping[str, Any]
) -> Json:
    detail: Json = {"ItemRef": {"value": "1"}}
    if taxed:
        detail["TaxCodeRef"] = {"value": seeds.TAXED}
    one = {"Amount": Decimal(str(amount)), "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": detail}
    given: Json = {"CustomerRef": {"value": _id(customer)}, "Line": [dict(line) for line in lines] or [one], **more}
    if number:
        given["DocNumber"] = number
    if date:
        given["TxnDate"] = str(date)
    return given


def _links(kind: str, shares: Mapping[str, Decimal]) -> list[Json]:
    return [{"Amount": share, "LinkedTxn": [{"TxnId": txn_id, "TxnType": kind}]} for txn_id, share in shares.items()]


def _payer(company: Company, records: list[Record], shares: Mapping[str, Decimal]) -> str:
    record = records[0] if records else company.find("Invoice", next(iter(shares)))
    return str(record.body["CustomerRef"]["value"])
