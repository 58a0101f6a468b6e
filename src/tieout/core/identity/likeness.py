"""How alike two names are, word by word: the same, in another order, with a slip, one of them shorter, in part, or not at all."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from rapidfuzz.distance import OSA

from tieout.core.identity.names import Name

#: From the same name down to another one; what is smaller is more alike.
SAME, ORDER, SLIP, SHORT, PARTLY, OTHER = range(6)


class Likeness(msgspec.Struct, frozen=True, gc=False):
    """`kind` as above. `share` is the weight of the words in common over that of the heavier name (0 to 1), `common` their weight in
    bits. `left` and `right` are the words only one has; `slips` the words that were matched in spite of a slip, of both."""

    kind: int
    share: float
    common: float
    left: tuple[str, ...] = ()
    right: tuple[str, ...] = ()
    slips: tuple[tuple[str, str], ...] = ()


NOTHING = Likeness(OTHER, 0.0, 0.0)


def compare(one: Name, other: Name, worth: Mapping[str, float]) -> Likeness:
    """How alike two names are. `worth` is what a word tells, in bits: the rarer it is among all names, the more."""
    if not one.key or not other.key:
        return NOTHING
    if one.key == other.key:
        return Likeness(SAME, 1.0, sum([worth[w] for w in one.words]))
    if len(one.key) == len(other.key) and sorted(one.words) == sorted(other.words):
        return Likeness(ORDER, 1.0, sum([worth[w] for w in one.words]))
    mine, theirs = list(one.words), list(other.words)
    common = 0.0
    for word in one.words:
        if word in theirs:
            common += worth[word]
            theirs.remove(word)
            mine.remove(word)
    slips: list[tuple[str, str]] = []
    short = False
    if mine and theirs:
        for word in tuple(mine):
            for peer in theirs:
                how = _one_word(word, peer)
                if how:
                    # A word with a slip is rare by its slip alone: what counts is the word that was meant.
                    common += min(worth[word], worth[peer])
                    if how == 1:
                        slips.append((word, peer))
                    short = short or how == 2
                    mine.remove(word)
                    theirs.remove(peer)
                    if how == 2 and not (word.isascii() and peer.isascii()):
                        # Written without spaces: what follows is a word of its own, not the rest of a shortened one.
                        (mine if len(word) > len(peer) else theirs).append(word[len(peer) :] or peer[len(word) :])
                    break
    if mine and theirs and _parted(mine, theirs):
        slips.append((" ".join(mine), " ".join(theirs)))
        mine, theirs = [], []
        common += 1.0
    if not mine and not theirs:
        return Likeness(SHORT if short else SLIP, 1.0, common, slips=tuple(slips))
    if common == 0.0 and not (slips or short):
        return Likeness(SHORT, 1.0, worth.get(one.key, 0.0)) if _initials(one, other) else NOTHING
    weight = max(common + sum([worth.get(w, 1.0) for w in mine]), common + sum([worth.get(w, 1.0) for w in theirs]), 0.001)
    kind = PARTLY if mine and theirs else SHORT
    return Likeness(kind, common / weight, common, tuple(mine), tuple(theirs), tuple(slips))


def hopeless(one: Name, other: Name) -> bool:
    """Whether two names are soon seen to be alike in part at most: each has a word that the other has not, not even with a slip."""
    mine = [word for word in one.words if word not in other.words]
    if not mine:
        return False
    theirs = [word for word in other.words if word not in one.words]
    if len(mine) > len(theirs):
        mine, theirs = theirs, mine
    for word in mine:
        for peer in theirs:
            if _one_word(word, peer):
                break
        else:
            return not (_parted(mine, theirs) or (1 in (len(one.words), len(other.words)) and _initials(one, other)))
    return False


def _one_word(one: str, other: str) -> int:
    """1: the same word with a slip; 2: one shortens the other; 0: neither. Numbers are the same or they are not."""
    short, long = (one, other) if len(one) <= len(other) else (other, one)
    size, more = len(short), len(long) - len(short)
    if more > 2 or size < 4:
        # An initial, or the head of a much longer word.
        return 2 if (size == 1 or (size > 2 and more > 2)) and long.startswith(short) and not short[-1].isdigit() else 0
    most = 1 if size + more < 9 else 2
    if more > most or short[-1].isdigit() or long[-1].isdigit() or OSA.distance(short, long, score_cutoff=most) > most:
        return 0
    return 1 if size > 4 or short[0] == long[0] else 0


def _parted(mine: list[str], theirs: list[str]) -> bool:
    """Whether what is left is the same letters, parted into words in another way or with one slip."""
    if len(mine) == len(theirs):
        return False
    one, other = "".join(mine), "".join(theirs)
    return abs(len(one) - len(other)) < 2 and (one == other or (len(one) > 7 and OSA.distance(one, other, score_cutoff=1) <= 1))


def _initials(one: Name, other: Name) -> bool:
    """Whether one name is the initials of the other, of three words or more."""
    short, long = (one, other) if len(one.words) < len(other.words) else (other, one)
    return len(short.words) == 1 and len(long.words) > 2 and short.key == "".join([word[0] for word in long.words])
