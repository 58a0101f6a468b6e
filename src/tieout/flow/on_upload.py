"""A file arrives: keep it, read it, state it, set aside what cannot be taken, then see what the money now says.

Two transactions: the bytes are kept and committed first; everything made of them is one transaction, so that a file
is in the ledger whole or not at all, and a dead run is taken up again from the bytes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from uuid import UUID

import msgspec

from tieout.adapters.ports import registry
from tieout.adapters.ports.errors import BadRecord, NeedsPerson, TryLater, Unsupported
from tieout.adapters.ports.format import Profile, RowFinding
from tieout.adapters.ports.upload import Upload
from tieout.core.documents import Record
from tieout.core.evidence import Actor
from tieout.flow import clock, identity, on_cash
from tieout.stages.base import audit, crash, walls
from tieout.stages.intake import connect, original, quarantine, receive, run
from tieout.stages.intake.models import Connection, Envelope, QuarantinedRow, Run
from tieout.stages.intake.quarantine import SetAside
from tieout.stages.ledger import merge, stage, take_stock
from tieout.stages.writeback import compare

#: Rows set aside past this are still counted, and the file itself is kept; somebody should look at the profile first.
MOST_SET_ASIDE = 20_000
#: From this many changed records on, the planner's statistics are refreshed at once.
BULK = 2_000


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a file: `state` is applied, ignored, quarantined or received (taken up later)."""

    envelope_id: int
    run_id: int | None
    state: str
    reason: str
    read: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    quarantined: int = 0
    skipped: int = 0
    notices: tuple[dict[str, Any], ...] = ()


def take(
    *,
    organisation_id: UUID,
    connection_id: int,
    name: str,
    chunks: Iterable[bytes],
    actor: Actor,
    answers: Mapping[str, str] | None = None,
    progress: Callable[[int, int], None] | None = None,
    later: bool = False,
) -> Taken:
    """Keep a file and take it in. `later` leaves the second half to a worker (the caller defers the job).

    Opens its own transactions; call it outside `walls.inside`, or inside for the whole to be one.
    """
    with walls.inside(organisation_id):
        now = clock.now()
        connection = Connection.objects.get(pk=connection_id)
        envelope, is_new = receive.envelope(connection=connection, name=name, chunks=chunks, now=now, answers=dict(answers or {}))
        if not is_new and envelope.state != Envelope.State.RECEIVED:
            # The source has spoken, even if it said nothing new: it is fresh.
            connection.last_success_at, connection.last_attempt_at = now, now
            connection.save(update_fields=["last_success_at", "last_attempt_at"])
            reason = f"the same file as on {envelope.received_at:%Y-%m-%d %H:%M} UTC; nothing to do"
            return Taken(envelope_id=envelope.pk, run_id=None, state="ignored", reason=reason)
    crash.point("intake.after_receive")
    if later:
        return Taken(envelope_id=envelope.pk, run_id=None, state="received", reason="waiting to be read")
    return read(organisation_id=organisation_id, envelope_id=envelope.pk, actor=actor, progress=progress)


def read(*, organisation_id: UUID, envelope_id: int, actor: Actor, progress: Callable[[int, int], None] | None = None) -> Taken:
    """Take in what was kept; a second call for an envelope that has reached its end does nothing."""
    with walls.inside(organisation_id):
        envelope = Envelope.objects.get(pk=envelope_id)
        started = run.begin(connection=envelope.connection, envelope=envelope, now=clock.now())
    try:
        with walls.inside(organisation_id):
            envelope = Envelope.objects.select_for_update().get(pk=envelope_id)
            if envelope.state != Envelope.State.RECEIVED:
                Run.objects.filter(pk=started.pk).delete()
                return Taken(envelope_id=envelope.pk, run_id=None, state=envelope.state, reason=envelope.reason)
            taken = _into_the_ledger(envelope=envelope, started=started, actor=actor, progress=progress)
    except (NeedsPerson, Unsupported, BadRecord, TryLater) as refusal:
        # Nothing was taken; the bytes are kept and the reason is shown where the file is.
        with walls.inside(organisation_id):
            envelope = Envelope.objects.get(pk=envelope_id)
            now = clock.now()
            run.failed(run=started, error=str(refusal), now=now)
            receive.settle(envelope=envelope, state=Envelope.State.QUARANTINED, reason=str(refusal), now=now)
        return Taken(envelope_id=envelope_id, run_id=started.pk, state="quarantined", reason=str(refusal))
    if taken.created + taken.updated >= BULK:
        with walls.inside(organisation_id):
            take_stock.run()
    if taken.created + taken.updated:
        identity.follow(organisation_id)
    return taken


def again(*, organisation_id: UUID, envelope_id: int, actor: Actor, answers: Mapping[str, str] | None = None) -> Taken:
    """A kept file once more: after its profile was mended or a question answered."""
    with walls.inside(organisation_id):
        envelope = Envelope.objects.get(pk=envelope_id)
        envelope.state, envelope.answers = Envelope.State.RECEIVED, {**envelope.answers, **(answers or {})}
        envelope.save(update_fields=["state", "answers"])
    return read(organisation_id=organisation_id, envelope_id=envelope_id, actor=actor)


def replay(*, organisation_id: UUID, row_id: int, values: dict[str, str], actor: Actor) -> str | None:
    """A mended row: read it again; None when it was taken, else what is still wrong. The row is kept either way."""
    with walls.inside(organisation_id):
        now = clock.now()
        row = QuarantinedRow.objects.select_for_update().get(pk=row_id)
        if row.state != QuarantinedRow.State.OPEN:
            return f"this row is {row.get_state_display().lower()} already"
        profile = _profile(row.connection)
        if profile is None:
            return "the connection has no saved profile; import a file of it first"
        results = list(registry.reread([(row.line or 1, values)], profile=profile))
        wrong = next((r for r in results if isinstance(r, RowFinding) and r.blocking), None)
        records = [r for r in results if isinstance(r, Record)]
        if wrong is not None or not records:
            aside = _set_aside(wrong) if wrong else SetAside(code="empty", message="nothing was read from this row", raw=dict(values))
            quarantine.still_bad(row=row, found=aside, values=values)
            return aside.message
        started = run.begin(connection=row.connection, envelope=row.envelope, now=now)
        with stage.as_intake():
            staged = stage.Staged(run_id=started.pk)
            skipped = sum(not staged.add(record) for record in records)
            staged.finish()
            merged = merge.run(run_id=started.pk, connection_id=row.connection_id, envelope_id=row.envelope_id, now=now)
        if merged.refused:
            started.delete()
            quarantine.still_bad(row=row, found=SetAside(code=merged.refused[0].code, message=merged.refused[0].message, raw=values), values=values)
            return merged.refused[0].message
        counts = {
            "read": len(records), "created": merged.created, "updated": merged.updated, "unchanged": merged.unchanged,
            "skipped": skipped + merged.repeated,
        }  # fmt: skip
        run.done(run=started, counts=counts, notices=[], now=now)
        quarantine.mended(row=row, actor=actor, now=now, values=values)
        on_cash.after_money(customer_ids=merged.customer_ids, now=now)
        compare.run(customer_ids=merged.customer_ids, now=now)
        return None


def _into_the_ledger(*, envelope: Envelope, started: Run, actor: Actor, progress: Callable[[int, int], None] | None) -> Taken:
    now = clock.now()
    connection = envelope.connection
    aside: list[SetAside] = []
    notices: list[dict[str, Any]] = []
    counts = {"read": 0, "skipped": 0}
    with original.on_disk(envelope=envelope) as path, stage.as_intake():
        upload = _named(Upload.of_path(path), envelope.name)
        profile = _profile(connection) or _learn(connection, upload, envelope.answers, actor, now)
        staged = stage.Staged(run_id=started.pk)
        for item in _items(upload, profile, envelope.answers, progress):
            if isinstance(item, RowFinding):
                if item.blocking:
                    counts["read"] += 1
                    aside.append(_set_aside(item))
                else:
                    notices.append({"line": item.line, "code": item.code, "message": item.message})
                continue
            counts["read"] += 1
            if not staged.add(item):
                counts["skipped"] += 1
        staged.finish()
        crash.point("intake.after_stage")
        merged = merge.run(run_id=started.pk, connection_id=connection.pk, envelope_id=envelope.pk, now=now)
    for r in merged.refused:
        aside.append(SetAside(code=r.code, message=r.message, line=r.line, raw=r.raw))
    quarantine.supersede(connection_id=connection.pk, run=started, now=now)
    quarantined = quarantine.add(rows=aside[:MOST_SET_ASIDE], run=started, envelope=envelope) + max(0, len(aside) - MOST_SET_ASIDE)
    if merged.repeated:
        notices.append({"line": None, "code": "repeated", "message": f"{merged.repeated} rows repeat a key of this file; the last of each was taken"})
    taken = merged.created + merged.updated + merged.unchanged
    done = {
        "read": counts["read"],
        "created": merged.created,
        "updated": merged.updated,
        "unchanged": merged.unchanged,
        "quarantined": quarantined,
        "skipped": counts["skipped"] + merged.repeated,
    }
    run.done(run=started, counts=done, notices=notices, now=now)
    state = Envelope.State.APPLIED if taken or not quarantined else Envelope.State.QUARANTINED
    reason = f"{taken} records taken, {quarantined} rows set aside" if state == Envelope.State.APPLIED else f"all {quarantined} rows were set aside"
    receive.settle(envelope=envelope, state=state, reason=reason, now=now)
    on_cash.after_money(customer_ids=merged.customer_ids, now=now)
    compare.run(customer_ids=merged.customer_ids, now=now)
    crash.point("intake.after_merge")
    audit.write(
        actor=actor, action="import", object_kind="envelope", object_id=envelope.pk, now=now, reason=reason, detail={"file": envelope.name, **done}
    )
    return Taken(envelope_id=envelope.pk, run_id=started.pk, state=state, reason=reason, notices=tuple(notices[:200]), **done)


def _items(
    upload: Upload, profile: Profile, answers: Mapping[str, str], progress: Callable[[int, int], None] | None
) -> Iterator[Record | RowFinding]:
    return registry.read(upload, profile=profile, answers=answers, progress=progress)


def _profile(connection: Connection) -> Profile | None:
    return msgspec.convert(connection.profile, Profile) if connection.profile else None


def _learn(connection: Connection, upload: Upload, answers: Mapping[str, str], actor: Actor, now: dt.datetime) -> Profile:
    """The first file of a connection: what was recognised becomes its profile; open questions stop it for a person."""
    preview = registry.preview(upload, answers=answers)
    if preview.questions:
        raise NeedsPerson("; ".join(q.message for q in preview.questions))
    connect.profile(connection=connection, profile=msgspec.to_builtins(preview.profile), actor=actor, now=now)
    return preview.profile


def _named(upload: Upload, name: str) -> Upload:
    return msgspec.structs.replace(upload, name=name)


def _set_aside(finding: RowFinding) -> SetAside:
    return SetAside(
        code=finding.code, message=finding.message, line=finding.line, column=finding.column or "", field=finding.field or "", raw=dict(finding.raw)
    )
