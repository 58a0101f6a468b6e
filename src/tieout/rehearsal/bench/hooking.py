"""`hooks`: the door webhooks come to, through `tieout web`: proven, kept once, a look at it asked for; beside a bare Django view with one
insert in a server of the same kind, on the same database, in turns.

Then 200 deliveries a second, as Stripe signs them, while `tieout worker` reads a history and looks at what came to the door.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import statistics
import time
from collections.abc import Callable, Iterator
from uuid import UUID

from django.db import connection

from tieout.core.evidence import Actor
from tieout.flow import clock, connecting, hooked, jobs
from tieout.rehearsal.bench import knocking, place, serving
from tieout.rehearsal.bench.figures import Figure
from tieout.rehearsal.bench.importing import counted
from tieout.stages.base import found, walls
from tieout.stages.intake.models import Connection

_ACTOR = Actor("machine", "bench")
_SECRET = "whsec_bench"  # noqa: S105 - of a stand-in
#: Deliveries a second while a history is read, and the time within which 99 of 100 are answered.
_RATE, _P99_MS = 200.0, 250.0
#: The throughput is taken in so many turns of each, and the middle ratio counts: the machine's speed drifts.
_TURNS = 5
#: The promise is made for this many deliveries; at fewer it is measured and not judged.
_JUDGED = 10_000
#: Invoices of the history that is read meanwhile, for each delivery: enough for the reading to outlast the knocking.
_HISTORY = 25
#: The peer's table, made by the owner of ours; anybody may insert into it.
_BARE_TABLE = """
CREATE TABLE IF NOT EXISTS bench_bare (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body bytea NOT NULL, received_at timestamptz NOT NULL DEFAULT now()
);
GRANT INSERT ON bench_bare TO PUBLIC"""


def run(size: int) -> Iterator[Figure]:
    """`size` deliveries as fast as they are answered, then half as many at the fixed rate beside a history."""
    organisation = found.organisation(
        name="Bench", country="DE", time_zone="Europe/Berlin", base_currency="EUR", language="en", sender_name="", sender_address="",
        now=clock.real_now(),
    )  # fmt: skip
    late = max(20, size // 2)
    with serving.twin("stripe", "--fill", str(late * _HISTORY)) as url, serving.web() as port:
        door = _Door(organisation, url, port)
        yield from _in_turns(door, size)
        yield from _beside_a_history(door, url, late)
    kept = counted(organisation, "SELECT count(*) FROM intake_envelope WHERE name = 'webhook'")
    assert kept == door.sent, (kept, door.sent)


class _Door:
    """The door of one connection, and Stripe's side of it."""

    def __init__(self, organisation: UUID, url: str, port: int) -> None:
        self.organisation, self.port, self.sent = organisation, port, 0
        given = {"api_key": "sk_test_twin", "base_url": url, hooked.SECRET: _SECRET}
        self.connection, _ = connecting.open(organisation, vendor="stripe", name="Stripe", given=given, stage="pilot", actor=_ACTOR)
        with walls.inside(organisation):
            token = hooked.token_of(Connection.objects.get(pk=self.connection))
        self.path = f"/hooks/{organisation}/{self.connection}/{token}/"

    def deliveries(self, count: int) -> list[bytes]:
        """So many events, no two alike, of about 3 kB as one of an invoice is, signed now."""
        self.sent += count
        return [self._one(number) for number in range(self.sent - count, self.sent)]

    def _one(self, number: int) -> bytes:
        now = int(time.time())
        invoice = {"id": f"in_{number % 50}", "object": "invoice", "customer": "cus_1", "description": "x" * 2_800}
        event = {"id": f"evt_{number}", "object": "event", "type": "invoice.updated", "created": now, "data": {"object": invoice}}
        body = json.dumps(event).encode()
        proof = hmac.new(_SECRET.encode(), f"{now}.".encode() + body, hashlib.sha256).hexdigest()
        return knocking.request(self.port, self.path, body, Stripe_Signature=f"t={now},v1={proof}")


def _in_turns(door: _Door, size: int) -> Iterator[Figure]:
    with place.owner() as owner:
        owner.execute(_BARE_TABLE)
    with serving.peer("tieout.rehearsal.bench.bare:application") as plain:
        body = b"x" * len(door.deliveries(1)[0].partition(b"\r\n\r\n")[2])
        door.sent = 0
        each = max(1, size // _TURNS)
        # The first ones wake the servers up and count for neither.
        knocking.knock(plain, [knocking.request(plain, "/bare/", body)] * 20)
        knocking.knock(door.port, door.deliveries(20))
        ours, theirs = [], []
        for _ in range(_TURNS):
            theirs.append(knocking.knock(plain, [knocking.request(plain, "/bare/", body)] * each).seconds)
            ours.append(knocking.knock(door.port, door.deliveries(each)).seconds)
    ratio = statistics.median(bare_seconds / seconds for bare_seconds, seconds in zip(theirs, ours, strict=True))
    against = "a bare Django view with one insert, in turns"
    for name, seconds in (("hooks: taken", ours), ("hooks: bare view", theirs)):
        whole = sum(seconds)
        yield Figure(name=name, size=size, value=each * _TURNS / whole, unit="deliveries/s", seconds=whole)
    yield Figure(name="hooks: of a bare insert", size=size, value=ratio, unit="x", must=0.7, against=against).judged(_JUDGED)


def _beside_a_history(door: _Door, url: str, count: int) -> Iterator[Figure]:
    given = {"api_key": "sk_test_twin", "base_url": url}
    history, _ = connecting.open(door.organisation, vendor="stripe", name="Another", given=given, stage="pilot", actor=_ACTOR)
    reading = _reading(door.organisation, history)
    with serving.worker():
        jobs.later(jobs.sync_connection, organisation=door.organisation, lock=f"sync-{history}", connection=history)
        _wait_for(reading)
        knocks = knocking.knock(door.port, door.deliveries(count), per_second=_RATE, lines=64, until=lambda: not reading())
        still = reading()
    door.sent -= count - len(knocks.answers)
    assert still or len(knocks.answers) < count, "the history ended before the deliveries did"
    name, within = "hooks: answered at 200 a second while a history is read", len(knocks.answers) / knocks.seconds
    yield Figure(name=f"{name}, p99", size=count, value=knocks.share(0.99) * 1000, unit="ms", must=_P99_MS, better="less").judged(_JUDGED // 2)
    yield Figure(name=f"{name}, median", size=count, value=knocks.share(0.5) * 1000, unit="ms")
    yield Figure(name=f"{name}, deliveries a second", size=count, value=within, unit="deliveries/s")


def _reading(organisation: UUID, history: int) -> Callable[[], bool]:
    """Whether the history is being read just now."""

    def asked() -> bool:
        with walls.inside(organisation), connection.cursor() as cursor:
            cursor.execute(
                "SELECT EXISTS (SELECT FROM intake_syncstream WHERE connection_id = %s AND name = 'invoices' AND state = 'backfilling')", [history]
            )
            return bool(cursor.fetchone()[0])

    return asked


def _wait_for(reading: Callable[[], bool]) -> None:
    until = time.monotonic() + 60
    while not reading():
        if time.monotonic() > until:
            raise RuntimeError("the worker did not begin to read the history")
        time.sleep(0.05)
