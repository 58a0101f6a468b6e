"""Stripe's objects in canonical records. Pure; an unknown value or a drifted field is a BadRecord, never a guess."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any, Literal
from zoneinfo import ZoneInfo

import msgspec

from tieout.adapters.connectors.stripe import shapes
from tieout.adapters.ports.connector import Raw
from tieout.adapters.ports.errors import BadRecord
from tieout.core import documents, money, party
from tieout.core.money import Money

SOURCE = "stripe"
#: Currencies whose amounts Stripe sends without decimals, and with three; all others come with two, also those that ISO 4217
#: gives none (ISK, UGX). https://docs.stripe.com/currencies, seen 2026-11.
_NONE = frozenset("BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF".split())
_THREE = frozenset("BHD JOD KWD OMR TND".split())

_DISPUTE: Mapping[str, documents.DisputeStatus] = {
    "warning_needs_response": "inquiry", "warning_under_review": "inquiry", "warning_closed": "closed", "needs_response": "needs_response",
    "under_review": "under_review", "won": "won", "lost": "lost", "prevented": "closed",
}  # fmt: skip
_REFUND: Mapping[str, documents.RefundStatus] = {
    "pending": "pending", "requires_action": "pending", "succeeded": "succeeded", "failed": "failed", "canceled": "cancelled",
}  # fmt: skip
_PAYOUT: Mapping[str, Literal["pending", "paid", "failed", "cancelled"]] = {
    "paid": "paid", "pending": "pending", "in_transit": "pending", "canceled": "cancelled", "failed": "failed",
}  # fmt: skip
_PART: Mapping[str, Literal["payment", "refund", "dispute", "fee", "other"]] = {
    "charge": "payment", "payment": "payment", "refund": "refund", "payment_refund": "refund", "payment_failure_refund": "refund",
    "stripe_fee": "fee", "application_fee": "fee",
}  # fmt: skip


def amount(units: int, currency: str) -> Money:
    """An amount of Stripe's smallest units. Raises BadRecord where it is no whole number of ours."""
    code = currency.upper()
    if not money.is_currency(code):
        raise BadRecord(f"{currency!r} is no ISO 4217 currency", field="currency")
    theirs = 0 if code in _NONE else 3 if code in _THREE else 2
    shift = money.exponent(code) - theirs
    if shift >= 0:
        return Money(units * 10**shift, code)
    whole, rest = divmod(units, 10**-shift)
    if rest:
        raise BadRecord(f"{units} is no whole amount of {code}", field="amount")
    return Money(whole, code)


def units(value: Money) -> int:
    """An amount as Stripe wants it. Raises BadRecord where Stripe cannot say it."""
    theirs = 0 if value.currency in _NONE else 3 if value.currency in _THREE else 2
    shift = theirs - money.exponent(value.currency)
    if shift >= 0:
        return int(value.minor * 10**shift)
    whole, rest = divmod(value.minor, 10**-shift)
    if rest:
        raise BadRecord(f"Stripe knows no fractions of {value.currency}", field="amount")
    return int(whole)


def records(raw: Raw, settings: Mapping[str, Any]) -> tuple[documents.Record, ...]:
    """What an object means. Raises BadRecord."""
    shape, meaning = _STREAMS[raw.stream]
    try:
        return tuple(meaning(shape.decode(raw.body), ZoneInfo(str(settings.get("time_zone") or "UTC"))))
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadRecord(f"{raw.stream} {raw.id} is not as Stripe describes it: {error}", field=_field(str(error))) from error


def _field(said: str) -> str:
    return said.rpartition("`$.")[2].rstrip("`") if "`$." in said else ""


def _day(seconds: int | None, zone: ZoneInfo) -> dt.date | None:
    return None if seconds is None else dt.datetime.fromtimestamp(seconds, zone).date()


def _customer(c: shapes.Customer, _: ZoneInfo) -> tuple[documents.Record, ...]:
    name = party.tidy(c.name or "") or (c.email or c.id)
    email = party.mail_address(c.email) if c.email else None
    address = c.address or shapes.Address()
    tax = next((one.value for one in (c.tax_ids.data if c.tax_ids else ()) if one.value), None)
    language = (c.preferred_locales or [""])[0][:2].lower() or None
    return (
        documents.Customer(
            source_format=SOURCE, customer_id=c.id, name=name, country=address.country, city=address.city,
            email=email if isinstance(email, str) else None, phone=c.phone, language=language, tax_id=tax,
            currency=c.currency.upper() if c.currency else None,
        ),
    )  # fmt: skip


def _invoice(i: shapes.Invoice, zone: ZoneInfo) -> tuple[documents.Record, ...]:
    if i.customer is None:
        raise BadRecord(f"invoice {i.id} has no customer", field="customer")
    total = amount(i.total, i.currency)
    if total.minor < 0:
        # Stripe settles a negative invoice against the customer's balance at once.
        raise BadRecord(f"invoice {i.id} is negative; what it credits stands in the customer's balance", field="total")
    status: documents.DocumentStatus = "draft" if i.status in (None, "draft") else "void" if i.status == "void" else "open"
    # A credit note before payment lowers what remains; ours stands beside the invoice and is applied to it, which says the same.
    remaining = amount(i.amount_remaining, i.currency)
    email = party.mail_address(i.customer_email) if i.customer_email else None
    return (
        documents.Invoice(
            source_format=SOURCE, invoice_id=i.id, number=i.number or i.id, customer_id=i.customer, customer_name=i.customer_name,
            customer_email=email if isinstance(email, str) else None, amount=total, open_amount=remaining if status == "open" else None,
            issue_date=_day(i.effective_at or (i.status_transitions.finalized_at if i.status_transitions else None) or i.created, zone),
            due_date=_day(i.due_date, zone), status=status, source_status=i.status or "draft",
            lines=tuple(_line(line, i.currency) for line in i.lines.data),
        ),
    )  # fmt: skip


def _line(line: shapes.Line, currency: str) -> documents.Line:
    # Net of discounts and of tax that is in the price, so that what the invoice comes to beyond its lines is its tax.
    taxes = line.taxes or []
    less = sum(one.amount for one in line.discount_amounts or ()) + sum(tax.amount for tax in taxes if tax.tax_behavior == "inclusive")
    product = line.pricing.price_details.product if line.pricing and line.pricing.price_details else None
    rates = sorted({tax.tax_rate_details.tax_rate for tax in taxes if tax.tax_rate_details})
    return documents.Line(
        description=line.description or "", amount=amount(line.amount - less, currency), item=product, tax_code="+".join(rates) or None,
        quantity=None if line.quantity is None else str(line.quantity),
    )  # fmt: skip


def _credit_note(c: shapes.CreditNote, zone: ZoneInfo) -> tuple[documents.Record, ...]:
    # Given back after payment, the note takes the place of the money that went back; before payment it lowers what is open.
    total, used = amount(c.total, c.currency), amount(c.pre_payment_amount + sum(one.amount_refunded for one in c.refunds), c.currency)
    live = c.status == "issued"
    back = live and c.total > 0 and sum(one.amount_refunded for one in c.refunds) == c.total
    entries = (documents.Applied(document_id=c.invoice, amount=used, credit_note_id=c.id),) if live and used.minor else ()
    return (
        documents.CreditNote(
            source_format=SOURCE, credit_note_id=c.id, number=c.number, customer_id=c.customer, amount=total,
            date=_day(c.effective_at or c.created, zone),
            # The rest of it went out of band or stands in the customer's balance, where Stripe uses it up: nothing of the note is open.
            open_amount=Money(0, total.currency), related_invoice=c.invoice, status="open" if live else "void",
            source_status=documents.GIVEN_BACK if back else c.status,
        ),
        documents.Application(source_format=SOURCE, application_id=c.id, entries=entries, date=_day(c.effective_at or c.created, zone)),
    )  # fmt: skip


def _intent(p: shapes.Intent, zone: ZoneInfo) -> tuple[documents.Record, ...]:
    status: documents.PaymentStatus
    if p.status == "succeeded":
        status = "succeeded"
    elif p.status in ("processing", "requires_capture"):
        status = "processing"
    elif p.status == "canceled":
        status = "cancelled"
    else:
        return ()  # Nobody has paid anything yet.
    value = amount(p.amount_received if p.status == "succeeded" else p.amount, p.currency)
    if not value.minor:
        return ()
    return (
        documents.Payment(
            source_format=SOURCE, payment_id=p.id, customer_id=p.customer, amount=value, date=_day(p.created, zone), reference=p.id,
            remittance=p.description, status=status, source_status=p.status,
        ),
    )  # fmt: skip


def _invoice_payment(p: shapes.InvoicePayment, zone: ZoneInfo) -> tuple[documents.Record, ...]:
    paid_by = p.payment.payment_intent or p.payment.charge or p.payment.payment_record
    entries: tuple[documents.Applied, ...] = ()
    if p.status == "paid" and p.amount_paid and paid_by:
        entries = (documents.Applied(document_id=p.invoice, amount=amount(p.amount_paid, p.currency), payment_id=paid_by),)
    elif p.status not in ("open", "canceled", "paid"):
        raise BadRecord(f"status {p.status!r} of {p.id} is not one Stripe has described", field="status")
    when = (p.status_transitions.paid_at if p.status_transitions else None) or p.created
    return (documents.Application(source_format=SOURCE, application_id=p.id, entries=entries, date=_day(when, zone)),)


def _refund(r: shapes.Refund, zone: ZoneInfo) -> tuple[documents.Record, ...]:
    return (
        documents.Refund(
            source_format=SOURCE, refund_id=r.id, amount=amount(r.amount, r.currency), payment_id=r.payment_intent or r.charge,
            date=_day(r.created, zone), status=_REFUND[r.status or "pending"], source_status=r.status,
        ),
    )  # fmt: skip


def _dispute(d: shapes.Dispute, zone: ZoneInfo) -> tuple[documents.Record, ...]:
    by = d.payment_intent or d.charge
    if by is None:
        raise BadRecord(f"dispute {d.id} names no payment", field="payment_intent")
    due = (d.evidence_details or {}).get("due_by")
    return (
        documents.Dispute(
            source_format=SOURCE, dispute_id=d.id, payment_id=by, amount=amount(d.amount, d.currency), status=_DISPUTE[d.status], reason=d.reason,
            date=_day(d.created, zone), fee=_kept(d), respond_by=_day(due, zone) if isinstance(due, int) else None, source_status=d.status,
        ),
    )  # fmt: skip


def _kept(d: shapes.Dispute) -> Money | None:
    """What Stripe charges for a dispute, less what it has given back of that. It is in the account's currency, not the payment's."""
    fees = [amount(one.fee, one.currency) for one in d.balance_transactions]
    return Money(sum(fee.minor for fee in fees), fees[0].currency) if len({fee.currency for fee in fees}) == 1 else None


def _ident(t: shapes.Transaction) -> str | None:
    return t.source.id if isinstance(t.source, shapes.Source) else t.source


def _part(t: shapes.Transaction, currency: str) -> documents.PayoutPart:
    if t.currency != currency:
        raise BadRecord(f"{t.id} is in {t.currency.upper()}, its payout in {currency.upper()}", field="currency")
    what, source, ident = _PART.get(t.type, "other"), t.source, _ident(t)
    if isinstance(source, shapes.Source) and what == "payment":
        # A charge is known here by its payment; one from before there were any keeps its own name.
        ident = source.payment_intent or source.id
    if t.type == "adjustment" and ident and (ident.startswith(("du_", "dp_")) or (isinstance(source, shapes.Source) and source.object == "dispute")):
        what = "dispute"
    return documents.PayoutPart(what=what, gross=amount(t.amount, t.currency), fee=amount(t.fee, t.currency), id=ident)


def _payout(whole: shapes.PayoutWhole, _: ZoneInfo) -> tuple[documents.Record, ...]:
    p = whole.payout
    # The movement of the payout itself is the sum and no part of it; what came back of an earlier one is.
    parts = tuple(_part(t, p.currency) for t in whole.transactions if _ident(t) != p.id)
    fee = Money(sum(part.fee.minor for part in parts), p.currency.upper())
    return (
        documents.Payout(
            source_format=SOURCE, payout_id=p.id, amount=amount(p.amount, p.currency), fee=fee, parts=parts,
            date=_day(p.arrival_date, ZoneInfo("UTC")), status="reversed" if p.reversed_by else _PAYOUT[p.status],
            reverses=p.original_payout, reference=p.statement_descriptor, source_status=p.status,
        ),
    )  # fmt: skip


_STREAMS: Mapping[str, tuple[msgspec.json.Decoder[Any], Callable[[Any, ZoneInfo], tuple[documents.Record, ...]]]] = {
    "customers": (msgspec.json.Decoder(shapes.Customer), _customer),
    "invoices": (msgspec.json.Decoder(shapes.Invoice), _invoice),
    "payments": (msgspec.json.Decoder(shapes.Intent), _intent),
    "invoice_payments": (msgspec.json.Decoder(shapes.InvoicePayment), _invoice_payment),
    "credit_notes": (msgspec.json.Decoder(shapes.CreditNote), _credit_note),
    "refunds": (msgspec.json.Decoder(shapes.Refund), _refund),
    "disputes": (msgspec.json.Decoder(shapes.Dispute), _dispute),
    "payouts": (msgspec.json.Decoder(shapes.PayoutWhole), _payout),
}
