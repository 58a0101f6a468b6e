"""The outbox: what other systems are to hear from us, what became of it, and what only a person can decide."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from tieout.faces.web import asked, in_words
from tieout.faces.web.answer import actor_of, attempt
from tieout.faces.web.asked import Request
from tieout.faces.web.may import may, may_post
from tieout.flow import apart, choosing, deciding, dry_run, jobs
from tieout.stages.intake.models import Connection
from tieout.stages.writeback import compose, decide, queries, recognise
from tieout.stages.writeback.models import Outgoing

PAGE = 60
#: The states as chips, in the order in which they want to be looked at.
STATES = (
    ("unknown", "Outcome unknown"), ("person", "Waiting for a person"), ("failed", "Failed"), ("waiting", "Waiting"), ("claimed", "Sending"),
    ("done", "Done"),
)  # fmt: skip


@may("view")
def page(request: Request) -> HttpResponse:
    """Every effect on a connected system, the newest first."""
    given = request.GET
    state, act = given.get("state", ""), given.get("act", "")
    filters = queries.Filters(
        state=state if state in dict(STATES) else None, connection_id=asked.number(given, "connection"), act=act if act in queries.ACTS else None,
        text=asked.text(given, "text", longest=200),
    )  # fmt: skip
    rows = queries.listing(filters=filters, before=asked.number(given, "before"), limit=PAGE + 1)
    counts = queries.counts(connection_id=filters.connection_id)
    return render(request, "web/outbox.html", {
        "rows": rows[:PAGE], "older": rows[PAGE - 1].id if len(rows) > PAGE else None, "filters": filters, "acts": queries.ACTS,
        "states": [(name, word, counts.get(name, 0)) for name, word in STATES], "all": sum(counts.values()), "systems": _systems(),
        "filtered": filters != queries.Filters(),
    })  # fmt: skip


@may("view")
def would(request: Request) -> HttpResponse:
    """What would be written now, without writing."""
    systems = _systems()
    wanted = asked.number(request.GET, "connection")
    chosen = next((row for row in systems if row.pk == wanted), None)
    dry = dry_run.run(request.organisation_id, chosen.pk if chosen else None)
    shown = [(one, queries.ACTS.get(one.act, one.act), in_words.lines(one.body), in_words.as_json(one.body)) for one in dry.effects]
    return render(request, "web/outbox_would.html", {"effects": shown, "more": dry.more, "systems": systems, "chosen": chosen})


@may("view")
def one(request: Request, effect_id: int) -> HttpResponse:
    """One effect: what is or was told, in words and as JSON, what came of it, what to do."""
    row = _effect(effect_id)
    body, waits, sent = _body(row)
    return render(request, "web/effect.html", {
        "e": queries.one(row=row), "words": in_words.lines(body), "json": in_words.as_json(body), "waits": waits, "sent": sent,
        "makes": row.kind in recognise.MAKES, "mapping": choosing.asks(row.connection) is not None, "title": dict(STATES).get(row.state, row.state),
    })  # fmt: skip


@may_post("connect")
def happened(request: Request, effect_id: int) -> HttpResponse:
    """A person has looked there: it happened."""
    row = _effect(effect_id)
    external_id = asked.text(request.POST, "external_id", longest=300)
    organisation, actor = request.organisation_id, actor_of(request)

    def act() -> Any:
        return apart.run(lambda: deciding.happened(organisation, row.pk, external_id=external_id, actor=actor))

    return attempt(request, act, done="Noted: it happened, and the two are known to be the same.", to=reverse("effect", args=[row.pk]))


@may_post("connect")
def again(request: Request, effect_id: int) -> HttpResponse:
    """Try it again; of an unknown one this says that it did not happen."""
    row = _effect(effect_id)

    def act() -> Any:
        refused = decide.again(effect=row, actor=actor_of(request), now=request.now)
        if refused is None:
            jobs.later(jobs.write, organisation=request.organisation_id, lock="write")
        return refused

    return attempt(request, act, done="It is tried again.", to=reverse("effect", args=[row.pk]))


@may_post("connect")
def drop(request: Request, effect_id: int) -> HttpResponse:
    """It is not wanted there."""
    row = _effect(effect_id)
    reason = asked.text(request.POST, "reason", longest=500)
    return attempt(
        request, lambda: decide.drop(effect=row, reason=reason, actor=actor_of(request), now=request.now), done="Noted: it is not told.",
        to=reverse("effect", args=[row.pk]),
    )  # fmt: skip


def _body(row: Outgoing) -> tuple[dict[str, Any], str, bool]:
    """(what is told, why it would wait, whether it was told already)."""
    if "sent" in row.body:
        return row.body["sent"], "", True
    if row.state == "done":
        return {}, "", True
    composed = compose.body(row=row)
    if not isinstance(composed, dict):
        return {}, composed.reason, False
    body, waits = dry_run.request(row.connection, row, composed)
    return body, waits, False


def _systems() -> list[Connection]:
    return list(Connection.objects.filter(kind="system").order_by("name"))


def _effect(effect_id: int) -> Outgoing:
    found: Outgoing = get_object_or_404(Outgoing.objects.select_related("connection"), pk=effect_id, connection__isnull=False)
    return found
