"""The policy in force: saved as text by a person, version by version, read and checked before it counts."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache

import msgspec
from django.db.models import Max

from tieout.core.evidence import Actor
from tieout.core.policy import cases, packs
from tieout.core.policy.language import Policy as Rules
from tieout.core.policy.language import read_policy
from tieout.core.policy.schema import PolicyInvalid
from tieout.stages.base import audit, feed
from tieout.stages.base import queries as base
from tieout.stages.collect.models import Policy

#: Version of the policy that came with the product, in force until somebody saves one.
SHIPPED = 0


class Fault(msgspec.Struct, frozen=True):
    """One thing wrong with a policy text: 1-based line and column of the place, its path, what to do."""

    line: int
    column: int
    path: str
    message: str


class PolicyRefused(msgspec.Struct, frozen=True):
    """The text was not saved; every reason, in the order of the lines."""

    faults: tuple[Fault, ...]

    @property
    def reason(self) -> str:
        return "; ".join(f"line {f.line}, column {f.column}: {f.message}" for f in self.faults)


def check(*, text: str) -> Rules | PolicyRefused:
    """The policy of `text`, or all that is wrong with it: what cannot be read, and its own cases that do not hold."""
    try:
        rules = _read(text)
    except PolicyInvalid as invalid:
        return PolicyRefused(tuple(Fault(p.line, p.column, p.path, p.message) for p in invalid.problems))
    failed = [r for r in cases.run_cases(rules) if r.differences]
    if failed:
        return PolicyRefused(tuple(Fault(r.case.line, 1, "cases", f"case “{r.case.name}” does not hold: {'; '.join(r.differences)}") for r in failed))
    return rules


def save(*, text: str, actor: Actor, now: dt.datetime) -> Policy | PolicyRefused:
    """Put `text` in force as the next version. The version it replaces is kept; saving the text in force again adds none."""
    rules = check(text=text)
    if isinstance(rules, PolicyRefused):
        return rules
    base.profile().lock()  # one at a time, so that versions follow each other
    current: Policy | None = Policy.objects.filter(active=True).order_by("-version").first()
    if current is not None and current.text == text:
        return current
    last = Policy.objects.aggregate(last=Max("version"))["last"] or SHIPPED
    Policy.objects.filter(active=True).update(active=False)
    row: Policy = Policy.objects.create(name=rules.name[:200], version=last + 1, text=text, saved_at=now, saved_by=actor.name[:300])
    feed.publish(kind="policy", ids=[row.pk], customer_ids=[], cause="policy.save", now=now)
    detail = {"version": row.version, "name": row.name}
    audit.write(actor=actor, action="policy.save", object_kind="policy", object_id=row.pk, now=now, detail=detail)
    return row


def in_force() -> tuple[Rules, int]:
    """The policy that judges now, and its version (`SHIPPED` for the one that came with the product)."""
    text, version = text_in_force()
    return _read(text), version


def text_in_force() -> tuple[str, int]:
    """Its text as saved, and its version."""
    row = Policy.objects.filter(active=True).order_by("-version").first()
    return (row.text, row.version) if row else (packs.pack_text("default"), SHIPPED)


@lru_cache(maxsize=32)
def _read(text: str) -> Rules:
    return read_policy(text)
