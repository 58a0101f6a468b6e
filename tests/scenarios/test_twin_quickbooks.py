"""The books of the QuickBooks stand-in: customers in their tree, invoices with their sums, companies apart, a page to watch."""

from __future__ import annotations

import functools
from decimal import Decimal

import pytest

from tests.scenarios.quickbooks_desk import Desk, Json, assert_sums, item_line
from tieout.rehearsal.twins.quickbooks import TWIN, QuickBooks
from tieout.rehearsal.twins.quickbooks.refusals import Refused
from tieout.rehearsal.twins.twin import Twin


@functools.cache
def _standing() -> Desk:
    """One customer and one vendor, for those who change nothing."""
    desk = Desk()
    desk.twin.customer("Brightwater")
    desk.twin.create("Vendor", {"DisplayName": "Quarry Stone"})
    return desk


def test_the_package_names_its_twin() -> None:
    assert TWIN is QuickBooks
    assert issubclass(TWIN, Twin)
    assert TWIN.name == "quickbooks"


# Customers


def test_sub_customers_stand_below_their_parents_and_count_for_them() -> None:
    twin = Desk().twin
    parent = twin.customer("Brightwater")
    south = twin.customer("South", parent=parent, BillWithParent=True)
    dock = twin.customer("Dock", parent=south)
    assert (dock["FullyQualifiedName"], dock["Level"], dock["Job"]) == ("Brightwater:South:Dock", 2, True)
    twin.invoice(dock, 10)
    twin.invoice(parent, 5)
    read = twin.read("Customer", parent)
    assert (read["Balance"], read["BalanceWithJobs"]) == (Decimal("5.00"), Decimal("15.00"))
    twin.change("Customer", parent, DisplayName="Brightwater Ltd")
    assert twin.read("Customer", dock)["FullyQualifiedName"] == "Brightwater Ltd:South:Dock"
    assert twin.query("select * from Invoice where Id = '1'")["Invoice"][0]["CustomerRef"]["name"] == "Brightwater Ltd:South:Dock"


def test_a_parent_pays_for_its_sub_customer_and_a_stranger_does_not() -> None:
    twin = Desk().twin
    parent, stranger = twin.customer("Brightwater"), twin.customer("Copper Books")
    invoice = twin.invoice(twin.customer("South", parent=parent), 10)
    with pytest.raises(Refused, match="another customer"):
        twin.pay(customer=stranger, amount=10, applied={invoice["Id"]: 10})
    twin.pay(customer=parent, amount=10, applied={invoice["Id"]: 10})
    assert twin.read("Invoice", invoice)["Balance"] == 0


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"DisplayName": "brightwater"}, "6240"),
        ({"DisplayName": "Quarry Stone"}, "6240"),
        ({"DisplayName": "a:b"}, "6000"),
        ({}, "2020"),
        ({"DisplayName": "x", "Job": True}, "2020"),
        ({"DisplayName": "x", "ParentRef": {"value": "99"}}, "2500"),
        ({"DisplayName": "x", "CurrencyRef": {"value": "EUR"}}, "2500"),
        ({"DisplayName": "x", "Colour": "red"}, "2010"),
        ({"DisplayName": "x", "BillAddr": {"Line9": "?"}}, "2010"),
        ({"DisplayName": "x", "Active": "perhaps"}, "2010"),
        ({"DisplayName": "x" * 501}, "2050"),
        ({"Id": "1", "SyncToken": "0", "DisplayName": "Quarry Stone"}, "6240"),
        ({"Id": "1", "DisplayName": "x"}, "2020"),
        ({"Id": "1", "SyncToken": "7", "DisplayName": "x"}, "5010"),
        ({"Id": "77", "SyncToken": "0", "DisplayName": "x"}, "610"),
        ({"Id": "1", "SyncToken": "0", "DisplayName": "x", "ParentRef": {"value": "1"}}, "6000"),
    ],
    ids=str,
)
def test_a_wrong_customer_is_refused_and_changes_nothing(given: Json, code: str) -> None:
    desk = _standing()
    before = (desk.company.version, desk.ids("select * from Customer"))
    assert desk.refuses(code, desk.post("customer", given))
    assert (desk.company.version, desk.ids("select * from Customer")) == before


def test_a_full_update_empties_what_it_does_not_say_and_a_sparse_one_keeps_it() -> None:
    desk = Desk()
    desk.twin.customer("Brightwater", email="ap@brightwater.example", Notes="pays late")
    sparse = desk.post("customer", {"Id": "1", "SyncToken": "0", "sparse": True, "Notes": ""})["Customer"]
    assert ("Notes" in sparse, "PrimaryEmailAddr" in sparse, sparse["SyncToken"]) == (False, True, "1")
    full = desk.post("customer", {"Id": "1", "SyncToken": "1", "DisplayName": "Brightwater"})["Customer"]
    assert "PrimaryEmailAddr" not in full


def test_a_name_is_made_of_its_parts_where_none_is_given() -> None:
    assert Desk().post("customer", {"GivenName": "Ada", "FamilyName": "Byron"})["Customer"]["DisplayName"] == "Ada Byron"


def test_an_inactive_customer_frees_its_name_gets_no_new_invoice_and_comes_back() -> None:
    desk = Desk()
    customer = desk.twin.customer("Brightwater")
    desk.twin.change("Customer", customer, Active=False)
    assert desk.refuses("2500", desk.post("invoice", {"CustomerRef": {"value": "1"}, "Line": [item_line(1)]}))
    assert desk.twin.change("Customer", customer, Active=True)["DisplayName"] == "Brightwater"


def test_merged_customers_leave_a_tombstone_and_their_transactions_move_silently() -> None:
    desk = Desk()
    twin = desk.twin
    kept, lost = twin.customer("Brightwater"), twin.customer("Brightwatr")
    twin.customer("South", parent=lost)
    invoice = twin.invoice(lost, 40)
    twin.journal(lost, 2)
    desk.clock.pass_time(hours=1)
    merged = desk.client.post("/_twin/merge", json={"loser": lost["Id"], "into": kept["Id"]}).get_json()
    assert (merged["Balance"], merged["SyncToken"]) == (42.0, "0")
    moved = twin.read("Invoice", invoice)
    assert (moved["CustomerRef"]["value"], moved["MetaData"]) == (kept["Id"], invoice["MetaData"])
    assert twin.read("Customer", "3")["FullyQualifiedName"] == "Brightwater:South"
    assert desk.refuses("610", desk.get(f"customer/{lost['Id']}"))
    changed = desk.get("cdc", entities="Customer", changedSince="2026-06-10T09:30:00-07:00")["CDCResponse"][0]["QueryResponse"][0]["Customer"]
    assert {record["Id"]: record.get("status") for record in changed} == {kept["Id"]: None, lost["Id"]: "Deleted"}
    twin.delete("JournalEntry", "2")
    assert twin.read("Customer", kept)["Balance"] == Decimal("40.00")
    assert desk.client.post("/_twin/merge", json={"loser": kept["Id"], "into": kept["Id"]}).status_code == 400


def test_an_invoice_touches_its_customer_and_leaves_the_token() -> None:
    desk = Desk()
    customer = desk.twin.customer("Brightwater")
    desk.clock.pass_time(minutes=5)
    desk.twin.invoice(customer, 10)
    read = desk.twin.read("Customer", customer)
    assert (read["SyncToken"], read["MetaData"]["LastUpdatedTime"]) == ("0", "2026-06-10T09:05:00-07:00")


# Invoices


def test_lines_sum_with_discount_and_tax_to_the_cent() -> None:
    twin = Desk(tax_percent=Decimal("8.25")).twin
    lines = [
        item_line(Qty="3", UnitPrice="33.335", TaxCodeRef={"value": "TAX"}),
        item_line("0.10"),
        {"DetailType": "DiscountLineDetail", "Amount": "10", "DiscountLineDetail": {}},
    ]
    invoice = twin.invoice(twin.customer("Brightwater"), lines=lines)
    assert [line["Amount"] for line in invoice["Line"]] == [Decimal("100.01"), Decimal("0.10"), Decimal("100.11"), Decimal("10.00")]
    assert invoice["TxnTaxDetail"]["TotalTax"] == Decimal("8.25")
    assert invoice["TotalAmt"] == invoice["Balance"] == Decimal("98.36")


def test_a_tax_that_is_stated_stands_until_the_lines_change() -> None:
    desk = Desk()
    desk.twin.customer("Brightwater")
    given = {"CustomerRef": {"value": "1"}, "Line": [item_line(100, TaxCodeRef={"value": "TAX"})], "TxnTaxDetail": {"TotalTax": "7.77"}}
    assert desk.post("invoice", given)["Invoice"]["TotalAmt"] == Decimal("107.77")
    kept = desk.post("invoice", {"Id": "1", "SyncToken": "0", "sparse": True, "PrivateNote": "x"})["Invoice"]
    assert kept["TotalAmt"] == Decimal("107.77")
    changed = desk.post("invoice", {"Id": "1", "SyncToken": "1", "sparse": True, "Line": [item_line(200, TaxCodeRef={"value": "TAX"})]})["Invoice"]
    assert changed["TotalAmt"] == Decimal("216.00")


def test_numbers_count_on_from_the_last_one_seen_and_may_repeat() -> None:
    twin = Desk().twin
    customer = twin.customer("Brightwater")
    numbers = [twin.invoice(customer, 1, number=number)["DocNumber"] for number in ("", "2000", "", "A-7", "", "2000")]
    assert numbers == ["1001", "2000", "2001", "A-7", "2002", "2000"]
    assert twin.credit(customer, 1)["DocNumber"] == "2001"


def test_a_company_with_its_own_numbers_leaves_them_blank_and_one_that_warns_refuses_a_second() -> None:
    own, strict = Desk(custom_numbers=True), Desk(unique_numbers=True)
    assert "DocNumber" not in own.twin.invoice(own.twin.customer("Brightwater"), 1)
    customer = strict.twin.customer("Brightwater")
    strict.twin.invoice(customer, 1, number="7")
    with pytest.raises(Refused) as refused:
        strict.twin.credit(customer, 1, number="7")
    assert refused.value.code == "6140"


def test_the_due_date_follows_the_term_of_the_form_or_of_the_customer() -> None:
    twin = Desk().twin
    customer = twin.customer("Brightwater", SalesTermRef={"value": "2"})
    assert twin.invoice(customer, 1, date="2026-01-31")["DueDate"] == "2026-02-15"
    assert twin.invoice(customer, 1, date="2026-01-31", SalesTermRef={"value": "1"})["DueDate"] == "2026-01-31"
    assert twin.invoice(customer, 1, date="2026-01-31", due="2026-09-09")["DueDate"] == "2026-09-09"
    assert twin.invoice(twin.customer("Other"), 1)["DueDate"] == "2026-07-10"


def test_the_day_is_the_companys_day() -> None:
    desk = Desk(zone="Pacific/Auckland")
    desk.clock.pass_time(hours=3)
    invoice = desk.twin.invoice(desk.twin.customer("Kauri"), 1)
    assert (invoice["TxnDate"], invoice["MetaData"]["CreateTime"]) == ("2026-06-11", "2026-06-11T07:00:00+12:00")


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"CustomerRef": {"value": "1"}}, "2020"),
        ({"Line": [item_line(1)]}, "2020"),
        ({"CustomerRef": {"value": "1"}, "Line": [{"Amount": 1}]}, "2020"),
        ({"CustomerRef": {"value": "1"}, "Line": [item_line()]}, "2020"),
        ({"CustomerRef": {"value": "1"}, "Line": [item_line("1e")]}, "2010"),
        ({"CustomerRef": {"value": "1"}, "Line": [item_line("NaN")]}, "2010"),
        ({"CustomerRef": {"value": "1"}, "Line": [item_line(-1)]}, "6000"),
        ({"CustomerRef": {"value": "1"}, "Line": [item_line(1, ItemRef={"value": "99"})]}, "2500"),
        ({"CustomerRef": {"value": "1"}, "Line": [item_line(1, TaxCodeRef={"value": "99"})]}, "2500"),
        ({"CustomerRef": {"value": "1"}, "Line": [item_line(1)], "CurrencyRef": {"value": "EUR"}}, "6000"),
        ({"CustomerRef": {"value": "1"}, "Line": [item_line(1)], "TxnDate": "tomorrow"}, "2010"),
        ({"CustomerRef": {"value": "1"}, "Line": [item_line(1)], "EmailStatus": "Flown"}, "2010"),
        ({"CustomerRef": {"value": "1"}, "Line": [item_line(1)], "SalesTermRef": {"value": "99"}}, "2500"),
        ({"CustomerRef": {"value": "1"}, "Line": [item_line(1, Qty=2, UnitPrice=2)]}, "6070"),
        ({"CustomerRef": {"value": "1"}, "Line": [{"DetailType": "DepositLineDetail", "Amount": 1}]}, "6000"),
        ({"CustomerRef": "1", "Line": [item_line(1)]}, "2010"),
        ({"Id": "one", "SyncToken": "0", "Line": [item_line(1)]}, "2030"),
    ],
    ids=str,
)
def test_a_wrong_invoice_is_refused_and_changes_nothing(given: Json, code: str) -> None:
    desk = _standing()
    before = desk.company.version
    assert desk.refuses(code, desk.post("invoice", given))
    assert desk.company.version == before


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff", b'"x"'])
def test_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    desk = _standing()
    assert desk.refuses("2010", desk.post("invoice", body))


def test_an_invoice_that_shrinks_below_what_was_paid_gives_the_rest_back_to_the_payment() -> None:
    twin = Desk().twin
    invoice = twin.invoice(twin.customer("Brightwater"), 100)
    first, last = twin.pay(invoice, amount=60), twin.pay(invoice, amount=40)
    shrunk = twin.change("Invoice", invoice, Line=[item_line(70)])
    assert (shrunk["TotalAmt"], shrunk["Balance"], shrunk["SyncToken"]) == (Decimal("70.00"), 0, "3")
    assert [twin.read("Payment", payment)["UnappliedAmt"] for payment in (first, last)] == [0, Decimal("30.00")]
    assert twin.read("Customer", "1")["Balance"] == Decimal("-30.00")


def test_a_void_keeps_the_note_behind_its_word_and_the_number_of_lines() -> None:
    twin = Desk().twin
    invoice = twin.invoice(twin.customer("Brightwater"), lines=[item_line(Qty=2, UnitPrice=5, TaxCodeRef={"value": "TAX"})], PrivateNote="first")
    gone = twin.void("Invoice", invoice)
    assert gone["PrivateNote"] == "Voided - first"
    assert [line["Amount"] for line in gone["Line"]] == [0, 0]
    assert gone["TxnTaxDetail"] == {"TotalTax": 0}
    assert (gone["DocNumber"], gone["SyncToken"]) == (invoice["DocNumber"], "1")


def test_what_has_no_void_or_no_such_operation_says_so() -> None:
    desk = Desk()
    desk.twin.credit(desk.twin.customer("Brightwater"), 1)
    assert desk.refuses("500", desk.post("creditmemo", {"Id": "1", "SyncToken": "0"}, operation="void"))
    assert desk.refuses("500", desk.post("customer", {"Id": "1", "SyncToken": "0"}, operation="delete"))
    assert desk.refuses("500", desk.post("invoice", {"Id": "1", "SyncToken": "0"}, operation="frame"))
    assert desk.refuses("500", desk.post("taxcode", {"Name": "mine"}))
    assert desk.refuses("500", desk.post("unicorn", {}))
    assert desk.twin.void("CreditMemo", "1")["RemainingCredit"] == 0


def test_sending_needs_an_address_and_changes_only_the_state_of_sending() -> None:
    desk = Desk()
    invoice = desk.twin.invoice(desk.twin.customer("Brightwater"), 1)
    assert desk.refuses("6000", desk.post("invoice/1/send"))
    sent = desk.post("invoice/1/send", sendTo="ap@brightwater.example")["Invoice"]
    assert (sent["EmailStatus"], sent["SyncToken"], sent["Balance"]) == ("EmailSent", "1", invoice["Balance"])


# Companies and the page


def test_currencies_stay_apart() -> None:
    twin = Desk(rates={"EUR": Decimal("1.10")}).twin
    lyon = twin.customer("Lyon Textiles", currency="EUR")
    invoice = twin.invoice(lyon, 100, ExchangeRate="1.2")
    assert (invoice["CurrencyRef"]["value"], invoice["HomeTotalAmt"]) == ("EUR", Decimal("120.00"))
    with pytest.raises(Refused, match="currency"):
        twin.change("Customer", lyon, CurrencyRef={"value": "USD"})
    with pytest.raises(Refused, match="sub-customer"):
        twin.customer("Roubaix", parent=lyon)


def test_companies_know_nothing_of_each_other() -> None:
    desk = Desk()
    other = desk.twin.open_company("Second Street Books", currency="EUR")
    desk.twin.customer("Brightwater")
    assert desk.twin.customer("Brightwater", realm=other.realm)["Id"] == "1"
    desk.twin.invoice("1", 10, realm=other.realm)
    assert desk.ids("select * from Invoice") == []
    answer = desk.get(f"/v3/company/{other.realm}/customer/1")
    assert (desk.status, desk.fault(answer)) == (403, "3100")


def test_the_page_shows_the_books_and_lets_nobody_write_html() -> None:
    desk = Desk()
    customer = desk.twin.customer("<b>Brightwater</b> & Sons")
    invoice = desk.twin.invoice(customer, "1234.5")
    desk.twin.pay(invoice, amount=1000, reference="CHK 7")
    desk.twin.void("Invoice", desk.twin.invoice(customer, 7))
    page = desk.client.get("/").get_data(as_text=True)
    for words in ("&lt;b&gt;Brightwater&lt;/b&gt; &amp; Sons", "234.50", "part paid", "voided", "Invoice 1: 1,000.00", "CHK 7"):
        assert words in page
    assert "<b>Brightwater" not in page
    assert '<meta http-equiv="refresh" content="1">' in page


def test_twenty_thousand_invoices_are_loaded_and_read_page_by_page() -> None:
    desk = Desk()
    counted = desk.twin.fill(20_000, customers=300)
    assert (counted["Invoice"], counted["Customer"]) == (20_000, 300)
    read: list[str] = []
    while page := desk.ids(f"select * from Invoice orderby MetaData.LastUpdatedTime, Id startposition {len(read) + 1} maxresults 1000"):
        read += page
    assert len(read) == len(set(read)) == 20_000
    assert_sums(desk.company)
