"""Charts drawn as they were approved: golden SVG beside the test. Write them anew with `TIEOUT_GOLDEN=write` and review the diff."""

from __future__ import annotations

import datetime as dt
import os
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest

from tieout.stages.insight.charts import aging_bar, cash_expected

GOLDEN = Path(__file__).parent / "golden"
START = dt.date(2026, 6, 10)
AGES = [("Current", "a0", 41260), ("1–30", "a1", 13820), ("31–60", "a2", 0), ("61–90", "a3", 12), ("90+", "a4", 980)]
LINE = [(START + dt.timedelta(days=7 * i), 4000 * i, 5000 * i + i * i, 6100 * i) for i in range(9)]

DRAWN: dict[str, Callable[[], str]] = {
    "aging_bar": lambda: aging_bar.draw(AGES, title="Open invoices in EUR by age"),
    "cash_expected": lambda: cash_expected.draw([(d, a * 1000, b * 1000, c * 1000) for d, a, b, c in LINE], currency="EUR", title="Cash expected"),
    "cash_expected_yen": lambda: cash_expected.draw(LINE, currency="JPY", title="Cash expected"),
}


@pytest.mark.parametrize("name", sorted(DRAWN))
def test_a_chart_is_drawn_as_approved(name: str) -> None:
    path, drawn = GOLDEN / f"{name}.svg", DRAWN[name]() + "\n"
    if os.environ.get("TIEOUT_GOLDEN") == "write":
        GOLDEN.mkdir(exist_ok=True)
        path.write_text(drawn)
    assert drawn == path.read_text()


@pytest.mark.parametrize("name", sorted(DRAWN))
def test_a_chart_is_well_formed_and_says_what_it_shows(name: str) -> None:
    root = ET.fromstring(DRAWN[name]())
    assert root.get("role") == "img"
    assert root.get("aria-label")
    assert "style" not in DRAWN[name]()


def test_the_parts_of_the_bar_fill_it_and_small_ones_stay_visible() -> None:
    root = ET.fromstring(DRAWN["aging_bar"]())
    widths = [float(rect.get("width", "0")) for rect in root.iter("rect")]
    assert min(widths) >= 3
    assert sum(widths) + aging_bar.GAP * (len(widths) - 1) == pytest.approx(aging_bar.WIDTH, abs=0.3)


def test_nothing_to_draw_draws_nothing() -> None:
    assert aging_bar.draw([("Current", "a0", 0)], title="x") == ""
    assert cash_expected.draw(LINE[:1], currency="EUR", title="x") == ""


def test_a_title_cannot_break_out() -> None:
    drawn = aging_bar.draw([('"><script>', 'a0"', 5)], title='"><script>alert(1)</script>')
    assert "<script>" not in drawn
    ET.fromstring(drawn)


@pytest.mark.parametrize(
    ("most", "currency", "top", "step"),
    [(1, "EUR", 100, 100), (50_000, "EUR", 50_000, 10_000), (85_700_00, "EUR", 10_000_000, 2_000_000),
     (3, "JPY", 3, 1), (26_110_300, "EUR", 30_000_000, 10_000_000)],
)
def test_the_axis_takes_round_steps(most: int, currency: str, top: int, step: int) -> None:
    assert cash_expected.scale(most, currency) == (top, step)


@pytest.mark.parametrize(("minor", "said"), [(0, "0"), (99_900, "999"), (1_250_00, "1.2k"), (2_000_000_00, "2m"), (35_000_00, "35k")])
def test_axis_labels_are_short(minor: int, said: str) -> None:
    assert cash_expected.short(minor, "EUR") == said
