"""Who works here: invite, roles, removal. An invitation is a link to hand over; nothing is mailed behind one's back."""

from __future__ import annotations

from typing import Any

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from tieout.faces.web.answer import actor_of, attempt
from tieout.faces.web.asked import Request
from tieout.faces.web.may import may, may_post
from tieout.stages.base import permit, queries, team
from tieout.stages.base.models import Membership, Person

#: What each role is for, in the words of the people who choose one.
ROLES: dict[str, str] = {
    "owner": "Everything, owners included",
    "admin": "Everything but owners: connections, policy, settings, team",
    "collector": "Imports, applies cash, talks to customers, drafts messages",
    "approver": "Approves messages and write-offs",
    "auditor": "Reads everything and the audit log, changes nothing",
}


@may("team")
def page(request: Request) -> HttpResponse:
    """The team, what each role may do, and the form that invites."""
    return _page(request)


@may_post("team")
def invite(request: Request) -> HttpResponse:
    """Give somebody a place; the page then shows the link with which they choose a password, if they need one."""
    try:
        invited = team.invite(
            email=request.POST.get("email", ""), name=request.POST.get("name", ""), role=request.POST.get("role", ""),
            granted_by=_role(request), actor=actor_of(request), now=request.now,
        )
    except team.NotAllowed as error:
        messages.error(request, _sentence(error))
        return redirect("team")
    messages.success(request, f"{invited.email} is in the team.")
    return _page(request, link_for=invited.person_id if invited.needs_password else None)


@may_post("team")
def link(request: Request, person_id: int) -> HttpResponse:
    """The invitation link again, for somebody of this team who has not chosen a password yet."""
    return _page(request, link_for=person_id)


@may_post("team")
def role(request: Request, person_id: int) -> HttpResponse:
    """Give a member another role."""
    wanted = request.POST.get("role", "")
    return attempt(
        request,
        lambda: team.change_role(
            person_id=person_id, role=wanted, granted_by=_role(request), actor=actor_of(request), now=request.now),
        done=f"The role is now {wanted}.", to=reverse("team"), refusals=(team.NotAllowed,),
    )


@may_post("team")
def remove(request: Request, person_id: int) -> HttpResponse:
    """End a membership."""
    return attempt(
        request,
        lambda: team.remove(person_id=person_id, granted_by=_role(request), actor=actor_of(request), now=request.now),
        done="Removed from the team. Inviting them again brings them back.", to=reverse("team"), refusals=(team.NotAllowed,),
    )


def _page(request: Request, link_for: int | None = None) -> HttpResponse:
    colleagues = queries.team()
    values: dict[str, Any] = {"colleagues": colleagues, "roles": _grantable(request), "acts": _acts(), "me": request.user.pk}
    if link_for is not None:
        if link_for not in {c.person_id for c in colleagues}:
            raise Http404
        values["invited"], values["link"] = _invitation(request, link_for)
    return render(request, "web/team.html", values)


def _invitation(request: Request, person_id: int) -> tuple[Person, str]:
    person = Person.objects.get(pk=person_id)
    if not team.may_choose_password(person):
        return person, ""
    key = f"{user_pk_to_url_str(person)}-{default_token_generator.make_token(person)}"
    uid, _, token = key.partition("-")
    return person, request.build_absolute_uri(reverse("account_reset_password_from_key", kwargs={"uidb36": uid, "key": token}))


def _grantable(request: Request) -> list[tuple[str, str, str]]:
    mine = _role(request)
    return [(v, str(label), ROLES[v]) for v, label in Membership.Role.choices if v != "owner" or mine == "owner"]


def _acts() -> list[tuple[str, list[tuple[str, bool]]]]:
    return [(act.replace("_", " "), [(role, role in who) for role in ROLES]) for act, who in permit.ACTS.items()]


def _role(request: Request) -> str:
    return str(request.membership.role)


def _sentence(error: Exception) -> str:
    text = str(error)
    return text[:1].upper() + text[1:]
