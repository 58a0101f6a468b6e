"""Two clocks: what is open as of a day, as known at a moment; row form and column form say the same."""

from __future__ import annotations

import datetime as dt

import msgspec
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tieout.core import position as pos
from tieout.core.position import Applied, Dispute, OnTheWay, Position, Version


def at(month: int, day: int, hour: int = 12) -> dt.datetime:
    return dt.datetime(2026, month, day, hour, tzinfo=dt.UTC)


def on(month: int, day: int) -> dt.date:
    return dt.date(2026, month, day)


def invoice(**changes: object) -> Version:
    """Brightwater's invoice: 100.00 EUR issued 1 March, due 31 March, known from 2 March."""
    plain = Version(
        document_id="I1",
        kind="invoice",
        customer_id="brightwater",
        currency="EUR",
        amount_minor=100_00,
        status="open",
        document_date=on(3, 1),
        due_date=on(3, 31),
        recorded_at=at(3, 2),
    )
    return msgspec.structs.replace(plain, **changes)


def paid(minor: int, day: dt.date, known: dt.datetime, **changes: object) -> Applied:
    plain = Applied(source_id="P1", document_id="I1", kind="cash", amount_minor=minor, date=day, recorded_at=known)
    return msgspec.structs.replace(plain, **changes)


def seen(
    versions: list[Version],
    applied: list[Applied] | None = None,
    disputes: list[Dispute] | None = None,
    on_the_way: list[OnTheWay] | None = None,
    *,
    day: dt.date,
    known: dt.datetime,
) -> Position | None:
    """The row form, having checked that the column form says the same."""
    row = pos.position(versions, applied or [], disputes or [], on_the_way or [], day=day, known_at=known)
    found = pos.positions(
        pos.frame(Version, versions),
        pos.frame(Applied, applied or []),
        pos.frame(Dispute, disputes or []),
        pos.frame(OnTheWay, on_the_way or []),
        day=day,
        known_at=known,
    )
    assert found.to_dicts() == ([] if row is None else [msgspec.structs.asdict(row)])
    return row


NOW = at(6, 1)


@pytest.mark.parametrize(
    ("versions", "applied", "expected"),
    [
        pytest.param([invoice()], [], 100_00, id="nothing applied leaves all of it open"),
        pytest.param([invoice()], [paid(40_00, on(4, 1), at(4, 2))], 60_00, id="a part payment leaves the rest"),
        pytest.param([invoice()], [paid(40_00, on(4, 30), at(4, 2))], 60_00, id="money dated on the day counts"),
        pytest.param([invoice()], [paid(40_00, on(5, 1), at(4, 2))], 100_00, id="money dated after the day does not count"),
        pytest.param([invoice()], [paid(40_00, on(4, 1), at(6, 2))], 100_00, id="money we did not yet know of does not count"),
        pytest.param([invoice()], [paid(40_00, on(4, 1), at(4, 2), retracted_at=at(5, 2))], 100_00, id="an undone allocation no longer counts"),
        pytest.param([invoice()], [paid(150_00, on(4, 1), at(4, 2))], 0, id="money beyond the amount opens nothing"),
        pytest.param([invoice(status="void")], [], 0, id="a void invoice has nothing open"),
        pytest.param([invoice(status="deleted", reported_open_minor=100_00)], [], 0, id="a deleted one neither, whatever was reported"),
        pytest.param([invoice(status="draft")], [], 0, id="a draft is no claim"),
        pytest.param([invoice(status="unknown")], [], 100_00, id="an unknown status is shown as open"),
        pytest.param([invoice(reported_open_minor=70_00)], [], 70_00, id="the source knows of more money than we do"),
        pytest.param([invoice(reported_open_minor=100_00)], [paid(40_00, on(4, 1), at(4, 2))], 60_00, id="we know of more than the source"),
        pytest.param([invoice(reported_open_minor=0, reported_date=on(5, 15))], [], 100_00, id="a later report says nothing about an earlier day"),
        pytest.param(
            [invoice(superseded_at=at(5, 1)), invoice(amount_minor=90_00, recorded_at=at(5, 1))],
            [paid(40_00, on(4, 1), at(4, 2))],
            50_00,
            id="a re-imported amount counts from when it was known",
        ),
        pytest.param(
            [invoice()],
            [paid(30_00, on(4, 1), at(4, 2), kind="credit", source_id="C1"), paid(5_00, on(4, 2), at(4, 2), kind="write_off", source_id=None)],
            65_00,
            id="credits and write-offs count like cash",
        ),
    ],
)
def test_open_as_of_the_end_of_april_as_known_now(versions: list[Version], applied: list[Applied], expected: int) -> None:
    found = seen(versions, applied, day=on(4, 30), known=NOW)
    assert found is not None
    assert found.open_minor == expected


@pytest.mark.parametrize(
    ("versions", "applied", "then", "now"),
    [
        pytest.param([invoice()], [paid(40_00, on(4, 10), at(5, 20))], 100_00, 60_00, id="a back-dated payment entered later"),
        pytest.param(
            [invoice(superseded_at=at(5, 20)), invoice(amount_minor=80_00, recorded_at=at(5, 20))], [], 100_00, 80_00, id="a re-imported amount"
        ),
        pytest.param([invoice()], [paid(40_00, on(4, 10), at(4, 11), retracted_at=at(5, 20))], 60_00, 100_00, id="an allocation undone later"),
        pytest.param([invoice(superseded_at=at(5, 20)), invoice(status="void", recorded_at=at(5, 20))], [], 100_00, 0, id="an invoice voided later"),
    ],
)
def test_last_month_changes_as_known_now_and_not_as_known_then(versions: list[Version], applied: list[Applied], then: int, now: int) -> None:
    as_then = seen(versions, applied, day=on(4, 30), known=at(4, 30, 23))
    as_now = seen(versions, applied, day=on(4, 30), known=NOW)
    assert as_then is not None
    assert as_now is not None
    assert (as_then.open_minor, as_now.open_minor) == (then, now)


def test_an_unlink_moves_last_month_to_the_other_customer_as_known_now_only() -> None:
    versions = [invoice(superseded_at=at(5, 20)), invoice(customer_id="brightwater north", recorded_at=at(5, 20))]
    as_then = seen(versions, day=on(4, 30), known=at(4, 30))
    as_now = seen(versions, day=on(4, 30), known=NOW)
    assert as_then is not None
    assert as_now is not None
    assert (as_then.customer_id, as_now.customer_id) == ("brightwater", "brightwater north")


@pytest.mark.parametrize(
    ("day", "known"),
    [pytest.param(on(2, 28), NOW, id="before it was issued"), pytest.param(on(4, 30), at(3, 1), id="before it was known")],
)
def test_a_document_that_is_not_there_yet_has_no_position(day: dt.date, known: dt.datetime) -> None:
    assert seen([invoice()], day=day, known=known) is None


def test_disagreement_with_the_source_is_flagged_and_both_figures_kept() -> None:
    found = seen([invoice(reported_open_minor=70_00)], [paid(40_00, on(4, 1), at(4, 2))], day=on(4, 30), known=NOW)
    assert found is not None
    assert (found.derived_minor, found.reported_minor, found.open_minor, found.differs) == (60_00, 70_00, 60_00, True)


def test_money_beyond_the_amount_is_over_and_never_negative() -> None:
    found = seen([invoice()], [paid(150_00, on(4, 1), at(4, 2))], day=on(4, 30), known=NOW)
    assert found is not None
    assert (found.open_minor, found.over_minor) == (0, 50_00)


def test_a_dispute_of_a_part_leaves_the_rest_free() -> None:
    dispute = Dispute(document_id="I1", amount_minor=10_00, from_date=on(4, 1), until_date=None, recorded_at=at(4, 1))
    found = seen([invoice()], [], [dispute], day=on(4, 30), known=NOW)
    assert found is not None
    assert (found.contested_minor, found.free_minor) == (10_00, 90_00)


def test_a_dispute_of_all_contests_what_is_left_open() -> None:
    dispute = Dispute(document_id="I1", amount_minor=None, from_date=on(4, 1), until_date=None, recorded_at=at(4, 1))
    found = seen([invoice()], [paid(40_00, on(4, 1), at(4, 2))], [dispute], day=on(4, 30), known=NOW)
    assert found is not None
    assert (found.contested_minor, found.free_minor) == (60_00, 0)


def test_money_on_the_way_lowers_what_may_be_asked_until_it_expires() -> None:
    debit = OnTheWay(document_id="I1", amount_minor=30_00, from_date=on(4, 20), until_date=on(5, 1), recorded_at=at(4, 20))
    before = seen([invoice()], on_the_way=[debit], day=on(4, 30), known=NOW)
    after = seen([invoice()], on_the_way=[debit], day=on(5, 1), known=NOW)
    assert before is not None
    assert after is not None
    assert (before.open_minor, before.free_minor, after.free_minor) == (100_00, 70_00, 100_00)


def test_a_payment_not_yet_here_is_on_the_way_and_not_unapplied() -> None:
    payment = invoice(document_id="P1", kind="payment", status="pending", due_date=None)
    found = seen([payment], [paid(25_00, on(4, 1), at(4, 2))], day=on(4, 30), known=NOW)
    assert found is not None
    assert (found.open_minor, found.on_the_way_minor) == (0, 75_00)


def test_a_payment_that_failed_holds_no_money() -> None:
    found = seen([invoice(document_id="P1", kind="payment", status="failed")], day=on(4, 30), known=NOW)
    assert found is not None
    assert (found.open_minor, found.on_the_way_minor) == (0, 0)


def test_instalments_are_settled_earliest_first() -> None:
    dues = [(on(4, 30), 50_00), (on(3, 31), 30_00), (None, 20_00)]
    assert pos.by_due_date(60_00, dues) == [(on(3, 31), 0), (on(4, 30), 40_00), (None, 20_00)]


days = st.dates(on(1, 1), on(12, 31))
moments = st.datetimes(dt.datetime(2026, 1, 1), dt.datetime(2026, 12, 31), timezones=st.just(dt.UTC))
minors = st.integers(0, 1000)
ids = st.sampled_from(["A", "B", "C", "D"])


@st.composite
def books(draw: st.DrawFn) -> tuple[list[Version], list[Applied], list[Dispute], list[OnTheWay]]:
    versions: list[Version] = []
    for document in draw(st.lists(ids, unique=True, min_size=1)):
        kind = draw(st.sampled_from(["invoice", "credit_note", "payment"]))
        cuts = sorted(draw(st.lists(moments, min_size=1, max_size=3, unique=True)))
        for begin, end in zip(cuts, [*cuts[1:], None], strict=True):
            versions.append(
                Version(
                    document_id=document,
                    kind=kind,
                    customer_id=draw(st.sampled_from(["X", "Y", None])),
                    currency="EUR",
                    amount_minor=draw(minors),
                    status=draw(st.sampled_from(["open", "void", "draft", "unknown", "pending", "succeeded", "failed"])),
                    document_date=draw(st.none() | days),
                    due_date=draw(st.none() | days),
                    recorded_at=begin,
                    superseded_at=end,
                    reported_open_minor=draw(st.none() | minors),
                    reported_date=draw(st.none() | days),
                )
            )
    applied = draw(
        st.lists(
            st.builds(
                Applied,
                source_id=st.none() | ids,
                document_id=ids,
                kind=st.sampled_from(["cash", "credit", "write_off"]),
                amount_minor=minors,
                date=days,
                recorded_at=moments,
                retracted_at=st.none() | moments,
            ),
            max_size=6,
        )
    )
    period = {
        "document_id": ids,
        "from_date": days,
        "until_date": st.none() | days,
        "recorded_at": moments,
        "retracted_at": st.none() | moments,
    }
    disputes = draw(st.lists(st.builds(Dispute, amount_minor=st.none() | minors, **period), max_size=4))
    on_the_way = draw(st.lists(st.builds(OnTheWay, amount_minor=minors, **period), max_size=4))
    return versions, applied, disputes, on_the_way


def rows_of(book: tuple[list[Version], list[Applied], list[Dispute], list[OnTheWay]], day: dt.date, known: dt.datetime) -> list[dict[str, object]]:
    versions, applied, disputes, on_the_way = book
    found = []
    for document in sorted({v.document_id for v in versions}):
        one = pos.position(
            [v for v in versions if v.document_id == document],
            applied,
            [d for d in disputes if d.document_id == document],
            [o for o in on_the_way if o.document_id == document],
            day=day,
            known_at=known,
        )
        if one is not None:
            found.append(msgspec.structs.asdict(one))
    return found


def columns_of(book: tuple[list[Version], list[Applied], list[Dispute], list[OnTheWay]], day: dt.date, known: dt.datetime) -> pl.DataFrame:
    versions, applied, disputes, on_the_way = book
    return pos.positions(
        pos.frame(Version, versions),
        pos.frame(Applied, applied),
        pos.frame(Dispute, disputes),
        pos.frame(OnTheWay, on_the_way),
        day=day,
        known_at=known,
    )


@settings(max_examples=80, deadline=None)
@given(books(), days, moments)
def test_row_form_and_column_form_agree(
    book: tuple[list[Version], list[Applied], list[Dispute], list[OnTheWay]], day: dt.date, known: dt.datetime
) -> None:
    assert columns_of(book, day, known).to_dicts() == rows_of(book, day, known)


@settings(max_examples=60, deadline=None)
@given(books(), days, moments, moments)
def test_what_is_recorded_later_never_changes_what_was_known_then(
    book: tuple[list[Version], list[Applied], list[Dispute], list[OnTheWay]], day: dt.date, known: dt.datetime, later: dt.datetime
) -> None:
    then, after = sorted((known, later))
    kept = tuple([f for f in facts if f.recorded_at <= then] for facts in book)
    if then < after and kept[0]:
        assert rows_of(kept, day, then) == rows_of(book, day, then)  # type: ignore[arg-type]


@settings(max_examples=60, deadline=None)
@given(books(), days, moments)
def test_the_parts_of_a_position_never_exceed_what_is_open(
    book: tuple[list[Version], list[Applied], list[Dispute], list[OnTheWay]], day: dt.date, known: dt.datetime
) -> None:
    for row in rows_of(book, day, known):
        amounts = {k: v for k, v in row.items() if isinstance(v, int)}
        assert min(amounts["open_minor"], amounts["over_minor"], amounts["contested_minor"], amounts["on_the_way_minor"]) >= 0
        if row["kind"] != "payment":
            assert amounts["contested_minor"] + amounts["on_the_way_minor"] <= amounts["open_minor"]


@settings(max_examples=60, deadline=None)
@given(books(), days, moments)
def test_customers_sum_to_their_documents(
    book: tuple[list[Version], list[Applied], list[Dispute], list[OnTheWay]], day: dt.date, known: dt.datetime
) -> None:
    found = columns_of(book, day, known)
    summed = pos.by_customer(found)
    signed = found.select(pl.when(pl.col("kind") == "invoice").then("open_minor").otherwise(-pl.col("open_minor")).sum()).item()
    assert summed["net_minor"].sum() == signed


@given(st.integers(0, 10_000), st.lists(st.tuples(st.none() | days, st.integers(0, 5_000)), min_size=1))
def test_instalments_sum_to_what_is_open(open_minor: int, dues: list[tuple[dt.date | None, int]]) -> None:
    assert sum(part for _, part in pos.by_due_date(open_minor, dues)) == open_minor
