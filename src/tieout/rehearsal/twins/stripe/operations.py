"""One request Stripe answers: method, path, what it takes, and the function that answers it from the books."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from tieout.rehearsal.twins.stripe import forms


class Operation(msgspec.Struct, frozen=True):
    """`answer` is called with the books, with the parameters given where it takes any, and with the parts of the path by name."""

    method: str
    rule: str
    answer: Callable[..., Any]
    takes: forms.Takes = {}
    required: tuple[str, ...] = ()

    def read(self, encoded: str) -> forms.Given:
        """The parameters of a request. Raises Refused."""
        return forms.read({**self.takes, "expand": forms.list_of(forms.text)}, forms.tree(encoded), required=self.required)
