"""What an adapter may raise, named by what happens next. Four are enough."""

from __future__ import annotations

import datetime as dt
from typing import Any


class PortError(Exception):
    """Base of the four; `str()` is a sentence a user can read."""


class TryLater(PortError):
    """The other side is busy or away; `at` says when to come back, None means by the usual back-off."""

    def __init__(self, message: str, *, at: dt.datetime | None = None) -> None:
        super().__init__(message)
        self.at = at


class NeedsPerson(PortError):
    """Somebody must reconnect, approve or answer a question before it can go on; `questions` holds what is asked."""

    def __init__(self, message: str, *, questions: tuple[Any, ...] = ()) -> None:
        super().__init__(message)
        self.questions = questions


class NotPermitted(NeedsPerson):
    """We are let in, but not to this (403): the permission for it is missing. An adapter for which the rest still makes sense
    says so with Unsupported."""


class BadRecord(PortError):
    """This record cannot be taken; the others go on. Carries where it stood."""

    def __init__(self, message: str, *, line: int | None = None, column: str | None = None, field: str | None = None) -> None:
        super().__init__(message)
        self.line = line
        self.column = column
        self.field = field


class Unsupported(PortError):
    """The whole thing is of a kind we do not handle; said early and plainly."""
