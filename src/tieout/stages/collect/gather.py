"""Gather, of gather-judge-act: the frozen `Situation` of each account that has something due today.

The address chosen here, the zones and the holds are what the policy judges by; the gate asks all of it again when a message
is about to leave.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import polars as pl
from django.db import connection

from tieout.core import days
from tieout.core.party import mailbox_key
from tieout.core.policy.situation import Hold, Item, Situation, Touch
from tieout.stages.base import walls
from tieout.stages.collect import address, fetch
from tieout.stages.collect.book import Book

#: Days of contact with a mailbox, over all customers, that any budget of the contact rules can look back on.
_MAILBOX_DAYS = 31


def situations(*, book: Book, held: Mapping[int, tuple[Hold, ...]], customer_ids: Sequence[int], today: dt.date) -> Iterator[Situation]:
    """One situation per customer of `customer_ids` that has items in the book, in the order of their ids; `held` as `holds` gave it."""
    wanted = sorted(set(customer_ids))
    if not wanted:
        return
    items = _of(book.items, wanted, book)
    reached = address.of(customer_ids=wanted)
    touched = _touches(book, wanted)
    written = _mailboxes(today) if reached else {}
    facts = {row["customer_id"]: row for row in _of(book.customers, wanted, book).iter_rows(named=True)}
    listed = _items(items)
    place = 0
    for customer_id, count in Counter(items["customer_id"].to_list()).items():  # in the order of the items
        mine, place = tuple(listed[place : place + count]), place + count
        fact, point = facts[customer_id], reached.get(customer_id)
        usable = point.email if point and point.usable else None
        yield Situation(
            customer_id=str(customer_id),
            items=mine,
            tier=fact["tier"],
            debtor_type=fact["debtor_type"],
            email=usable,
            country=fact["country"],
            zones=zones(fact["time_zone"], fact["country"]),
            language=fact["language"],
            holds=_with_opt_out(held.get(customer_id, ()), point),
            touches=touched.get(customer_id, ()),
            mailbox_dates=written.get(mailbox_key(usable), ()) if usable else (),
            broken_promises=fact["broken_promises"],
            released=fact["released"],
        )


def zones(time_zone: str | None, country: str | None) -> tuple[str, ...]:
    """Where the recipient may be: their own zone where it is known and exists, else every zone of their country."""
    if time_zone:
        try:
            days.zone(time_zone)
        except ValueError:
            return days.zones_of(country)
        return (time_zone,)
    return days.zones_of(country)


def holds(*, customer_ids: Sequence[int], today: dt.date) -> dict[int, tuple[Hold, ...]]:
    """All that keeps these customers from being asked, by customer: holds, money not yet applied, a mailbox that opted out."""
    if not customer_ids:
        return {}
    found: dict[int, list[Hold]] = defaultdict(list)
    args = {"org": walls.current(), "customers": fetch.ids(customer_ids), "today": today}
    with connection.cursor() as cursor:
        cursor.execute(_HOLDS, args)
        for customer_id, reason, document_id, amount_minor, from_date, until_date in cursor.fetchall():
            document = None if document_id is None else str(document_id)
            found[customer_id].append(Hold(reason=reason, invoice_id=document, amount_minor=amount_minor, from_date=from_date, until_date=until_date))
        cursor.execute(_MONEY, args)
        for (customer_id,) in cursor.fetchall():
            found[customer_id].append(Hold(reason="in_transit"))
        cursor.execute(_OPTED_OUT, args)
        suspects = [row[0] for row in cursor.fetchall()]
    for customer_id, point in address.of(customer_ids=suspects).items() if suspects else ():
        found[customer_id] = list(_with_opt_out(found[customer_id], point))
    return {customer_id: tuple(some) for customer_id, some in found.items() if some}


def _with_opt_out(held: Sequence[Hold], point: address.Reached | None) -> tuple[Hold, ...]:
    if point is None or not point.opted_out or any(h.reason == "opt_out" and h.invoice_id is None for h in held):
        return tuple(held)
    return (*held, Hold(reason="opt_out"))


def _of(frame: pl.DataFrame, wanted: Sequence[int], book: Book) -> pl.DataFrame:
    """The rows of the wanted customers; the frame itself where that is all of them."""
    return frame if len(wanted) >= len(book.customers) else frame.filter(pl.col("customer_id").is_in(wanted))


def _items(items: pl.DataFrame) -> list[Item]:
    wanted = ("invoice_id", "currency", "open_minor", "due_date", "number", "contested_minor", "history")
    return [
        Item(invoice_id=i, currency=c, open_minor=o, due_date=d, number=n or "", contested_minor=x, history=h)
        for i, c, o, d, n, x, h in zip(*(items[name].to_list() for name in wanted), strict=True)
    ]


def _touches(book: Book, wanted: Sequence[int]) -> dict[int, tuple[Touch, ...]]:
    if book.touches.is_empty():
        return {}
    mine = _of(book.touches, wanted, book)
    # The rows of one contact stand together again: one touch, with the documents it spoke of.
    keys = ["customer_id", "date", "step", "channel", "address", "outcome"]
    grouped = mine.group_by(keys, maintain_order=True).agg(pl.col("invoice_id").drop_nulls())
    found: dict[int, list[Touch]] = defaultdict(list)
    for customer_id, date, step, channel, where, outcome, invoice_ids in grouped.iter_rows():
        found[customer_id].append(Touch(date=date, step=step, channel=channel, address=where, invoice_ids=tuple(invoice_ids), outcome=outcome or ""))
    return {customer_id: tuple(some) for customer_id, some in found.items()}


def _mailboxes(today: dt.date) -> dict[str, tuple[dt.date, ...]]:
    """The local days on which each mailbox was lately written to, whichever customer it was about."""
    since: Any = today - dt.timedelta(days=_MAILBOX_DAYS)
    found: dict[str, list[dt.date]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(_MAILBOXES, {"org": walls.current(), "since": since})
        for key, date in cursor.fetchall():
            found[key].append(date)
    return {key: tuple(dates) for key, dates in found.items()}


# A promise is judged by its promised day (the policy adds the grace), its hold lasts through the grace already. A hold that
# stands for a dispute of an amount leaves the rest of the document to be asked for.
_HOLDS = """
SELECT h.customer_id, h.reason, h.document_id, h.amount_minor, h.from_date, coalesce(p.promised_date, h.until_date)
  FROM dialogue_hold h
  LEFT JOIN dialogue_promise p ON p.organisation_id = h.organisation_id AND p.hold_id = h.id AND p.state = 'open'
 WHERE h.organisation_id = %(org)s AND h.released_at IS NULL AND h.customer_id = ANY(%(customers)s)
   AND (h.until_date IS NULL OR h.until_date > %(today)s)
 ORDER BY h.id"""

# Money of the customer, its parent or its children. What a person put on account, with no proposal waiting, is a credit and not
# money on its way (the gate sees it the same way).
_MONEY = """
WITH loose AS (
  SELECT p.customer_id FROM ledger_payment p
   WHERE p.organisation_id = %(org)s AND p.unapplied_minor > 0 AND p.customer_id IS NOT NULL
     AND (p.customer_rank < 3 OR EXISTS (SELECT 1 FROM cash_proposal q
                                          WHERE q.organisation_id = %(org)s AND q.payment_id = p.id AND q.state = 'open'))
  UNION
  SELECT customer_id FROM ledger_payment
   WHERE organisation_id = %(org)s AND status IN ('pending', 'processing') AND customer_id IS NOT NULL),
family AS (
  SELECT customer_id FROM loose
  UNION SELECT c.id FROM loose l JOIN ledger_customer c ON c.organisation_id = %(org)s AND c.parent_id = l.customer_id
  UNION SELECT c.parent_id FROM loose l JOIN ledger_customer c ON c.organisation_id = %(org)s AND c.id = l.customer_id)
SELECT customer_id FROM family WHERE customer_id = ANY(%(customers)s)"""

_OPTED_OUT = """
SELECT DISTINCT c.customer_id FROM dialogue_contactpoint p
  JOIN ledger_contact c ON c.organisation_id = p.organisation_id AND lower(btrim(c.email)) = p.address AND c.retracted_at IS NULL
 WHERE p.organisation_id = %(org)s AND p.channel = 'email' AND p.opted_out_at IS NOT NULL AND c.customer_id = ANY(%(customers)s)"""

_MAILBOXES = """
SELECT DISTINCT p.address, t.local_date FROM dialogue_touch t
  JOIN dialogue_contactpoint p ON p.organisation_id = t.organisation_id AND p.id = t.contact_point_id
 WHERE t.organisation_id = %(org)s AND t.direction = 'out' AND t.channel = 'email' AND t.local_date >= %(since)s
   AND t.outcome NOT IN ('cancelled', 'refused', 'suppressed')"""
