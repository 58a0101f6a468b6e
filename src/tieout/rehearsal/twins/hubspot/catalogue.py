"""The kinds of records there are, how paths call them, and the stages of a deal."""

from __future__ import annotations

import msgspec

from tieout.rehearsal.twins.hubspot.answers import Refused


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of record: how paths call it, and what the vendor shows of it unasked."""

    name: str
    one: str
    type_id: str
    group: str
    shown: tuple[str, ...]
    searched: tuple[str, ...] = ()
    created: str = "createdate"
    modified: str = "hs_lastmodifieddate"
    required: tuple[str, ...] = ()
    #: Whether webhooks speak of it.
    told: bool = False
    #: Whether an application may write it; the scope for invoices was not granted.
    writable: bool = True

    @property
    def key(self) -> str:
        """Its name among a record's associations, where the vendor writes spaces."""
        return self.name.replace("_", " ")

    @property
    def stamps(self) -> tuple[str, ...]:
        """The properties every answer carries, whatever was asked for."""
        return (self.created, self.modified, "hs_object_id")


KINDS: tuple[Kind, ...] = (
    Kind(
        name="companies",
        one="company",
        type_id="0-2",
        group="companyinformation",
        shown=("createdate", "domain", "hs_lastmodifieddate", "hs_object_id", "name"),
        searched=("name", "domain", "phone", "website"),
        told=True,
    ),
    Kind(
        name="contacts",
        one="contact",
        type_id="0-1",
        group="contactinformation",
        shown=("createdate", "email", "firstname", "hs_object_id", "lastmodifieddate", "lastname"),
        searched=("firstname", "lastname", "email", "phone", "mobilephone", "company"),
        modified="lastmodifieddate",
        told=True,
    ),
    Kind(
        name="deals",
        one="deal",
        type_id="0-3",
        group="dealinformation",
        shown=("amount", "closedate", "createdate", "dealname", "dealstage", "hs_lastmodifieddate", "hs_object_id", "pipeline"),
        searched=("dealname", "description", "dealtype"),
        told=True,
    ),
    Kind(
        name="invoices",
        one="invoice",
        type_id="0-53",
        group="invoiceinformation",
        shown=("createdate", "hs_lastmodifieddate", "hs_object_id"),
        searched=("hs_number", "hs_title"),
        writable=False,
    ),
    Kind(
        name="line_items",
        one="line_item",
        type_id="0-8",
        group="lineiteminformation",
        shown=("amount", "createdate", "hs_lastmodifieddate", "hs_object_id", "price", "quantity"),
        searched=("name", "hs_sku"),
    ),
    Kind(
        name="notes",
        one="note",
        type_id="0-46",
        group="note",
        shown=("hs_createdate", "hs_lastmodifieddate", "hs_object_id"),
        searched=("hs_note_body",),
        created="hs_createdate",
        required=("hs_timestamp",),
    ),
    Kind(
        name="tasks",
        one="task",
        type_id="0-27",
        group="task",
        shown=("hs_createdate", "hs_lastmodifieddate", "hs_object_id"),
        searched=("hs_task_subject", "hs_task_body"),
        created="hs_createdate",
        required=("hs_timestamp",),
    ),
)
_CALLED = {called: kind for kind in KINDS for called in (kind.name, kind.one, kind.type_id)}

#: The stages of the one pipeline of deals, with the chance of winning.
STAGES: dict[str, tuple[str, str]] = {
    "appointmentscheduled": ("Appointment scheduled", "0.2"),
    "qualifiedtobuy": ("Qualified to buy", "0.4"),
    "presentationscheduled": ("Presentation scheduled", "0.6"),
    "decisionmakerboughtin": ("Decision maker bought in", "0.8"),
    "contractsent": ("Contract sent", "0.9"),
    "closedwon": ("Closed won", "1.0"),
    "closedlost": ("Closed lost", "0.0"),
}
CLOSED = frozenset({"closedwon", "closedlost"})


def kind(called: str) -> Kind:
    """The kind a path speaks of: by its plural, its singular, or the number of its type."""
    found = _CALLED.get(called.lower())
    if found is None:
        raise Refused(f"Unable to infer object type from: {called}")
    return found
