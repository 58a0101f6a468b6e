"""The account's balance: each movement with its fee, in the currency the account settles in, and payouts that gather them."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from decimal import Decimal
from typing import Any

from tieout.rehearsal.twins.stripe import forms, lists, money, refusals
from tieout.rehearsal.twins.stripe.books import Books
from tieout.rehearsal.twins.stripe.forms import Given
from tieout.rehearsal.twins.stripe.operations import Operation
from tieout.rehearsal.twins.stripe.shapes.balance import BalanceTransaction, Fee, Payout, Trace
from tieout.rehearsal.twins.stripe.shapes.common import Listing

_DAY = 86_400
#: What one unit is worth in euro, for the days of every rehearsal. A currency that is not here settles as itself.
_WORTH = {"eur": "1", "usd": "0.92", "gbp": "1.17", "chf": "1.05", "jpy": "0.0062", "sek": "0.088", "cad": "0.67", "aud": "0.61"}
_SHARE, _FIXED = Decimal("0.015"), 25


def enter(
    books: Books, *, kind: str, category: str, source: str, amount: int, currency: str, description: str | None = None, fee: int | None = 0
) -> BalanceTransaction:
    """Enter a movement. Without a `fee` the usual one for a charge is taken."""
    rate = _rate(currency, books.currency)
    settled = books.currency if rate is not None else currency
    if rate is not None and settled != currency:
        amount = money.half_up(Decimal(amount).scaleb(money.exponent(settled) - money.exponent(currency)) * rate)
    if fee is None:
        fee = money.half_up(amount * _SHARE) + (_FIXED if money.exponent(settled) == 2 else 0)
    now = books.now()
    return books.balance_transactions.add(
        BalanceTransaction(
            id=books.new_id("txn_1"),
            amount=amount,
            available_on=now + 2 * _DAY,
            created=now,
            currency=settled,
            description=description,
            exchange_rate=float(rate) if rate is not None and settled != currency else None,
            fee=fee,
            fee_details=[Fee(amount=fee, currency=settled, description="Dispute fee" if category == "dispute" else "Stripe processing fees")]
            if fee
            else [],
            net=amount - fee,
            reporting_category=category,
            source=source,
            type=kind,
        )
    )


def _rate(paid: str, settled: str) -> Decimal | None:
    if paid not in _WORTH or settled not in _WORTH:
        return None
    return (Decimal(_WORTH[paid]) / Decimal(_WORTH[settled])).quantize(Decimal("0.000001"))


def pay_out(books: Books, *, currency: str | None = None) -> Payout:
    """Send everything not yet paid out in one currency to the bank, and let it arrive. Raises Refused where there is nothing to send."""
    currency = currency or books.currency
    waiting = [
        entry
        for entry in books.balance_transactions.newest_first()
        if entry.id not in books.paid_out and entry.type != "payout" and entry.currency == currency
    ]
    amount = sum(entry.net for entry in waiting)
    if amount <= 0:
        raise refusals.wrong_state(f"There is nothing to pay out in {currency}", "balance_insufficient")
    now = books.now()
    made = Payout(
        id=books.new_id("po_1"),
        amount=amount,
        arrival_date=_midnight(now) + _DAY,
        created=now,
        currency=currency,
        destination=books.bank,
        trace_id=Trace(),
    )
    own = enter(books, kind="payout", category="payout", source=made.id, amount=-amount, currency=currency, description="STRIPE PAYOUT")
    made.balance_transaction = own.id
    books.payouts.add(made)
    for entry in (*waiting, own):
        entry.status = "available"
        entry.available_on = min(entry.available_on, now)
        books.paid_out[entry.id] = made.id
    books.tell("payout.created", made)
    made.status, made.reconciliation_status = "paid", "completed"
    made.trace_id = Trace(status="supported", value=books.new_id("x_")[2:].upper())
    books.tell("payout.paid", made)
    books.tell("payout.reconciliation_completed", made)
    return made


def fail(books: Books, payout: Payout) -> Payout:
    """The bank does not take it: the money is back in the balance, and goes out with the next one. Raises Refused."""
    if payout.status not in ("paid", "in_transit", "pending"):
        raise refusals.wrong_state(f"This payout is {payout.status} already")
    back = enter(
        books, kind="payout_failure", category="payout_reversal", source=payout.id, amount=payout.amount, currency=payout.currency,
        description="STRIPE PAYOUT FAILURE",
    )  # fmt: skip
    # What comes back goes out anew as one amount: Stripe does not take the payments out of a payout that failed.
    with books.changing(payout, "payout.updated"):
        payout.status, payout.failure_code, payout.failure_message = "failed", "account_closed", "The bank account has been closed"
        payout.failure_balance_transaction = back.id
    books.tell("payout.failed", payout)
    return payout


def reverse(books: Books, payout: Payout) -> Payout:
    """A payout that arrived is taken back from the bank by another one, of the amount below zero. Raises Refused."""
    if payout.status != "paid" or payout.reversed_by:
        raise refusals.wrong_state("Only a payout that arrived can be reversed, and once")
    now = books.now()
    made = Payout(
        id=books.new_id("po_1"), amount=-payout.amount, arrival_date=_midnight(now) + _DAY, created=now, currency=payout.currency,
        destination=books.bank,
        automatic=False, original_payout=payout.id, status="paid", reconciliation_status="not_applicable", trace_id=Trace(),
    )  # fmt: skip
    own = enter(
        books, kind="payout", category="payout_reversal", source=made.id, amount=payout.amount, currency=payout.currency,
        description="STRIPE PAYOUT REVERSAL",
    )  # fmt: skip
    made.balance_transaction = own.id
    books.payouts.add(made)
    books.tell("payout.created", made)
    with books.changing(payout, "payout.updated"):
        payout.reversed_by = made.id
    return made


def _midnight(moment: int) -> int:
    return int(dt.datetime.combine(dt.datetime.fromtimestamp(moment, dt.UTC).date(), dt.time(), dt.UTC).timestamp())


def balance(books: Books) -> dict[str, Any]:
    sums: dict[str, dict[str, int]] = {"available": defaultdict(int), "pending": defaultdict(int)}
    for entry in map(_as_of(books), books.balance_transactions.newest_first()):
        sums[entry.status][entry.currency] += entry.net
    shown = {
        state: [{"amount": amount, "currency": currency, "source_types": {"card": amount}} for currency, amount in sorted(by.items())]
        or [{"amount": 0, "currency": books.currency, "source_types": {"card": 0}}]
        for state, by in sums.items()
    }
    return {"object": "balance", "livemode": False, **shown}


def _as_of(books: Books) -> Any:
    """Lets an entry become available when its day has come."""
    now = books.now()

    def aged(entry: BalanceTransaction) -> BalanceTransaction:
        if entry.available_on <= now:
            entry.status = "available"
        return entry

    return aged


def entries(books: Books, given: Given) -> Listing:
    payout = given.get("payout")
    where = None if payout is None else lambda entry: books.paid_out.get(entry.id) == payout
    if payout is not None:
        books.payouts.get(payout, param="payout", status=400)
    url = "/v1/balance_transactions"
    fields = {field: given.get(field) for field in ("type", "source", "currency")}
    shown = lists.page(books.balance_transactions, given, url, where=where, **fields)
    shown.data = list(map(_as_of(books), shown.data))
    return shown


def entry(books: Books, *, entry: str) -> BalanceTransaction:
    found: BalanceTransaction = _as_of(books)(books.balance_transactions.get(entry))
    return found


def payouts(books: Books, given: Given) -> Listing:
    bounds = given.get("arrival_date")
    where = None if bounds is None else lambda payout: lists.within(payout.arrival_date, bounds)
    return lists.page(books.payouts, given, "/v1/payouts", where=where, status=given.get("status"), destination=given.get("destination"))


def payout(books: Books, *, payout: str) -> Payout:
    return books.payouts.get(payout, param="payout")


def update_payout(books: Books, given: Given, *, payout: str) -> Payout:
    found = books.payouts.get(payout, param="payout")
    with books.changing(found, "payout.updated"):
        found.metadata = forms.merged(found.metadata, given.get("metadata", {}))
    return found


OPERATIONS = (
    Operation("GET", "/v1/balance", balance),
    Operation(
        "GET",
        "/v1/balance_transactions",
        entries,
        {**lists.DATED, "type": forms.text, "source": forms.text, "payout": forms.text, "currency": forms.currency},
    ),
    Operation("GET", "/v1/balance_transactions/<entry>", entry),
    Operation(
        "GET",
        "/v1/payouts",
        payouts,
        {
            **lists.DATED,
            "arrival_date": forms.moments,
            "destination": forms.text,
            "status": forms.one_of("canceled", "failed", "in_transit", "paid", "pending"),
        },
    ),
    Operation("GET", "/v1/payouts/<payout>", payout),
    Operation("POST", "/v1/payouts/<payout>", update_payout, {"metadata": forms.metadata}),
)
