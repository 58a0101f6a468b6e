"""Pages for people: what is open, and one invoice with a form to pay it wholly or in part. Nothing is fetched from elsewhere."""

from __future__ import annotations

import datetime as dt
from html import escape
from itertools import islice

from tieout.rehearsal.twins.stripe import money, refusals
from tieout.rehearsal.twins.stripe.books import Books
from tieout.rehearsal.twins.stripe.rehearse import Rehearsal
from tieout.rehearsal.twins.stripe.shapes.invoices import Invoice

_SHOWN = 200
_STYLE = """
:root { color-scheme: light dark; --ink: light-dark(#1d2430, #e8ebf0); --quiet: light-dark(#596273, #a2abba); --line: light-dark(#d9dee6, #363d49);
  --paper: light-dark(#fff, #181c23); --back: light-dark(#f3f5f8, #101318);
  --brand: light-dark(#3d46b8, #a9b0ff); --on-brand: light-dark(#fff, #14172b); }
body { margin: 0; padding: 2rem 1rem; background: var(--back); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 46rem; margin: 0 auto; padding: 2rem; background: var(--paper); border: 1px solid var(--line); border-radius: 10px; }
h1 { margin: 0 0 .25rem; font-size: 1.4rem; } p { margin: .25rem 0; } .quiet { color: var(--quiet); } a { color: var(--brand); }
table { width: 100%; margin: 1.25rem 0; border-collapse: collapse; }
th, td { padding: .45rem .5rem; border-bottom: 1px solid var(--line); text-align: left; }
.sum { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.note { padding: .6rem .8rem; border-left: 4px solid var(--brand); }
label { display: block; margin-bottom: .25rem; }
input { font: inherit; width: 10rem; padding: .45rem; border: 1px solid var(--line); border-radius: 6px; }
button { font: inherit; padding: .5rem 1rem; border: 0; border-radius: 6px; background: var(--brand); color: var(--on-brand); }
"""


def _page(title: str, body: str) -> str:
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{escape(title)}</title><style>{_STYLE}</style>'
    return f'<!doctype html><html lang="en"><head>{head}</head><body><main>{body}</main></body></html>'


def home(books: Books) -> str:
    """Every open invoice, the newest first, each a door to its own page."""
    owed = [invoice for invoice in books.invoices.newest_first() if invoice.status == "open"]
    rows = "".join(
        f'<tr><td><a href="/pay/{invoice.id}">{escape(invoice.number or invoice.id)}</a></td><td>{escape(invoice.customer_name or "")}</td>'
        f'<td>{_day(invoice.due_date)}</td><td class="sum">{money.written(invoice.amount_remaining, invoice.currency)}</td></tr>'
        for invoice in islice(owed, _SHOWN)
    )
    told = f"{len(owed)} open" + (f", the newest {_SHOWN} shown" if len(owed) > _SHOWN else "")
    table = "<table><thead><tr><th>Invoice</th><th>Customer</th><th>Due</th><th class='sum'>Remaining</th></tr></thead>"
    body = f"<h1>Open invoices</h1><p class='quiet'>{escape(books.name)}, a rehearsal: no money moves. {told}.</p>"
    return _page("Open invoices", f"{body}{table}<tbody>{rows}</tbody></table>" if rows else f"{body}<p>Nobody owes anything.</p>")


def invoice(books: Books, identity: str, *, paid: str = "") -> str:
    """One invoice with its lines and what remains. Raises Refused."""
    found = books.invoices.get(identity, param="invoice")
    note = '<p class="note">Thank you. Your payment has arrived.</p>' if paid else ""
    return _page(f"Invoice {found.number or found.id}", f"{note}{_head(found)}{_lines(books, found)}{_form(found)}")


def refused(books: Books, identity: str, message: str) -> str:
    """The invoice again, with what was wrong."""
    found = books.invoices.find(identity)
    note = f'<p class="note">{escape(message)}</p>'
    return _page("Not possible", note + (f"{_head(found)}{_lines(books, found)}{_form(found)}" if found is not None else ""))


def _head(found: Invoice) -> str:
    due = f"due {_day(found.due_date)}" if found.due_date else "collected automatically"
    who = f"{escape(found.account_name)} to {escape(found.customer_name or found.customer)}"
    return f"<h1>Invoice {escape(found.number or 'draft')}</h1><p>{who}</p><p class='quiet'>{escape(found.status)}, {due}</p>"


def _lines(books: Books, found: Invoice) -> str:
    rows = [(line.description or "", line.amount) for line in books.lines[found.id]]
    rows += [(f"Tax ({tax.tax_behavior})", tax.amount) for tax in found.total_taxes]
    sums = [("Total", found.total), ("Credited", -found.pre_payment_credit_notes_amount), ("Paid", -found.amount_paid)]
    rows += [(name, amount) for name, amount in sums if amount or name == "Total"]
    rows.append(("Remaining", found.amount_remaining))
    shown = "".join(f'<tr><td>{escape(name)}</td><td class="sum">{money.written(amount, found.currency)}</td></tr>' for name, amount in rows)
    return f"<table><tbody>{shown}</tbody></table>"


def _form(found: Invoice) -> str:
    if found.status not in ("open", "uncollectible") or found.amount_remaining <= 0:
        return f"<p>Nothing is left to pay here: the invoice is {escape(found.status)}.</p>"
    amount = money.written(found.amount_remaining, found.currency).split()[0].replace(",", "")
    label = f'<label for="amount">Amount in {found.currency.upper()}</label>'
    field = f'<input id="amount" name="amount" inputmode="decimal" value="{amount}" required>'
    return f'<form method="post" action="/pay/{found.id}">{label}{field} <button>Pay</button></form>'


def _day(moment: int | None) -> str:
    return dt.datetime.fromtimestamp(moment, dt.UTC).date().isoformat() if moment is not None else ""


def pay(twin: Rehearsal, identity: str, typed: str) -> None:
    """Pay what was typed into the form. Raises Refused."""
    found = twin.books.invoices.get(identity, param="invoice")
    amount = money.parsed(typed, found.currency)
    if amount is None or amount <= 0:
        raise refusals.invalid("amount", f"{typed or 'Nothing'} is not an amount in {found.currency.upper()}")
    if amount > found.amount_remaining:
        raise refusals.invalid("amount", f"Only {money.written(found.amount_remaining, found.currency)} remain")
    twin.pay(found, amount)


def pdf(books: Books, identity: str) -> bytes:
    """The invoice as a one-page PDF. Raises Refused."""
    found = books.invoices.get(identity, param="invoice")
    told = [f"Invoice {found.number or 'draft'}", f"{found.account_name} to {found.customer_name or found.customer}", ""]
    told += [f"{line.description or ''}   {money.written(line.amount, line.currency)}" for line in books.lines[identity][:40]]
    told += ["", f"Total   {money.written(found.total, found.currency)}", f"Due {_day(found.due_date)}"]
    shown = " T* ".join(f"({text.translate(_PDF_ESCAPES)}) Tj" for text in told).encode("cp1252", "replace")
    stream = b"BT /F1 11 Tf 56 780 Td 16 TL " + shown + b" ET"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    out, places = bytearray(b"%PDF-1.4\n"), []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"xref\n0 6\n0000000000 65535 f \n%strailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (table, len(out))
    return bytes(out)


_PDF_ESCAPES = str.maketrans({"\\": r"\\", "(": r"\(", ")": r"\)"})
