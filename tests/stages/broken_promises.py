"""Violations of the promises, as statements: what a bug, a bad migration or an intruder could do to the rows."""

from __future__ import annotations

from typing import NamedTuple


class Seed(NamedTuple):
    """A violation: the promise it breaks, what is said of it, the statements that make it, and tables whose guards are off meanwhile."""

    promise: str
    says: str
    statements: tuple[str, ...]
    off: tuple[str, ...] = ()


#: By what each is, in words.
SEEDS: dict[str, Seed] = {
    "P1: a message without a certificate": Seed(
        "P1",
        "has no certificate for claim 1",
        ("DELETE FROM outreach_certificate",),
    ),
    "P1: a certificate with a failed check": Seed(
        "P1",
        "does not allow it",
        ("UPDATE outreach_certificate SET checks = jsonb_set(checks, '{0,passed}', 'false')",),
    ),
    "P1: a certificate that leaves a question out": Seed(
        "P1",
        "a question of the gate unasked",
        ("UPDATE outreach_certificate SET checks = checks - 0",),
    ),
    "P1: a certificate older than five seconds": Seed(
        "P1",
        "was issued 6.0",
        ("UPDATE outreach_certificate SET issued_at = issued_at - interval '6 seconds'",),
    ),
    "P1: a hold that was there before the claim": Seed(
        "P1",
        "left although on hold: legal",
        (
            """
            INSERT INTO dialogue_hold (organisation_id, customer_id, reason, from_date, placed_at, placed_by, rank, note, released_by,
            released_reason, currency) SELECT organisation_id, customer_id, 'legal', '2026-06-01', claimed_at - interval '1 hour',
            'Ada', 3, '', '', '', '' FROM outreach_message""",
        ),
    ),
    "P1: an opt-out before the claim": Seed(
        "P1",
        "left although the recipient had opted out",
        (
            """
            UPDATE dialogue_contactpoint p SET opted_out_at = m.claimed_at - interval '1 hour' FROM outreach_message m WHERE
            m.contact_point_id = p.id""",
        ),
    ),
    "P1: a dead address before the claim": Seed(
        "P1",
        "mail to this address had come back",
        (
            """
            UPDATE dialogue_contactpoint p SET bounced_at = m.claimed_at - interval '1 hour' FROM outreach_message m WHERE
            m.contact_point_id = p.id""",
        ),
    ),
    "P1: more demanded than is free of dispute": Seed(
        "P1",
        "more than is free of dispute: 60.00 EUR is disputed",
        ("UPDATE dialogue_hold SET amount_minor = 6000 WHERE reason = 'dispute'",),
    ),
    "P1: money known before the claim that the text leaves out": Seed(
        "P1",
        "says 1250.01 EUR is open of INV-1001, which had 1250.00 EUR open",
        (
            """
            UPDATE outreach_message SET facts = jsonb_set(jsonb_set(facts, '{items,0,open_minor}', '125001'),
            '{items,0,disputed_minor}', '5001')""",
        ),
    ),
    "P2: two contacts for one message": Seed(
        "P2",
        "is 2 outgoing contacts",
        (
            """
            INSERT INTO dialogue_touch (organisation_id, customer_id, contact_point_id, channel, direction, at, local_date, step,
            outcome, summary, document_ids, message_id) SELECT organisation_id, customer_id, contact_point_id, channel, direction, at,
            local_date, step, outcome, summary, document_ids, message_id FROM dialogue_touch WHERE direction = 'out'""",
        ),
    ),
    "P2: an effect settled and waiting again": Seed(
        "P2",
        "was settled and waits to happen again",
        ("UPDATE writeback_outgoing SET state = 'waiting'",),
    ),
    "P3: an envelope without an end": Seed(
        "P3",
        "has reached no end",
        ("UPDATE intake_envelope SET state = 'received', settled_at = NULL, received_at = received_at - interval '2 hours'",),
    ),
    "P3: a run that does not add up": Seed(
        "P3",
        "accounts for",
        ("UPDATE intake_run SET unchanged = unchanged + 1",),
    ),
    "P3: a row set aside and gone": Seed(
        "P3",
        "set aside 1 rows, of which 0 are there",
        ("DELETE FROM intake_quarantinedrow",),
    ),
    "P3: bytes that are not those received": Seed(
        "P3",
        "that are not the",
        ("UPDATE intake_envelope SET sha256 = repeat('0', 64)",),
    ),
    "P3: bytes lost": Seed(
        "P3",
        "0 bytes are kept",
        ("DELETE FROM intake_envelopepart",),
    ),
    "P3: bytes that cannot be read": Seed(
        "P3",
        "cannot be unpacked",
        ("UPDATE intake_envelopepart SET content = '\\x00ff'",),
    ),
    "P5: no version in force": Seed(
        "P5",
        "has 0 versions in force",
        (
            """
            UPDATE ledger_paymentversion SET superseded_at = recorded_at + interval '1 s' WHERE payment_id = (SELECT id FROM
            ledger_payment WHERE external_id = 'p_1')""",
        ),
    ),
    "P5: a row changed without a version": Seed(
        "P5",
        "differs from its version in force",
        ("UPDATE ledger_document SET issue_date = issue_date - 1 WHERE number = 'INV-1002'",),
    ),
    "P5: a gap between versions": Seed(
        "P5",
        "nobody knows how it stood",
        ("UPDATE ledger_documentversion SET superseded_at = superseded_at - interval '1 ms' WHERE superseded_at IS NOT NULL",),
    ),
    "P6: a correction overwritten": Seed(
        "P6",
        "Ada set due date to '2026-03-15', and '2026-02-28' stands there",
        (
            "UPDATE ledger_document SET due_date = '2026-02-28' WHERE number = 'INV-1004'",
            "UPDATE ledger_documentversion SET due_date = '2026-02-28' WHERE number = 'INV-1004'",
        ),
    ),
    "P6: a person's name for a customer overwritten": Seed(
        "P6",
        "'Hartley' stands there",
        ("UPDATE ledger_customer SET name = 'Hartley' WHERE name LIKE 'Hartley%'",),
    ),
    "P6: a person's hold released by a machine": Seed(
        "P6",
        "was placed by Ada and released by tieout, no person",
        (
            """
            UPDATE dialogue_hold SET released_at = placed_at + interval '10 days', released_by = 'tieout', reason = 'legal', rank = 3
            WHERE reason = 'promise'""",
        ),
    ),
    "P6: a person's match taken back by a machine": Seed(
        "P6",
        "taken back by the matcher",
        (
            """
            UPDATE ledger_allocation SET retracted_at = recorded_at + interval '1 s', evidence = '{"undone": {"by": "the matcher",
            "rank": 1}}' WHERE kind = 'write_off'""",
        ),
    ),
    "P6: a match a person undid, put together again": Seed(
        "P6",
        "again, which Ada had undone",
        (
            """
            UPDATE ledger_allocation SET rank = 2, actor_kind = 'source', rule = 'as told', reason = 'because' WHERE rule = 'by hand'
            AND kind = 'cash'""",
        ),
        off=("ledger_allocation",),
    ),
    "P7: applied by machine without evidence": Seed(
        "P7",
        "stores no evidence",
        ("UPDATE ledger_allocation SET evidence = '{}' WHERE rank = 1 AND retracted_at IS NULL",),
        off=("ledger_allocation",),
    ),
    "P7: applied by machine at low confidence": Seed(
        "P7",
        "at a confidence of 60",
        (r"""UPDATE ledger_allocation SET evidence = '{"confidence": 60}' WHERE rank = 1 AND retracted_at IS NULL""",),
    ),
    "P7: applied by machine to what the payment does not name": Seed(
        "P7",
        "which the payment does not name",
        ("UPDATE ledger_payment SET remittance = 'INV-7777' WHERE external_id = 'p_1'",),
    ),
    "P7: a rival with the same number": Seed(
        "P7",
        "bore this number too",
        (
            "UPDATE ledger_document SET number = 'INV-1002' WHERE number = 'INV-1004'",
            "UPDATE ledger_documentversion SET number = 'INV-1002' WHERE number = 'INV-1004'",
        ),
    ),
    "P9: sent outside hours": Seed(
        "P9",
        "is outside 09:00-17:00",
        ("UPDATE ledger_customer SET time_zone = 'America/Los_Angeles' WHERE name LIKE 'Brightwater%'",),
    ),
    "P9: sent to somebody not known to be a business": Seed(
        "P9",
        "not known to be a business",
        ("UPDATE ledger_customer SET debtor_type = '' WHERE name LIKE 'Brightwater%'",),
    ),
    "P9: sent where it was a holiday": Seed(
        "P9",
        "was a public holiday in PT",
        ("UPDATE ledger_customer SET country = 'PT' WHERE name LIKE 'Brightwater%'",),
    ),
    "P9: a second mail to the same mailbox within seven days": Seed(
        "P9",
        "left as number 2 within 7 local days",
        (
            """
            INSERT INTO dialogue_touch (organisation_id, customer_id, contact_point_id, channel, direction, at, local_date, step,
            outcome, summary, document_ids) SELECT organisation_id, customer_id, contact_point_id, channel, direction, at - interval '3
            days', local_date - 3, step, 'sent', summary, document_ids FROM dialogue_touch WHERE direction = 'out'""",
        ),
    ),
    "P9: a message that stands in no contact log": Seed(
        "P9",
        "left and stands in no contact log",
        ("DELETE FROM dialogue_touch WHERE direction = 'out'",),
    ),
    "P10: a reason changed": Seed(
        "P10",
        "its detail was changed",
        ("UPDATE base_auditentry SET reason = 'other' WHERE seq = 2",),
        off=("base_auditentry",),
    ),
    "P10: an entry cut out": Seed(
        "P10",
        "is missing",
        ("DELETE FROM base_auditentry WHERE seq = 2",),
        off=("base_auditentry",),
    ),
    "P10: an allocation told to nobody": Seed(
        "P10",
        "stands in no entry",
        ("UPDATE ledger_allocation SET id = id + 1000000000 WHERE kind = 'write_off'",),
        off=("ledger_allocation",),
    ),
    "P11: a stored sum that is not the sum": Seed(
        "P11",
        "its allocations sum to",
        (
            """
            UPDATE ledger_document SET allocated_minor = allocated_minor + 1, written_off_minor = written_off_minor - 1 WHERE number =
            'INV-1003'""",
        ),
    ),
    "P11: a currency nobody knows": Seed(
        "P11",
        "no currency of ISO 4217",
        (
            "UPDATE ledger_payment SET currency = 'XQQ' WHERE external_id = 'p_3'",
            """
            UPDATE ledger_paymentversion SET currency = 'XQQ' WHERE payment_id = (SELECT id FROM ledger_payment WHERE external_id =
            'p_3')""",
        ),
    ),
    "P11: an allocation in another currency": Seed(
        "P11",
        "is in USD, its document in GBP",
        ("UPDATE ledger_allocation SET currency = 'USD' WHERE kind = 'write_off'",),
        off=("ledger_allocation",),
    ),
    "P11: instalments that are not the whole": Seed(
        "P11",
        "its instalments sum to",
        (
            """
            INSERT INTO ledger_duedate (organisation_id, document_id, ordinal, due_date, amount_minor) SELECT organisation_id, id, 1,
            due_date, amount_minor - 1 FROM ledger_document WHERE number = 'INV-1002'""",
        ),
    ),
    "P11: money given back that no refund shows": Seed(
        "P11",
        "its refunds sum to 0",
        (
            "UPDATE ledger_payment SET refunded_minor = 1, status = 'failed' WHERE external_id = 'p_3'",
            """
            UPDATE ledger_paymentversion SET status = 'failed' WHERE payment_id = (SELECT id FROM ledger_payment WHERE external_id =
            'p_3')""",
        ),
    ),
}
