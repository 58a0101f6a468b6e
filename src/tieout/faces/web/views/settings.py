"""The organisation's settings: who it is, whether anything may leave, its mail server and mailbox, the keys of its secrets."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from tieout.adapters.ports import registry
from tieout.core.evidence import Refused
from tieout.faces.web import asked
from tieout.faces.web.answer import actor_of, attempt
from tieout.faces.web.asked import Request
from tieout.faces.web.may import may, may_post
from tieout.stages.base import arrange, audit, queries, secret, switch
from tieout.stages.health import ready
from tieout.stages.outreach import mailbox as inbox
from tieout.stages.outreach import sending as outgoing

#: The organisation's fields as the form names them.
FIELDS: tuple[tuple[str, str, str], ...] = (
    ("name", "Name", ""), ("sender_name", "Sender's name", "as it stands in the letter's From"),
    ("sender_address", "Sender's address", "answers come to it"), ("country", "Country", "two letters, such as DE"),
    ("time_zone", "Time zone", "days begin and end by it"), ("language", "Language of letters", "where a customer's is not known"),
    ("base_currency", "Own currency", "figures in other currencies are shown apart, never added"),
)


_STAYS = Refused("a demo's mail stays on this machine; found an organisation of your own to send for real")


@may("settings")
def page(request: Request) -> HttpResponse:
    """Everything that is set, with what is still missing before going live."""
    return _page(request)


@may_post("settings")
def organisation(request: Request) -> HttpResponse:
    """Change name, seat, language, currency or sender."""
    values = {name: asked.text(request.POST, name, longest=400) for name in arrange.FIELDS if name in request.POST}
    wrong = arrange.organisation(values=values, actor=actor_of(request), now=request.now)
    if wrong:
        return _page(request, values=values, wrong=wrong, status=422)
    messages.success(request, "Saved.")
    return redirect("settings")


@may_post("settings")
def mode(request: Request) -> HttpResponse:
    """Go live, return to shadow, or thaw a restored system."""
    to = request.POST.get("to", "")
    acts: dict[str, tuple[Any, str]] = {
        "live": (_go_live(request), "Live: what the gate allows is sent from now on."),
        "shadow": (switch.go_dark, "Shadow mode: everything is shown, nothing is sent."),
        "thaw": (_thaw(request), "Thawed: sending goes on where each message is still right."),
    }
    if to not in acts:
        return redirect("settings")
    act, done = acts[to]
    return attempt(request, lambda: act(actor=actor_of(request), now=request.now), done=done, to=reverse("settings"), refusals=(switch.NotReady,))


@may_post("stop")
def stop(request: Request) -> HttpResponse:
    """The stop switch: nothing leaves until somebody starts it again."""
    reason = asked.text(request.POST, "reason", longest=500)
    return attempt(
        request, lambda: switch.stop(actor=actor_of(request), now=request.now, reason=reason),
        done="Stopped: nothing leaves until it is started again in Settings.", to=_home(request),
    )


@may_post("settings")
def resume(request: Request) -> HttpResponse:
    """Release the stop switch."""
    return attempt(
        request, lambda: switch.resume(actor=actor_of(request), now=request.now, reason=asked.text(request.POST, "reason", longest=500)),
        done="Sending goes on. Every waiting message is judged again before it leaves.", to=reverse("settings"),
    )


@may_post("settings")
def mail(request: Request) -> HttpResponse:
    """Save the mail server letters leave through; an empty password keeps the one there is."""
    if queries.is_demo():
        return _saved(request, _STAYS, "", "mail")
    given = {field.name: asked.text(request.POST, field.name, longest=300) for field in registry.channels()["email"].fields}
    return _saved(request, outgoing.configure(settings=given, actor=actor_of(request), now=request.now), "The mail server is saved.", "mail")


@may_post("settings")
def mailbox(request: Request) -> HttpResponse:
    """Save the mailbox answers come to; an empty password keeps the one there is."""
    if queries.is_demo():
        return _saved(request, _STAYS, "", "mailbox")
    given = {field.name: asked.text(request.POST, field.name, longest=300) for field in registry.doors()["mailbox"].fields}
    return _saved(request, inbox.configure(settings=given, actor=actor_of(request), now=request.now), "The mailbox is saved.", "mailbox")


@may_post("settings")
def keys(request: Request) -> HttpResponse:
    """Make a new key and seal every stored password of this organisation under it."""
    key_id = secret.keyring().add()
    changed = secret.rotate()
    audit.write(actor=actor_of(request), action="secret.rotate", object_kind="key", object_id=key_id, now=request.now, detail={"secrets": changed})
    messages.success(request, f"New key {key_id}: {changed} stored secret{'' if changed == 1 else 's'} sealed under it.")
    return redirect("settings")


def _saved(request: Request, refused: Refused | None, done: str, part: str) -> HttpResponse:
    if isinstance(refused, Refused):
        messages.error(request, f"Not saved: {refused.reason}.")
    else:
        messages.success(request, done)
    return redirect(f"{reverse('settings')}#{part}")


def _page(request: Request, values: dict[str, str] | None = None, wrong: dict[str, str] | None = None, status: int = 200) -> HttpResponse:
    server, sample = outgoing.shown(), queries.is_demo()
    points = ready.to_go_live(ours=request.profile, has_server=server is not None, now=request.now)
    return render(request, "web/settings.html", {
        "points": points, "missing": sum(1 for p in points if not p.met and p.needed),
        "ours": {name: getattr(request.profile, name) for name in arrange.FIELDS} | (values or {}), "wrong": wrong or {},
        "zones": sorted(arrange.available_timezones()), "languages": arrange.LANGUAGES, "stopped": request.profile.stopped_at,
        "mail": _form(registry.channels()["email"].fields, server), "mailbox": _form(registry.doors()["mailbox"].fields, inbox.shown()),
        "secrets": secret.kept(), "sample": sample, "organisation_fields": FIELDS,
    }, status=status)


def _form(fields: Any, kept: dict[str, Any] | None) -> list[dict[str, Any]]:
    """The fields of a channel or door with what is saved; a secret shows only whether there is one."""
    rows = []
    for field in fields:
        value = (kept or {}).get(field.name, field.default)
        value = ("yes" if value else "no") if isinstance(value, bool) else str(value or "")
        has = field.secret and bool((kept or {}).get("has_password"))
        rows.append({"field": field, "value": "" if field.secret else value, "has": has})
    return rows


def _go_live(request: Request) -> Any:
    def act(**who: Any) -> None:
        points = ready.to_go_live(ours=request.profile, has_server=outgoing.stored() is not None, now=request.now)
        missing = [p.says for p in points if p.needed and not p.met]
        if missing:
            raise switch.NotReady(f"not yet, this is missing: {'; '.join(missing)}")
        switch.go_live(**who)

    return act


def _thaw(request: Request) -> Any:
    reason = asked.text(request.POST, "reason", longest=500) or "checked against the sources"
    return lambda *, actor, now: switch.thaw(actor=actor, now=now, reason=reason)


def _home(request: Request) -> str:
    # Whoever may stop may not always see Settings.
    return reverse("settings" if request.membership.role in ("owner", "admin") else "overview")
