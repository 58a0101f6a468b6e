"""Currencies as they stand in files: codes, signs that mean one currency, and signs that several share.

A shared sign ($, kr, ¥, Rs) never decides alone; the profile or a person says which currency it means.
"""

from __future__ import annotations

from collections.abc import Mapping

from tieout.adapters.ports.table.cells import Cells, Noted, Refused, clean
from tieout.core.money import is_currency

SIGNS: dict[str, str] = {
    "€": "EUR", "EURO": "EUR", "EUROS": "EUR", "£": "GBP", "₹": "INR", "US$": "USD", "USD$": "USD", "$US": "USD", "CA$": "CAD",
    "C$": "CAD", "CAD$": "CAD", "CDN$": "CAD", "A$": "AUD", "AU$": "AUD", "AUD$": "AUD", "NZ$": "NZD", "HK$": "HKD", "S$": "SGD",
    "R$": "BRL", "MX$": "MXN", "NT$": "TWD", "ZŁ": "PLN", "KČ": "CZK", "FT": "HUF", "₺": "TRY", "₪": "ILS", "₩": "KRW", "฿": "THB",
    "₫": "VND", "₴": "UAH", "₽": "RUB", "₦": "NGN", "SFR": "CHF", "FR": "CHF", "CN¥": "CNY", "JP¥": "JPY", "円": "JPY", "元": "CNY",
    "₱": "PHP", "₡": "CRC", "₸": "KZT", "₼": "AZN", "₾": "GEL", "лв": "BGN", "ЛВ": "BGN",
}  # fmt: skip
SHARED: dict[str, frozenset[str]] = {
    "$": frozenset({"USD", "CAD", "AUD", "NZD", "HKD", "SGD", "MXN", "ARS", "CLP", "COP", "TWD"}),
    "KR": frozenset({"SEK", "NOK", "DKK", "ISK"}),
    "¥": frozenset({"JPY", "CNY"}),
    "RS": frozenset({"INR", "PKR", "LKR", "NPR", "MUR"}),
    "R": frozenset({"ZAR"}),
}


def sign_means(word: str, symbols: Mapping[str, str]) -> frozenset[str]:
    """The currencies that a code or sign beside an amount can mean; empty where it is no currency."""
    if word in symbols:
        return frozenset({symbols[word]})
    upper = word.upper().rstrip(".")
    if upper in symbols:
        return frozenset({symbols[upper]})
    if upper in SIGNS:
        return frozenset({SIGNS[upper]})
    if upper in SHARED:
        return SHARED[upper]
    return frozenset({upper}) if len(upper) == 3 and upper.isalpha() and upper.isascii() and is_currency(upper) else frozenset()


class CurrencyCells(Cells):
    """ISO codes in any case, and signs; a shared sign needs the profile's word."""

    def __init__(self, symbols: Mapping[str, str]) -> None:
        super().__init__()
        self._symbols = symbols

    def parse(self, text: str) -> str | Refused:
        word = clean(text)
        if not word:
            return Refused("currency_missing", "the currency is missing")
        meant = sign_means(word, self._symbols)
        if len(meant) == 1:
            return next(iter(meant))
        if meant:
            return Refused("currency_unclear", f"{word!r} can mean {', '.join(sorted(meant))}; say which in the profile")
        return Refused("currency_unknown", f"{word[:20]!r} is not an ISO 4217 currency that an invoice can be in")


class CurrencyOrNone(CurrencyCells):
    """The same for a field that may be left out: what is not understood is noted, the row is taken."""

    def parse(self, text: str) -> str | Noted | None:  # type: ignore[override]
        if not text.strip():
            return None
        code = super().parse(text)
        return Noted(None, code.code, f"{code.message}; left empty") if isinstance(code, Refused) else code
