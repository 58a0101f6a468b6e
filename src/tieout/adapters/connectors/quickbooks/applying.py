"""What a payment applies. QuickBooks says how much each invoice takes and each credit memo gives, not which pays which.

Credits go first, to the invoices in their order, money to what is left of them. What a payment links to beside those two (a journal
entry, an expense) has no place here: its part is left out and shows as a difference.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from tieout.core.documents import Applied
from tieout.core.money import Money


def entries(*, payment_id: str, takes: Mapping[str, Money], gives: Mapping[str, Money], cash: Money) -> tuple[Applied, ...]:
    """The parts of `takes` (by invoice) that credits (`gives`, by memo) and money pay. No more money than `cash`, no more of a credit
    than it gives, and no more on an invoice than it takes."""
    left = {document: amount.minor for document, amount in takes.items()}
    currency = cash.currency
    parts: defaultdict[tuple[str, str], int] = defaultdict(int)
    for memo, amount in gives.items():
        for document, minor in _poured(amount.minor, left):
            parts[memo, document] += minor
    credits = [Applied(document_id=document, amount=Money(minor, currency), credit_note_id=memo) for (memo, document), minor in parts.items()]
    money = [Applied(document_id=document, amount=Money(minor, currency), payment_id=payment_id) for document, minor in _poured(cash.minor, left)]
    return (*credits, *money)


def _poured(minor: int, left: dict[str, int]) -> Iterable[tuple[str, int]]:
    """An amount over what is left of each document, in their order; what it covers is left no more."""
    for document, open_minor in left.items():
        part = min(minor, open_minor)
        if part > 0:
            minor -= part
            left[document] = open_minor - part
            yield document, part
