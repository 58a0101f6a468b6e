"""Which records a full reading of a stream has met."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection

from tieout.stages.base import walls
from tieout.stages.ledger.models import Seen


def note(*, connection_id: int, stream: str, generation: int, external_ids: Sequence[str]) -> None:
    """These were met; twice is once."""
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO ledger_seen (organisation_id, connection_id, stream, generation, external_id)
               SELECT %s, %s, %s, %s, x FROM unnest(%s::text[]) AS x ON CONFLICT DO NOTHING""",
            [walls.current(), connection_id, stream, generation, list(external_ids)],
        )


def forget(*, connection_id: int, stream: str) -> None:
    """The reading is over and what it missed has been dealt with."""
    Seen.objects.filter(connection_id=connection_id, stream=stream).delete()
