"""How much money comes in over the next weeks? A line with its band and a labelled last point."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from html import escape

from tieout.core.money import Money, exponent

WIDTH, HEIGHT = 560, 190
LEFT, RIGHT, TOP, BOTTOM = 58, 74, 10, 24


def draw(points: Sequence[tuple[dt.date, int, int, int]], *, currency: str, title: str) -> str:
    """The line from (date, low, mid, high) in minor units of `currency`, dates evenly spaced."""
    if len(points) < 2:
        return ""
    top, step = scale(max(max(high, mid) for _, _, mid, high in points) or 1, currency)
    xs = [LEFT + i * (WIDTH - LEFT - RIGHT) / (len(points) - 1) for i in range(len(points))]

    def y(minor: int) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (1 - minor / top)

    lines = "".join(
        f'<line class="gridline" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(v):.1f}" y2="{y(v):.1f}"/>'
        f'<text x="{LEFT - 8}" y="{y(v) + 4:.1f}" text-anchor="end">{short(v, currency)}</text>'
        for v in range(0, top + 1, step)
    )
    days = "".join(
        f'<text x="{x:.1f}" y="{HEIGHT - 6}" text-anchor="middle">{date.day} {date:%b}</text>'
        for i, (x, (date, *_)) in enumerate(zip(xs, points, strict=True)) if i % 2 == 0
    )
    upper = " ".join(f"{x:.1f},{y(high):.1f}" for x, (_, _, _, high) in zip(xs, points, strict=True))
    lower = " ".join(f"{x:.1f},{y(low):.1f}" for x, (_, low, _, _) in reversed(list(zip(xs, points, strict=True))))
    middle = " ".join(f"{x:.1f},{y(mid):.1f}" for x, (_, _, mid, _) in zip(xs, points, strict=True))
    last = points[-1][2]
    end = (
        f'<circle class="dot" cx="{xs[-1]:.1f}" cy="{y(last):.1f}" r="4"/>'
        f'<text class="end" x="{xs[-1] + 9:.1f}" y="{y(last) + 4:.1f}">{short(last, currency)} {escape(currency)}</text>'
    )
    return (
        f'<svg class="fig" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">{lines}{days}'
        f'<polygon class="band" points="{upper} {lower}"/><polyline class="median" points="{middle}"/>{end}</svg>'
    )


def scale(most: int, currency: str) -> tuple[int, int]:
    """The top of the axis and its step in minor units: three to five steps of 1, 2 or 5 times a power of ten."""
    unit = 10 ** exponent(currency)
    step = unit
    while step * 5 < most:
        step = step * 5 // 2 if str(step)[0] == "2" else step * 2
    return -(-most // step) * step, step


def short(minor: int, currency: str) -> str:
    """An axis label: `1.2m`, `350k`, `80`. Exact amounts stand beside the chart, never on its axis."""
    whole = Money(minor, currency).decimal()
    for size, letter in ((1_000_000, "m"), (1_000, "k")):
        if abs(whole) >= size:
            return f"{whole / size:.1f}".rstrip("0").rstrip(".") + letter
    return f"{whole:.0f}"
