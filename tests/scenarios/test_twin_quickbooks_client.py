"""A real client library works with the QuickBooks stand-in as it would with QuickBooks: sign in, read, write, follow changes."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from intuitlib.client import AuthClient
from intuitlib.enums import Scopes
from intuitlib.exceptions import AuthClientError
from quickbooks import QuickBooks as Client
from quickbooks.batch import batch_create, batch_delete
from quickbooks.cdc import change_data_capture
from quickbooks.exceptions import AuthorizationException, ObjectNotFoundException, QuickbooksException, ValidationException
from quickbooks.objects import (
    CompanyInfo,
    CreditMemo,
    Customer,
    Deposit,
    DepositLine,
    EmailAddress,
    Invoice,
    Item,
    JournalEntry,
    Payment,
    PaymentLine,
    Preferences,
    SalesItemLine,
    SalesItemLineDetail,
    SalesReceipt,
    Term,
)
from quickbooks.objects.base import LinkedTxn, Ref

from tests.scenarios.quickbooks_desk import Clock
from tieout.rehearsal.twins.faults import Fault
from tieout.rehearsal.twins.quickbooks import QuickBooks
from tieout.rehearsal.twins.server import serving

REDIRECT = "http://localhost:9/back"


class Office:
    """A served twin and the library pointed at it."""

    def __init__(self, twin: QuickBooks, clock: Clock, url: str) -> None:
        self.twin = twin
        self.clock = clock
        self.url = url
        self.auth = self.sign_in()
        self.client = self.connect(self.auth)

    def app(self) -> AuthClient:
        return AuthClient("tieout-client", "tieout-secret", REDIRECT, f"{self.url}/.well-known/openid_configuration")

    def sign_in(self) -> AuthClient:
        """The dance a person does in the browser."""
        auth = self.app()
        address = auth.get_authorization_url([Scopes.ACCOUNTING], state_token="here-again")
        page = requests.get(address, timeout=5).text
        assert "Approve" in page
        hidden = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page))
        realm = re.findall(r'<option value="(\d+)"', page)[0]
        back = requests.post(f"{self.url}/connect/oauth2", {**hidden, "realm": realm, "answer": "approve"}, allow_redirects=False, timeout=5)
        said = {name: values[0] for name, values in parse_qs(urlsplit(back.headers["Location"]).query).items()}
        assert said["state"] == "here-again"
        auth.get_bearer_token(said["code"], realm_id=said["realmId"])
        return auth

    def connect(self, auth: AuthClient, **more: Any) -> Client:
        class Here(Client):
            api_url_v3 = f"{self.url}/v3"

        return Here(auth_client=auth, refresh_token=auth.refresh_token, company_id=auth.realm_id, minorversion=75, use_decimal=True, **more)

    def customer(self, name: str) -> Customer:
        customer = Customer()
        customer.DisplayName = name
        return customer.save(qb=self.client)

    def invoice(self, customer: Customer, amount: str) -> Invoice:
        invoice = Invoice()
        invoice.CustomerRef = customer.to_ref()
        invoice.Line = [_sold(amount)]
        return invoice.save(qb=self.client)

    def pay(self, customer: Customer, amount: str, *lines: PaymentLine) -> Payment:
        payment = Payment()
        payment.CustomerRef = customer.to_ref()
        payment.TotalAmt = Decimal(amount)
        payment.Line = list(lines)
        return payment.save(qb=self.client)


@pytest.fixture
def office(monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    clock = Clock()
    twin = QuickBooks(clock=clock)
    with serving(twin) as running:
        yield Office(twin, clock, running.url)


def _sold(amount: str) -> SalesItemLine:
    line = SalesItemLine()
    line.Amount = Decimal(amount)
    line.SalesItemLineDetail = SalesItemLineDetail()
    line.SalesItemLineDetail.ItemRef = _ref("1")
    return line


def _ref(value: str) -> Ref:
    ref = Ref()
    ref.value = value
    return ref


def _takes(amount: str, document: Invoice | CreditMemo) -> PaymentLine:
    line = PaymentLine()
    line.Amount = Decimal(amount)
    link = LinkedTxn()
    link.TxnId, link.TxnType = document.Id, document.qbo_object_name
    line.LinkedTxn = [link]
    return line


def test_it_creates_reads_changes_and_lists_customers(office: Office) -> None:
    made = office.customer("Brightwater")
    made.PrimaryEmailAddr = EmailAddress()
    made.PrimaryEmailAddr.Address = "ap@brightwater.example"
    made.Notes = "pays late"
    made.save(qb=office.client)
    read = Customer.get(made.Id, qb=office.client)
    assert (read.DisplayName, read.PrimaryEmailAddr.Address, read.Notes, read.SyncToken) == (
        "Brightwater",
        "ap@brightwater.example",
        "pays late",
        "1",
    )
    office.customer("Amy's Bird Sanctuary")
    assert [found.Id for found in Customer.filter(DisplayName="Amy's Bird Sanctuary", qb=office.client)] == ["2"]
    assert [found.DisplayName for found in Customer.all(qb=office.client)] == ["Amy's Bird Sanctuary", "Brightwater"]
    assert Customer.count(qb=office.client) == 2
    assert [found.Id for found in Customer.choose(["2", "7"], qb=office.client)] == ["2"]


def test_an_inactive_customer_is_hidden_until_asked_for(office: Office) -> None:
    gone = office.customer("Brightwater")
    gone.Active = False
    gone.save(qb=office.client)
    assert Customer.all(qb=office.client) == []
    (found,) = Customer.where("Active IN (true, false)", qb=office.client)
    assert (found.DisplayName, found.Active) == ("Brightwater (deleted)", False)
    office.customer("Brightwater")


def test_a_payment_lowers_the_invoice_and_raises_its_token(office: Office) -> None:
    customer = office.customer("Brightwater")
    invoice = office.invoice(customer, "100.10")
    payment = office.pay(customer, "60.05", _takes("60.05", invoice))
    read = Invoice.get(invoice.Id, qb=office.client)
    assert (read.Balance, read.TotalAmt, read.SyncToken) == (Decimal("40.05"), Decimal("100.10"), "1")
    assert [(link.TxnId, link.TxnType) for link in read.LinkedTxn] == [(payment.Id, "Payment")]
    assert Customer.get(customer.Id, qb=office.client).Balance == Decimal("40.05")
    invoice.PrivateNote = "I have not seen the payment"
    with pytest.raises(QuickbooksException) as stale:
        invoice.save(qb=office.client)
    assert stale.value.error_code == 5010


def test_a_payment_is_used_later_and_taken_off_again(office: Office) -> None:
    customer = office.customer("Brightwater")
    first, second = office.invoice(customer, "30"), office.invoice(customer, "50")
    payment = office.pay(customer, "100", _takes("30", first))
    assert payment.UnappliedAmt == Decimal("70.00")
    payment.Line.append(_takes("50", second))
    payment = payment.save(qb=office.client)
    assert payment.UnappliedAmt == Decimal("20.00")
    payment.Line = [line for line in payment.Line if line.LinkedTxn[0].TxnId == second.Id]
    payment = payment.save(qb=office.client)
    assert payment.UnappliedAmt == Decimal("50.00")
    assert [Invoice.get(each.Id, qb=office.client).Balance for each in (first, second)] == [Decimal("30.00"), 0]


def test_a_credit_memo_is_applied_by_a_payment_of_nothing(office: Office) -> None:
    customer = office.customer("Brightwater")
    invoice = office.invoice(customer, "100")
    memo = CreditMemo()
    memo.CustomerRef = customer.to_ref()
    memo.Line = [_sold("30")]
    memo = memo.save(qb=office.client)
    assert Customer.get(customer.Id, qb=office.client).Balance == Decimal("70.00")
    applied = office.pay(customer, "0", _takes("30", invoice), _takes("30", memo))
    assert (applied.TotalAmt, applied.UnappliedAmt) == (0, 0)
    assert Invoice.get(invoice.Id, qb=office.client).Balance == Decimal("70.00")
    assert CreditMemo.get(memo.Id, qb=office.client).RemainingCredit == 0
    assert Customer.get(customer.Id, qb=office.client).Balance == Decimal("70.00")


def test_a_voided_invoice_keeps_its_place_and_frees_its_payment(office: Office) -> None:
    customer = office.customer("Brightwater")
    invoice = office.invoice(customer, "100")
    payment = office.pay(customer, "100", _takes("100", invoice))
    invoice = Invoice.get(invoice.Id, qb=office.client)
    invoice.void(qb=office.client)
    read = Invoice.get(invoice.Id, qb=office.client)
    assert (read.TotalAmt, read.Balance, read.PrivateNote, read.LinkedTxn, read.SyncToken) == (0, 0, "Voided", [], "2")
    assert Payment.get(payment.Id, qb=office.client).UnappliedAmt == Decimal("100.00")
    assert Customer.get(customer.Id, qb=office.client).Balance == Decimal("-100.00")


def test_a_voided_payment_opens_its_invoice_again(office: Office) -> None:
    customer = office.customer("Brightwater")
    invoice = office.invoice(customer, "100")
    payment = office.pay(customer, "100", _takes("100", invoice))
    payment.void(qb=office.client)
    read = Payment.get(payment.Id, qb=office.client)
    assert (read.TotalAmt, read.UnappliedAmt, read.Line, read.PrivateNote) == (0, 0, [], "Voided")
    assert Invoice.get(invoice.Id, qb=office.client).Balance == Decimal("100.00")


def test_a_deleted_invoice_is_gone_for_queries_and_stays_in_changes(office: Office) -> None:
    customer = office.customer("Brightwater")
    kept, gone = office.invoice(customer, "10"), office.invoice(customer, "20")
    assert gone.delete(qb=office.client)["Invoice"] == {"domain": "QBO", "status": "Deleted", "Id": gone.Id}
    assert [found.Id for found in Invoice.all(qb=office.client)] == [kept.Id]
    with pytest.raises(ObjectNotFoundException):
        Invoice.get(gone.Id, qb=office.client)
    since = office.clock() - dt.timedelta(hours=1)
    changed = change_data_capture([Invoice, Customer, Payment], since.isoformat(), qb=office.client)
    assert [(found.Id, getattr(found, "status", "")) for found in changed.Invoice] == [(kept.Id, ""), (gone.Id, "Deleted")]
    assert [found.Id for found in changed.Customer] == [customer.Id]
    assert not hasattr(changed, "Payment")


def test_changes_since_a_time_without_an_offset_are_the_companys_time(office: Office) -> None:
    office.customer("Brightwater")
    before = change_data_capture([Customer], dt.datetime(2026, 6, 10, 8, 59), qb=office.client)
    after = change_data_capture([Customer], dt.datetime(2026, 6, 10, 9, 1), qb=office.client)
    assert hasattr(before, "Customer")
    assert not hasattr(after, "Customer")


def test_pages_in_order_hold_everything_once(office: Office) -> None:
    office.twin.fill(250, customers=3)
    read: list[str] = []
    while True:
        page = Invoice.where("Balance > '0'", order_by="TxnDate ASC, DocNumber", start_position=len(read) + 1, max_results=60, qb=office.client)
        read += [invoice.Id for invoice in page]
        if len(page) < 60:
            break
    assert len(read) == len(set(read)) == Invoice.count("Balance > '0'", qb=office.client)
    amounts = [invoice.TotalAmt for invoice in Invoice.all(order_by="TotalAmt DESC", max_results=250, qb=office.client)]
    assert amounts == sorted(amounts, reverse=True)
    assert len(amounts) == 250


def test_a_batch_answers_each_of_its_parts(office: Office) -> None:
    office.customer("Taken")
    wanted = []
    for name in ("Meadow Foods", "Taken", "Copper Books"):
        customer = Customer()
        customer.DisplayName = name
        wanted.append(customer)
    done = batch_create(wanted, qb=office.client)
    assert [customer.DisplayName for customer in done.successes] == ["Meadow Foods", "Copper Books"]
    assert [fault.Error[0].code for fault in done.faults] == ["6240"]
    invoices = [office.invoice(done.successes[0], "5") for _ in range(31)]
    gone = batch_delete(invoices, qb=office.client)
    assert (len(gone.batch_responses), gone.faults, Invoice.count(qb=office.client)) == (31, [], 0)


def test_payments_go_to_the_bank_together(office: Office) -> None:
    customer = office.customer("Brightwater")
    payments = [office.pay(customer, amount) for amount in ("40", "60")]
    deposit = Deposit()
    deposit.DepositToAccountRef = _ref("35")
    for payment in payments:
        line = DepositLine()
        line.Amount = payment.TotalAmt
        link = LinkedTxn()
        link.TxnId, link.TxnType, link.TxnLineId = payment.Id, "Payment", "0"
        line.LinkedTxn, line.DetailType, line.DepositLineDetail = [link], None, None
        deposit.Line.append(line)
    deposit = deposit.save(qb=office.client)
    assert deposit.TotalAmt == Decimal("100.00")
    assert office.twin.read("Payment", payments[0].Id)["LinkedTxn"] == [{"TxnId": deposit.Id, "TxnType": "Deposit"}]
    with pytest.raises(QuickbooksException) as refused:
        Payment.get(payments[0].Id, qb=office.client).delete(qb=office.client)
    assert refused.value.error_code == 6540


def test_it_sends_an_invoice(office: Office) -> None:
    invoice = office.invoice(office.customer("Brightwater"), "5")
    invoice.send(qb=office.client, send_to="ap@brightwater.example")
    read = Invoice.get(invoice.Id, qb=office.client)
    assert (read.EmailStatus, read.BillEmail.Address, read.DeliveryInfo.DeliveryType) == ("EmailSent", "ap@brightwater.example", "Email")


def test_lists_and_particulars_are_there(office: Office) -> None:
    assert CompanyInfo.get(office.auth.realm_id, qb=office.client).CompanyName == "Larkspur Landscaping"
    assert Preferences.get(qb=office.client).CurrencyPrefs.HomeCurrency.value == "USD"
    assert [item.Name for item in Item.all(qb=office.client)] == ["Hours", "Materials", "Services"]
    assert {term.Name: term.DueDays for term in Term.all(qb=office.client)}["Net 30"] == 30
    customer = office.twin.customer("Brightwater")
    office.twin.sell(customer, 12)
    office.twin.journal(customer, 8)
    assert [receipt.TotalAmt for receipt in SalesReceipt.all(qb=office.client)] == [Decimal("12.00")]
    (entry,) = JournalEntry.all(qb=office.client)
    assert [line.JournalEntryLineDetail.PostingType for line in entry.Line] == ["Debit", "Credit"]
    assert Customer.get(customer["Id"], qb=office.client).Balance == Decimal("8.00")


def test_a_create_shown_twice_is_done_once(office: Office) -> None:
    customer = Customer()
    customer.DisplayName = "Brightwater"
    first = customer.save(qb=office.client, request_id="one")
    customer.Id = None
    assert customer.save(qb=office.client, request_id="one").Id == first.Id
    assert Customer.count(qb=office.client) == 1


def test_wrong_writes_come_as_the_librarys_own_exceptions(office: Office) -> None:
    with pytest.raises(ValidationException) as missing:
        Invoice().save(qb=office.client)
    assert missing.value.error_code == 2020
    with pytest.raises(ValidationException) as unread:
        Invoice.where("Balance > '0' OR Balance < '0'", qb=office.client)
    assert unread.value.error_code == 4000


def test_after_an_hour_the_token_is_refreshed(office: Office) -> None:
    office.customer("Brightwater")
    office.clock.pass_time(hours=1)
    with pytest.raises(AuthorizationException, match="Token expired"):
        Customer.all(qb=office.client)
    fresh = office.app()
    fresh.realm_id = office.auth.realm_id
    fresh.refresh(refresh_token=office.auth.refresh_token)
    assert fresh.refresh_token == office.auth.refresh_token
    assert Customer.count(qb=office.connect(fresh)) == 1


def test_after_a_day_the_refresh_token_changes_and_the_old_one_soon_ends(office: Office) -> None:
    old = office.auth.refresh_token
    office.clock.pass_time(hours=25)
    office.auth.refresh()
    assert office.auth.refresh_token != old
    other = office.app()
    other.refresh(refresh_token=old)
    assert other.refresh_token == office.auth.refresh_token
    office.clock.pass_time(minutes=5)
    with pytest.raises(AuthClientError) as refused:
        other.refresh(refresh_token=old)
    assert (refused.value.status_code, b"invalid_grant" in refused.value.content) == (400, True)


def test_a_revoked_app_is_locked_out(office: Office) -> None:
    assert office.auth.revoke()
    with pytest.raises(AuthorizationException):
        Customer.all(qb=office.client)
    with pytest.raises(AuthClientError):
        office.auth.refresh()


def test_an_answer_that_never_came_was_done_all_the_same(office: Office) -> None:
    office.twin.faults.put(Fault(fault="silent_after", path="/customer", method="POST", seconds=0.05))
    customer = Customer()
    customer.DisplayName = "Brightwater"
    with pytest.raises(requests.exceptions.ConnectionError):
        customer.save(qb=office.client, request_id="one")
    assert customer.save(qb=office.client, request_id="one").Id == "1"
    assert Customer.count(qb=office.client) == 1


@pytest.mark.parametrize("kind", ["cut", "truncated"])
def test_a_line_that_breaks_is_no_answer(office: Office, kind: str) -> None:
    office.customer("Brightwater")
    office.twin.faults.put(Fault(fault=kind, path="/query"))
    with pytest.raises((requests.exceptions.RequestException, QuickbooksException)):
        Customer.all(qb=office.client)
    assert len(Customer.all(qb=office.client)) == 1
