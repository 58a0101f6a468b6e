"""The endpoints of consent: the question to a person, the token endpoint, revocation, and the document that lists them."""

from __future__ import annotations

from typing import ClassVar

from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from tieout.rehearsal.twins.quickbooks import pages
from tieout.rehearsal.twins.quickbooks.books import Company
from tieout.rehearsal.twins.quickbooks.oauth import OAuthRefused, Permissions
from tieout.rehearsal.twins.twin import answer_json


class SigningIn:
    """What a twin needs to let an app in."""

    permissions: Permissions
    companies: dict[str, Company]
    doors_of_consent: ClassVar[tuple[tuple[str, tuple[str, ...], str], ...]] = (
        ("/connect/oauth2", ("GET",), "consent"),
        ("/connect/oauth2", ("POST",), "consented"),
        ("/oauth2/v1/tokens/bearer", ("POST",), "bearer"),
        ("/v2/oauth2/tokens/revoke", ("POST",), "revoke"),
        ("/.well-known/openid_configuration", ("GET",), "discovery"),
        ("/.well-known/openid_sandbox_configuration", ("GET",), "discovery"),
    )

    def _tid(self) -> dict[str, str]:
        """The trace every answer carries; the twin makes it."""
        return {}

    def consent(self, request: Request) -> Response:
        try:
            self.permissions.check(request.args)
        except OAuthRefused as refused:
            return Response(pages.refused(str(refused)), 400, mimetype="text/html")
        return Response(pages.consent(request.args, self.companies.values()), mimetype="text/html")

    def consented(self, request: Request) -> Response:
        form = request.form.to_dict()
        answer, realm = form.pop("answer", ""), form.pop("realm", "")
        try:
            if answer != "approve" or realm not in self.companies:
                return redirect(self.permissions.refuse(form))
            return redirect(self.permissions.approve(form, realm))
        except OAuthRefused as refused:
            return Response(pages.refused(str(refused)), 400, mimetype="text/html")

    def bearer(self, request: Request) -> Response:
        try:
            return answer_json(self.permissions.answer(request.form, request.headers.get("Authorization", "")), 200, self._tid())
        except OAuthRefused as refused:
            return answer_json(refused.body, refused.status, self._tid())

    def revoke(self, request: Request) -> Response:
        try:
            self.permissions.authenticate(request.headers.get("Authorization", ""))
            given = request.form if request.form else (request.get_json(silent=True) or {})
            self.permissions.revoke(str(given.get("token", "")))
        except OAuthRefused as refused:
            return answer_json(refused.body, refused.status, self._tid())
        return Response("", 200, self._tid())

    def discovery(self, request: Request) -> Response:
        root = request.host_url.rstrip("/")
        return answer_json(
            {
                "issuer": root,
                "authorization_endpoint": f"{root}/connect/oauth2",
                "token_endpoint": f"{root}/oauth2/v1/tokens/bearer",
                "revocation_endpoint": f"{root}/v2/oauth2/tokens/revoke",
                "userinfo_endpoint": f"{root}/v1/openid_connect/userinfo",
                "jwks_uri": f"{root}/op/v1/jwks",
                "response_types_supported": ["code"],
                "code_challenge_methods_supported": ["S256"],
            }
        )
