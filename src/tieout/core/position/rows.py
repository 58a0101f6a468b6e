"""One document's position from its facts; the row form that explains itself. `frames.py` is the same over columns."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

import msgspec

from tieout.core.position.facts import NOT_A_CLAIM, UNDER_WAY, Applied, Dispute, DocumentKind, OnTheWay, Version, in_force, known


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """Where one document stands as of a day, as known at a moment; minor units of `currency`.

    derived_minor: the amount less what was applied, never below 0. open_minor: the lower of derived and reported.
    over_minor: applied beyond the amount. contested_minor, on_the_way_minor: parts of what is open, together at most all of it
    (for money under way as a payment of its own, `on_the_way_minor` is that payment). differs: the source reports another
    figure than we derive.
    """

    document_id: str
    kind: DocumentKind
    customer_id: str | None
    currency: str
    status: str
    document_date: dt.date | None
    due_date: dt.date | None
    amount_minor: int
    applied_minor: int
    derived_minor: int
    reported_minor: int | None
    open_minor: int
    over_minor: int
    contested_minor: int
    on_the_way_minor: int
    differs: bool

    @property
    def free_minor(self) -> int:
        """What may be asked for: open, not contested, not on its way."""
        return self.open_minor - self.contested_minor - self.on_the_way_minor if self.kind != "payment" else 0


def position(
    versions: Iterable[Version],
    applied: Iterable[Applied] = (),
    disputes: Iterable[Dispute] = (),
    on_the_way: Iterable[OnTheWay] = (),
    *,
    day: dt.date,
    known_at: dt.datetime,
) -> Position | None:
    """The position of one document on `day` as known at `known_at`; None where it was not known, or dated later.

    `versions`, `disputes` and `on_the_way` are of this document; `applied` may hold more and is picked by id: by the
    document it is set against for an invoice, by its source for a payment; a credit note counts either way.
    """
    current = [v for v in versions if known(v.recorded_at, v.superseded_at, known_at)]
    if not current:
        return None
    version = sorted(current, key=lambda v: v.recorded_at)[-1]
    if version.document_date is not None and version.document_date > day:
        return None
    live = [a for a in applied if a.date <= day and known(a.recorded_at, a.retracted_at, known_at)]
    used = sum(a.amount_minor for a in live if _concerns(a, version))
    open_minor, over, reported = _open(version, used, day)
    is_claim = version.status not in NOT_A_CLAIM
    derived = max(version.amount_minor - used, 0) if is_claim else 0
    moving = derived if version.kind == "payment" and version.status in UNDER_WAY else 0
    contested = _contested(list(disputes), open_minor, day, known_at)
    announced = sum(o.amount_minor for o in on_the_way if in_force(o.from_date, o.until_date, day) and known(o.recorded_at, o.retracted_at, known_at))
    return Position(
        document_id=version.document_id,
        kind=version.kind,
        customer_id=version.customer_id,
        currency=version.currency,
        status=version.status,
        document_date=version.document_date,
        due_date=version.due_date,
        amount_minor=version.amount_minor,
        applied_minor=used,
        derived_minor=derived,
        reported_minor=reported,
        open_minor=open_minor,
        over_minor=over,
        contested_minor=contested,
        on_the_way_minor=moving or min(announced, open_minor - contested),
        differs=reported is not None and is_claim and reported != derived,
    )


def _concerns(applied: Applied, version: Version) -> bool:
    if version.kind == "invoice":
        return applied.document_id == version.document_id
    if version.kind == "payment":
        return applied.source_id == version.document_id
    return version.document_id in (applied.source_id, applied.document_id)


def _open(version: Version, used: int, day: dt.date) -> tuple[int, int, int | None]:
    """Open, over-applied, and the reported figure where it speaks of `day`."""
    reported = version.reported_open_minor
    if version.reported_date is not None and version.reported_date > day:
        reported = None
    if version.status in NOT_A_CLAIM:
        return 0, 0, reported
    left = version.amount_minor - used
    open_minor = max(left, 0)
    if reported is not None:
        open_minor = min(open_minor, max(reported, 0))
    if version.kind == "payment" and version.status in UNDER_WAY:
        open_minor = 0
    return open_minor, max(-left, 0), reported


def _contested(disputes: Sequence[Dispute], open_minor: int, day: dt.date, known_at: dt.datetime) -> int:
    live = [d for d in disputes if in_force(d.from_date, d.until_date, day) and known(d.recorded_at, d.retracted_at, known_at)]
    if any(d.amount_minor is None for d in live):
        return open_minor
    return min(sum(d.amount_minor or 0 for d in live), open_minor)


def by_due_date(open_minor: int, dues: Sequence[tuple[dt.date | None, int]]) -> list[tuple[dt.date | None, int]]:
    """What is open of each instalment, money having settled the earliest first; the parts sum to `open_minor`.

    `dues` are (due date, amount in minor units) summing to the document's amount; one without a date is settled last.
    """
    left = open_minor
    parts: list[tuple[dt.date | None, int]] = []
    order = sorted(range(len(dues)), key=lambda i: (dues[i][0] is not None, dues[i][0] or dt.date.max, i))
    undated_last = [i for i in order if dues[i][0] is not None] + [i for i in order if dues[i][0] is None]
    for i in reversed(undated_last):
        part = min(left, dues[i][1])
        left -= part
        parts.append((dues[i][0], part))
    if left and parts:
        # More is open than the instalments say: the difference is due with the earliest, never dropped.
        parts[-1] = (parts[-1][0], parts[-1][1] + left)
    return parts[::-1]
