"""What other systems were to hear: refused there, of unknown outcome, or not told for a day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from tieout.stages.health import looking
from tieout.stages.health.sight import Given, Sight

KINDS = {
    "write_failed": "A system refused what we wrote",
    "write_unknown": "Nobody knows whether a system took what we wrote",
    "write_waiting": "A system has not been told for a day",
}
_LATE = dt.timedelta(days=1)

_STUCK = """
SELECT c.id, c.name, s.kind, count(*), (array_agg(o.kind ORDER BY o.id))[1], (array_agg(o.receipt ORDER BY o.id))[1],
       (array_agg(coalesce(o.body ->> 'label', '') ORDER BY o.id))[1]
  FROM writeback_outgoing o JOIN intake_connection c ON c.organisation_id = o.organisation_id AND c.id = o.connection_id AND c.paused_at IS NULL
  CROSS JOIN LATERAL (SELECT CASE WHEN o.state = 'failed' THEN 'write_failed' WHEN o.state = 'unknown' THEN 'write_unknown'
                                  WHEN o.state = 'waiting' AND o.written_at < %(late)s AND c.stage = 'live' AND c.needs_person = ''
                                  THEN 'write_waiting' END AS kind) s
 WHERE o.organisation_id = %(org)s AND o.state IN ('failed', 'unknown', 'waiting') AND s.kind IS NOT NULL GROUP BY 1, 2, 3 ORDER BY c.name, s.kind"""

_WORDS = {
    "write_failed": (
        "urgent", "{name} refused {many}", "mend what it complains of there or here; then it is for a person to say that it be told again",
    ),
    "write_unknown": (
        "urgent", "Nobody knows whether {name} took {many}",
        "look in {name} whether it is there; it is looked up by itself as well, and never written a second time blindly",
    ),
    "write_waiting": (
        "soon", "{name} has not been told {many} for a day", "see what it waits for: most often a customer or an invoice that is not there yet",
    ),
}  # fmt: skip


def look(*, given: Given) -> Iterator[Sight]:
    """One for each connection and way of being stuck."""
    for pk, name, kind, count, act, receipt, label in looking.rows(_STUCK, late=given.now - _LATE):
        severity, subject, mend = _WORDS[kind]
        many = f"{count} thing{'' if count == 1 else 's'}"
        first = f"The first: {act.replace('_', ' ')}{f' {label}' if label else ''}"
        yield Sight(
            kind=kind, key=f"{kind}:{pk}", severity=severity, what="outbox", subject=subject.format(name=name, many=many),  # type: ignore[arg-type]
            says=f"{first}. {receipt or 'It has not been tried yet'}", mend=mend.format(name=name), page="connection", page_key=pk, connection_id=pk,
            count=count,
        )  # fmt: skip
