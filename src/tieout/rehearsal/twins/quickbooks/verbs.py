"""What can be done to a company's records: create, update, void, delete, send. Each raises Refused before it changes anything."""

from __future__ import annotations

from typing import Any

from tieout.rehearsal.twins.quickbooks import banking, names, payments, reading, refusals, sales
from tieout.rehearsal.twins.quickbooks.books import Company, Record
from tieout.rehearsal.twins.quickbooks.refusals import Json
from tieout.rehearsal.twins.quickbooks.shapes import SALES, SHAPES

_OPEN = ("Invoice", "CreditMemo")


def create(company: Company, entity: str, given: Json) -> Record:
    """A new record from the properties given."""
    _allowed(entity, "create")
    wanted = _said(_writable(entity, reading.clean(SHAPES[entity], given)))
    record = company.put(entity, _prepared(company, entity, wanted, None))
    _settle(company, record, {})
    return record


def update(company: Company, entity: str, given: Json) -> Record:
    """The record with the properties given; those not given are emptied, or left as they are where `sparse` says so."""
    _allowed(entity, "update")
    cleaned = reading.clean(SHAPES[entity], given)
    record = _current(company, entity, cleaned)
    wanted = _writable(entity, cleaned)
    if cleaned.get("sparse"):
        wanted = _laid_over(_writable(entity, record.body), wanted)
    body = _prepared(company, entity, _said(wanted), record)
    if entity in _OPEN and body["Balance"] < 0:
        payments.release(company, record, down_to=body["TotalAmt"])
        body = sales.with_balance(company, entity, body, record)
    before = record.body
    company.put(entity, body, record)
    _settle(company, record, before)
    return record


def void(company: Company, entity: str, given: Json) -> Record:
    """The record kept, its amounts gone, and what was paid with it or on it set free."""
    _allowed(entity, "void")
    return erase(company, _current(company, entity, reading.clean(SHAPES[entity], given)))


def erase(company: Company, record: Record) -> Record:
    """Void a record whatever the API allows: in the vendor's own pages a credit memo can be voided too."""
    entity = record.entity
    if record.id in company.deposited:
        raise refusals.deposited(entity)
    if entity in _OPEN:
        payments.release(company, record)
    before = record.body
    if entity == "Payment":
        company.put(entity, payments.voided(before), record, news="voided")
        payments.settle(company, record.id, before, record.body)
    else:
        company.put(entity, sales.with_balance(company, entity, sales.voided(before), record), record, news="voided")
    return record


def delete(company: Company, entity: str, given: Json) -> Json:
    """The record gone; queries know it no more, change data capture does."""
    _allowed(entity, "delete")
    record = _current(company, entity, reading.clean(SHAPES[entity], given))
    if record.id in company.deposited:
        raise refusals.deposited(entity)
    if entity in _OPEN:
        payments.release(company, record)
    company.drop(record)
    if entity == "Payment":
        payments.settle(company, record.id, record.body, {})
    if entity == "Deposit":
        banking.settle(company, record.id, record.body, {})
    return {"domain": "QBO", "status": "Deleted", "Id": record.id}


def send(company: Company, entity: str, record_id: str, to: str) -> Record:
    """The form e-mailed to its customer; only its state of sending changes."""
    _allowed(entity, "send")
    record = company.find(entity, record_id)
    address = to or (record.body.get("BillEmail") or {}).get("Address", "")
    if "@" not in address:
        raise refusals.business("there is no e-mail address to send this to")
    delivery = {"DeliveryType": "Email", "DeliveryTime": company.stamp(company.moment())}
    body = {**record.body, "EmailStatus": "EmailSent", "BillEmail": {"Address": address}, "DeliveryInfo": delivery}
    return company.put(entity, body, record, news="emailed")


def _allowed(entity: str, operation: str) -> None:
    if operation not in SHAPES[entity].may:
        raise refusals.unsupported(f"{operation} of {entity}")


def _current(company: Company, entity: str, cleaned: Json) -> Record:
    """The record that is meant, if the caller has seen its latest state."""
    for name in ("Id", "SyncToken"):
        if cleaned.get(name) in (None, ""):
            raise refusals.missing(name)
    record = company.find(entity, cleaned["Id"])
    if cleaned["SyncToken"] != record.body["SyncToken"]:
        raise refusals.stale(entity, cleaned["SyncToken"], record.body["SyncToken"])
    return record


def _writable(entity: str, body: Json) -> Json:
    out_of_reach = SHAPES[entity].computed
    return {name: value for name, value in body.items() if name not in out_of_reach}


def _laid_over(kept: Json, wanted: Json) -> Json:
    if "Line" in wanted and "TxnTaxDetail" in kept:
        # The tax of the old lines says nothing about the new ones.
        kept = {**kept, "TxnTaxDetail": {name: value for name, value in kept["TxnTaxDetail"].items() if name == "TxnTaxCodeRef"}}
    return {**kept, **wanted}


def _said(wanted: Json) -> Json:
    """Without what was left empty, at any depth."""
    return {name: _full(value) for name, value in wanted.items() if value not in (None, "", [], {})}


def _full(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _full(inner) for name, inner in value.items() if inner not in (None, "")}
    return [_full(each) for each in value] if isinstance(value, list) else value


def _prepared(company: Company, entity: str, wanted: Json, old: Record | None) -> Json:
    if entity in SALES:
        return sales.prepare(company, entity, wanted, old)
    if entity == "Payment":
        return payments.prepare(company, wanted, old)
    if entity == "Deposit":
        return banking.deposit(company, wanted, old)
    if entity == "JournalEntry":
        return banking.journal(company, wanted, old)
    if entity in ("Customer", "Vendor"):
        return names.person(company, entity, wanted, old)
    return names.plain(company, entity, wanted, old)


def _settle(company: Company, record: Record, before: Json) -> None:
    if record.entity == "Payment":
        payments.settle(company, record.id, before, record.body)
    elif record.entity == "Deposit":
        banking.settle(company, record.id, before, record.body)
    elif record.entity == "Customer":
        names.settle(company, record, before)
