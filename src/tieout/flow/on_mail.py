"""Mail has come in: keep each exactly as it was, then see what it is: a bounce, a machine's answer, or a person's.

The bytes are committed before anything is made of them, under a name that is the same whenever they come again; what a dead
worker left unread is taken up first.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

import msgspec
import structlog

from tieout.adapters.ports import registry
from tieout.adapters.ports.door import Arrived, Mail
from tieout.adapters.ports.errors import BadRecord, PortError
from tieout.flow import clock, on_reply
from tieout.stages.base import crash, walls
from tieout.stages.intake import original, receive
from tieout.stages.intake.models import Connection, Envelope
from tieout.stages.outreach import answered, deliver, mailbox
from tieout.stages.outreach.models import Message

DOOR = "mailbox"
log = structlog.get_logger()


class CouldNotTake(Exception):
    """Some mails were kept but could not be looked at; they stay waiting, and the mailbox counts as unread until they are."""


class Fetched(msgspec.Struct, frozen=True, kw_only=True):
    """What one look into the mailboxes brought. `failed` has a sentence for each mailbox that could not be read."""

    taken: int = 0
    again: int = 0
    failed: tuple[str, ...] = ()


def fetch(organisation_id: UUID) -> Fetched:
    """Read every mailbox of the organisation once."""
    with walls.inside(organisation_id):
        boxes = list(Connection.objects.filter(kind="mailbox", paused_at__isnull=True).order_by("id").values_list("id", flat=True))
    taken, again, failed = 0, 0, []
    for connection_id in boxes:
        try:
            unread(organisation_id, connection_id)
            fresh, known = _read_box(organisation_id, connection_id)
            taken, again = taken + fresh, again + known
            _note(organisation_id, connection_id, "")
        except (PortError, CouldNotTake) as error:
            # Not fresh any more: soon nothing is sent, since nobody can say that no answer waits.
            failed.append(str(error))
            _note(organisation_id, connection_id, str(error))
    return Fetched(taken=taken, again=again, failed=tuple(failed))


def unread(organisation_id: UUID, connection_id: int) -> int:
    """Take what was kept and not yet looked at; returns how many."""
    with walls.inside(organisation_id):
        kept = list(
            Envelope.objects.filter(connection_id=connection_id, state=Envelope.State.RECEIVED).order_by("id").values_list("id", flat=True)
        )
    _take_all(organisation_id, kept)
    return len(kept)


def _take_all(organisation_id: UUID, envelope_ids: Iterable[int]) -> None:
    """One mail that nobody foresaw does not keep the others waiting."""
    stuck = []
    for envelope_id in envelope_ids:
        try:
            take(organisation_id, envelope_id)
        except Exception as error:
            log.exception("mail could not be taken", organisation=str(organisation_id), envelope=envelope_id)
            stuck.append(f"mail {envelope_id} could not be looked at ({type(error).__name__})")
    if stuck:
        raise CouldNotTake("; ".join(stuck))


def _read_box(organisation_id: UUID, connection_id: int) -> tuple[int, int]:
    with walls.inside(organisation_id):
        connection = Connection.objects.get(pk=connection_id)
        settings, cursor = mailbox.stored(connection=connection), dict(connection.settings.get("cursor", {}))
    new: list[int] = []
    again = 0
    for arrived in registry.doors()[DOOR].fetch(settings, cursor):
        envelope_id, is_new = keep(organisation_id, connection_id, arrived)
        crash.point("intake.after_receive")
        if is_new:
            new.append(envelope_id)
        else:
            again += 1
    _take_all(organisation_id, new)
    return len(new), again


def keep(organisation_id: UUID, connection_id: int, arrived: Arrived) -> tuple[int, bool]:
    """Store one mail and where to go on after it, in one commit; returns the envelope and whether it is new."""
    with walls.inside(organisation_id):
        now = clock.now()
        connection = Connection.objects.get(pk=connection_id).lock()
        envelope, is_new = receive.envelope(
            connection=connection, name="mail", chunks=[arrived.content], media_type="message/rfc822", external_id=arrived.external_id, now=now
        )
        if is_new and not arrived.whole:
            reason = "larger than 30 MB: only its beginning was kept; read it in the mailbox"
            receive.settle(envelope=envelope, state=Envelope.State.QUARANTINED, reason=reason, now=now)
        connection.settings = {**connection.settings, "cursor": dict(arrived.cursor)}
        connection.save(update_fields=["settings"])
        return envelope.pk, is_new


def take(organisation_id: UUID, envelope_id: int) -> str:
    """See what one kept mail is and act on it, in one transaction; returns its end. A second call changes nothing."""
    with walls.inside(organisation_id):
        envelope = Envelope.objects.get(pk=envelope_id).lock()
        if envelope.state != Envelope.State.RECEIVED:
            return str(envelope.state)
        now = clock.now()
        try:
            mail = registry.doors()[DOOR].read(b"".join(original.chunks(envelope=envelope)))
        except BadRecord as error:
            receive.settle(envelope=envelope, state=Envelope.State.QUARANTINED, reason=str(error), now=now)
            return str(Envelope.State.QUARANTINED)
        state, reason = _act(envelope, mail)
        envelope.name = (mail.subject or "mail")[:300]
        envelope.save(update_fields=["name"])
        receive.settle(envelope=envelope, state=state, reason=reason, now=now)
        return state


def _act(envelope: Envelope, mail: Mail) -> tuple[str, str]:
    now = clock.now()
    why = _nothing_new(envelope, mail)
    if why:
        return Envelope.State.IGNORED, why
    found = answered.by(mail=mail)
    if mail.bounce is None:
        on_reply.take(envelope=envelope, mail=mail, answered=found, now=now)
        kind = f"an automatic answer ({mail.automatic})" if mail.automatic else "a reply"
        return Envelope.State.APPLIED, f"{kind}, by {found.how}"
    if found.message is not None:
        deliver.bounced(message=found.message, hard=mail.bounce.hard, said=mail.bounce.said or "came back", now=now)
        return Envelope.State.APPLIED, f"a {'permanent' if mail.bounce.hard else 'temporary'} bounce, by {found.how}"
    known = [
        address for address in mail.bounce.addresses if deliver.dead_mailbox(address=address, hard=mail.bounce.hard, said=mail.bounce.said, now=now)
    ]
    if known:
        return Envelope.State.APPLIED, f"a bounce of {', '.join(known)}"
    return Envelope.State.IGNORED, f"a bounce of mail that is not ours ({', '.join(mail.bounce.addresses) or 'no address named'})"


def _nothing_new(envelope: Envelope, mail: Mail) -> str:
    if not mail.message_id:
        return ""
    if Message.objects.filter(message_id=mail.message_id).exists():
        return "our own message, as a copy"
    earlier = Envelope.objects.filter(connection_id=envelope.connection_id, pk__lt=envelope.pk, state=Envelope.State.APPLIED)
    if earlier.filter(external_id__startswith=f"{mail.message_id}#").exists():
        return "the same message came by another way before"
    return ""


def _note(organisation_id: UUID, connection_id: int, error: str) -> None:
    with walls.inside(organisation_id):
        now = clock.now()
        row = Connection.objects.get(pk=connection_id).lock()
        row.last_attempt_at, row.last_error = now, error
        if not error:
            row.last_success_at = now
        row.save(update_fields=["last_attempt_at", "last_error", "last_success_at"])
