"""Propose how to release a backlog: small and low-risk first, and apart what a person should look at before anybody is asked.

The whole backlog is shown, nothing is left out: every unreleased customer with something open is in exactly one group.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import polars as pl
from django.db import connection

from tieout.core.policy import packs
from tieout.core.policy.evaluate import evaluate
from tieout.core.policy.language import Policy
from tieout.core.policy.situation import Hold
from tieout.stages.base import queries as base
from tieout.stages.base import walls
from tieout.stages.collect import address, effect, fetch, gather, policy
from tieout.stages.collect.book import Book, read

#: Customers in the first waves; those after them go in waves of the last size. Customers of high risk come in waves of their own.
SIZES = (10, 40, 200)
#: Customers of a group shown with what would happen first.
SHOWN = 50

_RISK = {"low": 0, "medium": 1, "unknown": 2, "high": 3}
_APART = {
    "suspected_paid": "Suspected paid: money of theirs is not applied yet",
    "disputed": "Disputed",
    "held": "On hold or opted out",
    "no_address": "No address to write to",
}


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """One unreleased customer. `first` says what would come first after the release."""

    customer_id: int
    name: str
    tier: str
    items: int
    open_minor: dict[str, int]
    overdue_minor: dict[str, int]
    oldest_due_date: dt.date | None
    first: str


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """Customers that may be released together, the `shown` ones in detail; `kind` is `wave` or why they stand apart."""

    kind: str
    name: str
    customer_ids: tuple[int, ...]
    items: int
    open_minor: dict[str, int]
    shown: tuple[Candidate, ...]


class Preview(msgspec.Struct, frozen=True):
    """The backlog: waves in the order to release them, and those to look at first."""

    waves: tuple[Group, ...]
    apart: tuple[Group, ...]

    @property
    def customers(self) -> int:
        return sum(len(group.customer_ids) for group in (*self.waves, *self.apart))


def preview(*, today: dt.date) -> Preview:
    """Every unreleased customer with something open, grouped."""
    ids = _unreleased()
    if not ids:
        return Preview((), ())
    with fetch.set_wise(ids):
        return _preview(ids, today)


def _preview(ids: list[int], today: dt.date) -> Preview:
    rules, _ = policy.in_force()
    book = read(policy=rules, today=today, customer_ids=ids)
    held = gather.holds(customer_ids=ids, today=today)
    reasons = _apart(book, held, ids)
    ordered = [c for c in _by_risk(book, rules) if c not in reasons]
    high = set(book.customers.filter(pl.col("tier") == "high")["customer_id"].to_list())
    parts = [("wave", "", part) for part in (*_cut([c for c in ordered if c not in high]), *_cut([c for c in ordered if c in high]))]
    groups = [(kind, f"Wave {i}", part) for i, (kind, _, part) in enumerate(parts, 1)]
    groups += [(kind, name, [c for c in ids if reasons.get(c) == kind]) for kind, name in _APART.items()]
    detail = _Detail(book, held, rules, today, [c for _, _, part in groups for c in part[:SHOWN]])
    built = [_group(kind, name, part, book, detail) for kind, name, part in groups if part]
    return Preview(tuple(g for g in built if g.kind == "wave"), tuple(g for g in built if g.kind != "wave"))


def _unreleased() -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT DISTINCT d.customer_id FROM ledger_document d
                LEFT JOIN collect_release r ON r.organisation_id = d.organisation_id AND r.customer_id = d.customer_id AND r.withdrawn_at IS NULL
                WHERE d.organisation_id = %s AND d.kind = 'invoice' AND d.open_minor > 0 AND r.id IS NULL ORDER BY 1""",
            [walls.current()],
        )
        return [row[0] for row in cursor.fetchall()]


def _apart(book: Book, held: Mapping[int, tuple[Hold, ...]], ids: Sequence[int]) -> dict[int, str]:
    """Customers that stand apart, with the weightiest reason."""
    reasons = dict.fromkeys(set(ids) - set(address.of(customer_ids=ids)), "no_address")
    for customer_id, holds in held.items():
        reasons[customer_id] = "disputed" if any(h.reason == "dispute" for h in holds) else "held"
        if any(h.reason == "in_transit" for h in holds):
            reasons[customer_id] = "suspected_paid"
    for customer_id in book.items.filter(pl.col("contested_minor") > 0)["customer_id"].unique().to_list():
        if reasons.get(customer_id) != "suspected_paid":
            reasons[customer_id] = "disputed"
    return reasons


def _by_risk(book: Book, rules: Policy) -> list[int]:
    """Customers by risk, then by what they owe, weighed as the work list weighs currencies."""
    ours = base.profile().base_currency
    weights = {code: effect.weight(rules, code, ours) for code in book.items["currency"].unique().to_list()}
    owed = pl.col("open_minor") * pl.col("currency").replace_strict(list(weights), list(weights.values()), return_dtype=pl.Float64)
    risk = pl.col("tier").fill_null("unknown").replace_strict(list(_RISK), list(_RISK.values()), default=2, return_dtype=pl.Int32)
    sums = book.items.group_by("customer_id").agg(owed.sum().alias("owed"), risk.first().alias("risk")).sort("risk", "owed", "customer_id")
    return list(sums["customer_id"].to_list())


def _cut(ids: Sequence[int]) -> list[list[int]]:
    parts: list[list[int]] = []
    start = 0
    while start < len(ids):
        size = SIZES[min(len(parts), len(SIZES) - 1)]
        parts.append(list(ids[start : start + size]))
        start += size
    return parts


class _Detail:
    """What is shown of a customer: gathered once for all that are shown."""

    def __init__(self, book: Book, held: Mapping[int, tuple[Hold, ...]], rules: Policy, today: dt.date, shown: Sequence[int]) -> None:
        self.names = _names(shown)
        self.tiers = dict(book.customers.select("customer_id", "tier").iter_rows())
        self.first: dict[int, str] = {}
        self.rows: dict[int, Any] = {}
        contact = packs.contact_rules()
        for situation in gather.situations(book=book, held=held, customer_ids=shown, today=today):
            decision = evaluate(rules, msgspec.structs.replace(situation, released=True), today, rules=contact)
            customer_id = int(situation.customer_id)
            self.rows[customer_id] = situation.items
            what = {"send": f"e-mail “{decision.step}”, {decision.tone}", "task": f"a task: {decision.reason.replace('_', ' ')}"}
            self.first[customer_id] = what.get(decision.decision, f"nothing yet: {decision.reason.replace('_', ' ')}")
        self.today = today

    def of(self, customer_id: int) -> Candidate:
        items = self.rows[customer_id]
        late = [i for i in items if i.due_date is not None and i.due_date < self.today]
        return Candidate(
            customer_id=customer_id, name=self.names.get(customer_id, ""), tier=self.tiers.get(customer_id, "unknown"), items=len(items),
            open_minor=_sums(items), overdue_minor=_sums(late), oldest_due_date=min((i.due_date for i in items if i.due_date), default=None),
            first=self.first[customer_id],
        )  # fmt: skip


def _names(ids: Sequence[int]) -> dict[int, str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, name FROM ledger_customer WHERE organisation_id = %s AND id = ANY(%s)", [walls.current(), list(ids)])
        return dict(cursor.fetchall())


def _sums(items: Sequence[Any]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for item in items:
        sums[item.currency] = sums.get(item.currency, 0) + item.open_minor
    return dict(sorted(sums.items()))


def _group(kind: str, name: str, ids: Sequence[int], book: Book, detail: _Detail) -> Group:
    mine = book.items.filter(pl.col("customer_id").is_in(list(ids)))
    sums = mine.group_by("currency").agg(pl.col("open_minor").sum()).sort("currency")
    shown = tuple(detail.of(c) for c in ids[:SHOWN])
    return Group(kind=kind, name=name, customer_ids=tuple(ids), items=len(mine), open_minor=dict(sums.iter_rows()), shown=shown)
