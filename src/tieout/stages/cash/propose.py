"""Propose: what a person is offered for money the machine leaves alone, with its reason and its rival, kept up to date."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from tieout.core import matching
from tieout.core.evidence import Actor
from tieout.stages.base import audit, feed
from tieout.stages.cash import gather, judge
from tieout.stages.cash.models import Proposal
from tieout.stages.ledger.models import Payment

_Line = dict[str, Any]


class Refreshed(msgspec.Struct, frozen=True):
    """How many proposals are new, and how many no longer stand."""

    new: int = 0
    outdated: int = 0


def refresh(*, customer_ids: Iterable[int] | None = None, now: dt.datetime, judged: judge.Judged | None = None) -> Refreshed:
    """Bring the proposals up to date with the book. With `customer_ids` only where their money, or nobody's, waits.

    Only differences are written; what a person dismissed is not offered again.
    """
    if customer_ids is not None and judged is None and not _concerned(set(customer_ids)):
        return Refreshed()
    judged = judged or judge.everything()
    wanted = {} if judged is None else {gather.row_id(a.payment_id): a for a in judged.applications}
    standing: dict[int, list[Proposal]] = defaultdict(list)
    for row in Proposal.objects.filter(state__in=["open", "dismissed"]).order_by("place", "id"):
        standing[row.payment_id].append(row)
    new: list[Proposal] = []
    gone: list[int] = []
    for payment_id in sorted({*wanted, *standing}):
        fresh, stale = _difference(payment_id, wanted.get(payment_id), standing[payment_id], now)
        new += fresh
        gone += stale
    Proposal.objects.filter(pk__in=gone).update(state="outdated")
    written = Proposal.objects.bulk_create(new, batch_size=1000)
    feed.publish(kind="proposal", ids=[*gone, *(p.pk for p in written)], customer_ids=[], cause="cash.propose", now=now)
    return Refreshed(len(new), len(gone))


def clear(*, payment_ids: Iterable[int], now: dt.datetime) -> Refreshed:
    """Proposals of these payments are about a state that is gone: take them off until they are made anew."""
    rows = Proposal.objects.filter(payment_id__in=set(payment_ids), state="open")
    gone = list(rows.values_list("pk", flat=True))
    rows.update(state="outdated")
    feed.publish(kind="proposal", ids=gone, customer_ids=[], cause="cash.propose", now=now)
    return Refreshed(outdated=len(gone))


def dismiss(*, proposal: Proposal, actor: Actor, now: dt.datetime, reason: str = "") -> Proposal:
    """A person does not want this reading; it is not offered again. Twice changes nothing."""
    row: Proposal = proposal.lock()
    if row.state == Proposal.State.OPEN:
        row.state = Proposal.State.DISMISSED
        row.save(update_fields=["state"])
        feed.publish(kind="proposal", ids=[row.pk], customer_ids=[], cause="cash.dismiss", now=now)
        audit.write(
            actor=actor, action="cash.dismiss", object_kind="payment", object_id=row.payment_id, now=now, reason=reason, detail={"lines": row.lines}
        )
    return row


def restore(*, proposal: Proposal, actor: Actor, now: dt.datetime, reason: str = "") -> Proposal:
    """Take a dismissal back."""
    row: Proposal = proposal.lock()
    if row.state == Proposal.State.DISMISSED:
        row.state = Proposal.State.OPEN
        row.save(update_fields=["state"])
        feed.publish(kind="proposal", ids=[row.pk], customer_ids=[], cause="cash.restore", now=now)
        audit.write(actor=actor, action="cash.restore", object_kind="payment", object_id=row.payment_id, now=now, reason=reason)
    return row


def taken(*, payment_id: int, lines: Sequence[tuple[int, int]]) -> None:
    """A person applied the payment: the proposal with these very lines was taken, the others are about a state that is gone."""
    chosen = sorted(lines)
    for row in Proposal.objects.filter(payment_id=payment_id, state="open"):
        row.state = "taken" if sorted((line["document_id"], line["amount_minor"]) for line in row.lines) == chosen else "outdated"
        row.save(update_fields=["state"])


def _concerned(customers: set[int]) -> bool:
    waiting = Payment.objects.filter(unapplied_minor__gt=0)
    return bool(waiting.filter(customer_id__in=customers).exists() or waiting.filter(customer__isnull=True).exists())


def _difference(
    payment_id: int, application: matching.Application | None, standing: list[Proposal], now: dt.datetime
) -> tuple[list[Proposal], list[int]]:
    """New proposals for a payment, and the open ones that no longer stand."""
    dismissed = [row.lines for row in standing if row.state == Proposal.State.DISMISSED]
    readings = () if application is None else application.readings
    offered = [
        Proposal(
            payment_id=payment_id, place=place, lines=_lines(reading), confidence=_word(reading.confidence),
            reason=gather.words(reading.reason), rival=gather.words(reading.rival), proposed_at=now,
        )
        for place, reading in enumerate(readings, start=1)
        if _lines(reading) not in dismissed
    ]
    kept = {row.pk for row in standing for p in offered if _same(row, p)}
    fresh = [p for p in offered if not any(_same(row, p) for row in standing)]
    return fresh, [row.pk for row in standing if row.state == Proposal.State.OPEN and row.pk not in kept]


def _same(row: Proposal, offered: Proposal) -> bool:
    return (row.state, row.place, row.lines, row.reason, row.rival) == ("open", offered.place, offered.lines, offered.reason, offered.rival)


def _lines(reading: matching.Reading) -> list[_Line]:
    lines: list[_Line] = []
    for part in reading.parts:
        line: _Line = {"document_id": gather.row_id(part.document_id), "amount_minor": part.minor}
        if part.write_off_minor:
            line |= {"write_off_minor": part.write_off_minor, "write_off_reason": part.write_off_reason}
        lines.append(line)
    return lines


def _word(confidence: int) -> str:
    """A class of evidence in a word: a number would be taken for a probability, which it is not."""
    return "high" if confidence >= 80 else "medium" if confidence >= 50 else "low"
