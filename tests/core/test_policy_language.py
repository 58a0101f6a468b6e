"""Reading a policy: what is valid, and that each mistake is named with line, column, path, cause and the nearest key."""

from __future__ import annotations

import pytest

from tieout.core.policy import cases, language, packs
from tieout.core.policy.contact import ContactPackError, read_rules
from tieout.core.policy.schema import PolicyInvalid

WHOLE = """\
version: 1
name: Small
segments:
- name: all
  steps:
  - {step: first, days: 7, channel: email, tone: friendly}
  - {step: second, days: 14, channel: call}
"""


def problems(text: str) -> list[str]:
    with pytest.raises(PolicyInvalid) as caught:
        language.read_policy(text)
    return [str(p) for p in caught.value.problems]


def test_a_small_policy_is_read_with_defaults() -> None:
    policy = language.read_policy(WHOLE)
    first, second = policy.segments[0].steps
    assert (first.name, first.days, first.channel, first.tone, first.approval, first.template) == ("first", 7, "email", "friendly", "none", "first")
    assert (second.channel, second.tone) == ("call", "neutral")
    assert (policy.group, policy.least("EUR"), policy.max_age) == ("customer", 0, 1095)


def test_the_default_policy_holds_its_own_cases() -> None:
    results = cases.run_cases(language.read_policy(packs.pack_text("default")))
    assert len(results) >= 20
    assert {r.case.name: r.differences for r in results if r.differences} == {}


def test_a_case_that_does_not_hold_says_what_was_found() -> None:
    text = WHOLE + "cases:\n- {case: wrong, given: {items: [{days_late: 8, amount: 5}]}, expect: {decision: task, step: second}}\n"
    (result,) = cases.run_cases(language.read_policy(text))
    assert result.differences == ("decision is send, expected task", "step is first, expected second")
    assert result.case.line == 9


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        pytest.param("tier: lwo, items: []", "tier: lwo is not known here; did you mean low?", id="a tier"),
        pytest.param("zone: Mars/Base, items: []", "zone: 'Mars/Base' is not a time zone of the IANA database", id="a zone"),
        pytest.param("items: [{days_late: 1, amount: 1.005}]", "items[0].amount: 1.005 has more decimal places than EUR has (2)", id="an amount"),
        pytest.param("items: [], holds: [{reason: legal, id: X}]", "holds[0].id: X is none of this case's items", id="a hold on nothing"),
    ],
)
def test_a_case_is_read_as_carefully_as_the_policy(given: str, problem: str) -> None:
    (found,) = problems(WHOLE + f"cases:\n- {{case: c, given: {{{given}}}, expect: {{decision: none}}}}\n")
    assert f"cases[0].given.{problem}" in found


def test_a_step_switched_off_is_left_out() -> None:
    text = WHOLE.replace("tone: friendly}", "tone: friendly, enabled: false}")
    assert [s.name for s in language.read_policy(text).segments[0].steps] == ["second"]


def test_minimum_by_currency_has_its_minor_units() -> None:
    policy = language.read_policy(WHOLE + 'minimum: {EUR: 25.50, JPY: 3000, "*": 10}\n')
    assert [policy.least(code) for code in ("EUR", "JPY", "USD", "KWD")] == [2550, 3000, 1000, 10000]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("tone: friendly", "tonne: friendly", "line 6, column 44, segments[0].steps[0]: unknown key tonne; did you mean tone?"),
        ("tone: friendly", "tone: frendly", "line 6, column 50, segments[0].steps[0].tone: frendly is not known here; did you mean friendly?"),
        ("channel: call", "channel: sms", "line 7, column 39, segments[0].steps[1].channel: sms is not known here; known: call, email"),
        ("days: 7", "days: seven", "line 6, column 25, segments[0].steps[0].days: expected a whole number, found 'seven'"),
        (
            "days: 14",
            "days: 7",
            "line 7, column 5, segments[0].steps[1]: step second at 7 days does not come after first at 7; order steps by days",
        ),
        ("step: second", "step: first", "line 7, column 5, segments[0].steps[1]: step first stands twice in this segment; give each its own name"),
        ("version: 1", "version: 2", "line 1, column 10, version: this is version 1 of the language; only 1 is understood"),
        ("name: Small\n", "", "line 1, column 1, top level: missing key name"),
        ("name: Small\n", "name: Small\nname: Twice\n", "line 3, column 1, top level: key name is given twice"),
        ("name: all", "name: all\n  when: {teir: high}", "line 5, column 10, segments[0].when.teir: unknown condition teir; did you mean tier?"),
        ("name: all", "name: all\n  when: {tier: hihg}", "line 5, column 16, segments[0].when.tier: hihg is not known here; did you mean high?"),
        (
            "name: all",
            "name: all\n  when: {age: {min: 9, max: 3}}",
            "line 5, column 15, segments[0].when.age: min 9 is larger than max 3, so the condition could never hold",
        ),
        (
            "name: Small",
            "name: Small\nminimum: {EURO: 3}",
            "line 3, column 17, minimum.EURO: EURO is not an ISO 4217 currency; use a code such as EUR, or * for all others",
        ),
        ("name: Small", "name: Small\nminimum: -3", "line 3, column 10, minimum: expected a plain amount such as 25.00, found '-3'"),
        ("name: Small", "name: &x Small\ndescription: *x", "line 3, column 14, top level: alias *x: write the value out"),
        ("name: Small", "name: [Small", "line 3, column 9, top level: not valid YAML: expected ',' or ']', but got ':'"),
    ],
    ids=[
        "a misspelt key",
        "a misspelt word",
        "an unknown channel",
        "a number in letters",
        "steps out of order",
        "a step twice",
        "a version of another day",
        "a missing key",
        "a key twice",
        "a misspelt condition",
        "a misspelt tier",
        "a span nothing fits",
        "an unknown currency",
        "a negative amount",
        "an alias",
        "a bracket never closed",
    ],
)
def test_a_mistake_is_named_with_its_place(old: str, new: str, expected: str) -> None:
    assert old in WHOLE
    found = problems(WHOLE.replace(old, new, 1))
    assert expected in found


def test_every_mistake_is_told_in_one_reading() -> None:
    text = WHOLE.replace("version: 1", "version: 9").replace("days: 7", "days: x").replace("channel: call", "chanel: call")
    assert len(problems(text)) >= 3


@pytest.mark.parametrize(
    "text",
    ["", "[1, 2]", "just words", "a: " + "[" * 5000, "\x00", "a: b: c", "- - -"],
    ids=["empty", "a list", "words", "endless brackets", "a NUL byte", "two colons", "nested lists"],
)
def test_what_is_no_policy_at_all_is_refused_politely(text: str) -> None:
    assert problems(text)


def test_a_segment_that_takes_everything_must_come_last() -> None:
    text = WHOLE + "- name: never reached\n  when: {tier: high}\n  steps: []\n"
    assert (
        "line 4, column 3, segments[0]: segment all has no when, so it takes everything and the segments below never apply; put it last"
        in problems(text)
    )


def test_the_contact_rules_carry_the_id_of_each_rule() -> None:
    rules = packs.contact_rules()
    assert (rules.max_messages, rules.window_days, rules.business_only, rules.promise_grace_days) == (1, 7, True, 2)
    assert (rules.window.opens.hour, rules.window.closes.hour, sorted(rules.window.weekdays)) == (9, 17, [0, 1, 2, 3, 4])
    assert rules.rule_ids["window"] == "TI-HOURS"


def test_a_contact_pack_without_a_rule_is_refused() -> None:
    with pytest.raises(ContactPackError, match="contact_hours"):
        read_rules({"version": 1, "as_of": None, "rules": []})
