"""Change the organisation's own particulars: name, seat, language, currency, sender."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from tieout.core import money
from tieout.core.evidence import Actor
from tieout.stages.base import audit, queries

FIELDS = ("name", "country", "time_zone", "language", "base_currency", "sender_name", "sender_address")
LANGUAGES = ("en", "de")


def organisation(*, values: Mapping[str, str], actor: Actor, now: dt.datetime) -> dict[str, str]:
    """Write the fields given; returns what is wrong per field, and then nothing was changed."""
    given = {name: values[name].strip() for name in FIELDS if name in values}
    for name in ("country", "base_currency"):
        if name in given:
            given[name] = given[name].upper()
    wrong = {name: message for name, value in given.items() if (message := _wrong(name, value))}
    if wrong:
        return wrong
    ours = queries.profile().lock()
    before = {name: getattr(ours, name) for name, value in given.items() if getattr(ours, name) != value}
    if before:
        for name in before:
            setattr(ours, name, given[name])
        ours.save(update_fields=list(before))
        detail = {"before": before, "after": {name: given[name] for name in before}}
        audit.write(actor=actor, action="organisation.arrange", object_kind="organisation", object_id=ours.organisation_id, now=now, detail=detail)
    return {}


def _wrong(name: str, value: str) -> str:
    if "\x00" in value or "\n" in value or "\r" in value:
        return "one line of text, please"
    if len(value) > 300:
        return "at most 300 characters"
    if name == "name":
        return "" if value else "the organisation needs a name"
    if name == "country":
        return "" if len(value) == 2 and value.isalpha() and value.isascii() else "a country code of two letters, such as DE"
    if name == "time_zone":
        return "" if value in available_timezones() else f"{value!r} is not a time zone: use a name such as Europe/Berlin"
    if name == "language":
        return "" if value in LANGUAGES else f"letters are written in {' or '.join(LANGUAGES)}"
    if name == "base_currency":
        return "" if money.is_currency(value) else f"{value!r} is not an ISO 4217 currency"
    if name == "sender_address" and value:
        try:
            validate_email(value)
        except ValidationError:
            return "not an e-mail address"
    return ""
