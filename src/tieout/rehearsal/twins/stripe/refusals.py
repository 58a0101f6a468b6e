"""Every no that Stripe says, as one exception that knows its envelope. Wording is ours; types, codes, params and statuses are Stripe's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

_INVALID = "invalid_request_error"


class Refused(Exception):
    """Stripe says no; `code` and `param` say why, the message says it in words."""

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        status: int = 400,
        kind: str = _INVALID,
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(message)
        self.message, self.code, self.param, self.status, self.kind = message, code, param, status, kind
        self.headers = headers or {}
        self.more = more

    def envelope(self) -> dict[str, Any]:
        """The body; what is not known is left out, as Stripe does."""
        error: dict[str, Any] = {}
        if self.code:
            error["code"] = self.code
            error["doc_url"] = f"https://stripe.com/docs/error-codes/{self.code.replace('_', '-')}"
        error["message"] = self.message
        if self.param:
            error["param"] = self.param
        return {"error": {**error, "type": self.kind, **self.more}}


def no_key() -> Refused:
    return Refused("No API key was given: send it as `Authorization: Bearer <key>` or as the user of Basic authentication", status=401)


def wrong_key(key: str) -> Refused:
    return Refused(f"Invalid API Key provided: {_masked(key)}", status=401)


def expired_key(key: str) -> Refused:
    return Refused(f"Expired API Key provided: {_masked(key)}", code="api_key_expired", status=401)


def not_permitted(key: str, account: str) -> Refused:
    return Refused(f"The key {_masked(key)} of account {account} may read only; this request needs a write permission", status=403)


def _masked(key: str) -> str:
    return f"{key[:8]}{'*' * max(len(key) - 12, 0)}{key[-4:]}" if len(key) > 12 else "*" * len(key)


def unknown_version(version: str) -> Refused:
    return Refused(f"Invalid Stripe API version: {version}")


def unknown_path(method: str, path: str) -> Refused:
    return Refused(f"Unrecognized request URL ({method}: {path})", status=404)


def too_many() -> Refused:
    return Refused("Request rate limit exceeded", code="rate_limit", status=429, headers={"Stripe-Rate-Limited-Reason": "global-rate"})


def broken() -> Refused:
    return Refused("An unknown error occurred", status=500, kind="api_error")


def unknown_parameters(names: Sequence[str]) -> Refused:
    return Refused(f"Received unknown parameter{'s' if len(names) > 1 else ''}: {', '.join(names)}", code="parameter_unknown", param=names[0])


def missing_parameter(name: str) -> Refused:
    return Refused(f"Missing required param: {name}.", code="parameter_missing", param=name)


def empty_parameter(name: str) -> Refused:
    return Refused(f"{name} was sent empty, which means to unset it, and it cannot be unset", code="parameter_invalid_empty", param=name)


def invalid_integer(name: str, value: str) -> Refused:
    return Refused(f"Invalid integer: {value}", code="parameter_invalid_integer", param=name)


def out_of_range(name: str, value: int, *, least: int | None = None, most: int | None = None) -> Refused:
    bound = f"greater than or equal to {least}" if least is not None else f"less than or equal to {most}"
    return Refused(f"This value must be {bound} (it currently is '{value}').", code="parameter_invalid_integer", param=name)


def invalid(name: str, message: str, code: str | None = None) -> Refused:
    return Refused(message, code=code, param=name)


def exclusive(*names: str) -> Refused:
    return Refused(f"Only one of these parameters may be given: {', '.join(names)}", code="parameters_exclusive", param=names[0])


def no_such(kind: str, identity: str, *, param: str, status: int = 404) -> Refused:
    return Refused(f"No such {kind}: '{identity}'", code="resource_missing", param=param, status=status)


def not_expandable(path: str) -> Refused:
    return Refused(f"This property cannot be expanded ({path}).", param="expand")


def not_editable(message: str) -> Refused:
    return Refused(message, code="invoice_not_editable")


def wrong_state(message: str, code: str | None = None) -> Refused:
    """The object is not in a state that allows it."""
    return Refused(message, code=code)


def declined(reason: str, charge: str) -> Refused:
    """The card was declined; the charge exists, failed."""
    message = "Your card has insufficient funds." if reason == "insufficient_funds" else "Your card was declined."
    return Refused(message, code="card_declined", status=402, kind="card_error", decline_code=reason, charge=charge)


def other_parameters(key: str) -> Refused:
    return Refused(f"The idempotency key '{key}' was first used with other parameters", kind="idempotency_error")


def other_endpoint(key: str, first: str, now: str) -> Refused:
    return Refused(f"The idempotency key '{key}' was first used for {first}, not for {now}", kind="idempotency_error")
