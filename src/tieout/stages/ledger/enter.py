"""Entry by hand: a cheque that came in, a customer, a contact. Every entry has its actor and can be taken back."""

from __future__ import annotations

import datetime as dt
import uuid

from tieout.core import party
from tieout.core.evidence import Actor
from tieout.core.money import Money
from tieout.stages.base import audit
from tieout.stages.intake import connect
from tieout.stages.ledger import version
from tieout.stages.ledger.models import Contact, Customer, Document, Payment, SourceRecord

ROLES = ("bill", "chase", "escalate", "legal")


class EntryRefused(Exception):
    """What was typed cannot be taken; the message names the field and what would be right."""


def customer(*, name: str, country: str, email: str, debtor_type: str, language: str, actor: Actor, now: dt.datetime) -> Customer:
    """A customer entered by hand, with a contact where an address is given."""
    tidy = party.tidy(name)[:300]
    if not tidy:
        raise EntryRefused("name: a customer needs a name")
    row: Customer = Customer.objects.create(
        name=tidy,
        folded_name=party.fold(tidy)[:300],
        country=country.upper()[:2],
        debtor_type=debtor_type,
        language=language,
        created_at=now,
        recorded_at=now,
    )
    _by_hand(row.pk, "customer", actor, now)
    audit.write(actor=actor, action="customer.enter", object_kind="customer", object_id=row.pk, now=now)
    if email:
        contact(customer=row, name="", email=email, phone="", roles=["bill", "chase"], actor=actor, now=now)
    return row


def contact(*, customer: Customer, name: str, email: str, phone: str, roles: list[str], actor: Actor, now: dt.datetime) -> Contact:
    """A person or mailbox of a customer. One address per contact; a person's word outranks a source's."""
    address = party.mail_address(email) if email else ""
    if isinstance(address, party.AddressRefused):
        raise EntryRefused(f"e-mail: {address.reason}")
    if not address and not phone:
        raise EntryRefused("a contact needs an e-mail address or a phone number")
    wrong = [r for r in roles if r not in ROLES]
    if wrong:
        raise EntryRefused(f"role {wrong[0]!r} is not one of {', '.join(ROLES)}")
    row: Contact = Contact.objects.create(
        customer=customer,
        name=party.tidy(name)[:300],
        email=address,
        phone=phone[:64],
        roles=roles or ["bill", "chase"],
        rank=actor.rank,
        recorded_at=now,
    )
    audit.write(
        actor=actor, action="contact.enter", object_kind="customer", object_id=customer.pk, now=now, detail={"contact": row.pk, "roles": roles}
    )
    return row


def retract_contact(*, contact: Contact, actor: Actor, now: dt.datetime) -> None:
    """The contact no longer serves; a source repeating it does not bring it back."""
    contact.retracted_at, contact.rank = now, actor.rank
    contact.save(update_fields=["retracted_at", "rank"])
    audit.write(actor=actor, action="contact.retract", object_kind="customer", object_id=contact.customer_id, now=now, detail={"contact": contact.pk})


def payment(
    *, amount: Money, date: dt.date, customer: Customer | None, payer_name: str, reference: str, method: str, actor: Actor, now: dt.datetime
) -> Payment:
    """Money that came in by cheque, cash or any way no connection shows. It may be back-dated: its day is a fact of its own."""
    if amount.minor <= 0:
        raise EntryRefused("amount: a payment is more than zero")
    if date > now.date() + dt.timedelta(days=1):
        raise EntryRefused("date: this day has not come yet; enter the money when it has arrived, or record a promise")
    row: Payment = Payment.objects.create(
        customer=customer,
        customer_rank=3 if customer else 1,
        connection=connect.hand(now=now),
        external_id=f"hand-{uuid.uuid4().hex[:12]}",
        date=date,
        currency=amount.currency,
        amount_minor=amount.minor,
        payer_name=payer_name[:300],
        reference=reference[:300],
        method=method[:32],
        created_at=now,
        recorded_at=now,
    )
    row.refresh_from_db()
    _by_hand(row.pk, "payment", actor, now)
    version.of_payment(payment=row, cause="by hand", now=now)
    audit.write(actor=actor, action="payment.enter", object_kind="payment", object_id=row.pk, now=now, detail={"amount": str(amount), "date": date})
    return row


def void(*, document: Document, reason: str, actor: Actor, now: dt.datetime) -> None:
    """Declare a document void by a person's word. Refused while money is applied to it."""
    from tieout.stages.ledger import correct

    if document.allocated_minor + document.written_off_minor:
        raise EntryRefused("money is applied to this document; undo that first")
    correct.field(kind=document.kind, target_id=document.pk, field="status", value="void", reason=reason, actor=actor, now=now)


def _by_hand(target_id: int, kind: str, actor: Actor, now: dt.datetime) -> None:
    SourceRecord.objects.create(
        connection=connect.hand(now=now),
        kind=kind,
        external_id=f"hand-{kind}-{target_id}",
        target_id=target_id,
        content_hash=b"hand",
        evidence="entered by hand",
        linked_by=actor.name[:300],
        rank=actor.rank,
        recorded_at=now,
        seen_at=now,
    )
