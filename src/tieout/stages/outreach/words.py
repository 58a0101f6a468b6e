"""The facts a wording may name, and the words they become: strings only, in the letter's language."""

from __future__ import annotations

from typing import Any

import msgspec

from tieout.core.party import tidy
from tieout.stages.outreach import figures
from tieout.stages.outreach.said import Said, SaidItem

#: Every fact a wording may name, with what a reader of the editor is told about it.
FACTS: dict[str, str] = {
    "customer_name": "the customer",
    "recipient_name": "the contact's name, or the customer where none is known",
    "sender_name": "who sends",
    "sender_block": "who sends, with the address to answer to",
    "today": "the day of the letter",
    "count": "how many invoices the letter names",
    "first_number": "the number of the first invoice",
    "items": "the invoices: number, issued, due, late, amount, paid, open, disputed, demanded; what does not apply is empty",
    "total": "what is asked for, one sum per currency",
    "statement": "the name of the attached statement, empty where none is",
    "opt_out_url": "the link that ends these mails",
}
#: Without these no letter leaves: what it asks for, who asks, and how to end it.
REQUIRED = ("items", "sender_block", "opt_out_url")


class Sender(msgspec.Struct, frozen=True):
    """Who writes: the name readers see and the address they answer to."""

    name: str
    address: str


def of(said: Said, *, sender: Sender, opt_out_url: str, statement: str) -> dict[str, Any]:
    """The words of a letter's facts."""
    language = said.language
    name = tidy(sender.name)
    return {
        "customer_name": said.customer,
        "recipient_name": said.recipient or said.customer,
        "sender_name": name,
        "sender_block": f"{name}\n{sender.address}",
        "today": figures.day(said.as_of, language),
        "count": str(len(said.items)),
        "first_number": said.items[0].number if said.items else "",
        "items": [_item(one, language) for one in said.items],
        "total": figures.joined([figures.money(minor, code, language) for code, minor in said.totals.items()], language),
        "statement": statement,
        "opt_out_url": opt_out_url,
    }


def _item(one: SaidItem, language: str) -> dict[str, str]:
    def shown(minor: int) -> str:
        return figures.money(minor, one.currency, language) if minor > 0 else ""

    return {
        "number": one.number,
        "issued": figures.day(one.issue_date, language) if one.issue_date else "",
        "due": figures.day(one.due_date, language) if one.due_date else "",
        "late": figures.late(one.days_late, language) if one.days_late > 0 else "",
        "amount": shown(one.amount_minor),
        "paid": shown(one.paid_minor),
        "open": shown(one.open_minor),
        "disputed": shown(one.disputed_minor),
        "demanded": shown(one.demanded_minor),
    }
