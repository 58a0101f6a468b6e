"""Spreadsheets: xlsx, the older xls, and ods."""

from __future__ import annotations

from pathlib import Path

from tieout.adapters.formats.xlsx.read import open_table
from tieout.adapters.formats.xlsx.recognise import recognise
from tieout.adapters.ports.table.road import TableFormat

FORMAT = TableFormat(name="xlsx", title="spreadsheet (xlsx, xls, ods)", folder=Path(__file__).parent, recognise=recognise, open_table=open_table)
