"""Every promise is verified on a living organisation, and each check is itself tested: its violation is seeded by whoever could
do it (the database's owner with the guards switched off), and exactly that promise must fail."""

from __future__ import annotations

import datetime as dt
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction

from tests.conftest import NOW
from tests.stages import builders
from tests.stages.broken_promises import SEEDS
from tieout.core.evidence import Actor, Refused
from tieout.flow import anchor, clock, on_cash, on_upload, send
from tieout.rehearsal import catcher
from tieout.stages.base import found, switch, walls
from tieout.stages.cash import apply, undo, write_off
from tieout.stages.collect.models import Decision, Release
from tieout.stages.dialogue import contact_point, dispute, hold, promise, reply
from tieout.stages.dialogue.models import ContactPoint, Hold
from tieout.stages.health import verify
from tieout.stages.intake import connect
from tieout.stages.ledger import correct
from tieout.stages.ledger.models import Allocation, Customer, Document, Payment
from tieout.stages.outreach import draft, sending
from tieout.stages.outreach.models import Message

ADA = Actor("person", "Ada", 1)
pytestmark = pytest.mark.database

INVOICES = """invoice_id,number,customer_id,customer_name,customer_email,issue_date,due_date,currency,amount,open_amount,status
in_1,INV-1001,C-7,Brightwater Foods GmbH,ap@brightwater.example,2026-01-05,2026-02-04,EUR,{first},,open
in_2,INV-1002,C-7,Brightwater Foods GmbH,ap@brightwater.example,2026-01-19,2026-02-18,EUR,238.00,,open
in_3,INV-1003,C-9,Hartley and Sons,ar@hartley.example,2026-01-20,2026-01-31,GBP,75.50,,open
in_4,INV-1004,C-9,Hartley and Sons,ar@hartley.example,2026-01-31,2026-02-28,JPY,55000,50000,open
in_5,INV-1005,C-9,Hartley and Sons,ar@hartley.example,2026-02-01,2026-02-31,GBP,10.00,,open
"""
PAYMENTS = """payment_id,date,amount,currency,payer_name,payer_account,reference,remittance,bank_ref
p_1,2026-06-01,238.00,EUR,Brightwater Foods GmbH,,,INV-1002,b1
p_2,2026-06-02,75.50,GBP,Hartley and Sons,,,INV-1003,b2
p_3,2026-06-03,12.34,EUR,Somebody,,,thank you,b3
"""


class Time:
    """A clock that moves a second whenever it is asked, as real ones do."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> dt.datetime:
        self.now += dt.timedelta(seconds=1)
        return self.now


@pytest.fixture(scope="module")
def post(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, int]]:
    place = tmp_path_factory.mktemp("caught")
    with catcher.running(place) as server:
        yield place, server.port


@pytest.fixture(scope="module")
def standing(database: Path, post: tuple[Path, int]) -> uuid.UUID:
    """A living organisation that every test leaves as it was."""
    return _live(post)


@pytest.fixture
def living(database: Path, post: tuple[Path, int]) -> uuid.UUID:
    """A living organisation of the test's own."""
    return _live(post)


def _live(post: tuple[Path, int]) -> uuid.UUID:
    """Something of everything: files, money, words, a message that left, and its anchors."""
    time = Time()
    clock.inject(time)
    try:
        return _story(post, time)
    finally:
        clock.inject(None)


def _story(post: tuple[Path, int], time: Time) -> uuid.UUID:
    organisation = found.organisation(
        name="Marrow Lane Studio", country="DE", time_zone="Europe/Berlin", base_currency="EUR", language="en", sender_name="Marrow Lane Studio",
        sender_address="ar@marrowlane.example", now=time(),
    )  # fmt: skip
    with walls.inside(organisation):
        switch.go_live(actor=ADA, now=time())
        assert sending.configure(settings=catcher.settings(*post), actor=ADA, now=time()) is None
        invoices = connect.file(name="Invoices", profile={}, cadence_hours=24, actor=ADA, now=time())
        bank = connect.file(name="Bank", profile={}, cadence_hours=24, actor=ADA, now=time())
    for source, name, text in (
        (invoices, "invoices.csv", INVOICES.format(first="1190.00")), (invoices, "again.csv", INVOICES.format(first="1250.00")),
        (bank, "bank.csv", PAYMENTS),
    ):  # fmt: skip
        assert on_upload.take(organisation_id=organisation, connection_id=source.pk, name=name, chunks=[text.encode()], actor=ADA).state == "applied"
    with walls.inside(organisation):
        _spoken(time)
    with walls.inside(organisation):
        _drafted(time)
    assert send.run(organisation, time).sent == 1
    anchor.put(organisation)
    return organisation


def _spoken(time: Time) -> None:
    hartley, brightwater = Customer.objects.get(name__startswith="Hartley"), Customer.objects.get(name__startswith="Brightwater")
    Customer.objects.update(debtor_type="business", country="DE", time_zone="Europe/Berlin")
    yen, pounds = Document.objects.get(number="INV-1004"), Document.objects.get(number="INV-1003")
    assert pounds.open_minor == 0, "the bank's payment names it"
    machine = Allocation.objects.get(document=pounds)
    assert not isinstance(undo.allocation(allocation=machine, reason="another one", actor=ADA, now=time()), Refused)
    paid = Payment.objects.get(external_id="p_2")
    on_cash.after_money(customer_ids=None, now=time())
    assert not Allocation.objects.filter(document=pounds, retracted_at__isnull=True).exists()
    assert not isinstance(apply.by_person(payment=paid, lines=[(pounds.pk, 5000)], actor=ADA, now=time()), Refused)
    assert not isinstance(write_off.document(document=pounds, amount_minor=50, reason="small change", actor=ADA, now=time()), Refused)
    correct.field(kind="invoice", target_id=yen.pk, field="due_date", value="2026-03-15", reason="agreed", actor=ADA, now=time())
    correct.field(
        kind="customer", target_id=hartley.pk, field="name", value=" Hartley & Sons, Ltd ", reason="their letterhead", actor=ADA, now=time()
    )
    placed = hold.place(customer=brightwater, reason="manual", actor=ADA, now=time())
    assert isinstance(placed, Hold)
    hold.release(hold=placed, reason="cleared", actor=ADA, now=time())
    promise.record(
        customer=hartley, amount_minor=2550, currency="GBP", promised_date=builders.day("2026-06-20"), document=pounds, actor=ADA, now=time()
    )
    dispute.open(document=Document.objects.get(number="INV-1001"), amount_minor=5000, category="price", actor=ADA, now=time())
    answer = reply.receive(envelope=None, parsed=reply.Parsed(sender="ap@brightwater.example", text="?"), customer=brightwater, now=time())
    reply.close(reply=answer, actor=ADA, now=time())
    lines = builders.payment("3.00", owner=brightwater, text="on account", customer_rank=3)
    assert lines.unapplied_minor == 300


def _drafted(time: Time) -> Message:
    brightwater = Customer.objects.get(name__startswith="Brightwater")
    bill = Document.objects.get(number="INV-1001")
    Release.objects.create(customer=brightwater, released_at=time())
    wanted = Decision.objects.create(
        customer=brightwater, day=NOW.date(), step="friendly", channel="email", tone="friendly", outcome="send", reason="due", trace=["due"],
        document_ids=[bill.pk], approval=False, policy_version=0, decided_at=time(),
    )  # fmt: skip
    return Message.objects.get(pk=draft.from_decisions(decisions=[wanted], now=time()).created[0])


LATER = NOW + dt.timedelta(minutes=30)


def results(organisation: uuid.UUID) -> list[verify.PromiseResult]:
    anchors = anchor.anchors(organisation)
    with walls.inside(organisation):
        verify.steady()
        return verify.run(now=LATER, anchors=anchors)


def told(found: list[verify.PromiseResult]) -> dict[str, list[str]]:
    """The promises that fail, with what is said of the rows that break them."""
    return {r.code: [f"{b.row}: {b.says}" for b in r.breaches] for r in found if not r.holds}


def broken(organisation: uuid.UUID) -> dict[str, list[str]]:
    return told(results(organisation))


def broken_by(organisation: uuid.UUID, *statements: str) -> dict[str, list[str]]:
    """What fails after these statements of the application itself, which are then taken back."""
    anchors = anchor.anchors(organisation)
    with walls.inside(organisation):
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
        said = told(verify.run(now=LATER, anchors=anchors))
        transaction.set_rollback(True)
    return said


def as_owner(organisation: uuid.UUID, *statements: str, off: tuple[str, ...] = ()) -> list[Any]:
    """What only the database's owner could do, the guards of the tables in `off` switched off meanwhile; returns the last answer."""
    rows: list[Any] = []
    with psycopg.connect(os.environ["TIEOUT_OWNER_DSN"]) as owner:
        owner.execute(f"SET LOCAL app.org = '{organisation}'")
        for table in off:
            owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        for statement in statements:
            done = owner.execute(statement)
            rows = done.fetchall() if done.description else []
        for table in off:
            owner.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    return rows


def test_a_living_organisation_keeps_every_promise(standing: uuid.UUID) -> None:
    every = results(standing)
    assert [(r.code, r.breaches) for r in every] == [(f"P{n}", ()) for n in range(1, 12)]
    assert all(r.checked for r in every), "nothing was looked at"


def test_an_empty_organisation_keeps_every_promise(organisation: uuid.UUID) -> None:
    assert broken(organisation) == {}


def test_looking_writes_nothing(standing: uuid.UUID) -> None:
    with pytest.raises(DatabaseError, match="read-only transaction"), walls.inside(standing):
        verify.steady()
        Customer.objects.update(city="elsewhere")


#: Rows the application itself cannot change.
APPEND_ONLY = ("outreach_certificate", "base_auditentry")


@pytest.mark.parametrize("name", SEEDS)
def test_a_seeded_violation_breaks_exactly_its_promise(name: str, request: pytest.FixtureRequest) -> None:
    seed = SEEDS[name]
    if seed.off or any(table in statement for statement in seed.statements for table in APPEND_ONLY):
        organisation = request.getfixturevalue("living")
        as_owner(organisation, *seed.statements, off=seed.off)
        said = broken(organisation)
    else:
        said = broken_by(request.getfixturevalue("standing"), *seed.statements)
    assert list(said) == [seed.promise], said
    assert any(seed.says in line for line in said[seed.promise]), said


def test_a_letter_sent_blindly_again_is_told(living: uuid.UUID) -> None:
    as_owner(living, "UPDATE outreach_message SET state = 'planned'")
    assert send.run(living, lambda: NOW + dt.timedelta(minutes=20)).sent == 1
    said = broken(living)
    assert list(said) == ["P2"]
    assert any("although claim 1 had not given it back" in line for line in said["P2"])
    assert any("was sent 2 times" in line for line in said["P2"])


def test_two_messages_of_one_key_are_told(living: uuid.UUID) -> None:
    copied = [c for c in columns("outreach_message") if c not in ("id", "token", "state", "claims")]
    names = ", ".join(copied)
    insert = f"INSERT INTO outreach_message ({names}, token, state, claims) SELECT {names}, 'other', 'planned', 0 FROM outreach_message"
    constraint = "outreach_message_once"
    as_owner(living, f"ALTER TABLE outreach_message DROP CONSTRAINT {constraint}", insert)
    try:
        said = broken(living)
    finally:
        as_owner(
            living, "DELETE FROM outreach_message WHERE token = 'other'",
            f"ALTER TABLE outreach_message ADD CONSTRAINT {constraint} UNIQUE (organisation_id, natural_key)",
        )  # fmt: skip
    assert list(said) == ["P2"], said
    assert "2 messages have the key" in said["P2"][0]


def test_a_stored_rule_that_forgets_what_the_source_reports_is_told(living: uuid.UUID) -> None:
    """P4: the database's own rule of what is open drifts from the core's: INV-1004 has 50,000 of 55,000 yen open at its source."""
    rule = as_owner(
        living, "SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum"
        " WHERE a.attrelid = 'ledger_document'::regclass AND a.attname = 'open_minor'",
    )[0][0]  # fmt: skip
    wrong = "CASE WHEN status IN ('open', 'unknown') THEN amount_minor - allocated_minor - written_off_minor ELSE 0 END"
    as_owner(living, f"ALTER TABLE ledger_document ALTER COLUMN open_minor SET EXPRESSION AS ({wrong})")
    try:
        said = broken(living)
    finally:
        as_owner(living, f"ALTER TABLE ledger_document ALTER COLUMN open_minor SET EXPRESSION AS ({rule})")
    assert list(said) == ["P4"], said
    assert "55000 JPY is stored as open, its facts give 50000" in said["P4"][0]


@pytest.mark.parametrize(
    ("says", "break_it", "mend_it"),
    [
        pytest.param("has no row-level security", "ALTER TABLE ledger_payment DISABLE ROW LEVEL SECURITY",
                     "ALTER TABLE ledger_payment ENABLE ROW LEVEL SECURITY", id="row security switched off"),
        pytest.param("does not force", "ALTER TABLE dialogue_note NO FORCE ROW LEVEL SECURITY", "ALTER TABLE dialogue_note FORCE ROW LEVEL SECURITY",
                     id="row security not forced on the owner"),
        pytest.param("does not ask for the organisation", "ALTER POLICY organisation ON ledger_refund USING (true)",
                     "ALTER POLICY organisation ON ledger_refund USING (organisation_id = nullif(current_setting('app.org', true), '')::uuid)",
                     id="a policy that lets everybody in"),
        pytest.param("ledger_refund_payment_id_tie is missing", "ALTER TABLE ledger_refund DROP CONSTRAINT ledger_refund_payment_id_tie",
                     "ALTER TABLE ledger_refund ADD CONSTRAINT ledger_refund_payment_id_tie FOREIGN KEY (organisation_id, payment_id)"
                     " REFERENCES ledger_payment (organisation_id, id)", id="a reference without its organisation"),
        pytest.param("is switched off", "ALTER TABLE ledger_allocation DISABLE TRIGGER ledger_allocation_added",
                     "ALTER TABLE ledger_allocation ENABLE TRIGGER ledger_allocation_added", id="a guard switched off"),
        pytest.param("is within reach of tieout_app", "GRANT SELECT ON ledger_staged_payment TO tieout_app",
                     "REVOKE SELECT ON ledger_staged_payment FROM tieout_app", id="staging opened"),
        pytest.param("looks behind the walls", "CREATE VIEW everything AS SELECT * FROM ledger_customer", "DROP VIEW everything",
                     id="a view of the owner's"),
        pytest.param("is open to everybody", "GRANT SELECT ON ledger_customer TO PUBLIC", "REVOKE SELECT ON ledger_customer FROM PUBLIC",
                     id="a table open to everybody"),
    ],
)  # fmt: skip
def test_a_breach_in_the_walls_is_told(standing: uuid.UUID, says: str, break_it: str, mend_it: str) -> None:
    as_owner(standing, break_it)
    try:
        said = broken(standing)
    finally:
        as_owner(standing, mend_it)
    assert list(said) == ["P8"], said
    assert any(says in line for line in said["P8"]), said


def test_a_table_of_an_organisation_made_without_walls_is_told(standing: uuid.UUID) -> None:
    as_owner(standing, "CREATE TABLE sketch (organisation_id uuid, secret text)")
    try:
        assert broken(standing)["P8"] == ["table sketch: has no row-level security"]
    finally:
        as_owner(standing, "DROP TABLE sketch")


def test_rows_left_in_staging_are_told(standing: uuid.UUID) -> None:
    with psycopg.connect(os.environ["TIEOUT_OWNER_DSN"], autocommit=True) as owner:
        owner.execute("INSERT INTO ledger_staged_payment (organisation_id, run, external_id, currency, amount_minor, status, content_hash)"
                      " VALUES (%s, 1, 'x', 'EUR', 1, 'settled', '')", [standing])  # fmt: skip
        try:
            assert broken(standing) == {"P8": ["table ledger_staged_payment: holds 1 rows that a run should have taken"]}
        finally:
            owner.execute("DELETE FROM ledger_staged_payment")


def test_a_past_rewritten_whole_is_told_by_its_anchor(living: uuid.UUID) -> None:
    """Who owns the database can make a chain that verifies; the anchor outside he cannot."""
    anchors = anchor.anchors(living)
    forged = [{**anchors[-1], "hash": "0" * 64}, {**anchors[-1], "seq": 10_000}]
    with walls.inside(living):
        said = told(verify.run(now=LATER, anchors=forged))
    assert [line.split(": ")[1] for line in said["P10"]] == ["is not the one anchored outside", "was anchored outside and is gone"]


def test_one_of_many_allocations_told_in_one_entry_cannot_be_changed_unseen(living: uuid.UUID) -> None:
    with walls.inside(living):
        owner = builders.customer("Many Small Bills")
        bank = builders.connection()
        for n in range(120):
            bill = builders.invoice(owner, "10.00", number=f"MANY-{n}")
            builders.payment("10.00", owner=owner, stated_document=bill.number, connection=bank)
    with walls.inside(living):
        assert on_cash.after_money(customer_ids=None, now=NOW + dt.timedelta(minutes=10)).stated == 120
    assert broken(living) == {}
    as_owner(
        living, "UPDATE ledger_allocation SET id = id + 1000000000 WHERE id = (SELECT max(id) FROM ledger_allocation WHERE rule = 'stated')",
        off=("ledger_allocation",),
    )  # fmt: skip
    said = broken(living)
    assert list(said) == ["P10"], said
    assert any("tells of 120 allocations that are not the 119 in the ledger" in line for line in said["P10"])


def test_what_committed_after_a_claim_does_not_speak_against_it_whatever_its_clock_says(living: uuid.UUID) -> None:
    """A hold whose transaction began before the claim, waited for it, and committed after it."""
    with walls.inside(living):
        message = Message.objects.get()
        hold.place(customer=message.customer, reason="legal", actor=ADA, now=message.claimed_at - dt.timedelta(seconds=2))
    assert broken(living) == {}


def test_an_opt_out_that_was_taken_back_later_still_counted_at_its_time(living: uuid.UUID) -> None:
    with walls.inside(living):
        message = Message.objects.get()
        point = ContactPoint.objects.get(pk=message.contact_point_id)
        contact_point.opt_out(point=point, how="by telephone", actor=ADA, now=LATER)
        contact_point.restore(point=point, reason="they asked", what="opt_out", actor=ADA, now=LATER + dt.timedelta(seconds=1))
    assert broken(living) == {}
    # As if the claim had been made after the opt-out, in spite of it, and before the restoring.
    as_owner(living, "UPDATE base_auditentry SET seq = 0 WHERE action = 'contact_point.opt_out'", off=("base_auditentry",))
    said = broken(living)
    assert any("left although the recipient had opted out (entry" in line for line in said.get("P1", [])), said


def test_the_first_rows_are_shown_and_all_are_counted(standing: uuid.UUID) -> None:
    with walls.inside(standing):
        owner = builders.customer("Hundred Bills")
        for _ in range(30):
            builders.invoice(owner)
        with connection.cursor() as cursor:
            cursor.execute("UPDATE ledger_document SET issue_date = issue_date - 1 WHERE customer_id = %s", [owner.pk])
        found = next(r for r in verify.run(now=LATER) if r.code == "P5")
        transaction.set_rollback(True)
    assert (len(found.breaches), found.broken, found.holds) == (20, 30, False)


def columns(table: str) -> list[str]:
    with connection.cursor() as cursor:
        return [c.name for c in connection.introspection.get_table_description(cursor, table)]
