"""Send what may leave: claim, call, settle (promises P1 and P2).

Transaction A asks the gate and commits `sending`; the mail server is called within five seconds of A's beginning, else the
letter goes back to be asked about again; transaction B records what the server said. Whatever dies in between leaves
`sending`, and `reconcile` asks the other side where it can be asked, else a person. Nothing is ever sent again blindly.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any
from uuid import UUID

import msgspec

from tieout.adapters.ports import registry
from tieout.adapters.ports.channel import Letter, OutcomeUnknown, Session
from tieout.adapters.ports.errors import BadRecord, NeedsPerson, PortError, TryLater
from tieout.core.gate import CERTIFICATE_SECONDS
from tieout.flow import clock
from tieout.stages.base import crash, feed, walls
from tieout.stages.base import queries as base
from tieout.stages.outreach import claim, letter, rejudge, sending, settle
from tieout.stages.outreach import reconcile as reconciling
from tieout.stages.outreach.claim import Claimed
from tieout.stages.outreach.settle import Settled

READER = "send"
CHANNEL = "email"
#: Rounds in which nothing could be offered in time before the run gives up and leaves the rest to the next one.
_FUTILE = 8

Clock = Callable[[], dt.datetime]


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """What one run did. `stopped` says why it ended early, empty where nothing was left to do."""

    sent: int = 0
    held: int = 0
    ended: int = 0
    refused: int = 0
    later: int = 0
    back: int = 0
    unknown: int = 0
    stopped: str = ""

    def plus(self, found: claim.Round, outcomes: list[Settled]) -> Sent:
        """With one more round."""
        count = {name: sum(one.outcome == name for one in outcomes) for name in ("sent", "refused", "later", "back", "unknown", "person")}
        return msgspec.structs.replace(
            self, sent=self.sent + count["sent"], held=self.held + found.held + count["person"], ended=self.ended + found.ended,
            refused=self.refused + count["refused"], later=self.later + count["later"], back=self.back + count["back"],
            unknown=self.unknown + count["unknown"],
        )  # fmt: skip


def run(organisation_id: UUID, now: Clock | None = None, *, limit: int = claim.LIMIT, customer_ids: list[int] | None = None) -> Sent:
    """Send what is due for one organisation, in batches of at most `limit`, until nothing more is. `now` is the clock."""
    moment = now or clock.now
    settings, waiting = _prepare(organisation_id, moment, customer_ids)
    if not waiting:
        return Sent()
    with contextlib.ExitStack() as stack:
        try:
            session = stack.enter_context(_line(settings))
        except TryLater as error:
            return Sent(stopped=str(error))
        return _rounds(organisation_id, moment, session, bool((settings or {}).get("plus_addressing", True)), limit, customer_ids)


def _prepare(organisation_id: UUID, moment: Clock, customer_ids: list[int] | None) -> tuple[dict[str, Any] | None, bool]:
    """Ask again about what is held for customers that changed; then the settings, and whether anything is due."""
    with walls.inside(organisation_id):
        changed = {c for change in feed.take(reader=READER, limit=5000) if change.kind != "message" for c in change.customer_ids}
        if changed:
            rejudge.customers(customer_ids=changed)
        if not claim.is_due(now=moment(), customer_ids=customer_ids):
            return None, False
        # Where nothing may leave, no server is needed to say so: everything due will be held with its reason.
        return (sending.stored() if base.sending_mode()[0] == "live" else None), True


def _rounds(
    organisation_id: UUID, moment: Clock, session: Session, plus_addressing: bool, limit: int, customer_ids: list[int] | None
) -> Sent:
    """Rounds until nothing more is due. The mail server is spoken to in a second thread, so that while it takes one batch the
    outcomes of the batch before are recorded and the next one is claimed. Only this thread uses the database.
    """
    total, futile = Sent(), 0
    under_way: Future[list[Settled]] | None = None
    with ThreadPoolExecutor(1) as line:
        while True:
            crash.point("send.before_claim")
            begun = _boottime()
            with walls.inside(organisation_id):
                at = moment()
                found = claim.batch(now=at, limit=limit, customer_ids=customer_ids)
            crash.point("send.after_claim")
            outcomes = under_way.result() if under_way else []
            futile = futile + 1 if outcomes and all(one.outcome == "back" for one in outcomes) else 0
            stopped = _given_up(outcomes, futile)
            following = None
            if found.claimed and not stopped:
                following = line.submit(_all_offered, session, found.claimed, plus_addressing, begun, at)
            if stopped:
                outcomes = outcomes + [_back(one, "not offered: the run has ended") for one in found.claimed]
            try:
                _settled(organisation_id, outcomes, moment)
            except BaseException:
                # What went wrong here must not cost us the answers for the batch that is being handed over.
                _settled(organisation_id, following.result() if following else [], moment)
                raise
            total = total.plus(found, outcomes)
            if stopped:
                return msgspec.structs.replace(total, stopped=stopped)
            if not found.seen and under_way is None:
                return total
            if any(one.outcome == "back" for one in outcomes):
                # A slow server or a very long list of open money gets smaller batches, so that what is claimed is called in time.
                limit = max(1, min(limit, len(outcomes)) // 2)
            under_way = following


def _given_up(outcomes: list[Settled], futile: int) -> str:
    """Why no more is offered in this run; empty while there is no reason."""
    if futile >= _FUTILE:
        return "too slow to call the mail server within five seconds of the claim"
    if any(one.outcome == "sent" for one in outcomes):
        return ""
    return next((one.said for one in outcomes if one.outcome == "later" and not one.at), "")


def _all_offered(session: Session, claimed: tuple[Claimed, ...], plus_addressing: bool, begun: float, at: dt.datetime) -> list[Settled]:
    return [_offered(session, one, plus_addressing, begun, at) for one in claimed]


def _offered(session: Session, one: Claimed, plus_addressing: bool, begun: float, at: dt.datetime) -> Settled:
    try:
        ready = letter.of(claimed=one, plus_addressing=plus_addressing, now=at)
    except Exception as error:
        # Not offered to anybody, so it is ours to say; a person sees why.
        return Settled(id=one.id, claim=one.claim, outcome="person", said=f"the letter could not be made: {error}")
    if _boottime() - begun > CERTIFICATE_SECONDS:
        return _back(one, "more than five seconds since its certificate; it is asked about again")
    try:
        said = session.send(ready)
        crash.point("send.after_call")
    except OutcomeUnknown as error:
        return Settled(id=one.id, claim=one.claim, outcome="unknown", said=str(error))
    except TryLater as error:
        return Settled(id=one.id, claim=one.claim, outcome="later", said=str(error), at=error.at)
    except BadRecord as error:
        return Settled(id=one.id, claim=one.claim, outcome="refused", said=str(error), address_bad=error.field == "to")
    except PortError as error:
        return Settled(id=one.id, claim=one.claim, outcome="person", said=str(error))
    except Exception as error:
        # Something nobody foresaw, after the server was called: nobody knows.
        return Settled(id=one.id, claim=one.claim, outcome="unknown", said=f"{type(error).__name__} while handing over: {error}")
    return Settled(id=one.id, claim=one.claim, outcome="sent", said=said)


def _back(one: Claimed, why: str) -> Settled:
    return Settled(id=one.id, claim=one.claim, outcome="back", said=why)


def _settled(organisation_id: UUID, outcomes: list[Settled], moment: Clock) -> None:
    if not outcomes:
        return
    with walls.inside(organisation_id):
        settle.batch(outcomes=outcomes, now=moment())
        crash.point("send.after_settle")


def reconcile(organisation_id: UUID, now: Clock | None = None, *, older_than: dt.timedelta = reconciling.AFTER) -> dict[str, int]:
    """Claims nobody settled: ask the other side by Message-ID where it can be asked, else hand them to a person as unknown."""
    moment = now or clock.now
    with walls.inside(organisation_id):
        stale = reconciling.stale(now=moment(), older_than=older_than)
        settings = sending.stored() if stale else None
    if not stale:
        return {}
    outcomes = [_found_out(one, settings) for one in stale]
    _settled(organisation_id, outcomes, moment)
    return {name: sum(one.outcome == name for one in outcomes) for name in ("sent", "back", "unknown")}


def _found_out(one: reconciling.Stale, settings: Mapping[str, Any] | None) -> Settled:
    taken: bool | None = None
    if settings is not None and one.message_id:
        with contextlib.suppress(PortError):
            taken = registry.channels()[CHANNEL].look_up(settings, one.message_id)
    if taken is None:
        said = "its worker ended before it recorded an answer, and the mail server cannot be asked: look into the sent mail, or ask the recipient"
        return Settled(id=one.id, claim=one.claim, outcome="unknown", said=said)
    if taken:
        return Settled(id=one.id, claim=one.claim, outcome="sent", said="found at the mail server by its Message-ID")
    return Settled(id=one.id, claim=one.claim, outcome="back", said="the mail server never took it")


@contextlib.contextmanager
def _line(settings: Mapping[str, Any] | None) -> Iterator[Session]:
    """An open line; where it needs a person, one that says so for every letter."""
    if settings is None:
        yield _Nobody("no mail server is set; say in Settings where letters leave")
        return
    with contextlib.ExitStack() as stack:
        session: Session
        try:
            session = stack.enter_context(registry.channels()[CHANNEL].open(settings))
        except NeedsPerson as error:
            session = _Nobody(str(error))
        yield session


class _Nobody:
    """The line there is while somebody must mend the settings."""

    def __init__(self, why: str) -> None:
        self.why = why

    def send(self, letter: Letter) -> str:  # noqa: ARG002 - the port's signature
        raise NeedsPerson(self.why)


def _boottime() -> float:
    # Counts while the machine sleeps, unlike the monotonic clock: a certificate does not outlive a lid that was shut.
    return time.clock_gettime(time.CLOCK_BOOTTIME)
