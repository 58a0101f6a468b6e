"""A file at the door: what was recognised is shown and settled before anything is stored; then it is taken, whole."""

from __future__ import annotations

import secrets
from typing import Any

import msgspec
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render

from tieout.adapters.ports import registry
from tieout.adapters.ports.errors import NeedsPerson, PortError, Unsupported
from tieout.adapters.ports.format import Preview
from tieout.adapters.ports.profile import Profile
from tieout.faces.web import asked, mapping, waiting
from tieout.faces.web.answer import actor_of
from tieout.faces.web.asked import Request
from tieout.faces.web.may import may, may_post
from tieout.flow import jobs, on_upload
from tieout.stages.intake import connect, queries
from tieout.stages.intake.models import Connection

#: Bytes up to which a file is taken in while its sender waits; a larger one is kept at once and read by a worker.
AT_ONCE = 4 << 20


@may("import", post="import")
def choose(request: Request) -> HttpResponse:
    """Choose a file and where it comes from; the file is put aside and looked at, nothing of it is stored yet."""
    file = request.FILES.get("file") if request.method == "POST" else None
    if file is None:
        if request.method == "POST":
            messages.error(request, "Choose a file first: CSV, its gzip, or XLSX.")
        return render(request, "web/upload.html", {
            "connections": [c for c in queries.connections(now=request.now) if c.freshness.kind == "file"],
            "chosen": asked.number(request.GET, "connection"), "ready": _ready(),
        })
    try:
        kept = waiting.keep(
            file, organisation_id=request.organisation_id, session=_session(request),
            choices={"connection": asked.number(request.POST, "connection"), "ready": asked.text(request.POST, "ready", longest=100)},
        )
    except waiting.TooLarge as error:
        messages.error(request, str(error))
        return redirect("upload")
    return redirect("upload_preview", token=kept.token)


@may("import", post="import")
def preview(request: Request, token: str) -> HttpResponse:
    """What reading would give: GET shows it, POST changes how the file is read and shows it again."""
    kept = _kept(request, token)
    connection = _connection(kept)
    if request.method == "POST":
        return _decide(request, kept, connection)
    try:
        seen = _look(kept, connection)
    except Unsupported as error:
        return render(request, "web/upload_preview.html", {"kept": kept, "connection": connection, "refused": str(error)})
    except NeedsPerson as error:
        return render(request, "web/upload_preview.html", {
            "kept": kept, "connection": connection, "questions": error.questions, "stuck": str(error)})
    return render(request, "web/upload_preview.html", {
        "kept": kept, "connection": connection, "seen": seen, "questions": seen.questions, "recognised": mapping.recognised(seen),
        "records": mapping.shown(seen.records), "table": [[str(row.get(h, "")) for h in seen.headers] for row in seen.rows],
        "named": kept.choices.get("name") or _suggested(kept, seen), "cadence": str(connection.cadence_hours or "") if connection else "24",
        "cadences": mapping.CADENCES, **mapping.form(seen),
    })


@may_post("import")
def take(request: Request, token: str) -> HttpResponse:
    """Import the file as shown: its profile is saved with the connection, its rows walk the road."""
    kept = _kept(request, token)
    connection = _connection(kept)
    try:
        seen = _look(kept, connection)
        if seen.questions:
            raise NeedsPerson("answer the questions first")
        connection = _save(request, connection, seen.profile)
        with kept.upload().open() as content:
            taken = on_upload.take(
                organisation_id=request.organisation_id, connection_id=connection.pk, name=kept.name,
                chunks=iter(lambda: content.read(1 << 20), b""), actor=actor_of(request), answers=kept.choices.get("answers", {}),
                later=kept.upload().size > AT_ONCE,
            )
        if taken.state == "received":
            actor = actor_of(request)
            jobs.later(jobs.read_envelope, organisation=request.organisation_id, envelope=taken.envelope_id, person=actor.id, name=actor.name)
    except (PortError, connect.NameTaken, asked.Unreadable) as error:
        text = str(error)
        messages.error(request, text[:1].upper() + text[1:])
        return redirect("upload_preview", token=token)
    kept.drop()
    _told(request, taken)
    return redirect("connection", connection_id=connection.pk)


@may_post("import")
def drop(request: Request, token: str) -> HttpResponse:
    """Forget the file; nothing of it was stored."""
    _kept(request, token).drop()
    messages.success(request, "Forgotten: nothing of the file was stored.")
    return redirect("connections")


def _decide(request: Request, kept: waiting.Waiting, connection: Connection | None) -> HttpResponse:
    answers = {k.removeprefix("answer:"): asked.text(request.POST, k, longest=300) for k in request.POST if k.startswith("answer:")}
    other = answers.pop("currency_other", "").upper()
    if other:
        answers["currency"] = other
    changes: dict[str, Any] = {"answers": {**kept.choices.get("answers", {}), **{k: v for k, v in answers.items() if v}}}
    if "over" in request.POST:
        changes |= {"profile": None, "answers": {}, "ready": asked.text(request.POST, "ready", longest=100)}
    elif "mapping" in request.POST:
        try:
            changes["profile"] = msgspec.to_builtins(mapping.changed(_look(kept, connection), request.POST))
        except (PortError, ValueError) as error:
            messages.error(request, str(error))
    kept.decide(**changes)
    return redirect("upload_preview", token=kept.token)


def _look(kept: waiting.Waiting, connection: Connection | None) -> Preview:
    return registry.preview(kept.upload(), profile=_profile(kept, connection), answers=kept.choices.get("answers", {}))


def _profile(kept: waiting.Waiting, connection: Connection | None) -> Profile | None:
    plain = kept.choices.get("profile") or (connection.profile if connection and not kept.choices.get("ready") else None)
    if plain:
        return msgspec.convert(plain, Profile)
    return registry.profiles().get(kept.choices.get("ready", ""))


def _save(request: Request, connection: Connection | None, profile: Profile) -> Connection:
    plain, actor = msgspec.to_builtins(profile), actor_of(request)
    name, hours = asked.text(request.POST, "name", longest=200), _hours(request)
    if connection is None:
        if not name:
            raise asked.Unreadable("give the source a name, such as Stripe invoices")
        return connect.file(name=name, profile=plain, cadence_hours=hours, actor=actor, now=request.now)
    if connection.profile != plain:
        connect.profile(connection=connection, profile=plain, actor=actor, now=request.now)
    if connection.cadence_hours != hours:
        connect.cadence(connection=connection, hours=hours, actor=actor, now=request.now)
    return connection


def _hours(request: Request) -> int | None:
    hours = asked.number(request.POST, "cadence")
    return hours if hours and hours <= 24 * 400 else None


def _kept(request: Request, token: str) -> waiting.Waiting:
    kept = waiting.find(token, organisation_id=request.organisation_id, session=_session(request))
    if kept is None:
        raise Http404
    return kept


def _session(request: Request) -> str:
    # Not the session's key, which Django may change: a word of our own inside it.
    mine = request.session.get("waiting")
    if not mine:
        mine = request.session["waiting"] = secrets.token_urlsafe(18)
    return str(mine)


def _connection(kept: waiting.Waiting) -> Connection | None:
    wanted = kept.choices.get("connection")
    found: Connection | None = Connection.objects.filter(pk=wanted, kind="file").first() if wanted else None
    return found


def _suggested(kept: waiting.Waiting, seen: Preview) -> str:
    title = seen.profile.title
    return title if title and not title.startswith("Proposed") else kept.name.rsplit(".", 1)[0][:80]


def _ready() -> list[tuple[str, str]]:
    return sorted(((name, p.title or name) for name, p in registry.profiles().items()), key=lambda pair: pair[1].casefold())


def _told(request: Request, taken: on_upload.Taken) -> None:
    """What became of the file, in one sentence."""
    if taken.state == "applied":
        words = ("created", "new"), ("updated", "updated"), ("unchanged", "unchanged"), ("quarantined", "set aside"), ("skipped", "skipped")
        counts = [f"{n:,} {word}" for name, word in words if (n := getattr(taken, name))]
        messages.success(request, f"{taken.read:,} records read: {', '.join(counts) or 'nothing in them'}.")
    elif taken.state == "ignored":
        messages.success(request, taken.reason[:1].upper() + taken.reason[1:] + ".")
    elif taken.state == "received":
        messages.success(request, "The file is kept. It is large, so a worker reads it now; what became of it will stand here.")
    else:
        messages.warning(request, f"Nothing was taken: {taken.reason}. The file is kept below, as it came.")
