"""Money applied, proposed, undone: by sources, by the machine, by people, in that rising order of word."""

from __future__ import annotations

import datetime as dt
import threading
import time
import uuid
from typing import Any

import pytest
from django.db import connection

from tests.conftest import NOW
from tests.stages import builders
from tests.stages.builders import day
from tieout.core.evidence import Actor, Refused
from tieout.stages.base import audit, walls
from tieout.stages.base.models import AuditEntry, Change
from tieout.stages.cash import apply, assign, entry, propose, queries, reverse, undo, write_off
from tieout.stages.cash.apply_stated import apply_stated
from tieout.stages.cash.models import Proposal
from tieout.stages.ledger.models import Allocation, Document, Payment, PaymentVersion

ADA = Actor("person", "Ada", 1)
MACHINE = Actor("machine", "cash application")
LATER = NOW + dt.timedelta(days=3)


def stand(*rows: Document | Payment) -> list[int]:
    """What is open of documents, and unapplied of payments, now."""
    for row in rows:
        row.refresh_from_db()
    return [row.open_minor if isinstance(row, Document) else row.unapplied_minor for row in rows]


def done(answer: apply.Applied | Refused) -> apply.Applied:
    assert isinstance(answer, apply.Applied), answer
    return answer


def refused(answer: object) -> str:
    assert isinstance(answer, Refused), answer
    return answer.reason


def only_allocation() -> Allocation:
    row: Allocation = Allocation.objects.get()
    return row


# What the source states


def stating(amount: str, document: str, **fields: Any) -> Payment:
    return builders.payment(amount, connection=builders.connection(), stated_document=document, **fields)


def test_a_payment_whose_source_states_its_invoice_is_applied_in_its_name(inside: uuid.UUID) -> None:
    invoice = builders.invoice(builders.customer(), "100.00", number="INV-7")
    receipt = stating("100.00", "INV-7", date="2026-06-02")
    assert len(apply_stated(now=NOW)) == 1
    assert stand(invoice, receipt) == [0, 0]
    row = only_allocation()
    assert (row.rank, row.actor_kind, row.rule, row.date, row.recorded_at) == (2, "source", "stated", day("2026-06-02"), NOW)
    assert row.reason == "Billing export states that this payment is for INV-7"
    assert apply_stated(now=LATER) == []


@pytest.mark.parametrize(
    ("payment", "document"),
    [
        pytest.param({"amount": "100.01"}, {}, id="more than is open"),
        pytest.param({"currency": "USD"}, {}, id="another currency"),
        pytest.param({"document": "INV-8"}, {}, id="a number nobody bears"),
        pytest.param({"status": "pending"}, {}, id="money that is not here yet"),
        pytest.param({}, {"status": "void"}, id="a void invoice"),
        pytest.param({"connection": "Bank"}, {}, id="a number of another connection"),
    ],
)
def test_what_does_not_fit_is_left_for_a_person(inside: uuid.UUID, payment: dict[str, Any], document: dict[str, Any]) -> None:
    builders.invoice(builders.customer(), "100.00", number="INV-7", **document)
    source = builders.connection(payment.pop("connection", "Billing export"))
    amount, number = payment.pop("amount", "100.00"), payment.pop("document", "INV-7")
    builders.payment(amount, connection=source, stated_document=number, **payment)
    assert apply_stated(now=NOW) == []


def test_a_number_two_documents_bear_is_ambiguous(inside: uuid.UUID) -> None:
    builders.invoice(builders.customer(), number="INV-7")
    other = builders.invoice(builders.customer("Fenwick"), number="INV-8")
    Document.objects.filter(pk=other.pk).update(number="INV-7")
    stating("100.00", "INV-7")
    assert apply_stated(now=NOW) == []


def test_stated_payments_fill_an_invoice_and_never_overfill_it(inside: uuid.UUID) -> None:
    invoice = builders.invoice(builders.customer(), "100.00", number="INV-7")
    receipts = [stating("40.00", "INV-7", date=f"2026-06-0{i}") for i in (1, 2, 3)]
    apply_stated(now=NOW)
    assert stand(invoice, *receipts) == [2000, 0, 0, 4000]


def test_a_reported_balance_of_nothing_does_not_hide_the_payment_that_explains_it(inside: uuid.UUID) -> None:
    invoice = builders.invoice(builders.customer(), "100.00", number="INV-7", reported_open_minor=0)
    receipt = stating("100.00", "INV-7")
    assert len(apply_stated(now=NOW)) == 1
    assert stand(invoice, receipt) == [0, 0]


def many(organisation: uuid.UUID, count: int) -> None:
    """So many invoices and, for each, the payment that states it: as fresh from an import, before the database has counted them."""
    owner, source = builders.customer(), builders.connection()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO ledger_document (
              organisation_id, kind, number, customer_id, connection_id, external_id, customer_external_id, due_date_source, currency, amount_minor,
              allocated_minor, written_off_minor, status, source_status, po_number, related_number, created_at, recorded_at)
            SELECT %s, 'invoice', 'B-' || i, %s, %s, 'B-' || i, '', 'stated', 'EUR', 100 + i, 0, 0, 'open', '', '', '', %s, %s
              FROM generate_series(1, %s) i""",
            [organisation, owner.pk, source.pk, NOW, NOW, count],
        )
        cursor.execute(
            """
            INSERT INTO ledger_payment (
              organisation_id, customer_id, connection_id, external_id, customer_external_id, date, currency, amount_minor, allocated_minor,
              refunded_minor, payer_name, payer_account, reference, remittance, bank_ref, stated_document, status, source_status, method,
              created_at, recorded_at, customer_rank)
            SELECT %s, %s, %s, 'p' || i, '', '2026-06-01', 'EUR', 100 + i, 0, 0, '', '', '', '', '', 'B-' || i, 'succeeded', '', '', %s, %s, 1
              FROM generate_series(1, %s) i""",
            [organisation, owner.pk, source.pk, NOW, NOW, count],
        )


def test_ten_thousand_stated_payments_straight_after_an_import_take_seconds(inside: uuid.UUID) -> None:
    many(inside, 10_000)
    before = time.perf_counter()
    entries = apply_stated(now=NOW)
    took = time.perf_counter() - before
    assert len(entries) == 10_000
    assert Payment.objects.filter(unapplied_minor__gt=0).count() == 0
    [told] = AuditEntry.objects.filter(action="cash.apply_stated")
    assert (told.detail["count"], told.detail["sha256"]) == (10_000, entry.digest([entry.Entry.of(a) for a in Allocation.objects.all()]))
    assert took < 60, f"{took:.1f} s"  # a second alone; compared row by row it would be a quarter of an hour


def test_a_person_who_applied_a_part_or_said_whose_it_is_outranks_the_source(inside: uuid.UUID) -> None:
    owner = builders.customer()
    invoice, other = builders.invoice(owner, "100.00", number="INV-7"), builders.invoice(owner, "100.00")
    in_part, assigned = stating("60.00", "INV-7"), stating("40.00", "INV-7")
    done(apply.by_person(payment=in_part, lines=[(other.pk, 1000)], actor=ADA, now=NOW))
    assign.customer(payment=assigned, customer=builders.customer("Fenwick"), actor=ADA, now=NOW)
    assert apply_stated(now=NOW) == []
    assert stand(invoice, in_part, assigned) == [10000, 5000, 4000]


# The machine


def test_the_machine_applies_what_can_be_read_in_one_way_only(inside: uuid.UUID) -> None:
    invoice = builders.invoice(builders.customer(), "100.00", number="INV-00123")
    receipt = builders.payment("100.00", "2026-06-05", text="Rechnung inv 123 danke")
    applied = apply.by_machine(now=NOW)
    assert applied.payment_ids == (receipt.pk,)
    assert stand(invoice, receipt) == [0, 0]
    row = only_allocation()
    assert (row.rank, row.actor_kind, row.date) == (1, "machine", day("2026-06-05"))
    assert "INV-00123" in row.reason
    assert "no other reading" in row.reason
    assert apply.by_machine(now=LATER) == apply.Applied()
    assert Change.objects.filter(kind="allocation", customer_ids=[invoice.customer_id]).count() == 1


def test_the_machine_nets_a_credit_note_the_payer_names(inside: uuid.UUID) -> None:
    owner = builders.customer()
    invoice, note = builders.invoice(owner, "100.00", number="INV-71"), builders.credit_note(owner, "20.00", number="CN-31")
    receipt = builders.payment("80.00", owner=owner, text="INV-71 less CN-31")
    apply.by_machine(now=NOW)
    assert stand(invoice, note, receipt) == [0, 0, 0]
    assert sorted(Allocation.objects.values_list("kind", "amount_minor")) == [("cash", 8000), ("credit", 2000)]
    undo.payment(payment=receipt, reason="not agreed", actor=ADA, now=LATER)
    assert stand(invoice, note, receipt) == [10000, 2000, 8000]


def test_only_the_payments_asked_about_are_applied(inside: uuid.UUID) -> None:
    owner = builders.customer()
    first, second = (builders.invoice(owner, "100.00", number=f"INV-90{i}") for i in (1, 2))
    one, two = builders.payment("100.00", text="INV-901"), builders.payment("100.00", text="INV-902")
    apply.by_machine(payment_ids=[two.pk], now=NOW)
    assert stand(first, second, one, two) == [10000, 0, 10000, 0]


def test_what_a_person_took_apart_is_never_put_together_again(inside: uuid.UUID) -> None:
    invoice = builders.invoice(builders.customer(), "100.00", number="INV-123")
    receipt = builders.payment("100.00", text="INV-123")
    apply.by_machine(now=NOW)
    undone = undo.allocation(allocation=only_allocation(), reason="it is for last year's", actor=ADA, now=NOW)
    assert isinstance(undone, Allocation)
    assert undone.evidence["undone"] == {"by": "Ada", "kind": "person", "rank": 3}
    assert apply.by_machine(now=LATER) == apply.Applied()
    propose.refresh(now=LATER)
    assert not Proposal.objects.filter(payment=receipt, state="open").exists()
    assert stand(invoice, receipt) == [10000, 10000]


def test_what_a_person_took_apart_a_source_does_not_state_again(inside: uuid.UUID) -> None:
    builders.invoice(builders.customer(), "100.00", number="INV-123")
    stating("100.00", "INV-123")
    apply_stated(now=NOW)
    undo.allocation(allocation=only_allocation(), reason="wrong link", actor=ADA, now=NOW)
    assert apply_stated(now=LATER) == []


def test_a_payment_a_person_applied_in_part_is_left_to_people(inside: uuid.UUID) -> None:
    owner = builders.customer()
    first, second = builders.invoice(owner, "60.00", number="INV-601"), builders.invoice(owner, "40.00", number="INV-402")
    receipt = builders.payment("100.00", text="INV-402", owner=owner)
    done(apply.by_person(payment=receipt, lines=[(first.pk, 6000)], actor=ADA, now=NOW))
    assert apply.by_machine(now=LATER) == apply.Applied()
    propose.refresh(now=LATER)
    [row] = queries.inbox()
    assert [line.number for line in row.offers[0].lines] == ["INV-402"]
    assert stand(second) == [4000]


# Proposals


def test_an_ambiguous_payment_is_proposed_with_its_rival(inside: uuid.UUID) -> None:
    owner = builders.customer("Brightwater pays late")
    for number in ("INV-501", "INV-502"):
        builders.invoice(owner, "100.00", number=number)
    builders.payment("100.00", payer_name="Brightwater pays late")
    assert apply.by_machine(now=NOW) == apply.Applied()
    assert propose.refresh(now=NOW).new == 2
    assert propose.refresh(now=LATER) == propose.Refreshed()
    [row] = queries.inbox(queries.Filters(state="proposed"))
    assert {o.lines[0].number for o in row.offers} == {"INV-501", "INV-502"}
    assert all(o.reason and o.rival for o in row.offers)


def test_a_taken_proposal_closes_the_others_and_a_dismissed_one_stays_away(inside: uuid.UUID) -> None:
    owner = builders.customer("Brightwater pays late")
    for number in ("INV-501", "INV-502"):
        builders.invoice(owner, "100.00", number=number)
    receipt = builders.payment("100.00", payer_name="Brightwater pays late")
    propose.refresh(now=NOW)
    first, second = Proposal.objects.order_by("place")
    propose.dismiss(proposal=second, actor=ADA, now=NOW)
    propose.refresh(now=LATER)
    assert list(Proposal.objects.filter(state="open").values_list("lines", flat=True)) == [first.lines]
    current = Proposal.objects.get(state="open")
    done(apply.by_person(payment=receipt, lines=[(x["document_id"], x["amount_minor"]) for x in current.lines], actor=ADA, now=LATER))
    assert Proposal.objects.get(pk=current.pk).state == "taken"
    assert queries.counts() == {"proposed": 0, "unmatched": 0}


def test_money_for_what_its_source_reports_as_paid_is_proposed_as_the_explanation(inside: uuid.UUID) -> None:
    invoice = builders.invoice(builders.customer(), "100.00", number="INV-123", reported_open_minor=0)
    receipt = builders.payment("100.00", text="INV-123")
    assert apply.by_machine(now=NOW) == apply.Applied()
    propose.refresh(now=NOW)
    [row] = queries.inbox()
    assert "its source reports it as paid" in row.offers[0].reason
    done(apply.by_person(payment=receipt, lines=[(invoice.pk, 10000)], actor=ADA, now=NOW))
    assert stand(receipt) == [0]


# A person


def test_a_person_splits_a_payment_and_the_rest_stays_on_account(inside: uuid.UUID) -> None:
    owner = builders.customer()
    first, second = builders.invoice(owner, "60.00"), builders.invoice(owner, "50.00")
    receipt = builders.payment("100.00")
    done(apply.by_person(payment=receipt, lines=[(first.pk, 6000), (second.pk, 1000)], actor=ADA, now=NOW, reason="as they wrote"))
    assert stand(first, second, receipt) == [0, 4000, 3000]
    assert [(e.action, e.reason) for e in AuditEntry.objects.all()][-2:] == [("cash.apply", "as they wrote")] * 2


@pytest.mark.parametrize(
    ("minor", "fields", "why"),
    [
        pytest.param(6001, {}, "60.00 EUR left", id="more than the invoice"),
        pytest.param(0, {}, "more than nothing", id="nothing"),
        pytest.param(-100, {}, "more than nothing", id="a negative amount of an invoice"),
        pytest.param(5001, {"amount": "50.00"}, "50.00 EUR of the payment is left", id="more than the payment"),
        pytest.param(100, {"currency": "USD"}, "the payment in USD", id="another currency"),
        pytest.param(100, {"status": "pending"}, "money that is here", id="money that is not here"),
    ],
)
def test_a_person_is_refused_in_words(inside: uuid.UUID, minor: int, fields: dict[str, Any], why: str) -> None:
    invoice = builders.invoice(builders.customer(), "60.00")
    receipt = builders.payment(fields.pop("amount", "100.00"), **fields)
    assert why in refused(apply.by_person(payment=receipt, lines=[(invoice.pk, minor)], actor=ADA, now=NOW))
    assert not Allocation.objects.exists()


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param([], id="no line"),
        pytest.param([(1, 1), (1, 1)], id="one document twice"),
        pytest.param([(0, 5)], id="no document"),
    ],
)
def test_lines_that_make_no_sense_are_refused(inside: uuid.UUID, lines: list[tuple[int, int]]) -> None:
    assert refused(apply.by_person(payment=builders.payment(), lines=lines, actor=ADA, now=NOW))


def test_a_credit_note_is_set_against_an_invoice_and_no_further(inside: uuid.UUID) -> None:
    owner = builders.customer()
    invoice, note = builders.invoice(owner, "100.00"), builders.credit_note(owner, "20.00")
    assert "20.00 EUR" in refused(apply.credit(credit_note=note, document=invoice, amount_minor=2001, actor=ADA, now=NOW))
    done(apply.credit(credit_note=note, document=invoice, amount_minor=2000, actor=ADA, now=NOW))
    assert stand(invoice, note) == [8000, 0]


def test_a_write_off_needs_a_person_with_a_reason_and_has_a_way_back(inside: uuid.UUID) -> None:
    invoice = builders.invoice(builders.customer(), "100.00")
    assert refused(write_off.document(document=invoice, amount_minor=50, reason=" ", actor=ADA, now=NOW))
    assert refused(write_off.document(document=invoice, amount_minor=50, reason="x", actor=MACHINE, now=NOW))
    assert refused(write_off.document(document=invoice, amount_minor=10001, reason="x", actor=ADA, now=NOW))
    row = write_off.document(document=invoice, amount_minor=50, reason="bank fee", actor=ADA, now=NOW)
    assert isinstance(row, Allocation)
    assert stand(invoice) == [9950]
    undo.allocation(allocation=row, reason="they paid it after all", actor=ADA, now=LATER)
    assert stand(invoice) == [10000]


# Undo and reversal


def test_a_machine_does_not_undo_what_a_person_applied(inside: uuid.UUID) -> None:
    invoice, receipt = builders.invoice(builders.customer()), builders.payment()
    done(apply.by_person(payment=receipt, lines=[(invoice.pk, 10000)], actor=ADA, now=NOW))
    assert "Ada applied this" in refused(undo.allocation(allocation=only_allocation(), reason="tidy", actor=MACHINE, now=NOW))
    assert "Ada applied this" in refused(undo.payment(payment=receipt, reason="tidy", actor=MACHINE, now=NOW))
    assert stand(invoice) == [0]


def test_undoing_twice_changes_nothing(inside: uuid.UUID) -> None:
    invoice, receipt = builders.invoice(builders.customer()), builders.payment()
    done(apply.by_person(payment=receipt, lines=[(invoice.pk, 10000)], actor=ADA, now=NOW))
    for _ in range(2):
        undo.allocation(allocation=only_allocation(), reason="oops", actor=ADA, now=LATER)
    assert (only_allocation().retracted_at, only_allocation().retracted_reason) == (LATER, "oops")
    assert stand(invoice, receipt) == [10000, 10000]
    assert AuditEntry.objects.filter(action="cash.undo").count() == 1


def test_money_that_came_back_reopens_what_it_paid_on_both_clocks(inside: uuid.UUID) -> None:
    invoice, receipt = builders.invoice(builders.customer()), builders.payment()
    done(apply.by_person(payment=receipt, lines=[(invoice.pk, 10000)], actor=ADA, now=NOW))
    for _ in range(2):
        reverse.payment(payment=receipt, reason="cheque bounced", actor=ADA, now=LATER)
    assert stand(invoice, receipt) == [10000, 0]
    assert list(PaymentVersion.objects.order_by("id").values_list("status", "superseded_at")) == [("succeeded", LATER), ("reversed", None)]
    assert refused(apply.by_person(payment=receipt, lines=[(invoice.pk, 10000)], actor=ADA, now=LATER))


def test_a_source_that_takes_money_back_reopens_even_what_a_person_applied(inside: uuid.UUID) -> None:
    invoice, receipt = builders.invoice(builders.customer()), builders.payment()
    done(apply.by_person(payment=receipt, lines=[(invoice.pk, 10000)], actor=ADA, now=NOW))
    Payment.objects.filter(pk=receipt.pk).update(status="failed")
    assert len(reverse.by_source(now=LATER)) == 1
    assert reverse.by_source(now=LATER) == []
    assert stand(invoice, receipt) == [10000, 0]


def test_what_had_paid_an_invoice_its_source_voids_waits_again_but_not_what_a_person_applied(inside: uuid.UUID) -> None:
    invoice = builders.invoice(builders.customer(), "100.00", number="INV-123")
    by_source, by_ada = stating("60.00", "INV-123"), builders.payment("40.00")
    apply_stated(now=NOW)
    done(apply.by_person(payment=by_ada, lines=[(invoice.pk, 4000)], actor=ADA, now=NOW))
    Document.objects.filter(pk=invoice.pk).update(status="void")
    assert len(reverse.of_void(now=LATER)) == 1
    assert reverse.of_void(customer_ids=[invoice.customer_id], now=LATER) == []
    assert stand(by_source, by_ada) == [6000, 0]


def test_a_person_says_whose_money_it_is_and_machines_leave_it(inside: uuid.UUID) -> None:
    owner, other, receipt = builders.customer(), builders.customer("Fenwick"), builders.payment()
    assign.customer(payment=receipt, customer=owner, actor=ADA, now=NOW)
    assert refused(assign.customer(payment=receipt.lock(), customer=other, actor=MACHINE, now=NOW))
    view = queries.payment(receipt.pk)
    assert view is not None
    assert (view.row.customer_id, view.connection_name) == (owner.pk, "Bank")
    assert list(PaymentVersion.objects.order_by("id").values_list("customer_id", flat=True)) == [None, owner.pk]


# Reading


def test_the_inbox_filters_and_pages_with_undated_money_first(inside: uuid.UUID) -> None:
    for i in range(5):
        builders.payment("10.00", f"2026-06-0{i + 1}", text=f"note {i}")
    Payment.objects.filter(remittance="note 4").update(date=None)
    first = queries.inbox(queries.Filters(limit=2))
    last = first[-1]
    rest = queries.inbox(queries.Filters(after=(last.date.isoformat() if last.date else "", last.payment_id)))
    assert [r.remittance for r in (*first, *rest)] == ["note 4", "note 0", "note 1", "note 2", "note 3"]
    assert [r.remittance for r in queries.inbox(queries.Filters(text="NOTE 3"))] == ["note 3"]
    assert queries.inbox(queries.Filters(currency="USD")) == []


def test_allocations_are_told_with_their_reason_live_and_taken_back(inside: uuid.UUID) -> None:
    invoice, receipt = builders.invoice(builders.customer(), number="INV-123"), builders.payment(text="INV-123")
    apply.by_machine(now=NOW)
    undo.payment(payment=receipt, reason="not theirs", actor=ADA, now=LATER)
    [row] = queries.allocations(document_id=invoice.pk)
    assert (row.actor_kind, row.undone_by, row.retracted_reason, row.document_number) == ("machine", "Ada", "not theirs", "INV-123")
    assert queries.allocations(customer_id=invoice.customer_id, automatic=True, live=True) == []


def test_the_trail_of_all_of_it_is_unbroken(inside: uuid.UUID) -> None:
    builders.invoice(builders.customer(), number="INV-123")
    receipt = builders.payment(text="INV-123")
    apply.by_machine(now=NOW)
    undo.payment(payment=receipt, reason="x", actor=ADA, now=LATER)
    assert list(audit.breaks()) == []


# Two at once


def both(organisation: uuid.UUID, *works: Any) -> list[Any]:
    """Run two workers on connections of their own, started together; what each answered."""
    gate, answers = threading.Barrier(2), []

    def work(act: Any) -> None:
        try:
            with walls.inside(organisation):
                gate.wait(10)
                answers.append(act())
        finally:
            connection.close()

    workers = [threading.Thread(target=work, args=(act,)) for act in works]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
    return answers


@pytest.mark.parametrize("same_customer", [pytest.param(True, id="one account"), pytest.param(False, id="two accounts")])
def test_of_two_people_applying_80_of_100_one_wins_and_the_other_is_told(organisation: uuid.UUID, same_customer: bool) -> None:
    with walls.inside(organisation):
        owner, receipt = builders.customer(), builders.payment("100.00")
        other = owner if same_customer else builders.customer("Fenwick")
        invoices = [builders.invoice(owner, "80.00"), builders.invoice(other, "80.00")]

    def act(invoice: Document) -> Any:
        return lambda: apply.by_person(payment=receipt, lines=[(invoice.pk, 8000)], actor=ADA, now=NOW)

    answers = both(organisation, *map(act, invoices))
    assert sorted(type(a).__name__ for a in answers) == ["Applied", "Refused"]
    with walls.inside(organisation):
        assert stand(receipt) == [2000]


def test_a_refusal_of_the_database_itself_is_told_in_words(organisation: uuid.UUID) -> None:
    with walls.inside(organisation):
        receipt = builders.payment("100.00")
        invoices = [builders.invoice(builders.customer(name), "80.00") for name in ("Brightwater", "Fenwick")]

    def act(invoice: Document) -> Any:
        row = Allocation(
            kind="cash", payment=receipt, document=invoice, currency="EUR", amount_minor=8000, date=NOW.date(), recorded_at=NOW, rank=3,
            actor_kind="person", actor_name="Ada", rule="by hand", organisation_id=organisation)
        return lambda: entry.write([row])

    answers = both(organisation, *map(act, invoices))
    assert [a.reason for a in answers if isinstance(a, Refused)] == ["the payment has less left than that; somebody applied it in the meantime"]


def test_two_machines_apply_a_payment_once(organisation: uuid.UUID) -> None:
    with walls.inside(organisation):
        invoice, receipt = builders.invoice(builders.customer(), number="INV-123"), builders.payment(text="INV-123")
    both(organisation, *[lambda: apply.by_machine(now=NOW)] * 2)
    with walls.inside(organisation):
        assert stand(invoice, receipt) == [0, 0]
        assert Allocation.objects.count() == 1
