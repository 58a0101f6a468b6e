"""What the people of the company did with the product in the weeks before the visitor came: release, approve, answer, settle.

Days are counted as they worked them: `nth` 0 is the day they began. From the first day on nobody works here but the visitor.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from tieout.core.evidence import Actor
from tieout.rehearsal.company import shop, story
from tieout.rehearsal.company.trade import World
from tieout.rehearsal.demo import debtors
from tieout.stages.base.models import Membership
from tieout.stages.cash import apply, write_off
from tieout.stages.cash import queries as cash
from tieout.stages.collect import queries as collect
from tieout.stages.collect import release, task, waves
from tieout.stages.dialogue import dispute, hold, note, promise, reply, say_paid
from tieout.stages.dialogue.models import Reply
from tieout.stages.ledger.models import Customer, Document, Payment, SourceRecord
from tieout.stages.outreach import approve, draft
from tieout.stages.outreach.models import Message

COLLECTOR, OWNER = "Nora Feld", "Jonas Ahlers"


#: Differences a bank on the way leaves, in minor units: not worth a letter.
_FEE = 2_500


class Day:
    """One day at the desk: who works, which working day it is since they began, and how many are left before the first one."""

    def __init__(self, world: World, *, now: dt.datetime) -> None:
        self.world, self.now, self.today = world, now, world.until
        self.nth = _working_days(story.day(world.first, story.BEGAN), self.today)
        self.left = _working_days(self.today, world.first)
        people = {m.person.name: m.person_id for m in Membership.objects.select_related("person").filter(ended_at__isnull=True)}
        self.nora = Actor("person", COLLECTOR, people.get(COLLECTOR))
        self.jonas = Actor("person", OWNER, people.get(OWNER))

    def customer(self, part: str) -> Customer:
        """The customer who plays a part, found by the key the billing tool gives them."""
        key = next(c.key for c in self.world.clients if c.part == part)
        found = SourceRecord.objects.filter(kind="customer", external_id=key, retracted_at__isnull=True).order_by("id").first()
        assert found is not None
        row: Customer = Customer.objects.get(pk=found.target_id)
        return row

    def bills(self, part: str) -> list[Document]:
        """The open bills the story gave them, the oldest first."""
        amounts = {minor for client in self.world.clients if client.part == part for _, minor in story.bills(client, self.world.first)}
        return list(Document.objects.filter(customer=self.customer(part), amount_minor__in=amounts, open_minor__gt=0).order_by("issue_date"))


def work(world: World, *, now: dt.datetime) -> None:
    """One day's work, in the running transaction."""
    day = Day(world, now=now)
    for act in _ACTS:
        act(day)


def _working_days(after: dt.date, until: dt.date) -> int:
    return sum((after + dt.timedelta(days=n + 1)).weekday() < 5 for n in range((until - after).days))


_DIFFICULT = ("kept", "broken", "dispute", "lets it lie", "dead mailbox", "opts out", "says paid", "short", "consumer", "credited", "drags on",
              "refuses")  # fmt: skip


def _release(day: Day) -> None:
    """The first customers on the second day; then more of them, the difficult ones included. The rest waits."""
    if day.nth == 1:
        proposal = waves.preview(today=day.today)
        release.wave(customer_ids=proposal.waves[0].customer_ids, name="Ten to begin with", actor=day.jonas, now=day.now)
    if day.nth == 3:
        proposal = waves.preview(today=day.today)
        ids = [c for group in proposal.waves for c in group.customer_ids]
        chosen = set(ids[: len(ids) * 6 // 10]) | {day.customer(part).pk for part in _DIFFICULT}
        chosen |= {row.pk for row in _owing_the_shop()}
        release.wave(customer_ids=chosen, name="Most regular customers", actor=day.jonas, now=day.now)


def _approve(day: Day) -> None:
    """Letters that waited overnight; those of the last days still wait."""
    if day.left < 5:
        return
    for row in Message.objects.filter(state=Message.State.DRAFT, drafted_at__lt=day.now - dt.timedelta(hours=1)).order_by("id"):
        approve.message(message=row, actor=day.jonas, now=day.now)


def _credits(day: Day) -> None:
    """Credit notes against the invoices they name; the newest are left."""
    if day.nth != 1:
        return
    notes = Document.objects.filter(kind="credit_note", open_minor__gt=0, issue_date__lt=day.today - dt.timedelta(days=14)).order_by("id")
    for row in notes:
        invoice = Document.objects.filter(kind="invoice", customer_id=row.customer_id, number=row.related_number, open_minor__gt=0).first()
        if invoice is not None:
            apply.credit(credit_note=row, document=invoice, amount_minor=min(row.open_minor, invoice.open_minor), actor=day.nora, now=day.now)


def _inbox(day: Day) -> None:
    """Money that was proposed and has waited: as proposed, where there is no rival. What a bank on the way kept is written off."""
    if day.nth not in (2, 3, 8, 12):
        return
    for row in cash.inbox(cash.Filters(state="proposed", limit=200)):
        offer = row.offers[0]
        if row.date is None or row.date >= day.today - dt.timedelta(days=6) or offer.confidence == "low" or len(row.offers) > 1:
            continue
        lines = [(line.document_id, line.amount_minor) for line in offer.lines]
        apply.by_person(payment=Payment.objects.get(pk=row.payment_id), lines=lines, actor=day.nora, now=day.now, reason="as proposed")
        for bill in Document.objects.filter(pk__in=[i for i, _ in lines], currency="USD", open_minor__gt=0, open_minor__lte=_FEE):
            write_off.document(document=bill, amount_minor=bill.open_minor, reason="a bank on the way kept its fee", actor=day.jonas, now=day.now)


def _promises(day: Day) -> None:
    """Promises by telephone: one is kept to the day, one is not, and one still runs when the visitor comes."""
    if day.nth == 5:
        for row in day.bills("kept")[:1]:
            _promised(day, row, story.day(day.world.first, -9), "on the telephone: after the last wedding of the season")
        for row in day.bills("broken"):
            _promised(day, row, story.day(day.world.first, -7), "on the telephone: Mr Ravensworth, “first thing next week”")
    if day.left == 2:
        for row in day.bills("drags on")[:1]:
            _promised(day, row, story.day(day.world.first, 8), "on the telephone: half of the season's bookings are paid by then", whole=True)


def _promised(day: Day, row: Document, until: dt.date, how: str, *, whole: bool = False) -> None:
    """For one bill, or (`whole`) as a payment on the account, which then rests as a whole."""
    promise.record(
        customer=row.customer, document=None if whole else row, amount_minor=row.open_minor, currency=row.currency, promised_date=until, how=how,
        actor=day.nora, now=day.now,
    )  # fmt: skip


def _said(day: Day) -> None:
    """A dispute of a part and one of all of it, a bill with the lawyer, a payment announced, a note."""
    if day.nth == 6:
        for row in day.bills("dispute")[:1]:
            said = "Two of the ten panels are printed in the wrong blue; we pay for eight."
            dispute.open(document=row, amount_minor=129_600, category="quality", said=said, actor=day.nora, now=day.now)
    if day.nth == 9:
        for row in day.bills("refuses")[:1]:
            said = "Delivered to the wrong yard and never reached us."
            dispute.open(document=row, category="not delivered", said=said, actor=day.nora, now=day.now)
    if day.nth == 10:
        for row in day.bills("lets it lie")[:1]:
            hold.place(
                customer=row.customer, document=row, reason="legal", note="with Weißenfels, claim filed", actor=day.jonas, now=day.now
            )
    if day.left == 1:
        says = day.customer("says paid")
        say_paid.record(customer=says, note="Ms Lindqvist: transferred this morning", actor=day.nora, now=day.now)
        note.write(customer=says, text="New person in accounts: Ms Lindqvist, mornings only.", actor=day.nora, now=day.now)


def _replies(day: Day) -> None:
    """Answers that came the day before; the last ones are left to the visitor."""
    if day.left < 4:
        return
    for row in Reply.objects.filter(state="open", customer__isnull=False).order_by("id"):
        kind = debtors.meant(row.text)
        if kind == "promise":
            _promise_in(day, row)
        elif kind == "paid":
            say_paid.record(customer=row.customer, note=row.text[:200], actor=day.nora, now=day.now)
        if kind:
            reply.close(reply=row, actor=day.nora, now=day.now, reason={"promise": "promise noted", "copy": "copy sent"}.get(kind, "answered"))


def _promise_in(day: Day, row: Reply) -> None:
    until = debtors.promised(row.received_at.date())
    late = Document.objects.filter(customer=row.customer, kind="invoice", open_minor__gt=0, due_date__lt=day.today).order_by("due_date")
    for bill in late:
        _promised(day, bill, max(until, day.today), f"by mail from {row.sender}")


def _calls(day: Day) -> None:
    """A call or two in the week, with what came of it."""
    if day.today.weekday() not in (1, 3) or day.left < 2:
        return
    for row in [t for t in collect.tasks(kind="call", due_by=day.today, limit=20) if not t.waits][:2]:
        outcome = ("spoke to accounts; it is in the next payment run", "left a message with reception")[row.task_id % 2]
        task.settle(task=task.Task.objects.get(pk=row.task_id), outcome=outcome, channel="call", actor=day.nora, now=day.now)


def _owing_the_shop() -> list[Customer]:
    """The shop's customers who do not stir; those of the CRM that are the same ones have nothing of their own."""
    names = [buyer.name for buyer in shop.BUYERS if buyer.late]
    return list(Customer.objects.filter(name__in=names, pk__in=Document.objects.values("customer_id")).order_by("pk"))


def _shop_letters(day: Day) -> None:
    """On the last evening Nora asks the shop's late ones herself; her letters wait for Jonas."""
    if day.left != 1:
        return
    for owing in _owing_the_shop():
        late = Document.objects.filter(customer=owing, kind="invoice", open_minor__gt=0, due_date__lt=day.today).values_list("pk", flat=True)
        draft.by_hand(customer=owing, document_ids=list(late), tone="friendly", actor=day.nora, now=day.now)


_ACTS: tuple[Callable[[Day], None], ...] = (_credits, _inbox, _release, _promises, _said, _replies, _calls, _shop_letters, _approve)
