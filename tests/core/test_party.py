"""Names folded for comparison, one mail address at a time, one key per mailbox."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieout.core.party import AddressRefused, fold, mail_address, mailbox_key, tidy


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("Müller & Söhne GmbH", "MULLER SOHNE", id="accents, ampersand, legal form"),
        pytest.param("Straße AG", "Strasse ag", id="sharp s"),
        pytest.param("Brightwater Ltd.", "brightwater limited", id="two spellings of a legal form"),
        pytest.param("Ｂｒｉｇｈｔｗａｔｅｒ", "Brightwater", id="full-width letters"),
        pytest.param("O'Hara, S.p.A.", "o hara", id="dots inside a legal form"),
        pytest.param("Пример ООО", "пример ооо", id="another script"),
    ],
)
def test_names_that_mean_one_company_fold_alike(one: str, other: str) -> None:
    assert fold(one) == fold(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("Brightwater North", "Brightwater"), ("Oakham Holding Ltd", "Oakham Ltd"), ("株式会社東京", "株式会社大阪"), ("Co", "Inc")],
)
def test_names_that_may_mean_two_companies_stay_apart(one: str, other: str) -> None:
    assert fold(one) != fold(other)


def test_a_name_of_legal_forms_alone_keeps_them() -> None:
    assert fold("Co. KG") == "co kg"


@given(st.text())
def test_folding_twice_is_folding_once(name: str) -> None:
    assert fold(fold(name)) == fold(name)


@given(st.text())
def test_case_and_spaces_do_not_matter(name: str) -> None:
    assert fold(f"  {name}\t") == fold(name)


@given(st.text())
def test_tidy_is_one_line_and_stays_so(text: str) -> None:
    once = tidy(text)
    assert tidy(once) == once
    assert "\n" not in once
    assert "\x00" not in once
    assert once == once.strip()


@pytest.mark.parametrize("address", ["ap@brightwater.example", " ap@brightwater.example ", "ap+1@sub.brightwater.example", "büro@münchen.example"])
def test_a_single_address_is_taken(address: str) -> None:
    assert mail_address(address) == address.strip()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("a@b.example, c@d.example", "more than one", id="two with a comma"),
        pytest.param("a@b.example;c@d.example", "more than one", id="two with a semicolon"),
        pytest.param("a@b.example c@d.example", "more than one", id="two with a space"),
        pytest.param("a@b.example\nBcc: c@d.example", "more than one", id="a header smuggled in"),
        pytest.param("a@b.example\r\nX-Evil: 1", "", id="a line break"),
        pytest.param("A Person <a@b.example>", "", id="a display name"),
        pytest.param("nobody", "", id="no at sign"),
        pytest.param("", "", id="nothing"),
        pytest.param("a@" + "x" * 300 + ".example", "", id="far too long"),
    ],
)
def test_anything_else_is_refused_with_a_reason(text: str, says: str) -> None:
    found = mail_address(text)
    assert isinstance(found, AddressRefused)
    assert found.reason
    assert says in found.reason


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("AP@x.example", "ap@X.example", id="case"),
        pytest.param("a@münchen.example", "A@XN--MNCHEN-3YA.example", id="a domain and its xn-- form"),
        pytest.param("bu\u0308ro@x.example", "b\u00fcro@x.example", id="two ways to write one letter"),
        pytest.param(" a@x.example", "a@x.example ", id="spaces around"),
    ],
)
def test_one_mailbox_has_one_key(one: str, other: str) -> None:
    assert mailbox_key(one) == mailbox_key(other)


@given(st.text())
def test_a_key_is_its_own_key(text: str) -> None:
    assert mailbox_key(mailbox_key(text)) == mailbox_key(text)
