"""Deposits, which take payments to the bank together less the fees, and journal entries, which may touch what customers owe."""

from __future__ import annotations

from decimal import Decimal

from tieout.rehearsal.twins.quickbooks import books, refusals
from tieout.rehearsal.twins.quickbooks.books import Company, Record
from tieout.rehearsal.twins.quickbooks.reading import money
from tieout.rehearsal.twins.quickbooks.refusals import Json

_NOTHING = Decimal(0)
#: What waits in undeposited funds, and the sign with which it goes to the bank.
_WAITING = {"Payment": 1, "SalesReceipt": 1, "RefundReceipt": -1}


def deposit(company: Company, wanted: Json, old: Record | None) -> Json:
    """The next state of a deposit. Raises Refused."""
    if not wanted.get("Line"):
        raise refusals.missing("Line")
    if not wanted.get("DepositToAccountRef"):
        raise refusals.missing("DepositToAccountRef")
    account = company.ref("Account", wanted["DepositToAccountRef"])
    if company.records["Account"][account["value"]].body["AccountType"] != "Bank":
        raise refusals.business("a deposit goes to a bank account")
    lines = [_linked_line(company, line, old) if line.get("LinkedTxn") else _other_line(company, line) for line in wanted["Line"]]
    # Only lines of their own are numbered; those that link carry the link alone.
    for number, line in enumerate((line for line in lines if "LinkedTxn" not in line), 1):
        line |= {"Id": str(number), "LineNum": number}
    total = sum((line["Amount"] for line in lines), _NOTHING)
    if total < 0:
        raise refusals.business("a deposit comes to zero or more")
    body = {"TxnDate": company.today().isoformat(), **wanted, "DepositToAccountRef": account, "Line": lines, "TotalAmt": money(total)}
    return body | {"CurrencyRef": company.currency_ref(company.terms.currency)}


def _linked_line(company: Company, line: Json, old: Record | None) -> Json:
    linked = line["LinkedTxn"][0]
    kind, txn_id = str(linked.get("TxnType")), str(linked.get("TxnId"))
    if kind not in _WAITING:
        raise refusals.business(f"a deposit does not link to a {kind}")
    record = company.find(kind, txn_id)
    if record.body["DepositToAccountRef"]["value"] != books.UNDEPOSITED:
        raise refusals.business(f"{kind} {txn_id} is not in undeposited funds")
    if company.deposited.get(txn_id) not in (None, old.id if old else None):
        raise refusals.deposited(kind)
    amount = record.body["TotalAmt"] * _WAITING[kind]
    if line.get("Amount") not in (None, amount):
        raise refusals.business(f"{kind} {txn_id} goes to the bank whole, as {amount}")
    return {"Amount": money(amount), "LinkedTxn": [{"TxnId": txn_id, "TxnType": kind, "TxnLineId": "0"}]}


def _other_line(company: Company, line: Json) -> Json:
    amount = line.get("Amount")
    detail = line.get("DepositLineDetail") or {}
    if not isinstance(amount, Decimal) or not detail.get("AccountRef"):
        raise refusals.missing("Line.Amount" if detail.get("AccountRef") else "Line.DepositLineDetail.AccountRef")
    told = {**detail, "AccountRef": company.ref("Account", detail["AccountRef"])}
    kept: Json = {"Description": line["Description"]} if line.get("Description") else {}
    return {**kept, "Amount": money(amount), "DetailType": "DepositLineDetail", "DepositLineDetail": told}


def settle(company: Company, deposit_id: str, before: Json, after: Json) -> None:
    """After a deposit was stored or removed: what it took to the bank says so, and what it no longer takes is free again."""
    was, now = _taken(before), _taken(after)
    for txn_id, kind in {**was, **now}.items():
        if (txn_id in was) == (txn_id in now):
            continue
        record = company.records[kind][txn_id]
        linked = []
        if txn_id in now:
            company.deposited[txn_id] = deposit_id
            linked = [{"TxnId": deposit_id, "TxnType": "Deposit"}]
        else:
            company.deposited.pop(txn_id, None)
        company.put(kind, {**record.body, "LinkedTxn": linked}, record)


def _taken(body: Json) -> dict[str, str]:
    return {link["TxnId"]: link["TxnType"] for line in body.get("Line", []) for link in line.get("LinkedTxn", [])}


def journal(company: Company, wanted: Json, old: Record | None) -> Json:
    """The next state of a journal entry. Raises Refused."""
    if len(wanted.get("Line") or []) < 2:
        raise refusals.business("a journal entry has two lines or more")
    lines = [_posting(company, line, number) for number, line in enumerate(wanted["Line"])]
    balance = sum((line["Amount"] * (1 if line["JournalEntryLineDetail"]["PostingType"] == "Debit" else -1) for line in lines), _NOTHING)
    if balance:
        raise refusals.business(f"debits and credits differ by {balance}")
    number = wanted.get("DocNumber") or (old.body.get("DocNumber") if old else "") or str(len(company.records["JournalEntry"]) + 1)
    body = {"Adjustment": False, "TxnDate": company.today().isoformat(), **wanted, "DocNumber": number, "Line": lines}
    return body | {"CurrencyRef": company.currency_ref(company.terms.currency), "TotalAmt": _NOTHING}


def _posting(company: Company, line: Json, number: int) -> Json:
    amount, detail = line.get("Amount"), line.get("JournalEntryLineDetail") or {}
    if not isinstance(amount, Decimal) or not detail.get("PostingType") or not detail.get("AccountRef"):
        raise refusals.missing("Line.JournalEntryLineDetail")
    if amount < 0:
        raise refusals.business("the amount of a posting is zero or more; its side says which way it goes")
    account = company.ref("Account", detail["AccountRef"])
    told: Json = {"PostingType": detail["PostingType"]}
    party = detail.get("Entity") or {}
    if party.get("EntityRef"):
        kind = "Vendor" if party.get("Type") == "Vendor" else "Customer"
        told["Entity"] = {"Type": kind, "EntityRef": company.ref(kind, party["EntityRef"])}
    elif account["value"] == books.RECEIVABLE:
        raise refusals.business("a posting to accounts receivable names its customer")
    told["AccountRef"] = account
    kept: Json = {"Description": line["Description"]} if line.get("Description") else {}
    return {"Id": str(number), **kept, "Amount": money(amount), "DetailType": "JournalEntryLineDetail", "JournalEntryLineDetail": told}
