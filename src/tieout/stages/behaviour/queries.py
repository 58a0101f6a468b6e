"""Rows in, frozen values out: the tier of a customer with the figures and sentences it rests on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import msgspec

from tieout.stages.behaviour.models import BookShares, Profile


class CustomerTier(msgspec.Struct, frozen=True, kw_only=True):
    """How a customer pays. `tier`: low, medium, high (the risk of waiting long) or unknown; days are after the due date."""

    customer_id: int
    tier: str
    median_days_late: float | None
    share_late: float | None
    paid_invoices: int
    broken_promises: int
    reasons: tuple[str, ...]
    as_of: dt.date


def tiers(customer_ids: Iterable[int]) -> dict[int, CustomerTier]:
    """Tiers by customer; who is not in the answer has no record, which is `unknown`."""
    return {
        p.customer_id: CustomerTier(
            customer_id=p.customer_id, tier=p.tier, median_days_late=p.median_days_late, share_late=p.share_late, paid_invoices=p.paid_invoices,
            broken_promises=p.broken_promises, reasons=tuple(p.reasons), as_of=p.as_of,
        )
        for p in Profile.objects.filter(customer_id__in=set(customer_ids))
    }


class Book(msgspec.Struct, frozen=True):
    """How the whole book pays: shares of invoices paid late, and more than 30 days late."""

    late: float
    over_30: float
    invoices: int
    as_of: dt.date


def book() -> Book | None:
    """The book's shares as last taken; None before the first time."""
    kept = BookShares.objects.first()
    return Book(kept.late, kept.over_30, kept.invoices, kept.as_of) if kept else None
