"""The customers a wording is tried on before it is saved: an ordinary one first, then the worst."""

from __future__ import annotations

import datetime as dt
from typing import Any

from tieout.core.party import tidy
from tieout.stages.outreach import words
from tieout.stages.outreach.said import Said, SaidItem

_DAY = dt.date(2026, 6, 10)
_NAMES = (
    "Brightwater Interiors",
    "<script>alert(1)</script> {{ sender_name }} {% raw %}",
    "Ω" * 300,
    "a@example.com, b@example.com\r\nBcc: c@example.com",
    'O\'Brien & "Söhne" 株式会社 شركة',
)


def _said(name: str, language: str, count: int) -> Said:
    items = tuple(
        SaidItem(
            document_id=n,
            number=f"INV-{1000 + n}",
            currency=("EUR", "USD", "JPY")[n % 3],
            amount_minor=123_450 + n,
            paid_minor=23_450 if n % 2 else 0,
            open_minor=100_000 + n if n % 2 else 123_450 + n,
            disputed_minor=5_000 if n % 4 == 3 else 0,
            demanded_minor=(100_000 + n if n % 2 else 123_450 + n) - (5_000 if n % 4 == 3 else 0),
            issue_date=_DAY - dt.timedelta(days=44),
            due_date=_DAY - dt.timedelta(days=14 - n % 20),
            days_late=max(14 - n % 20, 0),
        )
        for n in range(count)
    )
    return Said(as_of=_DAY, language=language, customer=tidy(name), recipient="", items=items)


def _words(name: str, count: int) -> dict[str, Any]:
    sender = words.Sender("Marrow Lane Studio", "ar@marrowlane.example")
    link = "https://example.com/o/" + "0" * 64
    return words.of(_said(name, "en", count), sender=sender, opt_out_url=link, statement="statement.pdf" if count % 2 else "")


#: Ready facts; the first is what the editor shows.
NASTY: tuple[dict[str, Any], ...] = tuple(_words(name, count) for name, count in zip(_NAMES, (2, 1, 5, 2, 120), strict=True))
