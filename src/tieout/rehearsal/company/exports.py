"""The files the company's tools export, as their users would save them.

The billing tools list documents and the customers they concern; the banks list movements of the last days, so that one export
overlaps the next and every line comes several times.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterable, Sequence

import msgspec
import xlsxwriter

from tieout.rehearsal.company.people import Client
from tieout.rehearsal.company.trade import Bill, Receipt, World

COLUMNS = (
    "Record", "Number", "Issued", "Due", "Customer no", "Customer", "E-mail", "Phone", "Country", "City", "Language", "Time zone", "Customer type",
    "VAT no", "Belongs to", "Bank accounts", "Currency", "Total", "Paid", "Paid on", "Purchase order", "Status", "Credits invoice", "Description",
)  # fmt: skip


class File(msgspec.Struct, frozen=True):
    """A file as it is saved: its name and bytes."""

    name: str
    content: bytes


Row = dict[str, str | dt.date | int]


def orders(world: World, *, since: dt.date) -> File:
    """The order book of the main office as CSV: what was billed from `since` on, and its customers first."""
    rows = _rows(world, "main", since)
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([_text(row.get(name, "")) for name in COLUMNS])
    return File(f"orderbook-{world.until:%Y-%m-%d}.csv", out.getvalue().encode("utf-8"))


def workbook(world: World, *, since: dt.date) -> File:
    """The same of the office in Maine, as a workbook with real dates and numbers."""
    out = io.BytesIO()
    # A fixed moment of making, or the same content would never be the same file.
    book = xlsxwriter.Workbook(out, {"in_memory": True, "default_date_format": "mm/dd/yyyy"})
    book.set_properties({"created": dt.datetime(2020, 1, 1, tzinfo=dt.UTC)})
    sheet = book.add_worksheet("Receivables")
    sheet.write_row(0, 0, COLUMNS)
    for place, row in enumerate(_rows(world, "us", since), 1):
        for column, name in enumerate(COLUMNS):
            value = row.get(name, "")
            if isinstance(value, dt.date):
                sheet.write_datetime(place, column, dt.datetime(value.year, value.month, value.day))  # noqa: DTZ001 - a sheet knows no zones
            elif isinstance(value, int):
                sheet.write_number(place, column, value / 100)
            elif value:
                sheet.write_string(place, column, value)
    book.close()
    return File(f"us-receivables-{world.until:%Y-%m-%d}.xlsx", out.getvalue())


def _rows(world: World, office: str, since: dt.date) -> list[Row]:
    mine = [b for b in world.bills if b.client.office == office and (b.issued >= since or (b.credit and b.credit.issued >= since))]
    paid = _paid(world.noted)
    concerned = {b.client.key for b in mine} | {b.client.parent for b in mine if b.client.parent}
    rows = [_customer(c) for c in world.clients if c.key in concerned]
    for bill in mine:
        if bill.issued >= since:
            rows.append(_invoice(bill, paid.get(bill.number)))
        if bill.credit and bill.credit.issued >= since:
            rows.append(_credit(bill))
    return rows


def _paid(receipts: Iterable[Receipt]) -> dict[str, tuple[int, dt.date, tuple[str, ...]]]:
    found: dict[str, tuple[int, dt.date, tuple[str, ...]]] = {}
    for receipt in receipts:
        for number in receipt.pays:
            before = found.get(number, (0, receipt.date, ()))[0]
            found[number] = (before + receipt.minor, receipt.date, receipt.pays)
    return found


def _customer(client: Client) -> Row:
    return {
        "Record": "Customer", "Customer no": client.key, "Customer": client.name, "E-mail": client.email, "Phone": client.phone,
        "Country": client.country, "City": client.city, "Language": client.language, "Time zone": client.time_zone,
        "Customer type": "Business" if client.business else "Consumer", "VAT no": client.vat, "Belongs to": client.parent,
        "Bank accounts": client.account, "Currency": client.currency,
    }  # fmt: skip


def _invoice(bill: Bill, paid: tuple[int, dt.date, tuple[str, ...]] | None) -> Row:
    row: Row = {
        "Record": "Invoice", "Number": bill.number, "Issued": bill.issued, "Customer no": bill.client.key, "Customer": bill.client.name,
        "Currency": bill.client.currency, "Total": bill.minor, "Purchase order": bill.order, "Status": "Cancelled" if bill.cancelled else "Sent",
        "Description": bill.what,
    }  # fmt: skip
    if bill.due is not None:
        row["Due"] = bill.due
    if paid is not None:
        # Where several were paid in one go, each was paid in full.
        owed = bill.minor - (bill.credit.minor if bill.credit else 0)
        row["Paid"], row["Paid on"] = (owed if len(paid[2]) > 1 else min(paid[0], owed)), paid[1]
    return row


def _credit(bill: Bill) -> Row:
    assert bill.credit is not None
    return {
        "Record": "Credit note", "Number": bill.credit.number, "Issued": bill.credit.issued, "Customer no": bill.client.key,
        "Customer": bill.client.name, "Currency": bill.client.currency, "Total": bill.credit.minor, "Status": "Sent", "Credits invoice": bill.number,
    }  # fmt: skip


def _text(value: str | dt.date | int) -> str:
    if isinstance(value, dt.date):
        return value.isoformat()
    return f"{value // 100}.{value % 100:02d}" if isinstance(value, int) else value


def euro_account(world: World, *, since: dt.date) -> File:
    """The German bank: semicolons, decimal commas, its own code page, and the company's own payments among the receipts."""
    head: list[Sequence[str]] = [
        ["Buchungstag", "Valuta", "Auftraggeber/Empfänger", "IBAN", "Verwendungszweck", "Betrag", "Währung", "Saldo nach Buchung"]
    ]
    for line, balance in _lines(world, "EUR", since):
        date = f"{line.date:%d.%m.%Y}"
        head.append([date, date, line.payer, line.account, line.text, _german(line.minor), "EUR", _german(balance)])
    return File(f"umsaetze-{world.until:%Y-%m-%d}.csv", _csv(head, ";").encode("cp1252", errors="replace"))


def sterling_account(world: World, *, since: dt.date) -> File:
    """The British bank: money in and money out in columns of their own."""
    rows: list[Sequence[str]] = [["Date", "Description", "Counterparty", "Account", "Money in", "Money out", "Balance"]]
    for line, balance in _lines(world, "GBP", since):
        given = ("", _plain(-line.minor)) if line.minor < 0 else (_plain(line.minor), "")
        rows.append([f"{line.date:%d/%m/%Y}", line.text, line.payer, line.account, *given, _plain(balance)])
    return File(f"sterling-{world.until:%Y-%m-%d}.csv", _csv(rows, ",").encode())


def dollar_account(world: World, *, since: dt.date) -> File:
    """The American bank: month first, one signed amount."""
    rows: list[Sequence[str]] = [["Posting Date", "Description", "Originator", "Amount", "Running Balance"]]
    for line, balance in _lines(world, "USD", since):
        rows.append([f"{line.date:%m/%d/%Y}", line.text, line.payer, f"{line.minor / 100:,.2f}", f"{balance / 100:,.2f}"])
    return File(f"checking-{world.until:%Y-%m-%d}.csv", _csv(rows, ",").encode())


#: What each account pays on the second of the month: to whom, for what, how much.
_OUTGOING = {
    "EUR": ("Vermieter Gewerbehof Plagwitz", "Miete", 385_000),
    "GBP": ("Paper Merchants Bristol", "Stock", 92_000),
    "USD": ("Casco Bay Leasing", "Lease", 61_000),
}


def _lines(world: World, currency: str, since: dt.date) -> list[tuple[Receipt, int]]:
    """Movements of an account with the balance after each, counted from the first line the world has."""
    moved = [r for r in world.banked if r.currency == currency]
    payee, text, rent = _OUTGOING[currency]
    first = min((r.date for r in moved), default=world.until)
    for number in range((world.until - first).days + 1):
        date = first + dt.timedelta(days=number)
        if date.day == 2:
            moved.append(Receipt(date=date, currency=currency, minor=-rent, payer=payee, account="", text=f"{text} {date:%m/%Y}"))
    moved.sort(key=lambda r: (r.date, r.payer, r.minor, r.text))
    found, balance = [], 4_000_000
    for line in moved:
        balance += line.minor
        if line.date >= since:
            found.append((line, balance))
    return found


def _csv(rows: Iterable[Sequence[str]], delimiter: str) -> str:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter).writerows(rows)
    return out.getvalue()


def _german(minor: int) -> str:
    return f"{minor / 100:,.2f}".translate(str.maketrans(",.", ".,"))


def _plain(minor: int) -> str:
    return f"{minor / 100:.2f}"


def fair_list(first: dt.date) -> File:
    """What was sold at the trade fair, kept by hand in a spreadsheet: good rows, and some nobody can take without guessing."""
    header = ["Invoice", "Customer", "E-mail", "Invoice date", "Due date", "Currency", "Amount", "Notes"]
    day = first - dt.timedelta(days=24)
    due, issued, year = day + dt.timedelta(days=30), day.isoformat(), day.year
    rows = [
        ["FAIR-01", "Bäckerei Grünspän", "rechnung@gruenspaen.example", issued, due.isoformat(), "EUR", "189.00", "posters"],
        ["FAIR-02", "Studio Pappel", "hallo@studio-pappel.example", issued, due.isoformat(), "EUR", "420.00", ""],
        ["FAIR-03", "Kranich & Co", "", issued, due.isoformat(), "EUR", "95.50", "paid cash?"],
        ["FAIR-04", "Brightwel Interiors", "accounts@brightwel.example", issued, due.isoformat(), "GBP", "310.00", ""],
        ["FAIR-05", "Atelier Mohnblau", "atelier@mohnblau.example", issued, f"{year}-02-31", "EUR", "260.00", "due date as told on the phone"],
        ["FAIR-06", "Teehaus Löwenzahn", "", issued, due.isoformat(), "EUR", "1.234,567", "check the amount"],
        ["FAIR-07", "Wagner Optik", "buero@wagner-optik.example", issued, due.isoformat(), "EURO?", "150.00", ""],
        ["FAIR-08", "Lindenblatt Café", "cafe@lindenblatt.example", issued, due.isoformat(), "EUR", "-60.00", "returned menus"],
        ["FAIR-09", "", "", issued, due.isoformat(), "EUR", "75.00", "who was this?"],
        ["FAIR-10", "Harbor Prints", "ap@harbor-prints.example", issued, due.isoformat(), "USD", "540.00", ""],
    ]
    return File("trade-fair.csv", _csv([header, *rows], ",").encode())
