"""CSV and its cousins: cells divided by comma, semicolon, tab or bar, in any usual encoding."""

from __future__ import annotations

from pathlib import Path

from tieout.adapters.formats.csv.read import open_table
from tieout.adapters.formats.csv.recognise import recognise
from tieout.adapters.ports.table.road import TableFormat

FORMAT = TableFormat(name="csv", title="CSV (comma, semicolon, tab)", folder=Path(__file__).parent, recognise=recognise, open_table=open_table)
