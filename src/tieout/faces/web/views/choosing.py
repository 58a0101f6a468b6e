"""The mapping of a system written to: which of its items, tax codes and accounts ours go to, tried on a real invoice before it is saved."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from tieout.adapters.ports import choices
from tieout.adapters.ports.choices import Asks, Question
from tieout.core.evidence import Refused
from tieout.faces.web import asked, in_words
from tieout.faces.web.answer import actor_of
from tieout.faces.web.asked import Request
from tieout.faces.web.may import may, may_post
from tieout.flow import apart, choosing
from tieout.stages.intake.models import Connection
from tieout.stages.ledger.models import Document
from tieout.stages.writeback import lines, queries

Said = dict[str, str | dict[str, str]]


@may("view")
def page(request: Request, connection_id: int) -> HttpResponse:
    """What is to be said, what has been said, and an invoice as it would be written."""
    connection, connector = _system(connection_id)
    wrong = ""
    if "choices" not in connection.profile and connection.paused_at is None:
        organisation = request.organisation_id
        wrong = apart.run(lambda: choosing.read(organisation, connection_id))
        connection.refresh_from_db()
    return _page(request, connection, connector, wrong)


@may_post("connect")
def read(request: Request, connection_id: int) -> HttpResponse:
    """The system's lists once more."""
    connection, _ = _system(connection_id)
    organisation = request.organisation_id
    wrong = apart.run(lambda: choosing.read(organisation, connection_id))
    if wrong:
        messages.error(request, f"{wrong[:1].upper()}{wrong[1:]}")
    else:
        messages.success(request, f"The lists of {connection.name} are as they stand there now.")
    return redirect("mapping", connection_id=connection_id)


@may_post("view")
def preview(request: Request, connection_id: int) -> HttpResponse:
    """An invoice as it is written now, and as it would be; nothing is saved."""
    connection, connector = _system(connection_id)
    return render(request, "web/_mapping_preview.html", _previewed(request, connection, connector, _said(request, connector)))


@may_post("connect")
def save(request: Request, connection_id: int) -> HttpResponse:
    """Put it in force; what waited for it goes on."""
    connection, connector = _system(connection_id)
    saved = choosing.save(request.organisation_id, connection_id, said=_said(request, connector), actor=actor_of(request))
    if isinstance(saved, Refused):
        messages.error(request, f"Not saved: {saved.reason}.")
        return _page(request, connection, connector, "", status=422)
    more = f" {saved} that waited for it {'goes' if saved == 1 else 'go'} on." if saved else ""
    messages.success(request, f"The mapping is in force.{more}")
    return redirect("mapping", connection_id=connection_id)


def _page(request: Request, connection: Connection, connector: Asks, wrong: str, status: int = 200) -> HttpResponse:
    origins = lines.origins(target_id=connection.pk)
    lists, theirs = choosing.offered(connection), choosing.names(connection)
    said = _said(request, connector) if request.method == "POST" else {}
    questions = []
    for question in connector.questions:
        listed = lists.get(question.of, [])
        known = {one.id for one in listed}
        rows = [{**row, "known": row["chosen"] in known} for row in _rows(connection, question, origins, theirs, said)]
        questions.append({"q": question, "choices": listed, "rows": rows})
    return render(request, "web/mapping.html", {
        "connection": connection, "questions": questions, "wrong": wrong, "origins": origins,
        "read_at": connection.profile.get("choices_at", "")[:16].replace("T", " "),
        "waiting": queries.counts(connection_id=connection.pk).get("person", 0), "newest": lines.newest(origin_ids=origins),
        **_previewed(request, connection, connector, said),
    }, status=status)  # fmt: skip


def _rows(connection: Connection, question: Question, origins: list[int], theirs: dict[str, str], said: Said) -> list[dict[str, Any]]:
    """One row to choose for each key; a question by itself has one row without a key."""
    answer = said.get(question.setting)
    if not question.per:
        chosen = answer if isinstance(answer, str) else str(connection.settings.get(question.setting) or "")
        return [{"key": "", "name": question.title, "chosen": chosen}]
    kept = choices.pairs(connection.settings.get(question.setting))
    named = {one.key: one for one in lines.named(origin_ids=origins, per=question.per)}
    folded = {key.casefold(): value for key, value in (kept | (answer if isinstance(answer, dict) else {})).items()}
    keys = [*named, *(key for key in kept if key.casefold() not in {one.casefold() for one in named})]
    return [
        {
            "key": key, "name": _called(key, theirs) or (named[key].example if key in named else ""),
            "count": named[key].count if key in named else 0, "chosen": folded.get(key.casefold(), ""),
        }
        for key in keys
    ]  # fmt: skip


def _called(key: str, theirs: dict[str, str]) -> str:
    """What a source calls a key, or each of several taxes on one line."""
    return " and ".join(theirs[part] for part in key.split("+") if part in theirs)


def _said(request: Request, connector: Asks) -> Said:
    """What the form says: a value, or a list of pairs, for each question it asks."""
    said: Said = {}
    for question in connector.questions:
        to = [value.replace("\x00", "").strip()[:300] for value in request.POST.getlist(f"to:{question.setting}")]
        if question.per:
            keys = [key.replace("\x00", "").strip()[:400] for key in request.POST.getlist(f"key:{question.setting}")]
            said[question.setting] = dict(zip(keys, to, strict=False))
        elif to:
            said[question.setting] = to[0]
    return said


def _previewed(request: Request, connection: Connection, connector: Asks, said: Said) -> dict[str, Any]:
    """An invoice before and after: the one that was picked, else the newest."""
    wanted = asked.number(request.POST or request.GET, "document")
    newest = lines.newest(origin_ids=lines.origins(target_id=connection.pk), limit=1) if wanted is None else []
    document = get_object_or_404(Document.objects.select_related("connection"), pk=wanted, kind="invoice") if wanted else next(iter(newest), None)
    if document is None:
        return {"document": None}
    settings = choosing.settings_with(connection, said)
    before = choosing.shown(connection, document, connection.settings)
    if isinstance(settings, Refused):
        after = choosing.Written({}, settings.reason)
    else:
        after = choosing.shown(connection, document, {**connection.settings, **settings})
    lists = choosing.offered(connection)
    names = {q.stands_as: {one.id: one.name for one in lists.get(q.of, [])} for q in connector.questions if q.stands_as}
    return {
        "document": document, "before": before, "after": after,
        "beside": in_words.beside(in_words.lines(before.body, names), in_words.lines(after.body, names)), "json": in_words.as_json(after.body),
    }  # fmt: skip


def _system(connection_id: int) -> tuple[Connection, Asks]:
    found: Connection = get_object_or_404(Connection.objects, pk=connection_id, kind="system")
    connector = choosing.asks(found)
    if connector is None:
        raise Http404
    return found, connector
