"""Where a document stands on its ladder: the step it has reached by its age, and the steps already done.

A step is done once. A contact counts for a document as the step it was, but no further than the document's own age on that
day had reached: a new invoice carried along in an old one's final letter has had its first reminder, not its final one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from tieout.core.policy.language import Policy, Segment, Step
from tieout.core.policy.situation import Item, Situation, Touch

#: Outcomes of a contact that never reached anybody: it moves no ladder.
UNDELIVERED = frozenset({"bounced", "failed", "cancelled", "refused", "suppressed"})


def segment_of(policy: Policy, item: Item, situation: Situation, today: dt.date) -> Segment | None:
    """The first segment whose conditions all hold, None where none does."""
    for segment in policy.segments:
        for clause in segment.when:
            if not clause.holds(item, situation, today):
                break
        else:
            return segment
    return None


def place(policy: Policy, segment: Segment, step: str | None) -> int:
    """The place in `segment` that a contact called `step` stands for: the step itself, else the last one no later than it in
    another segment, else (an unknown name) the first after the due date."""
    known = segment.index.get(step or "")
    if known is not None:
        return known
    days = policy.step_days.get(step or "")
    if days is None:
        return segment.first_overdue
    return max((i for i, s in enumerate(segment.steps) if s.days <= days), default=0)


def counted(touches: Iterable[Touch], item: Item, today: dt.date) -> list[Touch]:
    """The contacts that reached somebody and spoke of the document, up to and including today."""
    return [t for t in touches if t.date <= today and t.outcome not in UNDELIVERED and (not t.invoice_ids or item.invoice_id in t.invoice_ids)]


def done(policy: Policy, segment: Segment, item: Item, touches: Iterable[Touch]) -> int:
    """Place of the highest step done for the document by these contacts; -1 for none."""
    highest = -1
    if item.due_date is None:
        return highest
    for touch in touches:
        age = (touch.date - item.due_date).days
        own = segment.first_overdue if age >= 1 else -1
        for i, step in enumerate(segment.steps):
            if step.days <= age and i > own:
                own = i
        highest = max(highest, min(place(policy, segment, touch.step), own))
    return highest


def pending(policy: Policy, segment: Segment, item: Item, situation: Situation, today: dt.date, *, touches: list[Touch], soft_days: int) -> int:
    """Place of the step that is due now and not yet done; -1 for none.

    Ordinarily the highest step reached. History released by a person climbs one step at a time instead, from the first one
    on, with `soft_days` between two steps, however old it is.
    """
    if item.due_date is None:
        return -1
    age = (today - item.due_date).days
    steps = segment.steps
    if not steps or steps[0].days > age:
        return -1
    above = done(policy, segment, item, touches) + 1 if touches else 0
    if not item.history:
        for i in range(len(steps) - 1, above - 1, -1):
            if steps[i].days <= age and _open(steps[i], item, situation, today):
                return i
        return -1
    if touches and (today - max(t.date for t in touches)).days < soft_days:
        return -1
    for i in range(max(above, segment.first_overdue), len(steps)):
        if steps[i].days <= age and _open(steps[i], item, situation, today):
            return i
    return -1


def _open(step: Step, item: Item, situation: Situation, today: dt.date) -> bool:
    return not step.when or all(c.holds(item, situation, today) for c in step.when)
