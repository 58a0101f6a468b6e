"""What a person says once: where lines, tax, money and fees go in these books; and the lists of the company it is chosen from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from tieout.adapters.connectors.quickbooks import cash, client, sales, shapes
from tieout.adapters.ports.choices import Choice, Question
from tieout.adapters.ports.connector import Command
from tieout.adapters.ports.errors import NeedsPerson
from tieout.adapters.ports.http import Http

QUESTIONS = (
    Question(
        setting="tax_codes", title="Tax", of="tax_codes", per="tax_code", stands_as="TaxCodeRef",
        about="The tax code of each tax rate. A rate that is not listed is asked for before anything is written with it.",
    ),
    Question(
        setting="tax_code", title="Tax that names no rate", of="tax_codes",
        about="The code of taxed lines whose source does not say which rate it was.",
    ),
    Question(setting="no_tax_code", title="No tax", of="tax_codes", about="The code of lines without tax."),
    Question(
        setting="tax_rate_code", title="Rate of the whole document", of="tax_codes", stands_as="TxnTaxCodeRef",
        about="Only in the United States: the rate behind lines marked taxable.",
    ),
    Question(
        setting="items", title="Products", of="items", per="item", stands_as="ItemRef",
        about="The item, and with it the income account, that lines of each product go to.",
    ),
    Question(
        setting="item", title="Every other product", of="items", about="Lines of no product, or of one that is not listed. Without it they wait."
    ),
    Question(
        setting="deposit_account", title="Payments go to", of="money_accounts", stands_as="DepositToAccountRef",
        about="Where money received is put. Without it: undeposited funds.",
    ),
    Question(setting="bank_account", title="Payouts and refunds", of="money_accounts", about="The bank account payouts arrive in and refunds leave."),
    Question(setting="fee_account", title="Fees of payouts", of="expense_accounts", about="The expense account for what the gateway keeps back."),
)  # fmt: skip


class Listed(msgspec.Struct, rename="pascal"):
    id: str
    name: str
    fully_qualified_name: str | None = None
    description: str | None = None
    account_type: str | None = None
    type: str | None = None
    income_account_ref: shapes.Ref | None = None


def choices(http: Http, settings: Mapping[str, Any], what: str) -> tuple[Choice, ...]:
    """The active ones of a kind, by name."""
    asked = _LISTS.get(what)
    if asked is None:
        return ()
    entity, keep = asked
    statement = f"select * from {entity} where Active = true orderby Id startposition {{}} maxresults {client.PAGE}"
    found: list[Choice] = []
    for start in range(1, 10 * client.PAGE, client.PAGE):
        answer = client.inside(client.get(http, settings, "query", priority="check", query=statement.format(start)), "QueryResponse", dict[str, Any])
        listed = _typed(answer.get(entity, []), entity)
        found += [_choice(one) for one in listed if keep(one)]
        if len(listed) < client.PAGE:
            break
    return tuple(sorted(found, key=lambda one: one.name.casefold()))


def request(settings: Mapping[str, Any], command: Command) -> Mapping[str, Any]:
    """The body a command would be written with. Raises BadRecord."""
    if command.act in ("invoice", "credit_note"):
        return sales.request(settings, command, client.INVOICES if command.act == "invoice" else client.CREDIT_MEMOS)
    if command.act == "payment":
        return cash.request(settings, command)
    return command.body


def _typed(told: Any, entity: str) -> list[Listed]:
    try:
        return msgspec.convert(told, list[Listed])
    except msgspec.ValidationError as error:
        raise NeedsPerson(f"QuickBooks' list of {entity} is not as it describes it: {error}") from error


def _choice(one: Listed) -> Choice:
    income = one.income_account_ref.name if one.income_account_ref else ""
    described = one.description if one.description and one.description != one.name else ""
    return Choice(one.id, one.fully_qualified_name or one.name, income or one.account_type or described or "")


def _money(one: Listed) -> bool:
    return one.account_type in ("Bank", "Other Current Asset")


def _expense(one: Listed) -> bool:
    return one.account_type in ("Expense", "Other Expense", "Cost of Goods Sold")


def _sold(one: Listed) -> bool:
    return one.type not in ("Category", "Group")


_LISTS: Mapping[str, tuple[str, Callable[[Listed], bool]]] = {
    "items": ("Item", _sold), "tax_codes": ("TaxCode", lambda _: True), "money_accounts": ("Account", _money),
    "expense_accounts": ("Account", _expense),
}  # fmt: skip
