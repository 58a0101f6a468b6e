"""Replies: what debtors wrote back. Each holds its customer until somebody has dealt with it."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from tieout.core.evidence import Refused
from tieout.faces.web import asked
from tieout.faces.web.answer import actor_of, attempt
from tieout.faces.web.asked import Request
from tieout.faces.web.may import may, may_post
from tieout.stages.cash import candidates
from tieout.stages.dialogue import dispute, promise, queries, say_paid
from tieout.stages.dialogue import reply as replying
from tieout.stages.dialogue.models import Reply
from tieout.stages.insight import listing
from tieout.stages.ledger.models import Customer, Document

STATES = (("open", "Waiting"), ("closed", "Closed"), ("automatic", "Automatic"))


@may("view")
def page(request: Request) -> HttpResponse:
    """Replies in one state, the newest first; the one of the address is open, with what can be made of it."""
    state = request.GET.get("state", "open")
    state = state if state in dict(STATES) else "open"
    rows = queries.replies(state=state, customer_id=asked.number(request.GET, "customer"))
    wanted = asked.number(request.GET, "reply")
    chosen = next((r for r in rows if r.reply_id == wanted), rows[0] if rows else None)
    who = asked.text(request.GET, "who", longest=200)
    items = listing.page(wanted=listing.Wanted(customer=chosen.customer_id), today=request.today)[0] if chosen and chosen.customer_id else []
    return render(request, "web/replies.html", {
        "rows": rows, "here": state, "states": STATES, "chosen": chosen, "items": items, "categories": dispute.CATEGORIES, "who": who,
        "people": candidates.customers(text=who),
    })


@may_post("talk")
def close(request: Request, reply_id: int) -> HttpResponse:
    """Dealt with: its hold ends. With `reopen` that is taken back."""
    row = _reply(reply_id)
    act = replying.reopen if "reopen" in request.POST else replying.close
    done = "Open again: its customer is held." if "reopen" in request.POST else "Closed: its hold has ended. The undo stands under Closed."
    reason = asked.text(request.POST, "reason", longest=500)
    return attempt(request, lambda: act(reply=row, actor=actor_of(request), now=request.now, reason=reason), done=done, to=reverse("replies"))


@may_post("talk")
def assign(request: Request, reply_id: int) -> HttpResponse:
    """Say whose reply it is; that customer is held while it is open."""
    row = _reply(reply_id)
    customer = get_object_or_404(Customer.objects, pk=asked.number(request.POST, "customer"))
    return attempt(
        request, lambda: replying.assign(reply=row, customer=customer, actor=actor_of(request), now=request.now),
        done=f"It is {customer.name}'s, who is held until it is closed.", to=f"{reverse('replies')}?reply={row.pk}",
    )


@may_post("talk")
def agree(request: Request, reply_id: int) -> HttpResponse:
    """Make a promise, a dispute or an announced payment of it, and close it: what was agreed holds in its place."""
    row = _reply(reply_id)
    if row.customer is None:
        raise Http404
    made = {"promise": _promise, "dispute": _dispute, "paid": _paid}.get(request.POST.get("as", ""))
    if made is None:
        raise Http404

    def act() -> Any:
        done = made(request, row)
        if not isinstance(done, Refused):
            replying.close(reply=row, actor=actor_of(request), now=request.now, reason=f"{request.POST['as']} recorded")
        return done

    done = "Recorded, and the reply is closed: what was agreed holds from now on."
    return attempt(request, act, done=done, to=reverse("replies"), refusals=(asked.Unreadable,))


def _promise(request: Request, row: Reply) -> Any:
    document = _document(request, row)
    currency = document.currency if document else asked.text(request.POST, "currency", longest=3).upper() or request.profile.base_currency
    date = asked.day(request.POST, "date")
    if date is None:
        return Refused("say by which day the money is promised")
    return promise.record(
        customer=row.customer, amount_minor=asked.minor(request.POST.get("amount", ""), currency), currency=currency, promised_date=date,
        document=document, how=f"by e-mail: {row.subject}"[:300], actor=actor_of(request), now=request.now)


def _dispute(request: Request, row: Reply) -> Any:
    document = _document(request, row)
    if document is None:
        return Refused("choose the invoice that is disputed")
    typed = asked.text(request.POST, "amount", longest=40)
    return dispute.open(
        document=document, amount_minor=asked.minor(typed, document.currency) if typed else None,
        category=asked.text(request.POST, "category", longest=32) or "other", said=row.text[:2000], actor=actor_of(request), now=request.now)


def _paid(request: Request, row: Reply) -> Any:
    return say_paid.record(customer=row.customer, document=_document(request, row), note=row.subject[:300], actor=actor_of(request), now=request.now)


def _document(request: Request, row: Reply) -> Document | None:
    wanted = asked.number(request.POST, "document")
    return get_object_or_404(Document.objects, pk=wanted, customer_id=row.customer_id) if wanted is not None else None


def _reply(reply_id: int) -> Reply:
    found: Reply = get_object_or_404(Reply.objects.select_related("customer"), pk=reply_id)
    return found
