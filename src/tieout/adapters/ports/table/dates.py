"""Dates of a column: which order of day, month and year fits every cell, and reading by that order.

The order is decided by elimination over the whole column, never per cell: the libraries that guess per cell read
`03/04/2024` as March and `13/04/2024` as April in one column. What stays open is asked.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from functools import lru_cache

from babel import Locale

from tieout.adapters.ports.table.cells import Cells, Noted, Refused

ORDERS = ("DMY", "MDY", "YMD")
EARLIEST, LATEST = 1970, 2199

#: What legacy programs write for "no date" (31 December 9999 in any order, all zeros, the first day of the Excel calendars).
NO_DATE = frozenset({"-", "n/a", "none", "null"})

_PARTS = re.compile(r"(\d{1,4})([/.\- ])(\d{1,2})\2(\d{1,4})\.?(?=\Z|[T ,])")
_COMPACT = re.compile(r"(\d{8})\Z")
_SERIAL = re.compile(r"\d{5}(\.0+)?\Z")
_DAY_NAME = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?\.?[ \-/]*([^\W\d_]{3,})\.?[ ,\-/]*(\d{4}|\d{2})(?=\Z|[T ,])", re.IGNORECASE)
_NAME_DAY = re.compile(r"([^\W\d_]{3,})\.?[ \-]*(\d{1,2})(?:st|nd|rd|th)?,?[ \-]+(\d{4}|\d{2})(?=\Z|[T ,])", re.IGNORECASE)
_TIME = re.compile(r"[T ,]+\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?( ?[AaPp]\.?[Mm]\.?)?( ?(Z|UTC|GMT|[+-]\d{2}:?\d{2}))?\Z")


@lru_cache(maxsize=1)
def month_names() -> dict[str, int]:
    """Month names and their short forms in English, German, French, Spanish, Italian and Dutch (from CLDR)."""
    names: dict[str, int] = {}
    for language in ("nl", "it", "es", "fr", "de", "en"):
        for width in ("wide", "abbreviated"):
            for month, name in Locale(language).months["format"][width].items():
                names[str(name).lower().rstrip(".")] = int(month)
    return names


def full_year(text: str) -> int:
    """Four digits as they are; two digits belong to 1980-2079."""
    year = int(text)
    return year if len(text) > 2 else year + (2000 if year < 80 else 1900)


def _named(text: str) -> tuple[int, int, int] | None:
    for pattern, day, name in ((_DAY_NAME, 1, 2), (_NAME_DAY, 2, 1)):
        found = pattern.match(text)
        if found and (month := month_names().get(found[name].lower())):
            return full_year(found[3]), month, int(found[day])
    return None


def readings(text: str) -> dict[str, tuple[int, int, int]]:
    """Every (year, month, day) that the text could state, by order; one order `any` where the text leaves no choice."""
    found = _PARTS.match(text)
    if found:
        one, two, three = found[1], found[3], found[4]
        if len(one) == 4:
            return {"any": (int(one), int(two), int(three))} if len(three) <= 2 else {}
        if len(one) > 2 or len(three) not in (2, 4):
            return {}
        year = full_year(three)
        return {"DMY": (year, int(two), int(one)), "MDY": (year, int(one), int(two))}
    if found := _COMPACT.match(text):
        eight = found[1]
        return {
            "YMD": (int(eight[:4]), int(eight[4:6]), int(eight[6:])),
            "DMY": (int(eight[4:]), int(eight[2:4]), int(eight[:2])),
            "MDY": (int(eight[4:]), int(eight[:2]), int(eight[2:4])),
        }
    named = _named(text)
    return {"any": named} if named else {}


def is_plausible(parts: tuple[int, int, int]) -> bool:
    """Whether the parts are a day of the calendar within 1970-2199."""
    year, month, day = parts
    if not EARLIEST <= year <= LATEST:
        return False
    try:
        dt.date(year, month, day)
    except ValueError:
        return False
    return True


def is_no_date(text: str) -> bool:
    """Whether the cell is one of the ways in which programs write "no date"."""
    if text.lower() in NO_DATE or not text.strip("0/.-: T"):
        return True
    return any(parts[0] in (0, 9999) for parts in readings(text).values())


def is_serial(text: str) -> bool:
    """Whether the cell looks like a day number of Excel (five digits; 20000 is 1954, 73050 is 2099)."""
    return bool(_SERIAL.match(text)) and 20_000 <= int(text[:5]) <= 73_050


class Orders:
    """What a column says about its order: `possible` is what every telling cell allows, `telling` how many narrowed it."""

    def __init__(self, cells: Iterable[str]) -> None:
        self.possible = set(ORDERS)
        self.open: list[str] = []  # cells that fit more than one order
        self.dates = self.serials = self.others = 0
        for cell in dict.fromkeys(cells):
            text = cell.strip()
            if text and not is_no_date(text):
                self._weigh(text)

    def _weigh(self, text: str) -> None:
        if is_serial(text):
            self.serials += 1
            return
        given = {order: parts for order, parts in readings(text).items() if is_plausible(parts)}
        if not given:
            self.others += 1
            return
        self.dates += 1
        if "any" in given:
            return
        self.possible &= set(given)
        if len(set(given.values())) > 1:
            self.open.append(text)

    @property
    def verdict(self) -> str | None:
        """The order, or None where the cells leave it open or contradict each other."""
        if self.serials and not self.dates:
            return "excel"
        if self.contradicts:
            return None
        if len(self.possible) == 1:
            return next(iter(self.possible))
        if self.open:
            return None
        return "YMD" if "YMD" in self.possible else "DMY"  # 05/05/2026 alone reads alike either way

    @property
    def is_proof(self) -> bool:
        """Whether the cells leave exactly one order, so that other columns of the file may lean on it."""
        return self.dates > 0 and len(self.possible) == 1

    @property
    def contradicts(self) -> bool:
        return self.dates > 0 and not self.possible


class DateCells(Cells):
    """Days by a known order. ISO dates and named months are understood under any order, because they leave no choice."""

    def __init__(self, order: str, *, serials: bool = False) -> None:
        super().__init__()
        self._order = order
        self._serials = serials or order == "excel"  # number cells of a spreadsheet, or a whole column of day numbers
        self._format = order if "%" in order else ""

    def parse(self, text: str) -> dt.date | Refused | Noted | None:
        if len(text) == 10 and text[4] == "-":
            try:
                day = dt.date.fromisoformat(text)
            except ValueError:
                return self._carefully(text)
            return day if EARLIEST <= day.year <= LATEST else self._carefully(text)
        return self._carefully(text)

    def _carefully(self, cell: str) -> dt.date | Refused | Noted | None:
        text = cell.strip()
        if not text:
            return None
        if self._format:
            return self._by_format(text)
        if is_no_date(text):
            return Noted(None, "no_date", f"{text!r} stands for no date; left empty")
        if self._serials and is_serial(text):
            return dt.date(1899, 12, 30) + dt.timedelta(days=int(text[:5]))
        return self._by_order(text)

    def _by_format(self, text: str) -> dt.date | Refused:
        try:
            return dt.datetime.strptime(text, self._format).date()  # noqa: DTZ007 - a day, not a moment
        except ValueError:
            return Refused("bad_date", f"{text!r} is not a date of the form {self._format}")

    def _by_order(self, text: str) -> dt.date | Refused:
        given = readings(text)
        parts = given.get("any") or given.get(self._order)
        tail = text[self._length(text) :]
        if given and not any(map(is_plausible, given.values())):
            return self._implausible(text, parts or next(iter(given.values())))
        if parts is None or (tail and not _TIME.match(tail)):
            return Refused("bad_date", f"{text!r} is not a date in the order {self._order}")
        return dt.date(*parts) if is_plausible(parts) else self._implausible(text, parts)

    @staticmethod
    def _implausible(text: str, parts: tuple[int, int, int]) -> Refused:
        if not EARLIEST <= parts[0] <= LATEST:
            return Refused("implausible_date", f"{text!r} lies outside {EARLIEST}-{LATEST}")
        return Refused("impossible_date", f"{text!r} is not a day of the calendar")

    @staticmethod
    def _length(text: str) -> int:
        for pattern in (_PARTS, _COMPACT, _DAY_NAME, _NAME_DAY):
            if found := pattern.match(text):
                return found.end()
        return 0
