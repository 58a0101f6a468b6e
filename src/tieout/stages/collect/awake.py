"""Who must be looked at today: accounts whose day has come, and accounts about which something has changed.

For an account with nothing due it is known when time alone could change that: the day an invoice reaches a step, an age the policy
asks about, its first day overdue, the end of a rest or of a hold. Until then, and while nothing is heard of it (the change feed
tells, and what the ledger says is open is compared), it sleeps, and a quiet day costs next to nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import polars as pl

from tieout.core.policy import packs
from tieout.core.policy.language import Clause, Policy
from tieout.core.policy.situation import Hold
from tieout.stages.base import feed
from tieout.stages.collect.book import Book

_READER = "plan"
_PAGE = 500

#: Nobody sleeps longer than two to four weeks (spread by customer, so that they do not all wake on one day): their place in the work
#: list grows with age.
_LONGEST = 14

#: Conditions that change only when a fact does; `balance` also on an invoice's first day overdue, which always counts. A policy that
#: uses any other condition keeps everybody awake.
_TIMELESS = frozenset({"amount", "balance", "broken_promises", "country", "currency", "debtor_type", "email", "language", "tier"})


def changed() -> set[int] | None:
    """Customers about whom something was published since the last whole plan; None: everybody (the policy changed)."""
    found: set[int] = set()
    everybody = False
    while True:
        changes = feed.take(reader=_READER, limit=_PAGE)
        found.update(c for change in changes for c in change.customer_ids)
        everybody |= any(change.kind == "policy" for change in changes)
        if len(changes) < _PAGE:
            return None if everybody else found


def critical_days(policy: Policy) -> list[int] | None:
    """Days past due at which an invoice may come to stand differently; None where the policy asks for something else about time."""
    days = {1, policy.max_age + 1}
    for segment in policy.segments:
        days |= {step.days for step in segment.steps}
    for clause in _clauses(policy):
        if clause.condition.name == "age":
            days |= {edge for edge in (clause.parameters.least, _after(clause.parameters.most)) if edge is not None}
        elif clause.condition.name not in _TIMELESS:
            return None
    return sorted(days)


def look_on(*, policy: Policy, book: Book, held: Mapping[int, tuple[Hold, ...]], busy: Collection[int], today: dt.date) -> dict[int, dt.date]:
    """The day on which each sleeping customer of the book is to be looked at again; those to be looked at every day are missing."""
    days = critical_days(policy)
    if days is None:
        return {}
    dates = [(pl.col("due_date") + pl.duration(days=n)).cast(pl.Date) for n in days]
    coming = [pl.when(date > today).then(date).otherwise(pl.lit(dt.date.max)) for date in dates]
    firsts = book.items.lazy().group_by("customer_id").agg(pl.min_horizontal(*coming).min().fill_null(dt.date.max).alias("first"))
    rest = packs.contact_rules().window_days
    rested = book.touches.lazy().group_by("customer_id").agg((pl.col("date").max() + pl.duration(days=rest)).cast(pl.Date).alias("rested"))
    rows = firsts.join(rested, on="customer_id", how="left").collect().iter_rows()
    awake = set(busy)
    found = {}
    for customer_id, first, rested_on in rows:
        if customer_id not in awake:
            ends = [day for hold in held.get(customer_id, ()) for day in _edges(hold) if day > today]
            rests = [rested_on] if rested_on is not None and rested_on > today else []
            latest = today + dt.timedelta(days=_LONGEST + customer_id % _LONGEST)
            found[customer_id] = min([first, latest, *ends, *rests])
    return found


def _edges(hold: Hold) -> Iterator[dt.date]:
    """Days on which a hold begins or has ended; a promise ends after its grace."""
    if hold.from_date is not None:
        yield hold.from_date
    if hold.until_date is not None:
        grace = packs.contact_rules().promise_grace_days + 1 if hold.reason == "promise" else 0
        yield hold.until_date + dt.timedelta(days=grace)


def _clauses(policy: Policy) -> Iterator[Clause]:
    for segment in policy.segments:
        yield from segment.when
        for step in segment.steps:
            yield from step.when
    for rule in policy.by_hand:
        yield from rule.when


def _after(most: Any) -> int | None:
    return None if most is None else int(most) + 1
