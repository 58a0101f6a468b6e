"""The map, the outbox and outbox files on their pages and in a terminal: what they say, what they refuse, and by whom."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from django.urls import reverse

from tests.conftest import NOW
from tests.faces.reading import words
from tests.faces.rows import everything
from tieout.faces.cli import main
from tieout.stages.base import walls
from tieout.stages.base.models import AuditEntry
from tieout.stages.intake.models import Connection
from tieout.stages.ledger.models import SourceRecord
from tieout.stages.writeback.models import Download, Outgoing, Route

Browser = Any


@pytest.fixture
def rows(organisation: uuid.UUID, standing_clock: Any) -> dict[str, Any]:
    with walls.inside(organisation):
        made = everything("Ours")
        return {**made, "source": Connection.objects.get(name="Billing export").pk}


def post(browser: Browser, name: str, *keys: Any, **fields: Any) -> str:
    return words(browser.post(reverse(name, args=keys), fields, follow=True))


def test_the_pages_are_inviting_while_nothing_is_there(owner: Browser) -> None:
    assert "Nothing is on the map yet" in words(owner.get(reverse("map")))
    assert "No system has been told anything yet" in words(owner.get(reverse("outbox")))
    assert "every system has heard what the map says" in words(owner.get(reverse("outbox_would")))


def test_a_line_is_drawn_switched_moved_and_taken_off(organisation: uuid.UUID, owner: Browser, rows: dict[str, Any]) -> None:
    given = {"what": "customer", "origin": rows["source"], "target": rows["connection_id"], "since": "2026-06-01"}
    assert "The line is on the map" in post(owner, "map_add", **given)
    assert "on the map already" in post(owner, "map_add", **given)
    assert "Switched off" in post(owner, "map_switch", rows["line_id"], on="no")
    assert "holds from that day on" in post(owner, "map_since", rows["line_id"], since="2026-05-02")
    assert "since 2 May 2026" in words(owner.get(reverse("map")))
    assert "off the map" in post(owner, "map_remove", rows["line_id"])
    with walls.inside(organisation):
        told = set(AuditEntry.objects.filter(action__startswith="map.").values_list("action", flat=True))
    assert told == {"map.add", "map.set", "map.since", "map.remove"}


@pytest.mark.parametrize(("fields", "says"), [
    ({"what": "invoice", "since": "soon"}, "oon is not a day"),
    ({"what": "invoice", "origin": "connection_id"}, "never written into it again"),
    ({"what": "deal"}, "is not among"),
    ({"what": "invoice", "origin": ""}, "in which source"),
])
def test_a_line_that_cannot_be_is_refused_in_words(
    organisation: uuid.UUID, owner: Browser, rows: dict[str, Any], fields: dict[str, str], says: str
) -> None:
    with walls.inside(organisation):
        before = list(Route.objects.values_list())
    given = {"target": rows["connection_id"], "since": "2026-06-01", **fields}
    given["origin"] = rows.get(given.get("origin", "source"), "") if given.get("origin") != "" else ""
    assert says in post(owner, "map_add", **given)
    with walls.inside(organisation):
        assert list(Route.objects.values_list()) == before


def test_the_day_is_tried_before_it_holds(owner: Browser, rows: dict[str, Any]) -> None:
    said = words(owner.get(reverse("map_since", args=[rows["line_id"]]), {"since": "2026-01-01"}))
    # Two open invoices of the billing export; one of them is asked for already.
    assert "1 invoice since 1 Jan 2026 is not in Ours Stripe yet" in said
    assert "80.00" in said
    assert "omorrow is not a day" in words(owner.get(reverse("map_since", args=[rows["line_id"]]), {"since": "tomorrow"}))


def test_an_unknown_outcome_is_shown_and_decided(organisation: uuid.UUID, owner: Browser, rows: dict[str, Any]) -> None:
    listed = words(owner.get(reverse("outbox"), {"state": "unknown"}))
    assert "Ours-1" in listed
    assert "Nothing fits these filters" in words(owner.get(reverse("outbox"), {"state": "done"}))
    page = words(owner.get(reverse("effect", args=[rows["effect_id"]])))
    assert "Did it happen?" in page
    assert "Ours may have it" in page
    assert "ay which id it has there" in post(owner, "effect_happened", rows["effect_id"], external_id="")
    # Nobody answers for this Stripe: the person's word stands, and says that it was not looked up.
    assert "it happened" in post(owner, "effect_happened", rows["effect_id"], external_id="in_145")
    with walls.inside(organisation):
        effect = Outgoing.objects.get(pk=rows["effect_id"])
        assert (effect.state, effect.external_id) == ("done", "in_145")
        assert "not looked up" in effect.receipt
        assert SourceRecord.objects.get(connection_id=rows["connection_id"], kind="invoice").target_id == rows["invoice_id"]


def test_what_failed_says_why_and_is_tried_again_or_left(organisation: uuid.UUID, owner: Browser, rows: dict[str, Any]) -> None:
    with walls.inside(organisation):
        Outgoing.objects.filter(pk=rows["effect_id"]).update(state="failed", receipt="the number is taken by another")
    assert "The number is taken by another" in words(owner.get(reverse("effect", args=[rows["effect_id"]])))
    assert "ay in a few words" in post(owner, "effect_drop", rows["effect_id"], reason="")
    assert "It is tried again" in post(owner, "effect_again", rows["effect_id"])
    with walls.inside(organisation):
        assert Outgoing.objects.get(pk=rows["effect_id"]).state == "waiting"
    assert "It is waiting by now" in post(owner, "effect_drop", rows["effect_id"], reason="entered by hand")


def test_only_who_may_connect_changes_any_of_it(sign_in: Callable[..., Browser], rows: dict[str, Any]) -> None:
    collector = sign_in("collector")
    assert "Switch off" not in words(collector.get(reverse("map")))
    for name, key in (("map_switch", "line_id"), ("map_remove", "line_id"), ("effect_again", "effect_id"), ("effect_happened", "effect_id")):
        assert collector.post(reverse(name, args=[rows[key]])).status_code == 403


def test_an_outbox_file_is_made_kept_and_the_same_every_time(organisation: uuid.UUID, owner: Browser, rows: dict[str, Any]) -> None:
    with walls.inside(organisation):
        Download.objects.all().delete()
    assert "The file is made" in post(owner, "downloads", rows["source"])
    with walls.inside(organisation):
        made = Download.objects.get()
    first, second = (owner.get(reverse("download", args=[made.pk])) for _ in range(2))
    assert first.content == second.content == bytes(made.content)
    assert first["Content-Disposition"].startswith("attachment")
    assert "Ours-1" in first.content.decode()
    assert "othing has changed since the last file" in post(owner, "downloads", rows["source"])
    assert owner.get(reverse("downloads", args=[rows["connection_id"]])).status_code == 404


def run(organisation: uuid.UUID, *words_: str) -> Any:
    return CliRunner().invoke(main, ["outbox", *words_, "--org", str(organisation)])


def test_the_terminal_shows_the_outbox_and_what_would_be_written(organisation: uuid.UUID, rows: dict[str, Any]) -> None:
    listed = run(organisation)
    assert (listed.exit_code, "unknown" in listed.output, "Ours-1" in listed.output) == (1, True, True)
    assert run(organisation, "--state", "done").exit_code == 0
    with walls.inside(organisation):
        before = list(Outgoing.objects.order_by("pk").values_list())
    dry = run(organisation, "Ours Stripe", "--dry-run")
    assert dry.exit_code in (0, 1), dry.output
    assert "nothing was written" in dry.output
    with walls.inside(organisation):
        assert list(Outgoing.objects.order_by("pk").values_list()) == before


def test_the_terminal_takes_an_outbox_file_and_repeats_it_byte_for_byte(organisation: uuid.UUID, rows: dict[str, Any], tmp_path: Path) -> None:
    with walls.inside(organisation):
        Download.objects.all().delete()
    first, again = tmp_path / "out.csv", tmp_path / "again.csv"
    assert run(organisation, "Billing export", "--csv", str(tmp_path / "no" / "out.csv")).exit_code == 1
    with walls.inside(organisation):
        assert not Download.objects.exists(), "what could not be written does not count as handed out"
    taken = run(organisation, "Billing export", "--csv", str(first))
    assert taken.exit_code == 0, taken.output
    assert run(organisation, "Billing export", "--csv", str(again), "--repeat", "1").exit_code == 0
    assert first.read_bytes() == again.read_bytes()
    assert first.read_bytes().startswith(b"what,change,our_key,their_key")
    assert "nothing has changed" in run(organisation, "Billing export", "--csv", str(first)).output
    assert run(organisation, "Billing export", "--csv", str(again), "--since", NOW.date().isoformat()).exit_code == 0


@pytest.mark.parametrize(("given", "says"), [
    (["Nobody", "--dry-run"], "there is no connection Nobody"), (["--csv", "out.csv"], "name it"), (["--repeat", "1"], "go with --csv"),
    (["Ours Stripe", "--csv", "out.csv"], "for a source of files"), (["Billing export", "--dry-run"], "made with --csv"),
    (["Billing export", "--csv", "out.csv", "--repeat", "7"], "no file number 7"),
])
def test_wrong_usage_is_said_in_words(organisation: uuid.UUID, rows: dict[str, Any], given: list[str], says: str) -> None:
    result = run(organisation, *given)
    assert (result.exit_code, says in result.output) == (2, True), result.output
    assert not Path("out.csv").exists()
