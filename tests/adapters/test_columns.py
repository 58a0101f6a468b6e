"""Columns are understood whole: what leaves one possibility is settled, what leaves two is asked, nothing is guessed."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.adapters.tables import invoices, kinds, read, upload
from tieout.adapters.ports import registry
from tieout.adapters.ports.errors import NeedsPerson
from tieout.adapters.ports.profile import Condition, Profile
from tieout.adapters.ports.table.amounts import Marks, MoneyCells
from tieout.adapters.ports.table.cells import Noted, Refused
from tieout.adapters.ports.table.dates import DateCells, Orders
from tieout.core.money import Money


@pytest.mark.parametrize(
    ("cells", "order"),
    [
        pytest.param(["2026-01-02"], "YMD", id="ISO leaves no choice"),
        pytest.param(["01/02/2026", "13/02/2026"], "DMY", id="a thirteenth in first place settles the column"),
        pytest.param(["01/02/2026", "02/13/2026"], "MDY", id="a thirteenth in second place settles the column"),
        pytest.param(["01.02.26", "31.02.2026", "30.06.2026"], "DMY", id="an impossible day is no evidence"),
        pytest.param(["05/05/2026"], "DMY|MDY", id="the same day and month reads alike"),
        pytest.param(["01/02/2026", "03/04/2026"], None, id="small numbers leave it open"),
        pytest.param(["13/02/2026", "02/13/2026"], None, id="a column that contradicts itself"),
        pytest.param(["20260213", "20260102"], "YMD", id="eight digits with the year first"),
        pytest.param(["45123", "45200.0"], "excel", id="day numbers of a spreadsheet"),
        pytest.param(["2 Jan 2026", "Feb 3, 2026", "3. März 2026"], "YMD", id="named months leave no choice"),
        pytest.param(["00/00/0000", "9999-12-31", ""], "YMD", id="no dates, no evidence"),
    ],
)
def test_the_order_of_a_date_column(cells: list[str], order: str | None) -> None:
    verdict = Orders(cells).verdict
    assert verdict in (order or "").split("|") if verdict else order in (None, "DMY|MDY")


DAYS = st.dates(dt.date(1980, 1, 1), dt.date(2079, 12, 31))
STYLES = st.sampled_from([(".", ","), (",", "."), (",", " "), (".", "'"), (".", "")])


@given(st.lists(DAYS, min_size=1, max_size=30), st.sampled_from(["DMY", "MDY"]), st.sampled_from("/.-"))
def test_an_order_that_is_found_reads_back_every_date(days: list[dt.date], order: str, mark: str) -> None:
    pattern = {"DMY": f"%d{mark}%m{mark}%Y", "MDY": f"%m{mark}%d{mark}%Y"}[order]
    cells = [day.strftime(pattern) for day in days]
    verdict = Orders(cells).verdict
    if verdict is None:
        assert all(day.day <= 12 for day in days)  # it is only left open where it truly is
    elif any(day.day != day.month for day in days):
        assert verdict == order
        assert DateCells(verdict).read(cells) == days


@pytest.mark.parametrize(
    ("text", "day"),
    [
        pytest.param("2026-01-31T10:00:00+02:00", dt.date(2026, 1, 31), id="a moment keeps its stated day"),
        pytest.param("31/01/2026 23:59", dt.date(2026, 1, 31), id="a time of day is left aside"),
        pytest.param("31.1.26", dt.date(2026, 1, 31), id="two digits of the year"),
        pytest.param("31-Jan-2026", dt.date(2026, 1, 31), id="a short month"),
        pytest.param("Jan 31 2026", dt.date(2026, 1, 31), id="a month first"),
        pytest.param("31. Januar 2026", dt.date(2026, 1, 31), id="a German month"),
        pytest.param("31 janvier 2026", dt.date(2026, 1, 31), id="a French month"),
        pytest.param("31012026", dt.date(2026, 1, 31), id="eight digits by the order"),
        pytest.param("", None, id="blank"),
    ],
)
def test_a_date_in_day_month_order(text: str, day: dt.date | None) -> None:
    assert DateCells("DMY")[text] == day


@pytest.mark.parametrize("text", ["12.50", "next friday", "2026-13-04", "31/04/2026", "1/2/3", "31/01/2026 and more", "10/2009/09", "2026"])
def test_what_is_no_date_is_refused(text: str) -> None:
    assert isinstance(DateCells("DMY")[text], Refused)


def test_an_explicit_format_is_obeyed() -> None:
    assert DateCells("%Y%d%m")["20263101"] == dt.date(2026, 1, 31)


@pytest.mark.parametrize(
    ("cells", "mark"),
    [
        pytest.param(["1,234.50", "1.00"], ".", id="two marks: the last divides decimals"),
        pytest.param(["1.234,50"], ",", id="the same the other way round"),
        pytest.param(["1.234.567"], ",", id="a mark that repeats divides thousands"),
        pytest.param(["12,5"], ",", id="a part that is not three digits long"),
        pytest.param(["0.500"], ".", id="a leading nought"),
        pytest.param(["1234.567"], ".", id="four digits before the mark"),
        pytest.param(["1'234.50"], ".", id="Swiss apostrophes"),
        pytest.param(["1,23,456.00"], ".", id="Indian groups"),
    ],
)
def test_the_decimal_mark_of_a_column(cells: list[str], mark: str) -> None:
    assert set(Marks(cells).decimals) == {mark}


@pytest.mark.parametrize(
    ("text", "mark", "minor"),
    [
        pytest.param("1,234.50", ".", 123450, id="English"),
        pytest.param("1.234,50", ",", 123450, id="German"),
        pytest.param("1 234,50", ",", 123450, id="French, plain space"),
        pytest.param("1\u202f234,50", ",", 123450, id="French, narrow space"),
        pytest.param("1'234.50", ".", 123450, id="Swiss"),
        pytest.param("1,23,456.00", ".", 12345600, id="Indian"),
        pytest.param("(1,234.50)", ".", -123450, id="in brackets"),
        pytest.param("1,234.50-", ".", -123450, id="trailing minus"),
        pytest.param("\u221276.00", ".", -7600, id="the true minus sign"),
        pytest.param("-€76.00", ".", -7600, id="minus before the sign"),
        pytest.param("€-76.00", ".", -7600, id="minus after the sign"),
        pytest.param("- €21.59", ".", -2159, id="minus, space, sign"),
        pytest.param("+ €73.01", ".", 7301, id="plus"),
        pytest.param("1.234,56 €", ",", 123456, id="sign after"),
        pytest.param("EUR 100", ".", 10000, id="code before"),
        pytest.param("100.5000", ".", 10050, id="zeros beyond the places"),
        pytest.param(".50", ".", 50, id="no whole part"),
        pytest.param("007.00", ".", 700, id="leading noughts"),
    ],
)
def test_an_amount_in_euros(text: str, mark: str, minor: int) -> None:
    assert MoneyCells("EUR", Profile(decimal_mark=mark))[text] == Money(minor, "EUR")


@pytest.mark.parametrize("text", ["1,2,3", "12,34.50", "1.234,50", "1.0E+3", "abc", "12.34.56", "--5", "5 apples", "1 2", "5 CR"])
def test_what_is_no_amount_with_a_decimal_point_is_refused(text: str) -> None:
    assert isinstance(MoneyCells("EUR", Profile(decimal_mark="."))[text], Refused)


@given(st.integers(-(10**14), 10**14), st.sampled_from(["EUR", "JPY", "KWD"]), STYLES)
def test_an_amount_written_in_any_style_reads_back(minor: int, currency: str, marks: tuple[str, str]) -> None:
    decimal, group = marks
    money = Money(minor, currency)
    text = f"{money.decimal():,}".replace(",", "\0").replace(".", decimal).replace("\0", group)
    assert MoneyCells(currency, Profile(decimal_mark=decimal))[text] == money


@given(st.text(max_size=40))
def test_any_text_gives_money_or_nothing_or_a_reason(text: str) -> None:
    assert MoneyCells("EUR", Profile())[text] is None or isinstance(MoneyCells("EUR", Profile())[text], Money | Refused)
    assert DateCells("DMY")[text] is None or isinstance(DateCells("DMY")[text], dt.date | Refused | Noted)


def test_suffixes_mean_what_the_profile_says() -> None:
    cells = MoneyCells("EUR", Profile(negative="CR"))
    assert cells["5.00 CR"] == Money(-500, "EUR")
    assert cells["5.00 DR"] == Money(500, "EUR")


def asked(file: object) -> list[str]:
    with pytest.raises(NeedsPerson) as caught:
        registry.read(file)  # type: ignore[arg-type]
    return [question.code for question in caught.value.questions]


def test_an_open_date_order_is_asked_with_examples_and_the_answer_settles_it() -> None:
    file = invoices("A1,C1,B,01/02/2026,03/04/2026,EUR,1.00")
    with pytest.raises(NeedsPerson) as caught:
        registry.read(file)
    question = caught.value.questions[0]
    assert question.code == "date_order"
    assert {o.value: o.example for o in question.options} == {"DMY": "03/04/2026 is 3 April 2026", "MDY": "03/04/2026 is 4 March 2026"}

    records, _ = read(file, answers={"date_order": "MDY"})
    assert kinds(records, "invoice")[0]["due_date"] == "2026-03-04"


def test_one_date_column_settles_the_others_of_its_file() -> None:
    records, _ = read(invoices("A1,C1,B,01/02/2026,28/02/2026,EUR,1.00"))
    assert kinds(records, "invoice")[0]["issue_date"] == "2026-02-01"


def test_a_mark_that_nothing_settles_is_asked() -> None:
    file = invoices('A1,C1,B,2026-01-31,,EUR,"1.234"')
    assert asked(file) == ["decimal_mark"]
    records, _ = read(file, answers={"decimal_mark": ","})
    assert kinds(records, "invoice")[0]["amount"] == "1234.00"


def test_marks_that_contradict_each_other_are_asked_and_not_voted_on() -> None:
    rows = [f'A{i},C1,B,2026-01-31,,EUR,"{i},50"' for i in range(9)]
    assert asked(invoices(*rows, "A9,C1,B,2026-01-31,,EUR,1.50")) == ["decimal_mark"]


BY_SIGN = "number,customer,due date,amount"


@pytest.mark.parametrize(
    ("cell", "answers", "amount"),
    [
        pytest.param("$100.00", {"currency": "USD"}, ("100.00", "USD"), id="a dollar sign with an answer"),
        pytest.param('"100,00$"', {"currency": "CAD"}, ("100.00", "CAD"), id="a dollar sign behind, as in Quebec"),
        pytest.param('"1.234,56 €"', {}, ("1234.56", "EUR"), id="a euro sign alone"),
        pytest.param('"US$ 5,000.00"', {}, ("5000.00", "USD"), id="a sign that leaves no choice"),
        pytest.param("5000 JPY", {}, ("5000", "JPY"), id="a code behind"),
    ],
)
def test_the_currency_in_the_amount_cell(cell: str, answers: dict[str, str], amount: tuple[str, str]) -> None:
    records, findings = read(upload(f"{BY_SIGN}\nA1,Acme,2026-01-31,{cell}\n"), answers=answers)
    body = kinds(records, "invoice")[0]
    assert (body["amount"], body["currency"]) == amount
    assert findings == []


def test_a_dollar_sign_alone_is_asked() -> None:
    assert asked(upload(f"{BY_SIGN}\nA1,Acme,2026-01-31,$100.00\n")) == ["currency"]


def test_a_file_without_any_currency_is_asked() -> None:
    assert asked(upload(f"{BY_SIGN}\nA1,Acme,2026-01-31,100.00\n")) == ["currency"]


def test_a_currency_in_the_header_of_the_amount() -> None:
    records, findings = read(upload("Rechnungsnummer;Kunde;Fälligkeit;Betrag (EUR)\nR1;Müller;15.02.2026;1.000,00\n"))
    assert [(b["amount"], b["currency"]) for b in kinds(records, "invoice")] == [("1000.00", "EUR")]
    assert findings == []


@pytest.mark.parametrize("answers", [{"currency": "ZZZ"}, {"date_order": "sideways", "currency": "EUR"}])
def test_an_answer_that_makes_no_sense_is_asked_again(answers: dict[str, str]) -> None:
    file = upload(f"{BY_SIGN}\nA1,Acme,01/02/2026,100.00\n")
    with pytest.raises(NeedsPerson) as caught:
        registry.read(file, answers=answers)
    assert ("currency" if answers["currency"] == "ZZZ" else "date_order") in [q.code for q in caught.value.questions]


def test_a_profile_whose_kind_column_is_gone_asks_for_it() -> None:
    with pytest.raises(NeedsPerson, match="Transaction type") as caught:
        registry.read(upload("Date,What,Num,Name,Amount\n"), profile=registry.profiles()["quickbooks-transaction-list"])
    assert [q.code for q in caught.value.questions] == ["kind_column"]


def test_a_currency_by_condition_and_a_paid_date_that_becomes_a_payment() -> None:
    profile = Profile(
        columns={"invoice_id": "no", "customer_id": "who", "amount": "sum", "paid_date": "cleared"},
        conditions=(Condition(column="unit", equals=("CA02",), field="currency", value="CAD", otherwise="USD"),),
    )
    records, findings = read(upload("no,who,unit,sum,cleared\n1,K,CA02,5.00,2026-02-01\n2,K,U001,7.00,\n"), profile=profile)
    assert [(b["invoice_id"], b["currency"]) for b in kinds(records, "invoice")] == [("1", "CAD"), ("2", "USD")]
    (payment,) = kinds(records, "payment")
    assert (payment["payment_id"], payment["amount"], payment["currency"], payment["date"]) == ("1:paid", "5.00", "CAD", "2026-02-01")
    assert findings == []


def test_noise_of_floating_point_is_rounded_only_by_name() -> None:
    file = invoices("A1,C1,B,2026-01-31,,USD,2309.7899999999995")
    assert asked(file) == ["rounding"]
    records, _ = read(file, answers={"rounding": "half_even"})
    assert kinds(records, "invoice")[0]["amount"] == "2309.79"
    _, findings = read(file, answers={"rounding": "refuse"})
    assert [f.code for f in findings] == ["too_many_places"]


def test_names_beside_money_are_never_taken_for_a_list_of_customers() -> None:
    assert asked(upload("Date,Client,Status,Total\n2026-01-31,Acme,Paid,5.00\n")) == ["kind"]


def test_a_proposed_profile_reads_sums_that_a_person_can_check() -> None:
    rows = [f"A{i},C{i % 3},B,2026-01-31,2026-02-28,EUR,{i}.25" for i in range(100)]
    records, _ = read(invoices(*rows))
    assert sum(Decimal(b["amount"]) for b in kinds(records, "invoice")) == sum(Decimal(f"{i}.25") for i in range(100))
    assert len(kinds(records, "customer")) == 3
