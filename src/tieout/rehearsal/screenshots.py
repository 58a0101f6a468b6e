"""Pictures of the living demo for the README: `python -m tieout.rehearsal.screenshots FOLDER` (`make screenshots`).

Starts the demo on its own data directory, signs in with a real browser, and takes each page in light, dark and at a
telephone's width.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

PAGES = {
    "overview": "/", "receivables": "/receivables/", "cash": "/cash/", "collections": "/collections/", "outreach": "/outreach/",
    "connections": "/connections/", "release": "/collections/release/", "quarantine": "/connections/quarantine/", "policy": "/settings/policy/",
    "settings": "/settings/", "team": "/team/", "audit": "/audit/", "demo": "/demo/", "catcher": "/catcher/", "replies": "/outreach/replies/",
}
#: Only these are kept in the repository; the rest is for looking at.
KEPT = ("overview-light", "collections-light", "collections-dark", "cash-light")


def main(folder: Path, *, everything: bool = False) -> None:
    """Take the pictures into `folder`; with `everything` each page in each form, else those the documentation shows."""
    folder.mkdir(parents=True, exist_ok=True)
    data = Path(tempfile.mkdtemp(prefix="tieout-pictures-"))
    data.chmod(0o755)
    environment = {**os.environ, "TIEOUT_DATA": str(data), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "tieout.faces.cli", "demo", "--port", "8765"]
    demo = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        _shoot(*_wait(demo), folder, everything)
    finally:
        demo.send_signal(signal.SIGINT)
        demo.wait(60)
        shutil.rmtree(data, ignore_errors=True)


def _wait(demo: subprocess.Popen[str]) -> tuple[str, str, str]:
    """Address, login and password as the demo prints them."""
    assert demo.stdout is not None
    said, deadline = "", time.monotonic() + 180
    while time.monotonic() < deadline:
        said += demo.stdout.readline()
        found = re.search(r"(http://127\.0\.0\.1:\d+).*Sign in as\s+(\S+).*Password\s+(\S+)\n", said, re.DOTALL)
        if found:
            time.sleep(5)  # the server binds just after the address is told
            return found[1], found[2], found[3]
    raise SystemExit("the demo did not tell its address in time")


def _shoot(base: str, login: str, password: str, folder: Path, everything: bool) -> None:
    from playwright.sync_api import sync_playwright

    browser_path = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path=browser_path, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--hide-scrollbars"]
        )
        for form, width, height, scheme in (("light", 1360, 900, "light"), ("dark", 1360, 900, "dark"), ("phone", 390, 844, "light")):
            context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)  # type: ignore[arg-type]
            page = context.new_page()
            _sign_in(page, base, login, password)
            for name, path in PAGES.items():
                if everything or f"{name}-{form}" in KEPT:
                    page.goto(base + path)
                    page.screenshot(path=str(folder / f"{name}-{form}.png"))
            context.close()
        browser.close()


def _sign_in(page: Any, base: str, login: str, password: str) -> None:
    page.goto(f"{base}/accounts/login/")
    page.fill("input[name=login]", login)
    page.fill("input[name=password]", password)
    page.click("form button[type=submit]")
    page.wait_for_load_state()


if __name__ == "__main__":
    main(Path(sys.argv[1]), everything="--all" in sys.argv)
