"""From the values of a batch to records: one function per kind of record.

Amounts leave here positive; what the sign meant is in the kind. Identifiers are the source's, or made from the content so
that the same file gives the same ones.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

import msgspec

from tieout.adapters.ports.format import RowFinding
from tieout.adapters.ports.profile import Kind
from tieout.adapters.ports.table.plan import Parsed, Plan
from tieout.core.documents import Allocation, CreditNote, Customer, Invoice, Line, Payment, Record, Refund
from tieout.core.money import Money

Out = list[Record | RowFinding]

#: Customers remembered as already told; beyond it the memory starts afresh and a customer may be told twice.
REMEMBERED = 200_000


class Seen:
    """What one reading remembers over its batches: customers told, and how often each line without an id has come."""

    def __init__(self, source_format: str) -> None:
        self.format = source_format
        self.customers: set[str] = set()
        self.lines: dict[int, int] = {}

    def payment_id(self, parts: Sequence[str]) -> str:
        """An id from the content of a bank line; the second equal line of a file gets `-2`, so both stay."""
        digest = hashlib.blake2b("\x1f".join(parts).encode(), digest_size=10)
        key = int.from_bytes(digest.digest()[:8], "big")
        count = self.lines[key] = self.lines.get(key, 0) + 1
        return f"line-{digest.hexdigest()}" if count == 1 else f"line-{digest.hexdigest()}-{count}"


def finding(plan: Plan, parsed: Parsed, place: int, code: str, message: str, *, field: str = "", blocking: bool = True, cell: str = "") -> RowFinding:
    """A finding about the row at `place`, with the row itself."""
    column = plan.column_name(field) if field else None
    if not cell and column:
        cell = parsed.batch.rows[place][plan.index[field]]
    return RowFinding(
        code=code,
        message=message,
        line=parsed.batch.lines[place],
        column=column,
        field=field or None,
        value=cell[:200] or None,
        blocking=blocking,
        raw=plan.raw(parsed.batch.rows[place]),
    )


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


def payments(plan: Plan, p: Parsed, seen: Seen) -> Out:
    """Money received, and refunds of it. Money out is left out aloud or refused, as the profile says."""
    out: Out = []
    rows = zip(
        p.batch.lines, p.get("payment_id"), p.get("date"), p.get("amount"), p.get("credit"), p.get("debit"), p.get("payer_name"),
        p.get("payer_account"), p.get("reference"), p.get("remittance"), p.get("bank_ref"), p.get("invoice_number"), p.get("customer_id"),
        p.get("status", ("succeeded", None)), p.get("refunded_amount"), p.get("recorded_at"), p.get("open_amount"),
        strict=True,
    )  # fmt: skip
    dated = "date" in p.values
    for place, row in enumerate(rows):
        line, own, day, amount, credit, debit, payer, account, reference, text, bank_ref, number, party, status, refunded, recorded, left = row
        amount = left if left is not None else _received(amount, credit, debit)  # what is unapplied, where the file says so
        if amount is not None and plan.profile.payments == "negative":
            amount = -amount
        refusal = _no_receipt(plan, amount, day, dated)
        if refusal or amount is None:
            code, message, blocking = refusal or ("missing_amount", "there is no amount", True)
            out.append(finding(plan, p, place, code, message, field="date" if code == "missing" else "amount", blocking=blocking))
            continue
        if own is None:
            own = seen.payment_id([account or "", str(day), str(amount), payer or "", reference or "", text or "", bank_ref or ""])
        out.append(
            Payment(
                source_format=seen.format,
                line=line,
                payment_id=own,
                amount=amount,
                date=day,
                customer_id=party,
                payer_name=payer,
                payer_account=account,
                reference=reference,
                remittance=text,
                bank_ref=bank_ref,
                invoice_number=number,
                status=status[0],
                source_status=status[1],
                recorded_at=recorded,
            )
        )
        if refunded is not None and refunded.minor > 0:
            refund = Refund(
                source_format=seen.format, line=line, refund_id=f"{own}:refund", amount=refunded, payment_id=own, customer_id=party, date=None
            )
            out.append(refund)
    return out


def _received(amount: Money | None, credit: Money | None, debit: Money | None) -> Money | None:
    if amount is not None:
        return amount
    if credit is not None and credit.minor:
        return credit
    return Money(-abs(debit.minor), debit.currency) if debit is not None else credit


def _no_receipt(plan: Plan, amount: Money | None, day: Any, dated: bool) -> tuple[str, str, bool] | None:
    if amount is None:
        return None
    if amount.minor < 0:
        if plan.profile.outgoing == "skip":
            return "money_out", f"{amount} is money out, not a receipt; left out", False
        return "negative_payment", f"a payment of {amount}: money out is no receipt (the profile can leave it out)", True
    if amount.minor == 0:
        return "zero_payment", "a payment of nothing; left out", False
    if dated and day is None:
        return "missing", "there is no date", True
    return None


def customers(_plan: Plan, p: Parsed, seen: Seen) -> Out:
    """Customers, one per row."""
    present = [(field, column) for field, column in p.values.items() if field not in ("customer_id", "name")]
    out: Out = []
    for place, (line, own, name) in enumerate(zip(p.batch.lines, p.get("customer_id"), p.get("name"), strict=True)):
        more = {f: column[place] for f, column in present if column[place] is not None}
        out.append(Customer(source_format=seen.format, line=line, customer_id=own or name, name=name or own, **more))
    return out


def allocations(_plan: Plan, p: Parsed, seen: Seen) -> Out:
    """Parts of payments applied to documents. A negative part takes an earlier one back and is kept as it stands."""
    rows = zip(p.batch.lines, p.get("payment_id"), p.get("document_id"), p.get("amount"), p.get("date"), p.get("recorded_at"), strict=True)
    return [
        Allocation(source_format=seen.format, line=line, payment_id=payment, document_id=document, amount=amount, date=day, recorded_at=recorded)
        for line, payment, document, amount, day, recorded in rows
    ]


BUILDERS: dict[Kind, Callable[[Plan, Parsed, Seen], Out]] = {
    "invoice": invoices,
    "credit_note": credit_notes,
    "payment": payments,
    "customer": customers,
    "allocation": allocations,
}
