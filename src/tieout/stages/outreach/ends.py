"""How a message may end without leaving, as words shown beside it; those a machine wrote allow another message later."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

SUPERSEDED = "replaced by a newer draft"
NOTHING_LEFT = "nothing is left to ask for"
BY_MACHINE = (SUPERSEDED, NOTHING_LEFT)

#: Not yet claimed: may be edited, approved, cancelled, replaced.
WAITING = ("draft", "planned", "held")


def base_key(*, customer_id: int, step: str, channel: str, address_key: str, document_ids: Iterable[int]) -> str:
    """What makes two messages the same one: customer, step, debts, channel and address. A cycle number follows it."""
    debts = hashlib.sha256(",".join(str(i) for i in sorted(document_ids)).encode()).hexdigest()[:24]
    mailbox = hashlib.sha256(address_key.encode()).hexdigest()[:24]
    return f"{customer_id}:{step}:{channel}:{mailbox}:{debts}"
