"""What holds for any records: order does not matter, people are heard, and more contradiction never makes more certain."""

from __future__ import annotations

import random

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from tieout.core import identity
from tieout.core.identity import Links, Record

NAMES = [
    "Brightwater Ltd", "Brightwater", "BRIGHTWATER LIMITED", "Brightwatr Ltd", "Brightwater Holding Ltd", "Brightwater Coffee", "Brightwater Bath",
    "Oakham & Sons GmbH", "Oakham und Söhne", "Store 12", "Store 14", "Maria Schneider", "東山工業", "",
]  # fmt: skip
records = st.lists(
    st.builds(
        Record,
        key=st.integers(0, 40) | st.sampled_from(["a", "b"]),
        source=st.sampled_from(["stripe", "quickbooks", "file"]),
        name=st.sampled_from(NAMES),
        emails=st.sampled_from([(), ("ap@brightwater.example",), ("jo@brightwater.example",), ("a@gmail.com",), ("no address",)]),
        phone=st.sampled_from(["", "+44 117 496 0123", "0117 4960123"]),
        tax_id=st.sampled_from(["", "GB811234568", "811234568", "GB811234569", "GB944455567", "n/a"]),
        country=st.sampled_from(["", "GB", "DE"]),
        city=st.sampled_from(["", "Bristol", "Bath"]),
        accounts=st.sampled_from([(), ("GB11ALDR40470012345678",)]),
        aliases=st.sampled_from([(), ("Café Blau",)]),
        parent=st.sampled_from([None, None, 1]),
    ),
    max_size=9,
    unique_by=lambda record: record.key,
)
RANK = {"certain": 3, "likely": 2, "related": 1}


def standing(found: Links) -> dict[frozenset[object], str]:
    return {frozenset((pair.first, pair.second)): pair.decision for pair in found.pairs}


def apart(found: Links, one: object, other: object) -> bool:
    return not any(one in group and other in group for group in found.groups)


@settings(max_examples=40)
@given(records, st.randoms(use_true_random=False))
def test_the_order_of_records_does_not_matter(given_: list[Record], chance: random.Random) -> None:
    first = identity.link(given_)
    chance.shuffle(given_)
    assert identity.link(given_) == first
    assert identity.link(given_) == first


@settings(max_examples=40)
@given(records)
def test_groups_are_made_of_what_is_certain_and_hold_each_record_once(given_: list[Record]) -> None:
    found = identity.link(given_)
    members = [key for group in found.groups for key in group]
    assert len(members) == len(set(members))
    certain = found.of("certain")
    assert {key for pair in certain for key in (pair.first, pair.second)} == set(members)
    assert all(not apart(found, pair.first, pair.second) for pair in certain)
    assert all(apart(found, pair.first, pair.second) for pair in found.of("related"))


@settings(max_examples=40)
@given(records)
def test_no_group_holds_two_tax_numbers_of_one_country(given_: list[Record]) -> None:
    by_key = {record.key: record for record in given_}
    for group in identity.link(given_).groups:
        numbers = {by_key[key].tax_id[-9:] for key in group if by_key[key].tax_id.startswith("GB")}
        assert len(numbers) < 2


@settings(max_examples=40)
@given(records, st.data())
def test_a_rejected_pair_is_never_linked(given_: list[Record], data: st.DataObject) -> None:
    keys = [record.key for record in given_]
    pairs = st.tuples(st.sampled_from(keys or ["gone"]), st.sampled_from(keys or ["gone"]))
    rejected, confirmed = data.draw(st.lists(pairs, max_size=3)), data.draw(st.lists(pairs, max_size=3))
    found = identity.link(given_, rejected=rejected, confirmed=confirmed)
    for one, other in rejected:
        if one != other:
            assert apart(found, one, other)
            assert frozenset((one, other)) not in standing(found)
    broken = {frozenset(two) for two, _ in found.broken}
    for one, other in confirmed:
        if one != other:
            assert frozenset((one, other)) in broken or not apart(found, one, other)
            assert frozenset((one, other)) not in standing(found)


@settings(max_examples=40)
@given(records)
def test_what_a_person_confirms_of_the_machines_work_changes_no_group(given_: list[Record]) -> None:
    found = identity.link(given_)
    again = identity.link(given_, confirmed=[(pair.first, pair.second) for pair in found.of("certain")])
    assert again.groups == found.groups
    assert again.broken == ()


@settings(max_examples=40)
@given(records, st.sampled_from(["tax_id", "name", "country", "parent"]))
def test_more_contradiction_never_makes_more_certain(given_: list[Record], field: str) -> None:
    for pair in identity.link(given_).pairs[:3]:
        one = next(record for record in given_ if record.key == pair.first)
        other = next(record for record in given_ if record.key == pair.second)
        if field == "tax_id" and not (one.tax_id.startswith("GB") and other.tax_id.startswith("GB")):
            continue
        if field == "country" and other.tax_id and not other.tax_id.startswith("GB"):
            continue  # a number without its letters would become one of another country, and speak against nothing any more
        worse = {
            "tax_id": {"tax_id": "GB300000017"},
            "name": {"name": f"{other.name} Beteiligungs 99"},
            "country": {"country": "FR"},
            "parent": {"parent": one.key},
        }[field]
        alone = standing(identity.link([one, other]))
        changed = standing(identity.link([one, msgspec.structs.replace(other, **worse)]))
        both = frozenset((one.key, other.key))
        assert RANK.get(changed.get(both, ""), 0) <= max(RANK.get(alone.get(both, ""), 0), 1)


@settings(max_examples=40)
@given(records)
def test_every_pair_says_why(given_: list[Record]) -> None:
    for pair in identity.link(given_).pairs:
        assert pair.reasons
        assert 0 <= pair.score <= 100
        assert (pair.against == ()) == (pair.decision == "certain") or pair.decision == "likely"
        assert all(reason and reason == reason.strip() for reason in (*pair.reasons, *pair.against))
