"""The main tasks in a real browser: import, mend, apply, release, approve and send, follow a total to its rows, opt out.

Nothing may be fetched from elsewhere, nothing may be complained of by the page's own policy, and no page may be wider than a telephone.
"""

from __future__ import annotations

import datetime as dt
import os
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
from django.urls import reverse

from tests.conftest import NOW
from tests.faces.conftest import signed_in_to
from tests.scenarios import connected
from tests.scenarios.connected import connect
from tests.scenarios.receiver import SECRET, receiving
from tests.stages import builders
from tests.stages.test_identity import described
from tests.stages.test_ledger_merge import load
from tieout.core.evidence import Actor
from tieout.flow import alarm, connecting, identity, nightly, pilot, send, sync, write
from tieout.rehearsal import catcher
from tieout.rehearsal.twins.quickbooks import TWIN as QUICKBOOKS
from tieout.rehearsal.twins.server import serving
from tieout.rehearsal.twins.stripe import TWIN
from tieout.stages.base import found, switch, walls
from tieout.stages.cash import propose
from tieout.stages.collect import release
from tieout.stages.dialogue.models import ContactPoint
from tieout.stages.intake.models import Connection
from tieout.stages.ledger.models import Allocation, Customer, Document, SourceRecord
from tieout.stages.outreach import draft, sending
from tieout.stages.outreach.models import Message
from tieout.stages.writeback.models import PilotRun

CHROMIUM = Path("/usr/bin/chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="Debian's chromium is not installed (/usr/bin/chromium)"),
]
ADA = Actor("person", "Ada", None)
FILE = (
    "Invoice number,Customer,Invoice date,Due date,Amount,Currency,Email\n"
    "F-1,Fellgate Fabrications,2026-04-03,2026-05-03,1200.00,EUR,ap@fellgate.example\n"
    "F-2,Fellgate Fabrications,2026-04-05,2026-05-05,300.50,EUR,ap@fellgate.example\n"
    "F-3,Gamma SA,2026-02-31,2026-05-05,55.00,EUR,ap@gamma.example\n"
)


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        return


@pytest.fixture(scope="module")
def address(database: object) -> Iterator[str]:
    """The product, served on this machine."""
    from tieout.faces.web.wsgi import application

    server = make_server("127.0.0.1", 0, application, _Server, _Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=arguments)
        # Playwright keeps an event loop in this thread; nothing of ours runs in it.
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
        yield browser
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
        browser.close()


@pytest.fixture
def visit(organisation: uuid.UUID, address: str, chromium: Any, standing_clock: dt.datetime) -> Iterator[Any]:
    """`visit("cash")` opens a page as the owner; whatever a page fetches elsewhere or complains of fails the test."""
    session = signed_in_to(organisation)("owner").cookies["sessionid"].value
    context = chromium.new_context(viewport={"width": 1360, "height": 900}, base_url=address)
    context.add_cookies([{"name": "sessionid", "value": session, "url": address}])
    page = context.new_page()
    page.set_default_timeout(15_000)
    page.on("dialog", lambda dialog: dialog.accept())
    elsewhere: list[str] = []
    complaints: list[str] = []
    ours = [address, "data:"]
    page.on("request", lambda request: None if request.url.startswith(tuple(ours)) else elsewhere.append(request.url))
    # A stand-in's own pages are not ours to judge.
    theirs = lambda line: line.location.get("url", "").startswith(tuple(ours[2:]))  # noqa: E731
    page.on(
        "console",
        lambda line: complaints.append(f"{line.text} at {line.location.get('url')}") if line.type == "error" and not theirs(line) else None,
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))

    def go(name: str, *keys: Any, query: str = "") -> Any:
        page.goto(reverse(name, args=keys) + query)
        return page

    go.page, go.context, go.ours = page, context, ours  # type: ignore[attr-defined]
    yield go
    context.close()
    assert elsewhere == []
    assert complaints == []


def test_a_file_is_imported_and_its_bad_row_mended(organisation: uuid.UUID, visit: Any, tmp_path: Path) -> None:
    (tmp_path / "invoices.csv").write_text(FILE)
    page = visit("upload")
    page.set_input_files("#file", tmp_path / "invoices.csv")
    page.get_by_role("button", name="Look at it").click()
    page.get_by_text("This row would be set aside").wait_for()
    page.fill("#name", "Billing")
    page.get_by_role("button", name="Import").click()
    page.get_by_text("1 set aside").wait_for()
    page.get_by_role("link", name="mend or dismiss them").click()
    page.get_by_label("Invoice date").fill("2026-02-28")
    page.get_by_role("button", name="Take it like this").click()
    page.get_by_text("Line 4 was taken").wait_for()
    with walls.inside(organisation):
        assert Document.objects.count() == 3


def test_a_payment_is_applied_with_one_key_and_undone(organisation: uuid.UUID, visit: Any) -> None:
    with walls.inside(organisation):
        debtor = builders.customer("Brightwater pays late")
        builders.invoice(debtor, "100.00", number="BW-100")
        paid = builders.payment("100.00", text="for our account", payer_name="Brightwater pays late", owner=debtor)
        propose.refresh(now=NOW)
    page = visit("cash")
    page.get_by_text("BW-100").first.wait_for()
    page.keyboard.press("j")
    page.keyboard.press("a")
    page.get_by_text("Applied.").wait_for()
    visit("cash_payment", paid.pk).get_by_role("button", name="Undo", exact=True).click()
    page.get_by_text("the money waits again").wait_for()
    with walls.inside(organisation):
        assert Allocation.objects.filter(payment=paid, retracted_at__isnull=True).count() == 0


def test_a_wave_is_released_and_withdrawn(organisation: uuid.UUID, visit: Any) -> None:
    with walls.inside(organisation):
        builders.invoice(builders.customer("Small and late"), "80.00", "2026-05-01")
    page = visit("releases")
    page.get_by_role("button", name="Release all 1").click()
    page.get_by_text("the first message is a soft one").wait_for()
    page.get_by_role("button", name="Undo").click()
    page.get_by_text("Withdrawn:").wait_for()


def test_a_draft_is_approved_sent_and_its_reader_opts_out(organisation: uuid.UUID, visit: Any, tmp_path: Path) -> None:
    with walls.inside(organisation):
        debtor = builders.customer("Calder pays when told")
        owed = builders.invoice(debtor, "120.00", "2026-05-01", number="CA-1")
        release.wave(customer_ids=[debtor.pk], name="First", actor=ADA, now=NOW)
        switch.go_live(actor=ADA, now=NOW)
        letter = draft.by_hand(customer=debtor, document_ids=[owed.pk], tone="friendly", actor=ADA, now=NOW)
        assert isinstance(letter, Message)
    page = visit("outreach")
    page.get_by_label("Tick the draft to Calder pays when told").check()
    page.get_by_role("button", name="Approve the ticked").click()
    page.get_by_text("1 approved").wait_for()
    with catcher.running(tmp_path / "letters") as server:
        with walls.inside(organisation):
            sending.configure(settings=catcher.settings(tmp_path / "letters", server.port), actor=ADA, now=NOW)
        send.run(organisation)
    page = visit("message", letter.pk)
    page.get_by_text("Certificate of claim 1").wait_for()
    assert page.locator(".checks .no").count() == 0
    [caught] = catcher.listed(tmp_path / "letters", organisation_id=organisation)
    assert "CA-1" in caught.text
    stranger = visit.context.browser.new_context(base_url=visit.page.url.split("/outreach")[0]).new_page()
    stranger.goto("/o/" + caught.opt_out_url.split("/o/")[1])
    stranger.get_by_role("button").first.click()
    stranger.wait_for_load_state()
    stranger.context.close()
    with walls.inside(organisation):
        assert ContactPoint.objects.get(address="ap@brightwater.example").opted_out_at is not None


def test_a_total_is_a_door_to_the_rows_that_add_up_to_it(organisation: uuid.UUID, visit: Any) -> None:
    with walls.inside(organisation):
        debtor = builders.customer("Doors open")
        for number, amount in (("D-1", "10.10"), ("D-2", "20.20")):
            builders.invoice(debtor, amount, "2026-05-01", number=number)
        builders.invoice(debtor, "99.00", "2026-09-01", number="D-3")
    page = visit("overview")
    page.get_by_role("link", name="30.30").first.click()
    page.get_by_text("D-1").first.wait_for()
    assert "overdue" in page.url or "bucket" in page.url or "due" in page.url
    assert page.get_by_text("D-3").count() == 0
    assert page.get_by_text("30.30").count() >= 1


def test_what_was_said_is_taken_down_from_the_work_list(organisation: uuid.UUID, visit: Any) -> None:
    with walls.inside(organisation):
        debtor = builders.customer("Nordhavn Logistik")
        builders.invoice(debtor, "500.00", "2026-05-01")
        release.wave(customer_ids=[debtor.pk], name="First", actor=ADA, now=NOW)
    nightly.run(organisation)
    page = visit("collections")
    page.keyboard.press("j")
    page.keyboard.press("c")
    page.get_by_label("How it went").fill("Dana pays on Friday")
    page.get_by_role("button", name="Log it").click()
    page.get_by_text("Dana pays on Friday").wait_for()
    page.keyboard.press("j")
    page.keyboard.press("c")
    page.get_by_text("A promise to pay").click()
    page.get_by_label("Amount").fill("500")
    page.get_by_label("By", exact=True).fill("2026-06-19")
    page.get_by_role("button", name="Record it").click()
    page.get_by_text("The promise is recorded").wait_for()


def test_the_policy_is_judged_while_it_is_typed(organisation: uuid.UUID, visit: Any) -> None:
    page = visit("policy")
    area = page.locator("#text")
    area.fill(area.input_value().replace("tone: friendly}", "tone: frendly}", 1))
    page.get_by_text("did you mean friendly").first.wait_for()
    page.locator("[data-line]").first.click()
    assert "frendly" in area.evaluate("a => a.value.slice(a.selectionStart, a.selectionEnd)")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_page_is_wider_than_a_telephone(organisation: uuid.UUID, visit: Any, theme: str) -> None:
    from tests.faces.rows import everything
    from tieout.faces.web import urls

    with walls.inside(organisation):
        rows = everything("Wide" + "o" * 50) | {"vendor": "stripe"}
        builders.invoice(builders.customer("株式会社" * 60), "1234567890.12", "2026-05-01")
    nightly.run(organisation)
    visit.page.emulate_media(color_scheme=theme)
    visit.page.set_viewport_size({"width": 390, "height": 844})
    browser = signed_in_to(organisation)("owner")
    asked = [(name, keys) for route, _, name in urls.PAGES if (keys := _keys(route, rows)) is not None and _reads(name, keys)]
    # Parts that are swapped in, and files, are no pages.
    names = [(name, keys) for name, keys in asked if _is_page(browser.get(reverse(name, kwargs=keys)))]
    assert len(names) > 20
    wider = {}
    for name, keys in names:
        visit.page.goto(reverse(name, kwargs=keys))
        wider[name] = visit.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert {name: pixels for name, pixels in wider.items() if pixels > 0} == {}


def _keys(route: str, rows: dict[str, Any]) -> dict[str, Any] | None:
    import re

    wanted = re.findall(r"<\w+:(\w+)>", route)
    return None if "token" in wanted else {key: rows[key] for key in wanted}


def _reads(name: str, keys: dict[str, Any]) -> bool:
    from django.urls import resolve

    return getattr(resolve(reverse(name, kwargs=keys)).func, "act", None) not in (None, "public")


def _is_page(answer: Any) -> bool:
    # A page that only another kind of connection has is not there for this one.
    return answer.status_code == 200 and not answer.streaming and b"<main" in answer.content


def test_somebody_signs_in_with_a_password(organisation: uuid.UUID, visit: Any) -> None:
    with walls.inside(organisation):
        person = found.person(email=f"ada-{uuid.uuid4().hex[:6]}@marrowlane.example", name="Ada", password="a long enough password")
        found.member(person=person, role="owner", actor=ADA, now=NOW)
    visit.context.clear_cookies()
    page = visit("cash")
    page.fill("input[type=email]", person.email)
    page.fill("input[type=password]", "a long enough password")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Cash").wait_for()


def test_a_twin_is_connected_through_the_wizard_goes_live_and_ties_out(organisation: uuid.UUID, visit: Any) -> None:
    with serving(TWIN(clock=lambda: NOW), deliver=False) as stripe:
        twin = stripe.twin
        customer = twin.customer("Brightwater GmbH", email="ap@brightwater.example")
        paid, open_ = twin.invoice(customer, 12_000), twin.invoice(customer, 45_000)
        twin.pay(paid, 5_000)
        page = visit("systems")
        page.get_by_role("link", name="Connect Stripe").click()
        page.get_by_label("Secret or restricted key").fill("sk_test_twin")
        page.get_by_label("Address of the API").fill(stripe.url)
        page.get_by_role("button", name="Connect", exact=True).click()
        page.get_by_text("Its history is being read").wait_for()
        with walls.inside(organisation):
            connection = Connection.objects.get(kind="system").pk
        assert sync.once(organisation, connection).stopped == ""
        page.reload()
        page.get_by_text("Payments", exact=True).wait_for()
        _seen(page, "system")
        page.get_by_role("link", name="Pilot and go-live").click()
        assert page.get_by_role("button", name="Go live", exact=True).is_disabled()
        page.get_by_role("button", name="Run the pilot").click()
        page.get_by_text("wait for a worker").first.wait_for()
        with walls.inside(organisation):
            waiting = PilotRun.objects.get().pk
        pilot.run(organisation, waiting)
        page.get_by_role("link", name="Look again").click()
        page.get_by_text("says the same").first.wait_for()
        page.get_by_role("link", name="Its tie-out").click()
        page.get_by_role("button", name="Compare and keep").click()
        page = visit("system_pilot", connection)
        page.get_by_role("button", name="I have looked at it").click()
        page.get_by_text("all there").wait_for()
        _seen(page, "pilot")
        page.get_by_role("button", name="Go live", exact=True).click()
        page.get_by_text("is live").first.wait_for()
        twin.pay(open_, out_of_band=True)
        sync.once(organisation, connection)
        page.get_by_role("link", name="Tie-out").click()
        page.get_by_text("What differs").wait_for()
        _seen(page, "tie_out")
        page.get_by_role("link", name=open_.number).click()
        assert open_.number in page.get_by_role("heading", level=1).inner_text()


def test_quickbooks_is_connected_through_the_wizard_by_consent(organisation: uuid.UUID, visit: Any) -> None:
    with serving(QUICKBOOKS(currency="EUR"), deliver=False) as running:
        visit.ours.append(running.url)
        page = visit("system_new", "quickbooks")
        page.get_by_label("Client ID of the app").fill("tieout-client")
        page.get_by_label("Client secret of the app").fill("tieout-secret")
        page.get_by_label("Address of the API").fill(running.url)
        page.get_by_label("Address of consent and tokens").fill(running.url)
        _seen(page, "system_form")
        page.get_by_role("button", name="Go on at QuickBooks Online").click()
        page.get_by_role("heading", name="Connect an app to QuickBooks").wait_for()
        page.get_by_role("button", name="Approve").click()
        page.get_by_text("Connected to Larkspur Landscaping").wait_for()
        with walls.inside(organisation):
            row = Connection.objects.get(kind="system")
        assert (row.stage, row.settings["realmId"]) == ("pilot", running.twin.company().realm)
        assert sync.once(organisation, row.pk).stopped == ""
        visit("api_keys").get_by_label("What shows it").fill("our shop")
        page.get_by_role("button", name="Make a key").click()
        page.get_by_text("shown this once").wait_for()
        _seen(page, "api_keys")


@pytest.mark.timeout(300)
def test_an_alert_is_looked_after_and_an_address_is_told(organisation: uuid.UUID, visit: Any) -> None:
    with receiving() as pager:
        with walls.inside(organisation):
            later = NOW + dt.timedelta(days=10)
            Connection.objects.create(
                name="Stripe", kind="system", vendor="stripe", created_at=NOW, last_success_at=NOW, cadence_hours=1,
                account={"name": "Marrow Lane", "refresh_expires_at": later.isoformat()})
            builders.payment("320.00", "2026-05-20", text="who is it")
            Connection.objects.create(
                name="QuickBooks", kind="system", vendor="quickbooks", created_at=NOW, last_success_at=NOW, cadence_hours=1,
                needs_person="the other side does not let us in any more; connect again")
        alarm.look(organisation)
        page = visit("alerts")
        page.get_by_text("QuickBooks does not let us in").wait_for()
        _seen(page, "alerts")
        page.get_by_role("button", name="I look after it").first.click()
        page.get_by_text("nobody is reminded of it").wait_for()
        page.get_by_role("link", name="Who is told").click()
        form = page.locator("form").filter(has=page.get_by_role("heading", name="Add a webhook"))
        form.get_by_label("What to call it").fill("Pager")
        form.get_by_label("Address").fill(pager.url)
        form.get_by_label("Secret that signs").fill(SECRET)
        form.get_by_role("button", name="Add").click()
        page.get_by_role("button", name="Send a test").click()
        page.get_by_text("The test arrived at Pager").wait_for()
        page.get_by_label("Money unmatched for a week: Pager").uncheck()
        page.get_by_role("button", name="Save").click()
        page.get_by_text("Saved.").wait_for()
        assert not page.get_by_label("Money unmatched for a week: Pager").is_checked()
        page.get_by_role("button", name="Mail alerts to me").click()
        page.get_by_text("Alerts are mailed to").wait_for()
        _seen(page, "alert_settings")
        _narrow(visit, "alerts", "alert_settings")


@pytest.mark.timeout(300)
def test_a_health_report_is_made_read_and_carried_away(organisation: uuid.UUID, visit: Any) -> None:
    with serving(TWIN(clock=lambda: NOW), deliver=False) as stripe:
        twin = stripe.twin
        invoice = twin.invoice(twin.customer("Brightwater GmbH", email="ap@brightwater.example"), 12_000)
        books = connect(organisation, "stripe", name="Stripe", api_key="sk_test_twin", base_url=stripe.url)
        books.sync()
        twin.pay(invoice, out_of_band=True)
        books.sync()
        alarm.look(organisation)
        page = visit("connections")
        page.get_by_role("link", name="Health", exact=True).click()
        page.get_by_role("button", name="Make the report").click()
        page.get_by_text("The report is made and kept").wait_for()
        page.get_by_role("link", name=invoice.number).wait_for()
        _seen(page, "health_report")
        with page.expect_download() as download:
            page.get_by_role("link", name="PDF").click()
        assert download.value.suggested_filename.startswith("health-report-2026-06-01")
        _seen(visit("health"), "health")
        _narrow(visit, "health")


def _narrow(visit: Any, *names: str) -> None:
    """The same pages in the dark, on a telephone."""
    visit.page.emulate_media(color_scheme="dark")
    visit.page.set_viewport_size({"width": 390, "height": 844})
    for name in names:
        _seen(visit(name), f"{name}-narrow")


def test_a_line_of_the_map_a_tax_nobody_mapped_and_the_outbox_until_it_is_written(organisation: uuid.UUID, visit: Any) -> None:
    with serving(TWIN(clock=lambda: NOW), deliver=False) as stripe, serving(QUICKBOOKS(currency="EUR"), deliver=False) as books:
        twin, accounting = stripe.twin, books.twin
        tokens = accounting.connect()
        gateway = connected.connect(organisation, "stripe", api_key="sk_test_twin", base_url=stripe.url)
        into = connected.connect(
            organisation, "quickbooks", name="QuickBooks Online", client_id=accounting.permissions.client_id,
            client_secret=accounting.permissions.client_secret, access_token=tokens["access_token"],
            refresh_token=tokens["refresh_token"], realmId=accounting.company().realm, base_url=books.url, oauth_url=books.url, item="1",
            stage="pilot")
        assert [one.sync().stopped for one in (gateway, into)] == ["", ""]
        connecting.go_live(organisation, into.connection, actor=ADA)
        invoice = twin.invoice(twin.customer("Brightwater GmbH"), lines=[("Support", 10_000), ("Travel", 5_000)], tax=twin.tax_rate("VAT", "19"))
        gateway.sync()

        page = visit("map")
        page.get_by_text("Invoices born in Stripe go to QuickBooks Online, since 10 Jun 2026").first.wait_for()
        _seen(page, "map")
        page.get_by_role("link", name="Change the day: Invoices").click()
        page.get_by_label("Since").fill("2026-06-11")
        page.get_by_text("Nothing would go over").wait_for()
        page.get_by_label("Since").fill("2026-05-01")
        page.get_by_text("1 invoice", exact=True).wait_for()
        _seen(page, "map_since")
        page.get_by_role("button", name="Hold from 1 May 2026 on").click()
        page.get_by_text("Invoices born in Stripe go to QuickBooks Online, since 1 May 2026").first.wait_for()

        page.get_by_role("link", name="Dry run").click()
        page.get_by_text("Would be written").first.wait_for()
        page.get_by_text("needs mapping").first.wait_for()
        _seen(page, "outbox_would")
        write.run(organisation)
        page = visit("outbox")
        page.get_by_role("link", name="Waiting for a person").click()
        _seen(page, "outbox")
        page.get_by_role("link", name=invoice.number).click()
        page.get_by_text("Nothing is guessed").wait_for()
        _seen(page, "effect")
        page.get_by_role("link", name="Fill in the mapping").click()
        page.get_by_label("VAT 19 %, on top").select_option(label="TAX (Taxable)")
        page.get_by_text("After the change it would be written").wait_for()
        assert page.get_by_text("It would wait").count() == 0
        page.get_by_label("Rate of the whole document").select_option("2")
        _seen(page, "mapping")
        page.get_by_role("button", name="Save and put in force").click()
        page.get_by_text("1 that waited for it goes on").wait_for()
        write.run(organisation)
        page = visit("outbox", query="?act=invoice")
        page.get_by_role("link", name=invoice.number).click()
        page.get_by_text("What was told").wait_for()
        (written,) = accounting.query("select * from Invoice")["Invoice"]
        assert page.locator("dd", has_text=written["Id"]).count() > 0
        assert written["DocNumber"] == invoice.number
        page.set_viewport_size({"width": 390, "height": 844})
        for name, keys in (("map", ()), ("outbox", ()), ("mapping", (into.connection,))):
            page = visit(name, *keys)
            _seen(page, f"{name}-phone")
            assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0


def test_a_source_of_files_takes_its_outbox_home(organisation: uuid.UUID, visit: Any) -> None:
    with walls.inside(organisation):
        debtor = builders.customer("Brightwater pays late")
        owed = builders.invoice(debtor, "100.00", number="BW-1")
        money = builders.payment("40.00", owner=debtor)
        Allocation.objects.create(
            kind="cash", payment=money, document=owed, currency="EUR", amount_minor=4_000, date=NOW.date(), recorded_at=NOW, rank=3,
            actor_kind="person", actor_name="Ada", rule="by hand", reason="it names BW-1")
    visit("connection", owed.connection_id).get_by_role("link", name="Outbox", exact=True).click()
    page = visit.page
    page.get_by_text("None yet").wait_for()
    page.get_by_role("button", name="Make the file").click()
    page.get_by_text("The file is made").wait_for()
    _seen(page, "downloads")
    with page.expect_download() as told:
        page.get_by_role("link", name="Download file 1").click()
    content = Path(told.value.path()).read_text()
    assert "BW-1" in content
    assert told.value.suggested_filename.endswith("-0001.csv")
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0


def _seen(page: Any, name: str) -> None:
    """A picture of the page, kept where somebody wants to look at it."""
    folder = os.environ.get("TIEOUT_PICTURES")
    if folder:
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


def test_two_customers_are_linked_side_by_side_and_unlinked_on_the_page(organisation: uuid.UUID, visit: Any) -> None:
    with walls.inside(organisation):
        load(described("1", "Nordwind Logistik GmbH", email="buero@nordwind.example", city="Kiel"), connection="Shopfile")
        load(described("2", "Nordwind Verwaltung GmbH", email="buero@nordwind.example", city="Kiel"), connection="Books")
    identity.follow(organisation)
    page = visit("identity")
    if not page.get_by_role("button", name="The same", exact=True).count():
        page.get_by_role("link", name="One house").click()
    page.get_by_text("Same mail address buero@nordwind.example").wait_for()
    for width in (390, 1360):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), f"the queue is wider than {width}"
    # The keyboard does it: the first row, then the act.
    page.keyboard.press("j")
    page.keyboard.press("a")
    page.get_by_text("everything of theirs stands together now").wait_for()
    with walls.inside(organisation):
        (together,) = set(SourceRecord.objects.filter(kind="customer", retracted_at__isnull=True).values_list("target_id", flat=True))
    page = visit("customer", together)
    page.get_by_role("button", name="Unlink").click()
    page.get_by_text("The record is split off").wait_for()
    with walls.inside(organisation):
        assert SourceRecord.objects.filter(kind="customer", retracted_at__isnull=True).values("target_id").distinct().count() == 2
    page = visit("customer_join", together, query="?q=nordwind")
    page.get_by_label("How you know").fill("their letterhead")
    page.get_by_role("button", name="The same").click()
    page.get_by_text("are one customer now").wait_for()


def test_a_conflict_is_settled_with_one_key_and_taken_back(organisation: uuid.UUID, visit: Any) -> None:
    from tests.stages import test_conflicts as told

    with walls.inside(organisation):
        told.everywhere(quickbooks="Brightwater Foods GmbH", hubspot="The Water People")
    page = visit("conflicts")
    page.get_by_text("The Water People").wait_for()
    page.keyboard.press("j")
    page.keyboard.press("t")
    page.get_by_text("your word outranks every system").wait_for()
    page.get_by_text("Nothing to decide").wait_for()
    with walls.inside(organisation):
        assert Customer.objects.get(lead_id=None).name == "The Water People"
    page.get_by_role("link", name="Settled").click()
    page.get_by_role("button", name="Undo: open it again").click()
    page.get_by_text("the disagreement is open again").wait_for()
    with walls.inside(organisation):
        assert Customer.objects.get(lead_id=None).name == "Brightwater Foods GmbH"
    page.goto(reverse("truth"))
    page.get_by_role("link", name="Change").first.click()
    page.select_option("#p-1", "crm")
    page.fill("#why", "sales keeps the names")
    page.get_by_role("button", name="See what it changes").click()
    page.get_by_text("1 customer would get another name").wait_for()
    page.get_by_role("button", name="Put this order in force").click()
    page.get_by_text("1 customer changed").wait_for()
    for name in ("conflicts", "truth"):
        page.set_viewport_size({"width": 390, "height": 844})
        page.goto(reverse(name) + ("?rule=customer.name" if name == "truth" else ""))
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
