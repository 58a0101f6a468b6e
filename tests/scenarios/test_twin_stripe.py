"""Stripe's own client works with the stand-in as with Stripe: one account from the first customer to the last event, over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import stripe

from tests.scenarios.stripe_desk import Watched, official

Client = stripe.StripeClient


@pytest.fixture
def twin() -> Iterator[Watched]:
    """Every answer given in a test is judged by Stripe's description at its end."""
    made = Watched()
    yield made
    assert made.judged() > 0


@pytest.fixture
def client(twin: Watched) -> Iterator[Client]:
    with official(twin) as made:
        yield made


@pytest.fixture
def brightwater(client: Client) -> stripe.Customer:
    return client.v1.customers.create(
        {
            "name": "Brightwater Bakery",
            "email": "accounts@brightwater.example",
            "address": {"line1": "Mühlenweg 4", "city": "Lübeck", "postal_code": "23552", "country": "DE"},
            "preferred_locales": ["de", "en"],
            "metadata": {"erp": "C-1007"},
            "tax_id_data": [{"type": "eu_vat", "value": "DE123456789"}],
        }
    )


def _open(client: Client, customer: str, *amounts: int, **more: object) -> stripe.Invoice:
    """A finalised invoice over these amounts, due in two weeks."""
    asked: Any = {"customer": customer, "collection_method": "send_invoice", "days_until_due": 14, "currency": "eur", **more}
    draft = client.v1.invoices.create(asked)
    client.v1.invoices.add_lines(draft.id, {"lines": [{"amount": amount, "description": f"Part over {amount}"} for amount in amounts]})
    return client.v1.invoices.finalize_invoice(draft.id)


def _sums(invoice: stripe.Invoice) -> tuple[str | None, int, int, int]:
    return invoice.status, invoice.amount_due, invoice.amount_paid, invoice.amount_remaining


def test_a_customer_is_made_changed_found_and_leaves_a_tombstone(client: Client, brightwater: stripe.Customer) -> None:
    changed = client.v1.customers.update(brightwater.id, {"metadata": {"erp": "", "segment": "A"}, "phone": "+49 451 1234"})
    assert changed.metadata is not None
    assert changed.metadata.to_dict() == {"segment": "A"}
    assert [found.id for found in client.v1.customers.list({"email": "accounts@brightwater.example"}).data] == [brightwater.id]
    with_numbers = client.v1.customers.retrieve(brightwater.id, {"expand": ["tax_ids"]})
    assert [(number.type, number.value) for number in with_numbers.tax_ids.data] == [("eu_vat", "DE123456789")]  # type: ignore[union-attr]

    client.v1.customers.delete(brightwater.id)
    gone = client.v1.customers.retrieve(brightwater.id)
    assert gone.deleted is True
    assert client.v1.customers.list().data == []
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.invoices.create({"customer": brightwater.id})
    assert (refused.value.http_status, refused.value.code, refused.value.param) == (400, "resource_missing", "customer")


def test_an_invoice_goes_from_draft_to_open_with_the_next_number_and_the_customer_as_of_then(client: Client, brightwater: stripe.Customer) -> None:
    invoice = _open(client, brightwater.id, 10_000, 2_500)
    assert _sums(invoice) == ("open", 12_500, 0, 12_500)
    assert invoice.number == f"{brightwater.invoice_prefix}-0001"
    assert invoice.due_date == invoice.created + 14 * 86_400
    assert invoice.customer_name == "Brightwater Bakery"
    assert [line.description for line in invoice.lines.data] == ["Part over 10000", "Part over 2500"]
    assert (invoice.hosted_invoice_url or "").endswith(f"/pay/{invoice.id}")
    client.v1.customers.update(brightwater.id, {"name": "Brightwater Bread"})
    assert client.v1.invoices.retrieve(invoice.id).customer_name == "Brightwater Bakery"
    assert _open(client, brightwater.id, 100).number == f"{brightwater.invoice_prefix}-0002"


def test_a_draft_can_be_changed_and_thrown_away(client: Client, brightwater: stripe.Customer) -> None:
    draft = client.v1.invoices.create({"customer": brightwater.id, "collection_method": "send_invoice", "days_until_due": 7})
    item = client.v1.invoice_items.create({"customer": brightwater.id, "invoice": draft.id, "amount": 4_000, "description": "Flour"})
    client.v1.invoice_items.update(item.id, {"amount": 4_200})
    draft = client.v1.invoices.add_lines(draft.id, {"lines": [{"amount": 300, "description": "Delivery"}]})
    delivery = draft.lines.data[1].id
    client.v1.invoices.line_items.update(draft.id, delivery, {"quantity": 2})
    assert client.v1.invoices.retrieve(draft.id).total == 4_800
    client.v1.invoices.remove_lines(draft.id, {"lines": [{"id": delivery, "behavior": "delete"}]})
    draft = client.v1.invoices.update(draft.id, {"days_until_due": 30, "number": "2026-0815"})
    assert (draft.total, draft.due_date) == (4_200, draft.created + 30 * 86_400)
    assert client.v1.invoices.finalize_invoice(draft.id).number == "2026-0815"

    other = client.v1.invoices.create({"customer": brightwater.id})
    assert other.due_date is None  # charged, so never due on a day
    assert client.v1.invoices.delete(other.id).deleted is True
    with pytest.raises(stripe.InvalidRequestError, match="No such invoice"):
        client.v1.invoices.retrieve(other.id)


def test_pending_items_wait_for_the_next_invoice_that_takes_them_in(client: Client, brightwater: stripe.Customer) -> None:
    for amount in (100, 200):
        client.v1.invoice_items.create({"customer": brightwater.id, "amount": amount, "currency": "eur"})
    assert len(client.v1.invoice_items.list({"customer": brightwater.id, "pending": True}).data) == 2
    invoice = client.v1.invoices.create({"customer": brightwater.id, "pending_invoice_items_behavior": "include"})
    assert invoice.total == 300
    assert client.v1.invoice_items.list({"pending": True}).data == []


def test_lines_beyond_ten_are_paged_at_their_own_address(client: Client, brightwater: stripe.Customer) -> None:
    invoice = _open(client, brightwater.id, *range(101, 126))
    assert (len(invoice.lines.data), invoice.lines.has_more, invoice.total) == (10, True, sum(range(101, 126)))
    every = [line.amount for line in client.v1.invoices.line_items.list(invoice.id, {"limit": 7}).auto_paging_iter()]
    assert every == list(range(101, 126))


def test_an_invoice_is_paid_in_parts_by_card_and_past_stripe(client: Client, brightwater: stripe.Customer) -> None:
    invoice = _open(client, brightwater.id, 12_500)
    waiting = client.v1.invoice_payments.list({"invoice": invoice.id}).data
    assert [(each.is_default, each.status, each.amount_requested, each.amount_paid) for each in waiting] == [(True, "open", 12_500, None)]

    intent = client.v1.payment_intents.create(
        {"amount": 5_000, "currency": "eur", "customer": brightwater.id, "payment_method": "pm_card_visa", "confirm": True}
    )
    invoice = client.v1.invoices.attach_payment(invoice.id, {"payment_intent": intent.id})
    assert _sums(invoice) == ("open", 12_500, 5_000, 7_500)
    record = client.v1.payment_records.report_payment(
        {
            "amount_requested": {"value": 2_500, "currency": "eur"},
            "initiated_at": invoice.created,
            "outcome": "guaranteed",
            "guaranteed": {"guaranteed_at": invoice.created},
            "payment_method_details": {"type": "custom", "custom": {"display_name": "Bank transfer"}},
        }
    )
    invoice = client.v1.invoices.attach_payment(invoice.id, {"payment_record": record.id})
    assert _sums(invoice) == ("open", 12_500, 7_500, 5_000)
    invoice = client.v1.invoices.pay(invoice.id, {"paid_out_of_band": True, "expand": ["payments.data.payment.payment_intent"]})
    assert _sums(invoice) == ("paid", 12_500, 12_500, 0)
    assert invoice.amount_paid_off_stripe == 7_500

    parts = [(each.status, each.amount_paid, each.payment.type) for each in invoice.payments.data]  # type: ignore[union-attr]
    assert parts == [
        ("paid", 5_000, "payment_record"),
        ("paid", 2_500, "payment_record"),
        ("paid", 5_000, "payment_intent"),
        ("canceled", None, "payment_intent"),
    ]
    by_intent = client.v1.invoice_payments.list({"payment": {"type": "payment_intent", "payment_intent": intent.id}}).data
    assert [(each.invoice, each.amount_paid) for each in by_intent] == [(invoice.id, 5_000)]
    assert len(client.v1.invoice_payments.list({"status": "paid"}).data) == 3
    assert [charge.amount for charge in client.v1.charges.list({"payment_intent": intent.id}).data] == [5_000]


def test_an_attached_intent_counts_once_it_succeeds_and_bars_voiding_meanwhile(client: Client, brightwater: stripe.Customer) -> None:
    invoice = _open(client, brightwater.id, 9_000)
    intent = client.v1.payment_intents.create({"amount": 4_000, "currency": "eur", "customer": brightwater.id})
    assert _sums(client.v1.invoices.attach_payment(invoice.id, {"payment_intent": intent.id})) == ("open", 9_000, 0, 9_000)
    for step in (client.v1.invoices.void_invoice, client.v1.invoices.mark_uncollectible):
        with pytest.raises(stripe.InvalidRequestError):
            step(invoice.id)
    client.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})
    assert _sums(client.v1.invoices.retrieve(invoice.id)) == ("open", 9_000, 4_000, 5_000)
    default = next(each for each in client.v1.invoice_payments.list({"invoice": invoice.id}).data if each.is_default)
    assert default.amount_requested == 5_000  # follows what remains


def test_a_declined_card_leaves_the_invoice_open_and_the_customer_delinquent(client: Client, brightwater: stripe.Customer) -> None:
    invoice = _open(client, brightwater.id, 7_000)
    with pytest.raises(stripe.CardError) as declined:
        client.v1.invoices.pay(invoice.id, {"payment_method": "pm_card_visa_chargeDeclinedInsufficientFunds"})
    assert (declined.value.http_status, declined.value.code) == (402, "card_declined")
    after = client.v1.invoices.retrieve(invoice.id)
    assert (after.status, after.attempted, after.attempt_count) == ("open", True, 1)
    assert client.v1.customers.retrieve(brightwater.id).delinquent is True
    assert client.v1.invoices.pay(invoice.id, {"payment_method": "pm_card_visa"}).status == "paid"
    assert client.v1.customers.retrieve(brightwater.id).delinquent is False
    assert [charge.status for charge in client.v1.charges.list({"customer": brightwater.id}).data] == ["succeeded", "failed"]


def test_a_credit_note_before_payment_lowers_what_is_due_and_can_be_taken_back(client: Client, brightwater: stripe.Customer) -> None:
    invoice = _open(client, brightwater.id, 10_000)
    note = client.v1.credit_notes.create({"invoice": invoice.id, "amount": 1_500, "reason": "order_change", "memo": "two crates short"})
    assert (note.type, note.pre_payment_amount, note.post_payment_amount, note.number) == ("pre_payment", 1_500, 0, f"{invoice.number}-CN-01")
    after = client.v1.invoices.retrieve(invoice.id)
    assert _sums(after) == ("open", 8_500, 0, 8_500)
    assert (after.total, after.pre_payment_credit_notes_amount) == (10_000, 1_500)
    client.v1.credit_notes.update(note.id, {"memo": "three crates short"})
    assert client.v1.credit_notes.void_credit_note(note.id).status == "void"
    assert _sums(client.v1.invoices.retrieve(invoice.id)) == ("open", 10_000, 0, 10_000)


def test_a_credit_note_over_all_that_is_open_closes_the_invoice(client: Client, brightwater: stripe.Customer) -> None:
    invoice = _open(client, brightwater.id, 3_000)
    line = invoice.lines.data[0].id
    client.v1.credit_notes.create({"invoice": invoice.id, "lines": [{"type": "invoice_line_item", "invoice_line_item": line, "quantity": 1}]})
    assert _sums(client.v1.invoices.retrieve(invoice.id)) == ("paid", 0, 0, 0)


def test_a_credit_note_after_payment_goes_back_in_the_ways_it_names(client: Client, brightwater: stripe.Customer) -> None:
    invoice = _open(client, brightwater.id, 10_000)
    client.v1.invoices.pay(invoice.id, {"payment_method": "pm_card_visa"})
    with pytest.raises(stripe.InvalidRequestError, match="add up to"):
        client.v1.credit_notes.create({"invoice": invoice.id, "amount": 3_000})
    note = client.v1.credit_notes.create(
        {"invoice": invoice.id, "amount": 3_000, "refund_amount": 1_000, "credit_amount": 1_500, "out_of_band_amount": 500}
    )
    assert (note.type, note.post_payment_amount, note.out_of_band_amount) == ("post_payment", 3_000, 500)
    refund = client.v1.refunds.retrieve(str(note.refunds[0].refund))
    assert (refund.amount, refund.status) == (1_000, "succeeded")
    assert client.v1.customers.retrieve(brightwater.id).balance == -1_500
    after = client.v1.invoices.retrieve(invoice.id)
    assert _sums(after) == ("paid", 10_000, 10_000, 0)
    assert after.post_payment_credit_notes_amount == 3_000

    following = _open(client, brightwater.id, 4_000)  # consumes the balance
    assert (following.starting_balance, following.ending_balance, following.amount_due) == (-1_500, 0, 2_500)
    moves = client.v1.customers.balance_transactions.list(brightwater.id).data
    assert [(move.type, move.amount, move.ending_balance) for move in moves] == [("applied_to_invoice", 1_500, 0), ("credit_note", -1_500, -1_500)]


def test_a_credit_note_on_a_part_paid_invoice_is_mixed(client: Client, brightwater: stripe.Customer) -> None:
    invoice = _open(client, brightwater.id, 5_000)
    intent = client.v1.payment_intents.create(
        {"amount": 4_000, "currency": "eur", "customer": brightwater.id, "payment_method": "pm_card_visa", "confirm": True}
    )
    client.v1.invoices.attach_payment(invoice.id, {"payment_intent": intent.id})
    note = client.v1.credit_notes.create({"invoice": invoice.id, "amount": 1_600, "refund_amount": 600})
    assert (note.type, note.pre_payment_amount, note.post_payment_amount) == ("mixed", 1_000, 600)
    assert _sums(client.v1.invoices.retrieve(invoice.id)) == ("paid", 4_000, 4_000, 0)


def test_a_refund_leaves_the_invoice_paid(client: Client, brightwater: stripe.Customer) -> None:
    invoice = _open(client, brightwater.id, 6_000)
    client.v1.invoices.pay(invoice.id, {"payment_method": "pm_card_visa"})
    charge = client.v1.charges.list({"customer": brightwater.id}).data[0]
    client.v1.refunds.create({"charge": charge.id, "amount": 2_000, "reason": "requested_by_customer"})
    assert client.v1.charges.retrieve(charge.id, {"expand": ["refunds"]}).amount_refunded == 2_000
    client.v1.refunds.create({"payment_intent": str(charge.payment_intent)})
    assert client.v1.charges.retrieve(charge.id).refunded is True
    assert [refund.amount for refund in client.v1.refunds.list({"charge": charge.id}).data] == [4_000, 2_000]
    assert _sums(client.v1.invoices.retrieve(invoice.id)) == ("paid", 6_000, 6_000, 0)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.refunds.create({"charge": charge.id})
    assert refused.value.code == "charge_already_refunded"


def test_void_keeps_the_amounts_and_uncollectible_can_still_be_paid(client: Client, brightwater: stripe.Customer) -> None:
    void = client.v1.invoices.void_invoice(_open(client, brightwater.id, 700).id)
    assert _sums(void) == ("void", 700, 0, 700)
    assert void.status_transitions.voided_at is not None
    given_up = client.v1.invoices.mark_uncollectible(_open(client, brightwater.id, 800).id)
    assert _sums(given_up) == ("uncollectible", 800, 0, 800)
    assert _sums(client.v1.invoices.pay(given_up.id, {"paid_out_of_band": True})) == ("paid", 800, 800, 0)


def test_tax_is_added_to_or_found_in_the_amounts(client: Client, brightwater: stripe.Customer) -> None:
    added = client.v1.tax_rates.create({"display_name": "VAT", "percentage": 19, "inclusive": False, "country": "DE"})
    within = client.v1.tax_rates.create({"display_name": "VAT incl.", "percentage": 7, "inclusive": True})
    invoice = _open(client, brightwater.id, 10_000, 333, default_tax_rates=[added.id])
    assert (invoice.subtotal, invoice.total, invoice.total_excluding_tax) == (10_333, 10_333 + 1_900 + 63, 10_333)
    assert [(tax.amount, tax.taxable_amount, tax.tax_behavior) for tax in invoice.total_taxes or []] == [(1_963, 10_333, "exclusive")]
    invoice = _open(client, brightwater.id, 10_700, default_tax_rates=[within.id])
    assert (invoice.total, invoice.total_excluding_tax, (invoice.total_taxes or [])[0].amount) == (10_700, 10_000, 700)


def test_a_yen_is_a_yen(client: Client) -> None:
    harbour = client.v1.customers.create({"name": "Harbour Tea"})
    draft = client.v1.invoices.create({"customer": harbour.id, "currency": "jpy", "collection_method": "send_invoice", "days_until_due": 5})
    client.v1.invoices.add_lines(draft.id, {"lines": [{"amount": 5_000, "description": "Sencha"}]})
    invoice = client.v1.invoices.pay(draft.id, {"payment_method": "pm_card_visa"})
    assert (invoice.currency, invoice.amount_paid) == ("jpy", 5_000)
    charge = client.v1.charges.list({"customer": harbour.id, "expand": ["data.balance_transaction"]}).data[0]
    settled = charge.balance_transaction
    assert isinstance(settled, stripe.BalanceTransaction)
    assert (charge.amount, settled.currency, settled.amount, settled.exchange_rate) == (5_000, "eur", 3_100, 0.0062)


def test_every_list_turns_its_pages_without_losing_or_doubling(client: Client, twin: Watched, brightwater: stripe.Customer) -> None:
    made = [twin.invoice(brightwater.id, amount).id for amount in range(1_000, 1_025)]
    assert [invoice.id for invoice in client.v1.invoices.list({"limit": 4}).auto_paging_iter()] == made[::-1]
    back = client.v1.invoices.list({"limit": 4, "ending_before": made[0]})
    assert [invoice.id for invoice in back.auto_paging_iter()] == made[1:]  # the client reads upwards, oldest first


def test_the_same_key_gives_the_same_answer_and_another_request_under_it_is_refused(client: Client, brightwater: stripe.Customer) -> None:
    asked: Any = {"customer": brightwater.id, "amount": 900, "currency": "eur"}
    first = client.v1.invoice_items.create(asked, {"idempotency_key": "item-1"})
    again = client.v1.invoice_items.create(asked, {"idempotency_key": "item-1"})
    assert first.id == again.id
    assert again.last_response is not None
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    assert len(client.v1.invoice_items.list().data) == 1
    with pytest.raises(stripe.IdempotencyError):
        client.v1.invoice_items.create(asked | {"amount": 901}, {"idempotency_key": "item-1"})
    with pytest.raises(stripe.IdempotencyError, match="first used for"):
        client.v1.customers.create({"name": "Other"}, {"idempotency_key": "item-1"})


def test_the_account_says_who_it_is(client: Client) -> None:
    account = client.v1.accounts.retrieve_current()
    assert (account.default_currency, account.country) == ("eur", "DE")
    assert client.v1.balance.retrieve().available[0].amount == 0
