"""Apply money to documents: by the machine what is provably the only reading, by a person what they decide."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

import msgspec

from tieout.core import matching
from tieout.core.evidence import Actor, Refused
from tieout.core.money import minor_text
from tieout.stages.base import queries as base
from tieout.stages.cash import account, entry, gather, judge, propose
from tieout.stages.cash import lines as line
from tieout.stages.ledger.models import Allocation, Document, Payment

_MACHINE = Actor("machine", "cash application")


class Applied(msgspec.Struct, frozen=True):
    """What an act wrote, and the payments it was about."""

    entries: tuple[entry.Entry, ...] = ()
    payment_ids: tuple[int, ...] = ()


def by_machine(*, payment_ids: Iterable[int] | None = None, now: dt.datetime, judged: judge.Judged | None = None) -> Applied:
    """Apply what has one reading only (of these payments; None: of all); the rest is left to `propose.refresh`.

    `judged` spares judging twice where the caller has it. What changed since it was judged is left for the next time.
    """
    judged = judged or judge.everything()
    if judged is None:
        return Applied()
    chosen = {gather.row_id(a.payment_id): a for a in judged.applications if a.decision == "apply"}
    if payment_ids is not None:
        chosen = {i: chosen[i] for i in sorted(set(payment_ids) & set(chosen))}
    rows = _still_true(chosen, judged, now)
    if not rows:
        return Applied()
    written = entry.write(rows)
    if isinstance(written, Refused):  # a worker without the account lock was faster: nothing is written, the next run sees it
        return Applied()
    entry.tell("cash.apply", written, actor=_MACHINE, now=now)
    return Applied(tuple(written), tuple(sorted({e.payment_id for e in written if e.payment_id is not None})))


def by_person(
    *, payment: Payment, lines: Sequence[tuple[int, int]], actor: Actor, now: dt.datetime, reason: str = ""
) -> Applied | Refused:
    """Apply a payment to documents as a person decides: lines of (document id, minor units), a credit note's negative.

    All or nothing. Credit notes are set against the invoices of the same act first, then the cash. Refused where a line does
    not fit, in words; the payment's rest stays on account.
    """
    documents = {d.pk: d for d in Document.objects.filter(pk__in=[i for i, _ in lines]).select_related("customer")}
    account.lock([payment.customer_id, *(d.customer_id for d in documents.values())])
    payment = payment.lock()
    documents = {d.pk: d for d in Document.objects.filter(pk__in=documents).order_by("pk")}
    wrong = line.wrong(payment, lines, documents)
    if wrong:
        return Refused(wrong)
    date = payment.date or base.today_of(base.profile(), now)
    parts = [line.Part(documents[i], minor) for i, minor in lines]
    rows = line.rows(payment, parts, date=date, actor=actor, rule="by hand", reason=reason or f"applied by {actor.name}", evidence={}, now=now)
    written = entry.write(rows)
    if isinstance(written, Refused):
        return written
    propose.taken(payment_id=payment.pk, lines=lines)
    entry.tell("cash.apply", written, actor=actor, now=now, reason=reason)
    return Applied(tuple(written), (payment.pk,))


def credit(
    *, credit_note: Document, document: Document, amount_minor: int, actor: Actor, now: dt.datetime, reason: str = ""
) -> Applied | Refused:
    """Set an amount of a credit note against an invoice."""
    account.lock([credit_note.customer_id, document.customer_id])
    fresh = {d.pk: d for d in Document.objects.filter(pk__in=[credit_note.pk, document.pk]).order_by("pk")}
    note, invoice = fresh[credit_note.pk], fresh[document.pk]
    left = min(note.open_minor, line.left(invoice))
    if note.kind != "credit_note" or invoice.kind != "invoice":
        return Refused("a credit note is set against an invoice, nothing else")
    if note.currency != invoice.currency:
        return Refused(f"{note.number} is in {note.currency}, {invoice.number} in {invoice.currency}")
    if not 0 < amount_minor <= left:
        return Refused(f"the amount must be more than nothing and at most {minor_text(left, note.currency)} {note.currency}")
    row = Allocation(
        kind="credit", credit_note=note, document=invoice, currency=note.currency, amount_minor=amount_minor,
        date=max(filter(None, (note.issue_date, invoice.issue_date)), default=base.today_of(base.profile(), now)), recorded_at=now,
        rank=actor.rank, actor_kind=actor.kind, actor_name=actor.name, actor_id=actor.id, rule="by hand",
        reason=reason or f"{note.number} set against {invoice.number}",
    )
    written = entry.write([row])
    if isinstance(written, Refused):
        return written
    entry.tell("cash.credit", written, actor=actor, now=now, reason=reason)
    return Applied(tuple(written))


def _still_true(chosen: dict[int, matching.Application], judged: judge.Judged, now: dt.datetime) -> list[Allocation]:
    """Rows for what is still as it was judged, under the locks of accounts, payments and documents, in this order."""
    documents = {d.document_id: d for d in judged.seen.book.documents}
    payments = {p.payment_id: p for p in judged.seen.payments}
    wanted = {gather.row_id(part.document_id) for a in chosen.values() for part in a.readings[0].parts}
    owners = {gather.row_id(documents[part.document_id].customer_id) for a in chosen.values() for part in a.readings[0].parts}
    payers = {gather.row_id(c) for a in chosen.values() if (c := payments[a.payment_id].customer_id)}
    account.lock(owners | payers)
    here = {p.pk: p for p in Payment.objects.filter(pk__in=chosen).order_by("pk").select_for_update(no_key=True)}
    open_now = {d.pk: d for d in Document.objects.filter(pk__in=wanted).order_by("pk").select_for_update(no_key=True)}
    today = base.today_of(base.profile(), now)
    rows: list[Allocation] = []
    for i, application in sorted(chosen.items()):
        reading, payment = application.readings[0], here.get(i)
        same = payment is not None and payment.unapplied_minor == payments[application.payment_id].minor and all(
            (d := open_now.get(gather.row_id(part.document_id))) is not None and d.open_minor == documents[part.document_id].open_minor
            for part in reading.parts
        )
        if payment is not None and same:
            parts = [line.Part(open_now[gather.row_id(p.document_id)], p.minor, p.write_off_minor, p.write_off_reason or "") for p in reading.parts]
            rows += line.rows(
                payment, parts, date=payment.date or today, actor=_MACHINE, rule="named", reason=gather.words(reading.reason),
                evidence={"confidence": reading.confidence}, now=now,
            )
    return rows
