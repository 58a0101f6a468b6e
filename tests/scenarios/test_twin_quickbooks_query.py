"""Asking the QuickBooks stand-in: the query language with what it lacks, and change data capture with its limits."""

from __future__ import annotations

import functools
from decimal import Decimal

import pytest

from tests.scenarios.quickbooks_desk import Desk


def _asked() -> Desk:
    """Three customers and five invoices, an hour apart from 09:00 in California."""
    desk = Desk()
    twin = desk.twin
    for name in ("Brightwater", "Amy's Bakery", "Copper 100% Books"):
        twin.customer(name, email=f"ap@{name[0].lower()}.example")
    for number, (customer, amount, date) in enumerate(
        (
            ("1", "10.00", "2026-01-05"),
            ("2", "20.50", "2026-02-01"),
            ("1", "30", "2026-02-01"),
            ("3", "20.5", "2026-03-09"),
            ("2", "0", "2026-04-01"),
        ),
        1,
    ):
        twin.invoice(customer, amount, number=f"N{number}", date=date)
        desk.clock.pass_time(hours=1)
    return desk


#: The same for all who only ask.
_standing = functools.cache(_asked)


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("TotalAmt = '20.5'", "2 4"),
        ("TotalAmt > '20.5'", "3"),
        ("TotalAmt >= 20.50", "2 3 4"),
        ("TotalAmt < '20.50'", "1 5"),
        ("TotalAmt<='0'", "5"),
        ("TxnDate >= '2026-02-01' AND TxnDate < '2026-03-09'", "2 3"),
        ("CustomerRef = '1'", "1 3"),
        ("CustomerRef IN ('2','3') and TotalAmt > '0'", "2 4"),
        ("DocNumber in ('N1', 'N5', 'N9')", "1 5"),
        ("DocNumber LIKE 'n%'", "1 2 3 4 5"),
        ("DocNumber LIKE '%3'", "3"),
        ("DocNumber LIKE 'N'", ""),
        ("Id IN ('4', '2')", "2 4"),
        ("Id > '3'", "4 5"),
        ("MetaData.LastUpdatedTime > '2026-06-10T10:00:00-07:00'", "3 4 5"),
        ("MetaData.LastUpdatedTime >= '2026-06-10T10:00:00-07:00'", "2 3 4 5"),
        ("MetaData.LastUpdatedTime >= '2026-06-10T17:00:00Z'", "2 3 4 5"),
        ("MetaData.LastUpdatedTime >= '2026-06-10T19:00:00.000+02:00'", "2 3 4 5"),
        ("MetaData.LastUpdatedTime >= '2026-06-10T10:00:00'", "2 3 4 5"),
        ("MetaData.LastUpdatedTime > '2026-06-10'", "1 2 3 4 5"),
        ("MetaData.CreateTime < '2026-06-10T09:00:01-07:00'", "1"),
        ("PrivateNote = 'nothing'", ""),
        ("ExchangeRate < '5'", ""),
    ],
)
def test_conditions_find_what_they_say(where: str, found: str) -> None:
    assert _standing().ids(f"select * from Invoice where {where} orderby Id") == found.split()


@pytest.mark.parametrize(
    ("rest", "found"),
    [
        ("", "5 4 3 2 1"),
        ("orderby TotalAmt", "5 1 2 4 3"),
        ("ORDER BY TotalAmt DESC, Id ASC", "3 2 4 1 5"),
        ("orderby TxnDate desc, TotalAmt desc", "5 4 3 2 1"),
        ("orderby MetaData.LastUpdatedTime asc", "1 2 3 4 5"),
        ("orderby Id startposition 2 maxresults 2", "2 3"),
        ("orderby Id MAXRESULTS 2 STARTPOSITION 4", "4 5"),
        ("orderby Id startposition 6", ""),
        ("maxresults 1000", "5 4 3 2 1"),
    ],
)
def test_order_and_pages_hold(rest: str, found: str) -> None:
    assert _standing().ids(f"select * from Invoice {rest}") == found.split()


def test_where_nothing_is_said_a_hundred_come_and_names_are_in_order() -> None:
    desk = Desk()
    desk.twin.fill(150, customers=4)
    answer = desk.ask("select * from Invoice")
    assert (len(answer["Invoice"]), answer["startPosition"], answer["maxResults"]) == (100, 1, 100)
    names = [customer["DisplayName"] for customer in desk.ask("select * from Customer")["Customer"]]
    assert names == sorted(names)


def test_quotes_percents_and_dots_are_read_as_they_are_meant() -> None:
    desk = _standing()
    assert desk.ids(r"select * from Customer where DisplayName = 'Amy\'s Bakery'") == ["2"]
    assert desk.ids("select * from Customer where DisplayName like 'copper 100%'") == ["3"]
    assert desk.ids("select * from Customer where PrimaryEmailAddr.Address = 'ap@b.example'") == ["1"]
    assert desk.ids("select * from Customer where Balance > '20' orderby Balance desc") == ["1", "2", "3"]
    assert desk.ids("select * from Customer where Job = false and Active = true") == ["2", "1", "3"]


def test_it_is_asked_by_post_as_well() -> None:
    desk = _standing()
    assert desk.post("query", "select count(*) from Invoice where TotalAmt > '0'")["QueryResponse"] == {"totalCount": 4}


def test_chosen_fields_come_alone() -> None:
    desk = _standing()
    (found,) = desk.ask("select Id, TotalAmt, MetaData.CreateTime from Invoice where Id = '2'")["Invoice"]
    assert found == {
        "domain": "QBO",
        "sparse": True,
        "Id": "2",
        "TotalAmt": Decimal("20.50"),
        "MetaData": {"CreateTime": "2026-06-10T10:00:00-07:00"},
    }
    assert desk.ask("select *, Sku from Item where Name = 'Hours'")["Item"][0]["Name"] == "Hours"


@pytest.mark.parametrize(
    ("statement", "code", "words"),
    [
        ("", "4000", "empty"),
        ("fetch * from Invoice", "4000", "column 1"),
        ("select * Invoice", "4000", '"from"'),
        ("select * from Invoice where TotalAmt > '1' or TotalAmt < '0'", "4000", "<OR>"),
        ("select * from Invoice where (TotalAmt > '1')", "4000", "IDENTIFIER"),
        ("select * from Invoice where TotalAmt != '1'", "4000", '"!"'),
        ("select * from Invoice where DisplayName = 'Amy's Bakery'", "4000", "Lexical"),
        ("select * from Invoice where DocNumber = N1", "4000", "QUOTED"),
        ("select * from Invoice, Customer", "4000", "column 22"),
        ("select * from Invoice join Customer", "4000", "join"),
        ("select * from Invoice group by TxnDate", "4000", "group"),
        ("select * from Invoice maxresults many", "4000", "INTEGER"),
        ("select * from Invoice where", "4000", "IDENTIFIER"),
        ("select * from Invoice where Id in ()", "4000", "QUOTED"),
        ("select * from Invoice startposition 0", "4001", "too small"),
        ("select * from Invoice maxresults 1001", "4001", "too large"),
        ("select * from Unicorn", "4001", "Unicorn"),
        ("select * from Invoice where Colour = 'red'", "4001", "Colour"),
        ("select Colour from Invoice", "4001", "Colour"),
        ("select * from Invoice orderby Colour", "4001", "Colour"),
        ("select * from Invoice where Line = '1'", "4001", "not queryable"),
        ("select * from Invoice where TotalAmt > 'much'", "4001", "much"),
        ("select * from Invoice where TxnDate > 'yesterday'", "4001", "yesterday"),
        ("select * from Invoice where MetaData.LastUpdatedTime > '2026-06-10T10:00:00 02:00'", "4001", "02:00"),
    ],
)
def test_what_the_language_lacks_is_refused(statement: str, code: str, words: str) -> None:
    desk = _standing()
    answer = desk.get("query", query=statement)
    assert (desk.fault(answer), desk.status) == (code, 400)
    assert words in answer["Fault"]["Error"][0]["Detail"]


def test_a_page_is_read_from_the_books_as_they_stand() -> None:
    desk = _asked()
    assert desk.ids("select * from Invoice orderby Id maxresults 2") == ["1", "2"]
    desk.twin.delete("Invoice", "1")
    assert desk.ids("select * from Invoice orderby Id startposition 3 maxresults 2") == ["4", "5"]


# Change data capture


def _changed(desk: Desk, entities: str, since: str) -> list[list[str]]:
    answer = desk.get("cdc", entities=entities, changedSince=since)
    return [
        [record["Id"] for records in response.values() if isinstance(records, list) for record in records]
        for response in answer["CDCResponse"][0]["QueryResponse"]
    ]


def test_changes_come_by_entity_with_deletions_and_inactive_names_among_them() -> None:
    desk = _asked()
    desk.twin.delete("Invoice", "4")
    desk.twin.change("Customer", "2", Active=False)
    assert _changed(desk, "Invoice,Payment,customer", "2026-06-10T14:00:00-07:00") == [["4"], [], ["2", "3"]]
    assert _changed(desk, "Invoice", "2026-06-10T11:00:00") == [["3", "4", "5"]]


def test_a_payment_brings_its_invoice_back_into_the_changes() -> None:
    desk = _asked()
    desk.twin.pay("1")
    assert _changed(desk, "Payment,Invoice", "2026-06-10T14:00:00-07:00") == [["6"], ["1"]]


def test_changes_end_at_a_thousand_over_all_entities_and_have_no_next_page() -> None:
    desk = Desk()
    desk.twin.fill(900, customers=200, paid_in_hundred=0, days=20)
    first, second = _changed(desk, "Invoice,Customer", "2026-05-12T09:00:00-07:00")
    assert (len(first), len(second)) == (900, 100)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"entities": "Invoice", "changedSince": "2026-05-11T13:59:59-07:00"}, "500"),
        ({"entities": "Invoice", "changedSince": "lately"}, "500"),
        ({"entities": "Unicorn", "changedSince": "2026-06-10"}, "500"),
        ({"entities": "Invoice"}, "2020"),
        ({"changedSince": "2026-06-10"}, "2020"),
    ],
    ids=str,
)
def test_changes_too_far_back_or_of_nothing_are_refused(query: dict[str, str], code: str) -> None:
    desk = _standing()
    assert desk.fault(desk.get("cdc", **query)) == code
