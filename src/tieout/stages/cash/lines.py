"""Lines: how an act of applying money is checked, and how it becomes allocations."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import msgspec

from tieout.core.evidence import Actor
from tieout.core.money import minor_text
from tieout.stages.ledger.models import Allocation, Document, Payment


class Part(msgspec.Struct, frozen=True):
    """A line of an act: minor units for a document (negative: of a credit note), and what is written off beside it."""

    document: Document
    minor: int
    write_off_minor: int = 0
    write_off_reason: str = ""


def rows(
    payment: Payment, parts: Sequence[Part], *, date: dt.date, actor: Actor, rule: str, reason: str, evidence: dict[str, object], now: dt.datetime
) -> list[Allocation]:
    """Allocations of one payment: credit notes against the invoices in their order, then the cash, then what is written off.

    What goes with the cash names its payment in `evidence`, so that undoing the payment undoes the whole act.
    """

    def row(kind: str, document: Document, minor: int, why: str, **fields: object) -> Allocation:
        return Allocation(
            kind=kind, document=document, currency=payment.currency, amount_minor=minor, date=date, recorded_at=now, rank=actor.rank,
            actor_kind=actor.kind, actor_name=actor.name, actor_id=actor.id, rule=rule, reason=why,
            evidence=evidence if kind == "cash" else {**evidence, "payment_id": payment.pk}, **fields,
        )

    credits = [(part.document, -part.minor) for part in parts if part.minor < 0]
    made: list[Allocation] = []
    for part in parts:
        cash = part.minor
        while cash > 0 and credits:
            note, rest = credits.pop(0)
            used = min(rest, cash)
            made.append(row("credit", part.document, used, f"{note.number} netted with {part.document.number}", credit_note=note))
            cash -= used
            if rest > used:
                credits.insert(0, (note, rest - used))
        if cash > 0:
            made.append(row("cash", part.document, cash, reason, payment=payment))
        if part.write_off_minor:
            made.append(row("write_off", part.document, part.write_off_minor, f"{part.write_off_reason}: {reason}"))
    return made


def wrong(payment: Payment, lines: Sequence[tuple[int, int]], documents: dict[int, Document]) -> str:
    """Why these lines (document id, minor units; a credit note's negative) cannot be applied, in words; empty where they can."""
    if not lines:
        return "choose at least one document"
    if len({i for i, _ in lines}) < len(lines):
        return "a document stands in two lines; put them together"
    if payment.status not in ("succeeded", "settled"):
        return f"this payment is {payment.status}; only money that is here can be applied"
    for i, minor in lines:
        document = documents.get(i)
        objection = f"document {i} is not there" if document is None else _line_wrong(payment, document, minor)
        if objection:
            return objection
    total = sum(minor for _, minor in lines)
    if any(minor < 0 for _, minor in lines) and total < 0:
        return "the credit notes are more than the invoices they are set against"
    if total > payment.unapplied_minor:
        rest = minor_text(payment.unapplied_minor, payment.currency)
        return f"that is {minor_text(total, payment.currency)} {payment.currency}, and {rest} {payment.currency} of the payment is left"
    return ""


def _line_wrong(payment: Payment, document: Document, minor: int) -> str:
    if document.currency != payment.currency:
        return f"{document.number} is in {document.currency}, the payment in {payment.currency}"
    if document.status not in ("open", "unknown"):
        return f"{document.number} is {document.status.replace('_', ' ')}; nothing can be set against it"
    if minor == 0 or (minor < 0) != (document.kind == "credit_note"):
        sign = "negative: it is a credit note" if document.kind == "credit_note" else "more than nothing"
        return f"the amount for {document.number} must be {sign}"
    most = document.open_minor if document.kind == "credit_note" else left(document)
    if abs(minor) > most:
        asked = minor_text(abs(minor), payment.currency)
        return f"{document.number} has {minor_text(most, document.currency)} {document.currency} left, less than {asked}"
    return ""


def left(document: Document) -> int:
    """What a person may still set against an invoice: by our own sums, for its source may have closed it without saying how."""
    if document.status not in ("open", "unknown"):
        return 0
    return int(document.amount_minor - document.allocated_minor - document.written_off_minor)
