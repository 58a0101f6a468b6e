"""Checks on the recipient: the address, who they are, their hours in every zone they may be in, their mailbox's budget."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from tieout.core import days
from tieout.core.gate.dialogue import start_of_day_everywhere
from tieout.core.gate.facts import Facts
from tieout.core.gate.verdict import Check, Rules, passed, refused
from tieout.core.party import AddressRefused, mail_address


def address_is_good(facts: Facts) -> Check:
    """One valid address that has neither bounced nor opted out."""
    point = facts.address
    if point is None or not point.address.strip():
        return refused("address", "there is no address to write to", "a contact is given")
    read = mail_address(point.address)
    if isinstance(read, AddressRefused):
        return refused("address", f"the address cannot be used: {read.reason}", "the contact is corrected")
    if point.bounced is None or point.opted_out is None:
        return refused("address", "it is not known whether the address bounced or opted out", "the contact point is read")
    if point.opted_out:
        return refused("address", "the recipient has opted out of e-mail", "the recipient asks for e-mail again")
    if point.bounced:
        return refused("address", "mail to this address came back", "the contact is corrected")
    return passed("address", "the address is valid, has not bounced and has not opted out")


def debtor_is_business(facts: Facts, rules: Rules) -> Check:
    """Unknown counts as consumer: a person then decides, as a task."""
    rule = rules.rule_ids.get("business_only", "")
    if facts.debtor_type == "business":
        return passed("debtor", "the debtor is a business", rule=rule)
    if not rules.business_only:
        return passed("debtor", "the rules allow every debtor", rule=rule)
    who = "a consumer" if facts.debtor_type == "consumer" else "not known to be a business"
    return refused("debtor", f"the debtor is {who}", "the customer is marked as a business; until then it is a task for a person", rule=rule)


def hours_are_open(facts: Facts, rules: Rules) -> Check:
    """Inside the contact window, and no public holiday, in every zone and country the recipient may be in."""
    rule = rules.rule_ids.get("window", "")
    missing = _unknown_place(facts, rules)
    if missing:
        return refused("hours", missing, "the customer's country and time zone are given", rule=rule)
    for country in _calendars(facts, rules):
        why = days.blocked_because(facts.asked_at, facts.zones, country, rules.window)
        if why:
            opens = next_open_everywhere(facts.asked_at, facts, rules)
            release = f"the window opens {opens:%Y-%m-%d %H:%M} UTC" if opens else "no window opens within a month"
            return refused("hours", why, release, opens, rule=rule)
    return passed("hours", f"inside contact hours in {', '.join(facts.zones)}", rule=rule)


def _unknown_place(facts: Facts, rules: Rules) -> str | None:
    if not facts.zones:
        return "the recipient's time zone is not known"
    if not rules.holidays_off:
        return None
    if not facts.countries:
        return "the recipient's country is not known, so its holidays are not either"
    unknown = [country for country in facts.countries if not days.knows_holidays(country)]
    return f"no holiday calendar is known for {', '.join(unknown)}" if unknown else None


def _calendars(facts: Facts, rules: Rules) -> Sequence[str | None]:
    return facts.countries if rules.holidays_off else (None,)


def next_open_everywhere(moment: dt.datetime, facts: Facts, rules: Rules) -> dt.datetime | None:
    """First moment from `moment` on at which every zone is open and no country has a holiday; None when not within a month."""
    if _unknown_place(facts, rules):
        return None
    found: dt.datetime | None = moment
    for _ in range(32):
        before = found
        for country in _calendars(facts, rules):
            found = days.next_open(found, facts.zones, country, rules.window) if found else None
        if found is None or found == before:
            return found.astimezone(dt.UTC) if found else None
    return None


def within_budget(facts: Facts, rules: Rules) -> Check:
    """At most `max_messages` in the `window_days` local calendar days ending today, per mailbox, over all customers."""
    rule = rules.rule_ids.get("max_messages", "")
    if facts.touches is None:
        return refused("budget", "earlier messages to this mailbox are not known", "the contact log is read", rule=rule)
    if rules.max_messages <= 0:
        return refused("budget", "the rules allow no messages at all", "the rules change", rule=rule)
    # A touch later than now (a clock was wrong) still counts: a bad clock never makes the budget larger.
    latest = sorted((touch.at for touch in facts.touches), reverse=True)[: rules.max_messages]
    free = _free_from(latest[-1], facts, rules) if len(latest) == rules.max_messages else facts.asked_at
    if facts.asked_at < free:
        detail = f"this mailbox had {rules.max_messages} message(s) in {rules.window_days} days, the last on {latest[0]:%Y-%m-%d}"
        return refused("budget", detail, f"the budget is free again on {free:%Y-%m-%d}", free, rule=rule)
    return passed("budget", f"fewer than {rules.max_messages} message(s) in the last {rules.window_days} days", rule=rule)


def _free_from(touched_at: dt.datetime, facts: Facts, rules: Rules) -> dt.datetime:
    local_days = [touched_at.astimezone(days.zone(name)).date() for name in facts.zones] or [touched_at.astimezone(dt.UTC).date()]
    return start_of_day_everywhere(max(local_days) + dt.timedelta(days=rules.window_days), facts)
