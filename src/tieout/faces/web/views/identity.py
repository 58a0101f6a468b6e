"""Same customer: pairs that wait for a word, side by side; what stands twice in one source; and the rules by which keys are translated."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from tieout.core import party
from tieout.faces.web import asked
from tieout.faces.web.answer import actor_of, attempt, back
from tieout.faces.web.asked import Request
from tieout.faces.web.may import may, may_post
from tieout.flow import identity
from tieout.stages.insight import find
from tieout.stages.intake.models import Connection
from tieout.stages.ledger import duplicates, key_rule, pairs
from tieout.stages.ledger.link import LinkRefused
from tieout.stages.ledger.models import Customer, KeyRule, LinkProposal

REFUSALS = (ValueError, LinkRefused, key_rule.RuleRefused)
PAGE = 20
#: What the page shows: its word, and the sentence where there is nothing.
SHOWN = {
    "customers": ("Waiting", "No customer waits. Records of several systems that are surely one are linked by themselves; doubtful ones wait here."),
    "related": ("One house", "No companies of one house were found. They share an address and are two customers: linked only by your word."),
    "documents": ("Documents", "No document waits. The same invoice in two systems counts once; doubtful pairs wait here."),
    "linked": ("Linked", "Nothing is linked yet. As soon as a customer stands in two systems, the link shows here with its evidence."),
    "refused": ("Not the same", "Nobody has said of two records that they are not the same."),
}


@may("view")
def page(request: Request) -> HttpResponse:
    """Pairs of one sort, the likeliest first."""
    here = request.GET.get("show", "customers")
    here = here if here in SHOWN else "customers"
    after = min(asked.page_key(request), 100_000)
    state = here if here in ("linked", "refused") else "open"
    if here == "documents":
        found = pairs.of_documents(state="open", after=after, limit=PAGE + 1)
    else:
        found = pairs.of_customers(state=state, related=here == "related", after=after, limit=PAGE + 1)
        if state != "open":
            found = [*found, *pairs.of_documents(state=state, after=after, limit=PAGE + 1)]
    counted = pairs.counts()
    told = {name: getattr(counted, name) for name in SHOWN}
    return render(request, "web/identity.html", {
        "pairs": found[:PAGE], "after": after + PAGE if len(found) > PAGE else None, "here": here, "nothing": SHOWN[here][1],
        "shown": [(name, word, told[name]) for name, (word, _) in SHOWN.items()], "open": state == "open",
    })


@may_post("correct")
def decide(request: Request) -> HttpResponse:
    """A word on one pair, or on all that were ticked: the same, not the same, or taken back."""
    act = asked.text(request.POST, "act", longest=8)
    wanted = asked.numbers(request.POST, "pair")
    rows = list(LinkProposal.objects.select_for_update().filter(pk__in=wanted).order_by("-score", "id"))
    if act not in ("same", "two", "reopen") or not rows:
        messages.error(request, "Choose at least one pair, and say whether the two are the same.")
        return back(request, reverse("identity"))
    done, refused = 0, []
    for row in rows:
        outcome = _word(request, row, act)
        done += not outcome
        refused += [outcome] if outcome else []
    if refused:
        messages.error(request, f"{'; '.join(refused[:3])}{'.' if not refused[0].endswith('.') else ''}")
    if done:
        messages.success(request, _DONE[act].format(pairs="The pair" if done == 1 else f"{done} pairs", one=done == 1))
    return back(request, reverse("identity"))


_DONE = {
    "same": "{pairs} linked: everything of theirs stands together now. Take it back under Linked.",
    "two": "{pairs} kept apart. The machine does not propose it again; take it back under Not the same.",
    "reopen": "{pairs} taken back: it waits again.",
}


def _word(request: Request, row: LinkProposal, act: str) -> str:
    """Do it in a savepoint; the reason where it is refused."""
    try:
        with transaction.atomic():
            if act == "reopen":
                identity.reopen(proposal=row, actor=actor_of(request), now=request.now)
            else:
                identity.decide(proposal=row, same=act == "same", actor=actor_of(request), now=request.now)
    except LinkRefused as error:
        said = str(error)
        return said[:1].upper() + said[1:]
    return ""


@may("view", post="correct")
def join(request: Request, customer_id: int) -> HttpResponse:
    """Link another customer with this one: looked up by name, number or mail address, then said."""
    ours = get_object_or_404(Customer.objects, pk=customer_id)
    if request.method == "POST":
        other = Customer.objects.filter(pk=asked.number(request.POST, "customer") or 0).first()
        if other is None:
            raise Http404
        evidence = asked.text(request.POST, "evidence", longest=300) or "linked by a person"
        return attempt(
            request, lambda: identity.join(customer=other, into=ours, evidence=evidence, actor=actor_of(request), now=request.now),
            done=f"{other.name} and {ours.name} are one customer now. Unlink the record there to part them again.",
            to=reverse("customer", args=[ours.lead_id or ours.pk]), refusals=REFUSALS,
        )
    text = party.tidy(asked.text(request.GET, "q", longest=200))
    hits = [hit for hit in find.find(text=text) if hit.kind == "customer" and hit.id != ours.pk] if text else []
    return render(request, "web/identity_join.html", {
        "customer": ours, "text": text, "hits": hits, "likely": pairs.of_customers(state="open", customer_id=ours.pk, limit=5),
    })


@may("view", post="correct")
def twice(request: Request) -> HttpResponse:
    """What stands twice in one source; posting says that two are two."""
    if request.method == "POST":
        kind = asked.text(request.POST, "kind", longest=12)
        first, second = asked.number(request.POST, "first") or 0, asked.number(request.POST, "second") or 0
        if duplicates.dismiss(kind=kind, first_id=first, second_id=second, actor=actor_of(request), now=request.now):
            messages.success(request, "Noted: the two are two. They are not shown again.")
        else:
            messages.error(request, "These two are not shown as duplicates any more.")
        return back(request, reverse("duplicates"))
    return render(request, "web/duplicates.html", {"found": duplicates.find(), "most": duplicates.MOST})


@may("view", post="correct")
def keys(request: Request) -> HttpResponse:
    """The rules by which keys are translated: read, added, taken back."""
    here = reverse("key_rules")
    if request.method == "POST":
        given = asked.number(request.POST, "retract")
        if given is not None:
            rule = KeyRule.objects.select_for_update().filter(pk=given).first()
            if rule is None:
                raise Http404
            return attempt(
                request, lambda: identity.retract_rule(rule=rule, actor=actor_of(request), now=request.now), to=here, refusals=REFUSALS,
                done="The rule is taken back, and what it alone had linked is parted.",
            )
        return attempt(request, lambda: _rule(request), to=here, refusals=REFUSALS, done="The rule stands: customers are compared by it now.")
    links = key_rule.links()
    rules: list[dict[str, Any]] = [{"rule": rule, "links": links.get(rule.pk, 0)} for rule in key_rule.in_force()]
    return render(request, "web/key_rules.html", {
        "rules": rules, "fields": KeyRule.Field.choices, "connections": Connection.objects.exclude(kind__in=("hand", "mailbox")).order_by("name"),
    })


def _rule(request: Request) -> None:
    sides = [Connection.objects.filter(pk=asked.number(request.POST, name) or 0).first() for name in ("connection", "other_connection")]
    if None in sides:
        raise key_rule.RuleRefused("choose both systems")
    key_rule.add(
        connection=sides[0], field=asked.text(request.POST, "field", longest=8), other_connection=sides[1],
        other_field=asked.text(request.POST, "other_field", longest=8), note=asked.text(request.POST, "note", longest=500), actor=actor_of(request),
        now=request.now,
    )  # fmt: skip
    identity.compare_now(now=request.now)
