"""Associations: the numbered types between two kinds of records, one number per direction, and who is tied to whom."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from tieout.rehearsal.twins.hubspot import catalogue
from tieout.rehearsal.twins.hubspot.answers import Refused
from tieout.rehearsal.twins.hubspot.catalogue import Kind

#: A record's place: the name of its kind, and its id.
End = tuple[str, str]


class Type(msgspec.Struct, frozen=True, kw_only=True):
    """One direction of one sort of tie. Those without a label are the default between two kinds."""

    number: int
    of: str
    to: str
    inverse: int
    label: str | None = None
    category: str = "HUBSPOT_DEFINED"

    @property
    def spoken(self) -> str:
        """How the older answers call it."""
        tie = f"{_one(self.of)}_to_{_one(self.to)}"
        if self.category != "HUBSPOT_DEFINED":
            return (self.label or "").lower().replace(" ", "_")
        return f"{tie}_unlabeled" if self.number in _BESIDE_PRIMARY else tie


#: The defaults that stand beside a primary, which took the plain name.
_BESIDE_PRIMARY = frozenset({279, 280, 341, 342})
# of, to, number there, number back; then the labels there and back.
_TABLE: tuple[tuple[str, str, int, int, str | None, str | None], ...] = (
    ("contacts", "companies", 279, 280, None, None),
    ("contacts", "companies", 1, 2, "Primary", "Primary"),
    ("deals", "companies", 341, 342, None, None),
    ("deals", "companies", 5, 6, "Primary", "Primary"),
    ("deals", "contacts", 3, 4, None, None),
    ("deals", "line_items", 19, 20, None, None),
    ("notes", "contacts", 202, 201, None, None),
    ("notes", "companies", 190, 189, None, None),
    ("notes", "deals", 214, 213, None, None),
    ("tasks", "contacts", 204, 203, None, None),
    ("tasks", "companies", 192, 191, None, None),
    ("tasks", "deals", 216, 215, None, None),
    ("invoices", "contacts", 177, 178, None, None),
    ("invoices", "companies", 179, 180, None, None),
    ("invoices", "deals", 175, 176, None, None),
    ("invoices", "line_items", 409, 410, None, None),
    ("contacts", "contacts", 449, 449, None, None),
    ("companies", "companies", 450, 450, None, None),
    ("companies", "companies", 13, 14, "Child Company", "Parent Company"),
    ("deals", "deals", 451, 451, None, None),
)


class Links:
    """All ties of a portal, each kept from both ends."""

    def __init__(self) -> None:
        self.types: dict[int, Type] = {}
        self._tied: dict[End, dict[End, set[int]]] = {}
        for of, to, there, back, label, label_back in _TABLE:
            self._define(of, to, there, back, label, label_back, "HUBSPOT_DEFINED")

    def _define(self, of: str, to: str, there: int, back: int, label: str | None, label_back: str | None, category: str) -> None:
        self.types[back] = Type(number=back, of=to, to=of, inverse=there, label=label_back, category=category)
        self.types[there] = Type(number=there, of=of, to=to, inverse=back, label=label, category=category)

    def label(self, of: Kind, to: Kind, label: str) -> int:
        """A label of the account's own; the number it has in this direction. The other direction has the next."""
        there = max(1_000, *self.types) + 1
        self._define(of.name, to.name, there, there + 1, label, label, "USER_DEFINED")
        return there

    def between(self, of: Kind, to: Kind) -> list[Type]:
        """The types of one direction."""
        return [type_ for type_ in self.types.values() if (type_.of, type_.to) == (of.name, to.name)]

    def default(self, of: Kind, to: Kind) -> Type:
        """The type without a label. Raises Refused where two kinds cannot be tied."""
        plain = next((type_ for type_ in self.between(of, to) if type_.label is None), None)
        if plain is None:
            raise Refused(f"No association type exists from {of.type_id} to {to.type_id}")
        return plain

    def asked(self, of: Kind, to: Kind, specs: Any) -> list[Type]:
        """The types a request names. Raises Refused for one that does not lead this way."""
        if not isinstance(specs, list) or not specs or not all(isinstance(spec, dict) for spec in specs):
            raise Refused("Invalid input JSON: a list of association types is expected")
        return [self._asked(of, to, spec) for spec in specs]

    def _asked(self, of: Kind, to: Kind, spec: dict[str, Any]) -> Type:
        number, category = spec.get("associationTypeId"), spec.get("associationCategory")
        type_ = self.types.get(number) if isinstance(number, int) else None
        if type_ is None or type_.category != category:
            raise Refused(f"No association type {number} of category {category} exists")
        if type_.of != of.name:
            expected = catalogue.kind(type_.of).type_id
            raise Refused(f"invalid from object type {of.type_id} for associations to be created. expected: {expected}")
        if type_.to != to.name:
            expected = catalogue.kind(type_.to).type_id
            raise Refused(f"invalid to object type {to.type_id} for associations to be created. expected: {expected}")
        return type_

    def tie(self, end: End, other: End, types: Iterable[Type]) -> None:
        """Tie two records. A label brings the default along, and a record has one primary company only."""
        for type_ in types:
            if type_.label == "Primary":
                self._demote(*((end, type_) if type_.to == "companies" else (other, self.types[type_.inverse])))
            plain = self.default(catalogue.kind(type_.of), catalogue.kind(type_.to))
            for one in (plain, type_):
                self._tied.setdefault(end, {}).setdefault(other, set()).add(one.number)
                self._tied.setdefault(other, {}).setdefault(end, set()).add(one.inverse)

    def _demote(self, end: End, primary: Type) -> None:
        for other, numbers in self._tied.get(end, {}).items():
            numbers.discard(primary.number)
            self._tied[other][end].discard(primary.inverse)

    def cut(self, end: End, other: End, types: Iterable[Type] | None = None) -> None:
        """Untie two records, or take some labels away; without its default type a tie is gone."""
        numbers = self._tied.get(end, {}).get(other)
        if numbers is None:
            return
        for type_ in list(types if types is not None else [self.types[number] for number in numbers]):
            numbers.discard(type_.number)
            self._tied[other][end].discard(type_.inverse)
        if not any(self.types[number].label is None for number in numbers):
            del self._tied[end][other]
            self._tied[other].pop(end, None)

    def of(self, end: End, to: Kind) -> Iterator[tuple[str, list[Type]]]:
        """The records of a kind tied to one, by id, with the types; the default first."""
        ties = sorted((int(other[1]), other) for other in self._tied.get(end, {}) if other[0] == to.name)
        for _, other in ties:
            types = [self.types[number] for number in self._tied[end][other]]
            yield other[1], sorted(types, key=lambda type_: (type_.label is not None, type_.number))

    def primary_company(self, end: End) -> str | None:
        """The id of a record's primary company."""
        return next((id_ for id_, types in self.of(end, catalogue.kind("companies")) if any(type_.label == "Primary" for type_ in types)), None)


def _one(name: str) -> str:
    return catalogue.kind(name).one
