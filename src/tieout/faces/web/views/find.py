"""Find: one box for customers, documents and money. A whole number of one document goes straight there."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from tieout.faces.web import asked
from tieout.faces.web.asked import Request
from tieout.faces.web.may import may
from tieout.stages.insight import find as finding

PAGES = {"customer": "customer", "invoice": "invoice", "credit_note": "invoice", "payment": "cash_payment"}
ICONS = {"customer": "building-2", "invoice": "receipt-text", "credit_note": "receipt-text", "payment": "landmark"}


@may("view")
def page(request: Request) -> HttpResponse:
    """What fits the text."""
    text = asked.text(request.GET, "q", longest=200)
    found = finding.find(text=text)
    exact = [hit for hit in found if hit.exact]
    if len(exact) == 1 and exact[0].kind != "customer":
        return redirect(PAGES[exact[0].kind], exact[0].id)
    hits = [(hit, reverse(PAGES[hit.kind], args=[hit.id]), ICONS[hit.kind]) for hit in found]
    return render(request, "web/find.html", {"text": text, "hits": hits, "most": finding.MOST})
