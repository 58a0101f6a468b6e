"""The balance Stripe keeps for a customer: below zero is credit, above zero is owed, and the next invoice takes both in."""

from __future__ import annotations

from tieout.rehearsal.twins.stripe import forms, lists, refusals
from tieout.rehearsal.twins.stripe.books import Books
from tieout.rehearsal.twins.stripe.forms import Given
from tieout.rehearsal.twins.stripe.operations import Operation
from tieout.rehearsal.twins.stripe.shapes.common import Listing
from tieout.rehearsal.twins.stripe.shapes.parties import BalanceMove, Customer


def move(
    books: Books, customer: Customer, amount: int, *, kind: str, currency: str, invoice: str | None = None, credit_note: str | None = None
) -> BalanceMove:
    """Change the balance, and tell that the customer changed."""
    with books.changing(customer, "customer.updated"):
        return note(books, customer, amount, kind=kind, currency=currency, invoice=invoice, credit_note=credit_note)


def note(
    books: Books, customer: Customer, amount: int, *, kind: str, currency: str, invoice: str | None = None, credit_note: str | None = None
) -> BalanceMove:
    """Change the balance; whoever calls tells of it."""
    customer.currency = customer.currency or currency
    customer.balance += amount
    return books.balance_moves.add(
        BalanceMove(
            id=books.new_id("cbtxn_1"),
            amount=amount,
            created=books.now(),
            credit_note=credit_note,
            currency=currency,
            customer=customer.id,
            ending_balance=customer.balance,
            invoice=invoice,
            type=kind,
        )
    )


def create(books: Books, given: Given, *, customer: str) -> BalanceMove:
    found = books.customer(customer, param="id", status=404)
    if found.currency not in (None, given["currency"]):
        raise refusals.invalid("currency", f"The customer's balance is kept in {found.currency}")
    made = move(books, found, given["amount"], kind="adjustment", currency=given["currency"])
    made.description, made.metadata = given.get("description"), forms.merged(None, given.get("metadata"))
    return made


def retrieve(books: Books, *, customer: str, move: str) -> BalanceMove:
    found = books.balance_moves.get(move)
    if found.customer != customer:
        raise refusals.no_such("customer_balance_transaction", move, param="id")
    return found


def listing(books: Books, given: Given, *, customer: str) -> Listing:
    url = f"/v1/customers/{customer}/balance_transactions"
    return lists.page(books.balance_moves, given, url, by=("customer", customer), invoice=given.get("invoice"))


_OF = "/v1/customers/<customer>/balance_transactions"
_TAKES: forms.Takes = {"amount": forms.integer, "currency": forms.currency, "description": forms.text, "metadata": forms.metadata}
OPERATIONS = (
    Operation("POST", _OF, create, _TAKES, ("amount", "currency")),
    Operation("GET", _OF, listing, {**lists.DATED, "invoice": forms.text}),
    Operation("GET", f"{_OF}/<move>", retrieve),
)
