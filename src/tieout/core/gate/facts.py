"""What the gate must know before it lets one message leave, gathered by a query inside the claim transaction.

None always means *not known* and blocks; an empty tuple means *looked, and there is none*. Moments are aware,
amounts are minor units of the currency beside them.
"""

from __future__ import annotations

import datetime as dt
from typing import Literal

import msgspec

from tieout.core import days
from tieout.core.documents import DebtorType, DocumentStatus

#: live: may send. shadow: shown, never sent. stopped: the organisation's switch. frozen: restored, not yet checked.
SendingMode = Literal["live", "shadow", "stopped", "frozen"]
ReceiptState = Literal["unmatched", "proposed", "in_transit"]
HoldKind = Literal["dispute", "promise", "reply_open", "opt_out", "in_transit", "plan", "legal", "insolvency", "manual", "stale"]


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """One place these items or their money come from. `kind` person: entered by hand, which has no cadence to keep."""

    name: str
    kind: Literal["connection", "person"] = "connection"
    last_success_at: dt.datetime | None = None
    cadence: dt.timedelta | None = None


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One document the text speaks of: the ledger's word now, and what the text says (`stated_*`, `demanded_minor`).

    `contested_minor` is the disputed part, `on_the_way_minor` money announced for this very document.
    """

    document_id: str
    number: str
    currency: str
    status: DocumentStatus
    open_minor: int | None
    contested_minor: int | None
    on_the_way_minor: int | None
    stated_open_minor: int | None
    demanded_minor: int | None


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """Money received or announced and not yet applied. `minor` is the unapplied part.

    Gather all of the customer's (family included, with `customer_id` set to the demanded customer's) and all whose
    customer is not known, whatever their currency. Money a person has put on account is a credit, not a receipt.
    """

    payment_id: str
    currency: str
    minor: int
    customer_id: str | None = None
    payer_name: str | None = None
    text: str = ""
    state: ReceiptState = "unmatched"


class Credit(msgspec.Struct, frozen=True, kw_only=True):
    """What speaks for the customer in one currency: open credit notes, and money put on account by a person."""

    currency: str
    minor: int


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """A human answer nobody has closed yet."""

    reply_id: str
    received_at: dt.datetime


class Promise(msgspec.Struct, frozen=True, kw_only=True):
    """A promise to pay that is neither kept nor withdrawn; `document_ids` empty means the whole account."""

    promise_id: str
    promised_date: dt.date
    document_ids: tuple[str, ...] = ()


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """A hold; `document_id` None covers the account. In force from `from_date` to before `until_date` (open end: None)."""

    hold_id: str
    kind: HoldKind
    document_id: str | None = None
    from_date: dt.date | None = None
    until_date: dt.date | None = None
    note: str = ""


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """The contact point the message would go to."""

    address: str
    bounced: bool | None
    opted_out: bool | None


class Touch(msgspec.Struct, frozen=True, kw_only=True):
    """A message that counts against this mailbox's budget: claimed, sent or unknown, for whichever customer."""

    message_id: str
    at: dt.datetime


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """One fact of the text: what the text says and what the ledger says now, both as shown to a reader."""

    name: str
    stated: str | None
    ledger: str | None


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the gate judges for one message to one address. See the module for what None means.

    `zones` and `countries` are all candidates for where the recipient may be; `touches` leaves out the message asked
    about and reaches back at least the budget's days.
    """

    asked_at: dt.datetime
    message_id: str
    customer_id: str
    customer_names: tuple[str, ...]
    debtor_type: DebtorType | None
    sending: SendingMode | None
    sources: tuple[Source, ...] | None
    items: tuple[Item, ...]
    receipts: tuple[Receipt, ...] | None
    credits: tuple[Credit, ...] | None
    open_replies: tuple[Reply, ...] | None
    promises: tuple[Promise, ...] | None
    holds: tuple[Hold, ...] | None
    address: Address | None
    zones: tuple[str, ...]
    countries: tuple[str, ...]
    touches: tuple[Touch, ...] | None
    statements: tuple[Statement, ...] | None

    def __post_init__(self) -> None:
        moments = [self.asked_at, *(s.last_success_at for s in self.sources or ()), *(t.at for t in self.touches or ())]
        if any(m is not None and m.tzinfo is None for m in moments):
            raise ValueError("every moment given to the gate must carry its zone")

    def local_dates(self) -> list[dt.date]:
        """The recipient's day now in every candidate zone; the UTC day where no zone is known."""
        return [self.asked_at.astimezone(days.zone(name)).date() for name in self.zones] or [self.asked_at.astimezone(dt.UTC).date()]
