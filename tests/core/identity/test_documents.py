"""Which documents of two tools are one: certain by number, amount and customer, likely by less, never against a rival."""

from __future__ import annotations

import datetime as dt
import random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieout.core.identity import documents
from tieout.core.identity.documents import Document, Same
from tieout.core.money import Money

DAY = dt.date(2026, 6, 10)
IN_GATEWAY = Document(key="S1", source="stripe", kind="invoice", number="INV-00123", amount=Money(100_00, "EUR"), customer=7, issue_date=DAY)
IN_BOOKS = msgspec.structs.replace(IN_GATEWAY, key="Q1", source="quickbooks")


def pair(**changes: object) -> Same | None:
    found = documents.same([IN_GATEWAY, msgspec.structs.replace(IN_BOOKS, **changes)])
    return found[0] if found else None


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        pytest.param({}, "same number INV-00123", id="everything agrees"),
        pytest.param({"number": "inv 123"}, "same amount 100.00 EUR", id="the number in another spelling"),
        pytest.param({"customer": None}, "same day 2026-06-10", id="a customer not linked yet"),
        pytest.param({"issue_date": None}, "same customer", id="no day"),
        pytest.param({"issue_date": DAY + dt.timedelta(days=2)}, "same customer", id="sent two days later"),
    ],
)
def test_number_amount_and_customer_are_certain(changes: dict[str, object], says: str) -> None:
    found = pair(**changes)
    assert found is not None
    assert (found.decision, found.against) == ("certain", ())
    assert says in found.reasons


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        pytest.param({"number": "2026-00123"}, "the numbers begin differently", id="another prefix"),
        pytest.param({"number": "7788"}, "the numbers differ: 7788 and INV-00123", id="customer, amount and day alone"),
        pytest.param({"amount": Money(119_00, "EUR")}, "the amounts differ: 119.00 and 100.00 EUR", id="net and gross"),
        pytest.param({"customer": 8}, "booked to different customers", id="two customers"),
        pytest.param({"issue_date": DAY + dt.timedelta(days=30)}, "issued 30 days apart", id="another month"),
    ],
)
def test_less_is_put_before_a_person(changes: dict[str, object], says: str) -> None:
    found = pair(**changes)
    assert found is not None
    assert found.decision == "likely"
    assert says in found.against


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"source": "stripe"}, id="two of one source"),
        pytest.param({"kind": "credit_note"}, id="an invoice and a credit note"),
        pytest.param({"amount": Money(100_00, "USD")}, id="two currencies"),
        pytest.param({"number": "7788", "customer": None}, id="amount and day alone"),
        pytest.param({"number": "7788", "amount": Money(99_00, "EUR")}, id="customer and day alone"),
        pytest.param({"number": "2026-00123", "customer": 8}, id="the end of a number, and another customer"),
    ],
)
def test_what_is_no_evidence_is_not_shown(changes: dict[str, object]) -> None:
    assert pair(**changes) is None


def test_a_plain_number_both_tools_may_have_counted_to_is_not_certain_without_a_customer_or_a_day() -> None:
    one = msgspec.structs.replace(IN_GATEWAY, number="1001", customer=None, issue_date=None)
    found = documents.same([one, msgspec.structs.replace(one, key="Q1", source="quickbooks")])
    assert [(same.decision, same.against) for same in found] == [("likely", ("so plain a number as 1001 may be borne by two documents",))]


def test_two_that_fit_equally_well_are_left_to_a_person() -> None:
    found = documents.same([IN_GATEWAY, IN_BOOKS, msgspec.structs.replace(IN_BOOKS, key="Q2")])
    assert [same.decision for same in found] == ["likely", "likely"]
    assert found[0].against == ("document Q2 fits as well",)


def test_what_is_certain_is_not_offered_in_another_way() -> None:
    other = msgspec.structs.replace(IN_BOOKS, key="Q2", number="R-123")
    assert [(same.first, same.second) for same in documents.same([IN_GATEWAY, IN_BOOKS, other])] == [("Q1", "S1")]


def test_a_rejected_pair_is_not_shown_again() -> None:
    assert documents.same([IN_GATEWAY, IN_BOOKS], rejected=[("S1", "Q1")]) == []


def test_the_same_key_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="is given twice"):
        documents.same([IN_GATEWAY, IN_GATEWAY])


some = st.lists(
    st.builds(
        Document,
        key=st.integers(0, 30),
        source=st.sampled_from(["stripe", "quickbooks", "file"]),
        kind=st.sampled_from(["invoice", "credit_note"]),
        number=st.sampled_from(["INV-123", "123", "R 0123", "1001", "", "A-7"]),
        amount=st.sampled_from([Money(100_00, "EUR"), Money(5_00, "EUR"), Money(100_00, "USD")]),
        customer=st.sampled_from([None, 1, 2]),
        issue_date=st.sampled_from([None, DAY, DAY + dt.timedelta(days=9)]),
    ),
    max_size=9,
    unique_by=lambda d: d.key,
)


@given(some, st.randoms(use_true_random=False))
def test_the_order_of_documents_does_not_matter(given_: list[Document], chance: random.Random) -> None:
    first = documents.same(given_)
    chance.shuffle(given_)
    assert documents.same(given_) == first


@given(some)
def test_a_document_is_certain_once_for_each_other_source(given_: list[Document]) -> None:
    source = {document.key: document.source for document in given_}
    certain = [same for same in documents.same(given_) if same.decision == "certain"]
    sides = [side for same in certain for side in ((same.first, source[same.second]), (same.second, source[same.first]))]
    assert len(sides) == len(set(sides))
    amounts = {document.key: document.amount for document in given_}
    assert all(amounts[same.first] == amounts[same.second] for same in certain)


@given(some)
def test_a_rejected_document_stays_apart_and_matters_to_no_other_source(given_: list[Document]) -> None:
    for same in documents.same(given_):
        again = documents.same(given_, rejected=[(same.second, same.first)])
        assert (same.first, same.second) not in {(one.first, one.second) for one in again}
