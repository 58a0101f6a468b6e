"""The sample's own pages are the sample's alone: a real organisation's time is not moved and nothing of it is deleted."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse

from tests.conftest import NOW
from tests.faces.reading import told, words
from tests.stages import builders
from tieout.core.evidence import Actor
from tieout.faces.web.aside import outside
from tieout.flow import send
from tieout.rehearsal import catcher, demo
from tieout.stages.base import switch, walls
from tieout.stages.base.models import Organisation, Profile
from tieout.stages.dialogue.models import Hold, Reply
from tieout.stages.outreach import approve, draft, mailbox, sending
from tieout.stages.outreach.models import Message

Browser = Any
ADA = Actor("person", "Ada", None)


def test_a_real_organisation_keeps_its_days_and_its_rows(organisation: uuid.UUID, owner: Browser) -> None:
    assert "This organisation is real" in words(owner.get(reverse("demo")))
    assert owner.post(reverse("demo_advance"), {"days": "1"}).status_code == 404
    assert owner.post(reverse("demo_delete")).status_code == 404
    with walls.inside(organisation):
        assert Profile.objects.get().clock_offset_days == 0
    assert "Nothing was sent yet" in words(owner.get(reverse("catcher")))


@pytest.mark.parametrize("role", ["collector", "auditor"])
def test_deleting_the_sample_is_not_everybodys(organisation: uuid.UUID, sign_in: Callable[..., Browser], role: str) -> None:
    Organisation.objects.filter(pk=organisation).update(is_demo=True)
    assert sign_in(role).post(reverse("demo_delete")).status_code == 403
    assert Organisation.objects.filter(pk=organisation).exists()


@pytest.mark.parametrize("days", ["0", "-1", "32", "x", "", "2"])
def test_only_the_offered_steps_are_taken(organisation: uuid.UUID, owner: Browser, days: str) -> None:
    Organisation.objects.filter(pk=organisation).update(is_demo=True)
    assert owner.post(reverse("demo_advance"), {"days": days}).status_code == 404


def test_the_days_are_lived_outside_the_requests_transaction(
    organisation: uuid.UUID, owner: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    Organisation.objects.filter(pk=organisation).update(is_demo=True)
    seen: list[tuple[uuid.UUID, int, bool]] = []

    def lived(organisation_id: uuid.UUID, days: int) -> demo.Lived:
        with pytest.raises(walls.NoOrganisation):
            walls.current()
        from django.db import connection

        seen.append((organisation_id, days, connection.in_atomic_block))
        return demo.Lived(days=days, sent=2, answers=1)

    monkeypatch.setattr(demo, "advance", lived)
    assert "7 days went by: 2 letters left, 1 answer came" in told(owner.post(reverse("demo_advance"), {"days": "7"}, follow=True))
    assert seen == [(organisation, 7, False)]

    def busy(*_: object) -> None:
        raise demo.Busy("its days are being lived already; try again in a moment")

    monkeypatch.setattr(demo, "advance", busy)
    assert "Its days are being lived already" in told(owner.post(reverse("demo_advance"), {"days": "1"}, follow=True))


def test_what_goes_wrong_aside_is_told_here() -> None:
    assert outside(lambda: 42) == 42
    with pytest.raises(ZeroDivisionError):
        outside(lambda: 1 // 0)


def test_a_caught_letter_is_read_and_answered_as_the_debtor(organisation: uuid.UUID, owner: Browser, tmp_path: Path) -> None:
    Organisation.objects.filter(pk=organisation).update(is_demo=True)
    with walls.inside(organisation):
        debtor = builders.customer("Calder & <b>Sons</b>")
        owed = builders.invoice(debtor, "120.00", "2026-05-01", number="CA-1")
        switch.go_live(actor=ADA, now=NOW)
        letter = draft.by_hand(customer=debtor, document_ids=[owed.pk], tone="friendly", actor=ADA, now=NOW)
        assert isinstance(letter, Message)
        approve.message(message=letter, actor=ADA, now=NOW)
        mailbox.configure(settings=catcher.mailbox(tmp_path / "answers"), actor=ADA, now=NOW)
    with catcher.running(tmp_path / "letters") as server:
        with walls.inside(organisation):
            sending.configure(settings=catcher.settings(tmp_path / "letters", server.port), actor=ADA, now=NOW)
            mailbox.Connection.objects.filter(kind="mailbox").update(last_success_at=NOW)
        send.run(organisation)
    page = owner.get(reverse("catcher"))
    assert "CA-1" in words(page)
    assert "<b>Sons" not in page.content.decode()
    [caught] = catcher.listed(tmp_path / "letters", organisation_id=organisation)
    answered = owner.post(reverse("catcher_reply"), {"file": caught.file, "text": "We paid this yesterday."}, follow=True)
    assert "came in through the mailbox" in told(answered)
    with walls.inside(organisation):
        assert Reply.objects.get().text == "We paid this yesterday."
        assert Hold.objects.get(released_at__isnull=True).reason == "reply_open"
    assert owner.post(reverse("catcher_reply"), {"file": "../../etc/passwd", "text": "x"}).status_code == 404
