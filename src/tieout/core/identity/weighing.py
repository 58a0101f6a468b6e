"""What speaks for and against two records being one customer: points by class of evidence, doubts, and contradictions, each in words.

A *doubt* keeps a machine from linking; a *contradiction* says that they are two customers, however much they share.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from tieout.core.identity import forms, likeness, marks
from tieout.core.identity.known import Known, Population
from tieout.core.identity.likeness import ORDER, OTHER, PARTLY, SAME, SHORT, SLIP, Likeness
from tieout.core.identity.names import of_house

Proof = Literal["id", "mark", ""]

#: Points from which on a pair is put before a person.
LIKELY = 60
_TAX, _ACCOUNT, _MAILBOX, _PHONE, _DOMAIN, _TOWN = 72, 45, 40, 25, 25, 10
#: A mailbox of many is no proof of anything, but with one name it tells that name apart from its namesakes.
_MANYS_MAILBOX = 15
#: For equal names: where nobody else in either source bears them, and where somebody does.
_NAME = {SAME: (62, 50), ORDER: (46, 38), SLIP: (56, 36)}
#: Of the points for equal names, at most so many fewer or more for how rare the words are.
_RARITY = (-24, 12)
#: For a name that shortens the other: at least, and for the share of it that is there; less where a third record has just that name.
_SHORTER, _SHARE, _OTHERS = 22, 22, 16
#: For names that have nothing in common, where nobody but these two has the mark they share.
_NOBODY_ELSE = 36
#: For a trading name, and how many records may go by one that is still somebody's own.
_ALIAS, _BRAND = 40, 3
#: Taken off: for each slip beyond the first, another town, another country, another mail domain, another legal form, another tax number,
#: a mail domain of many names, each further bearer of a name, and nothing but name and mail domain within one source.
_MORE_SLIPS, _ELSEWHERE, _ABROAD, _OTHER_DOMAIN, _OTHER_FORM, _OTHER_TAX, _CROWDED, _BEARER, _ONE_SOURCE = 6, 14, 20, 8, 8, 40, 16, 3, 12


class Weighed(msgspec.Struct, frozen=True, gc=False):
    """One pair weighed. `proof` is what would let a machine link it: `id` (tax number or account), `mark` (mailbox, domain, phone),
    or '' for nothing. `whole`: both state the same legal form with the same name. `near`: they share a mark and a part of their names."""

    score: int
    proof: Proof
    whole: bool
    near: bool
    reasons: tuple[str, ...]
    doubts: tuple[str, ...]
    contradictions: tuple[str, ...]


class _Case:
    """A pair while it is weighed: what the two have in common, and what is said for and against."""

    __slots__ = ("alias", "alike", "contradictions", "doubts", "kinds", "one", "other", "population", "reasons", "shared")

    def __init__(self, one: Known, other: Known, population: Population) -> None:
        self.one, self.other, self.population = one, other, population
        self.shared = [mark for mark in one.marks if mark in other.marks]
        self.kinds = {mark[0] for mark in self.shared}
        self.alike = likeness.compare(one.name, other.name, population.worth)
        named = self.alike.kind > SLIP and (one.aliases or other.aliases)
        self.alias = _by_alias(one, other, population) if named else ""
        self.reasons: list[str] = []
        self.doubts: list[str] = []
        self.contradictions: list[str] = []

    @property
    def one_source(self) -> bool:
        return self.one.record.source == self.other.record.source


def weigh(one: Known, other: Known, population: Population) -> Weighed | None:
    """Weigh a pair; None where they have too little in common to be worth showing to anybody."""
    if (
        one.name.key != other.name.key
        and likeness.hopeless(one.name, other.name)
        and not (one.aliases or other.aliases or any(mark in other.marks for mark in one.marks))
    ):
        return None
    case = _Case(one, other, population)
    if _vain(case):
        return None
    case.contradictions = contradictions(one, other, case.alike, population)
    score = _by_marks(case) + _by_name(case) + _by_tax(case) + _by_place(case)
    if case.one_source and case.kinds <= {"d"}:
        score -= _ONE_SOURCE
    kind = case.alike.kind
    return Weighed(
        score=max(0, min(100, round(score))),
        proof=_proof(case),
        whole=kind <= ORDER and bool(one.name.form) and one.name.form == other.name.form,
        near=bool(case.shared) and kind < OTHER,
        reasons=tuple(case.reasons),
        doubts=tuple(case.doubts),
        contradictions=tuple(case.contradictions),
    )


def contradictions(one: Known, other: Known, alike: Likeness, population: Population) -> list[str]:
    """What says that the two are two customers."""
    found = []
    if one.tax and other.tax and one.tax[0] == other.tax[0] and one.tax[1] != other.tax[1] and not _slipped(one, other, alike):
        found.append(f"different tax numbers: {one.tax[1]} and {other.tax[1]}")
    if one.record.parent == other.record.key or other.record.parent == one.record.key:
        found.append("one belongs to the other")
    if alike.left or alike.right:
        mine, theirs = one.name.numbers - other.name.numbers, other.name.numbers - one.name.numbers
        if mine and theirs:
            found.append(f"numbers in the names differ: {_listed(mine)} and {_listed(theirs)}")
        found += [f"only one name has the word {word}" for word in (*alike.left, *alike.right) if of_house(word)][:1]
        here, there = population.towns.intersection(alike.left), population.towns.intersection(alike.right)
        if here and there:
            found.append(f"the names are of two towns: {_listed(here)} and {_listed(there)}")
    return found


def apart(one: Known, other: Known, population: Population) -> str:
    """Why two records are two customers; '' where nothing says so."""
    return next(iter(contradictions(one, other, likeness.compare(one.name, other.name, population.worth), population)), "")


def _vain(case: _Case) -> bool:
    """Whether names so unlike, with what else is shared, could never be worth showing."""
    kind = case.alike.kind
    if case.alias or kind < SHORT:
        return False
    if not case.shared:
        # A shortened name is worth showing only where the town may be the same.
        return kind >= PARTLY or case.alike.share < 0.5 or not case.one.town or not case.other.town
    return kind >= PARTLY and case.kinds == {"d"} and (case.one_source or (kind == OTHER and not _alone(case)))


def _alone(case: _Case) -> bool:
    """Whether two records of two sources have a mark that nobody else has: mostly one is entered by the name in the street."""
    return not case.one_source and any(case.population.often[mark] == 2 for mark in case.shared)


def _proof(case: _Case) -> Proof:
    kind, kinds = case.alike.kind, case.kinds
    if ("t" in kinds and (case.alias or kind <= SHORT)) or ("a" in kinds and kind <= SLIP):
        return "id"
    if "p" in kinds and kind <= ORDER:
        return "mark"
    if _crowd(case) and not (case.one.town and case.one.town == case.other.town):
        return ""
    return "mark" if ("m" in kinds and kind <= SLIP) or ("d" in kinds and kind <= ORDER) else ""


def _crowd(case: _Case) -> bool:
    """Whether the mail domains they share are of many names: a house's or a chain's, where one mailbox may serve them all."""
    return "d" in case.kinds and all(mark in case.population.crowded for mark in case.shared if mark[0] == "d")


def _by_alias(one: Known, other: Known, population: Population) -> str:
    """A name that both go by, one of them beside its own; '' where there is none, or where many go by it (the brand of a chain)."""
    for mine in (one.name, *one.aliases):
        for theirs in (other.name, *other.aliases):
            # A trading name is believed where it is the same, not where it is like.
            if mine.key == theirs.key and mine.key and population.bearers[mine.key] <= _BRAND:
                return mine.text
    return ""


def _by_marks(case: _Case) -> int:
    score, kinds, reasons = 0, case.kinds, case.reasons
    for mark in sorted(case.shared):
        kind, what = mark[0], mark[2:]
        if kind == "t":
            score += _TAX
            letters = case.one.tax[0] if case.one.tax and case.one.tax[0].isalpha() else ""
            reasons.append(f"same tax number {letters}{what}")
        elif kind == "a":
            score += _ACCOUNT
            reasons.append(f"same bank account {what}")
        elif kind == "m":
            reasons.append(f"same mail address {what}")
        elif kind == "p":
            score += _PHONE
            reasons.append(f"same telephone number …{what}")
        elif "m" not in kinds:
            reasons.append(f"same mail domain {what}")
    if "m" in kinds:
        return score + _MAILBOX
    if "d" in kinds:
        score += _DOMAIN - (_CROWDED if _crowd(case) else 0)
    elif case.one.domains and case.other.domains:
        score -= _OTHER_DOMAIN
    if boxes := set(case.one.manys).intersection(case.other.manys):
        score += _MANYS_MAILBOX
        reasons.append(f"same mail address {min(boxes)}, which others have too")
    return score


def _by_name(case: _Case) -> float:
    one, other, alike, kind = case.one, case.other, case.alike, case.alike.kind
    if case.alias:
        case.reasons.append(f"both go by the name {case.alias.strip()}")
        return _ALIAS
    score = 0.0
    if not forms.may_agree(one.name.form, other.name.form):
        case.doubts.append(f"legal forms differ: {one.name.form} and {other.name.form}")
        score = -_OTHER_FORM
    if kind <= SLIP:
        case.reasons.append(_name_in_words(case))
        if houses := [two for two in alike.slips if of_house(two[0]) or of_house(two[1])]:
            case.doubts.append(f"{houses[0][0]} and {houses[0][1]} may be two companies of a house")
        others = _others(case)
        score += _NAME[kind][others > 0 or case.one_source] - _MORE_SLIPS * max(0, len(alike.slips) - 1) - _BEARER * min(5, others)
        return score + max(_RARITY[0], min(_RARITY[1], 2 * (alike.common - case.population.enough + 3)))
    if kind == OTHER:
        case.doubts.append("the names differ")
        return score + (_NOBODY_ELSE if _alone(case) else 0)
    _doubt_words(case)
    if kind == PARTLY:
        case.reasons.append("the names agree in part")
        return score + 24 * alike.share - 12
    case.reasons.append("one name shortens the other")
    full = _OTHERS if _others(case) else 0
    return score + _SHORTER + _SHARE * alike.share - full + max(-12.0, min(10.0, alike.common - case.population.enough))


def _others(case: _Case) -> int:
    """How many further records of either source bear the name of one or the other."""
    within, mine, theirs = case.population.within, case.one.record.source, case.other.record.source
    names = (case.one.name.key,) if case.one.name.key == case.other.name.key else (case.one.name.key, case.other.name.key)
    return max(0, sum([within[mine, name] + (0 if mine == theirs else within[theirs, name]) for name in names]) - 2)


def _doubt_words(case: _Case) -> None:
    """What keeps a machine from linking in the words that only one of the names has."""
    if case.contradictions:
        return
    left, right = case.alike.left, case.alike.right
    numbers = case.one.name.numbers ^ case.other.name.numbers
    if left and right:
        case.doubts.append(f"the names differ in {' '.join(left)} and {' '.join(right)}")
    elif numbers:
        case.doubts.append(f"only one name has the number {_listed(numbers)}")
    elif left or right:
        case.doubts.append(f"only one name has {' '.join(left or right)}")


def _by_tax(case: _Case) -> int:
    one, other = case.one.tax, case.other.tax
    if not one or not other or one[0] != other[0] or one[1] == other[1]:
        return 0
    if _slipped(case.one, case.other, case.alike):
        case.doubts.append(f"tax numbers differ in a digit: {one[1]} and {other[1]}")
        return -_OTHER_TAX // 4
    return -_OTHER_TAX


def _slipped(one: Known, other: Known, alike: Likeness) -> bool:
    """Whether two tax numbers may be one, mistyped: by names that are much alike."""
    return alike.kind <= SHORT and one.tax is not None and other.tax is not None and marks.slip(one.tax[1], other.tax[1])


def _by_place(case: _Case) -> int:
    one, other, score = case.one, case.other, 0
    if one.country and other.country and one.country != other.country:
        case.doubts.append(f"in different countries: {one.country} and {other.country}")
        score = -_ABROAD
    if one.town and other.town:
        if one.town == other.town or one.town.startswith(other.town + " ") or other.town.startswith(one.town + " "):
            case.reasons.append(f"both in {one.record.city.strip()}")
            return score + _TOWN
        if not ("t" in case.kinds and case.alike.kind <= SLIP):
            case.doubts.append(f"in different towns: {one.record.city.strip()} and {other.record.city.strip()}")
        # With a mark in common it may be the address of before they moved.
        return score - (0 if case.shared else _ELSEWHERE)
    return score


def _name_in_words(case: _Case) -> str:
    one, other = case.one, case.other
    if case.alike.kind == SLIP:
        return f"nearly the same name: {one.record.name.strip()} and {other.record.name.strip()}"
    if case.alike.kind == ORDER:
        return "same name with its words in another order"
    return "same name" if one.name.form == other.name.form else "same name after removing the legal form"


def _listed(words: Iterable[str]) -> str:
    return ", ".join(sorted(words))
