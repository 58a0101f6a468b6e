"""The way back for files: what changed about the records of a file source, as a CSV its system can take in. Kept as handed out.

Applied money, statuses of documents and changed customers, each line with our key and theirs. What the source itself said is not said
back to it.
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
from collections.abc import Iterable, Iterator
from typing import Any

from django.db.models import Exists, Max, OuterRef, Q, QuerySet

from tieout.core.documents import settlement
from tieout.core.evidence import Actor, Refused
from tieout.core.money import minor_text
from tieout.stages.base import audit
from tieout.stages.intake.models import Connection
from tieout.stages.ledger.models import Allocation, Contact, Correction, Customer, Document, SourceRecord, Stated
from tieout.stages.writeback.models import Download

COLUMNS = (
    "what", "change", "our_key", "their_key", "number", "our_customer", "their_customer", "our_payment", "their_payment", "payment_from", "kind",
    "date", "currency", "amount", "open_amount", "status", "settlement", "name", "email", "phone", "country", "city", "tax_id", "changed_at",
)  # fmt: skip
#: What was recorded before the last file and committed after it is looked for again so far back; lines that stood in it are left out.
_OVERLAP = dt.timedelta(minutes=15)
Line = dict[str, str]
_Span = tuple[dt.datetime | None, dt.datetime]


def make(*, connection: Connection, since: dt.datetime | None, actor: Actor, now: dt.datetime) -> Download | Refused:
    """A file with what changed since the last one, or since a moment. Refused where there is nothing new to say."""
    connection = connection.lock()
    if connection.kind != "file":
        return Refused(f"{connection.name} is no source of files; what it is told goes through the outbox")
    last = Download.objects.filter(connection=connection).order_by("-ordinal").first()
    told: set[tuple[str, ...]] = set()
    begin = since
    if since is None and last is not None:
        begin = last.until - _OVERLAP
        told = {tuple(row) for one in Download.objects.filter(connection=connection, until__gte=begin) for row in _rows(bytes(one.content))}
    span = (begin, now)
    listed = [row for line in _lines(connection, span) if (row := tuple(line.get(name, "") for name in COLUMNS)) not in told]
    if not listed:
        return Refused("nothing has changed since the last file" if since is None and last is not None else "there is nothing to tell yet")
    content = _written(listed)
    ordinal = (Download.objects.filter(connection=connection).aggregate(last=Max("ordinal"))["last"] or 0) + 1
    made: Download = Download.objects.create(
        connection=connection, ordinal=ordinal, since=since if since is not None else last.until if last else None, until=now, made_at=now,
        made_by=actor.name[:300], lines=len(listed), sha256=hashlib.sha256(content).hexdigest(), content=content,
    )  # fmt: skip
    detail = {"connection": connection.pk, "ordinal": ordinal, "lines": len(listed), "sha256": made.sha256}
    audit.write(actor=actor, action="outbox.download", object_kind="download", object_id=made.pk, now=now, detail=detail)
    return made


def name(download: Download) -> str:
    """What the file is called."""
    return f"tieout-{download.connection_id}-{download.ordinal:04d}.csv"


def _lines(connection: Connection, span: _Span) -> Iterator[Line]:
    theirs = _Keys(connection)
    moved = list(_moved(connection, theirs, span))
    corrected = _within(Correction.objects.filter(kind__in=("invoice", "credit_note")), span)
    documents = {row.document_id for row in moved} | {row.credit_note_id for row in moved} | set(corrected.values_list("target_id", flat=True))
    yield from (_applied(row, change, theirs) for row in moved for change in _changes(row, span))
    known = Document.objects.filter(pk__in=documents - {None}).filter(theirs.have("kind", "pk")).select_related("customer").order_by("id")
    changed = _when(moved, corrected, span)
    yield from (_status(row, changed.get(row.pk, span[1]), theirs) for row in known)
    yield from (_customer(row, theirs) for row in _customers(connection, span))


def _moved(connection: Connection, keys: _Keys, span: _Span) -> QuerySet[Any]:
    """Applications made or taken back in the span, of documents or payments the source knows, that it has not stated itself."""
    rows = Allocation.objects.filter(_recorded(span) | _recorded(span, "retracted_at"))
    own = Stated.objects.filter(connection=connection, allocation_id=OuterRef("pk"))
    mine = Exists(keys.of(("invoice",), "document_id")) | Exists(keys.of(("payment",), "payment_id"))
    return rows.filter(mine).exclude(Exists(own)).select_related("document__customer", "payment__connection", "credit_note").order_by("id")


def _customers(connection: Connection, span: _Span) -> QuerySet[Any]:
    """Customers the source knows that somebody else has changed in the span."""
    record = SourceRecord.objects.filter(
        connection=connection, kind="customer", target_id=OuterRef("pk"), retracted_at__isnull=True, gone_at__isnull=True
    )
    return Customer.objects.filter(_recorded(span)).filter(Exists(record.exclude(seen_at=OuterRef("recorded_at")))).order_by("id")


def _changes(row: Allocation, span: _Span) -> list[str]:
    """What happened to an application in the span: applied, taken back, or both."""
    begin, end = span
    inside = [at is not None and (begin is None or at > begin) and at <= end for at in (row.recorded_at, row.retracted_at)]
    return [word for word, told in zip(("applied", "taken back"), inside, strict=True) if told]


def _applied(row: Allocation, change: str, theirs: _Keys) -> Line:
    money = row.payment or row.credit_note
    kind = "payment" if row.payment else "credit_note"
    at = row.recorded_at if change == "applied" else row.retracted_at
    return {
        "what": "applied", "change": change, "our_key": str(row.pk), "their_key": theirs.key(row.document.kind, row.document_id),
        "number": row.document.number, "our_customer": str(row.document.customer_id), "kind": row.kind,
        "their_customer": theirs.key("customer", row.document.customer_id), "our_payment": str(money.pk) if money else "",
        "their_payment": (theirs.key(kind, money.pk) or money.external_id) if money else "",
        "payment_from": money.connection.name if row.payment else "", "date": row.date.isoformat(), "currency": row.currency,
        "amount": minor_text(row.amount_minor, row.currency), "changed_at": _at(at),
    }  # fmt: skip


def _status(row: Document, at: dt.datetime, theirs: _Keys) -> Line:
    said = "" if row.status in ("void", "deleted") else settlement(amount=row.amount_minor, open_minor=row.open_minor)
    return {
        "what": "status", "our_key": str(row.pk), "their_key": theirs.key(row.kind, row.pk), "number": row.number,
        "our_customer": str(row.customer_id), "their_customer": theirs.key("customer", row.customer_id), "kind": row.kind,
        "date": row.due_date.isoformat() if row.due_date else "", "currency": row.currency, "amount": minor_text(row.amount_minor, row.currency),
        "open_amount": minor_text(row.open_minor, row.currency), "status": row.status, "settlement": said, "changed_at": _at(at),
    }  # fmt: skip


def _customer(row: Customer, theirs: _Keys) -> Line:
    contact = Contact.objects.filter(customer=row, retracted_at__isnull=True).exclude(email="").order_by("-rank", "id").first()
    return {
        "what": "customer", "our_key": str(row.pk), "their_key": theirs.key("customer", row.pk), "our_customer": str(row.pk),
        "their_customer": theirs.key("customer", row.pk), "name": row.name, "email": contact.email if contact else "", "phone": row.phone,
        "country": row.country, "city": row.city, "tax_id": row.tax_id, "currency": row.currency, "changed_at": _at(row.recorded_at),
    }  # fmt: skip


def _when(moved: Iterable[Allocation], corrected: QuerySet[Any], span: _Span) -> dict[int, dt.datetime]:
    """When each document was last touched in the span."""
    touched: dict[int, dt.datetime] = {}
    for target, *moments in corrected.values_list("target_id", "recorded_at", "retracted_at"):
        touched[target] = max([touched.get(target, moments[0]), *(at for at in moments if at is not None and at <= span[1])])
    for row in moved:
        latest = max(at for at in (row.recorded_at, row.retracted_at) if at is not None)
        for target in (row.document_id, row.credit_note_id):
            if target is not None:
                touched[target] = max(touched.get(target, latest), latest)
    return touched


def _recorded(span: _Span, field: str = "recorded_at") -> Q:
    begin, end = span
    return Q(**{f"{field}__lte": end}) & (Q(**{f"{field}__gt": begin}) if begin is not None else Q())


def _within(rows: QuerySet[Any], span: _Span) -> QuerySet[Any]:
    return rows.filter(_recorded(span) | _recorded(span, "retracted_at"))


class _Keys:
    """What the source calls our rows."""

    def __init__(self, connection: Connection) -> None:
        self._records = SourceRecord.objects.filter(connection=connection, retracted_at__isnull=True, gone_at__isnull=True)
        self._known: dict[tuple[str, int], str] = {}

    def of(self, kinds: tuple[str, ...], key: str) -> QuerySet[Any]:
        """Its records of an outer row."""
        return self._records.filter(kind__in=kinds, target_id=OuterRef(key))

    def have(self, kind: str, key: str) -> Exists:
        """Whether it has a record of an outer document."""
        return Exists(self._records.filter(kind=OuterRef(kind), target_id=OuterRef(key)))

    def key(self, kind: str, target_id: int) -> str:
        """Its key of one of our rows; empty where it does not know it."""
        if (kind, target_id) not in self._known:
            found = self._records.filter(kind=kind, target_id=target_id).order_by("id").values_list("external_id", flat=True).first()
            self._known[kind, target_id] = found or ""
        return self._known[kind, target_id]


def _at(moment: dt.datetime | None) -> str:
    return moment.astimezone(dt.UTC).isoformat(timespec="microseconds") if moment else ""


def _written(rows: Iterable[tuple[str, ...]]) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows(rows)
    return out.getvalue().encode("utf-8")


def _rows(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8"), newline="")))[1:]
