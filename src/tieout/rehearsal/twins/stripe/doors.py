"""Doors under /_twin/ for whoever rehearses over HTTP: what a cardholder, a bank or the dashboard would do. JSON in, the object out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tieout.rehearsal.twins.stripe import refusals
from tieout.rehearsal.twins.stripe.rehearse import Rehearsal

Asked = dict[str, Any]


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
    return twin.pay(asked["invoice"], asked.get("amount"), out_of_band=bool(asked.get("out_of_band", False)))


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
    "redeliver": redeliver,
}
