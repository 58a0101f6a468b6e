"""Each benchmark measures what it says: a tiny run of each on a private place, and the judging of figures."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tieout.rehearsal.bench import BENCHMARKS, peers, place, run
from tieout.rehearsal.bench.figures import Figure, peak_megabytes, slopes

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def where() -> Iterator[place.Place]:
    """A private place, shared by the tiny runs below."""
    with place.private() as made:
        yield made


def tiny(where: place.Place, name: str, size: int) -> dict[str, Figure]:
    return {figure.name: figure for figure in run._apart(where, name, BENCHMARKS[name], size, {})}


def figure(value: float, **asked: object) -> Figure:
    return Figure(**{"name": "x", "size": 10, "value": value, "unit": "x", **asked})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "asked", "verdict"),
    [
        pytest.param(0.3, {"must": 0.15, "aim": 0.25}, "aim", id="more than the aim reaches it"),
        pytest.param(0.15, {"must": 0.15, "aim": 0.25}, "must", id="exactly the must keeps it"),
        pytest.param(0.14, {"must": 0.15, "aim": 0.25}, "missed", id="less than the must misses it"),
        pytest.param(101, {"must": 100, "better": "less"}, "missed", id="where less is better, more misses"),
        pytest.param(0, {"must": 0, "better": "less"}, "must", id="nothing written keeps a must of nothing"),
        pytest.param(5, {}, "", id="a figure of which nothing is asked is not judged"),
    ],
)
def test_a_figure_is_judged(value: float, asked: dict[str, object], verdict: str) -> None:
    assert figure(value, **asked).verdict == verdict


def test_nothing_is_asked_below_the_size_of_the_promise() -> None:
    assert figure(1, must=5, size=99).judged(100).verdict == ""
    assert figure(1, must=5, size=100).judged(100).verdict == "missed"


def test_a_slope_says_how_time_grows_with_the_work() -> None:
    taken = [figure(1, size=size, seconds=(size / 100) ** 2) for size in (100, 1000)] + [figure(1, name="once", seconds=3.0)]
    (slope,) = slopes(taken)
    assert (slope.name, slope.small, slope.large) == ("x", 100, 1000)
    assert math.isclose(slope.power, 2)


def test_the_peak_of_memory_is_this_process_own_and_grows_with_it() -> None:
    before = peak_megabytes()
    held = bytearray(b"x" * (64 << 20))
    assert peak_megabytes() >= before
    assert len(held)
    assert before > 5


def test_a_tenth_of_a_size_is_its_small_run() -> None:
    assert run._sizes(BENCHMARKS["import"], None) == [100_000, 1_000_000]
    assert run._sizes(BENCHMARKS["import"], 500) == [50, 500]
    assert run._sizes(BENCHMARKS["pages"], 500) == [500]
    assert run._sizes(BENCHMARKS["start"], 500) == [1]


@pytest.mark.database
def test_an_import_is_measured_whole_and_the_same_again_writes_nothing(where: place.Place) -> None:
    found = tiny(where, "import", 400)
    assert found["import: row versions written by the same again"].value == 0
    road, bare = found["import: CSV to merged ledger"], found["import: bare COPY of the same rows"]
    assert road.seconds
    assert bare.seconds
    assert math.isclose(found["import: of bare COPY"].value, bare.seconds / road.seconds)
    # A tenth of nothing is judged: the limit on memory is for a million rows.
    assert found["import: peak memory"].verdict == ""


@pytest.mark.database
def test_planning_judges_everything_once_and_then_nothing(where: place.Place) -> None:
    found = tiny(where, "plan", 220)
    assert found["plan: of Tryton's dunning"].value == pytest.approx(found["plan: everything due"].value / peers.DUNNINGS)
    assert {"plan: the day after everything was said", "plan: nothing due, of everything due"} <= set(found)


@pytest.mark.database
def test_every_reminder_sent_was_taken_by_the_server_once_and_is_certified(where: place.Place) -> None:
    found = tiny(where, "send", 10)  # the benchmark itself compares letters taken, certificates and messages sent
    whole, parts = found["send: drafted, gated, certified, handed over"], [f for name, f in found.items() if name.startswith("send: of it")]
    assert whole.seconds == pytest.approx(sum(part.seconds or 0 for part in parts))
    assert found["send: claims in one transaction"].verdict == "must"


@pytest.mark.database
def test_pages_are_asked_over_a_tenth_and_over_all_of_the_history(where: place.Place) -> None:
    found = run._apart(where, "pages", BENCHMARKS["pages"], 300, {})
    assert {f.size for f in found} == {30, 300}
    assert all(f.verdict == "must" for f in found if f.unit == "queries")
    assert all(f.verdict == "" for f in found if f.unit == "ms")


@pytest.mark.database
def test_every_delivery_at_the_door_is_kept_once_beside_a_bare_insert_and_beside_a_history(where: place.Place) -> None:
    found = tiny(where, "hooks", 50)  # the benchmark itself compares what was delivered with what was kept
    ours, bare = found["hooks: taken"], found["hooks: bare view"]
    assert ours.seconds
    assert bare.seconds
    assert found["hooks: of a bare insert"].verdict == ""
    assert found["hooks: answered at 200 a second while a history is read, p99"].value > 0


@pytest.mark.slow
@pytest.mark.database
@pytest.mark.timeout(300)
def test_every_change_in_stripe_is_seen_in_both_others(where: place.Place) -> None:
    found = tiny(where, "propagation", 20)  # the benchmark itself waits for every one of them
    assert found["propagation: all others updated, p95"].value >= found["propagation: all others updated, median"].value > 0


def test_matching_and_reading_need_no_database(where: place.Place) -> None:
    matched, read = tiny(where, "match", 60), tiny(where, "read", 300)
    assert matched["match: applied by machine"].value > matched["match: applied by the number-and-amount matcher"].value
    assert 0 < read["read: of bare csv.reader"].value < 1


def test_a_benchmark_that_breaks_says_so_instead_of_giving_figures(where: place.Place) -> None:
    with pytest.raises(run.BenchmarkFailed, match="match at 0"):
        run._apart(where, "match", BENCHMARKS["match"], 0, {})


def test_the_users_own_database_is_out_of_reach(where: place.Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://somebody@elsewhere/books")
    monkeypatch.setenv("TIEOUT_DATA", "/somebody/else")
    environment = where.environment()
    assert "DATABASE_URL" not in environment
    assert environment["TIEOUT_DATA"] == str(where.data)


def test_the_command_prints_ratios_first_and_json_lines_on_demand() -> None:
    program = [sys.executable, "-m", "tieout.faces.cli", "bench", "match", "--size", "120"]
    told = subprocess.run([*program, "--json"], capture_output=True, text=True, check=False)
    lines = [json.loads(line) for line in told.stdout.splitlines()]
    assert {line["kind"] for line in lines} == {"figure", "slope"}
    assert told.returncode == (1 if any(line.get("verdict") == "missed" for line in lines) else 0)
    text = subprocess.run(program, capture_output=True, text=True, check=False).stdout
    units = [" x " in line + " " for line in text.splitlines()[1:]]
    assert units == sorted(units, reverse=True)


def test_a_peer_that_leaves_no_figures_is_refused(tmp_path: Path) -> None:
    script = tmp_path / "peer.sh"
    script.write_text("exit 0\n")
    with pytest.raises(peers.PeerFailed, match="no figures"):
        peers.measured(script)
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "dlt.json").write_text(json.dumps({"merge_nested": {"invoices_per_s": 900}}))
    os.utime(tmp_path / "results" / "dlt.json", (1, 1))
    with pytest.raises(peers.PeerFailed, match="no figures"):
        peers.measured(script)  # What an earlier run left is not today's word.
    script.write_text(f"cp {tmp_path}/tryton.json {tmp_path}/dlt.json {tmp_path}/results/\n")
    (tmp_path / "dlt.json").write_text(json.dumps({"merge_nested": {"invoices_per_s": 1067}}))
    (tmp_path / "tryton.json").write_text(
        json.dumps({"parties": 9, "invoices": 100, "results": {
            "init database + modules": {"s": 91.9}, "mails delivered to sink": 9,
            "generate_dunnings, 100 newly overdue": {"s": 1.2, "n": 100, "per_s": 80.5},
            "process level incl. e-mail, 9 dunnings": {"s": 0.7, "n": 9, "per_s": 12.0}}}))
    assert peers.measured(script) == {"TIEOUT_BENCH_DUNNINGS": "80.5", "TIEOUT_BENCH_REMINDERS": "12.0", "TIEOUT_BENCH_PAGES": "1067"}
