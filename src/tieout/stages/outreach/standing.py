"""How customers stand now: their open documents with what is disputed or held of each, read set-wise for a batch."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import msgspec
from django.db import connection

from tieout.stages.base import walls


class Document(msgspec.Struct, frozen=True, gc=False):
    """One document as the ledger has it now. `contested_minor` is the disputed part; `waits` names a hold on all of it."""

    id: int
    customer_id: int
    kind: str
    number: str
    currency: str
    status: str
    amount_minor: int
    settled_minor: int
    open_minor: int
    issue_date: dt.date | None
    due_date: dt.date | None
    connection_id: int
    contested_minor: int
    waits: str

    @property
    def demandable_minor(self) -> int:
        """What of it may be asked for now."""
        if self.kind != "invoice" or self.status != "open" or self.waits:
            return 0
        return max(self.open_minor - self.contested_minor, 0)


def of(*, customer_ids: Iterable[int], document_ids: Iterable[int] = (), today: dt.date) -> dict[int, dict[int, Document]]:
    """By customer and id: every open document of these customers, and the named ones whatever became of them."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT d.id, d.customer_id, d.kind, d.number, d.currency, d.status, d.amount_minor, d.allocated_minor + d.written_off_minor,
                   d.open_minor, d.issue_date, d.due_date, d.connection_id,
                   greatest(coalesce(s.amount, 0), coalesce(h.part, 0)), coalesce(h.whole, '')
              FROM ledger_document d
              LEFT JOIN (SELECT document_id, sum(amount_minor)::bigint AS amount FROM dialogue_dispute
                          WHERE organisation_id = %(org)s AND customer_id = ANY(%(customers)s) AND state = 'open' GROUP BY 1) s
                ON s.document_id = d.id
              LEFT JOIN (SELECT document_id, sum(amount_minor) FILTER (WHERE reason = 'dispute')::bigint AS part,
                                min(reason) FILTER (WHERE reason <> 'dispute' OR amount_minor IS NULL) AS whole
                           FROM dialogue_hold
                          WHERE organisation_id = %(org)s AND customer_id = ANY(%(customers)s) AND document_id IS NOT NULL AND released_at IS NULL
                            AND from_date <= %(today)s AND (until_date IS NULL OR until_date > %(today)s) GROUP BY 1) h
                ON h.document_id = d.id
             WHERE d.organisation_id = %(org)s
               AND ((d.customer_id = ANY(%(customers)s) AND d.open_minor > 0) OR d.id = ANY(%(documents)s))
             ORDER BY d.customer_id, d.due_date NULLS LAST, d.id""",
            {"org": walls.current(), "customers": list(customer_ids), "documents": list(document_ids), "today": today},
        )
        found: dict[int, dict[int, Document]] = {}
        for row in cursor.fetchall():
            found.setdefault(row[1], {})[row[0]] = Document(*row)
    return found
