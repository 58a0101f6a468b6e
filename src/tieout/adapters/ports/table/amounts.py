"""Amounts of a column: which mark divides the decimals, and reading them exactly into minor units.

The marks are decided by the cells that leave no choice; two marks in one cell, a mark that repeats, or a part that is
not three digits long. Contradictions stop the column (no majority vote); `1.234` alone decides nothing and is asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from typing import Any

from tieout.adapters.ports.profile import Profile
from tieout.adapters.ports.table.cells import Cells, Refused
from tieout.adapters.ports.table.currencies import sign_means
from tieout.core.money import Money, MoneyError, exponent

#: Above this many whole units an amount is a slip of columns, not a claim.
MOST = 10**15

_SPACES = " \u00a0\u202f\u2009\u2007"
_MINUS = "-\u2212\u2013"
_CORE = re.compile(r"\d[\d.,'’ \u00a0\u202f\u2009\u2007]*\d|\d|[.,]\d+")
_SHORT_BLANK = {"", "-", "--", "\u2013", "\u2014"}


def split_cell(text: str) -> tuple[str, str, str] | None:
    """(before, number, after) of a cell such as `-$1,234.50 CR`; None where there is not exactly one number."""
    found = _CORE.search(text)
    if not found:
        return None
    before, number, after = text[: found.start()], found[0], text[found.end() :]
    return None if any(map(str.isdigit, after)) else (before, number, after)


def are_groups(parts: Sequence[str]) -> bool:
    """Whether the digits stand in groups as people write them: of three, or of two before the last three (India)."""
    first, *groups = parts
    if not groups or not all(map(str.isdigit, parts)):
        return False
    western = all(len(g) == 3 for g in groups) and 1 <= len(first) <= 3
    return western or (len(groups[-1]) == 3 and all(len(g) == 2 for g in groups[:-1]) and 1 <= len(first) <= 2)


class Marks:
    """What a column says about its decimal mark: `decimals` holds each mark that some cell proves."""

    def __init__(self, cells: Iterable[str]) -> None:
        self.decimals: dict[str, str] = {}  # mark -> the cell that proves it
        self.open: list[str] = []
        self.longest_part = 0
        for cell in dict.fromkeys(cells):
            parts = split_cell(cell.strip())
            if parts:
                self._weigh(cell.strip(), parts[1])

    def _weigh(self, cell: str, number: str) -> None:
        points, commas = number.count("."), number.count(",")
        if not points and not commas:
            return
        if points and commas:
            mark, other = (".", ",") if number.rfind(".") > number.rfind(",") else (",", ".")
            if number.count(mark) == 1 and are_groups(number.partition(mark)[0].split(other)):
                self._proves(mark, cell, number)
            return
        mark = "." if points else ","
        if points + commas > 1:
            if are_groups(number.split(mark)):
                self._proves("," if mark == "." else ".", cell, "")
            return
        whole, _, part = number.partition(mark)
        bare = "".join(c for c in whole if c.isdigit())
        if len(part) != 3 or len(bare) > 3 or bare in ("", "0") or len(bare) != len(whole):
            self._proves(mark, cell, number)
        else:
            self.open.append(cell)

    def _proves(self, mark: str, cell: str, number: str) -> None:
        self.decimals.setdefault(mark, cell)
        self.longest_part = max(self.longest_part, len(number.rpartition(mark)[2]) if number else 0)


class MoneyCells(Cells):
    """Money of one currency by the marks of a profile. Places beyond the currency's are refused unless a rounding is named."""

    def __init__(self, currency: str, profile: Profile, *, decimal_mark: str | None = None) -> None:
        super().__init__()
        self.currency = currency
        self._places = exponent(currency)
        self._decimal = decimal_mark or profile.decimal_mark or "."
        group = profile.group_mark
        self._groups = group if group is not None else "".join(m for m in ".,'’" + _SPACES if m != self._decimal)
        self._symbols = profile.symbols
        self._suffix = profile.negative.upper()
        self._rounding = {"half_up": ROUND_HALF_UP, "half_even": ROUND_HALF_EVEN}.get(profile.rounding or "")
        self._most = MOST * 10**self._places
        self._zeros = "0" * self._places

    def parse(self, text: str) -> Money | Refused | None:
        # The plain case of nearly every cell, without a regular expression.
        whole, _, part = text.partition(self._decimal)
        if whole.isdigit() and whole.isascii() and (not part or (part.isdigit() and part.isascii())) and len(part) <= self._places:
            minor = int(whole + part + self._zeros[len(part) :])
            if minor <= self._most:
                return Money(minor, self.currency)
        return self._carefully(text)

    def _carefully(self, cell: str) -> Money | Refused | None:
        text = cell.strip()
        if text in _SHORT_BLANK:
            return None
        parts = split_cell(text)
        if parts is None or not set(parts[1]) <= set("0123456789.,'’" + _SPACES):
            return Refused("bad_amount", f"{text[:80]!r} is not an amount")
        sign = self._sign(*parts)
        if isinstance(sign, Refused):
            return sign
        number = self._plain(parts[1])
        if number is None:
            return Refused("bad_amount", f"{text[:80]!r} is not an amount with the decimal mark {self._decimal!r}")
        return self._money(sign, number, text)

    def _sign(self, before: str, _number: str, after: str) -> int | Refused:
        left, right = before.strip(), after.strip()
        negative = False
        if "(" in left and ")" in right:
            negative, left, right = True, left.replace("(", "", 1), right.replace(")", "", 1)
        rest: list[str] = []
        for side in (left, right):
            signs = sum(c in _MINUS for c in side)
            if signs:
                if negative or signs > 1:
                    return Refused("bad_amount", "the amount carries two minus signs")
                negative = True
                side = "".join(c for c in side if c not in _MINUS)
            rest.append(side.replace("+", "", 1).strip(_SPACES))
        for word in filter(None, rest):
            verdict = self._word(word)
            if isinstance(verdict, Refused):
                return verdict
            negative ^= verdict
        return -1 if negative else 1

    def _word(self, word: str) -> bool | Refused:
        """Whether a word beside the number turns its sign; a foreign currency or a stray word is refused."""
        upper = word.upper().rstrip(".")
        if upper in ("CR", "DR", "C", "D", "S", "H") and self._suffix in ("CR", "DR"):
            return upper[0] in ("C", "H") if self._suffix == "CR" else upper[0] in ("D", "S")
        if upper in ("CR", "DR"):
            return Refused("bad_amount", f"{word!r} beside the amount: say in the profile whether CR or DR means minus")
        meant = sign_means(word, self._symbols)
        if not meant:
            return Refused("bad_amount", f"{word[:20]!r} beside the amount is no currency")
        if self.currency not in meant:
            return Refused("currency_differs", f"the amount says {word}, the row says {self.currency}")
        return False

    def _plain(self, number: str) -> str | None:
        """The number with `.` as decimal mark and no group marks, or None where its groups are not of three (or Indian two)."""
        whole, _, part = number.partition(self._decimal)
        if part and not part.isdigit():
            return None
        if not whole.isdigit() and whole:
            marks = {c for c in whole if not c.isdigit()}
            if len(marks) != 1 or not marks <= set(self._groups):
                return None
            groups = whole.split(marks.pop())
            if not are_groups(groups):
                return None
            whole = "".join(groups)
        return f"{whole or '0'}.{part or '0'}"

    def _money(self, sign: int, number: str, text: str) -> Money | Refused:
        value = sign * Decimal(number)
        if abs(value) > MOST:
            return Refused("amount_too_large", f"{text[:80]} is more than {MOST:,} {self.currency}; check the columns")
        step = Decimal(1).scaleb(-self._places)
        rounded = value.quantize(step, rounding=self._rounding or ROUND_HALF_EVEN)
        if rounded != value and not self._rounding:
            return Refused("too_many_places", f"{text[:80]} has more decimal places than {self.currency} has ({self._places})")
        return Money(int(rounded.scaleb(self._places)), self.currency)


class MoneyByCurrency(dict[str, MoneyCells]):
    """A reader per currency, made when first needed; `troubles` counts over all of them."""

    def __init__(self, profile: Profile, *, decimal_mark: str | None = None) -> None:
        super().__init__()
        self._profile = profile
        self._mark = decimal_mark
        decimal = decimal_mark or profile.decimal_mark or "."
        group = (profile.group_mark or ("," if decimal == "." else "."))[:1]
        self._drop = str.maketrans("", "", decimal + group)
        # Every cell blank or with exactly two places: then the column is read without looking at single cells.
        grouped, mark = rf"\d{{1,3}}(?:{re.escape(group)}\d{{3}}){{1,4}}", re.escape(decimal)
        self._two_places = re.compile(rf"(?:(?:-?(?:\d{{1,15}}|{grouped}){mark}\d\d)?\n)*\Z", re.ASCII)

    def read(self, column: Sequence[str], codes: Sequence[str | None]) -> list[Any]:
        """Money of a column, each cell in the currency beside it; None where blank or where the currency is not known."""
        kinds = set(codes)
        if None not in kinds and all(exponent(code) == 2 for code in kinds if code):
            joined = "\n".join(column) + "\n"
            if self._two_places.match(joined):
                digits = joined.translate(self._drop).split("\n")[:-1]
                if "" not in digits:
                    return list(map(Money, map(int, digits), codes))  # type: ignore[arg-type]
                return [Money(int(number), code) if number else None for number, code in zip(digits, codes, strict=True)]  # type: ignore[arg-type]
        if len(kinds) == 1 and codes[0]:
            return self[codes[0]].read(column)
        return [self[code][text] if code else None for code, text in zip(codes, column, strict=True)]

    def __missing__(self, currency: str) -> MoneyCells:
        cells = self[currency] = MoneyCells(currency, self._profile, decimal_mark=self._mark)
        return cells

    @property
    def troubles(self) -> int:
        return sum(cells.troubles for cells in self.values())


def currency_in_cell(text: str, symbols: Mapping[str, str]) -> str | Refused:
    """The currency that an amount cell itself names. Raises nothing; an unnamed or shared sign is refused."""
    parts = split_cell(text.strip())
    if parts is None:
        return Refused("bad_amount", f"{text.strip()[:80]!r} is not an amount")
    for side in (parts[0], parts[2]):
        word = "".join(c for c in side if c not in _MINUS + "()+").strip(_SPACES)
        meant = sign_means(word, symbols) if word else frozenset()
        if len(meant) == 1:
            return next(iter(meant))
        if len(meant) > 1:
            return Refused("currency_unclear", f"{word} can mean {', '.join(sorted(meant))}; say which")
    return Refused("currency_missing", f"no currency is given for {text.strip()[:80]!r}")


__all__ = ["MOST", "Marks", "MoneyByCurrency", "MoneyCells", "MoneyError", "currency_in_cell", "split_cell"]
