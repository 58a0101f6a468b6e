"""Rule packs: policies and contact rules as dated data, read once and kept."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import yaml

from tieout.core.policy import contact

_HERE = Path(__file__).parent


def pack_text(name: str) -> str:
    """The text of the pack `name` (without `.yaml`) as it is shipped."""
    return (_HERE / f"{name}.yaml").read_text(encoding="utf-8")


@cache
def contact_rules() -> contact.ContactRules:
    """The contact rules in force (pack `contact`)."""
    return contact.read_rules(yaml.safe_load(pack_text("contact")))
