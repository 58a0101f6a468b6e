"""Whatever is applied and undone, in any order: the sums hold, nothing is exceeded, and undo after apply is nothing."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import NOW
from tests.stages import builders
from tieout.core.evidence import Actor, Refused
from tieout.stages.base import walls
from tieout.stages.cash import apply, reverse, undo, write_off
from tieout.stages.ledger.models import Allocation, Document, Payment

ADA = Actor("person", "Ada", 1)
DOCUMENTS, PAYMENTS = 3, 3

amounts = st.integers(1, 120)
#: What somebody does next: apply a payment to documents, set a credit note, write off, undo the nth allocation, undo or reverse a payment.
acts = st.lists(
    st.one_of(
        st.tuples(st.just("apply"), st.integers(0, PAYMENTS - 1), st.lists(st.tuples(st.integers(0, DOCUMENTS), amounts), min_size=1, max_size=3)),
        st.tuples(st.just("credit"), st.integers(0, DOCUMENTS - 1), amounts),
        st.tuples(st.just("write off"), st.integers(0, DOCUMENTS - 1), amounts),
        st.tuples(st.just("undo"), st.integers(0, 8), st.none()),
        st.tuples(st.just("undo payment"), st.integers(0, PAYMENTS - 1), st.none()),
        st.tuples(st.just("reverse"), st.integers(0, PAYMENTS - 1), st.none()),
    ),
    max_size=8,
)
relaxed = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


class Desk:
    """Three invoices of 1.00, a credit note of 0.50 and three payments of 0.80 of one customer."""

    def __init__(self) -> None:
        owner = builders.customer()
        self.invoices = [builders.invoice(owner, "1.00") for _ in range(DOCUMENTS)]
        self.note = builders.credit_note(owner, "0.50")
        self.payments = [builders.payment("0.80", owner=owner) for _ in range(PAYMENTS)]

    def act(self, what: str, which: int, how: object) -> object:
        if what == "apply":
            lines = [(self._document(i).pk, -minor if i == DOCUMENTS else minor) for i, minor in how]  # type: ignore[attr-defined]
            return apply.by_person(payment=self.payments[which], lines=lines, actor=ADA, now=NOW)
        if what == "credit":
            return apply.credit(credit_note=self.note, document=self.invoices[which], amount_minor=how, actor=ADA, now=NOW)  # type: ignore[arg-type]
        if what == "write off":
            return write_off.document(document=self.invoices[which], amount_minor=how, reason="x", actor=ADA, now=NOW)  # type: ignore[arg-type]
        if what == "undo":
            rows = list(Allocation.objects.order_by("id"))
            return undo.allocation(allocation=rows[which % len(rows)], reason="x", actor=ADA, now=NOW) if rows else None
        if what == "undo payment":
            return undo.payment(payment=self.payments[which], reason="x", actor=ADA, now=NOW)
        return reverse.payment(payment=self.payments[which], reason="bounced", actor=ADA, now=NOW)

    def _document(self, i: int) -> Document:
        return self.note if i == DOCUMENTS else self.invoices[i]

    def standing(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Open of each document, unapplied of each payment, as the database keeps them."""
        documents = Document.objects.filter(pk__in=[d.pk for d in (*self.invoices, self.note)]).order_by("id")
        payments = Payment.objects.filter(pk__in=[p.pk for p in self.payments]).order_by("id")
        return tuple(d.open_minor for d in documents), tuple(p.unapplied_minor for p in payments)

    def check(self) -> None:
        """The kept sums are the sums of the live allocations, and no side is exceeded."""
        live = list(Allocation.objects.filter(retracted_at__isnull=True))
        for document in Document.objects.filter(pk__in=[d.pk for d in self.invoices]):
            mine = [a for a in live if a.document_id == document.pk]
            assert document.allocated_minor == sum(a.amount_minor for a in mine if a.kind != "write_off")
            assert document.written_off_minor == sum(a.amount_minor for a in mine if a.kind == "write_off")
            assert document.open_minor == document.amount_minor - sum(a.amount_minor for a in mine) >= 0
        note = Document.objects.get(pk=self.note.pk)
        assert note.allocated_minor == sum(a.amount_minor for a in live if a.credit_note_id == note.pk) <= note.amount_minor
        for payment in Payment.objects.filter(pk__in=[p.pk for p in self.payments]):
            used = sum(a.amount_minor for a in live if a.payment_id == payment.pk)
            assert payment.allocated_minor == used <= payment.amount_minor
            assert payment.status == "succeeded" or used == payment.unapplied_minor == 0


def trying(organisation: uuid.UUID, example: Callable[[], None]) -> None:
    """Run one example in a transaction that leaves nothing behind."""
    with walls.inside(organisation):
        example()
        transaction.set_rollback(True)


@relaxed
@given(todo=acts)
def test_any_order_of_acts_keeps_the_sums(organisation: uuid.UUID, todo: list[tuple[str, int, object]]) -> None:
    def example() -> None:
        desk = Desk()
        for what, which, how in todo:
            before = desk.standing()
            answer = desk.act(what, which, how)
            desk.check()
            if isinstance(answer, Refused):
                assert desk.standing() == before

    trying(organisation, example)


@relaxed
@given(before=acts, lines=st.lists(st.tuples(st.integers(0, DOCUMENTS), amounts), min_size=1, max_size=3), which=st.integers(0, PAYMENTS - 1))
def test_undo_after_apply_is_nothing(
    organisation: uuid.UUID, before: list[tuple[str, int, object]], lines: list[tuple[int, int]], which: int
) -> None:
    def example() -> None:
        desk = Desk()
        for act in before:
            desk.act(*act)
        standing = desk.standing()
        applied = desk.act("apply", which, lines)
        if isinstance(applied, apply.Applied):
            for entry in reversed(applied.entries):
                undo.allocation(allocation=Allocation.objects.get(pk=entry.allocation_id), reason="x", actor=ADA, now=NOW)
        assert desk.standing() == standing

    trying(organisation, example)


@relaxed
@given(todo=acts)
def test_undoing_everything_leaves_everything_open(organisation: uuid.UUID, todo: list[tuple[str, int, object]]) -> None:
    def example() -> None:
        desk = Desk()
        fresh = desk.standing()
        for act in todo:
            if act[0] != "reverse":
                desk.act(*act)
        for row in Allocation.objects.order_by("id"):
            undo.allocation(allocation=row, reason="x", actor=ADA, now=NOW)
        assert desk.standing() == fresh

    trying(organisation, example)
