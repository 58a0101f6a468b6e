"""Exact money: an integer of minor units with its currency, after ISO 4217 (promise P11).

No floats enter or leave. Splits give back every cent; a sum over two currencies is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import lru_cache

import iso4217
import msgspec


class MoneyError(ValueError):
    """The amount or the currency cannot be taken as exact money; the message says why."""


@lru_cache(maxsize=512)
def exponent(currency: str) -> int:
    """Decimal places of `currency` per ISO 4217 (EUR 2, JPY 0, KWD 3).

    Raises MoneyError for an unknown code and for codes that have no minor unit (gold, funds).
    """
    try:
        places = iso4217.Currency(currency).exponent
    except ValueError:
        raise MoneyError(f"{currency!r} is not an ISO 4217 currency code") from None
    if places is None:
        raise MoneyError(f"{currency} has no minor unit and cannot be used for receivables")
    return int(places)


def is_currency(code: str) -> bool:
    """Whether `code` is an ISO 4217 currency that an invoice can be in."""
    try:
        exponent(code)
    except MoneyError:
        return False
    return True


class Money(msgspec.Struct, frozen=True):
    """`minor` units of `currency`: Money(12345, "EUR") is 123.45 EUR."""

    minor: int
    currency: str

    def __add__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.minor - other.minor, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def __lt__(self, other: Money) -> bool:
        self._same(other)
        return self.minor < other.minor

    def __le__(self, other: Money) -> bool:
        self._same(other)
        return self.minor <= other.minor

    def __bool__(self) -> bool:
        return self.minor != 0

    def __str__(self) -> str:
        return f"{self.text()} {self.currency}"

    def _same(self, other: Money) -> None:
        if self.currency != other.currency:
            raise MoneyError(f"cannot combine {self.currency} with {other.currency} without a rate")

    def decimal(self) -> Decimal:
        """The amount as an exact Decimal with all places of its currency."""
        return Decimal(self.minor).scaleb(-exponent(self.currency))

    def text(self) -> str:
        """The amount as a plain decimal string with all places: `1234.50`, `-3.00`, `500` (JPY)."""
        return minor_text(self.minor, self.currency)

    def split(self, weights: Sequence[int]) -> list[Money]:
        """Share by `weights`; the parts sum to the whole, the largest remainders get the odd cents."""
        total = sum(weights)
        if not weights or total <= 0 or min(weights) < 0:
            raise MoneyError("weights must be non-negative and not all zero")
        sign = -1 if self.minor < 0 else 1
        whole = abs(self.minor)
        floors = [whole * w // total for w in weights]
        by_remainder = sorted(range(len(weights)), key=lambda i: (-(whole * weights[i] % total), i))
        for i in by_remainder[: whole - sum(floors)]:
            floors[i] += 1
        return [Money(sign * f, self.currency) for f in floors]


def minor_text(minor: int, currency: str) -> str:
    """Minor units as a plain decimal string with all places of `currency`."""
    places = exponent(currency)
    if places == 0:
        return str(minor)
    digits = str(abs(minor)).rjust(places + 1, "0")
    return f"{'-' if minor < 0 else ''}{digits[:-places]}.{digits[-places:]}"


#: More digits of minor units than any receivable has; larger ones are slips, and would not fit the database's integers.
MOST_DIGITS = 18

_PLAIN = re.compile(r"([+-]?)(?=[0-9.]*[0-9])([0-9]*)(?:\.([0-9]*))?")


def from_decimal(value: Decimal, currency: str) -> Money:
    """Exact conversion. Raises MoneyError when `value` has more places than `currency` has, or is beyond all reason.

    Decimal's own arithmetic rounds to its context (28 digits), so none of it is used.
    """
    if not value.is_finite():
        raise MoneyError("not a finite number")
    sign, digits, power = value.as_tuple()
    places = exponent(currency)
    if not any(digits):
        return Money(0, currency)
    if value.adjusted() + places >= MOST_DIGITS:
        raise MoneyError(f"{value} is larger than an amount can be")
    shift = int(power) + places
    whole = int("".join(map(str, digits)))
    if shift < 0:
        whole, rest = divmod(whole, 10**-shift) if -shift <= len(digits) else (0, 1)
        if rest:
            raise MoneyError(f"{value} has more decimal places than {currency} has ({places})")
    return Money((-whole if sign else whole) * 10 ** max(shift, 0), currency)


def from_text(text: str, currency: str) -> Money:
    """Read a plain decimal string such as `-1234.50`: digits of ASCII, a point; no symbols, thousands marks or exponent."""
    found = _PLAIN.fullmatch(text.strip())
    if found is None:
        raise MoneyError(f"{text!r} is not a plain decimal number")
    sign, whole, rest = found.groups(default="")
    places = exponent(currency)
    if len(rest) > places:
        if rest[places:].strip("0"):
            raise MoneyError(f"{text} has more decimal places than {currency} has ({places})")
        rest = rest[:places]
    digits = (whole + rest.ljust(places, "0")).lstrip("0")
    if len(digits) > MOST_DIGITS:
        raise MoneyError(f"{text} is larger than an amount can be")
    minor = int(digits or "0")
    return Money(-minor if sign == "-" else minor, currency)


def totals(amounts: Iterable[Money]) -> dict[str, Money]:
    """Sum per currency, sorted by code; amounts in different currencies are never added together."""
    sums: dict[str, int] = {}
    for amount in amounts:
        sums[amount.currency] = sums.get(amount.currency, 0) + amount.minor
    return {code: Money(sums[code], code) for code in sorted(sums)}
