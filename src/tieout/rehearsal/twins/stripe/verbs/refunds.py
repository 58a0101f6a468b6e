"""Refunds of charges, whole or in part, and the charges themselves. A refund leaves the invoice paid, as Stripe has it."""

from __future__ import annotations

from tieout.rehearsal.twins.stripe import forms, lists, money, refusals
from tieout.rehearsal.twins.stripe.books import Books
from tieout.rehearsal.twins.stripe.forms import Given
from tieout.rehearsal.twins.stripe.operations import Operation
from tieout.rehearsal.twins.stripe.shapes.common import Listing
from tieout.rehearsal.twins.stripe.shapes.money import Charge, Refund
from tieout.rehearsal.twins.stripe.verbs import balance


def make(books: Books, charge: Charge, amount: int | None = None, given: Given | None = None) -> Refund:
    """Give back part of a charge, by default all that is left of it. Raises Refused."""
    given = given or {}
    left = charge.amount_captured - charge.amount_refunded
    if charge.disputed and any(dispute.status != "won" for dispute in books.disputes.newest_first("charge", charge.id)):
        raise refusals.wrong_state(f"Charge {charge.id} is disputed and cannot be refunded", "charge_disputed")
    if not left:
        raise refusals.wrong_state(f"Charge {charge.id} has been refunded already", "charge_already_refunded")
    wanted = left if amount is None else amount
    if wanted > left:
        raise refusals.invalid(
            "amount",
            f"The refund of {money.written(wanted, charge.currency)} is more than the {money.written(left, charge.currency)} left of the charge",
        )
    made = Refund(
        id=books.new_id("re_3"),
        amount=wanted,
        charge=charge.id,
        created=books.now(),
        currency=charge.currency,
        customer=charge.customer,
        metadata=forms.merged(None, given.get("metadata")),
        payment_intent=charge.payment_intent,
        payment_method=charge.payment_method,
        reason=given.get("reason"),
    )
    entered = balance.enter(books, kind="refund", category="refund", source=made.id, amount=-wanted, currency=charge.currency, description="Refund")
    made.balance_transaction = entered.id
    books.refunds.add(made)
    charge.amount_refunded += wanted
    charge.refunded = charge.amount_refunded == charge.amount_captured
    books.tell("refund.created", made)
    books.tell("charge.refunded", charge)
    return made


def fail(books: Books, refund: Refund) -> Refund:
    """The bank sends a refund back: the money is the account's again, and the charge's. Raises Refused."""
    if refund.status not in ("succeeded", "pending"):
        raise refusals.wrong_state(f"This refund is {refund.status} already")
    charge = books.charges.get(refund.charge)
    with books.changing(refund, "refund.updated"):
        refund.status, refund.failure_reason = "failed", "lost_or_stolen_card"
        entered = balance.enter(
            books, kind="refund_failure", category="refund_failure", source=refund.id, amount=refund.amount, currency=refund.currency,
            description="Refund failure",
        )  # fmt: skip
        refund.failure_balance_transaction = entered.id
    charge.amount_refunded -= refund.amount
    charge.refunded = False
    books.tell("refund.failed", refund)
    books.tell("charge.updated", charge)
    return refund


def create(books: Books, given: Given) -> Refund:
    if given.get("charge") and given.get("payment_intent"):
        raise refusals.exclusive("charge", "payment_intent")
    if given.get("charge"):
        charge = books.charges.get(given["charge"], param="charge", status=400)
    elif given.get("payment_intent"):
        intent = books.payment_intents.get(given["payment_intent"], param="payment_intent", status=400)
        if intent.status != "succeeded" or intent.latest_charge is None:
            raise refusals.wrong_state(f"Payment intent {intent.id} has no successful charge to refund", "payment_intent_unexpected_state")
        charge = books.charges.get(intent.latest_charge)
    else:
        raise refusals.missing_parameter("charge")
    return make(books, charge, given.get("amount"), given)


def retrieve(books: Books, *, refund: str) -> Refund:
    return books.refunds.get(refund)


def update(books: Books, given: Given, *, refund: str) -> Refund:
    found = books.refunds.get(refund)
    with books.changing(found, "refund.updated"):
        found.metadata = forms.merged(found.metadata, given.get("metadata", {}))
    return found


def listing(books: Books, given: Given) -> Listing:
    return lists.page(books.refunds, given, "/v1/refunds", by=("charge", given.get("charge")), payment_intent=given.get("payment_intent"))


def charge(books: Books, *, charge: str) -> Charge:
    return books.charges.get(charge)


def update_charge(books: Books, given: Given, *, charge: str) -> Charge:
    found = books.charges.get(charge)
    with books.changing(found, "charge.updated"):
        found.description = given.get("description", found.description)
        found.receipt_email = given.get("receipt_email", found.receipt_email)
        found.metadata = forms.merged(found.metadata, given.get("metadata", {}))
    return found


def charges(books: Books, given: Given) -> Listing:
    narrowed = [(field, given[field]) for field in ("payment_intent", "customer") if given.get(field)]
    return lists.page(books.charges, given, "/v1/charges", by=narrowed[0] if narrowed else None, customer=given.get("customer"))


_NEW: forms.Takes = {
    "amount": forms.at_least(1),
    "charge": forms.text,
    "metadata": forms.metadata,
    "payment_intent": forms.text,
    "reason": forms.one_of("duplicate", "fraudulent", "requested_by_customer"),
}
OPERATIONS = (
    Operation("POST", "/v1/refunds", create, _NEW),
    Operation("GET", "/v1/refunds", listing, {**lists.DATED, "charge": forms.text, "payment_intent": forms.text}),
    Operation("GET", "/v1/refunds/<refund>", retrieve),
    Operation("POST", "/v1/refunds/<refund>", update, {"metadata": forms.metadata}),
    Operation("GET", "/v1/charges", charges, {**lists.DATED, "customer": forms.text, "payment_intent": forms.text}),
    Operation("GET", "/v1/charges/<charge>", charge),
    Operation("POST", "/v1/charges/<charge>", update_charge, {"description": forms.text, "metadata": forms.metadata, "receipt_email": forms.email}),
)
