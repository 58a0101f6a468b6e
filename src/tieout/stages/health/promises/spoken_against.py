"""Part of P1: no hold, promise, dispute, opt-out, dead address or unsorted reply that covered a message was there before its claim."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import msgspec

from tieout.core import days
from tieout.core.money import minor_text
from tieout.core.policy.packs import contact_rules
from tieout.stages.health import looking
from tieout.stages.health.before import SLACK, Claim, Order
from tieout.stages.health.looking import Breach, Looked
from tieout.stages.outreach import places

#: Rows: message, its claim (moment, places in the trail), zone and country of the customer, the fact in words, when it was
#: recorded and ended, its first day and the first day it no longer holds. What has a hold of its own is that hold, which
#: knows each stretch of its time; a dispute or promise that was reopened does not.
_COVERING = """
WITH m AS MATERIALIZED ({left})
SELECT m.id, m.claimed_at, m.seq, m.settled, c.time_zone, c.country, 'on hold: ' || replace(h.reason, '_', ' '), h.placed_at, h.released_at,
       h.from_date, h.until_date
  FROM m JOIN ledger_customer c ON c.organisation_id = %(org)s AND c.id = m.customer_id
  JOIN dialogue_hold h ON h.organisation_id = %(org)s AND h.customer_id = m.customer_id
 WHERE (h.document_id IS NULL OR m.document_ids @> to_jsonb(h.document_id))
   AND NOT (h.reason = 'dispute' AND h.document_id IS NOT NULL AND h.amount_minor IS NOT NULL)
   AND h.placed_at < m.claimed_at + %(slack)s AND (h.released_at IS NULL OR h.released_at > m.claimed_at - %(slack)s)
UNION ALL
SELECT m.id, m.claimed_at, m.seq, m.settled, c.time_zone, c.country, 'payment was promised for ' || p.promised_date, p.made_at, p.settled_at, NULL,
       p.promised_date + %(grace)s + 1
  FROM m JOIN ledger_customer c ON c.organisation_id = %(org)s AND c.id = m.customer_id
  JOIN dialogue_promise p ON p.organisation_id = %(org)s AND p.customer_id = m.customer_id
 WHERE p.hold_id IS NULL AND (p.document_id IS NULL OR m.document_ids @> to_jsonb(p.document_id))
   AND p.made_at < m.claimed_at + %(slack)s AND (p.settled_at IS NULL OR p.settled_at > m.claimed_at - %(slack)s)
UNION ALL
SELECT m.id, m.claimed_at, m.seq, m.settled, '', '', 'the recipient had opted out', p.opted_out_at, NULL, NULL, NULL
  FROM m JOIN dialogue_contactpoint p ON p.organisation_id = %(org)s AND p.id = m.contact_point_id AND p.opted_out_at < m.claimed_at + %(slack)s
UNION ALL
SELECT m.id, m.claimed_at, m.seq, m.settled, '', '', 'mail to this address had come back', p.bounced_at, NULL, NULL, NULL
  FROM m JOIN dialogue_contactpoint p ON p.organisation_id = %(org)s AND p.id = m.contact_point_id AND p.bounced_at < m.claimed_at + %(slack)s"""

#: Disputed amounts of what a message demands: message, claim, document, currency, free of dispute by its own words, disputed.
_DISPUTED = """
WITH m AS MATERIALIZED ({left}),
disputed AS (
  SELECT document_id, amount_minor, placed_at AS begun_at, released_at AS ended_at FROM dialogue_hold
   WHERE organisation_id = %(org)s AND reason = 'dispute' AND document_id IS NOT NULL AND amount_minor IS NOT NULL
  UNION ALL
  SELECT document_id, amount_minor, opened_at, settled_at FROM dialogue_dispute WHERE organisation_id = %(org)s AND hold_id IS NULL)
SELECT m.id, m.claimed_at, m.seq, m.settled, d.document_id, i ->> 'currency', (i ->> 'open_minor')::bigint - (i ->> 'demanded_minor')::bigint,
       d.amount_minor, d.begun_at, d.ended_at
  FROM m CROSS JOIN LATERAL jsonb_array_elements(m.facts -> 'items') AS i
  JOIN disputed d ON d.document_id = (i ->> 'document_id')::bigint
 WHERE d.begun_at < m.claimed_at + %(slack)s AND (d.ended_at IS NULL OR d.ended_at > m.claimed_at - %(slack)s)"""

#: By the trail alone: what was taken back later (an opt-out restored, a reply sorted to another customer) counted at the time.
_OVER = """
WITH m AS MATERIALIZED ({left}),
out AS (
  SELECT object_id::bigint AS point, action, seq, lead(seq) OVER (PARTITION BY object_id ORDER BY seq) AS next FROM base_auditentry
   WHERE organisation_id = %(org)s AND object_kind = 'contact_point' AND action IN ('contact_point.opt_out', 'contact_point.restore_opt_out')),
unsorted AS (
  SELECT r.contact_point_id AS point, e.seq,
         (SELECT min(n.seq) FROM base_auditentry n WHERE n.organisation_id = %(org)s AND n.object_kind = 'reply' AND n.object_id = e.object_id
             AND n.action IN ('reply.assign', 'reply.close')) AS next
    FROM base_auditentry e JOIN dialogue_reply r ON r.organisation_id = %(org)s AND r.id = e.object_id::bigint
   WHERE e.organisation_id = %(org)s AND e.object_kind = 'reply' AND e.action = 'reply.receive' AND e.detail ->> 'state' = 'open'
     AND e.detail ->> 'customer_id' IS NULL)
SELECT 'message ' || m.id, 'left although the recipient had opted out (entry ' || o.seq || ' of the audit trail)'
  FROM m JOIN out o ON o.point = m.contact_point_id AND o.action = 'contact_point.opt_out' AND o.seq < m.seq AND o.next < m.seq IS NOT TRUE
  JOIN dialogue_contactpoint p ON p.organisation_id = %(org)s AND p.id = o.point AND p.opted_out_at IS NULL
UNION ALL
SELECT 'message ' || m.id, 'left although a reply from this mailbox waited to be sorted (entry ' || u.seq || ' of the audit trail)'
  FROM m JOIN unsorted u ON u.point = m.contact_point_id AND u.seq < m.seq AND u.next < m.seq IS NOT TRUE"""


class _Fact(msgspec.Struct, frozen=True):
    """One thing that spoke against a message."""

    message: int
    claimed_at: dt.datetime
    seq: int | None
    settled: int | None
    zone: str
    country: str
    says: str
    begun_at: dt.datetime
    ended_at: dt.datetime | None
    from_date: dt.date | None
    until_date: dt.date | None


def look(left: str) -> Looked:
    """Everything said or agreed, against the claims of the messages the query `left` finds."""
    facts = [_Fact(*row) for row in _rows(_COVERING, left, grace=contact_rules().promise_grace_days)]
    order = Order(moment for fact in facts for moment in (fact.begun_at, fact.ended_at))
    covering = looking.of(Breach(f"message {f.message}", f"left although {f.says}") for f in facts if _stood(f, order) and _in_force(f))
    return covering.also(looking.of(_contested(left))).also(looking.ask(_OVER.format(left=left)))


def _rows(query: str, left: str, **values: Any) -> list[tuple[Any, ...]]:
    return looking.rows(query.format(left=left), slack=SLACK, **values)


def _stood(fact: _Fact, order: Order) -> bool:
    claim = Claim(fact.claimed_at, fact.seq, fact.settled)
    return order.before(fact.begun_at, claim) and (fact.ended_at is None or order.after(fact.ended_at, claim))


def _in_force(fact: _Fact) -> bool:
    """On the recipient's day then, in any zone they may be in, as the gate asks it."""
    zones = places.zones(fact.zone, fact.country) or ("UTC",)
    local = [fact.claimed_at.astimezone(days.zone(name)).date() for name in zones]
    return (fact.from_date is None or max(local) >= fact.from_date) and (fact.until_date is None or min(local) < fact.until_date)


def _contested(left: str) -> Iterator[Breach]:
    rows = _rows(_DISPUTED, left)
    order = Order(moment for row in rows for moment in row[8:10])
    disputed: dict[tuple[int, int, str, int], int] = defaultdict(int)
    for message, at, seq, settled, document, code, free, minor, begun_at, ended_at in rows:
        claim = Claim(at, seq, settled)
        if order.before(begun_at, claim) and (ended_at is None or order.after(ended_at, claim)):
            disputed[message, document, code, free] += minor
    for (message, document, code, free), minor in disputed.items():
        if minor > free:
            amount = f"{minor_text(minor, code)} {code}"
            yield Breach(f"message {message}", f"demands of document {document} more than is free of dispute: {amount} is disputed")
