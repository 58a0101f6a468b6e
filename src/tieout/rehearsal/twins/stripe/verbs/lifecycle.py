"""What becomes of an invoice: finalised, sent, paid, voided, given up; a step that its state does not allow is refused."""

from __future__ import annotations

from tieout.rehearsal.twins.stripe import forms, refusals
from tieout.rehearsal.twins.stripe.books import Books
from tieout.rehearsal.twins.stripe.forms import Given
from tieout.rehearsal.twins.stripe.operations import Operation
from tieout.rehearsal.twins.stripe.shapes.invoices import Invoice, PaidWith
from tieout.rehearsal.twins.stripe.verbs import credit, customers, intents, receive, reckon, records

_DAY = 86_400


def finalize(books: Books, given: Given, *, invoice: str) -> Invoice:
    """Number it, take the customer's balance in, and wait for the money; where nothing is due it is paid at once."""
    found = books.invoices.get(invoice, param="invoice")
    if found.status != "draft":
        raise refusals.not_editable(f"Only a draft can be finalised; this invoice is {found.status}")
    customer = books.customer(found.customer)
    reckon.total(books, found)
    customers.show(books, found, customer)
    number(books, found)
    now = books.now()
    found.status, found.status_transitions.finalized_at = "open", now
    found.effective_at, found.automatically_finalizes_at = found.effective_at or now, None
    found.auto_advance = given.get("auto_advance", found.auto_advance)
    found.webhooks_delivered_at = now
    found.hosted_invoice_url, found.invoice_pdf = books.link(invoice), f"{books.link(invoice)}/pdf"
    take_balance(books, found)
    if found.amount_due == 0:
        found.attempted = True
        receive.mark_paid(books, found)
    else:
        wait(books, found)
    books.tell("invoice.finalized", found)
    if found.status == "paid":
        books.tell("invoice.paid", found)
        books.tell("invoice.payment_succeeded", found)
    return found


def number(books: Books, invoice: Invoice) -> None:
    """The customer's next number, unless it was given one."""
    customer = books.customer(invoice.customer)
    while invoice.number is None:
        candidate = f"{customer.invoice_prefix}-{customer.next_invoice_sequence:04d}"
        customer.next_invoice_sequence += 1
        invoice.number = None if candidate in books.numbers else candidate
    books.numbers.add(invoice.number)


def take_balance(books: Books, invoice: Invoice) -> None:
    """Credit of the customer lowers what is due, debt raises it, and a negative total becomes credit."""
    customer = books.customer(invoice.customer)
    invoice.starting_balance = reckon.opening(books, invoice)
    invoice.ending_balance = min(invoice.total + invoice.starting_balance, 0)
    moved = invoice.ending_balance - invoice.starting_balance
    if moved:
        credit.move(books, customer, moved, kind="applied_to_invoice", currency=invoice.currency, invoice=invoice.id)
    reckon.due(invoice)


def wait(books: Books, invoice: Invoice) -> None:
    """The default payment, with its intent."""
    told = {"description": f"Payment for invoice {invoice.number}"}
    intent = intents.make(books, invoice.amount_remaining, invoice.currency, invoice.customer, told)
    receive.expect(books, invoice, PaidWith(type="payment_intent", payment_intent=intent.id), intent.amount, default=True)
    if invoice.collection_method == "charge_automatically" and invoice.auto_advance:
        invoice.next_payment_attempt = books.now() + 3_600


def send(books: Books, *, invoice: str) -> Invoice:
    found = books.invoices.get(invoice, param="invoice")
    if found.collection_method != "send_invoice":
        raise refusals.wrong_state("Only invoices with collection_method=send_invoice can be sent")
    if found.status == "void":
        raise refusals.wrong_state("A void invoice cannot be sent")
    if found.status == "draft":
        finalize(books, {}, invoice=invoice)
    books.tell("invoice.sent", found)
    return found


def pay(books: Books, given: Given, *, invoice: str) -> Invoice:
    found = books.invoices.get(invoice, param="invoice")
    if found.status == "draft":
        finalize(books, {}, invoice=invoice)
    elif found.status not in ("open", "uncollectible"):
        raise refusals.wrong_state("Invoice is already paid" if found.status == "paid" else "Voided invoices cannot be paid")
    if found.status == "paid":
        return found
    if given.get("paid_out_of_band"):
        records.settle(books, found, found.amount_remaining)
        return found
    payer = books.customers.find(found.customer)
    method = given.get("payment_method") or given.get("source") or found.default_payment_method
    method = method or (payer.invoice_settings.default_payment_method if payer else None)
    if not method:
        raise refusals.wrong_state("The customer has no default payment method: give one, or mark the invoice as paid out of band")
    attempt(books, found, method)
    return found


def attempt(books: Books, invoice: Invoice, method: str, *, decline: str | None = None) -> None:
    """Charge what remains. Raises Refused where the card is declined, with the failure kept."""
    waiting = receive.default(books, invoice)
    assert waiting is not None  # whatever is open has one
    charge = intents.take(books, books.payment_intents.get(waiting.payment.id()), method, decline=decline)
    if charge.failure_code:
        failed(books, invoice)
        raise refusals.declined(decline or intents.decline_of(method) or "generic_decline", charge.id)


def failed(books: Books, invoice: Invoice) -> None:
    """An attempt to collect came to nothing."""
    invoice.attempted, invoice.attempt_count = True, invoice.attempt_count + 1
    if invoice.collection_method == "charge_automatically" and invoice.auto_advance:
        invoice.next_payment_attempt = books.now() + 3 * _DAY
    books.tell("invoice.payment_failed", invoice)
    customer = books.customers.find(invoice.customer)
    if customer is not None and not customer.delinquent:
        with books.changing(customer, "customer.updated"):
            customer.delinquent = True


def void(books: Books, *, invoice: str) -> Invoice:
    """It never was owed; its amounts stay as they were, and balance it had used goes back to the customer."""
    found = books.invoices.get(invoice, param="invoice")
    if found.status not in ("open", "uncollectible"):
        raise refusals.wrong_state(f"Only open or uncollectible invoices can be voided; this one is {found.status}", "status_transition_invalid")
    if receive.others_open(books, found) or receive.any_paid(books, found):
        raise refusals.wrong_state("An invoice with payments cannot be voided; issue a credit note instead", "status_transition_invalid")
    found.status, found.status_transitions.voided_at, found.next_payment_attempt = "void", books.now(), None
    used = (found.ending_balance or 0) - found.starting_balance
    customer = books.customers.find(found.customer)
    if used and customer is not None:
        credit.move(books, customer, -used, kind="unapplied_from_invoice", currency=found.currency, invoice=found.id)
    receive.follow(books, found)
    books.tell("invoice.voided", found)
    return found


def mark_uncollectible(books: Books, *, invoice: str) -> Invoice:
    """Given up; it still counts as owed and may yet be paid."""
    found = books.invoices.get(invoice, param="invoice")
    if found.status != "open":
        raise refusals.wrong_state(f"Only open invoices can be marked uncollectible; this one is {found.status}", "status_transition_invalid")
    if receive.others_open(books, found):
        raise refusals.wrong_state("A payment for this invoice is under way", "status_transition_invalid")
    found.status, found.status_transitions.marked_uncollectible_at, found.next_payment_attempt = "uncollectible", books.now(), None
    receive.settled_with(books, found.customer)
    books.tell("invoice.marked_uncollectible", found)
    return found


_ONE = "/v1/invoices/<invoice>"
_PAY: forms.Takes = {
    "paid_out_of_band": forms.boolean,
    "payment_method": forms.text,
    "source": forms.text,
    "off_session": forms.boolean,
    "forgive": forms.boolean,
}
OPERATIONS = (
    Operation("POST", f"{_ONE}/finalize", finalize, {"auto_advance": forms.boolean}),
    Operation("POST", f"{_ONE}/send", send),
    Operation("POST", f"{_ONE}/pay", pay, _PAY),
    Operation("POST", f"{_ONE}/void", void),
    Operation("POST", f"{_ONE}/mark_uncollectible", mark_uncollectible),
)
