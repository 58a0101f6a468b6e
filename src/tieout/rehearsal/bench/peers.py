"""The peers beside which planning, sending and reading a vendor's pages are measured. They cannot run inside this project: their
figures are given, or taken in the same run by a script of the user's.

Tryton 8.2 on PostgreSQL, through its own server-side calls in large batches (its fastest way in), took 67 to 305 dunnings a
second on this project's kind of machine and handed 38 reminders a second to a local SMTP server. We are held to the best.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from tieout.rehearsal.bench.figures import Figure, Stopwatch

#: The sizes from which on we are judged: a book of this many open invoices, and batches that are full.
_BOOK, _BATCHES = 100_000, 1_000
#: Invoices a second of Tryton's `generate_dunnings`, the best of several runs; and reminders a second of its dunning by mail.
DUNNINGS, REMINDERS = 305.0, 38.0
#: Invoices a second of dlt's `merge` from local pages with nested lines into PostgreSQL, measured before on such a machine.
DLT = 1_067.0
_PAGES = "TIEOUT_BENCH_PAGES"
_DUNNINGS, _REMINDERS = "TIEOUT_BENCH_DUNNINGS", "TIEOUT_BENCH_REMINDERS"


class PeerFailed(Exception):
    """The peer's script ended badly or wrote no figures; the message says which."""


def measured(script: Path, *, parties: int = 1_000, invoices: int = 11_000) -> dict[str, str]:
    """Run the peer's script and return its figures for the environment of the benchmarks. Raises PeerFailed.

    The script takes the numbers of parties and invoices. Beside itself it writes `results/tryton.json`: under `results`, by the name of
    each step, among others how many `per_s`; or `results/dlt.json`: under `merge_nested` its `invoices_per_s`; or both.
    """
    begun = time.time()
    done = subprocess.run(["bash", str(script), str(parties), str(invoices)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise PeerFailed(f"{script} ended with {done.returncode}: {done.stderr[-1000:]}")
    results = script.parent / "results"
    # What an earlier run has left was not measured here and now.
    fresh = {file.name: file for file in results.glob("*.json") if file.stat().st_mtime >= begun - 1}
    figures: dict[str, str] = {}
    try:
        if "tryton.json" in fresh:
            told = json.loads(fresh["tryton.json"].read_text())["results"]
            figures[_DUNNINGS] = str(max(v["per_s"] for k, v in told.items() if k.startswith("generate_dunnings") and "newly overdue" in k))
            figures[_REMINDERS] = str(max(v["per_s"] for k, v in told.items() if k.startswith("process level incl. e-mail")))
        if "dlt.json" in fresh:
            figures[_PAGES] = str(json.loads(fresh["dlt.json"].read_text())["merge_nested"]["invoices_per_s"])
    except (OSError, ValueError, KeyError) as error:
        raise PeerFailed(f"{script} left figures in {results} that cannot be read: {error}") from error
    if not figures:
        raise PeerFailed(f"{script} left no figures in {results}: neither tryton.json nor dlt.json is of this run")
    return figures


def tryton_dunning(size: int, watch: Stopwatch) -> Iterator[Figure]:
    """Invoices planned a second, in Tryton's."""
    peer, how = _of(_DUNNINGS, DUNNINGS)
    against = f"Tryton 8.2, {peer:.0f} invoices/s, {how}"
    value = size / watch.seconds / peer
    yield Figure(name="plan: of Tryton's dunning", size=size, value=value, unit="x", must=100, aim=300, against=against).judged(_BOOK)
    yield from _by_processor("plan: of Tryton's dunning", size, watch, peer)


def tryton_mail(size: int, watch: Stopwatch) -> Iterator[Figure]:
    """Reminders sent a second, in Tryton's."""
    peer, how = _of(_REMINDERS, REMINDERS)
    against = f"Tryton 8.2, {peer:.0f} reminders/s, {how}"
    value = size / watch.seconds / peer
    yield Figure(name="send: of Tryton's dunning by mail", size=size, value=value, unit="x", must=5, against=against).judged(_BATCHES)
    yield from _by_processor("send: of Tryton's dunning by mail", size, watch, peer)


def dlt_merge(size: int, seconds: float) -> Iterator[Figure]:
    """Invoices of a vendor's pages a second, in dlt's merge of such pages into the same kind of database."""
    peer, how = _of(_PAGES, DLT)
    against = f"dlt's merge, {peer:.0f} invoices/s, {how}"
    yield Figure(name="backfill: of dlt's merge", size=size, value=size / seconds / peer, unit="x", must=5, aim=10, against=against).judged(_BOOK)


def _by_processor(name: str, size: int, watch: Stopwatch, peer: float) -> Iterator[Figure]:
    # What our client and server asked of the processor, against the peer by the clock of an idle machine: a machine that is busy
    # with other things does not change it.
    if watch.busy:
        yield Figure(name=f"{name}, by our processor time", size=size, value=size / watch.busy / peer, unit="x", against="the same peer by the clock")


def _of(name: str, known: float) -> tuple[float, str]:
    given = os.environ.get(name)
    return (float(given), "in this run") if given else (known, "as measured before")
