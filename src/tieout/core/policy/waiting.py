"""What keeps a document from being demanded today, and how much of it may be."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import msgspec

from tieout.core.policy.language import Policy
from tieout.core.policy.situation import HOLD_REASONS, Hold, Item, Situation

_WEIGHT = {reason: i for i, reason in enumerate(HOLD_REASONS)}

_WORDS = {
    "legal": "a legal matter is with a person",
    "insolvency": "insolvency proceedings stop every demand",
    "opt_out": "the contact has opted out",
    "dispute": "the whole amount is disputed",
    "promise": "a promise to pay is open",
    "plan": "a payment plan is running",
    "reply_open": "a reply waits to be answered",
    "in_transit": "money that could settle it has been seen and is not applied yet",
    "manual": "a person put it on hold",
    "stale": "its source has not been heard of in time",
    "not_released": "its history has not been released by a person",
}


class Free(msgspec.Struct, frozen=True, gc=False):
    """How a document stands today: the undisputed minor units that may be demanded, or the reason it waits."""

    minor: int
    reason: str | None = None
    sentence: str = ""


def active(hold: Hold, today: dt.date, grace_days: int) -> bool:
    """Whether the hold binds today. A promise binds through its day and the grace after it; others end before `until_date`."""
    if hold.from_date is not None and today < hold.from_date:
        return False
    if hold.until_date is None:
        return True
    if hold.reason == "promise":
        return today <= hold.until_date + dt.timedelta(days=grace_days)
    return today < hold.until_date


def _partial(hold: Hold) -> bool:
    """A dispute of an amount of one document leaves the rest to be demanded; without either there is no telling the rest."""
    return hold.reason == "dispute" and hold.invoice_id is not None and hold.amount_minor is not None


def plain(policy: Policy, situation: Situation, holds: Sequence[Hold]) -> bool:
    """Whether nothing about the account keeps a document waiting: what is undisputed and not on the way is free."""
    return not holds and not policy.by_hand and situation.released


def standing(policy: Policy, item: Item, situation: Situation, today: dt.date, holds: Sequence[Hold]) -> Free:
    """How `item` (open, partly undisputed at least) stands, given the holds active today."""
    if plain(policy, situation, holds) and item.on_the_way_minor <= 0 and item.contested_minor <= 0 < item.open_minor:
        return Free(item.open_minor)  # nearly every document, in one look
    reasons: list[str] = []
    disputed = 0
    for hold in holds:
        if hold.invoice_id is not None and hold.invoice_id != item.invoice_id:
            continue
        if _partial(hold):
            disputed += hold.amount_minor or 0
        else:
            reasons.append(hold.reason)
    # The ledger's contested amount and the holds tell of the same disputes: the larger counts, not both.
    minor = item.open_minor - max(item.contested_minor, disputed, 0)
    if minor <= 0:
        reasons.append("dispute")
    if item.on_the_way_minor > 0:
        reasons.append("in_transit")
    if not situation.released:
        reasons.append("not_released")
    if reasons:
        reason = min(reasons, key=_WEIGHT.__getitem__)
        return Free(max(minor, 0), reason, _WORDS[reason])
    for rule in policy.by_hand:
        if all(clause.holds(item, situation, today) for clause in rule.when):
            return Free(minor, "manual", rule.because)
    return Free(minor)


def weight(reason: str) -> int:
    """Rank of a hold reason, 0 the weightiest."""
    return _WEIGHT[reason]
