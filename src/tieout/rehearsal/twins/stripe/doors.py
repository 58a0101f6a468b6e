"""Doors under /_twin/ for whoever rehearses over HTTP: what a cardholder, a bank or the dashboard would do. JSON in, the object out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from tieout.rehearsal.twins.stripe import refusals
from tieout.rehearsal.twins.stripe.rehearse import Rehearsal

Asked = dict[str, Any]


def _at(asked: Asked) -> dt.datetime | None:
    """`at`: a moment in the past it happened at; its event is kept, and nobody is told of it now."""
    return dt.datetime.fromisoformat(asked["at"]) if asked.get("at") else None


def raised(twin: Rehearsal, asked: Asked) -> Any:
    """An invoice: `name` and `email` of the customer, who is made where there is none with that e-mail, `lines` of description and
    amount, `days` until it is due, `number` and `address` where given."""
    at = _at(asked)
    known = next((one for one in twin.books.customers.newest_first() if one.email == asked["email"]), None)
    more = {"address": asked["address"]} if asked.get("address") else {}
    customer = known or twin.customer(asked["name"], email=asked["email"], at=at, **more)
    lines = [(str(description), int(amount)) for description, amount in asked["lines"]]
    return twin.invoice(customer, lines=lines, days=int(asked.get("days", 30)), number=asked.get("number"), sent=True, at=at)


def void(twin: Rehearsal, asked: Asked) -> Any:
    """`invoice`."""
    return twin.void(asked["invoice"], at=_at(asked))


def credit(twin: Rehearsal, asked: Asked) -> Any:
    """`invoice` and `amount`; `memo` says why, and one memo is credited once."""
    memo = asked.get("memo")
    known = next((n for n in twin.books.credit_notes.newest_first("invoice", asked["invoice"]) if memo and n.memo == memo), None)
    return known or twin.credit(asked["invoice"], int(asked["amount"]), memo=memo, at=_at(asked))


def refund(twin: Rehearsal, asked: Asked) -> Any:
    """`charge` or `invoice`; `amount` where not all."""
    return twin.refund(_paid(asked), asked.get("amount"), at=_at(asked))


def _paid(asked: Asked) -> str:
    return str(asked.get("charge") or asked["invoice"])


def dispute(twin: Rehearsal, asked: Asked) -> Any:
    """`charge` or `invoice`; `reason`, `amount`, `inquiry`."""
    more = {name: asked[name] for name in ("reason", "amount", "inquiry") if name in asked}
    return twin.dispute(_paid(asked), **more)


def close_dispute(twin: Rehearsal, asked: Asked) -> Any:
    """`dispute`, and `outcome`: won or lost."""
    if asked["outcome"] not in ("won", "lost"):
        raise refusals.invalid("outcome", "A dispute is won or lost")
    return twin.close_dispute(asked["dispute"], won=asked["outcome"] == "won")


def payout(twin: Rehearsal, asked: Asked) -> Any:
    """`currency` where it is not the account's own."""
    return twin.payout(currency=asked.get("currency"))


def rotate_secret(twin: Rehearsal, asked: Asked) -> Any:
    """`endpoint`, and for how many `seconds` the old secret goes on signing."""
    return {"secret": twin.rotate_secret(asked["endpoint"], seconds=int(asked.get("seconds", 86_400)))}


def fail_payment(twin: Rehearsal, asked: Asked) -> Any:
    """`invoice`; `decline` says why."""
    return twin.fail_payment(asked["invoice"], decline=asked.get("decline", "insufficient_funds"))


def pay(twin: Rehearsal, asked: Asked) -> Any:
    """`invoice`; `amount` where not all, `out_of_band` where past Stripe."""
    return twin.pay(asked["invoice"], asked.get("amount"), out_of_band=bool(asked.get("out_of_band", False)), at=_at(asked))


def redeliver(twin: Rehearsal, _asked: Asked) -> Any:
    """Send again what some door has not taken."""
    return {"sent": twin.redeliver()}


DOORS: dict[str, Callable[[Rehearsal, Asked], Any]] = {
    "dispute": dispute,
    "dispute/close": close_dispute,
    "payout": payout,
    "rotate_secret": rotate_secret,
    "fail_payment": fail_payment,
    "pay": pay,
    "invoice": raised,
    "void": void,
    "credit": credit,
    "refund": refund,
    "redeliver": redeliver,
}
