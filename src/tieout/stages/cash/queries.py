"""Rows in, frozen values out: the cash inbox, one payment with all that was done with it, what the machine applied."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from django.db import connection
from django.db.models import F, Q

from tieout.stages.base import walls
from tieout.stages.cash.models import Proposal
from tieout.stages.ledger.models import Document, Payment


class Filters(msgspec.Struct, frozen=True, kw_only=True):
    """What of the inbox to show. `state`: proposed, unmatched or dismissed; `after` is the last row's (date, payment id)."""

    text: str = ""
    state: str = ""
    currency: str = ""
    customer_id: int | None = None
    after: tuple[str, int] | None = None
    limit: int = 50


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A document in a proposal; `amount_minor` negative for a credit note. `open_minor` is what is open of it now."""

    document_id: int
    number: str
    customer_id: int
    customer_name: str
    currency: str
    amount_minor: int
    open_minor: int
    due_date: dt.date | None
    write_off_minor: int = 0
    write_off_reason: str = ""


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """A proposal: what would be applied, why, and what speaks for something else. `confidence`: high, medium or low."""

    proposal_id: int
    place: int
    confidence: str
    reason: str
    rival: str
    state: str
    lines: tuple[Line, ...]


class InboxRow(msgspec.Struct, frozen=True, kw_only=True):
    """Money not (wholly) applied, with its proposals, best first."""

    payment_id: int
    date: dt.date | None
    payer_name: str
    reference: str
    remittance: str
    bank_ref: str
    currency: str
    amount_minor: int
    unapplied_minor: int
    customer_id: int | None
    customer_name: str
    offers: tuple[Offer, ...]


class AllocationRow(msgspec.Struct, frozen=True, kw_only=True):
    """An allocation, live or taken back. `actor_kind` machine or source: automatic, its reason and undo belong beside it."""

    allocation_id: int
    kind: str
    payment_id: int | None
    payer_name: str
    credit_note_id: int | None
    credit_note_number: str
    document_id: int
    document_number: str
    customer_id: int
    customer_name: str
    currency: str
    amount_minor: int
    date: dt.date
    recorded_at: dt.datetime
    retracted_at: dt.datetime | None
    retracted_reason: str
    undone_by: str
    actor_kind: str
    actor_name: str
    rule: str
    reason: str


class PaymentView(msgspec.Struct, frozen=True, kw_only=True):
    """One payment whole: as received, what it is applied to, what was taken back, what is proposed for the rest."""

    row: InboxRow
    status: str
    method: str
    payer_account: str
    stated_document: str
    connection_name: str
    refunded_minor: int
    recorded_at: dt.datetime
    allocations: tuple[AllocationRow, ...]


def inbox(filters: Filters | None = None) -> list[InboxRow]:
    """Payments with money left, the oldest first (those without a date before all), in pages by `after`."""
    filters = filters or Filters()
    rows = Payment.objects.filter(unapplied_minor__gt=0, **_exact(filters))
    if filters.text:
        rows = rows.filter(_text(filters.text))
    if filters.state == "unmatched":
        rows = rows.exclude(pk__in=Proposal.objects.filter(state="open").values("payment_id"))
    elif filters.state:
        state = {"proposed": "open"}.get(filters.state, filters.state)
        rows = rows.filter(pk__in=Proposal.objects.filter(state=state).values("payment_id"))
    if filters.after is not None:
        date, payment_id = filters.after
        beyond = Q(date=date, pk__gt=payment_id) | Q(date__gt=date) if date else Q(date__isnull=True, pk__gt=payment_id) | Q(date__isnull=False)
        rows = rows.filter(beyond)
    found = list(rows.select_related("customer").order_by(F("date").asc(nulls_first=True), "pk")[: filters.limit])
    return _with_offers(found, ("dismissed",) if filters.state == "dismissed" else ("open",))


def counts() -> dict[str, int]:
    """How many payments wait: `proposed` (something is offered) and `unmatched` (nothing is)."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT count(*) FILTER (WHERE offered), count(*) FILTER (WHERE NOT offered)
                 FROM (SELECT EXISTS (SELECT 1 FROM cash_proposal q
                                       WHERE q.organisation_id = p.organisation_id AND q.payment_id = p.id AND q.state = 'open') AS offered
                         FROM ledger_payment p WHERE p.organisation_id = %s AND p.unapplied_minor > 0) w""",
            [walls.current()],
        )
        proposed, unmatched = cursor.fetchone()
    return {"proposed": proposed, "unmatched": unmatched}


def payment(payment_id: int) -> PaymentView | None:
    """One payment, or None where there is none of that id."""
    row = Payment.objects.filter(pk=payment_id).select_related("customer", "connection").first()
    if row is None:
        return None
    return PaymentView(
        row=_with_offers([row], ("open", "dismissed"))[0], status=row.status, method=row.method, payer_account=row.payer_account,
        stated_document=row.stated_document, connection_name=row.connection.name, refunded_minor=row.refunded_minor, recorded_at=row.recorded_at,
        allocations=tuple(allocations(payment_id=payment_id)),
    )


def allocations(
    *, payment_id: int | None = None, document_id: int | None = None, customer_id: int | None = None, automatic: bool = False, live: bool = False,
    limit: int = 500,
) -> list[AllocationRow]:
    """Allocations, newest first: of a payment, of a document (as invoice or credit note), of a customer; only what machines and
    sources did (`automatic`), only what stands (`live`)."""
    with connection.cursor() as cursor:
        cursor.execute(
            _ALLOCATIONS,
            {
                "org": walls.current(), "payment": payment_id, "document": document_id, "customer": customer_id, "automatic": automatic, "live": live,
                "limit": limit,
            },
        )
        columns = [column.name for column in cursor.description or ()]
        return [AllocationRow(**dict(zip(columns, row, strict=True))) for row in cursor.fetchall()]


_ALLOCATIONS = """
SELECT a.id AS allocation_id, a.kind, a.payment_id, coalesce(p.payer_name, '') AS payer_name, a.credit_note_id,
       coalesce(n.number, '') AS credit_note_number, a.document_id, d.number AS document_number, d.customer_id, u.name AS customer_name, a.currency,
       a.amount_minor, a.date, a.recorded_at, a.retracted_at, a.retracted_reason, coalesce(a.evidence -> 'undone' ->> 'by', '') AS undone_by,
       a.actor_kind, a.actor_name, a.rule, a.reason
  FROM ledger_allocation a
  JOIN ledger_document d ON (d.organisation_id, d.id) = (a.organisation_id, a.document_id)
  JOIN ledger_customer u ON (u.organisation_id, u.id) = (d.organisation_id, d.customer_id)
  LEFT JOIN ledger_payment p ON (p.organisation_id, p.id) = (a.organisation_id, a.payment_id)
  LEFT JOIN ledger_document n ON (n.organisation_id, n.id) = (a.organisation_id, a.credit_note_id)
 WHERE a.organisation_id = %(org)s
   AND (%(payment)s::bigint IS NULL OR a.payment_id = %(payment)s)
   AND (%(document)s::bigint IS NULL OR a.document_id = %(document)s OR a.credit_note_id = %(document)s)
   AND (%(customer)s::bigint IS NULL OR d.customer_id = %(customer)s)
   AND (NOT %(automatic)s OR a.actor_kind <> 'person')
   AND (NOT %(live)s OR a.retracted_at IS NULL)
 ORDER BY a.id DESC LIMIT %(limit)s"""


def _exact(filters: Filters) -> dict[str, Any]:
    wanted: dict[str, Any] = {"currency": filters.currency} if filters.currency else {}
    return wanted | ({"customer_id": filters.customer_id} if filters.customer_id is not None else {})


def _text(text: str) -> Q:
    fields = ("payer_name", "reference", "remittance", "bank_ref", "external_id", "customer__name")
    found = Q()
    for field in fields:
        found |= Q(**{f"{field}__icontains": text})
    return found


def _with_offers(payments: Sequence[Payment], states: Iterable[str]) -> list[InboxRow]:
    proposals = list(Proposal.objects.filter(payment__in=payments, state__in=list(states)).order_by("place", "id"))
    ids = {line["document_id"] for proposal in proposals for line in proposal.lines}
    documents = {d.pk: d for d in Document.objects.filter(pk__in=ids).select_related("customer")} if ids else {}
    offers: dict[int, list[Offer]] = defaultdict(list)
    for p in proposals:
        lines = tuple(_line(line, documents[line["document_id"]]) for line in p.lines if line["document_id"] in documents)
        offer = Offer(proposal_id=p.pk, place=p.place, confidence=p.confidence, reason=p.reason, rival=p.rival, state=p.state, lines=lines)
        offers[p.payment_id].append(offer)
    return [_row(payment, tuple(offers[payment.pk])) for payment in payments]


def _line(line: dict[str, Any], document: Document) -> Line:
    return Line(
        document_id=document.pk, number=document.number, customer_id=document.customer_id, customer_name=document.customer.name,
        currency=document.currency, amount_minor=line["amount_minor"], open_minor=document.open_minor, due_date=document.due_date,
        write_off_minor=line.get("write_off_minor", 0), write_off_reason=line.get("write_off_reason", ""),
    )


def _row(p: Payment, offers: tuple[Offer, ...]) -> InboxRow:
    return InboxRow(
        payment_id=p.pk, date=p.date, payer_name=p.payer_name, reference=p.reference, remittance=p.remittance, bank_ref=p.bank_ref,
        currency=p.currency, amount_minor=p.amount_minor, unapplied_minor=p.unapplied_minor, customer_id=p.customer_id,
        customer_name=p.customer.name if p.customer else "", offers=offers,
    )
