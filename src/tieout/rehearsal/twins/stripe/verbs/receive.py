"""Money that arrives for an invoice: what it waits for, what it got, and what happens when it is paid in full or too much."""

from __future__ import annotations

from tieout.rehearsal.twins.stripe.books import Books
from tieout.rehearsal.twins.stripe.shapes.invoices import Invoice, InvoicePayment, PaidWith, PaymentTransitions
from tieout.rehearsal.twins.stripe.shapes.money import PaymentIntent
from tieout.rehearsal.twins.stripe.verbs import credit, reckon


def expect(books: Books, invoice: Invoice, paid_with: PaidWith, amount: int, *, default: bool = False) -> InvoicePayment:
    """A payment the invoice waits for."""
    payment = InvoicePayment(
        id=books.new_id("inpay_1"),
        amount_requested=amount,
        created=books.now(),
        currency=invoice.currency,
        invoice=invoice.id,
        is_default=default,
        payment=paid_with,
        status_transitions=PaymentTransitions(),
    )
    books.paid_with.setdefault(paid_with.id(), []).append(payment)
    return books.invoice_payments.add(payment)


def money(books: Books, payment: InvoicePayment, amount: int) -> int:
    """Credit the invoice; what is too much goes to the customer's balance. Returns what was taken of the amount."""
    invoice = books.invoices.get(payment.invoice)
    applied = min(amount, invoice.amount_remaining)
    over = amount - applied
    payment.status, payment.amount_paid, payment.status_transitions.paid_at = "paid", applied, books.now()
    books.tell("invoice_payment.paid", payment)
    elsewhere = payment.payment.type == "payment_record"
    with books.changing(invoice, "invoice.updated"):
        invoice.amount_paid += applied
        invoice.amount_overpaid += over
        if elsewhere:
            invoice.amount_paid_off_stripe += amount
        else:
            invoice.attempted, invoice.attempt_count = True, max(invoice.attempt_count, 1)
        reckon.due(invoice)
        paid = invoice.amount_remaining <= 0
        if paid:
            mark_paid(books, invoice)
    if over:
        payer = books.customers.find(invoice.customer)
        if payer is not None:
            credit.move(books, payer, -over, kind="invoice_overpaid", currency=invoice.currency, invoice=invoice.id)
        books.tell("invoice.overpaid", invoice)
    follow(books, invoice)
    if paid:
        books.tell("invoice.paid", invoice)
        if not elsewhere:
            books.tell("invoice.payment_succeeded", invoice)
    return amount


def mark_paid(books: Books, invoice: Invoice) -> None:
    invoice.status, invoice.status_transitions.paid_at, invoice.next_payment_attempt = "paid", books.now(), None
    settled_with(books, invoice.customer)


def settled_with(books: Books, customer_id: str) -> None:
    """The customer is no longer behind, as Stripe sees it: the last invoice that changed was paid or given up."""
    customer = books.customers.find(customer_id)
    if customer is not None and customer.delinquent:
        with books.changing(customer, "customer.updated"):
            customer.delinquent = False


def default(books: Books, invoice: Invoice) -> InvoicePayment | None:
    """The payment that waits for whatever remains."""
    payments = books.invoice_payments.newest_first("invoice", invoice.id)
    return next((payment for payment in payments if payment.is_default and payment.status == "open"), None)


def follow(books: Books, invoice: Invoice) -> None:
    """Let the default payment follow what remains; it ends when nothing does."""
    waiting = default(books, invoice)
    if waiting is None:
        return
    intent = books.payment_intents.get(waiting.payment.id())
    if invoice.amount_remaining > 0 and invoice.status in ("open", "uncollectible"):
        waiting.amount_requested = intent.amount = invoice.amount_remaining
    else:
        drop(books, intent, reason="void_invoice" if invoice.status == "void" else "automatic")


def drop(books: Books, intent: PaymentIntent, *, reason: str | None) -> None:
    """Cancel an intent, and with it what waited for it."""
    now = books.now()
    intent.status, intent.canceled_at, intent.cancellation_reason = "canceled", now, reason
    for payment in books.paid_with.get(intent.id, []):
        if payment.status == "open":
            payment.status, payment.status_transitions.canceled_at = "canceled", now
    books.tell("payment_intent.canceled", intent)


def others_open(books: Books, invoice: Invoice) -> bool:
    """Whether a payment that was attached is still under way."""
    return any(payment.status == "open" and not payment.is_default for payment in books.invoice_payments.newest_first("invoice", invoice.id))


def any_paid(books: Books, invoice: Invoice) -> bool:
    return any(payment.status == "paid" for payment in books.invoice_payments.newest_first("invoice", invoice.id))
