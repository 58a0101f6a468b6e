"""Which records are one customer: linked by machine on strong evidence free of contradiction, else proposed with its reasons."""

from __future__ import annotations

import msgspec
import pytest

from tieout.core import identity
from tieout.core.identity import Links, Pair, Record

BRIGHTWATER = Record(
    key="S1", source="stripe", name="Brightwater Coffee Roasters Ltd", emails=("ap@brightwater.example",), phone="+44 117 496 0123",
    tax_id="GB811234568", country="GB", city="Bristol", accounts=("GB11ALDR40470012345678",),
)  # fmt: skip
#: The same customer in the ledger, as far as every field goes.
IN_BOOKS = msgspec.structs.replace(BRIGHTWATER, key="Q1", source="quickbooks")


def stripe(**changes: object) -> Record:
    return msgspec.structs.replace(BRIGHTWATER, **changes)


def books(**changes: object) -> Record:
    return msgspec.structs.replace(IN_BOOKS, **changes)


BARE: dict[str, object] = {"emails": (), "phone": "", "tax_id": "", "country": "", "city": "", "accounts": ()}


def only(found: Links) -> Pair:
    [pair] = found.pairs
    return pair


def told(pair: Pair) -> str:
    return " | ".join((*pair.reasons, *pair.against))


CERTAIN = [
    pytest.param({}, {}, "same tax number GB811234568", id="everything agrees"),
    pytest.param({**BARE, "tax_id": "GB 811 234 568"}, {**BARE, "tax_id": "811234568", "country": "GB"}, "same tax number", id="tax number and name"),
    pytest.param(
        {**BARE, "tax_id": "GB811234568", "name": "Brigthwater Coffee Roasters"}, {**BARE, "tax_id": "GB811234568"}, "nearly the same name",
        id="tax number and a slip in the name",
    ),
    pytest.param(
        {**BARE, "tax_id": "GB811234568", "city": "Bath"}, {**BARE, "tax_id": "GB811234568", "city": "Bristol"}, "same name",
        id="tax number and name: another address does not matter",
    ),
    pytest.param(
        {**BARE, "accounts": ("gb11 aldr 4047 0012 3456 78",)}, {**BARE, "accounts": ("GB11ALDR40470012345678",)}, "same bank account",
        id="bank account and name",
    ),
    pytest.param({**BARE, "emails": ("AP@brightwater.example",)}, {**BARE, "emails": ("ap@brightwater.example",)}, "same mail address",
                 id="mailbox and name"),
    pytest.param({**BARE, "emails": ("jo@brightwater.example",)}, {**BARE, "domain": "www.brightwater.example"},
                 "same mail domain brightwater.example", id="mail domain, web site and name"),
    pytest.param({**BARE, "emails": ("jo1@gmail.com",), "name": "Clara Whitcombe"},
                 {**BARE, "emails": ("jo1@gmail.com",), "name": "Whitcombe, Clara"},
                 "words in another order", id="a person by one free mailbox"),
    pytest.param({**BARE, "phone": "0117 496 0123"}, {**BARE, "phone": "+441174960123"}, "same telephone number …74960123", id="telephone and name"),
    pytest.param({**BARE, "emails": ("a@brightwater.example",), "name": "BRIGHTWATER COFFEE ROASTERS"},
                 {**BARE, "emails": ("b@brightwater.example",)},
                 "same name after removing the legal form", id="mail domain and name without its form"),
    pytest.param({**BARE, "tax_id": "GB811234568", "name": "Café Blau"}, {**BARE, "tax_id": "GB811234568", "aliases": ("Café Blau",)},
                 "both go by the name Café Blau", id="tax number and trading name"),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other", "says"), CERTAIN)
def test_strong_evidence_free_of_contradiction_is_certain(one: dict[str, object], other: dict[str, object], says: str) -> None:
    found = identity.link([stripe(**one), books(**other)])
    pair = only(found)
    assert pair.decision == "certain"
    assert pair.score >= 90
    assert says in told(pair)
    assert pair.against == ()
    assert found.groups == (("Q1", "S1"),)


LIKELY = [
    pytest.param(BARE, BARE, "same name", id="a name alone"),
    pytest.param({**BARE, "city": "BRISTOL"}, {**BARE, "city": "Bristol"}, "both in Bristol", id="a name and a town"),
    pytest.param(
        {**BARE, "tax_id": "GB811234568", "name": "Brightwater Coffee Roasters plc"}, {**BARE, "tax_id": "GB811234568"},
        "legal forms differ: ltd and plc",
        id="two legal forms with one tax number",
    ),
    pytest.param({"tax_id": "GB811234569"}, {}, "tax numbers differ in a digit: 811234568 and 811234569", id="tax numbers that differ in a digit"),
    pytest.param({**BARE, "tax_id": "GB811234568", "name": "Oakham Ltd"}, {**BARE, "tax_id": "GB811234568"}, "the names differ",
                 id="one tax number, two names"),
    pytest.param({"tax_id": "", "accounts": (), "name": "Brightwater Coffee"}, {}, "only one name has roasters", id="a word less"),
    pytest.param({"city": "Bath", "tax_id": ""}, {}, "in different towns: Bristol and Bath", id="another town without a tax number"),
    pytest.param({"country": "IE", "tax_id": ""}, {}, "in different countries: GB and IE", id="another country"),
    pytest.param({**BARE, "phone": "0117 496 0123", "name": "Café Blau"}, {**BARE, "phone": "0117 496 0123"}, "the names differ",
                 id="two names at a telephone nobody else has"),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other", "says"), LIKELY)
def test_what_leaves_a_doubt_is_put_before_a_person(one: dict[str, object], other: dict[str, object], says: str) -> None:
    found = identity.link([stripe(**one), books(**other)])
    assert found.groups == ()
    pair = only(found)
    assert pair.decision == "likely"
    assert 60 <= pair.score < 90
    assert says in told(pair)
    assert pair.best


RELATED = [
    pytest.param({"tax_id": "GB944455567"}, {}, "different tax numbers", id="two tax numbers of one country"),
    pytest.param({"tax_id": "", "name": "Brightwater Coffee Roasters Holding Ltd"}, {}, "only one name has the word holding", id="the holding"),
    pytest.param({"name": "Brightwater Coffee Roasters Services Ltd"}, {}, "only one name has the word services", id="a sister with one VAT number"),
    pytest.param({"tax_id": "", "name": "Brightwater Store 12"}, {"name": "Brightwater Store 14"}, "numbers in the names differ: 14 and 12",
                 id="two branches by number"),
    pytest.param({"tax_id": "", "name": "Brightwater Bath", "city": "Bath"}, {"name": "Brightwater Bristol"}, "of two towns: bristol and bath",
                 id="two branches by town"),
    pytest.param({"parent": "Q1", "tax_id": ""}, {}, "one belongs to the other", id="a customer and its parent"),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other", "says"), RELATED)
def test_companies_of_one_house_are_shown_and_never_linked(one: dict[str, object], other: dict[str, object], says: str) -> None:
    found = identity.link([stripe(**one), books(**other)])
    pair = only(found)
    assert pair.decision == "related"
    assert pair.score < 60
    assert says in told(pair)
    assert found.groups == ()


NOTHING = [
    pytest.param({**BARE, "name": "Oakham"}, BARE, id="two names and nothing else"),
    pytest.param({**BARE, "city": "Bath", "name": "Whitcombe"}, {**BARE, "city": "Bristol", "name": "Oakham"}, id="two names in two towns"),
    pytest.param({**BARE, "emails": ("a@gmail.com",), "name": "Oakham"}, {**BARE, "emails": ("b@gmail.com",)}, id="two addresses at a free provider"),
    pytest.param({**BARE, "tax_id": "GB944455567"}, {**BARE, "tax_id": "GB811234568"}, id="one name with two tax numbers"),
    pytest.param({**BARE, "name": "Café Blau"}, {**BARE, "aliases": ("Cafe Blau",)}, id="a trading name and nothing else"),
    pytest.param({**BARE, "tax_id": "n/a", "name": "Oakham"}, {**BARE, "tax_id": "n/a"}, id="fillers in the field of the tax number"),
]


@pytest.mark.parametrize(("one", "other"), NOTHING)
def test_what_has_nothing_in_common_is_not_shown(one: dict[str, object], other: dict[str, object]) -> None:
    assert identity.link([stripe(**one), books(**other)]).pairs == ()


def test_two_that_fit_equally_well_are_both_left_to_a_person() -> None:
    found = identity.link([stripe(tax_id="", accounts=()), books(tax_id="", accounts=()), books(key="Q2", tax_id="", accounts=())])
    assert found.groups == ()
    assert {pair.decision for pair in found.pairs} == {"likely"}
    assert any("record Q2 fits as well" in told(pair) for pair in found.pairs)


def test_a_record_a_tool_made_twice_is_shown_not_linked() -> None:
    found = identity.link([books(tax_id="", accounts=()), books(key="Q2", tax_id="", accounts=())])
    assert only(found).decision == "likely"
    assert found.groups == ()


def test_a_record_a_tool_made_twice_is_linked_where_a_tax_number_proves_it() -> None:
    found = identity.link([stripe(), books(), books(key="Q2")])
    assert {pair.decision for pair in found.pairs} == {"certain"}
    assert found.groups == (("Q1", "Q2", "S1"),)


def test_a_sister_keeps_a_short_name_from_being_linked() -> None:
    holding = books(key="Q2", name="Brightwater Coffee Roasters Holding Ltd", tax_id="", accounts=(), phone="")
    short = stripe(name="Brightwater Coffee Roasters", tax_id="", accounts=(), phone="")
    found = identity.link([short, books(tax_id="", accounts=(), phone=""), holding])
    assert found.of("certain") == []
    assert "record Q2 fits as well" in told(found.of("likely")[0])


def test_a_full_name_is_linked_beside_its_sister() -> None:
    holding = books(key="Q2", name="Brightwater Coffee Roasters Holding Ltd", tax_id="", accounts=())
    found = identity.link([stripe(tax_id="", accounts=()), books(tax_id="", accounts=()), holding])
    assert found.groups == (("Q1", "S1"),)
    assert [(pair.first, pair.second) for pair in found.of("related")] == [("Q2", "S1")]


def test_a_mailbox_that_strangers_share_proves_nothing() -> None:
    clients = [
        books(**{**BARE, "key": f"Q{n}", "name": name, "emails": ("office@kanzlei.example",)})
        for n, name in enumerate(["Oakham Bakery", "Penrose Vale", "Saltmarsh Inn", "Thistle Nursery", "Corbel Joinery"])
    ]
    found = identity.link([*clients, stripe(**{**BARE, "name": "Redfern Events", "emails": ("office@kanzlei.example",)})])
    assert found.pairs == ()


def test_people_of_one_name_are_told_apart_by_what_is_theirs() -> None:
    people = [
        stripe(**{**BARE, "key": "S1", "name": "Maria Schneider", "emails": ("maria.s@gmail.com",)}),
        stripe(**{**BARE, "key": "S2", "name": "Maria Schneider", "emails": ("schneider.m@web.de",)}),
        books(**{**BARE, "key": "Q1", "name": "Maria Schneider", "emails": ("schneider.m@web.de",)}),
    ]
    assert identity.link(people).groups == (("Q1", "S2"),)


def test_what_is_linked_is_not_offered_again_to_its_rivals() -> None:
    other = books(**{**BARE, "key": "Q2", "name": "Brightwater Coffee", "emails": ("x@brightwater.example",)})
    found = identity.link([stripe(), books(), other])
    assert [(pair.first, pair.second) for pair in found.of("certain")] == [("Q1", "S1")]
    assert ("Q2", "S1") not in {(pair.first, pair.second) for pair in found.pairs} or ("Q1", "Q2") in {(p.first, p.second) for p in found.pairs}


def test_a_rejected_pair_is_neither_linked_nor_shown() -> None:
    found = identity.link([stripe(), books()], rejected=[("S1", "Q1")])
    assert (found.pairs, found.groups) == ((), ())


def test_a_rejected_pair_keeps_apart_what_a_third_would_bring_together() -> None:
    third = stripe(key="F1", source="file")
    found = identity.link([stripe(), books(), third], rejected=[("S1", "Q1")])
    assert not any({"S1", "Q1"} <= set(group) for group in found.groups)
    assert len(found.groups) == 1
    held = [pair for pair in found.pairs if pair.decision == "likely"]
    assert "a person said that two of these records are two customers" in told(held[0])


def test_a_confirmed_pair_is_linked_whatever_speaks_against_it() -> None:
    found = identity.link([stripe(), books(name="Oakham", tax_id="GB944455567")], confirmed=[("S1", "Q1")])
    assert found.groups == (("Q1", "S1"),)
    assert found.pairs == ()


def test_a_machine_adds_nothing_to_a_persons_group_that_contradicts_it() -> None:
    sister = stripe(key="F1", source="file", name="Brightwater Coffee Roasters Holding Ltd", tax_id="GB944455567", accounts=())
    again = msgspec.structs.replace(sister, key="H1", source="hubspot")
    found = identity.link([stripe(), sister, again], confirmed=[("S1", "F1")])
    assert found.groups == (("F1", "S1"),)
    assert "does not belong together" in told(next(pair for pair in found.pairs if {pair.first, pair.second} == {"F1", "H1"}))


def test_what_people_said_that_cannot_all_be_kept_is_told() -> None:
    third = stripe(key="F1", source="file")
    found = identity.link([stripe(), books(), third], confirmed=[("S1", "F1"), ("F1", "Q1")], rejected=[("S1", "Q1")])
    assert found.groups == (("F1", "Q1"),)
    assert found.broken == ((("F1", "S1"), "a person said that two of these records are two customers"),)


def test_a_pair_of_records_that_are_gone_is_passed_over() -> None:
    assert identity.link([stripe()], confirmed=[("S1", "gone")], rejected=[("gone", "S1")]) == Links((), ())


def test_keys_may_be_numbers() -> None:
    found = identity.link([stripe(key=7), books(key=3)])
    assert found.groups == ((3, 7),)


def test_the_same_key_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="record S1 is given twice"):
        identity.link([stripe(), books(key="S1")])


def test_no_records_is_an_answer() -> None:
    assert identity.link([]) == Links((), ())
