"""The house itself: secrets that cannot be opened, files not taken in, letters of unknown outcome, alerts that reach nobody."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from tieout.stages.base import secret
from tieout.stages.base.models import Secret
from tieout.stages.health.models import AlertChannel
from tieout.stages.health.sight import Given, Sight
from tieout.stages.intake import queries as intake
from tieout.stages.outreach.models import Message

KINDS = {
    "secret": "A stored secret cannot be opened",
    "untaken": "Files received and not taken in",
    "letters": "Letters of unknown outcome",
    "unheard": "Alerts do not reach an address",
}


def look(*, given: Given) -> Iterator[Sight]:
    """Each by itself."""
    yield from _secrets()
    unfinished = intake.unfinished(before=given.now - dt.timedelta(hours=1))
    if unfinished:
        many = f"{len(unfinished)} file{'' if len(unfinished) == 1 else 's'}"
        yield Sight(
            kind="untaken", key="untaken", severity="urgent", what="files", subject=f"{many} not taken in",
            says=f"{len(unfinished)} received more than an hour ago and not taken in", mend="run `tieout worker`, which takes them up",
            page="connections", count=len(unfinished),
        )  # fmt: skip
    unknown = Message.objects.filter(state=Message.State.UNKNOWN).count()
    if unknown:
        yield Sight(
            kind="letters", key="letters", severity="soon", what="letters",
            subject=f"{unknown} letter{'' if unknown == 1 else 's'} of unknown outcome",
            says=f"{unknown} whose outcome nobody knows", mend="find out whether they arrived and say so under Outreach", page="outreach",
            page_query="state=unknown", count=unknown,
        )  # fmt: skip
    for row in AlertChannel.objects.filter(removed_at__isnull=True).exclude(last_error="").order_by("name"):
        yield Sight(
            kind="unheard", key=f"unheard:{row.pk}", severity="soon", what="alerts", subject=f"Alerts do not reach {row.name}",
            says=row.last_error, mend="mend or remove the address, then send it a test", page="alert_settings",
        )  # fmt: skip


def _secrets() -> Iterator[Sight]:
    """Names only: what is opened here is thrown away at once."""
    for name in Secret.objects.order_by("name").values_list("name", flat=True):
        try:
            secret.get(name=name)
        except (secret.SecretUnreadable, OSError, ValueError) as error:
            yield Sight(
                kind="secret", key=f"secret:{name}"[:200], severity="urgent", what="secret", subject=f"The stored secret {name} cannot be opened",
                says=f"{name} cannot be opened: {error}",
                mend="put the key file of this installation back, or enter the value again in Settings", page="settings",
            )  # fmt: skip
