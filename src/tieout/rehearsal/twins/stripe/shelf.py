"""All objects of one kind, newest first as Stripe lists them: by creation, then by insertion; the order never changes afterwards."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

from tieout.rehearsal.twins.stripe import refusals

T = TypeVar("T")
Place = tuple[int, int, str]
_LAST = 1 << 62


class Shelf(Generic[T]):
    """`by` names the fields that lists are often narrowed by; each has its own order, so that one customer's page costs nothing."""

    def __init__(self, kind: str, *, by: tuple[str, ...] = (), created: str = "created") -> None:
        self.kind = kind
        self._created = created
        self._held: dict[str, T] = {}
        self._places: dict[str, Place] = {}
        self._order: list[Place] = []
        self._by: dict[str, dict[Any, list[Place]]] = {field: {} for field in by}
        self._inserted = 0

    def __len__(self) -> int:
        return len(self._held)

    def __contains__(self, identity: object) -> bool:
        return identity in self._held

    def add(self, thing: T) -> T:
        identity: str = thing.id  # type: ignore[attr-defined]
        self._inserted += 1
        place = (getattr(thing, self._created), self._inserted, identity)
        self._held[identity] = thing
        self._places[identity] = place
        insort(self._order, place)
        for field, orders in self._by.items():
            insort(orders.setdefault(getattr(thing, field), []), place)
        return thing

    def remove(self, identity: str) -> T:
        """Take it away; a page may still begin after the place where it stood."""
        thing = self._held.pop(identity)
        place = self._places[identity]
        del self._order[bisect_left(self._order, place)]
        for field, orders in self._by.items():
            order = orders[getattr(thing, field)]
            del order[bisect_left(order, place)]
        return thing

    def find(self, identity: str) -> T | None:
        return self._held.get(identity)

    def get(self, identity: str, *, param: str = "id", status: int = 404) -> T:
        """The object. Raises Refused: 404 where the path names it, 400 where a parameter does."""
        found = self._held.get(identity)
        if found is None:
            raise refusals.no_such(self.kind, identity, param=param, status=status)
        return found

    def newest_first(self, field: str | None = None, value: Any = None) -> Iterator[T]:
        order = self._by[field].get(value, []) if field else self._order
        return (self._held[place[2]] for place in reversed(order))

    def page(
        self,
        *,
        limit: int,
        after: str | None = None,
        before: str | None = None,
        created: dict[str, int] | None = None,
        by: tuple[str, Any] | None = None,
        where: Callable[[T], bool] | None = None,
    ) -> tuple[list[T], bool]:
        """Up to `limit` objects and whether more follow in the direction read. Raises Refused for a cursor that never was."""
        order = self._by[by[0]].get(by[1], []) if by else self._order
        low, high = _bounds(order, created or {})
        if before is not None:
            low = max(low, bisect_right(order, self._cursor(before, "ending_before")))
            walk = range(low, high)
        else:
            if after is not None:
                high = min(high, bisect_left(order, self._cursor(after, "starting_after")))
            walk = range(high - 1, low - 1, -1)
        found: list[T] = []
        for position in walk:
            thing = self._held[order[position][2]]
            if where is None or where(thing):
                if len(found) == limit:
                    return (found[::-1] if before is not None else found), True
                found.append(thing)
        return (found[::-1] if before is not None else found), False

    def _cursor(self, identity: str, param: str) -> Place:
        place = self._places.get(identity)
        if place is None:
            raise refusals.no_such(self.kind, identity, param=param, status=400)
        return place


def _bounds(order: list[Place], created: dict[str, int]) -> tuple[int, int]:
    low, high = 0, len(order)
    for bound, moment in created.items():
        if bound == "gte":
            low = max(low, bisect_left(order, (moment, 0, "")))
        elif bound == "gt":
            low = max(low, bisect_right(order, (moment, _LAST, "")))
        elif bound == "lte":
            high = min(high, bisect_right(order, (moment, _LAST, "")))
        else:
            high = min(high, bisect_left(order, (moment, 0, "")))
    return low, high
