"""Amounts and days as a letter's reader sees them, in their language. Nothing here computes."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache

from babel.dates import format_date
from babel.numbers import get_decimal_symbol, get_group_symbol

from tieout.core.money import minor_text


@lru_cache(maxsize=64)
def _marks(language: str) -> tuple[str, str]:
    return get_decimal_symbol(language), get_group_symbol(language)


@lru_cache(maxsize=65536)
def plain(minor: int, currency: str, language: str) -> str:
    """`1,234.50`, in German `1.234,50`: all decimals of the currency, no code."""
    decimal, group = _marks(language)
    whole, dot, rest = minor_text(abs(minor), currency).partition(".")
    grouped = f"{int(whole):,}".replace(",", group)
    return f"{'-' if minor < 0 else ''}{grouped}{decimal if dot else ''}{rest}"


def money(minor: int, currency: str, language: str) -> str:
    """`EUR 1,234.50`, in German `1.234,50 EUR`."""
    amount = plain(minor, currency, language)
    return f"{amount} {currency}" if language == "de" else f"{currency} {amount}"


@lru_cache(maxsize=8192)
def day(date: dt.date | None, language: str) -> str:
    """`3 May 2026`, `3. Mai 2026`; an unknown day says so."""
    if date is None:
        return "ohne Datum" if language == "de" else "no date"
    if language == "en":  # day before month, as most readers of English letters outside one country write it
        return f"{date.day} {format_date(date, 'MMMM yyyy', locale='en')}"
    return format_date(date, "long", locale=language)


def late(days_late: int, language: str) -> str:
    """`1 day`, `12 days`; German in the case that follows *seit*: `1 Tag`, `12 Tagen`."""
    if language == "de":
        return f"{days_late} {'Tag' if days_late == 1 else 'Tagen'}"
    return f"{days_late} {'day' if days_late == 1 else 'days'}"


def joined(parts: list[str], language: str) -> str:
    """`a`, `a and b`, `a, b and c`."""
    word = "und" if language == "de" else "and"
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} {word} {parts[-1]}" if parts else ""
