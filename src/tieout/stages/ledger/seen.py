"""Which records a full reading of a stream has met."""

from __future__ import annotations

from collections.abc import Sequence

from tieout.stages.ledger.models import Seen


def note(*, connection_id: int, stream: str, generation: int, external_ids: Sequence[str]) -> None:
    """These were met; twice is once."""
    if external_ids:
        Seen.objects.create(connection_id=connection_id, stream=stream, generation=generation, external_ids=list(external_ids))


def forget(*, connection_id: int, stream: str) -> None:
    """The reading is over and what it missed has been dealt with."""
    Seen.objects.filter(connection_id=connection_id, stream=stream).delete()
