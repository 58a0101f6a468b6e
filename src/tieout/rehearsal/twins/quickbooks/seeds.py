"""What a company has before anybody writes to it: accounts, items, terms, tax, ways to pay, and its own particulars."""

from __future__ import annotations

from decimal import Decimal

from tieout.rehearsal.twins.quickbooks import books
from tieout.rehearsal.twins.quickbooks.books import Company, Record
from tieout.rehearsal.twins.quickbooks.reading import bare
from tieout.rehearsal.twins.quickbooks.refusals import Json

_ACCOUNTS = (
    (books.RECEIVABLE, "Accounts Receivable (A/R)", "Asset", "Accounts Receivable", "AccountsReceivable"),
    (books.UNDEPOSITED, "Undeposited Funds", "Asset", "Other Current Asset", "UndepositedFunds"),
    (books.CHECKING, "Checking", "Asset", "Bank", "Checking"),
    ("36", "Savings", "Asset", "Bank", "Savings"),
    (books.SALES_INCOME, "Sales of Services", "Revenue", "Income", "SalesOfProductIncome"),
    (books.DISCOUNTS, "Discounts given", "Revenue", "Income", "DiscountsRefundsGiven"),
    (books.BANK_CHARGES, "Bank Charges", "Expense", "Expense", "BankCharges"),
    (books.BAD_DEBTS, "Bad Debts", "Expense", "Expense", "BadDebts"),
    (books.SALES_TAX, "Sales Tax Payable", "Liability", "Other Current Liability", "GlobalTaxPayable"),
)
_ITEMS = (("1", "Services", False), ("2", "Hours", False), ("3", "Materials", True))
_TERMS = (("1", "Due on receipt", 0), ("2", "Net 15", 15), ("3", "Net 30", 30), ("4", "Net 60", 60))
#: The term of a form that names none.
USUAL_TERM = "3"
#: The tax codes: the two markers every American line carries, and the two that stand for rates.
TAXED, UNTAXED, STANDARD, ZERO = "TAX", "NON", "2", "3"


def plant(company: Company) -> None:
    """Fill the lists of a new company."""
    home = company.currency_ref(company.terms.currency)
    for number, name, classification, kind, subtype in _ACCOUNTS:
        _put(
            company,
            "Account",
            number,
            {
                "Name": name,
                "SubAccount": False,
                "FullyQualifiedName": name,
                "Active": True,
                "Classification": classification,
                "AccountType": kind,
                "AccountSubType": subtype,
                "CurrentBalance": Decimal(0),
                "CurrentBalanceWithSubAccounts": Decimal(0),
                "CurrencyRef": home,
            },
        )
    for number, name, taxable in _ITEMS:
        income = company.ref("Account", {"value": books.SALES_INCOME})
        _put(
            company,
            "Item",
            number,
            {
                "Name": name,
                "Active": True,
                "FullyQualifiedName": name,
                "Taxable": taxable,
                "UnitPrice": Decimal(0),
                "Type": "NonInventory" if taxable else "Service",
                "IncomeAccountRef": income,
                "TrackQtyOnHand": False,
            },
        )
    for number, name, days in _TERMS:
        _put(company, "Term", number, {"Name": name, "Active": True, "Type": "STANDARD", "DueDays": days, "DiscountDays": 0})
    for number, name in (("1", "Cash"), ("2", "Check"), ("3", "Credit Card"), ("4", "Bank transfer")):
        _put(company, "PaymentMethod", number, {"Name": name, "Active": True, "Type": "CREDIT_CARD" if number == "3" else "NON_CREDIT_CARD"})
    for number, name in (("1", "Town"), ("2", "Country")):
        _put(company, "Class", number, {"Name": name, "SubClass": False, "FullyQualifiedName": name, "Active": True})
    _plant_taxes(company)
    _plant_particulars(company)


def _plant_taxes(company: Company) -> None:
    percent = bare(company.terms.tax_percent)
    for number, name, value in (("3", f"Sales tax {percent} %", percent), ("4", "No tax", Decimal(0))):
        body = {"Name": name, "Description": name, "Active": True, "RateValue": value, "AgencyRef": {"value": "1"}, "SpecialTaxType": "NONE"}
        _put(company, "TaxRate", number, {**body, "DisplayType": "ReadOnly"})
    for number, rate in ((STANDARD, "3"), (ZERO, "4")):
        name = company.records["TaxRate"][rate].body["Name"]
        listed = {"TaxRateDetail": [{"TaxRateRef": {"value": rate, "name": name}, "TaxTypeApplicable": "TaxOnAmount", "TaxOrder": 0}]}
        body = {"Name": name, "Description": name, "Active": True, "Taxable": True, "TaxGroup": True, "SalesTaxRateList": listed}
        _put(company, "TaxCode", number, {**body, "PurchaseTaxRateList": {"TaxRateDetail": []}})
    for code, name in ((TAXED, "Taxable"), (UNTAXED, "Not taxable")):
        body = {"Name": code, "Description": name, "Active": True, "Taxable": code == TAXED, "TaxGroup": False}
        _put(company, "TaxCode", "0", {**body, "Id": code})


def _plant_particulars(company: Company) -> None:
    terms = company.terms
    address = {"Id": "1", "Line1": "1 Quay Street", "City": "Harbour Town", "CountrySubDivisionCode": "CA", "PostalCode": "90001"}
    _put(
        company,
        "CompanyInfo",
        "1",
        {
            "CompanyName": company.name,
            "LegalName": company.name,
            "CompanyAddr": address,
            "LegalAddr": address,
            "CompanyStartDate": company.today().isoformat(),
            "FiscalYearStartMonth": "January",
            "Country": terms.country,
            "SupportedLanguages": "en",
            "DefaultTimeZone": terms.zone,
            "NameValue": [{"Name": "IndustryType", "Value": "Services"}],
        },
    )
    currencies: Json = {"MultiCurrencyEnabled": bool(terms.rates), "HomeCurrency": {"value": terms.currency}}
    forms = {"CustomTxnNumbers": terms.custom_numbers, "AllowDiscount": True, "AutoApplyCredit": False, "AutoApplyPayments": False}
    _put(
        company,
        "Preferences",
        "1",
        {
            "AccountingInfoPrefs": {"UseAccountNumbers": False, "ClassTrackingPerTxn": False, "FirstMonthOfFiscalYear": "January"},
            "SalesFormsPrefs": {**forms, "DefaultTerms": {"value": USUAL_TERM}},
            "TaxPrefs": {"UsingSalesTax": True},
            "CurrencyPrefs": currencies,
        },
    )


def _put(company: Company, entity: str, number: str, body: Json) -> None:
    """Under its given number; new records of the list are numbered after it."""
    now = company.moment()
    record = Record(entity, int(number), {}, now, now)
    base = {"domain": "QBO", "sparse": False, "Id": body.get("Id", number), "SyncToken": "0", "MetaData": company.metadata(record)}
    record.body = {**body, **base}
    company.records[entity][record.body["Id"]] = record
    company.start_after(entity, int(number))
