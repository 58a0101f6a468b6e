"""Everything the gate must know about a batch of messages, read inside the claim: one question to the database per kind.

What is read here is what the certificate proves; nothing is remembered from the draft.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from django.db import connection

from tieout.core import gate
from tieout.stages.base import queries as base
from tieout.stages.base import walls
from tieout.stages.ledger.models import Customer
from tieout.stages.outreach import places, standing
from tieout.stages.outreach.models import Message
from tieout.stages.outreach.standing import Document

#: How far back messages to a mailbox are read; more than any budget counts.
LOOK_BACK = dt.timedelta(days=40)
#: A mailbox without a stated cadence must have been read within a day: else nobody can say that no answer waits.
MAILBOX_CADENCE_HOURS = 24


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """One customer, as far as the gate cares."""

    customer: Any
    documents: dict[int, Document]
    receipts: tuple[gate.Receipt, ...]
    credits: tuple[gate.Credit, ...]
    replies: tuple[gate.Reply, ...]
    promises: tuple[gate.Promise, ...]
    holds: tuple[gate.Hold, ...]


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """What was read for a batch of messages. `touches` grow as messages of the batch are allowed."""

    now: dt.datetime
    sending: gate.SendingMode
    sources: dict[int, gate.Source]
    money_sources: frozenset[int]
    accounts: dict[int, Account]
    points: dict[int, gate.Address]
    point_replies: dict[int, tuple[gate.Reply, ...]]
    touches: dict[int, list[gate.Touch]]


def read(*, messages: Sequence[Message], now: dt.datetime) -> Batch:
    """Read everything for these messages. Call it with their customers, points and rows locked."""
    customer_ids = sorted({m.customer_id for m in messages})
    point_ids = sorted({m.contact_point_id for m in messages})
    today = base.today_of(base.profile(), now)
    documents = standing.of(customer_ids=customer_ids, document_ids=[i for m in messages for i in m.document_ids], today=today)
    replies, point_replies = _replies(customer_ids, point_ids)
    holds, promises = _holds(customer_ids), _promises(customer_ids)
    receipts, credits = _money(customer_ids)
    sources, money = _sources()
    accounts = {
        row.pk: Account(
            customer=row,
            documents=documents.get(row.pk, {}),
            receipts=(*receipts.get(row.pk, ()), *receipts.get(None, ())),
            credits=_credits(documents.get(row.pk, {}), credits.get(row.pk, {})),
            replies=tuple(replies.get(row.pk, ())),
            promises=tuple(promises.get(row.pk, ())),
            holds=tuple(holds.get(row.pk, ())),
        )
        for row in Customer.objects.filter(pk__in=customer_ids)
    }
    mode: Any = base.sending_mode()[0]
    return Batch(
        now=now,
        sending=mode,
        sources=sources,
        money_sources=money,
        accounts=accounts,
        points=_points(point_ids),
        point_replies={point: tuple(found) for point, found in point_replies.items()},
        touches=_touches(point_ids, now),
    )


def facts(*, batch: Batch, message: Message, items: Iterable[gate.Item], statements: tuple[gate.Statement, ...], connections: set[int]) -> gate.Facts:
    """The gate's facts for one message. `connections` are where its documents come from."""
    account = batch.accounts[message.customer_id]
    customer = account.customer
    own = {reply.reply_id for reply in account.replies}
    elsewhere = [reply for reply in batch.point_replies.get(message.contact_point_id, ()) if reply.reply_id not in own]
    return gate.Facts(
        asked_at=batch.now,
        message_id=str(message.pk),
        customer_id=str(message.customer_id),
        customer_names=tuple(name for name in (customer.name, *customer.aliases) if name),
        debtor_type=customer.debtor_type or None,
        sending=batch.sending,
        sources=tuple(batch.sources[key] for key in sorted(connections | batch.money_sources) if key in batch.sources),
        items=tuple(items),
        receipts=account.receipts,
        credits=account.credits,
        open_replies=(*account.replies, *elsewhere),
        promises=account.promises,
        holds=account.holds,
        address=_address(batch.points.get(message.contact_point_id), message.to_address),
        zones=places.zones(customer.time_zone, customer.country),
        countries=places.countries(customer.country, customer.time_zone),
        touches=tuple(touch for touch in batch.touches.get(message.contact_point_id, ()) if touch.message_id != str(message.pk)),
        statements=statements,
    )


def _address(point: gate.Address | None, address: str) -> gate.Address | None:
    return msgspec.structs.replace(point, address=address) if point else None


def _rows(sql: str, **values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, {"org": walls.current(), **values})
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def _replies(customer_ids: list[int], point_ids: list[int]) -> tuple[dict[int, list[gate.Reply]], dict[int, list[gate.Reply]]]:
    """Open replies by customer, and by mailbox: one from a shared mailbox that nobody has sorted yet holds everybody behind it."""
    by_customer: dict[int, list[gate.Reply]] = defaultdict(list)
    by_point: dict[int, list[gate.Reply]] = defaultdict(list)
    for pk, customer_id, point_id, received_at in _rows(
        """SELECT id, customer_id, contact_point_id, received_at FROM dialogue_reply
            WHERE organisation_id = %(org)s AND state = 'open' AND (customer_id = ANY(%(customers)s) OR contact_point_id = ANY(%(points)s))""",
        customers=customer_ids,
        points=point_ids,
    ):
        reply = gate.Reply(reply_id=str(pk), received_at=received_at)
        if customer_id is not None:
            by_customer[customer_id].append(reply)
        if point_id is not None and customer_id is None:
            by_point[point_id].append(reply)
    return by_customer, by_point


def _promises(customer_ids: list[int]) -> dict[int, list[gate.Promise]]:
    found: dict[int, list[gate.Promise]] = defaultdict(list)
    for pk, customer_id, document_id, day in _rows(
        """SELECT id, customer_id, document_id, promised_date FROM dialogue_promise
            WHERE organisation_id = %(org)s AND state = 'open' AND customer_id = ANY(%(customers)s)""",
        customers=customer_ids,
    ):
        documents = (str(document_id),) if document_id is not None else ()
        found[customer_id].append(gate.Promise(promise_id=str(pk), promised_date=day, document_ids=documents))
    return found


def _holds(customer_ids: list[int]) -> dict[int, list[gate.Hold]]:
    """Holds but for those of a disputed part: that part is left out of the demand, and the rest may be asked for."""
    found: dict[int, list[gate.Hold]] = defaultdict(list)
    for pk, customer_id, document_id, reason, begins, ends, note in _rows(
        """SELECT id, customer_id, document_id, reason, from_date, until_date, note FROM dialogue_hold
            WHERE organisation_id = %(org)s AND released_at IS NULL AND customer_id = ANY(%(customers)s)
              AND NOT (reason = 'dispute' AND document_id IS NOT NULL AND amount_minor IS NOT NULL)""",
        customers=customer_ids,
    ):
        document = str(document_id) if document_id is not None else None
        found[customer_id].append(gate.Hold(hold_id=str(pk), kind=reason, document_id=document, from_date=begins, until_date=ends, note=note[:200]))
    return found


def _money(customer_ids: list[int]) -> tuple[dict[int | None, list[gate.Receipt]], dict[int, dict[str, int]]]:
    """Money not yet applied: of the customer and of its parent and children, and of payers nobody knows.

    What a person has assigned to the customer, with no proposal waiting, lies on account: it is a credit.
    """
    receipts: dict[int | None, list[gate.Receipt]] = defaultdict(list)
    credits: dict[int, dict[str, int]] = defaultdict(dict)
    for demanded, pk, owner, code, minor, payer, text, on_its_way, rank, proposed in _rows(_MONEY, customers=customer_ids):
        if demanded is not None and owner == demanded and rank == 3 and not proposed and not on_its_way:
            credits[demanded][code] = credits[demanded].get(code, 0) + minor
            continue
        state: Any = "in_transit" if on_its_way else "proposed" if proposed else "unmatched"
        customer = str(demanded) if demanded is not None else None
        receipts[demanded].append(
            gate.Receipt(payment_id=str(pk), currency=code, minor=minor, customer_id=customer, payer_name=payer or None, text=text, state=state)
        )
    return receipts, credits


_MONEY = """
WITH family AS (
  SELECT c.id AS demanded, c.id AS member FROM ledger_customer c WHERE c.organisation_id = %(org)s AND c.id = ANY(%(customers)s)
  UNION SELECT c.id, c.parent_id FROM ledger_customer c
         WHERE c.organisation_id = %(org)s AND c.id = ANY(%(customers)s) AND c.parent_id IS NOT NULL
  UNION SELECT p.id, c.id FROM ledger_customer p JOIN ledger_customer c ON c.organisation_id = p.organisation_id AND c.parent_id = p.id
         WHERE p.organisation_id = %(org)s AND p.id = ANY(%(customers)s)),
loose AS (
  SELECT p.id, p.customer_id, p.currency, p.unapplied_minor AS minor, p.payer_name, concat_ws(' ', p.reference, p.remittance) AS text,
         false AS on_its_way, p.customer_rank FROM ledger_payment p
   WHERE p.organisation_id = %(org)s AND p.unapplied_minor > 0
     AND (p.customer_id IS NULL OR p.customer_id IN (SELECT member FROM family))
  UNION ALL
  SELECT p.id, p.customer_id, p.currency, p.amount_minor, p.payer_name, concat_ws(' ', p.reference, p.remittance, p.stated_document),
         true, p.customer_rank
    FROM ledger_payment p
   WHERE p.organisation_id = %(org)s AND p.status IN ('pending', 'processing')
     AND (p.customer_id IS NULL OR p.customer_id IN (SELECT member FROM family)))
SELECT f.demanded, l.id, l.customer_id, l.currency, l.minor, l.payer_name, l.text, l.on_its_way, l.customer_rank,
       EXISTS (SELECT 1 FROM cash_proposal q WHERE q.organisation_id = %(org)s AND q.payment_id = l.id AND q.state = 'open')
  FROM loose l LEFT JOIN family f ON f.member = l.customer_id
 ORDER BY l.id"""


def _credits(documents: dict[int, Document], on_account: dict[str, int]) -> tuple[gate.Credit, ...]:
    sums = dict(on_account)
    for one in documents.values():
        if one.kind == "credit_note" and one.open_minor > 0:
            sums[one.currency] = sums.get(one.currency, 0) + one.open_minor
    return tuple(gate.Credit(currency=code, minor=minor) for code, minor in sorted(sums.items()))


def _points(point_ids: list[int]) -> dict[int, gate.Address]:
    return {
        pk: gate.Address(address=address, bounced=bounced, opted_out=opted_out)
        for pk, address, bounced, opted_out in _rows(
            """SELECT id, address, bounced_at IS NOT NULL, opted_out_at IS NOT NULL FROM dialogue_contactpoint
                WHERE organisation_id = %(org)s AND id = ANY(%(points)s)""",
            points=point_ids,
        )
    }


def _touches(point_ids: list[int], now: dt.datetime) -> dict[int, list[gate.Touch]]:
    """Messages to these mailboxes that count: claimed, sent, unknown or bounced, and what people wrote by other ways."""
    found: dict[int, list[gate.Touch]] = defaultdict(list)
    for point_id, name, at in _rows(
        """SELECT contact_point_id, id::text, coalesce(sent_at, claimed_at) FROM outreach_message
            WHERE organisation_id = %(org)s AND contact_point_id = ANY(%(points)s) AND claimed_at >= %(since)s
              AND state IN ('sending', 'sent', 'unknown', 'bounced')
           UNION ALL
           SELECT contact_point_id, 'touch ' || id, at FROM dialogue_touch
            WHERE organisation_id = %(org)s AND contact_point_id = ANY(%(points)s) AND direction = 'out' AND at >= %(since)s
              AND message_id IS NULL AND channel = 'email' AND outcome NOT IN ('cancelled', 'refused', 'suppressed', 'failed')""",
        points=point_ids,
        since=now - LOOK_BACK,
    ):
        found[point_id].append(gate.Touch(message_id=name, at=at))
    return found


def _sources() -> tuple[dict[int, gate.Source], frozenset[int]]:
    """Every connection; and those whose silence matters to every demand: where money comes from, and the mailbox of answers. One that
    somebody has disconnected brings no money any more, and holds only what was born there."""
    found: dict[int, gate.Source] = {}
    money: set[int] = set()
    for pk, kind, name, hours, last, brings_money in _rows(
        """SELECT c.id, c.kind, c.name, c.cadence_hours, c.last_success_at,
                  EXISTS (SELECT 1 FROM ledger_sourcerecord r WHERE r.organisation_id = c.organisation_id AND r.connection_id = c.id
                             AND r.kind = 'payment' AND r.retracted_at IS NULL) AND c.paused_at IS NULL
             FROM intake_connection c WHERE c.organisation_id = %(org)s""",
    ):
        if kind == "hand":
            found[pk] = gate.Source(name=name, kind="person")
            continue
        cadence = hours if hours is not None else MAILBOX_CADENCE_HOURS if kind == "mailbox" else None
        found[pk] = gate.Source(name=name, last_success_at=last, cadence=dt.timedelta(hours=cadence) if cadence is not None else None)
        if brings_money or kind == "mailbox":
            money.add(pk)
    return found, frozenset(money)
