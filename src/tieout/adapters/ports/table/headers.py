"""The header row: where it stands, how headers compare, and the keys under which cells are kept."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from tieout.adapters.ports.profile import Profile
from tieout.adapters.ports.table.cells import clean
from tieout.core.money import is_currency

#: Lines in which a header row is looked for; exports carry up to some 13 lines above it (formats note, 7.1).
DEEPEST = 40

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_NAMES_CURRENCY = re.compile(r"\s*(?:[(\[]|\bin\s+)([A-Z]{3})[)\]]?\Z")
_NOT_WORD = re.compile(r"[^\w#°]+")

Rows = Sequence[tuple[int, Sequence[str]]]


def fold(header: str) -> str:
    """A header for comparison: words in lower case without accents; `*InvoiceNumber`, `Invoice number` are one."""
    split = _CAMEL.sub(" ", header.strip())
    bare = "".join(c for c in unicodedata.normalize("NFKD", split.replace("ß", "ss").replace("Nº", "No")) if not unicodedata.combining(c))
    words = _NOT_WORD.sub(" ", bare.replace("_", " ").replace("°", "").casefold()).strip()
    return " ".join(words.replace("#", " no ").split())


def currency_named(header: str) -> tuple[str, str | None]:
    """A header without the currency it names, and that currency: `Betrag (EUR)` is `Betrag` in EUR."""
    found = _NAMES_CURRENCY.search(header.strip())
    if found and is_currency(found[1]):
        return header.strip()[: found.start()], found[1]
    return header, None


def keys_of(headers: Sequence[str]) -> tuple[str, ...]:
    """A key per column: the header itself, or `Amount #4` and `#4` where it repeats or is blank."""
    tidy = [clean(h) for h in headers]
    counts = Counter(tidy)
    keys = []
    for position, header in enumerate(tidy, 1):
        if not header:
            keys.append(f"#{position}")
        else:
            keys.append(header if counts[header] == 1 else f"{header} #{position}")
    return tuple(keys)


def fingerprint(headers: Sequence[str]) -> str:
    """One short key for a header row, the same for the same headers in the same order."""
    return hashlib.sha256("\x1f".join(map(fold, headers)).encode()).hexdigest()[:16]


def positions(headers: Sequence[str], wanted: str) -> list[int]:
    """Where a header stands (0-based): `#4` by position, else exactly, else folded; several where it repeats."""
    if re.fullmatch(r"#\d+", wanted):
        index = int(wanted[1:]) - 1
        return [index] if index < len(headers) else []
    if found := re.fullmatch(r"(.+) #(\d+)", wanted):
        index = int(found[2]) - 1
        if index < len(headers) and clean(headers[index]) == found[1]:
            return [index]
    exact = [i for i, h in enumerate(headers) if clean(h) == wanted]
    if exact:
        return exact
    folded = fold(wanted)
    return [i for i, h in enumerate(headers) if folded and fold(h) == folded]


def bears(headers: Sequence[str], requires: Sequence[str]) -> bool:
    """Whether a row has every one of the headers (each may give alternatives as `a|b`)."""
    folded = {fold(h) for h in headers}
    return bool(requires) and all(any(fold(one) in folded for one in need.split("|")) for need in requires)


def best_ready(headers: Sequence[str], ready: Mapping[str, Profile]) -> Profile | None:
    """The ready profile that asks for most of these headers; None where none fits."""
    fitting = [p for p in ready.values() if bears(headers, p.requires) and not any(positions(headers, name) for name in p.unless)]
    return max(fitting, key=lambda p: (len(p.requires), p.name), default=None)


def _is_wordy(row: Sequence[str]) -> bool:
    filled = [c for c in row if c.strip()]
    return bool(filled) and sum(1 for c in filled if any(map(str.isalpha, c)) and len(c) <= 80 and "\n" not in c) >= 0.8 * len(filled)


def find(rows: Rows, ready: Mapping[str, Profile], known: Collection[str]) -> int | None:
    """Index in `rows` of the header row, or None.

    A row that a ready profile knows wins; else the row with most words known from headers (`known`, folded), of those as
    wide as the table; else the first wordy row of full width.
    """
    top = [row for _, row in rows[:DEEPEST]]
    for index, row in enumerate(top):
        if best_ready(row, ready):
            return index
    widths = Counter(sum(1 for c in row if c.strip()) for _, row in rows)
    widths.pop(0, None)
    if not widths:
        return None
    usual = max(widths, key=lambda w: (widths[w] * w, w))
    candidates = [i for i, row in enumerate(top) if sum(1 for c in row if c.strip()) >= max(1, 0.6 * usual) and _is_wordy(row)]
    if not candidates:
        return None
    return max(candidates, key=lambda i: (sum(1 for c in top[i] if fold(currency_named(c)[0]) in known), -i))


def find_for(rows: Rows, profile: Profile) -> int | None:
    """Index of the row that has the columns of a profile: where it says, or else anywhere near the top."""
    wanted = [c for c in profile.columns.values() if not c.startswith("#")]
    for index, (line, row) in enumerate(rows[:DEEPEST]):
        if line == profile.header_row and (not wanted or all(positions(row, w) for w in wanted)):
            return index
    scored = [(sum(1 for w in wanted if positions(row, w)), -i) for i, (_, row) in enumerate(rows[:DEEPEST])]
    best = max(scored, default=(0, 0))
    return -best[1] if best[0] else None
