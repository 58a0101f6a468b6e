"""OAuth2 consent: asked with state and PKCE, tokens kept encrypted, renewed by one worker at a time and stored before first use.

A refresh token that rotates is lost by two workers who use it together; the connection's row is the lock, and whoever comes second
finds the new tokens already there.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec
from authlib.common.security import generate_token
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.httpx_client import OAuth2Client
from httpx2 import HTTPError, Response

from tieout.adapters.ports import registry
from tieout.adapters.ports.connector import Connector, OAuth
from tieout.adapters.ports.errors import NeedsPerson, TryLater
from tieout.flow import clock
from tieout.stages.base import crash, secret, walls
from tieout.stages.intake import system
from tieout.stages.intake.models import Connection

KEYS = ("access_token", "refresh_token")
#: An app's own id and secret, as connect forms call them.
APP = ("client_id", "client_secret")
#: So many days before a consent runs out somebody is asked to renew it.
SOON_DAYS = 14
#: The refusals of a token endpoint that pass by themselves (RFC 6749, 4.1.2.1).
_PASSING = frozenset({"temporarily_unavailable", "server_error"})


class Ends(msgspec.Struct, frozen=True):
    """When a consent runs out, and in how many days at most (0: it has run out). `soon` is when a person should see to it."""

    at: dt.datetime
    days: int
    soon: bool


def ends(account: Mapping[str, Any], *, now: dt.datetime) -> Ends | None:
    """When the consent behind a connection runs out; None where it does not, or nobody said."""
    until = account.get("refresh_expires_at")
    if not until:
        return None
    at = dt.datetime.fromisoformat(str(until))
    days = max(0, math.ceil((at - now) / dt.timedelta(days=1)))
    return Ends(at, days, days <= SOON_DAYS)


def ask(*, connector: Connector, settings: Mapping[str, Any], client_id: str, return_url: str) -> tuple[str, str, str]:
    """(address to send the person to, state, verifier). State and verifier are kept until they return."""
    oauth = _oauth(connector)
    verifier = generate_token(64)
    with _client(client_id, "", oauth, return_url) as client:
        address, state = client.create_authorization_url(_address(settings, oauth, oauth.authorize), code_verifier=verifier if oauth.pkce else None)
    return address, state, verifier


def tokens(
    *, connector: Connector, settings: Mapping[str, Any], client_id: str, client_secret: str, return_url: str, code: str, verifier: str
) -> dict[str, Any]:
    """The tokens a code stands for. Raises NeedsPerson where the other side does not give them."""
    oauth = _oauth(connector)
    with _client(client_id, client_secret, oauth, return_url) as client:
        return _fetched(lambda: client.fetch_token(
            _address(settings, oauth, oauth.token), code=code, code_verifier=verifier if oauth.pkce else None, grant_type="authorization_code"
        ))  # fmt: skip


def renew(organisation_id: UUID, connection_id: int, *, spent: str) -> dict[str, str]:
    """The tokens in force: renewed where the one that was `spent` is still the one stored. Both are stored before either is used."""
    with walls.inside(organisation_id):
        row = Connection.objects.select_for_update(of=("self",), no_key=True).get(pk=connection_id)
        connector = registry.connectors()[row.vendor]
        oauth = _oauth(connector)
        kept = system.secrets(connection_id=row.pk, keys=(*KEYS, *APP))
        if kept.get("access_token") not in (None, spent):
            return {key: kept[key] for key in KEYS if key in kept}
        if "refresh_token" not in kept:
            raise NeedsPerson(f"{row.name} has no refresh token; connect it again")
        with _client(kept.get("client_id", ""), kept.get("client_secret", ""), oauth, "") as client:
            told = _fetched(lambda: client.refresh_token(_address(row.settings, oauth, oauth.token), refresh_token=kept["refresh_token"]))
        # Where the token rotated, a worker that dies here has lost it: the next one is told no, and says to connect again.
        crash.point("consent.after_fetch")
        return store(connection=row, told=told)


def store(*, connection: Connection, told: Mapping[str, Any]) -> dict[str, str]:
    """Keep tokens with when they run out; in the running transaction."""
    now = clock.real_now()
    fresh = {key: str(told[key]) for key in KEYS if told.get(key)}
    for key, value in fresh.items():
        secret.put(name=system.secret_name(connection.pk, key), value=value, now=now)
    expires = {}
    if told.get("expires_in"):
        expires["access_expires_at"] = (now + dt.timedelta(seconds=int(told["expires_in"]))).isoformat()
    refresh_seconds = told.get("x_refresh_token_expires_in") or told.get("refresh_token_expires_in")
    if refresh_seconds:
        expires["refresh_expires_at"] = (now + dt.timedelta(seconds=int(refresh_seconds))).isoformat()
    connection.account = {**connection.account, **expires}
    connection.save(update_fields=["account"])
    return fresh


def revoke(organisation_id: UUID, connection_id: int) -> None:
    """Tell the other side that our tokens are no longer good. Raises the errors of the ports where it does not take that."""
    with walls.inside(organisation_id):
        row = Connection.objects.get(pk=connection_id)
        connector = registry.connectors()[row.vendor]
        if connector.manifest.oauth is None:
            return
        kept = system.secrets(connection_id=row.pk, keys=(*KEYS, *APP))
    if "refresh_token" in kept:
        withdraw(connector=connector, settings=row.settings, secrets=kept)


def withdraw(*, connector: Connector, settings: Mapping[str, Any], secrets: Mapping[str, str]) -> None:
    """End a consent at the other side, by its refresh token. Raises NeedsPerson, TryLater."""
    oauth = _oauth(connector)
    with _client(secrets.get("client_id", ""), secrets.get("client_secret", ""), oauth, "") as client:
        try:
            answer = client.revoke_token(_address(settings, oauth, oauth.revoke), token=secrets["refresh_token"])
        except HTTPError as error:
            raise TryLater(f"it cannot be reached ({type(error).__name__})") from error
    if answer.status_code >= 300:
        raise NeedsPerson(f"it answers {answer.status_code}; remove the app in {connector.manifest.title} itself")


def _oauth(connector: Connector) -> OAuth:
    if connector.manifest.oauth is None:
        raise NeedsPerson(f"{connector.manifest.title} is connected by a key, not by consent")
    return connector.manifest.oauth


def _address(settings: Mapping[str, Any], oauth: OAuth, path: str) -> str:
    return path if path.startswith("https://") and not settings.get(oauth.base) else f"{settings[oauth.base].rstrip('/')}{_path(path)}"


def _path(address: str) -> str:
    return "/" + address.split("://", 1)[1].split("/", 1)[1] if "://" in address else address


def _client(client_id: str, client_secret: str, oauth: OAuth, return_url: str) -> OAuth2Client:
    how = {"header": "client_secret_basic", "body": "client_secret_post"}[oauth.secret_in]
    client = OAuth2Client(
        client_id=client_id, client_secret=client_secret, scope=" ".join(oauth.scopes), redirect_uri=return_url,
        code_challenge_method="S256" if oauth.pkce else None, token_endpoint_auth_method=how, revocation_endpoint_auth_method=how, timeout=15,
        trust_env=False,
    )  # fmt: skip
    for answered in ("access_token_response", "refresh_token_response"):
        client.register_compliance_hook(answered, _busy)
    return client


def _busy(answer: Response) -> Response:
    # Too many requests, or a fault of theirs, is no refusal of the consent, whatever the body says.
    if answer.status_code == 429 or answer.status_code >= 500:
        answer.raise_for_status()
    return answer


def _fetched(ask_for: Any) -> dict[str, Any]:
    try:
        told: dict[str, Any] = ask_for()
    except OAuthError as error:
        if error.error in _PASSING:
            raise TryLater(f"no tokens could be fetched: {error.error}") from error
        raise NeedsPerson(f"the other side gives no tokens ({error.error}: {error.description}); connect again") from error
    except (HTTPError, ValueError) as error:
        raise TryLater(f"no tokens could be fetched: {type(error).__name__}") from error
    if not told.get("access_token"):
        raise TryLater("no tokens could be fetched: the answer holds none")
    return told
