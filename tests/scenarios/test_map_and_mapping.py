"""Where things go in the books, said by a person: tax and products by a mapping that is never guessed, what is tried on paper first, what
nobody knows decided by somebody who looked."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from tests.faces.rows import digest
from tests.scenarios import test_three_systems
from tests.scenarios.connected import ADA
from tests.scenarios.test_three_systems import Office
from tieout.core.evidence import Refused
from tieout.flow import choosing, clock, deciding, dry_run, on_map, write
from tieout.rehearsal.twins.faults import Fault
from tieout.stages.base import walls
from tieout.stages.base.models import AuditEntry
from tieout.stages.intake.models import Connection
from tieout.stages.ledger.models import Customer, Document, DocumentLine, SourceRecord
from tieout.stages.writeback import decide, pours, route
from tieout.stages.writeback.models import Outgoing, Route

office = test_three_systems.office


def say(office: Office, **said: Any) -> int:
    """Save answers of the mapping of the books, as the page does."""
    assert choosing.read(office.organisation, office.accounting.connection) == ""
    resumed = choosing.save(office.organisation, office.accounting.connection, said=said, actor=ADA)
    assert not isinstance(resumed, Refused), resumed
    return resumed


def effects(office: Office, kind: str) -> list[Outgoing]:
    with walls.inside(office.organisation):
        return list(Outgoing.objects.filter(connection_id=office.accounting.connection, kind=kind).order_by("id"))


def taxed(office: Office, **options: Any) -> Any:
    rate = office.stripe.tax_rate("VAT", "19", **options)
    return office.stripe.invoice(office.stripe.customer("Brightwater GmbH"), lines=[("Support", 10_000), ("Travel", 5_000)], tax=rate), rate


def test_the_lists_are_the_companys_own_and_the_rates_have_stripes_names(office: Office) -> None:
    _, rate = taxed(office)
    office.gateway.sync()
    assert choosing.read(office.organisation, office.accounting.connection) == ""
    lists, names = choosing.offered(office.accounting.row()), choosing.names(office.accounting.row())
    assert [(one.id, one.name, one.note) for one in lists["items"]] == [
        ("2", "Hours", "Sales of Services"), ("3", "Materials", "Sales of Services"), ("1", "Services", "Sales of Services")]
    assert {"TAX", "NON", "2", "3"} == {one.id for one in lists["tax_codes"]}
    assert [one.name for one in lists["money_accounts"]] == ["Checking", "Savings", "Undeposited Funds"]
    assert {one.name for one in lists["expense_accounts"]} == {"Bank Charges", "Bad Debts"}
    assert names == {rate.id: "VAT 19 %, on top"}


def test_a_tax_nobody_mapped_waits_for_a_person_and_goes_on_by_itself_once_it_is(office: Office) -> None:
    invoice, rate = taxed(office)
    office.round()
    office.round()
    assert office.theirs("Invoice") == []
    (row,) = effects(office, "invoice")
    assert (row.state, row.lacks) == ("person", "tax_codes")
    assert rate.id in row.receipt

    assert say(office, tax_codes={rate.id: "TAX"}, tax_rate_code="2") == 1
    office.round()
    (mirrored,) = office.theirs("Invoice")
    assert (mirrored["DocNumber"], mirrored["TotalAmt"]) == (invoice.number, Decimal("178.50"))
    assert mirrored["TxnTaxDetail"]["TotalTax"] == Decimal("28.50")
    codes = [line["SalesItemLineDetail"]["TaxCodeRef"]["value"] for line in mirrored["Line"] if "SalesItemLineDetail" in line]
    assert codes == ["TAX", "TAX"]
    office.agree()
    with walls.inside(office.organisation):
        told = AuditEntry.objects.get(action="connection.mapping")
        assert told.detail["tax_codes"] == {"before": "", "after": f"{rate.id} = TAX"}
        sent = Outgoing.objects.get(pk=row.pk).body["sent"]
        # What the books have of it since is a mirror: the lines stay those it was born with.
        kept = set(DocumentLine.objects.filter(document__number=invoice.number).values_list("description", "amount_minor", "tax_code"))
    assert kept == {("Support", 10_000, rate.id), ("Travel", 5_000, rate.id)}
    assert (sent["number"], [line["tax_code"] for line in sent["lines"]]) == (invoice.number, [rate.id, rate.id])


def test_tax_in_the_price_is_told_apart_from_it_and_the_total_stays(office: Office) -> None:
    invoice, rate = taxed(office, inclusive=True)
    office.gateway.sync()
    say(office, tax_codes={rate.id: "TAX"}, tax_rate_code="2")
    office.round()
    (mirrored,) = office.theirs("Invoice")
    assert (mirrored["TotalAmt"], mirrored["TxnTaxDetail"]["TotalTax"]) == (Decimal("150.00"), Decimal("23.95"))
    assert sum(line["Amount"] for line in mirrored["Line"] if "SalesItemLineDetail" in line) == Decimal("126.05")
    assert invoice.total == 15_000
    office.agree()


def test_a_product_goes_to_its_own_item_and_the_rest_where_the_rest_goes(office: Office) -> None:
    invoice = office.stripe.invoice(office.stripe.customer("Brightwater GmbH"), lines=[("Support", 10_000), ("Travel", 5_000)])
    office.gateway.sync()
    with walls.inside(office.organisation):
        product = DocumentLine.objects.get(document__number=invoice.number, description="Travel").item
    assert product.startswith("prod_")
    say(office, items={product: "3"})
    office.round()
    (mirrored,) = office.theirs("Invoice")
    items = {line["Description"]: line["SalesItemLineDetail"]["ItemRef"]["value"] for line in mirrored["Line"] if "SalesItemLineDetail" in line}
    assert items == {"Support": "1", "Travel": "3"}


def test_without_a_place_for_the_rest_an_unmapped_product_waits(office: Office) -> None:
    office.stripe.invoice(office.stripe.customer("Brightwater GmbH"), 10_000)
    say(office, item="")
    office.round()
    assert [(row.state, row.lacks) for row in effects(office, "invoice")] == [("person", "items")]
    assert office.theirs("Invoice") == []
    assert say(office, item="2") == 1
    office.round()
    assert len(office.theirs("Invoice")) == 1


def test_payments_are_put_where_it_was_said(office: Office) -> None:
    say(office, deposit_account="36")
    office.stripe.pay(office.stripe.invoice(office.stripe.customer("Brightwater GmbH"), 10_000))
    office.round()
    office.round()
    (payment,) = office.theirs("Payment")
    assert payment["DepositToAccountRef"]["value"] == "36"


@pytest.mark.parametrize("said", [{"item": "999"}, {"tax_codes": {"txr_1": "999"}}, {"tax_codes": {"a;b": "TAX"}}])
def test_an_answer_that_is_not_in_the_lists_changes_nothing(office: Office, said: dict[str, Any]) -> None:
    choosing.read(office.organisation, office.accounting.connection)
    before = office.accounting.row().settings
    assert isinstance(choosing.save(office.organisation, office.accounting.connection, said=said, actor=ADA), Refused)
    assert office.accounting.row().settings == before


def test_the_preview_is_what_is_written(office: Office) -> None:
    invoice, rate = taxed(office)
    office.gateway.sync()
    choosing.read(office.organisation, office.accounting.connection)
    with walls.inside(office.organisation):
        row = Connection.objects.get(pk=office.accounting.connection)
        document = Document.objects.get(number=invoice.number)
        before = choosing.shown(row, document, row.settings)
        settings = choosing.settings_with(row, {"tax_codes": {rate.id: "TAX"}, "tax_rate_code": "2"})
        assert not isinstance(settings, Refused)
        after = choosing.shown(row, document, {**row.settings, **settings})
    assert rate.id in before.waits
    assert (after.waits, office.theirs("Invoice")) == ("", [])
    say(office, tax_codes={rate.id: "TAX"}, tax_rate_code="2")
    office.round()
    (mirrored,) = office.theirs("Invoice")
    body = json.loads(msgspec.json.Encoder(decimal_format="number").encode(after.body), parse_float=Decimal, parse_int=Decimal)
    wanted = [line["SalesItemLineDetail"]["TaxCodeRef"]["value"] for line in body["Line"]]
    assert wanted == [line["SalesItemLineDetail"]["TaxCodeRef"]["value"] for line in mirrored["Line"] if "SalesItemLineDetail" in line]
    assert (body["DocNumber"], body["TxnTaxDetail"]["TotalTax"]) == (mirrored["DocNumber"], mirrored["TxnTaxDetail"]["TotalTax"])


# On paper


def test_a_dry_run_shows_the_whole_chain_and_leaves_no_trace(office: Office) -> None:
    office.stripe.pay(office.stripe.invoice(office.stripe.customer("Brightwater GmbH"), 10_000), 4_000)
    office.gateway.sync()
    before = _everything(office)
    calls = len(office.quickbooks.query("select * from Customer").get("Customer", []))
    dry = dry_run.run(office.organisation)
    assert [one.act for one in dry.effects] == ["customer", "invoice", "payment"]
    assert [one.waits for one in dry.effects] == ["", "", ""]
    assert (dry.effects[1].body["Line"][0]["Amount"], dry.effects[2].body["TotalAmt"], dry.more) == (Decimal("100.00"), Decimal("40.00"), 0)
    assert _everything(office) == before
    assert len(office.quickbooks.query("select * from Customer").get("Customer", [])) == calls
    office.round()
    office.round()
    assert [(act, state) for act, state, _ in office.told()] == [("customer", "done"), ("invoice", "done"), ("payment", "done")]
    assert dry_run.run(office.organisation).effects == []


def test_a_dry_run_of_a_system_in_pilot_is_as_if_it_were_live(office: Office) -> None:
    with walls.inside(office.organisation):
        Connection.objects.filter(pk=office.accounting.connection).update(stage="pilot")
        Route.objects.filter(target_id=office.accounting.connection).delete()
    taxed(office)
    office.gateway.sync()
    dry = dry_run.run(office.organisation, office.accounting.connection)
    assert [(one.act, "needs mapping" in one.waits) for one in dry.effects] == [("customer", False), ("invoice", True)]
    with walls.inside(office.organisation):
        assert Connection.objects.get(pk=office.accounting.connection).stage == "pilot"
        assert not Route.objects.filter(target_id=office.accounting.connection).exists()
    assert effects(office, "customer") == []


def _everything(office: Office) -> list[tuple[Any, ...]]:
    return digest(office.organisation)


# The map


def test_a_line_switched_off_keeps_what_waits_until_it_is_on_again(office: Office) -> None:
    with walls.inside(office.organisation):
        line = Route.objects.get(target_id=office.accounting.connection, what="invoice")
        route.set(line=line, enabled=False, actor=ADA, now=clock.now())
    office.stripe.invoice(office.stripe.customer("Brightwater GmbH"), 10_000)
    office.round()
    assert office.theirs("Invoice") == []
    with walls.inside(office.organisation):
        route.set(line=line, enabled=True, actor=ADA, now=clock.now())
    office.round()
    assert len(office.theirs("Invoice")) == 1
    office.agree()


def test_an_earlier_day_pours_over_exactly_what_the_page_had_counted(office: Office) -> None:
    debtor = office.stripe.customer("Brightwater GmbH")
    with walls.inside(office.organisation):
        Route.objects.update(since=clock.today() + dt.timedelta(days=1))
    for cents in (10_000, 20_000):
        office.stripe.invoice(debtor, cents)
    office.round()
    assert office.theirs("Invoice") == []
    with walls.inside(office.organisation):
        line = Route.objects.get(target_id=office.accounting.connection, what="invoice")
        pour = pours.count(origin_id=line.origin_id, target_id=line.target_id, what="invoice", since=clock.today() - dt.timedelta(days=30))
        assert (pour.count, [one.text() for one in pour.sums]) == (2, ["300.00"])
        route.move(line=line, since=clock.today() - dt.timedelta(days=30), actor=ADA, now=clock.now())
    office.round()
    office.round()
    assert len(office.theirs("Invoice")) == pour.count


def test_who_gives_what_and_takes_what_is_what_the_connectors_say(office: Office) -> None:
    with walls.inside(office.organisation):
        places = {one.id: one for one in on_map.places()}
        rows = {one.pk: one for one in Connection.objects.all()}
        given: Any = {"since": clock.today(), "actor": ADA, "now": clock.now()}
        crm, accounting = rows[office.crm.connection], rows[office.accounting.connection]
        with pytest.raises(route.MapRefused, match="cannot be told of invoices"):
            on_map.draw(origin=accounting, target=crm, what="invoice", **given)
        with pytest.raises(route.MapRefused, match="no invoices to give"):
            on_map.draw(origin=crm, target=accounting, what="invoice", **given)
        with pytest.raises(route.MapRefused, match="already"):
            on_map.draw(origin=None, target=crm, what="status", **given)
    assert places[office.crm.connection].gives == ("draft",)
    assert "status" in places[office.crm.connection].takes
    gives = {"customer", "invoice", "credit_note", "payment", "void", "refund", "payout"}
    assert gives == set(places[office.gateway.connection].gives)


# What nobody knows


def _unknown(office: Office) -> tuple[Outgoing, dict[str, Any]]:
    """An invoice that was written, and that nobody knows was."""
    office.stripe.invoice(office.stripe.customer("Brightwater GmbH"), 10_000)
    office.round()
    (mirrored,) = office.theirs("Invoice")
    (row,) = effects(office, "invoice")
    with walls.inside(office.organisation):
        SourceRecord.objects.filter(connection_id=office.accounting.connection, kind="invoice").update(retracted_at=clock.now())
        Outgoing.objects.filter(pk=row.pk).update(state="unknown", external_id="", receipt="no answer came")
    return row, mirrored


def test_somebody_who_has_looked_says_under_which_id_it_is_there(office: Office) -> None:
    row, mirrored = _unknown(office)
    refused = deciding.happened(office.organisation, row.pk, external_id="99999", actor=ADA)
    assert refused is not None
    assert "has no invoice with the id 99999" in refused.reason
    assert effects(office, "invoice")[0].state == "unknown"
    assert deciding.happened(office.organisation, row.pk, external_id=mirrored["Id"], actor=ADA) is None
    (settled,) = effects(office, "invoice")
    assert (settled.state, settled.external_id) == ("done", mirrored["Id"])
    assert f"has {mirrored['Id']}" in settled.receipt
    office.round()
    assert len(office.theirs("Invoice")) == 1
    office.agree()


def test_where_it_cannot_be_looked_up_the_persons_word_stands_and_says_so(office: Office) -> None:
    row, mirrored = _unknown(office)
    office.quickbooks.faults.put(Fault(fault="error_before", path="/v3/", times=50))
    assert deciding.happened(office.organisation, row.pk, external_id=mirrored["Id"], actor=ADA) is None
    assert "not looked up" in effects(office, "invoice")[0].receipt


def test_sent_again_after_all_it_is_still_there_once(office: Office) -> None:
    row, _ = _unknown(office)
    with walls.inside(office.organisation):
        assert decide.again(effect=Outgoing.objects.get(pk=row.pk), actor=ADA, now=clock.now()) is None
    write.run(office.organisation)
    assert effects(office, "invoice")[0].state == "done"
    assert len(office.theirs("Invoice")) == 1


def test_a_refusal_is_mended_there_and_tried_again(office: Office) -> None:
    theirs = office.quickbooks.customer("Brightwater GmbH")
    office.stripe.invoice(office.stripe.customer("Brightwater GmbH"), 10_000)
    office.gateway.sync()
    write.run(office.organisation)
    (row,) = effects(office, "customer")
    assert row.state == "failed"
    assert "already" in row.receipt
    office.quickbooks.change("Customer", theirs, DisplayName="Brightwater GmbH (old)")
    with walls.inside(office.organisation):
        assert decide.again(effect=row, actor=ADA, now=clock.now()) is None
    office.round()
    assert [row.state for row in effects(office, "customer")] == ["done"]
    with walls.inside(office.organisation):
        assert Customer.objects.filter(name="Brightwater GmbH").count() == 1


def test_another_organisations_effect_is_not_there_to_decide(office: Office) -> None:
    row, _ = _unknown(office)
    with pytest.raises(Outgoing.DoesNotExist):
        deciding.happened(uuid.uuid4(), row.pk, external_id="1", actor=ADA)
