"""A file at the door: taken once, mended, asked about, refused; what is lost in each case: nothing."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from tests.conftest import NOW, ROOT
from tieout.core.evidence import Actor
from tieout.flow import on_upload
from tieout.stages.base import walls
from tieout.stages.base.models import AuditEntry
from tieout.stages.intake import connect, original
from tieout.stages.intake import queries as intake
from tieout.stages.intake.models import Envelope, QuarantinedRow, Run
from tieout.stages.ledger.models import Document

ADA = Actor("person", "Ada", 1)
HEAD = "invoice_id,number,customer_id,customer_name,issue_date,due_date,currency,amount\n"
GOOD = HEAD + "1,INV-1,C1,Brightwater,2026-05-01,2026-05-31,EUR,100.00\n2,INV-2,C1,Brightwater,2026-05-02,2026-06-01,EUR,50.00\n"
ONE_BAD = HEAD + "1,INV-1,C1,Brightwater,2026-05-01,2026-05-31,EUR,100.00\n2,INV-2,C1,Brightwater,2026-05-02,2026-02-31,EUR,50.00\n"


def connection(organisation: uuid.UUID, name: str = "Billing") -> int:
    with walls.inside(organisation):
        return connect.file(name=name, profile={}, cadence_hours=24, actor=ADA, now=NOW).pk


def take(organisation: uuid.UUID, source: int, content: str | bytes, name: str = "invoices.csv", **answers: str) -> on_upload.Taken:
    data = content.encode() if isinstance(content, str) else content
    return on_upload.take(organisation_id=organisation, connection_id=source, name=name, chunks=[data], actor=ADA, answers=answers)


def kept(organisation: uuid.UUID) -> list[bytes]:
    with walls.inside(organisation):
        return [b"".join(original.chunks(envelope=e)) for e in Envelope.objects.order_by("id")]


def test_the_same_file_twice_changes_nothing_and_a_newer_one_updates(organisation: uuid.UUID) -> None:
    source = connection(organisation)
    first, again = take(organisation, source, GOOD), take(organisation, source, GOOD)
    newer = take(organisation, source, GOOD.replace("50.00", "55.00"))
    back = take(organisation, source, GOOD)
    assert (first.created, again.state, newer.updated, newer.unchanged) == (3, "ignored", 1, 2)  # two invoices and their customer
    assert back.updated == 1  # older content that comes again is the source's latest word
    with walls.inside(organisation):
        assert sorted(Document.objects.values_list("amount_minor", flat=True)) == [5000, 10000]


def test_a_bad_row_is_set_aside_mended_and_replayed_and_nothing_is_lost(organisation: uuid.UUID) -> None:
    source = connection(organisation)
    taken = take(organisation, source, ONE_BAD)
    with walls.inside(organisation):
        row = QuarantinedRow.objects.get()
    assert (taken.created, taken.quarantined, row.line) == (2, 1, 3)
    assert "2026-02-31" in row.message
    still = on_upload.replay(organisation_id=organisation, row_id=row.pk, values={**row.raw, "due_date": "31.31.2026"}, actor=ADA)
    assert still is not None
    assert on_upload.replay(organisation_id=organisation, row_id=row.pk, values={**row.raw, "due_date": "2026-02-28"}, actor=ADA) is None
    with walls.inside(organisation):
        assert Document.objects.get(number="INV-2").due_date.isoformat() == "2026-02-28"
        assert QuarantinedRow.objects.get().state == "mended"
        assert AuditEntry.objects.filter(action="quarantine.mended").exists()
    assert kept(organisation) == [ONE_BAD.encode()]


def test_an_ambiguous_date_order_is_asked_never_guessed(organisation: uuid.UUID) -> None:
    source = connection(organisation)
    text = "Invoice,Customer,Date,Due date,Currency,Amount\n"
    text += "A1,Brightwater,03/04/2026,05/06/2026,EUR,10.00\nA2,Brightwater,01/02/2026,02/03/2026,EUR,11.00\n"
    refused = take(organisation, source, text)
    assert (refused.state, refused.created) == ("quarantined", 0)
    assert "date" in refused.reason.lower()
    taken = on_upload.again(organisation_id=organisation, envelope_id=refused.envelope_id, actor=ADA, answers={"date_order": "DMY"})
    assert (taken.state, taken.created) == ("applied", 3)
    with walls.inside(organisation):
        assert Document.objects.get(number="A1").due_date.isoformat() == "2026-06-05"


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        pytest.param("invoices.csv", b"%PDF-1.7\n" + b"x" * 500, "PDF", id="a PDF named csv"),
        pytest.param("invoices.csv", b"", "empty", id="an empty file"),
        pytest.param("logo.csv", b"\x89PNG\r\n\x1a\n" + b"\0" * 200, "PNG", id="a picture"),
    ],
)
def test_what_is_no_table_is_refused_and_kept(organisation: uuid.UUID, name: str, content: bytes, says: str) -> None:
    refused = take(organisation, connection(organisation), content, name)
    assert refused.state == "quarantined"
    assert says.lower() in refused.reason.lower()
    assert kept(organisation) == [content]
    with walls.inside(organisation):
        assert (Document.objects.count(), Run.objects.get().state) == (0, "failed")


def test_gzip_is_read_as_what_is_in_it_and_kept_as_it_came(organisation: uuid.UUID) -> None:
    packed = gzip.compress(GOOD.encode())
    assert take(organisation, connection(organisation), packed, "invoices.csv.gz").created == 3
    assert kept(organisation) == [packed]


def test_a_source_is_stale_after_its_cadence_and_fresh_again_with_the_same_file(organisation: uuid.UUID) -> None:
    import datetime as dt

    source = connection(organisation)
    take(organisation, source, GOOD)
    with walls.inside(organisation):
        later = dt.datetime.now(dt.UTC) + dt.timedelta(hours=25)
        fresh, stale = intake.freshness(now=dt.datetime.now(dt.UTC))[0], intake.freshness(now=later)[0]
    assert (fresh.stale, stale.stale) == (False, True)
    assert "expected every 24 h" in stale.reason


@pytest.mark.parametrize("point", ["intake.after_receive", "intake.after_stage", "intake.after_merge"])
def test_a_kill_leaves_the_bytes_and_no_half_file(organisation: uuid.UUID, point: str) -> None:
    source = connection(organisation)
    script = f"""
import django; django.setup()
from uuid import UUID
from tieout.core.evidence import Actor
from tieout.flow import on_upload
ada = Actor("person", "Ada", 1)
on_upload.take(organisation_id=UUID("{organisation}"), connection_id={source}, name="i.csv", chunks=[{GOOD.encode()!r}], actor=ada)
"""
    dead = subprocess.run([sys.executable, "-c", script], env={**os.environ, "TIEOUT_CRASH_AT": point}, cwd=ROOT, check=False)
    assert dead.returncode == -9
    with walls.inside(organisation):
        assert Document.objects.count() == 0
        envelope = Envelope.objects.get()
        assert envelope.state == "received"
    assert kept(organisation) == [GOOD.encode()]
    assert on_upload.read(organisation_id=organisation, envelope_id=envelope.pk, actor=ADA).created == 3


def test_two_workers_on_one_envelope_take_it_once(organisation: uuid.UUID) -> None:
    source = connection(organisation)
    waiting = on_upload.take(organisation_id=organisation, connection_id=source, name="i.csv", chunks=[GOOD.encode()], actor=ADA, later=True)
    first = on_upload.read(organisation_id=organisation, envelope_id=waiting.envelope_id, actor=ADA)
    second = on_upload.read(organisation_id=organisation, envelope_id=waiting.envelope_id, actor=ADA)
    assert (first.created, second.run_id, second.state) == (3, None, "applied")
    with walls.inside(organisation):
        assert Run.objects.count() == 1


NASTY = "<script>alert(1)</script> {{ 7 | times: 7 }} =cmd|' /C calc'!A0 " + "名前" * 120


def test_nasty_names_are_text(organisation: uuid.UUID, tmp_path: Path) -> None:
    text = HEAD + f'1,INV-1,C1,"{NASTY}",2026-05-01,2026-05-31,EUR,100.00\n'
    taken = take(organisation, connection(organisation), text)
    assert (taken.created, taken.quarantined) == (2, 0)
    with walls.inside(organisation):
        assert Document.objects.get().customer.name.startswith("<script>alert(1)</script> {{ 7 | times: 7 }} =cmd|")
