"""Who said or did something, and what was found wrong: shared by every record that must explain itself."""

from __future__ import annotations

from typing import Literal

import msgspec

ActorKind = Literal["person", "source", "machine"]

#: People outrank sources, sources outrank automation (promise P6).
RANK: dict[str, int] = {"person": 3, "source": 2, "machine": 1}


class Actor(msgspec.Struct, frozen=True):
    """Who acts: `kind` decides the rank, `name` is what a reader sees, `id` is the person's key if any."""

    kind: ActorKind
    name: str
    id: int | None = None

    @property
    def rank(self) -> int:
        return RANK[self.kind]


def may_overwrite(actor: Actor, previous_rank: int) -> bool:
    """Whether `actor` may replace what somebody of `previous_rank` has set: never downwards."""
    return actor.rank >= previous_rank


class Refused(msgspec.Struct, frozen=True):
    """A business refusal: nothing was changed, and `reason` says in words why. A value to show and count, not an error."""

    reason: str


class Finding(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="finding", omit_defaults=True):
    """Something wrong at a door: what, where, and what to do. `blocking` means the row was not taken."""

    code: str
    message: str
    line: int | None = None
    column: str | None = None
    field: str | None = None
    value: str | None = None
    blocking: bool = True
    source_format: str = ""
