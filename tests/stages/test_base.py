"""The mechanisms every stage stands on: audit chain, secrets, change feed, crash points, anchors."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
import threading
import uuid
from pathlib import Path

import psycopg
import pytest

from tests.conftest import NOW
from tieout.core.evidence import Actor
from tieout.flow import anchor
from tieout.stages.base import audit, crash, feed, permit, secret, walls
from tieout.stages.base.models import AuditEntry, Secret
from tieout.stages.writeback.models import Outgoing

ADA = Actor("person", "Ada", 1)


def write(reason: str = "because") -> None:
    audit.write(actor=ADA, action="note", object_kind="customer", object_id=7, now=NOW, reason=reason, detail={"text": "ä"})


def as_owner(organisation: uuid.UUID, *statements: str) -> None:
    """What only the database's owner could do, triggers off: the attack the anchors are for."""
    with psycopg.connect(os.environ["TIEOUT_OWNER_DSN"]) as owner:
        owner.execute(f"SET LOCAL app.org = '{organisation}'")
        owner.execute("ALTER TABLE base_auditentry DISABLE TRIGGER USER")
        for statement in statements:
            owner.execute(statement)
        owner.execute("ALTER TABLE base_auditentry ENABLE TRIGGER USER")


def test_the_chain_verifies_and_every_entry_follows_the_last(organisation: uuid.UUID) -> None:
    with walls.inside(organisation):
        write(), write("again")
        assert list(audit.breaks()) == []
        assert AuditEntry.objects.count() == 3  # the founding is the first


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        pytest.param("UPDATE base_auditentry SET reason = 'other' WHERE seq = 2", "detail was changed", id="a changed reason"),
        pytest.param("UPDATE base_auditentry SET actor_name = 'Eve' WHERE seq = 2", "hash does not match", id="another actor"),
        pytest.param("DELETE FROM base_auditentry WHERE seq = 2", "missing", id="an entry cut out"),
        pytest.param("DELETE FROM base_auditentry WHERE seq = 3", "removed from the end", id="the end cut off"),
    ],
)
def test_a_tampered_chain_is_told(organisation: uuid.UUID, statement: str, says: str) -> None:
    with walls.inside(organisation):
        write(), write()
    as_owner(organisation, statement)
    with walls.inside(organisation):
        assert any(says in what for _, what in audit.breaks())


def test_the_anchor_lies_outside_and_is_written_once(organisation: uuid.UUID) -> None:
    anchor.put(organisation), anchor.put(organisation)
    mine = anchor.anchors(organisation)
    with walls.inside(organisation):
        assert [(a["seq"], a["hash"]) for a in mine] == [(audit.head().seq, audit.head().hash)]


@pytest.mark.parametrize("point", ["outbox.after_claim", "outbox.after_call"])
def test_an_anchor_survives_a_kill_at(organisation: uuid.UUID, point: str) -> None:
    script = f"""
import django; django.setup()
from uuid import UUID
from tieout.flow import anchor
anchor.put(UUID("{organisation}"))
"""
    dead = subprocess.run([sys.executable, "-c", script], env={**os.environ, "TIEOUT_CRASH_AT": point}, cwd=Path(__file__).parents[2], check=False)
    assert dead.returncode == -9
    with walls.inside(organisation):
        assert Outgoing.objects.get().state == "claimed"
    anchor.reconcile(organisation), anchor.carry_out(organisation)
    with walls.inside(organisation):
        assert Outgoing.objects.get().state == "done"
    assert len(anchor.anchors(organisation)) == 1


def test_a_secret_opens_only_where_it_was_put(organisation: uuid.UUID) -> None:
    from tieout.stages.base import found

    with walls.inside(organisation):
        secret.put(name="smtp.password", value="hunter2 ü", now=NOW)
        row = Secret.objects.get()
        assert secret.get(name="smtp.password") == "hunter2 ü"
        assert b"hunter2" not in bytes(row.blob)
        assert bytes(row.blob[:16]).decode().strip() == row.key_id
    other = found.organisation(
        name="B", country="GB", time_zone="UTC", base_currency="GBP", language="en", sender_name="", sender_address="", now=NOW
    )
    with walls.inside(other):
        Secret.objects.create(name="smtp.password", blob=bytes(row.blob), key_id=row.key_id, set_at=NOW)
        with pytest.raises(secret.SecretUnreadable, match="belongs elsewhere"):
            secret.get(name="smtp.password")


def test_rotation_rewraps_under_the_new_key_and_a_changed_blob_is_refused(inside: uuid.UUID) -> None:
    secret.put(name="imap.password", value="s3cret", now=NOW)
    new = secret.keyring().add()
    assert secret.rotate() == 1
    assert secret.rotate() == 0
    row = Secret.objects.get()
    assert (row.key_id, secret.get(name="imap.password")) == (new, "s3cret")
    blob = bytearray(row.blob)
    blob[-1] ^= 1
    row.blob = bytes(blob)
    row.save()
    with pytest.raises(secret.SecretUnreadable):
        secret.get(name="imap.password")


def test_the_feed_skips_nothing_that_commits_late(organisation: uuid.UUID) -> None:
    """A writer that took its id first and commits last is read all the same; by highest id it would be lost."""
    written, finish = threading.Event(), threading.Event()

    def slow() -> None:
        from django.db import connection

        with walls.inside(organisation):
            feed.publish(kind="document", ids=[1], customer_ids=[1], cause="slow", now=NOW)
            written.set()
            finish.wait(10)
        connection.close()

    worker = threading.Thread(target=slow)
    worker.start()
    written.wait(10)
    with walls.inside(organisation):
        feed.publish(kind="document", ids=[2], customer_ids=[2], cause="quick", now=NOW)
    with walls.inside(organisation):
        early = [c.cause for c in feed.take(reader="test")]
    finish.set()
    worker.join(10)
    with walls.inside(organisation):
        late = [c.cause for c in feed.take(reader="test")]
        assert (early, late) == ([], ["slow", "quick"])
        assert feed.take(reader="test") == []


def test_what_rolls_back_is_never_told(organisation: uuid.UUID) -> None:
    with pytest.raises(RuntimeError), walls.inside(organisation):
        feed.publish(kind="document", ids=[1], customer_ids=[1], cause="undone", now=NOW)
        raise RuntimeError
    with walls.inside(organisation):
        assert feed.take(reader="test") == []


def test_an_unknown_crash_point_is_refused_and_a_known_one_is_silent_by_default() -> None:
    with pytest.raises(KeyError):
        crash.point("nowhere")
    crash.point("send.after_claim")


@pytest.mark.parametrize("role", ["owner", "admin", "collector", "approver", "auditor", None, "king"])
def test_roles_are_denied_by_default(role: str | None) -> None:
    assert not permit.allowed(role, "an act nobody listed")
    if role in (None, "king"):
        assert not any(permit.allowed(role, act) for act in permit.ACTS)
    if role == "auditor":
        assert {a for a in permit.ACTS if permit.allowed(role, a)} == {"view", "audit", "export"}


def test_a_naive_or_other_zone_moment_hashes_the_same(inside: uuid.UUID) -> None:
    berlin = NOW.astimezone(dt.timezone(dt.timedelta(hours=2)))
    audit.write(actor=ADA, action="note", object_kind="x", object_id=1, now=berlin)
    assert list(audit.breaks()) == []
