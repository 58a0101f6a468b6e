"""What a person decides about an effect that a machine may not: that it happened, that it is to be tried again, that it is not wanted."""

from __future__ import annotations

import datetime as dt

from tieout.core.evidence import Actor, Refused
from tieout.stages.base import audit
from tieout.stages.ledger.models import SourceRecord
from tieout.stages.writeback import recognise
from tieout.stages.writeback.models import Outgoing

#: States that wait for somebody.
OPEN = ("unknown", "failed", "person")


def happened(*, effect: Outgoing, external_id: str, checked: str, actor: Actor, now: dt.datetime) -> Refused | None:
    """It happened; `external_id` is what it is called there, `checked` what the other side says of that. Our row is linked to it."""
    row = effect.lock()
    if row.state != "unknown":
        return Refused("only of an effect whose outcome is unknown can somebody say that it happened")
    external_id = external_id.strip()
    if row.kind in recognise.MAKES:
        if not external_id:
            return Refused("say which id it has there, so that the two are known to be the same")
        taken = SourceRecord.objects.filter(
            connection_id=row.connection_id, kind=recognise.MAKES[row.kind], external_id=external_id, retracted_at__isnull=True
        ).exclude(target_id=row.subject_id)  # fmt: skip
        if taken.exists():
            return Refused(f"{external_id} is known as another {recognise.MAKES[row.kind].replace('_', ' ')} of ours already")
        recognise.link(row=row, external_id=external_id, now=now)
    row.state, row.external_id, row.settled_at = Outgoing.State.DONE, external_id, now
    row.receipt = f"{actor.name} says it happened{f', {checked}' if checked else ''}"
    row.save(update_fields=["state", "external_id", "settled_at", "receipt"])
    _told(row, "outbox.happened", actor, now, external_id=external_id, checked=checked)
    return None


def again(*, effect: Outgoing, actor: Actor, now: dt.datetime) -> Refused | None:
    """Try it (again): of an unknown one this says that it did not happen."""
    row = effect.lock()
    if row.state not in OPEN:
        return Refused(f"it is {row.get_state_display().lower()} by now")
    before, said = row.state, row.receipt
    _back_in_line(row, now)
    _told(row, "outbox.again", actor, now, before=before, receipt=said)
    return None


def drop(*, effect: Outgoing, reason: str, actor: Actor, now: dt.datetime) -> Refused | None:
    """It is not to be told; it stays in the list with who said so."""
    row = effect.lock()
    if row.state not in ("failed", "person"):
        return Refused(f"it is {row.get_state_display().lower()} by now")
    if not reason.strip():
        return Refused("say in a few words why it is not needed there")
    before = row.receipt
    row.state, row.lacks, row.settled_at = Outgoing.State.DONE, "", now
    row.receipt = f"not told: {actor.name} says {reason.strip()}"
    row.save(update_fields=["state", "lacks", "settled_at", "receipt"])
    _told(row, "outbox.drop", actor, now, reason=reason.strip(), receipt=before)
    return None


def resume(*, connection_id: int, now: dt.datetime) -> int:
    """What waited for a person to say what goes where is tried again by itself, now that more has been said; returns how many."""
    rows = list(Outgoing.objects.select_for_update().filter(connection_id=connection_id, state="person"))
    for row in rows:
        _back_in_line(row, now)
    return len(rows)


def _back_in_line(row: Outgoing, now: dt.datetime) -> None:
    row.state, row.settled_at, row.not_before, row.lacks = Outgoing.State.WAITING, None, now, ""
    row.save(update_fields=["state", "settled_at", "not_before", "lacks"])


def _told(row: Outgoing, action: str, actor: Actor, now: dt.datetime, *, reason: str = "", **detail: str) -> None:
    whole = {"act": row.kind, "key": row.natural_key, "connection": row.connection_id, **detail}
    audit.write(actor=actor, action=action, object_kind="outgoing", object_id=row.pk, now=now, reason=reason, detail=whole)
