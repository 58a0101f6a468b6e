"""From how a customer stands to what a letter says: which of its documents it still names, and with which figures."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping

from tieout.core.party import tidy
from tieout.stages.outreach.said import Said, SaidItem, StatementRow
from tieout.stages.outreach.standing import Document


def named(documents: Mapping[int, Document], wanted: Iterable[int]) -> list[Document]:
    """Of the wanted documents those a letter names now.

    What is paid, void or held in whole is left out while anything else remains to be asked for; else all that is still open
    stays, so that the gate holds the letter with its reason. Nothing left: the letter has lost its cause.
    """
    asked = set(wanted)
    still = [one for key, one in documents.items() if key in asked and one.open_minor > 0 and one.kind == "invoice"]
    free = [one for one in still if one.demandable_minor > 0]
    return free or still


def tell(*, named: Iterable[Document], documents: Mapping[int, Document], customer: str, recipient: str, language: str, today: dt.date) -> Said:
    """The facts of a letter about these documents, with a statement of everything open."""
    return Said(
        as_of=today,
        language=language,
        customer=tidy(customer),
        recipient=tidy(recipient),
        items=tuple(_item(one, today) for one in named),
        statement=tuple(_row(one) for one in documents.values() if one.open_minor > 0),
    )


def _item(one: Document, today: dt.date) -> SaidItem:
    return SaidItem(
        document_id=one.id,
        number=tidy(one.number),
        currency=one.currency,
        amount_minor=one.amount_minor,
        paid_minor=one.amount_minor - one.open_minor,
        open_minor=one.open_minor,
        disputed_minor=min(one.contested_minor, one.open_minor),
        demanded_minor=max(one.open_minor - one.contested_minor, 0),
        issue_date=one.issue_date,
        due_date=one.due_date,
        days_late=max((today - one.due_date).days, 0) if one.due_date else 0,
    )


def _row(one: Document) -> StatementRow:
    sign = -1 if one.kind == "credit_note" else 1
    return StatementRow(
        kind=one.kind,
        number=tidy(one.number),
        currency=one.currency,
        amount_minor=sign * one.amount_minor,
        open_minor=sign * one.open_minor,
        issue_date=one.issue_date,
        due_date=one.due_date,
        disputed_minor=min(one.contested_minor, one.open_minor),
    )
