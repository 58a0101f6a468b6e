"""OAuth 2 as Intuit does it: a code bound to one company, an access token of an hour, a refresh token whose value changes
about once a day.

The value before the last keeps working for a short while, so that two workers refreshing at once are not both locked out.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from tieout.rehearsal.twins.quickbooks.refusals import Json

CODE_LIFE = dt.timedelta(minutes=10)
ACCESS_LIFE = dt.timedelta(hours=1)
#: Counted from the last use; the grant itself ends five years after it was given, used or not.
REFRESH_LIFE = dt.timedelta(days=101)
GRANT_LIFE = dt.timedelta(days=5 * 365)
ROTATION = dt.timedelta(days=1)

Clock = Callable[[], dt.datetime]
NewToken = Callable[[int], str]


class OAuthRefused(Exception):
    """The token endpoint says no, in OAuth's own words."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(f"{error}: {description}")
        self.body = {"error": error, "error_description": description}
        self.status = status


@dataclass
class _Code:
    realm: str
    params: dict[str, str]
    until: dt.datetime
    used_by: Grant | None = None


@dataclass
class Grant:
    """One company's consent. `earlier` are refresh tokens that were replaced, with the moment they stop working."""

    realm: str
    scope: str
    given: dt.datetime
    refresh: str
    refresh_from: dt.datetime
    refresh_until: dt.datetime
    earlier: dict[str, dt.datetime] = field(default_factory=dict)
    revoked: bool = False


class Permissions:
    """Codes, grants and tokens of one app."""

    def __init__(self, client_id: str, client_secret: str, *, clock: Clock, new_token: NewToken, rotate_always: bool, grace: dt.timedelta) -> None:
        self.client_id = client_id
        self.client_secret = client_secret
        self.rotate_always = rotate_always
        self.grace = grace
        self.grants: list[Grant] = []
        self._clock = clock
        self._new_token = new_token
        self._codes: dict[str, _Code] = {}
        self._access: dict[str, tuple[Grant, dt.datetime]] = {}

    # Consent

    def check(self, params: Mapping[str, str]) -> None:
        """What the consent page looks at before it shows itself. Raises OAuthRefused."""
        if params.get("client_id") != self.client_id:
            raise OAuthRefused("invalid_client", "no app has this client_id", 401)
        if not params.get("redirect_uri", "").startswith(("http://", "https://")):
            raise OAuthRefused("invalid_request", "redirect_uri is missing or no address")
        if params.get("response_type") != "code":
            raise OAuthRefused("unsupported_response_type", "response_type is code")
        if params.get("code_challenge") and params.get("code_challenge_method") != "S256":
            raise OAuthRefused("invalid_request", "code_challenge_method is S256")

    def approve(self, params: Mapping[str, str], realm: str) -> str:
        """Where the browser goes after somebody approved. Raises OAuthRefused."""
        self.check(params)
        code = self._new_token(40)
        self._codes[code] = _Code(realm, dict(params), self._clock() + CODE_LIFE)
        return _with_query(params["redirect_uri"], {"code": code, "state": params.get("state", ""), "realmId": realm})

    def refuse(self, params: Mapping[str, str]) -> str:
        """Where the browser goes after somebody cancelled. Raises OAuthRefused."""
        self.check(params)
        return _with_query(params["redirect_uri"], {"error": "access_denied", "state": params.get("state", "")})

    # Tokens

    def answer(self, form: Mapping[str, str], authorization: str) -> Json:
        """The token endpoint's answer. Raises OAuthRefused."""
        self.authenticate(authorization)
        if form.get("grant_type") == "authorization_code":
            return self._exchange(form)
        if form.get("grant_type") == "refresh_token":
            return self._refresh(form.get("refresh_token", ""))
        raise OAuthRefused("unsupported_grant_type", "grant_type is authorization_code or refresh_token")

    def authenticate(self, authorization: str) -> None:
        """Check the app's Basic authentication. Raises OAuthRefused."""
        scheme, _, encoded = authorization.partition(" ")
        try:
            found = base64.b64decode(encoded, validate=True).decode() if scheme.lower() == "basic" else ""
        except (binascii.Error, UnicodeDecodeError):
            found = ""
        if found != f"{self.client_id}:{self.client_secret}":
            raise OAuthRefused("invalid_client", "client id and secret do not fit", 401)

    def _exchange(self, form: Mapping[str, str]) -> Json:
        code = self._codes.get(form.get("code", ""))
        if code is None or code.until < self._clock():
            raise OAuthRefused("invalid_grant", "the authorization code is unknown or too old")
        if code.used_by:
            # Whoever shows a code twice may have stolen it: the tokens of its first use end too.
            code.used_by.revoked = True
            raise OAuthRefused("invalid_grant", "the authorization code was used before")
        if form.get("redirect_uri") != code.params["redirect_uri"]:
            raise OAuthRefused("invalid_grant", "redirect_uri is not the one of the request")
        challenge = code.params.get("code_challenge")
        if challenge and _challenge(form.get("code_verifier", "")) != challenge:
            raise OAuthRefused("invalid_grant", "code_verifier does not fit")
        code.used_by = self.grant(code.realm, code.params.get("scope", ""))
        return self.tokens(code.used_by)

    def _refresh(self, token: str) -> Json:
        now = self._clock()
        grant = next((grant for grant in self.grants if token and (token == grant.refresh or token in grant.earlier)), None)
        if grant is None or grant.revoked:
            raise OAuthRefused("invalid_grant", "Incorrect or invalid refresh token")
        if grant.refresh_until < now or grant.given + GRANT_LIFE < now or grant.earlier.get(token, now) < now:
            raise OAuthRefused("invalid_grant", "Token expired: the refresh token is too old or was replaced")
        if token == grant.refresh and (self.rotate_always or now - grant.refresh_from >= ROTATION):
            grant.earlier[grant.refresh] = now + self.grace
            grant.refresh, grant.refresh_from = self._new_token(50), now
        return self.tokens(grant)

    def grant(self, realm: str, scope: str = "com.intuit.quickbooks.accounting") -> Grant:
        """A new consent for a company."""
        now = self._clock()
        found = Grant(realm, scope, now, self._new_token(50), now, now + REFRESH_LIFE)
        self.grants.append(found)
        return found

    def tokens(self, grant: Grant) -> Json:
        """A new access token, with the refresh token in force."""
        now = self._clock()
        access = self._new_token(64)
        self._access[access] = (grant, now + ACCESS_LIFE)
        grant.refresh_until = now + REFRESH_LIFE
        return {
            "token_type": "bearer",
            "access_token": access,
            "expires_in": int(ACCESS_LIFE.total_seconds()),
            "refresh_token": grant.refresh,
            "x_refresh_token_expires_in": int(REFRESH_LIFE.total_seconds()),
        }

    def revoke(self, token: str) -> None:
        """End the grant of an access or refresh token. Raises OAuthRefused."""
        known = self._access.get(token)
        grant = known[0] if known else next((grant for grant in self.grants if token in (grant.refresh, *grant.earlier)), None)
        if grant is None:
            raise OAuthRefused("invalid_request", "the token is unknown")
        grant.revoked = True

    def realm_of(self, authorization: str) -> str | None:
        """The company a bearer token opens, if it still opens one."""
        scheme, _, token = authorization.partition(" ")
        known = self._access.get(token) if scheme.lower() == "bearer" else None
        if known is None or known[0].revoked or known[1] <= self._clock():
            return None
        return known[0].realm


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _with_query(address: str, query: Mapping[str, str]) -> str:
    return f"{address}{'&' if '?' in address else '?'}{urlencode(query)}"
