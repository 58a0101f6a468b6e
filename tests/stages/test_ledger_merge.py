"""Staging and merging: new, changed, the same; versions, feed, links; what cannot be true is refused alone."""

from __future__ import annotations

import datetime as dt
import uuid

from tests.conftest import NOW
from tests.stages import builders
from tieout.core.documents import Customer, DueDate, Invoice, Line, Payment, Record
from tieout.core.money import from_text
from tieout.stages.base.models import Change
from tieout.stages.intake import run
from tieout.stages.ledger import merge, models, stage

LATER = NOW + dt.timedelta(hours=1)


def eur(text: str):
    return from_text(text, "EUR")


def invoice(number: str = "INV-1", amount: str = "100.00", **fields: object) -> Invoice:
    return Invoice(
        **{  # type: ignore[arg-type]
            "line": 2,
            "invoice_id": number,
            "number": number,
            "customer_id": "C1",
            "customer_name": "Brightwater Foods Ltd",
            "amount": eur(amount),
            "issue_date": dt.date(2026, 5, 1),
            "due_date": dt.date(2026, 5, 31),
            **fields,
        }
    )


def load(*records: Record, now: dt.datetime = NOW, connection: str = "Billing export") -> merge.Merged:
    source = builders.connection(connection)
    started = run.begin(connection=source, envelope=None, now=now)
    with stage.as_intake():
        staged = stage.Staged(run_id=started.pk)
        for record in records:
            assert staged.add(record)
        staged.finish()
        return merge.run(run_id=started.pk, connection_id=source.pk, envelope_id=None, now=now)


def test_a_new_invoice_founds_its_customer_and_has_version_link_and_feed(inside: uuid.UUID) -> None:
    merged = load(invoice(customer_email="ap@brightwater.example"))
    document = models.Document.objects.get()
    assert (merged.created, merged.updated, merged.unchanged) == (1, 0, 0)
    assert (document.number, document.amount_minor, document.open_minor, document.customer.name) == ("INV-1", 10000, 10000, "Brightwater Foods Ltd")
    assert models.DocumentVersion.objects.filter(document=document, superseded_at__isnull=True).count() == 1
    assert models.SourceRecord.objects.filter(kind="invoice", target_id=document.pk).count() == 1
    assert models.Contact.objects.get().email == "ap@brightwater.example"
    assert Change.objects.get(kind="document").ids == [document.pk]
    assert merged.customer_ids == (document.customer_id,)


def test_the_same_again_writes_nothing(inside: uuid.UUID) -> None:
    from django.db import connection

    records = [invoice(), invoice("INV-2", "5.00"), Customer(line=9, customer_id="C1", name="Brightwater Foods Ltd", country="GB")]
    load(*records)

    def versions() -> list[object]:
        tables = ("ledger_document", "ledger_documentversion", "ledger_sourcerecord", "ledger_customer", "base_change")
        with connection.cursor() as cursor:
            cursor.execute(" UNION ALL ".join(f"SELECT xmin::text, ctid::text FROM {table}" for table in tables))
            return cursor.fetchall()

    before = versions()
    merged = load(*records, now=LATER)
    assert (merged.created, merged.updated, merged.unchanged, merged.customer_ids) == (0, 0, 3, ())
    assert versions() == before


def test_a_newer_file_updates_and_keeps_what_was_known(inside: uuid.UUID) -> None:
    load(invoice())
    merged = load(invoice(amount="90.00"), now=LATER)
    old, new = models.DocumentVersion.objects.order_by("recorded_at")
    assert (merged.updated, models.Document.objects.get().amount_minor) == (1, 9000)
    assert (old.amount_minor, old.superseded_at, new.amount_minor, new.superseded_at) == (10000, LATER, 9000, None)


def test_an_amount_below_what_is_applied_is_refused_and_the_rest_goes_on(inside: uuid.UUID) -> None:
    from tests.stages.test_allocation_guards import allocate

    load(invoice(), invoice("INV-2", "10.00"))
    document = models.Document.objects.get(number="INV-1")
    allocate(builders.payment("80.00"), document, 8000)
    merged = load(invoice(amount="50.00"), invoice("INV-2", "11.00"), now=LATER)
    assert (merged.updated, len(merged.refused), merged.refused[0].code) == (1, 1, "below_applied")
    assert "undo the allocations" in merged.refused[0].message
    document.refresh_from_db()
    assert (document.amount_minor, document.open_minor) == (10000, 2000)


def test_the_last_of_a_repeated_key_is_taken(inside: uuid.UUID) -> None:
    merged = load(invoice(line=2), invoice(line=3, amount="7.00"))
    assert (merged.created, merged.repeated, models.Document.objects.get().amount_minor) == (1, 1, 700)


def test_lines_and_instalments_are_rows(inside: uuid.UUID) -> None:
    lines = (Line(description="Design", amount=eur("60.00"), quantity="2"), Line(description="Tab\there", amount=eur("40.00")))
    dues = (DueDate(due_date=dt.date(2026, 5, 31), amount=eur("50.00")), DueDate(due_date=dt.date(2026, 6, 30), amount=eur("50.00")))
    load(invoice(lines=lines, due_dates=dues))
    assert list(models.DocumentLine.objects.order_by("ordinal").values_list("description", "amount_minor")) == [("Design", 6000), ("Tab\there", 4000)]
    assert sum(models.DueDate.objects.values_list("amount_minor", flat=True)) == 10000
    load(invoice(lines=lines[:1], due_dates=dues), now=LATER)
    assert models.DocumentLine.objects.count() == 1


def test_a_payment_from_the_bank_belongs_to_nobody_yet(inside: uuid.UUID) -> None:
    load(
        Payment(line=1, payment_id="b1", amount=eur("100.00"), date=dt.date(2026, 6, 1), payer_name="BRIGHTWATER", remittance="INV-1"),
        connection="Bank",
    )
    payment = models.Payment.objects.get()
    assert (payment.customer_id, payment.unapplied_minor, payment.remittance) == (None, 10000, "INV-1")


def test_each_source_founds_customers_of_its_own_whether_they_are_one_is_judged_afterwards(inside: uuid.UUID) -> None:
    load(Customer(line=1, customer_id="A", name="Brightwater Foods Ltd", email="ap@brightwater.example"))
    load(Customer(line=1, customer_id="X9", name="Brightwater Foods Limited", email="AP@brightwater.example"), connection="CRM export")
    assert models.Customer.objects.count() == 2
    assert set(models.SourceRecord.objects.values_list("evidence", flat=True)) == {"the source's own key"}


def test_names_with_quotes_tabs_and_backslashes_come_through_whole(inside: uuid.UUID) -> None:
    name = 'O\'Hara \\ "Söhne" \t{{ x }} <b>名前</b>'
    load(Customer(line=1, customer_id="A", name=name))
    assert models.Customer.objects.get().name == name


def test_staging_is_empty_afterwards(inside: uuid.UUID) -> None:
    from django.db import connection

    load(invoice())
    with stage.as_intake(), connection.cursor() as cursor:
        cursor.execute("SELECT (SELECT count(*) FROM ledger_staged_document) + (SELECT count(*) FROM ledger_staged_customer)")
        assert cursor.fetchone() == (0,)
