"""What cash application is asked: the open book, the payments, the tolerances; and what it answers. All values, all frozen.

None of them can be part of a reference cycle, so the collector is told not to look (`gc=False`): a large book is quicker by a third.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Literal

import msgspec

Decision = Literal["apply", "propose", "none"]
WriteOff = Literal["discount", "fee", "rounding", "fx"]


class Party(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A customer as payments may show it; `accounts` are bank accounts known to be theirs."""

    customer_id: str
    name: str
    aliases: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    parent_id: str | None = None


class Document(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An invoice or a credit note. `open_minor` 0 is a closed one: never a candidate, but it tells a second payment.

    `discount_pct` is a percentage (2.5 is 2.5 %) of the invoice amount, for payments dated up to `discount_until`.
    """

    document_id: str
    kind: Literal["invoice", "credit_note"]
    number: str
    customer_id: str
    currency: str
    amount_minor: int
    open_minor: int
    due_date: dt.date | None = None
    discount_pct: Decimal | None = None
    discount_until: dt.date | None = None

    @property
    def signed(self) -> int:
        """What is open, a credit note as a negative."""
        return self.open_minor if self.kind == "invoice" else -self.open_minor


class OpenPayment(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Money received and not applied; `minor` is the unapplied part. `texts` are reference and remittance as received.

    `stated_number` is set where the source itself says which document was paid.
    """

    payment_id: str
    currency: str
    minor: int
    date: dt.date | None = None
    customer_id: str | None = None
    payer_name: str | None = None
    payer_account: str | None = None
    texts: tuple[str, ...] = ()
    stated_number: str | None = None


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """Tolerances, in units of the currency (`_abs`) and percent of the sum named (`_pct`). The default: exact or a person.

    fee: short by no more than both tolerances closes as a fee. rounding: short by no more closes; over by no more stays on
    account. fx: off by no more, with the original amount named in the text. discount: the invoice's own terms may be taken.
    """

    fee_tolerance_abs: Decimal = Decimal(0)
    fee_tolerance_pct: Decimal = Decimal(0)
    rounding_abs: Decimal = Decimal(0)
    fx_tolerance_pct: Decimal = Decimal(0)
    discount: bool = False


class Book(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a payment may be for. Document and customer ids are unique; amounts are in minor units."""

    documents: tuple[Document, ...]
    parties: tuple[Party, ...] = ()
    policy: Policy = Policy()


class Part(msgspec.Struct, frozen=True, gc=False):
    """Cash for one document (`minor`; negative for a credit note used up), and what is written off beside it."""

    document_id: str
    minor: int
    write_off_minor: int = 0
    write_off_reason: WriteOff | None = None


class Reading(msgspec.Struct, frozen=True, gc=False):
    """One way to understand a payment. `confidence` is percent by class of evidence, the same for all of a class: it orders
    proposals and is no probability. The parts sum to at most the payment; the rest stays on account."""

    parts: tuple[Part, ...]
    confidence: int
    reason: str
    rival: str = ""


class Application(msgspec.Struct, frozen=True, gc=False):
    """The answer for one payment. `apply` has one reading, `propose` up to three, best first, `none` has none and a reason."""

    payment_id: str
    decision: Decision
    readings: tuple[Reading, ...]
    reason: str

    @property
    def best(self) -> Reading | None:
        return self.readings[0] if self.readings else None
