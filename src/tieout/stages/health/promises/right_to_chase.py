"""P1 Right to chase: every demand that left has its certificate, issued at its claim, and nothing that spoke against it came before."""

from __future__ import annotations

import datetime as dt

from tieout.core import gate
from tieout.core.policy.packs import contact_rules
from tieout.stages.health import looking
from tieout.stages.health.looking import Given, Looked
from tieout.stages.health.promises import spoken_against, stated_true

CODE, TITLE, OF = "P1", "Right to chase", "messages"
SENTENCE = "No demand leaves unless a stored certificate proves, at the claim and at most 5 seconds before the provider is called, that it may."

#: Messages that left, may have left, or were offered and refused, with the place of their claim in the trail and that of its end.
LEFT = """
  SELECT m.id, m.state, m.customer_id, m.contact_point_id, m.claims, m.claimed_at, m.document_ids, m.facts, k.seq,
         (SELECT min(e.seq) FROM base_auditentry e
           WHERE e.organisation_id = %(org)s AND e.object_kind = 'message' AND e.object_id = m.id::text
             AND e.detail ->> 'claim' = m.claims::text) AS settled
    FROM outreach_message m
    LEFT JOIN (SELECT (c ->> 0)::bigint AS message_id, (c ->> 1)::int AS claim, max(e.seq) AS seq
                 FROM base_auditentry e CROSS JOIN LATERAL jsonb_array_elements(e.detail -> 'claims') AS c
                WHERE e.organisation_id = %(org)s AND e.object_kind = 'messages' AND e.action = 'message.claim' GROUP BY 1, 2) k
      ON k.message_id = m.id AND k.claim = m.claims
   WHERE m.organisation_id = %(org)s AND m.state IN ('sending', 'sent', 'unknown', 'bounced', 'refused')"""

_CERTIFIED = f"""
SELECT 'message ' || m.id, CASE
         WHEN m.claims = 0 OR m.claimed_at IS NULL THEN 'left without ever being claimed'
         WHEN c.id IS NULL THEN 'has no certificate for claim ' || m.claims
         WHEN NOT c.allowed OR c.checks @? '$[*] ? (@.passed != true)' THEN 'its certificate does not allow it'
         WHEN NOT jsonb_path_query_array(c.checks, '$[*].code') @> to_jsonb(%(codes)s::text[])
           THEN 'its certificate leaves a question of the gate unasked'
         WHEN m.seq IS NULL AND m.settled IS NULL THEN 'its claim ' || m.claims || ' stands in no entry'
         WHEN c.inputs_hash = '' OR c.rules_version = '' THEN 'its certificate does not say what it was judged on'
         ELSE 'its certificate was issued ' || extract(epoch FROM m.claimed_at - c.issued_at) || ' s before the claim' END
  FROM ({LEFT}) m LEFT JOIN outreach_certificate c ON c.organisation_id = %(org)s AND c.message_id = m.id AND c.claim = m.claims
 WHERE m.claims = 0 OR m.claimed_at IS NULL OR (m.seq IS NULL AND m.settled IS NULL) OR c.id IS NULL OR NOT c.allowed
    OR c.checks @? '$[*] ? (@.passed != true)' OR NOT jsonb_path_query_array(c.checks, '$[*].code') @> to_jsonb(%(codes)s::text[])
    OR c.inputs_hash = '' OR c.rules_version = '' OR c.issued_at > m.claimed_at OR m.claimed_at > c.issued_at + %(seconds)s * interval '1 second'"""

_CHECKED = f"SELECT count(*) FROM ({LEFT}) m"


def look(given: Given) -> Looked:  # noqa: ARG001 - every promise is looked at the same way
    """Certificates and claims; then what was said, agreed or paid before each claim.

    The call itself is bounded by the sender, which hands a letter back once five seconds have passed since its claim; the
    database knows the claim.
    """
    asked = looking.ask(_CERTIFIED, codes=_questions(), seconds=gate.CERTIFICATE_SECONDS)
    return Looked(checked=looking.count(_CHECKED)).also(asked).also(spoken_against.look(LEFT)).also(stated_true.look(LEFT))


def _questions() -> list[str]:
    """The codes of every question the gate asks, learnt by asking it about nothing at all."""
    nothing = gate.Facts(
        asked_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC), message_id="", customer_id="", customer_names=(), items=(), zones=(), countries=(),
        debtor_type=None, sending=None, sources=None, receipts=None, credits=None, open_replies=None, promises=None, holds=None, address=None,
        touches=None, statements=None,
    )  # fmt: skip
    return sorted({check.code for check in gate.ask(nothing, contact_rules()).checks})
