"""What a person is offered for a payment the machine leaves alone: ranked readings, each with its reason and its rival.

The classes of evidence stand in a fixed order - what is named, who pays and how much, sums of a few items, amount alone -
and are never weighed against each other.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator, Sequence

import msgspec

from tieout.core.matching.book import Document, OpenPayment, Part, Reading
from tieout.core.matching.index import Index, sums
from tieout.core.matching.named import Naming
from tieout.core.matching.tolerance import closing
from tieout.core.money import minor_text

#: How many readings a person is offered.
OFFERED = 3


def proposals(payment: OpenPayment, found: Naming, index: Index, objection: str) -> tuple[Reading, ...]:
    """Up to three different readings, best first. `objection` is why the named documents were not simply applied."""
    offered: list[Reading] = []
    for reading in itertools.chain(_by_number(payment, found, index, objection), _by_payer(payment, index), _by_amount(payment, index)):
        if reading.parts and all(set(reading.parts) != set(other.parts) for other in offered):
            offered.append(reading)
        if len(offered) > OFFERED:
            break
    return tuple(_with_rival(reading, offered) for reading in offered[:OFFERED])


def _with_rival(reading: Reading, offered: Sequence[Reading]) -> Reading:
    if reading.rival or len(offered) < 2:
        return reading
    other = offered[1] if offered[0] is reading else offered[0]
    return msgspec.structs.replace(reading, rival=f"{', '.join(part.document_id for part in other.parts)}: {other.reason}")


def _by_number(payment: OpenPayment, found: Naming, index: Index, objection: str) -> Iterator[Reading]:
    if found.open:
        yield _named(payment, found.open, index, objection)
    for group in found.unclear:
        candidates = [d for d in group if d.open_minor > 0 and d.currency == payment.currency and d.kind == "invoice"]
        for document in sorted(candidates, key=lambda d: _rank(d, payment, index)):
            fits = document.open_minor == payment.minor
            yield Reading(_settle([document], payment.minor), 60 if fits else 40, f"names {document.number}; {objection}", objection)
    for document in found.weak:
        if document.open_minor == payment.minor and document.currency == payment.currency and document.kind == "invoice":
            reason = f"the text holds {document.number}, which may mean something else, and the amount agrees"
            yield Reading(_settle([document], payment.minor), 50, reason)


def _named(payment: OpenPayment, documents: Sequence[Document], index: Index, objection: str) -> Reading:
    numbers = ", ".join(d.number for d in documents)
    closed = closing(documents, payment, index.policy)
    if closed:
        return Reading(closed[0], 85, f"names {numbers} and {closed[1]}; left for a person because {objection}", objection)
    total = sum(d.signed for d in documents)
    parts = _settle(documents, payment.minor)
    if payment.minor < total:
        short = minor_text(total - payment.minor, payment.currency)
        return Reading(parts, 70, f"names {numbers} and is {short} {payment.currency} short of what is open: a part payment", "")
    rest = minor_text(payment.minor - sum(p.minor for p in parts), payment.currency)
    return Reading(parts, 65, f"names {numbers} and is more than is open: {rest} {payment.currency} stays on account", "")


def _rank(document: Document, payment: OpenPayment, index: Index) -> tuple[bool, bool, dt.date, str]:
    fits_payer = any(index.related(document.customer_id, customers) for _, customers in index.payers(payment))
    return (not fits_payer, document.open_minor != payment.minor, document.due_date or dt.date.max, document.document_id)


def _by_payer(payment: OpenPayment, index: Index) -> Iterator[Reading]:
    for evidence, customers in index.payers(payment):
        items = index.open_of(customers, payment.currency)
        equal = [d for d in items if d.kind == "invoice" and d.open_minor == payment.minor]
        for document in equal:
            alone = "the only open invoice" if len(equal) == 1 else f"one of {len(equal)} open invoices"
            yield Reading(
                _settle([document], payment.minor), 75 if len(equal) == 1 else 45, f"{evidence}; {document.number} is {alone} of this amount"
            )
        if len(items) > 1 and sum(d.signed for d in items) == payment.minor:
            yield Reading(_in_full(items), 70, f"{evidence}; the amount is all that is open, {len(items)} items")
        ways = sums(items, payment.minor)
        for some in ways:
            confidence = 60 if len(ways) == 1 else 35
            yield Reading(_in_full(some), confidence, f"{evidence}; {' and '.join(d.number for d in some)} together make up the amount")


def _by_amount(payment: OpenPayment, index: Index) -> Iterator[Reading]:
    equal = index.of_amount(payment.currency, payment.minor)
    for document in equal[: OFFERED + 1]:
        alone = "the only open invoice" if len(equal) == 1 else f"one of {len(equal)} open invoices"
        yield Reading(_settle([document], payment.minor), 30 if len(equal) == 1 else 10, f"{document.number} is {alone} of exactly this amount")


def _in_full(documents: Sequence[Document]) -> tuple[Part, ...]:
    return tuple(Part(d.document_id, d.signed) for d in documents)


def _settle(documents: Sequence[Document], minor: int) -> tuple[Part, ...]:
    """Credit first, then the money, over the earliest due invoices, as far as both go; no more credit than it settles."""
    invoices = sorted((d for d in documents if d.kind == "invoice"), key=lambda d: (d.due_date or dt.date.max, d.number, d.document_id))
    owed = sum(d.open_minor for d in invoices)
    credit = min(owed, sum(d.open_minor for d in documents if d.kind == "credit_note"))
    left = min(owed, credit + minor)
    parts: list[Part] = []
    for note in (d for d in documents if d.kind == "credit_note"):
        used = min(credit, note.open_minor)
        credit -= used
        parts.append(Part(note.document_id, -used))
    for invoice in invoices:
        settled = min(left, invoice.open_minor)
        left -= settled
        parts.append(Part(invoice.document_id, settled))
    return tuple(part for part in parts if part.minor)
