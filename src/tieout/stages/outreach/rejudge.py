"""Held messages whose customer changed are asked about again in the next round, not only when their time comes."""

from __future__ import annotations

from collections.abc import Iterable

from tieout.stages.outreach.models import Message


def customers(*, customer_ids: Iterable[int] | None) -> int:
    """Ask again about what is held for these customers (None: for all); returns how many messages."""
    held = Message.objects.filter(state=Message.State.HELD, not_before__isnull=False)
    if customer_ids is not None:
        held = held.filter(customer_id__in=sorted(set(customer_ids)))
    return int(held.update(not_before=None))
