"""Records that could not be understood without guessing: of a system (its answers have changed, or hold a word nobody knows) and of files."""

from __future__ import annotations

from collections.abc import Iterator

from tieout.stages.health import looking
from tieout.stages.health.sight import Given, Sight

KINDS = {"drift": "Records of a system not understood", "rows": "Rows of files set aside"}

_WAITING = """
SELECT c.id, c.name, c.kind = 'system', count(*), min(q.id), (array_agg(q.message ORDER BY q.id))[1], (array_agg(q.stream ORDER BY q.id))[1]
  FROM intake_quarantinedrow q JOIN intake_connection c ON c.organisation_id = q.organisation_id AND c.id = q.connection_id
 WHERE q.organisation_id = %(org)s AND q.state = 'open' GROUP BY 1, 2, 3 ORDER BY c.name"""


def look(*, given: Given) -> Iterator[Sight]:  # noqa: ARG001 - every looker is given the same
    """One for each connection."""
    for pk, name, system, count, _, message, stream in looking.rows(_WAITING):
        many = f"{count} record{'' if count == 1 else 's'}"
        if system:
            kind, severity, subject = "drift", "soon", f"{many} of {name} not understood"
            mend = "look at each: what its words mean is for a person to say; a record that is mended there is taken in by itself"
        else:
            kind, severity, subject = "rows", "note", f"{many} of {name} set aside"
            mend = "mend or dismiss them under Connections"
        yield Sight(
            kind=kind, key=f"{kind}:{pk}", severity=severity, what="rows", subject=subject,  # type: ignore[arg-type]
            says=f"{many} set aside and waiting for somebody. The first{f', of {stream}' if stream else ''}: {message}", mend=mend, page="quarantine",
            page_query=f"connection={pk}", connection_id=pk, count=count,
        )  # fmt: skip
