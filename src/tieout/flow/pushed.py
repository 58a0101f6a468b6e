"""A system posts its records: kept as they came, stated, what cannot be taken set aside, and what the money now says settled; all in
one transaction. The same Idempotency-Key gives the first answer again.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import uuid
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
from django.db import transaction
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from tieout.core.documents import Record
from tieout.core.evidence import Actor
from tieout.flow import clock, on_cash
from tieout.stages.base import api_key, walls
from tieout.stages.cash import entry
from tieout.stages.intake import connect, quarantine, receive, run
from tieout.stages.intake.models import Connection, Envelope, QuarantinedRow
from tieout.stages.intake.quarantine import SetAside
from tieout.stages.ledger import merge, stage
from tieout.stages.ledger.models import SourceRecord
from tieout.stages.writeback import compare

#: What may be pushed, and what the ledger calls one of it.
KINDS = {"customers": "customer", "invoices": "invoice", "credit-notes": "credit_note", "payments": "payment"}


class Closed(Exception):
    """The key is good, but its connection takes nothing: it is paused, or is none that is pushed to."""


class Unreadable(Exception):
    """What was typed is no object of JSON; the message says where."""


class KeyUsed(Exception):
    """The Idempotency-Key was used before, for another request. A new request needs a new key."""


class Door(msgspec.Struct, frozen=True):
    """Where a key leads."""

    organisation_id: UUID
    connection_id: int


class Wrong(msgspec.Struct, frozen=True):
    """What is wrong with an item: where in it, and in words with what to do."""

    loc: tuple[str | int, ...]
    message: str


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One posted object: its record, or what is wrong with it. `external_id` is the caller's key, empty where it gave none.

    One that is `repeated` in its batch is only told: its first occurrence speaks for the object.
    """

    external_id: str
    record: Record | None = None
    wrong: tuple[Wrong, ...] = ()
    raw: Any = None
    repeated: bool = False


class TakenItem(msgspec.Struct, frozen=True):
    """An object that is in the ledger: its place in the batch, the caller's key, ours."""

    index: int
    external_id: str
    id: int


class RefusedItem(msgspec.Struct, frozen=True):
    """An object that is not: its place in the batch, the caller's key, what is wrong."""

    index: int
    external_id: str
    wrong: tuple[Wrong, ...]


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a batch; `replayed` where it was answered before and this is that answer."""

    taken: tuple[TakenItem, ...] = ()
    refused: tuple[RefusedItem, ...] = ()
    replayed: bool = False


#: Reads an object of one of KINDS from its text, as the API does. The API says so itself when it is loaded: what its fields may hold is
#: its own business, and there is one judgement of it. Raises Unreadable.
Judge = Callable[[str, str], Item]
_judges: list[Judge] = []


def judged_by(judge: Judge) -> None:
    """From now on mended objects are judged like this."""
    _judges[:] = [judge]


def open(organisation_id: UUID, *, name: str, cadence_hours: int | None = None, actor: Actor) -> api_key.Issued:
    """A connection that can be pushed to, and its first key. Raises NameTaken."""
    with walls.inside(organisation_id):
        now = clock.now()
        connection = connect.push(name=name, cadence_hours=cadence_hours, actor=actor, now=now)
        return api_key.issue(name=name, connection_id=connection.pk, actor=actor, now=now)


def whose(plain: str) -> Door | None:
    """Where a key leads; None where nobody is let in with it. Raises Closed."""
    organisation_id = api_key.organisation_of(plain)
    if organisation_id is None:
        return None
    with walls.inside(organisation_id):
        holder = api_key.check(plain=plain, now=clock.real_now())
        if holder is None:
            return None
        _open_one(Connection.objects.filter(pk=holder.connection_id).first())
        return Door(organisation_id, holder.connection_id)


def take(*, door: Door, what: str, body: bytes, items: Sequence[Item], key: str | None) -> Outcome:
    """Take a batch of one of KINDS in. `body` is what it came in. Raises KeyUsed, Closed."""
    with walls.inside(door.organisation_id):
        now = clock.now()
        # One batch of a connection at a time: whoever comes second with the same key finds the first one's answer.
        connection = _open_one(Connection.objects.select_for_update().filter(pk=door.connection_id).first())
        envelope, fresh = receive.envelope(
            connection=connection, name=what, chunks=[body], now=now, media_type="application/json",
            external_id=f"key:{key}" if key else f"push:{uuid.uuid4()}",
        )  # fmt: skip
        if not fresh:
            if (envelope.name, envelope.sha256) != (what, hashlib.sha256(body).hexdigest()):
                raise KeyUsed(f"this Idempotency-Key was used on {envelope.received_at:%Y-%m-%d %H:%M} UTC for another request")
            return msgspec.structs.replace(msgspec.convert(envelope.answers, Outcome), replayed=True)
        outcome = _into_the_ledger(connection, envelope, what, items, now)
        envelope.answers = msgspec.to_builtins(outcome)
        envelope.save(update_fields=["answers"])
        return outcome


def another_key(organisation_id: UUID, *, connection_id: int, name: str, actor: Actor) -> api_key.Issued:
    """One more key for a connection that is pushed to. Raises Closed."""
    with walls.inside(organisation_id):
        connection = _open_one(Connection.objects.filter(pk=connection_id).first())
        return api_key.issue(name=name or connection.name, connection_id=connection.pk, actor=actor, now=clock.now())


def mend(organisation_id: UUID, *, row_id: int, text: str, actor: Actor) -> str | None:
    """An object that was set aside, as a person has put it right: None when it was taken, else what is still wrong. Kept either way."""
    with walls.inside(organisation_id):
        row = QuarantinedRow.objects.select_for_update(of=("self",)).select_related("connection").get(pk=row_id)
        if row.state != QuarantinedRow.State.OPEN:
            return f"this record is {row.get_state_display().lower()} already"
        try:
            connection = _open_one(row.connection)
            item = _judges[0](row.stream, text)
        except (Closed, Unreadable) as error:
            return str(error)
        if item.external_id != row.external_id:
            return f"its id has to stay {row.external_id!r}: by it the next version is known"
        now = clock.now()
        wrong = item.wrong
        if item.record is not None:
            place = transaction.savepoint()
            quarantine.mended(row=row, actor=actor, now=now, values=_aside(row.stream, item, (), "").raw)
            envelope, _ = receive.envelope(
                connection=connection, name=row.stream, chunks=[text.encode()], now=now, media_type="application/json",
                external_id=f"mended:{row.pk}:{uuid.uuid4()}",
            )  # fmt: skip
            outcome = _into_the_ledger(connection, envelope, row.stream, [item], now)
            if not outcome.refused:
                transaction.savepoint_commit(place)
                return None
            transaction.savepoint_rollback(place)
            row.refresh_from_db()
            wrong = outcome.refused[0].wrong
        aside = _aside(row.stream, item, wrong, "invalid")
        quarantine.still_bad(row=row, found=aside, values=aside.raw)
        return aside.message


def _open_one(connection: Connection | None) -> Connection:
    if connection is None or connection.kind != Connection.Kind.PUSH:
        raise Closed("this key is for no connection that can be pushed to")
    if connection.paused_at is not None:
        raise Closed(f"the connection {connection.name} is paused: somebody has to resume it first")
    return connection


def _into_the_ledger(connection: Connection, envelope: Envelope, what: str, items: Sequence[Item], now: dt.datetime) -> Outcome:
    kind = KINDS[what]
    started = run.begin(connection=connection, envelope=envelope, now=now)
    started.mode = "push"
    wrong = {index: item.wrong for index, item in enumerate(items) if item.record is None}
    with stage.as_intake():
        staged = stage.Staged(run_id=started.pk)
        for index, item in enumerate(items):
            if item.record is not None:
                staged.add(msgspec.structs.replace(item.record, line=index + 1))
        staged.finish()
        merged = merge.run(run_id=started.pk, connection_id=connection.pk, envelope_id=envelope.pk, now=now, system=True)
    codes = {}
    for refused in merged.refused:
        index = (refused.line or 1) - 1
        wrong[index], codes[index] = (Wrong((), refused.message),), refused.code
    aside = [_aside(what, items[index], found, codes.get(index, "invalid")) for index, found in sorted(wrong.items()) if _kept_aside(items[index])]
    quarantine.of_objects(rows=aside, run=started, envelope_id=envelope.pk, now=now)
    good = [item.external_id for index, item in enumerate(items) if index not in wrong]
    quarantine.understood(connection_id=connection.pk, objects=[(what, external_id) for external_id in good], run_id=started.pk, now=now)
    entry.yielded(merged.yielded, now=now)
    if merged.created or merged.updated:
        on_cash.after_money(customer_ids=merged.customer_ids, now=now)
        compare.run(customer_ids=merged.customer_ids, now=now)
    counts = {
        "read": len(items), "created": merged.created, "updated": merged.updated, "unchanged": merged.unchanged, "quarantined": len(aside),
        "skipped": len(wrong) - len(aside),
    }  # fmt: skip
    run.done(run=started, counts=counts, notices=[], now=now)
    state = Envelope.State.APPLIED if good or not wrong else Envelope.State.QUARANTINED
    receive.settle(envelope=envelope, state=state, reason=f"{len(good)} {what} taken, {len(wrong)} refused", now=now)
    if merged.created or merged.updated:
        _tell_systems()
    links = SourceRecord.objects.filter(connection=connection, kind=kind, external_id__in=good, retracted_at__isnull=True)
    ours = dict(links.values_list("external_id", "target_id"))
    return Outcome(
        taken=tuple(TakenItem(i, item.external_id, ours[item.external_id]) for i, item in enumerate(items) if i not in wrong),
        refused=tuple(RefusedItem(index, items[index].external_id, found) for index, found in sorted(wrong.items())),
    )


def _kept_aside(item: Item) -> bool:
    # Without a key of its own an object could never be superseded by its better version, and every retry would add one more.
    return bool(item.external_id) and not item.repeated


def _aside(what: str, item: Item, wrong: Sequence[Wrong], code: str) -> SetAside:
    message = "; ".join(f"{'.'.join(map(str, one.loc))}: {one.message}" if one.loc else one.message for one in wrong)
    raw = _storable(item.raw)
    return SetAside(
        code=code, message=message[:4000], field=str(wrong[0].loc[0]) if wrong and wrong[0].loc else "", stream=what, external_id=item.external_id,
        raw=raw if isinstance(raw, dict) else {"body": raw},
    )  # fmt: skip


def _storable(value: Any) -> Any:
    """What PostgreSQL's JSON takes: no NUL, no half of a surrogate pair, no number that is none."""
    if isinstance(value, dict):
        return {_storable(str(name)): _storable(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_storable(one) for one in value]
    if isinstance(value, str):
        return value.replace("\x00", "␀").encode("utf-8", "replace").decode()
    return str(value) if isinstance(value, (Decimal, float)) or (isinstance(value, int) and abs(value) >= 2**63) else value


def _tell_systems() -> None:
    organisation = str(walls.current())
    # By its name, for the jobs know this room; one waiting job is enough.
    task = app.configure_task("tieout.write", queue="sync", lock=f"write:{organisation}", queueing_lock=f"write:{organisation}")
    with contextlib.suppress(AlreadyEnqueued), transaction.atomic():
        task.defer(organisation=organisation)
