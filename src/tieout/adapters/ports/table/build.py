"""From the values of a batch to records: which function makes which kind, and the kinds that take few words.

Amounts leave here positive; what the sign meant is in the kind. Identifiers are the source's, or made from the content so
that the same file gives the same ones.
"""

from __future__ import annotations

from collections.abc import Callable

from tieout.adapters.ports.profile import Kind
from tieout.adapters.ports.table.invoices import invoices, invoices_of_lines
from tieout.adapters.ports.table.plan import Parsed, Plan
from tieout.adapters.ports.table.receipts import payments
from tieout.adapters.ports.table.seen import Out, Seen, finding
from tieout.core.documents import Allocation, CreditNote, Customer


def credit_notes(plan: Plan, p: Parsed, seen: Seen) -> Out:
    """Credit notes; a sign the profile does not expect is refused, because it might mean the opposite."""
    out: Out = []
    turn = plan.profile.credit_notes == "negative"
    rows = zip(
        p.batch.lines, p.get("credit_note_id"), p.get("number"), p.get("customer_id"), p.get("customer_name"), p.get("date"),
        p.get("amount"), p.get("open_amount"), p.get("related_invoice"), p.get("status", ("open", None)), p.get("recorded_at"),
        strict=True,
    )  # fmt: skip
    for place, (line, own, number, party, name, day, amount, left, related, status, recorded) in enumerate(rows):
        if turn:
            amount, left = -amount, -left if left is not None else None
        if amount.minor < 0 or (left is not None and left.minor < 0):
            message = f"a credit note of {-amount if turn else amount} has the wrong sign for this file"
            out.append(finding(plan, p, place, "credit_note_sign", message, field="amount"))
            continue
        out.append(
            CreditNote(
                source_format=seen.format,
                line=line,
                credit_note_id=own or number,
                number=number or own,
                customer_id=party or name,
                amount=amount,
                customer_name=name,
                date=day,
                open_amount=left,
                related_invoice=related,
                status=status[0],
                source_status=status[1],
                recorded_at=recorded,
            )
        )
    return out


def customers(_plan: Plan, p: Parsed, seen: Seen) -> Out:
    """Customers, one per row."""
    present = [(field, column) for field, column in p.values.items() if field not in ("customer_id", "name")]
    out: Out = []
    for place, (line, own, name) in enumerate(zip(p.batch.lines, p.get("customer_id"), p.get("name"), strict=True)):
        more = {f: column[place] for f, column in present if column[place] is not None}
        # Told in full here: invoices further down the same file do not tell them again with less.
        seen.customers.add(own or name)
        out.append(Customer(source_format=seen.format, line=line, customer_id=own or name, name=name or own, **more))
    return out


def allocations(_plan: Plan, p: Parsed, seen: Seen) -> Out:
    """Parts of payments applied to documents. A negative part takes an earlier one back and is kept as it stands."""
    rows = zip(p.batch.lines, p.get("payment_id"), p.get("document_id"), p.get("amount"), p.get("date"), p.get("recorded_at"), strict=True)
    return [
        Allocation(source_format=seen.format, line=line, payment_id=payment, document_id=document, amount=amount, date=day, recorded_at=recorded)
        for line, payment, document, amount, day, recorded in rows
    ]


Builder = Callable[[Plan, Parsed, Seen], Out]

BUILDERS: dict[Kind, Builder] = {
    "invoice": invoices,
    "credit_note": credit_notes,
    "payment": payments,
    "customer": customers,
    "allocation": allocations,
}


def builder(kind: Kind, plan: Plan) -> Builder:
    """The function that makes records of a kind for a plan."""
    return invoices_of_lines if kind == "invoice" and plan.profile.one_per == "line" else BUILDERS[kind]
