"""How a list is asked for, and the page that answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from tieout.rehearsal.twins.stripe import forms, refusals
from tieout.rehearsal.twins.stripe.forms import Given
from tieout.rehearsal.twins.stripe.shapes.common import Listing
from tieout.rehearsal.twins.stripe.shelf import Shelf

T = TypeVar("T")

PAGING: forms.Takes = {"limit": forms.at_least(1, 100), "starting_after": forms.text, "ending_before": forms.text}
DATED: forms.Takes = {**PAGING, "created": forms.moments}


def page(
    shelf: Shelf[T], given: Given, url: str, *, by: tuple[str, Any] | None = None, where: Callable[[T], bool] | None = None, **equal: Any
) -> Listing:
    """A page of the shelf. `equal` are fields with the value asked for; those not asked for are left out."""
    _one_cursor(given)
    wanted = {field: value for field, value in equal.items() if value is not None}
    found, more = shelf.page(
        limit=given.get("limit", 10),
        after=given.get("starting_after"),
        before=given.get("ending_before"),
        created=given.get("created"),
        by=by if by and by[1] is not None else None,
        where=_matching(wanted, where),
    )
    return Listing(data=found, has_more=more, url=url)


def _matching(wanted: dict[str, Any], where: Callable[[T], bool] | None) -> Callable[[T], bool] | None:
    if not wanted:
        return where
    if where is None and len(wanted) == 1:  # the usual case, and the one that a hundred thousand are tried by
        ((field, value),) = wanted.items()
        return lambda thing: bool(getattr(thing, field) == value)
    return lambda thing: all(getattr(thing, field) == value for field, value in wanted.items()) and (where is None or where(thing))


def part(things: Sequence[Any], given: Given, url: str) -> Listing:
    """A page of what has its own order, such as the lines of an invoice."""
    _one_cursor(given)
    limit = given.get("limit", 10)
    after, before = given.get("starting_after"), given.get("ending_before")
    place = {thing.id: at for at, thing in enumerate(things)}
    cursor = after or before
    if cursor is not None and cursor not in place:
        raise refusals.no_such("object", cursor, param="starting_after" if after else "ending_before", status=400)
    if before is not None:
        end = place[before]
        return Listing(data=list(things[max(end - limit, 0) : end]), has_more=end > limit, url=url)
    start = place[after] + 1 if after is not None else 0
    return Listing(data=list(things[start : start + limit]), has_more=start + limit < len(things), url=url)


def within(moment: int | None, bounds: dict[str, int] | None) -> bool:
    """Whether a moment lies in the bounds asked for."""
    if not bounds:
        return True
    if moment is None:
        return False
    return all(
        moment >= bound if name == "gte" else moment > bound if name == "gt" else moment <= bound if name == "lte" else moment < bound
        for name, bound in bounds.items()
    )


def _one_cursor(given: Given) -> None:
    if given.get("starting_after") and given.get("ending_before"):
        raise refusals.exclusive("starting_after", "ending_before")
