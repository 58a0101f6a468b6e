"""Messages: drafts to read and approve, what is held and why, what was sent with its certificate, and outcomes nobody knows."""

from __future__ import annotations

from typing import Any

from django.contrib import messages as told
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from tieout.core.evidence import Refused
from tieout.faces.web import asked
from tieout.faces.web.answer import actor_of, attempt, back
from tieout.faces.web.asked import Request
from tieout.faces.web.may import may, may_post
from tieout.stages.ledger.models import Customer
from tieout.stages.outreach import approve as approving
from tieout.stages.outreach import cancel as cancelling
from tieout.stages.outreach import draft as drafting
from tieout.stages.outreach import edit as editing
from tieout.stages.outreach import queries
from tieout.stages.outreach import settle as settling
from tieout.stages.outreach.models import Message

PAGE = 50
STATES = (
    ("draft", "Drafts"), ("planned", "Ready"), ("held", "Held"), ("sending", "Being sent"), ("unknown", "Unknown"), ("sent", "Sent"),
    ("bounced", "Bounced"), ("refused", "Refused"), ("cancelled", "Cancelled"),
)
#: States without messages are not worth a tab, but for these.
ALWAYS = ("draft", "planned", "held", "sent")
#: What has not left can still be changed.
WAITING = ("draft", "planned", "held")


@may("view")
def messages(request: Request) -> HttpResponse:
    """Messages in one state, the newest first; drafts are read side by side and approved together."""
    counts = queries.counts()
    state = request.GET.get("state", "draft")
    state = state if state in dict(STATES) else "draft"
    customer = asked.number(request.GET, "customer")
    rows = queries.messages(state=state, customer_id=customer, before=asked.number(request.GET, "before"), limit=PAGE + 1)
    return render(request, "web/outreach.html", {
        "rows": rows[:PAGE], "here": state, "older": rows[PAGE - 1].id if len(rows) > PAGE else None, "customer": customer,
        "states": [(value, word, counts.get(value, 0)) for value, word in STATES if counts.get(value) or value in ALWAYS or value == state],
    })


@may("view")
def message(request: Request, message_id: int) -> HttpResponse:
    """One message: the exact text, the facts it rests on, its certificates check by check, what can still be done."""
    seen = queries.message(message_id=message_id)
    if seen is None:
        raise Http404
    return render(request, "web/message.html", {
        "m": seen, "row": seen.row, "waiting": seen.row.state in WAITING,
        "untrue": editing.untrue(message=Message.objects.get(pk=message_id), body=seen.body) if seen.row.edited else [],
    })


@may("export")
def statement(request: Request, message_id: int) -> HttpResponse:
    """The statement as this message carries it."""
    made = queries.statement_pdf(message_id=message_id)
    if made is None:
        raise Http404
    return HttpResponse(made[1], content_type="application/pdf", headers={"Content-Disposition": f'inline; filename="{made[0]}"'})


@may_post("approve")
def approve(request: Request) -> HttpResponse:
    """Approve the ticked drafts, or take one approval back. The gate is asked all the same when each leaves."""
    ids = asked.numbers(request.POST, "message")
    withdraw = "withdraw" in request.POST
    act = approving.withdraw if withdraw else approving.message
    done, refused = 0, ""
    for row in Message.objects.filter(pk__in=ids).order_by("customer_id", "pk"):
        with transaction.atomic():
            result = act(message=row, actor=actor_of(request), now=request.now)
        refused = result.reason if isinstance(result, Refused) else refused
        done += not isinstance(result, Refused)
    if done and withdraw:
        told.success(request, "The approval is taken back: it waits again under Drafts.")
    elif done:
        told.success(request, f"{done} approved: each leaves once the gate lets it, as it stands under Ready. Until then it can be taken back.")
    if refused or not ids:
        told.error(request, refused[:1].upper() + refused[1:] if refused else "Tick at least one draft.")
    return back(request, reverse("outreach"))


@may_post("draft")
def edit(request: Request, message_id: int) -> HttpResponse:
    """Put the person's words in place; the message waits for approval again."""
    row = _row(message_id)
    subject, body = asked.text(request.POST, "subject", longest=500), request.POST.get("body", "").replace("\x00", "").replace("\r\n", "\n")[:60_000]
    return attempt(
        request, lambda: editing.message(message=row, subject=subject, body=body, actor=actor_of(request), now=request.now),
        done="Saved as your words: machines neither rewrite nor replace it. It waits for approval.", to=_page(row),
    )


@may_post("draft")
def cancel(request: Request, message_id: int) -> HttpResponse:
    """Cancel a message that has not left, or bring a cancelled one back."""
    row = _row(message_id)
    if "undo" in request.POST:
        act: Any = lambda: cancelling.undo(message=row, actor=actor_of(request), now=request.now)  # noqa: E731
        return attempt(request, act, done="It is a draft again.", to=_page(row))
    reason = asked.text(request.POST, "reason", longest=500)
    return attempt(
        request, lambda: cancelling.message(message=row, actor=actor_of(request), now=request.now, reason=reason),
        done="Cancelled: it is not sent, and the machine does not write the same one again.", to=_page(row),
    )


@may_post("approve")
def settle(request: Request, message_id: int) -> HttpResponse:
    """A person found out what became of a message whose outcome nobody knew."""
    row = _row(message_id)
    was_sent = request.POST.get("was") == "sent"
    note = asked.text(request.POST, "note", longest=500)
    done = "Marked as sent." if was_sent else "Marked as not sent: it is judged again and may leave."
    return attempt(
        request, lambda: settling.by_person(message=row, was_sent=was_sent, actor=actor_of(request), now=request.now, note=note),
        done=done, to=_page(row),
    )


@may_post("draft")
def draft(request: Request) -> HttpResponse:
    """Write a draft by hand for some invoices of one customer."""
    customer = get_object_or_404(Customer.objects, pk=asked.number(request.POST, "customer"))
    made = drafting.by_hand(
        customer=customer, document_ids=asked.numbers(request.POST, "document"), tone=asked.text(request.POST, "tone", longest=12) or "friendly",
        actor=actor_of(request), now=request.now,
    )
    if isinstance(made, Refused):
        told.error(request, made.reason[:1].upper() + made.reason[1:])
        return back(request, reverse("customer", args=[customer.pk]))
    return redirect("message", message_id=made.pk)


def _row(message_id: int) -> Message:
    found: Message = get_object_or_404(Message.objects, pk=message_id)
    return found


def _page(row: Message) -> str:
    return reverse("message", args=[row.pk])
