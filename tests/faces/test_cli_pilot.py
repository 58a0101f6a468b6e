"""`tieout connect pilot` and `tieout connect live`, as a person types them."""

from __future__ import annotations

import uuid
from importlib import import_module
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tests.conftest import NOW
from tieout.core.evidence import Actor
from tieout.flow import connecting, sync
from tieout.rehearsal.twins.server import serving
from tieout.rehearsal.twins.stripe import TWIN
from tieout.stages.base import walls
from tieout.stages.base.models import AuditEntry
from tieout.stages.intake.models import Connection

connect = import_module("tieout.faces.cli.connect").command


def run(organisation: uuid.UUID, *arguments: str) -> Result:
    return CliRunner().invoke(connect, [*arguments, "--org", str(organisation)])


@pytest.fixture
def invoice(organisation: uuid.UUID, standing_clock: Any) -> Any:
    with serving(TWIN(clock=lambda: NOW), deliver=False) as running:
        twin: Any = running.twin
        made = twin.invoice(twin.customer("Brightwater GmbH"), 12_000)
        connection, _ = connecting.open(
            organisation, vendor="stripe", name="Stripe", given={"api_key": "sk_test_twin", "base_url": running.url}, stage="pilot",
            actor=Actor("person", "Ada"))
        assert sync.once(organisation, connection).stopped == ""
        yield made


def test_a_pilot_is_run_and_a_system_goes_live_with_a_reason(organisation: uuid.UUID, invoice: Any) -> None:
    done = run(organisation, "pilot", "Stripe", invoice.number)
    assert done.exit_code == 0, done.output
    assert f"{invoice.number}  Brightwater GmbH: read again in" in done.output
    assert "nothing was written or sent" in done.output
    refused = run(organisation, "live", "Stripe")
    assert refused.exit_code == 2
    assert "this is missing: ties out" in refused.output
    assert run(organisation, "live", "Stripe", "--reason", "it is only a twin").exit_code == 0
    with walls.inside(organisation):
        assert Connection.objects.get(kind="system").stage == "live"
        assert AuditEntry.objects.get(action="connection.live").reason == "it is only a twin"


@pytest.mark.parametrize(("arguments", "says"), [
    (["pilot"], "say which connection"),
    (["live", "Nobody"], "there is no connected system 'Nobody'; there are: Stripe"),
    (["pilot", "Stripe", "X-1"], "neither has nor would get an invoice 'X-1'"),
    (["stripe", "twice"], "is too much"),
])
def test_wrong_usage_is_told(organisation: uuid.UUID, invoice: Any, arguments: list[str], says: str) -> None:
    told = run(organisation, *arguments)
    assert told.exit_code == 2
    assert says in told.output
