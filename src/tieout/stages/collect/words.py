"""The short sentences of planning: what comes next for an account, and what a task asks of a person."""

from __future__ import annotations

import datetime as dt

from tieout.core.policy.situation import Decision

_TASKS = {
    "call": "Call",
    "address": "Find an address and call",
    "review": "Decide how to approach them",
}


def next_step(*, state: str, decision: Decision | None, waits: str, coming: tuple[str, dt.date] | None) -> str:
    """What happens next with this customer, in a line."""
    if state == "unreleased":
        return "waits to be released"
    if decision is not None and decision.decision == "send":
        approval = ", once approved" if decision.approval == "required" else ""
        return f"reminder “{decision.step}” by e-mail{approval}"
    if decision is not None and decision.decision == "task":
        return task(decision).split(":")[0]
    if waits or (decision is not None and decision.decision == "hold"):
        return f"waits: {waits or (decision.trace[-1] if decision and decision.trace else '')}"
    return f"step “{coming[0]}” on {coming[1]}" if coming else "no further step of the policy"


def task_kind(decision: Decision) -> str:
    """The kind of task a decision asks for."""
    if decision.reason == "call_step":
        return "call"
    return "address" if decision.reason == "no_address" else "review"


def task(decision: Decision) -> str:
    """The title of a task; the customer's name is shown beside it."""
    count = len(decision.invoice_ids)
    sums = ", ".join(str(m) for m in decision.amounts)
    return f"{_TASKS[task_kind(decision)]}: {sums} in {count} document{'' if count == 1 else 's'}"
