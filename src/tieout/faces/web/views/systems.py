"""Connect a system and see how it stands: who we reach, its streams, its runs, and what exactly it sent."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from tieout.adapters.ports import registry
from tieout.adapters.ports.connector import Connector
from tieout.adapters.ports.errors import PortError
from tieout.faces.web import asked
from tieout.faces.web.answer import actor_of
from tieout.faces.web.asked import Request
from tieout.faces.web.may import may, may_post
from tieout.flow import asking, choosing, clock, connecting, consent, hooked, jobs
from tieout.stages.base import queries as base
from tieout.stages.intake import original, queries, stream
from tieout.stages.intake.connect import NameTaken
from tieout.stages.intake.models import Connection, Envelope

#: So much of an envelope is shown on a page; the whole is a download.
_SHOWN = 200_000
_LONGEST = 4_000
_STAYS = "a demo stays on this machine; connect it to a twin (`tieout twin`) or found an organisation of your own"


@may("view")
def gallery(request: Request) -> HttpResponse:
    """Every system that can be connected, with what it can do."""
    return render(request, "web/systems.html", {"connectors": [one.manifest for one in registry.connectors().values()]})


@may("connect", post="connect")
def new(request: Request, vendor: str) -> HttpResponse:
    """Fill in the form; whom it reaches is asked before anything is stored."""
    connector = _connector(vendor)
    if request.method != "POST":
        return _form(request, connector, {}, "")
    given = {field.name: asked.text(request.POST, field.name, longest=_LONGEST) for field in connector.manifest.fields}
    name = asked.text(request.POST, "connection_name", longest=200)
    if base.is_demo() and not _stays_here(connector, given):
        return _form(request, connector, given, _STAYS)
    if connecting.by_consent(vendor, given):
        return _to_consent(request, connector, given, name)
    return _opened(request, connector, given, name)


@may("connect")
def returned(request: Request) -> HttpResponse:
    """The person comes back from the other side with their consent, or without it."""
    state, expected = asked.text(request.GET, "state", longest=200), str(request.session.get("consent", ""))
    try:
        kept = asking.take(state=state, expected=expected, now=clock.real_now())
    except asking.NoAnswer as error:
        messages.error(request, str(error))
        return redirect("systems")
    del request.session["consent"]
    connector = _connector(kept["vendor"])
    connection = Connection.objects.filter(pk=kept["connection"], kind="system").first() if kept["connection"] else None
    given = dict(kept["given"])
    if "code" not in request.GET:
        refused = asked.text(request.GET, "error_description") or asked.text(request.GET, "error") or "no code came back"
        return _form(request, connector, given, f"{connector.manifest.title} did not give its consent: {refused}", connection)
    oauth = connector.manifest.oauth
    given |= {name: asked.text(request.GET, name, longest=200) for name in (oauth.returned if oauth else ()) if name in request.GET}
    try:
        settings, secrets = connecting.split(connector.manifest.name, given)
        told = consent.tokens(
            connector=connector, settings=settings, client_id=secrets.get("client_id", ""), client_secret=secrets.get("client_secret", ""),
            return_url=_return_url(request), code=asked.text(request.GET, "code", longest=2_000), verifier=kept["verifier"],
        )  # fmt: skip
    except PortError as error:
        return _form(request, connector, given, str(error), connection)
    given |= {key: str(told[key]) for key in consent.KEYS if told.get(key)}
    if connection is not None:
        return _connected_again(request, connector, connection, given, told)
    return _opened(request, connector, given, kept["name"], told)


def one(request: Request, connection: Connection) -> HttpResponse:
    """A connected system: whom we reach, how far each stream has been read, what came and what was set aside."""
    connector = registry.connectors().get(connection.vendor)
    titles = {s.name: s.title for s in connector.manifest.streams} if connector else {}
    door = reverse("hook", args=[connection.organisation_id, connection.pk, hooked.token_of(connection)])
    return render(request, "web/system.html", {
        "connection": connection, "freshness": queries.freshness_of(connection, request.now), "manifest": connector.manifest if connector else None,
        "streams": [(titles.get(s.name, "Changes"), s) for s in stream.shown(connection_id=connection.pk)],
        "runs": queries.runs(connection_id=connection.pk, limit=30), "waiting": bool(queries.quarantined(connection_id=connection.pk, limit=1)),
        "ends": consent.ends(connection.account, now=clock.real_now()),
        "asks": choosing.asks(connection) is not None, "door": request.build_absolute_uri(door),
        "answers": queries.answers(connection_id=connection.pk, limit=12),
    })  # fmt: skip


@may_post("connect")
def read(request: Request, connection_id: int) -> HttpResponse:
    """Read it now, by a worker; every stream whole where that is asked for."""
    connection = _system(connection_id)
    anew = request.POST.get("anew") == "yes"
    if anew:
        names = [s.name for s in stream.shown(connection_id=connection.pk) if s.name]
        stream.ask_anew(connection_id=connection.pk, names=names, now=request.now)
    jobs.later(jobs.sync_connection, organisation=request.organisation_id, lock=f"sync-{connection.pk}", connection=connection.pk)
    messages.success(request, "It is being read anew." if anew else "It is being read.")
    return redirect("connection", connection_id=connection.pk)


@may("connect", post="connect")
def again(request: Request, connection_id: int) -> HttpResponse:
    """New credentials for it."""
    connection = _system(connection_id)
    connector = _connector(connection.vendor)
    if request.method != "POST":
        return _form(request, connector, dict(connection.settings), "", connection)
    typed = {field.name: asked.text(request.POST, field.name, longest=_LONGEST) for field in connector.manifest.fields}
    given = connecting.stored(request.organisation_id, connection.pk, typed)
    if base.is_demo() and not _stays_here(connector, given):
        return _form(request, connector, given, _STAYS, connection)
    if connecting.by_consent(connection.vendor, given):
        return _to_consent(request, connector, given, "", connection)
    return _connected_again(request, connector, connection, given)


@may_post("connect")
def end(request: Request, connection_id: int) -> HttpResponse:
    """Disconnect; what came from it stays."""
    connection = _system(connection_id)
    said = connecting.end(request.organisation_id, connection.pk, actor=actor_of(request))
    hooked.forget()
    messages.success(request, f"{connection.name} is disconnected{f'; {said}' if said else ''}. What came from it stays.")
    return redirect("connections")


@may("view")
def envelope(request: Request, envelope_id: int) -> HttpResponse:
    """What exactly came: shown as text, never run."""
    row = get_object_or_404(Envelope.objects.select_related("connection"), pk=envelope_id)
    content, size = b"", 0
    for chunk in original.chunks(envelope=row):
        content += chunk[: max(0, _SHOWN - size)]
        size += len(chunk)
        if size >= _SHOWN:
            break
    text = content.decode("utf-8", "replace")
    return render(request, "web/envelope.html", {"envelope": row, "text": _laid_out(text), "cut": row.size > _SHOWN})


def _laid_out(text: str) -> str:
    """JSON with a line for each field; anything else as it came."""
    laid = []
    for line in text.split("\n"):
        try:
            laid.append(json.dumps(json.loads(line), indent=2, ensure_ascii=False))
        except ValueError:
            laid.append(line)
    return "\n".join(laid)


def _to_consent(request: Request, connector: Connector, given: dict[str, str], name: str, connection: Connection | None = None) -> HttpResponse:
    try:
        settings, secrets = connecting.split(connector.manifest.name, given)
        address, state, verifier = consent.ask(
            connector=connector, settings=settings, client_id=secrets.get("client_id", ""), return_url=_return_url(request)
        )
    except PortError as error:
        return _form(request, connector, given, str(error), connection)
    about = connection.pk if connection else None
    kept = {"vendor": connector.manifest.name, "given": given, "name": name, "verifier": verifier, "connection": about}
    asking.put(state=state, kept=kept, now=clock.real_now())
    request.session["consent"] = state
    # A page of our own, not a redirect: our own policy lets no form lead to another host, however many redirects lie between.
    return render(request, "web/system_away.html", {"manifest": connector.manifest, "address": address, "minutes": asking.MINUTES})


def _return_url(request: Request) -> str:
    return str(request.build_absolute_uri(reverse("system_returned")))


def _connected_again(request: Request, connector: Connector, connection: Connection, given: dict[str, str], told: Any = None) -> HttpResponse:
    try:
        connecting.again(request.organisation_id, connection.pk, given=given, actor=actor_of(request), told=told)
    except PortError as error:
        return _form(request, connector, dict(connection.settings), str(error), connection)
    hooked.forget()
    jobs.later(jobs.sync_connection, organisation=request.organisation_id, lock=f"sync-{connection.pk}", connection=connection.pk)
    pilot = " It begins in pilot again: look at what happened meanwhile, then go live." if connection.paused_at else ""
    messages.success(request, f"{connection.name} is connected again.{pilot}")
    return redirect("connection", connection_id=connection.pk)


def _opened(request: Request, connector: Connector, given: dict[str, str], name: str, told: Any = None) -> HttpResponse:
    try:
        connection_id, account = connecting.open(
            request.organisation_id, vendor=connector.manifest.name, name=name, given=given, stage="pilot", actor=actor_of(request), told=told
        )
    except (PortError, NameTaken) as error:
        return _form(request, connector, given, str(error))
    jobs.later(jobs.sync_connection, organisation=request.organisation_id, lock=f"sync-{connection_id}", connection=connection_id)
    messages.success(request, f"Connected to {account.name}. Its history is being read; nothing is written there before it goes live.")
    return redirect("connection", connection_id=connection_id)


def _form(request: Request, connector: Connector, values: dict[str, str], wrong: str, connection: Connection | None = None) -> HttpResponse:
    rows = [
        {"field": field, "value": "" if field.secret else values.get(field.name) or field.default, "has": bool(connection and field.secret)}
        for field in connector.manifest.fields
    ]
    return render(request, "web/system_form.html", {
        "manifest": connector.manifest, "rows": rows, "wrong": wrong, "again": connection, "fixed": connection is not None,
        "return_url": _return_url(request),
    }, status=400 if wrong else 200)


def _stays_here(connector: Connector, given: dict[str, str]) -> bool:
    hosts = [value for name, value in given.items() if name.endswith("_url")] or [connector.base_url(given)]
    return all(host.startswith(("http://127.0.0.1", "http://localhost")) for host in hosts)


def _connector(vendor: str) -> Connector:
    found = registry.connectors().get(vendor)
    if found is None:
        raise Http404
    return found


def _system(connection_id: int) -> Connection:
    found: Connection = get_object_or_404(Connection.objects, pk=connection_id, kind="system")
    return found
