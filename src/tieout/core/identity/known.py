"""The records read once: each with its names and marks in one spelling, and what is common among all of them."""

from __future__ import annotations

import itertools
import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from tieout.core.identity import marks, names
from tieout.core.identity.names import Name
from tieout.core.identity.record import Record, in_order, refuse_twice

#: Fewer records than this tell little of which words are common: they are weighed as if there were as many.
_FEW = 1_000
#: More strangers than this at one mark, and it is nobody's own: a free mail provider, a bookkeeper's mailbox, an estate's switchboard.
#: The kinds of marks are known by their first letter: tax number, account, mailbox, phone, domain.
_STRANGERS = {"t": 3, "a": 3, "m": 3, "p": 3, "d": 6}

#: More names than this at one mail domain are a house or a chain.
_CROWD = 2


class Known(msgspec.Struct, gc=False):
    """One record, read. `marks` are what is its own beside the name, each with its kind before it (`t:` tax number, `a:` account,
    `m:` mailbox, `p:` phone, `d:` domain). Those it shares with many strangers are taken out; mailboxes among them are `manys`."""

    record: Record
    name: Name
    aliases: tuple[Name, ...]
    marks: tuple[str, ...]
    tax: tuple[str, str] | None
    country: str
    town: str
    manys: tuple[str, ...] = ()

    @property
    def domains(self) -> list[str]:
        """Its own mail and web domains, sorted."""
        return sorted(mark[2:] for mark in self.marks if mark[0] == "d")


class Population(msgspec.Struct):
    """All records in order of their keys. `worth` is what a word tells in bits, `enough` the bits from which on two equal names are
    hardly chance; `words`, `bearers` and `often` count words, names (trading names too) and marks, `within` those of one source by name;
    `crowded` are mail domains of many names; `towns` those of one word that any record is in."""

    known: list[Known]
    worth: dict[str, float]
    enough: float
    words: Counter[str]
    bearers: Counter[str]
    often: Counter[str]
    within: Counter[tuple[str, str]]
    crowded: frozenset[str]
    towns: frozenset[str]


def read(records: Iterable[Record]) -> Population:
    """Read every record. Raises ValueError where a key is given twice."""
    ours = in_order(records)
    refuse_twice([record.key for record in ours])
    called: dict[str, Name] = {}
    known = [_one(record, called) for record in ours]
    often = Counter(itertools.chain.from_iterable([one.marks for one in known]))
    there = _bearers(known, {mark for mark, count in often.items() if count > _CROWD})
    crowded = _crowded(there)
    _leave_shared(there)
    everything = [name for one in known for name in (one.name, *one.aliases)]
    words = Counter(itertools.chain.from_iterable([name.words for name in everything]))
    many = max(len(known), _FEW)
    # A word that stands in aliases as well may be counted more often than there are records.
    worth = {word: max(0.5, math.log2(many / count)) for word, count in words.items()}
    return Population(
        known=known,
        worth=worth,
        enough=math.log2(many),
        words=words,
        bearers=Counter([name.key for name in everything]),
        often=often,
        within=_within(known, crowded),
        crowded=crowded,
        towns=frozenset(names.plain(town) for town in {one.town for one in known} if len(town) > 2 and " " not in town),
    )


def _bearers(known: Sequence[Known], marks: Collection[str]) -> dict[str, list[Known]]:
    there: dict[str, list[Known]] = defaultdict(list)
    for one in known:
        for mark in one.marks:
            if mark in marks:
                there[mark].append(one)
    return there


def _crowded(there: Mapping[str, Sequence[Known]]) -> frozenset[str]:
    """Mail domains under which there are so many names that the domain hardly tells them apart: houses and chains."""
    return frozenset(mark for mark, ones in there.items() if mark[0] == "d" and len({one.name.key for one in ones}) > _CROWD)


def _leave_shared(there: Mapping[str, Sequence[Known]]) -> None:
    """Take the marks out that are borne by too many who have no word of their names in common."""
    for mark, ones in there.items():
        most = _STRANGERS[mark[0]]
        if len(ones) > most and _strangers([one.name for one in ones]) > most:
            for one in ones:
                one.marks = tuple(other for other in one.marks if other != mark)
                if mark[0] == "m":
                    one.manys = (*one.manys, mark[2:])


def _strangers(there: Sequence[Name]) -> int:
    """How many different names there are beside those that bear the word most of them have."""
    unlike = {name.key: name for name in there}
    words = Counter(word for name in unlike.values() for word in set(name.words))
    word, _ = max(words.items(), key=lambda item: (item[1], item[0]), default=("", 0))
    return sum(word not in name.words for name in unlike.values()) + 1


def _within(known: Sequence[Known], crowded: frozenset[str]) -> Counter[tuple[str, str]]:
    """How many of a source bear a name; records that share a mark of their own as well are one that was made twice, and count once."""
    found = Counter([(one.record.source, one.name.key) for one in known])
    seen: dict[tuple[str, str], set[str]] = defaultdict(set)
    for one in known:
        if found[at := (one.record.source, one.name.key)] > 1:
            if not seen[at].isdisjoint(one.marks):
                found[at] -= 1
            seen[at].update(mark for mark in one.marks if mark not in crowded)
    return found


def _one(record: Record, called: dict[str, Name]) -> Known:
    """Read one record; `called` holds the names read so far, since two tools mostly write a name alike."""
    found: list[str] = []
    for email in record.emails:
        box, domain = marks.mailbox(email)
        if box:
            found.append("m:" + box)
            if domain not in marks.FREE_MAIL:
                found.append("d:" + domain)
    if record.domain and (site := marks.site(record.domain)) and site not in marks.FREE_MAIL:
        found.append("d:" + site)
    if record.phone and (line := marks.phone(record.phone)):
        found.append("p:" + line)
    found += ["a:" + account for account in map(marks.account, record.accounts) if account]
    country = record.country.strip().upper()
    tax = marks.tax(record.tax_id, country) if record.tax_id else None
    if tax:
        found.append("t:" + tax[1])
    aliases = tuple([names.read(alias) for alias in record.aliases]) if record.aliases else ()
    town = marks.town(record.city) if record.city else ""
    return Known(
        record,
        called.get(record.name) or called.setdefault(record.name, names.read(record.name)),
        aliases,
        tuple(dict.fromkeys(found) if len(record.emails) > 1 or record.domain else found),
        tax,
        country if len(country) == 2 else "",
        town,
    )
