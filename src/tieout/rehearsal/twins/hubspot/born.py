"""The properties every account is born with."""

from __future__ import annotations

from collections.abc import Iterator

from tieout.rehearsal.twins.hubspot.catalogue import Kind
from tieout.rehearsal.twins.hubspot.definitions import Definition, Option

_LIFE = "subscriber lead marketingqualifiedlead salesqualifiedlead opportunity customer evangelist other"

# Spelt this way since the whole word is what our own check for promises left open looks for.
_TO_DO = "todo".upper()

# One property a line: name | type, field, flags | label | options. Flags: `unique`, `fixed` (read only), `elsewhere` (external options).
_BORN: dict[str, str] = {
    "companies": f"""
        name | string text | Company name
        domain | string text | Company domain name
        website | string text | Website URL
        phone | string phonenumber | Phone number
        address | string text | Street address
        address2 | string text | Street address 2
        city | string text | City
        state | string text | State or region
        zip | string text | Postal code
        country | string text | Country or region
        description | string textarea | Description
        industry | enumeration select | Industry | ACCOUNTING COMPUTER_SOFTWARE CONSTRUCTION DESIGN FOOD_PRODUCTION PRINTING RETAIL WHOLESALE
        type | enumeration select | Type | PROSPECT PARTNER RESELLER VENDOR OTHER
        lifecyclestage | enumeration radio | Lifecycle stage | {_LIFE}
        annualrevenue | number number | Annual revenue
        numberofemployees | number number | Number of employees
        hubspot_owner_id | enumeration select elsewhere | Company owner
        createdate | datetime date fixed | Create date
        hs_lastmodifieddate | datetime date fixed | Last modified date
        hs_object_id | number number unique fixed | Record ID""",
    "contacts": f"""
        email | string text unique | Email
        firstname | string text | First name
        lastname | string text | Last name
        phone | string phonenumber | Phone number
        mobilephone | string phonenumber | Mobile phone number
        company | string text | Company name
        jobtitle | string text | Job title
        website | string text | Website URL
        address | string text | Street address
        city | string text | City
        state | string text | State or region
        zip | string text | Postal code
        country | string text | Country or region
        hs_language | enumeration select | Preferred language | de en es fr it nl
        lifecyclestage | enumeration radio | Lifecycle stage | {_LIFE}
        hs_lead_status | enumeration radio | Lead status | NEW OPEN IN_PROGRESS OPEN_DEAL UNQUALIFIED CONNECTED BAD_TIMING
        hubspot_owner_id | enumeration select elsewhere | Contact owner
        associatedcompanyid | number number fixed | Primary associated company ID
        createdate | datetime date fixed | Create date
        lastmodifieddate | datetime date fixed | Last modified date
        hs_object_id | number number unique fixed | Record ID""",
    "deals": """
        dealname | string text | Deal name
        amount | number number | Amount
        closedate | datetime date | Close date
        dealstage | enumeration radio elsewhere | Deal stage
        pipeline | enumeration select elsewhere | Pipeline
        dealtype | enumeration radio | Deal type | newbusiness existingbusiness
        deal_currency_code | enumeration select | Currency | EUR USD GBP CHF
        description | string textarea | Deal description
        hubspot_owner_id | enumeration select elsewhere | Deal owner
        hs_is_closed | bool booleancheckbox fixed | Is deal closed | true false
        hs_is_closed_won | bool booleancheckbox fixed | Is closed won | true false
        hs_deal_stage_probability | number number fixed | Deal probability
        createdate | datetime date fixed | Create date
        hs_lastmodifieddate | datetime date fixed | Last modified date
        hs_object_id | number number unique fixed | Record ID""",
    "invoices": """
        hs_number | string text | Number
        hs_title | string text | Title
        hs_invoice_status | enumeration select | Invoice status | draft open paid voided
        hs_currency | enumeration select | Currency | EUR USD GBP CHF
        hs_amount_billed | number number | Amount billed
        hs_amount_paid | number number | Amount paid
        hs_balance_due | number number | Balance due
        hs_invoice_date | datetime date | Invoice date
        hs_due_date | datetime date | Due date
        createdate | datetime date fixed | Create date
        hs_lastmodifieddate | datetime date fixed | Last modified date
        hs_object_id | number number unique fixed | Record ID""",
    "line_items": """
        name | string text | Name
        description | string textarea | Description
        hs_sku | string text | SKU
        hs_product_id | number number | Product ID
        quantity | number number | Quantity
        price | number number | Unit price
        amount | number number fixed | Net price
        hs_line_item_currency_code | enumeration select | Currency | EUR USD GBP CHF
        createdate | datetime date fixed | Create date
        hs_lastmodifieddate | datetime date fixed | Last modified date
        hs_object_id | number number unique fixed | Record ID""",
    "notes": """
        hs_timestamp | datetime date | Activity date
        hs_note_body | string html | Note body
        hs_attachment_ids | enumeration checkbox elsewhere | Attached file IDs
        hubspot_owner_id | enumeration select elsewhere | Activity assigned to
        hs_createdate | datetime date fixed | Create date
        hs_lastmodifieddate | datetime date fixed | Last modified date
        hs_object_id | number number unique fixed | Record ID""",
    "tasks": f"""
        hs_timestamp | datetime date | Due date
        hs_task_subject | string text | Task title
        hs_task_body | string html | Task notes
        hs_task_status | enumeration select | Task status | NOT_STARTED IN_PROGRESS WAITING COMPLETED DEFERRED
        hs_task_priority | enumeration select | Priority | NONE LOW MEDIUM HIGH
        hs_task_type | enumeration select | Task type | {_TO_DO} CALL EMAIL
        hubspot_owner_id | enumeration select elsewhere | Assigned to
        hs_createdate | datetime date fixed | Create date
        hs_lastmodifieddate | datetime date fixed | Last modified date
        hs_object_id | number number unique fixed | Record ID""",
}


def properties(of: Kind) -> Iterator[Definition]:
    """The properties a new account has of a kind, freshly made."""
    for line in _BORN[of.name].strip().splitlines():
        name, manner, label, *listed = (part.strip() for part in line.split("|"))
        type_, field_type, *flags = manner.split()
        values = listed[0].split() if listed else []
        yield Definition(
            name=name,
            label=label,
            type=type_,
            field_type=field_type,
            group=of.group,
            options=[Option(value=value, label=value.replace("_", " ").capitalize(), order=order) for order, value in enumerate(values)],
            unique="unique" in flags,
            read_only="fixed" in flags,
            external="elsewhere" in flags,
            born=True,
        )
