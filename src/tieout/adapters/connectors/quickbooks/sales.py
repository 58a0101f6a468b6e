"""Invoices and credit memos written there, changed and voided. Which item and which tax a line goes to is what a person has mapped;
what nobody has mapped is refused, never guessed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from tieout.adapters.connectors.quickbooks import client, faults, marks, posting
from tieout.adapters.ports.choices import pairs
from tieout.adapters.ports.connector import Command, Raw, Receipt
from tieout.adapters.ports.errors import BadRecord
from tieout.adapters.ports.http import Http
from tieout.core import party
from tieout.core.money import Money

Settings = Mapping[str, Any]
Json = dict[str, Any]
#: How many decimals a price has at most, and how long a quantity is that is still told.
_PRICE_PLACES, _LONGEST_QUANTITY = 7, 7
_LONGEST_LINE = 4_000
#: What can be changed of an invoice, by our word and QuickBooks'.
_CHANGEABLE: Mapping[str, str] = {"due_date": "DueDate", "issue_date": "TxnDate", "number": "DocNumber", "memo": "PrivateNote"}


def invoice(http: Http, settings: Settings, command: Command) -> Receipt:
    """A new invoice with its lines, or the one we made before."""
    return _form(http, settings, command, client.INVOICES)


def find_invoice(http: Http, settings: Settings, command: Command) -> Receipt | None:
    """The invoice we made, by its number and our mark."""
    return posting.ours(_numbered(http, settings, client.INVOICES, _number(command.body)), command)


def credit_memo(http: Http, settings: Settings, command: Command) -> Receipt:
    """A new credit memo, applied to nothing yet, or the one we made before."""
    return _form(http, settings, command, client.CREDIT_MEMOS)


def find_credit_memo(http: Http, settings: Settings, command: Command) -> Receipt | None:
    """The credit memo we made, by its number and our mark."""
    return posting.ours(_numbered(http, settings, client.CREDIT_MEMOS, _number(command.body)), command)


def request(settings: Settings, command: Command, stream: str) -> Json:
    """The form as it would be written. Raises BadRecord. Pure."""
    return _wanted(command, settings, stream)[0]


def _form(http: Http, settings: Settings, command: Command, stream: str) -> Receipt:
    number = _number(command.body)
    wanted, total = _wanted(command, settings, stream)
    namesakes = _numbered(http, settings, stream, number)
    found = posting.ours(namesakes, command)
    if found is not None:
        return found
    if any(not _is_void(raw) for raw in namesakes):
        raise BadRecord(f"QuickBooks has {number} already, made by somebody else; say whether they are the same", field="number")
    try:
        return posting.make_for(http, settings, stream, wanted, command, total)
    except faults.NameTaken:
        found = posting.ours(_numbered(http, settings, stream, number), command)
        if found is None:
            raise BadRecord(f"the number {number} is taken in QuickBooks by another transaction", field="number") from None
        return found


def _numbered(http: Http, settings: Settings, stream: str, number: str) -> tuple[Raw, ...]:
    return client.ask(http, settings, stream, f"DocNumber = {client.text(number)}", priority="write").raws


def _number(body: Mapping[str, Any]) -> str:
    number = party.tidy(str(body["number"]))
    if not number or len(number) > posting.LONGEST_NUMBER:
        raise BadRecord(f"a number in QuickBooks has 1 to {posting.LONGEST_NUMBER} characters; a cut one would be another number", field="number")
    return number


def _wanted(command: Command, settings: Settings, stream: str) -> tuple[Json, Money]:
    """The form as QuickBooks takes it, and what it must come to."""
    body = command.body
    fields, total = _lined(body, settings)
    wanted: Json = {
        "CustomerRef": posting.ref(body["customer"]), "CurrencyRef": posting.ref(total.currency), "DocNumber": _number(body), **fields,
        "PrivateNote": marks.mark(command.key, str(body.get("memo") or "")),
    }  # fmt: skip
    if issued := posting.day(body, "issue_date"):
        wanted["TxnDate"] = issued
    if stream == client.INVOICES and (due := posting.day(body, "due_date")):
        wanted["DueDate"] = due
    return wanted, total


def _lined(body: Mapping[str, Any], settings: Settings) -> tuple[Json, Money]:
    """Lines and tax of a form, and what it must come to."""
    code = posting.currency(body)
    tax = posting.minor(body, "tax_minor") if body.get("tax_minor") is not None else 0
    lines = [_line(line, code, taxed=tax > 0, settings=settings) for line in posting.parts(body, "lines")]
    total = Money(sum(posting.minor(line, "amount_minor") for line in posting.parts(body, "lines")) + tax, code)
    if body.get("amount_minor") is not None and posting.minor(body, "amount_minor") != total.minor:
        raise BadRecord(f"the lines and the tax come to {total}, not to {Money(posting.minor(body, 'amount_minor'), code)}", field="lines")
    if total.minor < 0:
        raise BadRecord(f"a sales form in QuickBooks comes to zero or more, this one to {total}", field="lines")
    wanted: Json = {"Line": lines}
    if tax > 0:
        wanted["TxnTaxDetail"] = {"TotalTax": Money(tax, code).decimal()}
        if settings.get("tax_rate_code"):
            wanted["TxnTaxDetail"]["TxnTaxCodeRef"] = posting.ref(settings["tax_rate_code"])
    if tax < 0:
        # Lines that come to more than the document are lowered by a discount on the whole.
        lines.append({"Amount": Money(-tax, code).decimal(), "DetailType": "DiscountLineDetail", "DiscountLineDetail": {"PercentBased": False}})
    return wanted, total


def _line(line: Mapping[str, Any], code: str, *, taxed: bool, settings: Settings) -> Json:
    amount = Money(posting.minor(line, "amount_minor"), code).decimal()
    detail: Json = {"ItemRef": _item(str(line.get("item") or ""), settings)}
    if line.get("tax_code"):
        detail["TaxCodeRef"] = posting.mapped(settings, "tax_codes", str(line["tax_code"]), "the tax code")
    elif taxed:
        detail["TaxCodeRef"] = posting.account_of(settings, "tax_code", "the tax on it")
    elif settings.get("no_tax_code"):
        detail["TaxCodeRef"] = posting.ref(settings["no_tax_code"])
    detail |= _priced(str(line.get("quantity") or ""), amount)
    text = str(line.get("description") or "")[:_LONGEST_LINE]
    return {"DetailType": "SalesItemLineDetail", "Amount": amount, "SalesItemLineDetail": detail, **({"Description": text} if text else {})}


def _item(name: str, settings: Settings) -> Json:
    """Where a line goes: what is said of its item, else what is said of all that are not listed."""
    if not name or (settings.get("item") and name.casefold() not in {key.casefold() for key in pairs(settings.get("items"))}):
        return posting.account_of(settings, "item", "the item")
    return posting.mapped(settings, "items", name, "the item")


def _priced(quantity: str, amount: Decimal) -> Json:
    """Quantity and price, where they make exactly the amount: QuickBooks refuses what does not (6070)."""
    if not quantity.replace(".", "", 1).isdigit() or not quantity.isascii() or len(quantity) > _LONGEST_QUANTITY:
        return {}
    count = Decimal(quantity)
    if not count or not amount:
        return {}
    price = (amount / count).quantize(Decimal(1).scaleb(-_PRICE_PLACES)).normalize()
    return {"Qty": count, "UnitPrice": Decimal(f"{price:f}")} if price * count == amount else {}


# What stands there already


def void(http: Http, settings: Settings, command: Command) -> Receipt:
    """An invoice without its amounts; money and credits on it are free again."""
    return _changed(http, settings, command, _voiding)


def find_void(http: Http, settings: Settings, command: Command) -> Receipt | None:
    """Whether the invoice is void."""
    return _found(http, settings, command, _voiding)


def update(http: Http, settings: Settings, command: Command) -> Receipt:
    """Dates, number, note and lines of an invoice, each where it is said."""
    return _changed(http, settings, command, _updating(settings))


def find_update(http: Http, settings: Settings, command: Command) -> Receipt | None:
    """Whether the invoice says all that already."""
    return _found(http, settings, command, _updating(settings))


#: What is still to be sent of an invoice, and the operation it is sent for.
Todo = tuple[Json, str | None]
#: What is still to be done to an invoice; None where it stands as it should.
Doing = Callable[[Raw, Command], Todo | None]


def _changed(http: Http, settings: Settings, command: Command, doing: Doing) -> Receipt:
    """Do to an invoice what is to be done. Somebody else's save in between is met by reading it once more."""
    raw = _standing(http, settings, command)
    todo = doing(raw, command)
    if todo is None:
        return Receipt(raw=raw, found=True)
    try:
        said = _saved(http, settings, command, raw, todo)
    except faults.Stale:
        raw = _standing(http, settings, command)
        todo = doing(raw, command)
        said = _saved(http, settings, command, raw, todo) if todo else ""
    raw = _standing(http, settings, command)
    if doing(raw, command) is not None:
        raise BadRecord(f"QuickBooks took {command.act} of invoice {raw.id} and did not do it; are its books closed for that time?")
    return Receipt(raw=raw, said=said)


def _saved(http: Http, settings: Settings, command: Command, raw: Raw, todo: Todo) -> str:
    body, operation = todo
    name = marks.request_id(command.key, raw.version)
    wanted = {"Id": raw.id, "SyncToken": raw.version, **body}
    return posting.post(http, settings, client.INVOICES, wanted, request_id=name, operation=operation).headers.get("intuit_tid", "")


def _found(http: Http, settings: Settings, command: Command, doing: Doing) -> Receipt | None:
    raw = client.one(http, settings, client.INVOICES, str(command.body["document"]), priority="write")
    return None if raw.gone or doing(raw, command) is not None else Receipt(raw=raw, found=True)


def _standing(http: Http, settings: Settings, command: Command) -> Raw:
    raw = client.one(http, settings, client.INVOICES, str(command.body["document"]), priority="write")
    if raw.gone:
        raise BadRecord(f"invoice {raw.id} is not in QuickBooks any more", field="document")
    return raw


def _voiding(raw: Raw, _: Command) -> Todo | None:
    return None if _is_void(raw) else ({}, "void")


def _is_void(raw: Raw) -> bool:
    head = client.head_of(raw.body)
    return head.total_amt == 0 and client.is_void(head.private_note)


#: What says the lines of a form; they change together or not at all.
_OF_LINES = frozenset(("lines", "currency", "amount_minor", "tax_minor"))


def _updating(settings: Settings) -> Doing:
    return lambda raw, command: _update(raw, command, settings)


def _update(raw: Raw, command: Command, settings: Settings) -> Todo | None:
    body = {name: value for name, value in command.body.items() if name != "document"}
    strange = next((name for name in body if name not in _CHANGEABLE and name not in _OF_LINES), None)
    if strange is not None:
        raise BadRecord(f"{strange} of an invoice in QuickBooks is not changed from here; it can be: {', '.join(_CHANGEABLE)}", field=strange)
    now = msgspec.json.decode(raw.body, type=dict[str, Any])
    wanted = {
        "due_date": posting.day(body, "due_date"), "issue_date": posting.day(body, "issue_date"),
        "number": _number(body) if body.get("number") else None,
        "memo": _noted(str(body["memo"]), now) if body.get("memo") is not None else None,
    }  # fmt: skip
    todo = {_CHANGEABLE[name]: value for name, value in wanted.items() if value is not None and value != (now.get(_CHANGEABLE[name]) or "")}
    if body.get("lines"):
        todo |= _relined(now, body, settings)
    return ({"sparse": True, **todo}, None) if todo else None


def _relined(now: Mapping[str, Any], body: Mapping[str, Any], settings: Settings) -> Json:
    """The lines anew, where amounts, words or the sum differ from what stands there."""
    fields, total = _lined(body, settings)
    told = [(str(line.get("Description") or ""), Decimal(str(line["Amount"]))) for line in fields["Line"]]
    there = [
        (str(line.get("Description") or ""), Decimal(str(line.get("Amount") or 0)))
        for line in now.get("Line") or () if line.get("DetailType") != "SubTotalLineDetail"
    ]  # fmt: skip
    return {} if told == there and Decimal(str(now.get("TotalAmt"))) == total.decimal() else fields


def _noted(memo: str, now: Mapping[str, Any]) -> str:
    """A new note; the mark of whoever made the invoice stays in it."""
    return f"{memo[: marks.LONGEST_MEMO].strip()} {marks.kept(now.get('PrivateNote'))}".strip()
