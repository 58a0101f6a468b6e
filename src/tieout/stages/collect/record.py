"""Store decisions: one per customer, day and step, however often the day is planned."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import msgspec
from django.db import connection

from tieout.core.policy.situation import Decision
from tieout.stages.base import walls

_json = msgspec.json.Encoder()


class Recorded(msgspec.Struct, frozen=True):
    """A decision that is new today, or that turned from waiting into acting."""

    id: int
    customer_id: int
    outcome: str


def decisions(*, made: Sequence[Decision], day: dt.date, policy_version: int, now: dt.datetime) -> list[Recorded]:
    """Write what is to be done or waits (`none` leaves no row) and return what was not known before.

    What was decided stands: planned again, the day adds nothing. A hold that was lifted during the day turns into its act; and a
    customer for whom something is to be done today is not given a second thing.
    """
    kept = sorted((d for d in made if d.decision != "none"), key=lambda d: int(d.customer_id))
    if not kept:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            _INSERT,
            {
                "org": walls.current(),
                "day": day,
                "now": now,
                "version": policy_version,
                "customers": [int(d.customer_id) for d in kept],
                "steps": [d.step or "" for d in kept],
                "channels": [d.channel or "" for d in kept],
                "tones": [d.tone or "" for d in kept],
                "outcomes": [d.decision for d in kept],
                "reasons": [d.reason for d in kept],
                "documents": [f"[{','.join(d.invoice_ids)}]" for d in kept],
                "amounts": [_json.encode({m.currency: m.minor for m in d.amounts}).decode() for d in kept],
                "not_before": [d.not_before for d in kept],
                "approvals": [d.approval == "required" for d in kept],
                "traces": [_json.encode(d.trace).decode() for d in kept],
            },
        )
        return [Recorded(*row) for row in cursor.fetchall()]


_INSERT = """
INSERT INTO collect_decision AS kept
  (organisation_id, customer_id, day, step, channel, tone, outcome, reason, document_ids, amounts, not_before, approval, trace,
   policy_version, decided_at)
SELECT %(org)s, n.customer_id, %(day)s, n.step, n.channel, n.tone, n.outcome, n.reason, n.document_ids::jsonb, n.amounts::jsonb, n.not_before,
       n.approval, n.trace::jsonb, %(version)s, %(now)s
  FROM unnest(%(customers)s::bigint[], %(steps)s::text[], %(channels)s::text[], %(tones)s::text[], %(outcomes)s::text[], %(reasons)s::text[],
              %(documents)s::text[], %(amounts)s::text[], %(not_before)s::timestamptz[], %(approvals)s::boolean[], %(traces)s::text[])
       AS n (customer_id, step, channel, tone, outcome, reason, document_ids, amounts, not_before, approval, trace)
 WHERE NOT EXISTS (SELECT 1 FROM collect_decision d
                    WHERE d.organisation_id = %(org)s AND d.customer_id = n.customer_id AND d.day = %(day)s AND d.step <> n.step
                      AND d.outcome IN ('send', 'task'))
ON CONFLICT (organisation_id, customer_id, day, step) DO UPDATE
   SET channel = excluded.channel, tone = excluded.tone, outcome = excluded.outcome, reason = excluded.reason,
       document_ids = excluded.document_ids, amounts = excluded.amounts, not_before = excluded.not_before, approval = excluded.approval,
       trace = excluded.trace, policy_version = excluded.policy_version, decided_at = excluded.decided_at
 WHERE kept.outcome = 'hold' AND excluded.outcome <> 'hold'
RETURNING id, customer_id, outcome"""
