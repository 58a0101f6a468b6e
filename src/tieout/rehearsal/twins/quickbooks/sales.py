"""Invoices, credit memos, sales and refund receipts: their lines, sums, dates and numbers."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from tieout.rehearsal.twins.quickbooks import books, refusals, seeds, taxes
from tieout.rehearsal.twins.quickbooks.books import Company, Record
from tieout.rehearsal.twins.quickbooks.reading import bare, money
from tieout.rehearsal.twins.quickbooks.refusals import Json
from tieout.rehearsal.twins.quickbooks.shapes import SALES

_NOTHING = Decimal(0)
#: Said of every invoice, whatever the caller asked for.
_ONLINE = ("AllowIPNPayment", "AllowOnlinePayment", "AllowOnlineCreditCardPayment", "AllowOnlineACHPayment")


def prepare(company: Company, entity: str, wanted: Json, old: Record | None) -> Json:
    """The next state of a sales form. Raises Refused; nothing is changed before it returns."""
    customer = _customer(company, entity, wanted)
    if not wanted.get("Line"):
        raise refusals.missing("Line")
    if entity == "RefundReceipt" and not wanted.get("DepositToAccountRef"):
        raise refusals.missing("DepositToAccountRef")
    lines, net = _lines(company, wanted["Line"], old)
    tax = taxes.detail(company, wanted.get("TxnTaxDetail") or {}, customer, lines)
    total = net + tax["TotalTax"]
    if total < 0:
        raise refusals.business("the total of a transaction is zero or more")
    body = {"PrintStatus": "NeedToPrint", "EmailStatus": "NotSet", "ApplyTaxAfterDiscount": False, **wanted}
    body |= money_terms(company, wanted, customer)
    body |= {"Line": lines, "TxnTaxDetail": tax, "TotalAmt": money(total)}
    body["TxnDate"] = wanted.get("TxnDate") or company.today().isoformat()
    if customer:
        body["CustomerRef"] = company.ref("Customer", wanted["CustomerRef"], active=old is None)
        for address in ("BillAddr", "ShipAddr"):
            if customer.get(address):
                body.setdefault(address, customer[address])
    if company.terms.country != "US":
        body.setdefault("GlobalTaxCalculation", "TaxExcluded")
    if entity == "Invoice":
        body |= dict.fromkeys(_ONLINE, False) | _due(company, body, customer)
    for ref, kind in (("DepositToAccountRef", "Account"), ("PaymentMethodRef", "PaymentMethod"), ("ClassRef", "Class")):
        if ref in body:
            body[ref] = company.ref(kind, body[ref])
    if entity == "SalesReceipt":
        body.setdefault("DepositToAccountRef", company.ref("Account", {"value": books.UNDEPOSITED}))
    number = _number(company, wanted, old)
    if number:
        body["DocNumber"] = number
    return with_balance(company, entity, body, old)


def with_balance(company: Company, entity: str, body: Json, old: Record | None) -> Json:
    """The form with what is still open of it, and the payments it is linked to."""
    takes = company.applied.get(old.id, {}) if old else {}
    open_amount = body["TotalAmt"] - sum(takes.values(), _NOTHING)
    if entity not in ("Invoice", "CreditMemo"):
        linked = (old.body.get("LinkedTxn") if old else None) or []
        return {**body, "Balance": _NOTHING, "LinkedTxn": linked, **_at_home(body, _NOTHING)}
    linked = [{"TxnId": payment, "TxnType": "Payment"} for payment in takes]
    body = {**body, "Balance": money(open_amount), "LinkedTxn": linked, **_at_home(body, open_amount)}
    return {**body, "RemainingCredit": money(open_amount)} if entity == "CreditMemo" else body


def _at_home(body: Json, open_amount: Decimal) -> Json:
    rate = body.get("ExchangeRate")
    return {} if rate is None else {"HomeTotalAmt": money(body["TotalAmt"] * rate), "HomeBalance": money(open_amount * rate)}


def money_terms(company: Company, wanted: Json, customer: Json) -> Json:
    """Currency and rate of a transaction; it has its customer's currency."""
    currency = customer["CurrencyRef"]["value"] if customer else company.terms.currency
    given = (wanted.get("CurrencyRef") or {}).get("value") or currency
    if given != currency:
        raise refusals.business(f"the currency of the transaction ({given}) is not that of the customer ({currency})")
    if not company.terms.rates:
        return {"CurrencyRef": company.currency_ref(currency)}
    rate = wanted.get("ExchangeRate") or company.terms.rates.get(currency, Decimal(1))
    return {"CurrencyRef": company.currency_ref(currency), "ExchangeRate": bare(rate)}


def _customer(company: Company, entity: str, wanted: Json) -> Json:
    ref = wanted.get("CustomerRef")
    if not ref:
        if entity in ("Invoice", "CreditMemo"):
            raise refusals.missing("CustomerRef")
        return {}
    company.ref("Customer", ref, active=False)
    return company.records["Customer"][str(ref["value"])].body


def _lines(company: Company, given: list[Json], old: Record | None) -> tuple[list[Json], Decimal]:
    """The lines as kept, with the subtotal behind the goods and discounts behind it, and what they come to."""
    taken = {line["Id"] for line in old.body["Line"] if "Id" in line} if old else set()
    fresh = max((int(number) for number in taken), default=0)
    goods: list[Json] = []
    discounts: list[Json] = []
    subtotal = _NOTHING
    for line in given:
        kind = line.get("DetailType")
        if not kind:
            raise refusals.missing("Line.DetailType")
        if kind == "SubTotalLineDetail":
            continue
        if kind == "DiscountLineDetail":
            discounts.append(line)
            continue
        if kind not in ("SalesItemLineDetail", "DescriptionOnly"):
            raise refusals.business(f"a sales form has no line of the kind {kind}")
        kept = _item_line(company, line) if kind == "SalesItemLineDetail" else _described_line(line)
        if line.get("Id") not in taken:
            fresh += 1
        goods.append({"Id": line["Id"] if line.get("Id") in taken else str(fresh), "LineNum": len(goods) + 1, **kept})
        subtotal += kept.get("Amount", _NOTHING)
    lines = [*goods, {"Amount": money(subtotal), "DetailType": "SubTotalLineDetail", "SubTotalLineDetail": {}}]
    total = subtotal
    for line in discounts:
        kept = _discount_line(company, line, subtotal)
        total -= kept["Amount"]
        lines.append(kept)
    return lines, total


def _item_line(company: Company, line: Json) -> Json:
    detail = line.get("SalesItemLineDetail") or {}
    ref = company.ref("Item", detail.get("ItemRef") or {"value": "1"})
    # A price or a quantity of 0 is taken as not said: clients fill in zeros where they know the amount alone.
    price, quantity, amount = detail.get("UnitPrice") or None, detail.get("Qty") or None, line.get("Amount")
    worked_out = price * quantity if isinstance(price, Decimal) and isinstance(quantity, Decimal) else None
    if not isinstance(amount, Decimal):
        if worked_out is None:
            raise refusals.missing("Line.Amount")
        amount = worked_out
    elif worked_out is not None and money(worked_out) != money(amount):
        raise refusals.amounts_differ(str(amount), str(money(worked_out)))
    kept: Json = {"Description": line["Description"]} if line.get("Description") else {}
    told: Json = {"ItemRef": ref}
    if detail.get("ClassRef"):
        told["ClassRef"] = company.ref("Class", detail["ClassRef"])
    told |= {name: bare(figure) for name, figure in (("UnitPrice", price), ("Qty", quantity)) if isinstance(figure, Decimal)}
    told["TaxCodeRef"] = taxes.line_code(company, detail.get("TaxCodeRef"), company.records["Item"][ref["value"]].body)
    if detail.get("ServiceDate"):
        told["ServiceDate"] = detail["ServiceDate"]
    return {**kept, "Amount": money(amount), "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": told}


def _described_line(line: Json) -> Json:
    kept = {"Description": line["Description"]} if line.get("Description") else {}
    return {**kept, "DetailType": "DescriptionOnly", "DescriptionLineDetail": {}}


def _discount_line(company: Company, line: Json, subtotal: Decimal) -> Json:
    detail = line.get("DiscountLineDetail") or {}
    told: Json = {"PercentBased": bool(detail.get("PercentBased"))}
    amount = line.get("Amount")
    if told["PercentBased"]:
        told["DiscountPercent"] = bare(detail.get("DiscountPercent") or _NOTHING)
        amount = subtotal * told["DiscountPercent"] / 100
    if not isinstance(amount, Decimal):
        raise refusals.missing("Line.Amount")
    told["DiscountAccountRef"] = company.ref("Account", detail.get("DiscountAccountRef") or {"value": books.DISCOUNTS})
    return {"Amount": money(amount), "DetailType": "DiscountLineDetail", "DiscountLineDetail": told}


def _due(company: Company, body: Json, customer: Json) -> Json:
    ref = body.get("SalesTermRef") or customer.get("SalesTermRef")
    found: Json = {"SalesTermRef": company.ref("Term", ref)} if ref else {}
    days = company.records["Term"][(ref or {"value": seeds.USUAL_TERM})["value"]].body.get("DueDays", 0)
    usual = dt.date.fromisoformat(body["TxnDate"]) + dt.timedelta(days=days)
    return {**found, "DueDate": body.get("DueDate") or usual.isoformat()}


def _number(company: Company, wanted: Json, old: Record | None) -> str:
    given = wanted.get("DocNumber") or ""
    if old:
        return given or str(old.body.get("DocNumber", ""))
    if given and company.terms.unique_numbers:
        for kind in SALES:
            for record in company.records[kind].values():
                if record.body.get("DocNumber") == given:
                    raise refusals.duplicate_number(given, kind, record.id)
    return company.number_document(given)


def voided(body: Json) -> Json:
    """The form with every amount gone and the note that says so."""
    lines = []
    for line in body["Line"]:
        emptied = {**line, "Amount": _NOTHING} if "Amount" in line else line
        detail = emptied.get("SalesItemLineDetail")
        if detail and "Qty" in detail:
            emptied["SalesItemLineDetail"] = {**detail, "Qty": _NOTHING}
        lines.append(emptied)
    tax = {name: value for name, value in body["TxnTaxDetail"].items() if name != "TaxLine"}
    return {**body, "Line": lines, "TxnTaxDetail": {**tax, "TotalTax": _NOTHING}, "TotalAmt": _NOTHING, "PrivateNote": voided_note(body)}


def voided_note(body: Json) -> str:
    note = body.get("PrivateNote")
    return f"Voided - {note}" if note else "Voided"
