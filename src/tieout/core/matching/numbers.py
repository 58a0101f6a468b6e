"""How a document's number is recognised in a payer's text: as whole tokens, never as a substring of digits.

A number and a text are cut into *atoms*, runs of letters or of digits. Case, spaces, dashes and zeros in front of a run
of digits do not matter: `INV-00123`, `inv 123` and `Inv123` are one. Where somebody writes `2024-0017` as `20240017` the
digits are compared joined as well. `17` never names `INV-17-2`, `1742` or the 17th of a month.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")

_DIGITS = frozenset("0123456789")
_ATOM = re.compile(r"[A-Z]+|[0-9]+|[^\W\d_A-Z]+")
#: What may stand between the atoms of one number.
_GAP = re.compile(r"[\s\-./_#:]{0,3}")
#: Between two runs of digits these make one longer thing: a date, a compound number, an amount.
_GLUE = frozenset("-./:,_")
#: A longer field is no number as a whole.
_LONGEST = 40
#: Words for a document: a short number, or one that looks like a year, counts only after one of them.
_MARKERS = frozenset(
    "INVOICE INVOICES INV BILL NO NR NUM NUMBER RECHNUNG RECHNUNGEN RECHNUNGSNR RG RE RNR FACTURE FACT FAC FACTURA FRA FATTURA FT FAKTURA FAKTUUR"
    " FACTUUR BELEG GUTSCHRIFT CREDIT CN AVOIR".split()
)


def fold_text(text: str) -> str:
    """Upper case, compatibility forms and accents removed: what numbers are compared in."""
    if text.isascii():
        return text.upper()
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c)).upper()


def keys(number: str) -> tuple[str, ...]:
    """The keys under which a number is known: its atoms apart, and with neighbouring digits joined. Empty: holds no digit."""
    return _keys_of(_ATOM.findall(fold_text(number)))


def _keys_of(atoms: list[str]) -> tuple[str, ...]:
    apart: list[str] = []
    joined: list[str] = []
    digits = before = False
    for atom in atoms:
        is_digits = atom[0] in _DIGITS
        apart.append((atom.lstrip("0") or "0") if is_digits else atom)
        if is_digits and before:
            joined[-1] += atom
        else:
            joined.append(atom)
        digits |= is_digits
        before = is_digits
    if not digits:
        return ()
    key = " ".join(apart)
    if len(joined) == len(apart):
        return (key,)
    return (key, " ".join((atom.lstrip("0") or "0") if atom[0] in _DIGITS else atom for atom in joined))


class Mention(msgspec.Struct, frozen=True, gc=False):
    """A place in a text that names a known number: its atoms from `start` to before `end`.

    `weak` marks a short or year-like bare number with no word before it: it may as well be a count, a day or a year.
    """

    key: str
    start: int
    end: int
    weak: bool


class Known(Generic[T]):
    """Numbers of a book, and what bears each: found by a whole field or inside a free text."""

    def __init__(self) -> None:
        self._bearers: dict[str, list[T]] = {}
        self._words: set[str] = set()
        self._digits: set[str] = set()
        self._most_atoms = 1

    def add(self, number: str, bearer: T) -> None:
        """Make `number` known; a number without a digit is never searched for."""
        for key in keys(number):
            self._bearers.setdefault(key, []).append(bearer)
            head = key.split(" ", 1)[0]
            (self._digits if head[0] in _DIGITS else self._words).add(head)
            # One more than the number has: a payer may cut its digits in two.
            self._most_atoms = max(self._most_atoms, key.count(" ") + 2)

    def bearers(self, key: str) -> list[T]:
        """What bears the number with this key; empty where nothing does."""
        return self._bearers.get(key, [])

    def whole(self, field: str) -> list[T]:
        """What bears the number a field consists of (a reference, a link the source states)."""
        if len(field) > _LONGEST:
            return []
        return [bearer for key in keys(field) for bearer in self._bearers.get(key, ())]

    def mentions(self, text: str) -> list[Mention]:
        """Every place in `text` that names a known number; a longer one hides the shorter ones inside it."""
        folded = fold_text(text)
        if not self._digits and self._words.isdisjoint(_ATOM.findall(folded)):
            return []
        found = list(self._all(folded, [m.span() for m in _ATOM.finditer(folded)]))
        if len(found) < 2:
            return found
        found.sort(key=lambda m: (m.start - m.end, m.start, m.key))
        kept: list[Mention] = []
        for mention in found:
            if all(mention.end <= k.start or k.end <= mention.start or (k.start, k.end) == (mention.start, mention.end) for k in kept):
                kept.append(mention)
        return sorted(kept, key=lambda m: (m.start, m.key))

    def _all(self, folded: str, spans: list[tuple[int, int]]) -> Iterator[Mention]:
        atoms = [folded[a:b] for a, b in spans]
        words = self._words
        for start, atom in enumerate(atoms):
            # Most of a text is passed over here.
            begins = self._digits_begin(atoms, start) if atom[0] in _DIGITS else atom in words
            if not begins or _inside_token(atoms, spans, start):
                continue
            for end in range(start + 1, min(start + self._most_atoms, len(atoms)) + 1):
                if end - start > 1 and not _GAP.fullmatch(folded, spans[end - 2][1], spans[end - 1][0]):
                    break
                if end < len(atoms) and spans[end - 1][1] == spans[end][0]:
                    continue
                hits = [key for key in _keys_of(atoms[start:end]) if key in self._bearers]
                if hits and not _glued(folded, spans, atoms, start - 1) and not _glued(folded, spans, atoms, end - 1):
                    weak = end - start == 1 and _weak(atoms, start)
                    yield from (Mention(key, start, end, weak) for key in hits)

    def _digits_begin(self, atoms: list[str], start: int) -> bool:
        """Whether a known number begins with these digits, or with them and up to two runs of digits after them."""
        if not self._digits:
            return False
        run = ""
        for atom in atoms[start : start + 3]:
            if atom[0] not in _DIGITS:
                return False
            run += atom
            if (run.lstrip("0") or "0") in self._digits:
                return True
        return False


def _inside_token(atoms: list[str], spans: list[tuple[int, int]], at: int) -> bool:
    """Whether the atom at `at` goes on a token, as 17 in X17 does; a word for a document (RE4711) does not make it one."""
    return at > 0 and spans[at - 1][1] == spans[at][0] and not (atoms[at - 1] in _MARKERS and (at < 2 or spans[at - 2][1] < spans[at - 1][0]))


def _glued(folded: str, spans: list[tuple[int, int]], atoms: list[str], left: int) -> bool:
    """Whether the digits at `left` and after it are one longer thing. 4711,4712 is a list; 4711,50 and 4,711 are amounts."""
    right = left + 1
    if left < 0 or right >= len(atoms) or not (atoms[left].isdigit() and atoms[right].isdigit()):
        return False
    between = folded[spans[left][1] : spans[right][0]]
    return between in _GLUE and (between != "," or len(atoms[right]) <= 3)


def _weak(atoms: list[str], at: int) -> bool:
    atom = atoms[at]
    short = len(atom.lstrip("0")) < 3
    year_like = len(atom) == 4 and atom[:2] in ("19", "20")
    return (short or year_like) and not (at and atoms[at - 1] in _MARKERS)
