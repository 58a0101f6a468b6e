"""Checks on what was said and agreed: open replies, promises with their grace, holds of every kind."""

from __future__ import annotations

import datetime as dt

from tieout.core import days
from tieout.core.gate.facts import Facts, Hold, Promise
from tieout.core.gate.verdict import Check, Rules, passed, refused


def no_open_reply(facts: Facts) -> Check:
    """A human reply holds the customer until somebody closes it."""
    if facts.open_replies is None:
        return refused("reply", "it is not known whether a reply is waiting", "the mailbox is read")
    if facts.open_replies:
        oldest = min(facts.open_replies, key=lambda reply: (reply.received_at, reply.reply_id))
        return refused("reply", f"{len(facts.open_replies)} reply waiting, the oldest of {oldest.received_at:%Y-%m-%d}", "the reply is closed")
    return passed("reply", "no reply is waiting")


def no_open_promise(facts: Facts, rules: Rules) -> Check:
    """A promise on one of the items, or on the account, holds until its grace has run out in every candidate zone."""
    rule = rules.rule_ids.get("promise_grace_days", "")
    if facts.promises is None:
        return refused("promise", "it is not known whether a payment was promised", "promises are read", rule=rule)
    today, grace = min(facts.local_dates()), dt.timedelta(days=rules.promise_grace_days)
    live = [promise for promise in facts.promises if _touches_items(promise, facts) and today <= promise.promised_date + grace]
    if not live:
        return passed("promise", "no promise is running", rule=rule)
    last = max(live, key=lambda promise: (promise.promised_date, promise.promise_id))
    return refused(
        "promise",
        f"payment is promised for {last.promised_date}, with {rules.promise_grace_days} days of grace",
        "the money arrives, or the promise is broken",
        start_of_day_everywhere(last.promised_date + grace + dt.timedelta(days=1), facts),
        rule=rule,
    )


def _touches_items(promise: Promise, facts: Facts) -> bool:
    return not promise.document_ids or any(item.document_id in promise.document_ids for item in facts.items)


def no_hold(facts: Facts) -> Check:
    """No hold on the account or on one of the items."""
    if facts.holds is None:
        return refused("hold", "it is not known whether the account is on hold", "holds are read")
    live = [hold for hold in facts.holds if _in_force(hold, facts)]
    if not live:
        return passed("hold", "no hold is in force")
    named = "; ".join(f"{hold.kind.replace('_', ' ')}{f' ({hold.note})' if hold.note else ''}" for hold in live)
    ends = [hold.until_date for hold in live]
    known = [end for end in ends if end is not None]
    until = start_of_day_everywhere(max(known), facts) if len(known) == len(ends) else None
    return refused("hold", f"on hold: {named}", f"the hold ends on {max(known)}" if until else "the hold is released", until)


def _in_force(hold: Hold, facts: Facts) -> bool:
    if hold.document_id is not None and all(item.document_id != hold.document_id for item in facts.items):
        return False
    local = facts.local_dates()
    begun = hold.from_date is None or max(local) >= hold.from_date
    return begun and (hold.until_date is None or min(local) < hold.until_date)


def start_of_day_everywhere(day: dt.date, facts: Facts) -> dt.datetime:
    """The first moment at which it is `day` in every candidate zone."""
    starts = [dt.datetime.combine(day, dt.time(0), days.zone(name)) for name in facts.zones] or [dt.datetime.combine(day, dt.time(0), dt.UTC)]
    return max(start.astimezone(dt.UTC) for start in starts)
