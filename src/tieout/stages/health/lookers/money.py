"""Money that nobody has matched for a week: it holds reminders to whoever may have paid, and hides what is really owed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from tieout.core.money import minor_text
from tieout.stages.health import looking
from tieout.stages.health.sight import Given, Sight

KINDS = {"unmatched": "Money unmatched for a week"}
DAYS = 7

#: What a person has put on a customer's account, with no proposal waiting, is no question any more.
_UNMATCHED = """
SELECT p.currency, count(*), sum(p.unapplied_minor), min(coalesce(p.date, (p.created_at AT TIME ZONE 'UTC')::date))
  FROM ledger_payment p
 WHERE p.organisation_id = %(org)s AND p.unapplied_minor > 0 AND coalesce(p.date, (p.created_at AT TIME ZONE 'UTC')::date) <= %(before)s
   AND NOT (p.customer_id IS NOT NULL AND p.customer_rank = 3
            AND NOT EXISTS (SELECT 1 FROM cash_proposal q WHERE q.organisation_id = %(org)s AND q.payment_id = p.id AND q.state = 'open'))
 GROUP BY 1 ORDER BY 3 DESC"""


def look(*, given: Given) -> Iterator[Sight]:
    """One for all of it."""
    found = looking.rows(_UNMATCHED, before=given.today - dt.timedelta(days=DAYS))
    if not found:
        return
    count = sum(row[1] for row in found)
    sums = " and ".join(f"{minor_text(int(minor), currency)} {currency}" for currency, _, minor, _ in found)
    oldest = min(row[3] for row in found)
    yield Sight(
        kind="unmatched", key="unmatched", severity="soon", what="money",
        subject=f"{count} payment{'' if count == 1 else 's'} unmatched for more than {DAYS} days",
        says=f"{sums} not applied to anything; the oldest is of {oldest.isoformat()}",
        mend="apply each, or put it on its customer's account; until then nobody who may have paid is chased", page="cash", count=count,
    )  # fmt: skip
