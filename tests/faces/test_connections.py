"""A file at the door: looked at before anything is stored, asked where it leaves something open, taken whole, rows set aside mended."""

from __future__ import annotations

import datetime as dt
import gzip
import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from tests.conftest import NOW
from tests.faces.conftest import BUDGET, queries
from tests.faces.reading import told, words
from tieout.faces.web import waiting
from tieout.stages.base import walls
from tieout.stages.intake.models import Connection, Envelope, QuarantinedRow
from tieout.stages.ledger.models import Customer, Document

Browser = Any
CLEAR = (
    "Invoice number,Customer,Invoice date,Due date,Amount,Currency\n"
    "A-1,Alpha GmbH,2026-04-03,2026-05-03,1200.00,EUR\n"
    "A-2,Beta Ltd,2026-04-05,2026-05-05,300.50,USD\n"
    "A-3,Gamma SA,2026-02-31,2026-05-05,55.00,EUR\n"
)
OPEN = (
    "Invoice number,Customer,Invoice date,Due date,Amount\n"
    "A-1,Alpha GmbH,03/04/2026,04/05/2026,1200.00\n"
    "A-2,Beta Ltd,05/04/2026,06/05/2026,300.50\n"
)


def put(browser: Browser, content: str | bytes, name: str = "invoices.csv", **fields: Any) -> Any:
    """Choose a file and follow to its preview."""
    data = content.encode() if isinstance(content, str) else content
    return browser.post(reverse("upload"), {"file": SimpleUploadedFile(name, data), **fields}, follow=True)


def at(page: Any) -> str:
    return str(page.redirect_chain[-1][0])


def test_nothing_is_stored_before_it_is_confirmed(organisation: uuid.UUID, owner: Browser) -> None:
    page = put(owner, CLEAR)
    said = words(page)
    assert "What it would become" in said
    assert "1,200.00 EUR" in said
    assert "no such day" in said or "31" in said
    assert "This row would be set aside" in said
    with walls.inside(organisation):
        assert not Connection.objects.filter(kind="file").exists()
        assert not Envelope.objects.exists()
        assert not Document.objects.exists()


def test_a_confirmed_file_is_taken_its_profile_saved_and_its_bytes_kept(
    organisation: uuid.UUID, sign_in: Callable[..., Browser]
) -> None:
    browser = sign_in("collector")
    page = browser.post(at(put(browser, CLEAR)) + "take/", {"name": "Billing", "cadence": "24"}, follow=True)
    assert "1 set aside" in told(page)
    with walls.inside(organisation):
        connection = Connection.objects.get(name="Billing")
        assert connection.profile["columns"]["number"] == "Invoice number"
        assert connection.cadence_hours == 24
        assert dict(Document.objects.values_list("number", "amount_minor")) == {"A-1": 120000, "A-2": 30050}
        envelope = Envelope.objects.get()
    with queries() as asked:
        said = words(browser.get(reverse("connection", args=[connection.pk])))
    assert len(asked) <= BUDGET
    assert "Rows were set aside" in said
    answer = browser.get(reverse("envelope", args=[envelope.pk]))
    assert b"".join(answer.streaming_content) == CLEAR.encode()
    assert answer["Content-Disposition"].startswith("attachment")
    page = browser.post(at(put(browser, CLEAR, connection=connection.pk)) + "take/", {"cadence": "24"}, follow=True)
    assert "The same file" in told(page)


def test_an_ambiguous_date_order_and_a_missing_currency_are_asked_with_examples(organisation: uuid.UUID, owner: Browser) -> None:
    page = put(owner, OPEN)
    said = words(page)
    assert "2 questions this file does not answer" in said
    assert "is 4 May 2026" in said
    assert "is 5 April 2026" in said
    assert "Import 2 rows" not in said
    refused = owner.post(at(page) + "take/", {"name": "Billing"}, follow=True)
    assert "nswer the questions first" in told(refused)
    answered = owner.post(at(page), {"answer:date_order": "DMY", "answer:currency_other": "nok"}, follow=True)
    assert "1,200.00 NOK" in words(answered)
    owner.post(at(page) + "take/", {"name": "Billing", "cadence": ""}, follow=True)
    with walls.inside(organisation):
        row = Document.objects.get(number="A-1")
        assert (row.currency, row.due_date) == ("NOK", dt.date(2026, 5, 4))
        assert Connection.objects.get(name="Billing").cadence_hours is None


def test_columns_constants_and_conditions_are_changed_by_hand(organisation: uuid.UUID, owner: Browser) -> None:
    content = "Ref,Who,Business,Sum,When\nX-1,Alpha,CA02,10.00,2026-05-01\nX-2,Beta,US01,20.00,2026-05-02\nX-3,Sum of all,US01,30.00,2026-05-02\n"
    page = put(owner, content)
    owner.post(at(page), {"answer:kind": "invoice"})
    given = {
        "mapping": "1", "kind": "invoice", "column:number": "Ref", "column:customer_name": "Who", "column:amount": "Sum", "column:issue_date": "When",
        "condition:column": "Business", "condition:equals": "CA02|CA03", "condition:field": "currency", "condition:value": "CAD",
        "condition:otherwise": "USD", "skip:column": "Who", "skip:equals": "Sum of all", "skip:reason": "a total",
    }
    answers = {"number": "Ref", "customer_name": "Who", "customer_id": "Who", "amount": "Sum"}
    owner.post(at(page), {f"answer:column:{field}": column for field, column in answers.items()})
    page = owner.post(at(page), given, follow=True)
    said = words(page)
    assert "CAD where Business is CA02 or CA03, else USD" in said
    owner.post(page.request["PATH_INFO"] + "take/", {"name": "Odd one"}, follow=True)
    with walls.inside(organisation):
        assert dict(Document.objects.values_list("number", "currency")) == {"X-1": "CAD", "X-2": "USD"}


@pytest.mark.parametrize(("content", "name", "says"), [
    pytest.param(b"%PDF-1.7\n" + b"x" * 500, "invoices.csv", "PDF", id="a PDF named csv"),
    pytest.param(b"", "empty.csv", "empty", id="an empty file"),
    pytest.param(b"\x89PNG\r\n\x1a\n" + b"\x00" * 200, "scan.csv", "by its content", id="a picture"),
    pytest.param(gzip.compress(b"0" * (400 << 20), 9), "bomb.csv.gz", "refused", id="a gzip bomb"),
])
def test_what_cannot_be_read_is_refused_at_the_door(organisation: uuid.UUID, owner: Browser, content: bytes, name: str, says: str) -> None:
    page = put(owner, content, name)
    assert page.status_code == 200
    assert says in words(page) + told(page)
    with walls.inside(organisation):
        assert not Envelope.objects.exists()


def test_nothing_chosen_is_said(organisation: uuid.UUID, owner: Browser) -> None:
    assert "Choose a file first" in told(owner.post(reverse("upload"), {}, follow=True))


def test_a_file_waits_for_its_own_session_only_and_is_gone_when_forgotten(organisation: uuid.UUID, sign_in: Callable[..., Browser]) -> None:
    mine, other = sign_in("owner"), sign_in("admin")
    where = at(put(mine, CLEAR))
    assert mine.get(where).status_code == 200
    assert other.get(where).status_code == 404
    assert other.post(where + "take/", {"name": "Stolen"}).status_code == 404
    assert "nothing of the file was stored" in told(mine.post(where + "drop/", follow=True))
    assert mine.get(where).status_code == 404


def test_a_file_left_lying_is_swept_away(organisation: uuid.UUID, owner: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    where = at(put(owner, CLEAR))
    monkeypatch.setattr(waiting, "SECONDS", -1)
    put(owner, OPEN)
    assert owner.get(where).status_code == 404


@pytest.mark.parametrize("token", ["../../etc/passwd", "x", "a" * 61, "%00", "nothing-of-this-name"])
def test_a_made_up_token_opens_nothing(organisation: uuid.UUID, owner: Browser, token: str) -> None:
    assert owner.get(f"/connections/upload/{token}/").status_code == 404


def test_a_row_set_aside_is_mended_where_it_stands_and_read_again(organisation: uuid.UUID, owner: Browser) -> None:
    owner.post(at(put(owner, CLEAR)) + "take/", {"name": "Billing", "cadence": "24"})
    with queries() as asked:
        page = owner.get(reverse("quarantine"))
    assert len(asked) <= BUDGET
    assert "Line 4" in words(page)
    with walls.inside(organisation):
        row = QuarantinedRow.objects.get()
    cells = {f"cell:{i}": str(v) for i, v in enumerate(row.raw.values())}
    wrong = next(i for i, v in enumerate(row.raw.values()) if v == "2026-02-31")
    still = owner.post(reverse("quarantine_mend", args=[row.pk]), {**cells, f"cell:{wrong}": "2026-02-30"}, follow=True)
    assert "still cannot be taken" in told(still)
    done = owner.post(reverse("quarantine_mend", args=[row.pk]), {**cells, f"cell:{wrong}": "2026-02-28"}, follow=True)
    assert "Line 4 was taken" in told(done)
    with walls.inside(organisation):
        assert Document.objects.get(number="A-3").issue_date == dt.date(2026, 2, 28)
    assert "already" in told(owner.post(reverse("quarantine_mend", args=[row.pk]), cells, follow=True))


def test_a_row_is_dismissed_and_taken_up_again(organisation: uuid.UUID, owner: Browser) -> None:
    owner.post(at(put(owner, CLEAR)) + "take/", {"name": "Billing", "cadence": "24"})
    with walls.inside(organisation):
        row = QuarantinedRow.objects.get()
    owner.post(reverse("quarantine_dismiss", args=[row.pk]))
    assert "No row waits" in words(owner.get(reverse("quarantine")))
    assert "Undo" in words(owner.get(reverse("quarantine") + "?state=dismissed"))
    assert owner.post(reverse("quarantine_dismiss", args=[row.pk])).status_code == 404
    owner.post(reverse("quarantine_reopen", args=[row.pk]))
    assert "Line 4" in words(owner.get(reverse("quarantine")))


def test_columns_called_like_a_templates_words_and_names_in_any_script_break_no_page(organisation: uuid.UUID, owner: Browser) -> None:
    name = "<b>{{ x }}</b> " + "名" * 280
    content = f"items,Customer,keys,Due date,Amount,Currency\nA-1,{name},x,2026-05-03,1200.00,EUR\nA-2,B,y,2026-13-05,1.00,EUR\n"
    page = put(owner, content)
    where = at(page)
    owner.post(where, {"answer:column:number": "items", "answer:column:invoice_id": "items"})
    assert "A-1" in words(owner.get(where))
    owner.post(where + "take/", {"name": "Odd", "cadence": "24"})
    with walls.inside(organisation):
        assert Customer.objects.filter(name__startswith="<b>{{ x }}</b>").exists()
    page = owner.get(reverse("quarantine"))
    assert page.status_code == 200
    assert "A-2" in page.content.decode()
    assert "<b>{{" not in owner.get(reverse("receivables")).content.decode()


def test_the_list_says_what_is_fresh_and_what_is_late(organisation: uuid.UUID, owner: Browser) -> None:
    assert "Nothing is connected yet" in words(owner.get(reverse("connections")))
    with walls.inside(organisation):
        Connection.objects.create(kind="file", name="Late one", created_at=NOW, last_success_at=NOW - dt.timedelta(hours=30), cadence_hours=24)
        fresh = Connection.objects.create(kind="file", name="Fresh one", created_at=NOW, last_success_at=NOW, cadence_hours=24)
    with queries() as asked:
        said = words(owner.get(reverse("connections")))
    assert len(asked) <= BUDGET
    assert re.search(r"Late one Files Stale expected every 24 h", said)
    assert re.search(r"Fresh one Files Fresh", said)
    owner.post(reverse("connection_cadence", args=[fresh.pk]), {"hours": "168"})
    with walls.inside(organisation):
        assert Connection.objects.get(pk=fresh.pk).cadence_hours == 168


def test_an_auditor_looks_and_imports_nothing(organisation: uuid.UUID, sign_in: Callable[..., Browser]) -> None:
    browser = sign_in("auditor")
    assert "Import a file" not in words(browser.get(reverse("connections")))
    assert browser.get(reverse("upload")).status_code == 403
    assert put(browser, CLEAR).status_code == 403
