"""`tieout identity`: pairs of customers and documents, with what is held of them and why."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import click

from tieout.faces.cli import _organisation, _setup, _tables

_COLUMNS = ("kind", "state", "first_id", "first", "first_in", "second_id", "second", "second_in", "score", "reasons", "against", "decided_by")


@click.command(help="Pairs of customers and documents: those that wait for a word, those that are linked, those that are held to be two.")
@click.option("--org", help="organisation, by name or id, where there is more than one")
@click.option("--state", type=click.Choice(["open", "linked", "refused", "all"]), default="all", help="only pairs in this state")
@click.option("--json", "as_json", is_flag=True, help="JSON lines instead of CSV")
@click.option("--out", default="-", help="file to write to, - for standard output")
def command(org: str | None, state: str, as_json: bool, out: str) -> None:
    _setup.django()
    from tieout.stages.base import walls
    from tieout.stages.ledger import pairs

    with walls.inside(_organisation.chosen(org)):
        states = pairs.STATES if state == "all" else (state,)
        _tables.write(_rows(pairs, states), columns=_COLUMNS, out=out, as_json=as_json)
    sys.exit(0)


def _rows(pairs: Any, states: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    for state in states:
        for pair in pairs.everything(state=state):
            first, second = pair.sides
            yield {
                "kind": pair.kind, "state": pair.state, "first_id": first.id, "first": first.name, "first_in": "; ".join(first.sources),
                "second_id": second.id, "second": second.name, "second_in": "; ".join(second.sources), "score": pair.score,
                "reasons": "; ".join(pair.reasons), "against": "; ".join(pair.against), "decided_by": pair.decided_by if state != "open" else "",
            }  # fmt: skip
