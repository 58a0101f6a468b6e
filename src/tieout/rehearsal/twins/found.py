"""The twins there are, by their folders."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from typing import Any

from tieout.rehearsal import twins as package


def twins() -> Mapping[str, Any]:
    """Every twin's class by name. A folder under `twins/` exports `TWIN`."""
    found = {}
    for module in pkgutil.iter_modules(package.__path__):
        if module.ispkg:
            twin = importlib.import_module(f"{package.__name__}.{module.name}").TWIN
            found[twin.name] = twin
    return found
