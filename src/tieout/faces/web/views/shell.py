"""What belongs to no single page: entering an organisation, the health check, and pages that say no."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render

from tieout.faces.web.may import may_post, public
from tieout.stages.base import queries


@public
def healthz(request: HttpRequest) -> HttpResponse:
    """Whether this process answers and reaches its database; says nothing about anybody."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Exception:
        return JsonResponse({"ok": False, "database": "unreachable"}, status=503)
    return JsonResponse({"ok": True})


@may_post("view")
def enter(request: HttpRequest) -> HttpResponse:
    """Work in another of the person's own organisations from now on."""
    try:
        wanted = UUID(request.POST.get("organisation", ""))
    except ValueError:
        raise Http404 from None
    person: Any = request.user
    if wanted not in {m.organisation_id for m in queries.memberships_of(person_id=int(person.pk))}:
        raise Http404
    request.session["organisation"] = str(wanted)
    return redirect("overview")


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403: the role does not include this."""
    return render(request, "web/refused.html", {"reason": str(exception or "")}, status=403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404: there is nothing here, or it is behind another organisation's wall; the answer is the same."""
    return render(request, "web/missing.html", status=404)


def failed(request: HttpRequest) -> HttpResponse:
    """500: our fault. No database is asked: it may be what failed."""
    from django.template.loader import get_template

    return HttpResponse(get_template("web/failed.html").render({}), status=500)
