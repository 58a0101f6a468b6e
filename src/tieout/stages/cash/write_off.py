"""Write off what will not come: an amount of an invoice, with its reason. Undone like any allocation (`undo.allocation`)."""

from __future__ import annotations

import datetime as dt

from tieout.core.evidence import Actor, Refused
from tieout.core.money import minor_text
from tieout.stages.base import queries as base
from tieout.stages.cash import account, entry, lines
from tieout.stages.ledger.models import Allocation, Document


def document(*, document: Document, amount_minor: int, reason: str, actor: Actor, now: dt.datetime) -> Allocation | Refused:
    """Write off `amount_minor` of an invoice, dated today. Refused: without a reason, a machine, more than is left of it."""
    if actor.kind != "person":
        return Refused("only a person writes off")
    if not reason.strip():
        return Refused("say why it is written off")
    account.lock([document.customer_id])
    row: Document = Document.objects.get(pk=document.pk)
    left = lines.left(row)
    if row.kind != "invoice" or not 0 < amount_minor <= left:
        return Refused(f"{row.number} has {minor_text(left, row.currency)} {row.currency} left to write off")
    allocation = Allocation(
        kind="write_off", document=row, currency=row.currency, amount_minor=amount_minor, date=base.today_of(base.profile(), now), recorded_at=now,
        rank=actor.rank, actor_kind=actor.kind, actor_name=actor.name, actor_id=actor.id, rule="by hand", reason=reason.strip(),
    )
    written = entry.write([allocation])
    if isinstance(written, Refused):
        return written
    entry.tell("cash.write_off", written, actor=actor, now=now, reason=reason)
    return allocation
