"""What the sample company's books say after its days were lived: counts, reasons, sums that must tie."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from django.db import connection

from tieout.core.money import minor_text
from tieout.flow import anchor, clock
from tieout.rehearsal import catcher
from tieout.rehearsal.demo import place
from tieout.stages.base import queries, walls
from tieout.stages.cash import queries as cash
from tieout.stages.collect import baseline
from tieout.stages.health import verify

#: What differs from reason to reason although it is the same one: numbers of documents and receipts, amounts, counts, days, names.
_PARTICULARS = (
    (re.compile(r"\b(?:AP|US|CN|FAIR)-[\d-]+(?: #\d+)?(?:(?:, | and )(?:AP|US|CN|FAIR)-[\d-]+)*"), "an invoice"),
    (re.compile(r"\breceipt \d+ of [\d.,]+ [A-Z]{3}"), "a receipt"),
    (re.compile(r"\b[\d.,]+ [A-Z]{3}\b"), "an amount"),
    (re.compile(r"\d{4}-\d\d-\d\d( \d\d:\d\d)?"), "a day"),
)


def of(organisation_id: UUID) -> dict[str, Any]:
    """The summary as plain data; amounts are decimal texts, per currency."""
    with walls.inside(organisation_id):
        counts = {name: _count(sql) for name, sql in _COUNTS.items()}
        found: dict[str, Any] = {
            "organisation": queries.profile().name,
            "today": clock.today().isoformat(),
            **counts,
            "applied": {
                **{f"by_{kind}": _count(_ALLOCATED, kind=kind) for kind in ("source", "machine", "person")},
                "reasons_of_machine": _reasons(_APPLIED),
            },
            "inbox": cash.counts(),
            "messages": {str(state): int(n) for state, n in _rows(_MESSAGES)},
            "held": _reasons(_HELD),
            "tasks": {str(kind): int(n) for kind, n in _rows(_TASKS)},
            "promises": {str(state): int(n) for state, n in _rows(_PROMISES)},
            "replies": {str(state): int(n) for state, n in _rows(_REPLIES)},
            "quarantined": [str(row[0]) for row in _rows(_QUARANTINED)],
            "currencies": _currencies(),
        }
    found["caught"] = len(catcher.listed(place.letters(), organisation_id=organisation_id, limit=100_000))
    found["verify"] = _verified(organisation_id)
    return found


def _currencies() -> dict[str, dict[str, str]]:
    today = clock.today()
    standing = baseline.of_today(today=today)
    sums: dict[str, dict[str, str]] = {}
    for code, *amounts in _rows(_SUMS):
        named = dict(zip(_SUM_NAMES, (int(a) for a in amounts), strict=True))
        sums[str(code)] = {name: minor_text(minor, str(code)) for name, minor in named.items()}
        figures = standing.get(str(code))
        if figures is not None:
            sums[str(code)]["overdue"] = minor_text(figures.overdue_minor, str(code))
            sums[str(code)]["dso_days"] = "" if figures.dso_tenths is None else f"{figures.dso_tenths / 10:.1f}"
    return sums


def _verified(organisation_id: UUID) -> dict[str, Any]:
    anchors = anchor.anchors(organisation_id)
    with walls.inside(organisation_id):
        verify.steady()
        results = verify.run(now=clock.now(), anchors=anchors)
    broken = {r.code: [f"{b.row}: {b.says}" for b in r.breaches[:5]] for r in results if not r.holds}
    return {"holds": not broken, "checked": {r.code: r.checked for r in results}, "broken": broken}


def _reasons(sql: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for reason, count in _rows(sql):
        plain = str(reason)
        for pattern, word in _PARTICULARS:
            plain = pattern.sub(word, plain)
        found[plain] = found.get(plain, 0) + int(count)
    return dict(sorted(found.items(), key=lambda pair: (-pair[1], pair[0])))


def _count(sql: str, **values: Any) -> int:
    return int(_rows(sql, **values)[0][0])


def _rows(sql: str, **values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, {"o": walls.current(), **values})
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


_COUNTS = {
    "customers": "SELECT count(*) FROM ledger_customer WHERE organisation_id = %(o)s",
    "invoices": "SELECT count(*) FROM ledger_document WHERE organisation_id = %(o)s AND kind = 'invoice'",
    "credit_notes": "SELECT count(*) FROM ledger_document WHERE organisation_id = %(o)s AND kind = 'credit_note'",
    "payments": "SELECT count(*) FROM ledger_payment WHERE organisation_id = %(o)s",
    "proposals": "SELECT count(*) FROM cash_proposal WHERE organisation_id = %(o)s AND state = 'open'",
}
_ALLOCATED = "SELECT count(*) FROM ledger_allocation WHERE organisation_id = %(o)s AND retracted_at IS NULL AND actor_kind = %(kind)s"
_APPLIED = """SELECT reason, count(*) FROM ledger_allocation
               WHERE organisation_id = %(o)s AND retracted_at IS NULL AND actor_kind = 'machine' GROUP BY 1"""
_MESSAGES = "SELECT state, count(*) FROM outreach_message WHERE organisation_id = %(o)s GROUP BY 1 ORDER BY 1"
_HELD = "SELECT hold_reason, count(*) FROM outreach_message WHERE organisation_id = %(o)s AND state = 'held' GROUP BY 1"
_TASKS = "SELECT kind, count(*) FROM collect_task WHERE organisation_id = %(o)s AND state = 'open' GROUP BY 1 ORDER BY 1"
_PROMISES = "SELECT state, count(*) FROM dialogue_promise WHERE organisation_id = %(o)s GROUP BY 1 ORDER BY 1"
_REPLIES = "SELECT state, count(*) FROM dialogue_reply WHERE organisation_id = %(o)s GROUP BY 1 ORDER BY 1"
_QUARANTINED = "SELECT message FROM intake_quarantinedrow WHERE organisation_id = %(o)s AND state = 'open' ORDER BY id"
#: In the order of the sums: what was asked for, what came, what of it was used for what, and what is left on both sides.
_SUM_NAMES = ("invoiced", "credited", "received", "applied", "unapplied", "refunded", "credits_used", "written_off", "open")
_SUMS = """
WITH d AS (SELECT currency, coalesce(sum(amount_minor) FILTER (WHERE kind = 'invoice'), 0) AS invoiced,
                  coalesce(sum(amount_minor) FILTER (WHERE kind = 'credit_note'), 0) AS credited,
                  coalesce(sum(open_minor) FILTER (WHERE kind = 'invoice'), 0) AS open
             FROM ledger_document WHERE organisation_id = %(o)s AND status IN ('open', 'unknown') GROUP BY 1),
p AS (SELECT currency, sum(amount_minor) AS received, sum(unapplied_minor) AS unapplied, sum(refunded_minor) AS refunded
        FROM ledger_payment WHERE organisation_id = %(o)s AND status IN ('succeeded', 'settled') GROUP BY 1),
a AS (SELECT currency, coalesce(sum(amount_minor) FILTER (WHERE kind = 'cash'), 0) AS applied,
             coalesce(sum(amount_minor) FILTER (WHERE kind = 'credit'), 0) AS credits_used,
             coalesce(sum(amount_minor) FILTER (WHERE kind = 'write_off'), 0) AS written_off
        FROM ledger_allocation WHERE organisation_id = %(o)s AND retracted_at IS NULL GROUP BY 1)
SELECT currency, coalesce(invoiced, 0), coalesce(credited, 0), coalesce(received, 0), coalesce(applied, 0), coalesce(unapplied, 0),
       coalesce(refunded, 0), coalesce(credits_used, 0), coalesce(written_off, 0), coalesce(open, 0)
  FROM d FULL JOIN p USING (currency) FULL JOIN a USING (currency) ORDER BY currency"""
