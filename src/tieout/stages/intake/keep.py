"""Keep what a connected system answered, exactly as it came, where anything of it was new."""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib

from django.db import connection

from tieout.stages.base import walls
from tieout.stages.intake.models import Envelope, EnvelopePart
from tieout.stages.intake.receive import PART


def number() -> int:
    """The number an envelope will have: records name it before it is known whether it is worth keeping."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('intake_envelope_id_seq')")
        return int(cursor.fetchone()[0])


def envelope(*, number: int, connection_id: int, run_id: int, content: bytes, now: dt.datetime, set_aside: int) -> None:
    """Keep it, with its end: what could be taken of it was."""
    small = len(content) <= PART
    Envelope.objects.create(
        id=number, organisation_id=walls.current(), connection_id=connection_id, external_id=f"answer:{run_id}:{number}", name="answer",
        media_type="application/json", size=len(content), sha256=hashlib.sha256(content).hexdigest(), received_at=now, settled_at=now,
        state="applied", reason=f"{set_aside} objects set aside" if set_aside else "taken",
        body=gzip.compress(content, compresslevel=1) if small else None,
    )  # fmt: skip
    if not small:
        EnvelopePart.objects.bulk_create(
            EnvelopePart(envelope_id=number, ordinal=ordinal, content=gzip.compress(content[place : place + PART], compresslevel=1))
            for ordinal, place in enumerate(range(0, len(content), PART))
        )
