"""Who is one customer: linked where certain, proposed where not, never against a person; and every link taken back leaves no trace."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import NOW
from tests.stages import builders
from tests.stages.test_allocation_guards import allocate
from tests.stages.test_ledger_merge import eur, invoice, load
from tieout.core.documents import Customer as Described
from tieout.core.documents import Payment as Paid
from tieout.core.evidence import Actor
from tieout.flow import identity
from tieout.stages.base import walls
from tieout.stages.collect import queries as collect
from tieout.stages.collect.models import Release
from tieout.stages.dialogue import hold, note
from tieout.stages.health import verify
from tieout.stages.intake.models import Connection
from tieout.stages.ledger import compare, duplicates, enter, key_rule, link, same_document
from tieout.stages.ledger.models import Allocation, Contact, Customer, Document, LinkProposal, Payment, SourceRecord

ADA = Actor("person", "Ada", 1)
LATER = NOW + dt.timedelta(days=2)
STATES = LinkProposal.State


def described(key: str, name: str, **more: Any) -> Described:
    return Described(line=1, customer_id=key, name=name, **more)


def compared(now: dt.datetime = NOW) -> compare.Compared:
    found = compare.run(customer_ids=compare.waiting(), now=now)
    identity.moved(found.moves, now=now)
    return found


def record(key: str) -> SourceRecord:
    found: SourceRecord = SourceRecord.objects.get(kind="customer", external_id=key, retracted_at__isnull=True)
    return found


def one(*keys: str) -> bool:
    return len({record(key).target_id for key in keys}) == 1


def promises_hold() -> None:
    assert [(p.code, p.breaches) for p in verify.run(now=LATER) if p.breaches] == []


@pytest.fixture
def three(inside: uuid.UUID) -> None:
    """One company in three tools, with an invoice in two of them."""
    load(described("cus_1", "Brightwater Foods GmbH", email="ap@brightwater.example", country="DE"), connection="Shopfile")
    load(invoice("S-1", "100.00", customer_id="cus_1"), connection="Shopfile")
    load(described("17", "Brightwater Foods", email="ap@brightwater.example"), connection="Books")
    load(invoice("B-1", "40.00", customer_id="17"), connection="Books")
    load(described("88", "Brightwater Foods", email="ap@brightwater.example", city="Kiel"), connection="Relations")


def test_one_company_in_three_tools_is_one_customer_and_says_why(three: None) -> None:
    found = compared()
    assert (found.linked >= 2, found.proposed) == (True, 0)
    assert one("cus_1", "17", "88")
    moved = record("17")
    assert "same mail address ap@brightwater.example" in moved.evidence
    assert (moved.score >= 90, moved.linked_by, moved.rank) == (True, "machine", 1)
    assert Document.objects.filter(customer_id=moved.target_id).count() == 2
    assert compared() == compare.Compared()
    promises_hold()


def test_sister_companies_at_one_address_wait_for_a_person(inside: uuid.UUID) -> None:
    load(described("1", "Nordwind Logistik GmbH", email="buero@nordwind.example", city="Kiel"), connection="Shopfile")
    load(described("2", "Nordwind Verwaltung GmbH", email="buero@nordwind.example", city="Kiel"), connection="Books")
    compared()
    assert not one("1", "2")
    waits = LinkProposal.objects.get()
    assert (waits.state, bool(waits.reasons), bool(waits.against)) == (STATES.OPEN, True, True)


def test_what_a_person_parted_the_machine_never_links_again(three: None) -> None:
    compared()
    identity.split(record=record("17"), actor=ADA, now=LATER)
    assert one("cus_1", "88")
    assert not one("cus_1", "17")
    Customer.objects.update(compared_at=None)
    compared(LATER)
    assert not one("cus_1", "17")
    load(described("17", "Brightwater Foods GmbH", email="ap@brightwater.example", country="DE", city="Kiel"), connection="Books", now=LATER)
    compared(LATER)
    assert not one("cus_1", "17")
    promises_hold()


def test_two_records_of_one_source_are_never_brought_together_by_machine(inside: uuid.UUID) -> None:
    load(described("1", "Brightwater Foods", email="ap@brightwater.example"), connection="Shopfile")
    load(described("2", "Brightwater Foods", email="ap@brightwater.example"), connection="Shopfile")
    load(described("3", "Brightwater Foods", email="ap@brightwater.example"), connection="Books")
    compared()
    assert not one("1", "2")
    assert LinkProposal.objects.filter(state=STATES.OPEN).exists()


def test_a_source_that_speaks_again_adds_what_nobody_else_says_and_takes_it_along_when_it_is_split_off(three: None) -> None:
    compared()
    lead = Customer.objects.get(pk=record("17").target_id)
    load(described("17", "Brightwater Foods", email="new@brightwater.example", city="Hamburg"), connection="Books", now=LATER)
    lead.refresh_from_db()
    assert (lead.name, lead.city) == ("Brightwater Foods GmbH", "Hamburg")
    assert set(Contact.objects.filter(customer=lead).values_list("email", flat=True)) >= {"ap@brightwater.example", "new@brightwater.example"}
    identity.split(record=record("17"), actor=ADA, now=LATER)
    lead.refresh_from_db()
    assert (lead.name, lead.city) == ("Brightwater Foods GmbH", "Kiel")
    assert Customer.objects.get(pk=record("17").target_id).city == "Hamburg"
    assert set(Contact.objects.filter(customer=lead).values_list("email", flat=True)) == {"ap@brightwater.example"}
    assert Contact.objects.filter(customer_id=record("17").target_id, email="new@brightwater.example").count() == 1


def test_money_the_machine_applied_across_a_link_comes_back_with_it_and_a_persons_stays(three: None) -> None:
    compared()
    load(Paid(line=1, payment_id="p1", amount=eur("40.00"), date=dt.date(2026, 6, 1), customer_id="cus_1"), connection="Shopfile")
    paid, owed = Payment.objects.get(), Document.objects.get(number="B-1")
    allocate(paid, owed, 1500, rank=1)
    allocate(paid, owed, 500, rank=3, actor_kind="person", actor_name="Ada")
    identity.split(record=record("17"), actor=ADA, now=LATER)
    live = Allocation.objects.filter(retracted_at__isnull=True, payment=paid, document=owed)
    assert list(live.values_list("amount_minor", "rank")) == [(500, 3)]


def test_a_rule_of_keys_links_and_taking_it_back_parts(inside: uuid.UUID) -> None:
    load(described("dana@brightwater.example", "Dana W."), connection="Shopfile")
    load(described("A-17", "Brightwater Foods GmbH", email="dana@brightwater.example"), connection="Books")
    load(described("A-18", "Somebody Else Ltd", email="else@else.example"), connection="Books")
    compared()
    assert not one("dana@brightwater.example", "A-17")
    shop, books = (Connection.objects.get(name=name) for name in ("Shopfile", "Books"))
    rule = key_rule.add(connection=shop, field="key", other_connection=books, other_field="email", note="", actor=ADA, now=NOW)
    with pytest.raises(key_rule.RuleRefused, match="stands already"):
        key_rule.add(connection=books, field="email", other_connection=shop, other_field="key", note="", actor=ADA, now=NOW)
    compared()
    assert one("dana@brightwater.example", "A-17")
    assert "by your rule: " in record("A-17").evidence
    assert identity.retract_rule(rule=rule, actor=ADA, now=LATER) == 1
    assert not one("dana@brightwater.example", "A-17")
    with pytest.raises(key_rule.RuleRefused, match="already"):
        key_rule.retract(rule=rule, actor=ADA, now=LATER)


def test_a_rule_says_nothing_where_its_value_stands_twice(inside: uuid.UUID) -> None:
    load(described("x@x.example", "Dana W."), connection="Shopfile")
    for key in ("A-17", "A-18"):
        load(described(key, f"Company {key}", email="x@x.example"), connection="Books")
    shop, books = (Connection.objects.get(name=name) for name in ("Shopfile", "Books"))
    key_rule.add(connection=shop, field="key", other_connection=books, other_field="email", note="", actor=ADA, now=NOW)
    compared()
    assert not one("x@x.example", "A-17")
    assert not one("x@x.example", "A-18")


def test_a_person_decides_on_a_proposal_and_takes_it_back(inside: uuid.UUID) -> None:
    load(described("1", "Nordwind Logistik GmbH", email="buero@nordwind.example"), connection="Shopfile")
    load(described("2", "Nordwind Verwaltung GmbH", email="buero@nordwind.example"), connection="Books")
    compared()
    waits = LinkProposal.objects.get()
    identity.decide(proposal=waits, same=True, actor=ADA, now=NOW)
    assert one("1", "2")
    identity.reopen(proposal=waits, actor=ADA, now=LATER)
    assert not one("1", "2")
    identity.decide(proposal=waits, same=False, actor=ADA, now=LATER)
    Customer.objects.update(compared_at=None)
    compared(LATER)
    waits.refresh_from_db()
    assert (waits.state, waits.decided_by) == (STATES.REFUSED, "Ada")


# Any order of linking and parting depends only on the links in force.

KEYS = ("A", "B", "C", "D")


def everything() -> dict[str, list[Any]]:
    """All that a customer is, without when it was learnt."""
    with connection.cursor() as cursor:
        def asked(query: str) -> list[Any]:
            cursor.execute(query, {"org": walls.current()})
            return cursor.fetchall()

        return {
            "records": asked("""SELECT external_id, target_id, home_id FROM ledger_sourcerecord WHERE organisation_id = %(org)s AND kind = 'customer'
                                 AND retracted_at IS NULL ORDER BY 1"""),
            "customers": asked("SELECT id, name, city, lead_id FROM ledger_customer WHERE organisation_id = %(org)s ORDER BY 1"),
            "documents": asked("SELECT id, customer_id, open_minor FROM ledger_document WHERE organisation_id = %(org)s ORDER BY 1"),
            "versions": asked("""SELECT document_id, customer_id FROM ledger_documentversion WHERE organisation_id = %(org)s AND superseded_at IS NULL
                                  ORDER BY 1"""),
            "payments": asked("SELECT id, customer_id, unapplied_minor FROM ledger_payment WHERE organisation_id = %(org)s ORDER BY 1"),
            "contacts": asked("SELECT id, customer_id, email FROM ledger_contact WHERE organisation_id = %(org)s ORDER BY 1"),
            "allocations": asked("SELECT id, retracted_at FROM ledger_allocation WHERE organisation_id = %(org)s ORDER BY 1"),
            "holds": asked("SELECT id, customer_id FROM dialogue_hold WHERE organisation_id = %(org)s ORDER BY 1"),
            "notes": asked("SELECT id, customer_id FROM dialogue_note WHERE organisation_id = %(org)s ORDER BY 1"),
            "moved": asked("SELECT table_name, row_id, home_id FROM ledger_moved WHERE organisation_id = %(org)s ORDER BY 1, 2"),
            "pays": asked("""SELECT customer_id, tier, paid_invoices FROM behaviour_profile WHERE organisation_id = %(org)s AND paid_invoices > 0
                              ORDER BY 1"""),
        }


def four() -> None:
    for number, key in enumerate(KEYS, 1):
        load(described(key, f"Company {key}", email=f"ap@{key.lower()}.example", city=f"Town {key}"), connection=f"Tool {key}")
        load(invoice(f"{key}-1", f"{number}00.00", customer_id=key), connection=f"Tool {key}")
        load(Paid(line=1, payment_id=f"{key}-p", amount=eur("40.00"), date=dt.date(2026, 6, 1), customer_id=key), connection=f"Tool {key}")
        ours = Customer.objects.get(pk=record(key).target_id)
        enter.payment(amount=eur("5.00"), date=dt.date(2026, 6, 1), customer=ours, payer_name="", reference="", method="cheque", actor=ADA, now=NOW)
        hold.place(customer=ours, reason="manual", note=key, actor=ADA, now=NOW)
        document = Document.objects.get(number=f"{key}-1")
        note.write(customer=ours, text=f"about {key}", document=document, actor=ADA, now=NOW)
        note.write(customer=ours, text=key, document=None, actor=ADA, now=NOW)
        paid = Payment.objects.get(external_id=f"{key}-p")
        allocate(paid, document, 1000, rank=3, actor_kind="person", actor_name="Ada")


def said(pairs: Iterable[tuple[str, str]], homes: dict[str, Customer]) -> None:
    for one_, other in pairs:
        identity.join(customer=homes[one_], into=homes[other], evidence="Ada says so", actor=ADA, now=LATER)


def parted(one_: str, other: str, homes: dict[str, Customer]) -> None:
    first, second = sorted((homes[one_].pk, homes[other].pk))
    identity.reopen(proposal=LinkProposal.objects.get(first_id=first, second_id=second), actor=ADA, now=LATER)


PAIRS = [(a, b) for a in KEYS for b in KEYS if a != b]


@pytest.fixture(scope="module")
def book(database: object) -> uuid.UUID:
    from tieout.stages.base import found

    organisation = found.organisation(
        name="Pairs", country="DE", time_zone="Europe/Berlin", base_currency="EUR", language="en", sender_name="P", sender_address="p@p.example",
        now=NOW)
    with walls.inside(organisation):
        four()
        from tieout.flow import on_cash

        on_cash.after_money(customer_ids=None, now=NOW)
    return organisation


class _Back(Exception):
    pass


@settings(max_examples=12)
@given(acts=st.lists(st.sampled_from(PAIRS), max_size=6))
def test_any_sequence_of_links_and_unlinks_depends_only_on_the_links_in_force(book: uuid.UUID, acts: list[tuple[str, str]]) -> None:
    """Each act links a pair, or takes that link back. The same links made one after another give the same state; none, the state before."""
    with walls.inside(book):
        homes = {key: Customer.objects.get(pk=record(key).home_id or record(key).target_id) for key in KEYS}
        before = everything()
        in_force: dict[frozenset[str], tuple[str, str]] = {}
        try:
            with transaction.atomic():
                for act in acts:
                    pair = frozenset(act)
                    if pair in in_force:
                        parted(*act, homes)
                        del in_force[pair]
                    else:
                        try:
                            with transaction.atomic():
                                said([act], homes)
                            in_force[pair] = act
                        except link.LinkRefused:
                            continue  # one customer already, by way of others
                wandered = everything()
                for act in list(in_force.values()):
                    parted(*act, homes)
                assert everything() == before
                raise _Back
        except _Back:
            pass
        try:
            with transaction.atomic():
                # A link that went by way of one since parted could not be said again in this order only if it were already implied.
                said(sorted(in_force.values()), homes)
                assert everything() == wandered
                raise _Back
        except _Back:
            pass
        assert everything() == before


# The same document in two tools, and twice in one.


def twice_entered(**of_books: Any) -> tuple[Document, Document]:
    load(described("cus_1", "Brightwater Foods GmbH", email="ap@brightwater.example"), connection="Shopfile")
    load(invoice("INV-2026-0042", "100.00", customer_id="cus_1"), connection="Shopfile")
    load(described("17", "Brightwater Foods", email="ap@brightwater.example"), connection="Books")
    load(invoice("INV-2026-0042", **{"amount": "100.00", "customer_id": "17", **of_books}), connection="Books")
    compared()
    first, second = Document.objects.order_by("id")
    return first, second


def owed() -> int:
    return sum(Document.objects.values_list("open_minor", flat=True))


def test_an_invoice_entered_in_two_tools_is_owed_once_and_parting_them_owes_it_twice_again(inside: uuid.UUID) -> None:
    first, second = twice_entered()
    before = everything()
    assert owed() == 20000
    assert identity.documents(None, now=NOW).linked == 1
    assert owed() == 10000
    held = SourceRecord.objects.get(kind="invoice", connection__name="Books", retracted_at__isnull=True)
    assert (held.target_id, held.home_id, held.reported_minor) == (first.pk, second.pk, 10000)
    assert identity.documents(None, now=NOW).linked == 0
    promises_hold()
    pair = LinkProposal.objects.get(kind="invoice")
    identity.decide(proposal=pair, same=False, actor=ADA, now=LATER)
    assert (owed(), everything()) == (20000, before)
    assert identity.documents(None, now=LATER).linked == 0
    identity.decide(proposal=pair, same=True, actor=ADA, now=LATER)
    assert owed() == 10000
    promises_hold()


def test_what_a_source_says_meanwhile_counts_when_its_document_stands_alone_again(inside: uuid.UUID) -> None:
    twice_entered()
    identity.documents(None, now=NOW)
    pair = LinkProposal.objects.get(kind="invoice")
    identity.reopen(proposal=pair, actor=ADA, now=LATER)
    pair.refresh_from_db()
    assert (pair.state, owed()) == (STATES.OPEN, 20000)


def test_money_on_both_leaves_two_documents_to_a_person(inside: uuid.UUID) -> None:
    first, second = twice_entered()
    for document in (first, second):
        allocate(builders.payment("50.00"), document, 1000, rank=3)
    assert identity.documents(None, now=NOW) == same_document.Same(proposed=1)
    pair = LinkProposal.objects.get(kind="invoice")
    with pytest.raises(link.LinkRefused, match="undo what is applied"):
        identity.decide(proposal=pair, same=True, actor=ADA, now=NOW)


def test_another_amount_is_proposed_and_never_linked_by_machine(inside: uuid.UUID) -> None:
    twice_entered(amount="90.00")
    assert identity.documents(None, now=NOW).linked == 0
    assert owed() == 19000


def test_a_retry_in_one_source_is_shown_until_somebody_says_they_are_two(inside: uuid.UUID) -> None:
    load(invoice("INV-1", "100.00"))
    load(invoice("INV 1", "100.00"), invoice("INV-2", "100.00"))
    (found,) = duplicates.find()
    assert (found.first, found.second, found.why) == ("INV-1", "INV 1", "same customer, number and amount")
    compared()
    assert identity.documents(None, now=NOW) == same_document.Same()
    assert not duplicates.dismiss(kind="payment", first_id=found.first_id, second_id=found.second_id, actor=ADA, now=NOW)
    assert duplicates.dismiss(kind="invoice", first_id=found.first_id, second_id=found.second_id, actor=ADA, now=NOW)
    assert duplicates.find() == []


def test_whom_a_person_has_withdrawn_is_not_chased_by_way_of_a_link(three: None) -> None:
    kept, withdrawn = (Customer.objects.get(pk=record(key).target_id) for key in ("cus_1", "17"))
    Release.objects.create(customer=kept, released_at=NOW)
    Release.objects.create(customer=withdrawn, released_at=NOW, withdrawn_at=NOW)
    assert set(collect.released(customer_ids=[kept.pk])) == {kept.pk}
    identity.join(customer=withdrawn, into=kept, evidence="Ada", actor=ADA, now=LATER)
    assert collect.released(customer_ids=[kept.pk]) == {}
