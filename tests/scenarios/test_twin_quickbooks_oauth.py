"""Consent and tokens of the QuickBooks stand-in: codes bound to a request, tokens that run out, refresh tokens that change."""

from __future__ import annotations

import base64
import hashlib
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.scenarios.quickbooks_desk import Desk, Json

VERIFIER = "a-verifier-of-some-forty-letters-and-digits-0123"
ASKED = {
    "client_id": "tieout-client",
    "response_type": "code",
    "scope": "com.intuit.quickbooks.accounting",
    "redirect_uri": "https://tieout.example/back",
    "state": "s-1",
}
BASIC = "Basic " + base64.b64encode(b"tieout-client:tieout-secret").decode()


def _pkce() -> dict[str, str]:
    challenge = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
    return {**ASKED, "code_challenge": challenge, "code_challenge_method": "S256"}


def _code(desk: Desk, asked: dict[str, str] = ASKED) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(desk.twin.approve(asked)).query))


def _token(desk: Desk, authorization: str = BASIC, **form: str) -> tuple[int, Json]:
    response = desk.client.post("/oauth2/v1/tokens/bearer", data=form, headers={"Authorization": authorization})
    assert response.headers["intuit_tid"]
    return response.status_code, response.get_json()


def _exchange(desk: Desk, code: str, **more: str) -> tuple[int, Json]:
    return _token(desk, grant_type="authorization_code", code=code, redirect_uri=ASKED["redirect_uri"], **more)


def _refresh(desk: Desk, token: str) -> tuple[int, Json]:
    return _token(desk, grant_type="refresh_token", refresh_token=token)


def test_a_person_is_asked_and_approves_for_one_of_the_companies() -> None:
    desk = Desk()
    other = desk.twin.open_company("Second <Street> Books")
    page = desk.client.get("/connect/oauth2", query_string={**ASKED, "state": '"><script>'}).get_data(as_text=True)
    for words in ("Larkspur Landscaping", "Second &lt;Street&gt; Books", "Approve", "&quot;&gt;&lt;script&gt;"):
        assert words in page
    assert "<script>" not in page
    back = desk.client.post("/connect/oauth2", data={**ASKED, "realm": other.realm, "answer": "approve"})
    said = dict(parse_qsl(urlsplit(back.headers["Location"]).query))
    assert back.headers["Location"].startswith("https://tieout.example/back?")
    assert (said["state"], said["realmId"], bool(said["code"])) == ("s-1", other.realm, True)


def test_a_person_may_cancel() -> None:
    back = Desk().client.post("/connect/oauth2", data={**ASKED, "answer": "cancel"})
    assert back.headers["Location"] == "https://tieout.example/back?error=access_denied&state=s-1"


@pytest.mark.parametrize(
    "wrong", [{"client_id": "x"}, {"redirect_uri": "javascript:x"}, {"response_type": "token"}, {"code_challenge": "x"}], ids=str
)
def test_a_wrong_request_never_reaches_the_question(wrong: dict[str, str]) -> None:
    desk = Desk()
    assert desk.client.get("/connect/oauth2", query_string={**ASKED, **wrong}).status_code == 400
    assert desk.client.post("/connect/oauth2", data={**ASKED, **wrong, "realm": desk.realm, "answer": "approve"}).status_code == 400


def test_a_code_becomes_tokens_and_the_token_opens_its_company_for_an_hour() -> None:
    desk = Desk()
    status, tokens = _exchange(desk, _code(desk)["code"])
    assert (status, tokens["token_type"], tokens["expires_in"], tokens["x_refresh_token_expires_in"]) == (200, "bearer", 3600, 101 * 86400)
    desk.token = tokens["access_token"]
    desk.get("preferences")
    assert desk.status == 200
    desk.clock.pass_time(minutes=60)
    desk.get("preferences")
    assert desk.status == 401


def test_a_code_needs_its_verifier() -> None:
    desk = Desk()
    code = _code(desk, _pkce())["code"]
    assert _exchange(desk, code, code_verifier="guessed")[1]["error"] == "invalid_grant"
    assert _exchange(desk, code, code_verifier=VERIFIER)[0] == 200


def test_a_code_is_good_once_for_its_own_address_and_for_ten_minutes() -> None:
    desk = Desk()
    code = _code(desk)["code"]
    assert _token(desk, grant_type="authorization_code", code=code, redirect_uri="https://elsewhere.example")[0] == 400
    tokens = _exchange(desk, code)[1]
    assert _exchange(desk, code) == (400, {"error": "invalid_grant", "error_description": "the authorization code was used before"})
    assert _refresh(desk, tokens["refresh_token"])[0] == 400
    late = _code(desk)["code"]
    desk.clock.pass_time(minutes=11)
    assert _exchange(desk, late)[1]["error"] == "invalid_grant"
    assert _exchange(desk, "never given")[1]["error"] == "invalid_grant"


@pytest.mark.parametrize("shown", ["", "Basic !!!", "Bearer x", "Basic " + base64.b64encode(b"tieout-client:wrong").decode()])
def test_an_app_that_cannot_prove_itself_gets_nothing(shown: str) -> None:
    desk = Desk()
    assert _token(desk, shown, grant_type="refresh_token", refresh_token=desk.twin.connect()["refresh_token"])[1]["error"] == "invalid_client"
    assert desk.client.post("/v2/oauth2/tokens/revoke", json={"token": "x"}, headers={"Authorization": shown}).status_code == 401


def test_another_kind_of_grant_is_unsupported() -> None:
    assert _token(Desk(), grant_type="password")[1]["error"] == "unsupported_grant_type"


def test_within_a_day_the_refresh_token_stays_and_the_access_tokens_add_up() -> None:
    desk = Desk()
    first = desk.twin.connect()
    desk.clock.pass_time(minutes=30)
    _, second = _refresh(desk, first["refresh_token"])
    assert second["refresh_token"] == first["refresh_token"]
    assert second["access_token"] != first["access_token"]
    for token in (first, second):
        desk.token = token["access_token"]
        desk.get("preferences")
        assert desk.status == 200


def test_after_a_day_the_refresh_token_changes_and_the_old_one_has_a_minute_left() -> None:
    desk = Desk()
    old = desk.twin.connect()["refresh_token"]
    desk.clock.pass_time(days=1)
    new = _refresh(desk, old)[1]["refresh_token"]
    assert new != old
    desk.clock.pass_time(seconds=59)
    assert _refresh(desk, old)[1]["refresh_token"] == new
    desk.clock.pass_time(seconds=2)
    assert _refresh(desk, old)[1]["error"] == "invalid_grant"
    assert _refresh(desk, new)[1]["refresh_token"] == new


def test_a_twin_may_change_the_refresh_token_each_time_and_grant_no_grace() -> None:
    desk = Desk(rotate_always=True, grace_seconds=-1)
    first = desk.twin.connect()["refresh_token"]
    second = _refresh(desk, first)[1]["refresh_token"]
    assert second != first
    assert _refresh(desk, first)[1]["error"] == "invalid_grant"
    assert _refresh(desk, second)[0] == 200


def test_a_refresh_token_ends_when_nobody_uses_it_and_after_five_years_whoever_does() -> None:
    desk = Desk()
    idle = desk.twin.connect()["refresh_token"]
    desk.clock.pass_time(days=102)
    assert _refresh(desk, idle)[1]["error"] == "invalid_grant"
    kept = desk.twin.connect()["refresh_token"]
    for _ in range(18):
        desk.clock.pass_time(days=100)
        status, answer = _refresh(desk, kept)
        assert status == 200
        kept = answer["refresh_token"]
    desk.clock.pass_time(days=100)
    assert _refresh(desk, kept)[1]["error"] == "invalid_grant"


@pytest.mark.parametrize("which", ["access_token", "refresh_token"])
def test_revoking_either_token_ends_both(which: str) -> None:
    desk = Desk()
    tokens = desk.twin.connect()
    other = desk.twin.connect()
    answer = desk.client.post("/v2/oauth2/tokens/revoke", json={"token": tokens[which]}, headers={"Authorization": BASIC})
    assert (answer.status_code, answer.get_data()) == (200, b"")
    desk.token = tokens["access_token"]
    desk.get("preferences")
    assert desk.status == 401
    assert _refresh(desk, tokens["refresh_token"])[0] == 400
    assert _refresh(desk, other["refresh_token"])[0] == 200
    assert desk.client.post("/v2/oauth2/tokens/revoke", data={"token": "unknown"}, headers={"Authorization": BASIC}).status_code == 400


def test_no_token_and_a_made_up_one_are_refused() -> None:
    desk = Desk()
    assert desk.client.get(f"/v3/company/{desk.realm}/preferences").status_code == 401
    desk.token = "made-up"
    assert desk.get("preferences")["fault"]["type"] == "AUTHENTICATION"


def test_the_discovery_document_leads_back_here() -> None:
    found = Desk().client.get("/.well-known/openid_configuration").get_json()
    assert found["token_endpoint"] == "http://localhost/oauth2/v1/tokens/bearer"
    assert {"authorization_endpoint", "revocation_endpoint", "issuer", "jwks_uri", "userinfo_endpoint"} <= found.keys()
