"""What a person hears after an act: done, or refused with the reason, and back to where they were."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme

from tieout.core.evidence import Actor


def actor_of(request: HttpRequest) -> Actor:
    """The signed-in person as the actor of a verb."""
    person: Any = request.user
    return Actor("person", person.get_short_name(), int(person.pk))


def back(request: HttpRequest, otherwise: str) -> HttpResponse:
    """To the page the form named in `next` (ours only), else to `otherwise`."""
    wanted = request.POST.get("next", "")
    if wanted and url_has_allowed_host_and_scheme(wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()):
        return redirect(wanted)
    return redirect(otherwise)


def attempt(
    request: HttpRequest, act: Callable[[], Any], *, done: str, to: str, refusals: tuple[type[Exception], ...] = (ValueError,)
) -> HttpResponse:
    """Do `act` in a savepoint and say how it went. A refusal, returned or raised, changes nothing and is told in words."""
    try:
        with transaction.atomic():
            result = act()
            reason = refusal(result)
            if reason:
                transaction.set_rollback(True)
    except refusals as error:
        reason = str(error)
    if reason:
        messages.error(request, reason[:1].upper() + reason[1:])
    else:
        messages.success(request, done)
    return back(request, to)


def refusal(result: Any) -> str:
    """The reason where a verb answered with a `Refused` value, else nothing."""
    return str(result.reason) if type(result).__name__ == "Refused" else ""
