"""Tax numbers, accounts, mailboxes, telephones and towns in one spelling."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieout.core.identity import marks


@pytest.mark.parametrize(
    ("one", "other", "country"),
    [
        pytest.param("DE 811 234 567", "de811234567", "DE", id="spaces and case"),
        pytest.param("DE811234567", "811234567", "DE", id="without its letters, in its country"),
        pytest.param("FR40303265045", "303 265 045", "FR", id="the registration number in a French VAT number"),
        pytest.param("FR40303265045", "30326504500014", "FR", id="one establishment of a French company"),
        pytest.param("NL123456782B01", "123456782B02", "NL", id="two branches of a Dutch number"),
        pytest.param("CHE-123.456.788 MWST", "CHE123456788", "CH", id="a Swiss number with its word"),
        pytest.param("SE556036079301", "556036-0793", "SE", id="the organisation number in a Swedish VAT number"),
        pytest.param("GR094259216", "EL094259216", "GR", id="Greece has two codes"),
        pytest.param("BE0403019261", "BE403019261", "BE", id="an older Belgian number"),
        pytest.param("12-3456787", "123456787", "US", id="an American number"),
    ],
)
def test_one_tax_number_written_in_two_ways(one: str, other: str, country: str) -> None:
    assert marks.tax(one, country) == marks.tax(other, country) is not None


@pytest.mark.parametrize("text", ["", "n/a", "none", "000000000", "DE999999999", "123456789", "0", "1234", "unknown 12"])
def test_a_filler_is_no_tax_number(text: str) -> None:
    assert marks.tax(text, "DE") is None


def test_numbers_of_two_kinds_cannot_be_compared() -> None:
    vat, other = marks.tax("DE811234567", "DE"), marks.tax("12/345/67891", "DE")
    assert vat is not None
    assert other is not None
    assert vat[0] != other[0]


@pytest.mark.parametrize(
    ("one", "other", "slip"),
    [("811234567", "811234568", True), ("811234567", "811243567", True), ("811234567", "118234567", False), ("8112345", "81123456", False)],
)
def test_one_slip_between_two_numbers(one: str, other: str, slip: bool) -> None:
    assert marks.slip(one, other) is slip


@pytest.mark.parametrize("text", ["+49 341 555 0001", "0341/5550001", "0049 (341) 5550001", "0341 555-0001 ext. 12"])
def test_a_telephone_number_however_it_is_dialled(text: str) -> None:
    assert marks.phone(text) == "15550001"


@pytest.mark.parametrize("text", ["", "n/a", "12345", "00000000000"])
def test_what_is_no_telephone_number(text: str) -> None:
    assert marks.phone(text) == ""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("AP@Brightwater.example", ("ap@brightwater.example", "brightwater.example")),
        (" büro@xn--mnchen-3ya.example", ("büro@münchen.example", "münchen.example")),
        ("no address", ("", "")),
        ("a@localhost", ("", "")),
    ],
)
def test_a_mailbox_and_its_domain(text: str, expected: tuple[str, str]) -> None:
    assert marks.mailbox(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://www.Brightwater.example/en?x=1", "brightwater.example"),
        ("brightwater.example", "brightwater.example"),
        ("coming soon", ""),
        ("x", ""),
    ],
)
def test_a_web_address_is_its_domain(text: str, expected: str) -> None:
    assert marks.site(text) == expected


@pytest.mark.parametrize(("one", "other"), [("Köln", "Cologne"), ("MÜNCHEN", "Munich"), ("Portland, ME", "portland"), ("The Hague", "'s-Gravenhage")])
def test_one_town_of_two_names(one: str, other: str) -> None:
    assert marks.town(one) == marks.town(other)


@given(st.text(max_size=30), st.sampled_from(["", "DE", "FR", "US"]))
def test_anything_can_be_read(text: str, country: str) -> None:
    marks.tax(text, country)
    marks.phone(text)
    marks.mailbox(text)
    marks.site(text)
    marks.town(text)
    assert marks.account(marks.account(text)) == marks.account(text)
