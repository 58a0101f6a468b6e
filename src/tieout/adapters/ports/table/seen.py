"""What one reading remembers over its batches, and how a finding about one of its rows is made."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from tieout.adapters.ports.format import RowFinding
from tieout.adapters.ports.table.plan import Parsed, Plan
from tieout.core.documents import Record

Out = list[Record | RowFinding]

#: Customers remembered as already told; beyond it the memory starts afresh and a customer may be told twice.
REMEMBERED = 200_000


class Seen:
    """What one reading remembers over its batches: customers told, and how often each line without an id has come."""

    def __init__(self, source_format: str) -> None:
        self.format = source_format
        self.customers: set[str] = set()
        self.lines: dict[int, int] = {}

    def payment_id(self, parts: Sequence[str]) -> str:
        """An id from the content of a bank line; the second equal line of a file gets `-2`, so both stay."""
        digest = hashlib.blake2b("\x1f".join(parts).encode(), digest_size=10)
        key = int.from_bytes(digest.digest()[:8], "big")
        count = self.lines[key] = self.lines.get(key, 0) + 1
        return f"line-{digest.hexdigest()}" if count == 1 else f"line-{digest.hexdigest()}-{count}"


def finding(plan: Plan, parsed: Parsed, place: int, code: str, message: str, *, field: str = "", blocking: bool = True, cell: str = "") -> RowFinding:
    """A finding about the row at `place`, with the row itself."""
    column = plan.column_name(field) if field else None
    if not cell and column:
        cell = parsed.batch.rows[place][plan.index[field]]
    return RowFinding(
        code=code,
        message=message,
        line=parsed.batch.lines[place],
        column=column,
        field=field or None,
        value=cell[:200] or None,
        blocking=blocking,
        raw=plan.raw(parsed.batch.rows[place]),
    )
