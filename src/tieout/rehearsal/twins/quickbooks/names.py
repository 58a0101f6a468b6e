"""Customers and the plain lists: names that exist once, sub-customers under their parents, inactive as good as deleted."""

from __future__ import annotations

from decimal import Decimal

from tieout.rehearsal.twins.quickbooks import books, refusals, seeds
from tieout.rehearsal.twins.quickbooks.books import Company, Record
from tieout.rehearsal.twins.quickbooks.refusals import Json
from tieout.rehearsal.twins.quickbooks.shapes import SHAPES

#: Put behind the name of a record that was made inactive, so that the name is free again.
DELETED = " (deleted)"
#: How deep customers may be nested below the topmost.
_DEEPEST = 4
_PEOPLE = ("Customer", "Vendor")


def person(company: Company, entity: str, wanted: Json, old: Record | None) -> Json:
    """The next state of a customer or vendor. Raises Refused."""
    wanted = _named(wanted, old)
    name = wanted["DisplayName"]
    if any(sign in name for sign in ":\t\n"):
        raise refusals.business("a display name holds no colon, tab or line break")
    for kind in _PEOPLE:
        _alone(company, kind, "DisplayName", name, old if kind == entity else None)
    currency = (wanted.get("CurrencyRef") or {}).get("value") or company.terms.currency
    if currency != company.terms.currency and currency not in company.terms.rates:
        raise refusals.invalid_reference("Currency", currency)
    if old and currency != old.body["CurrencyRef"]["value"]:
        raise refusals.business("the currency of a customer or vendor does not change")
    body = {**wanted, "CurrencyRef": company.currency_ref(currency), "PrintOnCheckName": wanted.get("PrintOnCheckName") or name}
    if entity == "Vendor":
        return {"Vendor1099": False, **body, "Balance": Decimal(0)}
    body = {"Taxable": True, "PreferredDeliveryMethod": "Print", "BillWithParent": False, **body}
    if body["Taxable"]:
        body.setdefault("DefaultTaxCodeRef", {"value": seeds.STANDARD})
    if "SalesTermRef" in body:
        body["SalesTermRef"] = company.ref("Term", body["SalesTermRef"])
    return {**body, **_placed(company, body, old)}


def _named(wanted: Json, old: Record | None) -> Json:
    parts = [wanted[part] for part in ("Title", "GivenName", "MiddleName", "FamilyName", "Suffix") if wanted.get(part)]
    name = wanted.get("DisplayName") or " ".join(parts) or wanted.get("CompanyName") or ""
    if not name:
        raise refusals.missing("DisplayName")
    active = wanted.get("Active", True)
    was_active = old is None or old.body["Active"]
    if not active and was_active and not name.endswith(DELETED):
        name += DELETED
    if active and not was_active:
        name = name.removesuffix(DELETED)
    return {**wanted, "DisplayName": name, "Active": active}


def _placed(company: Company, body: Json, old: Record | None) -> Json:
    """Where a customer stands in the tree."""
    parent = body.get("ParentRef")
    if not parent:
        if body.get("Job"):
            raise refusals.missing("ParentRef")
        return {"Job": False, "FullyQualifiedName": body["DisplayName"]}
    ref = company.ref("Customer", parent)
    above = company.records["Customer"][ref["value"]]
    if old and _within(company, ref["value"], old.id):
        raise refusals.business("a customer cannot stand below itself")
    if above.body.get("Level", 0) >= _DEEPEST:
        raise refusals.business(f"customers are nested at most {_DEEPEST} deep")
    if above.body["CurrencyRef"] != body["CurrencyRef"]:
        raise refusals.business("a sub-customer has the currency of its parent")
    return _beneath(above, body)


def _beneath(above: Record, body: Json) -> Json:
    full = f"{above.body['FullyQualifiedName']}:{body['DisplayName']}"
    return {"Job": True, "ParentRef": {"value": above.id}, "Level": above.body.get("Level", 0) + 1, "FullyQualifiedName": full}


def _within(company: Company, customer: str, top: str) -> bool:
    while customer:
        if customer == top:
            return True
        customer = (company.records["Customer"][customer].body.get("ParentRef") or {}).get("value", "")
    return False


def settle(company: Company, record: Record, before: Json) -> None:
    """After a customer was stored: its place in the tree, and its name wherever it is written."""
    was = (before.get("ParentRef") or {}).get("value")
    parent = (record.body.get("ParentRef") or {}).get("value")
    if was != parent:
        if was:
            company.children[was].discard(record.id)
        if parent:
            company.children[parent].add(record.id)
    if not before or before["FullyQualifiedName"] == record.body["FullyQualifiedName"]:
        return
    company.redirect(record.id, company.ref("Customer", {"value": record.id}, active=False))
    for child in sorted(company.children.get(record.id, ()), key=int):
        below = company.records["Customer"][child]
        was_below = below.body
        below.body = {**was_below, **_beneath(record, was_below)}
        settle(company, below, was_below)


def plain(company: Company, entity: str, wanted: Json, old: Record | None) -> Json:
    """The next state of an entry of a plain list. Raises Refused."""
    name = wanted.get("Name")
    if not name:
        raise refusals.missing("Name")
    _alone(company, entity, "Name", name, old)
    body = {"Active": True, **wanted}
    if "FullyQualifiedName" in SHAPES[entity].properties:
        body["FullyQualifiedName"] = name
    if entity == "Item":
        body.setdefault("Type", "Service")
        body["IncomeAccountRef"] = company.ref("Account", body.get("IncomeAccountRef") or {"value": books.SALES_INCOME})
    if entity == "Account":
        if not body.get("AccountType"):
            raise refusals.missing("AccountType")
        body |= {"CurrentBalance": Decimal(0), "CurrentBalanceWithSubAccounts": Decimal(0)}
        body["CurrencyRef"] = company.currency_ref(company.terms.currency)
    return body


def _alone(company: Company, entity: str, key: str, name: str, old: Record | None) -> None:
    for record in company.records[entity].values():
        if record is not old and record.body[key].lower() == name.lower():
            raise refusals.duplicate_name(name)


def merge(company: Company, loser: Record, survivor: Record, *, touch: bool) -> None:
    """Everything of the loser becomes the survivor's, and the loser is gone, leaving its tombstone.

    QuickBooks moves transactions without a new time of change; with `touch` they get one.
    """
    if loser is survivor or _within(company, survivor.id, loser.id) or loser.body["CurrencyRef"] != survivor.body["CurrencyRef"]:
        raise refusals.business("two customers of one currency are merged, neither below the other")
    company.redirect(loser.id, company.ref("Customer", {"value": survivor.id}), touch=touch)
    company.owed[survivor.id] += company.owed.pop(loser.id, Decimal(0))
    for child in sorted(company.children.get(loser.id, ()), key=int):
        below = company.records["Customer"][child]
        before = below.body
        below.body = {**before, **_beneath(survivor, before)}
        settle(company, below, before)
    if parent := (loser.body.get("ParentRef") or {}).get("value"):
        company.children[parent].discard(loser.id)
    company.touch(survivor)
    company.drop(loser, news="merged", about=survivor.id, particulars={"deletedid": loser.id})
