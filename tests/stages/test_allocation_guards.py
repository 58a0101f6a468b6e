"""The database itself refuses to allocate too much, whoever asks and however many at once."""

from __future__ import annotations

import threading
import uuid

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from tests.conftest import NOW
from tests.stages import builders
from tieout.stages.base import walls
from tieout.stages.ledger.models import Allocation, Document, Payment


def allocate(payment: Payment, document: Document, minor: int, **fields: object) -> Allocation:
    return Allocation.objects.create(
        **{
            "kind": "cash",
            "payment": payment,
            "document": document,
            "currency": payment.currency,
            "amount_minor": minor,
            "date": payment.date,
            "recorded_at": NOW,
            "rank": 3,
            "actor_kind": "person",
            "actor_name": "Ada",
            "rule": "by hand",
            **fields,
        }
    )


def test_sums_follow_allocation_and_undo(inside: uuid.UUID) -> None:
    customer = builders.customer()
    invoice, payment = builders.invoice(customer, "100.00"), builders.payment("80.00")
    allocation = allocate(payment, invoice, 8000)
    invoice.refresh_from_db(), payment.refresh_from_db()
    assert (invoice.open_minor, payment.unapplied_minor) == (2000, 0)
    Allocation.objects.filter(pk=allocation.pk).update(retracted_at=NOW)
    invoice.refresh_from_db(), payment.refresh_from_db()
    assert (invoice.open_minor, payment.unapplied_minor) == (10000, 8000)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        pytest.param({"minor": 8001}, "not_over_allocated", id="more than the payment"),
        pytest.param({"minor": 8000, "currency": "USD"}, "live money", id="another currency"),
        pytest.param({"minor": 0}, "positive", id="nothing"),
    ],
)
def test_refuses(inside: uuid.UUID, change: dict[str, object], why: str) -> None:
    customer = builders.customer()
    invoice, payment = builders.invoice(customer, "100.00"), builders.payment("80.00")
    with pytest.raises(DatabaseError, match=why), transaction.atomic():
        allocate(payment, invoice, **change)  # type: ignore[arg-type]


def test_refuses_money_that_came_back(inside: uuid.UUID) -> None:
    invoice, payment = builders.invoice(builders.customer()), builders.payment("80.00", status="reversed")
    with pytest.raises(DatabaseError, match="live money"), transaction.atomic():
        allocate(payment, invoice, 8000)


@pytest.mark.parametrize("field", [{"amount_minor": 1}, {"retracted_at": None}])
def test_an_allocation_is_never_changed_and_an_undo_never_undone(inside: uuid.UUID, field: dict[str, object]) -> None:
    invoice, payment = builders.invoice(builders.customer()), builders.payment("80.00")
    allocation = allocate(payment, invoice, 8000)
    if "retracted_at" in field:
        Allocation.objects.filter(pk=allocation.pk).update(retracted_at=NOW)
    with pytest.raises(IntegrityError, match="retracted, never changed"), transaction.atomic():
        Allocation.objects.filter(pk=allocation.pk).update(**field)


def test_two_workers_cannot_both_apply_80_of_100(organisation: uuid.UUID) -> None:
    with walls.inside(organisation):
        customer = builders.customer()
        payment = builders.payment("100.00")
        invoices = [builders.invoice(customer, "80.00"), builders.invoice(customer, "80.00")]
    gate, refused = threading.Barrier(2), []

    def work(invoice: Document) -> None:
        try:
            with walls.inside(organisation):
                gate.wait(10)
                allocate(payment, invoice, 8000)
        except IntegrityError as error:
            refused.append(str(error))
        finally:
            connection.close()

    workers = [threading.Thread(target=work, args=(invoice,)) for invoice in invoices]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(20)
    with walls.inside(organisation):
        payment.refresh_from_db()
        assert (payment.allocated_minor, payment.unapplied_minor) == (8000, 2000)
    assert len(refused) == 1
    assert "not_over_allocated" in refused[0]


def test_an_allocation_cannot_point_into_another_organisation(organisation: uuid.UUID) -> None:
    from tieout.stages.base import found

    other = found.organisation(
        name="B", country="GB", time_zone="Europe/London", base_currency="GBP", language="en", sender_name="", sender_address="", now=NOW
    )
    with walls.inside(other):
        theirs = builders.invoice(builders.customer("Theirs"))
    with pytest.raises(IntegrityError, match="tie"), walls.inside(organisation):
        payment = builders.payment()
        allocate(payment, theirs, 100)
