"""Closing documents with a small difference: discount by terms, rounding, exchange, bank fee - each only as the policy allows."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

from tieout.core.matching.book import Document, OpenPayment, Part, Policy, WriteOff
from tieout.core.money import exponent, is_currency

#: Discounts of which every selection is tried.
_MOST_DISCOUNTS = 10
_AMOUNT = re.compile(r"(?<![\d.,])(\d{1,3}(?:[., ']\d{3})+|\d+)(?:[.,](\d{1,3}))?(?![.,]?\d)")
#: With its cents, so that "ALL 3 invoices" is not three Albanian lek.
_CODE_BESIDE_AMOUNT = re.compile(r"\b([A-Z]{3})[ /:]{0,2}\d[\d.,']*[.,]\d{2}\b|\d[.,]\d{2}[ /:]{0,2}([A-Z]{3})\b")


def closing(named: Sequence[Document], payment: OpenPayment, policy: Policy) -> tuple[tuple[Part, ...], str] | None:
    """Parts that close all of `named` with this payment, and how in words; None where the difference is not allowed.

    Tried in this order: exact, discount, rounding, exchange, fee. A write-off hangs on the largest invoice, a discount on
    the invoices it belongs to.
    """
    total = sum(document.signed for document in named)
    short = total - payment.minor
    if total <= 0:
        return None
    if short == 0:
        return _in_full(named), "the amounts agree exactly"
    ways = _discounts(named, payment, policy, short)
    if len(ways) > 1:
        return None
    if ways:
        return tuple(_part(d, ways[0].get(d.document_id, 0), "discount") for d in named), "short by exactly the discount of its terms"
    reason = _allowed(short, total, payment, policy)
    if reason is None:
        return None
    if short < 0:
        return _in_full(named), f"over by a {_WORDS[reason]}, which stays on account"
    largest = max((d for d in named if d.kind == "invoice"), key=lambda d: (d.open_minor, d.document_id))
    if largest.open_minor <= short:
        return None
    return tuple(_part(d, short if d is largest else 0, reason) for d in named), f"short by a {_WORDS[reason]} the policy allows"


_WORDS: dict[WriteOff, str] = {"discount": "discount", "fee": "bank fee", "rounding": "rounding", "fx": "difference in exchange"}


def _in_full(named: Sequence[Document]) -> tuple[Part, ...]:
    return tuple(Part(d.document_id, d.signed) for d in named)


def _part(document: Document, off: int, reason: WriteOff) -> Part:
    return Part(document.document_id, document.signed - off, off, reason if off else None)


def _discounts(named: Sequence[Document], payment: OpenPayment, policy: Policy, short: int) -> list[dict[str, int]]:
    """The ways in which discounts taken make up exactly what is short: for each, discount by document.

    A discount may be taken of an invoice that is wholly open and whose terms still ran on the payment's date. All of them
    taken is how payers do it, so that counts alone; else every selection counts.
    """
    if not policy.discount or payment.date is None or short <= 0:
        return []
    offered = {
        d.document_id: int((d.amount_minor * d.discount_pct / 100).to_integral_value(ROUND_HALF_UP))
        for d in named
        if d.kind == "invoice" and d.discount_pct and d.discount_until and payment.date <= d.discount_until and d.open_minor == d.amount_minor
    }
    if sum(offered.values()) == short:
        return [offered]
    some = list(offered.items())[:_MOST_DISCOUNTS]
    return [dict(taken) for size in range(1, len(some)) for taken in itertools.combinations(some, size) if sum(off for _, off in taken) == short]


def _allowed(short: int, total: int, payment: OpenPayment, policy: Policy) -> WriteOff | None:
    places = exponent(payment.currency)
    if abs(short) <= policy.rounding_abs.scaleb(places):
        return "rounding"
    if abs(short) <= total * policy.fx_tolerance_pct / 100 and _converted(total, payment):
        return "fx"
    if 0 < short <= policy.fee_tolerance_abs.scaleb(places) and short <= total * policy.fee_tolerance_pct / 100:
        return "fee"
    return None


def _converted(total: int, payment: OpenPayment) -> bool:
    """Whether the text names the original amount: the sum itself, or an amount in another currency."""
    text = " ".join(payment.texts).upper()
    codes = {code for pair in _CODE_BESIDE_AMOUNT.findall(text) for code in pair if code}
    if any(code != payment.currency and is_currency(code) for code in codes):
        return True
    return any(_minor(whole, rest, payment.currency) == total for whole, rest in _AMOUNT.findall(text))


def _minor(whole: str, rest: str, currency: str) -> int | None:
    places = exponent(currency)
    if len(rest) not in (0, places):
        return None
    return int(Decimal(re.sub(r"\D", "", whole) + "." + (rest or "0")).scaleb(places))
