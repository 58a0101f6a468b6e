"""Disputes: opened by a cardholder, answered or accepted by us, decided by the bank; money leaves at once and may come back."""

from __future__ import annotations

import msgspec

from tieout.rehearsal.twins.stripe import forms, lists, refusals
from tieout.rehearsal.twins.stripe.books import Books
from tieout.rehearsal.twins.stripe.forms import Given
from tieout.rehearsal.twins.stripe.operations import Operation
from tieout.rehearsal.twins.stripe.shapes.balance import Dispute, DisputedCard, DisputedMethod, Evidence, EvidenceDetails
from tieout.rehearsal.twins.stripe.shapes.common import Listing
from tieout.rehearsal.twins.stripe.shapes.money import Charge
from tieout.rehearsal.twins.stripe.verbs import balance

_DAY, _FEE = 86_400, 1500
REASONS = (
    "bank_cannot_process",
    "credit_not_processed",
    "debit_not_authorized",
    "duplicate",
    "fraudulent",
    "general",
    "incorrect_account_details",
    "insufficient_funds",
    "product_not_received",
    "product_unacceptable",
    "subscription_canceled",
    "unrecognized",
)
_OPEN = ("needs_response", "under_review", "warning_needs_response", "warning_under_review")


def start(books: Books, charge: Charge, *, reason: str = "product_unacceptable", amount: int | None = None, inquiry: bool = False) -> Dispute:
    """A cardholder disputes a charge; an inquiry takes no money yet. Raises Refused."""
    if charge.disputed:
        raise refusals.wrong_state(f"Charge {charge.id} is disputed already", "charge_disputed")
    if reason not in REASONS:
        raise refusals.invalid("reason", f"A dispute's reason is one of {', '.join(REASONS)}")
    made = Dispute(
        id=books.new_id("du_1"),
        amount=charge.amount if amount is None else amount,
        charge=charge.id,
        created=books.now(),
        currency=charge.currency,
        evidence=Evidence(),
        evidence_details=EvidenceDetails(due_by=books.now() + 14 * _DAY),
        is_charge_refundable=inquiry,
        payment_intent=charge.payment_intent,
        payment_method_details=DisputedMethod(card=DisputedCard(case_type="inquiry" if inquiry else "chargeback")),
        reason=reason,
        status="warning_needs_response" if inquiry else "needs_response",
    )
    charge.disputed = True
    books.disputes.add(made)
    if not inquiry:
        _move(books, made, -made.amount, "dispute", _FEE)
    books.tell("charge.dispute.created", made)
    if not inquiry:
        books.tell("charge.dispute.funds_withdrawn", made)
    return made


def decide(books: Books, dispute: Dispute, outcome: str) -> Dispute:
    """The bank decides: won, lost, or an inquiry closed. Raises Refused."""
    if dispute.status not in _OPEN:
        raise refusals.wrong_state(f"This dispute is {dispute.status} already")
    inquiry = dispute.status.startswith("warning_")
    if outcome not in ("won", "lost"):
        raise refusals.invalid("outcome", "A dispute is won or lost")
    dispute.status = "warning_closed" if inquiry else outcome
    if outcome == "won" and not inquiry:
        _move(books, dispute, dispute.amount, "dispute_reversal", 0)
        books.tell("charge.dispute.funds_reinstated", dispute)
    if inquiry:
        books.charges.get(dispute.charge).disputed = False
    books.tell("charge.dispute.closed", dispute)
    return dispute


def _move(books: Books, dispute: Dispute, amount: int, category: str, fee: int) -> None:
    told = f"Chargeback {'withdrawal' if amount < 0 else 'reversal'} for {dispute.charge}"
    entered = balance.enter(
        books, kind="adjustment", category=category, source=dispute.id, amount=amount, currency=dispute.currency, description=told, fee=fee
    )
    dispute.balance_transactions = [*dispute.balance_transactions, entered]


def update(books: Books, given: Given, *, dispute: str) -> Dispute:
    """Say something against it; submitted unless told otherwise."""
    found = books.disputes.get(dispute, param="dispute")
    if found.status not in _OPEN:
        raise refusals.wrong_state(f"This dispute is {found.status} already")
    with books.changing(found, "charge.dispute.updated"):
        found.metadata = forms.merged(found.metadata, given.get("metadata", {}))
        if given.get("evidence"):
            found.evidence = msgspec.structs.replace(found.evidence, **given["evidence"])
            found.evidence_details.has_evidence = True
        if given.get("submit", bool(given.get("evidence"))):
            found.evidence_details.submission_count += 1
            found.status = "warning_under_review" if found.status.startswith("warning_") else "under_review"
    return found


def close(books: Books, *, dispute: str) -> Dispute:
    """Accept it: lost for good."""
    return decide(books, books.disputes.get(dispute, param="dispute"), "lost")


def retrieve(books: Books, *, dispute: str) -> Dispute:
    return books.disputes.get(dispute, param="dispute")


def listing(books: Books, given: Given) -> Listing:
    return lists.page(books.disputes, given, "/v1/disputes", by=("charge", given.get("charge")), payment_intent=given.get("payment_intent"))


_EVIDENCE = {field: forms.text for field in Evidence.__struct_fields__ if field != "enhanced_evidence"}
OPERATIONS = (
    Operation("GET", "/v1/disputes", listing, {**lists.DATED, "charge": forms.text, "payment_intent": forms.text}),
    Operation("GET", "/v1/disputes/<dispute>", retrieve),
    Operation(
        "POST",
        "/v1/disputes/<dispute>",
        update,
        {"evidence": forms.hash_of(_EVIDENCE), "metadata": forms.metadata, "submit": forms.boolean},
    ),
    Operation("POST", "/v1/disputes/<dispute>/close", close),
)
