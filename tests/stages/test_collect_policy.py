"""Policies in force: saved version by version, checked before they count."""

from __future__ import annotations

import pytest

from tests.conftest import NOW
from tests.stages.collecting import ADA
from tieout.core.policy import packs
from tieout.stages.collect import policy, queries
from tieout.stages.collect.models import Policy

pytestmark = pytest.mark.usefixtures("inside")

GOOD = """version: 1
name: Ours
segments:
- name: all
  steps:
  - {step: first, days: 5, channel: email}
cases:
- case: five days late is written to
  given: {items: [{days_late: 5, amount: 100}]}
  expect: {decision: send, step: first}
"""


def test_until_somebody_saves_one_the_shipped_policy_is_in_force() -> None:
    rules, version = policy.in_force()
    assert (rules.name, version) == ("Default", policy.SHIPPED)
    assert policy.text_in_force() == (packs.pack_text("default"), 0)


def test_a_saved_policy_is_in_force_and_its_predecessor_kept() -> None:
    first = policy.save(text=GOOD, actor=ADA, now=NOW)
    second = policy.save(text=GOOD.replace("days: 5, channel", "days: 4, channel"), actor=ADA, now=NOW)
    assert isinstance(first, Policy)
    assert isinstance(second, Policy)
    assert [(p.version, p.active, p.saved_by) for p in queries.policies()] == [(2, True, "Ada"), (1, False, "Ada")]
    rules, version = policy.in_force()
    assert (rules.segments[0].steps[0].days, version) == (4, 2)


def test_saving_the_text_in_force_again_adds_no_version() -> None:
    first = policy.save(text=GOOD, actor=ADA, now=NOW)
    assert policy.save(text=GOOD, actor=ADA, now=NOW) == first
    assert len(queries.policies()) == 1


FAULTS = {
    "a misspelt key names its line and the nearest word": (GOOD.replace("channel: email", "chanel: email"), 6, "did you mean channel?"),
    "a case that does not hold names its line": (GOOD.replace("days_late: 5", "days_late: 4"), 8, "does not hold"),
    "no YAML at all": ("version: [1", 1, "not valid YAML"),
    "nothing": ("", 1, ""),
}


@pytest.mark.parametrize(("text", "line", "says"), FAULTS.values(), ids=FAULTS)
def test_a_policy_that_cannot_be_used_is_refused_with_every_place(text: str, line: int, says: str) -> None:
    found = policy.save(text=text, actor=ADA, now=NOW)
    assert isinstance(found, policy.PolicyRefused)
    assert any(f.line == line and says in f.message for f in found.faults), found
    assert f"line {line}" in found.reason
    assert Policy.objects.count() == 0
