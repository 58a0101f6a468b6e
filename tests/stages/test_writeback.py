"""The map, what a person decides about an effect, and the way back for files."""

from __future__ import annotations

import csv
import datetime as dt
import io
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import NOW
from tests.stages import builders
from tieout.core.evidence import Actor, Refused
from tieout.stages.base import walls
from tieout.stages.base.models import AuditEntry
from tieout.stages.intake.models import Connection
from tieout.stages.ledger import correct
from tieout.stages.ledger.models import Allocation, Document, SourceRecord, Stated
from tieout.stages.writeback import compose, decide, file_out, pours, route
from tieout.stages.writeback.models import Download, Outgoing, Route

ADA = Actor("person", "Ada")
LATER = NOW + dt.timedelta(hours=2)


@pytest.fixture(autouse=True)
def inside(organisation: uuid.UUID) -> Iterator[None]:
    with walls.inside(organisation):
        yield


def books(name: str = "Books") -> Connection:
    return builders.connection(name, kind="system", vendor="quickbooks")


def effect(document: Document, target: Connection, **fields: Any) -> Outgoing:
    row: Outgoing = Outgoing.objects.create(**{
        "kind": "invoice", "natural_key": f"{target.pk}:invoice:invoice:{document.pk}:1", "connection": target, "subject_kind": "invoice",
        "subject_id": document.pk, "body": {"label": document.number}, "state": "unknown", "receipt": "no answer came", "written_at": NOW,
        "claimed_at": NOW, "settled_at": NOW, "attempts": 1, "not_before": NOW, **fields})
    return row


def acts() -> list[str]:
    told = AuditEntry.objects.filter(action__regex="^(map|outbox)").order_by("seq")
    return list(told.values_list("action", flat=True))


# The map


def test_a_line_reads_as_a_sentence_and_every_change_of_it_stands_in_the_trail() -> None:
    origin, target = builders.connection("Stripe"), books("QuickBooks")
    line = route.add(origin=origin, target=target, what="invoice", since=dt.date(2026, 11, 3), actor=ADA, now=NOW)
    assert [one.said for one in route.shown()] == ["Invoices born in Stripe go to QuickBooks, since 3 Nov 2026"]
    route.move(line=line, since=dt.date(2026, 1, 2), actor=ADA, now=NOW)
    route.set(line=line, enabled=False, actor=ADA, now=NOW)
    (shown,) = route.shown()
    assert (shown.said, shown.enabled) == ("Invoices born in Stripe go to QuickBooks, since 2 Jan 2026", False)
    route.remove(line=line, actor=ADA, now=NOW)
    assert route.shown() == []
    assert acts() == ["map.add", "map.since", "map.set", "map.remove"]
    moved = AuditEntry.objects.get(action="map.since").detail
    assert (moved["before"], moved["since"]) == ("2026-11-03", "2026-01-02")


@pytest.mark.parametrize(("what", "from_books", "gives", "takes", "says"), [
    ("invoice", True, ("invoice",), ("invoice",), "never written into it again"),
    ("invoice", False, ("payment",), ("invoice",), "has no invoices to give"),
    ("payment", False, ("payment",), ("invoice",), "cannot be told of payments"),
    ("deal", False, ("deal",), ("deal",), "is not among"),
    ("status", False, ("status",), ("status",), "is not among"),
])
def test_a_line_that_cannot_be_is_refused(what: str, from_books: bool, gives: tuple[str, ...], takes: tuple[str, ...], says: str) -> None:
    target = books()
    origin = target if from_books else builders.connection("Stripe")
    with pytest.raises(route.MapRefused, match=says):
        route.add(origin=origin, target=target, what=what, since=NOW.date(), actor=ADA, now=NOW, gives=gives, takes=takes)
    assert not Route.objects.exists()
    assert acts() == []


def test_the_same_line_twice_is_said_to_be_there() -> None:
    given: Any = {"origin": builders.connection("Stripe"), "target": books(), "what": "invoice", "since": NOW.date(), "actor": ADA, "now": NOW}
    route.add(**given)
    with pytest.raises(route.MapRefused, match="already"):
        route.add(**given)


def test_what_follows_the_documents_has_no_day_of_its_own() -> None:
    line = route.add(origin=builders.connection("Stripe"), target=books(), what="void", since=NOW.date(), actor=ADA, now=NOW)
    with pytest.raises(route.MapRefused, match="follows the documents"):
        route.move(line=line, since=NOW.date(), actor=ADA, now=NOW)


def test_an_earlier_day_pours_over_what_is_neither_there_nor_asked_for() -> None:
    target, debtor = books(), builders.customer()
    old, there, asked = (builders.invoice(debtor, "10.00", due) for due in ("2026-02-10", "2026-03-10", "2026-03-11"))
    builders.invoice(debtor, "80.00", "2026-03-12", status="void")
    builders.invoice(debtor, "160.00", "2026-05-12")
    builders.invoice(debtor, "5.00", "2026-05-12", currency="USD")
    SourceRecord.objects.create(
        connection=target, kind="invoice", external_id="77", target_id=there.pk, content_hash=b"1", recorded_at=NOW, seen_at=NOW)
    effect(asked, target)
    given: Any = {"origin_id": old.connection_id, "target_id": target.pk, "what": "invoice"}
    pour = pours.count(**given, since=dt.date(2026, 1, 1))
    assert (pour.count, [sum_.text() for sum_ in pour.sums], pour.oldest) == (3, ["170.00", "5.00"], dt.date(2026, 1, 11))
    assert pours.count(**given, since=dt.date(2026, 3, 1)).count == 2
    assert pours.count(**given, since=dt.date(2026, 7, 1)).count == 0
    assert pours.count(**(given | {"what": "payment"}), since=dt.date(2026, 1, 1)).count == 0


def test_a_line_that_is_off_or_gone_tells_nothing_and_forgets_nothing() -> None:
    target, debtor = books(), builders.customer()
    row = effect(builders.invoice(debtor), target, state="waiting", settled_at=None)
    assert compose.body(row=row) == compose.NotYet("no line of the map sends it there any more")
    line = route.add(origin=builders.connection(), target=target, what="invoice", since=NOW.date(), actor=ADA, now=NOW)
    assert compose.body(row=row) == compose.NotYet("its customer is not there yet")
    route.set(line=line, enabled=False, actor=ADA, now=NOW)
    assert compose.body(row=row) == compose.NotYet("its line of the map is switched off")


# What a person decides


def test_somebody_says_that_it_happened_and_the_two_are_linked() -> None:
    invoice, target = builders.invoice(builders.customer()), books()
    row = effect(invoice, target)
    assert decide.happened(effect=row, external_id=" 145 ", checked="", actor=ADA, now=NOW) is None
    row.refresh_from_db()
    assert (row.state, row.external_id, row.receipt) == ("done", "145", "Ada says it happened")
    assert compose.their_id(connection_id=target.pk, kind="invoice", target_id=invoice.pk) == "145"
    assert acts() == ["outbox.happened"]
    assert isinstance(decide.again(effect=row, actor=ADA, now=NOW), Refused)


def test_an_id_that_is_missing_or_another_ones_is_refused() -> None:
    debtor, target = builders.customer(), books()
    other, row = builders.invoice(debtor), effect(builders.invoice(debtor), target)
    SourceRecord.objects.create(
        connection=target, kind="invoice", external_id="145", target_id=other.pk, content_hash=b"1", recorded_at=NOW, seen_at=NOW)
    for external_id, says in (("", "say which id"), ("145", "another invoice of ours")):
        refused = decide.happened(effect=row, external_id=external_id, checked="", actor=ADA, now=NOW)
        assert refused is not None
        assert says in refused.reason
    row.refresh_from_db()
    assert (row.state, acts()) == ("unknown", [])


@pytest.mark.parametrize("state", ["unknown", "failed", "person"])
def test_somebody_has_it_tried_again_under_the_same_key(state: str) -> None:
    row = effect(builders.invoice(builders.customer()), books(), state=state, lacks="item")
    assert decide.again(effect=row, actor=ADA, now=LATER) is None
    row.refresh_from_db()
    assert (row.state, row.settled_at, row.not_before, row.lacks, row.attempts) == ("waiting", None, LATER, "", 1)
    assert acts() == ["outbox.again"]


@pytest.mark.parametrize("state", ["waiting", "claimed", "done"])
def test_what_is_under_way_or_over_is_not_decided(state: str) -> None:
    row = effect(builders.invoice(builders.customer()), books(), state=state)
    given: Any = {"effect": row, "actor": ADA, "now": NOW}
    for refused in (decide.happened(**given, external_id="1", checked=""), decide.again(**given), decide.drop(**given, reason="x")):
        assert isinstance(refused, Refused)
    assert acts() == []


def test_what_is_not_wanted_there_says_who_said_so() -> None:
    row = effect(builders.invoice(builders.customer()), books(), state="failed")
    assert isinstance(decide.drop(effect=row, reason=" ", actor=ADA, now=NOW), Refused)
    assert decide.drop(effect=row, reason="entered by hand", actor=ADA, now=NOW) is None
    row.refresh_from_db()
    assert (row.state, row.receipt) == ("done", "not told: Ada says entered by hand")


# The way back for files


def made(connection: Connection, now: dt.datetime = NOW, since: dt.datetime | None = None) -> Download:
    found = file_out.make(connection=connection, since=since, actor=ADA, now=now)
    assert isinstance(found, Download), found
    return found


def lines(download: Download, what: str) -> list[dict[str, str]]:
    return [row for row in csv.DictReader(io.StringIO(bytes(download.content).decode(), newline="")) if row["what"] == what]


@pytest.fixture
def paid() -> tuple[Document, Any]:
    """An invoice of the billing export, paid by money of the bank export."""
    debtor = builders.customer("Müller, \"Söhne\" & Co")
    invoice = builders.invoice(debtor, "100.00", number="BX-1")
    money = builders.payment("60.00", owner=debtor)
    row = Allocation.objects.create(
        kind="cash", payment=money, document=invoice, currency="EUR", amount_minor=6_000, date=NOW.date(), recorded_at=NOW, rank=3,
        actor_kind="person", actor_name="Ada", rule="by hand", reason="it names BX-1")
    return invoice, row


def test_a_file_says_what_was_applied_and_how_the_document_stands_in_their_keys_and_ours(paid: tuple[Document, Any]) -> None:
    invoice, applied = paid
    download = made(builders.connection())
    (line,) = lines(download, "applied")
    assert {name: line[name] for name in ("change", "our_key", "their_key", "their_customer", "amount", "currency", "payment_from")} == {
        "change": "applied", "our_key": str(applied.pk), "their_key": "BX-1", "their_customer": f"C{invoice.customer_id}", "amount": "60.00",
        "currency": "EUR", "payment_from": "Bank"}
    (status,) = lines(download, "status")
    assert (status["their_key"], status["open_amount"], status["settlement"]) == ("BX-1", "40.00", "partially_paid")
    assert (download.ordinal, download.lines, acts()) == (1, 2, ["outbox.download"])


def test_the_next_file_says_only_what_changed_since_and_nothing_twice(paid: tuple[Document, Any]) -> None:
    _, applied = paid
    source = builders.connection()
    made(source)
    nothing = file_out.make(connection=source, since=None, actor=ADA, now=NOW + dt.timedelta(minutes=1))
    assert nothing == Refused("nothing has changed since the last file")
    Allocation.objects.filter(pk=applied.pk).update(retracted_at=LATER, retracted_reason="wrong one")
    second = made(source, LATER)
    assert [line["change"] for line in lines(second, "applied")] == ["taken back"]
    assert [line["open_amount"] for line in lines(second, "status")] == ["100.00"]
    assert (second.ordinal, second.since) == (2, NOW)


def test_what_was_committed_late_is_in_the_next_file(paid: tuple[Document, Any]) -> None:
    """Recorded before the last file was made, and committed after it."""
    _, applied = paid
    source = builders.connection()
    made(source)
    late = Allocation.objects.create(
        kind="write_off", document=applied.document, currency="EUR", amount_minor=100, date=NOW.date(),
        recorded_at=NOW - dt.timedelta(minutes=1), rank=3, actor_kind="person", actor_name="Ada", rule="by hand", reason="rounding")
    second = made(source, LATER)
    assert [line["our_key"] for line in lines(second, "applied")] == [str(late.pk)]


def test_since_a_day_says_it_all_again_and_every_file_stays_as_it_was(paid: tuple[Document, Any]) -> None:
    source = builders.connection()
    first = made(source)
    again = made(source, LATER, since=NOW - dt.timedelta(days=1))
    assert bytes(again.content) == bytes(first.content)
    assert bytes(Download.objects.get(pk=first.pk).content) == bytes(first.content)
    assert file_out.make(connection=source, since=LATER, actor=ADA, now=LATER) == Refused("there is nothing to tell yet")


def test_a_customer_changed_here_is_told_and_one_its_source_changed_is_not() -> None:
    changed, untouched = builders.customer("Kestrel & Co"), builders.customer("Left alone")
    correct.field(kind="customer", target_id=changed.pk, field="city", value="Leeds", reason="moved", actor=ADA, now=LATER)
    download = made(builders.connection(), LATER)
    (line,) = lines(download, "customer")
    assert (line["our_key"], line["their_key"], line["name"], line["city"], line["email"]) == (
        str(changed.pk), f"C{changed.pk}", "Kestrel & Co", "Leeds", "ap@brightwater.example")
    assert untouched.name not in bytes(download.content).decode()


def test_the_bank_file_hears_where_its_money_went(paid: tuple[Document, Any]) -> None:
    _, applied = paid
    (line,) = lines(made(builders.connection("Bank")), "applied")
    assert (line["their_payment"], line["number"], line["their_key"]) == (applied.payment.external_id, "BX-1", "")


def test_what_a_source_stated_itself_is_not_said_back_to_it(paid: tuple[Document, Any]) -> None:
    invoice, applied = paid
    source = builders.connection()
    Stated.objects.create(
        connection=source, application_external_id="A1", kind="cash", source_external_id="P1", document_external_id=invoice.external_id,
        currency="EUR", amount_minor=6_000, recorded_at=NOW, allocation=applied)
    assert isinstance(file_out.make(connection=source, since=None, actor=ADA, now=NOW), Refused)


def test_a_connected_system_has_no_outbox_file() -> None:
    refused = file_out.make(connection=books(), since=None, actor=ADA, now=NOW)
    assert isinstance(refused, Refused)
    assert "no source of files" in refused.reason
