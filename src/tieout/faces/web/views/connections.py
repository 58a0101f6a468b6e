"""Where records come from: each source with its freshness, its runs and the files exactly as they were received."""

from __future__ import annotations

import tempfile

import msgspec
from django.contrib import messages
from django.http import FileResponse, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import content_disposition_header

from tieout.adapters.ports.profile import Profile
from tieout.faces.web import asked, mapping
from tieout.faces.web.answer import actor_of
from tieout.faces.web.asked import Request
from tieout.faces.web.may import may, may_post
from tieout.faces.web.views import systems
from tieout.stages.intake import connect, queries
from tieout.stages.intake import original as bytes_of
from tieout.stages.intake.models import Connection, Envelope


@may("view")
def page(request: Request) -> HttpResponse:
    """Every source: fresh or stale and why, what waits there."""
    return render(request, "web/connections.html", {"connections": queries.connections(now=request.now)})


@may("view")
def one(request: Request, connection_id: int) -> HttpResponse:
    """One source: how its files are read, its runs with their counts, the original files."""
    connection = get_object_or_404(Connection.objects, pk=connection_id)
    if connection.kind == "system":
        return systems.one(request, connection)
    cadence = str(connection.cadence_hours or "")
    return render(request, "web/connection.html", {
        "connection": queries.freshness_of(connection, request.now), "error": connection.last_error, "profile": _profile(connection),
        "runs": queries.runs(connection_id=connection.pk), "waiting": bool(queries.quarantined(connection_id=connection.pk, limit=1)),
        "cadences": mapping.CADENCES, "cadence": cadence, "known_cadence": cadence in dict(mapping.CADENCES),
    })


@may_post("connect")
def cadence(request: Request, connection_id: int) -> HttpResponse:
    """How often the source is expected to bring something; past that it is stale and nothing it feeds is chased."""
    connection = get_object_or_404(Connection.objects, pk=connection_id)
    hours = asked.number(request.POST, "hours")
    hours = hours if hours and hours <= 24 * 400 else None
    connect.cadence(connection=connection, hours=hours, actor=actor_of(request), now=request.now)
    messages.success(request, f"Expected every {hours} hours from now on." if hours else "No expectation from now on: this source is never stale.")
    return redirect("connection", connection_id=connection.pk)


@may("view")
def original(request: Request, envelope_id: int) -> HttpResponse:
    """The file exactly as it was received, always as a download: nothing of it is shown or run here."""
    envelope = get_object_or_404(Envelope.objects, pk=envelope_id)
    # Read now, inside the organisation's walls; the response is sent after they are gone.
    spool = tempfile.SpooledTemporaryFile(max_size=8 << 20)  # noqa: SIM115 - closed by the response
    for chunk in bytes_of.chunks(envelope=envelope):
        spool.write(chunk)
    spool.seek(0)
    response = FileResponse(spool, content_type="application/octet-stream")
    response["Content-Disposition"] = content_disposition_header(True, envelope.name or "file") or "attachment"
    response["Content-Length"] = str(envelope.size)
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _profile(connection: Connection) -> list[tuple[str, str]]:
    """How its files are read, in words; nothing where no file has come yet."""
    if not connection.profile:
        return []
    profile = msgspec.convert(connection.profile, Profile)
    return [(mapping.label(field), column) for field, column in profile.columns.items()] + mapping.manner(profile)
