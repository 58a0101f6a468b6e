"""What we ask QuickBooks to do, and how it is known whether it happened.

Each request carries the command's key as `requestid`, so asking again does nothing twice; how long QuickBooks remembers is not said,
so what may have been made is looked for first, by a number or a day, and known by the key in its note. An answer may be that of an
earlier request and what it made gone by now, so the object is always read afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from tieout.adapters.connectors.quickbooks import cash, debtors, sales
from tieout.adapters.ports.connector import Command, Receipt
from tieout.adapters.ports.errors import BadRecord, Unsupported
from tieout.adapters.ports.http import Http

Act = Callable[[Http, Mapping[str, Any], Command], Receipt]
Look = Callable[[Http, Mapping[str, Any], Command], Receipt | None]


class Doing(msgspec.Struct, frozen=True):
    """How an act is done, how it is looked for, and what its body must say."""

    do: Act
    look: Look
    needed: tuple[str, ...]


def run(http: Http, settings: Mapping[str, Any], command: Command) -> Receipt:
    """Do what a command says. Raises BadRecord where QuickBooks refuses or a mapping is missing, Unsupported for an act it has no
    word for."""
    return _doing(command).do(http, settings, command)


def find(http: Http, settings: Mapping[str, Any], command: Command) -> Receipt | None:
    """The effect of a command, where it happened already."""
    return _doing(command).look(http, settings, command)


def _doing(command: Command) -> Doing:
    if command.act not in _ACTS:
        raise Unsupported(f"QuickBooks cannot take {command.act!r}")
    doing = _ACTS[command.act]
    unsaid = next((name for name in doing.needed if command.body.get(name) in (None, "", [])), None)
    if unsaid is not None:
        raise BadRecord(f"{command.act} for QuickBooks needs its {unsaid}", field=unsaid)
    return doing


_FORM = ("customer", "number", "currency", "lines")
_MONEY = ("customer", "currency", "date")
_ACTS: Mapping[str, Doing] = {
    "customer": Doing(debtors.make, debtors.find, ("name",)),
    "invoice": Doing(sales.invoice, sales.find_invoice, _FORM),
    "credit_note": Doing(sales.credit_memo, sales.find_credit_memo, _FORM),
    "payment": Doing(cash.payment, cash.find_payment, (*_MONEY, "amount_minor")),
    "apply_credit": Doing(cash.apply_credit, cash.find_payment, (*_MONEY, "credit_note", "document", "amount_minor")),
    "refund": Doing(cash.refund, cash.find_refund, (*_MONEY, "amount_minor")),
    "payout": Doing(cash.payout, cash.find_payout, ("currency", "date")),
    "cancel_payout": Doing(cash.cancel_payout, cash.find_cancelled, ("deposit",)),
    "change_payment": Doing(cash.change_payment, cash.find_changed, ("payment", "currency", "amount_minor")),
    "void": Doing(sales.void, sales.find_void, ("document",)),
    "update_customer": Doing(debtors.change, debtors.find_change, ("customer", "field", "value")),
    "update_invoice": Doing(sales.update, sales.find_update, ("document",)),
}
ACTS = tuple(_ACTS)
