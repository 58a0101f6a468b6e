"""An organisation with connected systems: connect, read, and ask what the ledger says."""

from __future__ import annotations

import uuid
from typing import Any

from tieout.core.evidence import Actor
from tieout.flow import clock, connecting, line, sync
from tieout.stages.base import walls
from tieout.stages.health import verify
from tieout.stages.insight import tie_out
from tieout.stages.intake.models import Connection, QuarantinedRow, SyncStream
from tieout.stages.ledger.models import Document, Payment, Stated

ADA = Actor("person", "Ada")


class Books:
    """One connection of an organisation, and the ledger behind it."""

    def __init__(self, organisation: uuid.UUID, connection: int) -> None:
        self.organisation, self.connection = organisation, connection

    def sync(self, *, anew: bool = False, **options: Any) -> sync.Synced:
        """Read now."""
        streams = [one for one in self.streams() if one] if anew else []
        return sync.once(self.organisation, self.connection, resync=streams, **options)

    def again(self) -> None:
        """Time has passed: what was to be waited for is over, and somebody has answered what needed a person."""
        with walls.inside(self.organisation):
            Connection.objects.filter(pk=self.connection).update(not_before=None, needs_person="")
        line.rested(self.connection)

    def streams(self) -> dict[str, str]:
        """The state of each stream."""
        with walls.inside(self.organisation):
            return dict(SyncStream.objects.filter(connection_id=self.connection).values_list("name", "state"))

    def row(self) -> Connection:
        with walls.inside(self.organisation):
            found: Connection = Connection.objects.get(pk=self.connection)
            return found

    def open_by_number(self) -> dict[str, int]:
        """What is open of each invoice, in minor units."""
        with walls.inside(self.organisation):
            return dict(Document.objects.filter(kind="invoice").values_list("number", "open_minor"))

    def document(self, number: str) -> Document:
        with walls.inside(self.organisation):
            found: Document = Document.objects.get(number=number)
            return found

    def payments(self) -> list[tuple[int, int, int, str]]:
        """(amount, applied, given back, status) of each payment, oldest first."""
        with walls.inside(self.organisation):
            return list(Payment.objects.order_by("id").values_list("amount_minor", "allocated_minor", "refunded_minor", "status"))

    def waiting(self) -> list[str]:
        """Why what a source states is not applied."""
        with walls.inside(self.organisation):
            return list(Stated.objects.filter(retracted_at__isnull=True, allocation__isnull=True).values_list("problem", flat=True))

    def set_aside(self) -> list[str]:
        """Why objects were set aside and still wait."""
        with walls.inside(self.organisation):
            return list(QuarantinedRow.objects.filter(state="open").values_list("message", flat=True))

    def tie_out(self) -> tie_out.TieOut:
        """Our balances against the source's, kept in the history of runs."""
        with walls.inside(self.organisation):
            return tie_out.run(connection=Connection.objects.get(pk=self.connection), today=clock.today(), now=clock.now())

    def verify(self) -> None:
        """Every promise holds."""
        with walls.inside(self.organisation):
            broken = [(found.code, found.breaches) for found in verify.run(now=clock.now()) if found.breaches]
        assert not broken, broken


def connect(organisation: uuid.UUID, vendor: str, *, stage: str = "live", name: str = "", **given: str) -> Books:
    """A connected system, nothing read yet."""
    connection, _ = connecting.open(organisation, vendor=vendor, name=name or vendor.title(), given=given, stage=stage, actor=ADA)
    return Books(organisation, connection)
