"""Claim messages: the gate is asked on facts read under the locks, and what it allows is committed as `sending` first.

No lock is waited for, so none can deadlock: what somebody else holds (a message another worker asks about, an account
that money is being applied to) is left to the next round, and several workers share the work. Money, opt-outs, disputes and
holds take the account's or the contact point's lock too, so they are seen here or come after.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import msgspec
from django.db import connection
from django.db.models import Q

from tieout.core import gate
from tieout.core.evidence import Actor
from tieout.core.policy.packs import contact_rules
from tieout.stages.base import audit, feed, walls
from tieout.stages.base import queries as base
from tieout.stages.outreach import ends, evidence, liquid, said, sending, statement, store, telling, tokens, truth
from tieout.stages.outreach.models import Message
from tieout.stages.outreach.said import Said
from tieout.stages.outreach.standing import Document
from tieout.stages.outreach.words import Sender
from tieout.stages.outreach.writing import Desk

_CHANGED = (
    "state", "subject", "body", "html", "facts", "document_ids", "attachments", "hold_reason", "hold_release", "not_before", "claimed_at", "claims",
    "message_id", "outcome",
)  # fmt: skip
#: Claims in one transaction, at most.
LIMIT = 50
#: A message held for something that must happen is asked about again this often, besides at once when its customer changes.
ASK_AGAIN = dt.timedelta(hours=1)
SENDER = Actor("machine", "sender")


class Claimed(msgspec.Struct, frozen=True, kw_only=True):
    """A message this worker alone may hand over, once; `claim` is its number, which every settling must name."""

    id: int
    claim: int
    customer_id: int
    message_id: str
    token: str
    to_address: str
    subject: str
    body: str
    html: str
    said: Said
    attach: bool
    references: tuple[str, ...]
    sender: Sender
    opt_out_url: str


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """One round: what may be sent, and how many were looked at and held or ended instead."""

    claimed: tuple[Claimed, ...] = ()
    held: int = 0
    ended: int = 0

    @property
    def seen(self) -> int:
        return len(self.claimed) + self.held + self.ended


def batch(*, now: dt.datetime, limit: int = LIMIT, customer_ids: Sequence[int] | None = None) -> Round:
    """Ask the gate about up to `limit` messages that are due and claim those it allows."""
    messages = _locked(now, min(limit, LIMIT), customer_ids)
    if not messages:
        return Round()
    desk = Desk(sender=sending.sender())
    rules = contact_rules()
    read = evidence.read(messages=messages, now=now)
    today = base.today_of(base.profile(), now)
    allowed: list[tuple[Message, Said, gate.Verdict]] = []
    held: list[Message] = []
    ended: list[Message] = []
    for message in messages:
        named = telling.named(read.accounts[message.customer_id].documents, message.document_ids)
        if not named and not message.edited:
            _end(message)
            ended.append(message)
            continue
        fresh = _retold(message, read, named, desk, today)
        wrong = "" if message.edited else _rewritten(message, fresh, desk)
        if wrong:
            _hold(message, wrong, "the wording is mended", None, now)
            held.append(message)
            continue
        verdict = gate.ask(_facts(message, fresh, read), rules)
        if verdict.allowed:
            read.touches.setdefault(message.contact_point_id, []).append(gate.Touch(message_id=str(message.pk), at=now))
            allowed.append((message, fresh, verdict))
        else:
            releases = dict.fromkeys(check.release for check in verdict.refusals if check.release)
            _hold(message, "; ".join(check.detail for check in verdict.refusals), "; ".join(releases), verdict.next_allowed_at, now)
            held.append(message)
    return _kept(allowed, held, ended, desk, now)


def is_due(*, now: dt.datetime, customer_ids: Sequence[int] | None = None) -> bool:
    """Whether a round would find anything to ask about."""
    return bool(_due(now, customer_ids).exists())


def _due(now: dt.datetime, customer_ids: Sequence[int] | None) -> Any:
    due = Message.objects.filter(state__in=("planned", "held")).filter(Q(not_before__isnull=True) | Q(not_before__lte=now))
    return due if customer_ids is None else due.filter(customer_id__in=list(customer_ids))


def _locked(now: dt.datetime, limit: int, customer_ids: Sequence[int] | None) -> list[Message]:
    rows = list(_due(now, customer_ids).order_by("not_before", "id").select_for_update(skip_locked=True, no_key=True)[:limit])
    accounts = _take("ledger_customer", {row.customer_id for row in rows})
    points = _take("dialogue_contactpoint", {row.contact_point_id for row in rows if row.customer_id in accounts})
    return sorted((row for row in rows if row.customer_id in accounts and row.contact_point_id in points), key=lambda row: row.pk)


def _take(table: str, ids: set[int]) -> set[int]:
    if not ids:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(
            f'SELECT id FROM "{table}" WHERE organisation_id = %s AND id = ANY(%s) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED',
            [walls.current(), sorted(ids)],
        )
        return {row[0] for row in cursor.fetchall()}


def _retold(message: Message, read: evidence.Batch, named: list[Document], desk: Desk, today: dt.date) -> Said:
    """What the letter would say now."""
    account = read.accounts[message.customer_id]
    drafted = said.read(message.facts)
    if message.edited:
        # The person's text speaks of what was drafted; whether that still holds is for the gate to see.
        named = [account.documents[i] for i in message.document_ids if i in account.documents]
    elif not any(one.demandable_minor > 0 for one in named):
        # All of it waits. The text stays as it was drafted, so that the gate says why in terms of what it demands.
        return drafted
    fresh = telling.tell(
        named=named,
        documents=account.documents,
        customer=account.customer.name,
        recipient=drafted.recipient,
        language=drafted.language,
        today=today,
    )
    if message.approved_by or message.edited:
        # What a person has read keeps its wording; only figures that changed write it again.
        return msgspec.structs.replace(fresh, wording=drafted.wording, sender=drafted.sender)
    return desk.signed(fresh, tone=message.tone)


def _rewritten(message: Message, fresh: Said, desk: Desk) -> str:
    """Write the text again where its facts have changed since; returns why it could not be."""
    if fresh == said.read(message.facts):
        return ""
    attach = len(fresh.statement) > 1
    try:
        text = desk.write(fresh, tone=message.tone, token=message.token, attach=attach)
    except liquid.LiquidError as error:
        return f"the wording cannot be rendered: {str(error)[:200]}"
    message.subject, message.body, message.html, message.facts = text.subject, text.body, text.html, fresh.plain()
    message.document_ids = [item.document_id for item in fresh.items]
    message.attachments = [{"kind": "statement", "name": statement.name(fresh)}] if attach else []
    return ""


def _facts(message: Message, fresh: Said, read: evidence.Batch) -> gate.Facts:
    documents = read.accounts[message.customer_id].documents
    drafted = {item.document_id: item for item in said.read(message.facts).items}
    items = []
    for key in message.document_ids:
        now, then = documents.get(key), drafted.get(key)
        if now is None or then is None:
            continue
        status: Any = now.status
        items.append(
            gate.Item(
                document_id=str(key), number=now.number, currency=now.currency, status=status, open_minor=now.open_minor,
                contested_minor=now.contested_minor, on_the_way_minor=0, stated_open_minor=then.open_minor, demanded_minor=then.demanded_minor,
            )
        )  # fmt: skip
    connections = {documents[key].connection_id for key in message.document_ids if key in documents}
    statements = truth.statements(fresh, body=message.body, edited=message.edited)
    return evidence.facts(batch=read, message=message, items=items, statements=statements, connections=connections)


def _hold(message: Message, reason: str, release: str, until: dt.datetime | None, now: dt.datetime) -> None:
    message.state, message.hold_reason, message.hold_release = Message.State.HELD, reason, release
    message.not_before = until or now + ASK_AGAIN


def _end(message: Message) -> None:
    message.state, message.outcome = Message.State.CANCELLED, ends.NOTHING_LEFT
    message.hold_reason = message.hold_release = ""


def _kept(
    allowed: list[tuple[Message, Said, gate.Verdict]], held: list[Message], ended: list[Message], desk: Desk, now: dt.datetime
) -> Round:
    organisation_id = walls.current()
    certificates = []
    for message, _, verdict in allowed:
        message.state, message.claimed_at, message.claims = Message.State.SENDING, now, message.claims + 1
        message.hold_reason = message.hold_release = ""
        message.message_id = message.message_id or tokens.message_id(organisation_id, message.token, desk.sender.address)
        certificates.append(_certificate(message, verdict, now))
    threads = _threads([message for message, _, _ in allowed])
    changed = [*(message for message, _, _ in allowed), *held, *ended]
    store.rows(changed, _CHANGED)
    store.certificates(certificates)
    left = [*(message for message, _, _ in allowed), *ended]
    feed.publish(kind="message", ids=[m.pk for m in left], customer_ids=[m.customer_id for m in left], cause="message.claim", now=now)
    # A claim is proven by its certificate, which nobody can change. One entry for the round gives it its place in the trail: what
    # committed before it and what after, no clock can say (`health.before`).
    acts: list[tuple[str, str, object, str, dict[str, Any]]] = [("message.end", "message", m.pk, ends.NOTHING_LEFT, {}) for m in ended]
    if allowed:
        claims = [[message.pk, message.claims] for message, _, _ in allowed]
        acts.append(("message.claim", "messages", claims[0][0], "", {"claims": claims}))
    audit.write_many(acts, actor=SENDER, now=now)
    claimed = tuple(_claimed(message, fresh, threads, desk) for message, fresh, _ in allowed)
    return Round(claimed=claimed, held=len(held), ended=len(ended))


def _certificate(message: Message, verdict: gate.Verdict, now: dt.datetime) -> dict[str, Any]:
    checks = [{name: value for name, value in msgspec.to_builtins(check).items() if value != ""} for check in verdict.checks]
    return {
        "message_id": message.pk, "claim": message.claims, "allowed": verdict.allowed, "checks": checks, "rules_version": verdict.rules_version,
        "inputs_hash": verdict.inputs_hash, "issued_at": now,
    }  # fmt: skip


def _claimed(message: Message, fresh: Said, threads: dict[int, tuple[str, ...]], desk: Desk) -> Claimed:
    return Claimed(
        id=message.pk, claim=message.claims, customer_id=message.customer_id, message_id=message.message_id, token=message.token,
        to_address=message.to_address, subject=message.subject, body=message.body, html=message.html, said=fresh, attach=bool(message.attachments),
        references=threads.get(message.pk, ()), sender=desk.sender, opt_out_url=desk.opt_out_url(message.token),
    )  # fmt: skip


def _threads(messages: list[Message]) -> dict[int, tuple[str, ...]]:
    """Earlier messages of the same customer to the same mailbox: one thread in the reader's mail program."""
    if not messages:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT id, array_agg(message_id ORDER BY drafted_at)
                 FROM (SELECT n.id, m.message_id, m.drafted_at, row_number() OVER (PARTITION BY n.id ORDER BY m.drafted_at DESC) AS nth
                         FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[]) AS n (id, customer, point)
                         JOIN outreach_message m ON m.organisation_id = %s AND m.contact_point_id = n.point
                                                AND m.customer_id = n.customer AND m.state = 'sent') AS earlier
                WHERE nth <= 5 GROUP BY id""",
            [[m.pk for m in messages], [m.customer_id for m in messages], [m.contact_point_id for m in messages], walls.current()],
        )
        return {pk: tuple(ids) for pk, ids in cursor.fetchall()}
