"""The gate's answer: each check with its sentence, what would release it, and the certificate when all passed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Protocol

import msgspec

from tieout.core.days import Window

#: How long a certificate may be used: the provider is called within this time of the claim, or the gate is asked again.
CERTIFICATE_SECONDS = 5


class Rules(Protocol):
    """What the gate needs of the contact rules in force; `core.policy.contact.ContactRules` is one."""

    @property
    def version(self) -> int: ...
    @property
    def as_of(self) -> dt.date: ...
    @property
    def window(self) -> Window: ...
    @property
    def holidays_off(self) -> bool: ...
    @property
    def max_messages(self) -> int: ...
    @property
    def window_days(self) -> int: ...
    @property
    def business_only(self) -> bool: ...
    @property
    def promise_grace_days(self) -> int: ...
    @property
    def rule_ids(self) -> Mapping[str, str]: ...


class Check(msgspec.Struct, frozen=True, omit_defaults=True):
    """One question and its answer.

    `release` says what would turn a refusal; `until` is the moment at which time alone does so, None where an event must.
    `rule` is the id of the contact rule that was asked, where the check is one of law and not of our own books.
    """

    code: str
    passed: bool
    detail: str
    release: str = ""
    until: dt.datetime | None = None
    rule: str = ""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to one question. With `allowed` it is the certificate of promise P1, good until `expires_at`.

    `next_allowed_at` is set on a refusal that time alone will lift; None where somebody or something must act first.
    `inputs_hash` is the SHA-256 of the facts as canonical JSON, so that a stored certificate can be replayed.
    """

    allowed: bool
    checks: tuple[Check, ...]
    rules_version: str
    inputs_hash: str
    asked_at: dt.datetime
    expires_at: dt.datetime | None = None
    next_allowed_at: dt.datetime | None = None

    @property
    def refusals(self) -> tuple[Check, ...]:
        """The checks that failed, in the order asked."""
        return tuple(c for c in self.checks if not c.passed)


def passed(code: str, detail: str, *, rule: str = "") -> Check:
    """A check that is satisfied."""
    return Check(code, True, detail, rule=rule)


def refused(code: str, detail: str, release: str, until: dt.datetime | None = None, *, rule: str = "") -> Check:
    """A check that blocks, with what would release it."""
    return Check(code, False, detail, release, until, rule)
