"""The true customers behind the records: companies, people, houses of several companies, chains, and namesakes who are strangers."""

from __future__ import annotations

import itertools
import random
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec

from tieout.rehearsal.doubles.words import COUNTRIES, FREE_MAIL, HOUSE, LATIN, MAILBOXES, Country

Kind = Literal["company", "person", "house", "branch"]

_SYLLABLES = tuple(a + b for a in "b d f k l m n p r s t v z gr tr pl st br".split() for b in "a e i o u an el or ix us".split())
_SPELLED = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "ø": "o", "æ": "ae", "ł": "l", "å": "a", "ñ": "n"})


class Party(msgspec.Struct, frozen=True, kw_only=True):
    """One true customer. `family` is shared by the companies of a house or chain, and theirs alone. `brand` is the name without its
    legal form, `trading` what it is called in the street, `domain` '' where it writes from a free mailbox."""

    number: int
    kind: Kind
    family: int
    country: Country
    town: str
    brand: str
    form: str
    tax: str
    phone: str
    account: str
    mailbox: str
    domain: str = ""
    trading: str = ""
    parent: int | None = None

    @property
    def name(self) -> str:
        """The name in the register."""
        parts = (self.form, self.brand) if self.country.form_first else (self.brand, self.form)
        return ("" if self.country.form_first else " ").join(part for part in parts if part)


class World:
    """Draws parties until there are enough. Every choice comes from the seed."""

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(f"{seed}:world")
        self._domains: set[str] = set()
        self._taken: dict[str, set[str]] = defaultdict(set)
        self._made: list[Party] = []
        self._families = 0
        self._numbers = itertools.count(1)

    def parties(self, count: int) -> list[Party]:
        """`count` of them. In a hundred: some 72 companies of their own, 14 people, 6 companies in houses, 5 branches of chains, 3 namesakes."""
        while len(self._made) < count:
            chance = self._rng.random()
            if chance < 0.80:
                self._made.append(self._company())
            elif chance < 0.955:
                self._made.append(self._person())
            elif chance < 0.979:
                self._made.extend(self._house())
            elif chance < 0.985:
                self._made.extend(self._chain())
            elif self._made:
                self._made.append(self._namesake(self._rng.choice(self._made)))
        return self._made[:count]

    def _country(self) -> Country:
        return self._rng.choices(COUNTRIES, [country.weight for country in COUNTRIES])[0]

    def _company(self) -> Party:
        country = self._country()
        brand = self._brand(country)
        trading = self._brand(country) if self._rng.random() < 0.06 else ""
        return self._party("company", country, brand, self._form(country), trading=trading, free=self._rng.random() < 0.2)

    def _person(self) -> Party:
        # A few names are very common, most are rare.
        country = self._country()
        given = country.given[int(len(country.given) * self._rng.random() ** 1.5)]
        return self._party("person", country, f"{given} {self._surname(country, 1.8)}", "", free=self._rng.random() < 0.9)

    def _house(self) -> Iterator[Party]:
        """Companies of one owner: one seat, one mail domain, often one switchboard, sometimes one VAT number."""
        country = self._country()
        rng, brand, town, form = self._rng, self._brand(country), "", self._form(country)
        self._families += 1
        first = self._party("house", country, brand, form, family=self._families)
        town, one_number, one_tax, one_mailbox = first.town, rng.random() < 0.6, rng.random() < 0.15, rng.random() < 0.25
        yield first
        words = HOUSE.get("DE" if country.code == "AT" else country.code, HOUSE[""])
        for word in dict.fromkeys(rng.choices([w for w, _ in words], [n for _, n in words], k=rng.choice((1, 1, 1, 2, 3)))):
            root = brand.split()[0] if rng.random() < 0.5 else brand
            other = self._party("house", country, f"{root}{'' if country.glue else ' '}{word}", self._form(country), family=self._families, town=town)
            yield msgspec.structs.replace(
                other, domain=first.domain, parent=first.number if rng.random() < 0.7 else None, phone=first.phone if one_number else other.phone,
                tax=first.tax if one_tax else other.tax, mailbox=first.mailbox if one_mailbox else other.mailbox,
            )  # fmt: skip

    def _chain(self) -> Iterator[Party]:
        """Branches of one name, each a company of its own: told apart by their town or by a number."""
        country = self._country()
        rng, brand = self._rng, self._brand(country)
        self._families += 1
        form, numbered, domain = self._form(country), rng.random() < 0.3, ""
        towns = rng.sample(country.towns, min(len(country.towns), rng.randrange(4, 14)))
        word = rng.choice(("Store", "No.", "Nr."))
        for town, number in zip(towns, rng.sample(range(2, 60), len(towns)), strict=True):
            mark = f"{word} {number}" if numbered else town
            one = self._party("branch", country, f"{brand} {mark}", form, family=self._families, town=town, domain=domain, trading=brand)
            domain = domain or one.domain
            yield msgspec.structs.replace(one, mailbox=slug(town) or f"mise{number}")

    def _namesake(self, other: Party) -> Party:
        """A stranger of the same name, elsewhere."""
        country = other.country if self._rng.random() < 0.6 else self._country()
        towns = [town for town in country.towns if town != other.town]
        kind: Kind = "person" if other.kind == "person" else "company"
        return self._party(kind, country, other.brand, "" if kind == "person" else self._form(country), town=self._rng.choice(towns))

    def _party(
        self, kind: Kind, country: Country, brand: str, form: str, *, family: int = 0, town: str = "", domain: str = "", trading: str = "",
        free: bool = False,
    ) -> Party:  # fmt: skip
        rng = self._rng
        number = next(self._numbers)
        own = "" if free else domain or self._domain(brand, country)
        mailbox = slug(brand) if free else rng.choice(MAILBOXES)
        if free:
            mailbox += f"{number % 10_000}@{rng.choices([d for d, _ in FREE_MAIL], [n for _, n in FREE_MAIL])[0]}"
        digits = "".join(str(rng.randrange(10)) for _ in range(7))
        return Party(
            number=number, kind=kind, family=family, country=country, town=town or rng.choice(country.towns), brand=brand, form=form,
            tax="" if kind == "person" and rng.random() < 0.7 else _numbered(rng, country.tax),
            phone=f"{country.dial} {rng.randrange(20, 999)} {digits}",
            account=f"{country.code}{rng.randrange(10, 99)}{rng.randrange(10**17, 10**18)}",
            mailbox=mailbox, domain=own, trading=trading,
        )  # fmt: skip

    def _brand(self, country: Country) -> str:
        """A name that nobody in the country has: a register refuses one that is taken. Namesakes are made on purpose, at their share."""
        while (brand := self._drawn(country)) in self._taken[country.code]:
            pass
        self._taken[country.code].add(brand)
        return brand

    def _drawn(self, country: Country) -> str:
        rng = self._rng
        trade = rng.choice(country.trades)
        if country.glue:
            return rng.choice(country.heads) + rng.choice(country.tails) + trade
        chance = rng.random()
        if chance < 0.28:
            return f"{self._surname(country)} {trade}"
        if chance < 0.46:
            return f"{self._coined(country)} {trade}"
        if chance < 0.54:
            return self._coined(country)
        if chance < 0.64:
            return f"{self._surname(country)} & {self._surname(country)} {trade}"
        if chance < 0.74:
            return f"{rng.choice(country.given)} {self._surname(country)} {trade}"
        if chance < 0.80:
            return f"{self._surname(country)} {country.sons}".replace("{other}", self._surname(country))
        if chance < 0.91:
            return f"{trade} {self._surname(country)}"
        if chance < 0.95:
            return f"{''.join(rng.choice('ABCDEFGHKLMNPRSTVW') for _ in range(3))} {trade}"
        return f"{trade} {rng.choice(country.towns)}"

    def _surname(self, country: Country, common: float = 1.2) -> str:
        # The first heads and tails are met more often than the last.
        head, tail = (parts[int(len(parts) * self._rng.random() ** common)] for parts in (country.heads, country.tails))
        return head + tail

    def _coined(self, country: Country) -> str:
        word = "".join(self._rng.choice(_SYLLABLES) for _ in range(self._rng.choice((2, 3, 3, 4))))
        return _in_script(word, country).capitalize()

    def _form(self, country: Country) -> str:
        return self._rng.choices([form for form, _ in country.forms], [n for _, n in country.forms])[0]

    def _domain(self, brand: str, country: Country) -> str:
        words = slug(brand, "-").split("-")
        base = "-".join(words[:2])[:30].strip("-") or f"firma{self._rng.randrange(10**6)}"
        tries = itertools.chain((base, f"{base}-{country.code.lower()}"), (f"{base}{n}" for n in itertools.count(2)))
        free = next(tried for tried in tries if tried not in self._domains)
        self._domains.add(free)
        return f"{free}.example"


def slug(text: str, between: str = ".") -> str:
    spelled = "".join(LATIN.get(c, c) for c in unicodedata.normalize("NFC", text).lower().translate(_SPELLED))
    plain = unicodedata.normalize("NFKD", spelled)
    latin = "".join(LATIN.get(c, c) for c in plain).encode("ascii", "ignore").decode()
    return between.join("".join(c if c.isalnum() else " " for c in latin).split())


def _numbered(rng: random.Random, pattern: str) -> str:
    return "".join(str(rng.randrange(10)) if c == "#" else c for c in pattern)


def _in_script(word: str, country: Country) -> str:
    if country.code not in ("BG", "GR"):
        return word
    first, last = ("а", "я") if country.code == "BG" else ("α", "ω")
    back = {v: k for k, v in reversed(LATIN.items()) if first <= k <= last and len(v) == 1}
    return "".join(back.get(c, "") for c in word)


def families(parties: Sequence[Party]) -> dict[int, int]:
    """The family of each party's number that has one."""
    return {party.number: party.family for party in parties if party.family}
