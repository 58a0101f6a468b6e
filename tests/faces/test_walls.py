"""Organisation A's session with B's ids, on every page and every command there is: refused, and no trace of B (promise P8)."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.urls import resolve, reverse

from tests.conftest import NOW
from tests.faces.conftest import BUDGET, ROLES, queries, signed_in_to
from tests.faces.rows import digest, everything
from tieout.faces.web import urls, views
from tieout.stages.base import found, permit, walls

pytestmark = pytest.mark.usefixtures("database")

NAMES = [name for _, _, name in urls.PAGES]
ROUTES = {name: route for route, _, name in urls.PAGES}
THEIRS = "Zanzibar"
#: What a form may send, by what our rows call it; a field that is a key of a row must be listed, so that B's key is tried in it.
KEYS = {
    "customer": "customer_id", "customers": "customer_id", "customer_ids": "customer_id", "to": "customer_id", "document": "invoice_id",
    "documents": "invoice_id", "allocation": "allocation", "hold": "hold", "promise": "promise", "dispute": "dispute", "record": "record",
    "contact": "contact", "messages": "message_id", "message": "message_id", "wave": "wave", "proposal": "proposal", "payment": "payment_id",
    "reply": "reply_id", "task": "task_id", "connection": "connection_id", "row": "row_id", "person": "person_id", "organisation": "organisation",
    "pair": "pair", "other_connection": "connection_id", "first": "invoice_id", "second": "invoice_id",
    "origin": "connection_id", "target": "connection_id",
}
#: Other things a form sends: words, choices and figures, with something that would do.
WORDS = {
    "amount": "1.00", "currency": "EUR", "date": "2026-06-30", "until": "2026-06-30", "reason": "manual", "note": "x", "text": "x", "said": "x",
    "state": "upheld", "category": "price", "how": "x", "field": "city", "value": "x", "name": "x", "email": "x@x.example", "role": "collector",
    "outcome": "done", "kind": "note", "act": "same",
}


#: Pages that are more than a reading: proposing waves, and what would be written, are dry runs, in a fixed number of statements.
LARGER = {"releases": 26, "outbox_would": 40}


def of(view: Any) -> tuple[str | None, str | None]:
    return getattr(view, "act", None), getattr(view, "post_act", None)


def view_of(name: str) -> Any:
    return resolve(address(name, {})).func


def address(name: str, rows: dict[str, Any]) -> str:
    wanted = re.findall(r"<(\w+):(\w+)>", ROUTES[name])
    return reverse(name, kwargs={key: rows.get(key, 1 if kind == "int" else "no-such-token") for kind, key in wanted})


def test_no_name_and_no_address_stands_twice() -> None:
    assert len(set(NAMES)) == len(NAMES) == len(set(ROUTES.values()))


@pytest.mark.parametrize("name", NAMES)
def test_every_page_says_who_may(name: str) -> None:
    read, act = of(view_of(name))
    assert read or act, f"{name} is guarded by nothing: use @may, @may_post or @public"
    assert {read, act} <= {None, "public", *permit.ACTS}


@pytest.mark.parametrize("key", sorted({key for route in ROUTES.values() for _, key in re.findall(r"<(\w+):(\w+)>", route)}))
def test_every_key_in_an_address_is_tried_with_theirs(key: str, other: tuple[Any, dict[str, Any]]) -> None:
    assert key in other[1], f"tests/faces/rows.py makes no row for <{key}>"


def test_every_key_a_form_may_send_is_tried_with_theirs() -> None:
    texts = [p.read_text() for p in Path(views.__file__).parent.glob("*.py")]
    sent = {name for text in texts for name in re.findall(r"asked\.numbers?\(request\.POST, [\"'](\w+)", text)}
    assert sent - set(KEYS) - {"retract", "version", "days", "limit", "cadence", "hours", "port"} == set(), "add the field to KEYS"


@pytest.fixture(scope="module")
def other(database: object) -> tuple[uuid.UUID, dict[str, Any]]:
    organisation = found.organisation(
        name=f"{THEIRS} Holding", country="DE", time_zone="Europe/Berlin", base_currency="EUR", language="en", sender_name=THEIRS,
        sender_address="ar@zanzibar.example", now=NOW)
    with walls.inside(organisation):
        rows = everything(THEIRS)
    return organisation, rows | {"organisation": str(organisation)}


@pytest.fixture(scope="module")
def ours(database: object) -> tuple[uuid.UUID, dict[str, Any]]:
    """An organisation that is only read."""
    organisation = found.organisation(
        name="Ours House", country="DE", time_zone="Europe/Berlin", base_currency="EUR", language="en", sender_name="Ours",
        sender_address="ar@ours.example", now=NOW)
    with walls.inside(organisation):
        return organisation, everything("Ours")


@pytest.fixture
def both(organisation: uuid.UUID, other: tuple[uuid.UUID, dict[str, Any]]) -> tuple[uuid.UUID, dict[str, Any], dict[str, Any]]:
    """A's rows, in an organisation of this test's own, and B's."""
    with walls.inside(organisation):
        ours = everything("Ours")
    return other[0], ours, other[1]


@pytest.mark.parametrize("name", [n for n in NAMES if "<" in ROUTES[n] and of(view_of(n))[0] != "public"])
def test_their_keys_in_an_address_are_not_found(name: str, other: Any, sign_in: Callable[..., Any]) -> None:
    them, theirs = other
    browser, before = sign_in("owner"), digest(them)
    read, act = of(view_of(name))
    answers = [browser.get(address(name, theirs))] if read else []
    if act:
        answers.append(browser.post(address(name, theirs), WORDS))
    for answer in answers:
        if answer.status_code == 302:  # back with a refusal in words
            answer = browser.get(answer["Location"])
            assert 'class="error"' in answer.content.decode(), f"{name} took it"
        else:
            assert answer.status_code in (403, 404), f"{name} answered {answer.status_code}"
        assert THEIRS not in answer.content.decode(errors="replace").replace(address(name, theirs), "")
    assert digest(them) == before


@pytest.mark.parametrize("name", [n for n in NAMES if of(view_of(n))[1] not in (None, "public")])
def test_their_keys_in_a_form_change_nothing_of_theirs(name: str, both: Any, sign_in: Callable[..., Any]) -> None:
    them, ours, theirs = both
    browser, before = sign_in("owner"), digest(them)
    for retract in ("note", "correction", "on_invoice"):
        body = WORDS | {field: theirs[key] for field, key in KEYS.items()} | {"retract": theirs[retract], f"amount-{theirs['invoice_id']}": "1.00"}
        if retract == "on_invoice":
            del body["retract"]
        answer = browser.post(address(name, ours), body, follow=True)
        assert answer.status_code < 500, f"{name} broke"
        assert THEIRS not in answer.content.decode(errors="replace")
    assert digest(them) == before


@pytest.mark.parametrize("name", [n for n in NAMES if of(view_of(n))[0] not in (None, "public")])
def test_a_page_shows_ours_and_no_trace_of_theirs(name: str, ours: Any, other: Any, standing_clock: Any) -> None:
    here, rows = ours
    answer = signed_in_to(here)("owner").get(address(name, rows), {"q": THEIRS, "text": THEIRS} if name not in ("find", "receivables") else {})
    assert answer.status_code in (200, 302, 404)
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    assert f"{THEIRS} ".encode() not in content.replace(f"“{THEIRS}”".encode(), b"")


@pytest.mark.parametrize("name", [n for n in NAMES if of(view_of(n))[0] not in (None, "public")])
def test_a_page_keeps_to_its_budget_of_queries(name: str, ours: Any, standing_clock: Any) -> None:
    here, rows = ours
    browser = signed_in_to(here)("owner")
    with queries() as asked:
        browser.get(address(name, rows))
    assert len(asked) <= LARGER.get(name, BUDGET), "\n".join(asked)


@pytest.mark.parametrize("name", [n for n in NAMES if of(view_of(n))[0] not in (None, "public")])
def test_a_stranger_is_asked_to_sign_in(name: str, database: object) -> None:
    from django.test import Client

    answer = Client().get(address(name, {}))
    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize("role", ROLES)
def test_each_role_opens_what_its_acts_allow_and_nothing_else(role: str, ours: Any, standing_clock: Any) -> None:
    here, rows = ours
    browser = signed_in_to(here)(role)
    for name in NAMES:
        read, act = of(view_of(name))
        if read not in (None, "public"):
            refused = browser.get(address(name, rows)).status_code == 403
            assert refused != permit.allowed(role, read), f"{role} reads {name}"
        if act not in (None, "public") and not permit.allowed(role, act):
            assert browser.post(address(name, rows), WORDS).status_code == 403, f"{role} acts on {name}"


def test_a_session_cannot_be_turned_to_an_organisation_one_does_not_belong_to(other: Any, sign_in: Callable[..., Any]) -> None:
    them, _ = other
    browser = sign_in("owner")
    assert browser.post(reverse("enter"), {"organisation": str(them)}).status_code == 404
    session = browser.session
    session["organisation"] = str(them)
    session.save()
    assert THEIRS not in browser.get(reverse("overview")).content.decode()


def test_somebody_in_two_organisations_sees_one_at_a_time(other: Any, standing_clock: Any) -> None:
    from django.test import Client

    from tieout.core.evidence import Actor

    them, _ = other
    browser: Client = signed_in_to(them)("auditor")
    person = browser.session["_auth_user_id"]
    from tieout.stages.base.models import Person

    second = found.organisation(
        name="Second House", country="DE", time_zone="UTC", base_currency="EUR", language="en", sender_name="S", sender_address="s@s.example",
        now=NOW)
    with walls.inside(second):
        found.member(person=Person.objects.get(pk=person), role="auditor", actor=Actor("machine", "test"), now=NOW)
    assert THEIRS in browser.get(reverse("receivables")).content.decode()
    assert browser.post(reverse("enter"), {"organisation": str(second)}).status_code == 302
    page = browser.get(reverse("receivables")).content.decode()
    assert "Second House" in page
    assert f"{THEIRS} Foods" not in page
