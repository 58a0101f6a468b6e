"""Receivables: every item as a list, filtered in the address, with the totals the rows add up to."""

from __future__ import annotations

import csv
import io
import tempfile
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec
from django.http import FileResponse, HttpResponse, QueryDict
from django.shortcuts import render

from tieout.core import party
from tieout.core.money import is_currency, minor_text
from tieout.faces.web import asked, cells
from tieout.faces.web.asked import Request
from tieout.faces.web.may import may
from tieout.faces.web.views.overview import LABELS
from tieout.stages.insight import listing
from tieout.stages.insight.listing import Wanted
from tieout.stages.ledger.models import Customer

STATE_WORDS = {"open": "Open", "overdue": "Overdue", "due": "Not yet due", "paid": "Paid", "void": "Void", "all": "All"}
KIND_WORDS = {"invoice": "Invoices", "credit_note": "Credit notes"}
FLAG_WORDS = {"disputed": "Disputed", "held": "On hold", "promised": "Promised", "expected": "Expected in 14 days"}
COLUMNS = (
    "number", "kind", "customer", "customer_id", "issue_date", "due_date", "days_overdue", "currency", "amount", "open", "state", "disputed",
    "promised_date",
)


class Chip(msgspec.Struct, frozen=True):
    """A filter that is on: what it says, and the address parameters that taking it off removes."""

    label: str
    value: str
    without: str


@may("view")
def page(request: Request) -> HttpResponse:
    """The list. What cannot be read in the address is left out and said, never an error page."""
    wanted, notices = read(request.GET)
    items, after = listing.page(wanted=wanted, today=request.today, after=asked.text(request.GET, "after", longest=400))
    values: dict[str, Any] = {
        "items": [(item, item.state(request.today)) for item in items],
        "after": after,
        # Over all that ever was, the sum is read after the page.
        "totals": listing.totals(wanted=wanted, today=request.today) if wanted.state in listing.OPEN_STATES else None,
        "wanted": wanted,
        "chips": _chips(request.GET, wanted),
        "notices": notices,
        "states": STATE_WORDS.items(),
        "kinds": KIND_WORDS.items(),
        "flags": FLAG_WORDS.items(),
        "buckets": LABELS.items(),
        "query": _without(request.GET, "after"),
    }
    part = request.headers.get("HX-Request") and request.GET.get("after")
    return render(request, "web/_receivable_rows.html" if part else "web/receivables.html", values)


@may("view")
def totals(request: Request) -> HttpResponse:
    """The sums of the filter, for a page that was shown without them."""
    wanted, _ = read(request.GET)
    return render(request, "web/_totals.html", {"totals": listing.totals(wanted=wanted, today=request.today)})


@may("export")
def export(request: Request) -> FileResponse:
    """All rows of the filter as CSV. Written before it is sent, inside the request's walls; memory does not grow with it."""
    wanted, _ = read(request.GET)
    spool = tempfile.SpooledTemporaryFile(max_size=2_000_000)  # noqa: SIM115 - the response closes it
    text = io.TextIOWrapper(spool, encoding="utf-8-sig", newline="", write_through=True)
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for item in listing.every(wanted=wanted, today=request.today):
        overdue = max(0, (request.today - item.due_date).days) if item.due_date and item.open_minor else ""
        row = (
            item.number, item.kind, item.customer, item.customer_id, item.issue_date, item.due_date, overdue, item.currency,
            minor_text(item.amount_minor, item.currency), minor_text(item.open_minor, item.currency), item.state(request.today),
            minor_text(item.disputed_minor, item.currency) if item.disputed_minor else "", item.promised_date,
        )
        writer.writerow([cells.safe(value) for value in row])
    text.detach()
    spool.seek(0)
    return FileResponse(spool, as_attachment=True, filename=f"receivables-{request.today}.csv", content_type="text/csv; charset=utf-8")


def read(query: QueryDict) -> tuple[Wanted, list[str]]:
    """The filter in an address, and what of it could not be read."""
    notices: list[str] = []

    def one_of(name: str, allowed: Any, default: str) -> str:
        given = query.get(name, default)
        if given in allowed:
            return str(given)
        notices.append(f"There is no {name} “{given[:40]}”; the list shows {STATE_WORDS.get(default, default) or 'all'}.")
        return default

    def whole(name: str) -> Decimal | None:
        given = asked.text(query, name, longest=30).replace(",", "")
        if not given:
            return None
        try:
            value = Decimal(given)
        except InvalidOperation:
            value = Decimal("NaN")
        if not value.is_finite() or abs(value) > 10**15:
            notices.append(f"“{given}” is not an amount; write it as 1234.50.")
            return None
        return value

    def date(name: str) -> Any:
        try:
            return asked.day(query, name)
        except asked.Unreadable as error:
            notices.append(f"{error}.")
            return None

    currency = asked.text(query, "currency", longest=3).upper()
    if currency and not is_currency(currency):
        notices.append(f"“{currency}” is not a currency; the list shows all.")
        currency = ""
    state = one_of("state", listing.STATES, "open")
    # What is open is read oldest due first; what is closed, newest first, as its key lies.
    usual = "due" if state in listing.OPEN_STATES else "newest"
    sort = one_of("sort", listing.SORTS, usual)
    wanted = Wanted(
        state=state, kind=one_of("kind", ("invoice", "credit_note"), "invoice"),
        bucket=one_of("bucket", ("", *LABELS), ""), flag=one_of("flag", ("", *listing.FLAGS), ""), currency=currency,
        customer=asked.number(query, "customer"), text=party.tidy(asked.text(query, "q", longest=200)), least=whole("least"), most=whole("most"),
        due_from=date("due_from"), due_to=date("due_to"), sort=sort,
        down=query.get("down", "1" if sort == "newest" else "") == "1",
    )
    return wanted, notices


def _chips(query: QueryDict, wanted: Wanted) -> list[Chip]:
    customer = Customer.objects.filter(pk=wanted.customer).values_list("name", flat=True).first() if wanted.customer is not None else ""
    on = [
        ("bucket", "Age", LABELS.get(wanted.bucket, "")), ("currency", "Currency", wanted.currency),
        ("customer", "Customer", (customer or "none of ours") if wanted.customer is not None else ""), ("flag", "", FLAG_WORDS.get(wanted.flag, "")),
        ("q", "Text", wanted.text), ("least", "From", f"{wanted.least:,f}" if wanted.least is not None else ""),
        ("most", "Up to", f"{wanted.most:,f}" if wanted.most is not None else ""), ("due_from", "Due from", str(wanted.due_from or "")),
        ("due_to", "Due to", str(wanted.due_to or "")),
    ]
    return [Chip(label, value, "?" + _without(query, name, "after")) for name, label, value in on if value]


def _without(query: QueryDict, *names: str) -> str:
    left = query.copy()
    for name in names:
        left.pop(name, None)
    return left.urlencode()
