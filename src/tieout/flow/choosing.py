"""What goes where in a system written to: the lists of the system to choose from, what is chosen, and an invoice as it would be written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec

from tieout.adapters.ports import choices, registry
from tieout.adapters.ports.choices import Asks, Choice, Chooses
from tieout.adapters.ports.connector import Command
from tieout.adapters.ports.errors import BadRecord, PortError
from tieout.core.evidence import Actor, Refused
from tieout.flow import clock, jobs, line
from tieout.stages.base import walls
from tieout.stages.intake import say
from tieout.stages.intake.models import Connection
from tieout.stages.ledger.models import Document
from tieout.stages.writeback import compose, decide, lines

#: Under this kind the names of the sources' own tax rates are kept with the target's lists.
_THEIRS = "theirs"


class Written(msgspec.Struct, frozen=True):
    """A request as it would be written, or why it would wait."""

    body: dict[str, Any]
    waits: str = ""


def asks(connection: Connection) -> Asks | None:
    """The connector of a system that must be told what goes where; None for any other."""
    found = registry.connectors().get(connection.vendor) if connection.kind == "system" else None
    return found if isinstance(found, Asks) else None


def read(organisation_id: UUID, connection_id: int) -> str:
    """Read the system's lists, and the names of what its sources call theirs; returns what went wrong, empty where nothing did."""
    with walls.inside(organisation_id):
        connector = asks(Connection.objects.get(pk=connection_id))
        sources = list(Connection.objects.filter(pk__in=lines.origins(target_id=connection_id)).values_list("pk", "name"))
    if connector is None:
        return "nothing is chosen for this system"
    found: dict[str, list[dict[str, str]]] = {}
    try:
        with line.open(organisation_id, connection_id) as open_line:
            for kind in sorted({question.of for question in connector.questions}):
                found[kind] = _plain(connector.choices(open_line.http, open_line.settings, kind))
    except PortError as error:
        return str(error)
    wrong, theirs = "", []
    for source_id, name in sources:
        try:
            with line.open(organisation_id, source_id) as open_line:
                if isinstance(open_line.connector, Chooses):
                    theirs += _plain(open_line.connector.choices(open_line.http, open_line.settings, "tax_codes"))
        except PortError as error:
            wrong = f"the names {name} has for its tax rates could not be read: {error}"
    with walls.inside(organisation_id):
        say.keep_choices(connection=Connection.objects.get(pk=connection_id), choices={**found, _THEIRS: theirs}, now=clock.now())
    return wrong


def offered(connection: Connection) -> dict[str, list[Choice]]:
    """The lists as they were read last."""
    kept: Mapping[str, list[dict[str, str]]] = connection.profile.get("choices", {})
    return {kind: [msgspec.convert(one, Choice) for one in listed] for kind, listed in kept.items()}


def names(connection: Connection) -> dict[str, str]:
    """What the sources' own keys are called there, by key."""
    return {one.id: f"{one.name}{f', {one.note}' if one.note else ''}" for one in offered(connection).get(_THEIRS, [])}


def save(organisation_id: UUID, connection_id: int, *, said: Mapping[str, str | dict[str, str]], actor: Actor) -> Refused | int:
    """Put a mapping in force; what waited for it goes on by itself. Returns how much that is. What is not among the lists is refused."""
    with walls.inside(organisation_id):
        row = Connection.objects.get(pk=connection_id)
        settings = settings_with(row, said)
        if isinstance(settings, Refused):
            return settings
        changed = say.say(connection=row, said=settings, actor=actor, now=clock.now())
        resumed = decide.resume(connection_id=connection_id, now=clock.now()) if changed else 0
        if resumed:
            jobs.later(jobs.write, organisation=organisation_id, lock="write")
        return resumed


def settings_with(connection: Connection, said: Mapping[str, str | dict[str, str]]) -> dict[str, str] | Refused:
    """The settings that answers make; pairs that the page did not show stay as they are."""
    connector, lists = asks(connection), offered(connection)
    if connector is None:
        return Refused("nothing is chosen for this system")
    made: dict[str, str] = {}
    for question in connector.questions:
        answer = said.get(question.setting)
        if answer is None:
            continue
        stood = connection.settings.get(question.setting)
        before = choices.pairs(stood) if question.per else {"": str(stood or "")}
        after = answer if isinstance(answer, dict) else {"": answer}
        known = {one.id for one in lists.get(question.of, [])} | set(before.values()) | {""}
        strange = next((value for value in after.values() if value not in known), None)
        if strange is not None:
            return Refused(f"{strange!r} is not among what {connection.name} has for “{question.title}”; read its lists again")
        try:
            made[question.setting] = choices.text({**before, **after}) if question.per else after[""]
        except ValueError as error:
            return Refused(str(error))
    return made


def shown(connection: Connection, document: Document, settings: Mapping[str, Any]) -> Written:
    """An invoice as it would be written to a system by these settings. Nobody is called."""
    connector = asks(connection)
    if connector is None:
        return Written({}, "nothing is chosen for this system")
    customer = compose.their_id(connection_id=connection.pk, kind="customer", target_id=document.customer_id) or "(its customer, made first)"
    body = compose.form(document=document, customer=customer)
    try:
        return Written(dict(connector.request(settings, Command(act=document.kind, key="preview", body=body))))
    except BadRecord as error:
        return Written({}, str(error))


def _plain(listed: tuple[Choice, ...]) -> list[dict[str, str]]:
    return [{"id": one.id, "name": one.name, "note": one.note} for one in listed]
