"""`backfill`: a vendor's pages over HTTP into the merged ledger, beside dlt's merge of such pages; and the same once more, unchanged.

The pages come from our Stripe twin in a process of its own; the road is the one `tieout sync` takes: polite client, pages kept as they
came, translated, staged, merged with lines, links, versions and feed, cash settled.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from uuid import UUID

from django.db import connection

from tieout.core.evidence import Actor
from tieout.flow import clock, connecting, line, sync
from tieout.rehearsal.bench import place
from tieout.rehearsal.bench.figures import Figure, peak_megabytes, rate, timed
from tieout.rehearsal.bench.importing import counted
from tieout.rehearsal.bench.peers import dlt_merge
from tieout.stages.base import found, walls
from tieout.stages.intake.models import SyncStream

_ACTOR = Actor("machine", "bench")
_TABLES = (
    "ledger_document", "ledger_documentversion", "ledger_documentline", "ledger_sourcerecord", "ledger_customer", "ledger_contact", "ledger_payment",
    "ledger_allocation", "ledger_stated",
)  # fmt: skip
_MEMORY = 100_000


def run(size: int) -> Iterator[Figure]:
    """The history, and all of it read anew with nothing changed."""
    organisation = found.organisation(
        name="Bench", country="DE", time_zone="Europe/Berlin", base_currency="EUR", language="en", sender_name="", sender_address="",
        now=clock.real_now(),
    )  # fmt: skip
    # The vendor's own limit would be all that is measured.
    line.unlimited()
    with _twin(size) as url:
        source, _ = connecting.open(
            organisation, vendor="stripe", name="Stripe", given={"api_key": "sk_test_twin", "base_url": url}, stage="pilot", actor=_ACTOR
        )
        place.checkpoint()
        begun: dict[str, float] = {}
        with timed(server=counted(organisation, "SELECT pg_backend_pid()")) as watch:
            start = time.perf_counter()
            synced = sync.once(organisation, source, progress=lambda stream, _count: begun.setdefault(stream, time.perf_counter() - start) and None)
        assert synced.stopped == "", synced
        assert counted(organisation, "SELECT count(*) FROM ledger_document") == size
        # The peer loads the pages of invoices. Ours need their customers first; what is paid on them is read after them.
        yield from dlt_merge(size, begun["invoice_payments"])
        yield rate("backfill: invoices with their customers", size, begun["invoice_payments"], "invoices")
        yield rate("backfill: the whole history, what was paid included", size, watch.seconds, "invoices")
        yield rate("backfill: the whole history, by our processor time", size, watch.busy, "invoices")
        yield Figure(name="backfill: peak memory", size=size, value=peak_megabytes(), unit="MB", must=400, better="less").judged(_MEMORY)
        yield from _anew(organisation, source, size)


def _anew(organisation: UUID, source: int, size: int) -> Iterator[Figure]:
    since = counted(organisation, "SELECT pg_current_xact_id()::text::bigint")
    with walls.inside(organisation):
        names = list(SyncStream.objects.filter(connection_id=source).exclude(name="").values_list("name", flat=True))
    with timed() as watch:
        again = sync.once(organisation, source, resync=names)
    assert (again.created, again.updated, again.gone, again.stopped) == (0, 0, 0, ""), again
    yield rate("backfill: the same read anew", size, watch.seconds, "invoices")
    with walls.inside(organisation), connection.cursor() as cursor:
        counts = " + ".join(f"(SELECT count(*) FROM {table} WHERE xmin::text::bigint > {since})" for table in _TABLES)
        cursor.execute(f"SELECT {counts}")
        written = cursor.fetchone()[0]
    yield Figure(name="backfill: row versions written by the same read anew", size=size, value=written, unit="rows", must=0, better="less")


@contextlib.contextmanager
def _twin(size: int) -> Iterator[str]:
    program = subprocess.Popen(
        [sys.executable, "-m", "tieout.faces.cli", "twin", "stripe", "--fill", str(size)], stdout=subprocess.PIPE, text=True, env=os.environ.copy()
    )
    try:
        assert program.stdout is not None
        yield program.stdout.readline().partition(" answers at ")[2].split()[0]
    finally:
        program.send_signal(signal.SIGTERM)
        program.wait(20)
