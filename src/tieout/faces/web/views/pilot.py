"""Pilot and go-live of a connected system: choose invoices, see them travel without anything being written, tick off, go live."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from tieout.adapters.ports import registry
from tieout.core.money import minor_text
from tieout.faces.web import asked
from tieout.faces.web.answer import actor_of
from tieout.faces.web.asked import Request
from tieout.faces.web.may import may, may_post
from tieout.flow import clock, connecting, consent, jobs
from tieout.flow import pilot as rehearsal
from tieout.stages.base import permit
from tieout.stages.health import piloted
from tieout.stages.intake.models import Connection
from tieout.stages.writeback import pilot

_LONGEST = 2_000


@may("view")
def page(request: Request, connection_id: int) -> HttpResponse:
    """The checklist, what to run, and what the last run met."""
    connection = _system(connection_id)
    runs = pilot.runs(connection_id=connection.pk)
    points = piloted.points(connection=connection, runs=runs, consent_ended=_ended(connection), now=request.now)
    connector = registry.connectors().get(connection.vendor)
    last = runs[0] if runs else None
    told = [entry for one in (last.results if last else ()) for there in one["there"] for entry in there["told"]]
    for entry in told:
        entry["facts"] = _facts(entry["body"], str(entry["body"].get("currency") or ""))
    return render(request, "web/pilot.html", {
        "connection": connection, "points": points, "missing": sum(not one.met for one in points), "runs": runs,
        "last": last, "usual": pilot.USUAL, "most": pilot.MOST, "title": connector.manifest.title if connector else "",
    })  # fmt: skip


@may_post("connect")
def run(request: Request, connection_id: int) -> HttpResponse:
    """Let the chosen invoices travel, by a worker."""
    connection = _system(connection_id)
    numbers = re.split(r"[\s,;]+", asked.text(request.POST, "numbers", longest=_LONGEST))
    try:
        started = rehearsal.ask(request.organisation_id, connection.pk, numbers=numbers, actor=actor_of(request))
    except pilot.NothingToShow as error:
        messages.error(request, f"Not run: {error}.")
        return redirect("system_pilot", connection_id=connection.pk)
    jobs.later(jobs.pilot_run, organisation=request.organisation_id, lock=f"pilot-{connection.pk}", run=started)
    messages.success(request, "The pilot is on its way; nothing is written anywhere. Look again in a moment.")
    return redirect("system_pilot", connection_id=connection.pk)


@may_post("vouch")
def confirm(request: Request, connection_id: int) -> HttpResponse:
    """An owner has looked at the last run."""
    connection = _system(connection_id)
    try:
        pilot.confirm(connection=connection, actor=actor_of(request), now=request.now)
        messages.success(request, "Confirmed.")
    except pilot.NotYetRun as error:
        messages.error(request, f"Not confirmed: {error}.")
    return redirect("system_pilot", connection_id=connection.pk)


@may_post("connect")
def live(request: Request, connection_id: int) -> HttpResponse:
    """From now on it is written to as well: once everything holds, or where an owner says why not to wait for it."""
    connection = _system(connection_id)
    missing = piloted.missing(connection=connection, consent_ended=_ended(connection), now=request.now)
    reason = asked.text(request.POST, "reason", longest=500)
    if missing and not (reason and permit.allowed(request.membership.role, "vouch")):
        why = "an owner may go live all the same, with a reason" if not reason else "only an owner may go live all the same"
        messages.error(request, f"Not yet live, this is missing: {', '.join(missing).lower()}. Put it right, or: {why}.")
        return redirect("system_pilot", connection_id=connection.pk)
    lines = connecting.go_live(request.organisation_id, connection.pk, actor=actor_of(request), reason=reason if missing else "", missing=missing)
    added = f" {lines} lines were added to the map." if lines else ""
    messages.success(request, f"{connection.name} is live.{added}")
    return redirect("connection", connection_id=connection.pk)


def _facts(body: Mapping[str, Any], currency: str) -> list[tuple[str, str]]:
    """A command as a person reads it: amounts as amounts, parts one after the other."""
    told = []
    for name, value in body.items():
        if value in (None, "", []):
            continue
        if isinstance(value, list):
            value = "; ".join(", ".join(f"{key} {text}" for key, text in _facts(one, str(one.get("currency") or currency))) for one in value)
        elif name.endswith("_minor") and currency:
            name, value = name.removesuffix("_minor"), f"{minor_text(int(value), currency)} {currency}"
        told.append((name.replace("_", " ").capitalize(), str(value)))
    return told


def _ended(connection: Connection) -> bool:
    found = consent.ends(connection.account, now=clock.real_now())
    return found is not None and not found.days


def _system(connection_id: int) -> Connection:
    found: Connection = get_object_or_404(Connection.objects, pk=connection_id, kind="system")
    return found
