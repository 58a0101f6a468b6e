"""P3 Nothing lost: what was accepted at a door reaches exactly one end, and its original bytes are kept."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Iterator

from tieout.stages.health import looking
from tieout.stages.health.looking import Breach, Given, Looked
from tieout.stages.intake.models import Envelope, EnvelopePart

CODE, TITLE, OF = "P3", "Nothing lost", "envelopes and runs"
SENTENCE = "Everything accepted at a door reaches exactly one end: applied, ignored with reason, or quarantined with reason. The bytes are kept."

#: Rows of one run that are set aside one by one (`flow.on_upload`); beyond it they are counted, and the file itself is kept.
MOST_SET_ASIDE = 20_000

_ENDS = """
SELECT 'envelope ' || id, 'was received ' || to_char(received_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') || ' UTC and has reached no end'
  FROM intake_envelope WHERE organisation_id = %(org)s AND state = 'received' AND received_at < %(now)s::timestamptz - interval '1 hour'
UNION ALL
SELECT 'envelope ' || id, 'ended as ' || state || ' without saying when or why'
  FROM intake_envelope WHERE organisation_id = %(org)s AND state <> 'received' AND (settled_at IS NULL OR reason = '')
UNION ALL
SELECT 'envelope ' || e.id, 'counts as applied, and no run over it was ended'
  FROM intake_envelope e JOIN intake_connection c ON c.organisation_id = e.organisation_id AND c.id = e.connection_id AND c.kind = 'file'
 WHERE e.organisation_id = %(org)s AND e.state = 'applied'
   AND NOT EXISTS (SELECT 1 FROM intake_run r WHERE r.organisation_id = e.organisation_id AND r.envelope_id = e.id AND r.state = 'done')"""

#: What is read are records, customers included, and rows no record could be made of; the same key a second time in a file is skipped.
_COUNTS = """
SELECT 'run ' || id, 'read ' || read || ', but accounts for ' || created + updated + unchanged + quarantined + skipped || ': ' || created || ' new, '
       || updated || ' updated, ' || unchanged || ' unchanged, ' || quarantined || ' set aside, ' || skipped || ' skipped'
  FROM intake_run WHERE organisation_id = %(org)s AND state = 'done'
   AND (read <> created + updated + unchanged + quarantined + skipped OR least(created, updated, unchanged, quarantined, skipped) < 0)
UNION ALL
SELECT 'run ' || r.id, 'set aside ' || r.quarantined || ' rows, of which ' || count(q.id) || ' are there'
  FROM intake_run r LEFT JOIN intake_quarantinedrow q ON q.organisation_id = r.organisation_id AND q.run_id = r.id
 WHERE r.organisation_id = %(org)s AND r.state = 'done'
 GROUP BY r.id, r.quarantined HAVING count(q.id) <> least(r.quarantined, %(most)s)
UNION ALL
SELECT 'row ' || id || ' set aside', 'ended as ' || state || ' without saying when or by whom'
  FROM intake_quarantinedrow WHERE organisation_id = %(org)s AND state <> 'open' AND (settled_at IS NULL OR settled_by = '')"""

_CHECKED = """
SELECT (SELECT count(*) FROM intake_envelope WHERE organisation_id = %(org)s) + (SELECT count(*) FROM intake_run WHERE organisation_id = %(org)s)"""


def look(given: Given) -> Looked:
    """The ends of envelopes, the sums of runs, and every original byte against its digest."""
    asked = looking.ask(_ENDS, _COUNTS, now=given.now, most=MOST_SET_ASIDE)
    return Looked(checked=looking.count(_CHECKED)).also(asked).also(looking.of(_bytes()))


def _bytes() -> Iterator[Breach]:
    kept: dict[int, tuple[int, str] | None] = {}
    current, size, digest = 0, 0, hashlib.sha256()
    for part in EnvelopePart.objects.order_by("envelope_id", "ordinal").iterator(chunk_size=8):
        if part.envelope_id != current:
            current, size, digest = part.envelope_id, 0, hashlib.sha256()
        try:
            content = gzip.decompress(bytes(part.content))
        except (OSError, EOFError, zlib.error):
            kept[current] = None
            continue
        size += len(content)
        digest.update(content)
        if kept.get(current, (0, "")) is not None:
            kept[current] = (size, digest.hexdigest())
    nothing = (0, hashlib.sha256().hexdigest())
    for pk, size, sha256, body in Envelope.objects.order_by("id").values_list("id", "size", "sha256", "body").iterator(chunk_size=200):
        found = kept.get(pk, nothing) if body is None else _whole(bytes(body))
        if found is None:
            yield Breach(f"envelope {pk}", "its bytes cannot be unpacked")
        elif found != (size, sha256):
            yield Breach(f"envelope {pk}", f"{found[0]} bytes are kept that are not the {size} received")


def _whole(body: bytes) -> tuple[int, str] | None:
    try:
        content = gzip.decompress(body)
    except (OSError, EOFError, zlib.error):
        return None
    return len(content), hashlib.sha256(content).hexdigest()
