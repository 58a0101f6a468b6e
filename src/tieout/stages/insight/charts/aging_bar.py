"""How old is what is open? One bar, parts from calm to hot; the amounts stand beneath it as text."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

WIDTH, HEIGHT, GAP = 560, 14, 2


def draw(parts: Sequence[tuple[str, str, int]], *, title: str) -> str:
    """The bar from (label, class, amount); parts of nothing are left out, small ones stay visible. Unit: minor units."""
    shown = [(label, look, minor) for label, look, minor in parts if minor > 0]
    total = sum(minor for _, _, minor in shown)
    if not shown:
        return ""
    room = WIDTH - GAP * (len(shown) - 1)
    widths = _widths([minor * room / total for _, _, minor in shown], room)
    pieces, x = [], 0.0
    for (label, look, minor), width in zip(shown, widths, strict=True):
        share = f"{minor * 100 / total:.0f} %"
        box = f'x="{x:.1f}" width="{width:.1f}" height="{HEIGHT}"'
        pieces.append(f'<rect class="{escape(look)}" {box}><title>{escape(label)}: {share}</title></rect>')
        x += width + GAP
    frame = f'viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none"'
    return f'<svg class="fig bar" {frame} role="img" aria-label="{escape(title)}">{"".join(pieces)}</svg>'


def _widths(wanted: list[float], room: float) -> list[float]:
    """Nothing thinner than 3, the rest shares what is left."""
    least = 3.0
    thin = [w < least for w in wanted]
    left = room - least * sum(thin)
    broad = sum(w for w, is_thin in zip(wanted, thin, strict=True) if not is_thin) or 1
    return [least if is_thin else w * left / broad for w, is_thin in zip(wanted, thin, strict=True)]
