"""Draft messages: from the policy's decisions, and by hand. The natural key lets each exist once, however often asked.

A new draft of the machine replaces its own older one that has not left; a draft a person has edited is theirs, and then the
machine writes none (promise P6).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from tieout.core.evidence import Actor, Refused
from tieout.core.party import AddressRefused, mail_address, mailbox_key
from tieout.stages.base import audit, feed, walls
from tieout.stages.base import queries as base
from tieout.stages.cash import account
from tieout.stages.collect import address
from tieout.stages.collect.models import Decision
from tieout.stages.dialogue.models import ContactPoint
from tieout.stages.ledger.models import Customer
from tieout.stages.outreach import ends, places, sending, standing, statement, store, telling, tokens
from tieout.stages.outreach.models import Message
from tieout.stages.outreach.standing import Document
from tieout.stages.outreach.writing import Desk

MACHINE = Actor("machine", "planner")
_CHANNEL = "email"


class Drafted(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it: new messages, how many were there already, and customers for whom none could be written."""

    created: tuple[int, ...] = ()
    existing: int = 0
    without_address: tuple[int, ...] = ()
    nothing_open: tuple[int, ...] = ()
    with_a_person: tuple[int, ...] = ()


class Recipient(msgspec.Struct, frozen=True):
    """Where a message goes: the address, the key its mailbox is counted under, and who reads it ('' where nobody's name is known)."""

    address: str
    key: str
    name: str


class _Wish(msgspec.Struct, frozen=True, kw_only=True):
    customer_id: int
    step: str
    tone: str
    document_ids: tuple[int, ...]
    approval: bool
    not_before: dt.datetime | None
    decision_id: int | None


def from_decisions(*, decisions: Iterable[Decision | int], now: dt.datetime, actor: Actor = MACHINE) -> Drafted:
    """A message for each decision to send e-mail; other decisions are passed over."""
    given = list(decisions)
    ids = [one for one in given if isinstance(one, int)]
    rows = [one for one in given if isinstance(one, Decision)] + (list(Decision.objects.filter(pk__in=ids)) if ids else [])
    wishes = [
        _Wish(
            customer_id=row.customer_id,
            step=row.step,
            tone=row.tone or "neutral",
            document_ids=tuple(int(i) for i in row.document_ids),
            approval=row.approval,
            not_before=row.not_before,
            decision_id=row.pk,
        )
        for row in rows
        if row.outcome == "send" and row.channel == _CHANNEL
    ]
    return _draft(wishes, actor=actor, now=now)


def by_hand(
    *, customer: Customer, document_ids: Sequence[int], tone: str, actor: Actor, now: dt.datetime, step: str = "by hand"
) -> Message | Refused:
    """A draft for these invoices of one customer. Asked for twice on a day, it is the same draft."""
    today = base.today_of(base.profile(), now)
    wish = _Wish(
        customer_id=customer.pk,
        step=f"{step}:{today}"[:64],
        tone=tone,
        document_ids=tuple(document_ids),
        approval=True,
        not_before=None,
        decision_id=None,
    )
    found = _draft([wish], actor=actor, now=now)
    if found.without_address:
        return Refused(f"{customer.name} has no usable e-mail address; give a contact one first")
    if found.nothing_open:
        return Refused("none of these invoices is open any more")
    if found.with_a_person:
        return Refused("somebody has edited a message to this customer that has not left yet; send or cancel that one first")
    if found.created:
        made: Message = Message.objects.get(pk=found.created[0])
        return made
    same: Message | None = Message.objects.filter(customer=customer, step=wish.step).order_by("-id").first()
    return same or Refused("the same message was cancelled today")


def _draft(wishes: Sequence[_Wish], *, actor: Actor, now: dt.datetime) -> Drafted:
    if not wishes:
        return Drafted()
    customer_ids = {wish.customer_id for wish in wishes}
    recipients = _recipients(customer_ids)
    without = {wish.customer_id for wish in wishes if wish.customer_id not in recipients}
    reachable = [wish for wish in wishes if wish.customer_id in recipients]
    fresh, existing, persons = _unwritten(reachable, recipients)
    if not fresh:
        return Drafted(existing=existing, without_address=tuple(sorted(without)), with_a_person=tuple(sorted(persons)))
    account.lock(wish.customer_id for wish, _ in fresh)
    messages, nothing = _write(fresh, recipients, now)
    made = store.new(messages)
    _replace_older(made)
    _tell(made, actor, now)
    return Drafted(
        created=tuple(pk for pk, _ in made),
        existing=existing + len(messages) - len(made),
        without_address=tuple(sorted(without)),
        nothing_open=tuple(sorted(nothing)),
        with_a_person=tuple(sorted(persons)),
    )


def _recipients(customer_ids: set[int]) -> dict[int, Recipient]:
    found = {}
    for customer_id, reached in address.of(customer_ids=sorted(customer_ids)).items():
        read = mail_address(reached.email)
        if not isinstance(read, AddressRefused):
            found[customer_id] = Recipient(read, mailbox_key(read), reached.name)
    return found


def _unwritten(wishes: Sequence[_Wish], recipients: Mapping[int, Recipient]) -> tuple[list[tuple[_Wish, str]], int, set[int]]:
    """Wishes with no message yet, each with its natural key; how many have one; and customers with a person's draft."""
    known: dict[int, list[Message]] = {}
    for message in Message.objects.filter(customer_id__in={w.customer_id for w in wishes}).only(
        "id", "customer_id", "natural_key", "state", "edited", "outcome"
    ):
        known.setdefault(message.customer_id, []).append(message)
    fresh: list[tuple[_Wish, str]] = []
    existing, persons = 0, set()
    for wish in wishes:
        mine = known.get(wish.customer_id, [])
        base_key = ends.base_key(
            customer_id=wish.customer_id,
            step=wish.step,
            channel=_CHANNEL,
            address_key=recipients[wish.customer_id].key,
            document_ids=wish.document_ids,
        )
        same = [m for m in mine if m.natural_key.startswith(f"{base_key}:")]
        ended = [m for m in same if m.state in ("bounced", "refused") or (m.state == "cancelled" and m.outcome.startswith(ends.BY_MACHINE))]
        if len(ended) < len(same):
            existing += 1
        elif any(m.edited and m.state in ends.WAITING for m in mine):
            persons.add(wish.customer_id)
        else:
            fresh.append((wish, f"{base_key}:{len(ended)}"))
    return fresh, existing, persons


def _write(wishes: Sequence[tuple[_Wish, str]], recipients: Mapping[int, Recipient], now: dt.datetime) -> tuple[list[Message], set[int]]:
    ours = base.profile()
    today = base.today_of(ours, now)
    customers = {c.pk: c for c in Customer.objects.filter(pk__in={wish.customer_id for wish, _ in wishes})}
    documents = standing.of(customer_ids=customers, document_ids=[i for wish, _ in wishes for i in wish.document_ids], today=today)
    points = _points({recipients[wish.customer_id].key for wish, _ in wishes}, now)
    desk = Desk(sender=sending.sender())
    messages, nothing = [], set()
    for wish, key in wishes:
        customer, to = customers[wish.customer_id], recipients[wish.customer_id]
        theirs: Mapping[int, Document] = documents.get(wish.customer_id, {})
        named = telling.named(theirs, wish.document_ids)
        if not named:
            nothing.add(wish.customer_id)
            continue
        told = telling.tell(
            named=named,
            documents=theirs,
            customer=customer.name,
            recipient=to.name,
            language=places.language(customer.language, customer.country, ours.language),
            today=today,
        )
        said = desk.signed(told, tone=wish.tone)
        attach = len(said.statement) > 1
        token = tokens.new()
        text = desk.write(said, tone=wish.tone, token=token, attach=attach)
        messages.append(
            Message(
                customer_id=wish.customer_id,
                contact_point_id=points[to.key],
                decision_id=wish.decision_id,
                natural_key=key,
                step=wish.step,
                tone=wish.tone,
                language=said.language,
                to_address=to.address,
                subject=text.subject,
                body=text.body,
                html=text.html,
                facts=said.plain(),
                document_ids=[one.id for one in named],
                attachments=[{"kind": "statement", "name": statement.name(said)}] if attach else [],
                state=Message.State.DRAFT if wish.approval else Message.State.PLANNED,
                not_before=wish.not_before,
                token=token,
                drafted_at=now,
            )
        )
    return messages, nothing


def _points(keys: set[str], now: dt.datetime) -> dict[str, int]:
    organisation_id = walls.current()
    new = [ContactPoint(organisation_id=organisation_id, channel=_CHANNEL, address=key, first_seen_at=now) for key in sorted(keys)]
    ContactPoint.objects.bulk_create(new, ignore_conflicts=True, batch_size=1000)
    return dict(ContactPoint.objects.filter(channel=_CHANNEL, address__in=keys).values_list("address", "id"))


def _replace_older(made: Sequence[tuple[int, int]]) -> None:
    for_customers = {customer_id for _, customer_id in made}
    older = Message.objects.filter(customer_id__in=for_customers, state__in=ends.WAITING, edited=False).exclude(pk__in=[pk for pk, _ in made])
    # What a person asked for by hand, or approved, is theirs too.
    older.filter(decision_id__isnull=False, approved_by="").update(state=Message.State.CANCELLED, outcome=ends.SUPERSEDED)


def _tell(made: Sequence[tuple[int, int]], actor: Actor, now: dt.datetime) -> None:
    feed.publish(kind="message", ids=[pk for pk, _ in made], customer_ids=[customer for _, customer in made], cause="message.draft", now=now)
    if made:
        # One entry for the batch: each message enters the trail by itself when a person touches it and when it leaves.
        detail = {"messages": [pk for pk, _ in made]}
        audit.write(actor=actor, action="message.draft", object_kind="message", object_id=made[0][0], now=now, detail=detail)
