"""The HubSpot stand-in lets in who may come in, slows down who is too fast, and fails the vendor's way when a fault script says so."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from werkzeug.test import Client

from tests.scenarios.hubspot_answers import Asker, stand_in
from tieout.rehearsal.twins import faults
from tieout.rehearsal.twins.faults import Fault
from tieout.rehearsal.twins.hubspot import HubSpot
from tieout.rehearsal.twins.server import serving

COMPANIES = "/crm/v3/objects/companies"
SEARCH = f"{COMPANIES}/search"
BACK = "https://tieout.example/back?from=crm"
MODIFIED = "hs_lastmodifieddate"


@pytest.fixture
def twin() -> HubSpot:
    return stand_in()


@pytest.fixture
def ask(twin: HubSpot) -> Asker:
    return Asker(twin)


def approved(twin: HubSpot, answer: str = "approve", *, portal: str = "") -> dict[str, list[str]]:
    """What comes back to us after a person saw the consent page and answered it."""
    browser = Client(twin)
    asked = {"client_id": twin.client_id, "redirect_uri": BACK, "scope": "oauth crm.objects.companies.read", "state": 'x"<y'}
    page = browser.get(f"/oauth/{portal}authorize", query_string=asked).get_data(as_text=True)
    assert "<button" in page
    assert 'x"<y' not in page
    hidden = dict(re.findall(r'name="(\w+)" value="([^"]*)"', page))
    sent = browser.post(
        "/oauth/authorize", data={**{name: hidden[name] for name in ("client_id", "scope")}, "redirect_uri": BACK, "state": 'x"<y', "answer": answer}
    )
    assert sent.status_code == 302
    parts = urlsplit(sent.headers["Location"])
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == "https://tieout.example/back"
    return parse_qs(parts.query)


def credentials(twin: HubSpot) -> dict[str, str]:
    return {"client_id": twin.client_id, "client_secret": twin.client_secret}


# Tokens


@pytest.mark.parametrize("door", ["/oauth/v1/token", "/oauth/v3/token", "/oauth/2026-03/token"])
def test_a_person_approves_and_the_code_becomes_tokens_once(twin: HubSpot, ask: Asker, door: str) -> None:
    back = approved(twin)
    assert (back["from"], back["state"]) == (["crm"], ['x"<y'])
    form = {**credentials(twin), "grant_type": "authorization_code", "code": back["code"][0], "redirect_uri": BACK}
    tokens = ask("POST", door, form=form)
    assert (tokens["expires_in"], tokens["token_type"], tokens["scopes"]) == (1800, "bearer", ["oauth", "crm.objects.companies.read"])
    assert len(tokens["access_token"]) > 200
    assert Asker(twin, token=tokens["access_token"])("GET", COMPANIES) == {"results": []}
    assert ask("POST", door, form=form, status=400)["status"] == "BAD_AUTH_CODE"


def test_a_person_denies_and_no_code_comes_back(twin: HubSpot) -> None:
    back = approved(twin, "deny", portal="145000333/")
    assert back["error"] == ["access_denied"]
    assert "code" not in back


@pytest.mark.parametrize(
    ("asked", "allowed"),
    [
        pytest.param({"client_id": "stranger", "redirect_uri": BACK}, None, id="an application nobody knows"),
        pytest.param({"client_id": "twin-client", "redirect_uri": "javascript:alert(1)"}, None, id="an address that is none"),
        pytest.param({"client_id": "twin-client", "redirect_uri": "https://elsewhere.example/"}, [BACK], id="an address that was not registered"),
    ],
)
def test_the_consent_page_is_not_shown_for(asked: dict[str, str], allowed: list[str] | None) -> None:
    browser = Client(stand_in(redirect_uris=allowed))
    assert browser.get("/oauth/authorize", query_string=asked).status_code == 400
    assert browser.post("/oauth/authorize", data={**asked, "answer": "approve"}).status_code == 400


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        pytest.param({"client_secret": "guess"}, "BAD_CLIENT_ID", id="another secret"),
        pytest.param({"grant_type": "password"}, "BAD_GRANT_TYPE", id="another grant"),
        pytest.param({"refresh_token": "guess"}, "BAD_REFRESH_TOKEN", id="a refresh token nobody has"),
        pytest.param({"grant_type": "authorization_code", "code": "guess"}, "BAD_AUTH_CODE", id="a code nobody was given"),
    ],
)
def test_the_token_door_refuses_with_words_of_old_and_of_the_standard(twin: HubSpot, ask: Asker, wrong: dict[str, str], status: str) -> None:
    form = {**credentials(twin), "grant_type": "refresh_token", "refresh_token": twin.authorise()["refresh_token"], **wrong}
    refused = ask("POST", "/oauth/v1/token", form=form, status=400)
    assert refused["status"] == status
    assert refused["error"] in {"invalid_client", "unsupported_grant_type", "invalid_grant"}


def test_a_code_belongs_to_its_address(twin: HubSpot, ask: Asker) -> None:
    form = {**credentials(twin), "grant_type": "authorization_code", "code": approved(twin)["code"][0], "redirect_uri": "https://elsewhere.example/"}
    assert ask("POST", "/oauth/v1/token", form=form, status=400)["status"] == "BAD_REDIRECT_URI"


def test_only_the_first_version_reads_parameters_from_the_address(twin: HubSpot, ask: Asker) -> None:
    held = twin.authorise()["refresh_token"]
    query = "&".join(f"{name}={value}" for name, value in {**credentials(twin), "grant_type": "refresh_token", "refresh_token": held}.items())
    ask("POST", f"/oauth/v1/token?{query}", form={})
    ask("POST", f"/oauth/2026-03/token?{query}", form={}, status=400)


def test_an_access_token_ends_after_half_an_hour_and_the_refresh_token_stays_the_same(twin: HubSpot, ask: Asker) -> None:
    held = twin.authorise()
    ours = Asker(twin, token=held["access_token"])
    twin.move_clock(1799)
    ours("GET", COMPANIES)
    twin.move_clock(31)
    late = ours("GET", COMPANIES, status=401)
    assert (late["category"], late["context"]) == ("EXPIRED_AUTHENTICATION", {"expire time": ["2026-06-10T10:00:00Z"]})
    assert "30 second(s) ago" in late["message"]
    ask("GET", f"/oauth/v1/access-tokens/{held['access_token']}", status=404)
    form = {**credentials(twin), "grant_type": "refresh_token", "refresh_token": held["refresh_token"]}
    fresh = ask("POST", "/oauth/2026-03/token", form=form)
    assert fresh["refresh_token"] == held["refresh_token"]
    Asker(twin, token=fresh["access_token"])("GET", COMPANIES)


def test_a_dropped_refresh_token_leaves_access_tokens_to_their_end_and_an_uninstall_does_not(twin: HubSpot, ask: Asker) -> None:
    held = twin.authorise()
    ask("DELETE", f"/oauth/v1/refresh-tokens/{held['refresh_token']}", status=204)
    form = {**credentials(twin), "grant_type": "refresh_token", "refresh_token": held["refresh_token"]}
    assert ask("POST", "/oauth/v1/token", form=form, status=400)["error"] == "invalid_grant"
    ours = Asker(twin, token=held["access_token"])
    ours("GET", COMPANIES)
    twin.uninstall()
    assert ours("GET", COMPANIES, status=401)["category"] == "INVALID_AUTHENTICATION"
    ask("GET", COMPANIES)


def test_a_token_is_told_with_what_it_is_good_for(twin: HubSpot, ask: Asker) -> None:
    held = twin.authorise()
    twin.move_clock(60)
    told = ask("POST", "/oauth/2026-03/token/introspect", form={"token": held["access_token"]})
    assert (told["active"], told["expires_in"], told["token_use"]) == (True, 1740, "access_token")
    twin.move_clock(1740)
    assert ask("POST", "/oauth/2026-03/token/introspect", form={"token": held["access_token"]})["active"] is False


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer pat-other", "Basic pat-twin", "pat-twin"])
def test_nobody_comes_in_without_a_token_that_is_known(twin: HubSpot, header: str) -> None:
    answered = Client(twin).get(COMPANIES, headers={"Authorization": header} if header else {})
    assert (answered.status_code, answered.get_json()["category"]) == (401, "INVALID_AUTHENTICATION")


# Limits


def test_too_many_calls_in_ten_seconds_are_refused_and_the_headers_tell_what_is_left() -> None:
    twin = stand_in(per_ten_seconds=3)
    ask = Asker(twin)
    left = []
    for _ in range(3):
        ask("GET", COMPANIES)
        left.append(ask.headers["X-HubSpot-RateLimit-Remaining"])
        twin.move_clock(1)
    assert left == ["2", "1", "0"]
    refused = ask("GET", COMPANIES, status=429)
    assert (refused["policyName"], refused["errorType"], refused["category"]) == ("TEN_SECONDLY_ROLLING", "RATE_LIMIT", "RATE_LIMITS")
    ask("POST", SEARCH, {})
    twin.move_clock(7)
    ask("GET", COMPANIES)
    Asker(twin, token=twin.authorise()["access_token"])("GET", COMPANIES)


def test_searches_have_a_limit_of_their_own_and_tell_nothing_of_it() -> None:
    twin = stand_in(searches_per_second=2, per_ten_seconds=100)
    ask = Asker(twin)
    for _ in range(2):
        ask("POST", SEARCH, {})
        assert "X-HubSpot-RateLimit-Remaining" not in ask.headers
    assert ask("POST", SEARCH, {}, status=429)["policyName"] == "SECONDLY"
    ask("GET", COMPANIES)
    twin.move_clock(1)
    ask("POST", SEARCH, {})


# Faults


def test_a_script_can_say_too_many_with_or_without_the_time_to_wait(twin: HubSpot, ask: Asker) -> None:
    twin.faults.put(Fault(fault="too_many", path="search"), Fault(fault="too_many", retry_after=3))
    assert ask("POST", SEARCH, {}, status=429)["policyName"] == "SECONDLY"
    assert "Retry-After" not in ask.headers
    assert ask("GET", COMPANIES, status=429)["policyName"] == "TEN_SECONDLY_ROLLING"
    assert ask.headers["Retry-After"] == "3"
    ask("GET", COMPANIES)


def test_an_error_comes_before_anything_is_done_or_after(twin: HubSpot, ask: Asker) -> None:
    made = {"properties": {"name": "Alder"}}
    twin.faults.put(Fault(fault="error_before"))
    assert ask("POST", COMPANIES, made, status=500)["category"] == "INTERNAL_ERROR"
    assert twin.everyone("companies") == []
    twin.faults.put(Fault(fault="error_after"))
    ask("POST", COMPANIES, made, status=500)
    assert [company.properties["name"] for company in twin.everyone("companies")] == ["Alder"]


def test_an_expired_token_is_told_as_such_whatever_the_token(twin: HubSpot, ask: Asker) -> None:
    twin.faults.put(Fault(fault="expired"))
    assert ask("GET", COMPANIES, status=401)["category"] == "EXPIRED_AUTHENTICATION"
    ask("GET", COMPANIES)


def test_the_line_is_cut_before_after_or_in_the_middle(twin: HubSpot) -> None:
    headers = {"Authorization": "Bearer pat-twin"}
    with serving(twin, deliver=False) as running, httpx2.Client(base_url=running.url, headers=headers, trust_env=False) as line:
        for kind, done in (("cut", 0), ("silent_after", 1), ("truncated", 2)):
            twin.faults.put(Fault(fault=kind))
            with pytest.raises(httpx2.TransportError):
                line.post(COMPANIES, json={"properties": {"name": kind}})
            assert len(twin.everyone("companies")) == done
        assert [entry.fault for entry in twin.log] == ["cut", "silent_after", "truncated"]
        assert line.get(COMPANIES).status_code == 200


def test_the_vendors_clock_goes_wrong(twin: HubSpot, ask: Asker) -> None:
    twin.faults.put(Fault(fault="clock", seconds=-90))
    made = ask("POST", COMPANIES, {"properties": {"name": "Alder"}}, status=201)
    assert made["createdAt"] == "2026-06-10T09:28:30Z"


def pages_by_place(ask: Asker) -> list[str]:
    """A reader that pages on by `after`, as most do."""
    seen: list[str] = []
    after = "0"
    while after:
        page = ask("POST", SEARCH, {"sorts": [MODIFIED], "limit": 4, "after": after})
        seen += [one["id"] for one in page["results"]]
        after = page.get("paging", {}).get("next", {}).get("after", "")
    return seen


def pages_by_date(ask: Asker) -> list[str]:
    """A reader that asks again from the last date it saw, and drops what it has seen as it was."""
    seen: list[tuple[str, str]] = []
    since = "0"
    while True:
        filters = [{"propertyName": MODIFIED, "operator": "GTE", "value": since}]
        page = ask("POST", SEARCH, {"filterGroups": [{"filters": filters}], "sorts": [MODIFIED], "limit": 4})
        new = [entry for one in page["results"] if (entry := (one["id"], one["updatedAt"])) not in seen]
        if not new:
            return [ident for ident, _ in seen]
        seen += new
        since = new[-1][1]


def test_a_record_that_moves_between_two_pages_is_lost_to_who_counts_and_doubled_to_who_reads_by_date(twin: HubSpot, ask: Asker) -> None:
    made = [company.id for company in twin.fill(10, contacts=False, deals=False)]
    twin.move_clock(1)
    twin.faults.put(Fault(fault="moving", path="search", after=1))
    counted = pages_by_place(ask)
    assert counted == [*made[:4], *made[5:], made[0]]
    order = [*made[1:], made[0]]
    twin.move_clock(1)
    twin.faults.put(Fault(fault="moving", path="search", after=1))
    careful = pages_by_date(ask)
    assert set(careful) == set(made)
    assert careful.count(order[-1]) == 1
    assert [ident for ident in order if careful.count(ident) > 1] == [order[3]]


def test_a_list_keeps_its_order_whatever_moves(twin: HubSpot, ask: Asker) -> None:
    made = twin.fill(5, contacts=False, deals=False)
    twin.move_clock(1)
    twin.faults.put(Fault(fault="moving", path=COMPANIES, times=0))
    first = ask("GET", f"{COMPANIES}?limit=3")
    rest = ask("GET", f"{COMPANIES}?limit=3&after={first['paging']['next']['after']}")
    assert [one["id"] for page in (first, rest) for one in page["results"]] == [company.id for company in made]
    assert first["results"][0]["updatedAt"] == "2026-06-10T09:30:01Z"


def test_another_version_shows_fields_and_values_nobody_knows(twin: HubSpot) -> None:
    twin.fill(1)
    twin.faults.put(Fault(fault="version", times=0))
    client, headers = Client(twin), {"Authorization": "Bearer pat-twin"}

    def told(path: str, **given: Any) -> Any:
        return client.open(path, headers=headers, **given).get_json()

    page = told(f"{COMPANIES}?properties=lifecyclestage,name")
    assert page["fieldOfTomorrow"] == page["results"][0]["fieldOfTomorrow"] == {"since": "2031-09"}
    assert page["results"][0]["properties"]["lifecyclestage"] == "OF_TOMORROW"
    assert page["results"][0]["properties"]["name"] == "Alder Ceramics 1"
    deal = told("/crm/v3/objects/deals?properties=dealstage")["results"][0]
    assert deal["properties"]["dealstage"] == "OF_TOMORROW"
    batch = told(f"{COMPANIES}/batch/read", method="POST", json={"inputs": [{"id": page["results"][0]["id"]}]})
    assert batch["status"] == "COMPLETE_OF_TOMORROW"
    assert client.get("/").status_code == 200


def test_every_fault_of_a_request_is_one_the_tests_above_strike() -> None:
    struck = {"too_many", "error_before", "error_after", "silent_after", "cut", "truncated", "expired", "moving", "clock", "version"}
    assert struck | faults.OF_EVENTS == set(faults.KINDS)


# The page


def test_a_person_watches_the_page_and_wins_a_deal_by_a_click(twin: HubSpot, ask: Asker) -> None:
    ask("POST", "/crm/v3/properties/companies/groups", {"name": "tieout", "label": "Receivables"}, status=201)
    balance = {"name": "ar_balance", "label": "Open balance", "type": "number", "fieldType": "number", "groupName": "tieout"}
    ask("POST", "/crm/v3/properties/companies", balance, status=201)
    company = twin.company("<b>Alder & Sons", ar_balance="1234.50")
    twin.contact("ada@alder.example", company=company)
    deal = twin.deal("Yearly order", company=company, amount="99.00")
    browser = Client(twin)
    page = browser.get("/").get_data(as_text=True)
    for shown in (
        "&lt;b&gt;Alder &amp; Sons",
        "Open balance",
        "1234.50",
        "ada@alder.example",
        "Yearly order",
        "99.00",
        "Appointment scheduled",
        "http-equiv",
    ):
        assert shown in page
    assert "<b>Alder" not in page
    clicked = browser.post(f"/deals/{deal.id}/won")
    assert (clicked.status_code, clicked.headers["Location"]) == (303, "/")
    assert deal.properties["dealstage"] == "closedwon"
    assert "<button>Win" not in browser.get("/").get_data(as_text=True)
    assert browser.post("/deals/404/won").status_code == 404


def test_an_empty_account_and_a_large_one_have_a_page_too(twin: HubSpot) -> None:
    browser = Client(twin)
    assert browser.get("/").get_data(as_text=True).count("None yet.") == 2
    twin.fill(201)
    assert "201, the first 200 shown" in browser.get("/").get_data(as_text=True)


# Our own doors


def test_whoever_rehearses_has_the_clock_the_faults_the_log_and_the_deliveries(twin: HubSpot) -> None:
    client = Client(twin)
    assert client.post("/_twin/clock", json={"seconds": 60}).get_json() == {"now": "2026-06-10T09:31:00+00:00"}
    assert client.put("/_twin/faults", json=[{"fault": "error_before"}]).status_code == 200
    assert client.get(COMPANIES).status_code == 500
    assert client.get("/_twin/log").get_json()[0]["fault"] == "error_before"
    assert client.post("/_twin/deliver").get_json() == {"delivered": 0}
