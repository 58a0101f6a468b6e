"""Which customers of several tools are one: compared after every reading, linked where certain, put before a person where not; and what
follows when customers are linked or parted.

Comes before anything is written anywhere: a customer who is there already must not be made there once more.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from uuid import UUID

from tieout.core.evidence import Actor
from tieout.flow import clock, on_cash
from tieout.stages.base import feed, walls
from tieout.stages.cash import entry, part
from tieout.stages.collect import follow_links as tasks
from tieout.stages.dialogue import follow_links as agreements
from tieout.stages.ledger import compare, key_rule, link, same_document
from tieout.stages.ledger.compare import Compared
from tieout.stages.ledger.models import Customer, Document, KeyRule, LinkProposal, SourceRecord
from tieout.stages.ledger.regroup import Move
from tieout.stages.outreach import follow_links as messages
from tieout.stages.writeback import compare as conflicts

#: The change feed's reader: whose documents are compared between sources.
READER = "identity"
#: Past this many customers the documents of all are compared, which costs less than naming them.
MOST = 2_000


def follow(organisation_id: UUID) -> Compared:
    """Compare the customers that are new or changed since the last time with the others, and the documents of those that changed."""
    with walls.inside(organisation_id):
        now = clock.now()
        compared = compare_now(now=now)
    with walls.inside(organisation_id):
        # Afterwards, so that the feed shows who was linked just now: documents of one customer only can be one.
        customers = sorted({one for change in feed.take(reader=READER) for one in change.customer_ids})
        documents(customers if len(customers) <= MOST else None, now=now)
    return compared


def compare_now(*, now: dt.datetime) -> Compared:
    """Compare what waits to be compared, in the running transaction."""
    compared = compare.run(customer_ids=compare.waiting(), now=now)
    moved(compared.moves, now=now)
    return compared


def documents(customer_ids: Iterable[int] | None, *, now: dt.datetime) -> same_document.Same:
    """Compare the documents of these customers (None: of all) between sources."""
    if customer_ids is not None and not customer_ids:
        return same_document.Same()
    found = same_document.find(customer_ids=customer_ids, actor=compare.MACHINE, now=now)
    if found.linked:
        on_cash.after_money(customer_ids=found.customers, now=now)
        conflicts.run(customer_ids=sorted(found.customers), now=now)
    return found


def join(*, customer: Customer, into: Customer, evidence: str, actor: Actor, now: dt.datetime) -> None:
    """A person says that two customers are one. Raises link.LinkRefused."""
    moved(link.join(customer=customer, into=into, evidence=evidence, actor=actor, now=now), now=now)


def attach(*, record: SourceRecord, customer: Customer, evidence: str, actor: Actor, now: dt.datetime) -> None:
    """A person says whose a source's record is. Raises link.LinkRefused."""
    moved(link.link(record=record, customer=customer, evidence=evidence, actor=actor, now=now).moves, now=now)


def split(*, record: SourceRecord, actor: Actor, now: dt.datetime) -> None:
    """A person splits a source's record off. Raises link.LinkRefused."""
    moved(link.unlink(record=record, actor=actor, now=now).moves, now=now)


def decide(*, proposal: LinkProposal, same: bool, actor: Actor, now: dt.datetime) -> None:
    """A person's word on a pair of customers or documents. Raises link.LinkRefused."""
    if proposal.kind == "customer":
        moved(link.decide(proposal=proposal, same=same, actor=actor, now=now), now=now)
        return
    _loose(proposal, now)
    same_document.decide(proposal=proposal, same=same, actor=actor, now=now)
    _judged(proposal, now)


def reopen(*, proposal: LinkProposal, actor: Actor, now: dt.datetime) -> None:
    """A person takes their word on a pair back. Raises link.LinkRefused."""
    if proposal.kind == "customer":
        moved(link.reopen(proposal=proposal, actor=actor, now=now), now=now)
        return
    _loose(proposal, now)
    same_document.reopen(proposal=proposal, actor=actor, now=now)
    _judged(proposal, now)


def _loose(proposal: LinkProposal, now: dt.datetime) -> None:
    """Before a document steps forward again: what its source said of it is no longer said of the other."""
    if proposal.state == LinkProposal.State.LINKED:
        connection_id, external_id = same_document.external_of(proposal=proposal)
        entry.yielded(part.stated_of(connection_id=connection_id, document_external_id=external_id, now=now), now=now)


def _judged(proposal: LinkProposal, now: dt.datetime) -> None:
    owners = Document.objects.filter(pk__in=[proposal.first_id, proposal.second_id]).values_list("customer_id", flat=True)
    on_cash.after_money(customer_ids=set(owners), now=now)


def retract_rule(*, rule: KeyRule, actor: Actor, now: dt.datetime) -> int:
    """Take a rule of keys back, and what it had linked; returns how many customers moved. Raises key_rule.RuleRefused."""
    moves = key_rule.retract(rule=rule, actor=actor, now=now)
    moved(moves, now=now)
    return len(moves)


def moved(moves: Iterable[Move], *, now: dt.datetime) -> None:
    """What follows, in this order: agreements, messages and tasks go along, the money is judged anew, and what their sources say is held
    against each other."""
    found = list(moves)
    if not found:
        return
    agreements.run(moves=found)
    messages.run(moves=found)
    tasks.run(moves=found)
    customers = {one for move in found for one in move}
    part.across(customer_ids=customers, now=now)
    on_cash.after_money(customer_ids=customers, now=now)
    conflicts.run(customer_ids=sorted(customers), now=now)
