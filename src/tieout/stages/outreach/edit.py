"""Edit a message that has not left. The text is the person's from then on: machines neither rewrite nor replace it.

Its figures are compared with the ledger again when it would leave; a typed amount that is not true holds it.
"""

from __future__ import annotations

import datetime as dt

from tieout.core.evidence import Actor, Refused
from tieout.stages.base import audit, feed, walls
from tieout.stages.cash import account
from tieout.stages.outreach import ends, render, said, sending, truth, writing
from tieout.stages.outreach.models import Message

LONGEST = 50_000


def message(*, message: Message, subject: str, body: str, actor: Actor, now: dt.datetime) -> Message | Refused:
    """Put the person's words in place; the message then waits for approval."""
    account.lock([message.customer_id])
    row: Message = message.lock()
    if row.state not in ends.WAITING:
        return Refused(f"this message can no longer be edited: {row.get_state_display().lower()}")
    text, line = render.tidied(body), render.one_line(subject)
    wrong = _wrong(row, line, text)
    if wrong:
        return Refused(wrong)
    before = {"subject": row.subject, "body": row.body}
    row.subject, row.body, row.edited, row.state = line, text, True, Message.State.DRAFT
    row.html = render.as_html(text, inert=(row.facts.get("customer", ""), row.facts.get("recipient", "")))
    row.approved_at, row.approved_by, row.hold_reason, row.hold_release = None, "", "", ""
    row.save(update_fields=["subject", "body", "edited", "state", "html", "approved_at", "approved_by", "hold_reason", "hold_release"])
    feed.publish(kind="message", ids=[row.pk], customer_ids=[row.customer_id], cause="message.edit", now=now)
    audit.write(actor=actor, action="message.edit", object_kind="message", object_id=row.pk, now=now, detail={"before": before})
    return row


def untrue(*, message: Message, body: str) -> list[str]:
    """Amounts of a text the ledger does not have as of the draft, to show while a person types."""
    facts = said.read(message.facts)
    checked = truth.statements(facts, body=body, edited=True)
    return [one.name for one in checked if one.ledger is None or one.stated is None]


def _wrong(row: Message, subject: str, body: str) -> str:
    if not subject:
        return "a message needs a subject"
    if len(body) > LONGEST:
        return f"a message has at most {LONGEST} characters"
    link = writing.opt_out_url(walls.current(), row.token)
    if link not in body:
        return f"the link that ends these mails must stay in the text: {link}"
    if sending.sender().name not in body:
        return f"the text must say who writes: {sending.sender().name}"
    return ""
