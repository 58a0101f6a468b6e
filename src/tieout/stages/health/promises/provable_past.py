"""P10 Provable past: every change has actor, time, reason and its place in a hash chain with outside anchors."""

from __future__ import annotations

from collections.abc import Iterator

from tieout.stages.base import audit
from tieout.stages.base.models import AuditEntry
from tieout.stages.health import looking
from tieout.stages.health.looking import Breach, Given, Looked

CODE, TITLE, OF = "P10", "Provable past", "entries"
SENTENCE = "Every change has actor, time, reason and its place in a hash chain with outside anchors."

_NOBODY = """
SELECT 'entry ' || seq, 'names nobody who acted' FROM base_auditentry
 WHERE organisation_id = %(org)s AND (actor_name = '' OR actor_kind NOT IN ('person', 'source', 'machine'))"""

#: An act on many allocations is one entry with a digest over them, in the order of their ids (`cash.entry.digest`).
_BATCHES = """
WITH batch AS MATERIALIZED (
  SELECT seq, at, action, (detail ->> 'first')::bigint AS first, (detail ->> 'last')::bigint AS last, (detail ->> 'count')::bigint AS count,
         detail ->> 'sha256' AS sha256
    FROM base_auditentry WHERE organisation_id = %(org)s AND object_kind = 'allocations' AND detail ? 'sha256'),
part AS (
  SELECT b.seq, a.id FROM batch b JOIN ledger_allocation a
         ON a.organisation_id = %(org)s AND a.recorded_at = b.at AND a.id BETWEEN b.first AND b.last WHERE b.action <> 'cash.undo'
  UNION ALL
  SELECT b.seq, a.id FROM batch b JOIN ledger_allocation a
         ON a.organisation_id = %(org)s AND a.retracted_at = b.at AND a.id BETWEEN b.first AND b.last WHERE b.action = 'cash.undo'),
line AS (
  SELECT p.seq, a.id, concat_ws(' ', a.id, coalesce(a.payment_id, 0), coalesce(a.credit_note_id, 0), a.document_id, a.amount_minor, a.currency)
         || chr(10) AS text
    FROM part p JOIN ledger_allocation a ON a.organisation_id = %(org)s AND a.id = p.id),
found AS (SELECT seq, count(*) AS count, encode(sha256(convert_to(string_agg(text, '' ORDER BY id), 'UTF8')), 'hex') AS sha256 FROM line GROUP BY seq)
SELECT 'entry ' || b.seq, 'tells of ' || b.count || ' allocations that are not the ' || coalesce(f.count, 0) || ' in the ledger: one was changed'
  FROM batch b LEFT JOIN found f USING (seq)
 WHERE (f.count, f.sha256) IS DISTINCT FROM (b.count, b.sha256)"""

#: Every allocation, whoever made it, has its place in the trail: by itself, or within the act it was part of.
_UNTOLD = """
SELECT 'allocation ' || a.id, 'was made ' || to_char(a.recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') || ' UTC and stands in no entry'
  FROM ledger_allocation a
  LEFT JOIN (SELECT DISTINCT object_id FROM base_auditentry WHERE organisation_id = %(org)s AND object_kind = 'allocation') e
    ON e.object_id = a.id::text
  LEFT JOIN (SELECT at, min((detail ->> 'first')::bigint) AS first, max((detail ->> 'last')::bigint) AS last FROM base_auditentry
              WHERE organisation_id = %(org)s AND object_kind = 'allocations' AND action <> 'cash.undo' GROUP BY at) b
    ON b.at = a.recorded_at AND a.id BETWEEN b.first AND b.last
 WHERE a.organisation_id = %(org)s AND e.object_id IS NULL AND b.at IS NULL"""

#: What was claimed for sending, held, promised, disputed and corrected likewise.
_ACTS = """
SELECT w.kind || ' ' || w.id, 'stands in no entry' FROM (
  SELECT 'message' AS kind, id FROM outreach_message WHERE organisation_id = %(org)s AND claims > 0
  UNION ALL SELECT 'dispute', id FROM dialogue_dispute WHERE organisation_id = %(org)s
  UNION ALL SELECT 'promise', id FROM dialogue_promise WHERE organisation_id = %(org)s
  UNION ALL SELECT 'reply', id FROM dialogue_reply WHERE organisation_id = %(org)s) w
  LEFT JOIN (SELECT DISTINCT object_kind, object_id FROM base_auditentry
              WHERE organisation_id = %(org)s AND object_kind IN ('message', 'dispute', 'promise', 'reply')) e
    ON e.object_kind = w.kind AND e.object_id = w.id::text
 WHERE e.object_id IS NULL"""


def look(given: Given) -> Looked:
    """The chain from its first entry, the anchors kept outside, and whether what stands in the ledger stands in the trail."""
    entries = looking.count("SELECT count(*) FROM base_auditentry WHERE organisation_id = %(org)s")
    chain = looking.of((Breach(f"entry {seq}", says) for seq, says in audit.breaks()), checked=entries)
    asked = looking.ask(_NOBODY, _BATCHES, _UNTOLD, _ACTS)
    notes = () if given.anchors else ("no anchor outside the database yet: against its owner the chain proves nothing",)
    return chain.also(looking.of(_anchors(given), notes=notes)).also(asked)


def _anchors(given: Given) -> Iterator[Breach]:
    anchors = given.anchors or []
    kept = {seq: bytes(found).hex() for seq, found in AuditEntry.objects.filter(seq__in=[a["seq"] for a in anchors]).values_list("seq", "hash")}
    for anchor in anchors:
        if anchor["seq"] and kept.get(anchor["seq"]) != anchor["hash"]:
            says = "is not the one anchored outside: the past was rewritten" if anchor["seq"] in kept else "was anchored outside and is gone"
            yield Breach(f"entry {anchor['seq']}", says)
