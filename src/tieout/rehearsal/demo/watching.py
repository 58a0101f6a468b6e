"""What one watches: the newest invoices of the web shop, and when each of the four systems learnt of them."""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
from collections.abc import Iterable

import msgspec

from tieout.core.money import minor_text
from tieout.rehearsal.demo import connected
from tieout.stages.base import queries
from tieout.stages.intake import hint
from tieout.stages.intake.models import Connection, Envelope
from tieout.stages.ledger.models import Allocation, Document, SourceRecord
from tieout.stages.outreach import ends
from tieout.stages.outreach.models import Message
from tieout.stages.writeback.models import Outgoing

#: Invoices shown: those something happened to last, and those that have been owed for longest.
_NEWEST, _OLDEST = 4, 2
#: Deliveries looked through for when Stripe told of an invoice.
_DELIVERIES = 120
#: What a customer's company was told, so many times back.
_STATUSES = 20
#: What took longer did not travel while somebody watched.
_LONG = dt.timedelta(minutes=10)
_STATES = {"open": "open", "part": "part paid", "paid": "paid", "void": "void"}


class Stop(msgspec.Struct, frozen=True, kw_only=True):
    """How an invoice stands in one system: a state, since when it is known there, and how long after Stripe said so."""

    title: str
    state: str = ""
    said: str = ""
    at: dt.datetime | None = None
    seconds: float | None = None


class Flow(msgspec.Struct, frozen=True, kw_only=True):
    """One invoice on its way."""

    document_id: int
    number: str
    customer_id: int
    customer: str
    currency: str
    amount: str
    open: str
    page: str
    payable: bool
    overdue: bool
    stops: tuple[Stop, ...]
    reminder: str = ""
    message_id: int | None = None


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """One of the systems: its page, and what is wrong with it in words."""

    title: str
    page: str
    connection_id: int | None
    wrong: str = ""


class Watch(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the panel shows. `digest` is the same while nothing changes."""

    places: tuple[Place, ...]
    flows: tuple[Flow, ...]
    digest: str = ""


def watch() -> Watch | None:
    """Inside the organisation's walls; None where the sample has no twins."""
    rows = connected.connections()
    if connected.STRIPE not in rows:
        return None
    ahead = dt.timedelta(days=queries.profile().clock_offset_days)
    places = tuple(
        Place(title=title, page=connected.url(vendor), connection_id=rows[vendor].pk if vendor in rows else None, wrong=_wrong(rows.get(vendor)))
        for vendor, title in ((connected.STRIPE, "Stripe"), ("", "Tieout"), (connected.QUICKBOOKS, "QuickBooks"), (connected.HUBSPOT, "HubSpot"))
        if not vendor or vendor in rows
    )
    documents = _documents(rows[connected.STRIPE].pk)
    told = _told(rows[connected.STRIPE].pk, {record.external_id for record in _records(rows[connected.STRIPE], documents).values()})
    flows = tuple(_flow(row, rows, told, ahead) for row in documents)
    digest = hashlib.sha256(msgspec.json.encode([places, flows])).hexdigest()[:16]
    return Watch(places=places, flows=flows, digest=digest)


def _documents(connection_id: int) -> list[Document]:
    ours = Document.objects.filter(connection_id=connection_id, kind="invoice").exclude(status="draft").select_related("customer")
    newest = list(ours.order_by("-recorded_at", "-id")[:_NEWEST])
    owed = ours.filter(status="open", open_minor__gt=0).exclude(pk__in=[d.pk for d in newest]).order_by("due_date", "id")
    # First those a letter waits for: paying one is what ends it.
    waiting = Message.objects.filter(state__in=ends.WAITING, customer__in=owed.values("customer_id")).values_list("document_ids", flat=True)
    asked = {int(i) for ids in waiting for i in ids}
    return newest + sorted(owed, key=lambda row: row.pk not in asked)[:_OLDEST]


def _records(connection: Connection, documents: Iterable[Document]) -> dict[int, SourceRecord]:
    ids = [row.pk for row in documents]
    found = SourceRecord.objects.filter(
        connection_id=connection.pk, kind="invoice", target_id__in=ids, retracted_at__isnull=True, gone_at__isnull=True
    )
    return {record.target_id: record for record in found.order_by("-id")}


def _told(connection_id: int, wanted: set[str]) -> dict[str, dt.datetime]:
    """When a delivery last named each of these invoices."""
    found: dict[str, dt.datetime] = {}
    rows = Envelope.objects.filter(connection_id=connection_id, media_type=hint.MEDIA_TYPE).order_by("-id")[:_DELIVERIES]
    for row in rows:
        body = gzip.decompress(bytes(row.body)).decode("utf-8", "replace")
        for external_id in wanted - set(found):
            if f'"{external_id}"' in body:
                found[external_id] = row.received_at
    return found


def _flow(row: Document, rows: dict[str, Connection], told: dict[str, dt.datetime], ahead: dt.timedelta) -> Flow:
    stripe = _records(rows[connected.STRIPE], [row]).get(row.pk)
    external_id = stripe.external_id if stripe else ""
    # Deliveries are stamped by the machine's clock, everything of ours by the company's.
    began = told[external_id] + ahead if external_id in told else None
    state = _state(row.status, row.open_minor, row.amount_minor)
    overdue = state in ("open", "part") and row.due_date is not None and row.due_date < queries.today_of(queries.profile(), _now(ahead))
    reminder, message_id = _reminder(row)
    stops = (
        Stop(title="Stripe", state=_STATES[state], at=began, said="" if began else "before it was watched"),
        _ours(row, state, began), _books(row, rows.get(connected.QUICKBOOKS), began), _crm(row, rows.get(connected.HUBSPOT), began),
    )  # fmt: skip
    page = f"{connected.url(connected.STRIPE)}/pay/{external_id}" if external_id else ""
    return Flow(
        document_id=row.pk, number=row.number, customer_id=row.customer_id, customer=row.customer.name, currency=row.currency,
        amount=minor_text(row.amount_minor, row.currency), open=minor_text(row.open_minor, row.currency), page=page,
        payable=bool(page) and state in ("open", "part"), overdue=overdue, stops=stops, reminder=reminder, message_id=message_id,
    )  # fmt: skip


def _now(ahead: dt.timedelta) -> dt.datetime:
    return dt.datetime.now(dt.UTC) + ahead


def _state(status: str, open_minor: int, amount_minor: int) -> str:
    if status in ("void", "deleted"):
        return "void"
    if open_minor <= 0:
        return "paid"
    return "open" if open_minor >= amount_minor else "part"


def _after(began: dt.datetime | None, at: dt.datetime | None) -> float | None:
    if began is None or at is None or not dt.timedelta(0) <= at - began < _LONG:
        return None
    return round((at - began).total_seconds(), 1)


def _ours(row: Document, state: str, began: dt.datetime | None) -> Stop:
    applied = Allocation.objects.filter(document=row, retracted_at__isnull=True).order_by("-id").values_list("recorded_at", flat=True).first()
    at = max(row.recorded_at, applied) if applied else row.recorded_at
    return Stop(title="Tieout", state=_STATES[state], at=at, seconds=_after(began, at))


def _books(row: Document, connection: Connection | None, began: dt.datetime | None) -> Stop:
    if connection is None:
        return Stop(title="QuickBooks", said="not connected")
    record = _records(connection, [row]).get(row.pk)
    payments = list(Allocation.objects.filter(document=row, payment__isnull=False).values_list("payment_id", flat=True))
    told = Outgoing.objects.filter(connection=connection)
    mine = [
        *told.filter(subject_kind="invoice", subject_id=row.pk), *told.filter(subject_kind="payment", subject_id__in=payments),
        *told.filter(subject_kind="customer", subject_id=row.customer_id, state__in=("waiting", "claimed", "failed", "unknown")),
    ]  # fmt: skip
    pending = next((one for one in mine if one.state in ("failed", "unknown")), None) or next((o for o in mine if o.state != "done"), None)
    at = max((one.settled_at for one in mine if one.state == "done" and one.settled_at), default=None)
    if record is None:
        return Stop(title="QuickBooks", said=_pending(pending) or "not there: it was born before the books were connected")
    state = _state(record.reported_status, record.reported_open_minor or 0, record.reported_minor or 0)
    return Stop(title="QuickBooks", state=_STATES[state], at=at, said=_pending(pending), seconds=_after(began, at))


def _crm(row: Document, connection: Connection | None, began: dt.datetime | None) -> Stop:
    if connection is None:
        return Stop(title="HubSpot", said="not connected")
    told = list(Outgoing.objects.filter(connection=connection, kind="status", subject_id=row.customer_id).order_by("-id")[:_STATUSES])
    done = [one for one in told if one.state == "done" and one.settled_at]
    if not done:
        return Stop(title="HubSpot", said=_pending(told[0] if told else None) or "nothing was told of this customer yet")
    # The first word after Stripe's is the one about this invoice; what was said later is about others.
    first = next((one for one in reversed(done) if began and one.settled_at and one.settled_at >= began), done[0])
    owes = minor_text(int(first.body["balance_minor"]), str(first.body["currency"]))
    state = f"owes {owes} {first.body['currency']}" if int(first.body["balance_minor"]) else "owes nothing"
    waits = _pending(told[0]) if told[0].state != "done" else ""
    return Stop(title="HubSpot", state=state, at=first.settled_at, said=waits, seconds=_after(began, first.settled_at))


def _pending(row: Outgoing | None) -> str:
    if row is None:
        return ""
    words = {"failed": "refused", "unknown": "nobody knows whether it arrived"}.get(row.state, "on its way")
    return f"{words}: {row.receipt}" if row.receipt else words


def _reminder(row: Document) -> tuple[str, int | None]:
    """The newest letter about the invoice that has not left, or has ended without leaving."""
    newest = Message.objects.filter(customer_id=row.customer_id, document_ids__contains=[row.pk]).order_by("-id").first()
    if newest is None or newest.state in ("sent", "sending", "bounced", "refused", "unknown"):
        return "", None
    words = {"draft": "a reminder waits for approval", "planned": "a reminder is ready to send", "held": "a reminder is held"}
    said = words.get(newest.state, f"its reminder was cancelled: {newest.outcome}")
    return (f"{said}: {newest.hold_reason}" if newest.state == "held" and newest.hold_reason else said), newest.pk


def _wrong(connection: Connection | None) -> str:
    if connection is None:
        return ""
    return connection.needs_person or connection.last_error
