"""What every page's shell shows: who is here, where, the counts in the menu, and whether the sources are fresh."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils.functional import SimpleLazyObject

from tieout.stages.base import permit
from tieout.stages.insight import queries


class Can:
    """`{% if can.apply_cash %}` in a template: whether the reader's role may do the act."""

    def __init__(self, role: str | None) -> None:
        self._role = role

    def __getitem__(self, act: str) -> bool:
        return permit.allowed(self._role, act)


def shell(request: Any) -> dict[str, Any]:
    """Read only if a template asks for it: a part of a page swapped in place needs no menu."""
    membership = getattr(request, "membership", None)
    values: dict[str, Any] = {"membership": membership, "can": Can(membership.role if membership else None), "demo": settings.TIEOUT_DEMO}
    if membership is not None:
        values |= {"profile": request.profile, "now": request.now, "today": request.today}
        values["shell"] = SimpleLazyObject(lambda: queries.shell(now=request.now))
    return values
