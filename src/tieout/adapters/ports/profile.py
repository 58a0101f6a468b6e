"""How one kind of file is to be read: the answers a person or a survey of the columns gave, kept as plain data.

A field left empty (None) is filled in by the survey of the file at hand; a field that is set is believed, and rows that
contradict it are refused one by one. Nothing here is code, so a profile can be stored, shown, compared and edited.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec
import yaml

Kind = Literal["invoice", "credit_note", "payment", "customer", "allocation"]
Rounding = Literal["half_up", "half_even"]


class Condition(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`field` gets `value` where the cell of `column` is one of `equals`; else `otherwise` (empty: the field stays empty)."""

    column: str
    equals: tuple[str, ...]
    field: str
    value: str
    otherwise: str = ""


class Skip(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Rows to leave out, with the reason shown for each: the cell of `column` is one of `equals`."""

    column: str
    equals: tuple[str, ...]
    reason: str


class Source(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where the headers of a ready profile come from; `verified` only with a vendor page or a real export."""

    verified: bool = False
    citation: str = ""
    reason: str = ""


class Profile(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Everything needed to turn the rows of one kind of table into records.

    `columns` maps a field of the canonical model to a column header, or to `#4` for the fourth column. `aliases` and
    `requires` serve ready profiles: other headers for a field, and the headers that must all be there for the profile
    to be recognised. `header_row` is a line number from 1; 0 says that there is no header row.
    """

    name: str = ""
    title: str = ""
    kind: Kind = "invoice"
    kind_column: str = ""
    kinds: Mapping[str, str] = {}  # cell of kind_column -> kind, or "skip"
    columns: Mapping[str, str] = {}
    aliases: Mapping[str, tuple[str, ...]] = {}
    requires: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()  # headers that tell a ready profile that the file is of another kind
    fingerprint: str = ""
    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    header_row: int | None = None
    date_order: str | None = None  # DMY, MDY, YMD, excel, or an explicit format such as %d.%m.%y
    date_orders: Mapping[str, str] = {}  # per field, where a column deviates from date_order
    decimal_mark: str | None = None
    group_mark: str | None = None  # None: any mark that is not the decimal mark
    negative: str = "minus"  # minus (also trailing, also brackets), or the suffix that means minus: CR, DR
    credit_notes: Literal["positive", "negative"] = "positive"  # the sign that credit notes carry in this file
    payments: Literal["positive", "negative"] = "positive"  # the sign that money received carries in this file
    negative_invoices: Literal["refuse", "credit_note"] = "refuse"
    outgoing: Literal["skip", "refuse"] = "refuse"  # money out in a list of payments
    currency: str | None = None  # constant for the file, where no column says it
    symbols: Mapping[str, str] = {}  # sign in the amount cell -> ISO code, for signs that several currencies share
    rounding: Rounding | None = None  # None: more places than the currency has are refused
    constants: Mapping[str, str] = {}
    conditions: tuple[Condition, ...] = ()
    statuses: Mapping[str, str] = {}  # word of the source -> document or payment status
    skip: tuple[Skip, ...] = ()
    heading_field: str = ""  # field that a heading row above a group of rows fills
    one_per: Literal["row", "line"] = "row"  # line: consecutive rows with one number are the lines of one invoice
    whole_ids: bool = False  # identifiers stand there as 2960623488.0
    source: Source | None = None


def from_plain(body: Any) -> Profile:
    """A profile from plain data (JSON, YAML). Raises msgspec.ValidationError naming the path of what is wrong."""
    return msgspec.convert(body, Profile)


def load(path: Path) -> Profile:
    """A profile from a YAML or JSON file; its name is the file's unless it says otherwise. Raises ValueError."""
    try:
        text = path.read_text("utf-8")
        if path.suffix == ".json":
            profile = msgspec.json.decode(text, type=Profile)
        else:
            # Every scalar stays text: YAML would make a boolean of a column called "no".
            profile = msgspec.convert(yaml.load(text, Loader=yaml.BaseLoader), Profile, strict=False)  # noqa: S506
    except (yaml.YAMLError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path.name} is not a profile: {error}") from error
    return profile if profile.name else msgspec.structs.replace(profile, name=path.stem)
