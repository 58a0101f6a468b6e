"""What happened with a customer, whole: what was said and paid (`dialogue.timeline`), what was decided, drafted and sent."""

from __future__ import annotations

from django.db import connection

from tieout.stages.base import walls
from tieout.stages.dialogue import queries as dialogue
from tieout.stages.dialogue.queries import Event

# A message that left is in the timeline as a touch; here stand those that wait, were held, came back or whose outcome nobody knows.
_MOVES = """
SELECT decided_at, 'decision', id, outcome, reason, step, day FROM collect_decision
 WHERE organisation_id = %(o)s AND customer_id = %(c)s AND outcome <> 'none'
UNION ALL
SELECT coalesce(bounced_at, sent_at, claimed_at, approved_at, drafted_at), 'message', id, state, subject, to_address, NULL FROM outreach_message
 WHERE organisation_id = %(o)s AND customer_id = %(c)s AND state <> 'sent'
 ORDER BY 1 DESC, 3 DESC LIMIT %(limit)s"""


def of(*, customer_id: int, limit: int = 40) -> list[Event]:
    """The newest `limit` events, newest first. `kind` also `decision` (word: outcome) and `message` (word: state, by: address)."""
    with connection.cursor() as cursor:
        cursor.execute(_MOVES, {"o": walls.current(), "c": customer_id, "limit": limit})
        moves = [
            Event(
                at=at, kind=kind, object_id=number, word=word, text=text, by=by, document_id=None, document_number="", amount_minor=None, currency="",
                date=day,
            )
            for at, kind, number, word, text, by, day in cursor.fetchall()
        ]
    said = [event for event in dialogue.timeline(customer_id, 2 * limit) if not _told_by_another(event)]
    return sorted([*moves, *said], key=lambda event: event.at, reverse=True)[:limit]


def _told_by_another(event: Event) -> bool:
    """The hold of a dispute, a promise or a reply comes and goes with it, and is told by it."""
    return event.kind in ("hold", "release") and event.word in ("dispute", "promise", "reply_open")
