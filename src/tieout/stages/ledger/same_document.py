"""The same document in two tools: one of them counts, the other is that source's word about it (`SourceRecord.reported_*`), so that
nothing is owed twice. Linked by machine where that is certain and nothing was applied to the one that steps back; parted without a trace.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from django.db import connection
from django.db.models import Q

from tieout.core.evidence import Actor
from tieout.core.identity import documents
from tieout.core.money import Money
from tieout.stages.base import audit, walls
from tieout.stages.ledger import version
from tieout.stages.ledger.link import LinkRefused
from tieout.stages.ledger.models import Document, LinkProposal, SourceRecord

_State = LinkProposal.State
KINDS = ("invoice", "credit_note")

_OF_TWO_SOURCES = """
SELECT d.id, d.kind, d.number, d.amount_minor, d.currency, d.customer_id, d.issue_date, d.connection_id, d.allocated_minor + d.written_off_minor
  FROM ledger_document d
 WHERE d.organisation_id = %(org)s AND d.status IN ('open', 'unknown') AND d.amount_minor > 0
   AND d.customer_id IN (
       SELECT customer_id FROM ledger_document
        WHERE organisation_id = %(org)s AND status IN ('open', 'unknown') AND (%(ids)s::bigint[] IS NULL OR customer_id = ANY(%(ids)s))
        GROUP BY 1 HAVING count(DISTINCT connection_id) > 1)"""


class Same(msgspec.Struct, frozen=True, kw_only=True):
    """How many pairs were linked and proposed, and the customers whose documents they are."""

    linked: int = 0
    proposed: int = 0
    customers: tuple[int, ...] = ()


def find(*, customer_ids: Iterable[int] | None, actor: Actor, now: dt.datetime) -> Same:
    """Compare the documents of these customers (None: of all) between sources: link the certain ones, propose the likely."""
    with connection.cursor() as cursor:
        cursor.execute(_OF_TWO_SOURCES, {"org": walls.current(), "ids": None if customer_ids is None else sorted(set(customer_ids))})
        rows = {row[0]: row for row in cursor.fetchall()}
    if not rows:
        return Same()
    held = [
        documents.Document(
            key=pk, source=str(source), kind=kind, number=number, amount=Money(minor, currency), customer=customer, issue_date=issued
        )
        for pk, kind, number, minor, currency, customer, issued, source, _ in rows.values()
    ]
    known = {
        (row.first_id, row.second_id): row
        for row in LinkProposal.objects.filter(Q(first_id__in=rows) | Q(second_id__in=rows), kind__in=KINDS)
    }
    refused = [two for two, row in known.items() if row.state == _State.REFUSED]
    linked, proposed, customers = 0, 0, set()
    for one in documents.same(held, rejected=refused):
        first, second = sorted((int(one.first), int(one.second)))
        row = known.get((first, second)) or LinkProposal(kind=rows[first][1], first_id=first, second_id=second, found_at=now)
        if row.state in (_State.LINKED, _State.REFUSED) or rows[first][5] != rows[second][5]:
            continue
        row.score, row.reasons = one.score, list(one.reasons)
        row.against = [_named(text, rows) for text in one.against]
        back = _steps_back(first, second, rows)
        if one.decision == "certain" and back is not None:
            row.into_id = first if back == second else second
            row.state, row.rank, row.decided_by, row.decided_at = _State.LINKED, actor.rank, actor.name[:300], now
            row.save()
            _step_back(row, now)
            audit.write_many([_entry("document.link", row)], actor=actor, now=now)
            linked += 1
            customers.add(rows[first][5])
        else:
            if one.decision == "certain":
                row.against = ["money is applied to both of them"]
            row.state = _State.OPEN
            row.save()
            proposed += 1
    return Same(linked=linked, proposed=proposed, customers=tuple(sorted(customers)))


def decide(*, proposal: LinkProposal, same: bool, actor: Actor, now: dt.datetime) -> None:
    """A person's word on a pair of documents. Raises LinkRefused."""
    if same and proposal.state == _State.LINKED:
        raise LinkRefused("these two are linked already")
    pair = _both(proposal)
    if same:
        if pair[0].connection_id == pair[1].connection_id:
            raise LinkRefused("two documents of one system are that system's own affair: void or delete one of them there")
        if pair[0].customer_id != pair[1].customer_id:
            raise LinkRefused("the two are booked to different customers; link those first")
        used = [d.allocated_minor + d.written_off_minor for d in pair]
        if all(used):
            raise LinkRefused(f"money is applied to {pair[0].number} in both systems; undo what is applied to one of them first")
        if proposal.into_id is None:
            proposal.into_id = pair[1].pk if used[1] else pair[0].pk
    was_linked = proposal.state == _State.LINKED
    proposal.state = _State.LINKED if same else _State.REFUSED
    proposal.rank, proposal.decided_by, proposal.decided_at = actor.rank, actor.name[:300], now
    if same:
        _step_back(proposal, now)
    elif was_linked:
        _step_forward(proposal, now)
    if not same:
        proposal.into_id = None
    proposal.save()
    audit.write_many([_entry("document.link" if same else "document.refuse", proposal)], actor=actor, now=now)


def reopen(*, proposal: LinkProposal, actor: Actor, now: dt.datetime) -> None:
    """Take a word on a pair of documents back: it waits again. Raises LinkRefused."""
    if proposal.state not in (_State.LINKED, _State.REFUSED):
        raise LinkRefused("nobody has decided on this pair")
    if proposal.state == _State.LINKED:
        _step_forward(proposal, now)
    proposal.state, proposal.into_id, proposal.rank, proposal.decided_by, proposal.decided_at = _State.OPEN, None, 1, "machine", None
    proposal.save()
    audit.write_many([_entry("document.reopen", proposal)], actor=actor, now=now)


def external_of(*, proposal: LinkProposal) -> tuple[int, str]:
    """The connection and the key there of the document that steps, or stepped, back."""
    back = Document.objects.get(pk=proposal.second_id if proposal.into_id == proposal.first_id else proposal.first_id)
    return back.connection_id, back.external_id


def _steps_back(first: int, second: int, rows: dict[int, Sequence[Any]]) -> int | None:
    """The later one, or the one to which nothing is applied; neither where something is applied to both."""
    if not rows[second][8]:
        return second
    return None if rows[first][8] else first


def _both(proposal: LinkProposal) -> list[Document]:
    found = list(Document.objects.select_for_update().filter(pk__in=[proposal.first_id, proposal.second_id]).order_by("id"))
    if len(found) != 2 or proposal.kind not in KINDS:
        raise LinkRefused("this pair is not of documents")
    return found


def _step_back(row: LinkProposal, now: dt.datetime) -> None:
    first, second = _both(row)
    into, back = (first, second) if row.into_id == first.pk else (second, first)
    record = SourceRecord.objects.get(
        connection_id=back.connection_id, kind=back.kind, external_id=back.external_id, retracted_at__isnull=True
    )
    _again(record, into.pk, back.pk, now, reported_minor=back.amount_minor, reported_open_minor=back.reported_open_minor,
           reported_status=back.status, evidence="; ".join(row.reasons)[:300], score=row.score, linked_by=row.decided_by, rank=row.rank)  # fmt: skip
    back.status, back.recorded_at = "deleted", now
    back.save(update_fields=["status", "recorded_at"])
    version.of_document(document=back, cause="link", now=now)


def _step_forward(row: LinkProposal, now: dt.datetime) -> None:
    """The document that stepped back counts again, as its source has it by now."""
    first, second = _both(row)
    back = second if row.into_id == first.pk else first
    record = SourceRecord.objects.get(
        connection_id=back.connection_id, kind=back.kind, external_id=back.external_id, retracted_at__isnull=True
    )
    back.status, back.recorded_at = "deleted" if record.gone_at else record.reported_status or "open", now
    back.amount_minor = record.reported_minor if record.reported_minor is not None else back.amount_minor
    back.reported_open_minor = record.reported_open_minor
    back.save(update_fields=["status", "amount_minor", "reported_open_minor", "recorded_at"])
    _again(record, back.pk, None, now, reported_minor=None, reported_open_minor=None, reported_status="", evidence="the source's own key", score=100,
           linked_by="machine", rank=1)  # fmt: skip
    version.of_document(document=back, cause="link", now=now)


def _again(record: SourceRecord, target: int, home: int | None, now: dt.datetime, **fields: Any) -> None:
    SourceRecord.objects.filter(pk=record.pk).update(retracted_at=now)
    SourceRecord.objects.create(
        connection_id=record.connection_id, kind=record.kind, external_id=record.external_id, target_id=target, home_id=home,
        content_hash=bytes(record.content_hash), envelope_id=record.envelope_id, line=record.line, recorded_at=now, seen_at=record.seen_at,
        gone_at=record.gone_at, gone_as=record.gone_as, **fields,
    )  # fmt: skip


def _named(text: str, rows: dict[int, Sequence[Any]]) -> str:
    words = text.split(" ")
    if words[0] == "document" and len(words) > 1 and words[1].isdigit() and int(words[1]) in rows:
        return f"{rows[int(words[1])][2]} fits as well"
    return text


def _entry(action: str, row: LinkProposal) -> tuple[str, str, object, str, dict[str, object]]:
    detail: dict[str, object] = {"first": row.first_id, "second": row.second_id, "score": row.score, "pair": row.pk, "state": str(row.state)}
    return action, row.kind, row.into_id or row.first_id, "; ".join(row.reasons), detail
