"""The judgement: one customer's situation under a policy, answered with a decision and the sentences that led to it.

Pure and cheap; it can be replayed over last year. Rules of sense that no policy can switch off: what is paid, void or written
off is never demanded; only the undisputed part is; a hold outranks every step; a debtor not known to be a business, or
without an address, becomes a task for a person; a step is done once.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Literal

import msgspec

from tieout.core.money import Money
from tieout.core.policy import ladder, opening, packs, waiting
from tieout.core.policy.contact import ContactRules
from tieout.core.policy.language import Policy, Segment, Step
from tieout.core.policy.situation import Decision, Held, Hold, Item, Situation


class _Standing(msgspec.Struct, gc=False):
    """One open document on the way through the judgement. `step` is the one due now, None for none; `minor` may be demanded unless
    there is a `reason` to wait, told in `sentence`."""

    item: Item
    age: int
    segment: Segment | None
    step: Step | None
    minor: int
    reason: str | None = None
    sentence: str = ""

    @property
    def label(self) -> str:
        return self.item.number or self.item.invoice_id


#: Where a document stands by the column form: the places of its segment in the policy and of the highest step due in that segment,
#: (-1, -1) where no step is due. Released history, which climbs one step at a time, is looked at again by row.
Place = tuple[int, int]


def evaluate(
    policy: Policy, situation: Situation, today: dt.date, *, rules: ContactRules | None = None, places: Sequence[Place] | None = None
) -> Decision:
    """The decision for one customer on `today`. `rules` are the contact rules, by default those of the shipped pack.

    `places`, where `columns.due_items` has found them for a whole book, spare looking for each document's step again: one for
    each of the situation's items, which then stand in the order of their due dates and ids. The answer is the same.
    """
    rules = rules or packs.contact_rules()
    holds = [h for h in situation.holds if waiting.active(h, today, rules.promise_grace_days)] if situation.holds else ()
    standings = None if places is None else _placed(policy, situation, today, rules, holds, places)
    reason = ""
    if standings is None or all(s.step is None for s in standings):
        standings, reason = _standings(policy, situation, today, rules, holds)
    due = [s for s in standings if s.step is not None]
    if not due:
        return _none(situation, reason, standings)
    free = [s for s in due if s.reason is None]
    if not free:
        return _hold(situation, today, due)
    body, amounts, small = _worth(policy, standings)
    leads = [s for s in free if s.item.currency not in small] if small else free
    if not leads:
        return _none(situation, "below_minimum", standings, _small_sentences(policy, small))
    lead = _lead(leads)
    demanded = [lead] if policy.group == "invoice" else [s for s in body if s.age > 0 or _same_step(s, lead)]
    if len(demanded) != len(body):
        amounts = _sums(demanded)
    return _act(situation, today, rules, lead, demanded, amounts, due)


def _same_step(one: _Standing, lead: _Standing) -> bool:
    return one.step is not None and lead.step is not None and one.step.name == lead.step.name


def _placed(
    policy: Policy, situation: Situation, today: dt.date, rules: ContactRules, holds: Sequence[Hold], places: Sequence[Place]
) -> list[_Standing]:
    """Every open document with its age and holds, its step as the column form has found it."""
    plain = waiting.plain(policy, situation, holds)
    ladders, most = policy.segments, policy.max_age
    found: list[_Standing] = []
    for item, (ladder_place, place) in zip(situation.items, places, strict=True):
        if item.due_date is None or not _open(item):
            continue
        age = (today - item.due_date).days
        if age > most:
            continue
        if item.history and place >= 0:
            segment, place, _ = _by_row(policy, item, situation, today, rules)
        else:
            segment = ladders[ladder_place] if place >= 0 else None
        step = segment.steps[place] if segment is not None and place >= 0 else None
        if plain and item.on_the_way_minor <= 0 and item.contested_minor <= 0:
            found.append(_Standing(item, age, segment, step, item.open_minor))  # nearly every document
        else:
            free = waiting.standing(policy, item, situation, today, holds)
            found.append(_Standing(item, age, segment, step, free.minor, free.reason, free.sentence))
    return found


def _standings(
    policy: Policy, situation: Situation, today: dt.date, rules: ContactRules, holds: Sequence[Hold]
) -> tuple[list[_Standing], str]:
    """Every open document with its age, ladder and holds; and why nothing is due, should none of them be."""
    found: list[_Standing] = []
    reasons: set[str] = set()
    for item in situation.items:
        if not _open(item):
            continue
        if item.due_date is None:
            reasons.add("no_due_date")
            continue
        age = (today - item.due_date).days
        if age > policy.max_age:
            reasons.add("too_old")
            continue
        segment, place, touched = _by_row(policy, item, situation, today, rules)
        reasons.add("no_segment" if segment is None else "step_done" if place < 0 and touched and age > 0 else "nothing_due")
        step = segment.steps[place] if segment is not None and place >= 0 else None
        free = waiting.standing(policy, item, situation, today, holds)
        found.append(_Standing(item, age, segment, step, free.minor, free.reason, free.sentence))
    found.sort(key=lambda s: (-s.age, s.item.invoice_id))
    return found, next((r for r in ("step_done", "nothing_due", "no_segment", "too_old", "no_due_date") if r in reasons), "nothing_open")


def _by_row(policy: Policy, item: Item, situation: Situation, today: dt.date, rules: ContactRules) -> tuple[Segment | None, int, bool]:
    """The document's segment, the place of the step due in it (-1 for none), and whether it was spoken of before."""
    segment = ladder.segment_of(policy, item, situation, today)
    if segment is None:
        return None, -1, False
    touches = ladder.counted(situation.touches, item, today) if situation.touches else []
    return segment, ladder.pending(policy, segment, item, situation, today, touches=touches, soft_days=rules.window_days), bool(touches)


def _open(item: Item) -> bool:
    return item.open_minor > 0 and item.status == "open" and not item.written_off


def _worth(policy: Policy, standings: Sequence[_Standing]) -> tuple[list[_Standing], tuple[Money, ...], dict[str, int]]:
    """What may be demanded now, its sums, and the currencies whose sum is too small for a contact."""
    body = [s for s in standings if s.reason is None and (s.age > 0 or s.step is not None)]
    sums = _sums(body)
    small = {m.currency: m.minor for m in sums if m.minor < policy.least(m.currency)}
    if not small:
        return body, sums, small
    return [s for s in body if s.item.currency not in small], tuple(m for m in sums if m.currency not in small), small


def _sums(standings: Sequence[_Standing]) -> tuple[Money, ...]:
    sums: dict[str, int] = {}
    for s in standings:
        currency = s.item.currency
        sums[currency] = sums.get(currency, 0) + s.minor
    return tuple(Money(sums[code], code) for code in sorted(sums))


def _lead(leads: Sequence[_Standing]) -> _Standing:
    """The document that names the step: the one furthest up its ladder, the oldest among equals."""
    return max(leads, key=_height) if len(leads) > 1 else leads[0]


def _height(s: _Standing) -> tuple[int, int, str]:
    assert s.step is not None
    return s.step.days, s.age, s.item.invoice_id


def _none(situation: Situation, reason: str, standings: Sequence[_Standing], more: tuple[str, ...] = ()) -> Decision:
    sentences = {
        "nothing_open": "nothing is open",
        "nothing_due": "no step of the ladder is due today",
        "step_done": "the steps reached so far have been done",
        "below_minimum": "what may be demanded is below the minimum",
        "too_old": "everything open is older than the policy's greatest age; review it for write-off",
        "no_due_date": "nothing open has a due date",
        "no_segment": "no segment of the policy takes what is open",
    }
    oldest = (f"oldest open: {standings[0].label}, {_age(standings[0].age)}",) if standings else ()
    return Decision(customer_id=situation.customer_id, decision="none", reason=reason, trace=(sentences[reason], *oldest, *more))


def _small_sentences(policy: Policy, small: dict[str, int]) -> tuple[str, ...]:
    return tuple(f"{Money(minor, code)} is less than the minimum of {Money(policy.least(code), code)}" for code, minor in sorted(small.items()))


def _hold(situation: Situation, today: dt.date, due: Sequence[_Standing]) -> Decision:
    """Everything that is due waits; the weightiest reason names the decision."""
    lead = _lead(due)
    step = lead.step
    assert step is not None
    first = min(due, key=lambda s: waiting.weight(s.reason or "manual"))
    return Decision(
        customer_id=situation.customer_id,
        decision="hold",
        reason=first.reason or "manual",
        invoice_ids=tuple(s.item.invoice_id for s in due),
        step=step.name,
        channel=step.channel,
        tone=step.tone,
        approval=step.approval,
        held=tuple(Held(s.item.invoice_id, s.reason or "manual") for s in due),
        trace=(*_ladder_sentences(situation, lead, today), *_held_sentences(due)),
    )


def _act(
    situation: Situation,
    today: dt.date,
    rules: ContactRules,
    lead: _Standing,
    demanded: Sequence[_Standing],
    amounts: tuple[Money, ...],
    due: Sequence[_Standing],
) -> Decision:
    """A message, or a task where a message is not the right thing or not allowed."""
    step = lead.step
    assert step is not None
    assert lead.segment is not None
    soft = lead.item.history and step is lead.segment.steps[lead.segment.first_overdue]
    tone = "friendly" if soft else step.tone
    channel, reason, sentence = _way(situation, step, tone, rules)
    opens = opening.first_moment(situation, today, rules, message=reason == "due")
    if reason == "due" and opens is None:
        reason, sentence = "no_window", "the zones it may be in are never open together"
    decision: Literal["send", "task"] = "send" if reason == "due" else "task"
    waits = [s for s in due if s.reason is not None]
    sums = ", ".join(str(m) for m in amounts)
    return Decision(
        customer_id=situation.customer_id,
        decision=decision,
        reason=reason,
        invoice_ids=tuple(s.item.invoice_id for s in demanded),
        step=step.name,
        channel=channel,
        tone=tone,
        approval=step.approval,
        escalate_to=step.escalate_to,
        not_before=opens,
        amounts=amounts,
        held=tuple(Held(s.item.invoice_id, s.reason or "manual") for s in waits),
        trace=(
            *_ladder_sentences(situation, lead, today),
            f"asks for {sums} in {len(demanded)} document{'' if len(demanded) == 1 else 's'}",
            sentence,
            *_held_sentences(waits),
            *_opening_sentences(opens, today),
        ),
    )


def _way(situation: Situation, step: Step, tone: str, rules: ContactRules) -> tuple[str, str, str]:
    """Channel, reason and sentence of the act."""
    if step.channel == "call":
        return "call", "call_step", f"step {step.name} is a call for a person"
    if rules.business_only and situation.debtor_type != "business":
        known = "is a consumer" if situation.debtor_type == "consumer" else "is not known to be a business, which counts as a consumer"
        return step.channel, "not_business", f"the debtor {known}: a person decides ({rules.rule_ids['business_only']})"
    if not situation.email:
        return "call", "no_address", "no e-mail address is known: a person calls and asks for one"
    return "email", "due", f"by e-mail, tone {tone}, approval {step.approval}"


def _age(age: int) -> str:
    if age == 0:
        return "due today"
    return f"{age} days past due" if age > 0 else f"due in {-age} days"


def _ladder_sentences(situation: Situation, lead: _Standing, today: dt.date) -> tuple[str, ...]:
    step = lead.step
    assert lead.segment is not None
    assert step is not None
    why = tuple(c.says(lead.item, situation, today) for c in (*lead.segment.when, *step.when))
    reached = f"{lead.label} is {_age(lead.age)}: step {step.name} (day {step.days}) of segment {lead.segment.name}"
    softly = ("released history starts softly and climbs one step at a time",) if lead.item.history else ()
    return (reached, *why, *softly)


def _held_sentences(waits: Sequence[_Standing]) -> tuple[str, ...]:
    shown = tuple(f"{s.label} waits: {s.sentence}" for s in waits[:5])
    return shown if len(waits) <= 5 else (*shown, f"{len(waits) - 5} more wait")


def _opening_sentences(opens: dt.datetime | None, today: dt.date) -> tuple[str, ...]:
    if opens is None or opens.date() <= today:
        return ()
    return (f"not before {opens:%Y-%m-%d %H:%M} UTC: contact window and message budget",)
