"""Reading the cases a policy carries: a customer told in days and amounts, and what the policy must decide for it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import msgspec

from tieout.core import days
from tieout.core.money import MoneyError, from_decimal, is_currency
from tieout.core.policy.schema import Spot
from tieout.core.policy.situation import HOLD_REASONS, Hold, Item, Situation, Touch

#: A Tuesday without a public holiday in any country we know: the day of a case that names none.
CASE_DAY = dt.date(2026, 3, 10)

TIERS = ("low", "medium", "high", "unknown")
TYPES = ("business", "consumer", "unknown")
EXPECTED = ("decision", "step", "channel", "reason", "tone", "approval", "escalate_to", "invoices")


class Case(msgspec.Struct, frozen=True):
    """One case: its sentence, the situation on `today`, and the fields the decision must show. `line` is where it stands."""

    name: str
    line: int
    today: dt.date
    situation: Situation
    expect: Mapping[str, str | tuple[str, ...]]


def _day(spot: Spot) -> dt.date:
    text = spot.text()
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        spot.fault(f"{text!r} is not a date; write YYYY-MM-DD")
        return CASE_DAY


def _amount(spot: Spot, currency: str) -> int:
    try:
        return from_decimal(spot.decimal(), currency).minor
    except MoneyError as error:
        spot.fault(str(error))
        return 0


def _zone(spot: Spot) -> str:
    try:
        return days.zone(spot.text()).key
    except ValueError as error:
        spot.fault(str(error))
        return "UTC"


def _item(spot: Spot, number: int, today: dt.date) -> Item:
    keys = spot.keys(required=("days_late", "amount"), optional=("id", "currency", "contested", "on_the_way", "status", "written_off", "history"))
    currency = keys["currency"].text() if "currency" in keys else "EUR"
    if not is_currency(currency):
        keys["currency"].fault(f"{currency} is not an ISO 4217 currency; use a code such as EUR")
        currency = "EUR"
    late = keys["days_late"].whole(least=-3650, most=36500) if "days_late" in keys else 0
    return Item(
        invoice_id=keys["id"].text() if "id" in keys else f"I{number}",
        currency=currency,
        open_minor=_amount(keys["amount"], currency) if "amount" in keys else 0,
        due_date=today - dt.timedelta(days=late),
        contested_minor=_amount(keys["contested"], currency) if "contested" in keys else 0,
        on_the_way_minor=_amount(keys["on_the_way"], currency) if "on_the_way" in keys else 0,
        status=keys["status"].choice(("open", "void", "deleted", "draft")) if "status" in keys else "open",
        written_off=keys["written_off"].flag() if "written_off" in keys else False,
        history=keys["history"].flag() if "history" in keys else False,
    )


def _hold(spot: Spot, today: dt.date, items: Mapping[str, Item]) -> Hold:
    keys = spot.keys(required=("reason",), optional=("id", "amount", "days_left"))
    invoice_id = keys["id"].text() if "id" in keys else None
    if invoice_id is not None and invoice_id not in items:
        keys["id"].fault(f"{invoice_id} is none of this case's items")
    item = items.get(invoice_id or "")
    currency = item.currency if item else "EUR"
    left = keys["days_left"].whole(least=-3650, most=3650) if "days_left" in keys else None
    return Hold(
        reason=keys["reason"].choice(HOLD_REASONS) if "reason" in keys else "manual",  # type: ignore[arg-type]
        invoice_id=invoice_id,
        amount_minor=_amount(keys["amount"], currency) if "amount" in keys else None,
        until_date=None if left is None else today + dt.timedelta(days=left),
    )


def _touch(spot: Spot, today: dt.date) -> Touch:
    keys = spot.keys(required=("days_ago",), optional=("step", "channel", "outcome"))
    ago = keys["days_ago"].whole(least=0, most=36500) if "days_ago" in keys else 0
    return Touch(
        date=today - dt.timedelta(days=ago),
        step=keys["step"].text() if "step" in keys else None,
        channel=keys["channel"].text() if "channel" in keys else "email",
        outcome=keys["outcome"].text() if "outcome" in keys else "",
    )


def _situation(spot: Spot, today: dt.date) -> Situation:
    keys = spot.keys(
        required=("items",),
        optional=("tier", "debtor_type", "email", "country", "zone", "language", "holds", "touches", "broken_promises", "released"),
    )
    items = tuple(_item(one, i + 1, today) for i, one in enumerate(keys["items"].many())) if "items" in keys else ()
    by_id = {item.invoice_id: item for item in items}
    text: dict[str, str] = {name: keys[name].text() for name in ("email", "country", "language") if name in keys}
    if "zone" in keys:
        text["zone"] = _zone(keys["zone"])
    email = text.get("email", "accounts@customer.example")
    return Situation(
        customer_id="C1",
        items=items,
        tier=keys["tier"].choice(TIERS) if "tier" in keys else "unknown",
        debtor_type=keys["debtor_type"].choice(TYPES) if "debtor_type" in keys else "business",
        email=None if email == "none" else email,
        country=text.get("country"),
        zones=(text["zone"],) if "zone" in text else (),
        language=text.get("language"),
        holds=tuple(_hold(one, today, by_id) for one in keys["holds"].many()) if "holds" in keys else (),
        touches=tuple(_touch(one, today) for one in keys["touches"].many()) if "touches" in keys else (),
        broken_promises=keys["broken_promises"].whole(least=0) if "broken_promises" in keys else 0,
        released=keys["released"].flag() if "released" in keys else True,
    )


def read_case(spot: Spot) -> Case:
    """One entry of `cases`: `case` (its sentence), `given`, `expect`, and optionally `today`."""
    keys = spot.keys(required=("case", "given", "expect"), optional=("today",))
    today = _day(keys["today"]) if "today" in keys else CASE_DAY
    given = _situation(keys["given"], today) if "given" in keys else Situation(customer_id="C1", items=())
    expect: dict[str, str | tuple[str, ...]] = {}
    if "expect" in keys:
        for name, value in keys["expect"].keys(optional=EXPECTED).items():
            expect[name] = tuple(sorted(one.text() for one in value.one_or_many())) if name == "invoices" else value.text()
        if not expect:
            keys["expect"].fault(f"expect something: {', '.join(EXPECTED)}")
    return Case(keys["case"].text() if "case" in keys else "", spot.node.start_mark.line + 1, today, given, expect)
