"""Named crash points, for kill tests of the real program: the process dies as by SIGKILL where the name says.

Off unless the environment variable TIEOUT_CRASH_AT names a point; `names()` lists every point that exists, so that a
sweep over all of them cannot miss a new one.
"""

from __future__ import annotations

import os
import signal

#: Every point, with where it stands. A point not listed here is refused, so the sweep is complete by construction.
POINTS: dict[str, str] = {
    "intake.after_receive": "bytes stored, nothing read yet",
    "intake.after_stage": "rows staged, not merged",
    "intake.after_merge": "rows merged, not committed",
    "sync.after_read": "objects fetched from a system, nothing stored",
    "sync.before_checkpoint": "objects merged with their place, not committed",
    "sync.after_checkpoint": "objects committed with their place, the next ones not fetched",
    "consent.after_fetch": "renewed tokens fetched, not stored",
    "cash.after_allocation": "allocation written, not committed",
    "send.before_claim": "message planned, nothing claimed",
    "send.after_claim": "claim committed, provider not called",
    "send.after_call": "provider called, outcome not recorded",
    "send.after_settle": "outcome recorded, not committed",
    "outbox.after_claim": "claim committed, other side not called",
    "outbox.after_call": "other side called, outcome not recorded",
    "alarm.after_claim": "notice claimed, its address not called",
    "alarm.after_call": "its address called, outcome not recorded",
}


def point(name: str) -> None:
    """Die here, as by SIGKILL, when the environment asks for it."""
    if name not in POINTS:
        raise KeyError(f"unknown crash point {name}")
    if os.environ.get("TIEOUT_CRASH_AT") == name:
        os.kill(os.getpid(), signal.SIGKILL)
