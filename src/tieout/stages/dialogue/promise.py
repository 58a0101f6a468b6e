"""Promises to pay: recorded with a hold, kept or broken by what the ledger says, withdrawn by a person."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable

import msgspec
from django.db import connection

from tieout.core import money
from tieout.core.evidence import Actor, Refused
from tieout.core.policy.packs import contact_rules
from tieout.stages.base import audit, feed, walls
from tieout.stages.base import queries as base
from tieout.stages.cash import account
from tieout.stages.dialogue import hold, keeping
from tieout.stages.dialogue.models import Promise
from tieout.stages.ledger.models import Customer, Document

_LEDGER = Actor("machine", "ledger")

#: A promise older than this is history: what arrives now no longer changes how it ended.
LOOK_BACK = dt.timedelta(days=180)

_Scope = tuple[int, int | None, str]  # customer, document, currency


class Settled(msgspec.Struct, frozen=True):
    """Promises whose state changed, by where it went: `reopened` are kept ones whose money came back in time."""

    kept: tuple[int, ...] = ()
    broken: tuple[int, ...] = ()
    reopened: tuple[int, ...] = ()


def record(
    *, customer: Customer, amount_minor: int, currency: str, promised_date: dt.date, document: Document | None = None, how: str = "", actor: Actor,
    now: dt.datetime,
) -> Promise | Refused:
    """Record a promise and hold what it covers through its day and the grace of the contact rules.

    Several may run side by side (instalments). Refused: a day that has passed, no amount, another customer's document or
    another currency than the document's.
    """
    account.lock([customer.pk])
    today = base.today_of(base.profile(), now)
    wrong = _wrong(customer, amount_minor, currency, promised_date, document, today)
    if wrong:
        return Refused(wrong)
    held = hold.put(
        customer=customer, reason="promise", document=document, amount_minor=None, until=_free_from(promised_date), note=how, actor=actor, now=now
    )
    row: Promise = Promise.objects.create(
        customer=customer, document=document, currency=currency, amount_minor=amount_minor, promised_date=promised_date, made_at=now, made_how=how,
        hold=held,
    )
    _tell("promise.record", [row], actor=actor, now=now, reason=how)
    return row


def withdraw(*, promise: Promise, reason: str, actor: Actor, now: dt.datetime) -> Promise | Refused:
    """Take a promise out of play, with its hold: it was a misunderstanding, or another one replaces it."""
    account.lock([promise.customer_id])
    row: Promise = promise.lock()
    if row.state == Promise.State.WITHDRAWN:
        return row
    if row.state != Promise.State.OPEN:
        return Refused(f"this promise was {row.state} already and counts as the customer's record")
    row.state, row.settled_at = Promise.State.WITHDRAWN, now
    row.save(update_fields=["state", "settled_at"])
    hold.lift(row.hold, reason=reason or "promise withdrawn", actor=actor, now=now)
    _tell("promise.withdraw", [row], actor=actor, now=now, reason=reason)
    return row


def settle_due(*, now: dt.datetime, customer_ids: Iterable[int] | None = None) -> Settled:
    """Judge every promise (of these customers) by the ledger; only what changed is written, so doing it again changes nothing."""
    today = base.today_of(base.profile(), now)
    rows = _judgeable(customer_ids, today)
    account.lock(row.customer_id for row in rows)
    rows = _judgeable([row.customer_id for row in rows], today)  # again, now that nobody else can move them
    states = _states(rows, today)
    changed: dict[str, list[Promise]] = defaultdict(list)
    for row in rows:
        state = states[row.pk]
        if state != row.state:
            changed[state].append(row)
            _turn(row, state, now)
    for state, moved in changed.items():
        _tell(f"promise.{'reopen' if state == 'open' else state}", moved, actor=_LEDGER, now=now, reason=_REASONS[state])
    ids = {state: tuple(sorted(row.pk for row in moved)) for state, moved in changed.items()}
    return Settled(ids.get("kept", ()), ids.get("broken", ()), ids.get("open", ()))


_REASONS = {
    "kept": "the promised money arrived in time",
    "broken": "the promised day and the grace after it passed without the money",
    "open": "the money that had kept it came back",
}


def _turn(row: Promise, state: keeping.Kept, now: dt.datetime) -> None:
    row.state, row.settled_at = state, None if state == "open" else now
    if state == "open":
        row.hold = hold.put(
            customer=row.customer, reason="promise", document=row.document, amount_minor=None, until=_free_from(row.promised_date),
            note=row.made_how, actor=_LEDGER, now=now,
        )
    row.save(update_fields=["state", "settled_at", "hold"])
    if state != "open":
        hold.lift(row.hold, reason=f"promise {state}", actor=_LEDGER, now=now)


def _wrong(customer: Customer, amount_minor: int, currency: str, promised_date: dt.date, document: Document | None, today: dt.date) -> str:
    if not money.is_currency(currency):
        return f"{currency!r} is not a currency code"
    if amount_minor <= 0:
        return "a promise needs an amount above nothing"
    if promised_date < today:
        return f"the promised day {promised_date} has passed"
    if document is not None and document.customer_id != customer.pk:
        return f"{document.number} does not belong to {customer.name}"
    if document is not None and document.currency != currency:
        return f"{document.number} is in {document.currency}, the promise in {currency}"
    return ""


def _free_from(promised_date: dt.date) -> dt.date:
    """First day on which a promise no longer holds: periods have an open upper end."""
    return promised_date + dt.timedelta(days=contact_rules().promise_grace_days + 1)


def _judgeable(customer_ids: Iterable[int] | None, today: dt.date) -> list[Promise]:
    wanted = Promise.objects.exclude(state="withdrawn").filter(promised_date__gte=today - LOOK_BACK)
    if customer_ids is not None:
        wanted = wanted.filter(customer_id__in=set(customer_ids))
    return list(wanted.select_related("customer", "document", "hold").order_by("id"))


def _states(rows: list[Promise], today: dt.date) -> dict[int, keeping.Kept]:
    scopes: dict[_Scope, list[Promise]] = defaultdict(list)
    for row in rows:
        scopes[row.customer_id, row.document_id, row.currency].append(row)
    documents = sorted({document for _, document, _ in scopes if document is not None})
    customers = sorted({customer for customer, document, _ in scopes if document is None})
    received, open_minor = _received(documents, customers), _open(documents, customers)
    states: dict[int, keeping.Kept] = {}
    for scope, promises in scopes.items():
        given = [keeping.Given(promise_id=p.pk, minor=p.amount_minor, date=p.promised_date, made_at=p.made_at) for p in promises]
        key = (0, scope[1], scope[2]) if scope[1] is not None else scope
        settled = open_minor.get(key, 0) == 0
        found = keeping.judge(given, received.get(key, []), today=today, grace_days=contact_rules().promise_grace_days, settled=settled)
        for promise in promises:
            # Settled another way in time, it stays kept for as long as nothing is open again.
            states[promise.pk] = "kept" if promise.state == "kept" and settled else found[promise.pk]
    return states


def _received(documents: list[int], customers: list[int]) -> dict[_Scope, list[keeping.Received]]:
    """Money by scope: what was applied or credited to a document; what a customer sent, and others paid for its documents."""
    organisation_id = walls.current()
    found: dict[_Scope, list[keeping.Received]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT 0, document_id, currency, amount_minor, date, recorded_at FROM ledger_allocation
             WHERE organisation_id = %s AND document_id = ANY(%s) AND retracted_at IS NULL AND kind <> 'write_off'
            UNION ALL
            SELECT customer_id, NULL, currency, amount_minor - refunded_minor, coalesce(date, (created_at AT TIME ZONE 'UTC')::date), created_at
              FROM ledger_payment
             WHERE organisation_id = %s AND customer_id = ANY(%s) AND status IN ('succeeded', 'settled')
            UNION ALL
            SELECT d.customer_id, NULL, a.currency, a.amount_minor, a.date, a.recorded_at
              FROM ledger_allocation a
              JOIN ledger_document d ON (d.organisation_id, d.id) = (a.organisation_id, a.document_id)
              LEFT JOIN ledger_payment p ON (p.organisation_id, p.id) = (a.organisation_id, a.payment_id)
             WHERE d.organisation_id = %s AND d.customer_id = ANY(%s) AND a.retracted_at IS NULL AND a.kind <> 'write_off'
               AND p.customer_id IS DISTINCT FROM d.customer_id""",
            [organisation_id, documents, organisation_id, customers, organisation_id, customers],
        )
        for customer, document, currency, minor, date, known_at in cursor.fetchall():
            found[customer, document, currency].append(keeping.Received(minor=minor, date=date, known_at=known_at))
    return found


def _open(documents: list[int], customers: list[int]) -> dict[_Scope, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT 0, id, currency, open_minor FROM ledger_document WHERE organisation_id = %s AND id = ANY(%s)
            UNION ALL
            SELECT customer_id, NULL, currency, sum(open_minor) FROM ledger_document
             WHERE organisation_id = %s AND customer_id = ANY(%s) AND kind = 'invoice' GROUP BY 1, 3""",
            [walls.current(), documents, walls.current(), customers],
        )
        return {(customer, document, currency): int(minor) for customer, document, currency, minor in cursor.fetchall()}


def _tell(action: str, rows: list[Promise], *, actor: Actor, now: dt.datetime, reason: str) -> None:
    feed.publish(kind="promise", ids=[r.pk for r in rows], customer_ids=[r.customer_id for r in rows], cause=action, now=now)
    acts = [
        (
            action, "promise", row.pk, reason,
            {"customer_id": row.customer_id, "document_id": row.document_id, "amount_minor": row.amount_minor, "currency": row.currency,
             "promised_date": row.promised_date},
        )
        for row in rows
    ]
    audit.write_many(acts, actor=actor, now=now)
