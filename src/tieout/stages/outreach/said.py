"""What a letter says, as figures: the facts its words are rendered from, stored beside the text.

Minor units and ISO days; two sets of facts are equal exactly when the letter would say the same.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec


class SaidItem(msgspec.Struct, frozen=True, kw_only=True):
    """One document as the letter speaks of it. `demanded` leaves the disputed part out."""

    document_id: int
    number: str
    currency: str
    amount_minor: int
    paid_minor: int
    open_minor: int
    disputed_minor: int
    demanded_minor: int
    issue_date: dt.date | None = None
    due_date: dt.date | None = None
    days_late: int = 0


class StatementRow(msgspec.Struct, frozen=True, kw_only=True):
    """One open document of the statement; credits are negative."""

    kind: str
    number: str
    currency: str
    amount_minor: int
    open_minor: int
    issue_date: dt.date | None = None
    due_date: dt.date | None = None
    disputed_minor: int = 0


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """All facts of one letter. `language` is the letter's; `statement` is what the attached PDF lists; `wording` the version of
    the text it was written in (0: the shipped one) and `sender` who it was written for."""

    as_of: dt.date
    language: str
    customer: str
    recipient: str
    items: tuple[SaidItem, ...]
    statement: tuple[StatementRow, ...] = ()
    wording: int = 0
    sender: str = ""

    @property
    def totals(self) -> dict[str, int]:
        """Minor units demanded per currency, sorted by code."""
        sums: dict[str, int] = {}
        for item in self.items:
            sums[item.currency] = sums.get(item.currency, 0) + item.demanded_minor
        return {code: sums[code] for code in sorted(sums)}

    def plain(self) -> dict[str, Any]:
        """For storage as JSON."""
        found: dict[str, Any] = msgspec.to_builtins(self)
        return found


def read(stored: dict[str, Any]) -> Said:
    """The facts of a stored message."""
    return msgspec.convert(stored, Said)
