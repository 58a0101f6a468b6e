"""Anchor the audit trail outside the database: the head of each chain, as a line in a file of the data directory.

Through the outbox, like every effect on the outside: claimed, called, settled. A chain whose anchors lie elsewhere
cannot be recomputed unseen; an operator ships the file to write-once storage.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings

from tieout.flow import clock
from tieout.stages.base import audit, crash, walls
from tieout.stages.writeback import outbox

KIND = "audit_anchor"


def put(organisation_id: UUID) -> None:
    """Ask for today's anchor of one organisation, and carry out what waits."""
    with walls.inside(organisation_id):
        head = audit.head()
        now = clock.real_now()
        body = {"organisation": head.organisation_id, "seq": head.seq, "hash": head.hash, "at": now.isoformat()}
        outbox.put(kind=KIND, natural_key=f"{KIND}:{now.date()}:{head.seq}", body=body, now=now)
    carry_out(organisation_id)


def carry_out(organisation_id: UUID) -> int:
    """Write waiting anchors to the file; returns how many. A line already there is found, not written again."""
    with walls.inside(organisation_id):
        claimed = outbox.claim(kind=KIND, now=clock.real_now())
    crash.point("outbox.after_claim")
    for one in claimed:
        line = json.dumps(one.body, sort_keys=True)
        if line not in _lines():
            _append(line)
        crash.point("outbox.after_call")
        with walls.inside(organisation_id):
            outbox.settle(id=one.id, state="done", receipt=str(_file()), now=clock.real_now())
    return len(claimed)


def reconcile(organisation_id: UUID) -> int:
    """Claims nobody settled: the file is looked at, and what stands there is done; the rest waits again."""
    from tieout.stages.writeback.models import Outgoing

    settled = 0
    with walls.inside(organisation_id):
        for row in Outgoing.objects.filter(kind=KIND, state=Outgoing.State.CLAIMED):
            written = json.dumps(row.body, sort_keys=True) in _lines()
            outbox.settle(
                id=row.pk,
                state="done" if written else "waiting",
                receipt=str(_file()) if written else "",
                now=clock.real_now(),
                again_at=clock.real_now(),
            )
            settled += 1
    return settled


def anchors(organisation_id: UUID) -> list[dict[str, Any]]:
    """The anchors of one organisation, oldest first."""
    found = [json.loads(line) for line in _lines()]
    return [a for a in found if a["organisation"] == str(organisation_id)]


def _file() -> Path:
    return Path(settings.DATA) / "anchors.jsonl"


def _lines() -> list[str]:
    return _file().read_text().splitlines() if _file().exists() else []


def _append(line: str) -> None:
    with _file().open("a") as handle:
        handle.write(line + "\n")
        handle.flush()
