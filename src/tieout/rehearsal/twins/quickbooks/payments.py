"""Payments: what they hold, what they pay, and the invoices and credit memos that move with them.

A payment of 0 applies a credit memo; taking money off an invoice again leaves it on the payment as unapplied.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal

from tieout.rehearsal.twins.quickbooks import books, refusals, sales
from tieout.rehearsal.twins.quickbooks.books import Company, Record
from tieout.rehearsal.twins.quickbooks.reading import money
from tieout.rehearsal.twins.quickbooks.refusals import Json

_NOTHING = Decimal(0)
#: What a payment's lines link to; credit memos give what invoices take.
_GIVES = {"Invoice": False, "CreditMemo": True}


def prepare(company: Company, wanted: Json, old: Record | None) -> Json:
    """The next state of a payment. Raises Refused; nothing is changed before it returns."""
    if not wanted.get("CustomerRef"):
        raise refusals.missing("CustomerRef")
    if not isinstance(wanted.get("TotalAmt"), Decimal):
        raise refusals.missing("TotalAmt")
    ref = company.ref("Customer", wanted["CustomerRef"], active=old is None)
    total = money(wanted["TotalAmt"])
    if total < 0:
        raise refusals.business("a payment holds zero or more")
    account = company.ref("Account", wanted.get("DepositToAccountRef") or {"value": books.UNDEPOSITED})
    if old and old.id in company.deposited and (total, account) != (old.body["TotalAmt"], old.body["DepositToAccountRef"]):
        raise refusals.deposited("Payment")
    customer = company.records["Customer"][ref["value"]].body
    terms = sales.money_terms(company, wanted, customer)
    lines = [_line(company, line, ref["value"], terms["CurrencyRef"], old) for line in wanted.get("Line") or []]
    _check_open(company, lines, old)
    if "PaymentMethodRef" in wanted:
        wanted = {**wanted, "PaymentMethodRef": company.ref("PaymentMethod", wanted["PaymentMethodRef"])}
    body = {"ProcessPayment": False, "TxnDate": company.today().isoformat(), **wanted, **terms}
    body |= {"CustomerRef": ref, "DepositToAccountRef": account, "TotalAmt": total, "LinkedTxn": old.body["LinkedTxn"] if old else []}
    return _with_lines(body, lines)


def _line(company: Company, line: Json, customer: str, currency: Json, old: Record | None) -> Json:
    linked = line.get("LinkedTxn") or []
    amount = line.get("Amount")
    if len(linked) != 1 or not isinstance(amount, Decimal):
        raise refusals.missing("Line.LinkedTxn" if isinstance(amount, Decimal) else "Line.Amount")
    kind, txn_id = str(linked[0].get("TxnType")), str(linked[0].get("TxnId"))
    if kind not in _GIVES:
        raise refusals.business(f"a payment does not link to a {kind}")
    if amount <= 0:
        raise refusals.business("the amount of a payment line is more than zero")
    record = company.find(kind, txn_id)
    if _family(company, record.body["CustomerRef"]["value"]) != _family(company, customer):
        raise refusals.business(f"{kind} {txn_id} belongs to another customer")
    if record.body["CurrencyRef"] != currency:
        raise refusals.business(f"{kind} {txn_id} is in another currency")
    told = {"txnId": txn_id, "txnOpenBalance": str(_open(company, record, old)), "txnReferenceNumber": record.body.get("DocNumber", "")}
    return {"Amount": money(amount), "LinkedTxn": [{"TxnId": txn_id, "TxnType": kind}], "LineEx": _extension(told)}


def _extension(told: dict[str, str]) -> Json:
    """Name and value pairs the way the vendor's serialiser spills them into JSON."""
    common = {"declaredType": "com.intuit.schema.finance.v3.NameValue", "nil": False, "globalScope": True, "typeSubstituted": False}
    name = "{http://schema.intuit.com/finance/v3}NameValue"
    return {"any": [{"name": name, **common, "value": {"Name": key, "Value": value}} for key, value in told.items()]}


def _family(company: Company, customer: str) -> str:
    while parent := (company.records["Customer"][customer].body.get("ParentRef") or {}).get("value"):
        customer = parent
    return customer


def _check_open(company: Company, lines: list[Json], old: Record | None) -> None:
    for (kind, txn_id), amount in _links(lines).items():
        still_open = _open(company, company.records[kind][txn_id], old)
        if amount > still_open:
            raise refusals.business(f"{amount} is more than is open of {kind} {txn_id} ({still_open})")


def _open(company: Company, record: Record, payment: Record | None) -> Decimal:
    """What is open of an invoice or credit memo, seen from a payment: its own part counts as open."""
    own = company.applied[record.id].get(payment.id, _NOTHING) if payment else _NOTHING
    return money(record.body["Balance"] + own)


def _with_lines(body: Json, lines: list[Json]) -> Json:
    taken, given = _sums(lines)
    if taken < given:
        raise refusals.business(f"credits of {given} are more than the invoices take ({taken})")
    if taken - given > body["TotalAmt"]:
        raise refusals.business(f"the lines take {taken - given} and the payment holds {body['TotalAmt']}")
    return {**body, "Line": lines, "UnappliedAmt": money(body["TotalAmt"] - taken + given)}


def _sums(lines: list[Json]) -> tuple[Decimal, Decimal]:
    sums = {False: _NOTHING, True: _NOTHING}
    for line in lines:
        sums[_GIVES[line["LinkedTxn"][0]["TxnType"]]] += line["Amount"]
    return sums[False], sums[True]


def _links(lines: list[Json]) -> dict[tuple[str, str], Decimal]:
    sums: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for line in lines:
        linked = line["LinkedTxn"][0]
        sums[linked["TxnType"], linked["TxnId"]] += line["Amount"]
    return dict(sums)


def settle(company: Company, payment_id: str, before: Json, after: Json, *, but: str = "") -> None:
    """After a payment was stored or removed: each invoice and credit memo it moved gets its new balance, token and time,
    `but` the one whose own change caused this."""
    was, now = _links(before.get("Line", [])), _links(after.get("Line", []))
    for kind, txn_id in {**was, **now}:
        amount = now.get((kind, txn_id), _NOTHING)
        if amount == was.get((kind, txn_id), _NOTHING):
            continue
        if amount:
            company.applied[txn_id][payment_id] = amount
        else:
            company.applied[txn_id].pop(payment_id, None)
        record = company.records[kind].get(txn_id)
        if record is not None and txn_id != but:
            company.put(kind, sales.with_balance(company, kind, record.body, record), record)


def release(company: Company, record: Record, *, down_to: Decimal = _NOTHING) -> None:
    """Take payments off an invoice or credit memo, the latest first, until no more than `down_to` is paid; the money stays
    on the payments."""
    takes = company.applied.get(record.id, {})
    too_much = sum(takes.values(), _NOTHING) - down_to
    for payment_id in sorted(takes, key=int, reverse=True):
        if too_much <= 0:
            return
        cut = min(too_much, takes[payment_id])
        too_much -= cut
        _shorten(company, company.records["Payment"][payment_id], record, cut)


def _shorten(company: Company, payment: Record, of: Record, cut: Decimal) -> None:
    before = payment.body
    lines = _cut(before["Line"], cut, lambda linked: linked == {"TxnId": of.id, "TxnType": of.entity})
    taken, given = _sums(lines)
    if given > taken:
        lines = _cut(lines, given - taken, lambda linked: linked["TxnType"] == "CreditMemo")
    if taken - given > before["TotalAmt"]:
        lines = _cut(lines, taken - given - before["TotalAmt"], lambda linked: linked["TxnType"] == "Invoice")
    if lines or before["TotalAmt"]:
        company.put("Payment", _with_lines(before, lines), payment)
        settle(company, payment.id, before, payment.body, but=of.id)
    else:
        # A payment of 0 is nothing but the link between a credit and an invoice.
        company.drop(payment)
        settle(company, payment.id, before, {}, but=of.id)


def _cut(lines: list[Json], amount: Decimal, which: Callable[[Json], bool]) -> list[Json]:
    kept = []
    for line in reversed(lines):
        if amount and which(line["LinkedTxn"][0]):
            taken = min(amount, line["Amount"])
            amount -= taken
            if taken == line["Amount"]:
                continue
            line = {**line, "Amount": money(line["Amount"] - taken)}
        kept.append(line)
    return kept[::-1]


def voided(body: Json) -> Json:
    return {**_with_lines({**body, "TotalAmt": _NOTHING}, []), "PrivateNote": sales.voided_note(body)}
