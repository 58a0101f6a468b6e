"""The order of the work list: by expected effect, so that the next hour goes where it moves most money soonest.

effect = sum over the overdue documents of amount x expected days still out x lift of the action x cost of money, less the cost of
the action (docs/formulas/rank.md). Lifts and days are priors, the same for everybody, until outreach has been randomised and
measured; they are never fitted to who happened to be called. Every fifth place goes to whoever has waited longest, so that
nothing starves.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction

import msgspec

from tieout.core.money import Money, exponent

#: Expected further days unpaid of a document just overdue, and the part of its age that is added: the longer it has been out, the longer
#: it stays out.
DAYS_OUT: Mapping[str, tuple[int, Fraction]] = {
    "low": (5, Fraction(1, 4)),
    "medium": (12, Fraction(1, 2)),
    "high": (30, Fraction(1)),
    "unknown": (12, Fraction(1, 2)),
}
MOST_DAYS = 180
#: Part of the expected days an action is assumed to save.
LIFT: Mapping[str, Fraction] = {"email": Fraction(1, 10), "call": Fraction(1, 5)}
#: What an action costs, in major units of the currency it is ranked in: a call is some five minutes of a clerk.
COST: Mapping[str, Fraction] = {"email": Fraction(1, 10), "call": Fraction(3)}
#: Cost of money a day: 8 % a year.
A_DAY = Fraction(8, 100 * 365)
#: Every so manieth place goes to the longest waiting.
FLOOR_EVERY = 5


class Overdue(msgspec.Struct, frozen=True, gc=False):
    """One document that may be demanded: its undisputed open amount and days past due."""

    amount: Money
    age: int


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """One customer to be placed: what may be demanded, its tier, the action proposed, days since anybody spoke to it (None: never)."""

    customer_id: str
    items: tuple[Overdue, ...]
    tier: str = "unknown"
    action: str = "email"
    days_since_touch: int | None = None


class Rate(msgspec.Struct, frozen=True):
    """`value` units of the base currency for one unit of another, as of `date`."""

    value: Decimal
    date: dt.date


class Ranked(msgspec.Struct, frozen=True, kw_only=True):
    """A place (1 is first) in the list of one currency: the expected effect and the amount at stake in it, and why."""

    customer_id: str
    place: int
    effect: Money
    at_stake: Money
    reasons: tuple[str, ...]


def expected_days(tier: str, age: int) -> Fraction:
    """Expected further days unpaid for a document `age` days past due of a customer of this tier; 0 before the due date."""
    if age <= 0:
        return Fraction(0)
    base, slope = DAYS_OUT.get(tier, DAYS_OUT["unknown"])
    return min(Fraction(MOST_DAYS), base + slope * age)


def rank(accounts: Iterable[Account], *, base: str | None = None, rates: Mapping[str, Rate] | None = None) -> list[Ranked]:
    """The work list. With `base` and `rates` one list in that currency; without, one list per currency, an account standing in each of its
    currencies. A currency without a rate counts nothing in the base list, and the reasons say so."""
    all_accounts = list(accounts)
    if base is not None:
        return _ordered([_scored(a, base, rates or {}) for a in all_accounts], all_accounts)
    ranked: list[Ranked] = []
    for currency in sorted({i.amount.currency for a in all_accounts for i in a.items}):
        own = [
            msgspec.structs.replace(a, items=tuple(i for i in a.items if i.amount.currency == currency))
            for a in all_accounts
            if any(i.amount.currency == currency for i in a.items)
        ]
        ranked += _ordered([_scored(a, currency, {}) for a in own], own)
    return ranked


def _in_base(amount: Money, base: str, rates: Mapping[str, Rate]) -> Fraction | None:
    """The amount in major units of `base`, None without a rate."""
    major = Fraction(amount.minor, 10 ** exponent(amount.currency))
    if amount.currency == base:
        return major
    rate = rates.get(amount.currency)
    return None if rate is None else major * Fraction(rate.value)


def _scored(account: Account, base: str, rates: Mapping[str, Rate]) -> Ranked:
    stake = Fraction(0)
    money_days = Fraction(0)
    unrated: set[str] = set()
    for item in account.items:
        major = _in_base(item.amount, base, rates)
        if major is None:
            unrated.add(item.amount.currency)
            continue
        stake += major if item.age > 0 else 0
        money_days += major * expected_days(account.tier, item.age)
    lift, cost = LIFT.get(account.action, LIFT["email"]), COST.get(account.action, COST["email"])
    effect = money_days * lift * A_DAY - cost
    return Ranked(
        customer_id=account.customer_id,
        place=0,
        effect=_money(effect, base),
        at_stake=_money(stake, base),
        reasons=_reasons(account, base, rates, stake, money_days, unrated),
    )


def _money(major: Fraction, currency: str) -> Money:
    return Money(round(major * 10 ** exponent(currency)), currency)


def _reasons(account: Account, base: str, rates: Mapping[str, Rate], stake: Fraction, money_days: Fraction, unrated: set[str]) -> tuple[str, ...]:
    oldest = max((i.age for i in account.items), default=0)
    days = round(money_days / stake) if stake else 0
    used = sorted({i.amount.currency for i in account.items if i.amount.currency != base and i.amount.currency in rates})
    return (
        f"{_money(stake, base)} past due, the oldest by {max(oldest, 0)} days",
        f"expected to stay out {days} more days (tier {account.tier})",
        f"a{'n e-mail' if account.action == 'email' else ' ' + account.action} is assumed to save a part of that, less its cost",
        *(f"{code} at {rates[code].value} of {rates[code].date}" for code in used),
        *(f"{code} is not counted: no rate" for code in sorted(unrated)),
    )


def _waited(account: Account) -> int:
    """Days since the last contact; for one never spoken to, since its oldest document fell due."""
    if account.days_since_touch is not None:
        return account.days_since_touch
    return max((i.age for i in account.items), default=0)


def _ordered(ranked: Sequence[Ranked], accounts: Sequence[Account]) -> list[Ranked]:
    """By effect, each fifth place to the longest waiting of those not yet placed; ties by customer id."""
    by_effect = sorted(range(len(ranked)), key=lambda i: (-ranked[i].effect.minor, -ranked[i].at_stake.minor, ranked[i].customer_id))
    by_wait = sorted(range(len(ranked)), key=lambda i: (-_waited(accounts[i]), ranked[i].customer_id))
    placed: set[int] = set()
    queues = (iter(by_effect), iter(by_wait))
    found: list[Ranked] = []
    for place in range(1, len(ranked) + 1):
        floor = place % FLOOR_EVERY == 0
        i = next(i for i in queues[floor] if i not in placed)
        placed.add(i)
        waited = f"has waited {_waited(accounts[i])} days: each {FLOOR_EVERY}th place goes to the longest waiting"
        reasons = (*ranked[i].reasons, waited) if floor else ranked[i].reasons
        found.append(msgspec.structs.replace(ranked[i], place=place, reasons=reasons))
    return found
