"""A person's word on one field: it outranks every source until it is retracted (promise P6)."""

from __future__ import annotations

import datetime as dt
from typing import Any

from tieout.core import party
from tieout.core.evidence import Actor
from tieout.stages.base import audit, feed
from tieout.stages.ledger import decide, version
from tieout.stages.ledger.models import Correction, Customer, Document, SourceRecord

CUSTOMER_FIELDS = frozenset({"name", "country", "city", "debtor_type", "time_zone", "language", "tax_id", "phone", "currency", "owner", "parent_id"})
DOCUMENT_FIELDS = frozenset({"due_date", "issue_date", "number", "po_number", "status", "amount_minor"})


class CorrectionRefused(Exception):
    """The field cannot be corrected to this value; the message says why."""


def field(*, kind: str, target_id: int, field: str, value: Any, reason: str, actor: Actor, now: dt.datetime) -> Correction:
    """Set `field` of a customer, invoice or credit note by a person's word; what stood there before is kept."""
    row = _target(kind, target_id, field)
    before = getattr(row, field)
    _set(row, kind, field, value, now)
    Correction.objects.filter(kind=kind, target_id=target_id, field=field, retracted_at__isnull=True).update(retracted_at=now)
    correction: Correction = Correction.objects.create(
        kind=kind,
        target_id=target_id,
        field=field,
        value=_plain(value),
        before=_plain(before),
        reason=reason,
        by=actor.name[:300],
        by_id=actor.id,
        recorded_at=now,
    )
    audit.write(
        actor=actor,
        action="correct",
        object_kind=kind,
        object_id=target_id,
        now=now,
        reason=reason,
        detail={"field": field, "before": _plain(before), "after": _plain(value)},
    )
    return correction


def retract(*, correction: Correction, actor: Actor, now: dt.datetime) -> None:
    """Take a correction back: the source's word counts again (its latest, or what stood there before)."""
    if correction.retracted_at is not None:
        return
    row = _target(correction.kind, correction.target_id, correction.field)
    _set(row, correction.kind, correction.field, correction.before, now)
    correction.retracted_at = now
    correction.save(update_fields=["retracted_at"])
    if correction.kind == "customer":
        decide.run(customer_ids=[correction.target_id], now=now)
    else:
        # The next reading takes in what its source has said since, as if it were new.
        born = SourceRecord.objects.filter(kind=correction.kind, target_id=correction.target_id, retracted_at__isnull=True)
        born.filter(connection_id=row.connection_id).update(content_hash=b"\x00")
    audit.write(
        actor=actor,
        action="correct.retract",
        object_kind=correction.kind,
        object_id=correction.target_id,
        now=now,
        detail={"field": correction.field},
    )


def _target(kind: str, target_id: int, name: str) -> Any:
    allowed = CUSTOMER_FIELDS if kind == "customer" else DOCUMENT_FIELDS
    if name not in allowed:
        raise CorrectionRefused(f"{name} cannot be corrected by hand; fields that can: {', '.join(sorted(allowed))}")
    model = Customer if kind == "customer" else Document
    row = model.objects.select_for_update().filter(pk=target_id).first()
    if row is None:
        raise CorrectionRefused(f"there is no {kind.replace('_', ' ')} {target_id}")
    return row


def _set(row: Any, kind: str, name: str, value: Any, now: dt.datetime) -> None:
    if name in ("due_date", "issue_date") and isinstance(value, str):
        value = dt.date.fromisoformat(value) if value else None
    if name == "amount_minor" and int(value) < row.allocated_minor + row.written_off_minor:
        raise CorrectionRefused("the amount would fall below what is already applied; undo that first")
    setattr(row, name, value)
    row.recorded_at = now
    names = [name, "recorded_at"]
    if kind == "customer" and name == "name":
        row.name = party.tidy(str(value))[:300]
        row.folded_name = party.fold(row.name)[:300]
        names.append("folded_name")
    row.save(update_fields=names)
    if kind == "customer":
        feed.publish(kind="customer", ids=[row.pk], customer_ids=[row.pk], cause="correction", now=now)
    else:
        version.of_document(document=row, cause="correction", now=now)


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, dt.date) else value
