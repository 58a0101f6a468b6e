"""P9 Law as data: every message that left is put before the contact rules once more, and one mailbox has one budget.

The rules are read here as plain sentences about local days and hours, not through the gate that let the messages leave.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import msgspec

from tieout.core import days
from tieout.core.policy.contact import ContactRules
from tieout.core.policy.packs import contact_rules
from tieout.stages.health import looking
from tieout.stages.health.looking import Breach, Given, Looked
from tieout.stages.outreach import places

CODE, TITLE, OF = "P9", "Law as data", "messages"
SENTENCE = "Replaying the contact log by the rules of its day gives no breach; a mailbox has one budget across invoices, customers and channels."

_LEFT = """
SELECT m.id, m.claimed_at, m.contact_point_id, c.debtor_type, c.time_zone, c.country, c.recorded_at, p.rules_version,
       coalesce(jsonb_path_query_first(p.checks, '$[*] ? (@.code == "hours")') ->> 'detail', '')
  FROM outreach_message m
  JOIN ledger_customer c ON c.organisation_id = m.organisation_id AND c.id = m.customer_id
  LEFT JOIN outreach_certificate p ON p.organisation_id = m.organisation_id AND p.message_id = m.id AND p.claim = m.claims
 WHERE m.organisation_id = %(org)s AND m.state IN ('sending', 'sent', 'unknown', 'bounced') AND m.claimed_at IS NOT NULL
 ORDER BY m.claimed_at, m.id"""

#: Mails people wrote by other ways count against the budget of what comes after them.
_BY_HAND = """
SELECT contact_point_id, at FROM dialogue_touch
 WHERE organisation_id = %(org)s AND direction = 'out' AND message_id IS NULL AND channel = 'email' AND contact_point_id IS NOT NULL
   AND outcome NOT IN ('cancelled', 'refused', 'suppressed', 'failed')"""

#: The log itself must agree with the messages: every message that left is in it, on the day it left.
_LOGGED = """
SELECT 'message ' || m.id, 'left and stands in no contact log' FROM outreach_message m
 WHERE m.organisation_id = %(org)s AND m.state IN ('sent', 'unknown', 'bounced')
   AND NOT EXISTS (SELECT 1 FROM dialogue_touch t WHERE t.organisation_id = m.organisation_id AND t.message_id = m.id AND t.direction = 'out')"""

_ZONE = re.compile(r"[A-Za-z_]+(?:/[A-Za-z_+\-0-9]+)+|UTC")


class _Sent(msgspec.Struct, frozen=True, gc=False):
    """One message that left: when, to whom, and where they were then."""

    pk: int
    at: dt.datetime
    point: int
    zones: tuple[str, ...]
    countries: tuple[str, ...]
    business: bool


def look(given: Given) -> Looked:  # noqa: ARG001 - every promise is looked at the same way
    """Hours, weekdays, holidays, kind of debtor, and the budget of each mailbox."""
    rules = contact_rules()
    ours = f"{rules.version} of {rules.as_of.isoformat()}"
    sent, other = [], 0
    for row in looking.rows(_LEFT):
        if row[7] in (None, ours):
            sent.append(_read(row))
        else:
            other += 1
    notes = (f"{other:,} messages left under an earlier version of the rules and were not replayed",) if other else ()
    logged = looking.ask(_LOGGED)
    return looking.of([*_hours(sent, rules), *_budgets(sent, rules)], checked=len(sent), notes=notes).also(logged)


def _read(row: tuple[Any, ...]) -> _Sent:
    pk, at, point, debtor_type, zone, country, recorded_at, _, detail = row
    if recorded_at <= at:
        return _Sent(pk, at, point, places.zones(zone, country), places.countries(country, zone), debtor_type == "business")
    # The customer has changed since: where they were then, the certificate says; what it does not say cannot be held against it.
    named = tuple(name for name in _ZONE.findall(detail) if _is_zone(name))
    return _Sent(pk, at, point, named or places.zones(zone, country), (), True)


def _is_zone(name: str) -> bool:
    try:
        days.zone(name)
    except ValueError:
        return False
    return True


def _hours(sent: list[_Sent], rules: ContactRules) -> Iterator[Breach]:
    for one in sent:
        why = days.blocked_because(one.at, one.zones, None, rules.window)
        if why is None and rules.holidays_off:
            off = ((day, code) for code in one.countries for day in _local_days(one) if days.is_holiday(day, code))
            why = next((f"{day} was a public holiday in {code}" for day, code in off), None)
        if why is None and rules.business_only and not one.business:
            why = "the debtor was not known to be a business"
        if why:
            yield Breach(f"message {one.pk}", f"left {one.at:%Y-%m-%d %H:%M} UTC: {why}")


def _local_days(one: _Sent) -> list[dt.date]:
    return [one.at.astimezone(days.zone(name)).date() for name in one.zones] or [one.at.astimezone(dt.UTC).date()]


def _budgets(sent: list[_Sent], rules: ContactRules) -> Iterator[Breach]:
    by_hand: dict[int, list[dt.datetime]] = defaultdict(list)
    for point, at in looking.rows(_BY_HAND):
        by_hand[point].append(at)
    by_point: dict[int, list[_Sent]] = defaultdict(list)
    for one in sent:
        by_point[one.point].append(one)
    for point, messages in by_point.items():
        before: list[dt.datetime] = []
        for one in messages:
            # Only what came before a message counts: a person may write after it.
            near = [*before, *(at for at in by_hand.get(point, ()) if at < one.at)]
            count = sum(_counts(at, one, rules.window_days) for at in near)
            if count >= rules.max_messages:
                yield Breach(f"message {one.pk}", f"left as number {count + 1} within {rules.window_days} local days to the same mailbox")
            before.append(one.at)


def _counts(at: dt.datetime, one: _Sent, window: int) -> bool:
    """Whether a contact at `at` falls in the window of local days that ends with this message's, in any zone the recipient may be in."""
    if one.at - at > dt.timedelta(days=window + 2):
        return False
    zones = [days.zone(name) for name in one.zones or ("UTC",)]
    return any(days.within_last_days(at.astimezone(zone).date(), one.at.astimezone(zone).date(), window) for zone in zones)
