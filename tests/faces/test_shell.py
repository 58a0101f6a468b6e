"""The shell: who may come in, what each page says in its head, and what happens when something goes wrong."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client, override_settings
from django.urls import path

from tests.conftest import NOW
from tests.faces.conftest import queries
from tests.stages import builders
from tieout.core.evidence import Actor
from tieout.faces.web import urls
from tieout.faces.web.may import may
from tieout.stages.base import found, walls
from tieout.stages.base.models import Profile
from tieout.stages.ledger.models import Customer

ADA = Actor("person", "Ada", 1)


def text(answer: Any) -> str:
    return str(answer.content.decode())


def test_the_health_check_answers_anybody(database: object) -> None:
    assert Client().get("/healthz").json() == {"ok": True}


def test_nobody_signs_up_alone(database: object) -> None:
    assert "closed" in text(Client().get("/accounts/signup/")).lower()


def test_signing_in_by_address_and_password(organisation: uuid.UUID) -> None:
    address = f"ada-{uuid.uuid4().hex[:6]}@marrowlane.example"
    person = found.person(email=address, name="Ada", password="a long enough secret")
    with walls.inside(organisation):
        found.member(person=person, role="owner", actor=ADA, now=NOW)
    browser = Client()
    page = browser.get("/accounts/login/")
    assert "an owner or admin of your organisation invites you" in text(page)
    assert browser.post("/accounts/login/", {"login": address, "password": "wrong"}).status_code == 200
    assert browser.post("/accounts/login/", {"login": address, "password": "a long enough secret"})["Location"] == "/"
    assert browser.get("/").status_code == 200
    assert browser.post("/accounts/logout/")["Location"] == "/"
    assert browser.get("/").status_code == 302


def test_somebody_without_an_organisation_is_told_whom_to_ask(database: object) -> None:
    browser = Client()
    person = found.person(email=f"lost-{uuid.uuid4().hex[:6]}@nowhere.example", name="Lost", password=None)
    browser.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
    answer = browser.get("/receivables/")
    assert answer.status_code == 403
    assert "does not belong to an organisation yet" in text(answer)


def test_a_role_that_may_not_is_told_so_in_words(sign_in: Callable[..., Any]) -> None:
    answer = sign_in("collector").get("/team/")
    assert answer.status_code == 403
    assert "signed in as <b>collector</b>" in text(answer)


@pytest.mark.parametrize("path", ["/customers/999999999/", "/invoices/999999999/", "/customers/99999999999999999999999/", "/no/such/page"])
def test_what_does_not_exist_is_a_page_of_its_own(owner: Any, path: str) -> None:
    answer = owner.get(path)
    assert answer.status_code == 404
    assert "There is nothing here" in text(answer)


def test_the_policy_of_a_page_forbids_everything_foreign_and_inline(owner: Any) -> None:
    policy = owner.get("/")["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "'unsafe-inline'" not in policy
    assert "'unsafe-eval'" not in policy
    assert "frame-ancestors 'none'" in policy


def test_a_form_without_its_token_is_refused(sign_in: Callable[..., Any], organisation: uuid.UUID) -> None:
    with walls.inside(organisation):
        debtor = builders.customer()
    signed = sign_in("owner")
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = signed.cookies
    assert strict.post(f"/customers/{debtor.pk}/note/", {"text": "x"}).status_code == 403


def test_the_head_says_as_of_when_and_what_is_stale(owner: Any, organisation: uuid.UUID) -> None:
    assert "no sources yet" in text(owner.get("/receivables/"))
    with walls.inside(organisation):
        builders.connection("Fresh export")
    page = text(owner.get("/receivables/"))
    assert "as of 10 Jun 2026, 11:30" in page, "in the organisation's zone"
    assert "all sources fresh" in page
    with walls.inside(organisation):
        builders.connection("Bank <b>", last_success_at=NOW - dt.timedelta(hours=30))
    page = text(owner.get("/receivables/"))
    assert "Bank &lt;b&gt;" in page
    assert "all sources fresh" not in page


@pytest.mark.parametrize(
    ("change", "said"),
    [({}, "Shadow mode."), ({"mode": "live"}, ""), ({"mode": "live", "stopped_at": NOW, "stopped_reason": "the boss said so"}, "Sending is stopped."),
     ({"mode": "live", "frozen_at": NOW}, "Sending is frozen.")],
    ids=["shadow", "live", "stopped", "frozen"],
)
def test_every_page_says_whether_messages_may_leave(owner: Any, organisation: uuid.UUID, change: dict[str, Any], said: str) -> None:
    with walls.inside(organisation):
        Profile.objects.update(**({"mode": "shadow"} | change))
    page = text(owner.get("/receivables/"))
    banners = [b for b in ("Shadow mode.", "Sending is stopped.", "Sending is frozen.") if b in page]
    assert banners == ([said] if said else [])


@may("view")
def writes_then_breaks(request: Any, customer_id: int) -> Any:
    Customer.objects.filter(pk=customer_id).update(city="half done")
    raise RuntimeError("broken on purpose")


@may("view")
def breaks_the_statement(request: Any, customer_id: int) -> Any:
    Customer.objects.filter(pk=customer_id).update(city="half done")
    Customer.objects.filter(pk=customer_id).update(country="too long for its column")
    return None


urlpatterns = [
    *urls.urlpatterns, path("broken/<int:customer_id>/", writes_then_breaks), path("refused/<int:customer_id>/", breaks_the_statement),
]  # the product's, and two views that fail half way
handler500 = urls.handler500


@pytest.mark.parametrize("where", ["broken", "refused"])
@override_settings(ROOT_URLCONF=__name__)
def test_a_view_that_breaks_leaves_nothing_half_done(organisation: uuid.UUID, sign_in: Callable[..., Any], where: str) -> None:
    with walls.inside(organisation):
        debtor = builders.customer()
    browser = sign_in("owner")
    browser.raise_request_exception = False
    answer = browser.get(f"/{where}/{debtor.pk}/")
    assert answer.status_code == 500
    assert "taken back whole" in text(answer)
    with walls.inside(organisation):
        assert Customer.objects.get(pk=debtor.pk).city == ""
    assert browser.get("/").status_code == 200, "the connection is fit for the next request"


def test_the_menu_offers_only_what_the_role_may(sign_in: Callable[..., Any]) -> None:
    assert 'href="/team/"' in text(sign_in("owner").get("/receivables/"))
    assert 'href="/team/"' not in text(sign_in("collector").get("/receivables/"))


def test_the_demo_is_offered_only_in_the_demo(owner: Any) -> None:
    assert "Caught mail" not in text(owner.get("/receivables/"))
    with override_settings(TIEOUT_DEMO=True):
        assert "Caught mail" in text(owner.get("/receivables/"))


def test_a_page_swapped_in_part_does_not_pay_for_the_menu(owner: Any, organisation: uuid.UUID) -> None:
    with walls.inside(organisation):
        debtor = builders.customer()
    with queries() as asked:
        owner.get(f"/customers/{debtor.pk}/timeline/")
    assert not [q for q in asked if "base_globalswitch" in q]


@pytest.mark.parametrize(
    ("typed", "lands"),
    [("INV-77", "/invoices/"), ("inv-77", "/invoices/"), ("Brightwater", ""), ("<script>alert(1)</script>", ""), ("\x00' OR 1=1 --", ""), ("%", "")],
)
def test_find_goes_straight_to_a_whole_number(owner: Any, organisation: uuid.UUID, typed: str, lands: str) -> None:
    with walls.inside(organisation):
        builders.invoice(builders.customer("Brightwater pays late"), number="INV-77")
    answer = owner.get("/find/", {"q": typed})
    assert answer.status_code == (302 if lands else 200)
    assert answer.get("Location", "").startswith(lands)
    if typed == "Brightwater":
        assert "Brightwater pays late" in text(answer)
    assert "<script>alert" not in text(answer)
