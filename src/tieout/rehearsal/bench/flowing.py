"""`flow`: from a click on the Stripe twin's page to the change on the pages of QuickBooks and HubSpot, while the demo runs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from html import escape
from pathlib import Path
from typing import Any

import httpx2

from tieout.rehearsal.bench import starting
from tieout.rehearsal.bench.figures import Figure
from tieout.rehearsal.company.shop import BUYERS, TERMS, WARES
from tieout.rehearsal.demo.connected import HUBSPOT, NAMES, QUICKBOOKS, STRIPE
from tieout.rehearsal.free_port import free_port

#: How often the pages are looked at, and when a change is given up, in seconds.
_LOOK, _GIVE_UP = 0.05, 60.0


def run(size: int) -> Iterator[Figure]:
    """So many invoices raised and paid, one after the other, each when the one before has arrived everywhere."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="tieout-bench-") as data, tempfile.TemporaryFile() as said:
        Path(data).chmod(0o755)  # the server may run as a user of its own
        program = [sys.executable, "-m", "tieout.faces.cli", "demo", "--port", str(port)]
        demo = subprocess.Popen(
            program, env={**os.environ, "TIEOUT_DATA": data, "PYTHONUNBUFFERED": "1"}, stdout=said, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            answered = starting.answers(demo, port)
            said.seek(0)
            told = said.read().decode(errors="replace")
            if not answered:
                raise RuntimeError(f"the demo did not answer: {told[-2000:]}")
            raised, paid = clicks(addresses(told), size)
        finally:
            starting.end(demo)
    yield Figure(name="flow: raised in Stripe, seen in QuickBooks and HubSpot, p95", size=size, value=p95(raised), unit="s", must=2, better="less")
    yield Figure(name="flow: paid in Stripe, seen in QuickBooks and HubSpot, p95", size=size, value=p95(paid), unit="s", must=2, aim=1, better="less")


def addresses(told: str) -> dict[str, str]:
    """Where the twins answer, by what the demo says as it starts."""
    found = {vendor: re.search(rf"{re.escape(name)}\s+(http://\S+)", told) for vendor, name in NAMES.items()}
    missing = [NAMES[vendor] for vendor, match in found.items() if match is None]
    if missing:
        raise RuntimeError(f"the demo names no address of {', '.join(missing)}")
    return {vendor: match[1] for vendor, match in found.items() if match}


def clicks(urls: dict[str, str], count: int) -> tuple[list[float], list[float]]:
    """Seconds from each act to the last page that shows it: of raising, and of paying on the page for people."""
    raised, paid = [], []
    with httpx2.Client(timeout=10, trust_env=False) as browser:
        for number in range(count):
            buyer, ware = BUYERS[number % len(BUYERS)], WARES[number % len(WARES)]
            crm = _row_of(browser, urls[HUBSPOT], buyer.name)
            began = time.perf_counter()
            order = {"name": buyer.name, "email": buyer.email, "lines": [ware], "days": TERMS}
            invoice: dict[str, Any] = browser.post(f"{urls[STRIPE]}/_twin/invoice", json=order).raise_for_status().json()
            raised.append(_seen(browser, urls, invoice["number"], "open", buyer.name, crm, began))
            crm = _row_of(browser, urls[HUBSPOT], buyer.name)
            began = time.perf_counter()
            browser.post(f"{urls[STRIPE]}/pay/{invoice['id']}", data={"amount": f"{ware[1] / 100:.2f}"})
            paid.append(_seen(browser, urls, invoice["number"], "paid", buyer.name, crm, began))
    return raised, paid


def _seen(browser: httpx2.Client, urls: dict[str, str], number: str, state: str, name: str, before: str, began: float) -> float:
    waits: list[Callable[[], bool]] = [
        lambda: re.search(rf">{re.escape(number)}<.*?>{state}<", _of_number(browser, urls[QUICKBOOKS], number)) is not None,
        lambda: _row_of(browser, urls[HUBSPOT], name) != before,
    ]
    while waits:
        waits = [one for one in waits if not one()]
        if time.perf_counter() - began > _GIVE_UP:
            raise RuntimeError(f"{number} is not {state} everywhere after {_GIVE_UP:.0f} s")
        time.sleep(_LOOK if waits else 0)
    return time.perf_counter() - began


def _of_number(browser: httpx2.Client, url: str, number: str) -> str:
    rows = browser.get(f"{url}/").text.split("<tr")
    return next((row for row in rows if f">{number}<" in row), "")


def _row_of(browser: httpx2.Client, url: str, name: str) -> str:
    rows = browser.get(f"{url}/").text.split("<tr")
    return next((row for row in rows if escape(name) in row), "")


def p95(seconds: list[float]) -> float:
    """The value that 95 of a hundred do not exceed."""
    return sorted(seconds)[max(0, -(-len(seconds) * 95 // 100) - 1)]
