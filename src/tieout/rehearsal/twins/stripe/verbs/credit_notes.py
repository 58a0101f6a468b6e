"""Credit notes: first they lower what is still open; the rest goes back as refund, as balance, or past Stripe."""

from __future__ import annotations

from typing import Any

from tieout.rehearsal.twins.stripe import forms, lists, money, refusals
from tieout.rehearsal.twins.stripe.books import Books
from tieout.rehearsal.twins.stripe.forms import Given
from tieout.rehearsal.twins.stripe.operations import Operation
from tieout.rehearsal.twins.stripe.shapes.common import ABSENT, Listing, Maybe
from tieout.rehearsal.twins.stripe.shapes.invoices import Invoice
from tieout.rehearsal.twins.stripe.shapes.money import Charge
from tieout.rehearsal.twins.stripe.shapes.notes import CreditNote, NoteLine, NoteRefund
from tieout.rehearsal.twins.stripe.verbs import credit, lines, receive, reckon, refunds


def create(books: Books, given: Given) -> CreditNote:
    invoice = books.invoices.get(given["invoice"], param="invoice", status=400)
    if invoice.status not in ("open", "paid", "uncollectible"):
        raise refusals.wrong_state(f"Credit notes are for finalised invoices; this one is {invoice.status}")
    if ("amount" in given) == bool(given.get("lines")):
        raise refusals.exclusive("amount", "lines") if given.get("lines") else refusals.missing_parameter("amount")
    shown = [_line(books, invoice, line) for line in given.get("lines") or [{"type": "custom_line_item", "unit_amount": given["amount"]}]]
    taxes = reckon.summed(tax for line in shown for tax in line.taxes or [])
    subtotal = sum(line.amount for line in shown)
    inclusive = sum(tax.amount for tax in taxes if tax.tax_behavior == "inclusive")
    total = subtotal + sum(tax.amount for tax in taxes if tax.tax_behavior == "exclusive")
    before = min(total, invoice.amount_remaining)
    after = total - before
    _check(books, invoice, given, total, after)
    identity = books.new_id("cn_1")
    earlier = sum(1 for _ in books.credit_notes.newest_first("invoice", invoice.id))
    made = CreditNote(
        id=identity,
        amount=total,
        created=books.now(),
        currency=invoice.currency,
        customer=invoice.customer,
        effective_at=given.get("effective_at") or books.now(),
        invoice=invoice.id,
        lines=Listing(data=shown[: reckon.SHOWN], has_more=len(shown) > reckon.SHOWN, url=f"/v1/credit_notes/{identity}/lines"),
        memo=given.get("memo"),
        metadata=forms.merged(None, given.get("metadata")),
        number=f"{invoice.number}-CN-{earlier + 1:02d}",
        out_of_band_amount=given.get("out_of_band_amount"),
        pdf=f"{books.link(invoice.id)}/pdf",
        post_payment_amount=after,
        pre_payment_amount=before,
        reason=given.get("reason"),
        subtotal=subtotal,
        subtotal_excluding_tax=subtotal - inclusive,
        total=total,
        total_excluding_tax=subtotal - inclusive,
        total_taxes=taxes,
        type="mixed" if before and after else "post_payment" if after else "pre_payment",
    )
    books.note_lines[identity] = shown
    _give_back(books, invoice, made, given)
    books.credit_notes.add(made)
    books.tell("credit_note.created", made)
    _lower(books, invoice, before, after)
    return made


def _line(books: Books, invoice: Invoice, given: Given) -> NoteLine:
    quantity: int | None = given.get("quantity")
    source: Maybe = ABSENT
    if given["type"] == "custom_line_item":
        if "unit_amount" not in given:
            raise refusals.missing_parameter("lines[unit_amount]")
        unit, rates = given["unit_amount"], lines.rates(books, given.get("tax_rates"), "lines[tax_rates]")
        amount, text = unit * (1 if quantity is None else quantity), None
        quantity = 1 if quantity is None else quantity
    else:
        found = next((line for line in books.lines[invoice.id] if line.id == given.get("invoice_line_item")), None)
        if found is None:
            raise refusals.no_such("line_item", str(given.get("invoice_line_item")), param="lines[invoice_line_item]", status=400)
        unit = found.amount // (found.quantity or 1)
        if quantity is None and "amount" not in given:
            raise refusals.missing_parameter("lines[amount]")
        amount = given["amount"] if quantity is None else unit * quantity
        if amount > found.amount:
            raise refusals.invalid("lines[amount]", f"The line has {found.amount} to credit, not {amount}")
        rates, source, text = list(reckon.rates_of(books, invoice, found)), found.id, found.description
    return NoteLine(
        id=books.new_id("cnli_1"),
        amount=amount,
        description=given.get("description") or text,
        invoice_line_item=source,
        metadata=forms.merged(None, given.get("metadata")),
        quantity=quantity,
        tax_rates=rates,
        taxes=reckon.tax_of(amount, rates),
        type=given["type"],
        unit_amount=unit if quantity is not None else None,
        unit_amount_decimal=str(unit) if quantity is not None else None,
    )


def _check(books: Books, invoice: Invoice, given: Given, total: int, after: int) -> None:
    """Not more than was owed, and every cent beyond what was open goes somewhere. Raises Refused."""
    if total <= 0:
        raise refusals.out_of_range("amount", total, least=1)
    creditable = invoice.amount_remaining + invoice.amount_paid - invoice.post_payment_credit_notes_amount
    if total > creditable:
        raise refusals.invalid("amount", f"The invoice has {money.written(creditable, invoice.currency)} left to credit")
    named = [(entry, books.refunds.get(entry["refund"], param="refunds", status=400)) for entry in given.get("refunds") or []]
    linked = sum(entry.get("amount_refunded") or refund.amount for entry, refund in named)
    returned = given.get("refund_amount", 0) + given.get("credit_amount", 0) + given.get("out_of_band_amount", 0) + linked
    if returned != after:
        raise refusals.wrong_state(
            f"Refund, credit and out-of-band amounts add up to {money.written(returned, invoice.currency)}, "
            f"and {money.written(after, invoice.currency)} of this credit note come after payment"
        )
    if given.get("credit_amount"):
        books.customer(invoice.customer)
    if given.get("refund_amount") and _refundable(books, invoice, given["refund_amount"]) is None:
        raise refusals.invalid("refund_amount", "No payment of this invoice has that much left to refund")


def _give_back(books: Books, invoice: Invoice, made: CreditNote, given: Given) -> None:
    for entry in given.get("refunds") or []:
        refund = books.refunds.get(entry["refund"])
        made.refunds.append(NoteRefund(amount_refunded=entry.get("amount_refunded") or refund.amount, refund=refund.id))
    if amount := given.get("refund_amount"):
        charge = _refundable(books, invoice, amount)
        assert charge is not None
        refund = refunds.make(books, charge, amount)
        made.refunds.append(NoteRefund(amount_refunded=amount, refund=refund.id))
    if amount := given.get("credit_amount"):
        customer = books.customer(invoice.customer)
        moved = credit.move(books, customer, -amount, kind="credit_note", currency=invoice.currency, invoice=invoice.id, credit_note=made.id)
        made.customer_balance_transaction = moved.id


def _refundable(books: Books, invoice: Invoice, amount: int) -> Charge | None:
    """The newest charge of the invoice that has so much left."""
    for payment in books.invoice_payments.newest_first("invoice", invoice.id):
        if payment.status == "paid" and payment.payment.type == "payment_intent":
            charge = books.charges.find(books.payment_intents.get(payment.payment.id()).latest_charge or "")
            if charge is not None and charge.amount - charge.amount_refunded >= amount:
                return charge
    return None


def _lower(books: Books, invoice: Invoice, before: int, after: int) -> None:
    closed = bool(before) and before == invoice.amount_remaining
    with books.changing(invoice, "invoice.updated"):
        invoice.pre_payment_credit_notes_amount += before
        invoice.post_payment_credit_notes_amount += after
        reckon.due(invoice)
        if closed:
            receive.mark_paid(books, invoice)
    receive.follow(books, invoice)
    if closed:
        books.tell("invoice.paid", invoice)


def void(books: Books, *, note: str) -> CreditNote:
    """Take a credit note back, while its invoice is still open."""
    found = books.credit_notes.get(note)
    invoice = books.invoices.get(found.invoice)
    if found.status == "void" or found.type != "pre_payment" or invoice.status not in ("open", "uncollectible"):
        raise refusals.wrong_state("Only credit notes issued before payment, on invoices still open, can be voided")
    found.status, found.voided_at = "void", books.now()
    books.tell("credit_note.voided", found)
    _lower(books, invoice, -found.pre_payment_amount, 0)
    return found


def retrieve(books: Books, *, note: str) -> CreditNote:
    return books.credit_notes.get(note)


def update(books: Books, given: Given, *, note: str) -> CreditNote:
    found = books.credit_notes.get(note)
    with books.changing(found, "credit_note.updated"):
        found.memo = given.get("memo", found.memo)
        found.metadata = forms.merged(found.metadata, given.get("metadata", {}))
    return found


def listing(books: Books, given: Given) -> Listing:
    narrowed = [(field, given[field]) for field in ("invoice", "customer") if given.get(field)]
    return lists.page(books.credit_notes, given, "/v1/credit_notes", by=narrowed[0] if narrowed else None, customer=given.get("customer"))


def lines_of(books: Books, given: Given, *, note: str) -> Listing:
    found = books.credit_notes.get(note, param="credit_note")
    return lists.part(books.note_lines[note], given, found.lines.url)


_LINE: dict[str, Any] = {
    "type": forms.one_of("custom_line_item", "invoice_line_item"),
    "amount": forms.at_least(0),
    "description": forms.text,
    "invoice_line_item": forms.text,
    "metadata": forms.metadata,
    "quantity": forms.at_least(1),
    "tax_rates": forms.list_of(forms.text),
    "unit_amount": forms.at_least(0),
}
_NEW: forms.Takes = {
    "invoice": forms.text,
    "amount": forms.at_least(1),
    "credit_amount": forms.at_least(0),
    "effective_at": forms.integer,
    "email_type": forms.one_of("credit_note", "none"),
    "lines": forms.list_of(forms.hash_of(_LINE, "type")),
    "memo": forms.text,
    "metadata": forms.metadata,
    "out_of_band_amount": forms.at_least(0),
    "reason": forms.one_of("duplicate", "fraudulent", "order_change", "product_unsatisfactory"),
    "refund_amount": forms.at_least(0),
    "refunds": forms.list_of(forms.hash_of({"refund": forms.text, "amount_refunded": forms.at_least(1), "type": forms.one_of("refund")}, "refund")),
}
OPERATIONS = (
    Operation("POST", "/v1/credit_notes", create, _NEW, ("invoice",)),
    Operation("GET", "/v1/credit_notes", listing, {**lists.DATED, "customer": forms.text, "invoice": forms.text}),
    Operation("GET", "/v1/credit_notes/<note>", retrieve),
    Operation("POST", "/v1/credit_notes/<note>", update, {"memo": forms.text, "metadata": forms.metadata}),
    Operation("POST", "/v1/credit_notes/<note>/void", void),
    Operation("GET", "/v1/credit_notes/<note>/lines", lines_of, lists.PAGING),
)
