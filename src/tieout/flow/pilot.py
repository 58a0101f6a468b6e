"""The pilot: chosen invoices travel end to end without anything being written or sent.

Read again at their source, as they stand in our ledger, what each system of the map would be told, and what it has instead. What
would be told is planned and put together by the very code that does it live, in a transaction that is rolled back; the requests go
over a line that lets none through that writes.
"""

from __future__ import annotations

import datetime as dt
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import msgspec
from django.db import transaction
from django.db.models import Max

from tieout.adapters.ports import registry
from tieout.adapters.ports.connector import Command, Raw, Ref
from tieout.adapters.ports.errors import BadRecord, NeedsPerson, PortError, Unsupported
from tieout.adapters.ports.http import WouldSend
from tieout.core.documents import Invoice
from tieout.core.evidence import Actor
from tieout.core.money import minor_text
from tieout.flow import clock, line
from tieout.stages.base import walls
from tieout.stages.intake.models import Connection, SyncStream
from tieout.stages.ledger.models import Allocation, Correction, Document, SourceRecord
from tieout.stages.writeback import compose, pilot, plan, recognise, route
from tieout.stages.writeback.models import Outgoing, PilotRun

#: A customer, then its invoice, then its payment: what comes of what, as in `write.run`.
_ROUNDS = 4
#: Acts that will themselves bring what is open there into line.
_SETTLING = frozenset({"payment", "apply_credit", "void"})
#: What a person reads, of a request that would have been sent.
_LONGEST = 4_000


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """A field on which two sides disagree, and what explains it; empty where nothing does."""

    field: str
    ours: str
    theirs: str
    why: str = ""


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """One thing a system would be told: the command in our words, and the request it becomes there; or why not (`refused`)."""

    act: str
    label: str
    body: dict[str, Any] = {}
    request: str = ""
    sends: Any = None
    waits: str = ""
    refused: str = ""


class There(msgspec.Struct, frozen=True, kw_only=True):
    """One target: whether it has the invoice, how it differs there, what it would be told, how long it took to ask."""

    system: str
    has: bool
    milliseconds: int | None = None
    told: list[Told] = []
    differences: list[Difference] = []
    error: str = ""


class Travelled(msgspec.Struct, frozen=True, kw_only=True):
    """One invoice at its hops."""

    document: int
    number: str
    customer: str
    source: str
    read: bool
    milliseconds: int | None = None
    note: str = ""
    stands: dict[str, str] = {}
    differences: list[Difference] = []
    there: list[There] = []


def ask(organisation_id: UUID, connection_id: int, *, numbers: Iterable[str], actor: Actor) -> int:
    """Choose the invoices and ask for the run; its number. Raises NothingToShow."""
    with walls.inside(organisation_id):
        connection = Connection.objects.get(pk=connection_id)
        with _as_if_live():
            into = {row.origin_id for row in route.Route.objects.filter(target=connection, what="invoice", enabled=True) if row.origin_id}
        documents = pilot.choose(connection=connection, numbers=numbers, origins=into)
        return int(pilot.begin(connection=connection, documents=documents, actor=actor, now=clock.now()).pk)


def run(organisation_id: UUID, run_id: int) -> None:
    """Let them travel and keep what was met; a run that is done stays as it is."""
    with walls.inside(organisation_id):
        asked = PilotRun.objects.get(pk=run_id)
        if asked.state == PilotRun.State.DONE:
            return
        connection_id, chosen = asked.connection_id, list(asked.chosen)
    try:
        results = _travelled(organisation_id, connection_id, chosen)
    except Exception as error:
        with walls.inside(organisation_id):
            said = str(error) if isinstance(error, PortError) else f"{type(error).__name__}: {error}"
            pilot.failed(run_id=run_id, error=said[:1000], now=clock.now())
        if isinstance(error, PortError):
            return
        raise
    unexplained = [d for one in results for d in (*one.differences, *(d for there in one.there for d in there.differences)) if not d.why]
    refused = [t for one in results for there in one.there for t in there.told if t.refused]
    unreached = sum(bool(there.error) for one in results for there in one.there) + sum(not one.read and bool(one.note) for one in results)
    with walls.inside(organisation_id):
        pilot.keep(
            run_id=run_id, results=msgspec.to_builtins(results), differing=len(unexplained) + unreached, refused=len(refused), now=clock.now()
        )


# What would be told, were everything live


@contextmanager
def _as_if_live() -> Iterator[None]:
    """Inside, every system is live and has the map it suggests; afterwards all is as it was."""
    place = transaction.savepoint()
    connectors = registry.connectors().values()
    try:
        route.rehearse(
            writes={one.manifest.name: one.manifest.abilities.writes for one in connectors},
            roles={one.manifest.name: one.manifest.role for one in connectors},
        )
        yield
    finally:
        transaction.savepoint_rollback(place)


def _planned(documents: list[Document], connection_id: int) -> dict[int, dict[int, list[Told]]]:
    """By document and by target what would be told about it; only to this connection, or of what was born in it."""
    customers = sorted({one.customer_id for one in documents})
    born = {one.pk: one.connection_id for one in documents}
    about = _about(documents)
    told: dict[int, dict[int, list[Told]]] = defaultdict(lambda: defaultdict(list))
    with _as_if_live():
        last = Outgoing.objects.aggregate(last=Max("id"))["last"] or 0
        for _ in range(_ROUNDS):
            plan.run(customer_ids=customers, today=clock.today(), now=clock.now())
            fresh = list(Outgoing.objects.filter(connection__isnull=False, id__gt=last).order_by("id"))
            last = max((row.pk for row in fresh), default=last)
            mine = [(row, found) for row in fresh if (found := about.get((row.subject_kind, row.subject_id)))]
            for row, concerned in mine:
                body = compose.body(row=row)
                if isinstance(body, compose.Moot):
                    continue
                entry = Told(
                    act=row.kind, label=str(row.body.get("label", "")), body=body if isinstance(body, dict) else {},
                    waits="" if isinstance(body, dict) else body.reason,
                )  # fmt: skip
                for document in concerned:
                    if row.connection_id == connection_id or born[document] == connection_id:
                        told[document][row.connection_id].append(entry)
            # As if it had been written: what refers to it comes next.
            for row, _found in mine:
                recognise.link(row=row, external_id=f"new-{row.kind}-{row.subject_id}", now=clock.now())
            if not mine:
                break
    return told


def _about(documents: list[Document]) -> dict[tuple[str, int], set[int]]:
    """Which of the invoices a row of ours is about."""
    about: dict[tuple[str, int], set[int]] = defaultdict(set)
    for one in documents:
        about[one.kind, one.pk].add(one.pk)
        about["customer", one.customer_id].add(one.pk)
    for allocation in Allocation.objects.filter(document__in=documents, retracted_at__isnull=True).exclude(kind="write_off"):
        about["allocation", allocation.pk].add(allocation.document_id)
        if allocation.payment_id:
            about["payment", allocation.payment_id].add(allocation.document_id)
        if allocation.credit_note_id:
            about["credit_note", allocation.credit_note_id].add(allocation.document_id)
    return about


# The hops


def _travelled(organisation_id: UUID, connection_id: int, chosen: list[int]) -> list[Travelled]:
    with walls.inside(organisation_id):
        documents = list(Document.objects.filter(pk__in=chosen).select_related("connection", "customer").order_by("-issue_date", "-id"))
        told = _planned(documents, connection_id)
        keys = _keys(documents, connection_id)
        names = dict(Connection.objects.values_list("pk", "name"))
        corrected = set(Correction.objects.filter(target_id__in=chosen, kind="invoice", retracted_at__isnull=True).values_list("target_id", "field"))
        fresh = dict(SyncStream.objects.filter(name="").values_list("connection_id", "fresh_as_of"))
        twins = _namesakes(documents)
    targets = {one.pk: sorted({*told.get(one.pk, {}), *keys.get(one.pk, {})} - {one.connection_id}) for one in documents}
    wanted: dict[int, list[Document]] = defaultdict(list)
    for one in documents:
        for place in {one.connection_id, *targets[one.pk]}:
            wanted[place].append(one)
    read: dict[tuple[int, int], _Met] = {}
    requests: dict[tuple[int, str], Told] = {}
    errors: dict[int, str] = {}
    for place, some in wanted.items():
        if any(one.connection.kind != "system" for one in some if one.connection_id == place):
            continue
        try:
            with line.open(organisation_id, place, rehearsing=True) as open_line:
                for one in some:
                    external_id = one.external_id if one.connection_id == place else keys.get(one.pk, {}).get(place)
                    if external_id:
                        read[place, one.pk] = _met(open_line, external_id)
                    for entry in told.get(one.pk, {}).get(place, ()):
                        requests.setdefault((place, f"{entry.act}:{entry.body}"), _rehearsed(open_line, entry))
        except PortError as error:
            errors[place] = str(error)
    return [
        _one(one, read.get((one.connection_id, one.pk)), errors.get(one.connection_id, ""), fresh.get(one.connection_id), corrected, [
            _there(
                one, names[place], read.get((place, one.pk)), place in keys.get(one.pk, {}), twins.get((place, one.number), ""),
                [requests.get((place, f"{entry.act}:{entry.body}"), entry) for entry in told.get(one.pk, {}).get(place, ())], errors.get(place, ""),
            )
            for place in targets[one.pk]
        ])
        for one in documents
    ]  # fmt: skip


class _Met(msgspec.Struct, frozen=True, kw_only=True):
    """An invoice as a system has it now."""

    milliseconds: int
    invoice: Invoice | None = None
    gone: str = ""
    changed_at: dt.datetime | None = None
    wrong: str = ""


def _met(open_line: line.Line, external_id: str) -> _Met:
    stream = next((one.name for one in open_line.connector.manifest.streams if one.kinds[0] == "invoice"), "")
    if not stream:
        return _Met(milliseconds=0, wrong="it keeps no invoices")
    began = time.perf_counter()
    raws = open_line.connector.reread(open_line.http, open_line.settings, refs=[Ref(stream, external_id)])
    took = round((time.perf_counter() - began) * 1000)
    raw: Raw | None = next((one for one in raws if one.stream == stream and one.id == external_id), None)
    if raw is None or raw.gone:
        return _Met(milliseconds=took, gone=raw.gone if raw else "deleted")
    try:
        records = open_line.connector.translate(raw, open_line.settings)
    except BadRecord as error:
        return _Met(milliseconds=took, wrong=str(error), changed_at=raw.changed_at)
    found = next((one for one in records if isinstance(one, Invoice)), None)
    return _Met(milliseconds=took, invoice=found, changed_at=raw.changed_at, wrong="" if found else "it means no invoice to us")


def _rehearsed(open_line: line.Line, entry: Told) -> Told:
    """What the command becomes on the wire, up to its first request that writes."""
    if entry.waits:
        return entry
    try:
        # The key is one that nothing was ever written under: nothing is found, and the way to the first write is gone to its end.
        found = open_line.connector.write(
            open_line.http, open_line.settings, Command(act=entry.act, key=f"pilot:{entry.act}:{entry.label}"[:80], body=entry.body)
        )
    except WouldSend as request:
        return msgspec.structs.replace(entry, request=f"{request.method} {request.path}", sends=_plain(request.body))
    except (BadRecord, Unsupported) as error:
        return msgspec.structs.replace(entry, refused=str(error))
    except NeedsPerson:
        raise
    except PortError as error:
        return msgspec.structs.replace(entry, refused=f"it cannot be asked just now: {error}")
    return msgspec.structs.replace(entry, waits=f"it has that already: {found.raw.id}")


def _plain(body: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(body), indent=2).decode()[:_LONGEST]


def _one(
    document: Document, met: _Met | None, error: str, fresh: dt.datetime | None, corrected: set[tuple[int, str]], there: list[There]
) -> Travelled:
    def why(field: str) -> str:
        if (document.pk, field) in corrected:
            return "a person corrected it here"
        if met and met.changed_at and fresh and met.changed_at > fresh:
            return "it changed there after it was last read; the next reading brings it"
        return ""

    differences = _compared(document, met, why, born=True) if met is not None else []
    note = met.wrong if met is not None else error
    return Travelled(
        document=document.pk, number=document.number, customer=document.customer.name, source=document.connection.name,
        read=met is not None and not met.wrong, milliseconds=met.milliseconds if met else None, note=note, stands=_stands(document),
        differences=differences, there=there,
    )  # fmt: skip


def _there(document: Document, system: str, met: _Met | None, has: bool, twin: str, told: list[Told], error: str) -> There:
    settling = sorted({entry.act for entry in told} & _SETTLING)

    def why(field: str) -> str:
        return f"it has yet to be told of: {', '.join(settling).replace('_', ' ')}" if settling and field in ("open", "status") else ""

    differences = _compared(document, met, why, born=False) if met is not None else []
    if twin and not has:
        said = "has an invoice of this number that is not linked with ours; link the two, or it will stand there twice"
        differences.append(Difference(field="number", ours=document.number, theirs=f"{said} ({twin})"))
    return There(system=system, has=has, milliseconds=met.milliseconds if met else None, told=told, differences=differences, error=error)


def _compared(document: Document, met: _Met, why: Any, *, born: bool) -> list[Difference]:
    if met.gone:
        gone = "" if document.status not in ("void", "deleted") else "it is void here as well"
        return [Difference(field="status", ours=document.status, theirs=met.gone, why=gone or why("status"))]
    if met.invoice is None:
        return [Difference(field="record", ours="an invoice", theirs=met.wrong)]
    theirs, ours = _said(met.invoice), _stands(document)
    # A copy carries its own customer's name, and a status only as far as the system has words for it.
    compared = ours if born else {name: ours[name] for name in ("number", "amount", "open", "currency", "issue date", "due date")}
    return [
        Difference(field=name, ours=value, theirs=theirs[name], why=why(_FIELDS.get(name, name)))
        for name, value in compared.items() if name in theirs and theirs[name] != value
    ]  # fmt: skip


#: Fields as corrections call them.
_FIELDS: Mapping[str, str] = {"due date": "due_date", "issue date": "issue_date", "amount": "amount_minor"}


def _stands(document: Document) -> dict[str, str]:
    return {
        "number": document.number, "currency": document.currency, "amount": minor_text(document.amount_minor, document.currency),
        "open": minor_text(document.open_minor, document.currency), "issue date": _day(document.issue_date), "due date": _day(document.due_date),
        "status": document.status,
    }  # fmt: skip


def _said(invoice: Invoice) -> dict[str, str]:
    told = {
        "number": invoice.number, "currency": invoice.currency, "amount": invoice.amount.text(), "issue date": _day(invoice.issue_date),
        "due date": _day(invoice.due_date), "status": invoice.status,
    }  # fmt: skip
    return told | ({"open": invoice.open_amount.text()} if invoice.open_amount is not None else {})


def _day(value: dt.date | None) -> str:
    return value.isoformat() if value else "–"


def _keys(documents: list[Document], connection_id: int) -> dict[int, dict[int, str]]:
    """What each invoice is called where it is known, of the systems this pilot is about."""
    keys: dict[int, dict[int, str]] = defaultdict(dict)
    born = {one.pk: one.connection_id for one in documents}
    rows = SourceRecord.objects.filter(kind="invoice", target_id__in=born, retracted_at__isnull=True, gone_at__isnull=True, connection__kind="system")
    for record in rows.filter(connection__paused_at__isnull=True).order_by("-id"):
        if connection_id in (record.connection_id, born[record.target_id]):
            keys[record.target_id][record.connection_id] = record.external_id
    return keys


def _namesakes(documents: list[Document]) -> dict[tuple[int, str], str]:
    """Which system has an invoice of one of these numbers of its own."""
    numbers = {one.number for one in documents}
    rows = Document.objects.filter(kind="invoice", number__in=numbers)
    return {(row.connection_id, row.number): row.external_id for row in rows}
