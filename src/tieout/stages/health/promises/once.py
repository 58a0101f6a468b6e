"""P2 Once: a message, an effect on another system, a task happens at most once, however often jobs run, crash or are clicked."""

from __future__ import annotations

from tieout.stages.health import looking
from tieout.stages.health.looking import Given, Looked

CODE, TITLE, OF = "P2", "Once", "messages, tasks and effects"
SENTENCE = "A message, a write-back, a task happens at most once however often jobs run, crash or are clicked."

_TOUCHED = """
SELECT 'message ' || message_id AS r, 'is ' || count(*) || ' outgoing contacts in the log, not one'
  FROM dialogue_touch WHERE organisation_id = %(org)s AND direction = 'out' AND message_id IS NOT NULL GROUP BY message_id HAVING count(*) > 1"""

_KEYS = """
SELECT 'message ' || min(id), count(*) || ' messages have the key ' || natural_key FROM outreach_message
 WHERE organisation_id = %(org)s GROUP BY natural_key HAVING count(*) > 1
UNION ALL
SELECT 'task ' || min(id), count(*) || ' tasks have the key ' || natural_key FROM collect_task
 WHERE organisation_id = %(org)s GROUP BY natural_key HAVING count(*) > 1
UNION ALL
SELECT 'effect ' || min(id), count(*) || ' effects have the key ' || natural_key FROM writeback_outgoing
 WHERE organisation_id = %(org)s GROUP BY natural_key HAVING count(*) > 1"""

#: The cycle at the end of a key counts up only once the message before it has ended without reaching anybody.
_CYCLES = """
SELECT 'message ' || max(id), 'says again what message ' || min(id) || ' had said: same step, debts and mailbox'
  FROM outreach_message WHERE organisation_id = %(org)s AND state IN ('sending', 'sent', 'unknown')
 GROUP BY regexp_replace(natural_key, ':[0-9]+$', '') HAVING count(*) > 1"""

#: Every claim but the last must have given the message back; what was sent, or may have been, is never claimed again.
_CLAIMS = """
WITH told AS MATERIALIZED (
  SELECT object_id, action, (detail ->> 'claim')::int AS claim, count(*) AS times
    FROM base_auditentry WHERE organisation_id = %(org)s AND object_kind = 'message' AND detail ? 'claim' GROUP BY 1, 2, 3
  UNION ALL
  SELECT c ->> 0, e.action, (c ->> 1)::int, count(*)
    FROM base_auditentry e CROSS JOIN LATERAL jsonb_array_elements(e.detail -> 'claims') AS c
   WHERE e.organisation_id = %(org)s AND e.object_kind = 'messages' AND e.action = 'message.claim' GROUP BY 1, 2, 3),
per_claim AS MATERIALIZED (
  SELECT object_id, claim, sum(times) FILTER (WHERE action = 'message.claim') AS claimed, sum(times) FILTER (WHERE action = 'message.sent') AS sent,
         coalesce(bool_or(action IN ('message.later', 'message.back', 'message.person')), false) AS given_back
    FROM told GROUP BY 1, 2)
SELECT 'message ' || m.id, 'was claimed again (' || m.claims || ' times) although claim ' || min(p.claim) || ' had not given it back'
  FROM outreach_message m JOIN per_claim p ON p.object_id = m.id::text AND p.claim < m.claims AND NOT p.given_back
 WHERE m.organisation_id = %(org)s GROUP BY m.id, m.claims
UNION ALL
SELECT 'message ' || object_id, 'its claim ' || claim || ' was made ' || claimed || ' times' FROM per_claim WHERE claimed > 1
UNION ALL
SELECT 'message ' || object_id, 'was sent ' || sum(sent) || ' times' FROM per_claim GROUP BY object_id HAVING sum(sent) > 1
UNION ALL
SELECT 'message ' || m.id, 'has ' || count(c.id) || ' certificates for ' || m.claims || ' claims'
  FROM outreach_message m LEFT JOIN outreach_certificate c ON c.organisation_id = m.organisation_id AND c.message_id = m.id
 WHERE m.organisation_id = %(org)s GROUP BY m.id, m.claims HAVING count(c.id) > m.claims"""

_OUTBOX = """
SELECT 'effect ' || id, CASE WHEN state = 'waiting' THEN 'was settled and waits to happen again'
                             WHEN attempts = 0 OR claimed_at IS NULL THEN 'ended as ' || state || ' without ever being claimed'
                             ELSE 'was settled before it was claimed' END
  FROM writeback_outgoing
 WHERE organisation_id = %(org)s
   AND ((state = 'waiting' AND settled_at IS NOT NULL) OR (state IN ('done', 'unknown', 'failed') AND (attempts = 0 OR claimed_at IS NULL))
        OR settled_at < claimed_at)"""

_CHECKED = """
SELECT (SELECT count(*) FROM outreach_message WHERE organisation_id = %(org)s) + (SELECT count(*) FROM collect_task WHERE organisation_id = %(org)s)
     + (SELECT count(*) FROM writeback_outgoing WHERE organisation_id = %(org)s)"""


def look(given: Given) -> Looked:
    """Keys, contacts, claims and outcomes; and the anchors, which are the effects there are outside the database."""
    twice: dict[str, int] = {}
    for anchor in given.anchors or []:
        key = f"{anchor.get('at')} {anchor.get('seq')}"
        twice[key] = twice.get(key, 0) + 1
    repeated = [looking.Breach(f"anchor {key}", f"stands {times} times in the file") for key, times in twice.items() if times > 1]
    found = looking.ask(_TOUCHED, _KEYS, _CYCLES, _CLAIMS, _OUTBOX)
    return Looked(checked=looking.count(_CHECKED)).also(found).also(looking.of(repeated))
