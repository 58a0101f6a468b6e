"""Bugs somebody could write into a connector or the engine, each with the test that catches it.

A bug is a piece of source and what stands in its place. `test_seeded.py` shows for each that the named test passes without it and
fails with it; `docs/adding/seeded-bugs.md` is made from this list.
"""

from __future__ import annotations

from typing import NamedTuple

_CONNECTORS = "adapters/connectors"


class Bug(NamedTuple):
    """`place` is below `src/tieout`; `right` stands there exactly once; `test` is a test's name, without its parameters."""

    name: str
    where: str
    place: str
    right: str
    wrong: str
    test: str


BUGS = (
    Bug(
        "the last record of every full page is dropped", "Stripe", f"{_CONNECTORS}/stripe/client.py",
        'return Page(raws=raws, cursor={"after": after}', 'return Page(raws=raws[:-1] if listed.has_more else raws, cursor={"after": after}',
        "tests/scenarios/test_connected_stripe.py::test_a_history_of_several_pages_is_read_whole",
    ),
    Bug(
        "amounts are read in major units", "Stripe", f"{_CONNECTORS}/stripe/translate.py",
        "return Money(units * 10**shift, code)", "return Money(units // 100, code)",
        "tests/adapters/test_stripe.py::test_an_amount_is_read_by_stripes_own_table",
    ),
    Bug(
        "yen are taken to have cents", "Stripe", f"{_CONNECTORS}/stripe/translate.py",
        "BIF CLP DJF GNF JPY KMF", "BIF CLP DJF GNF KMF",
        "tests/adapters/test_stripe.py::test_an_amount_is_read_by_stripes_own_table",
    ),
    Bug(
        "a signature is believed however old it is", "Stripe", f"{_CONNECTORS}/stripe/door.py",
        "if abs(now.timestamp() - int(stamp)) > TOLERANCE_SECONDS:", "if int(stamp) < 0:",
        "tests/scenarios/test_hooks.py::test_what_is_not_genuine_is_refused_and_kept_nowhere",
    ),
    Bug(
        "what is not there any more is passed over", "Stripe", f"{_CONNECTORS}/stripe/client.py",
        'yield Raw(stream=ref.stream, id=ref.id, body=answer.content, gone="deleted")', "pass",
        "tests/scenarios/test_connected_stripe.py::test_what_is_deleted_without_an_event_is_found_by_reading_anew",
    ),
    Bug(
        "a credit note that was used up is counted once more as open", "Stripe", f"{_CONNECTORS}/stripe/translate.py",
        "open_amount=Money(0, total.currency), related_invoice", "open_amount=total, related_invoice",
        "tests/scenarios/test_connected_stripe.py::test_told_before_and_after_connecting_a_story_ends_the_same",
    ),
    Bug(
        "the key of idempotency is another one on each try", "Stripe", f"{_CONNECTORS}/stripe/write.py",
        'headers={"Idempotency-Key": key}', 'headers={"Idempotency-Key": key + dt.datetime.now().isoformat()}',
        "tests/scenarios/test_stripe_writes.py::test_a_write_whose_answer_is_lost_is_done_once",
    ),
    Bug(
        "the version of what is changed (SyncToken) is not sent", "QuickBooks", f"{_CONNECTORS}/quickbooks/sales.py",
        'wanted = {"Id": raw.id, "SyncToken": raw.version, **body}', 'wanted = {"Id": raw.id, **body}',
        "tests/scenarios/test_quickbooks_connector.py::test_an_invoice_is_voided_once",
    ),
    Bug(
        "the tombstone of a deleted record is ignored", "QuickBooks", f"{_CONNECTORS}/quickbooks/client.py",
        'gone = str(head.status).lower() == "deleted"', "gone = False",
        "tests/scenarios/test_quickbooks_connector.py::test_a_deleted_record_is_told_as_gone_and_moves_the_mark_on",
    ),
    Bug(
        "a plain date is moved to another time zone", "QuickBooks", f"{_CONNECTORS}/quickbooks/translate.py",
        "amount=total, date=p.txn_date, customer_id=payer.value",
        "amount=total, date=p.txn_date - __import__('datetime').timedelta(days=1), customer_id=payer.value",
        "tests/adapters/test_quickbooks.py::test_dates_stay_plain_days_whatever_the_zone",
    ),
    Bug(
        "a request has another name (requestid) on each try", "QuickBooks", f"{_CONNECTORS}/quickbooks/marks.py",
        'whole = ":".join((key, *more))', 'whole = ":".join((key, *more, __import__("secrets").token_hex(4)))',
        "tests/adapters/test_quickbooks.py::test_a_request_is_named_the_same_each_time_and_in_fifty_plain_signs",
    ),
    Bug(
        "of many changes of one moment only the first page is met", "HubSpot", f"{_CONNECTORS}/hubspot/changes.py",
        'return (min(tail), None) if min(tail) > at else (at, "0")', "return (max(min(tail), at + 1), None)",
        "tests/scenarios/test_hubspot_connector.py::test_many_changes_of_one_moment_are_all_told_and_each_once",
    ),
    Bug(
        "the limit of ten thousand results of a search is ignored", "HubSpot", f"{_CONNECTORS}/hubspot/client.py",
        '"limit": limit,\n        "after": "0",', '"limit": limit,\n        "after": "10000" if found and limit == PAGE else "0",',
        "tests/scenarios/test_hubspot_connector.py::test_no_search_asks_past_the_end_of_results",
    ),
    Bug(
        "a signature is believed however old it is", "HubSpot", f"{_CONNECTORS}/hubspot/door.py",
        "if abs(shapes.millis(now) - int(stamp)) > TOLERANCE_SECONDS * 1000:", "if int(stamp) < 0:",
        "tests/adapters/test_hubspot.py::test_what_is_older_than_five_minutes_or_of_tomorrow_is_refused",
    ),
    Bug(
        "our own echo is not recognised", "the engine", "flow/taking.py",
        "if connector.manifest.abilities.writes and outbox.ever(connection_id=connection_id):", "if connection_id < 0:",
        "tests/scenarios/test_three_systems.py::test_what_quickbooks_shows_before_our_receipt_is_kept_is_recognised_as_our_own",
    ),
    Bug(
        "the place to go on from is kept before the records are", "the engine", "flow/sync.py",
        'crash.point("sync.after_read")\n                    self._checkpoint(',
        "with self._inside():\n                        stream.move("
        "connection_id=self.connection_id, name=one.name, cursor=waiting[-1].cursor, now=clock.now())\n"
        '                    crash.point("sync.after_read")\n                    self._checkpoint(',
        "tests/scenarios/test_connected_stripe.py::test_a_reader_killed_anywhere_loses_and_doubles_nothing",
    ),
    Bug(
        "a reader that was overtaken stores what it had fetched", "the engine", "stages/intake/system.py",
        "Connection.objects.filter(pk=connection_id, lease=lease).update(leased_until=at",
        "Connection.objects.filter(pk=connection_id).update(leased_until=at",
        "tests/scenarios/test_connected_stripe.py::test_a_paused_reader_that_was_overtaken_stores_nothing_of_what_it_had_fetched",
    ),
    Bug(
        "Retry-After is ignored", "the engine", "adapters/ports/http.py",
        'if response.status_code == 429:\n            seconds = _retry_after(response.headers.get("retry-after"), self._now())',
        "if response.status_code == 429:\n            seconds = None",
        "tests/adapters/test_http.py::test_retry_after_is_obeyed_to_the_second",
    ),
)  # fmt: skip


def page() -> str:
    """The page of the documentation."""
    rows = "".join(f"| {bug.where} | {bug.name} | `{bug.test.rpartition('::')[2]}` in `{bug.test.partition('::')[0]}` |\n" for bug in BUGS)
    return f"""# Seeded bugs

A test that cannot fail shows nothing. Each of these bugs is put into a copy of the source, and the test named beside it must fail with it and
pass without it: `make seeded` tries them all (a few minutes). The list is `tests/seeded/bugs.py`; add yours when you add a connector, and
write this page anew with `python -m tests.seeded.bugs`.

| in | bug | caught by |
|---|---|---|
{rows}"""


if __name__ == "__main__":
    from tests.conftest import ROOT

    (ROOT / "docs" / "adding" / "seeded-bugs.md").write_text(page(), "utf-8")
