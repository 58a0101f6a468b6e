"""Where systems disagree: each disagreement with both words, the proposed answer and its reason; answered, and taken back."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from tieout.faces.web import asked
from tieout.faces.web.answer import actor_of, attempt, back
from tieout.faces.web.asked import Request
from tieout.faces.web.may import may, may_post
from tieout.stages.intake.models import Connection
from tieout.stages.writeback import answer as answers
from tieout.stages.writeback import disagreements
from tieout.stages.writeback.models import Conflict

PAGE = 25
STATES = (("open", "Open"), ("ignored", "Left alone"), ("settled", "Settled"), ("agreed", "Agree again"))


@may("view")
def page(request: Request) -> HttpResponse:
    """Disagreements in one state, of one system or field; and what a system could not be told."""
    state = request.GET.get("state", "open")
    state = state if state in dict(STATES) else "open"
    connection, field = asked.number(request.GET, "connection"), asked.text(request.GET, "field", longest=32)
    rows = disagreements.conflicts(state=state, connection_id=connection, field=field, after=asked.page_key(request), limit=PAGE + 1)
    found = disagreements.counted(state=state)
    return render(request, "web/conflicts.html", {
        "rows": rows[:PAGE], "after": rows[PAGE - 1].id if len(rows) > PAGE else None, "here": state, "connection": connection, "field": field,
        "states": [(value, word, found.states.get(value, 0)) for value, word in STATES], "fields": found.fields,
        "connections": list(Connection.objects.exclude(kind__in=("hand", "mailbox")).order_by("name").values("id", "name")),
        "stuck": disagreements.stuck(connection_id=connection) if state == "open" else [],
    })  # fmt: skip


@may_post("correct")
def answer(request: Request, conflict_id: int) -> HttpResponse:
    """Take theirs, keep ours, say what it is, tell them, or leave it alone."""
    row = get_object_or_404(Conflict.objects, pk=conflict_id)
    said = ""
    try:
        said = answers.run(
            conflict=row, answer=asked.text(request.POST, "answer", longest=8), value=asked.text(request.POST, "value", longest=320),
            note=asked.text(request.POST, "note", longest=500), actor=actor_of(request), now=request.now,
        )  # fmt: skip
    except answers.AnswerRefused as error:
        messages.error(request, f"{str(error)[:1].upper()}{str(error)[1:]}.")
    else:
        messages.success(request, said)
    return back(request, reverse("conflicts"))


@may_post("correct")
def undo(request: Request, conflict_id: int) -> HttpResponse:
    """Take an answer back."""
    row = get_object_or_404(Conflict.objects, pk=conflict_id)
    return attempt(
        request, lambda: answers.undo(conflict=row, actor=actor_of(request), now=request.now), done="Taken back; the disagreement is open again.",
        to=reverse("conflicts"), refusals=(answers.AnswerRefused,),
    )
