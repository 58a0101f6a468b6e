"""The right to chase: each check has its table; what is not known blocks; more facts against never become a permission."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tieout.core import gate
from tieout.core.days import Window
from tieout.core.gate import Address, Check, Credit, Facts, Hold, Item, Promise, Receipt, Reply, Source, Statement, Touch, Verdict
from tieout.core.policy.packs import contact_rules

NOW = dt.datetime(2026, 6, 16, 9, 0, tzinfo=dt.UTC)  # a Tuesday, 11:00 in Berlin
TODAY = NOW.date()


class Rules(msgspec.Struct, frozen=True):
    """The interim rules: business debtors, weekdays 9 to 17, holidays off, one message in seven days."""

    version: int = 1
    as_of: dt.date = dt.date(2026, 1, 1)
    window: Window = Window()
    holidays_off: bool = True
    max_messages: int = 1
    window_days: int = 7
    business_only: bool = True
    promise_grace_days: int = 2
    rule_ids: Mapping[str, str] = msgspec.field(
        default_factory=lambda: {
            "window": "ours-hours",
            "max_messages": "ours-cap",
            "business_only": "ours-who",
            "promise_grace_days": "ours-promise",
        }
    )


RULES = Rules()


def item(number: str = "R-101", minor: int = 100_00, **changes: object) -> Item:
    plain = Item(
        document_id=f"id-{number}",
        number=number,
        currency="EUR",
        status="open",
        open_minor=minor,
        contested_minor=0,
        on_the_way_minor=0,
        stated_open_minor=minor,
        demanded_minor=minor,
    )
    return msgspec.structs.replace(plain, **changes)


def facts(**changes: object) -> Facts:
    """Brightwater in Berlin owes one invoice, and nothing speaks against writing."""
    plain = Facts(
        asked_at=NOW,
        message_id="M1",
        customer_id="brightwater",
        customer_names=("Brightwater Ltd",),
        debtor_type="business",
        sending="live",
        sources=(Source(name="books", last_success_at=NOW - dt.timedelta(hours=2), cadence=dt.timedelta(days=1)),),
        items=(item(),),
        receipts=(),
        credits=(),
        open_replies=(),
        promises=(),
        holds=(),
        address=Address(address="ap@brightwater.example", bounced=False, opted_out=False),
        zones=("Europe/Berlin",),
        countries=("DE",),
        touches=(),
        statements=(Statement(name="open amount", stated="100.00 EUR", ledger="100.00 EUR"),),
    )
    return msgspec.structs.replace(plain, **changes)


def ask(**changes: object) -> Verdict:
    return gate.ask(facts(**changes), RULES)


def refusal(code: str, **changes: object) -> Check:
    """The one check that refuses, having made sure that it is the only one."""
    verdict = ask(**changes)
    assert not verdict.allowed
    assert [check.code for check in verdict.refusals] == [code]
    assert verdict.refusals[0].detail
    assert verdict.refusals[0].release
    return verdict.refusals[0]


def test_nothing_against_it_gives_a_certificate() -> None:
    verdict = ask()
    assert verdict.allowed
    assert verdict.expires_at == NOW + dt.timedelta(seconds=5)
    assert verdict.rules_version == "1 of 2026-01-01"
    assert len({check.code for check in verdict.checks}) == len(verdict.checks) == 13


def test_a_certificate_survives_being_stored() -> None:
    verdict = ask()
    assert msgspec.json.decode(msgspec.json.encode(verdict), type=Verdict) == verdict
    assert msgspec.json.decode(msgspec.json.encode(facts()), type=Facts) == facts()


def test_the_fingerprint_is_of_the_facts() -> None:
    assert ask().inputs_hash == ask().inputs_hash == gate.fingerprint(facts())
    assert ask(credits=(Credit(currency="EUR", minor=1),)).inputs_hash != ask().inputs_hash


def test_a_moment_without_its_zone_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="must carry its zone"):
        facts(asked_at=dt.datetime(2026, 6, 16, 9))


def source(**changes: object) -> Source:
    plain = Source(name="books", last_success_at=NOW, cadence=dt.timedelta(days=1))
    return msgspec.structs.replace(plain, **changes)


@pytest.mark.parametrize(
    ("code", "changes", "says"),
    [
        pytest.param("sending", {"sending": "shadow"}, "shadow mode", id="shadow mode shows and does not send"),
        pytest.param("sending", {"sending": "stopped"}, "stopped", id="the stop switch"),
        pytest.param("sending", {"sending": "frozen"}, "after a restore", id="a restored system"),
        pytest.param("sending", {"sending": None}, "not known", id="sending mode unknown"),
        pytest.param("sources", {"sources": None}, "no source", id="sources unknown"),
        pytest.param("sources", {"sources": ()}, "no source", id="no source at all"),
        pytest.param("sources", {"sources": (source(last_success_at=None),)}, "never been read", id="a source never read"),
        pytest.param("sources", {"sources": (source(cadence=None),)}, "no cadence", id="a source without a cadence"),
        pytest.param("sources", {"sources": (source(last_success_at=NOW - dt.timedelta(days=1, seconds=1)),)}, "longer ago", id="a stale source"),
        pytest.param("sources", {"sources": (source(), source(name="bank", last_success_at=None))}, "bank", id="one fresh source, one never read"),
        pytest.param("sources", {"sources": (source(last_success_at=NOW + dt.timedelta(hours=1)),)}, "clock is wrong", id="read in the future"),
        pytest.param(
            "balance", {"items": (item(open_minor=90_00, demanded_minor=90_00),)}, "the text says 100.00", id="a part payment since drafting"
        ),
        pytest.param("balance", {"items": (item(status="void"),)}, "is void", id="a void invoice"),
        pytest.param("balance", {"items": (item(status="unknown"),)}, "is unknown", id="an unknown status"),
        pytest.param("balance", {"items": (item(), item("R-102", stated_open_minor=None))}, "not known", id="an amount the text does not state"),
        pytest.param("balance", {"credits": None}, "credits are not known", id="credits unknown"),
        pytest.param("balance", {"credits": (Credit(currency="EUR", minor=100_00),)}, "cover", id="credits cover the demand"),
        pytest.param("dispute", {"items": (item(contested_minor=1),)}, "only 99.99 is undisputed", id="a cent demanded is disputed"),
        pytest.param("dispute", {"items": (item(contested_minor=None),)}, "not known", id="whether it is disputed is unknown"),
        pytest.param("dispute", {"items": (item(demanded_minor=100_01),)}, "more than is open", id="more demanded than is open"),
        pytest.param("money", {"items": (item(on_the_way_minor=1),)}, "on its way", id="a debit is under way"),
        pytest.param("money", {"items": (item(on_the_way_minor=None),)}, "not known", id="whether money is under way is unknown"),
        pytest.param("money", {"receipts": None}, "not known", id="the cash inbox is unknown"),
        pytest.param("reply", {"open_replies": (Reply(reply_id="E1", received_at=NOW),)}, "1 reply waiting", id="an open reply"),
        pytest.param("reply", {"open_replies": None}, "not known", id="replies unknown"),
        pytest.param("promise", {"promises": None}, "not known", id="promises unknown"),
        pytest.param("promise", {"promises": (Promise(promise_id="1", promised_date=TODAY),)}, "2 days of grace", id="a promise for today"),
        pytest.param(
            "promise", {"promises": (Promise(promise_id="1", promised_date=TODAY - dt.timedelta(days=2)),)}, "grace", id="the last day of its grace"
        ),
        pytest.param(
            "promise",
            {"promises": (Promise(promise_id="1", promised_date=TODAY, document_ids=("id-R-101",)),)},
            "promised",
            id="a promise on one of the items",
        ),
        pytest.param("hold", {"holds": None}, "not known", id="holds unknown"),
        pytest.param("hold", {"holds": (Hold(hold_id="1", kind="legal", note="with counsel"),)}, "legal (with counsel)", id="a hold on the account"),
        pytest.param("hold", {"holds": (Hold(hold_id="1", kind="plan", document_id="id-R-101"),)}, "plan", id="a hold on an item"),
        pytest.param(
            "hold", {"holds": (Hold(hold_id="1", kind="manual", until_date=TODAY + dt.timedelta(days=1)),)}, "manual", id="a hold's last day"
        ),
        pytest.param("address", {"address": None}, "no address", id="no address"),
        pytest.param("address", {"address": Address(address=" ", bounced=False, opted_out=False)}, "no address", id="an empty address"),
        pytest.param(
            "address",
            {"address": Address(address="a@b.example, c@d.example", bounced=False, opted_out=False)},
            "more than one",
            id="two addresses in one",
        ),
        pytest.param(
            "address", {"address": Address(address="not an address", bounced=False, opted_out=False)}, "cannot be used", id="no valid address"
        ),
        pytest.param("address", {"address": Address(address="a@b.example", bounced=True, opted_out=False)}, "came back", id="a bounced address"),
        pytest.param("address", {"address": Address(address="a@b.example", bounced=False, opted_out=True)}, "opted out", id="an opt-out"),
        pytest.param("address", {"address": Address(address="a@b.example", bounced=None, opted_out=False)}, "not known", id="bounce state unknown"),
        pytest.param("debtor", {"debtor_type": "consumer"}, "a consumer", id="a consumer"),
        pytest.param("debtor", {"debtor_type": None}, "not known to be a business", id="an unknown debtor counts as consumer"),
        pytest.param("hours", {"zones": ()}, "zone is not known", id="no zone"),
        pytest.param("hours", {"countries": ()}, "country is not known", id="no country"),
        pytest.param("hours", {"countries": ("ZZ",)}, "no holiday calendar", id="a country without a calendar"),
        pytest.param("hours", {"zones": ("Europe/Berlin", "America/New_York")}, "America/New_York", id="closed in one of two candidate zones"),
        pytest.param("budget", {"touches": None}, "not known", id="the contact log unknown"),
        pytest.param("budget", {"touches": (Touch(message_id="M0", at=NOW - dt.timedelta(days=6)),)}, "7 days", id="a message six days ago"),
        pytest.param(
            "budget", {"touches": (Touch(message_id="M0", at=NOW + dt.timedelta(days=3)),)}, "7 days", id="a message a wrong clock dated ahead"
        ),
        pytest.param("text", {"statements": None}, "no fact", id="the text was not compared"),
        pytest.param("text", {"statements": ()}, "no fact", id="the text declares no fact"),
        pytest.param("text", {"statements": (Statement(name="due date", stated="1 May", ledger="1 June"),)}, "due date reads", id="an untrue fact"),
        pytest.param("text", {"statements": (Statement(name="due date", stated=None, ledger="1 June"),)}, "is missing", id="a fact the text lacks"),
        pytest.param("text", {"statements": (Statement(name="due date", stated="1 May", ledger=None),)}, "is missing", id="a fact the ledger lacks"),
    ],
)
def test_one_thing_against_it_refuses_with_its_reason_and_release(code: str, changes: dict[str, object], says: str) -> None:
    assert says in refusal(code, **changes).detail


def test_no_item_and_no_amount_refuse_more_than_once() -> None:
    assert "balance" in {check.code for check in ask(items=()).refusals}
    assert {check.code for check in ask(items=(item(open_minor=None),)).refusals} == {"balance", "dispute"}
    assert {check.code for check in ask(items=(item(open_minor=0),)).refusals} == {"balance", "dispute"}


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"items": (item(contested_minor=10_00, demanded_minor=90_00),)}, id="the undisputed rest of a disputed item"),
        pytest.param({"promises": (Promise(promise_id="1", promised_date=TODAY, document_ids=("id-R-999",)),)}, id="a promise on another item"),
        pytest.param({"promises": (Promise(promise_id="1", promised_date=TODAY - dt.timedelta(days=3)),)}, id="a promise broken and past its grace"),
        pytest.param({"holds": (Hold(hold_id="1", kind="dispute", document_id="id-R-999"),)}, id="a hold on another item"),
        pytest.param({"holds": (Hold(hold_id="1", kind="manual", until_date=TODAY),)}, id="a hold that ended today"),
        pytest.param({"holds": (Hold(hold_id="1", kind="manual", from_date=TODAY + dt.timedelta(days=1)),)}, id="a hold that begins tomorrow"),
        pytest.param({"touches": (Touch(message_id="M0", at=NOW - dt.timedelta(days=7)),)}, id="a message seven local days ago"),
        pytest.param({"sources": (Source(name="by hand", kind="person"),)}, id="an invoice entered by hand"),
        pytest.param({"sources": (source(last_success_at=NOW - dt.timedelta(days=1)),)}, id="a source at the very end of its cadence"),
        pytest.param({"credits": (Credit(currency="EUR", minor=99_99), Credit(currency="USD", minor=500_00))}, id="credits that do not cover it"),
        pytest.param({"receipts": (Receipt(payment_id="P", currency="EUR", minor=100_00, customer_id="oakham"),)}, id="money of another customer"),
        pytest.param({"receipts": (Receipt(payment_id="P", currency="USD", minor=100_00),)}, id="an unknown payer in another currency"),
        pytest.param({"receipts": (Receipt(payment_id="P", currency="EUR", minor=77_77, text="R-1010"),)}, id="an unknown payer with another number"),
    ],
)
def test_what_does_not_concern_it_does_not_block(changes: dict[str, object]) -> None:
    assert ask(**changes).allowed


@pytest.mark.parametrize(
    ("receipt", "says"),
    [
        pytest.param({"customer_id": "brightwater", "currency": "USD", "minor": 1}, "from this customer", id="any money of this customer"),
        pytest.param({"customer_id": "brightwater", "state": "in_transit"}, "(in transit)", id="money in transit of this customer"),
        pytest.param({"minor": 100_00}, "exactly one of the items", id="an unknown payer with the amount of an item"),
        pytest.param({"minor": 140_00}, "some of the items together", id="an unknown payer with a sum of items"),
        pytest.param({"minor": 5_00, "text": "part of r 101"}, "names R-101", id="an unknown payer whose text names an item"),
        pytest.param({"minor": 5_00, "payer_name": "BRIGHTWATER LIMITED"}, "customer's name", id="an unknown payer with the customer's name"),
        pytest.param({"minor": 5_00, "text": "transfer from Brightwater, thanks"}, "customer's name", id="the customer's name in the text"),
        pytest.param({"minor": 35_00}, "exactly one of the items", id="an unknown payer with the undisputed part"),
    ],
)
def test_money_that_could_settle_it_holds_the_message_and_is_named(receipt: dict[str, object], says: str) -> None:
    plain = Receipt(payment_id="P7", currency="EUR", minor=33_33)
    items = (item(), item("R-102", 40_00), item("R-103", 70_00, contested_minor=35_00, demanded_minor=35_00))
    check = refusal("money", items=items, receipts=(msgspec.structs.replace(plain, **receipt),))
    assert says in check.detail
    assert "receipt P7" in check.detail


def test_among_very_many_items_a_sum_cannot_be_ruled_out() -> None:
    many = tuple(item(f"R-{n}", 10_000_00 + 2**n) for n in range(20))
    assert "may be some of the many" in refusal("money", items=many, receipts=(Receipt(payment_id="P", currency="EUR", minor=200_000_00),)).detail


@pytest.mark.parametrize(
    ("changes", "opens"),
    [
        pytest.param(
            {"asked_at": dt.datetime(2026, 6, 16, 15, 0, tzinfo=dt.UTC)}, "2026-06-17T07:00:00", id="at five in the afternoon: tomorrow at nine"
        ),
        pytest.param({"asked_at": dt.datetime(2026, 6, 19, 20, 0, tzinfo=dt.UTC)}, "2026-06-22T07:00:00", id="on Friday night: Monday at nine"),
        pytest.param({"asked_at": dt.datetime(2026, 12, 24, 18, 0, tzinfo=dt.UTC)}, "2026-12-28T08:00:00", id="before Christmas: after the holidays"),
        pytest.param({"zones": ("Europe/Berlin", "America/New_York")}, "2026-06-16T13:00:00", id="two zones: when both are open"),
        pytest.param({"touches": (Touch(message_id="M0", at=NOW - dt.timedelta(days=6)),)}, "2026-06-17T07:00:00", id="budget free tomorrow at nine"),
        pytest.param({"touches": (Touch(message_id="M0", at=NOW - dt.timedelta(days=4)),)}, "2026-06-19T07:00:00", id="budget free on Friday"),
        pytest.param(
            {"promises": (Promise(promise_id="1", promised_date=dt.date(2026, 6, 18)),)},
            "2026-06-22T07:00:00",
            id="promise and grace end on a Sunday",
        ),
        pytest.param({"holds": (Hold(hold_id="1", kind="manual", until_date=dt.date(2026, 6, 18)),)}, "2026-06-18T07:00:00", id="a hold with an end"),
    ],
)
def test_when_only_time_stands_between_the_next_opening_is_told(changes: dict[str, object], opens: str) -> None:
    last = facts(**changes).asked_at
    changes = {**changes, "sources": (source(last_success_at=last),)}
    verdict = ask(**changes)
    assert not verdict.allowed
    assert verdict.next_allowed_at == dt.datetime.fromisoformat(opens).replace(tzinfo=dt.UTC)
    later = msgspec.structs.replace(facts(**changes), asked_at=verdict.next_allowed_at, sources=(source(last_success_at=verdict.next_allowed_at),))
    assert gate.ask(later, RULES).allowed


def test_no_opening_is_told_while_something_must_happen_first() -> None:
    verdict = ask(asked_at=dt.datetime(2026, 6, 16, 23, 0, tzinfo=dt.UTC), open_replies=(Reply(reply_id="E1", received_at=NOW),))
    assert verdict.next_allowed_at is None


def test_the_budget_counts_local_days_over_a_change_of_the_clocks() -> None:
    """Sent on a Monday at 17:30 in Berlin before the clocks go forward: seven local days later it is free, though only 167 h less."""
    touch = Touch(message_id="M0", at=dt.datetime(2026, 3, 23, 16, 30, tzinfo=dt.UTC))
    day_six = dt.datetime(2026, 3, 29, 9, 0, tzinfo=dt.UTC)
    day_seven = dt.datetime(2026, 3, 30, 7, 30, tzinfo=dt.UTC)
    codes = {c.code for c in ask(asked_at=day_six, sources=(source(last_success_at=day_six),), touches=(touch,)).refusals}
    assert "budget" in codes
    assert ask(asked_at=day_seven, sources=(source(last_success_at=day_seven),), touches=(touch,)).allowed


def test_the_contact_pack_of_the_house_can_be_asked() -> None:
    assert gate.ask(facts(), contact_rules()).allowed
    assert not gate.ask(facts(debtor_type=None), contact_rules()).allowed


def test_the_checks_of_the_rules_name_their_rule() -> None:
    named = {check.code: check.rule for check in ask().checks if check.rule}
    assert named == {"promise": "ours-promise", "debtor": "ours-who", "hours": "ours-hours", "budget": "ours-cap"}


minors = st.integers(1, 300_00)
AGAINST: dict[str, st.SearchStrategy[object]] = {
    "receipts": st.builds(
        Receipt, payment_id=st.just("P"), currency=st.just("EUR"), minor=minors, customer_id=st.sampled_from([None, "brightwater"]), text=st.just("")
    ),
    "open_replies": st.builds(Reply, reply_id=st.just("E"), received_at=st.just(NOW)),
    "promises": st.builds(Promise, promise_id=st.just("1"), promised_date=st.dates(TODAY - dt.timedelta(days=9), TODAY + dt.timedelta(days=9))),
    "holds": st.builds(
        Hold,
        hold_id=st.just("1"),
        kind=st.sampled_from(["legal", "manual", "plan"]),
        document_id=st.sampled_from([None, "id-R-101", "id-R-999"]),
        until_date=st.none() | st.dates(TODAY - dt.timedelta(days=3), TODAY + dt.timedelta(days=3)),
    ),
    "touches": st.builds(Touch, message_id=st.just("M0"), at=st.integers(0, 20).map(lambda n: NOW - dt.timedelta(days=n))),
    "credits": st.builds(Credit, currency=st.just("EUR"), minor=minors),
}
lists = {name: st.lists(strategy, max_size=2).map(tuple) for name, strategy in AGAINST.items()}
moments = st.integers(0, 24 * 14).map(lambda hours: NOW + dt.timedelta(hours=hours))
situations = st.builds(
    lambda asked, debtor, sending, parts: facts(
        asked_at=asked, sources=(source(last_success_at=asked),), debtor_type=debtor, sending=sending, **parts
    ),
    moments,
    st.sampled_from(["business", "business", "consumer", None]),
    st.sampled_from(["live", "live", "live", "shadow"]),
    st.fixed_dictionaries(lists),
)


@settings(max_examples=200, deadline=None)
@given(situations, st.sampled_from(sorted(AGAINST)).flatmap(lambda name: st.tuples(st.just(name), AGAINST[name])))
def test_one_more_fact_against_never_turns_a_refusal_into_permission(before: Facts, more: tuple[str, object]) -> None:
    name, fact = more
    after = msgspec.structs.replace(before, **{name: (*getattr(before, name), fact)})
    assert gate.ask(before, RULES).allowed or not gate.ask(after, RULES).allowed


@settings(max_examples=200, deadline=None)
@given(situations, st.sampled_from([*sorted(AGAINST), "sources", "statements", "address", "sending", "debtor_type"]))
def test_knowing_less_never_turns_a_refusal_into_permission(before: Facts, name: str) -> None:
    after = msgspec.structs.replace(before, **{name: None})
    assert not gate.ask(after, RULES).allowed


@settings(max_examples=100, deadline=None)
@given(situations, st.lists(st.sampled_from(["Europe/Berlin", "America/Los_Angeles", "Asia/Tokyo"]), min_size=1, max_size=3, unique=True))
def test_more_candidate_zones_never_allow_more(before: Facts, zones: list[str]) -> None:
    after = msgspec.structs.replace(before, zones=(*before.zones, *zones))
    assert gate.ask(before, RULES).allowed or not gate.ask(after, RULES).allowed


@settings(max_examples=100, deadline=None)
@given(situations)
def test_the_opening_told_is_one_at_which_the_same_facts_pass(before: Facts) -> None:
    verdict = gate.ask(before, RULES)
    if verdict.next_allowed_at is not None:
        later = msgspec.structs.replace(before, asked_at=verdict.next_allowed_at, sources=(source(last_success_at=verdict.next_allowed_at),))
        assert verdict.next_allowed_at > before.asked_at
        assert gate.ask(later, RULES).allowed
