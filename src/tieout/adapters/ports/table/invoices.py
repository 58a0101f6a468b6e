"""Invoices from the values of a batch: one per row, or several rows that are the lines of one.

Amounts leave here positive; a negative invoice is a credit note or a question, never an invoice.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import msgspec

from tieout.adapters.ports.format import RowFinding
from tieout.adapters.ports.table.plan import Parsed, Plan
from tieout.adapters.ports.table.seen import REMEMBERED, Out, Seen, finding
from tieout.core.documents import CreditNote, Customer, Invoice, Line, Payment, Record
from tieout.core.money import Money


def invoices(plan: Plan, p: Parsed, seen: Seen) -> Out:
    """Invoices, their customers, and where a paid date stands, the payments that settled them."""
    out: Out = []
    facts = bool({"customer_name", "customer_email", "country", "phone"} & p.values.keys())
    told, source = seen.customers, seen.format
    rows = zip(
        p.batch.lines, p.get("invoice_id"), p.get("number"), p.get("customer_id"), p.get("customer_name"), p.get("customer_email"),
        p.get("issue_date"), p.get("due_date"), p.get("amount"), p.get("open_amount"), p.get("paid_amount"), p.get("paid_date"),
        p.get("discount_pct"), p.get("discount_until"), p.get("po_number"), p.get("status", ("open", None)), p.get("recorded_at"),
        strict=True,
    )  # fmt: skip
    for place, row in enumerate(rows):
        line, own, number, party, name, mail, issued, due, amount, left, paid, paid_on, pct, until, order, status, recorded = row
        party = party or name
        own, number = own or number, number or own
        if amount.minor < 0:
            note = CreditNote(
                source_format=source,
                line=line,
                credit_note_id=own,
                number=number,
                customer_id=party,
                amount=-amount,
                customer_name=name,
                date=issued,
                status=status[0],
                source_status=status[1],
                recorded_at=recorded,
            )
            out.append(_negative_invoice(plan, p, place, note))
            continue
        if left is None and paid is not None:
            left = amount - paid
        if left is not None and not 0 <= left.minor <= amount.minor:
            left = _odd_open(plan, p, place, left, out)
        if issued is not None and due is not None and due < issued:
            out.append(finding(plan, p, place, "due_before_issue", f"due on {due}, before its issue on {issued}", field="due_date", blocking=False))
        if facts and party not in told:
            out.append(_customer_of(p, place, seen, party, name, mail))
        out.append(
            Invoice(
                source_format=source,
                line=line,
                invoice_id=own,
                number=number,
                customer_id=party,
                amount=amount,
                customer_name=name,
                customer_email=mail,
                issue_date=issued,
                due_date=due,
                due_date_source="missing" if due is None else "stated",
                open_amount=left,
                discount_pct=pct,
                discount_until=until,
                po_number=order,
                status=status[0],
                source_status=status[1],
                recorded_at=recorded,
            )
        )
        if paid_on is not None:
            out.extend(_paid(source, line, own, number, party, name, amount, left, paid_on))
    return out


def _paid(source: str, line: int, own: str, number: str, party: str, name: str | None, amount: Money, left: Money | None, day: Any) -> Out:
    received = amount if left is None else amount - left
    if received.minor <= 0:
        return []
    return [
        Payment(
            source_format=source,
            line=line,
            payment_id=f"{own}:paid",
            amount=received,
            date=day,
            customer_id=party,
            customer_name=name,
            invoice_number=number,
        )
    ]


def _odd_open(plan: Plan, p: Parsed, place: int, left: Money, out: Out) -> Money:
    """An open amount below nothing means overpaid: nothing is open. One above the amount is kept and said."""
    if left.minor < 0:
        out.append(finding(plan, p, place, "open_negative", f"open is {left}: taken as fully paid", field="open_amount", blocking=False))
        return Money(0, left.currency)
    out.append(finding(plan, p, place, "open_exceeds_amount", f"open is {left}, more than the invoice", field="open_amount", blocking=False))
    return left


def _negative_invoice(plan: Plan, p: Parsed, place: int, note: CreditNote) -> Record | RowFinding:
    """The credit note that a negative invoice stands for, where the profile takes it so."""
    if plan.profile.negative_invoices == "credit_note":
        return note
    message = f"negative invoice of -{note.amount}: import as credit note (the profile can say so)"
    return finding(plan, p, place, "negative_invoice", message, field="amount")


def _customer_of(p: Parsed, place: int, seen: Seen, party: str, name: str | None, mail: str | None) -> Customer:
    if len(seen.customers) >= REMEMBERED:
        seen.customers.clear()
    seen.customers.add(party)
    country, phone = p.values.get("country"), p.values.get("phone")
    return Customer(
        source_format=seen.format,
        line=p.batch.lines[place],
        customer_id=party,
        name=name or party,
        email=mail,
        country=country[place] if country else None,
        phone=phone[place] if phone else None,
    )


def invoices_of_lines(plan: Plan, p: Parsed, seen: Seen) -> Out:
    """Consecutive rows with one number become one invoice with lines; a total that repeats must agree."""
    keys = [own or number for own, number in zip(p.get("invoice_id"), p.get("number"), strict=True)]
    firsts: list[int] = []
    groups: dict[int, list[int]] = {}
    refused: Out = []
    for _, run in groupby(range(len(keys)), key=lambda i: keys[i]):
        places = list(run)
        problem = _settle_total(p, places)
        if problem:
            refused.extend(finding(plan, p, i, "lines_disagree", problem, field="amount") for i in places)
        else:
            firsts.append(places[0])
            groups[p.batch.lines[places[0]]] = places
    whole = p.without(set(range(len(keys))) - set(firsts))
    built = [_with_lines(p, groups, record) if isinstance(record, Invoice) else record for record in invoices(plan, whole, seen)]
    return refused + built


def _settle_total(p: Parsed, places: Sequence[int]) -> str | None:
    """Put the invoice's amount on its first row: the repeated total, else the sum of its lines."""
    totals, lines = p.values.get("amount"), p.values.get("line_amount")
    given = [totals[i] for i in places if totals[i] is not None] if totals else []
    if len(set(given)) > 1:
        return f"the rows of one invoice state different totals: {', '.join(sorted({str(m) for m in given}))}"
    if given:
        p.values["amount"][places[0]] = given[0]
        return None
    parts = [lines[i] for i in places] if lines else []
    if not parts or any(part is None or part.currency != parts[0].currency for part in parts):
        return "the rows of one invoice state neither a total nor the amount of every line"
    p.values.setdefault("amount", [None] * len(p.batch.rows))[places[0]] = Money(sum(m.minor for m in parts), parts[0].currency)
    return None


def _with_lines(p: Parsed, groups: dict[int, list[int]], record: Invoice) -> Invoice:
    texts, amounts, quantities = (p.values.get(f) for f in ("line_description", "line_amount", "line_quantity"))
    if not amounts:
        return record
    lines = tuple(
        Line(description=(texts[i] if texts else None) or "", amount=amounts[i], quantity=quantities[i] if quantities else None)
        for i in groups[record.line or 0]
        if amounts[i] is not None
    )
    return msgspec.structs.replace(record, lines=lines)
