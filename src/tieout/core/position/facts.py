"""Dated facts about documents, each with two clocks: the business day it is about, and when we came to know it.

A fact is known at a moment `at` when `recorded_at <= at` and it was not yet taken back (superseded, retracted) at `at`.
Nothing is ever changed or deleted: a correction, an undo, an unlink end one fact and begin another (promise P5).
"""

from __future__ import annotations

import datetime as dt
from typing import Literal

import msgspec

DocumentKind = Literal["invoice", "credit_note", "payment"]
AllocationKind = Literal["cash", "credit", "write_off"]

#: Not a claim, or no longer one: nothing is open whatever the amounts say. A draft has not been sent to anybody.
NOT_A_CLAIM = frozenset({"draft", "pending_approval", "void", "deleted", "failed", "cancelled", "reversed"})
#: Payments whose money is announced but not here.
UNDER_WAY = frozenset({"pending", "processing"})


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """What was known of one invoice, credit note or payment from `recorded_at` to before `superseded_at`.

    `customer_id` is the customer as linked then: an unlink is a new version. `document_date` is the issue date of a
    document, the value date of a payment; None counts as always there. `reported_open_minor` is what the source said was
    open on `reported_date` (None: said for every day); it says nothing about earlier days.
    """

    document_id: str
    kind: DocumentKind
    customer_id: str | None
    currency: str
    amount_minor: int
    status: str
    document_date: dt.date | None
    due_date: dt.date | None
    recorded_at: dt.datetime
    superseded_at: dt.datetime | None = None
    reported_open_minor: int | None = None
    reported_date: dt.date | None = None


class Applied(msgspec.Struct, frozen=True, kw_only=True):
    """Part of a payment, of a credit note or of a write-off (`source_id` None) set against a document on a business day."""

    source_id: str | None
    document_id: str
    kind: AllocationKind
    amount_minor: int
    date: dt.date
    recorded_at: dt.datetime
    retracted_at: dt.datetime | None = None


class Dispute(msgspec.Struct, frozen=True, kw_only=True):
    """The debtor contests `amount_minor` (None: all of it) from `from_date` to before `until_date`."""

    document_id: str
    amount_minor: int | None
    from_date: dt.date
    until_date: dt.date | None
    recorded_at: dt.datetime
    retracted_at: dt.datetime | None = None


class OnTheWay(msgspec.Struct, frozen=True, kw_only=True):
    """Money announced for a document (a scheduled debit, a transfer under way) from `from_date` to before `until_date`."""

    document_id: str
    amount_minor: int
    from_date: dt.date
    until_date: dt.date | None
    recorded_at: dt.datetime
    retracted_at: dt.datetime | None = None


def known(recorded_at: dt.datetime, ended_at: dt.datetime | None, at: dt.datetime) -> bool:
    """Whether a fact was known at `at`: recorded by then, and not yet taken back."""
    return recorded_at <= at and (ended_at is None or ended_at > at)


def in_force(from_date: dt.date, until_date: dt.date | None, day: dt.date) -> bool:
    """Whether `day` lies in the period, whose upper end is open."""
    return from_date <= day and (until_date is None or day < until_date)
