"""A page for a person who watches: companies with what was written on them, and deals that can be won by a click."""

from __future__ import annotations

from html import escape

from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from tieout.rehearsal.twins.hubspot import catalogue
from tieout.rehearsal.twins.hubspot.answers import instant
from tieout.rehearsal.twins.hubspot.associations import AssociationDoors
from tieout.rehearsal.twins.hubspot.definitions import Definition
from tieout.rehearsal.twins.hubspot.records import PERSON, Record

ROUTES = (
    ("/", ("GET",), "page"),
    ("/deals/<ident>/won", ("POST",), "won_by_click"),
)
MOST_ROWS = 200
_STYLE = """
:root{color-scheme:light dark}
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 1rem;color:light-dark(#1f2933,#e4e7eb);
  background:light-dark(#fff,#17202a)}
h1{font-size:1.3rem}h2{font-size:1rem;margin-top:2rem}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:.35rem .6rem;border-bottom:1px solid light-dark(#dde3ea,#334050)}
.n{text-align:right;font-variant-numeric:tabular-nums}
small,.quiet{color:light-dark(#52606d,#9fb3c8)}
button{font:inherit;padding:.15rem .6rem}
"""


class PageDoors(AssociationDoors):
    """What a person sees and clicks; nobody needs a token for it."""

    def page(self, request: Request) -> Response:
        body = (
            f'<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="3"><title>Account {self.portal_id}</title>'
            f"<style>{_STYLE}</style><h1>Account {self.portal_id} <small>a stand-in, as of {instant(self.now())}</small></h1>"
            f"{self._companies()}{self._deals()}</html>"
        )
        return Response(body, mimetype="text/html")

    def won_by_click(self, request: Request, ident: str) -> Response:
        deal = self.live(catalogue.kind("deals"), ident)
        self.store(self.judge(deal.kind, {"dealstage": "closedwon"}, deal), PERSON)
        return redirect("/", 303)

    def _companies(self) -> str:
        kind = catalogue.kind("companies")
        # What an integration defined is what one wants to watch.
        own = [one for one in self.definitions[kind.name].values() if not one.born and one.archived_at is None]
        rows = []
        for company in self._live("companies"):
            people = ", ".join(contact.properties.get("email", "") for contact, _ in self.tied(company, catalogue.kind("contacts")))
            cells = "".join(_cell(one, company) for one in own)
            rows.append(f"<tr><td>{_said(company, 'name')}<td>{escape(people)}{cells}<td class=quiet>{_said(company, kind.modified)}")
        heads = "".join(f"<th{_side(one)}>{escape(one.label)}" for one in own)
        return self._table("Companies", "companies", f"<th>Name<th>Contacts{heads}<th>Last modified", rows)

    def _deals(self) -> str:
        rows = []
        for deal in self._live("deals"):
            company = next((other for other, _ in self.tied(deal, catalogue.kind("companies"))), None)
            stage = catalogue.STAGES.get(deal.properties.get("dealstage", ""), ("", ""))[0]
            closed = deal.properties.get("dealstage") in catalogue.CLOSED
            act = "" if closed else f'<form method="post" action="/deals/{escape(deal.id)}/won"><button>Win</button></form>'
            amount = f"{_said(deal, 'amount')} <small>{_said(deal, 'deal_currency_code')}</small>"
            where = _said(company, "name") if company else ""
            rows.append(
                f"<tr><td>{_said(deal, 'dealname')}<td>{where}<td class=n>{amount}<td>{escape(stage)}<td>{_said(deal, 'closedate')[:10]}<td>{act}"
            )
        return self._table("Deals", "deals", "<th>Deal<th>Company<th class=n>Amount<th>Stage<th>Close date<th>", rows)

    def _live(self, name: str) -> list[Record]:
        return [record for record in self.records[name].values() if record.archived_at is None][:MOST_ROWS]

    def _table(self, title: str, name: str, heads: str, rows: list[str]) -> str:
        live = sum(record.archived_at is None for record in self.records[name].values())
        shown = "" if live == len(rows) else f", the first {len(rows)} shown"
        if not rows:
            return f"<h2>{title} <small>0</small></h2><p class=quiet>None yet.</p>"
        return f"<h2>{title} <small>{live}{shown}</small></h2><table><thead><tr>{heads}<tbody>{''.join(rows)}</table>"


def _said(record: Record, name: str) -> str:
    return escape(record.properties.get(name, ""))


def _side(definition: Definition) -> str:
    return " class=n" if definition.type == "number" else ""


def _cell(definition: Definition, record: Record) -> str:
    return f"<td{_side(definition)}>{_said(record, definition.name)}"
