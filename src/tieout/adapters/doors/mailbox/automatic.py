"""Whether a machine wrote a mail. In doubt a person did: a human answer taken for a machine's would be chased over."""

from __future__ import annotations

import re
from email.message import Message

from tieout.adapters.doors.mailbox import headers

#: How out-of-office programs begin a subject in the languages our letters go out in; others are marked by headers.
_SUBJECT = re.compile(
    r"^\s*(auto(matic|matische)?[\s:-]*(reply|response|antwort)|automatische antwort|out of (the )?office"
    r"|abwesen(d|heits?(notiz|nachricht|meldung|assistent)?)"
    r"|ich bin (derzeit )?(nicht im büro|abwesend)|réponse automatique|risposta automatica|respuesta automática)\b",
    re.IGNORECASE,
)


def because(message: Message, subject: str) -> str:
    """Why this mail is a machine's, or nothing (RFC 3834 first, then what programs before and beside it write)."""
    stated = headers.value(message, "Auto-Submitted").split(";")[0].strip().lower()
    if stated and stated != "no":
        return f"marked {stated}"
    for name in ("X-Autoreply", "X-Autorespond", "X-Autoresponder", "X-Auto-Reply"):
        if message.get(name):
            return f"marked {name}"
    if headers.value(message, "Precedence").strip().lower() in {"auto_reply", "bulk", "junk", "list"}:
        return f"marked {headers.value(message, 'Precedence')[:40]}"
    if message.get_content_type() == "multipart/report":
        return "a report of a mail program"
    if _SUBJECT.match(subject):
        return "its subject is an absence notice"
    return ""
