"""Disagreements on a page: both words, an answer, its undo; the table of whose word counts, looked at and changed; where a value is from."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse

from tests.conftest import NOW
from tests.faces.conftest import BUDGET, queries
from tests.faces.reading import words
from tests.stages import test_conflicts as told
from tieout.stages.base import walls
from tieout.stages.ledger.models import Customer
from tieout.stages.writeback.models import Conflict, Outgoing

Browser = Any


@pytest.fixture
def torn(organisation: uuid.UUID) -> tuple[int, int]:
    """The books and the CRM name one customer differently: (conflict, customer)."""
    with walls.inside(organisation):
        told.everywhere(quickbooks="Brightwater Foods GmbH", hubspot="<b>The Water</b> People")
        found = Conflict.objects.get()
        return found.pk, found.target_id


def name_of(organisation: uuid.UUID, customer: int) -> str:
    with walls.inside(organisation):
        return str(Customer.objects.get(pk=customer).name)


def test_the_queue_shows_both_words_and_a_proposal_in_few_queries(owner: Browser, torn: tuple[int, int]) -> None:
    with queries() as asked:
        page = owner.get(reverse("conflicts"))
    assert len(asked) <= BUDGET
    said = words(page)
    for one in ("Name of Brightwater Foods GmbH", "Quickbooks holds here", "Hubspot says", "Proposed: keep ours and tell Hubspot", "legal name"):
        assert one in said
    assert "<b>The Water" not in page.content.decode()
    assert "1 conflicts" in said


def test_an_empty_queue_says_what_would_come_here(owner: Browser) -> None:
    assert "Nothing to decide" in words(owner.get(reverse("conflicts")))


def test_it_is_filtered_by_system_and_field(organisation: uuid.UUID, owner: Browser, torn: tuple[int, int]) -> None:
    with walls.inside(organisation):
        hubspot = Conflict.objects.get().connection_id
    assert "The Water" in words(owner.get(reverse("conflicts"), {"connection": hubspot, "field": "name"}))
    assert "Nothing to decide" in words(owner.get(reverse("conflicts"), {"connection": hubspot + 99}))
    assert "Nothing to decide" in words(owner.get(reverse("conflicts"), {"field": "city"}))


def test_theirs_is_taken_and_given_back(organisation: uuid.UUID, owner: Browser, torn: tuple[int, int]) -> None:
    conflict, customer = torn
    assert "your word outranks every system" in words(owner.post(reverse("conflict_answer", args=[conflict]), {"answer": "take"}, follow=True))
    assert name_of(organisation, customer) == "<b>The Water</b> People"
    settled = words(owner.get(reverse("conflicts"), {"state": "settled"}))
    assert "theirs was taken by Owner Person" in settled
    assert "open again" in words(owner.post(reverse("conflict_undo", args=[conflict]), follow=True))
    assert name_of(organisation, customer) == "Brightwater Foods GmbH"


def test_the_other_system_is_told(organisation: uuid.UUID, owner: Browser, torn: tuple[int, int]) -> None:
    assert "Hubspot is told" in words(owner.post(reverse("conflict_answer", args=[torn[0]]), {"answer": "tell"}, follow=True))
    with walls.inside(organisation):
        assert Outgoing.objects.get().kind == "update_customer"


def test_what_cannot_be_done_is_refused_in_words(organisation: uuid.UUID, owner: Browser, torn: tuple[int, int]) -> None:
    page = words(owner.post(reverse("conflict_answer", args=[torn[0]]), {"answer": "hand", "value": "X"}, follow=True))
    assert "Say how you know" in page
    assert name_of(organisation, torn[1]) == "Brightwater Foods GmbH"


def test_who_may_not_correct_reads_only(sign_in: Callable[..., Browser], torn: tuple[int, int]) -> None:
    auditor = sign_in("auditor")
    assert "Keep ours" not in words(auditor.get(reverse("conflicts")))
    assert auditor.post(reverse("conflict_answer", args=[torn[0]]), {"answer": "keep"}).status_code == 403


def test_what_could_not_be_told_waits_below(organisation: uuid.UUID, owner: Browser, torn: tuple[int, int]) -> None:
    with walls.inside(organisation):
        Outgoing.objects.create(
            kind="invoice", natural_key="x", connection=Conflict.objects.get().connection, subject_kind="invoice", subject_id=1, state="failed",
            body={"label": "INV-9"}, receipt="a tax needs mapping: the setting tax_code does not say which it is", written_at=NOW, settled_at=NOW)
    said = words(owner.get(reverse("conflicts")))
    assert "Could not be told" in said
    assert "a tax needs mapping" in said


def test_the_table_is_looked_at_changed_and_put_back(organisation: uuid.UUID, owner: Browser, torn: tuple[int, int]) -> None:
    said = words(owner.get(reverse("truth")))
    assert "The accounting system, else the invoicing tool" in said
    order = {"rule": "customer.name", "place": ["crm", "accounting"], "reason": "sales keeps the names"}
    looked = words(owner.get(reverse("truth"), order))
    assert "1 customer would get another name" in looked
    assert name_of(organisation, torn[1]) == "Brightwater Foods GmbH"
    assert "1 customer changed" in words(owner.post(reverse("truth_change"), order, follow=True))
    assert name_of(organisation, torn[1]) == "<b>The Water</b> People"
    assert "sales keeps the names" in words(owner.get(reverse("truth"))).lower()
    assert "1 customer changed" in words(owner.post(reverse("truth_change"), {"rule": "customer.name", "default": "yes"}, follow=True))
    assert name_of(organisation, torn[1]) == "Brightwater Foods GmbH"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"rule": "customer.name", "place": ["crm"]}, "Say why"), ({"rule": "invoice.all", "place": ["crm"], "reason": "x"}, "born in"),
        ({"rule": "nonsense", "place": ["crm"], "reason": "x"}, "There is no rule"), ({"rule": "customer.name", "reason": "x"}, "at least one"),
        ({"rule": "customer.name", "default": "yes"}, "default already"),
    ],
)
def test_a_table_that_makes_no_sense_is_refused(owner: Browser, given: dict[str, Any], says: str) -> None:
    assert says in words(owner.post(reverse("truth_change"), given, follow=True))


def test_a_collector_reads_the_table_and_cannot_change_it(sign_in: Callable[..., Browser]) -> None:
    collector = sign_in("collector")
    assert "Source of truth" in words(collector.get(reverse("truth")))
    assert collector.post(reverse("truth_change"), {"rule": "customer.name", "place": ["crm"], "reason": "x"}).status_code == 403


def test_a_customers_field_tells_where_it_is_from_and_what_the_others_say(owner: Browser, torn: tuple[int, int]) -> None:
    said = words(owner.get(reverse("customer", args=[torn[1]])))
    assert "Quickbooks; others differ" in said
    assert "the accounting system is asked first" in said
    assert "Hubspot says “<b>The Water</b> People”" in said


def test_an_invoices_field_tells_where_it_was_born_and_what_the_others_say(organisation: uuid.UUID, owner: Browser) -> None:
    with walls.inside(organisation):
        document = told.mirrored(amount="90.00")
    said = words(owner.get(reverse("invoice", args=[document.pk])))
    assert "it was born in Stripe, and only that system changes it" in said
    assert "Quickbooks says “90.00 EUR”" in said
