"""What a document's birthplace has changed since another system was told of it: asked for anew, once for each state it has been in.

Whatever somebody changes on the copy stays theirs: it is a difference in the tie-out, and is met only where the birthplace changes.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from tieout.stages.writeback.models import Outgoing

#: A digest of what a document `d` says of itself.
STATE = """md5(concat_ws('|', d.number, d.issue_date, d.due_date, d.currency, d.amount_minor,
             (SELECT string_agg(concat_ws(':', l.description, l.quantity, l.amount_minor), '|' ORDER BY l.ordinal) FROM ledger_documentline l
               WHERE l.organisation_id = %(org)s AND l.document_id = d.id)))"""
#: Documents the other system was told of by us, with what they say now and the last state it was told.
_TOLD = """
WITH {live},
said AS MATERIALIZED (
  SELECT t.target_id, d.id, d.number, d.customer_id,
         {state} AS state
    FROM route t JOIN ledger_document d ON d.organisation_id = %(org)s AND d.connection_id = t.origin_id AND t.what = 'invoice' AND d.kind = 'invoice'
   WHERE d.status = 'open' AND (%(customers)s::bigint[] IS NULL OR d.customer_id = ANY(%(customers)s))
     AND EXISTS (SELECT 1 FROM ledger_sourcerecord x WHERE x.organisation_id = %(org)s AND x.connection_id = t.target_id AND x.kind = 'invoice'
                    AND x.target_id = d.id AND x.retracted_at IS NULL AND x.gone_at IS NULL))
SELECT s.target_id, s.id, s.number, s.state, o.times
  FROM said s
  JOIN LATERAL (
       SELECT count(*) AS times, (array_agg(w.body ->> 'state' ORDER BY w.id DESC))[1] AS last, bool_or(w.state = 'waiting') AS waits
         FROM writeback_outgoing w
        WHERE w.organisation_id = %(org)s AND w.connection_id = s.target_id AND w.subject_kind = 'invoice' AND w.subject_id = s.id
          AND w.kind IN ('invoice', 'update_invoice')) o ON o.times > 0
 WHERE NOT o.waits AND o.last IS DISTINCT FROM s.state"""


def ask(cursor: Any, given: dict[str, Any], live: str, now: dt.datetime) -> list[Outgoing]:
    """One effect for each document that says something else than was told last."""
    cursor.execute(_TOLD.format(live=live, state=STATE), given)
    return [
        Outgoing(
            kind="update_invoice", natural_key=f"{target}:update_invoice:invoice:{document}:{times}", connection_id=target, subject_kind="invoice",
            subject_id=document, body={"label": number, "state": state}, written_at=now, not_before=now,
        )
        for target, document, number, state, times in cursor.fetchall()
    ]  # fmt: skip
