"""Contact rules: who may be written to, when and how often, as dated data with the ids of the rules behind each number.

The rules are read from a pack (`packs/contact.yaml`), never written into code; a verdict stores `version`, `as_of`
and the ids, so that a message can be judged again later by the rules of its day (promise P9).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import msgspec

from tieout.core.days import Window

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class ContactPackError(ValueError):
    """The contact pack cannot be used; the message names the rule and the parameter."""


class ContactRules(msgspec.Struct, frozen=True, kw_only=True):
    """What the gate and the planner ask of every demand.

    window: local opening hours in the recipient's zone; holidays_off: public holidays count as closed;
    max_messages within window_days local calendar days (the day of sending included) for one mailbox over all customers;
    business_only: a debtor not known to be a business becomes a task for a person; promise_grace_days: days a promise may
    be overdue before it stops holding; rule_ids: id of the rule behind each of these, by field name.
    """

    version: int
    as_of: dt.date
    window: Window
    holidays_off: bool
    max_messages: int
    window_days: int
    business_only: bool
    promise_grace_days: int
    rule_ids: Mapping[str, str]


def _clock(text: str) -> dt.time:
    hours, _, minutes = text.partition(":")
    return dt.time(int(hours), int(minutes or 0))


def _window(rule: Mapping[str, Any]) -> Window:
    weekly: Mapping[str, list[str]] = rule["weekly"]
    hours = {tuple(span) for span in weekly.values()}
    if len(hours) != 1 or not set(weekly) <= set(WEEKDAYS):
        raise ContactPackError(f"{rule['id']}: weekly needs the same hours on each of its days, and days out of {', '.join(WEEKDAYS)}")
    opens, closes = (_clock(text) for text in hours.pop())
    return Window(opens=opens, closes=closes, weekdays=frozenset(WEEKDAYS.index(day) for day in weekly))


def read_rules(pack: Mapping[str, Any]) -> ContactRules:
    """The rules of one parsed pack. Raises ContactPackError where a rule or a parameter is missing."""
    by_type = {rule["rule_type"]: rule for rule in pack["rules"]}
    try:
        hours, cap = by_type["contact_hours"], by_type["frequency_cap"]
        who, promise = by_type["recipient_restriction"], by_type["hold"]
        return ContactRules(
            version=pack["version"],
            as_of=pack["as_of"],
            window=_window(hours),
            holidays_off=hours["public_holidays"] == "block",
            max_messages=cap["max"],
            window_days=cap["window_days"],
            business_only=who["debtor_type"] == "business",
            promise_grace_days=promise["grace_days"],
            rule_ids={
                "window": hours["id"],
                "holidays_off": hours["id"],
                "max_messages": cap["id"],
                "window_days": cap["id"],
                "business_only": who["id"],
                "promise_grace_days": promise["id"],
            },
        )
    except KeyError as missing:
        raise ContactPackError(f"the contact pack lacks {missing}") from None
