"""Customers of a run: those a source describes, and those only named by its invoices and payments.

A source record that is new here is linked to a customer that exists where the link is certain (the same tax id, or
the same folded name with the same e-mail address), else it founds a customer of its own. Links are rows that can be
retracted; nothing is merged away.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from tieout.core import party

#: Contact rank of a source; a person's contact is never replaced by one.
SOURCE_RANK = 2


class MergedCustomers(NamedTuple):
    """`staged` rows of the customer table, `created` and `updated` among them, ids `touched`."""

    staged: int
    created: int
    updated: int
    touched: list[int]


class Wanted(NamedTuple):
    """A customer as a run describes it; only `key` and `name` are always there."""

    key: str
    name: str
    email: str | None
    fields: dict[str, Any]
    content_hash: bytes
    line: int | None
    parent_key: str | None
    described: bool


_FIELDS = ("country", "city", "currency", "debtor_type", "time_zone", "language", "tax_id", "phone")


def run(cursor: Any, given: dict[str, Any]) -> MergedCustomers:
    """Merge the customers of a run; afterwards every customer key in it has a link in force."""
    described = _described(cursor, given)
    links = _links(cursor, given)
    created, updated, touched = 0, 0, []
    for wanted in described:
        link = links.get(wanted.key)
        if link is None:
            links[wanted.key] = (_adopt(cursor, given, wanted), wanted.content_hash)
            created += 1
        elif link[1] != wanted.content_hash:
            _update(cursor, given, link[0], wanted)
            updated += 1
        else:
            continue
        touched.append(links[wanted.key][0])
    implied = _implied(cursor, given, set(links))
    if implied:
        _found_many(cursor, given, implied)
    _parents(cursor, given, described, links)
    _contacts_of_documents(cursor, given)
    return MergedCustomers(len(described), created, updated, touched)


def _described(cursor: Any, given: dict[str, Any]) -> list[Wanted]:
    cursor.execute(
        """SELECT external_id, name, email, country, city, currency, debtor_type, time_zone, language, tax_id, phone, aliases, accounts, content_hash,
                  line, parent_external_id FROM ledger_staged_customer WHERE organisation_id = %(org)s AND run = %(run)s ORDER BY line""",
        given,
    )
    return [
        Wanted(
            key=r[0], name=r[1], email=r[2], fields={**dict(zip(_FIELDS, r[3:11], strict=True)), "aliases": r[11] or "[]", "accounts": r[12] or "[]"},
            content_hash=bytes(r[13]), line=r[14], parent_key=r[15], described=True,
        )
        for r in cursor.fetchall()
    ]


def _links(cursor: Any, given: dict[str, Any]) -> dict[str, tuple[int, bytes]]:
    cursor.execute(
        """SELECT external_id, target_id, content_hash FROM ledger_sourcerecord
            WHERE organisation_id = %(org)s AND connection_id = %(conn)s AND kind = 'customer' AND retracted_at IS NULL""",
        given,
    )
    return {key: (target, bytes(digest)) for key, target, digest in cursor.fetchall()}


def _implied(cursor: Any, given: dict[str, Any], known: set[str]) -> list[Wanted]:
    cursor.execute(
        """SELECT customer_external_id, max(customer_name), max(customer_email), max(currency) FROM (
             SELECT customer_external_id, customer_name, customer_email, currency FROM ledger_staged_document
              WHERE organisation_id = %(org)s AND run = %(run)s
             UNION ALL SELECT customer_external_id, customer_name, NULL, currency FROM ledger_staged_payment
              WHERE organisation_id = %(org)s AND run = %(run)s AND customer_external_id IS NOT NULL) n
            GROUP BY customer_external_id""",
        given,
    )
    return [
        Wanted(
            key=key, name=(name or key.removeprefix("name:"))[:300], email=email, fields={"currency": currency}, content_hash=b"implied", line=None,
            parent_key=None, described=False,
        )
        for key, name, email, currency in cursor.fetchall()
        if key not in known
    ]


def _adopt(cursor: Any, given: dict[str, Any], wanted: Wanted) -> int:
    """Link to the one customer that is certainly the same, else found a new one. Returns our id."""
    found = _certain(cursor, given, wanted)
    if found is None:
        return _found_many(cursor, given, [wanted])[0]
    customer_id, evidence, score = found
    _link(cursor, given, wanted, customer_id, evidence, score)
    _update(cursor, given, customer_id, wanted)
    return customer_id


def _certain(cursor: Any, given: dict[str, Any], wanted: Wanted) -> tuple[int, str, int] | None:
    tax_id = wanted.fields.get("tax_id")
    if tax_id:
        cursor.execute("SELECT id FROM ledger_customer WHERE organisation_id = %(org)s AND tax_id = %(tax)s", {**given, "tax": tax_id})
        if len(rows := cursor.fetchall()) == 1:
            return rows[0][0], f"same tax id {tax_id}", 99
    if wanted.email:
        cursor.execute(
            """SELECT DISTINCT c.id FROM ledger_customer c JOIN ledger_contact k ON k.organisation_id = c.organisation_id AND k.customer_id = c.id
                WHERE c.organisation_id = %(org)s AND c.folded_name = %(folded)s AND lower(k.email) = lower(%(email)s) AND k.retracted_at IS NULL""",
            {**given, "folded": party.fold(wanted.name)[:300], "email": wanted.email},
        )
        if len(rows := cursor.fetchall()) == 1:
            return rows[0][0], "same name and same e-mail address", 95
    return None


def _found_many(cursor: Any, given: dict[str, Any], wanted: list[Wanted]) -> list[int]:
    cursor.execute("SELECT nextval(pg_get_serial_sequence('ledger_customer', 'id')) FROM generate_series(1, %(n)s)", {"n": len(wanted)})
    ids = [row[0] for row in cursor.fetchall()]
    cursor.execute(
        """INSERT INTO ledger_customer (id, organisation_id, name, folded_name, aliases, accounts, country, city, currency, debtor_type, time_zone,
                  language, tax_id, phone, created_at, recorded_at)
           SELECT id, %(org)s, name, folded, aliases::jsonb, accounts::jsonb, country, city, currency, debtor_type, time_zone, language, tax_id, phone,
                  %(now)s, %(now)s
             FROM unnest(%(ids)s::bigint[], %(names)s::text[], %(folded)s::text[], %(aliases)s::text[], %(accounts)s::text[], %(country)s::text[],
                  %(city)s::text[], %(currency)s::text[], %(debtor_type)s::text[], %(time_zone)s::text[], %(language)s::text[], %(tax_id)s::text[],
                  %(phone)s::text[])
               AS n(id, name, folded, aliases, accounts, country, city, currency, debtor_type, time_zone, language, tax_id, phone)""",
        {
            **given, "ids": ids, "names": [w.name for w in wanted], "folded": [party.fold(w.name)[:300] for w in wanted],
            "aliases": [_plain_json(w.fields.get("aliases")) for w in wanted], "accounts": [_plain_json(w.fields.get("accounts")) for w in wanted],
            **{f: [w.fields.get(f) or "" for w in wanted] for f in _FIELDS},
        },
    )
    cursor.execute(
        """INSERT INTO ledger_sourcerecord (organisation_id, connection_id, kind, external_id, target_id, content_hash, envelope_id, line, score, evidence,
                  linked_by, rank, recorded_at, seen_at)
           SELECT %(org)s, %(conn)s, 'customer', key, id, hash, %(envelope)s, line, 100, 'the source''s own key', 'machine', 1, %(now)s, %(now)s
             FROM unnest(%(keys)s::text[], %(ids)s::bigint[], %(hashes)s::bytea[], %(lines)s::bigint[]) AS n(key, id, hash, line)""",
        {**given, "keys": [w.key for w in wanted], "ids": ids, "hashes": [w.content_hash for w in wanted], "lines": [w.line for w in wanted]},
    )
    for customer_id, w in zip(ids, wanted, strict=True):
        if w.email and w.described:
            _contact(cursor, given, customer_id, w.email)
    return ids


def _link(cursor: Any, given: dict[str, Any], wanted: Wanted, customer_id: int, evidence: str, score: int) -> None:
    cursor.execute(
        """INSERT INTO ledger_sourcerecord (organisation_id, connection_id, kind, external_id, target_id, content_hash, envelope_id, line, score, evidence,
                  linked_by, rank, recorded_at, seen_at)
           VALUES (%(org)s, %(conn)s, 'customer', %(key)s, %(id)s, %(hash)s, %(envelope)s, %(line)s, %(score)s, %(evidence)s, 'machine', 1, %(now)s, %(now)s)""",
        {**given, "key": wanted.key, "id": customer_id, "hash": wanted.content_hash, "line": wanted.line, "score": score, "evidence": evidence},
    )


def _update(cursor: Any, given: dict[str, Any], customer_id: int, wanted: Wanted) -> None:
    """What a source says it says; what it is silent about stays; what a person corrected stays."""
    values: dict[str, Any] = {f: v for f, v in wanted.fields.items() if v and f in _FIELDS}
    values |= {"name": wanted.name, "folded_name": party.fold(wanted.name)[:300]}
    cursor.execute(
        """SELECT field FROM ledger_correction WHERE organisation_id = %(org)s AND kind = 'customer' AND target_id = %(id)s AND retracted_at IS NULL""",
        {**given, "id": customer_id},
    )
    corrected = {row[0] for row in cursor.fetchall()}
    kept = {f: v for f, v in values.items() if f not in corrected and not (f == "folded_name" and "name" in corrected)}
    assignments = ", ".join(f"{f} = %({f})s" for f in kept)
    cursor.execute(
        f"UPDATE ledger_customer SET {assignments}, recorded_at = %(now)s WHERE organisation_id = %(org)s AND id = %(id)s",
        {**given, **kept, "id": customer_id},
    )
    for field, value in values.items():
        if field != "folded_name":
            _remember(cursor, given, customer_id, field, value, wanted.line)
    cursor.execute(
        """UPDATE ledger_sourcerecord SET content_hash = %(hash)s, envelope_id = %(envelope)s, line = %(line)s, seen_at = %(now)s
            WHERE organisation_id = %(org)s AND connection_id = %(conn)s AND kind = 'customer' AND external_id = %(key)s AND retracted_at IS NULL""",
        {**given, "hash": wanted.content_hash, "line": wanted.line, "key": wanted.key},
    )
    if wanted.email:
        _contact(cursor, given, customer_id, wanted.email)


def _remember(cursor: Any, given: dict[str, Any], customer_id: int, field: str, value: Any, line: int | None) -> None:
    cursor.execute(
        """INSERT INTO ledger_fieldword (organisation_id, kind, target_id, field, connection_id, value, envelope_id, line, received_at)
           VALUES (%(org)s, 'customer', %(id)s, %(field)s, %(conn)s, to_jsonb(%(value)s::text), %(envelope)s, %(line)s, %(now)s)
           ON CONFLICT (organisation_id, kind, target_id, field, connection_id)
           DO UPDATE SET value = excluded.value, envelope_id = excluded.envelope_id, line = excluded.line, received_at = excluded.received_at""",
        {**given, "id": customer_id, "field": field, "value": str(value), "line": line},
    )


def _contact(cursor: Any, given: dict[str, Any], customer_id: int, email: str) -> None:
    # A contact a person has retracted does not come back because a source repeats it.
    cursor.execute(
        """INSERT INTO ledger_contact (organisation_id, customer_id, name, email, phone, roles, rank, recorded_at)
           SELECT %(org)s, %(id)s, '', %(email)s, '', '["bill", "chase"]', %(rank)s, %(now)s
            WHERE NOT EXISTS (SELECT 1 FROM ledger_contact WHERE organisation_id = %(org)s AND customer_id = %(id)s AND lower(email) = lower(%(email)s))""",
        {**given, "id": customer_id, "email": email, "rank": SOURCE_RANK},
    )


def _contacts_of_documents(cursor: Any, given: dict[str, Any]) -> None:
    cursor.execute(
        """INSERT INTO ledger_contact (organisation_id, customer_id, name, email, phone, roles, rank, recorded_at)
           SELECT %(org)s, n.customer_id, '', n.email, '', '["bill", "chase"]', %(rank)s, %(now)s
             FROM (SELECT DISTINCT c.target_id AS customer_id, s.customer_email AS email FROM ledger_staged_document s
                     JOIN ledger_sourcerecord c ON c.organisation_id = %(org)s AND c.connection_id = %(conn)s AND c.kind = 'customer'
                      AND c.external_id = s.customer_external_id AND c.retracted_at IS NULL
                    WHERE s.organisation_id = %(org)s AND s.run = %(run)s AND s.customer_email IS NOT NULL) n
            WHERE NOT EXISTS (SELECT 1 FROM ledger_contact k WHERE k.organisation_id = %(org)s AND k.customer_id = n.customer_id
                               AND lower(k.email) = lower(n.email))""",
        {**given, "rank": SOURCE_RANK},
    )


def _parents(cursor: Any, given: dict[str, Any], described: list[Wanted], links: dict[str, tuple[int, bytes]]) -> None:
    pairs = [(links[w.key][0], links[w.parent_key][0]) for w in described if w.parent_key and w.parent_key in links and w.parent_key != w.key]
    if pairs:
        cursor.execute(
            """UPDATE ledger_customer c SET parent_id = n.parent FROM unnest(%(child)s::bigint[], %(parent)s::bigint[]) AS n(child, parent)
                WHERE c.organisation_id = %(org)s AND c.id = n.child AND c.parent_id IS DISTINCT FROM n.parent""",
            {**given, "child": [p[0] for p in pairs], "parent": [p[1] for p in pairs]},
        )


def _plain_json(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value or [])

