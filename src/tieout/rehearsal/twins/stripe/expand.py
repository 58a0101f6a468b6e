"""`expand[]`: an id in the answer becomes the object itself, and what is left out until asked for comes in."""

from __future__ import annotations

from typing import Any

from tieout.rehearsal.twins.stripe import refusals
from tieout.rehearsal.twins.stripe.books import Books
from tieout.rehearsal.twins.stripe.shapes.common import plain

_DEEPEST = 4
#: Fields that hold an id, or null where there is nothing.
_LINKS = frozenset(
    """balance_transaction charge credit_note customer customer_balance_transaction invoice latest_charge payment_intent payment_record refund
    source""".split()
)
#: There already; asking for it changes nothing.
_SHOWN = frozenset({"amount_paid_off_stripe"})


def expanded(books: Books, answer: Any, paths: list[str]) -> Any:
    """The answer as plain values with these paths expanded. Raises Refused."""
    body = plain(answer)
    for path in paths:
        steps = path.split(".")
        if len(steps) > _DEEPEST:
            raise refusals.invalid("expand", f"You cannot expand more than {_DEEPEST} levels of a property ({path})")
        _into(books, body, steps, path)
    return body


def _into(books: Books, node: Any, steps: list[str], path: str) -> None:
    if isinstance(node, list):
        for each in node:
            _into(books, each, steps, path)
        return
    if not isinstance(node, dict):
        return
    name, *deeper = steps
    if deeper and name == "data" and node.get("object") == "list":
        _into(books, node["data"], deeper, path)
        return
    if name in _LINKS and name not in node and "object" not in node:
        return  # a part of several kinds: what an invoice was paid with is an intent here and a record there
    if name not in _SHOWN:
        node[name] = _found(books, node, name, path)
    if deeper:
        _into(books, node[name], deeper, path)


def _found(books: Books, node: dict[str, Any], name: str, path: str) -> Any:
    kind, identity = node.get("object"), node.get("id", "")
    if name == "payments" and kind == "invoice":
        paid = [plain(payment) for payment in books.invoice_payments.newest_first("invoice", identity)]
        return {"object": "list", "data": paid, "has_more": False, "url": f"/v1/invoice_payments?invoice={identity}"}
    if name == "tax_ids" and kind == "customer":
        numbers = [plain(number) for number in books.tax_ids.newest_first("customer", identity)]
        return {"object": "list", "data": numbers, "has_more": False, "url": f"/v1/customers/{identity}/tax_ids"}
    if name == "refunds" and kind == "charge":
        made = [plain(refund) for refund in books.refunds.newest_first("charge", identity)]
        return {"object": "list", "data": made, "has_more": False, "url": f"/v1/charges/{identity}/refunds"}
    value = node.get(name)
    if isinstance(value, (dict, list)):
        return value
    if name not in _LINKS or name not in node:
        raise refusals.not_expandable(path)
    if value is None:
        return None
    if value in books.gone_customers:
        return {"id": value, "object": "customer", "deleted": True}
    found = books.find(value)
    return value if found is None else plain(found)
