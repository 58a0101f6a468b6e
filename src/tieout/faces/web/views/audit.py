"""The audit log: who did what, when and why; the chain verified, its end exported for an anchor outside."""

from __future__ import annotations

from itertools import islice

import msgspec
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from tieout.faces.web import asked
from tieout.faces.web.asked import Request
from tieout.faces.web.may import may, may_post
from tieout.stages.base import audit, queries

PAGE = 50
SHOWN_BREAKS = 20


@may("audit")
def page(request: Request) -> HttpResponse:
    """The newest acts that fit the filters of the address."""
    filters = {name: asked.text(request.GET, name, longest=100) for name in ("actor_kind", "action", "object_kind", "object_id", "text")}
    rows = queries.acts(**filters, before_seq=asked.number(request.GET, "before"), limit=PAGE + 1)
    return render(request, "web/audit.html", {
        "acts": rows[:PAGE], "older": rows[PAGE - 1].seq if len(rows) > PAGE else None, "filters": filters, "head": audit.head(),
        "kinds": queries.kinds_of_acts(), "filtered": any(filters.values()),
    })


@may_post("audit")
def verify(request: Request) -> HttpResponse:
    """Walk the chain from its first entry and say whether it holds."""
    broken = list(islice(audit.breaks(), SHOWN_BREAKS))
    end = audit.head()
    if not broken:
        messages.success(request, f"The chain holds: {end.seq:,} entries, each follows from the one before. Its end is {end.hash[:16]}…")
    for seq, what in broken:
        messages.error(request, f"Entry {seq}: {what}.")
    return redirect("audit")


@may("audit")
def head(request: Request) -> HttpResponse:
    """The end of the chain as a small file, to be kept where nobody of this installation can change it."""
    end = audit.head()
    body = msgspec.json.format(msgspec.json.encode({**msgspec.to_builtins(end), "exported_at": request.now.isoformat()}))
    response = HttpResponse(body, content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="tieout-audit-head-{end.seq}.json"'
    return response
