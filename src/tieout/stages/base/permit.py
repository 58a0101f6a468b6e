"""Who may do what: a table, denied by default."""

from __future__ import annotations

#: Act → roles that may do it. An act not listed is nobody's.
ACTS: dict[str, frozenset[str]] = {
    "view": frozenset({"owner", "admin", "collector", "approver", "auditor"}),
    "import": frozenset({"owner", "admin", "collector"}),
    "connect": frozenset({"owner", "admin"}),
    "vouch": frozenset({"owner"}),  # for a system that goes live: that its pilot was right, or that nobody need wait for the rest
    "apply_cash": frozenset({"owner", "admin", "collector"}),
    "write_off": frozenset({"owner", "admin", "approver"}),
    "correct": frozenset({"owner", "admin", "collector"}),
    "talk": frozenset({"owner", "admin", "collector"}),  # notes, holds, promises, disputes, tasks, replies
    "draft": frozenset({"owner", "admin", "collector"}),
    "approve": frozenset({"owner", "admin", "approver"}),
    "release": frozenset({"owner", "admin"}),
    "policy": frozenset({"owner", "admin"}),
    "stop": frozenset({"owner", "admin", "approver", "collector"}),
    "settings": frozenset({"owner", "admin"}),
    "team": frozenset({"owner", "admin"}),
    "audit": frozenset({"owner", "admin", "auditor"}),
    "export": frozenset({"owner", "admin", "collector", "approver", "auditor"}),
    "demo": frozenset({"owner", "admin", "collector", "approver"}),
}


class NotPermitted(Exception):
    """The person's role does not include this act."""


def allowed(role: str | None, act: str) -> bool:
    """Whether `role` may do `act`; unknown roles and unlisted acts may not."""
    return role in ACTS.get(act, frozenset())


def require(role: str | None, act: str) -> None:
    """Raise NotPermitted where `role` may not do `act`."""
    if not allowed(role, act):
        raise NotPermitted(f"the role {role or 'none'} may not {act.replace('_', ' ')}")
