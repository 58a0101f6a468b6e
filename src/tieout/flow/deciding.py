"""A person says that an effect happened: the other side is asked about the id they give, and what it has is taken in like anything it says."""

from __future__ import annotations

from uuid import UUID

from tieout.adapters.ports.connector import Raw, Ref
from tieout.adapters.ports.errors import PortError
from tieout.core.evidence import Actor, Refused
from tieout.flow import clock, line, taking
from tieout.stages.base import walls
from tieout.stages.writeback import decide, recognise
from tieout.stages.writeback.models import Outgoing


def happened(organisation_id: UUID, effect_id: int, *, external_id: str, actor: Actor) -> Refused | None:
    """It happened, and is called `external_id` there. Refused where the other side knows no such thing; where it cannot be asked just
    now, the person's word stands and that is said in the receipt."""
    external_id = external_id.strip()
    with walls.inside(organisation_id):
        row = Outgoing.objects.select_related("connection").get(pk=effect_id)
    if row.kind not in recognise.MAKES or not external_id:
        return _decided(organisation_id, effect_id, external_id, "", actor)
    found: list[Raw] = []
    try:
        with line.open(organisation_id, row.connection_id) as open_line:
            stream = next((one.name for one in open_line.connector.manifest.streams if one.kinds[0] == recognise.MAKES[row.kind]), "")
            with walls.inside(organisation_id):
                asked_at = clock.now()
            found = list(open_line.connector.reread(open_line.http, open_line.settings, refs=[Ref(stream, external_id)])) if stream else []
            if any(raw.id == external_id and raw.stream == stream and raw.gone for raw in found):
                return Refused(f"{row.connection.name} has no {recognise.MAKES[row.kind].replace('_', ' ')} with the id {external_id}")
            with walls.inside(organisation_id):
                refused = _decided(organisation_id, effect_id, external_id, f"and {row.connection.name} has {external_id}" if found else "", actor)
                if refused is None and found:
                    taking.echo(
                        connector=open_line.connector, settings=open_line.settings, objects=found, connection_id=row.connection_id, now=clock.now(),
                        asked_at=asked_at,
                    )  # fmt: skip
            return refused
    except PortError as error:
        return _decided(organisation_id, effect_id, external_id, f"not looked up: {error}", actor)


def _decided(organisation_id: UUID, effect_id: int, external_id: str, checked: str, actor: Actor) -> Refused | None:
    with walls.inside(organisation_id):
        return decide.happened(effect=Outgoing.objects.get(pk=effect_id), external_id=external_id, checked=checked, actor=actor, now=clock.now())
