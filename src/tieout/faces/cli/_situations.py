"""From the contract tables (DESIGN, section 7) to one `Situation` per customer, for the commands that judge a book of files.

A row that cannot be taken is a finding with file, line and column; the others go on.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any, TypeVar, cast

import msgspec

from tieout.core import days
from tieout.core.party import AddressRefused, mail_address
from tieout.core.policy import seen
from tieout.core.policy.situation import HOLD_REASONS, Hold, HoldReason, Item, Situation, Touch
from tieout.faces.cli._books import INVOICE_ALIASES
from tieout.faces.cli._tables import BadCell, Row, rows

INVOICES = ("number", "issue_date", "due_date", "currency", "amount", "open_amount", "status", "recorded_at")
INVOICES_UNUSED = ("discount_pct", "discount_until", "po_number", "customer_name", "customer_email")
CUSTOMERS = ("name", "aliases", "country", "email", "phone", "parent_id", "accounts", "debtor_type", "time_zone", "language", "tier")
CUSTOMERS_UNUSED = ("city", "currency", "tax_id", "broken_promises")
PAYMENTS = ("payment_id", "date", "amount", "currency", "customer_id", "payer_name", "payer_account", "reference", "remittance")
PAYMENTS_UNUSED = ("bank_ref", "recorded_at", "invoice_number")
#: A payment whose amount cannot be read may be as large as anything.
ANY_AMOUNT = 2**60
T = TypeVar("T")
TIERS = frozenset({"low", "medium", "high", "unknown"})
#: Words of a source's own status column that mean nothing is owed.
CLOSED = {"void": "void", "voided": "void", "deleted": "deleted", "draft": "draft", "paid": "void", "written_off": "void", "cancelled": "void"}


class Book(msgspec.Struct):
    """Everything the tables said about each customer, and what could not be taken."""

    today: dt.date
    customers: dict[str, Row] = {}
    items: dict[str, list[Item]] = {}
    holds: dict[str, list[Hold]] = {}
    touches: dict[str, list[Row]] = {}
    payments: list[seen.Money] = []
    findings: list[str] = []
    owner: dict[str, str] = {}
    numbers: dict[str, str] = {}

    def told(self, read: Callable[[], T]) -> T | None:
        """What `read` gives, or None with a finding: for cells whose absence counts against contact, never for it."""
        try:
            return read()
        except BadCell as error:
            self.findings.append(str(error))
            return None


def gather(
    today: dt.date, *, invoices: str, customers: str | None, payments: str | None, holds: str | None, touches: str | None
) -> tuple[list[Situation], list[str]]:
    """The situation of every customer named by the invoices or the customers table, by customer id, and the findings."""
    book = Book(today=today)
    readers: list[tuple[str | None, Callable[[Book, str], Iterator[None]]]] = [
        (customers, _customers),
        (invoices, _invoices),
        (payments, _payments),
        (holds, _holds),
        (touches, _touches),
    ]
    for path, reader in readers:
        if path is not None:
            for _ in reader(book, path):
                pass
    return _situations(book), book.findings


def _taken(book: Book, table: Iterator[Row], take: Callable[[Row], None]) -> Iterator[None]:
    for row in table:
        try:
            take(row)
        except BadCell as error:
            book.findings.append(str(error))
        yield


def _customers(book: Book, path: str) -> Iterator[None]:
    def take(row: Row) -> None:
        key = row.needed("customer_id")
        if key in book.customers:
            raise row.fault("customer_id", f"{key} stands twice; the first row was taken")
        book.customers[key] = row

    return _taken(book, rows(path, required=["customer_id"], known=CUSTOMERS + CUSTOMERS_UNUSED), take)


def _invoices(book: Book, path: str) -> Iterator[None]:
    def take(row: Row) -> None:
        key, customer = row.needed("invoice_id"), row.needed("customer_id")
        book.items.setdefault(customer, [])
        issued, recorded = row.day("issue_date"), row.moment("recorded_at")
        if (issued is not None and issued > book.today) or (recorded is not None and recorded.date() > book.today):
            return
        if key in book.owner:
            raise row.fault("invoice_id", f"{key} stands twice; the first row was taken")
        row.needed("currency")
        amount = row.money("open_amount") or row.money("amount")
        if amount is None:
            raise row.fault("open_amount", "is empty and so is amount; one of them must say what is open")
        if amount.minor < 0:
            raise row.fault("open_amount" if row.text("open_amount") else "amount", "is negative; give a credit as a credit note")
        book.owner[key] = customer
        book.numbers.setdefault(row.text("number") or key, key)
        book.items[customer].append(
            Item(
                invoice_id=key,
                number=row.text("number") or key,
                currency=amount.currency,
                open_minor=amount.minor,
                due_date=row.day("due_date"),
                status=CLOSED.get((row.text("status") or "").casefold(), "open"),
            )
        )

    required = ["invoice_id", "customer_id", "due_date", "currency"]
    return _taken(book, rows(path, required=required, known=INVOICES + INVOICES_UNUSED, aliases=INVOICE_ALIASES), take)


def _payments(book: Book, path: str) -> Iterator[None]:
    def take(row: Row) -> None:
        row.needed("payment_id")
        day, amount = book.told(lambda: row.day("date")), book.told(lambda: row.money("amount"))
        if amount is None and not row.text("amount"):
            raise row.fault("amount", "is empty; every payment needs it")
        if day is not None and day > book.today:
            return
        texts = tuple(t for t in (row.text("reference"), row.text("remittance"), row.text("invoice_number")) if t)
        book.payments.append(
            seen.Money(
                minor=amount.minor if amount else ANY_AMOUNT,
                currency=row.needed("currency"),
                customer_id=row.text("customer_id"),
                payer_name=row.text("payer_name"),
                payer_account=row.text("payer_account"),
                texts=texts,
            )
        )

    return _taken(book, rows(path, required=["payment_id", "amount", "currency"], known=PAYMENTS + PAYMENTS_UNUSED), take)


def _holds(book: Book, path: str) -> Iterator[None]:
    def take(row: Row) -> None:
        named = row.text("invoice_id")
        invoice = named if named in book.owner else book.numbers.get(named or "", named)
        customer = book.owner.get(invoice or "") or row.text("customer_id")
        if customer is None:
            raise row.fault("customer_id", "names no customer, and invoice_id none of the invoices; give one of them")
        item = next((i for i in book.items.get(customer, ()) if i.invoice_id == invoice), None)
        # What cannot be read holds as widely as it might have meant: no amount is the whole, no day is without end.
        amount = book.told(lambda: row.money("amount", item.currency)) if item else None
        hold = Hold(
            reason=_reason(book, row),
            invoice_id=invoice,
            amount_minor=amount.minor if amount else None,
            from_date=book.told(lambda: row.day("from")),
            until_date=book.told(lambda: row.day("until")),
        )
        book.holds.setdefault(customer, []).append(hold)

    return _taken(book, rows(path, required=["reason"], known=("customer_id", "invoice_id", "amount", "from", "until"), aliases={}), take)


def _reason(book: Book, row: Row) -> HoldReason:
    """The reason; an unknown or missing one is a finding and holds as `manual`."""
    word = (row.text("reason") or "").casefold()
    if word in HOLD_REASONS:
        return cast(HoldReason, word)
    book.findings.append(str(row.fault("reason", f"{word!r} is not known and holds as manual; known: {', '.join(HOLD_REASONS)}")))
    return "manual"


def _touches(book: Book, path: str) -> Iterator[None]:
    def take(row: Row) -> None:
        customer = row.needed("customer_id")
        if book.told(lambda: row.needed("at") and row.moment("at")) is None:
            # A contact on a day nobody can tell: until that is mended, nothing may be said twice.
            book.holds.setdefault(customer, []).append(Hold(reason="manual"))
        else:
            book.touches.setdefault(customer, []).append(row)

    known = ("address", "channel", "step", "outcome", "invoice_ids")
    return _taken(book, rows(path, required=["customer_id", "at"], known=known, aliases={}), take)


def _listed(row: Row | None, column: str) -> list[str]:
    text = (row.get(column) if row else None) or ""
    return [part.strip() for part in text.replace(";", "|").split("|") if part.strip()]


def _word(book: Book, row: Row | None, column: str, known: frozenset[str]) -> str | None:
    """A word out of `known`; another one is a finding and counts as unknown."""
    word = ((row.get(column) if row else None) or "").casefold()
    if not word or row is None:
        return None
    if word not in known:
        book.findings.append(str(row.fault(column, f"{word!r} is not known and counts as unknown; known: {', '.join(sorted(known))}")))
        return None
    return word


def _address(book: Book, row: Row | None) -> str | None:
    text = row.text("email") if row else None
    if text is None or row is None:
        return None
    address = mail_address(text)
    if isinstance(address, AddressRefused):
        book.findings.append(str(row.fault("email", f"{text!r} is left out: {address.reason}")))
        return None
    return address


def _zones(book: Book, row: Row | None, country: str | None) -> tuple[str, ...]:
    name = row.text("time_zone") if row else None
    if name is None or row is None:
        return days.zones_of(country)
    try:
        days.zone(name)
    except ValueError as error:
        book.findings.append(str(row.fault("time_zone", str(error))))
        return days.zones_of(country)
    return (name,)


def _touch(row: Row, zones: tuple[str, ...]) -> Touch:
    """A contact falls on the recipient's local day; with several candidate zones on the latest of them."""
    moment = row.moment("at")
    assert moment is not None
    day = moment.date() if len(row["at"]) == 10 else max(moment.astimezone(days.zone(z)).date() for z in zones or ("UTC",))
    return Touch(
        date=day,
        step=row.text("step"),
        channel=(row.text("channel") or "email").casefold(),
        address=row.text("address"),
        invoice_ids=tuple(_listed(row, "invoice_ids")),
        outcome=(row.text("outcome") or "").casefold(),
    )


def _account(key: str, items: list[Item], row: Row | None) -> seen.Account:
    name = row.text("name") if row else None
    return seen.Account(
        customer_id=key,
        items=items,
        names=[name or "", *_listed(row, "aliases")],
        bank_accounts=_listed(row, "accounts"),
        parent_id=row.text("parent_id") if row else None,
    )


def _situations(book: Book) -> list[Situation]:
    keys = sorted({*book.items, *book.customers})
    money: dict[str, int] = {}
    if book.payments:
        open_items = {k: [i for i in book.items.get(k, ()) if i.status == "open" and i.open_minor > 0] for k in keys}
        money = seen.on_the_way(book.payments, [_account(k, open_items[k], book.customers.get(k)) for k in keys])
    return [_situation(book, key, money) for key in keys]


def _situation(book: Book, key: str, money: dict[str, int]) -> Situation:
    row = book.customers.get(key)
    country = (row.text("country") or "").upper() or None if row else None
    zones = _zones(book, row, country)
    items: list[Any] = book.items.get(key, [])
    if money:
        items = [msgspec.structs.replace(i, on_the_way_minor=money[i.invoice_id]) if i.invoice_id in money else i for i in items]
    return Situation(
        customer_id=key,
        items=tuple(items),
        name=(row.text("name") if row else None) or key,
        tier=_word(book, row, "tier", TIERS) or "unknown",
        debtor_type=_word(book, row, "debtor_type", frozenset({"business", "consumer", "unknown"})),
        email=_address(book, row),
        phone=row.text("phone") if row else None,
        country=country,
        zones=zones,
        language=row.text("language") if row else None,
        holds=tuple(book.holds.get(key, ())),
        touches=tuple(_touch(t, zones) for t in book.touches.get(key, ())),
    )
