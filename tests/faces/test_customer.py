"""The customer page: everything known, and every act with its undo, in words."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from lucide import _render_icon

from tests.conftest import NOW
from tests.faces.conftest import BUDGET, queries
from tests.faces.rows import everything
from tests.stages import builders
from tieout.core.evidence import Actor
from tieout.faces.web import story
from tieout.faces.web.views import find
from tieout.stages.base import walls
from tieout.stages.base.models import AuditEntry
from tieout.stages.behaviour.models import Profile
from tieout.stages.dialogue import contact_point
from tieout.stages.dialogue.models import Hold, Note, Promise
from tieout.stages.ledger.models import Contact, Customer, Document, SourceRecord

TODAY = NOW.date()
ADA = Actor("person", "Ada", 1)


@pytest.fixture
def brightwater(organisation: uuid.UUID) -> Customer:
    with walls.inside(organisation):
        debtor = builders.customer("Brightwater <b>Foods</b> {{ x }}")
        builders.invoice(debtor, "100.00", (TODAY - dt.timedelta(days=20)).isoformat(), number="INV-1")
        builders.invoice(debtor, "50.00", (TODAY + dt.timedelta(days=20)).isoformat(), number="INV-2", currency="USD")
        Profile.objects.create(
            customer=debtor,
            tier="high",
            median_days_late=30,
            paid_invoices=9,
            reasons=["Pays 30 days late in the median of 9 invoices"],
            as_of=TODAY,
            computed_at=NOW,
        )
        return debtor


@pytest.fixture
def act(owner: Any, brightwater: Customer) -> Callable[..., str]:
    """Post to one of the customer's acts and read the page one lands on."""

    def post(what: str, **fields: Any) -> str:
        answer = owner.post(f"/customers/{brightwater.pk}/{what}/", fields, follow=True)
        assert answer.status_code == 200
        return str(answer.content.decode())

    return post


def test_the_page_tells_what_is_owed_how_they_pay_and_where_it_comes_from(owner: Any, brightwater: Customer) -> None:
    page = owner.get(f"/customers/{brightwater.pk}/").content.decode()
    for said in ("100.00", "50.00", "20 d", "High risk", "Pays 30 days late", "ap@brightwater.example", "Billing export", "INV-1"):
        assert said in page
    assert "Brightwater &lt;b&gt;Foods&lt;/b&gt; {{ x }}" in page
    assert "<b>Foods</b>" not in page


def test_a_hold_is_placed_and_released(act: Callable[..., str], organisation: uuid.UUID) -> None:
    page = act("hold", reason="manual", note="the boss knows them", until="2026-07-01")
    assert "nothing is asked until" in page
    assert "Held by hand" in page
    with walls.inside(organisation):
        row = Hold.objects.get()
        assert row.until_date == dt.date(2026, 7, 1)
    assert "The hold is released" in act("release", hold=row.pk)
    with walls.inside(organisation):
        assert Hold.objects.get().released_at == NOW
        assert list(AuditEntry.objects.filter(object_kind="hold").values_list("action", flat=True)) == ["hold.place", "hold.release"]


@pytest.mark.parametrize(
    ("what", "fields", "said"),
    [
        ("hold", {"reason": "manual", "until": "2026-01-01"}, "would have ended already"),
        ("hold", {"reason": "nonsense"}, "is not a reason to hold"),
        ("hold", {"reason": "manual", "until": "31.02.2026"}, "is not a day"),
        ("note", {"text": "  "}, "The note is empty"),
        ("promise", {"amount": "10", "currency": "EUR"}, "needs the day"),
        ("promise", {"amount": "1,234", "currency": "EUR", "date": "2026-07-01"}, "two amounts"),
        ("promise", {"amount": "10.001", "currency": "EUR", "date": "2026-07-01"}, "two amounts"),
        ("promise", {"amount": "10", "currency": "XXQ", "date": "2026-07-01"}, "currency"),
        ("promise", {"amount": "10", "currency": "EUR", "date": "2026-01-01"}, "has passed"),
        ("contacts", {"email": "a@b.example, c@d.example"}, "more than one address"),
        ("contacts", {"name": "nobody"}, "needs an e-mail address or a phone"),
        ("correct", {"field": "time_zone", "value": "Mars/Base"}, "not a time zone"),
        ("correct", {"field": "id", "value": "7"}, "not a field"),
        ("correct", {"field": "country", "value": "Germany"}, "two letters"),
    ],
)
def test_what_cannot_be_done_is_refused_in_words_and_changes_nothing(
    act: Callable[..., str], organisation: uuid.UUID, what: str, fields: dict[str, str], said: str
) -> None:
    page = act(what, **fields)
    assert 'class="error"' in page
    assert said in page
    with walls.inside(organisation):
        assert not Hold.objects.exists()
        assert not Note.objects.exists()
        assert not Promise.objects.exists()
        assert Contact.objects.count() == 1
        assert Customer.objects.get().country == "DE"


def test_a_promise_of_a_whole_invoice_needs_no_amount_and_can_be_withdrawn(act: Callable[..., str], organisation: uuid.UUID) -> None:
    with walls.inside(organisation):
        document = Document.objects.get(number="INV-1")
    page = act("promise", document=document.pk, date="2026-06-20", how="Dana, by phone")
    assert "by 20 Jun 2026" in page
    with walls.inside(organisation):
        row = Promise.objects.get()
        assert (row.amount_minor, row.currency) == (10000, "EUR")
    assert "withdrawn" in act("promise/withdraw", promise=row.pk)


def test_they_say_they_paid_holds_at_once(act: Callable[..., str], organisation: uuid.UUID) -> None:
    assert "Says they paid" in act("paid", note="on Friday")
    with walls.inside(organisation):
        assert Hold.objects.get().reason == "in_transit"


def test_a_note_is_told_in_the_timeline_and_taken_back(act: Callable[..., str], organisation: uuid.UUID) -> None:
    assert "Dana is away" in act("note", text="Dana is away\non Fridays")
    with walls.inside(organisation):
        key = Note.objects.get().pk
    assert "Dana is away" not in act("note", retract=key)


def test_a_contact_is_changed_by_adding_the_new_and_keeping_the_old(act: Callable[..., str], organisation: uuid.UUID) -> None:
    with walls.inside(organisation):
        old = Contact.objects.get()
    assert "dana@brightwater.example" in act("contacts", contact=old.pk, name="Dana", email="dana@brightwater.example", roles=["chase", "escalate"])
    with walls.inside(organisation):
        assert Contact.objects.get(pk=old.pk).retracted_at == NOW
        new = Contact.objects.get(retracted_at=None)
        assert (new.roles, new.rank) == (["chase", "escalate"], 3)
    assert "reminders become tasks" in act("contacts", contact=new.pk, remove="1")


def test_an_opted_out_address_says_so_beside_the_contact(owner: Any, brightwater: Customer, organisation: uuid.UUID) -> None:
    with walls.inside(organisation):
        point = contact_point.of(channel="email", address="AP@Brightwater.example", now=NOW)
        contact_point.opt_out(point=point, how="clicked the link", actor=ADA, now=NOW)
    assert "Opted out" in owner.get(f"/customers/{brightwater.pk}/").content.decode()


def test_a_correction_outranks_the_source_until_taken_back(act: Callable[..., str], organisation: uuid.UUID) -> None:
    page = act("correct", field="city", value="Hamburg", reason="their letterhead")
    assert "their letterhead" in page
    with walls.inside(organisation):
        from tieout.stages.ledger.models import Correction

        key = Correction.objects.get().pk
        assert Customer.objects.get().city == "Hamburg"
    act("correct", retract=key)
    with walls.inside(organisation):
        assert Customer.objects.get().city == ""


def test_a_source_record_is_linked_elsewhere_and_split_off_again(
    owner: Any, act: Callable[..., str], brightwater: Customer, organisation: uuid.UUID
) -> None:
    with walls.inside(organisation):
        other = builders.customer("Brightwater Holding AG")
        record = SourceRecord.objects.get(kind="customer", target_id=brightwater.pk)
    assert "No customer is called" in act("link", record=record.pk, to="Nobody Ltd")
    assert "now belongs to Brightwater Holding AG" in act("link", record=record.pk, to="brightwater holding", evidence="same tax number")
    with walls.inside(organisation):
        assert Document.objects.filter(customer=other).count() == 2
        moved = SourceRecord.objects.get(kind="customer", target_id=other.pk, retracted_at=None, external_id=record.external_id)
    owner.post(f"/customers/{other.pk}/link/", {"record": moved.pk, "unlink": "1"})
    with walls.inside(organisation):
        assert Document.objects.filter(customer=brightwater).count() == 2


def test_the_statement_is_a_pdf(owner: Any, brightwater: Customer) -> None:
    answer = owner.get(f"/customers/{brightwater.pk}/statement.pdf")
    assert answer["Content-Type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF")


def test_the_page_with_everything_on_it_keeps_to_its_budget(owner: Any, organisation: uuid.UUID) -> None:
    with walls.inside(organisation):
        rows = everything("Full")
    with queries() as asked:
        page = owner.get(f"/customers/{rows['customer_id']}/").content.decode()
    assert len(asked) <= BUDGET
    for said in ("Full note", "Full reminder", "Full is late", "Full will look into it", "Full is too dear", "Full was written to"):
        assert said in page


@pytest.mark.parametrize("act_name", ["note", "hold", "promise", "paid", "contacts", "link", "correct"])
def test_an_auditor_reads_and_changes_nothing(sign_in: Callable[..., Any], brightwater: Customer, act_name: str) -> None:
    auditor = sign_in("auditor")
    page = auditor.get(f"/customers/{brightwater.pk}/").content.decode()
    assert 'popovertarget="hold"' not in page
    assert auditor.post(f"/customers/{brightwater.pk}/{act_name}/", {"text": "x"}).status_code == 403


def test_a_forms_way_back_leads_only_to_our_own_pages(owner: Any, brightwater: Customer) -> None:
    for wanted, lands in (
        ("/receivables/", "/receivables/"),
        ("https://elsewhere.example/", f"/customers/{brightwater.pk}/"),
        ("//elsewhere.example", f"/customers/{brightwater.pk}/"),
    ):
        assert owner.post(f"/customers/{brightwater.pk}/note/", {"text": "x", "next": wanted})["Location"] == lands


def test_every_icon_named_in_the_views_exists() -> None:
    for name in {icon for icon, _ in story.LOOKS.values()} | set(find.ICONS.values()):
        assert _render_icon(name, 16).startswith("<svg"), name
