"""Who may come in: applications with a token that is still good, the private one with its fixed token, and nobody faster than the limits."""

from __future__ import annotations

import datetime as dt
from collections import deque
from collections.abc import Iterable
from typing import Any

import msgspec
from werkzeug.wrappers import Request, Response

from tieout.rehearsal.twins.hubspot.answers import Refused, instant
from tieout.rehearsal.twins.hubspot.portal import Portal
from tieout.rehearsal.twins.hubspot.records import By

LIFETIME_SECONDS = 1800
SCOPES = ("oauth", "crm.objects.companies.read", "crm.objects.companies.write", "crm.objects.contacts.read", "crm.objects.deals.read")
USER = ("pat.booker@larkfield.example", 7_700_001)


class Grant(msgspec.Struct, eq=False, kw_only=True):
    """What a person allowed an application: the code at first, then the refresh token, which never changes."""

    scopes: tuple[str, ...]
    redirect_uri: str
    refresh_token: str = ""


class Token(msgspec.Struct, eq=False, kw_only=True):
    """An access token. One without an end belongs to the private application."""

    app_id: int
    grant: Grant | None = None
    expires_at: dt.datetime | None = None


class Access(Portal):
    """Tokens and limits. Without limits given, nobody is ever too fast."""

    def __init__(
        self,
        *,
        client_id: str = "twin-client",
        client_secret: str = "twin-secret",  # noqa: S107 - a rehearsal has no secrets
        app_id: int = 1_160_452,
        private_token: str = "pat-twin",  # noqa: S107
        private_app_id: int = 2_270_001,
        redirect_uris: Iterable[str] | None = None,
        withheld: Iterable[str] = (),
        per_ten_seconds: int | None = None,
        searches_per_second: int | None = None,
        **given: Any,
    ) -> None:
        super().__init__(**given)
        self.client_id = client_id
        self.client_secret = client_secret
        self.app_id = app_id
        self.private_token = private_token
        self.private_app_id = private_app_id
        self.redirect_uris = None if redirect_uris is None else frozenset(redirect_uris)
        #: Kinds of objects whose scope no application was granted.
        self.withheld = set(withheld)
        self.per_ten_seconds = per_ten_seconds
        self.searches_per_second = searches_per_second
        self.tokens: dict[str, Token] = {private_token: Token(app_id=private_app_id)}
        self.codes: dict[str, Grant] = {}
        self.grants: dict[str, Grant] = {}
        self._calls: dict[object, deque[dt.datetime]] = {}

    # At the gate

    def admit(self, request: Request) -> None:
        """Every path of the API wants a token; the pages for people and the token doors do not."""
        if request.path.startswith(("/crm/", "/account-info/")):
            token = self._bearer(request)
            self._granted(request)
            if request.path.endswith("/search"):
                self._not_too_fast("search", self.searches_per_second, 1, "SECONDLY")
            else:
                self._not_too_fast(token.app_id, self.per_ten_seconds, 10, "TEN_SECONDLY_ROLLING")

    def _granted(self, request: Request) -> None:
        kind = next((part for part in request.path.split("/") if part in self.withheld), None)
        if kind is not None:
            scope = f"crm.objects.{kind}.read"
            detail = {"message": "One or more of the following scopes are required.", "context": {"requiredGranularScopes": [scope]}}
            raise Refused(f"This application was not granted the scope {scope}.", code=403, category="MISSING_SCOPES", errors=[detail])

    def caller(self, request: Request) -> By:
        """The application that calls, as the one who changes things."""
        return By("INTEGRATION", str(self._bearer(request).app_id))

    def _bearer(self, request: Request) -> Token:
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        token = self.tokens.get(given.strip()) if scheme.lower() == "bearer" else None
        if token is None:
            raise Refused("Authentication credentials not found.", code=401, category="INVALID_AUTHENTICATION")
        if token.expires_at is not None and token.expires_at <= self.now():
            raise self.run_out(token.expires_at)
        return token

    def run_out(self, at: dt.datetime) -> Refused:
        """401 for a token that was good until then."""
        ago = int((self.now() - at).total_seconds())
        return Refused(
            f"The OAuth token used to make this call expired {ago} second(s) ago.",
            code=401,
            category="EXPIRED_AUTHENTICATION",
            context={"expire time": [instant(at)]},
        )

    def _not_too_fast(self, who: object, most: int | None, seconds: int, policy: str) -> None:
        if most is None:
            return
        now, calls = self.now(), self._calls.setdefault(who, deque())
        while calls and calls[0] <= now - dt.timedelta(seconds=seconds):
            calls.popleft()
        if len(calls) >= most:
            raise too_fast(policy)
        calls.append(now)

    def limits(self, request: Request) -> dict[str, str]:
        """The headers that tell how much is left; the search tells nothing."""
        if self.per_ten_seconds is None or not request.path.startswith("/crm/") or request.path.endswith("/search"):
            return {}
        used = max((len(calls) for who, calls in self._calls.items() if who != "search"), default=0)
        return {
            "X-HubSpot-RateLimit-Max": str(self.per_ten_seconds),
            "X-HubSpot-RateLimit-Remaining": str(max(0, self.per_ten_seconds - used)),
            "X-HubSpot-RateLimit-Interval-Milliseconds": "10000",
        }

    def _routed(self, request: Request) -> Response:
        response = super()._routed(request)
        response.headers.extend(self.limits(request))
        return response

    # Tokens in Python

    def authorise(self, scopes: Iterable[str] = SCOPES) -> dict[str, Any]:
        """What an application holds after a person approved it: the token answer, without the way through the browser."""
        with self.lock:
            return self.issue(Grant(scopes=tuple(scopes), redirect_uri=""))

    def issue(self, grant: Grant) -> dict[str, Any]:
        """An access token under a grant, and the refresh token, which stays the same for good."""
        if not grant.refresh_token:
            grant.refresh_token = f"eu1-{self.token(36)}"
            self.grants[grant.refresh_token] = grant
        # Access tokens are long here and may grow.
        access = f"C{self.token(240)}"
        self.tokens[access] = Token(app_id=self.app_id, grant=grant, expires_at=self.now() + dt.timedelta(seconds=LIFETIME_SECONDS))
        return {
            "token_type": "bearer",
            "token_use": "access_token",
            "refresh_token": grant.refresh_token,
            "access_token": access,
            "expires_in": LIFETIME_SECONDS,
            "hub_id": self.portal_id,
            "scopes": list(grant.scopes),
            "user_id": USER[1],
        }

    def uninstall(self) -> None:
        """A person removes the application: no token it has is good any longer."""
        with self.lock:
            self.grants.clear()
            self.codes.clear()
            self.tokens = {text: token for text, token in self.tokens.items() if token.grant is None}


def too_fast(policy: str) -> Refused:
    """429, which names the limit that was passed."""
    message = f"You have reached your {policy.lower()} limit."
    return Refused(message, code=429, category="RATE_LIMITS", errorType="RATE_LIMIT", policyName=policy)
