"""`tieout verify` and `tieout doctor`, as somebody at a terminal sees them."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.conftest import NOW
from tieout.core.evidence import Actor
from tieout.faces.cli import _lines, _machine, doctor, main
from tieout.rehearsal import catcher
from tieout.stages.base import found, secret, switch, walls
from tieout.stages.base.models import Profile
from tieout.stages.health import database as condition_of_database
from tieout.stages.health import organisation as condition
from tieout.stages.health.finding import Finding
from tieout.stages.intake import connect, receive
from tieout.stages.outreach import sending

ADA = Actor("person", "Ada", 1)
pytestmark = pytest.mark.database


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def marks(findings: Iterator[Finding] | list[Finding]) -> dict[str, str]:
    """What was looked at, with how it is; the worst of several."""
    return {one.what: one.mark for one in sorted(findings, key=lambda one: ("ok", "note", "wrong").index(one.mark))}


def test_a_line_for_each_promise_and_exit_0_where_all_hold(organisation: uuid.UUID) -> None:
    result = run("verify", "--org", str(organisation))
    assert result.exit_code == 0, result.output
    lines = [line for line in result.output.splitlines() if not line.startswith(" ")]
    assert [line.split()[0] for line in lines] == [f"P{n}" for n in range(1, 12)]
    assert lines[0] == "P1 Right to chase: holds (0 messages checked)"
    assert lines[9] == "P10 Provable past: holds (1 entries checked)"


def test_the_rows_that_break_a_promise_and_exit_1(organisation: uuid.UUID) -> None:
    with walls.inside(organisation):
        source = connect.file(name="Export", profile={}, cadence_hours=24, actor=ADA, now=NOW)
        kept, _ = receive.envelope(connection=source, name="never-read.csv", chunks=[b"x"], now=NOW - dt.timedelta(days=400))
    result = run("verify", "--org", str(organisation))
    assert result.exit_code == 1
    assert "P3 Nothing lost: BROKEN by 1 row (1 envelopes and runs checked)\n" in result.output
    assert f"    envelope {kept.pk}: was received 2025-05-06 09:30 UTC and has reached no end\n" in result.output


def test_as_json_lines(organisation: uuid.UUID) -> None:
    result = run("verify", "--org", str(organisation), "--json")
    promises = [json.loads(line) for line in result.output.splitlines()]
    assert [(p["code"], p["holds"]) for p in promises] == [(f"P{n}", True) for n in range(1, 12)]
    assert {p["organisation"] for p in promises} == {str(organisation)}
    assert all(p["sentence"].endswith(".") for p in promises)


def test_an_organisation_nobody_knows_is_wrong_usage(organisation: uuid.UUID) -> None:
    result = run("verify", "--org", "Nobody & Sons")
    assert result.exit_code == 2
    assert "say which organisation" in result.output


def test_without_a_name_every_organisation_is_verified(organisation: uuid.UUID) -> None:
    other = found.organisation(
        name="Other House", country="GB", time_zone="Europe/London", base_currency="GBP", language="en", sender_name="", sender_address="", now=NOW
    )
    result = run("verify")
    assert f"Other House ({other})" in result.output
    assert f"Marrow Lane Studio ({organisation})" in result.output


def test_doctor_finds_no_installation_and_makes_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TIEOUT_APP_DSN", "TIEOUT_OWNER_DSN", "DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TIEOUT_DATA", str(tmp_path / "nothing"))
    result = run("doctor")
    assert result.exit_code == 1
    assert "WRONG data directory" in result.output
    assert "run `tieout init`" in result.output
    assert not (tmp_path / "nothing").exists()


def test_doctor_says_that_a_server_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TIEOUT_APP_DSN", raising=False)
    monkeypatch.setenv("TIEOUT_DATA", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/tieout")
    result = run("doctor", "--json")
    last = json.loads(result.output.splitlines()[-1])
    assert (result.exit_code, last["mark"], last["what"]) == (1, "wrong", "database")
    assert "does not answer" in last["says"]
    assert "Traceback" not in result.output


def test_doctor_looks_at_everything_of_a_running_installation(organisation: uuid.UUID) -> None:
    result = run("doctor", "--json")
    looked = {json.loads(line)["what"].split(", ")[-1] for line in result.output.splitlines()}
    assert {"python", "packages", "data directory", "schema", "database", "role", "clock", "worker", "sending", "mail server", "mailbox"} <= looked
    assert "could not be looked at" not in result.output


@pytest.mark.parametrize(
    ("make", "what", "says"),
    [
        pytest.param(lambda d: (d / "keys.json").chmod(0o644), "key file", "can be read by others (mode 0644)", id="keys open to others"),
        pytest.param(lambda d: (d / "secret").chmod(0o640), "secret file", "can be read by others (mode 0640)", id="the secret open to the group"),
        pytest.param(lambda d: (d / "keys.json").write_text("{"), "key file", "is damaged", id="a damaged key file"),
    ],
)
def test_files_that_must_be_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: object, what: str, says: str) -> None:
    monkeypatch.delenv("TIEOUT_KEYS_FILE", raising=False)
    for name, text in (("keys.json", '{"a": "b"}'), ("secret", "s")):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o600)
    assert marks(_machine.look(tmp_path))[what] == "ok"
    make(tmp_path)  # type: ignore[operator]
    wrong = [one for one in _machine.look(tmp_path) if one.mark == "wrong"]
    assert [one.what for one in wrong] == [what]
    assert says in wrong[0].says
    assert wrong[0].mend


@pytest.mark.parametrize(
    ("required", "says"),
    [
        pytest.param("click>=8.0", "", id="as asked for"),
        pytest.param("django>=5.2.8,<5.3", "", id="between two bounds"),
        pytest.param("django-allauth[mfa]>=65.0", "", id="with an extra"),
        pytest.param("click>=999", "at least 999 is needed", id="too old"),
        pytest.param("click<1.0", "a version below 1.0 is needed", id="too new"),
        pytest.param("no-such-package>=1", "is not installed", id="missing"),
    ],
)
def test_packages_are_told_apart(required: str, says: str) -> None:
    found = _machine._lacking(required)
    assert bool(found) == bool(says)
    assert says in found


def test_a_clock_that_is_wrong_is_told(organisation: uuid.UUID) -> None:
    now = dt.datetime.now(dt.UTC)
    assert marks(condition_of_database.look(now=now)) == {"database": "ok", "role": "ok", "clock": "ok"}
    assert marks(condition_of_database.look(now=now + dt.timedelta(minutes=3)))["clock"] == "wrong"


def test_an_organisation_in_order_and_out_of_order(organisation: uuid.UUID) -> None:
    with walls.inside(organisation):
        switch.go_live(actor=ADA, now=NOW)
        assert marks(condition.look(now=NOW)) == {"sending": "ok"}
        source = connect.file(name="Export", profile={}, cadence_hours=24, actor=ADA, now=NOW)
        receive.envelope(connection=source, name="a.csv", chunks=[b"x"], now=NOW - dt.timedelta(hours=2))
        secret.put(name="smtp", value="hunter2", now=NOW)
        Profile.objects.update(frozen_at=NOW, frozen_reason="restored from monday.tar")
        secret.Secret.objects.update(key_id="gone", blob=b"gone".ljust(16) + b"x" * 100)
        found = list(condition.look(now=NOW))
    assert marks(found) == {"sending": "wrong", "source": "wrong", "files": "wrong", "secret": "wrong"}
    assert all(one.mend for one in found)
    assert not any("hunter2" in one.says for one in found)


def test_a_stopped_or_shadowed_organisation_is_told_and_is_nothing_to_mend(organisation: uuid.UUID) -> None:
    with walls.inside(organisation):
        assert marks(condition.look(now=NOW))["sending"] == "note"
        switch.stop(actor=ADA, now=NOW, reason="audit week")
        (sending_now,) = condition.look(now=NOW)
    assert (sending_now.mark, sending_now.says) == ("note", "audit week")


def test_the_mail_server_is_called(organisation: uuid.UUID, tmp_path: Path) -> None:
    with catcher.running(tmp_path) as server:
        with walls.inside(organisation):
            assert sending.configure(settings=catcher.settings(tmp_path, server.port), actor=ADA, now=NOW) is None
        assert marks(_lines.look(organisation)) == {"mail server": "ok", "mailbox": "note"}
    assert marks(_lines.look(organisation))["mail server"] == "wrong"


def test_jobs_that_wait_for_nobody_and_jobs_that_hang_are_told(organisation: uuid.UUID) -> None:
    from django.db import connection, transaction

    from tieout.flow import jobs

    with transaction.atomic():
        with connection.cursor() as sql:
            sql.execute("DELETE FROM procrastinate_jobs")
            sql.execute("DELETE FROM procrastinate_workers")
            jobs.later(jobs.send, organisation=organisation, lock="send")
            sql.execute("UPDATE procrastinate_events SET at = now() - interval '1 hour'")
            assert marks(doctor._jobs())["worker"] == "wrong"
            sql.execute("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now())")
            assert marks(doctor._jobs()) == {"worker": "ok", "jobs": "wrong"}
            sql.execute("UPDATE procrastinate_jobs SET status = 'doing'")
            hanging = [one.says for one in doctor._jobs() if one.mark == "wrong"]
            assert hanging == ["1 hang: their worker is gone"]
        transaction.set_rollback(True)
