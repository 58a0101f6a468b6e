"""The work list: who to turn to first and why, in a page that costs the same wherever it is."""

from __future__ import annotations

import datetime as dt
import uuid

import polars as pl
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import NOW
from tests.stages import builders
from tests.stages.collecting import ADA, MACHINE, TODAY, graded, late, planned, released
from tieout.core import rank
from tieout.core.money import Money
from tieout.core.policy import packs
from tieout.core.policy.language import read_policy
from tieout.stages.collect import effect, queries
from tieout.stages.collect.models import WorkItem
from tieout.stages.dialogue import hold, promise, touch
from tieout.stages.ledger.models import Customer


@pytest.fixture
def book(inside: uuid.UUID) -> list[Customer]:
    """Twelve released customers, the first owing most."""
    owners = []
    for i in range(12):
        owner = graded(builders.customer(f"Customer {i:02}", email=f"ap{i}@list.example"), "medium")
        late(owner, 40 - i, f"{9000 - 700 * i}.00")
        owners.append(owner)
    released(*owners)
    return owners


def names(page: queries.Page) -> list[str]:
    return [row.name for row in page.rows]


def test_the_list_is_ordered_by_expected_effect_with_its_reasons(book: list[Customer]) -> None:
    planned()
    page = queries.worklist(today=TODAY, limit=4)
    assert names(page) == ["Customer 00", "Customer 01", "Customer 02", "Customer 03"]
    first = page.rows[0]
    assert (first.open_minor, first.overdue_minor, first.items, first.state) == ({"EUR": 900000}, {"EUR": 900000}, 1, "overdue")
    assert first.reasons[0] == "9000.00 EUR past due, the oldest by 40 days"
    assert first.reasons[1] == "expected to stay out 32 more days (tier medium)"
    assert first.next_step == "reminder “firm” by e-mail, once approved"


def test_every_fifth_place_goes_to_whoever_has_waited_longest(book: list[Customer]) -> None:
    touch.record(customer=book[0], channel="email", step="friendly", actor=MACHINE, now=NOW)
    smallest = book[-1]
    late(smallest, 90, "30.00")
    planned()
    page = queries.worklist(today=TODAY, limit=5)
    assert page.rows[4].name == smallest.name
    assert page.rows[4].long_waiting
    assert "nobody has been in touch since 2026-03-12" in page.rows[4].reasons


@pytest.mark.parametrize("size", [1, 3, 5, 7, 50])
def test_pages_of_any_size_show_every_customer_exactly_once(book: list[Customer], size: int) -> None:
    planned()
    seen: list[str] = []
    mark = None
    while True:
        page = queries.worklist(today=TODAY, after=mark, limit=size)
        seen += names(page)
        mark = page.next
        if mark is None:
            break
    assert sorted(seen) == [owner.name for owner in book]


FILTERS = {
    "by state": (queries.Filters(state="promised"), ["Customer 02"]),
    "by owner": (queries.Filters(owner=7), ["Customer 03"]),
    "nobody's": (queries.Filters(owner=0, text="Customer 0"), [f"Customer 0{i}" for i in (0, 1, 2, 4, 5, 6, 7, 8, 9)]),
    "by tier": (queries.Filters(tier="high"), ["Customer 04"]),
    "by currency": (queries.Filters(currency="USD"), ["Customer 05"]),
    "by part of a name": (queries.Filters(text="r 1"), ["Customer 10", "Customer 11"]),
    "a percent sign is a letter": (queries.Filters(text="%"), []),
    "all at once": (queries.Filters(state="overdue", tier="medium", currency="EUR", text="11"), ["Customer 11"]),
}


@pytest.mark.parametrize(("filters", "expected"), FILTERS.values(), ids=FILTERS)
def test_filters(book: list[Customer], filters: queries.Filters, expected: list[str]) -> None:
    from tieout.stages.behaviour.models import Profile

    promise.record(customer=book[2], amount_minor=100, currency="EUR", promised_date=TODAY, actor=ADA, now=NOW)
    Customer.objects.filter(pk=book[3].pk).update(owner=7)
    Profile.objects.filter(customer=book[4]).update(tier="high")
    late(book[5], 3, "10.00", currency="USD")
    planned()
    assert sorted(names(queries.worklist(filters=filters, today=TODAY))) == expected


SIGNALS = {
    "money": (lambda owner: builders.payment("50.00", owner=owner, customer_rank=3), "paid 50.00 EUR"),
    "a promise": (
        lambda owner: promise.record(customer=owner, amount_minor=5000, currency="EUR", promised_date=TODAY, actor=ADA, now=NOW),
        "promised 50.00 EUR for 2026-06-10",
    ),
    "our letter": (
        lambda owner: touch.record(customer=owner, channel="email", step="friendly", summary="Reminder sent", actor=MACHINE, now=NOW),
        "Reminder sent",
    ),
    "their answer": (
        lambda owner: touch.record(customer=owner, channel="email", direction="in", summary="Re: your invoice", actor=MACHINE, now=NOW),
        "wrote to us: Re: your invoice",
    ),
}


@pytest.mark.parametrize(("happens", "says"), SIGNALS.values(), ids=SIGNALS)
def test_the_last_signal_is_shown(book: list[Customer], happens, says: str) -> None:  # type: ignore[no-untyped-def]
    happens(book[0])
    planned()
    row = next(r for r in queries.worklist(today=TODAY).rows if r.name == "Customer 00")
    assert row.signal == says


def test_a_page_costs_three_queries(book: list[Customer]) -> None:
    planned()
    with CaptureQueriesContext(connection) as asked:
        queries.worklist(today=TODAY, limit=5)
    assert len(asked) <= 3


def test_counts_add_up_to_the_customers_with_something_open(book: list[Customer]) -> None:
    hold.place(customer=book[0], reason="legal", actor=ADA, now=NOW)
    unreleased = builders.customer("Not yet", email="a@notyet.example")
    late(unreleased, 3)
    coming = builders.customer("Coming", email="a@coming.example")
    late(coming, -20)
    released(coming)
    planned()
    assert queries.counts() == {"overdue": 11, "due": 1, "promised": 0, "disputed": 0, "held": 1, "unreleased": 1}


def test_what_comes_next_is_told_for_those_with_nothing_to_do(book: list[Customer]) -> None:
    coming = builders.customer("Coming", email="a@coming.example")
    late(coming, -20)
    released(coming)
    planned()
    assert WorkItem.objects.get(customer=coming).next_step == "step “friendly” on 2026-07-07"


def test_only_rows_that_changed_are_written(book: list[Customer]) -> None:
    assert planned().listed == 12
    assert planned().listed == 0
    late(book[3], 2, "10.00")
    assert planned().listed == 1


def test_a_customer_not_in_reach_is_noticed_when_the_ledger_changes(book: list[Customer]) -> None:
    coming = builders.customer("Coming", email="a@coming.example")
    document = late(coming, -20)
    released(coming)
    planned()
    document.amount_minor = 5000
    document.save(update_fields=["amount_minor"])
    planned()
    assert WorkItem.objects.get(customer=coming).open_minor == {"EUR": 5000}
    document.status = "void"
    document.save(update_fields=["status"])
    planned()
    assert not WorkItem.objects.filter(customer=coming).exists()


POLICY = read_policy(packs.pack_text("default"))


@given(
    st.lists(st.tuples(st.integers(-30, 400), st.integers(1, 10**9)), min_size=1, max_size=6),
    st.sampled_from(["low", "medium", "high", "unknown"]),
    st.sampled_from(["email", "call"]),
)
def test_the_columns_of_the_score_agree_with_the_rows_of_rank(items: list[tuple[int, int]], tier: str, action: str) -> None:
    frame = pl.DataFrame(
        [(1, tier, "EUR", TODAY - dt.timedelta(days=age), minor) for age, minor in items],
        schema={"customer_id": pl.Int64, "tier": pl.String, "currency": pl.String, "due_date": pl.Date, "minor": pl.Int64}, orient="row",
    )  # fmt: skip
    actions = pl.DataFrame({"customer_id": [1], "channel": [action]})
    found = effect.scores(items=frame, actions=actions, policy=POLICY, base="EUR", today=TODAY)
    account = rank.Account(customer_id="1", items=tuple(rank.Overdue(Money(minor, "EUR"), age) for age, minor in items), tier=tier, action=action)
    expected = max(0, rank.rank([account])[0].effect.minor)
    assert (found["score"].to_list() or [0])[0] == pytest.approx(expected, abs=1, rel=1e-9)


def test_currencies_are_weighed_by_what_is_worth_a_contact_in_them() -> None:
    assert effect.weight(POLICY, "EUR", "EUR") == pytest.approx(0.01)
    # 3000 JPY are worth a contact as 25 EUR are: one yen counts for 25/3000 EUR.
    assert effect.weight(POLICY, "JPY", "EUR") == pytest.approx(25 / 3000)
