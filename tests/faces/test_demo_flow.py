"""The living demo in a browser: an invoice paid on the Stripe twin's own page is paid in QuickBooks and HubSpot while one watches."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faces.test_browser import CHROMIUM
from tieout.rehearsal import demo
from tieout.rehearsal.bench import flowing, starting
from tieout.rehearsal.company import shop
from tieout.rehearsal.demo.connected import HUBSPOT, QUICKBOOKS
from tieout.rehearsal.free_port import free_port

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(900),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="Debian's chromium is not installed (/usr/bin/chromium)"),
]
#: The aim is two seconds; a busy machine may take longer without being wrong.
PATIENCE = 30


class Demo:
    """`tieout demo` in a process group of its own."""

    def __init__(self, place: Path) -> None:
        self.place, self.port = place, free_port()
        self.start()

    def start(self) -> None:
        given = {k: v for k, v in os.environ.items() if not k.startswith(("TIEOUT_", "DATABASE_", "DJANGO_"))}
        given |= {"TIEOUT_DATA": str(self.place), "PYTHONUNBUFFERED": "1"}
        said = self.place.parent / "said.txt"
        program = [sys.executable, "-m", "tieout.faces.cli", "demo", "--port", str(self.port)]
        with said.open("wb") as out:
            self.process = subprocess.Popen(program, env=given, stdout=out, stderr=subprocess.STDOUT, start_new_session=True)
        assert starting.answers(self.process, self.port), said.read_text()[-2000:]
        self.urls = flowing.addresses(said.read_text())

    def stop(self) -> None:
        starting.end(self.process)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Demo]:
    place = tmp_path / "data"
    place.mkdir()
    for folder in (tmp_path, place):
        folder.chmod(0o755)  # the database may run as a user of its own
    found = Demo(place)
    yield found
    found.stop()


def test_paid_on_stripes_page_it_is_paid_everywhere_and_the_reminder_dies(running: Demo) -> None:
    from playwright.sync_api import sync_playwright

    number = next(f"WEB-{place + 1:02d}900" for place, buyer in enumerate(shop.BUYERS) if buyer.late)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(base_url=f"http://127.0.0.1:{running.port}")
        page.set_default_timeout(60_000)
        _sign_in(page)
        page.goto("/demo/")
        mine = page.locator(f"[data-number='{number}']")
        assert "reminder" in mine.inner_text()
        assert "cancelled" not in mine.inner_text()
        with page.context.expect_page() as opened:
            mine.get_by_role("link", name="Pay this invoice").click()
        stripe = opened.value
        began = time.monotonic()
        stripe.get_by_role("button", name="Pay").click()
        stripe.get_by_text("Your payment has arrived").wait_for()
        stops = mine.locator("dl.stops > div")
        for place in range(3):
            stops.nth(place).locator(".tag.good").wait_for(timeout=PATIENCE * 1000)
        print(f"paid everywhere after {time.monotonic() - began:.1f} s")
        mine.get_by_text("nothing is left to ask for").wait_for(timeout=PATIENCE * 1000)

        page.goto(f"{running.urls[QUICKBOOKS]}/")
        assert "paid" in page.locator("tr", has_text=number).first.inner_text()
        page.goto(f"{running.urls[HUBSPOT]}/")
        assert "0.00" in page.locator("tr", has_text=_buyer_of(number).name).inner_text().split("\t")

        # Stopped and started again it goes on where it was, and its doors are found.
        running.stop()
        running.start()
        raised, paid = flowing.clicks(running.urls, 1)
        assert max(raised + paid) < PATIENCE
        browser.close()


def _buyer_of(number: str) -> shop.Buyer:
    return shop.BUYERS[int(number[4:6]) - 1]


def _sign_in(page: Any) -> None:
    page.goto("/accounts/login/")
    page.fill("[name=login]", demo.LOGIN)
    page.fill("[name=password]", demo.PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: not url.endswith("/accounts/login/"))
