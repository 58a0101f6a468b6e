"""Believable books of any size, the same ones each time: nothing here is drawn by chance, everything from the row's number."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

TODAY = dt.date(2026, 6, 10)  # a Wednesday
NOW = dt.datetime(2026, 6, 10, 9, 30, tzinfo=dt.UTC)
#: Invoices of one customer, on average.
PER_CUSTOMER = 25

_FIRST = ("Brightwater", "Nordwind", "Halden", "Osterley", "Pinecrest", "Kestrel", "Marlow", "Silbersee", "Tidewell", "Ashford", "Lindqvist")
_SECOND = ("Foods", "Logistik", "Trading", "Interiors", "Machine Tools", "Paper", "Textil", "Press", "Systems", "Bakery", "Glass", "Timber", "Print")
_FORMS = ("Ltd", "GmbH", "Inc", "AG", "plc", "SARL", "BV")
_CURRENCIES = ("EUR", "EUR", "EUR", "USD", "GBP")


def _mixed(n: int) -> int:
    # Multiplication by an odd constant mixes the bits; the same number always gives the same one.
    return (n * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF) >> 20


def name(customer: int) -> str:
    """A customer's name."""
    n = _mixed(customer)
    return f"{_FIRST[n % 11]} {_SECOND[n // 11 % 13]} {_FORMS[n // 143 % 7]} {customer}"


def amount(invoice: int) -> int:
    """An invoice's amount in minor units, from 10.00 to some 20,000.00, small ones more often."""
    n = _mixed(invoice)
    return 1_000 + (n % 2_000) * (n // 2_000 % 1_000)


def invoices(count: int) -> Iterator[str]:
    """The lines of an export of invoices, header first: customer, dates, currency, amount, what is still open, order number."""
    yield "invoice_id,number,customer_id,customer_name,issue_date,due_date,currency,amount,open_amount,po_number\n"
    customers = max(1, count // PER_CUSTOMER)
    days = [(TODAY - dt.timedelta(days=d)).isoformat() for d in range(-60, 760)]
    for i in range(count):
        n = _mixed(i)
        customer = n % customers
        minor = amount(i)
        issued = 60 + n // 7 % 700
        left = minor if n % 10 == 0 else 0
        yield (
            f"{700_000_000 + i},INV-{i:07d},C{customer:06d},{name(customer)},{days[issued]},{days[issued - 30]},{_CURRENCIES[customer % 5]},"
            f"{minor // 100}.{minor % 100:02d},{left // 100}.{left % 100:02d},PO {n % 90_000}\n"
        )


def write(path: Path, count: int, *, more: str = "") -> Path:
    """The export as a file; `more` is added at its end, so that the same rows are another file."""
    with path.open("w", encoding="utf-8") as out:
        out.writelines(invoices(count))
        out.write(more)
    return path
