"""The cash inbox: money that no machine may apply alone, with what it could be; apply, split, assign, undo."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from tieout.core.evidence import Refused
from tieout.faces.web import asked
from tieout.faces.web.answer import actor_of, attempt
from tieout.faces.web.asked import Request
from tieout.faces.web.may import may, may_post
from tieout.flow import on_cash
from tieout.stages.base import permit
from tieout.stages.cash import apply as applying
from tieout.stages.cash import assign as assigning
from tieout.stages.cash import candidates, propose, queries, write_off
from tieout.stages.cash import reverse as reversing
from tieout.stages.cash import undo as undoing
from tieout.stages.cash.models import Proposal
from tieout.stages.ledger.models import Allocation, Customer, Document, Payment

PAGE = 40
STATES = (("", "All"), ("proposed", "Proposed"), ("unmatched", "Nothing fits"), ("dismissed", "Dismissed"))


@may("view")
def inbox(request: Request) -> HttpResponse:
    """Money not wholly applied, the oldest first, with the best reading beside it."""
    state = request.GET.get("state", "")
    currency = asked.text(request.GET, "currency", longest=3).upper()
    filters = queries.Filters(
        text=asked.text(request.GET, "text", longest=200), state=state if state in dict(STATES) else "", currency=currency,
        customer_id=asked.number(request.GET, "customer"), after=_after(request), limit=PAGE + 1,
    )
    rows = queries.inbox(filters)
    last = rows[PAGE - 1] if len(rows) > PAGE else None
    return render(request, "web/cash.html", {
        "rows": rows[:PAGE], "filters": filters, "states": STATES, "counts": queries.counts(),
        "filtered": bool(filters.text or filters.state or filters.currency or filters.customer_id is not None),
        "after": f"{last.date or ''}|{last.payment_id}" if last else "",
    })


@may("view")
def payment(request: Request, payment_id: int) -> HttpResponse:
    """One payment: as received, what it is applied to and why, the ways to apply the rest side by side."""
    seen = queries.payment(payment_id)
    if seen is None:
        raise Http404
    text = asked.text(request.GET, "q", longest=200)
    offered = tuple(line.document_id for offer in seen.row.offers for line in offer.lines)
    who, row = asked.text(request.GET, "who", longest=200), seen.row
    return render(request, "web/payment.html", {
        "p": seen, "row": row, "text": text, "who": who, "people": candidates.customers(text=who),
        "documents": candidates.documents(currency=row.currency, customer_id=row.customer_id, text=text, also=offered) if row.unapplied_minor else [],
        "offers": [o for o in seen.row.offers if o.state == "open"], "dismissed": [o for o in seen.row.offers if o.state == "dismissed"],
        "live": [a for a in seen.allocations if a.retracted_at is None], "undone": [a for a in seen.allocations if a.retracted_at is not None],
    })


@may_post("apply_cash")
def apply(request: Request, payment_id: int) -> HttpResponse:
    """Apply a proposal as it stands, or the amounts typed per document."""
    payment = get_object_or_404(Payment.objects, pk=payment_id)
    proposal = _proposal(request, payment)

    def act() -> Any:
        lines, offs = _of_proposal(proposal) if proposal else (_typed(request, payment), [])
        done = applying.by_person(payment=payment, lines=lines, actor=actor_of(request), now=request.now, reason=_why(request, proposal))
        if isinstance(done, Refused):
            return done
        for document_id, minor, reason in offs if permit.allowed(request.membership.role, "write_off") else []:
            refused = write_off.document(
                document=get_object_or_404(Document.objects, pk=document_id), amount_minor=minor, reason=reason or "small difference",
                actor=actor_of(request), now=request.now)
            if isinstance(refused, Refused):
                return refused
        _follow(request, payment, [i for i, _ in lines])
        return done

    done = "Applied. The allocations stand on the payment's page, each with its undo."
    return attempt(request, act, done=done, to=_page(payment), refusals=(asked.Unreadable,))


@may_post("apply_cash")
def dismiss(request: Request, payment_id: int) -> HttpResponse:
    """Not this reading: it is not offered again; `restore` takes that back."""
    payment = get_object_or_404(Payment.objects, pk=payment_id)
    proposal = _proposal(request, payment)
    if proposal is None:
        raise Http404
    act = propose.restore if "restore" in request.POST else propose.dismiss
    done = "Offered again." if "restore" in request.POST else "Dismissed: it is not offered again. The undo stands below, under Dismissed."
    return attempt(request, lambda: act(proposal=proposal, actor=actor_of(request), now=request.now), done=done, to=_page(payment))


@may_post("apply_cash")
def undo(request: Request, payment_id: int) -> HttpResponse:
    """Take one allocation back, or all of the payment's; the payment stays."""
    payment = get_object_or_404(Payment.objects, pk=payment_id)
    reason = asked.text(request.POST, "reason", longest=500)
    wanted = asked.number(request.POST, "allocation")
    touched = list(Allocation.objects.filter(payment=payment, retracted_at__isnull=True).values_list("document_id", flat=True))

    def act() -> Any:
        if wanted is None:
            done: Any = undoing.payment(payment=payment, reason=reason, actor=actor_of(request), now=request.now)
        else:
            row = get_object_or_404(Allocation.objects, pk=wanted)
            if row.payment_id != payment.pk and row.evidence.get("payment_id") != payment.pk:
                raise Http404
            touched.append(row.document_id)
            done = undoing.allocation(allocation=row, reason=reason, actor=actor_of(request), now=request.now)
        _follow(request, payment, touched)
        return done

    return attempt(request, act, done="Undone: the money waits again, what it had paid is open again.", to=_page(payment))


@may_post("apply_cash")
def assign(request: Request, payment_id: int) -> HttpResponse:
    """Say whose money it is: it counts for that customer, applied or on account."""
    payment = get_object_or_404(Payment.objects, pk=payment_id)
    wanted = asked.number(request.POST, "customer")
    customer = get_object_or_404(Customer.objects, pk=wanted) if wanted is not None else None
    before = payment.customer_id

    def act() -> Any:
        reason = asked.text(request.POST, "reason", longest=500)
        done = assigning.customer(payment=payment, customer=customer, actor=actor_of(request), now=request.now, reason=reason)
        if not isinstance(done, Refused):
            on_cash.after_money(customer_ids=[c for c in (before, wanted) if c is not None], payment_ids=[payment.pk], now=request.now)
        return done

    done = f"It counts for {customer.name} now; what is not applied is on account." if customer else "Nobody's again: it waits to be recognised."
    return attempt(request, act, done=done, to=_page(payment))


@may_post("correct")
def reverse_(request: Request, payment_id: int) -> HttpResponse:
    """The money came back: what it paid is open again."""
    payment = get_object_or_404(Payment.objects, pk=payment_id)
    touched = list(Allocation.objects.filter(payment=payment, retracted_at__isnull=True).values_list("document_id", flat=True))

    def act() -> Any:
        done = reversing.payment(payment=payment, reason=asked.text(request.POST, "reason", longest=500), actor=actor_of(request), now=request.now)
        _follow(request, payment, touched)
        return done

    return attempt(request, act, done="Reversed: what it had paid is open again.", to=_page(payment))


def _follow(request: Request, payment: Payment, document_ids: list[int]) -> None:
    """Whoever the money touches is looked at again: proposals, promises, behaviour."""
    owners = set(Document.objects.filter(pk__in=document_ids).values_list("customer_id", flat=True)) | {payment.customer_id}
    on_cash.after_money(customer_ids=sorted(c for c in owners if c is not None), payment_ids=[payment.pk], now=request.now)


def _proposal(request: Request, payment: Payment) -> Proposal | None:
    wanted = asked.number(request.POST, "proposal")
    return get_object_or_404(Proposal.objects, pk=wanted, payment=payment) if wanted is not None else None


def _of_proposal(proposal: Proposal) -> tuple[list[tuple[int, int]], list[tuple[int, int, str]]]:
    lines = [(line["document_id"], line["amount_minor"]) for line in proposal.lines]
    return lines, [(d["document_id"], d["write_off_minor"], d.get("write_off_reason", "")) for d in proposal.lines if d.get("write_off_minor")]


def _typed(request: Request, payment: Payment) -> list[tuple[int, int]]:
    """Lines of the form: `amount:<document>` as typed, a credit note's taken as what it takes off."""
    found = []
    for name in request.POST:
        typed = asked.text(request.POST, name, longest=40)
        if name.startswith("amount:") and typed and name[7:].isdecimal():
            document = get_object_or_404(Document.objects, pk=int(name[7:]))
            minor = asked.minor(typed.lstrip("-−"), payment.currency)
            found.append((document.pk, -minor if document.kind == "credit_note" else minor))
    return found


def _why(request: Request, proposal: Proposal | None) -> str:
    return asked.text(request.POST, "reason", longest=500) or (proposal.reason if proposal else "")


def _page(payment: Payment) -> str:
    return reverse("cash_payment", args=[payment.pk])


def _after(request: Request) -> tuple[str, int] | None:
    date, _, key = request.GET.get("after", "").partition("|")
    if not key.isdecimal() or len(key) > 18:
        return None
    try:
        return (dt.date.fromisoformat(date).isoformat() if date else "", int(key))
    except ValueError:
        return None
