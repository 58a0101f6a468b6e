"""Letters and answers: what is approved, held, edited, settled; what was proven is shown; a reply holds until it is closed."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse

from tests.conftest import NOW
from tests.faces.conftest import BUDGET, queries
from tests.faces.reading import told, values, words
from tests.stages import builders
from tieout.core.evidence import Actor
from tieout.stages.base import walls
from tieout.stages.dialogue import reply
from tieout.stages.dialogue.models import Dispute, Hold, Promise, Reply
from tieout.stages.outreach import draft
from tieout.stages.outreach.models import Certificate, Message

Browser = Any
ADA = Actor("person", "Ada", None)


@pytest.fixture
def desk(organisation: uuid.UUID) -> dict[str, Any]:
    """Two customers with a draft each, and a reply from the first."""
    with walls.inside(organisation):
        first = builders.customer("Brightwater {{ sender_name }} & Söhne", email="ap@brightwater.example")
        second = builders.customer("Calder & Sons", email="ap@calder.example")
        one, other = builders.invoice(first, "120.00", number="BW-1"), builders.invoice(second, "80.00", number="CA-1")
        drafts = [draft.by_hand(customer=c, document_ids=[d.pk], tone="friendly", actor=ADA, now=NOW) for c, d in ((first, one), (second, other))]
        parsed = reply.Parsed(sender="ap@brightwater.example", subject="Re: invoices", text="We will pay next week <script>alert(1)</script>")
        answer = reply.receive(envelope=None, parsed=parsed, customer=first, now=NOW)
        lost = reply.receive(envelope=None, parsed=reply.Parsed(sender="who@else.example", subject="?", text="which invoice"), customer=None, now=NOW)
        return {
            "first": first.pk, "second": second.pk, "one": one.pk, "drafts": [d.pk for d in drafts if isinstance(d, Message)], "reply": answer.pk,
            "lost": lost.pk}


def _state(organisation: uuid.UUID, message: int) -> str:
    with walls.inside(organisation):
        return str(Message.objects.get(pk=message).state)


def test_drafts_stand_with_what_they_ask_for(organisation: uuid.UUID, desk: dict[str, Any], owner: Browser) -> None:
    with queries() as asked:
        page = owner.get(reverse("outreach"))
    assert len(asked) <= BUDGET
    said = words(page)
    assert "120.00 EUR" in said
    assert "Brightwater {{ sender_name }} & Söhne" in said
    assert "Drafts 2" in said


def test_several_are_approved_at_once_and_an_approval_is_taken_back(
    organisation: uuid.UUID, desk: dict[str, Any], sign_in: Callable[..., Browser]
) -> None:
    browser = sign_in("approver")
    page = browser.post(reverse("outreach_approve"), {"message": desk["drafts"]}, follow=True)
    assert "2 approved" in told(page)
    assert [_state(organisation, m) for m in desk["drafts"]] == ["planned", "planned"]
    browser.post(reverse("outreach_approve"), {"message": desk["drafts"][:1], "withdraw": "1"})
    assert [_state(organisation, m) for m in desk["drafts"]] == ["draft", "planned"]


def test_who_drafts_does_not_approve(organisation: uuid.UUID, desk: dict[str, Any], sign_in: Callable[..., Browser]) -> None:
    browser = sign_in("collector")
    assert browser.post(reverse("outreach_approve"), {"message": desk["drafts"]}).status_code == 403
    assert "Approve" not in words(browser.get(reverse("message", args=[desk["drafts"][0]])))


def test_an_edited_text_is_a_persons_and_keeps_the_way_out(organisation: uuid.UUID, desk: dict[str, Any], owner: Browser) -> None:
    at = desk["drafts"][0]
    with walls.inside(organisation):
        body = Message.objects.get(pk=at).body
    page = owner.post(reverse("message_edit", args=[at]), {"subject": "Ours", "body": "Pay up."}, follow=True)
    assert "link that ends these mails must stay" in told(page)
    page = owner.post(reverse("message_edit", args=[at]), {"subject": "Ours", "body": body.replace("120.00", "999.00")}, follow=True)
    assert "Not as the ledger has it" in words(page)
    assert "999.00" in words(page)
    owner.post(reverse("message_edit", args=[at]), {"subject": "Ours", "body": body})
    with walls.inside(organisation):
        row = Message.objects.get(pk=at)
        assert (row.subject, row.edited, row.state) == ("Ours", True, "draft")


def test_a_message_is_cancelled_and_brought_back(organisation: uuid.UUID, desk: dict[str, Any], owner: Browser) -> None:
    at = desk["drafts"][0]
    owner.post(reverse("message_cancel", args=[at]), {"reason": "called instead"})
    assert _state(organisation, at) == "cancelled"
    assert "Undo" in words(owner.get(reverse("message", args=[at])))
    owner.post(reverse("message_cancel", args=[at]), {"undo": "1"})
    assert _state(organisation, at) == "draft"


def test_a_held_message_says_why_and_what_would_release_it(organisation: uuid.UUID, desk: dict[str, Any], owner: Browser) -> None:
    with walls.inside(organisation):
        Message.objects.filter(pk=desk["drafts"][0]).update(state="held", hold_reason="a reply waits to be answered", hold_release="it is closed")
    for page in (owner.get(reverse("outreach") + "?state=held"), owner.get(reverse("message", args=[desk["drafts"][0]]))):
        assert "a reply waits to be answered" in words(page).replace("A reply", "a reply")
        assert "eleased when it is closed" in words(page)


def test_the_certificate_stands_beside_the_message_check_by_check(organisation: uuid.UUID, desk: dict[str, Any], owner: Browser) -> None:
    with walls.inside(organisation):
        Message.objects.filter(pk=desk["drafts"][0]).update(state="sent", sent_at=NOW)
        checks = [{"code": "hours", "passed": True, "detail": "it is 11:30 on a Wednesday there", "rule": "hours-1"},
                  {"code": "items", "passed": True, "detail": "BW-1 has 120.00 EUR open"}]
        Certificate.objects.create(
            message_id=desk["drafts"][0], claim=1, allowed=True, checks=checks, rules_version="1", inputs_hash="ab" * 32, issued_at=NOW)
    with queries() as asked:
        said = words(owner.get(reverse("message", args=[desk["drafts"][0]])))
    assert len(asked) <= BUDGET
    assert "It is 11:30 on a Wednesday there hours-1" in said
    assert "Certificate of claim 1" in said


def test_an_unknown_outcome_is_settled_by_a_person_never_sent_again_blindly(organisation: uuid.UUID, desk: dict[str, Any], owner: Browser) -> None:
    sent, lost = desk["drafts"]
    with walls.inside(organisation):
        Message.objects.filter(pk__in=desk["drafts"]).update(state="unknown", claims=1, claimed_at=NOW, outcome="no answer after the data")
    assert "A machine must not send it again" in words(owner.get(reverse("message", args=[sent])))
    owner.post(reverse("message_settle", args=[sent]), {"was": "sent", "note": "the server's log has it"})
    owner.post(reverse("message_settle", args=[lost]), {"was": "not", "note": "the log ends before it"})
    assert [_state(organisation, m) for m in (sent, lost)] == ["sent", "planned"]
    page = owner.post(reverse("message_settle", args=[sent]), {"was": "not"}, follow=True)
    assert "known" in told(page)


def test_the_statement_comes_as_a_pdf(organisation: uuid.UUID, desk: dict[str, Any], owner: Browser) -> None:
    answer = owner.get(reverse("message_statement", args=[desk["drafts"][0]]))
    assert answer["Content-Type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF")


@pytest.mark.parametrize(("body", "says"), [
    pytest.param("Hello {{ customer_nmae }}", "no fact called customer_nmae", id="a fact that does not exist"),
    pytest.param("{% for item in items %}{{ item.number }}", "cannot be read", id="a loop that does not end"),
    pytest.param("Hello {{ customer_name }}", "lacks", id="no way out"),
])
def test_a_wording_that_cannot_be_used_is_refused_with_its_reason(organisation: uuid.UUID, owner: Browser, body: str, says: str) -> None:
    page = owner.post(reverse("wordings_save"), {"tone": "friendly", "language": "en", "subject": "Hello", "body": body})
    assert page.status_code == 422
    assert says in told(page)
    assert says in words(owner.post(reverse("wordings_preview"), {"subject": "Hello", "body": body}))
    assert body.split("{")[0].strip() in words(page)


def test_a_wording_is_saved_as_a_version_and_shown_as_a_letter(organisation: uuid.UUID, owner: Browser) -> None:
    page = owner.get(reverse("wordings") + "?tone=firm&language=de")
    body = page.content.decode().split('id="body"')[1].split(">", 1)[1].split("</textarea>")[0]
    import html

    given = {"tone": "firm", "language": "de", "subject": "Bitte zahlen", "body": html.unescape(body)}
    page = owner.post(reverse("wordings_save"), given, follow=True)
    assert "Version 1 is in force" in told(page)
    assert "Bitte zahlen" in words(page)


def test_a_reply_becomes_a_promise_and_is_closed(organisation: uuid.UUID, desk: dict[str, Any], owner: Browser) -> None:
    page = owner.get(f"{reverse('replies')}?reply={desk['reply']}")
    assert "<script>alert" not in page.content.decode()
    given = {"as": "promise", "document": desk["one"], "amount": "120", "date": "2026-06-20"}
    assert "Recorded" in told(owner.post(reverse("reply_agree", args=[desk["reply"]]), given, follow=True))
    with walls.inside(organisation):
        assert Promise.objects.get(customer_id=desk["first"]).amount_minor == 12000
        assert Reply.objects.get(pk=desk["reply"]).state == "closed"
        assert list(Hold.objects.filter(customer_id=desk["first"], released_at__isnull=True).values_list("reason", flat=True)) == ["promise"]


def test_a_refused_agreement_leaves_the_reply_open(organisation: uuid.UUID, desk: dict[str, Any], owner: Browser) -> None:
    given = {"as": "promise", "document": desk["one"], "amount": "120", "date": "2026-06-01"}
    assert "has passed" in told(owner.post(reverse("reply_agree", args=[desk["reply"]]), given, follow=True))
    given = {"as": "dispute", "document": desk["one"], "amount": "120.01"}
    assert "at most" in told(owner.post(reverse("reply_agree", args=[desk["reply"]]), given, follow=True))
    with walls.inside(organisation):
        assert Reply.objects.get(pk=desk["reply"]).state == "open"
        assert not Promise.objects.exists()
        assert not Dispute.objects.exists()


def test_a_reply_of_nobody_is_given_to_a_customer_who_is_then_held(organisation: uuid.UUID, desk: dict[str, Any], owner: Browser) -> None:
    at = f"{reverse('replies')}?reply={desk['lost']}"
    assert "Whose is it?" in words(owner.get(at))
    assert values(owner.get(at + "&who=calder"), "customer") == [str(desk["second"])]
    owner.post(reverse("reply_assign", args=[desk["lost"]]), {"customer": desk["second"]})
    with walls.inside(organisation):
        assert Hold.objects.filter(customer_id=desk["second"], reason="reply_open", released_at__isnull=True).exists()
    owner.post(reverse("reply_close", args=[desk["lost"]]))
    owner.post(reverse("reply_close", args=[desk["lost"]]), {"reopen": "1"})
    with walls.inside(organisation):
        assert Hold.objects.filter(customer_id=desk["second"], reason="reply_open", released_at__isnull=True).count() == 1


@pytest.mark.parametrize("query", ["state=nonsense", "before=x", "customer=99999999999999999999", "reply=-1", "who=%00"])
def test_no_address_breaks_these_pages(organisation: uuid.UUID, desk: dict[str, Any], owner: Browser, query: str) -> None:
    for name in ("outreach", "replies", "wordings"):
        assert owner.get(f"{reverse(name)}?{query}").status_code == 200
