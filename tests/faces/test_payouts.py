"""Payouts: what is on its way, what arrived with which parts, what does not add up; and nothing yet."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from django.urls import reverse

from tests.conftest import NOW
from tests.faces.reading import words as text_of
from tests.stages import builders
from tieout.stages.base import walls
from tieout.stages.ledger.models import Payout, PayoutItem, SourceRecord
from tieout.stages.writeback.models import Outgoing


def _made(organisation: uuid.UUID, *, problem: str = "", status: str = "paid") -> int:
    with walls.inside(organisation):
        debtor = builders.customer("Brightwater GmbH")
        money, later = builders.payment("120.00", owner=debtor), builders.payment("80.00", owner=debtor)
        payout = Payout.objects.create(
            connection_id=money.connection_id, external_id="po_7", status=status, currency="EUR", amount_minor=9_300, gross_minor=10_000,
            fee_minor=700, items=2, date=NOW.date(), created_at=NOW, recorded_at=NOW, problem=problem)
        PayoutItem.objects.create(payout=payout, ordinal=1, what="payment", external_id=money.external_id, gross_minor=12_000, fee_minor=700)
        PayoutItem.objects.create(payout=payout, ordinal=2, what="refund", external_id="re_1", gross_minor=-2_000, fee_minor=0)
        for one in (money, later):
            SourceRecord.objects.get_or_create(
                connection_id=money.connection_id, kind="payment", external_id=one.external_id, retracted_at=None,
                defaults={"target_id": one.pk, "content_hash": b"x", "recorded_at": NOW, "seen_at": NOW})
        Outgoing.objects.create(
            kind="payout", natural_key="1:payout", connection_id=money.connection_id, subject_kind="payout", subject_id=payout.pk, state="waiting",
            written_at=NOW, receipt="the fee of a payout needs mapping")
        return int(payout.pk)


def test_without_any_the_page_says_what_will_stand_here(sign_in: Callable[..., Any], organisation: uuid.UUID) -> None:
    assert "No payout yet" in text_of(sign_in("auditor").get(reverse("payouts")))


def test_the_list_shows_what_arrived_and_what_no_payout_holds(sign_in: Callable[..., Any], organisation: uuid.UUID) -> None:
    payout = _made(organisation)
    browser = sign_in("auditor")
    page = browser.get(reverse("payouts"))
    assert reverse("payout", args=[payout]) in page.content.decode()
    shown = text_of(page)
    for expected in ("Paid, and not paid out yet", "80.00", "po_7", "2 parts", "100.00", "7.00", "93.00", "Paid out"):
        assert expected in shown
    assert "po_7" not in text_of(browser.get(reverse("payouts"), {"status": "failed"}))
    assert browser.get(reverse("payouts"), {"status": "nonsense"}).status_code == 200


def test_one_payout_shows_its_parts_with_their_payers_and_where_it_went(sign_in: Callable[..., Any], organisation: uuid.UUID) -> None:
    page = sign_in("auditor").get(reverse("payout", args=[_made(organisation)]))
    shown = text_of(page)
    for expected in ("Payment", "Brightwater GmbH", "Refund", "re_1", "120.00", "20.00", "93.00", "As a deposit", "needs mapping"):
        assert expected in shown
    assert "does not add up" not in shown


def test_one_that_does_not_add_up_says_so_first(sign_in: Callable[..., Any], organisation: uuid.UUID) -> None:
    shown = text_of(sign_in("auditor").get(reverse("payout", args=[_made(organisation, problem="its parts come to 9300 minor units of EUR")])))
    assert "It does not add up." in shown
    assert "Its parts come to" in shown
