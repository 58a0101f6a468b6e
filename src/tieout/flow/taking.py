"""Objects of a connected system into the ledger: translated, staged, merged; what cannot be understood is set aside with its reason,
what is gone there is marked, and what the money now says is settled. In the transaction of the caller's checkpoint.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from tieout.adapters.ports.connector import Connector, Raw, Ref
from tieout.adapters.ports.errors import BadRecord
from tieout.flow import later, on_cash
from tieout.stages.cash import entry
from tieout.stages.intake import keep, quarantine, run
from tieout.stages.intake.models import Connection, Run
from tieout.stages.intake.quarantine import SetAside
from tieout.stages.ledger import gone, merge, stage
from tieout.stages.writeback import compare, outbox, recognise


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """What became of some objects. `seen` counts objects, the others count canonical records. `again` are objects of which nobody can
    say whether the answer is older than what we hold: they are to be read once more."""

    seen: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    gone: int = 0
    quarantined: int = 0
    again: tuple[Ref, ...] = ()


def raws(
    *, connector: Connector, settings: Mapping[str, Any], raws: Iterable[Raw], content: bytes, connection_id: int, run_id: int, settle_after: bool,
    now: dt.datetime, asked_at: dt.datetime | None = None,
) -> Taken:  # fmt: skip
    """Take objects in. `content` is what they came in, kept where anything of it was new; empty keeps the objects themselves.

    With `settle_after` cash follows at once; a history does that once at its end. An answer older than what we hold is not taken; where
    the system tells no age, one asked for (`asked_at`) before something newer was taken in is not taken either, and read again.
    """
    given = list(raws)
    if not given:
        return Taken()
    kinds = {one.name: one.kinds for one in connector.manifest.streams}
    sorted_out = later.of(connection_id=connection_id, raws=given, kinds=kinds, asked_at=asked_at)
    objects, passed = sorted_out.taken, len(given)
    if not objects:
        return Taken(seen=passed, unchanged=sorted_out.older, again=sorted_out.again)
    aside: list[SetAside] = []
    understood: list[tuple[str, str]] = []
    dead: dict[str, list[Raw]] = defaultdict(list)
    envelope_id = keep.number()
    # What we wrote there ourselves may be read before our own receipt is kept: it is recognised by the key it carries.
    if connector.manifest.abilities.writes and outbox.ever(connection_id=connection_id):
        recognise.echoes(connection_id=connection_id, made_by=_made_by(connector, objects), now=now)
    with stage.as_intake():
        # Staged under a number of their own, so that the rows of the checkpoints before are not in the way.
        staged = stage.Staged(run_id=envelope_id)
        for number, raw in enumerate(objects, 1):
            if raw.gone:
                dead[raw.stream].append(raw)
                understood.append((raw.stream, raw.id))
                continue
            try:
                records = connector.translate(raw, settings)
            except BadRecord as error:
                aside.append(_aside(raw, "not_understood", str(error), error.field or ""))
                continue
            for record in records:
                staged.add(msgspec.structs.replace(record, line=number))
            understood.append((raw.stream, raw.id))
        staged.finish()
        merged = merge.run(run_id=envelope_id, connection_id=connection_id, envelope_id=envelope_id, now=now, system=True)
    for refused in merged.refused:
        raw = objects[(refused.line or 1) - 1]
        aside.append(_aside(raw, refused.code, refused.message, ""))
        understood.remove((raw.stream, raw.id))
    touched: set[int] | None = None if merged.customer_ids is None else set(merged.customer_ids)
    count = 0
    for stream_name, some in dead.items():
        for kind in kinds[stream_name]:
            found = gone.at_source(connection_id=connection_id, kind=kind, external_ids=[r.id for r in some], how=some[0].gone, now=now)
            touched = None if touched is None else touched | set(found)
        count += len(some)
    if merged.created or merged.updated or aside or dead:
        keep.envelope(
            number=envelope_id, connection_id=connection_id, run_id=run_id, content=content or b"\n".join(r.body for r in objects), now=now,
            set_aside=len(aside),
        )  # fmt: skip
    if aside:
        started = Run.objects.get(pk=run_id)
        quarantine.of_objects(rows=aside, run=started, envelope_id=envelope_id, now=now)
    later.note(connection_id=connection_id, raws=objects, kinds=kinds)
    quarantine.understood(connection_id=connection_id, objects=understood, run_id=run_id, now=now)
    entry.yielded(merged.yielded, now=now)
    if settle_after and (merged.created or merged.updated or count or touched is None or touched):
        settle(customer_ids=touched, now=now)
    return Taken(
        seen=passed, created=merged.created, updated=merged.updated, unchanged=merged.unchanged + sorted_out.older, gone=count,
        quarantined=len(aside), again=sorted_out.again,
    )  # fmt: skip


def echo(
    *, connector: Connector, settings: Mapping[str, Any], objects: list[Raw], connection_id: int, now: dt.datetime,
    asked_at: dt.datetime,
) -> None:  # fmt: skip
    """What the other side answered to a write of ours, taken in like anything it says."""
    # Locked, as a reader locks it: whoever comes second sees what the first has taken in, and its age.
    started = run.begin(connection=Connection.objects.select_for_update().get(pk=connection_id), envelope=None, now=now)
    started.mode = "echo"
    taken = raws(
        connector=connector, settings=settings, raws=objects, content=b"", connection_id=connection_id, run_id=started.pk,
        settle_after=True, now=now, asked_at=asked_at,
    )
    counts = {"created": taken.created, "updated": taken.updated, "unchanged": taken.unchanged, "quarantined": taken.quarantined}
    run.done(run=started, counts={**counts, "read": sum(counts.values()), "tombstoned": taken.gone}, notices=[], now=now)


def _made_by(connector: Connector, objects: list[Raw]) -> dict[str, str]:
    made: dict[str, str] = {}
    for raw in objects:
        # What is not even JSON is set aside by the translation, with its reason.
        with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError, BadRecord):
            key = "" if raw.gone else connector.owner(raw)
            if key:
                made[raw.id] = key
    return made


def settle(*, customer_ids: Iterable[int] | None, now: dt.datetime) -> None:
    """What follows from new facts of these customers (None: of anybody)."""
    on_cash.after_money(customer_ids=customer_ids, now=now)
    compare.run(customer_ids=None if customer_ids is None else list(customer_ids), now=now)


def ended(*, run_id: int, connection_id: int, synced: Mapping[str, Any], now: dt.datetime) -> None:
    """Close the run of a reading with its counts; one that met nothing new and did not fail leaves no trace of its own."""
    started = Run.objects.get(pk=run_id)
    if synced["stopped"]:
        run.failed(run=started, error=synced["stopped"], now=now)
    if not synced["stopped"] and not (synced["created"] or synced["updated"] or synced["gone"] or synced["quarantined"]):
        connection = Connection.objects.get(pk=connection_id)
        connection.last_success_at, connection.last_error = now, ""
        connection.save(update_fields=["last_success_at", "last_error"])
        started.delete()
        return
    counts = {
        "read": synced["created"] + synced["updated"] + synced["unchanged"] + synced["quarantined"], "created": synced["created"],
        "updated": synced["updated"], "unchanged": synced["unchanged"], "quarantined": synced["quarantined"], "tombstoned": synced["gone"],
        "calls": synced["calls"],
    }  # fmt: skip
    if synced["stopped"]:
        for name, value in counts.items():
            setattr(started, name, value)
        started.save(update_fields=list(counts))
    else:
        run.done(run=started, counts=counts, notices=[], now=now)


def _aside(raw: Raw, code: str, message: str, field: str) -> SetAside:
    try:
        body = json.loads(raw.body)
    except ValueError:
        body = raw.body.decode("utf-8", "replace")
    whole = body if isinstance(body, dict) else {"body": body}
    return SetAside(code=code, message=message, field=field, raw=whole, stream=raw.stream, external_id=raw.id)
