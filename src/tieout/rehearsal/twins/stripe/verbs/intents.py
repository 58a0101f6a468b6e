"""Payment intents and the charges they lead to: a card is taken, or declined, and whoever waits for the money is told."""

from __future__ import annotations

import re

from tieout.rehearsal.twins.stripe import forms, lists, money, refusals
from tieout.rehearsal.twins.stripe.books import Books
from tieout.rehearsal.twins.stripe.forms import Given
from tieout.rehearsal.twins.stripe.operations import Operation
from tieout.rehearsal.twins.stripe.shapes.common import Listing
from tieout.rehearsal.twins.stripe.shapes.money import Billing, Charge, Failure, Outcome, PaymentIntent
from tieout.rehearsal.twins.stripe.verbs import balance, receive

#: What pays where a rehearsal does not say.
CARD = "pm_card_visa"


def make(books: Books, amount: int, currency: str, customer: str | None, given: Given | None = None) -> PaymentIntent:
    given = given or {}
    identity = books.new_id("pi_3")
    made = PaymentIntent(
        id=identity,
        amount=amount,
        client_secret=f"{identity}_secret_{books.new_id('x_')[2:]}",
        created=books.now(),
        currency=currency,
        customer=customer,
        description=given.get("description"),
        metadata=forms.merged(None, given.get("metadata")),
        payment_method=given.get("payment_method"),
        payment_method_types=given.get("payment_method_types") or ["card"],
        receipt_email=given.get("receipt_email"),
        status="requires_confirmation" if given.get("payment_method") else "requires_payment_method",
    )
    books.payment_intents.add(made)
    books.tell("payment_intent.created", made)
    return made


def decline_of(method: str) -> str | None:
    """Why a test method is declined; None where it pays."""
    found = re.search(r"[cC]hargeDeclined(\w*)$", method)
    if found is None:
        return None
    return re.sub(r"(?<!^)([A-Z])", r"_\1", found[1]).lower() or "generic_decline"


def take(books: Books, intent: PaymentIntent, method: str = CARD, *, decline: str | None = None) -> Charge:
    """Charge the intent's amount; what waits for it is credited. Where the card is declined, the failed charge is returned."""
    decline = decline or decline_of(method)
    charge = _charge(books, intent, method, decline)
    intent.payment_method, intent.latest_charge = method, charge.id
    if decline is not None:
        intent.status = "requires_payment_method"
        intent.last_payment_error = Failure(code="card_declined", decline_code=decline, message=charge.failure_message or "")
        books.tell("charge.failed", charge)
        books.tell("payment_intent.payment_failed", intent)
        return charge
    intent.status, intent.amount_received, intent.last_payment_error = "succeeded", intent.amount, None
    books.tell("charge.succeeded", charge)
    books.tell("payment_intent.succeeded", intent)
    left = intent.amount_received
    for payment in books.paid_with.get(intent.id, []):
        if payment.status == "open":
            left -= receive.money(books, payment, min(left, payment.amount_requested))
    return charge


def _charge(books: Books, intent: PaymentIntent, method: str, decline: str | None) -> Charge:
    payer = books.customers.find(intent.customer) if intent.customer else None
    charge = Charge(
        id=books.new_id("ch_3"),
        amount=intent.amount,
        amount_captured=0 if decline else intent.amount,
        billing_details=Billing(address=payer.address, email=payer.email, name=payer.name, phone=payer.phone) if payer else Billing(),
        calculated_statement_descriptor=books.name.upper()[:22],
        created=books.now(),
        currency=intent.currency,
        customer=intent.customer,
        description=intent.description,
        metadata=dict(intent.metadata),
        payment_intent=intent.id,
        payment_method=method,
    )
    if decline is None:
        told = intent.description or f"Payment for {intent.id}"
        entered = balance.enter(
            books, kind="charge", category="charge", source=charge.id, amount=charge.amount, currency=charge.currency, description=told, fee=None
        )
        charge.balance_transaction = entered.id
    else:
        charge.status, charge.paid, charge.captured = "failed", False, False
        charge.failure_code, charge.failure_message = "card_declined", refusals.declined(decline, charge.id).message
        charge.outcome = Outcome(
            network_status="declined_by_network", reason=decline, seller_message="The bank declined the payment.", type="issuer_declined"
        )
    return books.charges.add(charge)


def create(books: Books, given: Given) -> PaymentIntent:
    currency = given["currency"]
    if given["amount"] % money.step(currency):
        raise refusals.invalid("amount", f"An amount in {currency.upper()} must be a multiple of {money.step(currency)}", "parameter_invalid_integer")
    if given.get("customer"):
        books.customer(given["customer"])
    made = make(books, given["amount"], currency, given.get("customer"), given)
    if given.get("confirm"):
        _confirmed(books, made, given.get("payment_method"))
    return made


def confirm(books: Books, given: Given, *, intent: str) -> PaymentIntent:
    found = books.payment_intents.get(intent, param="intent")
    _open(found)
    _confirmed(books, found, given.get("payment_method") or found.payment_method)
    return found


def _confirmed(books: Books, intent: PaymentIntent, method: str | None) -> None:
    if not method:
        raise refusals.missing_parameter("payment_method")
    charge = take(books, intent, method)
    if charge.failure_code:
        raise refusals.declined(decline_of(method) or "generic_decline", charge.id)


def _open(intent: PaymentIntent) -> None:
    if intent.status in ("succeeded", "canceled"):
        raise refusals.wrong_state(f"This payment intent is {intent.status}", "payment_intent_unexpected_state")


def _own(books: Books, intent: str) -> PaymentIntent:
    """An intent that is not the default one of an invoice. Raises Refused."""
    found = books.payment_intents.get(intent, param="intent")
    if any(payment.is_default for payment in books.paid_with.get(intent, [])):
        raise refusals.wrong_state("This payment intent belongs to an invoice's default payment; change the invoice instead")
    return found


def update(books: Books, given: Given, *, intent: str) -> PaymentIntent:
    found = _own(books, intent)
    if {"amount", "currency", "payment_method"} & given.keys():
        _open(found)
    for field in ("amount", "currency", "description", "payment_method", "receipt_email"):
        setattr(found, field, given.get(field, getattr(found, field)))
    found.metadata = forms.merged(found.metadata, given.get("metadata", {}))
    return found


def cancel(books: Books, given: Given, *, intent: str) -> PaymentIntent:
    found = _own(books, intent)
    _open(found)
    receive.drop(books, found, reason=given.get("cancellation_reason"))
    return found


def retrieve(books: Books, *, intent: str) -> PaymentIntent:
    return books.payment_intents.get(intent, param="intent")


def listing(books: Books, given: Given) -> Listing:
    return lists.page(books.payment_intents, given, "/v1/payment_intents", by=("customer", given.get("customer")))


_CHANGES: forms.Takes = {
    "amount": forms.at_least(1),
    "currency": forms.currency,
    "description": forms.text,
    "metadata": forms.metadata,
    "payment_method": forms.text,
    "receipt_email": forms.email,
}
_NEW: forms.Takes = {**_CHANGES, "customer": forms.text, "confirm": forms.boolean, "payment_method_types": forms.list_of(forms.text)}
_REASON = forms.one_of("abandoned", "duplicate", "fraudulent", "requested_by_customer")
OPERATIONS = (
    Operation("POST", "/v1/payment_intents", create, _NEW, ("amount", "currency")),
    Operation("GET", "/v1/payment_intents", listing, {**lists.DATED, "customer": forms.text}),
    Operation("GET", "/v1/payment_intents/<intent>", retrieve),
    Operation("POST", "/v1/payment_intents/<intent>", update, _CHANGES),
    Operation("POST", "/v1/payment_intents/<intent>/confirm", confirm, {"payment_method": forms.text}),
    Operation("POST", "/v1/payment_intents/<intent>/cancel", cancel, {"cancellation_reason": _REASON}),
)
