"""Conditions of the policy language, one file each; dropping a file in adds a condition (docs/adding/condition.md).

A condition module offers `read(spot)` (its parameters, with positions for errors), `holds(parameters, item, situation,
today)` (row form), `column(parameters, today)` (the same over a frame of open items, see `policy/columns.py`),
`says(parameters, item, situation, today)` (the sentence for the trace) and `CASES` (one table that tests both forms).
"""

from __future__ import annotations

import datetime as dt
import importlib
import pkgutil
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import msgspec
import polars as pl

from tieout.core.policy.parameters import Case
from tieout.core.policy.schema import Spot
from tieout.core.policy.situation import Item, Situation


class Condition(msgspec.Struct, frozen=True):
    """One condition: its name in a policy file and its five parts."""

    name: str
    read: Callable[[Spot], Any]
    holds: Callable[[Any, Item, Situation, dt.date], bool]
    column: Callable[[Any, dt.date], pl.Expr]
    says: Callable[[Any, Item, Situation, dt.date], str]
    cases: tuple[Case, ...]


@cache
def known() -> Mapping[str, Condition]:
    """Every condition found in this folder, by the name of its file."""
    found = {}
    for module in pkgutil.iter_modules(__path__):
        part = importlib.import_module(f"{__name__}.{module.name}")
        found[module.name] = Condition(module.name, part.read, part.holds, part.column, part.says, tuple(part.CASES))
    return found
