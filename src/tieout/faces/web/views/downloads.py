"""The outbox of a source of files: what changed about its records, as a file to take back there; each one kept as it was handed out."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.http import content_disposition_header

from tieout.core import days
from tieout.faces.web import asked
from tieout.faces.web.answer import actor_of, attempt
from tieout.faces.web.asked import Request
from tieout.faces.web.may import may
from tieout.stages.intake.models import Connection
from tieout.stages.writeback import file_out, queries
from tieout.stages.writeback.models import Download


@may("view", post="export")
def page(request: Request, connection_id: int) -> HttpResponse:
    """The files made so far; POST: one more, with what changed since the last one or since a day."""
    connection = get_object_or_404(Connection.objects, pk=connection_id, kind="file")
    if request.method != "POST":
        return render(request, "web/downloads.html", {"connection": connection, "files": queries.downloads(connection_id=connection.pk)})

    def act() -> Any:
        day = asked.day(request.POST, "since")
        since = dt.datetime.combine(day, dt.time(), days.zone(request.profile.time_zone)) if day else None
        return file_out.make(connection=connection, since=since, actor=actor_of(request), now=request.now)

    return attempt(
        request, act, done="The file is made: download it below.", to=reverse("downloads", args=[connection.pk]), refusals=(asked.Unreadable,)
    )


@may("export")
def file(request: Request, download_id: int) -> HttpResponse:
    """One file, byte for byte as it was made."""
    download = get_object_or_404(Download.objects, pk=download_id)
    response = HttpResponse(bytes(download.content), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = content_disposition_header(True, file_out.name(download)) or "attachment"
    response["X-Content-Type-Options"] = "nosniff"
    return response
