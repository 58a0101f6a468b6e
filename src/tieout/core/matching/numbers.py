"""How a document's number is recognised in a payer's text: as whole tokens, never as a substring of digits.

A number and a text are cut into *atoms*, runs of letters or of digits. Case, spaces, dashes and zeros in front of a run
of digits do not matter: `INV-00123`, `inv 123` and `Inv123` are one. Where somebody writes `2024-0017` as `20240017` the
digits are compared joined as well. `17` never names `INV-17-2`, `1742` or the 17th of a month.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping

import msgspec

_ATOM = re.compile(r"[A-Z]+|[0-9]+|[^\W\d_A-Z]+")
_NOT_ALNUM = re.compile(r"[\W_]+")
#: Between two runs of digits these make one longer thing: a date, a compound number, an amount.
_GLUE = frozenset("-./:,_")
#: Words after which even a short number, or one that looks like a year, is meant as a document number.
_MARKERS = frozenset(
    "INVOICE INVOICES INV BILL NO NR NUM NUMBER RECHNUNG RECHNUNGEN RECHNUNGSNR RG RE RNR FACTURE FACT FAC FACTURA FRA FATTURA FT FAKTURA FAKTUUR"
    " FACTUUR BELEG GUTSCHRIFT CREDIT CN AVOIR".split()
)
#: Longest number, in atoms, that a text is searched for.
MAX_ATOMS = 8


def fold_text(text: str) -> str:
    """Upper case, compatibility forms and accents removed: what numbers are compared in."""
    if text.isascii():
        return text.upper()
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c)).upper()


def keys(number: str) -> frozenset[str]:
    """The keys under which a number is known: its atoms apart, and with neighbouring digits joined. Empty: nothing to know."""
    return _keys_of(_ATOM.findall(fold_text(number)))


def _keys_of(atoms: list[str]) -> frozenset[str]:
    if not any(atom.isdigit() for atom in atoms):
        return frozenset()
    joined: list[str] = []
    for atom in atoms:
        if joined and atom.isdigit() and joined[-1].isdigit():
            joined[-1] += atom
        else:
            joined.append(atom)
    return frozenset({_key(atoms), _key(joined)})


def _key(atoms: Iterable[str]) -> str:
    return " ".join(atom.lstrip("0") or "0" if atom.isdigit() else atom for atom in atoms)


def whole(text: str) -> frozenset[str]:
    """Keys of a field that is, as a whole, one number (a reference field, a link the source states)."""
    return keys(text)


class Mention(msgspec.Struct, frozen=True):
    """A place in a text that names a known number: `key` as indexed, atoms `start` to before `end`.

    `weak` marks a short or year-like bare number with no word before it: it may as well be a count, a day or a year.
    """

    key: str
    start: int
    end: int
    weak: bool


def mentions(text: str, known: Mapping[str, object]) -> list[Mention]:
    """Every place in `text` that names a key of `known`, longest first at each place, none inside another."""
    folded = fold_text(text)
    spans = [(m.start(), m.end()) for m in _ATOM.finditer(folded)]
    found = [] if not any(c.isdigit() for c in folded) else list(_all_mentions(folded, spans, known))
    found.sort(key=lambda m: (m.start - m.end, m.start, m.key))
    taken: set[int] = set()
    kept: list[Mention] = []
    for mention in found:
        place = set(range(mention.start, mention.end))
        same_place = [m for m in kept if (m.start, m.end) == (mention.start, mention.end)]
        if same_place or not place & taken:
            kept.append(mention)
            taken |= place
    return sorted(kept, key=lambda m: (m.start, m.key))


def _all_mentions(folded: str, spans: list[tuple[int, int]], known: Mapping[str, object]) -> Iterator[Mention]:
    atoms = [folded[a:b] for a, b in spans]
    for start in range(len(atoms)):
        if start and spans[start - 1][1] == spans[start][0]:
            continue  # inside a token such as X17: not a whole token
        for end in range(start + 1, min(start + MAX_ATOMS, len(atoms)) + 1):
            if end < len(atoms) and spans[end - 1][1] == spans[end][0]:
                continue
            if not any(atom.isdigit() for atom in atoms[start:end]):
                continue
            hits = [key for key in _keys_of(atoms[start:end]) if key in known]
            if hits and not _part_of_longer(folded, spans, atoms, start, end):
                weak = end - start == 1 and _weak(atoms, start)
                for key in hits:
                    yield Mention(key, start, end, weak)


def _part_of_longer(folded: str, spans: list[tuple[int, int]], atoms: list[str], start: int, end: int) -> bool:
    return _glued(folded, spans, atoms, start - 1, start) or _glued(folded, spans, atoms, end - 1, end)


def _glued(folded: str, spans: list[tuple[int, int]], atoms: list[str], left: int, right: int) -> bool:
    if left < 0 or right >= len(atoms) or not (atoms[left].isdigit() and atoms[right].isdigit()):
        return False
    between = folded[spans[left][1] : spans[right][0]]
    if between not in _GLUE:
        return False
    # 4711,4712 is a list of two numbers; 4711,50 and 4,711 are amounts.
    return between != "," or len(atoms[right]) <= 3


def _weak(atoms: list[str], at: int) -> bool:
    atom = atoms[at]
    short = len(atom.lstrip("0")) < 3
    year_like = len(atom) == 4 and atom[:2] in ("19", "20")
    return (short or year_like) and not (at and atoms[at - 1] in _MARKERS)
