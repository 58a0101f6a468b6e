"""Health reports: made on demand and every month, read as a page and as a PDF of the same figures."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from tieout.core import days
from tieout.core.evidence import Refused
from tieout.faces.web import asked
from tieout.faces.web.answer import actor_of
from tieout.faces.web.asked import Request
from tieout.faces.web.may import may
from tieout.flow import health_report
from tieout.stages.health import report, report_pdf
from tieout.stages.health.models import HealthReport


@may("view", post="connect")
def page(request: Request) -> HttpResponse:
    """The reports there are; posted to, another one is made."""
    begin, end = request.today.replace(day=1), request.today
    wrong = ""
    if request.method == "POST":
        try:
            begin, end = asked.day(request.POST, "begin") or begin, asked.day(request.POST, "end") or end
            made = health_report.make(request.organisation_id, from_date=begin, to_date=end, actor=actor_of(request))
        except asked.Unreadable as error:
            made = Refused(str(error))
        if isinstance(made, HealthReport):
            messages.success(request, "The report is made and kept.")
            return redirect("health_report", report_id=made.pk)
        wrong = made.reason
    rows = [(row, report.facts_of(row).sums) for row in HealthReport.objects.order_by("-made_at", "-id")[:60]]
    return render(
        request, "web/health.html", {"reports": rows, "begin": begin, "end": end, "wrong": wrong}, status=422 if wrong else 200
    )


@may("view")
def one(request: Request, report_id: int) -> HttpResponse:
    """One report."""
    row = get_object_or_404(HealthReport.objects, pk=report_id)
    facts = report.facts_of(row)
    parts = [(part, report_pdf.lasted(part.alert_minutes)) for part in facts.parts]
    return render(request, "web/health_report.html", {"report": row, "facts": facts, "sums": facts.sums, "parts": parts})


@may("view")
def paper(request: Request, report_id: int) -> HttpResponse:
    """The same as a PDF."""
    facts = report.facts_of(get_object_or_404(HealthReport.objects, pk=report_id))
    made = report_pdf.pdf(facts, zone=days.zone(request.profile.time_zone))
    answer = HttpResponse(made, content_type="application/pdf")
    answer["Content-Disposition"] = f'attachment; filename="{report_pdf.name(facts)}"'
    return answer
