"""Keys of the push API on their page, and a pushed record that was set aside, put right where it stands."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.faces.reading import words
from tieout.stages.base import walls
from tieout.stages.base.models import ApiKey, AuditEntry
from tieout.stages.intake.models import Connection, Envelope, QuarantinedRow
from tieout.stages.ledger.models import Document

Browser = Any
CUSTOMER = {"id": "C-1", "name": "Brightwater GmbH"}
INVOICE = {"id": "I-1", "number": "2026-1", "customer_id": "C-1", "amount": "120.00", "currency": "EUR", "issue_date": "2026-06-01"}


def made(browser: Browser, **fields: str) -> Any:
    return browser.post(reverse("api_key_make"), {"name": "our shop", "connection": "", **fields})


def key_in(page: Any) -> str:
    return str(re.search(r'id="new-key">(tk_[^<]+)<', page.content.decode())[1])  # type: ignore[index]


def push(key: str, what: str, record: Any) -> Any:
    return Client().post(f"/api/v1/{what}", json.dumps(record), content_type="application/json", headers={"Authorization": f"Bearer {key}"})


def test_a_key_is_made_shown_once_used_and_revoked(organisation: uuid.UUID, owner: Browser) -> None:
    assert "No key yet" in words(owner.get(reverse("api_keys")))
    page = made(owner)
    key = key_in(page)
    assert "no-store" in page.headers["Cache-Control"]
    assert push(key, "customers", CUSTOMER).status_code == 200
    shown = owner.get(reverse("api_keys"))
    with walls.inside(organisation):
        row = ApiKey.objects.get()
        assert row.last_used_at is not None
    assert key not in shown.content.decode()
    assert "our shop" in words(shown)
    assert row.prefix in words(shown)
    assert "never" not in words(shown).split("Last used")[1].split("Make a key")[0]
    assert "nobody is let in" in words(owner.post(reverse("api_key_revoke", args=[row.pk]), follow=True))
    assert push(key, "customers", CUSTOMER).status_code == 401
    assert "Not revoked" in words(owner.post(reverse("api_key_revoke", args=[row.pk]), follow=True))
    with walls.inside(organisation):
        assert list(AuditEntry.objects.filter(action__startswith="api_key").values_list("action", flat=True)) == ["api_key.issue", "api_key.revoke"]


def test_a_second_key_of_the_same_system_makes_changing_keys_easy(organisation: uuid.UUID, owner: Browser) -> None:
    first = key_in(made(owner))
    with walls.inside(organisation):
        connection = Connection.objects.get(kind="push")
    assert "Its keys" in words(owner.get(reverse("connection", args=[connection.pk])))
    second = key_in(made(owner, name="our shop, new", connection=str(connection.pk)))
    assert push(first, "customers", CUSTOMER).status_code == push(second, "customers", CUSTOMER).status_code == 200
    with walls.inside(organisation):
        assert Connection.objects.filter(kind="push").count() == 1


@pytest.mark.parametrize(("fields", "says"), [
    ({"name": ""}, "Say what shows the key"),
    ({}, "here is a connection called"),
    ({"connection": "999999999"}, "for no connection that can be pushed to"),
])
def test_what_cannot_be_made_is_told(organisation: uuid.UUID, owner: Browser, fields: dict[str, str], says: str) -> None:
    made(owner)
    page = made(owner, **fields)
    assert page.status_code == 400
    assert says in words(page)
    with walls.inside(organisation):
        assert ApiKey.objects.count() == 1


@pytest.mark.parametrize(("role", "status"), [("admin", 200), ("collector", 403), ("auditor", 403), ("approver", 403)])
def test_only_owner_and_admin_see_and_make_keys(sign_in: Callable[..., Browser], role: str, status: int) -> None:
    browser = sign_in(role)
    assert browser.get(reverse("api_keys")).status_code == status
    assert made(browser).status_code == status


# What was pushed and set aside


@pytest.fixture
def aside(organisation: uuid.UUID, owner: Browser) -> QuarantinedRow:
    key = key_in(made(owner))
    push(key, "customers", CUSTOMER)
    assert push(key, "invoices", {**INVOICE, "amount": "a lot", "lines": [{"description": "Work", "amount": "120.00"}]}).status_code == 422
    with walls.inside(organisation):
        found: QuarantinedRow = QuarantinedRow.objects.get()
        return found


def mended(browser: Browser, row: QuarantinedRow, text: str) -> str:
    return words(browser.post(reverse("quarantine_mend", args=[row.pk]), {"record": text}, follow=True))


def test_a_pushed_record_is_put_right_where_it_stands(organisation: uuid.UUID, owner: Browser, aside: QuarantinedRow) -> None:
    page = owner.get(reverse("quarantine"))
    assert "I-1" in words(page)
    assert "a lot" in page.content.decode()
    right = json.dumps({**aside.raw, "amount": "120.00"})
    assert "I-1 was taken" in mended(owner, aside, right)
    with walls.inside(organisation):
        assert Document.objects.get().amount_minor == 12_000
        aside.refresh_from_db()
        assert (aside.state, aside.settled_by) == ("mended", "Owner Person")
        kept = Envelope.objects.order_by("-id").first()
        assert (kept.state, kept.external_id.startswith("mended:")) == ("applied", True)
        assert AuditEntry.objects.filter(action="quarantine.mended").count() == 1
    assert "mended already" in mended(owner, aside, right)


@pytest.mark.parametrize(("text", "says"), [
    ('{"id": "I-1"', "not JSON"), ("[]", "one object in braces"), (json.dumps({**INVOICE, "id": "I-2"}), "its id has to stay 'I-1'"),
    (json.dumps({**INVOICE, "amount": "12,00"}), "amount: is no plain decimal"), (json.dumps({**INVOICE, "colour": "red"}), "colour"),
    ("", "not JSON"), ('{"id": "I-1", "amount": NaN}', "NaN"),
])
def test_what_is_still_wrong_is_told_and_nothing_is_lost(
    organisation: uuid.UUID, owner: Browser, aside: QuarantinedRow, text: str, says: str
) -> None:
    said = mended(owner, aside, text)
    assert "still cannot be taken" in said
    assert says in said
    with walls.inside(organisation):
        aside.refresh_from_db()
        assert aside.state == "open"
        assert not Document.objects.exists()


def test_a_record_read_from_a_system_is_mended_there(organisation: uuid.UUID, owner: Browser, aside: QuarantinedRow) -> None:
    with walls.inside(organisation):
        Connection.objects.filter(pk=aside.connection_id).update(kind="system", vendor="stripe")
    assert "it is read again by itself then" in words(owner.get(reverse("quarantine")))
    assert "once it is put right in our shop" in mended(owner, aside, "{}")
    assert "was dismissed" in words(owner.post(reverse("quarantine_dismiss", args=[aside.pk]), follow=True))
