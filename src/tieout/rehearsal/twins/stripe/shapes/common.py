"""What all objects share: a page of them, an address, a tombstone.

No object refers back to its owner, so none needs the collector (`gc=False`): a hundred thousand of them cost it nothing.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType

#: Any object of ours.
Shape = Struct
Metadata = dict[str, str]
Maybe = str | UnsetType
ABSENT = UNSET


class Listing(Struct, kw_only=True, gc=False):
    """A page of objects."""

    data: list[Any]
    has_more: bool = False
    url: str
    object: str = "list"


class Address(Struct, kw_only=True, gc=False):
    city: str | None = None
    country: str | None = None
    line1: str | None = None
    line2: str | None = None
    postal_code: str | None = None
    state: str | None = None


class Shipping(Struct, kw_only=True, gc=False):
    """Where goods go; its own name and phone."""

    address: Address
    name: str
    phone: str | None = None


class Tombstone(Struct, kw_only=True, gc=False):
    """What stands where a deleted object was."""

    id: str
    object: str
    deleted: bool = True


class Kinded(Struct, kw_only=True, frozen=True, gc=False):
    """An object of which only the kind is told."""

    type: str


class Field(Struct, kw_only=True, gc=False):
    """A custom field printed on an invoice."""

    name: str
    value: str


def plain(shape: Any) -> Any:
    """The object as dictionaries and lists, a copy of its own."""
    return msgspec.to_builtins(shape)
