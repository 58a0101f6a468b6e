"""What the vendor works out itself when something is written: the state of a deal, the amount of a line."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal, InvalidOperation

from tieout.rehearsal.twins.hubspot import catalogue
from tieout.rehearsal.twins.hubspot.answers import instant
from tieout.rehearsal.twins.hubspot.catalogue import Kind


def firsts(kind: Kind) -> dict[str, str]:
    """What a new record holds unless told otherwise."""
    return {"pipeline": "default", "dealstage": "appointmentscheduled"} if kind.name == "deals" else {}


def of(kind: Kind, before: dict[str, str], given: dict[str, str], at: dt.datetime) -> dict[str, str]:
    """The further properties that a write sets."""
    if kind.name == "deals" and "dealstage" in given:
        return _stage(before, given, at)
    if kind.name == "line_items" and {"price", "quantity"} & given.keys():
        return {"amount": _product({**before, **given})}
    return {}


def _stage(before: dict[str, str], given: dict[str, str], at: dt.datetime) -> dict[str, str]:
    stage = given["dealstage"]
    closed = stage in catalogue.CLOSED
    further = {
        "hs_is_closed": str(closed).lower(),
        "hs_is_closed_won": str(stage == "closedwon").lower(),
        "hs_deal_stage_probability": catalogue.STAGES[stage][1] if stage else "",
    }
    if closed and before.get("hs_is_closed") != "true" and "closedate" not in given:
        # A deal that closes is closed today, unless the same write says when.
        further["closedate"] = instant(at)
    return further


def _product(line: dict[str, str]) -> str:
    try:
        return str(Decimal(line["price"]) * Decimal(line["quantity"]))
    except (KeyError, InvalidOperation):
        return ""
