"""Open items, the relation that figures and lists share: a document, or each instalment of one that is due in parts.

Aging, Overview and Receivables read the same rows, so a total and the rows behind it cannot disagree. Instalments follow
`core.position.by_due_date`: money settles the earliest first, so what is open lies in the last ones.
"""

from __future__ import annotations

#: Documents that are due in parts. Few, so a hashed look-up leaves the index order of the others as it is.
_IN_PARTS = "SELECT i.document_id FROM ledger_duedate i WHERE i.organisation_id = %(o)s"

_COLUMNS = """d.kind, d.number, d.customer_id, d.issue_date, {due}, d.currency, d.amount_minor, {open}, d.status, d.written_off_minor, d.po_number"""

#: Open documents due on one day; the partial index over open documents answers where only its columns are asked for.
WHOLE = f"""
SELECT d.id, 0 AS part, {_COLUMNS.format(due="d.due_date", open="d.open_minor")}
  FROM ledger_document d WHERE d.organisation_id = %(o)s AND d.open_minor > 0 AND d.id NOT IN ({_IN_PARTS})"""

_AFTER = "coalesce(sum(i.amount_minor) OVER later, 0)"
_PART = f"""(CASE WHEN row_number() OVER early = 1 THEN greatest(0, d.open_minor - {_AFTER})
              ELSE least(i.amount_minor, greatest(0, d.open_minor - {_AFTER})) END)::bigint AS open_minor"""
#: Open instalments.
PARTS = f"""
SELECT * FROM (
  SELECT d.id, i.ordinal AS part, {_COLUMNS.format(due="i.due_date", open=_PART)}
    FROM ledger_duedate i JOIN ledger_document d ON (d.organisation_id, d.id) = (i.organisation_id, i.document_id)
   WHERE i.organisation_id = %(o)s AND d.organisation_id = %(o)s AND d.open_minor > 0
  WINDOW early AS (PARTITION BY d.id ORDER BY i.due_date, i.ordinal),
         later AS (PARTITION BY d.id ORDER BY i.due_date, i.ordinal ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING)) p
 WHERE p.open_minor > 0"""

#: Both.
OPEN = f"{WHOLE}\nUNION ALL{PARTS}"

#: The bucket of a due date on `today`, named as `core.measures.BUCKETS` names them.
BUCKET = """CASE WHEN due_date IS NULL THEN 'no_due_date' WHEN due_date >= %(today)s THEN 'current' WHEN due_date >= %(today)s::date - 30 THEN '1-30'
 WHEN due_date >= %(today)s::date - 60 THEN '31-60' WHEN due_date >= %(today)s::date - 90 THEN '61-90' ELSE '90+' END"""

#: Buckets as they are shown, `60+` over the two beneath it.
BUCKETS = ("current", "1-30", "31-60", "61-90", "90+", "no_due_date")

#: How late each customer usually pays, in whole days, and what stands in for one without history.
DELAYS = """SELECT customer_id, round(median_days_late)::int AS delay FROM behaviour_profile
             WHERE organisation_id = %(o)s AND median_days_late IS NOT NULL"""
USUAL = f"SELECT coalesce(percentile_disc(0.5) WITHIN GROUP (ORDER BY delay), 0) AS delay FROM ({DELAYS}) d"
#: Open documents whose money is expected otherwise than by habit: promised, disputed, or of a customer who promised or is at law.
SPECIAL = """SELECT document_id AS id FROM dialogue_promise WHERE organisation_id = %(o)s AND state = 'open' AND document_id IS NOT NULL
 UNION SELECT document_id FROM dialogue_dispute WHERE organisation_id = %(o)s AND state = 'open'
 UNION SELECT d.id FROM ledger_document d WHERE d.organisation_id = %(o)s AND d.open_minor > 0 AND d.customer_id IN (
   SELECT customer_id FROM dialogue_promise WHERE organisation_id = %(o)s AND state = 'open' AND document_id IS NULL
   UNION SELECT customer_id FROM dialogue_hold WHERE organisation_id = %(o)s AND released_at IS NULL AND reason IN ('legal', 'insolvency'))"""
#: The day the money of an open invoice is expected (`expected.py` has the rule), null where none is. Over `i`, an open item;
#: `y` its customer's delay, `u` the usual one.
EXPECTED_DATE = """CASE
  WHEN EXISTS (SELECT 1 FROM dialogue_dispute x WHERE x.organisation_id = %(o)s AND x.document_id = i.id AND x.state = 'open') THEN NULL
  WHEN EXISTS (SELECT 1 FROM dialogue_hold h WHERE h.organisation_id = %(o)s AND h.customer_id = i.customer_id AND h.released_at IS NULL
                AND h.reason IN ('legal', 'insolvency')) THEN NULL
  ELSE coalesce(
    (SELECT max(p.promised_date) FROM dialogue_promise p WHERE p.organisation_id = %(o)s AND p.state = 'open' AND p.document_id = i.id
                AND p.customer_id = i.customer_id),
    (SELECT max(p.promised_date) FROM dialogue_promise p WHERE p.organisation_id = %(o)s AND p.state = 'open' AND p.document_id IS NULL
                AND p.customer_id = i.customer_id),
    i.due_date + coalesce(y.delay, u.delay)) END"""
#: Open invoices with that day, one by one: for a list of them. Figures over all of them take the short way in `expected.py`.
EXPECTED = f"""
SELECT i.id, i.part, {EXPECTED_DATE} AS expected_date
  FROM ({OPEN}) i CROSS JOIN ({USUAL}) u LEFT JOIN ({DELAYS}) y ON y.customer_id = i.customer_id
 WHERE i.kind = 'invoice'"""
