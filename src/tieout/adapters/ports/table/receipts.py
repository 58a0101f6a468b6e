"""Money received from the values of a batch. Money out is left out aloud or refused; it is no receipt."""

from __future__ import annotations

from typing import Any

from tieout.adapters.ports.table.plan import Parsed, Plan
from tieout.adapters.ports.table.seen import Out, Seen, finding
from tieout.core.documents import Payment, Refund
from tieout.core.money import Money


def payments(plan: Plan, p: Parsed, seen: Seen) -> Out:
    """Money received, and refunds of it. Money out is left out aloud or refused, as the profile says."""
    out: Out = []
    rows = zip(
        p.batch.lines, p.get("payment_id"), p.get("date"), p.get("amount"), p.get("credit"), p.get("debit"), p.get("payer_name"),
        p.get("payer_account"), p.get("reference"), p.get("remittance"), p.get("bank_ref"), p.get("invoice_number"), p.get("customer_id"),
        p.get("status", ("succeeded", None)), p.get("refunded_amount"), p.get("recorded_at"), p.get("open_amount"),
        strict=True,
    )  # fmt: skip
    dated = "date" in p.values
    for place, row in enumerate(rows):
        line, own, day, amount, credit, debit, payer, account, reference, text, bank_ref, number, party, status, refunded, recorded, left = row
        amount = left if left is not None else _received(amount, credit, debit)  # what is unapplied, where the file says so
        if amount is not None and plan.profile.payments == "negative":
            amount = -amount
        refusal = _no_receipt(plan, amount, day, dated)
        if refusal or amount is None:
            code, message, blocking = refusal or ("missing_amount", "there is no amount", True)
            out.append(finding(plan, p, place, code, message, field="date" if code == "missing" else "amount", blocking=blocking))
            continue
        if own is None:
            own = seen.payment_id(
                [account or "", str(day), f"{amount.minor} {amount.currency}", payer or "", reference or "", text or "", bank_ref or ""]
            )
        out.append(
            Payment(
                source_format=seen.format,
                line=line,
                payment_id=own,
                amount=amount,
                date=day,
                customer_id=party,
                payer_name=payer,
                payer_account=account,
                reference=reference,
                remittance=text,
                bank_ref=bank_ref,
                invoice_number=number,
                status=status[0],
                source_status=status[1],
                recorded_at=recorded,
            )
        )
        if refunded is not None and refunded.minor > 0:
            refund = Refund(
                source_format=seen.format, line=line, refund_id=f"{own}:refund", amount=refunded, payment_id=own, customer_id=party, date=None
            )
            out.append(refund)
    return out


def _received(amount: Money | None, credit: Money | None, debit: Money | None) -> Money | None:
    if amount is not None:
        return amount
    if credit is not None and credit.minor:
        return credit
    return Money(-abs(debit.minor), debit.currency) if debit is not None else credit


def _no_receipt(plan: Plan, amount: Money | None, day: Any, dated: bool) -> tuple[str, str, bool] | None:
    if amount is None:
        return None
    if amount.minor < 0:
        if plan.profile.outgoing == "skip":
            return "money_out", f"{amount} is money out, not a receipt; left out", False
        return "negative_payment", f"a payment of {amount}: money out is no receipt (the profile can leave it out)", True
    if amount.minor == 0:
        return "zero_payment", "a payment of nothing; left out", False
    if dated and day is None:
        return "missing", "there is no date", True
    return None
