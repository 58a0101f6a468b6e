"""Our balances against each connected system's: every difference with its cause, every line a door to its documents."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render

from tieout.core.tieout import MEANING
from tieout.faces.web.asked import Request
from tieout.faces.web.may import may
from tieout.stages.insight import tie_out
from tieout.stages.intake.models import Connection

#: So many differing documents are listed; the command line gives them all.
_LISTED = 200


@may("view")
def page(request: Request) -> HttpResponse:
    """Every connected system, with what differs."""
    systems = Connection.objects.filter(kind="system").order_by("name")
    return render(request, "web/tie_out.html", {"sides": [_side(tie_out.of(connection=row, today=request.today)) for row in systems]})


@may("view", post="view")
def one(request: Request, connection_id: int) -> HttpResponse:
    """One system, document by document; posting keeps the comparison in the history of runs."""
    connection = get_object_or_404(Connection.objects, pk=connection_id, kind="system")
    if request.method == "POST":
        told = tie_out.run(connection=connection, today=request.today, now=request.now)
    else:
        told = tie_out.of(connection=connection, today=request.today)
    parts = [
        {"part": part, "document": told.documents[part.id], "customer": told.names[line.customer], "customer_id": line.customer,
         "currency": line.currency, "meaning": MEANING[part.cause]}
        for line in told.lines for part in line.parts
    ]  # fmt: skip
    return render(request, "web/tie_out_one.html", {
        "connection": connection, "side": _side(told), "parts": parts[:_LISTED], "more": max(0, len(parts) - _LISTED),
        "history": tie_out.history(connection_id=connection.pk, limit=12),
    })


def _side(told: tie_out.TieOut) -> dict[str, Any]:
    currencies = []
    for currency in sorted({line.currency for line in told.lines}):
        lines = [line for line in told.lines if line.currency == currency]
        currencies.append({
            "currency": currency, "ours": sum(line.ours for line in lines), "theirs": sum(line.theirs for line in lines),
            "causes": [(cause, minor, MEANING[cause]) for cause, minor in sorted(told.causes.get(currency, {}).items()) if minor],
        })  # fmt: skip
    return {"told": told, "currencies": currencies, "agrees": not told.differing}
