"""What must hold for any book and any policy: found by search, not by example."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tieout.core.policy import columns, language, packs
from tieout.core.policy.evaluate import evaluate
from tieout.core.policy.language import Policy, Segment
from tieout.core.policy.parameters import ANY, Limits
from tieout.core.policy.situation import HOLD_REASONS, Hold, Item, Situation, Touch

TODAY = dt.date(2026, 3, 10)
POLICY = language.read_policy(packs.pack_text("default"))
NAMES = [s.name for segment in POLICY.segments for s in segment.steps]
RULES_TEXT = """\
version: 1
name: By amount, age and record
minimum: {EUR: 20, "*": 10}
segments:
- {name: large, when: {balance: {min: 500}, debtor_type: [business, unknown]}, steps: [{step: early, days: -3, channel: email}, {step: call, days: 5, channel: call}]}
- {name: old, when: {age: {min: 60}, currency: EUR}, steps: [{step: friendly, days: 10, channel: email}, {step: last, days: 90, channel: call, when: {broken_promises: {min: 1}}}]}
- {name: rest, when: {amount: {max: 400}}, steps: [{step: friendly, days: 7, channel: email}, {step: second, days: 20, channel: email, when: {email: true}}]}
"""  # noqa: E501
OTHER = language.read_policy(RULES_TEXT)

days_ago = st.integers(-20, 120)
item = st.builds(
    lambda n, currency, minor, late, contested, way, status, written_off, history: Item(
        invoice_id=f"I{n}",
        currency=currency,
        open_minor=minor,
        due_date=None if late is None else TODAY - dt.timedelta(days=late),
        contested_minor=contested,
        on_the_way_minor=way,
        status=status,
        written_off=written_off,
        history=history,
    ),
    st.integers(0, 10**6),
    st.sampled_from(["EUR", "USD", "JPY"]),
    st.integers(0, 100_000),
    st.none() | days_ago,
    st.sampled_from([0, 0, 0, 500, 10**6]),
    st.sampled_from([0, 0, 0, 700]),
    st.sampled_from(["open", "open", "open", "void"]),
    st.sampled_from([False, False, False, True]),
    st.booleans(),
)
items = st.lists(item, max_size=6, unique_by=lambda i: i.invoice_id).map(tuple)
hold = st.builds(
    Hold,
    reason=st.sampled_from(HOLD_REASONS),
    invoice_id=st.none() | st.integers(0, 10**6).map(lambda n: f"I{n}"),
    amount_minor=st.none() | st.integers(1, 10**5),
    until_date=st.none() | st.integers(-5, 5).map(lambda n: TODAY + dt.timedelta(days=n)),
)
touch = st.builds(
    Touch,
    date=st.integers(0, 90).map(lambda n: TODAY - dt.timedelta(days=n)),
    step=st.none() | st.sampled_from([*NAMES, "of another policy"]),
    channel=st.sampled_from(["email", "call"]),
    outcome=st.sampled_from(["", "delivered", "bounced"]),
)


@st.composite
def situations(draw: st.DrawFn, holds: bool = True, touches: bool = True) -> Situation:
    found = draw(items)
    said = draw(st.lists(touch, max_size=3)) if touches else []
    ids = [i.invoice_id for i in found]
    labelled = [msgspec.structs.replace(t, invoice_ids=tuple(ids[:k])) for t, k in zip(said, (0, 1, 2), strict=False)]
    return Situation(
        customer_id=draw(st.sampled_from(["C1", "C2", "C3"])),
        items=found,
        tier=draw(st.sampled_from(["low", "medium", "high", "unknown"])),
        debtor_type=draw(st.sampled_from(["business", "business", "consumer", None])),
        email=draw(st.sampled_from(["ap@x.example", None])),
        zones=("Europe/Berlin",),
        country="DE",
        broken_promises=draw(st.integers(0, 2)),
        holds=tuple(draw(st.lists(hold, max_size=2))) if holds else (),
        touches=tuple(labelled),
    )


policies = st.sampled_from([POLICY, OTHER])


def contacted(policy: Policy, situation: Situation) -> bool:
    return evaluate(policy, situation, TODAY).decision in ("send", "task")


@given(policies, situations(), st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_matter(policy: Policy, situation: Situation, chance: object) -> None:
    shuffled = list(situation.items)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    mixed = msgspec.structs.replace(situation, items=tuple(shuffled), holds=situation.holds[::-1], touches=situation.touches[::-1])
    assert evaluate(policy, mixed, TODAY) == evaluate(policy, situation, TODAY)


@given(policies, situations(), hold)
def test_another_hold_never_starts_a_contact(policy: Policy, situation: Situation, more: Hold) -> None:
    held = msgspec.structs.replace(situation, holds=(*situation.holds, more))
    assert contacted(policy, situation) or not contacted(policy, held)


@given(policies, situations())
def test_nothing_paid_void_or_written_off_is_ever_demanded(policy: Policy, situation: Situation) -> None:
    found = evaluate(policy, situation, TODAY)
    owed = {i.invoice_id: i for i in situation.items if i.status == "open" and not i.written_off and i.open_minor > 0}
    assert set(found.invoice_ids) | {h.invoice_id for h in found.held} <= set(owed)
    if found.decision in ("send", "task"):
        for code in {i.currency for i in owed.values()}:
            asked = sum(m.minor for m in found.amounts if m.currency == code)
            assert asked <= sum(i.open_minor - i.contested_minor for i in owed.values() if i.currency == code and i.invoice_id in found.invoice_ids)
        assert all(m.minor > 0 for m in found.amounts)
        assert not {h.invoice_id for h in found.held} & set(found.invoice_ids)


@given(policies, situations())
def test_a_machine_writes_to_known_businesses_with_an_address_only(policy: Policy, situation: Situation) -> None:
    found = evaluate(policy, situation, TODAY)
    if found.decision == "send":
        assert (situation.debtor_type, found.channel) == ("business", "email")
        assert situation.email
        assert found.not_before is not None


@given(policies, situations())
def test_what_is_said_today_is_not_said_again_today(policy: Policy, situation: Situation) -> None:
    found = evaluate(policy, situation, TODAY)
    if found.decision in ("send", "task"):
        said = Touch(date=TODAY, step=found.step, channel=found.channel or "", invoice_ids=found.invoice_ids)
        again = evaluate(policy, msgspec.structs.replace(situation, touches=(*situation.touches, said)), TODAY)
        if again.decision == "send" and found.decision == "send":
            assert again.not_before is not None
            assert (again.not_before.date() - TODAY).days >= 7
        assert again.step != found.step or set(again.invoice_ids) != set(found.invoice_ids) or again.decision in ("none", "hold")


def later(policy: Policy, by: int) -> Policy:
    """The same policy with every step later."""
    moved = [Segment(s.name, s.when, tuple(msgspec.structs.replace(step, days=step.days + by) for step in s.steps)) for s in policy.segments]
    return msgspec.structs.replace(policy, segments=tuple(moved))


def minimum(policy: Policy, factor: int) -> Policy:
    """The same policy with a minimum so many times higher, and at least as many units."""
    table = dict(policy.minimum.by_currency) or {ANY: Decimal(0)}
    return msgspec.structs.replace(policy, minimum=Limits(tuple(sorted((code, value * factor + factor) for code, value in table.items()))))


@given(policies, situations(touches=False), st.integers(0, 40), st.integers(1, 20), st.integers(0, 1000))
def test_a_stricter_policy_never_contacts_more_people(policy: Policy, situation: Situation, by: int, factor: int, older: int) -> None:
    assert contacted(policy, situation) or not contacted(later(policy, by), situation)
    assert contacted(policy, situation) or not contacted(minimum(policy, factor), situation)
    younger = msgspec.structs.replace(policy, max_age=max(0, policy.max_age - older))
    assert contacted(policy, situation) or not contacted(younger, situation)


@settings(max_examples=150)
@given(policies, st.lists(situations(), max_size=6, unique_by=lambda s: s.customer_id))
def test_the_column_form_misses_nobody(policy: Policy, accounts: list[Situation]) -> None:
    found = columns.due_today(policy, columns.items_frame(accounts), TODAY, touches=columns.touches_frame(accounts))
    judged = {s.customer_id: evaluate(policy, s, TODAY) for s in accounts}
    assert {name for name, d in judged.items() if d.decision != "none"} <= set(found["customer_id"])


@settings(max_examples=150)
@given(policies, st.lists(situations(holds=False), max_size=6, unique_by=lambda s: s.customer_id))
def test_the_column_form_names_nobody_in_vain(policy: Policy, accounts: list[Situation]) -> None:
    """Whoever it names has a step pending: judged, it is something, unless the sum is small."""
    found = columns.due_today(policy, columns.items_frame(accounts), TODAY, touches=columns.touches_frame(accounts))
    judged = {s.customer_id: evaluate(policy, s, TODAY) for s in accounts}
    assert {judged[name].reason for name in found["customer_id"] if judged[name].decision == "none"} <= {"below_minimum"}


@settings(max_examples=300)
@given(policies, st.lists(situations(), max_size=4, unique_by=lambda s: s.customer_id))
def test_steps_found_by_columns_lead_to_the_same_decisions(policy: Policy, accounts: list[Situation]) -> None:
    found = columns.due_items(policy, columns.items_frame(accounts), TODAY, touches=columns.touches_frame(accounts))
    places = {(customer, invoice): (segment, step) for customer, invoice, segment, step in found.iter_rows()}
    for account in accounts:
        items = tuple(sorted(account.items, key=lambda i: (i.due_date or TODAY, i.invoice_id)))
        mine = [places.get((account.customer_id, item.invoice_id), (-1, -1)) for item in items]
        ordered = msgspec.structs.replace(account, items=items)
        assert evaluate(policy, ordered, TODAY, places=mine) == evaluate(policy, account, TODAY)


def test_a_frame_without_a_needed_column_is_refused() -> None:
    with pytest.raises(ValueError, match="lacks due_date"):
        columns.due_today(POLICY, columns.items_frame([]).drop("due_date"), TODAY)
