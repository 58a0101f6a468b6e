"""A person's answer to a disagreement: take their value, keep ours, say what it really is, tell the other system, ignore it until it
changes; and each of these taken back.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec

from tieout.core import party, truth
from tieout.core.evidence import Actor
from tieout.core.truth import WORDS
from tieout.stages.base import audit
from tieout.stages.ledger import correct, decide, enter
from tieout.stages.ledger.models import Contact, Correction, Customer
from tieout.stages.writeback import telling
from tieout.stages.writeback.models import Conflict

ANSWERS = ("keep", "take", "hand", "tell", "ignore")


class AnswerRefused(Exception):
    """The disagreement cannot be settled so; the message says why."""


class _Made(msgspec.Struct, frozen=True):
    made: dict[str, Any]
    said: str


def run(*, conflict: Conflict, answer: str, value: str = "", note: str = "", actor: Actor, now: dt.datetime) -> str:
    """Settle it; returns in words what was done. Raises AnswerRefused."""
    row = conflict.lock()
    if row.state not in ("open", "ignored"):
        raise AnswerRefused(f"this is {row.get_state_display().lower()} by now; take that back first")
    if answer not in ANSWERS:
        raise AnswerRefused(f"{answer or 'nothing'} is no answer; answers are: {', '.join(ANSWERS)}")
    done = _DO[answer](row, value.strip(), note.strip(), actor, now)
    row.state = "ignored" if answer == "ignore" else "settled"
    row.answer, row.made, row.note, row.settled_at, row.settled_by = answer, done.made, note.strip()[:1000], now, actor.name[:300]
    row.save(update_fields=["state", "answer", "made", "note", "settled_at", "settled_by"])
    _audit("conflict.answer", row, {"answer": answer, "ours": row.ours, "theirs": row.theirs, **done.made}, actor, now)
    return done.said


def undo(*, conflict: Conflict, actor: Actor, now: dt.datetime) -> None:
    """Take an answer back: the disagreement is open again. Raises AnswerRefused where the other system has been told already."""
    row = conflict.lock()
    if row.state not in ("settled", "ignored"):
        raise AnswerRefused("there is no answer to take back")
    made = dict(row.made)
    if row.state == "settled" and not row.answer:
        raise AnswerRefused("nobody has answered this")
    if row.answer == "keep" and not made and Correction.objects.filter(
        kind="customer", target_id=row.target_id, field=row.field, retracted_at__isnull=True
    ).exists():  # fmt: skip
        raise AnswerRefused("a person has corrected this field; take the correction back on the customer's page")
    if made.get("outgoing") and not telling.withdraw(outgoing_id=made["outgoing"], reason="taken back by a person", now=now):
        raise AnswerRefused("the other system has been told already; change it there, or answer anew when it disagrees again")
    if made.get("correction"):
        correct.retract(correction=Correction.objects.get(pk=made["correction"]), actor=actor, now=now)
    if made.get("contact"):
        _give_contact_back(made, actor, now)
    row.state, row.answer, row.made, row.note, row.settled_at, row.settled_by = "open", "", {}, "", None, ""
    row.save(update_fields=["state", "answer", "made", "note", "settled_at", "settled_by"])
    _audit("conflict.undo", row, {"was": made}, actor, now)


def _keep(row: Conflict, value: str, note: str, actor: Actor, now: dt.datetime) -> _Made:  # noqa: ARG001 - every answer is given the same way
    return _Made({}, f"{row.ours_from} holds; it is asked again when one of the two changes.")


def _ignore(row: Conflict, value: str, note: str, actor: Actor, now: dt.datetime) -> _Made:  # noqa: ARG001
    return _Made({}, "Left alone until one of the two changes.")


def _take(row: Conflict, value: str, note: str, actor: Actor, now: dt.datetime) -> _Made:  # noqa: ARG001
    return _set(row, row.theirs, note or f"taken from {row.connection.name}", actor, now)


def _hand(row: Conflict, value: str, note: str, actor: Actor, now: dt.datetime) -> _Made:
    if not value:
        raise AnswerRefused(f"write what the {WORDS[row.field]} really is")
    if not note:
        raise AnswerRefused("say how you know; it is kept beside the value")
    if row.field == "due_date":
        try:
            dt.date.fromisoformat(value)
        except ValueError:
            raise AnswerRefused(f"{value} is not a day: write it as 2026-06-30") from None
    return _set(row, value, note, actor, now)


def _tell(row: Conflict, value: str, note: str, actor: Actor, now: dt.datetime) -> _Made:  # noqa: ARG001
    if not telling.may(row, telling.abilities()):
        raise AnswerRefused(f"{row.connection.name} cannot be told this from here: it is not live, or takes no such change; change it there")
    put = telling.put(conflict=row, now=now)
    return _Made({"outgoing": put.pk}, f"{row.connection.name} is told; this closes when it says the same.")


_DO = {"keep": _keep, "take": _take, "hand": _hand, "tell": _tell, "ignore": _ignore}


def _set(row: Conflict, value: Any, reason: str, actor: Actor, now: dt.datetime) -> _Made:
    if row.kind not in ("customer", "contact") and row.field != "due_date":
        raise AnswerRefused(f"{WORDS[row.field]} of a document belongs to the system it was born in; change it there, or tell the other system")
    if row.kind == "contact":
        return _contact(row, str(value), actor, now)
    try:
        correction = correct.field(
            kind=row.kind, target_id=row.target_id, field=row.field, value=_fitting(row.field, str(value)), reason=reason, actor=actor, now=now
        )
    except correct.CorrectionRefused as error:
        raise AnswerRefused(str(error)) from None
    return _Made({"correction": correction.pk}, f"The {WORDS[row.field]} is now {value}; your word outranks every system until you take it back.")


def _fitting(field: str, value: str) -> str:
    """What the field takes. Raises AnswerRefused."""
    tidy = party.tidy(value)
    if field == "name" and not tidy:
        raise AnswerRefused("a customer needs a name")
    if field == "country" and tidy and not (len(tidy) == 2 and tidy.isascii() and tidy.isalpha()):
        raise AnswerRefused("write the country as two letters, such as DE")
    if field == "currency" and tidy and not (len(tidy) == 3 and tidy.isascii() and tidy.isalpha()):
        raise AnswerRefused("write the currency as three letters, such as EUR")
    if field == "debtor_type" and tidy not in ("business", "consumer"):
        raise AnswerRefused("write business or consumer")
    longest = {"tax_id": 64, "phone": 64, "time_zone": 64, "language": 8, "city": 200}.get(field, 300)
    if len(tidy) > longest:
        raise AnswerRefused(f"the {WORDS[field]} has at most {longest} characters")
    return tidy.upper() if field in ("country", "currency") else tidy


def _contact(row: Conflict, email: str, actor: Actor, now: dt.datetime) -> _Made:
    customer = Customer.objects.get(pk=row.target_id)
    wanted = truth.form("email", email)
    known = next((c for c in Contact.objects.filter(customer=customer, retracted_at__isnull=True) if truth.form("email", c.email) == wanted), None)
    said = f"Reminders go to {email}, by your word."
    if known is None:
        try:
            made = enter.contact(customer=customer, name="", email=email, phone="", roles=["bill", "chase"], actor=actor, now=now)
        except enter.EntryRefused as error:
            raise AnswerRefused(str(error)) from None
        return _Made({"contact": made.pk, "new": True}, said)
    before = {"contact": known.pk, "rank": known.rank, "roles": known.roles}
    known.rank, known.roles = actor.rank, sorted({*known.roles, "bill", "chase"})
    known.save(update_fields=["rank", "roles"])
    return _Made(before, said)


def _give_contact_back(made: dict[str, Any], actor: Actor, now: dt.datetime) -> None:
    contact = Contact.objects.get(pk=made["contact"])
    if made.get("new"):
        enter.retract_contact(contact=contact, actor=actor, now=now)
        return
    contact.rank, contact.roles = made["rank"], made["roles"]
    contact.save(update_fields=["rank", "roles"])
    decide.run(customer_ids=[contact.customer_id], now=now)


def _audit(action: str, row: Conflict, detail: dict[str, Any], actor: Actor, now: dt.datetime) -> None:
    about = {"kind": row.kind, "target": row.target_id, "field": row.field, "connection": row.connection_id, **detail}
    audit.write(actor=actor, action=action, object_kind="conflict", object_id=row.pk, now=now, reason=row.note, detail=about)
