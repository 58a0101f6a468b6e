"""Judge the unapplied money against the open book: `core.matching`, tempered by what people decided before.

A pair a person took apart is never put together again, and a payment a person applied in part is left to people: the machine
proposes, at most (promise P6).
"""

from __future__ import annotations

import msgspec

from tieout.core import matching
from tieout.stages.cash import gather

_PAID_ELSEWHERE = "; its source reports it as paid: this may be the money that paid it"


class Judged(msgspec.Struct, frozen=True):
    """The snapshot and, for each of its payments, what to do."""

    seen: gather.Gathered
    applications: tuple[matching.Application, ...]


def everything() -> Judged | None:
    """Judge all unapplied money; None where there is none."""
    seen = gather.everything()
    return None if seen is None else of(seen)


def of(seen: gather.Gathered) -> Judged:
    """Judge a snapshot. Pure."""
    answers = [_tempered(a, seen) for a in matching.solve(seen.book, seen.payments)]
    if seen.reported and any(a.decision == "none" for a in answers):
        answers = _explained(answers, seen)
    return Judged(seen, tuple(answers))


def _tempered(answer: matching.Application, seen: gather.Gathered) -> matching.Application:
    payment = gather.row_id(answer.payment_id)
    readings = tuple(r for r in answer.readings if not any((payment, gather.row_id(part.document_id)) in seen.undone for part in r.parts))
    if not readings:
        reason = "a person took this very match apart" if answer.readings else answer.reason
        return matching.Application(answer.payment_id, "none", (), reason)
    decision = answer.decision
    if decision == "apply" and payment in seen.by_hand:
        decision = "propose"
    return matching.Application(answer.payment_id, decision, readings, readings[0].reason)


def _explained(answers: list[matching.Application], seen: gather.Gathered) -> list[matching.Application]:
    """Money that fits nothing open may be what settled a document its source reports as paid: proposed, never applied."""
    documents = tuple(
        msgspec.structs.replace(d, open_minor=seen.reported[i]) if (i := gather.row_id(d.document_id)) in seen.reported else d
        for d in seen.book.documents
    )
    left = {a.payment_id for a in answers if a.decision == "none"}
    again = matching.solve(msgspec.structs.replace(seen.book, documents=documents), seen.payments)
    found = {a.payment_id: _tempered(a, seen) for a in again if a.payment_id in left}
    return [_as_explanation(found[a.payment_id], a, seen) if a.payment_id in left else a for a in answers]


def _as_explanation(found: matching.Application, before: matching.Application, seen: gather.Gathered) -> matching.Application:
    readings = tuple(
        msgspec.structs.replace(r, confidence=min(r.confidence, 60), reason=r.reason + _PAID_ELSEWHERE)
        for r in found.readings
        if any(gather.row_id(part.document_id) in seen.reported for part in r.parts)
    )
    return matching.Application(before.payment_id, "propose", readings, readings[0].reason) if readings else before
