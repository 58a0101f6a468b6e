"""Who is told of what: one's own mailbox, Slack, any address that takes JSON; kind by kind."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from tieout.adapters.ports import posting, registry
from tieout.core.evidence import Refused
from tieout.faces.web import asked
from tieout.faces.web.answer import actor_of
from tieout.faces.web.asked import Request
from tieout.faces.web.may import may, may_post
from tieout.flow import alarm
from tieout.stages.base import queries as base
from tieout.stages.base.models import Person
from tieout.stages.health import address, queries
from tieout.stages.health.models import AlertChannel
from tieout.stages.outreach import sending

_STAYS = "a demo stays on this machine: give an address that begins with http://127.0.0.1, or found an organisation of your own"


@may("settings")
def page(request: Request) -> HttpResponse:
    """Kinds down, channels across."""
    return _page(request)


@may_post("settings")
def by_mail(request: Request) -> HttpResponse:
    """Whether the person who asks wants alerts by e-mail."""
    wanted = request.POST.get("wanted") == "yes"
    address.by_mail(person=_me(request), wanted=wanted, actor=actor_of(request), now=request.now)
    messages.success(request, f"Alerts are mailed to {_me(request).email}." if wanted else "No alerts are mailed to you any more.")
    return redirect("alert_settings")


@may_post("settings")
def choose(request: Request) -> HttpResponse:
    """What each channel is told; a person's own mailbox is theirs alone to change."""
    for channel in queries.channels():
        if f"shown-{channel.pk}" in request.POST and _mine(request, channel):
            wanted = [kind for kind in address.kinds() if request.POST.get(f"{channel.pk}:{kind}") == "yes"]
            address.choose(channel=channel, wanted=wanted, actor=actor_of(request), now=request.now)
    messages.success(request, "Saved.")
    return redirect("alert_settings")


@may_post("settings")
def add(request: Request) -> HttpResponse:
    """A new address."""
    vendor = asked.text(request.POST, "vendor", longest=32)
    given = {name: asked.text(request.POST, name, longest=2_000) for name in ("address", "secret")}
    name = asked.text(request.POST, "name", longest=200)
    if base.is_demo() and not posting.stays_here(given["address"]):
        return _page(request, vendor, name, _STAYS)
    made = address.add(vendor=vendor, name=name, given=given, actor=actor_of(request), now=request.now)
    if isinstance(made, Refused):
        return _page(request, vendor, name, made.reason)
    messages.success(request, f"{made.name} is told from now on. Send it a test to see that it arrives.")
    return redirect("alert_settings")


@may_post("settings")
def test(request: Request, channel_id: int) -> HttpResponse:
    """Send it a test, and say how that went."""
    channel = _channel(request, channel_id)
    wrong = alarm.test(request.organisation_id, channel.pk)
    if wrong:
        messages.error(request, f"The test did not arrive at {channel.name}: {wrong}.")
    else:
        messages.success(request, f"The test arrived at {channel.name}.")
    return redirect("alert_settings")


@may_post("settings")
def remove(request: Request, channel_id: int) -> HttpResponse:
    """Tell it nothing any more."""
    channel = _channel(request, channel_id)
    address.remove(channel=channel, actor=actor_of(request), now=request.now)
    messages.success(request, f"{channel.name} is told nothing any more; its address is forgotten.")
    return redirect("alert_settings")


def _page(request: Request, vendor: str = "", name: str = "", wrong: str = "") -> HttpResponse:
    channels = queries.channels()
    mine = next((one for one in channels if one.person_id == request.user.pk), None)
    rows = [
        (title, [(one, f"{one.pk}:{kind}", kind not in one.without, _mine(request, one)) for one in channels])
        for kind, title in address.kinds().items()
    ]
    vendors = [(registry.channels()[one], registry.channels()[one].fields) for one in address.VENDORS]
    return render(request, "web/alert_settings.html", {
        "channels": [(one, _mine(request, one)) for one in channels], "mine": mine, "rows": rows, "vendors": vendors, "vendor": vendor, "name": name,
        "wrong": wrong, "has_server": sending.shown() is not None, "me": _me(request),
    }, status=422 if wrong else 200)  # fmt: skip


def _channel(request: Request, channel_id: int) -> AlertChannel:
    found: AlertChannel = get_object_or_404(AlertChannel.objects.filter(removed_at__isnull=True), pk=channel_id)
    return found


def _mine(request: Request, channel: AlertChannel) -> bool:
    return channel.person_id is None or channel.person_id == request.user.pk


def _me(request: Request) -> Any:
    person: Person = request.user  # type: ignore[assignment]
    return person
