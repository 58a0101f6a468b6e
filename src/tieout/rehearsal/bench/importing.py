"""`import`: an export as CSV through the real road into the ledger, beside a bare COPY of the rows it became.

The road keeps the bytes, understands and reads the file, stages and merges it with links, versions and feed, looks what the
money says, and writes the audit trail. The peer is COPY, by the table's owner and without row-level security, of the very
same column values into a twin of the document table with its keys, indexes, checks and foreign keys: the least any road to
that table can do.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

from django.db import connection
from psycopg import sql

from tieout.core.evidence import Actor
from tieout.flow import clock, on_upload
from tieout.rehearsal.bench import books, place
from tieout.rehearsal.bench.figures import Figure, Stopwatch, peak_megabytes, rate, timed
from tieout.stages.base import found, walls
from tieout.stages.intake import connect

_ACTOR = Actor("machine", "bench")
#: The sizes from which on the share of COPY and the memory are judged: below, what a file costs whatever its size outweighs its rows.
_JUDGED, _MEMORY = 100_000, 1_000_000
_TABLES = ("ledger_document", "ledger_documentversion", "ledger_sourcerecord", "ledger_customer", "ledger_contact")


def run(size: int) -> Iterator[Figure]:
    """The road, the peer, and the road once more with nothing new."""
    clock.inject(lambda: books.NOW)
    organisation = found.organisation(
        name="Bench", country="DE", time_zone="Europe/Berlin", base_currency="EUR", language="en", sender_name="", sender_address="", now=books.NOW
    )
    with walls.inside(organisation):
        source = connect.file(name="Billing export", profile={}, cadence_hours=None, actor=_ACTOR, now=books.NOW).pk
    with tempfile.TemporaryDirectory() as folder:
        path = books.write(Path(folder) / "invoices.csv", size)
        place.checkpoint()
        with timed(server=counted(organisation, "SELECT pg_backend_pid()")) as road:
            taken = _take(organisation, source, path)
        assert (taken.state, taken.read, taken.quarantined) == ("applied", size + _customers(organisation), 0), taken
        yield rate("import: CSV to merged ledger", size, road.seconds, "rows")
        yield Figure(name="import: peak memory", size=size, value=peak_megabytes(), unit="MB", must=400, better="less").judged(_MEMORY)
        copied = _bare_copy(organisation, Path(folder) / "rows.copy", size)
        yield rate("import: bare COPY of the same rows", size, copied.seconds, "rows")
        share, against = copied.seconds / road.seconds, "COPY into the same indexed table"
        yield Figure(name="import: of bare COPY", size=size, value=share, unit="x", must=0.15, aim=0.25, against=against).judged(_JUDGED)
        if copied.busy:
            # On a machine that is busy with other things the clock says more about those; what was asked of the processor says the rest.
            worked = copied.busy / road.busy
            yield Figure(name="import: of bare COPY, by processor time", size=size, value=worked, unit="x", against=f"{against}, client and server")
        yield from _once_more(organisation, source, Path(folder), size)


def _take(organisation: UUID, source: int, path: Path) -> on_upload.Taken:
    with path.open("rb") as handle:
        return on_upload.take(
            organisation_id=organisation, connection_id=source, name=path.name, chunks=iter(lambda: handle.read(1 << 20), b""), actor=_ACTOR
        )


def _customers(organisation: UUID) -> int:
    return counted(organisation, "SELECT count(*) FROM ledger_customer")


def counted(organisation: UUID, query: str) -> int:
    """One number, asked inside the organisation."""
    with walls.inside(organisation), connection.cursor() as cursor:
        cursor.execute(query)
        return int(cursor.fetchone()[0])


def _bare_copy(organisation: UUID, path: Path, size: int) -> Stopwatch:
    """The time of COPY of the document rows from a file into a twin of their table."""
    with place.owner() as owner:
        owner.execute(f"SET app.org = '{organisation}'")
        columns = [row[0] for row in owner.execute(
            """SELECT attname FROM pg_attribute WHERE attrelid = 'ledger_document'::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
                ORDER BY attnum""").fetchall()]  # fmt: skip
        listed = sql.SQL(", ").join(sql.Identifier(str(name)) for name in columns)
        written = sql.SQL("COPY (SELECT {} FROM ledger_document ORDER BY id) TO STDOUT").format(listed)
        with path.open("wb") as out, owner.cursor().copy(written) as rows:
            out.writelines(rows)
        owner.execute("CREATE TABLE bench_twin (LIKE ledger_document INCLUDING ALL)")
        for (reference,) in owner.execute(
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'ledger_document'::regclass AND contype = 'f'"
        ).fetchall():
            owner.execute(f"ALTER TABLE bench_twin ADD {reference}")
        owner.commit()
        place.checkpoint()
        with timed(server=owner.info.backend_pid) as watch:
            with path.open("rb") as source, owner.cursor().copy(sql.SQL("COPY bench_twin ({}) FROM STDIN").format(listed)) as copy:
                while block := source.read(1 << 18):
                    copy.write(block)
            owner.commit()
        assert owner.execute("SELECT count(*) FROM bench_twin").fetchone() == (size,)
    return watch


def _once_more(organisation: UUID, source: int, folder: Path, size: int) -> Iterator[Figure]:
    """The same rows in another file: no row version may be written."""
    again = books.write(folder / "again.csv", size, more="\n")
    since = counted(organisation, "SELECT pg_current_xact_id()::text::bigint")
    with timed() as watch:
        taken = _take(organisation, source, again)
    assert (taken.state, taken.created, taken.updated) == ("applied", 0, 0), taken
    yield rate("import: the same again", size, watch.seconds, "rows")
    counts = " + ".join(f"(SELECT count(*) FROM {table} WHERE xmin::text::bigint > {since})" for table in _TABLES)
    written = counted(organisation, f"SELECT {counts} + (SELECT count(*) FROM base_change WHERE kind = 'document' AND xmin::text::bigint > {since})")
    yield Figure(name="import: row versions written by the same again", size=size, value=written, unit="rows", must=0, better="less")
