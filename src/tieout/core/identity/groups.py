"""Records that are one customer, brought together: what people said first, then what is certain, never against a contradiction."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from tieout.core.identity.decide import Place


class Groups:
    """Grows by joining pairs; keeps every record's group. `apart` says why two records must not stand in one group, or ''."""

    def __init__(self, apart: Callable[[int, int], str], refused: Collection[Place]) -> None:
        self._apart = apart
        self._refused = refused
        self._of: dict[int, list[int]] = {}

    def together(self, one: int, other: int) -> bool:
        """Whether two records stand in one group."""
        return one == other or (one in self._of and self._of[one] is self._of.get(other))

    def join(self, at: Place, *, by_person: bool = False) -> str:
        """Bring two groups together; '' where that was done, else the reason against it. What a person said is only held up by what a
        person said against it."""
        one, other = at
        if self.together(one, other):
            return ""
        mine, theirs = self._of.get(one, [one]), self._of.get(other, [other])
        for a in mine:
            for b in theirs:
                # The pair itself has been weighed.
                if ((a, b) if a < b else (b, a)) in self._refused:
                    return "a person said that two of these records are two customers"
                if not by_person and (a, b) != at and (why := self._apart(a, b)):
                    return f"it would bring together what does not belong together: {why}"
        whole = sorted(mine + theirs)
        for member in whole:
            self._of[member] = whole
        return ""

    def all(self) -> Iterable[list[int]]:
        """Every group of two or more, in order of their first members."""
        return sorted({id(group): group for group in self._of.values()}.values())
