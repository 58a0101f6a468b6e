"""Payouts: what gateways have sent to the bank, what is in each, and the money still with them."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.shortcuts import render

from tieout.faces.web import asked
from tieout.faces.web.asked import Request
from tieout.faces.web.may import may
from tieout.stages.insight import payouts

#: The states one can ask for, in words.
STATES = {"": "All", "pending": "On their way", "paid": "Paid out", "failed": "Failed", "reversed": "Reversed", "cancelled": "Cancelled"}
#: What a part is, and what became of it elsewhere, in words.
_PARTS = {"payment": "Payment", "refund": "Refund", "dispute": "Dispute", "fee": "Fee", "other": "Adjustment"}
_ACTS = {"payout": "As a deposit", "cancel_payout": "The deposit taken away"}


@may("view")
def page(request: Request) -> HttpResponse:
    """The list, with what no payout holds yet."""
    status = asked.text(request.GET, "status")
    status = status if status in STATES else ""
    rows = payouts.rows(status=status, limit=payouts.LIMIT + 1)
    return render(request, "web/payouts.html", {
        "rows": rows[: payouts.LIMIT], "more": len(rows) > payouts.LIMIT, "most": payouts.LIMIT, "states": list(STATES.items()), "status": status,
        "transit": payouts.in_transit(),
    })  # fmt: skip


@may("view")
def one(request: Request, payout_id: int) -> HttpResponse:
    """One payout: its parts, which come to its amount, and where it was passed on."""
    row = payouts.one(payout_id=payout_id)
    if row is None:
        raise Http404
    parts = payouts.parts(payout_id=payout_id)
    return render(request, "web/payout.html", {
        "row": row, "parts": [(_PARTS.get(part.what, part.what), part) for part in parts], "more": row.items - len(parts),
        "told": [(_ACTS.get(one.act, one.act), one) for one in payouts.told(payout_id=payout_id)], "word": STATES.get(row.status, row.status),
    })  # fmt: skip
