"""What we ask Stripe to do. Each POST carries the command's own key as Stripe's Idempotency-Key, so asking again does nothing twice;
the key also stands in the object's metadata, by which our own echo is known after the 24 hours Stripe remembers keys."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from tieout.adapters.connectors.stripe import client
from tieout.adapters.connectors.stripe.translate import units
from tieout.adapters.ports.connector import Command, Raw, Receipt, Ref
from tieout.adapters.ports.errors import BadRecord, TryLater, Unsupported
from tieout.adapters.ports.http import Http
from tieout.core.money import Money

#: Where an object of ours says which command made it.
KEY = "tieout_key"


def run(http: Http, command: Command) -> Receipt:
    """Do what a command says. Raises BadRecord where Stripe refuses, Unsupported for an act it has no word for."""
    act = _ACTS.get(command.act)
    if act is None:
        raise Unsupported(f"Stripe cannot take {command.act!r}")
    return act(http, command)


def _customer(http: Http, command: Command) -> Receipt:
    body = command.body
    form = [("name", body["name"]), (f"metadata[{KEY}]", command.key)]
    form += [(field, str(body[field])) for field in ("email", "phone") if body.get(field)]
    form += [(f"address[{field}]", str(body[field])) for field in ("country", "city") if body.get(field)]
    return _posted(http, "/v1/customers", form, command, "customers")


#: What can be changed of a customer.
CHANGES = ("name", "email", "phone", "country", "city")
_ADDRESS = ("line1", "line2", "city", "state", "postal_code", "country")


def _update_customer(http: Http, command: Command) -> Receipt:
    """One field of a customer; the others stay as they are. Stripe takes an address whole, or its other lines would go."""
    field, value = str(command.body["field"]), str(command.body["value"])
    if field not in CHANGES:
        raise Unsupported(f"Stripe takes no change of a customer's {field} from here")
    ref = Ref("customers", str(command.body["customer"]))
    standing = next(iter(client.reread(http, refs=[ref])))
    if standing.gone:
        raise BadRecord(f"customer {ref.id} is not in Stripe any more", field="customer")
    now: Mapping[str, Any] = msgspec.json.decode(standing.body, type=dict[str, Any])
    lines = {name: (now.get("address") or {}).get(name) or "" for name in _ADDRESS}
    if (lines.get(field, "") if field in _ADDRESS else now.get(field) or "") == value:
        return Receipt(raw=standing, found=True)
    wanted = {f"address[{name}]": line for name, line in {**lines, field: value}.items()} if field in _ADDRESS else {field: value}
    # The same field may be told another value under the same command later; Stripe's key stands for one body.
    part = hashlib.sha256(repr(sorted(wanted.items())).encode()).hexdigest()[:16]
    said = _posted(http, f"/v1/customers/{ref.id}", list(wanted.items()), command, "customers", part=part)
    # Read once more: the answer to a change leaves out what a reading has of it.
    return msgspec.structs.replace(said, raw=next(iter(client.reread(http, refs=[ref]))))


def _invoice(http: Http, command: Command) -> Receipt:
    """A draft: a person in Stripe looks at it and sends it. Three calls, each with a key of its own, so it can be taken up half-way."""
    body, currency = command.body, str(command.body["currency"])
    form = [("customer", body["customer"]), ("currency", currency.lower()), ("collection_method", "send_invoice"), ("auto_advance", "false")]
    form += [(f"metadata[{KEY}]", command.key)]
    if body.get("due_date"):
        due = dt.datetime.combine(dt.date.fromisoformat(body["due_date"]), dt.time(23, 59, 59), dt.UTC)
        form.append(("due_date", str(int(due.timestamp()))))
    else:
        form.append(("days_until_due", str(body.get("days_until_due") or 30)))
    if body.get("memo"):
        form.append(("description", body["memo"]))
    made = _posted(http, "/v1/invoices", form, command, "invoices", part="draft")
    lines: list[tuple[str, str]] = []
    for number, line in enumerate(body["lines"]):
        lines.append((f"lines[{number}][amount]", str(units(Money(int(line["amount_minor"]), currency)))))
        lines.append((f"lines[{number}][description]", str(line["description"])[:500] or "-"))
    return _posted(http, f"/v1/invoices/{made.raw.id}/add_lines", lines, command, "invoices", part="lines")


def _payment(http: Http, command: Command) -> Receipt:
    """Money that came in elsewhere: Stripe takes it as paid out of band, and only for all that remains of an invoice."""
    applied = command.body["applied"]
    if len(applied) != 1:
        raise Unsupported("Stripe takes money from elsewhere for one invoice at a time")
    (one,) = applied
    now = client.reread(http, refs=[Ref("invoices", str(one["document"]))])
    invoice = msgspec.json.decode(next(iter(now)).body)
    if invoice.get("status") == "paid":
        raise BadRecord(f"invoice {invoice.get('number')} is paid in Stripe already")
    if invoice.get("amount_remaining") != units(Money(int(one["amount_minor"]), str(command.body["currency"]))):
        raise Unsupported("Stripe takes money from elsewhere only for all that remains of an invoice, and this is another amount")
    form = [("paid_out_of_band", "true")]
    return _posted(http, f"/v1/invoices/{one['document']}/pay", form, command, "invoices")


def _void(http: Http, command: Command) -> Receipt:
    return _posted(http, f"/v1/invoices/{command.body['document']}/void", [], command, "invoices")


def _posted(http: Http, path: str, form: list[tuple[str, str]], command: Command, stream: str, *, part: str = "") -> Receipt:
    key = f"{command.key}:{part}" if part else command.key
    answer = http.send("POST", path, form=form, headers={"Idempotency-Key": key}, repeatable=True)
    if answer.status == 409:
        raise TryLater(f"Stripe is still working on {path}")
    if answer.status >= 400:
        raise BadRecord(f"Stripe refuses: {client.said(answer)}")
    body: Mapping[str, Any] = answer.json()
    found = answer.headers.get("idempotent-replayed") == "true"
    return Receipt(raw=Raw(stream=stream, id=str(body["id"]), body=answer.content), found=found, said=answer.headers.get("request-id", ""))


#: An invoice of ours is a draft in any case; `draft` is one that nobody has raised anywhere yet.
_ACTS: Mapping[str, Callable[[Http, Command], Receipt]] = {
    "customer": _customer, "invoice": _invoice, "draft": _invoice, "payment": _payment, "void": _void,
    "update_customer": _update_customer,
}  # fmt: skip
ACTS = tuple(_ACTS)
