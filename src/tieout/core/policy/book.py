"""A whole book on one day: every account judged, and customers that share a mailbox written to one after the other."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import msgspec

from tieout.core import days
from tieout.core.party import mailbox_key
from tieout.core.policy import packs
from tieout.core.policy.contact import ContactRules
from tieout.core.policy.evaluate import evaluate
from tieout.core.policy.language import Policy
from tieout.core.policy.situation import Decision, Situation


def plan(policy: Policy, situations: Iterable[Situation], today: dt.date, *, rules: ContactRules | None = None) -> list[Decision]:
    """One decision per situation, in the order given.

    Where several customers share a mailbox, the messages of one day are spread so that the budget of the mailbox is kept: the
    account with the earliest opening goes first, the others get a later `not_before`.
    """
    rules = rules or packs.contact_rules()
    accounts = list(situations)
    decisions = [evaluate(policy, account, today, rules=rules) for account in accounts]
    shared: dict[str, list[int]] = {}
    for i, decision in enumerate(decisions):
        if decision.decision == "send":
            shared.setdefault(mailbox_key(accounts[i].email or ""), []).append(i)
    for places in shared.values():
        if len(places) > 1:
            _spread(policy, accounts, decisions, places, today, rules)
    return decisions


def _spread(policy: Policy, accounts: list[Situation], decisions: list[Decision], places: list[int], today: dt.date, rules: ContactRules) -> None:
    planned: list[dt.date] = []
    for i in sorted(places, key=lambda p: (str(decisions[p].not_before), accounts[p].customer_id)):
        if planned:
            account = accounts[i]
            account = msgspec.structs.replace(account, mailbox_dates=(*account.mailbox_dates, *planned))
            decisions[i] = evaluate(policy, account, today, rules=rules)
        planned.append(_local_day(accounts[i], decisions[i].not_before, today))


def _local_day(account: Situation, moment: dt.datetime | None, today: dt.date) -> dt.date:
    if moment is None:
        return today
    return max(moment.astimezone(days.zone(name)).date() for name in account.zones or ("UTC",))
