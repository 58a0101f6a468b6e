"""Whose word counts: the table of systems asked first, read by everybody, changed after a look at what would change."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from tieout.core import truth
from tieout.faces.web import asked
from tieout.faces.web.answer import actor_of
from tieout.faces.web.asked import Request
from tieout.faces.web.may import may, may_post
from tieout.stages.intake.models import Connection
from tieout.stages.ledger import decide, rules
from tieout.stages.ledger.rules import RuleRefused
from tieout.stages.writeback import compare

#: So many places a rule may have, and so many changes a look shows by name.
_MOST, _EXAMPLES = 6, 8


@may("view")
def page(request: Request) -> HttpResponse:
    """The table; with `rule`, the form that changes it; with an order as well, what that would change."""
    values: dict[str, Any] = {"standing": rules.shown(), "rule": None, "would": None}
    key = asked.text(request.GET, "rule", longest=48)
    if key:
        order = _order(request)
        try:
            values |= _looked_at(key, order)
        except RuleRefused as error:
            messages.error(request, f"{str(error)[:1].upper()}{str(error)[1:]}.")
        values["why"] = asked.text(request.GET, "reason", longest=500)
    return render(request, "web/truth.html", values)


@may_post("connect")
def change(request: Request) -> HttpResponse:
    """Put another order in force, or the default again; every customer is decided anew in one go."""
    key = asked.text(request.POST, "rule", longest=48)
    try:
        if "default" in request.POST:
            rule = rules.put_back(key=key, actor=actor_of(request), now=request.now)
        else:
            reason = asked.text(request.POST, "reason", longest=500)
            rule = rules.change(key=key, order=_order(request), reason=reason, actor=actor_of(request), now=request.now)
    except RuleRefused as error:
        messages.error(request, f"{str(error)[:1].upper()}{str(error)[1:]}.")
        return redirect("truth")
    changed = decide.run(customer_ids=None, now=request.now, cause="rule")
    compare.run(customer_ids=None, now=request.now)
    messages.success(request, f"{rule.title}: the new order is in force. {_counted(len(changed))} changed.")
    return redirect("truth")


def _looked_at(key: str, order: list[str]) -> dict[str, Any]:
    standing = next((one for one in rules.in_force() if one.key == key), None)
    rule = rules.proposed(key=key, order=order or (list(standing.places) if standing else []))
    names = dict(Connection.objects.filter(pk__in=rules.kinds()).order_by("name").values_list("id", "name"))
    choices = [*truth.PLACES.items(), *((truth.one(pk), name) for pk, name in names.items())]
    places = [*rule.places, *[""] * _MOST][:_MOST]
    found = {"rule": rule, "choices": [(value, word[:1].upper() + word[1:]) for value, word in choices], "places": list(enumerate(places, 1))}
    if not order:
        return found
    would = decide.preview(rule=rule)
    by_field: dict[str, int] = {}
    for one in would:
        by_field[one.field] = by_field.get(one.field, 0) + 1
    told = [f"{_counted(count)} would get another {truth.WORDS[field]}" for field, count in by_field.items()]
    return {**found, "would": {"told": told, "examples": would[:_EXAMPLES], "more": max(0, len(would) - _EXAMPLES)}}


def _order(request: Request) -> list[str]:
    given = request.POST if request.method == "POST" else request.GET
    return list(dict.fromkeys(place for place in (value.strip()[:40] for value in given.getlist("place")) if place))[: _MOST + 1]


def _counted(count: int) -> str:
    return "1 customer" if count == 1 else f"{count:,} customers"
