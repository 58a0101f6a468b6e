"""One row of everything an organisation can have, all marked with a word, so that a leak is seen; and a digest of them, so that a change is."""

from __future__ import annotations

import datetime as dt
import gzip
import uuid
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from tests.conftest import NOW
from tests.stages import builders
from tieout.core.evidence import Actor
from tieout.stages.base import api_key, found, walls
from tieout.stages.cash.models import Proposal
from tieout.stages.collect.models import Decision, Task, Wave, WorkItem
from tieout.stages.dialogue import contact_point, dispute, hold, note, promise
from tieout.stages.dialogue.models import Reply, Touch
from tieout.stages.health import address, report
from tieout.stages.health.models import Alert, AlertChannel, HealthReport
from tieout.stages.intake import system
from tieout.stages.intake.models import Connection, Envelope, EnvelopePart, QuarantinedRow, Run
from tieout.stages.ledger.models import Allocation, Contact, Correction, KeyRule, LinkProposal, Payout, PayoutItem, SourceRecord
from tieout.stages.outreach import standing, telling
from tieout.stages.outreach.models import Message
from tieout.stages.writeback.models import Conflict, Download, Outgoing, Route

ADA = Actor("person", "Ada", None)


def everything(mark: str) -> dict[str, int | str]:
    """Make it in the running organisation; the keys by the names pages use for them."""
    today = NOW.date()
    debtor = builders.customer(f"{mark} Foods", email=f"ap@{mark.lower()}.example")
    invoice = builders.invoice(debtor, "100.00", number=f"{mark}-1")
    disputed = builders.invoice(debtor, "80.00", number=f"{mark}-2")
    builders.credit_note(debtor, number=f"{mark}-C")
    money = builders.payment("40.00", owner=debtor, text=f"{mark}-1 part", payer_name=f"{mark} payer")
    loose = builders.payment("33.00", text=f"{mark} who", payer_name=f"{mark} unknown")
    applied = Allocation.objects.create(
        kind="cash", payment=money, document=invoice, currency="EUR", amount_minor=1000, date=today, recorded_at=NOW, rank=1, actor_kind="machine",
        actor_name="tieout", rule="unique", reason=f"names {mark}-1")
    proposal = Proposal.objects.create(
        payment=loose, place=1, lines=[{"document_id": invoice.pk, "amount_minor": 3300}], confidence="low", reason=f"{mark} fits", proposed_at=NOW)
    held = hold.place(customer=debtor, reason="manual", note=f"{mark} held", actor=ADA, now=NOW)
    promised = promise.record(
        customer=debtor, amount_minor=500, currency="EUR", promised_date=today + dt.timedelta(days=3), document=invoice, how=f"{mark} by phone",
        actor=ADA, now=NOW)
    objection = dispute.open(document=disputed, amount_minor=700, category="price", said=f"{mark} is too dear", actor=ADA, now=NOW)
    noted = note.write(customer=debtor, text=f"{mark} note", actor=ADA, now=NOW)
    point = contact_point.of(channel="email", address=f"ap@{mark.lower()}.example", now=NOW)
    decision = Decision.objects.create(
        customer=debtor, day=today, step="reminder", channel="email", outcome="send", reason=f"{mark} is late", document_ids=[invoice.pk],
        amounts={"EUR": 9000}, policy_version=0, decided_at=NOW)
    documents = standing.of(customer_ids=[debtor.pk], today=today)[debtor.pk]
    said = telling.tell(
        named=telling.named(documents, [invoice.pk]), documents=documents, customer=debtor.name, recipient="", language="en", today=today)
    message = Message.objects.create(
        customer=debtor, contact_point=point, decision=decision, natural_key=uuid.uuid4().hex, to_address=f"ap@{mark.lower()}.example",
        subject=f"{mark} reminder", body=f"Dear {mark}", state="draft", token=uuid.uuid4().hex, drafted_at=NOW, document_ids=[invoice.pk],
        facts=msgspec.to_builtins(said))
    reply = Reply.objects.create(
        customer=debtor, contact_point=point, message_id=message.pk, received_at=NOW, sender=f"ap@{mark.lower()}.example", subject=f"Re: {mark}",
        text=f"{mark} will look into it")
    Touch.objects.create(
        customer=debtor, contact_point=point, channel="email", direction="out", at=NOW, local_date=today, summary=f"{mark} was written to")
    task = Task.objects.create(
        customer=debtor, kind="call", title=f"Call {mark}", due_date=today, natural_key=uuid.uuid4().hex, made_at=NOW, document_ids=[invoice.pk])
    WorkItem.objects.create(
        customer=debtor, score=100, open_minor={"EUR": 9000}, overdue_minor={"EUR": 9000}, oldest_due_date=today, items=1, state="overdue",
        next_step=f"Call {mark}", refreshed_at=NOW)
    wave = Wave.objects.create(name=f"{mark} wave", released_at=NOW, released_by="Ada", customers=1, open_items=1)
    source = Connection.objects.get(pk=invoice.connection_id)
    content = f"number\n{mark}-9\n".encode()
    envelope = Envelope.objects.create(
        connection=source, external_id=uuid.uuid4().hex, name=f"{mark}.csv", media_type="text/csv", size=len(content), sha256="0" * 64,
        received_at=NOW, state="applied")
    EnvelopePart.objects.create(envelope=envelope, ordinal=0, content=gzip.compress(content))
    run = Run.objects.create(connection=source, envelope=envelope, started_at=NOW, finished_at=NOW, state="done", read=1, quarantined=1)
    row = QuarantinedRow.objects.create(
        connection=source, envelope=envelope, run=run, line=2, column="Due", field="due_date", code="bad_date", message=f"{mark}: no such day",
        raw={"number": f"{mark}-9"})
    correction = Correction.objects.create(
        kind="customer", target_id=debtor.pk, field="city", value=f"{mark} city", before="", reason="said so", by="Ada", recorded_at=NOW)
    on_invoice = Correction.objects.create(
        kind="invoice", target_id=invoice.pk, field="po_number", value=f"{mark} po", before="", reason="said so", by="Ada", recorded_at=NOW)
    connected = system.open(
        vendor="stripe", name=f"{mark} Stripe", settings={"base_url": "http://127.0.0.1:9"}, secrets={"api_key": f"sk_{mark}"},
        account={"id": f"acct_{mark}", "name": mark}, streams=["customers", "invoices"], cadence_hours=1, stage="pilot", actor=ADA, now=NOW)
    payout = Payout.objects.create(
        connection=connected, external_id=f"po_{mark}", status="paid", currency="EUR", amount_minor=3900, gross_minor=4000, fee_minor=100, items=1,
        date=today, created_at=NOW, recorded_at=NOW)
    PayoutItem.objects.create(payout=payout, ordinal=1, what="payment", external_id=f"pi_{mark}", gross_minor=4000, fee_minor=100)
    pushed = Connection.objects.create(kind="push", name=f"{mark} Shop", created_at=NOW)
    key = api_key.issue(name=f"{mark} till", connection_id=pushed.pk, actor=ADA, now=NOW)
    sister = builders.customer(f"{mark} Foods Holding", email=f"holding@{mark.lower()}.example")
    pair = LinkProposal.objects.create(
        kind="customer", first_id=debtor.pk, second_id=sister.pk, score=70, reasons=[f"same mail domain {mark.lower()}.example"], found_at=NOW)
    KeyRule.objects.create(
        connection=source, field="key", other_connection=connected, other_field="email", note=f"{mark} rule", written_by="Ada", recorded_at=NOW)
    alert = Alert.objects.create(
        key=f"stale:{connected.pk}", kind="stale", severity="urgent", subject=f"{mark} Stripe is stale", says=f"{mark} was not heard of",
        mend="mend the connection", page="connection", page_key=connected.pk, connection=connected, first_seen_at=NOW, last_seen_at=NOW)
    told_at = address.add(vendor="slack", name=f"{mark} Slack", given={"address": f"http://127.0.0.1:9/{mark}"}, actor=ADA, now=NOW)
    assert isinstance(told_at, AlertChannel)
    made = report.make(
        from_date=today.replace(day=1), to_date=today, monthly=False, compared={}, today=today, actor=ADA, now=NOW, zone=ZoneInfo("Europe/Berlin"))
    assert isinstance(made, HealthReport)
    line = Route.objects.create(origin=source, target=connected, what="invoice", since=today)
    effect = Outgoing.objects.create(
        kind="invoice", natural_key=f"{connected.pk}:invoice:invoice:{invoice.pk}:1", connection=connected, subject_kind="invoice",
        subject_id=invoice.pk, body={"label": f"{mark}-1"}, state="unknown", receipt=f"{mark} may have it", written_at=NOW, claimed_at=NOW,
        settled_at=NOW, attempts=1, not_before=NOW)
    content = f"what,number\r\nstatus,{mark}-1\r\n".encode()
    download = Download.objects.create(
        connection=source, ordinal=1, until=NOW, made_at=NOW, made_by=f"{mark} Person", lines=1, sha256="0" * 64, content=content)
    conflict = Conflict.objects.create(
        kind="customer", target_id=debtor.pk, customer=debtor, field="city", connection=connected, external_id=f"{mark}-9", ours=f"{mark} city",
        ours_from=f"{mark} books", theirs=f"{mark} town", because=f"{mark} books come first", digest="0" * 32, opened_at=NOW)
    person = found.person(email=f"{mark.lower()}-{uuid.uuid4().hex[:6]}@people.example", name=f"{mark} Person", password=None)
    found.member(person=person, role="collector", actor=ADA, now=NOW)
    return {
        "customer_id": debtor.pk, "invoice_id": invoice.pk, "payment_id": money.pk, "message_id": message.pk, "reply_id": reply.pk,
        "task_id": task.pk, "connection_id": connected.pk, "payout_id": payout.pk, "vendor": mark.lower(),
        "row_id": row.pk, "envelope_id": envelope.pk, "person_id": person.pk, "key_id": key.id,
        "token": str(message.token), "alert_id": alert.pk, "channel_id": told_at.pk, "report_id": made.pk,
        "line_id": line.pk, "effect_id": effect.pk, "download_id": download.pk, "conflict_id": conflict.pk,
        "allocation": applied.pk, "proposal": proposal.pk, "hold": held.pk, "promise": promised.pk, "dispute": objection.pk, "note": noted.pk,
        "wave": wave.pk, "correction": correction.pk, "on_invoice": on_invoice.pk, "contact": Contact.objects.filter(customer=debtor).first().pk,
        "record": SourceRecord.objects.get(kind="customer", target_id=debtor.pk).pk, "loose": loose.pk,
        "pair": pair.pk, "point": point.pk, "decision": decision.pk,
    }


def digest(organisation: uuid.UUID) -> list[tuple[Any, ...]]:
    """Every row of an organisation, in a few characters."""
    from django.apps import apps
    from django.db import connection

    from tieout.stages.base.raise_walls import organisation_models

    tables = sorted(m._meta.db_table for config in apps.get_app_configs() for m in organisation_models(config))
    with walls.inside(organisation), connection.cursor() as cursor:
        each = "SELECT '{0}', count(*), md5(string_agg(t::text, '|' ORDER BY id)) FROM {0} t WHERE organisation_id = %(o)s"
        cursor.execute(" UNION ALL ".join(each.format(table) for table in tables), {"o": organisation})
        return cursor.fetchall()
