"""The list of receivables: filters in the address, totals of what is shown, and an export no spreadsheet takes for formulas."""

from __future__ import annotations

import csv
import datetime as dt
import io
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import NOW
from tests.faces.conftest import BUDGET, queries
from tests.stages import builders
from tieout.faces.web import cells
from tieout.stages.base import walls

TODAY = NOW.date()


@pytest.fixture
def book(organisation: uuid.UUID) -> None:
    with walls.inside(organisation):
        owner = builders.customer("=HYPERLINK(1)")
        for number in range(60):
            builders.invoice(owner, "10.00", (TODAY - dt.timedelta(days=number)).isoformat(), number=f"+{number:03d}")
        builders.invoice(builders.customer("Calder"), "7.00", "", number="-2+3", currency="USD", po_number="@SUM(A1)")
        builders.credit_note(owner, "5.00", number="CN-1")


def text(answer: Any) -> str:
    return str(answer.content.decode())


def test_the_list_shows_a_page_and_the_sum_of_all(owner: Any, book: None) -> None:
    page = text(owner.get("/receivables/?currency=EUR"))
    assert page.count("data-row") == 50
    assert "60 items" in page
    assert "600.00" in page
    assert "Show more" in page


def test_more_rows_are_swapped_in_without_the_page(owner: Any, book: None) -> None:
    first = text(owner.get("/receivables/?currency=EUR"))
    address = first.split('hx-get="')[-1].split('"')[0].replace("&amp;", "&")
    part = text(owner.get("/receivables/" + address, headers={"HX-Request": "true"}))
    assert "<html" not in part
    assert part.count("data-row") == 10


def test_filters_live_in_the_address_and_can_be_taken_off(owner: Any, book: None) -> None:
    page = text(owner.get("/receivables/?q=Calder&currency=USD"))
    assert page.count("data-row") == 1
    assert 'href="?currency=USD"' in page, "the text taken off, the currency stays"


@pytest.mark.parametrize(
    ("query", "said"),
    [("state=bogus", "no state"), ("bucket=old", "no bucket"), ("currency=XYZ", "not a currency"), ("least=abc", "not an amount"),
     ("due_from=31-02-2026", "not a day"), ("most=NaN", "not an amount"), ("sort=colour", "no sort"), ("customer=abc", ""), ("after=%00%00", ""),
     ("q=%00", ""), ("least=1e400", "not an amount"), ("customer=99999999999999999", "none of ours"), ("after=a~b~c", "")],
)
def test_an_address_somebody_mangled_is_answered_with_a_page(owner: Any, book: None, query: str, said: str) -> None:
    answer = owner.get(f"/receivables/?{query}")
    assert answer.status_code == 200
    assert said in text(answer)


def test_nothing_found_says_so_and_offers_a_way_out(owner: Any, book: None) -> None:
    page = text(owner.get("/receivables/?q=nothing-like-it"))
    assert "No items fit" in page
    assert "Clear the filters" in page


def rows_of(answer: Any) -> list[dict[str, str]]:
    content = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(content)))


def test_the_export_holds_what_the_list_shows_and_no_formula(owner: Any, book: None) -> None:
    rows = rows_of(owner.get("/receivables/export.csv"))
    assert len(rows) == 61
    assert {row["customer"] for row in rows} == {"'=HYPERLINK(1)", "Calder"}
    assert all(row["number"].startswith("'") for row in rows)
    assert sum(float(row["open"]) for row in rows if row["currency"] == "EUR") == 600
    assert not [value for row in rows for value in row.values() if value.startswith(("=", "+", "-", "@", "\t", "\r", "\x00"))]
    assert len(rows_of(owner.get("/receivables/export.csv?q=Calder"))) == 1


@given(st.text())
def test_no_cell_begins_as_a_formula_and_nothing_else_changes(value: str) -> None:
    made = cells.safe(value)
    assert not made.startswith(("=", "+", "-", "@", "\t", "\r", "\x00"))
    assert made in (value, f"'{value}", value.replace("\x00", ""))


def test_the_list_keeps_to_its_budget_however_long(owner: Any, book: None) -> None:
    with queries() as asked:
        owner.get("/receivables/")
    assert len(asked) <= BUDGET


def test_sums_over_all_that_ever_was_come_after_the_page(owner: Any, book: None) -> None:
    page = text(owner.get("/receivables/?state=all"))
    assert "Adding up" in page
    assert 'hx-get="/receivables/totals/?state=all"' in page
    assert "600.00" in text(owner.get("/receivables/totals/?state=all&currency=EUR"))
