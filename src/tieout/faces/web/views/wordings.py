"""The words of our letters: the text per tone and language, changed with the letter it makes beside it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from tieout.core.evidence import Refused
from tieout.faces.web.answer import actor_of
from tieout.faces.web.asked import Request
from tieout.faces.web.may import may, may_post
from tieout.stages.outreach import wording, words


@may("view")
def page(request: Request) -> HttpResponse:
    """Every wording; the one of the address in the editor."""
    every = wording.in_force()
    tone, language = request.GET.get("tone", ""), request.GET.get("language", "")
    chosen = every.get((tone, language)) or next(iter(every.values()))
    return _page(request, every, chosen.tone, chosen.language, chosen.subject, chosen.body)


@may_post("view")
def preview(request: Request) -> HttpResponse:
    """The letter that the text in the editor makes; nothing is saved."""
    subject, body = _text(request, "subject"), _text(request, "body")
    return render(request, "web/_wording_preview.html", _made(subject, body))


@may_post("settings")
def save(request: Request) -> HttpResponse:
    """Put a text in force; refused where it could not be rendered for the worst customer there is."""
    tone, language = request.POST.get("tone", ""), request.POST.get("language", "")
    subject, body = _text(request, "subject"), _text(request, "body")
    saved = wording.save(tone=tone, language=language, subject=subject, body=body, actor=actor_of(request), now=request.now)
    if isinstance(saved, Refused):
        messages.error(request, f"Not saved: {saved.reason}.")
        return _page(request, wording.in_force(), tone, language, subject, body, status=422)
    messages.success(request, f"Version {saved.version} is in force for every letter that nobody has edited, drafted ones included.")
    return redirect(f"{reverse('wordings')}?tone={tone}&language={language}")


def _page(
    request: Request, every: dict[tuple[str, str], wording.Words], tone: str, language: str, subject: str, body: str, status: int = 200
) -> HttpResponse:
    return render(request, "web/wordings.html", {
        "every": list(every.values()), "tone": tone, "language": language, "subject": subject, "body": body, "facts": words.FACTS,
        "required": words.REQUIRED, "version": every[tone, language].version if (tone, language) in every else 0, **_made(subject, body),
    }, status=status)


def _made(subject: str, body: str) -> dict[str, Any]:
    made = wording.preview(subject=subject, body=body)
    return {"refused": made.reason} if isinstance(made, Refused) else {"letter": made}


def _text(request: Request, name: str) -> str:
    return request.POST.get(name, "").replace("\x00", "").replace("\r\n", "\n")[:40_000]
