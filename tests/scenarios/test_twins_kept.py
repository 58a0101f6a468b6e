"""A twin that was laid down in a file goes on where it was; what cannot be gone on with says so. What a web shop sees is told once."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tieout.rehearsal.company import shop
from tieout.rehearsal.twins import found, keep
from tieout.rehearsal.twins.stripe import TWIN as STRIPE
from tieout.rehearsal.twins.stripe import doors

FIRST = dt.date(2026, 6, 10)
EVER = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
UNTIL = dt.datetime(2026, 6, 12, 10, tzinfo=dt.UTC)


def test_an_invoice_raised_before_is_paid_after(tmp_path: Path) -> None:
    twin = STRIPE()
    invoice = twin.invoice(twin.customer("Brightwater GmbH"), 12_000)
    keep.lay_down(twin, tmp_path / "stripe.state")
    taken: Any = keep.take_up(tmp_path / "stripe.state")
    taken.pay(invoice.id)
    assert taken.books.invoices.get(invoice.id).status == "paid"
    assert twin.books.invoices.get(invoice.id).status == "open"
    assert taken.told("invoice.paid")[-1].id not in {event.id for event in twin.told("*")}


def test_every_twin_can_be_laid_down_with_its_doors_and_tokens(tmp_path: Path) -> None:
    for name, kind in found.twins().items():
        twin = kind()
        ways = twin.ways_in()
        keep.lay_down(twin, tmp_path / name)
        assert keep.take_up(tmp_path / name).title == twin.title
        assert ways


@pytest.mark.parametrize("content", [b"", b"no pickle", b"\x80\x04N."])
def test_what_is_no_twin_is_said_to_be_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.state").write_bytes(content)
    with pytest.raises(keep.CannotTakeUp, match=r"x\.state"):
        keep.take_up(tmp_path / "x.state")


def test_a_later_moment_adds_to_the_shop_and_changes_nothing_before_it() -> None:
    early = shop.acts(seed=7, first=FIRST, after=EVER, until=UNTIL)
    late = shop.acts(seed=7, first=FIRST, after=EVER, until=UNTIL + dt.timedelta(days=30))
    assert [act for act in late if act.at <= UNTIL] == early
    middle = early[len(early) // 2].at
    parts = [*shop.acts(seed=7, first=FIRST, after=EVER, until=middle), *shop.acts(seed=7, first=FIRST, after=middle, until=UNTIL)]
    assert parts == early
    assert {"raise", "pay", "credit", "void"} <= set(Counter(act.what for act in late))


def test_a_credit_told_twice_is_given_once() -> None:
    twin = STRIPE()
    raised = doors.raised(twin, {"name": "Atelier", "email": "a@atelier.example", "lines": [["Poster", 10_000]], "number": "WEB-1"})
    again = {"invoice": raised.id, "amount": 1_000, "memo": "WEB-1: one piece was damaged"}
    assert doors.credit(twin, again).id == doors.credit(twin, again).id
    assert raised.amount_remaining == 9_000
    doors.raised(twin, {"name": "Atelier", "email": "a@atelier.example", "lines": [["Poster", 1_000]]})
    assert len(twin.books.customers) == 1
