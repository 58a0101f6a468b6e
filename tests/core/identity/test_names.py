"""Names of customers taken apart, and how alike two of them are."""

from __future__ import annotations

from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieout.core.identity import forms, likeness, names
from tieout.core.identity.likeness import ORDER, OTHER, PARTLY, SAME, SHORT, SLIP


def alike(one: str, other: str) -> int:
    worth: dict[str, float] = defaultdict(lambda: 8.0)
    return likeness.compare(names.read(one), names.read(other), worth).kind


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("Müller & Söhne GmbH", "MUELLER UND SOEHNE", id="umlauts spelled out, and written as a word"),
        pytest.param("Brightwater Ltd.", "brightwater limited", id="two spellings of a legal form"),
        pytest.param("Brightwater, S.p.A.", "Brightwater", id="dots inside a legal form"),
        pytest.param("Nowa Meble sp. z o.o.", "NOWA MEBLE SPOLKA Z O.O.", id="a legal form of several words"),
        pytest.param("Straße AG", "Strasse ag", id="sharp s"),
        pytest.param("Søndergaard ApS", "Soendergård", id="Danish letters"),
        pytest.param("Бел Транспорт ЕООД", "Bel Transport EOOD", id="Cyrillic and Latin"),
        pytest.param("Τεχνική Α.Ε.", "Techniki", id="Greek and Latin"),
        pytest.param("株式会社東山工業", "東山工業(株)", id="a Japanese form before and behind"),
        pytest.param("㈱東山工業", "東山工業", id="a Japanese form in one sign"),
        pytest.param("Bau Technik Nord", "Bautechnik Nord", id="parted in another way"),
        pytest.param("O'Hara Inc", "OHara, Inc.", id="an apostrophe"),
        pytest.param("Store 012", "Store 12", id="zeros before a number"),
        pytest.param("Henry II LLC", "Henry 2", id="a Roman number"),
        pytest.param("Gebr. Oakham GmbH", "Gebrüder Oakham", id="brothers shortened"),
        pytest.param("Brightwater Co.", "Brightwater Company", id="company, which is no news"),
    ],
)
def test_one_name_written_in_two_ways(one: str, other: str) -> None:
    assert alike(one, other) == SAME


@pytest.mark.parametrize(
    ("one", "other", "kind"),
    [
        pytest.param("Clara Whitcombe", "Whitcombe, Clara", ORDER, id="family name first"),
        pytest.param("Brightwater Coffee", "Brigthwater Coffee", SLIP, id="two letters that changed places"),
        pytest.param("Brightwater Coffee", "Brightwater Cofee", SLIP, id="a letter left out"),
        pytest.param("Brightwater Coffee Roasters", "Brightwater Coffee", SHORT, id="the trade left out"),
        pytest.param("C. Whitcombe", "Clara Whitcombe", SHORT, id="an initial"),
        pytest.param("Oakham Technologies", "Oakham Tech", SHORT, id="the head of a word"),
        pytest.param("BMH", "Bayerische Mühlen Halle", SHORT, id="the initials of all words"),
        pytest.param("Brightwater Berlin", "Brightwater Hamburg", PARTLY, id="two branches"),
        pytest.param("Store 12", "Store 14", PARTLY, id="two numbers are never a slip"),
        pytest.param("東山工業", "東山商事", OTHER, id="two trades in another script"),
        pytest.param("東山工業", "東山工業Holding", SHORT, id="a word more where none are parted"),
        pytest.param("Oakham", "Brightwater", OTHER, id="two names"),
        pytest.param("", "Brightwater", OTHER, id="no name at all"),
        pytest.param("Aare", "Bare", OTHER, id="short words one letter apart are two words"),
    ],
)
def test_how_alike_two_names_are(one: str, other: str, kind: int) -> None:
    assert alike(one, other) == kind
    assert alike(other, one) == kind


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("Brightwater GmbH & Co. KG", "gmbh & co kg"),
        ("GmbH Brightwater Berlin", "gmbh"),
        ("Brightwater Ges.m.b.H.", "gmbh"),
        ("UG Brightwater", ""),
        ("Brightwater UG (haftungsbeschränkt)", "ug"),
        ("AS Roma", ""),
        ("Brightwater AS", "as"),
        ("ООО Строй", "ooo"),
        ("PT Brightwater", "pt"),
        ("Spa Brightwater", ""),
        ("GmbH", ""),
        ("", ""),
    ],
)
def test_the_legal_form_of_a_name(name: str, form: str) -> None:
    assert names.read(name).form == form


@pytest.mark.parametrize(("one", "other", "agree"), [("gmbh", "gmbh", True), ("gmbh", "", True), ("inc", "corp", True), ("gmbh", "ag", False),
                                                     ("gmbh", "gmbh & co kg", False), ("ltd", "plc", False)])  # fmt: skip
def test_which_legal_forms_may_be_of_one_company(one: str, other: str, agree: bool) -> None:
    assert forms.may_agree(one, other) is agree
    assert forms.may_agree(other, one) is agree


@given(st.text(max_size=40))
def test_every_text_can_be_read_and_is_itself(text: str) -> None:
    name = names.read(text)
    assert name.key == "".join(name.words)
    assert alike(text, text) == (SAME if name.key else OTHER)
    assert names.read(f"  {text.upper()} ").key == names.read(text.upper()).key


@given(st.text(alphabet="abcdefg &.GmbHLtd12", max_size=24), st.text(alphabet="abcdefg &.GmbHLtd12", max_size=24))
def test_likeness_has_no_direction(one: str, other: str) -> None:
    worth: dict[str, float] = defaultdict(lambda: 8.0)
    mine, theirs = names.read(one), names.read(other)
    there, back = likeness.compare(mine, theirs, worth), likeness.compare(theirs, mine, worth)
    assert there.kind == back.kind
    if likeness.hopeless(mine, theirs):
        assert there.kind >= PARTLY
