"""Identity links: which customers of the sources are one. A link is a pair that is in force; who is one with whom, and where everything of
theirs stands, is worked out from the pairs in force alone (`regroup`).

Nothing is merged away: a link that is taken back brings everything home by the same working out. What a person said of a pair stays
said: the machine neither parts what they linked nor links what they parted.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import msgspec
from django.db.models import Q

from tieout.core import party
from tieout.core.evidence import Actor
from tieout.stages.base import audit
from tieout.stages.ledger import regroup
from tieout.stages.ledger.models import Customer, KeyRule, LinkProposal, SourceRecord
from tieout.stages.ledger.regroup import Move

_State = LinkProposal.State
#: Up to here each link of a batch has an audit entry of its own.
EACH = 200


class LinkRefused(Exception):
    """The link cannot be made or taken back; the message says why."""


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A pair of customers that the machine found to be one: what speaks for it, and the rule where one does."""

    first: int
    second: int
    score: int
    reasons: tuple[str, ...]
    rule_id: int | None = None


class Linked(msgspec.Struct, frozen=True):
    """A source's record with the link now in force, and what moved."""

    record: SourceRecord
    moves: tuple[Move, ...]


def join(*, customer: Customer, into: Customer, evidence: str, actor: Actor, now: dt.datetime) -> list[Move]:
    """Say that two customers are one, by a person's word; everything of the first then stands with the second. Returns what moved."""
    if customer.pk == into.pk or _lead(customer) == _lead(into):
        raise LinkRefused(f"{customer.name} and {into.name} are one customer already")
    row = _pair(customer.pk, into.pk, now)
    _refuse_against_people(row)
    _said(row, _State.LINKED, actor, now, into_id=into.pk, score=100, reasons=[evidence], against=[])
    moves = regroup.customers(customer_ids=[customer.pk, into.pk], now=now)
    _told("customer.link", row, evidence, actor, now)
    return moves


def link(*, record: SourceRecord, customer: Customer, evidence: str, actor: Actor, now: dt.datetime) -> Linked:
    """Say that a source's customer record is `customer`; its documents and payments move there."""
    if record.kind != "customer" or record.retracted_at is not None:
        raise LinkRefused("this is not a customer record in force; look the customer up again")
    before = record.target_id
    if before == customer.pk:
        raise LinkRefused("the record belongs to this customer already")
    if record.rank > actor.rank:
        raise LinkRefused("a person linked this record; only a person may link it elsewhere")
    home = _own_home(record, now)
    _part(home, actor, now)
    if home.pk != customer.pk:
        _said(_pair(home.pk, customer.pk, now), _State.LINKED, actor, now, into_id=customer.pk, score=100, reasons=[evidence], against=[])
    moves = regroup.customers(customer_ids=[home.pk, customer.pk, before], now=now)
    detail = {"record": record.external_id, "from": before, "moved": len(moves)}
    audit.write(actor=actor, action="customer.link", object_kind="customer", object_id=customer.pk, now=now, reason=evidence, detail=detail)
    return Linked(_in_force(record), tuple(moves))


def unlink(*, record: SourceRecord, actor: Actor, now: dt.datetime) -> Linked:
    """Split a source's record off again, to the customer it came from or to one of its own. The machine never links the two again."""
    before, home_id = record.target_id, record.home_id or record.target_id
    if not _linked(home_id) and not _shares_home(record):
        raise LinkRefused("this is the customer's only record; there is nothing to split off")
    home = _own_home(record, now)
    if home.pk != home_id:
        _said(_pair(home.pk, home_id, now), _State.REFUSED, actor, now)
    else:
        _part(home, actor, now)
    moves = regroup.customers(customer_ids=[home.pk, home_id, before], now=now)
    audit.write(
        actor=actor, action="customer.unlink", object_kind="customer", object_id=before, now=now, reason="split off by a person",
        detail={"record": record.external_id, "to": home.pk, "moved": len(moves)},
    )  # fmt: skip
    return Linked(_in_force(record), tuple(moves))


def decide(*, proposal: LinkProposal, same: bool, actor: Actor, now: dt.datetime) -> list[Move]:
    """A person's word on a pair of customers: they are one, or they are two. Returns what moved."""
    if proposal.kind != "customer":
        raise LinkRefused("this pair is not of customers")
    if same and proposal.state == _State.LINKED and proposal.rank >= actor.rank:
        raise LinkRefused("these two are linked already")
    if same:
        _refuse_against_people(proposal)
    _said(proposal, _State.LINKED if same else _State.REFUSED, actor, now)
    moves = regroup.customers(customer_ids=[proposal.first_id, proposal.second_id], now=now)
    _told("customer.link" if same else "customer.refuse", proposal, "; ".join(proposal.reasons), actor, now)
    return moves


def reopen(*, proposal: LinkProposal, actor: Actor, now: dt.datetime) -> list[Move]:
    """Take a person's word on a pair back: it waits again, and what it had linked is parted."""
    if proposal.state not in (_State.LINKED, _State.REFUSED):
        raise LinkRefused("nobody has decided on this pair")
    _said(proposal, _State.OPEN, Actor("machine", "machine"), now)
    moves = regroup.customers(customer_ids=[proposal.first_id, proposal.second_id], now=now)
    _told("customer.reopen", proposal, "taken back", actor, now)
    return moves


def found(*, pairs: Iterable[Found], actor: Actor, now: dt.datetime) -> list[Move]:
    """Link what the machine is certain of, all at once; pairs a person has spoken of, or that are linked, stay as they are."""
    wanted = {(min(one.first, one.second), max(one.first, one.second)): one for one in pairs}
    if not wanted:
        return []
    known = {
        (row.first_id, row.second_id): row
        for row in LinkProposal.objects.filter(kind="customer", first_id__in={first for first, _ in wanted}).select_for_update()
    }
    made, changed = [], []
    for (first, second), one in sorted(wanted.items()):
        row = known.get((first, second)) or LinkProposal(kind="customer", first_id=first, second_id=second, found_at=now)
        if row.rank >= 3 or row.state == _State.LINKED:
            continue
        row.state, row.score, row.reasons, row.against, row.related = _State.LINKED, one.score, list(one.reasons), [], False
        row.rule_id, row.rank, row.decided_by, row.decided_at = one.rule_id, actor.rank, actor.name[:300], now
        (changed if row.pk else made).append(row)
    LinkProposal.objects.bulk_create(made, batch_size=2000)
    LinkProposal.objects.bulk_update(
        changed, ["state", "score", "reasons", "against", "related", "rule", "rank", "decided_by", "decided_at"], batch_size=500
    )
    rows = [*made, *changed]
    moves = regroup.customers(customer_ids=[one for row in rows for one in (row.first_id, row.second_id)], now=now)
    if len(rows) <= EACH:
        audit.write_many([_entry("customer.link", row, "; ".join(row.reasons)) for row in rows], actor=actor, now=now)
    else:
        detail = {"links": len(rows), "moved": len(moves), "first": rows[0].pk, "last": rows[-1].pk}
        audit.write(actor=actor, action="customer.link", object_kind="customers", object_id=rows[0].first_id, now=now, detail=detail)
    return moves


def undo_rule(*, rule: KeyRule, actor: Actor, now: dt.datetime) -> list[Move]:
    """Part what a rule had linked, as far as no person has confirmed it."""
    rows = list(LinkProposal.objects.filter(rule=rule, state=_State.LINKED, rank__lt=3).select_for_update())
    if not rows:
        return []
    ids = [one for row in rows for one in (row.first_id, row.second_id)]
    LinkProposal.objects.filter(pk__in=[row.pk for row in rows]).update(
        state=_State.LAPSED, decided_at=now, decided_by=actor.name[:300], rule=None
    )
    moves = regroup.customers(customer_ids=ids, now=now)
    Customer.objects.filter(pk__in=ids).update(compared_at=None)
    acts = [_entry("customer.unlink", row, "the rule that linked them was taken back") for row in rows[:EACH]]
    audit.write_many(acts, actor=actor, now=now)
    return moves


def _said(row: LinkProposal, state: LinkProposal.State, actor: Actor, now: dt.datetime, **more: object) -> None:
    row.state, row.rank, row.decided_by, row.decided_at = state, actor.rank, actor.name[:300], now
    for name, value in more.items():
        setattr(row, name, value)
    if state != _State.LINKED:
        row.into_id, row.rule_id = None, None
    row.save()


def _pair(one: int, other: int, now: dt.datetime) -> LinkProposal:
    row, _ = LinkProposal.objects.select_for_update().get_or_create(
        kind="customer", first_id=min(one, other), second_id=max(one, other), defaults={"found_at": now}
    )
    found: LinkProposal = row
    return found


def _linked(home: int) -> list[LinkProposal]:
    linked = LinkProposal.objects.filter(Q(first_id=home) | Q(second_id=home), kind="customer", state=_State.LINKED)
    return list(linked.select_for_update().order_by("id"))


def _part(home: Customer, actor: Actor, now: dt.datetime) -> None:
    for row in _linked(home.pk):
        _said(row, _State.REFUSED, actor, now)


def _refuse_against_people(proposal: LinkProposal) -> None:
    """A link that would bring together what a person has parted is refused: the older word has to be taken back first."""
    groups = [_group(proposal.first_id), _group(proposal.second_id)]
    parted = LinkProposal.objects.filter(kind="customer", state=_State.REFUSED, rank__gte=3).exclude(pk=proposal.pk)
    clash = parted.filter(Q(first_id__in=groups[0], second_id__in=groups[1]) | Q(first_id__in=groups[1], second_id__in=groups[0])).first()
    if clash:
        one, other = (Customer.objects.get(pk=pk).name for pk in (clash.first_id, clash.second_id))
        raise LinkRefused(f"{clash.decided_by} said that {one} and {other} are two customers; take that back first, under Not the same")


def _group(home: int) -> list[int]:
    lead = Customer.objects.filter(pk=home).values_list("lead_id", flat=True).first() or home
    return list(Customer.objects.filter(Q(pk=lead) | Q(lead_id=lead)).values_list("pk", flat=True))


def _lead(customer: Customer) -> int:
    lead = Customer.objects.filter(pk=customer.pk).values_list("lead_id", flat=True).first()
    return int(lead or customer.pk)


def _shares_home(record: SourceRecord) -> bool:
    home = record.home_id or record.target_id
    others = SourceRecord.objects.filter(kind="customer", retracted_at__isnull=True).exclude(pk=record.pk)
    return bool(others.filter(Q(home_id=home) | Q(home_id__isnull=True, target_id=home)).exists())


def _own_home(record: SourceRecord, now: dt.datetime) -> Customer:
    """The customer a record came from; one of its own where it shares that with other records (we wrote it there ourselves)."""
    home: Customer = Customer.objects.get(pk=record.home_id or record.target_id)
    if not _shares_home(record):
        return home
    own: Customer = Customer.objects.create(
        name=home.name, folded_name=party.fold(home.name)[:300], country=home.country, debtor_type=home.debtor_type, time_zone=home.time_zone,
        language=home.language, created_at=now, recorded_at=now, lead_id=record.target_id,
    )  # fmt: skip
    record.home_id = own.pk
    record.save(update_fields=["home_id"])
    return own


def _in_force(record: SourceRecord) -> SourceRecord:
    found: SourceRecord = SourceRecord.objects.get(
        connection_id=record.connection_id, kind="customer", external_id=record.external_id, retracted_at__isnull=True
    )
    return found


def _told(action: str, row: LinkProposal, evidence: str, actor: Actor, now: dt.datetime) -> None:
    audit.write_many([_entry(action, row, evidence)], actor=actor, now=now)


def _entry(action: str, row: LinkProposal, evidence: str) -> tuple[str, str, object, str, dict[str, object]]:
    detail: dict[str, object] = {"first": row.first_id, "second": row.second_id, "score": row.score, "pair": row.pk, "state": str(row.state)}
    return action, "customer", row.into_id or row.first_id, evidence, detail
