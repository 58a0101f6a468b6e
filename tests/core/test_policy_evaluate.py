"""The judgement on single accounts: dated tables, each row a sentence."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
import pytest

from tieout.core.money import Money
from tieout.core.policy import book, language, packs
from tieout.core.policy.evaluate import evaluate
from tieout.core.policy.situation import Decision, Hold, Item, Situation, Touch

TODAY = dt.date(2026, 3, 10)  # a Tuesday
POLICY = language.read_policy(packs.pack_text("default"))


def late(days: int | None, amount: int = 100_000, invoice_id: str = "A", currency: str = "EUR", **more: Any) -> Item:
    due = None if days is None else TODAY - dt.timedelta(days=days)
    return Item(invoice_id=invoice_id, currency=currency, open_minor=amount, due_date=due, **more)


def brightwater(*items: Item, **more: Any) -> Situation:
    facts = {"tier": "low", "debtor_type": "business", "email": "ap@brightwater.example", "zones": ("Europe/Berlin",), "country": "DE"}
    return Situation(customer_id="Brightwater", items=items or (late(8),), **(facts | more))


def judged(situation: Situation, today: dt.date = TODAY) -> Decision:
    return evaluate(POLICY, situation, today)


def ago(days: int, step: str | None = "friendly", **more: Any) -> Touch:
    return Touch(date=TODAY - dt.timedelta(days=days), step=step, **more)


def day(offset: int) -> dt.date:
    return TODAY + dt.timedelta(days=offset)


@pytest.mark.parametrize("reason", ["dispute", "promise", "reply_open", "opt_out", "in_transit", "plan", "legal", "insolvency", "manual", "stale"])
def test_a_hold_on_the_customer_holds(reason: Any) -> None:
    found = judged(brightwater(holds=(Hold(reason=reason),)))
    assert (found.decision, found.reason, found.invoice_ids, found.step, found.not_before) == ("hold", reason, ("A",), "friendly", None)


@pytest.mark.parametrize(
    ("hold", "expected"),
    [
        pytest.param(Hold(reason="legal", invoice_id="A"), "hold", id="a hold on the invoice holds"),
        pytest.param(Hold(reason="legal", invoice_id="B"), "send", id="a hold on another invoice does not"),
        pytest.param(Hold(reason="manual", until_date=day(0)), "send", id="a hold ends before its last day"),
        pytest.param(Hold(reason="manual", until_date=day(1)), "hold", id="until then it binds"),
        pytest.param(Hold(reason="manual", from_date=day(1)), "send", id="a hold of tomorrow does not bind today"),
        pytest.param(Hold(reason="promise", until_date=day(-2)), "hold", id="a promise has two days of grace"),
        pytest.param(Hold(reason="promise", until_date=day(-3)), "send", id="after that it is broken"),
        pytest.param(Hold(reason="dispute", invoice_id="A", amount_minor=40_000), "send", id="a disputed part leaves the rest"),
        pytest.param(Hold(reason="dispute", invoice_id="A", amount_minor=100_000), "hold", id="a dispute of everything holds"),
        pytest.param(Hold(reason="dispute", amount_minor=5), "hold", id="a disputed amount of an unknown invoice holds all"),
    ],
)
def test_the_reach_of_a_hold(hold: Hold, expected: str) -> None:
    assert judged(brightwater(holds=(hold,))).decision == expected


def test_only_the_undisputed_rest_is_demanded() -> None:
    hold = Hold(reason="dispute", invoice_id="A", amount_minor=40_000)
    assert judged(brightwater(holds=(hold,))).amounts == (Money(60_000, "EUR"),)
    assert judged(brightwater(late(8, contested_minor=40_000), holds=(hold,))).amounts == (Money(60_000, "EUR"),)


def test_the_weightiest_of_several_holds_names_the_decision() -> None:
    assert judged(brightwater(holds=(Hold(reason="stale"), Hold(reason="insolvency"), Hold(reason="manual")))).reason == "insolvency"


def test_a_held_invoice_waits_beside_the_others() -> None:
    found = judged(brightwater(late(8), late(40, invoice_id="B"), holds=(Hold(reason="dispute", invoice_id="B"),)))
    assert (found.decision, found.invoice_ids, found.step) == ("send", ("A",), "friendly")
    assert [(h.invoice_id, h.reason) for h in found.held] == [("B", "dispute")]


@pytest.mark.parametrize(
    ("changes", "decision", "reason", "channel"),
    [
        pytest.param({}, "send", "due", "email", id="a business with an address gets a mail"),
        pytest.param({"debtor_type": None}, "task", "not_business", "email", id="an unknown debtor counts as a consumer"),
        pytest.param({"debtor_type": "consumer"}, "task", "not_business", "email", id="a consumer is for a person"),
        pytest.param({"email": None}, "task", "no_address", "call", id="without an address somebody calls"),
        pytest.param({"tier": "high", "items": (late(28),)}, "task", "call_step", "call", id="a high-risk customer is called after a month"),
        pytest.param({"zones": ("Asia/Kamchatka", "America/New_York")}, "task", "no_window", "email", id="zones never open together"),
        pytest.param({"released": False}, "hold", "not_released", "email", id="history nobody released waits"),
        pytest.param({"items": (late(8, on_the_way_minor=1),)}, "hold", "in_transit", "email", id="money on its way holds"),
        pytest.param({"items": ()}, "none", "nothing_open", None, id="nothing is open"),
        pytest.param({"items": (late(8, 0), late(8, 100, status="void"), late(8, written_off=True))}, "none", "nothing_open", None, id="nil"),
        pytest.param({"items": (late(None),)}, "none", "no_due_date", None, id="no due date is no age"),
        pytest.param({"items": (late(1096),)}, "none", "too_old", None, id="too old for a machine"),
        pytest.param({"items": (late(0),)}, "none", "nothing_due", None, id="due today is not late"),
        pytest.param({"items": (late(8, 2499),)}, "none", "below_minimum", None, id="small change"),
        pytest.param({"items": (late(8, 1300), late(9, 1300, "B"))}, "send", "due", "email", id="small change adds up"),
        pytest.param({"items": (late(8, 1300), late(9, 1300, "B", "USD"))}, "none", "below_minimum", None, id="not over two currencies"),
    ],
)
def test_one_account(changes: dict[str, Any], decision: str, reason: str, channel: str | None) -> None:
    found = judged(msgspec.structs.replace(brightwater(), **changes))
    assert (found.decision, found.reason, found.channel) == (decision, reason, channel)
    assert all(sentence.strip() for sentence in found.trace)
    assert found.trace


@pytest.mark.parametrize(
    ("age", "touches", "step"),
    [
        pytest.param(6, (), None, id="six days late is nothing yet"),
        pytest.param(7, (), "friendly", id="a week late is the first reminder"),
        pytest.param(20, (), "friendly", id="it is still the first while nobody wrote"),
        pytest.param(21, (), "second", id="three weeks late is the second"),
        pytest.param(9, (ago(2),), None, id="the first reminder is given once"),
        pytest.param(9, (ago(2, outcome="bounced"),), "friendly", id="a bounce moves no ladder"),
        pytest.param(21, (ago(14),), "second", id="the second follows the first"),
        pytest.param(36, (ago(14, "second"),), "firm", id="the firm one follows the second"),
        pytest.param(36, (ago(1, "firm"), ago(29)), None, id="the firm one is given once"),
        pytest.param(9, (ago(2, "a step of an older policy"),), None, id="an unknown step counts as the first reminder"),
        pytest.param(21, (ago(2, "a step of an older policy"),), "second", id="and no further"),
        pytest.param(9, (ago(2, invoice_ids=("B",)),), "friendly", id="a mail about another invoice does not count"),
        pytest.param(9, (ago(9),), "friendly", id="a mail on the due date does not count"),
        pytest.param(70, (ago(40, "firm"), ago(3, "call", channel="call")), None, id="the ladder has an end"),
    ],
)
def test_the_ladder(age: int, touches: tuple[Touch, ...], step: str | None) -> None:
    assert judged(brightwater(late(age), touches=touches)).step == step


def test_a_new_invoice_carried_along_in_an_old_ones_letter_has_had_its_first_reminder_only() -> None:
    touches = (ago(7, "firm"),)
    assert judged(brightwater(late(9), touches=touches)).reason == "step_done"
    assert judged(brightwater(late(21), touches=touches)).step == "second"


def test_the_oldest_names_the_step_and_one_message_speaks_of_all() -> None:
    found = judged(brightwater(late(8), late(36, 500, "B"), late(2, 700, "C", "USD"), late(3, 9_000, "D", "USD"), late(-1, 1, "E")))
    assert (found.step, found.approval) == ("firm", "required")
    assert found.invoice_ids == ("B", "A", "D", "C")
    assert found.amounts == (Money(100_500, "EUR"), Money(9_700, "USD"))


def test_a_policy_by_invoice_speaks_of_the_leading_one() -> None:
    policy = msgspec.structs.replace(POLICY, group="invoice")
    found = evaluate(policy, brightwater(late(8), late(36, 5_000, "B")), TODAY)
    assert (found.invoice_ids, found.amounts) == (("B",), (Money(5_000, "EUR"),))


@pytest.mark.parametrize(
    ("touches", "step", "tone"),
    [
        pytest.param((), "friendly", "friendly", id="however old, the first contact is soft"),
        pytest.param((ago(6),), None, None, id="then a week passes"),
        pytest.param((ago(7),), "second", "firm", id="then it climbs one step"),
        pytest.param((ago(14), ago(7, "second")), "call", "firm", id="and one more"),
    ],
)
def test_released_history_climbs_one_step_at_a_time(touches: tuple[Touch, ...], step: str | None, tone: str | None) -> None:
    found = judged(brightwater(late(240, history=True), tier="high", touches=touches))
    assert (found.step, found.tone) == (step, tone)


@pytest.mark.parametrize(
    ("today", "touches", "expected"),
    [
        pytest.param(dt.date(2026, 3, 10), (), "2026-03-10T08:00", id="nine o'clock in Berlin is eight in UTC"),
        pytest.param(dt.date(2026, 3, 14), (), "2026-03-16T08:00", id="a Saturday waits for Monday"),
        pytest.param(dt.date(2026, 4, 3), (), "2026-04-07T07:00", id="Good Friday waits for Tuesday, an hour earlier in summer"),
        pytest.param(
            dt.date(2026, 3, 10),
            (ago(3, "other", invoice_ids=("Z",)),),
            "2026-03-16T08:00",
            id="a mail on Saturday waits for its eighth day, and Monday",
        ),
        pytest.param(dt.date(2026, 3, 10), (ago(7, "other", invoice_ids=("Z",)),), "2026-03-10T08:00", id="a week ago is over"),
        pytest.param(dt.date(2026, 3, 10), (ago(3, "call", channel="call", invoice_ids=("Z",)),), "2026-03-10T08:00", id="a call is no message"),
        pytest.param(
            dt.date(2026, 3, 10),
            (ago(1, address="other@x.example", invoice_ids=("Z",)),),
            "2026-03-10T08:00",
            id="another mailbox has its own budget",
        ),
        pytest.param(
            dt.date(2026, 3, 10),
            (ago(3, address="AP@Brightwater.example", invoice_ids=("Z",)),),
            "2026-03-16T08:00",
            id="capitals make no other mailbox",
        ),
    ],
)
def test_not_before(today: dt.date, touches: tuple[Touch, ...], expected: str) -> None:
    found = judged(brightwater(late(9), touches=touches), today)
    assert found.decision == "send"
    assert found.not_before is not None
    assert f"{found.not_before:%Y-%m-%dT%H:%M}" == expected


def test_customers_that_share_a_mailbox_are_written_to_a_week_apart() -> None:
    first, second = (msgspec.structs.replace(brightwater(), customer_id=name) for name in ("Brightwater", "Brightwater North"))
    other = msgspec.structs.replace(brightwater(), customer_id="Cobalt", email="ap@cobalt.example")
    moments = [d.not_before and d.not_before.date().isoformat() for d in book.plan(POLICY, [second, other, first], TODAY)]
    assert moments == ["2026-03-17", "2026-03-10", "2026-03-10"]


def test_what_a_policy_leaves_to_a_person_waits_with_its_reason() -> None:
    text = packs.pack_text("default").replace(
        "segments:", "by_hand:\n- {when: {balance: {min: 900}}, because: key accounts are called by the owner}\nsegments:", 1
    )
    found = evaluate(language.read_policy(text), brightwater(), TODAY)
    assert (found.decision, found.reason) == ("hold", "manual")
    assert "A waits: key accounts are called by the owner" in found.trace


def test_the_trace_tells_the_whole_story() -> None:
    found = judged(brightwater(late(8, number="INV-7"), late(9, invoice_id="B"), holds=(Hold(reason="legal", invoice_id="B"),)))
    assert found.trace == (
        "INV-7 is 8 days past due: step friendly (day 7) of segment low risk",
        "tier low is low",
        "asks for 1000.00 EUR in 1 document",
        "by e-mail, tone friendly, approval none",
        "B waits: a legal matter is with a person",
    )
