"""The first moment a contact may start: local hours in every zone the recipient may be in, holidays off, budget kept."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from functools import lru_cache

from tieout.core import days
from tieout.core.party import mailbox_key
from tieout.core.policy.contact import ContactRules
from tieout.core.policy.situation import Situation

#: Outcomes of a message that was never handed over: it uses no budget. A bounced one was sent and counts.
UNSENT = frozenset({"cancelled", "refused", "suppressed"})


@lru_cache(maxsize=8192)
def _opening(day: dt.date, zones: tuple[str, ...], country: str | None, window: days.Window) -> dt.datetime | None:
    midnights = [dt.datetime.combine(day, dt.time(), days.zone(name)).astimezone(dt.UTC) for name in zones]
    return days.next_open(max(midnights), zones, country, window)


def budget_day(written: Iterable[dt.date], today: dt.date, rules: ContactRules) -> dt.date:
    """First day from `today` on which the mailbox may be written to, given the local days it was (or will be) written to.

    Two messages share a window when fewer than `window_days` local days lie between them, whichever comes first.
    """
    days_written = list(written)
    day = today
    while sum(abs((day - other).days) < rules.window_days for other in days_written) >= rules.max_messages:
        day += dt.timedelta(days=1)
    return day


def written_days(situation: Situation, today: dt.date) -> list[dt.date]:
    """Days on which the customer's mailbox was written to: its own messages up to today, and those over other customers
    (planned ones included)."""
    if not situation.touches and not situation.mailbox_dates:
        return []
    mailbox = mailbox_key(situation.email or "")
    own = [
        t.date
        for t in situation.touches
        if t.date <= today
        and t.channel == "email"
        and t.outcome not in UNSENT
        and (not t.address or not mailbox or mailbox_key(t.address) == mailbox)
    ]
    return own + [d for d in situation.mailbox_dates if d not in own]


def first_moment(situation: Situation, today: dt.date, rules: ContactRules, *, message: bool) -> dt.datetime | None:
    """First moment from the start of `today` on, as UTC; None where the zones never open together within a month.

    Zones not known are counted as UTC here; the gate asks again, and there an unknown zone counts against sending.
    """
    day = budget_day(written_days(situation, today), today, rules) if message else today
    return _opening(day, situation.zones or ("UTC",), situation.country if rules.holidays_off else None, rules.window)
