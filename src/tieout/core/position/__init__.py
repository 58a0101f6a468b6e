"""What is open, contested and on the way: for a document or a customer, as of a day, as known at a moment (promise P5).

`position(...)` judges one document from structs, `positions(...)` many over polars columns; they agree. The rule is in
`docs/formulas/position.md`.
"""

from tieout.core.position.facts import Applied, Dispute, DocumentKind, OnTheWay, Version, in_force, known
from tieout.core.position.frames import by_customer, frame, positions, schema
from tieout.core.position.rows import Position, by_due_date, position

__all__ = [
    "Applied",
    "Dispute",
    "DocumentKind",
    "OnTheWay",
    "Position",
    "Version",
    "by_customer",
    "by_due_date",
    "frame",
    "in_force",
    "known",
    "position",
    "positions",
    "schema",
]
