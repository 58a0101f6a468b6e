"""P6 People outrank machines: a person's match, hold, correction is never overwritten by automation."""

from __future__ import annotations

from collections.abc import Iterator

from tieout.core import party
from tieout.stages.health import looking
from tieout.stages.health.looking import Breach, Given, Looked

CODE, TITLE, OF = "P6", "People outrank machines", "corrections, holds and allocations"
SENTENCE = "A person's match, merge, hold, edit is never overwritten by automation; every automatic act has its reason beside it and an undo."

_CORRECTIONS = """
SELECT k.id, k.kind, k.target_id, k.field, k.by, k.value #>> '{{}}' AS said, to_jsonb(d) ->> k.field AS stands
  FROM ledger_correction k JOIN ledger_{table} d ON d.organisation_id = k.organisation_id AND d.id = k.target_id
 WHERE k.organisation_id = %(org)s AND k.retracted_at IS NULL AND k.kind = ANY(%(kinds)s::text[])
   AND coalesce(k.value #>> '{{}}', '') <> coalesce(to_jsonb(d) ->> k.field, '')
 ORDER BY k.id"""

#: Sources and machines (rank below 3) may not put together what a person took apart.
_AGAIN = """
SELECT 'allocation ' || again.id, again.actor_name || ' applied payment ' || again.payment_id || ' to document ' || again.document_id
       || ' again, which ' || coalesce(undone.evidence -> 'undone' ->> 'by', 'a person') || ' had undone'
  FROM ledger_allocation undone
  JOIN ledger_allocation again ON again.organisation_id = undone.organisation_id AND again.payment_id = undone.payment_id
       AND again.document_id = undone.document_id AND again.id <> undone.id AND again.recorded_at > undone.retracted_at
 WHERE undone.organisation_id = %(org)s AND undone.retracted_at IS NOT NULL AND (undone.evidence -> 'undone' ->> 'rank')::int >= 3
   AND again.rank < 3"""

#: A source may report that money came back; a machine may not take back what a person applied.
_TAKEN_BACK = """
SELECT 'allocation ' || id, 'was made by ' || actor_name || ' and taken back by ' || coalesce(evidence -> 'undone' ->> 'by', 'nobody knows whom')
  FROM ledger_allocation
 WHERE organisation_id = %(org)s AND rank >= 3 AND retracted_at IS NOT NULL AND coalesce((evidence -> 'undone' ->> 'rank')::int, 1) < 2"""

#: The hold of a dispute, a promise or a reply ends with it; every other one a person placed, a person releases.
_HOLDS = """
WITH released AS MATERIALIZED (
  SELECT object_id, bool_or(actor_kind = 'person') AS by_person FROM base_auditentry
   WHERE organisation_id = %(org)s AND object_kind = 'hold' AND action = 'hold.release' GROUP BY 1)
SELECT 'hold ' || h.id, 'was placed by ' || h.placed_by || ' and released by ' || coalesce(nullif(h.released_by, ''), 'nobody') || ', no person'
  FROM dialogue_hold h LEFT JOIN released r ON r.object_id = h.id::text
 WHERE h.organisation_id = %(org)s AND h.rank >= 3 AND h.released_at IS NOT NULL AND NOT coalesce(r.by_person, false)
   AND (r.object_id IS NOT NULL OR h.reason NOT IN ('dispute', 'promise', 'reply_open'))"""

#: A contact a person removed does not come back because a source repeats it.
_CONTACTS = """
SELECT 'contact ' || back.id, 'came back from a source after a person had removed ' || back.email
  FROM ledger_contact gone
  JOIN ledger_contact back ON back.organisation_id = gone.organisation_id AND back.customer_id = gone.customer_id
       AND lower(back.email) = lower(gone.email) AND back.id <> gone.id AND back.recorded_at > gone.retracted_at
 WHERE gone.organisation_id = %(org)s AND gone.rank >= 3 AND gone.retracted_at IS NOT NULL AND gone.email <> '' AND back.rank < 3"""

_REASONS = """
SELECT 'allocation ' || id, 'was made by ' || actor_kind || ' without a reason' FROM ledger_allocation
 WHERE organisation_id = %(org)s AND rank < 3 AND (rule = '' OR reason = '')
UNION ALL
SELECT 'decision ' || id, 'says to ' || outcome || ' without a reason or a trace' FROM collect_decision
 WHERE organisation_id = %(org)s AND outcome <> 'none' AND (reason = '' OR jsonb_array_length(trace) = 0)"""

_CHECKED = """
SELECT (SELECT count(*) FROM ledger_correction WHERE organisation_id = %(org)s AND retracted_at IS NULL)
     + (SELECT count(*) FROM dialogue_hold WHERE organisation_id = %(org)s)
     + (SELECT count(*) FROM ledger_allocation WHERE organisation_id = %(org)s)"""


def look(given: Given) -> Looked:  # noqa: ARG001 - every promise is looked at the same way
    """What people said, took apart and held, against what stands now and who changed it since."""
    asked = looking.ask(_AGAIN, _TAKEN_BACK, _HOLDS, _CONTACTS, _REASONS)
    return Looked(checked=looking.count(_CHECKED)).also(looking.of(_corrections())).also(asked)


def _corrections() -> Iterator[Breach]:
    for table, kinds in (("document", ["invoice", "credit_note"]), ("customer", ["customer"])):
        for _, kind, target, field, by, said, stands in looking.rows(_CORRECTIONS.format(table=table), kinds=kinds):
            # A name is tidied as it is taken; nothing else may differ.
            if field == "name" and party.tidy(said or "")[:300] == stands:
                continue
            yield Breach(f"{kind.replace('_', ' ')} {target}", f"{by} set {field.replace('_', ' ')} to {said!r}, and {stands!r} stands there")
