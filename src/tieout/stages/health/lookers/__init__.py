"""Everything that is looked at, one file each; dropping a file in adds a looker (docs/adding/looker.md).

A file offers `KINDS` (each kind of alert it may raise, with its title as a person chooses by it) and `look(given)`, which yields a
`Sight` for each cause that lasts just now. It says nothing of what is in order: what is not seen any more is over.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import cast

from tieout.stages.health.sight import Looker


@cache
def known() -> Mapping[str, Looker]:
    """Every looker of this folder, by the name of its file."""
    return MappingProxyType({
        module.name: cast(Looker, importlib.import_module(f"{__name__}.{module.name}")) for module in pkgutil.iter_modules(__path__)
    })  # fmt: skip


@cache
def kinds() -> Mapping[str, str]:
    """Every kind of alert there is, with its title, in the order of the lookers."""
    return MappingProxyType({kind: title for looker in known().values() for kind, title in looker.KINDS.items()})
