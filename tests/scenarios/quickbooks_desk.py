"""A desk to work at the QuickBooks stand-in: a clock one moves by hand, a plain client that keeps every answer, a letter box
for events."""

from __future__ import annotations

import contextlib
import datetime as dt
import http.server
import json
import threading
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from werkzeug.test import Client

from tieout.rehearsal.twins.quickbooks import QuickBooks
from tieout.rehearsal.twins.quickbooks.books import Company

#: A Wednesday morning in California, summer time.
START = dt.datetime(2026, 6, 10, 16, 0, tzinfo=dt.UTC)
Json = dict[str, Any]


def item_line(amount: Any = None, **detail: Any) -> Json:
    """A line of a sales form for the first item."""
    line = {"DetailType": "SalesItemLineDetail", "SalesItemLineDetail": {"ItemRef": {"value": "1"}, **detail}}
    return line if amount is None else {"Amount": amount, **line}


def takes(amount: Any, txn_id: str, kind: str = "Invoice") -> Json:
    """A line of a payment."""
    return {"Amount": amount, "LinkedTxn": [{"TxnId": txn_id, "TxnType": kind}]}


class Clock:
    """Stands still until told."""

    def __init__(self, start: dt.datetime = START) -> None:
        self.now = start

    def __call__(self) -> dt.datetime:
        return self.now

    def pass_time(self, **spans: float) -> None:
        self.now += dt.timedelta(**spans)


class Desk:
    """A twin, its clock, and a client with a token; `answers` holds everything the API said, with its numbers exact."""

    def __init__(self, **options: Any) -> None:
        self.clock = Clock()
        self.twin = QuickBooks(clock=self.clock, **options)
        self.company = self.twin.company()
        self.realm = self.company.realm
        self.client = Client(self.twin)
        #: Shown where set; otherwise every request has a fresh one, however far the clock has moved.
        self.token = ""
        self.answers: list[Json] = []
        self.headers: dict[str, str] = {}

    def get(self, path: str, **query: Any) -> Json:
        return self._said(self.client.get(self._path(path), query_string=query, headers=self._authorised()))

    def post(self, path: str, body: Any = None, **query: Any) -> Json:
        raw = body if isinstance(body, bytes | str) else json.dumps(body or {}, default=str)
        return self._said(self.client.post(self._path(path), data=raw, query_string=query, headers=self._authorised()))

    def ask(self, statement: str) -> Json:
        """The QueryResponse, or the whole answer where it is a fault."""
        answer = self.get("query", query=statement)
        found: Json = answer.get("QueryResponse", answer)
        return found

    def ids(self, statement: str) -> list[str]:
        """The ids of what a statement finds, in order."""
        found = self.ask(statement)
        return [record["Id"] for records in found.values() if isinstance(records, list) for record in records]

    def fault(self, answer: Json) -> str:
        """The code of a fault; empty where there is none."""
        return answer["Fault"]["Error"][0]["code"] if "Fault" in answer else ""

    def refuses(self, code: str, answer: Json) -> bool:
        """Whether the last answer is a fault of this code, as a bad request."""
        return (self.fault(answer), self.status) == (code, 400)

    def _path(self, path: str) -> str:
        return path if path.startswith("/") else f"/v3/company/{self.realm}/{path}"

    def _authorised(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token or self.twin.connect()['access_token']}", "Accept": "application/json"}

    def _said(self, response: Any) -> Json:
        self.status = response.status_code
        self.headers = dict(response.headers)
        answer: Json = json.loads(response.get_data(), parse_float=Decimal)
        self.answers.append(answer)
        return answer


def assert_sums(company: Company) -> None:
    """Everything that is written twice says the same twice."""
    taken: defaultdict[str, Decimal] = defaultdict(Decimal)
    owed: defaultdict[str, Decimal] = defaultdict(Decimal)
    links: defaultdict[str, set[str]] = defaultdict(set)
    for record in company.records["Payment"].values():
        left = record.body["TotalAmt"]
        for line in record.body["Line"]:
            linked = line["LinkedTxn"][0]
            assert line["Amount"] > 0
            taken[linked["TxnId"]] += line["Amount"]
            links[linked["TxnId"]].add(record.id)
            left += line["Amount"] if linked["TxnType"] == "CreditMemo" else -line["Amount"]
        assert record.body["UnappliedAmt"] == left >= 0
        owed[record.body["CustomerRef"]["value"]] -= left
    for kind, sign in (("Invoice", 1), ("CreditMemo", -1)):
        for record in company.records[kind].values():
            assert record.body["Balance"] == record.body["TotalAmt"] - taken.pop(record.id, Decimal(0)) >= 0
            assert {link["TxnId"] for link in record.body["LinkedTxn"]} == links[record.id]
            owed[record.body["CustomerRef"]["value"]] += sign * record.body["Balance"]
    assert not taken
    for customer in company.records["Customer"].values():
        assert company.shown(customer)["Balance"] == owed[customer.id]


class LetterBox:
    """Keeps what arrives: raw bodies with their headers."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.letters: list[tuple[bytes, dict[str, str]]] = []

    def events(self) -> list[Json]:
        return [event for body, _ in self.letters for event in json.loads(body)]


@contextlib.contextmanager
def letter_box() -> Iterator[LetterBox]:
    """A receiver of webhooks on a port of this machine."""

    class Door(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            box.letters.append((body, {name.lower(): value for name, value in self.headers.items()}))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Door)
    box = LetterBox(f"http://127.0.0.1:{server.server_port}/quickbooks")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield box
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
