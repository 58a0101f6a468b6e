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
from tieout.stages.base import walls
from tieout.stages.cash import part
from tieout.stages.collect import follow_links as tasks
from tieout.stages.dialogue import follow_links as agreements
from tieout.stages.ledger import compare, key_rule, link
from tieout.stages.ledger.compare import Compared
from tieout.stages.ledger.models import Customer, KeyRule, LinkProposal, SourceRecord
from tieout.stages.ledger.regroup import Move
from tieout.stages.outreach import follow_links as messages


def follow(organisation_id: UUID) -> Compared:
    """Compare the customers that are new or changed since the last time with the others."""
    with walls.inside(organisation_id):
        now = clock.now()
        compared = compare.run(customer_ids=compare.waiting(), now=now)
        moved(compared.moves, now=now)
    return compared


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
    """A person's word on a pair. Raises link.LinkRefused."""
    moved(link.decide(proposal=proposal, same=same, actor=actor, now=now), now=now)


def reopen(*, proposal: LinkProposal, actor: Actor, now: dt.datetime) -> None:
    """A person takes their word on a pair back. Raises link.LinkRefused."""
    moved(link.reopen(proposal=proposal, actor=actor, now=now), now=now)


def retract_rule(*, rule: KeyRule, actor: Actor, now: dt.datetime) -> int:
    """Take a rule of keys back, and what it had linked; returns how many customers moved. Raises key_rule.RuleRefused."""
    moves = key_rule.retract(rule=rule, actor=actor, now=now)
    moved(moves, now=now)
    return len(moves)


def moved(moves: Iterable[Move], *, now: dt.datetime) -> None:
    """What follows, in this order: agreements, messages and tasks go along, the money is judged anew."""
    found = list(moves)
    if not found:
        return
    agreements.run(moves=found)
    messages.run(moves=found)
    tasks.run(moves=found)
    customers = {one for move in found for one in move}
    part.across(customer_ids=customers, now=now)
    on_cash.after_money(customer_ids=customers, now=now)
