"""The page behind the link of every letter: opening it changes nothing, the button and the mail program's one click do."""

from __future__ import annotations

import uuid

import pytest
from django.test import Client

from tests.conftest import NOW
from tests.stages import builders
from tieout.stages.base import found, walls
from tieout.stages.collect.models import Decision
from tieout.stages.dialogue.models import ContactPoint
from tieout.stages.outreach import draft, tokens
from tieout.stages.outreach.models import Message

pytestmark = pytest.mark.database


@pytest.fixture
def letter(organisation: uuid.UUID) -> tuple[uuid.UUID, Message]:
    with walls.inside(organisation):
        owner = builders.customer(email="accounts@brightwater.example")
        bill = builders.invoice(owner)
        wanted = Decision.objects.create(
            customer=owner, day=NOW.date(), step="friendly", channel="email", tone="friendly", outcome="send", document_ids=[bill.pk],
            policy_version=0, decided_at=NOW,
        )  # fmt: skip
        return organisation, Message.objects.get(pk=draft.from_decisions(decisions=[wanted], now=NOW).created[0])


def path(organisation: uuid.UUID, token: str) -> str:
    return f"/o/{tokens.for_link(organisation, token)}/"


def opted_out(organisation: uuid.UUID) -> bool:
    with walls.inside(organisation):
        return ContactPoint.objects.get().opted_out_at is not None


def test_opening_the_link_asks_and_changes_nothing(letter: tuple[uuid.UUID, Message]) -> None:
    organisation, message = letter
    answer = Client().get(path(organisation, message.token))
    assert answer.status_code == 200
    page = answer.content.decode()
    assert "Stop e-mail from Marrow Lane Studio?" in page
    assert "ac…@brightwater.example" in page
    assert "accounts@" not in page
    assert "<form" in page
    assert answer["Referrer-Policy"] == "no-referrer"
    assert "no-store" in answer["Cache-Control"]
    assert not opted_out(organisation)


def test_the_button_ends_it_and_again_is_the_same(letter: tuple[uuid.UUID, Message]) -> None:
    organisation, message = letter
    browser = Client(enforce_csrf_checks=True)
    for _ in range(2):
        answer = browser.post(path(organisation, message.token))
        assert answer.status_code == 200
        assert "will not write to" in answer.content.decode()
    assert opted_out(organisation)
    assert "Done" in browser.get(path(organisation, message.token)).content.decode()


def test_one_click_of_the_mail_program_needs_no_cookie_and_no_page(letter: tuple[uuid.UUID, Message]) -> None:
    organisation, message = letter
    answer = Client(enforce_csrf_checks=True).post(path(organisation, message.token), {"List-Unsubscribe": "One-Click"})
    assert (answer.status_code, answer.content) == (200, b"done\n")
    assert opted_out(organisation)


def test_the_token_opens_only_its_own_organisation(letter: tuple[uuid.UUID, Message]) -> None:
    organisation, message = letter
    other = found.organisation(
        name="Elsewhere", country="DE", time_zone="Europe/Berlin", base_currency="EUR", language="en", sender_name="Elsewhere",
        sender_address="ar@elsewhere.example", now=NOW,
    )  # fmt: skip
    assert Client().post(path(other, message.token)).status_code == 404
    assert Client().post(path(organisation, "0" * 32)).status_code == 404
    assert Client().get("/o/nonsense/").status_code == 404
    assert Client().get(f"/o/{'z' * 64}/").status_code == 404
    assert not opted_out(organisation)


def test_somebody_signed_in_elsewhere_sees_the_same_page(letter: tuple[uuid.UUID, Message]) -> None:
    from tieout.core.evidence import Actor

    organisation, message = letter
    other = found.organisation(
        name="Elsewhere", country="DE", time_zone="Europe/Berlin", base_currency="EUR", language="en", sender_name="Elsewhere",
        sender_address="ar@elsewhere.example", now=NOW,
    )  # fmt: skip
    grace = found.person(email=f"grace-{uuid.uuid4().hex[:8]}@elsewhere.example", name="Grace", password=None)
    with walls.inside(other):
        found.member(person=grace, role="owner", actor=Actor("machine", "test"), now=NOW)
    browser = Client()
    browser.force_login(grace, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert browser.get(path(organisation, message.token)).status_code == 200
    assert browser.post(path(organisation, message.token)).status_code == 200
    assert opted_out(organisation)
