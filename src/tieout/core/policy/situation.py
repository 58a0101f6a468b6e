"""What a policy looks at (`Situation`) and what it answers (`Decision`): frozen values, gathered and stored by others.

Amounts are minor units with their currency beside; dates are business dates; a missing fact is None and counts
against contact, never for it.
"""

from __future__ import annotations

import datetime as dt
from functools import cached_property
from typing import Literal

import msgspec

from tieout.core.money import Money

#: Why contact waits, the weightiest first: with several holds the first one names the decision.
HOLD_REASONS = (
    "legal",
    "insolvency",
    "opt_out",
    "dispute",
    "promise",
    "plan",
    "reply_open",
    "in_transit",
    "manual",
    "stale",
    "not_released",
)

HoldReason = Literal["legal", "insolvency", "opt_out", "dispute", "promise", "plan", "reply_open", "in_transit", "manual", "stale", "not_released"]


class Item(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One open document. `contested_minor` of `open_minor` is disputed; `on_the_way_minor` is money seen but not applied.

    `history` marks an item that was already open when its source was released: its ladder starts softly.
    """

    invoice_id: str
    currency: str
    open_minor: int
    due_date: dt.date | None
    number: str = ""
    contested_minor: int = 0
    on_the_way_minor: int = 0
    status: str = "open"
    written_off: bool = False
    history: bool = False


class Hold(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Contact waits, for one document or (`invoice_id` None) for the customer, from `from_date` up to `until_date`.

    `until_date` is the first day on which it no longer holds; for a promise it is the promised day, after which the grace
    of the contact rules still runs. `amount_minor` is the disputed part; None disputes the whole.
    """

    reason: HoldReason
    invoice_id: str | None = None
    amount_minor: int | None = None
    from_date: dt.date | None = None
    until_date: dt.date | None = None


class Touch(msgspec.Struct, frozen=True, kw_only=True):
    """One contact that took place. `invoice_ids` empty: it spoke of everything overdue on that day."""

    date: dt.date
    step: str | None = None
    channel: str = "email"
    address: str | None = None
    invoice_ids: tuple[str, ...] = ()
    outcome: str = ""


class Situation(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """Everything known about one customer on one day.

    `zones` are all time zones its people may be in; `mailbox_dates` the local days on which its mailbox was written to over
    all customers (touches of this customer are counted without being repeated there); `released` is False while a person
    has not yet released this customer's history.
    """

    customer_id: str
    items: tuple[Item, ...]
    name: str = ""
    tier: str = "unknown"
    debtor_type: str | None = None
    email: str | None = None
    phone: str | None = None
    country: str | None = None
    zones: tuple[str, ...] = ()
    language: str | None = None
    holds: tuple[Hold, ...] = ()
    touches: tuple[Touch, ...] = ()
    mailbox_dates: tuple[dt.date, ...] = ()
    broken_promises: int = 0
    released: bool = True

    @cached_property
    def _overdue(self) -> dict[dt.date, dict[str, int]]:
        return {}

    def overdue(self, currency: str, today: dt.date) -> int:
        """Undisputed minor units past due on `today` in `currency`, whatever holds them."""
        sums = self._overdue.get(today)
        if sums is None:
            sums = self._overdue[today] = {}
            for item in self.items:
                if chaseable(item) and item.due_date is not None and item.due_date < today:
                    sums[item.currency] = sums.get(item.currency, 0) + item.open_minor - item.contested_minor
        return sums.get(currency, 0)


def chaseable(item: Item) -> bool:
    """Open, not written off, and with a part that is not disputed; anything else is never demanded."""
    return item.status == "open" and not item.written_off and item.open_minor > max(item.contested_minor, 0)


class Held(msgspec.Struct, frozen=True, gc=False):
    """A document that is due a step and waits, with the reason."""

    invoice_id: str
    reason: str


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What to do about one customer today.

    decision: `send` (a message by machine), `task` (for a person), `hold` (due, but waits) or `none`.
    reason: `due` for a send; `call_step`, `no_address`, `not_business`, `no_window` for a task; one of HOLD_REASONS for a hold;
    `nothing_open`, `nothing_due`, `step_done`, `below_minimum`, `too_old`, `no_due_date`, `no_segment` for none.
    invoice_ids: the documents demanded (for a hold: those that wait); amounts: their undisputed open sum per currency.
    not_before: first moment of the contact window, the message budget included. held: further documents that wait.
    """

    customer_id: str
    decision: Literal["send", "task", "hold", "none"]
    reason: str
    invoice_ids: tuple[str, ...] = ()
    step: str | None = None
    channel: str | None = None
    tone: str | None = None
    approval: str | None = None
    escalate_to: str | None = None
    not_before: dt.datetime | None = None
    amounts: tuple[Money, ...] = ()
    held: tuple[Held, ...] = ()
    trace: tuple[str, ...] = ()
