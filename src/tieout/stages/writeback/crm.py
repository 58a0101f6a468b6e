"""What a CRM asks for and hears: a deal that is won becomes a draft in the invoicing tool, once, where the map says so; invoices stand
beside their customer as they are; a collector's task is a task there.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from tieout.stages.writeback.models import Outgoing

_COMPANY = """ledger_sourcerecord x ON x.organisation_id = %(org)s AND x.connection_id = t.target_id AND x.kind = 'customer'
       AND x.retracted_at IS NULL AND x.gone_at IS NULL"""

#: Deals won since the line was drawn, with the customer they are of: (target, deal, its name, customer, whether the target has the customer).
_WON = """
WITH {live}
SELECT t.target_id, d.id, d.name, c.target_id AS customer_id, EXISTS (
       SELECT 1 FROM ledger_sourcerecord x WHERE x.organisation_id = %(org)s AND x.connection_id = t.target_id AND x.kind = 'customer'
          AND x.target_id = c.target_id AND x.retracted_at IS NULL AND x.gone_at IS NULL)
  FROM route t JOIN ledger_deal d ON d.organisation_id = %(org)s AND d.connection_id = t.origin_id AND t.what = 'draft'
  JOIN ledger_sourcerecord c ON c.organisation_id = %(org)s AND c.connection_id = d.connection_id AND c.kind = 'customer'
       AND c.external_id = d.customer_external_id AND c.retracted_at IS NULL
 WHERE d.won AND d.amount_minor > 0 AND coalesce(d.close_date, (d.won_at AT TIME ZONE 'UTC')::date) >= t.since
   AND (d.won_at AT TIME ZONE 'UTC')::date >= t.since
   AND NOT EXISTS (SELECT 1 FROM writeback_outgoing o WHERE o.organisation_id = %(org)s AND o.connection_id = t.target_id AND o.kind = 'draft'
                      AND o.subject_kind = 'deal' AND o.subject_id = d.id)"""

#: Drafts that are made and that the deal they are of does not show yet.
_DRAFTED = """
SELECT d.connection_id, d.id, o.external_id
  FROM writeback_outgoing o JOIN ledger_deal d ON d.organisation_id = %(org)s AND d.id = o.subject_id
  JOIN intake_connection c ON c.organisation_id = %(org)s AND c.id = d.connection_id AND c.stage = 'live' AND c.paused_at IS NULL
 WHERE o.organisation_id = %(org)s AND o.kind = 'draft' AND o.state = 'done' AND o.external_id <> ''
   AND NOT EXISTS (SELECT 1 FROM writeback_outgoing n WHERE n.organisation_id = %(org)s AND n.connection_id = d.connection_id AND n.kind = 'document'
                      AND n.subject_kind = 'deal' AND n.subject_id = d.id)"""

#: Invoices beside their customer, each where its state differs from what was told last.
_DOCUMENTS = """
WITH {live},
said AS MATERIALIZED (
  SELECT t.target_id, d.id, d.number, concat_ws(' ',
         CASE WHEN d.status IN ('void', 'deleted') THEN 'void' WHEN d.open_minor = 0 THEN 'paid' WHEN d.due_date < %(today)s THEN 'overdue'
              WHEN d.open_minor < d.amount_minor THEN 'part paid' ELSE 'open' END, d.amount_minor, d.currency, d.due_date) AS state
    FROM route t JOIN {company} JOIN ledger_document d ON d.organisation_id = %(org)s AND d.customer_id = x.target_id AND d.kind = 'invoice'
   WHERE t.what = 'document' AND d.status <> 'draft' AND coalesce(d.issue_date, (d.created_at AT TIME ZONE 'UTC')::date) >= t.since
     AND (%(customers)s::bigint[] IS NULL OR d.customer_id = ANY(%(customers)s)))
SELECT s.target_id, s.id, s.number, s.state, coalesce(o.times, 0)
  FROM said s
  LEFT JOIN LATERAL (
       SELECT count(*) AS times, (array_agg(w.body ->> 'state' ORDER BY w.id DESC))[1] AS last, bool_or(w.state = 'waiting') AS waits
         FROM writeback_outgoing w
        WHERE w.organisation_id = %(org)s AND w.connection_id = s.target_id AND w.subject_kind = 'invoice' AND w.subject_id = s.id
          AND w.kind = 'document') o ON true
 WHERE NOT coalesce(o.waits, false) AND o.last IS DISTINCT FROM s.state"""

_TASKS = """
WITH {live}
SELECT DISTINCT t.target_id, k.id, k.title
  FROM route t JOIN {company} JOIN collect_task k ON k.organisation_id = %(org)s AND k.customer_id = x.target_id AND k.state = 'open'
 WHERE t.what = 'task' AND (k.made_at AT TIME ZONE 'UTC')::date >= t.since
   AND (%(customers)s::bigint[] IS NULL OR k.customer_id = ANY(%(customers)s))
   AND NOT EXISTS (SELECT 1 FROM writeback_outgoing o WHERE o.organisation_id = %(org)s AND o.connection_id = t.target_id AND o.kind = 'task'
                      AND o.subject_kind = 'task' AND o.subject_id = k.id)"""


def ask(cursor: Any, given: dict[str, Any], live: str, now: dt.datetime) -> list[Outgoing]:
    """Everything a CRM asks for or has yet to hear."""
    rows: list[Outgoing] = []
    cursor.execute(_WON.format(live=live), given)
    for target, deal, name, customer, there in cursor.fetchall():
        rows.append(_row(target, "draft", "deal", deal, 1, {"label": name}, now))
        if not there:
            rows.append(_row(target, "customer", "customer", customer, 1, {"label": name}, now))
    cursor.execute(_DRAFTED, given)
    rows += [_row(crm, "document", "deal", deal, 1, {"label": made, "draft": made}, now) for crm, deal, made in cursor.fetchall()]
    cursor.execute(_DOCUMENTS.format(live=live, company=_COMPANY), given)
    for target, document, number, state, times in cursor.fetchall():
        rows.append(_row(target, "document", "invoice", document, times + 1, {"label": number, "state": state}, now))
    cursor.execute(_TASKS.format(live=live, company=_COMPANY), given)
    return rows + [_row(target, "task", "task", task, 1, {"label": title}, now) for target, task, title in cursor.fetchall()]


def _row(target: int, act: str, kind: str, subject: int, time: int, body: dict[str, Any], now: dt.datetime) -> Outgoing:
    return Outgoing(
        kind=act, natural_key=f"{target}:{act}:{kind}:{subject}:{time}", connection_id=target, subject_kind=kind, subject_id=subject, body=body,
        written_at=now, not_before=now,
    )  # fmt: skip
