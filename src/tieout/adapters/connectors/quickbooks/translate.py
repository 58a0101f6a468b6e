"""QuickBooks' objects in canonical records. Pure; an unknown value or a drifted field is a BadRecord, never a guess."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any, Literal

import msgspec
from babel import Locale

from tieout.adapters.connectors.quickbooks import applying, client, marks, shapes
from tieout.adapters.ports.connector import Raw
from tieout.adapters.ports.errors import BadRecord
from tieout.core import documents, money, party
from tieout.core.money import Money, MoneyError

SOURCE = "quickbooks"
Settings = Mapping[str, Any]
#: What QuickBooks puts behind the name of a customer that is no longer active.
_INACTIVE = " (deleted)"
_PART: Mapping[str, Literal["payment", "refund"]] = {"Payment": "payment", "RefundReceipt": "refund"}
#: More digits than a quantity has.
_MOST_DIGITS = 20
#: How people write countries that no list has so.
_SPOKEN: Mapping[str, str] = {"usa": "US", "united states of america": "US", "uk": "GB", "england": "GB", "great britain": "GB"}
#: Codes in the list of countries that are none.
_NOWHERE = frozenset({"EU", "EZ", "QO", "UN", "XA", "XB", "ZZ"})


def records(raw: Raw, settings: Settings) -> tuple[documents.Record, ...]:
    """What an object means; () for what has no meaning here. Raises BadRecord."""
    if raw.stream not in _STREAMS:
        return ()
    shape, meaning = _STREAMS[raw.stream]
    try:
        return meaning(shape.decode(raw.body), settings)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadRecord(f"{raw.stream} {raw.id} is not as QuickBooks describes it: {error}", field=_field(str(error))) from error


def _field(said: str) -> str:
    return said.rpartition("`$.")[2].rstrip("`") if "`$." in said else ""


# Amounts


def _currency(ref: shapes.Ref | None, settings: Settings) -> str:
    """The currency a transaction names, else the home currency: where several are not switched on, some objects name none."""
    code = (ref.value if ref else str(settings.get("currency") or "")).upper()
    if not money.is_currency(code):
        said = f"{code!r} is no ISO 4217 currency" if code else "there is no currency, and the home currency is not known"
        raise BadRecord(said, field="CurrencyRef")
    return code


def _amount(value: Decimal, currency: str, field: str, *, signed: bool = False) -> Money:
    try:
        found = money.from_decimal(value, currency)
    except MoneyError as error:
        raise BadRecord(str(error), field=field) from error
    if found.minor < 0 and not signed:
        raise BadRecord(f"{found} is negative", field=field)
    return found


def _number(doc_number: str | None, ident: str) -> str:
    """A document's number. Companies that number by hand may leave it out; then the object's own id has to do."""
    return party.tidy(doc_number or "") or f"QBO {ident}"


# Customers


def _customer(c: shapes.Customer, _: Settings) -> tuple[documents.Record, ...]:
    name = party.tidy(c.display_name.removesuffix(_INACTIVE)) or f"QBO {c.id}"
    others = (party.tidy(one or "") for one in (c.company_name, c.print_on_check_name))
    address = c.bill_addr or shapes.Address()
    phone = next((one.free_form_number for one in (c.primary_phone, c.mobile) if one and one.free_form_number), None)
    return (
        documents.Customer(
            source_format=SOURCE, customer_id=c.id, name=name, aliases=tuple(dict.fromkeys(one for one in others if one and one != name)),
            country=country(address.country), city=address.city, email=_mailbox(c.primary_email_addr), phone=phone,
            parent_id=c.parent_ref.value if c.parent_ref else None, currency=_currency(c.currency_ref, {}) if c.currency_ref else None,
        ),
    )  # fmt: skip


def _mailbox(email: shapes.Email | None) -> str | None:
    """The one address of a field; QuickBooks lets people write several into it, which is none."""
    found = party.mail_address(email.address) if email and email.address else None
    return found if isinstance(found, str) else None


def country(written: str | None) -> str | None:
    """The ISO 3166-1 code of a country that people type in by hand: a code, or its English name."""
    plain = party.tidy(written or "").casefold()
    return _SPOKEN.get(plain) or _countries().get(plain)


@lru_cache(maxsize=1)
def _countries() -> Mapping[str, str]:
    places = {code: name for code, name in Locale.parse("en").territories.items() if len(code) == 2 and code.isalpha() and code not in _NOWHERE}
    return {name.casefold(): code for code, name in places.items()} | {code.casefold(): code for code in places}


# Sales forms


def _invoice(i: shapes.Invoice, settings: Settings) -> tuple[documents.Record, ...]:
    currency = _currency(i.currency_ref, settings)
    total, balance = _amount(i.total_amt, currency, "TotalAmt"), _amount(i.balance, currency, "Balance")
    customer, void = _debtor(i, "invoice"), _void(i, total)
    return (
        documents.Invoice(
            source_format=SOURCE, invoice_id=i.id, number=_number(i.doc_number, i.id), customer_id=customer.value, customer_name=customer.name,
            customer_email=_mailbox(i.bill_email), amount=total, open_amount=None if void else balance, issue_date=i.txn_date,
            due_date=i.due_date, po_number=i.po_number or None, status="void" if void else "open",
            source_status="Voided" if void else _sent(i.email_status), lines=tuple(_lines(i.line or [], currency)),
        ),
    )  # fmt: skip


def _sent(email_status: str | None) -> str | None:
    """The nearest to a status that QuickBooks has: whether the invoice has been mailed from there."""
    return None if email_status == "NotSet" else email_status


def _credit_memo(c: shapes.CreditMemo, settings: Settings) -> tuple[documents.Record, ...]:
    currency = _currency(c.currency_ref, settings)
    total = _amount(c.total_amt, currency, "TotalAmt")
    customer, void = _debtor(c, "credit memo"), _void(c, total)
    rest = c.remaining_credit if c.remaining_credit is not None else c.balance
    return (
        documents.CreditNote(
            source_format=SOURCE, credit_note_id=c.id, number=_number(c.doc_number, c.id), customer_id=customer.value, customer_name=customer.name,
            amount=total, date=c.txn_date, open_amount=None if void or rest is None else _amount(rest, currency, "RemainingCredit"),
            related_invoice=c.invoice_ref.value if c.invoice_ref else None, status="void" if void else "open",
            source_status="Voided" if void else None,
        ),
    )  # fmt: skip


def _refund_receipt(r: shapes.RefundReceipt, settings: Settings) -> tuple[documents.Record, ...]:
    """Money given back over the counter, so to speak: it touches no invoice and no payment."""
    total = _amount(r.total_amt, _currency(r.currency_ref, settings), "TotalAmt")
    void = _void(r, total)
    return (
        documents.Refund(
            source_format=SOURCE, refund_id=r.id, amount=total, customer_id=r.customer_ref.value if r.customer_ref else None, date=r.txn_date,
            status="cancelled" if void else "succeeded", source_status="Voided" if void else None,
        ),
    )  # fmt: skip


def _debtor(form: shapes.Form, what: str) -> shapes.Ref:
    if form.customer_ref is None or not form.customer_ref.value:
        raise BadRecord(f"{what} {form.id} has no customer", field="CustomerRef")
    return form.customer_ref


def _void(form: shapes.Form, total: Money) -> bool:
    """QuickBooks has no status: a voided form has lost its amounts and says so in its note. One of 0 without the note is of 0."""
    return not total and client.is_void(form.private_note)


def _lines(listed: list[shapes.Line], currency: str) -> Iterator[documents.Line]:
    for line in listed:
        if line.detail_type in ("SubTotalLineDetail", "TaxLineDetail"):
            continue  # A sum of the lines above it, and what stands in the tax of the whole.
        group = line.group_line_detail
        if group and group.line:
            yield from _lines(group.line, currency)
            continue
        item = (line.sales_item_line_detail or shapes.ItemDetail()).item_ref or (group.group_item_ref if group else None)
        amount = _amount(line.amount or Decimal(0), currency, "Line.Amount", signed=True)
        discount = line.detail_type == "DiscountLineDetail"
        quantity = line.sales_item_line_detail.qty if line.sales_item_line_detail else group.quantity if group else None
        yield documents.Line(
            description=party.tidy(line.description or "") or (item.name if item else None) or ("Discount" if discount else ""),
            amount=-amount if discount else amount, quantity=_quantity(quantity),
        )  # fmt: skip


def _quantity(value: Decimal | None) -> str | None:
    if value is None:
        return None
    if not value.is_finite() or abs(value.adjusted()) > _MOST_DIGITS or len(value.as_tuple().digits) > 2 * _MOST_DIGITS:
        raise BadRecord("a line has a quantity that is none", field="Line.Qty")
    return f"{value:f}"


# Money


def _payment(p: shapes.Payment, settings: Settings) -> tuple[documents.Record, ...]:
    """The money, where there is any, and all it applies. A payment of 0 is nothing but the link between a credit and an invoice; a
    voided one has lost its amount and applies nothing any more (its shell reaches the ledger as gone)."""
    currency = _currency(p.currency_ref, settings)
    total, rest = _amount(p.total_amt, currency, "TotalAmt"), _amount(p.unapplied_amt or Decimal(0), currency, "UnappliedAmt")
    takes, gives = _shares(p.line or [], currency)
    cash = Money(max(0, total.minor - rest.minor), currency)
    void = not total and client.is_void(p.private_note)
    entries = () if void else applying.entries(payment_id=p.id, takes=takes, gives=gives, cash=cash)
    application = documents.Application(source_format=SOURCE, application_id=p.id, entries=entries, date=p.txn_date)
    if not total:
        return (application,)
    payer = p.customer_ref
    return (
        documents.Payment(
            source_format=SOURCE, payment_id=p.id, amount=total, date=p.txn_date, customer_id=payer.value if payer else None,
            customer_name=payer.name if payer else None, reference=p.payment_ref_num or None, remittance=marks.without(p.private_note) or None,
        ),
        application,
    )  # fmt: skip


def _shares(lines: list[shapes.Share], currency: str) -> tuple[dict[str, Money], dict[str, Money]]:
    """What each invoice takes and each credit memo gives. A line that links to something else, or to several things, has no place."""
    takes: dict[str, Money] = {}
    gives: dict[str, Money] = {}
    for line in lines:
        amount = _amount(line.amount, currency, "Line.Amount")
        if len(line.linked_txn) != 1 or line.linked_txn[0].txn_type not in ("Invoice", "CreditMemo"):
            continue
        (linked,) = line.linked_txn
        side = takes if linked.txn_type == "Invoice" else gives
        side[linked.txn_id] = side.get(linked.txn_id, Money(0, currency)) + amount
    return takes, gives


def _deposit(d: shapes.Deposit, settings: Settings) -> tuple[documents.Record, ...]:
    """Money taken to the bank together: what waited in undeposited funds, less the fees."""
    currency = _currency(d.currency_ref, settings)
    fee_account = str(settings.get("fee_account") or "")
    parts = [_part(line, currency, fee_account) for line in d.line or []]
    if d.cash_back and d.cash_back.amount:
        back = _amount(d.cash_back.amount, currency, "CashBack.Amount")
        parts.append(documents.PayoutPart(what="other", gross=-back, fee=Money(0, currency)))
    return (
        documents.Payout(
            source_format=SOURCE, payout_id=d.id, amount=_amount(d.total_amt, currency, "TotalAmt", signed=True),
            fee=Money(sum(part.fee.minor for part in parts), currency), parts=tuple(parts), date=d.txn_date, status="paid",
            reference=marks.without(d.private_note) or None,
        ),
    )  # fmt: skip


def _part(line: shapes.DepositLine, currency: str, fee_account: str) -> documents.PayoutPart:
    amount, nothing = _amount(line.amount, currency, "Line.Amount", signed=True), Money(0, currency)
    if line.linked_txn and len(line.linked_txn) == 1:
        (linked,) = line.linked_txn
        return documents.PayoutPart(what=_PART.get(linked.txn_type, "other"), gross=amount, fee=nothing, id=linked.txn_id)
    account = line.deposit_line_detail.account_ref if line.deposit_line_detail else None
    if account and account.value == fee_account and amount.minor < 0:
        return documents.PayoutPart(what="fee", gross=nothing, fee=-amount)
    # Whether some other account holds fees is for a person to say.
    return documents.PayoutPart(what="other", gross=amount, fee=nothing)


_STREAMS: Mapping[str, tuple[msgspec.json.Decoder[Any], Callable[[Any, Settings], tuple[documents.Record, ...]]]] = {
    client.CUSTOMERS: (msgspec.json.Decoder(shapes.Customer), _customer),
    client.INVOICES: (msgspec.json.Decoder(shapes.Invoice), _invoice),
    client.CREDIT_MEMOS: (msgspec.json.Decoder(shapes.CreditMemo), _credit_memo),
    client.PAYMENTS: (msgspec.json.Decoder(shapes.Payment), _payment),
    client.REFUNDS: (msgspec.json.Decoder(shapes.RefundReceipt), _refund_receipt),
    client.DEPOSITS: (msgspec.json.Decoder(shapes.Deposit), _deposit),
}
