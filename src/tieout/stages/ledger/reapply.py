"""After a source has spoken again: put back what people corrected (promise P6)."""

from __future__ import annotations

from typing import Any

#: Fields of a document that a person may correct.
DOCUMENT_FIELDS = frozenset({"due_date", "issue_date", "number", "po_number", "status", "amount_minor"})
_DATES = frozenset({"due_date", "issue_date"})


def corrections(cursor: Any, given: dict[str, Any], *, document_ids: list[int]) -> int:
    """Reapply live corrections to documents a source has just changed; returns how many were put back."""
    if not document_ids:
        return 0
    cursor.execute(
        """SELECT target_id, field, value #>> '{}' FROM ledger_correction
            WHERE organisation_id = %(org)s AND kind IN ('invoice', 'credit_note') AND target_id = ANY(%(ids)s)
              AND retracted_at IS NULL ORDER BY id""",
        {**given, "ids": document_ids},
    )
    rows = cursor.fetchall()
    for document_id, field, value in rows:
        if field in DOCUMENT_FIELDS:
            cast = "::date" if field in _DATES else "::bigint" if field == "amount_minor" else ""
            for table, key, live in (("ledger_document", "id", ""), ("ledger_documentversion", "document_id", " AND superseded_at IS NULL")):
                if table == "ledger_documentversion" and field == "po_number":
                    continue
                cursor.execute(
                    f"UPDATE {table} SET {field} = %(value)s{cast} WHERE organisation_id = %(org)s AND {key} = %(id)s{live}",
                    {**given, "id": document_id, "value": value},
                )
    return len(rows)
