"""Two pages for people: the company's invoices and payments as they stand, and the question whether an app may connect."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from html import escape

from tieout.rehearsal.twins.quickbooks.books import Company, Record
from tieout.rehearsal.twins.quickbooks.refusals import Json

#: How many of the latest records the page shows of each kind.
_SHOWN = 50
_STYLE = """
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { max-width: 68rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.3rem; margin: 0; } h2 { font-size: 1rem; margin: 2rem 0 .4rem; }
p, small { opacity: .75; } nav a { margin-right: 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { padding: .3rem .6rem; text-align: left; border-bottom: 1px solid color-mix(in srgb, currentColor 18%, transparent); }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
form { display: grid; gap: 1rem; max-width: 26rem; margin-top: 1.5rem; } select, button { font: inherit; padding: .5rem; }
"""


def _page(title: str, content: str, *, refresh: bool) -> str:
    again = '<meta http-equiv="refresh" content="1">' if refresh else ""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">{again}<meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>{content}</body></html>"
    )


def books(company: Company, companies: Iterable[Company]) -> str:
    """What the company is owed, and what came in."""
    links = "".join(f'<a href="/?realm={escape(other.realm)}">{escape(other.name)}</a>' for other in companies)
    invoices = [
        (
            body.get("DocNumber", ""),
            body["CustomerRef"]["name"],
            body["TxnDate"],
            body["DueDate"],
            _state(body),
            body["CurrencyRef"]["value"],
            f"{body['TotalAmt']:,.2f}",
            f"{body['Balance']:,.2f}",
        )
        for body in _latest(company.records["Invoice"].values())
    ]
    payments = [
        (
            record["Id"],
            record["CustomerRef"]["name"],
            record["TxnDate"],
            record.get("PaymentRefNum", ""),
            ", ".join(f"{line['LinkedTxn'][0]['TxnType']} {line['LinkedTxn'][0]['TxnId']}: {line['Amount']:,.2f}" for line in record["Line"]),
            f"{record['TotalAmt']:,.2f}",
            f"{record['UnappliedAmt']:,.2f}",
        )
        for record in _latest(company.records["Payment"].values())
    ]
    owed = sum(record.body["Balance"] for record in company.records["Invoice"].values())
    content = (
        f"<nav>{links}</nav><h1>{escape(company.name)}</h1><p>A rehearsal of QuickBooks Online. Company {company.realm}, "
        f"{len(company.records['Invoice'])} invoices, {owed:,.2f} open.</p>"
        + _table("Invoices", ("Number", "Customer", "Date", "Due", "State", "", "Total", "Balance"), invoices, numbers=2)
        + _table("Payments", ("Id", "Customer", "Date", "Reference", "Pays", "Amount", "Unapplied"), payments, numbers=2)
    )
    return _page(company.name, content, refresh=True)


def _latest(records: Iterable[Record]) -> list[Json]:
    return [record.body for record in heapq.nlargest(_SHOWN, records, key=lambda record: (record.updated, record.number))]


def _state(body: Json) -> str:
    if not body["TotalAmt"]:
        return "voided" if str(body.get("PrivateNote", "")).startswith("Voided") else "nothing to pay"
    if not body["Balance"]:
        return "paid"
    return "open" if body["Balance"] == body["TotalAmt"] else "part paid"


def _table(title: str, heads: tuple[str, ...], rows: Sequence[tuple[str, ...]], *, numbers: int) -> str:
    plain = len(heads) - numbers

    def line(tag: str, cells: tuple[str, ...]) -> str:
        marks = [' class="n"' if place >= plain else "" for place in range(len(cells))]
        return "<tr>" + "".join(f"<{tag}{mark}>{escape(str(cell))}</{tag}>" for mark, cell in zip(marks, cells, strict=True)) + "</tr>"

    body = "".join(line("td", row) for row in rows) or f'<tr><td colspan="{len(heads)}">None yet.</td></tr>'
    return f"<h2>{escape(title)}</h2><table><thead>{line('th', heads)}</thead><tbody>{body}</tbody></table>"


def consent(params: Mapping[str, str], companies: Iterable[Company]) -> str:
    """May this app work with the company's books?"""
    hidden = "".join(f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in params.items())
    options = "".join(f'<option value="{escape(company.realm)}">{escape(company.name)}</option>' for company in companies)
    content = (
        f"<h1>Connect an app to QuickBooks</h1><p>{escape(params.get('client_id', ''))} asks to read and write the books of your company. "
        f'You can take this back at any time.</p><form method="post" action="/connect/oauth2">{hidden}'
        f'<label>Company <select name="realm">{options}</select></label>'
        '<button name="answer" value="approve">Approve</button><button name="answer" value="cancel">Cancel</button></form>'
        "<p><small>A rehearsal: nothing leaves this machine.</small></p>"
    )
    return _page("Connect to QuickBooks", content, refresh=False)


def refused(words: str) -> str:
    """The consent page where the request itself is wrong."""
    return _page("QuickBooks", f"<h1>We cannot connect this app</h1><p>{escape(words)}</p>", refresh=False)
