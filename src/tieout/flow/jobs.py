"""The jobs: ids and moments in, one organisation each, enlisted in the transaction that causes them.

A job is a batch or an account, never a row. Procrastinate runs each at least once; that an effect happens at most
once is ours: every job here can run twice, half, or beside itself, and the natural keys and claims below it hold.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import wraps
from uuid import UUID

import structlog
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from tieout.core.evidence import Actor
from tieout.flow import clock
from tieout.stages.base import queries, walls
from tieout.stages.intake import queries as intake

log = structlog.get_logger()

MACHINE = Actor("machine", "tieout")
_RETRY = RetryStrategy(max_attempts=5, exponential_wait=5)


def _in_step(act: Callable[..., None]) -> Callable[..., None]:
    """Leave an organisation alone whose time is being moved: the same job comes again within the minute or the hour. One that
    was deleted (a demo can be) has nothing left to do."""

    @wraps(act)
    def stepped(*, organisation: str, **arguments: object) -> None:
        with clock.in_step(UUID(organisation)) as free:
            if free and UUID(organisation) in queries.organisations():
                act(organisation=organisation, **arguments)

    return stepped


@app.task(name="tieout.read_envelope", queue="intake", retry=_RETRY)
def read_envelope(*, organisation: str, envelope: int, person: int | None = None, name: str = "tieout") -> None:
    """Take in a file that was kept at the door."""
    from tieout.flow import on_upload

    actor = Actor("person", name, person) if person else MACHINE
    taken = on_upload.read(organisation_id=UUID(organisation), envelope_id=envelope, actor=actor)
    log.info("envelope read", organisation=organisation, envelope=envelope, state=taken.state)


@app.task(name="tieout.nightly", queue="collect", retry=_RETRY, pass_context=False)
@_in_step
def run_nightly(*, organisation: str) -> None:
    """Judge the day: promises, behaviour, plan, drafts. Idempotent within the day."""
    from tieout.flow import nightly

    nightly.run(UUID(organisation))


@app.task(name="tieout.judge", queue="collect", retry=_RETRY)
def judge(*, organisation: str, customers: list[int]) -> None:
    """Judge some accounts again because something about them changed."""
    from tieout.flow import nightly

    nightly.judge(UUID(organisation), customers)


@app.task(name="tieout.send", queue="outreach")
@_in_step
def send(*, organisation: str) -> None:
    """Claim, call, settle what may leave; then reconcile what was claimed and never settled. Never retried blindly."""
    from tieout.flow import send as sending

    sending.run(UUID(organisation))
    sending.reconcile(UUID(organisation))


@app.task(name="tieout.mailbox", queue="intake")
@_in_step
def mailbox(*, organisation: str) -> None:
    """Look into the organisation's mailboxes."""
    from tieout.flow import on_mail

    on_mail.fetch(UUID(organisation))


@app.task(name="tieout.follow", queue="collect", retry=_RETRY)
@_in_step
def follow(*, organisation: str) -> None:
    """Read the change feed and judge the accounts that changed."""
    from tieout.flow import on_change

    on_change.follow(UUID(organisation))


@app.task(name="tieout.match", queue="collect", retry=_RETRY)
def match(*, organisation: str) -> None:
    """Match the money that waits against a large book, after somebody changed what some of it is for."""
    from tieout.flow import on_cash

    on_cash.match(UUID(organisation))


@app.task(name="tieout.hooked", queue="sync", retry=_RETRY)
@_in_step
def hooked(*, organisation: str, connection: int) -> None:
    """Look at what came to a connection's door, and let the other systems hear of it at once."""
    from tieout.flow import sync

    synced = sync.once(UUID(organisation), connection, poll=False)
    log.info("door looked at", organisation=organisation, connection=connection, seen=synced.seen, stopped=synced.stopped)
    _read(organisation, synced.stopped)
    later(write, organisation=organisation, lock="write")


@app.task(name="tieout.sync", queue="sync")
@_in_step
def sync_connection(*, organisation: str, connection: int) -> None:
    """Read what changed in a connected system; a sweep where one is due."""
    from tieout.flow import sync

    synced = sync.once(UUID(organisation), connection, resync=sync.due_for_sweep(UUID(organisation), connection))
    log.info("system read", organisation=organisation, connection=connection, seen=synced.seen, stopped=synced.stopped)
    _read(organisation, synced.stopped)
    later(write, organisation=organisation, lock="write")


@app.task(name="tieout.write", queue="sync")
@_in_step
def write(*, organisation: str) -> None:
    """Tell connected systems what they have yet to hear, then judge whom it touches: the others are told before we think. Never
    retried blindly."""
    from tieout.flow import write as writing

    written = writing.follow(UUID(organisation))
    log.info("systems told", organisation=organisation, done=written.done, unknown=written.unknown, failed=written.failed)
    later(follow, organisation=organisation, lock="follow")


@app.task(name="tieout.pilot", queue="sync")
def pilot_run(*, organisation: str, run: int) -> None:
    """Let the chosen invoices of a pilot travel; nothing is written."""
    from tieout.flow import pilot

    pilot.run(UUID(organisation), run)


@app.task(name="tieout.watch", queue="collect", retry=_RETRY)
@_in_step
def watch(*, organisation: str) -> None:
    """Look at everything that may need somebody, and tell them."""
    from tieout.flow import alarm

    watched = alarm.look(UUID(organisation))
    log.info("looked", organisation=organisation, opened=watched.opened, closed=watched.closed, open=watched.lasting)
    later(tell, organisation=organisation, lock="tell")


@app.task(name="tieout.tell", queue="outreach")
@_in_step
def tell(*, organisation: str) -> None:
    """Tell alerts where they are wanted. Never retried blindly: each telling is claimed and settled by itself."""
    from tieout.flow import alarm

    told = alarm.tell(UUID(organisation))
    log.info("alerts told", organisation=organisation, done=told.done, later=told.later, failed=told.failed, unknown=told.unknown)


@app.task(name="tieout.monthly", queue="collect", retry=_RETRY)
@_in_step
def monthly(*, organisation: str) -> None:
    """Make the health report of the month before, where it is not there yet."""
    from tieout.flow import health_report

    if health_report.monthly(UUID(organisation)):
        later(tell, organisation=organisation, lock="tell")


def _read(organisation: str, stopped: str) -> None:
    """A reading that failed is looked at right away."""
    if stopped:
        later(watch, organisation=organisation, lock="watch")


def later(task: object, *, organisation: object, lock: str = "", **arguments: object) -> None:
    """Defer a job in the running transaction; one waiting job of a kind per organisation is enough (`lock`)."""
    from procrastinate.exceptions import AlreadyEnqueued

    options: dict[str, str] = {"queueing_lock": f"{lock}:{organisation}", "lock": f"{lock}:{organisation}"} if lock else {}
    try:
        from django.db import transaction

        # A collision on the queueing lock is a unique violation: without a savepoint it would doom the caller's work.
        with transaction.atomic():
            task.configure(**options).defer(organisation=str(organisation), **arguments)  # type: ignore[attr-defined]
    except AlreadyEnqueued:
        return


@app.periodic(cron="* * * * *")
@app.task(name="tieout.every_minute", queue="schedule", pass_context=False)
def every_minute(timestamp: int) -> None:
    """Once a minute for each organisation: follow changes, look for mail, send what is ready."""
    for organisation in queries.organisations():
        later(follow, organisation=organisation, lock="follow")
        later(mailbox, organisation=organisation, lock="mailbox")
        later(send, organisation=organisation, lock="send")
        later(tell, organisation=organisation, lock="tell")
        _sync(organisation)


@app.periodic(cron="*/5 * * * *")
@app.task(name="tieout.every_few_minutes", queue="schedule", pass_context=False)
def every_few_minutes(timestamp: int) -> None:
    """Every five minutes for each organisation: look whether anything needs somebody."""
    for organisation in queries.organisations():
        later(watch, organisation=organisation, lock="watch")


def _sync(organisation: UUID) -> None:
    with walls.inside(organisation):
        systems = intake.to_read(now=clock.now())
        if systems:
            later(write, organisation=organisation, lock="write")
        for connection in systems:
            # The lock is that of the door's job: two readings of one connection never run at once.
            later(sync_connection, organisation=organisation, lock=f"sync-{connection}", connection=connection)


@app.periodic(cron="7 * * * *")
@app.task(name="tieout.every_hour", queue="schedule", pass_context=False)
def every_hour(timestamp: int) -> None:
    """Once an hour: judge the day of each organisation (a second time in the same day changes nothing), anchor the audit trail."""
    from tieout.flow import anchor

    for organisation in queries.organisations():
        later(run_nightly, organisation=organisation, lock="nightly")
        later(monthly, organisation=organisation, lock="monthly")
        anchor.put(organisation)
        _take_up(organisation)


def _take_up(organisation: UUID) -> None:
    """Files that were kept and never read (a worker died between the two) are read again from their bytes."""
    with walls.inside(organisation):
        for envelope in intake.unfinished(before=clock.now() - dt.timedelta(minutes=30)):
            later(read_envelope, organisation=organisation, envelope=envelope)


@app.periodic(cron="* * * * *")
@app.task(name="tieout.sweep", queue="sweep", pass_context=True)
async def sweep(context: object, timestamp: int) -> None:
    """Free jobs whose worker died. Holds no queueing lock of its own, so a dead sweep never stops the next one."""
    from tieout.flow import sweep as sweeper

    await sweeper.run()
