"""The queue of pairs, linking and unlinking on the customer's page, duplicates in one source, and the translation of keys."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse

from tests.conftest import NOW
from tests.faces.conftest import BUDGET, queries
from tests.faces.reading import words
from tests.stages.test_identity import described
from tests.stages.test_ledger_merge import invoice, load
from tieout.flow import identity
from tieout.stages.base import walls
from tieout.stages.base.models import AuditEntry
from tieout.stages.intake.models import Connection
from tieout.stages.ledger.models import Customer, Document, KeyRule, LinkProposal, SourceRecord

Browser = Any


@pytest.fixture
def sisters(organisation: uuid.UUID, standing_clock: Any) -> LinkProposal:
    """Two companies of one mailbox in two tools, each with an invoice."""
    with walls.inside(organisation):
        load(described("1", "Nordwind Logistik GmbH", email="buero@nordwind.example", city="Kiel"), connection="Shopfile")
        load(invoice("S-1", "100.00", customer_id="1"), connection="Shopfile")
        load(described("2", "Nordwind Verwaltung GmbH", email="buero@nordwind.example", city="Kiel"), connection="Books")
        load(invoice("B-1", "40.00", customer_id="2"), connection="Books")
    identity.follow(organisation)
    with walls.inside(organisation):
        found: LinkProposal = LinkProposal.objects.get(kind="customer")
        return found


def shown_under(pair: LinkProposal) -> str:
    return reverse("identity") + f"?show={'related' if pair.related else 'customers'}"


def targets(organisation: uuid.UUID) -> set[int]:
    with walls.inside(organisation):
        return set(SourceRecord.objects.filter(kind="customer", retracted_at__isnull=True).values_list("target_id", flat=True))


def test_a_pair_is_shown_side_by_side_with_its_evidence_and_accepted_and_taken_back(
    organisation: uuid.UUID, owner: Browser, sisters: LinkProposal
) -> None:
    page = words(owner.get(shown_under(sisters)))
    for said in ("Nordwind Logistik GmbH", "Nordwind Verwaltung GmbH", "Same mail address buero@nordwind.example", "Shopfile 1", "Books 2"):
        assert said in page
    said = words(owner.post(reverse("identity_decide"), {"pair": sisters.pk, "act": "same"}, follow=True))
    assert "linked: everything of theirs stands together now" in said
    assert len(targets(organisation)) == 1
    assert "Linked by" in words(owner.get(reverse("identity") + "?show=linked"))
    owner.post(reverse("identity_decide"), {"pair": sisters.pk, "act": "two"}, follow=True)
    assert len(targets(organisation)) == 2
    assert "Nordwind" in words(owner.get(reverse("identity") + "?show=refused"))
    owner.post(reverse("identity_decide"), {"pair": sisters.pk, "act": "reopen"})
    with walls.inside(organisation):
        assert LinkProposal.objects.get(pk=sisters.pk).state == "open"
        assert list(AuditEntry.objects.filter(action__startswith="customer.").order_by("seq").values_list("action", flat=True)) == [
            "customer.link", "customer.refuse", "customer.reopen"]


def test_nothing_ticked_says_what_to_do(owner: Browser, sisters: LinkProposal) -> None:
    assert "Choose at least one pair" in words(owner.post(reverse("identity_decide"), {"act": "same"}, follow=True))


def test_empty_pages_say_what_would_stand_there(owner: Browser) -> None:
    for show in ("customers", "related", "documents", "linked", "refused"):
        assert 'class="empty"' in owner.get(reverse("identity") + f"?show={show}").content.decode()
    assert "Nothing stands twice" in words(owner.get(reverse("duplicates")))
    assert "No rule yet" in words(owner.get(reverse("key_rules")))


def test_two_customers_are_linked_by_search_and_unlinked_on_the_page(organisation: uuid.UUID, owner: Browser, sisters: LinkProposal) -> None:
    ours, other = sisters.first_id, sisters.second_id
    page = words(owner.get(reverse("customer_join", args=[ours]) + "?q=nordwind"))
    assert "Nordwind Verwaltung GmbH" in page
    done = words(owner.post(reverse("customer_join", args=[ours]), {"customer": other, "evidence": "their letterhead"}, follow=True))
    assert "are one customer now" in done
    assert "Their letterhead" in done
    assert owner.get(reverse("customer", args=[other]))["Location"] == reverse("customer", args=[ours])
    assert "are one customer already" in words(owner.post(reverse("customer_join", args=[ours]), {"customer": other}, follow=True))
    with walls.inside(organisation):
        assert Document.objects.filter(customer_id=ours).count() == 2
        moved = SourceRecord.objects.get(kind="customer", external_id="2", retracted_at__isnull=True)
    assert "split off" in words(owner.post(reverse("customer_link", args=[ours]), {"record": moved.pk, "unlink": "1"}, follow=True))
    with walls.inside(organisation):
        assert Document.objects.filter(customer_id=other).count() == 1
        Customer.objects.update(compared_at=None)
    identity.follow(organisation)
    assert len(targets(organisation)) == 2


def test_who_may_only_look_sees_no_button_and_is_refused(sign_in: Callable[..., Browser], organisation: uuid.UUID, sisters: LinkProposal) -> None:
    auditor = sign_in("auditor")
    assert 'value="same"' not in auditor.get(shown_under(sisters)).content.decode()
    assert auditor.post(reverse("identity_decide"), {"pair": sisters.pk, "act": "same"}).status_code == 403
    assert len(targets(organisation)) == 2


def test_what_stands_twice_in_one_source_is_shown_until_they_are_said_to_be_two(organisation: uuid.UUID, owner: Browser) -> None:
    with walls.inside(organisation):
        load(invoice("INV-1", "100.00"))
        load(invoice("INV 1", "100.00"))
        first, second = Document.objects.order_by("id").values_list("pk", flat=True)
    assert "Same customer, number and amount" in words(owner.get(reverse("duplicates")))
    said = words(owner.post(reverse("duplicates"), {"kind": "invoice", "first": first, "second": second}, follow=True))
    assert "the two are two" in said
    assert "Nothing stands twice" in said
    assert "not shown as duplicates" in words(owner.post(reverse("duplicates"), {"kind": "invoice", "first": first, "second": second}, follow=True))


def test_a_rule_is_written_links_and_is_taken_back(organisation: uuid.UUID, owner: Browser) -> None:
    with walls.inside(organisation):
        load(described("dana@brightwater.example", "Dana W."), connection="Shopfile")
        load(described("A-17", "Brightwater Foods GmbH", email="dana@brightwater.example"), connection="Books")
        shop, books = (Connection.objects.get(name=name).pk for name in ("Shopfile", "Books"))
    rule = {"connection": shop, "field": "key", "other_connection": books, "other_field": "email"}
    assert "choose two different ones" in words(owner.post(reverse("key_rules"), {**rule, "other_connection": shop}, follow=True))
    assert "Choose both systems" in words(owner.post(reverse("key_rules"), {**rule, "connection": ""}, follow=True))
    assert "The rule stands" in words(owner.post(reverse("key_rules"), rule, follow=True))
    assert len(targets(organisation)) == 1
    with walls.inside(organisation):
        written = KeyRule.objects.get().pk
    assert "parted" in words(owner.post(reverse("key_rules"), {"retract": written}, follow=True))
    assert len(targets(organisation)) == 2


def test_a_full_queue_keeps_to_the_budget_of_queries(organisation: uuid.UUID, owner: Browser) -> None:
    with walls.inside(organisation):
        for number in range(0, 60, 2):
            load(described(f"{number}", f"Company {number}"), described(f"{number + 1}", f"Company {number + 1}"))
        keys = dict(SourceRecord.objects.filter(kind="customer").values_list("external_id", "target_id"))
        for number in range(0, 60, 2):
            LinkProposal.objects.create(
                kind="customer", first_id=keys[f"{number}"], second_id=keys[f"{number + 1}"], score=number, reasons=["same name"], found_at=NOW)
    with queries() as asked:
        page = owner.get(reverse("identity")).content.decode()
    assert len(asked) <= BUDGET
    assert page.count('id="pair-') == 20
    assert "after=20" in page
