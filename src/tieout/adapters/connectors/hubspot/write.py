"""What we ask HubSpot to do: figures on companies, notes and tasks beside them, a company for a customer born elsewhere.

HubSpot knows no idempotency. Figures and companies go by a key of their own, so that asking twice does nothing twice; a note or a
task is looked for before it is made, and a try whose outcome nobody knows is OutcomeUnknown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tieout.adapters.connectors.hubspot import company, figures, timeline
from tieout.adapters.ports.connector import Command, Receipt
from tieout.adapters.ports.errors import BadRecord, Unsupported
from tieout.adapters.ports.http import Http

Act = Callable[[Http, Mapping[str, Any], Command], Receipt]
Look = Callable[[Http, Mapping[str, Any], Command], Receipt | None]


def run(http: Http, settings: Mapping[str, Any], command: Command) -> Receipt:
    """Do what a command says. Raises BadRecord where HubSpot refuses, Unsupported for an act it has no word for, OutcomeUnknown."""
    return _act(command)[0](http, settings, command)


def find(http: Http, settings: Mapping[str, Any], command: Command) -> Receipt | None:
    """The effect of a command, where it happened already."""
    return _act(command)[1](http, settings, command)


def _act(command: Command) -> tuple[Act, Look]:
    if command.act not in _ACTS:
        raise Unsupported(f"HubSpot cannot take {command.act!r}")
    do, look, needed = _ACTS[command.act]
    unsaid = next((name for name in needed if command.body.get(name) in (None, "")), None)
    if unsaid is not None:
        raise BadRecord(f"a {command.act} for HubSpot needs its {unsaid}", field=unsaid)
    return do, look


#: How each act is done, how it is looked for, and what its body must say.
_ACTS: Mapping[str, tuple[Act, Look, tuple[str, ...]]] = {
    "status": (figures.write, figures.find, ("customers",)),
    "document": (timeline.document, timeline.find_document, ("company", "number", "amount", "currency", "status")),
    "task": (timeline.task, timeline.find_task, ("company", "subject", "due")),
    "note": (timeline.note, timeline.find_note, ("company", "text", "at")),
    "company": (company.make, company.find, ("ours", "name")),
    # Whoever owes is a company in HubSpot: what other systems call a customer.
    "customer": (company.make, company.find, ("ours", "name")),
    "update_customer": (company.change, company.find_change, ("customer", "field", "value")),
}
ACTS = tuple(_ACTS)
