"""Settings and policy: going live needs its list, anybody may stop, secrets go in and never come out, a wrong policy names its line."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse

from tests.conftest import NOW
from tests.faces.conftest import BUDGET, queries
from tests.faces.reading import told, words
from tests.stages import builders
from tieout.core.policy import packs
from tieout.stages.base import queries as base
from tieout.stages.base import secret, walls
from tieout.stages.base.models import AuditEntry, Organisation
from tieout.stages.collect.models import Policy
from tieout.stages.intake.models import Connection
from tieout.stages.outreach import sending

Browser = Any
SERVER = {"host": "smtp.example", "port": "587", "security": "starttls", "user": "ar", "password": "hunter2-and-more", "plus_addressing": "yes"}
BOX = {"host": "imap.example", "port": "993", "security": "tls", "user": "ar", "password": "another-secret", "folder": "INBOX"}


def _mode(organisation: uuid.UUID) -> str:
    with walls.inside(organisation):
        return base.sending_mode()[0]


def test_going_live_needs_a_sender_and_says_what_is_missing(organisation: uuid.UUID, owner: Browser) -> None:
    with queries() as asked:
        page = owner.get(reverse("settings"))
    assert len(asked) <= BUDGET
    said = words(page)
    assert "A mail server that letters leave through needed" in said
    assert "Invoices in the ledger needed" in said
    assert 'value="live" disabled' in page.content.decode()
    owner.post(reverse("settings_organisation"), {"sender_address": ""})
    assert "A sender" in told(owner.post(reverse("settings_mode"), {"to": "live"}, follow=True))
    assert _mode(organisation) == "shadow"


def test_the_list_is_met_and_live_is_left_again(organisation: uuid.UUID, owner: Browser) -> None:
    with walls.inside(organisation):
        builders.invoice(builders.customer())
    owner.post(reverse("settings_mail"), SERVER)
    assert 'value="live" disabled' not in owner.get(reverse("settings")).content.decode()
    assert "Live" in told(owner.post(reverse("settings_mode"), {"to": "live"}, follow=True))
    assert _mode(organisation) == "live"
    owner.post(reverse("settings_mode"), {"to": "shadow"})
    assert _mode(organisation) == "shadow"


def test_live_is_refused_by_the_page_too_while_something_needed_is_missing(organisation: uuid.UUID, owner: Browser) -> None:
    page = owner.post(reverse("settings_mode"), {"to": "live"}, follow=True)
    assert "mail server" in told(page)
    assert _mode(organisation) == "shadow"


@pytest.mark.parametrize("role", ["collector", "approver"])
def test_whoever_sees_it_go_wrong_may_stop_it_and_only_settings_start_it_again(
    organisation: uuid.UUID, sign_in: Callable[..., Browser], role: str
) -> None:
    browser = sign_in(role)
    page = browser.post(reverse("settings_stop"), {"reason": "wrong figures"}, follow=True)
    assert page.status_code == 200
    assert "Stopped" in told(page)
    assert "wrong figures" in words(page)
    assert _mode(organisation) == "stopped"
    assert browser.post(reverse("settings_resume")).status_code == 403
    sign_in("admin").post(reverse("settings_resume"))
    assert _mode(organisation) == "shadow"


def test_a_restored_system_is_thawed_by_a_person_with_a_word(organisation: uuid.UUID, owner: Browser) -> None:
    with walls.inside(organisation):
        ours = base.profile()
        ours.frozen_at, ours.frozen_reason = NOW, "restored from Tuesday"
        ours.save()
    assert "restored from Tuesday" in words(owner.get(reverse("settings")))
    owner.post(reverse("settings_mode"), {"to": "thaw", "reason": "balances agree with the bank"})
    assert _mode(organisation) == "shadow"
    with walls.inside(organisation):
        assert AuditEntry.objects.get(action="sending.thaw").reason == "balances agree with the bank"


def test_secrets_go_in_and_never_come_out(organisation: uuid.UUID, owner: Browser) -> None:
    assert "saved" in told(owner.post(reverse("settings_mail"), SERVER, follow=True))
    assert "saved" in told(owner.post(reverse("settings_mailbox"), BOX, follow=True))
    owner.post(reverse("settings_mail"), {**SERVER, "password": "", "user": "other"})
    page = owner.get(reverse("settings")).content.decode()
    for hidden in ("hunter2-and-more", "another-secret"):
        assert hidden not in page
    assert "stored; type to replace" in page
    assert "smtp.example" in page
    with walls.inside(organisation):
        kept = sending.stored()
        assert kept is not None
        assert (kept["password"], kept["user"]) == ("hunter2-and-more", "other")
        assert "password" not in Connection.objects.get(kind="mailbox").settings
        assert all("hunter2" not in str(e.detail) for e in AuditEntry.objects.all())


def test_a_new_key_seals_what_is_stored_and_it_still_opens(organisation: uuid.UUID, owner: Browser) -> None:
    owner.post(reverse("settings_mail"), SERVER)
    with walls.inside(organisation):
        before = secret.Secret.objects.get().key_id
    assert "1 stored secret sealed" in told(owner.post(reverse("settings_keys"), follow=True))
    with walls.inside(organisation):
        assert secret.Secret.objects.get().key_id != before
        assert (sending.stored() or {})["password"] == "hunter2-and-more"


@pytest.mark.parametrize(("values", "says"), [
    pytest.param({"host": ""}, "host", id="no server"),
    pytest.param({"port": "99999"}, "does not exist", id="a port that cannot be"),
    pytest.param({"security": "none"}, "open line", id="a password over an open line"),
])
def test_a_mail_server_that_cannot_work_is_refused(organisation: uuid.UUID, owner: Browser, values: dict[str, str], says: str) -> None:
    assert says in told(owner.post(reverse("settings_mail"), {**SERVER, **values}, follow=True))
    with walls.inside(organisation):
        assert sending.stored() is None


def test_a_demos_mail_stays_on_this_machine(organisation: uuid.UUID, owner: Browser) -> None:
    Organisation.objects.filter(pk=organisation).update(is_demo=True)
    for name, values in (("settings_mail", SERVER), ("settings_mailbox", BOX)):
        assert "stays on this machine" in told(owner.post(reverse(name), values, follow=True))
    with walls.inside(organisation):
        assert sending.stored() is None


def test_particulars_are_saved_or_refused_beside_their_field(organisation: uuid.UUID, owner: Browser) -> None:
    page = owner.post(reverse("settings_organisation"), {"name": "<i>Ours</i>", "time_zone": "Berlin"})
    assert page.status_code == 422
    assert "'Berlin' is not a time zone" in words(page)
    assert "<i>Ours" not in page.content.decode()
    owner.post(reverse("settings_organisation"), {"name": "Ours & Co", "time_zone": "Europe/Paris", "base_currency": "chf"})
    with walls.inside(organisation):
        ours = base.profile()
        assert (ours.name, ours.time_zone, ours.base_currency) == ("Ours & Co", "Europe/Paris", "CHF")


def test_the_policy_in_force_is_shown_with_its_ladder_and_its_cases(organisation: uuid.UUID, sign_in: Callable[..., Browser]) -> None:
    browser = sign_in("auditor")
    with queries() as asked:
        page = browser.get(reverse("policy"))
    assert len(asked) <= BUDGET
    said = words(page)
    assert "The policy that comes with Tieout, in force" in said
    assert "A low-risk customer a week late gets a polite mail" in said
    assert "hold" in said
    assert "Save and put in force" not in said


def test_a_wrong_policy_names_line_path_and_cause_and_keeps_what_was_typed(organisation: uuid.UUID, owner: Browser) -> None:
    text = packs.pack_text("default").replace("tone: friendly}", "tone: frendly}", 1)
    line = next(i for i, row in enumerate(text.splitlines(), 1) if "frendly" in row)
    page = owner.post(reverse("policy_save"), {"text": text})
    assert page.status_code == 422
    assert f"line {line}:" in words(page)
    assert "did you mean friendly" in words(page)
    assert "frendly" in page.content.decode()
    part = owner.post(reverse("policy_check"), {"text": text}, headers={"HX-Request": "true"})
    assert "did you mean friendly" in words(part)
    assert "<html" not in part.content.decode()
    with walls.inside(organisation):
        assert not Policy.objects.exists()


def test_a_policy_whose_own_case_does_not_hold_is_not_put_in_force(organisation: uuid.UUID, owner: Browser) -> None:
    text = packs.pack_text("default").replace("{step: friendly, days: 7,", "{step: friendly, days: 12,")
    page = owner.post(reverse("policy_save"), {"text": text})
    assert page.status_code == 422
    assert "do not hold" in words(page)
    with walls.inside(organisation):
        assert not Policy.objects.exists()


def test_a_policy_is_saved_as_a_version_and_an_older_one_looked_at(organisation: uuid.UUID, sign_in: Callable[..., Browser]) -> None:
    browser = sign_in("admin")
    text = packs.pack_text("default").replace("name: Default", "name: Ours <b>")
    assert "Version 1 is in force" in told(browser.post(reverse("policy_save"), {"text": text}, follow=True))
    browser.post(reverse("policy_save"), {"text": text.replace("Ours <b>", "Second")})
    page = browser.get(reverse("policy") + "?version=1")
    assert "This is version 1" in words(page)
    assert "Ours <b>" in words(page)
    assert "Ours <b>" not in page.content.decode()
    assert sign_in("collector").post(reverse("policy_save"), {"text": text}).status_code == 403
