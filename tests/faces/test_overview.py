"""The overview: figures that are doors, nothing added across currencies, and a first page that tells what to do."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from html import unescape
from typing import Any

import pytest

from tests.conftest import NOW
from tests.faces.conftest import BUDGET, queries
from tests.stages import builders
from tieout.core.evidence import Actor
from tieout.stages.base import walls
from tieout.stages.collect import baseline

TODAY = NOW.date()
ADA = Actor("person", "Ada", 1)


@pytest.fixture
def book(organisation: uuid.UUID) -> None:
    with walls.inside(organisation):
        first, second = builders.customer("Brightwater pays late"), builders.customer("Nasty {{ name }} <b>x</b> " + "長い名前" * 60)
        for owner, currency in ((first, "EUR"), (second, "USD"), (second, "JPY")):
            for late in (-5, 3, 40, 70, 200):
                builders.invoice(owner, f"{1000 + late}.50", (TODAY - dt.timedelta(days=late)).isoformat(), currency=currency)
        builders.payment("12.34", text="who is it")


def text(answer: Any) -> str:
    return str(answer.content.decode())


def test_the_first_page_tells_what_to_do(owner: Any) -> None:
    page = text(owner.get("/"))
    assert "Nothing is here yet" in page
    assert 'href="/connections/upload/"' in page
    assert "tieout demo" in page


def test_figures_stand_per_currency_with_all_their_decimals(owner: Any, book: None) -> None:
    page = text(owner.get("/"))
    for figure in ("5,310.50", "531,050", "12.34"):  # 995.50 + 1003.50 + 1040.50 + 1070.50 + 1200.50
        assert figure in page
    assert "10,621.00" not in page, "EUR and USD were added together"


def test_every_total_is_a_door_to_rows_that_add_up_to_it(owner: Any, book: None) -> None:
    page = text(owner.get("/"))
    doors = re.findall(
        r'<a class="door[^"]*" href="(/receivables/\?[^"]+)"[^>]*>'
        r'(?:<span class="swatch a\d"></span>[^<]*<span class="amount">|<span class="amount">)?([\d,.]+)', page)
    assert len(doors) > 15
    for href, shown in doors:
        listed = text(owner.get(unescape(href)))
        totals = re.findall(r"<dd><span class=\"amount\">([\d,.]+)", listed[listed.find('class="totals"'):])
        if shown.strip("0.") == "":
            assert "No items fit" in listed
        else:
            assert shown in totals, href


def test_expected_money_opens_the_items_it_counts(owner: Any, book: None) -> None:
    part = text(owner.get("/overview/expected/"))
    assert "flag=expected&amp;currency=EUR" in part
    assert "995.50" in part, "due in five days, no history: expected on its day"
    listed = text(owner.get("/receivables/?flag=expected&currency=EUR"))
    assert "995.50" in listed


def test_names_of_any_kind_break_nothing(owner: Any, book: None) -> None:
    page = text(owner.get("/overview/holders/"))
    assert "&lt;b&gt;x&lt;/b&gt;" in page
    assert "<b>x</b>" not in page


def test_the_effect_is_told_from_the_frozen_baseline(owner: Any, book: None, organisation: uuid.UUID) -> None:
    assert "When the first customers are released" in text(owner.get("/overview/effect/"))
    with walls.inside(organisation):
        baseline.freeze(today=TODAY - dt.timedelta(days=30), now=NOW)
    page = text(owner.get("/overview/effect/"))
    assert "30 days ago" in page
    assert "DSO" in page


def test_the_overview_keeps_to_its_budget(owner: Any, book: None) -> None:
    with queries() as asked:
        owner.get("/")
    assert len(asked) <= BUDGET


def test_unmatched_money_is_a_door_to_the_inbox(owner: Any, book: None) -> None:
    assert 'href="/cash/?currency=EUR"' in text(owner.get("/"))
