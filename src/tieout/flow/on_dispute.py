"""A payer's bank disputes a payment: whoever it paid for is not reminded of that while it is open (decision 0010).

Open, or only asked about: what the payment has paid is disputed, and held. Won, or closed: as before. Lost: the money is gone, the
invoice is open again, and it stays held until a person says whether to credit it or to ask for it. Each status is acted upon once.
"""

from __future__ import annotations

import datetime as dt

from django.db import connection
from django.db.models import F

from tieout.core.evidence import Actor, Refused
from tieout.core.money import minor_text
from tieout.stages.base import walls
from tieout.stages.dialogue import dispute
from tieout.stages.dialogue.models import Dispute
from tieout.stages.ledger.models import Document, StatedDispute

#: As a reader knows it from other objections.
CATEGORY = "chargeback"
_OVER = ("won", "closed")

#: What a disputed payment has paid, and how much of it: as its source says, else as it is applied here.
_PAID = """
WITH stated AS (
  SELECT r.target_id AS document_id, sum(t.amount_minor) AS minor
    FROM ledger_stated t
    JOIN ledger_sourcerecord r ON r.organisation_id = %(org)s AND r.connection_id = t.connection_id AND r.kind = 'invoice'
         AND r.external_id = t.document_external_id AND r.retracted_at IS NULL
   WHERE t.organisation_id = %(org)s AND t.connection_id = %(conn)s AND t.source_external_id = %(payment)s AND t.kind = 'cash'
     AND t.retracted_at IS NULL
   GROUP BY 1),
applied AS (
  SELECT a.document_id, sum(a.amount_minor) AS minor
    FROM ledger_sourcerecord p JOIN ledger_allocation a ON a.organisation_id = %(org)s AND a.payment_id = p.target_id AND a.retracted_at IS NULL
   WHERE p.organisation_id = %(org)s AND p.connection_id = %(conn)s AND p.kind = 'payment' AND p.external_id = %(payment)s AND p.retracted_at IS NULL
   GROUP BY 1)
SELECT document_id, minor FROM stated UNION ALL SELECT document_id, minor FROM applied WHERE NOT EXISTS (SELECT 1 FROM stated) ORDER BY 1"""


def follow(*, now: dt.datetime) -> int:
    """Act upon what sources have said of disputes since; returns on how many. What a disputed payment paid may not be known yet: then
    it is looked at again with the next money."""
    count = 0
    for stated in StatedDispute.objects.exclude(followed=F("status")).select_related("connection").order_by("id"):
        actor = Actor("source", stated.connection.name)
        done = _end(stated, actor, now) if stated.status in _OVER else _begin(stated, actor, now)
        if done:
            stated.followed = stated.status
            stated.save(update_fields=["followed"])
            count += 1
    return count


def _begin(stated: StatedDispute, actor: Actor, now: dt.datetime) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_PAID, {"org": walls.current(), "conn": stated.connection_id, "payment": stated.payment_external_id})
        paid = cursor.fetchall()
    left = stated.amount_minor
    for document_id, minor in paid:
        document = Document.objects.get(pk=document_id)
        part = min(left, int(minor), _undisputed(document, stated))
        left -= min(left, int(minor))
        known = Dispute.objects.filter(stated=stated, document=document).first()
        if known is None and part > 0:
            made = dispute.open(
                document=document, amount_minor=part, category=CATEGORY, said=_said(stated), stated_id=stated.pk, actor=actor, now=now
            )
            # An invoice that asks for no money (void by now) needs no hold.
            known = None if isinstance(made, Refused) else made
        elif known is not None and known.state != Dispute.State.OPEN and stated.status == "lost" and known.settled_by == actor.name:
            # Won by the gateway's word, and lost after all; what a person has settled stays settled.
            again = dispute.reopen(dispute=known, reason=_said(stated), actor=actor, now=now)
            known = None if isinstance(again, Refused) else again
        if known is not None and stated.status == "lost":
            dispute.remark(dispute=known, answer=_lost(stated), actor=actor, now=now)
    return bool(paid)


def _end(stated: StatedDispute, actor: Actor, now: dt.datetime) -> bool:
    answer = f"{stated.external_id} was {stated.status} at {stated.connection.name}; the payment stands"
    for row in Dispute.objects.filter(stated=stated, state="open").order_by("id"):
        dispute.settle(dispute=row, state="rejected" if stated.status == "won" else "withdrawn", answer=answer, actor=actor, now=now)
    return True


def _undisputed(document: Document, stated: StatedDispute) -> int:
    others = Dispute.objects.filter(document=document, state="open").exclude(stated=stated).values_list("amount_minor", flat=True)
    return int(document.amount_minor) - sum(others)


def _said(stated: StatedDispute) -> str:
    reason = f": {stated.said.replace('_', ' ')}" if stated.said else ""
    asks = "asks about" if stated.status == "inquiry" else "disputes"
    until = f". Answer it at {stated.connection.name} by {stated.respond_by.isoformat()}" if stated.respond_by and stated.status != "lost" else ""
    return f"The payer's bank {asks} payment {stated.payment_external_id} ({stated.external_id}){reason}{until}"


def _lost(stated: StatedDispute) -> str:
    fee = f", for which {minor_text(stated.fee_minor, stated.fee_currency)} {stated.fee_currency} were charged" if stated.fee_minor else ""
    return (
        f"{stated.external_id} was lost at {stated.connection.name}{fee}: the money is gone and the invoice is open again. It is not asked for "
        "until somebody settles this: they are right (then credit it or write it off), or not accepted (then it is asked for again)."
    )
