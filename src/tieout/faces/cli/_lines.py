"""What `tieout doctor` finds when it calls: the mail server letters leave through, and the mailbox answers come to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from tieout.stages.health.finding import Finding, note, ok, wrong


def look(organisation: UUID) -> Iterator[Finding]:
    """Call the servers of one organisation. Nothing is sent, and a mailbox is only looked into."""
    from tieout.stages.base import queries, walls
    from tieout.stages.intake.models import Connection
    from tieout.stages.outreach import mailbox, sending

    with walls.inside(organisation):
        live = queries.sending_mode()[0] == "live"
        server = sending.stored()
        boxes = [
            (box.name, mailbox.stored(connection=box), dict(box.settings.get("cursor", {})))
            for box in Connection.objects.filter(kind="mailbox", paused_at__isnull=True).order_by("id")
        ]
    yield _mail_server(server, live)
    if not boxes:
        yield note("mailbox", "none is set, so no answer and no bounce is seen", "set one in Settings")
    for name, settings, cursor in boxes:
        yield _mailbox(name, settings, cursor)


def _mail_server(settings: dict[str, Any] | None, live: bool) -> Finding:
    from tieout.adapters.ports import registry
    from tieout.adapters.ports.errors import PortError

    if settings is None:
        says, mend = "no mail server is set", "set one in Settings; letters wait until then"
        return wrong("mail server", says, mend) if live else note("mail server", says, mend)
    try:
        with registry.channels()["email"].open(settings):
            return ok("mail server", f"{settings.get('host')}:{settings.get('port', 587)} lets us in")
    except PortError as error:
        # The demo's letters go to its own catcher, which runs as long as the demo does.
        mend = "run `tieout demo`" if settings.get("caught") else "check host, port, encryption and password in Settings, and that the server runs"
        return wrong("mail server", str(error), mend)


def _mailbox(name: str, settings: dict[str, Any], cursor: dict[str, Any]) -> Finding:
    from tieout.adapters.ports import registry
    from tieout.adapters.ports.errors import PortError

    try:
        # The first mail that is new, at most: the door only looks, and what it shows is not kept here.
        next(iter(registry.doors()["mailbox"].fetch(settings, cursor)), None)
    except PortError as error:
        return wrong("mailbox", f"{name}: {error}", "check host, port, folder and password in Settings, and that the server runs")
    return ok("mailbox", f"{name} can be read")
