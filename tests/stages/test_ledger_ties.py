"""References that are checked once a statement: another organisation's rows can be named neither when added nor when changed."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from tests.conftest import NOW
from tests.stages import builders
from tieout.stages.base import found, walls
from tieout.stages.ledger.models import DocumentVersion, SourceRecord

pytestmark = pytest.mark.database


@pytest.fixture
def theirs(database: object) -> tuple[int, int]:
    """A connection and a customer of another organisation."""
    other = found.organisation(
        name="Other", country="GB", time_zone="Europe/London", base_currency="GBP", language="en", sender_name="", sender_address="", now=NOW)
    with walls.inside(other):
        return builders.connection().pk, builders.customer("Somebody else's").pk


def link(connection_id: int) -> None:
    SourceRecord.objects.create(
        connection_id=connection_id, kind="invoice", external_id=uuid.uuid4().hex, target_id=1, content_hash=b"x", recorded_at=NOW, seen_at=NOW)


def version(document_id: int, customer_id: int) -> None:
    DocumentVersion.objects.create(
        document_id=document_id, customer_id=customer_id, number="N", currency="EUR", amount_minor=1, status="open", recorded_at=NOW)


def refused(act: Callable[[], object]) -> str:
    with pytest.raises((IntegrityError, DatabaseError)) as raised, transaction.atomic():
        act()
    return str(raised.value)


def test_ours_are_taken(inside: uuid.UUID) -> None:
    debtor = builders.customer()
    bill = builders.invoice(debtor)
    link(builders.connection().pk)
    version(bill.pk, debtor.pk)
    assert DocumentVersion.objects.filter(document=bill).update(customer_id=debtor.pk) == 2


@pytest.mark.parametrize("who", ["another organisation's", "nobody's"])
def test_a_record_of_another_source_is_refused(theirs: tuple[int, int], inside: uuid.UUID, who: str) -> None:
    connection_id = theirs[0] if who.startswith("another") else 10**9
    assert "not in the organisation" in refused(lambda: link(connection_id))
    link(builders.connection().pk)
    assert "not in the organisation" in refused(lambda: SourceRecord.objects.update(connection_id=connection_id))


@pytest.mark.parametrize("who", ["another organisation's", "nobody's"])
def test_a_version_of_another_customer_is_refused(theirs: tuple[int, int], inside: uuid.UUID, who: str) -> None:
    customer_id = theirs[1] if who.startswith("another") else 10**9
    bill = builders.invoice(builders.customer())
    assert "not in the organisation" in refused(lambda: version(bill.pk, customer_id))
    assert "not in the organisation" in refused(lambda: DocumentVersion.objects.update(customer_id=customer_id))


def test_one_wrong_row_among_many_is_found(theirs: tuple[int, int], inside: uuid.UUID) -> None:
    debtor = builders.customer()
    bill = builders.invoice(debtor)
    rows = [
        DocumentVersion(document_id=bill.pk, customer_id=customer, number="N", currency="EUR", amount_minor=1, status="open", recorded_at=NOW)
        for customer in (*[debtor.pk] * 50, theirs[1], *[debtor.pk] * 50)
    ]
    assert "not in the organisation" in refused(lambda: DocumentVersion.objects.bulk_create(rows))
