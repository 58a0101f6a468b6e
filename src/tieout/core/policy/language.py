"""The policy language, version 1: a YAML file read into frozen values, every error with its line, column, path and cause.

A policy has segments; a document belongs to the first segment whose `when` holds. A segment has steps (the ladder), each
reached so many days after (or, negative, before) the due date.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from decimal import ROUND_CEILING
from functools import cached_property
from typing import Any

import msgspec

from tieout.core.policy import casefile, conditions
from tieout.core.policy.parameters import Limits, minor_limit, read_limits
from tieout.core.policy.schema import PolicyInvalid, Spot, nearest, read_yaml
from tieout.core.policy.situation import Item, Situation

VERSION = 1
CHANNELS = ("email", "call")
TONES = ("friendly", "neutral", "firm", "formal")
APPROVALS = ("none", "required")
GROUPINGS = ("customer", "invoice")
ESCALATIONS = ("owner", "admin", "collector", "approver")


class Clause(msgspec.Struct, frozen=True):
    """One condition with its parameters."""

    condition: conditions.Condition
    parameters: Any

    def holds(self, item: Item, situation: Situation, today: dt.date) -> bool:
        return self.condition.holds(self.parameters, item, situation, today)

    def says(self, item: Item, situation: Situation, today: dt.date) -> str:
        return self.condition.says(self.parameters, item, situation, today)


When = tuple[Clause, ...]


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One rung: reached `days` after the due date (negative: before it) where `when` holds.

    `escalate_to` is the role of ours that takes over; `template` names the text, by default the step's own name.
    """

    name: str
    days: int
    channel: str
    tone: str
    approval: str
    when: When = ()
    escalate_to: str | None = None
    template: str = ""


class Segment(msgspec.Struct, frozen=True, dict=True):
    """A part of the book with its own ladder, earliest step first."""

    name: str
    when: When
    steps: tuple[Step, ...]

    @cached_property
    def index(self) -> dict[str, int]:
        """Place of each step by name."""
        return {step.name: i for i, step in enumerate(self.steps)}

    @cached_property
    def first_overdue(self) -> int:
        """Place of the first step after the due date; 0 for a ladder without one."""
        return next((i for i, step in enumerate(self.steps) if step.days >= 0), 0)


class ByHand(msgspec.Struct, frozen=True):
    """Documents the policy leaves to a person, and why."""

    when: When
    because: str


class Policy(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """A whole policy. `minimum` is the least sum per currency worth a contact; documents older than `max_age` days past due
    are left for review; `group` `customer` speaks of everything overdue in one message, `invoice` of the leading one only."""

    name: str
    segments: tuple[Segment, ...]
    version: int = VERSION
    description: str = ""
    group: str = "customer"
    minimum: Limits = Limits(())
    max_age: int = 1095
    by_hand: tuple[ByHand, ...] = ()
    cases: tuple[casefile.Case, ...] = ()

    @cached_property
    def step_days(self) -> dict[str, int]:
        """Days of each step by name, the smallest where segments differ: places a touch of another segment's step."""
        days: dict[str, int] = {}
        for segment in self.segments:
            for step in segment.steps:
                days[step.name] = min(step.days, days.get(step.name, step.days))
        return days

    def least(self, currency: str) -> int:
        """The least sum in minor units worth a contact in `currency`."""
        return minor_limit(self.minimum, currency, ROUND_CEILING) or 0


def _when(spot: Spot | None) -> When:
    if spot is None:
        return ()
    clauses = []
    for name, value in spot.pairs().items():
        condition = conditions.known().get(name)
        if condition is None:
            value.fault(f"unknown condition {name}{nearest(name, conditions.known())}", value.key)
        else:
            clauses.append(Clause(condition, condition.read(value)))
    return tuple(clauses)


def _step(spot: Spot) -> Step | None:
    keys = spot.keys(required=("step", "days", "channel"), optional=("tone", "approval", "when", "escalate_to", "template", "enabled", "note"))
    name = keys["step"].text() if "step" in keys else ""
    step = Step(
        name=name,
        days=keys["days"].whole(least=-90, most=3650) if "days" in keys else 0,
        channel=keys["channel"].choice(CHANNELS) if "channel" in keys else "email",
        tone=keys["tone"].choice(TONES) if "tone" in keys else "neutral",
        approval=keys["approval"].choice(APPROVALS) if "approval" in keys else "none",
        when=_when(keys.get("when")),
        escalate_to=keys["escalate_to"].choice(ESCALATIONS) if "escalate_to" in keys else None,
        template=keys["template"].text() if "template" in keys else name,
    )
    return step if "enabled" not in keys or keys["enabled"].flag() else None


def _steps(spot: Spot) -> tuple[Step, ...]:
    steps: list[Step] = []
    for one in spot.many():
        step = _step(one)
        if step is None:
            continue
        if any(step.name == other.name for other in steps):
            one.fault(f"step {step.name} stands twice in this segment; give each its own name")
        if steps and step.days <= steps[-1].days:
            one.fault(f"step {step.name} at {step.days} days does not come after {steps[-1].name} at {steps[-1].days}; order steps by days")
        steps.append(step)
    return tuple(steps)


def _segment(spot: Spot) -> Segment:
    keys = spot.keys(required=("name", "steps"), optional=("when", "note"))
    steps = _steps(keys["steps"]) if "steps" in keys else ()
    return Segment(keys["name"].text() if "name" in keys else "", _when(keys.get("when")), steps)


def _segments(spot: Spot) -> tuple[Segment, ...]:
    spots = spot.many()
    segments = tuple(_segment(one) for one in spots)
    if not segments:
        spot.fault("needs at least one segment")
    for one, segment in list(zip(spots, segments, strict=True))[:-1]:
        if not segment.when:
            one.fault(f"segment {segment.name} has no when, so it takes everything and the segments below never apply; put it last")
    return segments


def _by_hand(spots: Iterable[Spot]) -> tuple[ByHand, ...]:
    rules = []
    for spot in spots:
        keys = spot.keys(required=("when", "because"))
        rules.append(ByHand(_when(keys.get("when")), keys["because"].text() if "because" in keys else ""))
    return tuple(rules)


def read_policy(text: str) -> Policy:
    """The policy in `text`. Raises PolicyInvalid with every problem found."""
    top = read_yaml(text)
    keys = top.keys(required=("version", "name", "segments"), optional=("description", "group", "minimum", "max_age", "by_hand", "cases", "as_of"))
    if "version" in keys and keys["version"].whole() != VERSION:
        keys["version"].fault(f"this is version {VERSION} of the language; only {VERSION} is understood")
    policy = Policy(
        name=keys["name"].text() if "name" in keys else "",
        segments=_segments(keys["segments"]) if "segments" in keys else (),
        description=keys["description"].text() if "description" in keys else "",
        group=keys["group"].choice(GROUPINGS) if "group" in keys else "customer",
        minimum=read_limits(keys["minimum"]) if "minimum" in keys else Limits(()),
        max_age=keys["max_age"].whole(least=0, most=36500) if "max_age" in keys else 1095,
        by_hand=_by_hand(keys["by_hand"].many()) if "by_hand" in keys else (),
        cases=tuple(casefile.read_case(spot) for spot in keys["cases"].many()) if "cases" in keys else (),
    )
    if top.problems:
        raise PolicyInvalid(top.problems)
    return policy
