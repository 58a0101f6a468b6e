"""Tax numbers of customers, each with how far its check has come."""

from __future__ import annotations

from tieout.rehearsal.twins.stripe import forms, lists, refusals
from tieout.rehearsal.twins.stripe.books import Books
from tieout.rehearsal.twins.stripe.forms import Given
from tieout.rehearsal.twins.stripe.operations import Operation
from tieout.rehearsal.twins.stripe.shapes.common import Listing, Tombstone
from tieout.rehearsal.twins.stripe.shapes.parties import Owner, TaxId, Verification

#: The kinds the twin takes; Stripe has more.
KINDS = (
    "ae_trn",
    "au_abn",
    "br_cnpj",
    "ca_bn",
    "ca_gst_hst",
    "ch_uid",
    "ch_vat",
    "cl_tin",
    "de_stn",
    "es_cif",
    "eu_oss_vat",
    "eu_vat",
    "gb_vat",
    "hk_br",
    "id_npwp",
    "il_vat",
    "in_gst",
    "is_vat",
    "jp_cn",
    "jp_trn",
    "kr_brn",
    "li_uid",
    "mx_rfc",
    "my_sst",
    "no_vat",
    "nz_gst",
    "ph_tin",
    "sa_vat",
    "sg_gst",
    "sg_uen",
    "th_vat",
    "tr_tin",
    "tw_vat",
    "ua_vat",
    "us_ein",
    "vn_tin",
    "za_vat",
)
_CHECKED = ("au_abn", "eu_vat", "gb_vat")


def make(books: Books, customer: str, kind: str, value: str) -> TaxId:
    country = value[:2].upper() if kind.startswith("eu_") else kind[:2].upper()
    made = TaxId(
        id=books.new_id("txi_1"),
        country=country,
        created=books.now(),
        customer=customer,
        owner=Owner(customer=customer),
        type=kind,
        value=value,
        verification=Verification(status="pending" if kind in _CHECKED else "unavailable"),
    )
    books.tax_ids.add(made)
    books.tell("customer.tax_id.created", made)
    return made


def create(books: Books, given: Given, *, customer: str) -> TaxId:
    books.customer(customer, param="id", status=404)
    held = books.tax_ids.newest_first("customer", customer)
    if any(number.type == given["type"] and number.value == given["value"] for number in held):
        raise refusals.invalid("value", "The customer has this tax number already", "tax_id_invalid")
    return make(books, customer, given["type"], given["value"])


def retrieve(books: Books, *, customer: str, number: str) -> TaxId:
    found = books.tax_ids.get(number)
    if found.customer != customer:
        raise refusals.no_such("tax_id", number, param="id")
    return found


def delete(books: Books, *, customer: str, number: str) -> Tombstone:
    found = retrieve(books, customer=customer, number=number)
    books.tax_ids.remove(number)
    books.tell("customer.tax_id.deleted", found)
    return Tombstone(id=number, object="tax_id")


def listing(books: Books, given: Given, *, customer: str) -> Listing:
    books.customer(customer, param="id", status=404)
    return lists.page(books.tax_ids, given, f"/v1/customers/{customer}/tax_ids", by=("customer", customer))


_OF = "/v1/customers/<customer>/tax_ids"
OPERATIONS = (
    Operation("POST", _OF, create, {"type": forms.one_of(*KINDS), "value": forms.text}, ("type", "value")),
    Operation("GET", _OF, listing, lists.PAGING),
    Operation("GET", f"{_OF}/<number>", retrieve),
    Operation("DELETE", f"{_OF}/<number>", delete),
)
