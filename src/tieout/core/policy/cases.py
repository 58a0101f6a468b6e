"""Running the cases a policy carries: every policy file brings the examples it must get right."""

from __future__ import annotations

import msgspec

from tieout.core.policy.casefile import Case
from tieout.core.policy.evaluate import evaluate
from tieout.core.policy.language import Policy
from tieout.core.policy.situation import Decision


class CaseResult(msgspec.Struct, frozen=True):
    """One case with the decision it got; `differences` are sentences, empty where it holds."""

    case: Case
    decision: Decision
    differences: tuple[str, ...]


def _found(decision: Decision, name: str) -> str | tuple[str, ...]:
    if name == "invoices":
        return tuple(sorted(decision.invoice_ids))
    value = getattr(decision, name)
    return "none" if value is None else str(value)


def run_cases(policy: Policy) -> tuple[CaseResult, ...]:
    """Every case of the policy, judged by it."""
    results = []
    for case in policy.cases:
        decision = evaluate(policy, case.situation, case.today)
        pairs = [(name, wanted, _found(decision, name)) for name, wanted in case.expect.items()]
        differences = tuple(f"{name} is {_text(found)}, expected {_text(wanted)}" for name, wanted, found in pairs if found != wanted)
        results.append(CaseResult(case, decision, differences))
    return tuple(results)


def _text(value: str | tuple[str, ...]) -> str:
    return value if isinstance(value, str) else ", ".join(value) or "nothing"
