"""The customer's statement as a PDF: everything open on the day, credits included, one table and one sum per currency."""

from __future__ import annotations

import datetime as dt
import threading
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
import typst

from tieout.stages.outreach import figures
from tieout.stages.outreach.said import Said, StatementRow
from tieout.stages.outreach.words import Sender

_TEMPLATE = Path(__file__).parent / "wordings" / "statement.typ"

_WORDS: dict[str, dict[str, Any]] = {
    "en": {
        "title": "Statement of account",
        "intro": "These documents are open in our books as of {day}. Credits are shown as negative amounts.",
        "headings": ["Document", "Date", "Due", "Amount", "Open"],
        "total": "Balance {code}",
        "credit": "Credit note {number}",
        "disputed": "{number} ({amount} in dispute)",
        "note": "A payment made in the last few days may not be in our books yet. Please tell us about anything that does not agree with yours.",
    },
    "de": {
        "title": "Kontoauszug",
        "intro": "Diese Belege sind in unseren Büchern am {day} offen. Gutschriften stehen als negative Beträge.",
        "headings": ["Beleg", "Datum", "Fällig", "Betrag", "Offen"],
        "total": "Saldo {code}",
        "credit": "Gutschrift {number}",
        "disputed": "{number} ({amount} strittig)",
        "note": "Zahlungen der letzten Tage sind womöglich noch nicht verbucht. Bitte sagen Sie uns, was nicht mit Ihren Büchern übereinstimmt.",
    },
}


def name(said: Said) -> str:
    """The file's name."""
    return f"{'kontoauszug' if said.language == 'de' else 'statement'}-{said.as_of.isoformat()}.pdf"


def pdf(said: Said, *, sender: Sender) -> bytes:
    """The statement of these facts; the same facts give the same bytes."""
    inputs = {"statement": msgspec.json.encode(_shown(said, sender)).decode()}
    with _ONE_AT_A_TIME:
        made = _compiler().compile(sys_inputs=inputs, timestamp=int(dt.datetime.combine(said.as_of, dt.time(12), dt.UTC).timestamp()))
    assert isinstance(made, bytes)
    return made


_ONE_AT_A_TIME = threading.Lock()


@lru_cache(maxsize=1)
def _compiler() -> Any:
    # Kept, since it reads its fonts once: 3 ms a statement instead of 6. System fonts are left out, so that the same
    # statement looks the same on every machine and nothing of a machine ends up in a letter.
    return typst.Compiler(str(_TEMPLATE), root=str(_TEMPLATE.parent), ignore_system_fonts=True)


def _shown(said: Said, sender: Sender) -> dict[str, Any]:
    language = said.language
    words = _WORDS[language]
    day = figures.day(said.as_of, language)
    by_currency: dict[str, list[StatementRow]] = {}
    for row in said.statement:
        by_currency.setdefault(row.currency, []).append(row)
    return {
        "title": words["title"],
        "language": language,
        "day": day,
        "customer": said.customer,
        "sender": sender.name,
        "sender_address": sender.address,
        "intro": words["intro"].format(day=day),
        "headings": words["headings"],
        "note": words["note"],
        "groups": [
            {
                "rows": [_row(row, language, words) for row in rows],
                "label": words["total"].format(code=code),
                "total": figures.money(sum(row.open_minor for row in rows), code, language),
            }
            for code, rows in sorted(by_currency.items())
        ],
    }


def _row(row: StatementRow, language: str, words: dict[str, Any]) -> list[str]:
    number = row.number
    if row.kind == "credit_note":
        number = words["credit"].replace("{number}", number)
    elif row.disputed_minor > 0:
        amount = figures.money(row.disputed_minor, row.currency, language)
        number = words["disputed"].replace("{amount}", amount).replace("{number}", number)
    return [
        number,
        figures.day(row.issue_date, language) if row.issue_date else "",
        figures.day(row.due_date, language) if row.due_date else "",
        figures.money(row.amount_minor, row.currency, language),
        figures.money(row.open_minor, row.currency, language),
    ]
