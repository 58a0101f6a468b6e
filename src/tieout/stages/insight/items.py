"""Open items, the relation that figures and lists share: a document, or each instalment of one that is due in parts.

Aging, Overview and Receivables read the same rows, so a total and the rows behind it cannot disagree. Instalments follow
`core.position.by_due_date`: money settles the earliest first, so what is open lies in the last ones.
"""

from __future__ import annotations

#: One row per open item; parameters `o` (organisation). The partial index over open documents answers the first arm.
OPEN = """
SELECT d.id, 0 AS part, d.kind, d.customer_id, d.currency, d.due_date, d.open_minor
  FROM ledger_document d
 WHERE d.organisation_id = %(o)s AND d.open_minor > 0
   AND NOT EXISTS (SELECT 1 FROM ledger_duedate i WHERE i.organisation_id = %(o)s AND i.document_id = d.id)
UNION ALL
SELECT p.id, p.part, p.kind, p.customer_id, p.currency, p.due_date, p.open_minor
  FROM (SELECT d.id, i.ordinal AS part, d.kind, d.customer_id, d.currency, i.due_date,
               CASE WHEN row_number() OVER early = 1 THEN greatest(0, d.open_minor - coalesce(sum(i.amount_minor) OVER later, 0))
                    ELSE least(i.amount_minor, greatest(0, d.open_minor - coalesce(sum(i.amount_minor) OVER later, 0))) END::bigint AS open_minor
          FROM ledger_duedate i JOIN ledger_document d ON (d.organisation_id, d.id) = (i.organisation_id, i.document_id)
         WHERE i.organisation_id = %(o)s AND d.organisation_id = %(o)s AND d.open_minor > 0
        WINDOW early AS (PARTITION BY d.id ORDER BY i.due_date, i.ordinal),
               later AS (PARTITION BY d.id ORDER BY i.due_date, i.ordinal ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING)) p
 WHERE p.open_minor > 0"""

#: The bucket of a due date on `today`, named as `core.measures.BUCKETS` names them.
BUCKET = """CASE WHEN due_date IS NULL THEN 'no_due_date' WHEN due_date >= %(today)s THEN 'current' WHEN due_date >= %(today)s::date - 30 THEN '1-30'
 WHEN due_date >= %(today)s::date - 60 THEN '31-60' WHEN due_date >= %(today)s::date - 90 THEN '61-90' ELSE '90+' END"""

#: Buckets as they are shown, `60+` over the two beneath it.
BUCKETS = ("current", "1-30", "31-60", "61-90", "90+", "no_due_date")

#: Open invoices with the day their money is expected; see `expected.py` for the rule. One that is disputed, or whose customer is
#: in legal dispute or insolvency, is not expected at all.
EXPECTED = f"""
SELECT i.id, i.part, i.currency, i.open_minor,
       coalesce(one.day, whole.day, i.due_date + round(coalesce(b.median_days_late, u.days))::int) AS expected_date
  FROM ({OPEN}) i
 CROSS JOIN (SELECT coalesce(percentile_cont(0.5) WITHIN GROUP (ORDER BY median_days_late), 0) AS days
               FROM behaviour_profile WHERE organisation_id = %(o)s AND median_days_late IS NOT NULL) u
  LEFT JOIN behaviour_profile b ON b.organisation_id = %(o)s AND b.customer_id = i.customer_id
  LEFT JOIN (SELECT document_id, max(promised_date) AS day FROM dialogue_promise
              WHERE organisation_id = %(o)s AND state = 'open' AND document_id IS NOT NULL GROUP BY 1) one ON one.document_id = i.id
  LEFT JOIN (SELECT customer_id, max(promised_date) AS day FROM dialogue_promise
              WHERE organisation_id = %(o)s AND state = 'open' AND document_id IS NULL GROUP BY 1) whole ON whole.customer_id = i.customer_id
  LEFT JOIN (SELECT DISTINCT document_id FROM dialogue_dispute WHERE organisation_id = %(o)s AND state = 'open') x ON x.document_id = i.id
  LEFT JOIN (SELECT DISTINCT customer_id FROM dialogue_hold
              WHERE organisation_id = %(o)s AND released_at IS NULL AND reason IN ('legal', 'insolvency')) s ON s.customer_id = i.customer_id
 WHERE i.kind = 'invoice' AND x.document_id IS NULL AND s.customer_id IS NULL"""
