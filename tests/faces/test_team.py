"""The team page: invite by a link to hand over, roles from above, and never a link that opens another organisation's door."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from typing import Any

from django.test import Client
from django.urls import reverse

from tests.conftest import NOW
from tests.faces.conftest import BUDGET, queries
from tests.faces.reading import told, words
from tieout.core.evidence import Actor
from tieout.stages.base import found, walls
from tieout.stages.base.models import Membership, Person

Browser = Any


def _email() -> str:
    return f"cora-{uuid.uuid4().hex[:8]}@marrowlane.example"


def _link(page: Any) -> str:
    hit = re.search(r'<code id="link">([^<]+)</code>', page.content.decode())
    return hit[1].replace("http://testserver", "") if hit else ""


def test_an_invited_person_chooses_a_password_with_the_link_once_and_is_in(organisation: uuid.UUID, owner: Browser) -> None:
    email = _email()
    page = owner.post(reverse("team_invite"), {"email": email, "name": "Cora", "role": "collector"}, follow=True)
    assert f"{email} is in the team" in told(page)
    link = _link(page)
    guest = Client()
    form = guest.get(link, follow=True)
    assert form.status_code == 200
    chosen = {"password1": "green horses 27 sing", "password2": "green horses 27 sing"}
    done = guest.post(form.redirect_chain[-1][0], chosen)
    assert done.status_code == 302
    assert Person.objects.get(email=email).check_password("green horses 27 sing")
    again = Client().get(link, follow=True)
    assert 'name="password1"' not in again.content.decode(), "the link works once"
    visitor = Client()
    visitor.force_login(Person.objects.get(email=email), backend="allauth.account.auth_backends.AuthenticationBackend")
    assert visitor.get(reverse("cash")).status_code == 200
    assert visitor.get(reverse("team")).status_code == 403


def test_the_link_is_shown_again_only_while_it_is_needed(organisation: uuid.UUID, owner: Browser) -> None:
    email = _email()
    owner.post(reverse("team_invite"), {"email": email, "role": "auditor"})
    person = Person.objects.get(email=email)
    assert _link(owner.post(reverse("team_link", args=[person.pk])))
    person.set_password("green horses 27 sing")
    person.save()
    page = owner.post(reverse("team_link", args=[person.pk]))
    assert not _link(page)
    assert "has a password already" in words(page)


def test_no_link_is_made_for_somebody_of_another_organisation(organisation: uuid.UUID, owner: Browser) -> None:
    other = found.organisation(
        name="Zanzibar", country="DE", time_zone="UTC", base_currency="EUR", language="en", sender_name="", sender_address="", now=NOW)
    with walls.inside(other):
        stranger = found.person(email=_email(), name="Zoe", password=None)
        found.member(person=stranger, role="owner", actor=Actor("machine", "test"), now=NOW)
    page = owner.post(reverse("team_invite"), {"email": stranger.email, "role": "collector"}, follow=True)
    assert "cannot be invited from here" in told(page)
    assert "Zanzibar" not in page.content.decode()
    assert owner.post(reverse("team_link", args=[stranger.pk])).status_code == 404
    with walls.inside(organisation):
        assert not Membership.objects.filter(person=stranger).exists()


def test_roles_change_from_above_and_the_last_owner_stays(organisation: uuid.UUID, sign_in: Callable[..., Browser]) -> None:
    owner, admin = sign_in("owner"), sign_in("admin")
    with walls.inside(organisation):
        boss = Membership.objects.get(role="owner").person_id
        second = Membership.objects.get(role="admin").person_id
    with queries() as asked:
        page = admin.get(reverse("team"))
    assert len(asked) <= BUDGET
    assert 'value="owner"' not in page.content.decode()
    assert "only an owner" in told(admin.post(reverse("team_role", args=[boss]), {"role": "auditor"}, follow=True)).lower()
    assert "only an owner" in told(admin.post(reverse("team_role", args=[second]), {"role": "owner"}, follow=True)).lower()
    assert "last owner" in told(owner.post(reverse("team_remove", args=[boss]), follow=True))
    owner.post(reverse("team_role", args=[second]), {"role": "auditor"})
    assert admin.get(reverse("team")).status_code == 403
    owner.post(reverse("team_remove", args=[second]))
    assert admin.get(reverse("overview")).status_code == 403


def test_the_page_says_what_each_role_may_do(organisation: uuid.UUID, owner: Browser) -> None:
    said = words(owner.get(reverse("team")))
    assert "Write off" in said
    assert "Imports, applies cash, talks to customers, drafts messages" in said
