"""The OAuth doors: a page where a person approves, codes for tokens, and what is known about a token; in both versions."""

from __future__ import annotations

import html
from typing import Any
from urllib.parse import urlencode

from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from tieout.rehearsal.twins.hubspot.access import USER, Access, Grant, Token
from tieout.rehearsal.twins.hubspot.answers import Refused, missing

_TOKEN_DOORS = ("/oauth/v1/token", "/oauth/v3/token", "/oauth/2026-03/token")

ROUTES = (
    ("/oauth/authorize", ("GET",), "consent"),
    ("/oauth/<int:portal>/authorize", ("GET",), "consent"),
    ("/oauth/authorize", ("POST",), "consented"),
    *((door, ("POST",), "token_given") for door in _TOKEN_DOORS),
    ("/oauth/v1/access-tokens/<token>", ("GET",), "access_token_told"),
    ("/oauth/v1/refresh-tokens/<token>", ("GET",), "refresh_token_told"),
    ("/oauth/v1/refresh-tokens/<token>", ("DELETE",), "refresh_token_dropped"),
    ("/oauth/2026-03/token/introspect", ("POST",), "token_told"),
    ("/oauth/2026-03/token/revoke", ("POST",), "token_dropped"),
)


class OAuthDoors(Access):
    """What an application meets on its way in."""

    def consent(self, request: Request, portal: int = 0) -> Response:
        asked = {name: request.args.get(name, "") for name in ("client_id", "redirect_uri", "scope", "state")}
        problem = self._asked_wrongly(asked["client_id"], asked["redirect_uri"])
        if problem:
            return Response(f"<!doctype html><title>Not connected</title><p>{html.escape(problem)}</p>", 400, mimetype="text/html")
        hidden = "".join(f'<input type="hidden" name="{name}" value="{html.escape(value, quote=True)}">' for name, value in asked.items())
        scopes = "".join(f"<li>{html.escape(scope)}</li>" for scope in asked["scope"].split())
        page = (
            '<!doctype html><meta charset="utf-8"><title>Connect an application</title>'
            "<style>body{font:16px/1.5 system-ui;max-width:34rem;margin:4rem auto}button{padding:.5rem 1rem}</style>"
            f"<h1>Connect to account {self.portal_id}?</h1><p>Application {html.escape(asked['client_id'])} asks for:</p><ul>{scopes}</ul>"
            f'<form method="post" action="/oauth/authorize">{hidden}<button name="answer" value="approve">Approve</button> '
            '<button name="answer" value="deny">Deny</button></form>'
        )
        return Response(page, mimetype="text/html")

    def consented(self, request: Request) -> Response:
        form = request.form
        problem = self._asked_wrongly(form.get("client_id", ""), form.get("redirect_uri", ""))
        if problem:
            return Response(html.escape(problem), 400, mimetype="text/html")
        back: dict[str, str] = {}
        if form.get("answer") == "approve":
            back["code"] = f"eu1-{self.token(32)}"
            self.codes[back["code"]] = Grant(scopes=tuple(form.get("scope", "").split()), redirect_uri=form["redirect_uri"])
        else:
            back |= {"error": "access_denied", "error_description": "the person did not approve"}
        if form.get("state"):
            back["state"] = form["state"]
        mark = "&" if "?" in form["redirect_uri"] else "?"
        return redirect(f"{form['redirect_uri']}{mark}{urlencode(back)}", 302)

    def _asked_wrongly(self, client_id: str, redirect_uri: str) -> str:
        if client_id != self.client_id:
            return "This application is not known."
        allowed = redirect_uri.startswith(("http://", "https://")) if self.redirect_uris is None else redirect_uri in self.redirect_uris
        return "" if allowed else "The address to come back to is not one of the application's."

    # The token doors

    def token_given(self, request: Request) -> Response:
        # Only the first version takes parameters from the address as well.
        form = request.values if request.path == _TOKEN_DOORS[0] else request.form
        if form.get("client_id") != self.client_id or form.get("client_secret") != self.client_secret:
            raise _oauth("BAD_CLIENT_ID", "missing or unknown client id or secret", "invalid_client")
        kind = form.get("grant_type")
        if kind == "authorization_code":
            grant = self.codes.pop(form.get("code", ""), None)
            if grant is None:
                raise _oauth("BAD_AUTH_CODE", "missing or unknown auth code", "invalid_grant")
            if grant.redirect_uri != form.get("redirect_uri"):
                raise _oauth("BAD_REDIRECT_URI", "the redirect URI is not the one of the auth code", "invalid_grant")
        elif kind == "refresh_token":
            grant = self.grants.get(form.get("refresh_token", ""))
            if grant is None:
                raise _oauth("BAD_REFRESH_TOKEN", "missing or invalid refresh token", "invalid_grant")
        else:
            raise _oauth("BAD_GRANT_TYPE", "missing or unknown grant type", "unsupported_grant_type")
        return self.answer(self.issue(grant))

    def access_token_told(self, request: Request, token: str) -> Response:
        known = self.tokens.get(token)
        if known is None or known.grant is None or known.expires_at is None or known.expires_at <= self.now():
            raise missing("the token is unknown or has expired")
        return self.answer(self._told(token, known.grant, "access") | {"expires_in": self._left(known)})

    def refresh_token_told(self, request: Request, token: str) -> Response:
        if token not in self.grants:
            raise missing("the token is unknown")
        return self.answer(self._told(token, self.grants[token], "refresh"))

    def refresh_token_dropped(self, request: Request, token: str) -> Response:
        # Access tokens that were given before live on to their end.
        self.grants.pop(token, None)
        return self.answer(None, 204)

    def token_told(self, request: Request) -> Response:
        given = request.form.get("token", "")
        if given in self.grants:
            return self.answer(self._told(given, self.grants[given], "refresh") | {"token_use": "refresh_token", "active": True})
        known = self.tokens.get(given)
        if known is None or known.grant is None:
            raise _oauth("BAD_TOKEN", "missing or unknown token", "invalid_request")
        left = self._left(known)
        told = self._told(given, known.grant, "access") | {"token_use": "access_token", "active": left > 0, "expires_in": left}
        return self.answer(told | {"is_private_distribution": False, "signed_access_token": self._signed(known)})

    def token_dropped(self, request: Request) -> Response:
        if self.grants.pop(request.form.get("token", ""), None) is None:
            raise _oauth("BAD_REFRESH_TOKEN", "missing or invalid refresh token", "invalid_request")
        return self.answer(None, 204)

    def _told(self, text: str, grant: Grant, kind: str) -> dict[str, Any]:
        return {
            "token": text,
            "token_type": kind,
            "user": USER[0],
            "user_id": USER[1],
            "hub_id": self.portal_id,
            "hub_domain": "larkfield.example",
            "app_id": self.app_id,
            "client_id": self.client_id,
            "scopes": list(grant.scopes),
        }

    def _left(self, token: Token) -> int:
        return max(0, int((token.expires_at - self.now()).total_seconds())) if token.expires_at else 0

    def _signed(self, token: Token) -> dict[str, Any]:
        empty = (
            "appInstallId",
            "audience",
            "newSignature",
            "scopeToScopeGroupPks",
            "scopes",
            "signature",
            "trialScopeToScopeGroupPks",
            "trialScopes",
        )
        expires_at = int(token.expires_at.timestamp() * 1000) if token.expires_at else 0
        numbers = {"appId": self.app_id, "hubId": self.portal_id, "userId": USER[1], "installingUserId": USER[1], "expiresAt": expires_at}
        flags = dict.fromkeys(("isPrivateDistribution", "isServiceAccount", "isUserLevel"), False)
        return {**dict.fromkeys(empty, ""), **numbers, **flags, "hublet": "eu1"}


def _oauth(status: str, message: str, error: str) -> Refused:
    # The vendor's own words of old stand beside those of the standard.
    return Refused(message, status=status, error=error, error_description=message)
