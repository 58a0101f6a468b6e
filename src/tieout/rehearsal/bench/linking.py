"""`link`: customers of two tools in the database: read, compared, linked, proposed, with everything that hangs on a link; and once more,
with nothing changed.

The judgement alone is measured by `identity`; here it is what `tieout sync` does with it after a reading.
"""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from tieout.core import documents
from tieout.core.identity import Record
from tieout.flow import clock, identity
from tieout.rehearsal import doubles
from tieout.rehearsal.bench import place
from tieout.rehearsal.bench.figures import Figure, rate, timed
from tieout.rehearsal.bench.importing import counted
from tieout.stages.base import found, walls
from tieout.stages.intake.models import Connection
from tieout.stages.ledger import merge, stage, take_stock

_SEED = 2026
_LINKED = "SELECT count(*) FROM ledger_linkproposal WHERE state = 'linked'"


def run(size: int) -> Iterator[Figure]:
    """`size` records at once."""
    organisation = found.organisation(
        name="Bench", country="DE", time_zone="Europe/Berlin", base_currency="EUR", language="en", sender_name="", sender_address="",
        now=clock.real_now(),
    )  # fmt: skip
    _lay(organisation, size)
    place.checkpoint()
    with timed(server=counted(organisation, "SELECT pg_backend_pid()")) as watch:
        compared = identity.follow(organisation)
    assert compared.linked == counted(organisation, _LINKED), compared.linked
    yield rate("link: records compared and linked in the database", size, watch.seconds, "records")
    yield Figure(name="link: seconds", size=size, value=watch.seconds, unit="s", better="less")
    yield Figure(name="link: customers linked", size=size, value=compared.linked, unit="pairs")
    yield Figure(name="link: pairs proposed", size=size, value=compared.proposed, unit="pairs", better="less")
    with timed() as again:
        assert identity.follow(organisation).looked_at == 0
    yield Figure(name="link: once more, nothing changed", size=size, value=again.seconds, unit="s", better="less")


def _lay(organisation: UUID, size: int) -> None:
    """The records of the two tools, as two connections have them."""
    sample = doubles.sample(size, _SEED)
    now = clock.real_now()
    for source in sorted({record.source for record in sample.records}):
        with walls.inside(organisation):
            connection = Connection.objects.create(name=source, kind="file", created_at=now)
            with stage.as_intake():
                staged = stage.Staged(run_id=connection.pk)
                for line, record in enumerate((one for one in sample.records if one.source == source), 1):
                    staged.add(_described(record, line))
                staged.finish()
                merge.run(run_id=connection.pk, connection_id=connection.pk, envelope_id=None, now=now)
    with walls.inside(organisation):
        take_stock.run()


def _described(record: Record, line: int) -> documents.Customer:
    return documents.Customer(
        line=line, customer_id=str(record.key), name=record.name, aliases=record.aliases, accounts=record.accounts, country=record.country or None,
        city=record.city or None, email=record.emails[0] if record.emails else None, phone=record.phone or None, tax_id=record.tax_id or None,
    )  # fmt: skip
