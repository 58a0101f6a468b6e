"""The look's promises: contrast in both themes, nothing fetched from elsewhere, nothing inline that the page's policy forbids."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

WEB = Path(__file__).resolve().parents[2] / "src/tieout/faces/web"
TEMPLATES = sorted((WEB / "templates").rglob("*.html"))
STYLES = sorted((WEB / "static/web").glob("*.css"))

#: Text colour → the grounds it stands on.
STANDS_ON = {
    "ink": ("paper", "ground", "hover", "brand-soft", "good-soft", "warn-soft", "bad-soft", "calm-soft", "mute-soft"),
    "ink-2": ("paper", "ground", "hover", "mute-soft"),
    "ink-3": ("paper", "ground", "hover"),
    "brand": ("paper", "ground", "hover", "brand-soft"),
    "on-brand": ("brand",),
    "good": ("paper", "hover", "good-soft"),
    "warn": ("paper", "ground", "hover", "warn-soft"),
    "bad": ("paper", "hover", "bad-soft"),
    "calm": ("paper", "hover", "calm-soft"),
}
PAIRS = [(text, ground, theme) for text, grounds in STANDS_ON.items() for ground in grounds for theme in ("light", "dark")]


def tokens() -> dict[str, tuple[str, str]]:
    css = (WEB / "static/web/tokens.css").read_text()
    return {name: (light, dark) for name, light, dark in re.findall(r"--([\w-]+):\s*light-dark\((#\w{3,8}),\s*(#\w{3,8})\)", css)}


def luminance(colour: str) -> float:
    """Relative luminance after WCAG 2.2."""
    digits = colour.lstrip("#")
    digits = "".join(d * 2 for d in digits) if len(digits) in (3, 4) else digits
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_computed_as_published() -> None:
    assert round(contrast("#000", "#fff"), 2) == 21.0
    assert round(contrast("#767676", "#ffffff"), 2) == 4.54


@pytest.mark.parametrize(("text", "ground", "theme"), PAIRS, ids=[f"{t} on {g}, {m}" for t, g, m in PAIRS])
def test_text_keeps_its_contrast(text: str, ground: str, theme: str) -> None:
    colours = tokens()
    at = 0 if theme == "light" else 1
    assert contrast(colours[text][at], colours[ground][at]) >= 4.5


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_the_edges_of_fields_can_be_seen(theme: int) -> None:
    colours = tokens()
    assert contrast(colours["edge"][theme], colours["paper"][theme]) >= 3


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda p: str(p.relative_to(WEB / "templates")))
def test_a_template_fetches_nothing_from_elsewhere_and_holds_nothing_inline(template: Path) -> None:
    text = re.sub(r"{#.*?#}|{% comment %}.*?{% endcomment %}", "", template.read_text(), flags=re.S)
    assert not re.search(r"""(src|srcset|href|action|poster|data|hx-get|hx-post)\s*=\s*["'](https?:)?//""", text), "an address of somewhere else"
    assert not re.search(r"\sstyle\s*=", text), "an inline style: the page's policy blocks it; use a class"
    assert not re.search(r"<style", text), "an inline style sheet"
    assert not re.search(r"\son[a-z]+\s*=\s*[\"']", text), "an inline handler"
    for tag in re.findall(r"<script\b[^>]*>", text):
        assert "src=" in tag or "nonce=" in tag or 'type="application/json"' in tag, f"an inline script without nonce: {tag}"


@pytest.mark.parametrize("sheet", STYLES, ids=lambda p: p.name)
def test_a_style_sheet_fetches_only_our_own(sheet: Path) -> None:
    assert re.findall(r"url\(\s*[\"']?([^\"')]+)", sheet.read_text()) in ([], ["../vendor/inter/inter-latin-wght-normal.woff2"])
    assert "@import" not in sheet.read_text()


def test_style_sheets_are_a_few_kilobytes() -> None:
    import zlib

    assert sum(len(zlib.compress(sheet.read_bytes(), 9)) for sheet in STYLES) < 16_000


@pytest.mark.parametrize("folder", [p for p in (WEB / "static/vendor").iterdir() if p.is_dir()], ids=lambda p: p.name)
def test_a_vendored_file_carries_licence_version_and_checksum(folder: Path) -> None:
    note = (folder / "README.md").read_text()
    assert (folder / "LICENSE").is_file()
    assert re.search(r"\b\d+\.\d+\.\d+\b", note)
    for file in folder.iterdir():
        if file.name not in ("README.md", "LICENSE"):
            assert hashlib.sha256(file.read_bytes()).hexdigest() in note, f"{file.name} is not the file its note speaks of"


def test_every_icon_exists() -> None:
    from lucide import _render_icon

    named = {name for t in TEMPLATES for name in re.findall(r"""{%\s*icon\s+["']([\w-]+)["']""", t.read_text())}
    assert len(named) > 20
    for name in sorted(named):
        assert _render_icon(name, 16).startswith("<svg"), name


def test_both_themes_are_given_for_every_colour() -> None:
    css = (WEB / "static/web/tokens.css").read_text()
    colours = re.findall(r"--[\w-]+:\s*(#\w+)\s*;", css)
    assert colours == [], "a colour without its dark twin"
    others = {c for sheet in STYLES if sheet.name != "tokens.css" for c in re.findall(r":[^;{}]*?(#[0-9a-fA-F]{3,8})\b", sheet.read_text())}
    assert others <= {"#fff", "#0006", "#0007"}, "a colour outside the tokens"
