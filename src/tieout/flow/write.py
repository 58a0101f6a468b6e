"""Tell connected systems what they have yet to hear: claim, call, settle (promise P2).

What belongs where is planned from the ledger; each effect carries a key of its own, by which the other side knows it again or is
asked whether it happened. What may have happened and cannot be found waits for a person; nothing is ever written again blindly.
"""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

import msgspec

from tieout.adapters.ports.choices import Unmapped
from tieout.adapters.ports.connector import Command, OutcomeUnknown, Raw, Receipt, Ref
from tieout.adapters.ports.errors import BadRecord, NeedsPerson, PortError, TryLater, Unsupported
from tieout.flow import clock, identity, line, taking
from tieout.stages.base import crash, feed, walls
from tieout.stages.intake.models import Connection
from tieout.stages.writeback import compose, outbox, plan, recognise
from tieout.stages.writeback.models import Outgoing

#: A claim nobody settled within this time was that of a worker that died.
READER = "write"
#: Past this many customers the whole book is looked through, which costs less than naming them.
MOST = 2_000
_LOST_SECONDS = 120
_AGAIN_SECONDS = 30
#: Acts that go to accounts of the books, and news that are of nobody in particular.
_BANKED = ("payout", "refund")
_OF_NOBODY = ("payout", "deal")


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """What one run told the systems."""

    planned: int = 0
    done: int = 0
    moot: int = 0
    later: int = 0
    failed: int = 0
    unknown: int = 0
    asked: int = 0

    def plus(self, **counts: int) -> Written:
        """With some more."""
        return msgspec.structs.replace(self, **{name: getattr(self, name) + count for name, count in counts.items()})


def run(organisation_id: UUID, customer_ids: list[int] | None = None, *, planned: int | None = None) -> Written:
    """Plan what is missing anywhere and tell it, round by round until nothing more comes of it. `planned` says that the first round's
    planning is done."""
    written = Written()
    for _ in range(4):  # a customer, then its invoice, then its payment, then its status
        with walls.inside(organisation_id):
            _doubt()
            if planned is None:
                planned = plan.run(customer_ids=customer_ids, today=clock.today(), now=clock.now())
            live = Connection.objects.filter(kind="system", stage="live", paused_at__isnull=True, needs_person="")
            systems = list(live.order_by("id").values_list("pk", flat=True))
        before = written
        written, planned = written.plus(planned=planned), None
        for connection_id in systems:
            written = _to(organisation_id, connection_id, written)
        if written.done == before.done:
            return written
    return written


def follow(organisation_id: UUID) -> Written:
    """Tell what has changed since the last time: about the customers the change feed names, or about all where it names too many.

    Who is one with whom comes first: whoever is there already is not made there once more.
    """
    identity.follow(organisation_id)
    with walls.inside(organisation_id):
        lost = _doubt()
        changes = feed.take(reader=READER)
        customers = sorted({c for change in changes for c in change.customer_ids})
        # What a dead worker had heard of and not planned yet is not known: then the whole book is looked through.
        wanted = None if lost or len(customers) > MOST else customers
        # Planned in the transaction in which the place in the feed moves on, so that nobody dies between the two.
        planned = plan.run(customer_ids=wanted, today=clock.today(), now=clock.now()) if lost or customers else None
        waiting = outbox.due(now=clock.now())
    if not customers and not waiting and not any(change.kind in _OF_NOBODY for change in changes):
        return Written()
    return run(organisation_id, wanted, planned=planned)


def _doubt() -> int:
    """What a worker claimed and never settled is looked up; how many."""
    return outbox.doubt(before=clock.real_now() - dt.timedelta(seconds=_LOST_SECONDS), now=clock.real_now())


def _to(organisation_id: UUID, connection_id: int, written: Written) -> Written:
    with walls.inside(organisation_id):
        waiting = Outgoing.objects.filter(connection_id=connection_id, state__in=("waiting", "unknown"))
        if not waiting.filter(not_before__lte=clock.now()).exists():
            return written
    try:
        with line.open(organisation_id, connection_id) as open_line:
            written = _looked_up(organisation_id, connection_id, open_line, written)
            while True:
                with walls.inside(organisation_id):
                    asked_at = clock.now()
                    claimed = outbox.claim_of(connection_id=connection_id, now=asked_at)
                    bodies = {row.pk: compose.body(row=row) for row in claimed}
                crash.point("outbox.after_claim")
                if not claimed:
                    return written
                went_on = False
                for row in claimed:
                    written, more = _one(organisation_id, open_line, row, bodies[row.pk], written, asked_at)
                    went_on = went_on or more
                if not went_on:
                    return written
    except NeedsPerson as error:
        with walls.inside(organisation_id):
            Connection.objects.filter(pk=connection_id).update(needs_person=str(error))
        return written


def _one(
    organisation_id: UUID, open_line: line.Line, row: Outgoing, body: dict[str, Any] | compose.Moot | compose.NotYet, written: Written,
    asked_at: dt.datetime,
) -> tuple[Written, bool]:
    if isinstance(body, compose.Moot):
        _settled(organisation_id, row, "done", f"not told: {body.reason}")
        return written.plus(moot=1), True
    if isinstance(body, compose.NotYet):
        _settled(organisation_id, row, "waiting", body.reason, later=_AGAIN_SECONDS)
        return written.plus(later=1), False
    command = Command(act=row.kind, key=row.natural_key, body=body)
    try:
        receipt = open_line.connector.write(open_line.http, open_line.settings, command)
    except OutcomeUnknown as error:
        _settled(organisation_id, row, "unknown", str(error))
        return written.plus(unknown=1), False
    except TryLater as error:
        seconds = max(1, int((error.at - open_line.http.now()).total_seconds())) if error.at else _AGAIN_SECONDS
        _settled(organisation_id, row, "waiting", str(error), later=seconds)
        return written.plus(later=1), False
    except NeedsPerson as error:
        _settled(organisation_id, row, "waiting", str(error), later=_AGAIN_SECONDS)
        raise
    except Unmapped as error:
        # Nothing is guessed: it waits for a person, and goes on when the mapping says more.
        _settled(organisation_id, row, "person", str(error), lacks=error.field or "")
        return written.plus(asked=1), True
    except (BadRecord, Unsupported) as error:
        unmapped = isinstance(error, BadRecord) and error.field in {one.name for one in open_line.connector.manifest.fields}
        if unmapped and row.kind in _BANKED:
            # Which account it goes to is for a person to say; then it goes.
            _settled(organisation_id, row, "waiting", str(error), later=_AGAIN_SECONDS)
            return written.plus(later=1), False
        _settled(organisation_id, row, "failed", str(error))
        return written.plus(failed=1), True
    crash.point("outbox.after_call")
    _kept(organisation_id, open_line, row, body, receipt, _touched(open_line, body), asked_at)
    return written.plus(done=1), True


def _looked_up(organisation_id: UUID, connection_id: int, open_line: line.Line, written: Written) -> Written:
    """Ask the other side about what may have happened; only its own word decides, else a person."""
    with walls.inside(organisation_id):
        unsure = [(row, compose.body(row=row)) for row in outbox.unsure_of(connection_id=connection_id)]
    for row, body in unsure:
        if not isinstance(body, dict):
            if isinstance(body, compose.Moot) and body.reason == "it is there already":
                with walls.inside(organisation_id):
                    outbox.found(id=row.pk, external_id="", receipt="its echo was recognised", now=clock.now())
            continue
        command = Command(act=row.kind, key=row.natural_key, body=body)
        try:
            receipt = open_line.connector.find(open_line.http, open_line.settings, command)
        except (TryLater, OutcomeUnknown, BadRecord, Unsupported):
            continue
        if receipt is None:
            with walls.inside(organisation_id):
                outbox.once_more(id=row.pk, receipt="looked up: it did not happen", now=clock.now())
            continue
        with walls.inside(organisation_id):
            outbox.found(id=row.pk, external_id=receipt.raw.id, receipt=f"looked up: it did happen. {receipt.said}".strip(), now=clock.now())
            recognise.link(row=row, external_id=receipt.raw.id, now=clock.now())
        written = written.plus(done=1)
    return written


def _touched(open_line: line.Line, body: dict[str, Any]) -> tuple[Raw, ...]:
    """The documents an effect was on, as the other side has them after it. Where it does not answer, the next reading will tell."""
    named = [str(one["document"]) for one in body.get("applied", ())] + ([str(body["document"])] if body.get("document") else [])
    stream = next((one.name for one in open_line.connector.manifest.streams if one.kinds[0] == "invoice"), "")
    if not named or not stream:
        return ()
    try:
        return open_line.connector.reread(open_line.http, open_line.settings, refs=[Ref(stream, external_id) for external_id in named])
    except PortError:
        return ()


def _kept(
    organisation_id: UUID, open_line: line.Line, row: Outgoing, body: dict[str, Any], receipt: Receipt, touched: tuple[Raw, ...],
    asked_at: dt.datetime,
) -> None:
    """The link and the receipt, and what the other side has now: its answer is taken in like anything it says."""
    streams = {one.name for one in open_line.connector.manifest.streams}
    with walls.inside(organisation_id):
        now = clock.now()
        said = receipt.said or ("found" if receipt.found else "written")
        outbox.settle(id=row.pk, state="done", receipt=said, external_id=receipt.raw.id, sent=body, now=now)
        recognise.link(row=row, external_id=receipt.raw.id, now=now)
        objects = [raw for raw in (receipt.raw, *touched) if raw.stream in streams]
        if objects:
            taking.echo(
                connector=open_line.connector, settings=open_line.settings, objects=objects, connection_id=row.connection_id, now=now,
                asked_at=asked_at,
            )  # fmt: skip


def _settled(organisation_id: UUID, row: Outgoing, state: str, receipt: str, *, later: int | None = None, lacks: str = "") -> None:
    with walls.inside(organisation_id):
        now = clock.now()
        again = now + dt.timedelta(seconds=later) if later is not None else None
        outbox.settle(id=row.pk, state=state, receipt=receipt, now=now, again_at=again, lacks=lacks)
