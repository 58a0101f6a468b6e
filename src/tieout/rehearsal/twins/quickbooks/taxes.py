"""The tax of a sales form: from its lines' codes and the company's rates, or as the caller states it."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

from tieout.rehearsal.twins.quickbooks import seeds
from tieout.rehearsal.twins.quickbooks.books import Company
from tieout.rehearsal.twins.quickbooks.reading import bare, money
from tieout.rehearsal.twins.quickbooks.refusals import Json


def line_code(company: Company, given: Json | None, item: Json) -> Json:
    """The tax code of a line: the one given, or what its item says."""
    if given:
        return {"value": company.ref("TaxCode", given)["value"]}
    if company.terms.country != "US":
        return {"value": seeds.ZERO}
    return {"value": seeds.TAXED if item.get("Taxable") else seeds.UNTAXED}


def detail(company: Company, given: Json, customer: Json, lines: list[Json]) -> Json:
    """TxnTaxDetail for these lines. Raises Refused where a code is unknown."""
    stated = given.get("TotalTax")
    form_code = given.get("TxnTaxCodeRef") or {}
    if form_code:
        company.ref("TaxCode", form_code)
    by_rate: defaultdict[str, Decimal] = defaultdict(Decimal)
    for line in lines:
        code = (line.get("SalesItemLineDetail") or {}).get("TaxCodeRef", {}).get("value", "")
        if code == seeds.TAXED:
            code = form_code.get("value") or (customer.get("DefaultTaxCodeRef") or {}).get("value", "")
        if code and code != seeds.UNTAXED:
            by_rate[_rate_of(company, code)] += line["Amount"]
    taxes = [_tax_line(company, rate, net) for rate, net in sorted(by_rate.items()) if net]
    total = sum((line["Amount"] for line in taxes), Decimal(0))
    if isinstance(stated, Decimal) and stated != total:
        total = stated
        taxes = [{**taxes[0], "Amount": money(stated)}] if taxes and stated else []
    body: Json = {"TotalTax": money(total)}
    if form_code:
        body = {"TxnTaxCodeRef": {"value": form_code["value"]}, **body}
    if taxes:
        body["TaxLine"] = taxes
    return body


def _rate_of(company: Company, code: str) -> str:
    listed = company.records["TaxCode"][code].body["SalesTaxRateList"]["TaxRateDetail"]
    return str(listed[0]["TaxRateRef"]["value"])


def _tax_line(company: Company, rate: str, net: Decimal) -> Json:
    percent = company.records["TaxRate"][rate].body["RateValue"]
    taxed = {"TaxRateRef": {"value": rate}, "PercentBased": True, "TaxPercent": bare(percent), "NetAmountTaxable": money(net)}
    return {"Amount": money(net * percent / 100), "DetailType": "TaxLineDetail", "TaxLineDetail": taxed}
