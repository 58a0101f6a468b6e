"""Rows set aside: each with its line, column and reason; mended where it stands and read again, or dismissed."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from tieout.faces.web import asked
from tieout.faces.web.answer import actor_of, back
from tieout.faces.web.asked import Request
from tieout.faces.web.may import may, may_post
from tieout.flow import on_upload, pushed
from tieout.stages.intake import quarantine, queries
from tieout.stages.intake.models import QuarantinedRow

PAGE = 25
#: A pushed record with many lines, as text.
_LONGEST = 200_000
STATES = ("open", "mended", "dismissed", "superseded")


@may("view")
def page(request: Request) -> HttpResponse:
    """Rows in one state, of one source or of all, oldest first."""
    state = request.GET.get("state", "open")
    state = state if state in STATES else "open"
    connection = asked.number(request.GET, "connection")
    rows = queries.quarantined(connection_id=connection, state=state, after=asked.page_key(request), limit=PAGE + 1)
    return render(request, "web/quarantine.html", {
        "rows": rows[:PAGE], "after": rows[PAGE - 1].id if len(rows) > PAGE else None, "here": state, "states": STATES, "connection": connection,
        "connections": [c for c in queries.connections(now=request.now) if c.freshness.kind != "hand"],
    })


@may_post("import")
def mend(request: Request, row_id: int) -> HttpResponse:
    """Read the row again with what was typed; it is taken, or stays with what is still wrong."""
    row = get_object_or_404(QuarantinedRow.objects.select_related("connection"), pk=row_id)
    if row.connection.kind in ("push", "system"):
        return _mend_record(request, row)
    values = {
        str(name): request.POST.get(f"cell:{place}", "" if value is None else str(value)).replace("\x00", "")
        for place, (name, value) in enumerate(row.raw.items())
    }
    wrong = on_upload.replay(organisation_id=request.organisation_id, row_id=row.pk, values=values, actor=actor_of(request))
    if wrong is None:
        messages.success(request, f"Line {row.line or '–'} was taken.")
    else:
        messages.error(request, f"Line {row.line or '–'} still cannot be taken: {wrong}")
    return back(request, reverse("quarantine"))


def _mend_record(request: Request, row: QuarantinedRow) -> HttpResponse:
    """A record of a system: one that was pushed is read again as typed; one that is read from a system is mended there."""
    if row.connection.kind == "push":
        text = asked.text(request.POST, "record", longest=_LONGEST)
        wrong = pushed.mend(request.organisation_id, row_id=row.pk, text=text, actor=actor_of(request))
    else:
        wrong = f"it is read again by itself once it is put right in {row.connection.name}"
    if wrong is None:
        messages.success(request, f"{row.external_id} was taken.")
    else:
        messages.error(request, f"{row.external_id or 'The record'} still cannot be taken: {wrong}")
    return back(request, reverse("quarantine"))


@may_post("import")
def dismiss(request: Request, row_id: int) -> HttpResponse:
    """The row is not needed; it stays on record and can be taken up again."""
    row = _row(row_id, "open")
    quarantine.dismiss(row=row, reason=asked.text(request.POST, "reason", longest=500), actor=actor_of(request), now=request.now)
    messages.success(request, f"{_called(row)} was dismissed. It stays on record under Dismissed, with an undo.")
    return back(request, reverse("quarantine"))


@may_post("import")
def reopen(request: Request, row_id: int) -> HttpResponse:
    """Undo a dismissal."""
    quarantine.reopen(row=_row(row_id, "dismissed"), actor=actor_of(request), now=request.now)
    messages.success(request, "The row waits again.")
    return back(request, reverse("quarantine"))


def _called(row: QuarantinedRow) -> str:
    return row.external_id or f"Line {row.line or '–'}"


def _row(row_id: int, state: str) -> QuarantinedRow:
    row: QuarantinedRow = get_object_or_404(QuarantinedRow.objects.select_for_update(), pk=row_id)
    if row.state != state:
        raise Http404
    return row
