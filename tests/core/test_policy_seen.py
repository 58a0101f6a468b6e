"""Money seen but not applied: what must wait for it, and what need not."""

from __future__ import annotations

import datetime as dt

import pytest

from tieout.core.policy.seen import Account, Money, on_the_way
from tieout.core.policy.situation import Item


def open_item(invoice_id: str, minor: int, number: str = "", currency: str = "EUR") -> Item:
    return Item(invoice_id=invoice_id, number=number, currency=currency, open_minor=minor, due_date=dt.date(2026, 3, 1))


BOOK = (
    Account(
        customer_id="Brightwater",
        items=(open_item("1", 10_000, "INV-00071"), open_item("2", 5_000, "INV-00072"), open_item("3", 700, "INV-00073", "USD")),
        names=("Brightwater Ltd", "BW Trading"),
        bank_accounts=("GB33 BUKB 2020 1555 5555 55",),
    ),
    Account(customer_id="Brightwater North", items=(open_item("4", 8_800, "INV-00074"),), names=("Brightwater North",), parent_id="Brightwater"),
    Account(customer_id="Cobalt", items=(open_item("5", 3_300, "R/2026/15"), open_item("6", 2_200, "R/2026/16")), names=("Cobalt GmbH",)),
)


def paid(minor: int, *texts: str, currency: str = "EUR", name: str | None = None, account: str | None = None) -> Money:
    return Money(minor=minor, currency=currency, payer_name=name, payer_account=account, texts=texts)


@pytest.mark.parametrize(
    ("money", "waits"),
    [
        pytest.param(paid(10_000, "inv 71"), {"1"}, id="a number without its zeros and dash"),
        pytest.param(paid(10_000, "Payment for INV00071, thanks"), {"1"}, id="a number in a sentence"),
        pytest.param(paid(10_000, "INV-000711"), {"1"}, id="a longer number is another, but the amount is the first one's"),
        pytest.param(paid(9_999, "INV-000711"), set(), id="a longer number is another"),
        pytest.param(paid(15_000, "INV-00071 INV-00072"), {"1", "2"}, id="two numbers"),
        pytest.param(paid(4_000, "INV-00072"), {"2"}, id="a part payment waits too"),
        pytest.param(paid(6_000, "INV-00072", name="BRIGHTWATER LIMITED"), {"1", "2", "4"}, id="more than named: the rest of its payer waits"),
        pytest.param(paid(6_000, "INV-00072"), {"2"}, id="more than named, payer unknown"),
        pytest.param(paid(1, name="Brightwater Ltd."), {"1", "2", "4"}, id="a known payer: all it owes in that currency, and its child"),
        pytest.param(paid(1, name="bw trading", currency="USD"), {"3"}, id="an alias, in its other currency"),
        pytest.param(paid(1, account="GB33BUKB20201555555555", name="Somebody"), {"1", "2", "4"}, id="a known account outranks the name"),
        pytest.param(paid(1, name="Brightwater North"), {"4"}, id="the child does not pay for its parent"),
        pytest.param(paid(3_300, name="Unknown SA"), {"5"}, id="an unknown payer of exactly one amount"),
        pytest.param(paid(5_500, name="Unknown SA"), {"5", "6"}, id="an unknown payer of exactly one customer's sum"),
        pytest.param(paid(3_300, currency="USD"), set(), id="not in another currency"),
        pytest.param(paid(3_301), set(), id="a stranger's amount"),
        pytest.param(paid(0, "INV-00071"), set(), id="nothing"),
        pytest.param(paid(2_200, "R 2026 16"), {"6"}, id="a number written apart"),
    ],
)
def test_what_waits(money: Money, waits: set[str]) -> None:
    assert set(on_the_way([money], BOOK)) == waits


def test_amounts_add_up_and_no_item_gets_more_than_it_has_open_from_one_payment() -> None:
    assert on_the_way([paid(4_000, "INV-00072"), paid(90_000, "INV-00072")], BOOK)["2"] == 4_000 + 5_000


def test_nothing_seen_is_nothing() -> None:
    assert on_the_way([], BOOK) == {}
