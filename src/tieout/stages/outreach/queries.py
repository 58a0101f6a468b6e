"""Rows in, frozen values out: messages by state, one message with its certificates and statement, counts."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
from django.db.models import Count

from tieout.stages.outreach import said, sending, statement
from tieout.stages.outreach.models import Certificate, Message
from tieout.stages.outreach.said import Said


class MessageRow(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a list."""

    id: int
    customer_id: int
    customer: str
    to_address: str
    subject: str
    step: str
    tone: str
    state: str
    edited: bool
    hold_reason: str
    hold_release: str
    not_before: dt.datetime | None
    drafted_at: dt.datetime
    sent_at: dt.datetime | None
    outcome: str
    totals: dict[str, int]


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """A stored certificate: every check in words, with the rule behind it where it is one of law."""

    claim: int
    allowed: bool
    checks: tuple[dict[str, Any], ...]
    rules_version: str
    inputs_hash: str
    issued_at: dt.datetime


class MessageView(msgspec.Struct, frozen=True, kw_only=True):
    """One message whole."""

    row: MessageRow
    body: str
    html: str
    language: str
    said: Said
    document_ids: tuple[int, ...]
    attachments: tuple[dict[str, Any], ...]
    message_id: str
    claims: int
    claimed_at: dt.datetime | None
    approved_at: dt.datetime | None
    approved_by: str
    bounced_at: dt.datetime | None
    decision_id: int | None
    certificates: tuple[Proof, ...]


def messages(*, state: str | None = None, customer_id: int | None = None, before: int | None = None, limit: int = 100) -> list[MessageRow]:
    """The newest first; `before` is the id to go on from."""
    rows = Message.objects.select_related("customer").order_by("-id")
    if state is not None:
        rows = rows.filter(state=state)
    if customer_id is not None:
        rows = rows.filter(customer_id=customer_id)
    if before is not None:
        rows = rows.filter(pk__lt=before)
    return [_row(row) for row in rows[:limit]]


def counts() -> dict[str, int]:
    """How many messages stand in each state."""
    found = Message.objects.values("state").annotate(n=Count("id")).order_by()
    return {row["state"]: row["n"] for row in found}


def message(*, message_id: int) -> MessageView | None:
    """One message with its certificates, the newest claim first."""
    row = Message.objects.select_related("customer").filter(pk=message_id).first()
    if row is None:
        return None
    proofs = [
        Proof(
            claim=c.claim, allowed=c.allowed, checks=tuple(c.checks), rules_version=c.rules_version, inputs_hash=c.inputs_hash, issued_at=c.issued_at
        )
        for c in Certificate.objects.filter(message_id=message_id).order_by("-claim")
    ]  # fmt: skip
    return MessageView(
        row=_row(row), body=row.body, html=row.html, language=row.language, said=said.read(row.facts), document_ids=tuple(row.document_ids),
        attachments=tuple(row.attachments), message_id=row.message_id, claims=row.claims, claimed_at=row.claimed_at, approved_at=row.approved_at,
        approved_by=row.approved_by, bounced_at=row.bounced_at, decision_id=row.decision_id, certificates=tuple(proofs),
    )  # fmt: skip


def statement_pdf(*, message_id: int) -> tuple[str, bytes] | None:
    """The statement as this message carries it: name and bytes."""
    row = Message.objects.filter(pk=message_id).first()
    if row is None:
        return None
    facts = said.read(row.facts)
    return statement.name(facts), statement.pdf(facts, sender=sending.sender())


def _row(row: Message) -> MessageRow:
    return MessageRow(
        id=row.pk, customer_id=row.customer_id, customer=row.customer.name, to_address=row.to_address, subject=row.subject, step=row.step,
        tone=row.tone, state=row.state, edited=row.edited, hold_reason=row.hold_reason if row.state == "held" else "",
        hold_release=row.hold_release if row.state == "held" else "", not_before=row.not_before, drafted_at=row.drafted_at, sent_at=row.sent_at,
        outcome=row.outcome, totals=said.read(row.facts).totals,
    )  # fmt: skip
