"""Readers of one column: text in, value out, remembered. What cannot be read is a value with a reason, never a guess.

A reader is a dict that fills itself, so that a column is read by `map(reader.__getitem__, column)`: repeated cells cost
one look-up, and only cells with something to say are counted in `troubles` (and not remembered).
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from tieout.core import party

#: Distinct cells remembered per column; beyond it the memory starts afresh, so that it stays bounded.
REMEMBERED = 20_000


class Refused(msgspec.Struct, frozen=True):
    """The cell cannot be taken and its row with it."""

    code: str
    message: str


class Noted(msgspec.Struct, frozen=True):
    """The row is taken with `value`; the remark goes along."""

    value: Any
    code: str
    message: str


class Cells(dict[str, Any]):
    """Base of the readers; `parse` says what a cell means."""

    def __init__(self) -> None:
        super().__init__()
        self.troubles = 0

    def parse(self, text: str) -> Any:
        raise KeyError(text)

    def __missing__(self, text: str) -> Any:
        value = self.parse(text)
        if type(value) is Refused or type(value) is Noted:
            self.troubles += 1
            return value
        if len(self) >= REMEMBERED:
            self.clear()
        self[text] = value
        return value

    def read(self, column: Sequence[str]) -> list[Any]:
        """The values of a column, in order."""
        return list(map(self.__getitem__, column))


def clean(text: str) -> str:
    """As `party.tidy`, with a short way for the text that needs nothing."""
    if text.isprintable() and (text.isascii() or unicodedata.is_normalized("NFC", text)):
        return " ".join(text.split()) if "  " in text or text[:1] == " " or text[-1:] == " " else text
    return party.tidy(text)


def columns_need_nothing(column: Sequence[str]) -> bool:
    """Whether every cell is filled, plain and tidy: tells it in a few passes over the joined text."""
    joined = " ".join(column)
    return joined.isascii() and joined.isprintable() and "  " not in joined and joined[:1] != " " and joined[-1:] != " "


class TextCells(Cells):
    """One line of text, or None where blank. HTML, template marks and formulas are text like any other."""

    def parse(self, text: str) -> str | None:
        return clean(text) or None

    def read(self, column: Sequence[str]) -> list[Any]:
        return list(column) if columns_need_nothing(column) else super().read(column)


_WHOLE = re.compile(r"(\d+)\.0+\Z")


class IdCells(TextCells):
    """An identifier that a spreadsheet program turned into a number: `2960623488.0` is `2960623488`."""

    def parse(self, text: str) -> str | None:
        found = _WHOLE.match(text.strip())
        return found[1] if found else clean(text) or None

    def read(self, column: Sequence[str]) -> list[Any]:
        return Cells.read(self, column)


class MailCells(Cells):
    """One mail address; a cell that holds none, or two, is noted and left out."""

    def parse(self, text: str) -> str | Noted | None:
        if not text.strip():
            return None
        found = party.mail_address(text)
        if isinstance(found, party.AddressRefused):
            return Noted(None, "email_left_out", f"the e-mail field {text.strip()[:120]!r} was left out: {found.reason}")
        return found


class ListCells(Cells):
    """Parts divided by `|` or `;`."""

    def parse(self, text: str) -> tuple[str, ...]:
        return tuple(part for part in map(clean, re.split(r"[|;]", text)) if part)


class ChoiceCells(Cells):
    """One of a few words; anything else is noted and left out."""

    def __init__(self, words: dict[str, str]) -> None:
        super().__init__()
        self._words = words

    def parse(self, text: str) -> str | Noted | None:
        word = clean(text).lower()
        if not word:
            return None
        if word in self._words:
            return self._words[word]
        return Noted(None, "word_unknown", f"{word!r} is none of {', '.join(sorted(set(self._words.values())))}; left empty")


class PercentCells(Cells):
    """A percentage as plain decimal text; `2%` and `2,0` are understood."""

    def parse(self, text: str) -> str | Refused | None:
        bare = text.strip().rstrip("%").strip().replace(",", ".")
        if not bare:
            return None
        try:
            value = Decimal(bare)
        except InvalidOperation:
            return Refused("bad_percent", f"{text!r} is not a percentage")
        return f"{value:f}" if value.is_finite() and 0 <= value <= 100 else Refused("bad_percent", f"{text!r} is not between 0 and 100")


class MomentCells(Cells):
    """A moment in ISO 8601; without a zone it is taken as UTC."""

    def parse(self, text: str) -> dt.datetime | Refused | None:
        bare = text.strip()
        if not bare:
            return None
        try:
            moment = dt.datetime.fromisoformat(bare)
        except ValueError:
            return Refused("bad_moment", f"{text!r} is not a moment such as 2026-01-31T09:30:00Z")
        return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
