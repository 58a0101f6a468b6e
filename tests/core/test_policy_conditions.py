"""One table for both forms: every case of every condition is asked of one row and of a frame."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import yaml

from tieout.core.policy import conditions
from tieout.core.policy.columns import items_frame
from tieout.core.policy.schema import Spot, read_yaml
from tieout.core.policy.situation import Item, Situation

TODAY = dt.date(2026, 3, 10)
CASES = [pytest.param(c, *case[1:], id=f"{name}: {case[0]}") for name, c in conditions.known().items() for case in c.cases]


def item(number: int, facts: dict[str, Any]) -> Item:
    late = facts.get("days_late", 10)
    return Item(
        invoice_id=f"I{number}",
        currency=facts.get("currency", "EUR"),
        open_minor=facts.get("open", 10_000),
        contested_minor=facts.get("contested", 0),
        written_off=facts.get("written_off", False),
        due_date=None if late is None else TODAY - dt.timedelta(days=late),
    )


def situation(facts: dict[str, Any]) -> Situation:
    own = {k: facts[k] for k in ("tier", "debtor_type", "country", "language", "email", "broken_promises") if k in facts}
    items = (item(1, facts), *(item(i + 2, other) for i, other in enumerate(facts.get("others", []))))
    return Situation(customer_id="C1", items=items, **own)


def parameters(condition: conditions.Condition, text: str) -> Any:
    spot = Spot(yaml.compose(text, Loader=yaml.SafeLoader), "when", [])
    value = condition.read(spot)
    assert spot.problems == []
    return value


@pytest.mark.parametrize(("condition", "text", "facts", "expected"), CASES)
def test_row_and_column_say_the_same(condition: conditions.Condition, text: str, facts: dict[str, Any], expected: bool) -> None:
    value, customer = parameters(condition, text), situation(facts)
    assert condition.holds(value, customer.items[0], customer, TODAY) is expected
    frame = items_frame([customer, Situation(customer_id="C2", items=(item(99, {"open": 10**9}),))])
    found = frame.with_columns(condition.column(value, TODAY).alias("holds")).filter(invoice_id="I1")
    assert found["holds"].to_list() == [expected]


@pytest.mark.parametrize(("condition", "text", "facts", "expected"), CASES)
def test_the_trace_gets_a_sentence(condition: conditions.Condition, text: str, facts: dict[str, Any], expected: bool) -> None:
    customer = situation(facts)
    assert " " in condition.says(parameters(condition, text), customer.items[0], customer, TODAY)


@pytest.mark.parametrize("name", sorted(conditions.known()))
def test_each_condition_has_cases_that_hold_and_that_do_not(name: str) -> None:
    assert {case[3] for case in conditions.known()[name].cases} == {True, False}


def test_a_file_is_found_by_its_name() -> None:
    assert {"age", "amount", "tier", "debtor_type", "country", "currency"} <= set(conditions.known())


def test_a_parameter_of_the_wrong_kind_is_told_with_its_place() -> None:
    spot = read_yaml("age: {min: soon}")
    conditions.known()["age"].read(spot.pairs()["age"])
    assert [str(p) for p in spot.problems] == ["line 1, column 12, age.min: expected a whole number, found 'soon'"]
