"""A customer: what they owe, how they pay, what was said and agreed, and everything that can be said and done."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from tieout.core import days, party
from tieout.core.evidence import Refused
from tieout.faces.web import asked, story
from tieout.faces.web.answer import actor_of, attempt
from tieout.faces.web.asked import Request
from tieout.faces.web.may import may, may_post
from tieout.flow import identity
from tieout.stages.dialogue import hold as holds
from tieout.stages.dialogue import note as notes
from tieout.stages.dialogue import promise as promises
from tieout.stages.dialogue import say_paid
from tieout.stages.dialogue.models import Hold, Note, Promise
from tieout.stages.insight import account, figures, listing
from tieout.stages.insight import story as events
from tieout.stages.ledger import correct as corrections
from tieout.stages.ledger import enter, origin, rules
from tieout.stages.ledger import link as links
from tieout.stages.ledger.models import Contact, Correction, Customer, Document, SourceRecord
from tieout.stages.outreach import standing, telling
from tieout.stages.outreach import statement as statements
from tieout.stages.outreach.words import Sender

REFUSALS = (ValueError, enter.EntryRefused, links.LinkRefused, corrections.CorrectionRefused)
#: Fields a person may correct here, with the word for each; owner and parent have pages of their own.
FIELDS = {
    "name": "Name", "country": "Country", "city": "City", "debtor_type": "Business or consumer", "time_zone": "Time zone", "language": "Language",
    "currency": "Currency", "tax_id": "Tax number", "phone": "Telephone",
}
#: Reasons a person places a hold for; disputes, promises, replies and opt-outs hold through their own acts.
HOLD_REASONS = [(value, label) for value, label in Hold.Reason.choices if value in ("manual", "plan", "legal", "insolvency")]
EVENTS = 40


@may("view")
def page(request: Request, customer_id: int) -> HttpResponse:
    """Figures, open items, agreements, contacts, sources, and the timeline."""
    card = account.card(customer_id=customer_id, today=request.today)
    if card is None:
        raise Http404
    if not card.records and (lead := Customer.objects.filter(pk=customer_id).values_list("lead_id", flat=True).first()):
        return redirect("customer", customer_id=lead)
    wanted = listing.Wanted(customer=customer_id)
    items, after = listing.page(wanted=wanted, today=request.today)
    lines = events.of(customer_id=customer_id, limit=EVENTS + 1)
    values: dict[str, Any] = {
        "card": card,
        "customer": card.customer,
        "items": [(item, item.state(request.today)) for item in items],
        "more_items": bool(after),
        "aged": figures.aging_of(customer_id=customer_id, today=request.today),
        "lines": story.told(lines[:EVENTS]),
        "limit": EVENTS * 3 if len(lines) > EVENTS else 0,
        "origins": _origins(card),
        "fields": FIELDS.items(),
        "hold_reasons": HOLD_REASONS,
        "roles": enter.ROLES,
        "here": reverse("customer", args=[customer_id]),
    }
    return render(request, "web/customer.html", values)


@may("view")
def more(request: Request, customer_id: int) -> HttpResponse:
    """A longer timeline, swapped in place."""
    if not Customer.objects.filter(pk=customer_id).exists():
        raise Http404
    limit = min(asked.number(request.GET, "limit") or EVENTS, 2000)
    lines = events.of(customer_id=customer_id, limit=limit + 1)
    values = {"lines": story.told(lines[:limit]), "limit": limit * 3 if len(lines) > limit else 0, "customer": {"id": customer_id}}
    return render(request, "web/_timeline.html", values)


@may("export")
def statement(request: Request, customer_id: int) -> HttpResponse:
    """Everything open, as the PDF the customer would get today."""
    customer = _customer(customer_id)
    documents = standing.of(customer_ids=[customer_id], today=request.today).get(customer_id, {})
    language = "de" if customer.language == "de" else "en"
    said = telling.tell(named=[], documents=documents, customer=customer.name, recipient="", language=language, today=request.today)
    made = statements.pdf(said, sender=Sender(request.profile.sender_name or request.profile.name, request.profile.sender_address))
    return HttpResponse(made, content_type="application/pdf", headers={"Content-Disposition": f'inline; filename="{statements.name(said)}"'})


@may_post("talk")
def note(request: Request, customer_id: int) -> HttpResponse:
    """Write a note, or take one back."""
    here = reverse("customer", args=[customer_id])
    given = asked.number(request.POST, "retract")
    if given is not None:
        row = _of(Note, customer_id, given)
        return attempt(request, lambda: notes.retract(note=row, actor=actor_of(request), now=request.now), done="The note was taken back.", to=here)
    customer, document = _customer(customer_id), _document(request, customer_id)
    text = asked.text(request.POST, "text")
    return attempt(
        request, lambda: notes.write(customer=customer, text=text, document=document, actor=actor_of(request), now=request.now), to=here,
        done="Noted.",
    )


@may_post("talk")
def hold(request: Request, customer_id: int) -> HttpResponse:
    """Place a hold on the customer or on one document."""
    customer, document = _customer(customer_id), _document(request, customer_id)

    def act() -> Any:
        return holds.place(
            customer=customer, reason=asked.text(request.POST, "reason"), document=document, until=asked.day(request.POST, "until"),
            note=asked.text(request.POST, "note"), actor=actor_of(request), now=request.now,
        )

    return attempt(request, act, done="Held: nothing is asked until the hold is released or ends.", to=reverse("customer", args=[customer_id]))


@may_post("talk")
def release(request: Request, customer_id: int) -> HttpResponse:
    """Release a hold."""
    row = _of(Hold, customer_id, asked.number(request.POST, "hold"))
    reason = asked.text(request.POST, "reason") or "released on the customer's page"
    return attempt(
        request, lambda: holds.release(hold=row, reason=reason, actor=actor_of(request), now=request.now), done="The hold is released.",
        to=reverse("customer", args=[customer_id]),
    )


@may_post("talk")
def promise(request: Request, customer_id: int) -> HttpResponse:
    """Record a promise to pay."""
    customer, document = _customer(customer_id), _document(request, customer_id)

    def act() -> Any:
        promised = asked.day(request.POST, "date")
        if promised is None:
            return Refused("a promise needs the day it is for")
        currency = document.currency if document else asked.text(request.POST, "currency", longest=3).upper()
        typed = asked.text(request.POST, "amount")
        amount = document.open_minor if document and not typed else asked.minor(typed, currency)
        return promises.record(
            customer=customer, amount_minor=amount, currency=currency, promised_date=promised, document=document, how=asked.text(request.POST, "how"),
            actor=actor_of(request), now=request.now,
        )

    return attempt(request, act, done="The promise is recorded; nothing is asked before its day.", to=reverse("customer", args=[customer_id]))


@may_post("talk")
def withdraw(request: Request, customer_id: int) -> HttpResponse:
    """Take a promise out of play."""
    row = _of(Promise, customer_id, asked.number(request.POST, "promise"))
    return attempt(
        request, lambda: promises.withdraw(promise=row, reason="withdrawn on the customer's page", actor=actor_of(request), now=request.now),
        done="The promise is withdrawn, and with it its hold.", to=reverse("customer", args=[customer_id]),
    )


@may_post("talk")
def says_paid(request: Request, customer_id: int) -> HttpResponse:
    """They say they paid: held at once."""
    customer, document = _customer(customer_id), _document(request, customer_id)

    def act() -> Any:
        return say_paid.record(
            customer=customer, document=document, note=asked.text(request.POST, "note"), until=asked.day(request.POST, "until"),
            actor=actor_of(request), now=request.now,
        )

    return attempt(request, act, done="Held while the money is on its way.", to=reverse("customer", args=[customer_id]))


@may_post("correct")
def contact(request: Request, customer_id: int) -> HttpResponse:
    """Add a contact, change one (the old one is retracted, the new one stands), or take one away."""
    customer = _customer(customer_id)
    given = asked.number(request.POST, "contact")
    old = _of(Contact, customer_id, given) if given is not None else None
    gone = "remove" in request.POST

    def act() -> Any:
        if old is not None:
            enter.retract_contact(contact=old, actor=actor_of(request), now=request.now)
        if gone:
            return None
        return enter.contact(
            customer=customer, name=asked.text(request.POST, "name", longest=300), email=asked.text(request.POST, "email", longest=320),
            phone=asked.text(request.POST, "phone", longest=64), roles=request.POST.getlist("roles"), actor=actor_of(request), now=request.now,
        )

    done = "The contact no longer serves; a source repeating it does not bring it back." if gone else "The contact is saved."
    return attempt(request, act, done=done, to=reverse("customer", args=[customer_id]), refusals=REFUSALS)


@may_post("correct")
def link(request: Request, customer_id: int) -> HttpResponse:
    """Link a source record to another customer, or split it off again."""
    row = SourceRecord.objects.filter(
        pk=asked.number(request.POST, "record") or 0, kind="customer", target_id=customer_id, retracted_at__isnull=True).first()
    if row is None:
        raise Http404
    here = reverse("customer", args=[customer_id])
    if "unlink" in request.POST:
        return attempt(
            request, lambda: identity.split(record=row, actor=actor_of(request), now=request.now), to=here, refusals=REFUSALS,
            done="The record is split off, and its documents and payments with it. The machine does not link it again; you can.",
        )
    wanted = party.tidy(asked.text(request.POST, "to", longest=300))
    found = list(Customer.objects.filter(**({"pk": int(wanted)} if wanted.isascii() and wanted.isdigit() and len(wanted) < 19
                                            else {"folded_name": party.fold(wanted)}))[:2])
    if len(found) != 1:
        messages.error(request, f"{'No customer' if not found else 'More than one customer'} is called “{wanted}”; give the full name or the number.")
        return redirect(here)
    return attempt(
        request, lambda: identity.attach(
            record=row, customer=found[0], evidence=asked.text(request.POST, "evidence", longest=300) or "linked by a person",
            actor=actor_of(request), now=request.now),
        done=f"The record now belongs to {found[0].name}; its documents and payments moved along. Split it off there to undo.", to=here,
        refusals=REFUSALS,
    )


@may_post("correct")
def correct(request: Request, customer_id: int) -> HttpResponse:
    """Correct a field, or take a correction back."""
    here = reverse("customer", args=[customer_id])
    given = asked.number(request.POST, "retract")
    if given is not None:
        row = Correction.objects.filter(pk=given, kind="customer", target_id=customer_id).first()
        if row is None:
            raise Http404
        return attempt(
            request, lambda: corrections.retract(correction=row, actor=actor_of(request), now=request.now), to=here, refusals=REFUSALS,
            done="The correction is taken back; the source's word counts again.",
        )
    _customer(customer_id)

    def act() -> Any:
        name = asked.text(request.POST, "field", longest=32)
        value = _value(name, asked.text(request.POST, "value", longest=300))
        return corrections.field(
            kind="customer", target_id=customer_id, field=name, value=value, reason=asked.text(request.POST, "reason"), actor=actor_of(request),
            now=request.now,
        )

    return attempt(request, act, done="Corrected. Your word outranks every source until you take it back.", to=here, refusals=REFUSALS)


def _value(name: str, value: str) -> str:
    """What may be stored in the field. Raises asked.Unreadable with what would be right."""
    if name not in FIELDS:
        raise asked.Unreadable(f"{name or 'nothing'} is not a field that can be corrected here")
    if name == "name" and not party.tidy(value):
        raise asked.Unreadable("a customer needs a name")
    if name == "time_zone" and value:
        days.zone(value)
    if name == "debtor_type" and value not in ("", "business", "consumer"):
        raise asked.Unreadable("write business or consumer, or leave it empty for unknown")
    if name == "country" and value and not (len(value) == 2 and value.isascii() and value.isalpha()):
        raise asked.Unreadable("write the country as two letters, such as DE")
    if name == "currency" and value:
        from tieout.core.money import exponent

        exponent(value.upper())
    if name == "language" and len(value) > 8:
        raise asked.Unreadable("write the language as a code, such as en or de")
    limits = {"tax_id": 64, "phone": 64, "city": 200}
    return (value.upper() if name in ("country", "currency") else value)[: limits.get(name, 300)]


def _origins(card: account.Card) -> list[dict[str, Any]]:
    """Each field with its value, where it comes from, the person's word on it if any, and what the others say."""
    corrected = {row.field: row for row in card.corrections}
    by_hand = {name: origin.ByHand(row.value, row.by, row.recorded_at) for name, row in corrected.items() if name in FIELDS}
    words = [origin.Word(w.field, w.value, w.form, w.connection_id, w.external_id, w.received_at) for w in card.words]
    found = origin.of_customer(
        words=words, rules=rules.in_force(card.rules), names={s.id: s.name for s in card.sources},
        kinds={s.id: rules.kind_of(s.kind, s.vendor) for s in card.sources}, by_hand=by_hand,
    )  # fmt: skip
    rows = [
        {"field": name, "word": word, "value": getattr(card.customer, name) or "", "correction": corrected.get(name), "origin": found.get(name)}
        for name, word in FIELDS.items()
    ]
    if "email" in found:
        chased = next((c.email for c in sorted(card.contacts, key=lambda c: (-c.rank, c.id)) if c.email and "chase" in c.roles), "")
        rows.append({"field": "email", "word": "E-mail for reminders", "value": chased, "correction": None, "origin": found["email"]})
    return rows


def _customer(customer_id: int) -> Any:
    found = Customer.objects.filter(pk=customer_id).first()
    if found is None:
        raise Http404
    return found


def _of(model: Any, customer_id: int, key: int | None) -> Any:
    """A row of this customer by the key a form sent, or 404."""
    found = model.objects.filter(pk=key or 0, customer_id=customer_id).first()
    if found is None:
        raise Http404
    return found


def _document(request: Request, customer_id: int) -> Any:
    """The document of this customer that the form named, if it named one."""
    given = asked.number(request.POST, "document")
    return _of(Document, customer_id, given) if given is not None else None
