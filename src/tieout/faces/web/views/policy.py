"""The dunning policy: its text, what is wrong with it at which line, its own cases, and every version there was."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from tieout.core.policy import cases
from tieout.core.policy.language import Policy, read_policy
from tieout.core.policy.schema import PolicyInvalid
from tieout.faces.web import asked
from tieout.faces.web.answer import actor_of
from tieout.faces.web.asked import Request
from tieout.faces.web.may import may, may_post
from tieout.stages.collect import policy, queries

_LONGEST = 500_000


@may("view")
def page(request: Request) -> HttpResponse:
    """The policy in force (or an older version to look at), its ladder, its cases and the versions before it."""
    versions = queries.policies()
    wanted = asked.number(request.GET, "version")
    chosen = next((v for v in versions if v.version == wanted), None) if wanted is not None else None
    text, in_force = policy.text_in_force()
    text = chosen.text if chosen else text
    return render(request, "web/policy.html", {"text": text, "chosen": chosen, "in_force": in_force, "versions": versions, **_judged(text)})


@may_post("view")
def check(request: Request) -> HttpResponse:
    """What is wrong with a text, or how its cases fare; nothing is saved."""
    text = _text(request)
    if request.headers.get("HX-Request"):
        return render(request, "web/_policy_result.html", dict(_judged(text)))
    return _unsaved(request, text, 200)


@may_post("policy")
def save(request: Request) -> HttpResponse:
    """A new version, in force from now on; refused with every line that is wrong and every case that does not hold."""
    text = _text(request)
    saved = policy.save(text=text, actor=actor_of(request), now=request.now)
    if isinstance(saved, policy.PolicyRefused):
        messages.error(request, "Not saved: the policy in force stays as it was. What is wrong stands beside the text.")
        return _unsaved(request, text, 422)
    messages.success(request, f"Version {saved.version} is in force from the next plan on.")
    return redirect("policy")


def _unsaved(request: Request, text: str, status: int) -> HttpResponse:
    values = {"text": text, "chosen": None, "in_force": policy.text_in_force()[1], "versions": queries.policies(), "unsaved": True, **_judged(text)}
    return render(request, "web/policy.html", values, status=status)


def _text(request: Request) -> str:
    return request.POST.get("text", "").replace("\x00", "").replace("\r\n", "\n")[:_LONGEST]


@lru_cache(maxsize=16)
def _judged(text: str) -> dict[str, Any]:
    """Problems, or the policy read with its cases run."""
    try:
        read: Policy = read_policy(text)
    except PolicyInvalid as error:
        return {"problems": error.problems, "policy": None, "results": (), "failed": 0}
    results = cases.run_cases(read)
    return {"problems": (), "policy": read, "results": results, "failed": sum(bool(r.differences) for r in results)}
