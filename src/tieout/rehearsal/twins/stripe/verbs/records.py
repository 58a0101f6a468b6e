"""Payments that went past Stripe, reported to it, and payments of any kind attached to an invoice."""

from __future__ import annotations

from tieout.rehearsal.twins.stripe import forms, lists, refusals
from tieout.rehearsal.twins.stripe.books import Books
from tieout.rehearsal.twins.stripe.forms import Given
from tieout.rehearsal.twins.stripe.operations import Operation
from tieout.rehearsal.twins.stripe.shapes.common import Listing
from tieout.rehearsal.twins.stripe.shapes.invoices import Invoice, InvoicePayment, PaidWith
from tieout.rehearsal.twins.stripe.shapes.money import CustomerOf, CustomMethod, PaymentRecord, Processor, RecordedMethod, Sum
from tieout.rehearsal.twins.stripe.verbs import receive


def make(books: Books, amount: int, currency: str, given: Given | None = None) -> PaymentRecord:
    """Money that arrived elsewhere, in full."""
    given = given or {}
    whole, nothing = Sum(currency=currency, value=amount), Sum(currency=currency, value=0)
    custom = (given.get("payment_method_details") or {}).get("custom") or {}
    processor = (given.get("processor_details") or {}).get("custom") or {}
    customer = given.get("customer_details")
    return books.payment_records.add(
        PaymentRecord(
            id=books.new_id("pr_1"),
            amount=whole,
            amount_authorized=whole,
            amount_canceled=nothing,
            amount_failed=nothing,
            amount_guaranteed=whole,
            amount_refunded=nothing,
            amount_requested=whole,
            created=books.now(),
            customer_details=CustomerOf(**customer) if customer else None,
            description=given.get("description"),
            latest_payment_attempt_record=books.new_id("par_1"),
            metadata=forms.merged(None, given.get("metadata")),
            payment_method_details=RecordedMethod(custom=CustomMethod(display_name=custom.get("display_name") or "Other", type=custom.get("type"))),
            processor_details=Processor(custom={"payment_reference": processor.get("payment_reference")}),
        )
    )


def report(books: Books, given: Given) -> PaymentRecord:
    if given.get("outcome") != "guaranteed":
        raise refusals.invalid("outcome", "The stand-in keeps only payments that have arrived: report them with outcome=guaranteed")
    asked = given["amount_requested"]
    return make(books, asked["value"], asked["currency"], given)


def retrieve(books: Books, *, record: str) -> PaymentRecord:
    return books.payment_records.get(record)


def listing(books: Books, given: Given) -> Listing:
    return lists.page(books.payment_records, given, "/v1/payment_records")


def settle(books: Books, invoice: Invoice, amount: int) -> InvoicePayment:
    """Pay towards an invoice past Stripe."""
    record = make(books, amount, invoice.currency)
    payment = receive.expect(books, invoice, PaidWith(type="payment_record", payment_record=record.id), amount)
    receive.money(books, payment, amount)
    return payment


def attach(books: Books, given: Given, *, invoice: str) -> Invoice:
    """Let a payment count towards an invoice: at once where it has arrived, otherwise when it does."""
    found = books.invoices.get(invoice, param="invoice")
    if found.status not in ("open", "uncollectible"):
        raise refusals.wrong_state(f"Payments can be attached to open invoices; this one is {found.status}")
    named = [name for name in ("payment_intent", "payment_record") if given.get(name)]
    if len(named) != 1:
        raise refusals.exclusive("payment_intent", "payment_record") if named else refusals.missing_parameter("payment_intent")
    identity = given[named[0]]
    if books.paid_with.get(identity):
        raise refusals.wrong_state("This payment is attached to an invoice already")
    if named[0] == "payment_record":
        record = books.payment_records.get(identity, param="payment_record", status=400)
        arrived, amount, currency = True, record.amount_guaranteed.value, record.amount.currency
    else:
        arrived, amount, currency = _intent(books, found, identity)
    if currency != found.currency:
        raise refusals.invalid(named[0], f"The payment is in {currency}, the invoice is in {found.currency}")
    payment = receive.expect(books, found, PaidWith(type=named[0], **{named[0]: identity}), amount)
    if arrived:
        receive.money(books, payment, amount)
    return found


def _intent(books: Books, invoice: Invoice, identity: str) -> tuple[bool, int, str]:
    intent = books.payment_intents.get(identity, param="payment_intent", status=400)
    if intent.customer != invoice.customer:
        raise refusals.invalid("payment_intent", "The payment intent belongs to another customer than the invoice")
    if intent.status == "canceled":
        raise refusals.wrong_state("This payment intent is canceled", "payment_intent_unexpected_state")
    if intent.status != "succeeded" and intent.amount > invoice.amount_remaining:
        raise refusals.invalid("payment_intent", f"The payment intent asks for more than the {invoice.amount_remaining} that remain")
    return intent.status == "succeeded", intent.amount, intent.currency


def payments(books: Books, given: Given) -> Listing:
    asked = given.get("payment") or {}
    kind = asked.get("type")
    where = None if not asked else lambda payment: payment.payment.type == kind and asked.get(kind) in (None, payment.payment.id())
    by = ("invoice", given.get("invoice"))
    return lists.page(books.invoice_payments, given, "/v1/invoice_payments", by=by, where=where, status=given.get("status"))


def payment(books: Books, *, payment: str) -> InvoicePayment:
    return books.invoice_payments.get(payment, param="invoice_payment")


_CUSTOM_METHOD = forms.hash_of({"display_name": forms.text, "type": forms.text})
_REPORT: forms.Takes = {
    "amount_requested": forms.hash_of({"currency": forms.currency, "value": forms.at_least(1)}, "currency", "value"),
    "customer_details": forms.hash_of({"customer": forms.text, "email": forms.email, "name": forms.text, "phone": forms.text}),
    "description": forms.text,
    "guaranteed": forms.hash_of({"guaranteed_at": forms.integer}),
    "initiated_at": forms.integer,
    "metadata": forms.metadata,
    "outcome": forms.one_of("failed", "guaranteed"),
    "payment_method_details": forms.hash_of({"type": forms.one_of("custom"), "custom": _CUSTOM_METHOD, "payment_method": forms.text}),
    "processor_details": forms.hash_of({"type": forms.one_of("custom"), "custom": forms.hash_of({"payment_reference": forms.text})}),
}
_BY: forms.Takes = {
    **lists.DATED,
    "invoice": forms.text,
    "status": forms.one_of("canceled", "open", "paid"),
    "payment": forms.hash_of(
        {"type": forms.one_of("payment_intent", "payment_record"), "payment_intent": forms.text, "payment_record": forms.text}, "type"
    ),
}
OPERATIONS = (
    Operation("POST", "/v1/payment_records/report_payment", report, _REPORT, ("amount_requested", "initiated_at", "payment_method_details")),
    Operation("GET", "/v1/payment_records", listing, lists.PAGING),
    Operation("GET", "/v1/payment_records/<record>", retrieve),
    Operation("POST", "/v1/invoices/<invoice>/attach_payment", attach, {"payment_intent": forms.text, "payment_record": forms.text}),
    Operation("GET", "/v1/invoice_payments", payments, _BY),
    Operation("GET", "/v1/invoice_payments/<payment>", payment),
)
