"""Whose word counts, decided for all customers at once; disagreements that open, are answered, are taken back, and close by themselves."""

from __future__ import annotations

import datetime as dt
import itertools
import random
import uuid
from typing import Any

import msgspec
import pytest
from django.db import connection as database

from tests.conftest import NOW
from tests.stages import builders
from tieout.core.documents import Customer, Invoice, Payment, Record
from tieout.core.evidence import Actor
from tieout.core.money import from_text
from tieout.flow import identity
from tieout.stages.base.models import AuditEntry
from tieout.stages.collect import address
from tieout.stages.intake import run as runs
from tieout.stages.ledger import correct, decide, gone, link, merge, models, rules, stage
from tieout.stages.ledger.rules import RuleRefused
from tieout.stages.writeback import answer, compare
from tieout.stages.writeback.models import Conflict, Outgoing

ADA = Actor("person", "Ada", None)
LATER = NOW + dt.timedelta(hours=1)
pytestmark = pytest.mark.usefixtures("inside")


def source(vendor: str) -> Any:
    return builders.connection(vendor.title(), kind="system", vendor=vendor, stage="live")


def says(vendor: str, *records: Record, now: dt.datetime = NOW) -> merge.Merged:
    """A system says something, and what follows is compared."""
    from_ = source(vendor)
    started = runs.begin(connection=from_, envelope=None, now=now)
    with stage.as_intake():
        staged = stage.Staged(run_id=started.pk)
        for line, record in enumerate(records, 1):
            staged.add(_with_line(record, line))
        staged.finish()
        merged = merge.run(run_id=started.pk, connection_id=from_.pk, envelope_id=None, now=now, system=True)
    compare.run(customer_ids=merged.customer_ids, now=now)
    _one_house(now)
    return merged


def _one_house(now: dt.datetime) -> None:
    """Ada knows that whatever bears Brightwater's tax id is one customer."""
    first, *others = models.Customer.objects.filter(lead_id=None, tax_id=brightwater().tax_id or "").order_by("id") or [None]
    for other in others:
        identity.join(customer=other, into=first, evidence="the same tax id", actor=ADA, now=now)


def _with_line(record: Record, line: int) -> Record:
    return msgspec.structs.replace(record, line=line)


def brightwater(name: str = "Brightwater GmbH", *, key: str = "C1", email: str | None = "ap@brightwater.example", **fields: Any) -> Customer:
    return Customer(customer_id=key, name=name, email=email, tax_id="DE123456789", **fields)


def the_customer() -> models.Customer:
    found: models.Customer = models.Customer.objects.get(lead_id=None)
    return found


def open_ones() -> list[tuple[str, str, str]]:
    return [(row.field, str(row.ours), str(row.theirs)) for row in Conflict.objects.filter(state="open").order_by("field", "id")]


def everywhere(**names: str) -> None:
    for vendor, name in names.items():
        says(vendor, brightwater(name))


# Whose word counts


def test_the_books_name_the_customer_whoever_spoke_last() -> None:
    everywhere(quickbooks="Brightwater Foods GmbH", stripe="Brightwater", hubspot="The Water People")
    assert the_customer().name == "Brightwater Foods GmbH"
    says("hubspot", brightwater("Water Folk"), now=LATER)
    assert (the_customer().name, the_customer().folded_name) == ("Brightwater Foods GmbH", "brightwater foods")


WORDS = [
    ("quickbooks", brightwater("Brightwater Foods GmbH", city="Berlin", email="books@brightwater.example")),
    ("stripe", brightwater("Brightwater", city="Munich", country="DE", email="pay@brightwater.example")),
    ("hubspot", brightwater("The Water People", phone="+49 30 1", email="ap@brightwater.example")),
]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))), ids=str)
def test_the_same_words_give_the_same_customer_in_any_order(order: tuple[int, ...]) -> None:
    for vendor in ("quickbooks", "stripe", "hubspot"):
        source(vendor)
    for place, now in zip(order, (NOW, LATER, LATER + dt.timedelta(hours=1)), strict=True):
        says(WORDS[place][0], WORDS[place][1], now=now)
    row = the_customer()
    assert (row.name, row.city, row.country, row.phone) == ("Brightwater Foods GmbH", "Berlin", "DE", "+49 30 1")
    reached = address.of(customer_ids=[row.pk])[row.pk]
    assert reached.email == "ap@brightwater.example"
    assert sorted(open_ones()) == [
        ("city", "Berlin", "Munich"), ("email", "ap@brightwater.example", "books@brightwater.example"),
        ("email", "ap@brightwater.example", "pay@brightwater.example"), ("name", "Brightwater Foods GmbH", "Brightwater"),
        ("name", "Brightwater Foods GmbH", "The Water People"),
    ]  # fmt: skip


def test_the_same_again_writes_no_row(inside: uuid.UUID) -> None:
    everywhere(quickbooks="Brightwater Foods GmbH", stripe="Brightwater", hubspot="The Water People")
    tables = ("ledger_customer", "ledger_contact", "ledger_fieldword", "ledger_sourcerecord", "writeback_conflict", "base_change")

    def versions() -> list[object]:
        with database.cursor() as cursor:
            each = "SELECT '{0}', xmin::text, ctid::text FROM {0} WHERE organisation_id = %(o)s"
            cursor.execute(" UNION ALL ".join(each.format(table) for table in tables), {"o": inside})
            return sorted(cursor.fetchall())

    before = versions()
    everywhere(quickbooks="Brightwater Foods GmbH", stripe="Brightwater", hubspot="The Water People")
    assert decide.run(customer_ids=None, now=LATER, cause="rule") == []
    compare.run(customer_ids=None, now=LATER)
    assert versions() == before


def test_a_changed_rule_is_looked_at_then_decides_every_customer() -> None:
    everywhere(quickbooks="Brightwater Foods GmbH", hubspot="The Water People")
    rule = rules.proposed(key="customer.name", order=["crm", "accounting"])
    assert [(w.field, w.before, w.after) for w in decide.preview(rule=rule)] == [("name", "Brightwater Foods GmbH", "The Water People")]
    assert the_customer().name == "Brightwater Foods GmbH"
    rules.change(key="customer.name", order=["crm", "accounting"], reason="sales keeps the names", actor=ADA, now=LATER)
    assert decide.run(customer_ids=None, now=LATER, cause="rule") == [the_customer().pk]
    compare.run(customer_ids=None, now=LATER)
    assert the_customer().name == "The Water People"
    assert ("name", "The Water People", "Brightwater Foods GmbH") in open_ones()
    assert AuditEntry.objects.filter(action="truth.change", object_id="customer.name").count() == 1
    rules.put_back(key="customer.name", actor=ADA, now=LATER)
    decide.run(customer_ids=None, now=LATER, cause="rule")
    assert the_customer().name == "Brightwater Foods GmbH"


def test_one_connection_can_come_first() -> None:
    everywhere(quickbooks="Brightwater Foods GmbH", stripe="Brightwater", hubspot="The Water People")
    place = f"connection:{source('stripe').pk}"
    rules.change(key="customer.name", order=[place, "accounting"], reason="they invoice", actor=ADA, now=LATER)
    decide.run(customer_ids=None, now=LATER)
    assert the_customer().name == "Brightwater"


@pytest.mark.parametrize(
    ("key", "order", "reason", "says_"),
    [
        ("invoice.all", ["crm"], "why", "born in"), ("customer.shoes", ["crm"], "why", "there is no rule"),
        ("customer.name", [], "why", "at least one"),
        ("customer.name", ["crm", "crm"], "why", "only once"), ("customer.name", ["connection:999999"], "why", "neither a kind"),
        ("customer.name", ["crm"], "  ", "say why"),
    ],
)
def test_a_table_that_makes_no_sense_is_refused(key: str, order: list[str], reason: str, says_: str) -> None:
    with pytest.raises(RuleRefused, match=says_):
        rules.change(key=key, order=order, reason=reason, actor=ADA, now=NOW)
    assert not models.FieldRule.objects.exists()


def test_a_person_outranks_the_table_and_taking_it_back_lets_the_table_decide() -> None:
    everywhere(quickbooks="Brightwater Foods GmbH", hubspot="The Water People")
    row = the_customer()
    correction = correct.field(kind="customer", target_id=row.pk, field="name", value="Brightwater SE", reason="register", actor=ADA, now=NOW)
    says("quickbooks", brightwater("Brightwater Holding GmbH"), now=LATER)
    assert the_customer().name == "Brightwater SE"
    correct.retract(correction=correction, actor=ADA, now=LATER)
    assert the_customer().name == "Brightwater Holding GmbH"


def test_a_record_linked_elsewhere_takes_its_words_along_and_brings_them_back() -> None:
    says("quickbooks", brightwater("Brightwater Foods GmbH"))
    says("hubspot", Customer(customer_id="H9", name="The Water People", city="Hamburg"))
    ours = models.Customer.objects.get(name="Brightwater Foods GmbH")
    record = models.SourceRecord.objects.get(kind="customer", external_id="H9")
    moved = link.link(record=record, customer=ours, evidence="Ada knows", actor=ADA, now=LATER)
    compare.run(customer_ids=[ours.pk], now=LATER)
    ours.refresh_from_db()
    assert (ours.name, ours.city) == ("Brightwater Foods GmbH", "Hamburg")
    assert open_ones() == [("name", "Brightwater Foods GmbH", "The Water People")]
    link.unlink(record=moved.record, actor=ADA, now=LATER)
    compare.run(customer_ids=[ours.pk], now=LATER)
    assert open_ones() == []
    assert Conflict.objects.get().state == "agreed"


# Disagreements


def test_a_difference_of_form_opens_nothing() -> None:
    everywhere(quickbooks="Brightwater GmbH", stripe="BRIGHTWATER Gesellschaft mbH", hubspot="Brightwater, GmbH.")
    assert open_ones() == []


def test_it_closes_by_itself_when_the_sources_agree_and_opens_when_they_differ_again() -> None:
    everywhere(quickbooks="Brightwater Foods GmbH", hubspot="The Water People")
    (row,) = Conflict.objects.filter(state="open")
    assert (row.ours_from, row.connection.name, row.proposal) == ("Quickbooks", "Hubspot", "tell")
    assert "legal name" in row.because
    says("hubspot", brightwater("brightwater foods"), now=LATER)
    row.refresh_from_db()
    assert (row.state, row.settled_by) == ("agreed", "the sources")
    says("hubspot", brightwater("Water Folk"), now=LATER)
    row.refresh_from_db()
    assert (row.state, row.theirs) == ("open", "Water Folk")


@pytest.fixture
def torn() -> Conflict:
    everywhere(quickbooks="Brightwater Foods GmbH", hubspot="The Water People")
    found: Conflict = Conflict.objects.get(field="name")
    return found


def again() -> None:
    compare.run(customer_ids=None, now=LATER)


def test_kept_ours_stays_settled_until_their_word_changes(torn: Conflict) -> None:
    answer.run(conflict=torn, answer="keep", actor=ADA, now=LATER)
    again()
    assert open_ones() == []
    says("hubspot", brightwater("Water Folk"), now=LATER)
    assert open_ones() == [("name", "Brightwater Foods GmbH", "Water Folk")]


def test_left_alone_until_it_changes(torn: Conflict) -> None:
    answer.run(conflict=torn, answer="ignore", actor=ADA, now=LATER)
    again()
    assert open_ones() == []
    says("quickbooks", brightwater("Brightwater SE"), now=LATER)
    assert open_ones() == [("name", "Brightwater SE", "The Water People")]


def test_theirs_is_taken_and_given_back(torn: Conflict) -> None:
    answer.run(conflict=torn, answer="take", actor=ADA, now=LATER)
    again()
    assert the_customer().name == "The Water People"
    assert open_ones() == []
    answer.undo(conflict=torn, actor=ADA, now=LATER)
    again()
    assert the_customer().name == "Brightwater Foods GmbH"
    assert open_ones() == [("name", "Brightwater Foods GmbH", "The Water People")]
    assert list(AuditEntry.objects.filter(object_kind="conflict").order_by("seq").values_list("action", flat=True)) == [
        "conflict.answer", "conflict.undo"]


def test_said_by_hand_outranks_both_and_taking_back_the_correction_opens_it_again(torn: Conflict) -> None:
    answer.run(conflict=torn, answer="hand", value="Brightwater SE", note="commercial register", actor=ADA, now=LATER)
    again()
    assert the_customer().name == "Brightwater SE"
    assert open_ones() == []
    correct.retract(correction=models.Correction.objects.get(), actor=ADA, now=LATER)
    again()
    assert open_ones() == [("name", "Brightwater Foods GmbH", "The Water People")]


@pytest.mark.parametrize(
    ("given", "says_"),
    [
        ({"answer": "hand", "value": "", "note": "x"}, "write what the name really is"), ({"answer": "hand", "value": "X"}, "how you know"),
        ({"answer": "shout"}, "is no answer"), ({"answer": ""}, "nothing is no answer"),
    ],
)
def test_an_answer_that_says_nothing_is_refused_and_changes_nothing(torn: Conflict, given: dict[str, str], says_: str) -> None:
    with pytest.raises(answer.AnswerRefused, match=says_):
        answer.run(conflict=torn, actor=ADA, now=LATER, **given)
    torn.refresh_from_db()
    assert (torn.state, the_customer().name) == ("open", "Brightwater Foods GmbH")


def test_an_answer_is_given_once(torn: Conflict) -> None:
    answer.run(conflict=torn, answer="keep", actor=ADA, now=LATER)
    with pytest.raises(answer.AnswerRefused, match="settled by a person by now"):
        answer.run(conflict=torn, answer="take", actor=ADA, now=LATER)


def test_the_other_system_is_told_once_and_not_where_it_was_taken_back_in_time(torn: Conflict) -> None:
    answer.run(conflict=torn, answer="tell", actor=ADA, now=LATER)
    put = Outgoing.objects.get()
    assert (put.kind, put.connection_id, put.body["field"], put.body["theirs"]) == ("update_customer", torn.connection_id, "name", "C1")
    answer.undo(conflict=torn, actor=ADA, now=LATER)
    put.refresh_from_db()
    assert (put.state, put.receipt) == ("done", "not told: taken back by a person")
    answer.run(conflict=torn, answer="tell", actor=ADA, now=LATER)
    Outgoing.objects.filter(state="waiting").update(state="done", attempts=1)
    with pytest.raises(answer.AnswerRefused, match="told already"):
        answer.undo(conflict=torn, actor=ADA, now=LATER)


def test_a_system_that_is_in_pilot_cannot_be_told(torn: Conflict) -> None:
    type(torn.connection).objects.filter(pk=torn.connection_id).update(stage="pilot")
    with pytest.raises(answer.AnswerRefused, match="cannot be told"):
        answer.run(conflict=torn, answer="tell", actor=ADA, now=LATER)
    assert not Outgoing.objects.exists()


def test_the_address_for_reminders_is_taken_and_given_back() -> None:
    says("hubspot", brightwater(email="ap@brightwater.example"))
    says("quickbooks", brightwater(email="books@brightwater.example"))
    customer = the_customer().pk
    row = Conflict.objects.get(field="email")
    assert address.of(customer_ids=[customer])[customer].email == "ap@brightwater.example"
    answer.run(conflict=row, answer="take", actor=ADA, now=LATER)
    again()
    assert address.of(customer_ids=[customer])[customer].email == "books@brightwater.example"
    assert open_ones() == []
    answer.undo(conflict=row, actor=ADA, now=LATER)
    again()
    assert address.of(customer_ids=[customer])[customer].email == "ap@brightwater.example"
    assert [field for field, _, _ in open_ones()] == ["email"]


# Documents and money


def eur(text: str) -> Any:
    return from_text(text, "EUR")


def invoice(key: str = "I1", amount: str = "100.00", **fields: Any) -> Invoice:
    return Invoice(
        invoice_id=key, number="INV-1", customer_id="C1", amount=eur(amount), issue_date=dt.date(2026, 5, 1),
        **{"due_date": dt.date(2026, 5, 31), **fields})


def mirrored(**fields: Any) -> models.Document:
    """INV-1 was born in Stripe; QuickBooks has it as Q1 and says so."""
    says("stripe", brightwater(), invoice())
    says("quickbooks", brightwater())
    document: models.Document = models.Document.objects.get()
    models.SourceRecord.objects.create(
        connection=source("quickbooks"), kind="invoice", external_id="Q1", target_id=document.pk, content_hash=b"\x00", recorded_at=NOW, seen_at=NOW)
    says("quickbooks", invoice("Q1", **fields), now=LATER)
    document.refresh_from_db()
    return document


@pytest.mark.parametrize(
    ("fields", "conflict"),
    [
        pytest.param({}, [], id="the same is no conflict"),
        pytest.param({"amount": "90.00"}, [("amount_minor", "10000", "9000")], id="another amount"),
        pytest.param({"status": "void"}, [("status", "open", "void")], id="void there and open here"),
        pytest.param({"due_date": dt.date(2026, 6, 30)}, [("due_date", "2026-05-31", "2026-06-30")], id="another due date"),
        pytest.param({"due_date": None}, [], id="silence is no conflict"),
        pytest.param({"open_amount": from_text("40.00", "EUR")}, [], id="what is open of it is the tie-outs matter"),
    ],
)
def test_what_another_system_says_of_a_document(fields: dict[str, Any], conflict: list[tuple[str, str, str]]) -> None:
    document = mirrored(**fields)
    assert (document.amount_minor, document.status, document.due_date) == (10000, "open", dt.date(2026, 5, 31))
    assert open_ones() == conflict


def test_the_amount_of_a_document_is_its_birthplaces() -> None:
    mirrored(amount="90.00")
    with pytest.raises(answer.AnswerRefused, match="belongs to the system it was born in"):
        answer.run(conflict=Conflict.objects.get(), answer="take", actor=ADA, now=LATER)


def test_a_due_date_can_be_taken_or_told() -> None:
    document = mirrored(due_date=dt.date(2026, 6, 30))
    row = Conflict.objects.get()
    assert row.proposal == "tell"
    answer.run(conflict=row, answer="take", actor=ADA, now=LATER)
    document.refresh_from_db()
    assert document.due_date == dt.date(2026, 6, 30)
    again()
    assert open_ones() == []


def test_what_is_being_told_just_now_is_no_conflict() -> None:
    document = mirrored()
    Outgoing.objects.create(
        kind="void", natural_key="q:void", connection=source("quickbooks"), subject_kind="invoice", subject_id=document.pk, written_at=NOW)
    says("stripe", invoice(status="void"), now=LATER)
    assert open_ones() == []
    Outgoing.objects.update(state="failed")
    again()
    assert open_ones() == [("status", "void", "open")]


# Moves and order


MOVES = [("void", "open", False), ("open", "draft", False), ("open", "void", True), ("draft", "open", True), ("void", "void", True)]


@pytest.mark.parametrize(("before", "after", "taken"), MOVES)
def test_a_document_moves_along_allowed_paths_only(before: str, after: str, taken: bool) -> None:
    says("stripe", brightwater(), invoice(status=before))
    merged = says("stripe", invoice(status=after, po_number="changed"), now=LATER)
    document = models.Document.objects.get()
    assert (document.status, document.po_number) == ((after, "changed") if taken else (before, ""))
    assert [(r.code, r.external_id) for r in merged.refused] == ([] if taken else [("wrong_move", "I1")])
    if not taken:
        assert f"INV-1 is {before} here and its system now says {after}" in merged.refused[0].message


def test_money_that_came_back_does_not_arrive_again() -> None:
    paid = Payment(payment_id="p1", amount=eur("10.00"), date=dt.date(2026, 6, 1))
    says("stripe", paid)
    says("stripe", Payment(payment_id="p1", amount=eur("10.00"), date=dt.date(2026, 6, 1), status="reversed"), now=LATER)
    merged = says("stripe", paid, now=LATER)
    assert [r.code for r in merged.refused] == ["wrong_move"]
    assert models.Payment.objects.get().status == "reversed"


def test_a_document_that_was_gone_may_come_back() -> None:
    says("stripe", brightwater(), invoice())
    gone.at_source(connection_id=source("stripe").pk, kind="invoice", external_ids=["I1"], how="deleted", now=LATER)
    assert models.Document.objects.get().status == "deleted"
    assert says("stripe", invoice(status="draft"), now=LATER).refused == ()
    assert (models.Document.objects.get().status, models.SourceRecord.objects.get(kind="invoice").gone_at) == ("draft", None)


def test_a_person_who_voided_it_is_not_contradicted_by_a_move() -> None:
    says("stripe", brightwater(), invoice())
    document = models.Document.objects.get()
    correct.field(kind="invoice", target_id=document.pk, field="status", value="void", reason="agreed", actor=ADA, now=NOW)
    merged = says("stripe", invoice(po_number="PO-1"), now=LATER)
    document.refresh_from_db()
    assert (merged.refused, document.status, document.po_number) == ((), "void", "PO-1")


def test_random_histories_end_where_the_last_words_say() -> None:
    """Twenty histories of what three systems said, in any interleaving that keeps each system's own order."""
    for seed in range(20):
        dice = random.Random(seed)
        models.FieldWord.objects.all().delete()
        last: dict[str, str] = {}
        for _ in range(8):
            vendor = dice.choice(("quickbooks", "stripe", "hubspot"))
            last[vendor] = dice.choice(("Brightwater Foods GmbH", "Brightwater", "The Water People", "Water Folk"))
            says(vendor, brightwater(last[vendor], phone=str(dice.randint(1, 10**6))), now=NOW + dt.timedelta(days=seed))
        wanted = next(last[vendor] for vendor in ("quickbooks", "stripe", "hubspot") if vendor in last)
        assert the_customer().name == wanted, f"seed {seed}"
