"""Money written there: payments and what they pay, credits applied by a payment of 0, money given back, and what went to the bank."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from tieout.adapters.connectors.quickbooks import client, faults, marks, posting
from tieout.adapters.ports.connector import Command, Raw, Receipt
from tieout.adapters.ports.errors import BadRecord
from tieout.adapters.ports.http import Http
from tieout.core.money import Money

Settings = Mapping[str, Any]
Json = dict[str, Any]


def payment(http: Http, settings: Settings, command: Command) -> Receipt:
    """Money received and what it pays; the rest stays on the customer's account. The one we recorded before, where there is one."""
    wanted = request(settings, command)
    return find_payment(http, settings, command) or posting.make(http, settings, client.PAYMENTS, wanted, command)


def request(settings: Settings, command: Command) -> Json:
    """A payment as it would be written. Raises BadRecord. Pure."""
    body = command.body
    amount = posting.positive(body, "amount_minor")
    shares = _shares(posting.parts(body, "applied"), "document", amount.currency)
    applied = sum(share.minor for share in shares.values())
    if applied > amount.minor:
        raise BadRecord(f"{Money(applied, amount.currency)} are applied of a payment of {amount}", field="applied")
    wanted = _received(command, amount) | {"Line": [_line(ident, "Invoice", share) for ident, share in shares.items()]}
    if settings.get("deposit_account"):
        wanted["DepositToAccountRef"] = posting.ref(settings["deposit_account"])
    return wanted


def apply_credit(http: Http, settings: Settings, command: Command) -> Receipt:
    """A credit memo applied to an invoice: in QuickBooks a payment of 0 that links the two."""
    body = command.body
    share = posting.positive(body, "amount_minor")
    wanted = _received(command, Money(0, share.currency))
    wanted["Line"] = [_line(str(body["document"]), "Invoice", share), _line(str(body["credit_note"]), "CreditMemo", share)]
    return find_payment(http, settings, command) or posting.make(http, settings, client.PAYMENTS, wanted, command)


def find_payment(http: Http, settings: Settings, command: Command) -> Receipt | None:
    """The payment we recorded, by customer and day and our mark."""
    where = (f"CustomerRef = {client.text(str(command.body['customer']))}", f"TxnDate = {client.text(str(posting.day(command.body, 'date')))}")
    return posting.ours(client.ask(http, settings, client.PAYMENTS, *where, priority="write").raws, command)


def refund(http: Http, settings: Settings, command: Command) -> Receipt:
    """Money given back from the bank account, as a refund receipt of one line; it touches no invoice and no payment. What a gateway
    `withheld` from a payout waits where its payments wait, to be taken to the bank with them."""
    body = command.body
    amount = posting.positive(body, "amount_minor")
    detail: Json = {"ItemRef": posting.account_of(settings, "item", "the item of a refund")}
    if settings.get("no_tax_code"):
        detail["TaxCodeRef"] = posting.ref(settings["no_tax_code"])
    wanted = _received(command, None) | {
        "DepositToAccountRef": posting.account_of(settings, "refund_account", "the account a gateway's refunds are paid from")
        if body.get("withheld")
        else posting.account_of(settings, "bank_account", "the bank account a refund is paid from"),
        "Line": [{
            "Amount": amount.decimal(), "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": detail,
            "Description": str(body.get("memo") or "Refund"),
        }],
    }  # fmt: skip
    return find_refund(http, settings, command) or posting.make_for(http, settings, client.REFUNDS, wanted, command, amount)


def find_refund(http: Http, settings: Settings, command: Command) -> Receipt | None:
    """The refund receipt we wrote, by customer and day and our mark."""
    where = (f"CustomerRef = {client.text(str(command.body['customer']))}", f"TxnDate = {client.text(str(posting.day(command.body, 'date')))}")
    return posting.ours(client.ask(http, settings, client.REFUNDS, *where, priority="write").raws, command)


def payout(http: Http, settings: Settings, command: Command) -> Receipt:
    """What a gateway paid out: its payments taken to the bank together, less refunds and the fee, with disputes and other adjustments as
    they are. The sum must be what arrived."""
    body = command.body
    code = posting.currency(body)
    payments = _shares(posting.parts(body, "payments"), "payment", code)
    refunds = _shares(posting.parts(body, "refunds"), "refund", code)
    fee = Money(posting.minor(body, "fee_minor") if body.get("fee_minor") is not None else 0, code)
    others = [(str(one.get("description") or "Adjustment"), Money(posting.minor(one, "amount_minor"), code)) for one in posting.parts(body, "others")]
    came, went = sum(one.minor for one in payments.values()), sum(one.minor for one in refunds.values())
    net = Money(came - went - fee.minor + sum(one.minor for _, one in others), code)
    if body.get("amount_minor") is not None and posting.minor(body, "amount_minor") != net.minor:
        raise BadRecord(f"the parts of the payout come to {net}, not to {Money(posting.minor(body, 'amount_minor'), code)}", field="amount_minor")
    lines = [_waiting(ident, "Payment", share) for ident, share in payments.items()]
    lines += [_waiting(ident, "RefundReceipt", -share) for ident, share in refunds.items()]
    if fee:
        account = posting.account_of(settings, "fee_account", "the fee of a payout")
        detail = {"DetailType": "DepositLineDetail", "DepositLineDetail": {"AccountRef": account}}
        lines.append({"Amount": (-fee).decimal(), "Description": "Fees", **detail})
    for what, part in others:
        account = posting.account_of(settings, "adjustment_account", "what a payout holds beside payments, refunds and fees")
        lines.append({
            "Amount": part.decimal(), "Description": what, "DetailType": "DepositLineDetail", "DepositLineDetail": {"AccountRef": account},
        })  # fmt: skip
    bank = posting.account_of(settings, "bank_account", "the bank account of a payout")
    wanted: Json = {
        "TxnDate": posting.day(body, "date"), "CurrencyRef": posting.ref(code), "DepositToAccountRef": bank, "Line": lines,
        "PrivateNote": _note(command),
    }  # fmt: skip
    return find_payout(http, settings, command) or posting.make_for(http, settings, client.DEPOSITS, wanted, command, net)


def cancel_payout(http: Http, settings: Settings, command: Command) -> Receipt:
    """The deposit of a payout that did not arrive after all, taken away; its payments wait again."""
    gone = find_cancelled(http, settings, command)
    if gone is not None:
        return gone
    raw = client.one(http, settings, client.DEPOSITS, str(command.body["deposit"]), priority="write")
    body = {"Id": raw.id, "SyncToken": raw.version}
    answer = posting.post(http, settings, client.DEPOSITS, body, request_id=marks.request_id(command.key, raw.version), operation="delete")
    now = client.one(http, settings, client.DEPOSITS, raw.id, priority="write")
    if not now.gone:
        raise BadRecord(f"QuickBooks took the deletion of deposit {raw.id} and did not do it; are its books closed for that time?")
    return Receipt(raw=now, said=answer.headers.get("intuit_tid", ""))


def find_cancelled(http: Http, settings: Settings, command: Command) -> Receipt | None:
    """Whether the deposit is gone."""
    raw = client.one(http, settings, client.DEPOSITS, str(command.body["deposit"]), priority="write")
    return Receipt(raw=raw, found=True) if raw.gone else None


def change_payment(http: Http, settings: Settings, command: Command) -> Receipt:
    """A payment of which a part is gone: what is left of it and what that pays; nothing left, and it is void."""
    try:
        return _changed(http, settings, command)
    except faults.Stale:
        return _changed(http, settings, command)


def _changed(http: Http, settings: Settings, command: Command) -> Receipt:
    body = command.body
    raw, amount, shares = _standing(http, settings, command)
    if raw.gone or _stands(raw, amount, shares):
        return Receipt(raw=raw, found=True)
    now = msgspec.json.decode(raw.body, type=dict[str, Any])
    if any(link.get("TxnType") == "Deposit" for link in now.get("LinkedTxn") or ()):
        raise BadRecord(
            f"payment {raw.id} was taken to the bank with a deposit in QuickBooks, which changing it would change: book there by hand that "
            f"{body.get('reason') or 'the money is gone'}", field="payment",
        )  # fmt: skip
    wanted: Json = {"Id": raw.id, "SyncToken": raw.version, "sparse": True}
    if amount.minor:
        wanted |= {
            "CustomerRef": now["CustomerRef"], "TotalAmt": amount.decimal(),
            "Line": [_line(ident, "Invoice", share) for ident, share in shares.items()],
        }  # fmt: skip
    operation, name = (None if amount.minor else "void"), marks.request_id(command.key, raw.version)
    answer = posting.post(http, settings, client.PAYMENTS, wanted, request_id=name, operation=operation)
    return Receipt(raw=client.one(http, settings, client.PAYMENTS, raw.id, priority="write"), said=answer.headers.get("intuit_tid", ""))


def find_changed(http: Http, settings: Settings, command: Command) -> Receipt | None:
    """Whether the payment is as it should be already."""
    raw, amount, shares = _standing(http, settings, command)
    return Receipt(raw=raw, found=True) if raw.gone or _stands(raw, amount, shares) else None


def _standing(http: Http, settings: Settings, command: Command) -> tuple[Raw, Money, dict[str, Money]]:
    amount = Money(posting.minor(command.body, "amount_minor"), posting.currency(command.body))
    shares = _shares(posting.parts(command.body, "applied"), "document", amount.currency)
    return client.one(http, settings, client.PAYMENTS, str(command.body["payment"]), priority="write"), amount, shares


def _stands(raw: Raw, amount: Money, shares: Mapping[str, Money]) -> bool:
    now = msgspec.json.decode(raw.body, type=dict[str, Any])
    paid = {str(link["TxnId"]): Decimal(str(line["Amount"])) for line in now.get("Line") or () for link in line.get("LinkedTxn") or ()}
    return Decimal(str(now.get("TotalAmt"))) == amount.decimal() and paid == {ident: share.decimal() for ident, share in shares.items()}


def find_payout(http: Http, settings: Settings, command: Command) -> Receipt | None:
    """The deposit we wrote, by its day and our mark."""
    where = f"TxnDate = {client.text(str(posting.day(command.body, 'date')))}"
    return posting.ours(client.ask(http, settings, client.DEPOSITS, where, priority="write").raws, command)


def _received(command: Command, amount: Money | None) -> Json:
    """What payments and refunds say alike. A reference too long for its field stands whole in the note."""
    body = command.body
    wanted: Json = {
        "CustomerRef": posting.ref(body["customer"]), "CurrencyRef": posting.ref(posting.currency(body)), "TxnDate": posting.day(body, "date"),
        "PrivateNote": _note(command),
    }  # fmt: skip
    if amount is not None:
        wanted["TotalAmt"] = amount.decimal()
    if body.get("reference"):
        wanted["PaymentRefNum"] = str(body["reference"])[: posting.LONGEST_NUMBER]
    return wanted


def _note(command: Command) -> str:
    reference, memo = str(command.body.get("reference") or ""), str(command.body.get("memo") or "")
    return marks.mark(command.key, f"{reference} {memo}" if len(reference) > posting.LONGEST_NUMBER else memo)


def _shares(listed: Iterable[Mapping[str, Any]], name: str, currency: str) -> dict[str, Money]:
    """Amounts by what they belong to, each above zero; one named twice has both."""
    shares: dict[str, Money] = {}
    for one in listed:
        if not one.get(name):
            raise BadRecord(f"a part does not say its {name}", field=name)
        share = posting.positive({**one, "currency": currency}, "amount_minor")
        ident = str(one[name])
        shares[ident] = shares.get(ident, Money(0, currency)) + share
    return shares


def _line(ident: str, kind: str, amount: Money) -> Json:
    return {"Amount": amount.decimal(), "LinkedTxn": [{"TxnId": ident, "TxnType": kind}]}


def _waiting(ident: str, kind: str, amount: Money) -> Json:
    """Something that waits in undeposited funds; it goes to the bank whole."""
    return {"Amount": amount.decimal(), "LinkedTxn": [{"TxnId": ident, "TxnType": kind, "TxnLineId": "0"}]}
