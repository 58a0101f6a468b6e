"""Whose word counts, and when two words differ in form only."""

from __future__ import annotations

import pytest

from tieout.core import truth

SAME = [
    ("name", "Brightwater GmbH", "BRIGHTWATER Gesellschaft mbH"), ("name", "Kestrel & Co.", "Kestrel  & Co"),
    ("name", "Café Noir Ltd", "Cafe Noir Limited"),
    ("email", "AP@Brightwater.example", "ap@brightwater.example "), ("tax_id", "DE 123 456 789", "de123456789"),
    ("phone", "+49 30 1234", "0049 (30) 12-34"),
    ("city", "Münster", "munster"), ("country", "de", "DE"), ("language", "en-GB", "en"), ("number", "INV 7", "inv7"),
]  # fmt: skip
OTHER = [
    ("name", "Brightwater GmbH", "Brightwater Foods GmbH"), ("email", "ap@brightwater.example", "billing@brightwater.example"),
    ("tax_id", "DE123456789", "DE123456788"), ("phone", "+49 30 1234", "+49 30 1235"), ("time_zone", "Europe/Berlin", "Europe/London"),
    ("due_date", "2026-06-30", "2026-07-01"), ("city", "Münster", "Berlin"),
]  # fmt: skip


@pytest.mark.parametrize(("field", "one", "other"), SAME, ids=[f"{f}: {a} is {b}" for f, a, b in SAME])
def test_a_difference_of_form_is_none(field: str, one: str, other: str) -> None:
    assert truth.form(field, one) == truth.form(field, other)


@pytest.mark.parametrize(("field", "one", "other"), OTHER, ids=[f"{f}: {a} is not {b}" for f, a, b in OTHER])
def test_a_difference_that_is_one(field: str, one: str, other: str) -> None:
    assert truth.form(field, one) != truth.form(field, other)


def test_a_single_connection_comes_before_its_kind() -> None:
    order = ("connection:7", "accounting", "crm")
    assert [truth.rank(order, connection_id=pk, kind=kind) for pk, kind in ((7, "crm"), (8, "accounting"), (9, "crm"), (1, "file"))] == [0, 1, 2, 3]


def test_an_order_is_told_in_words() -> None:
    told = truth.listed(("accounting", "connection:7", "connection:8"), {7: "Acme HubSpot"})
    assert told == "the accounting system, else Acme HubSpot, else a connection that is gone"


def test_what_a_record_is_silent_about_is_no_word() -> None:
    said = truth.words({"name": "Brightwater GmbH", "city": "  ", "country": None, "email": "AP@b.example"})
    assert said == {"name": ("Brightwater GmbH", "brightwater"), "email": ("AP@b.example", "ap@b.example")}


@pytest.mark.parametrize("rule", truth.DEFAULTS, ids=lambda rule: rule.key)
def test_every_rule_has_a_reason_and_says_whom_to_ask(rule: truth.Rule) -> None:
    assert rule.reason
    assert rule.born is not bool(rule.places)
    assert set(rule.places) <= set(truth.PLACES)


def test_each_field_has_one_rule() -> None:
    assert len(truth.FIELDS) == len(set(truth.FIELDS))
