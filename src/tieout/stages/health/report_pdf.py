"""The health report as a PDF, from the facts that were kept: the same facts give the same bytes."""

from __future__ import annotations

import datetime as dt
import threading
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import typst

from tieout.core.money import minor_text
from tieout.stages.health.report import Facts, Part

_TEMPLATE = Path(__file__).parent / "report.typ"
_ONE_AT_A_TIME = threading.Lock()


def name(facts: Facts) -> str:
    """The file's name."""
    return f"health-report-{facts.from_date.isoformat()}-to-{facts.to_date.isoformat()}.pdf"


def pdf(facts: Facts, *, zone: ZoneInfo) -> bytes:
    """Every figure of the page, on paper."""
    inputs = {"report": msgspec.json.encode(shown(facts, zone)).decode()}
    with _ONE_AT_A_TIME:
        made = _compiler().compile(sys_inputs=inputs, timestamp=int(facts.made_at.timestamp()))
    assert isinstance(made, bytes)
    return made


@lru_cache(maxsize=1)
def _compiler() -> Any:
    # Kept, since it reads its fonts once; system fonts are left out, so that a report looks the same on every machine.
    return typst.Compiler(str(_TEMPLATE), root=str(_TEMPLATE.parent), ignore_system_fonts=True)


def shown(facts: Facts, zone: ZoneInfo) -> dict[str, Any]:
    """Ready strings for the template."""
    sums = facts.sums
    return {
        "title": "Health report", "organisation": facts.organisation, "period": f"{_day(facts.from_date)} to {_day(facts.to_date)}",
        "made": f"Made {_moment(facts.made_at, zone)}",
        "sums": [
            ["Statuses changed in one place only", _count(sums["changed"])], ["Documents that differ", _count(sums["differing"])],
            ["Readings that brought something or failed", _count(sums["readings"])], ["Readings that failed", _count(sums["failed"])],
            ["Written to other systems", _count(sums["written"])], ["Refused there or of unknown outcome", _count(sums["stuck"])],
            ["Records still set aside", _count(sums["still_aside"])],
            ["Alerts opened / closed", f"{_count(sums['alerts_opened'])} / {_count(sums['alerts_closed'])}"],
        ],
        "changed": [
            [one.number, one.customer, f"{one.to} in {one.changed_in}", f"{one.still} in {one.not_in}", _moment(one.changed_at, zone), one.cause]
            for one in facts.changed
        ],
        "more": _more(facts),
        "parts": [_part(part, zone) for part in facts.parts],
    }  # fmt: skip


def _more(facts: Facts) -> str:
    told = []
    if facts.changed_count > len(facts.changed):
        told.append(f"{_count(facts.changed_count - len(facts.changed))} more are counted and not listed.")
    if facts.older_count:
        told.append(f"{_count(facts.older_count)} that last changed before this period still differ.")
    return " ".join(told)


def _part(part: Part, zone: ZoneInfo) -> dict[str, Any]:
    heard = f"fresh, last heard of {_moment(part.last_success_at, zone)}"
    fresh = "not in use" if not part.in_use else f"stale: {part.stale}" if part.stale else heard
    return {
        "name": part.name, "kind": part.kind + (f", {part.stage}" if part.stage else ""), "fresh": fresh,
        "figures": [
            ["Readings", _count(part.readings)], ["Failed", _count(part.failed)], ["New", _count(part.created)], ["Changed", _count(part.updated)],
            ["Gone", _count(part.gone)], ["Set aside", f"{_count(part.quarantined)}, {_count(part.still_aside)} still"],
            ["Corrected by hand", _count(part.corrections)],
            ["Alerts", f"{_count(part.alerts_opened)} opened, {_count(part.alerts_closed)} closed, {lasted(part.alert_minutes)} open"],
        ],
        "compared": f"Compared {_moment(part.compared_at, zone)}: {_count(part.differing)} of {_count(part.documents)} documents differ."
        if part.compared_at else "",
        "differences": [[one.cause, f"{one.currency} {_amount(one.minor, one.currency)}"] for one in part.differences],
        "written": [[one.act, _count(one.done), _count(one.failed), _count(one.unknown), _count(one.waiting)] for one in part.written],
    }  # fmt: skip


def lasted(minutes: int) -> str:
    """`3 d 4 h`, `12 h 5 min`, `7 min`."""
    days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
    return f"{days} d {hours} h" if days else f"{hours} h {rest} min" if hours else f"{rest} min"


def _amount(minor: int, currency: str) -> str:
    whole, dot, rest = minor_text(abs(minor), currency).partition(".")
    return f"{'-' if minor < 0 else ''}{int(whole):,}{dot}{rest}"


def _count(number: int) -> str:
    return f"{number:,}"


def _day(day: dt.date) -> str:
    return f"{day.day} {day:%B %Y}"


def _moment(moment: dt.datetime | None, zone: ZoneInfo) -> str:
    if moment is None:
        return "never"
    local = moment.astimezone(zone)
    return f"{local.day} {local:%b %Y, %H:%M}"
