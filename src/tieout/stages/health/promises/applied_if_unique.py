"""P7 Applied only if unique: what a machine applied names its document, rests on stored evidence, and had no rival when it was applied."""

from __future__ import annotations

from collections.abc import Iterator

from tieout.core.matching import numbers
from tieout.stages.health import looking
from tieout.stages.health.looking import Breach, Given, Looked

CODE, TITLE, OF = "P7", "Applied only if unique", "automatic allocations"
SENTENCE = "Cash is applied by machine only if the best explanation is provably better than any other; else it is proposed, with its rivals."

#: The class of evidence a machine may act on: the payment names its documents, the amounts agree, no other reading exists.
SURE = 95

_EVIDENCE = """
SELECT 'allocation ' || id, 'was applied by machine ' || CASE
         WHEN rule <> 'named' THEN 'by the rule ' || rule || ', which only proposes'
         WHEN NOT evidence ? 'confidence' THEN 'and stores no evidence'
         ELSE 'at a confidence of ' || (evidence ->> 'confidence') END
  FROM ledger_allocation
 WHERE organisation_id = %(org)s AND rank = 1 AND (rule <> 'named' OR NOT evidence ? 'confidence' OR (evidence ->> 'confidence')::int < %(sure)s)"""

#: Another document that bore the same number when the money was applied, as the versions then known say.
_RIVALS = """
SELECT 'allocation ' || a.id, 'was applied to ' || v.number || ' although document ' || min(w.document_id) || ' bore this number too'
  FROM ledger_allocation a
  JOIN ledger_documentversion v ON v.organisation_id = a.organisation_id AND v.document_id = a.document_id AND v.recorded_at <= a.recorded_at
       AND (v.superseded_at IS NULL OR v.superseded_at > a.recorded_at)
  JOIN ledger_documentversion w ON w.organisation_id = a.organisation_id AND w.number = v.number AND w.document_id <> v.document_id
       AND w.recorded_at <= a.recorded_at AND (w.superseded_at IS NULL OR w.superseded_at > a.recorded_at)
 WHERE a.organisation_id = %(org)s AND a.rank = 1 AND a.kind = 'cash' AND v.number <> ''
 GROUP BY a.id, v.number"""

#: Applied by machine and not changed since: payment and document still read as they did.
_NAMED = """
SELECT a.id, d.number, p.reference, p.remittance, p.stated_document
  FROM ledger_allocation a
  JOIN ledger_payment p ON p.organisation_id = a.organisation_id AND p.id = a.payment_id AND p.recorded_at <= a.recorded_at
  JOIN ledger_document d ON d.organisation_id = a.organisation_id AND d.id = a.document_id AND d.recorded_at <= a.recorded_at
 WHERE a.organisation_id = %(org)s AND a.rank = 1 AND a.kind = 'cash' AND a.rule = 'named' ORDER BY a.id"""

#: What the source itself states is applied whole, to the one document it names.
_STATED = """
SELECT 'allocation ' || a.id, 'counts as stated by the source, which states ' || coalesce(nullif(p.stated_document, ''), 'nothing')
  FROM ledger_allocation a
  JOIN ledger_payment p ON p.organisation_id = a.organisation_id AND p.id = a.payment_id AND p.recorded_at <= a.recorded_at
  JOIN ledger_document d ON d.organisation_id = a.organisation_id AND d.id = a.document_id AND d.recorded_at <= a.recorded_at
  LEFT JOIN ledger_sourcerecord r ON r.organisation_id = a.organisation_id AND r.connection_id = p.connection_id AND r.kind = 'invoice'
       AND r.external_id = p.stated_document AND r.target_id = d.id
 WHERE a.organisation_id = %(org)s AND a.rank = 2 AND a.rule = 'stated' AND d.number <> p.stated_document AND r.id IS NULL
   AND NOT (a.evidence ? 'application')
UNION ALL
SELECT 'allocation ' || a.id, 'counts as stated by ' || (a.evidence ->> 'application') || ', which does not say so'
  FROM ledger_allocation a
 WHERE a.organisation_id = %(org)s AND a.rank = 2 AND a.rule = 'stated' AND a.evidence ? 'application' AND NOT EXISTS (
       SELECT 1 FROM ledger_stated t
         JOIN ledger_sourcerecord r ON r.organisation_id = t.organisation_id AND r.connection_id = t.connection_id AND r.kind = 'invoice'
              AND r.external_id = t.document_external_id AND r.target_id = a.document_id
        WHERE t.organisation_id = a.organisation_id AND t.application_external_id = a.evidence ->> 'application' AND t.kind = a.kind
          AND a.amount_minor <= t.amount_minor)"""

_CHECKED = "SELECT count(*) FROM ledger_allocation WHERE organisation_id = %(org)s AND rank < 3"


def look(given: Given) -> Looked:  # noqa: ARG001 - every promise is looked at the same way
    """Evidence as stored, rivals by number, and once more whether the payment's words name the document."""
    asked = looking.ask(_EVIDENCE, _RIVALS, _STATED, sure=SURE)
    return Looked(checked=looking.count(_CHECKED)).also(asked).also(looking.of(_unnamed()))


def _unnamed() -> Iterator[Breach]:
    for pk, number, reference, remittance, stated in looking.rows(_NAMED):
        known: numbers.Known[str] = numbers.Known()
        known.add(number, number)
        if not any(known.whole(text) or known.mentions(text) for text in (stated, reference, remittance) if text):
            yield Breach(f"allocation {pk}", f"was applied by machine to {number}, which the payment does not name")
