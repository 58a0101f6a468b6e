"""Which column holds which field: from a given profile, a ready one, or the header words. What stays open is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from tieout.adapters.ports.format import Option, Question
from tieout.adapters.ports.profile import Kind, Profile
from tieout.adapters.ports.table import headers, words
from tieout.adapters.ports.table.columns import Looked

KIND_TITLES: dict[Kind, str] = {
    "invoice": "invoices",
    "credit_note": "credit notes",
    "payment": "payments received",
    "customer": "customers",
    "allocation": "allocations of payments to documents",
}

_MONEYED: tuple[Kind, ...] = ("invoice", "payment")

Settled = tuple[Profile, tuple[Question, ...]]


def settle(header: Sequence[str], looked: Looked, *, profile: Profile | None, answers: Mapping[str, str], ready: Mapping[str, Profile]) -> Settled:
    """A profile whose columns all exist in `header`, or the questions that stand in the way."""
    base = profile or headers.best_ready(header, ready)
    if base is None or not base.columns:
        return _propose(header, looked, base, answers)
    bound = bind(base, header)
    bound = _with_answers(bound, answers)
    return bound, _missing(bound, header, kinds_of(bound))


def kinds_of(profile: Profile) -> tuple[Kind, ...]:
    """The kinds a profile can give."""
    if not profile.kind_column:
        return (profile.kind,)
    return tuple(kind for kind in words.NEEDED if kind in set(profile.kinds.values()))


def bind(profile: Profile, header: Sequence[str]) -> Profile:
    """The profile with its columns as they stand in this header; optional ones that are not there are dropped."""
    columns: dict[str, str] = {}
    for field in dict.fromkeys([*profile.columns, *profile.aliases]):
        for name in (profile.columns.get(field, ""), *profile.aliases.get(field, ())):
            found = headers.positions(header, name) if name else []
            if found:
                columns[field] = name if len(found) > 1 else _name(header, found[0])
                break
    conditions = tuple(c for c in profile.conditions if headers.positions(header, c.column))
    skip = tuple(s for s in profile.skip if headers.positions(header, s.column))
    return msgspec.structs.replace(profile, columns=columns, conditions=conditions, skip=skip)


def _name(header: Sequence[str], at: int) -> str:
    """How a profile names a column: by its header, or by place where the header is blank or repeats."""
    text = header[at].strip()
    return text if text and len(headers.positions(header, text)) == 1 else f"#{at + 1}"


def _with_answers(profile: Profile, answers: Mapping[str, str]) -> Profile:
    chosen = {code.removeprefix("column:"): value for code, value in answers.items() if code.startswith("column:") and value}
    changes: dict[str, object] = {}
    if chosen:
        changes["columns"] = {**profile.columns, **chosen}
    if profile.kind_column and answers.get("kind_column"):
        changes["kind_column"] = answers["kind_column"]
    if answers.get("kind") in words.NEEDED and not profile.kind_column:
        changes["kind"] = answers["kind"]
    return msgspec.structs.replace(profile, **changes) if changes else profile


def _propose(header: Sequence[str], looked: Looked, base: Profile | None, answers: Mapping[str, str]) -> Settled:
    """A profile from the header words alone."""
    start = base or Profile()
    chosen = {code.removeprefix("column:"): value for code, value in answers.items() if code.startswith("column:") and value}
    drafts = {kind: {**_columns(kind, header, looked), **chosen} for kind in words.NEEDED}
    kind = answers.get("kind") or _kind(drafts)
    if kind not in words.NEEDED:
        options = tuple(Option(value=k, label=KIND_TITLES[k]) for k in words.NEEDED)
        found = ", ".join(k for k in headers.keys_of(header))
        question = Question(code="kind", message=f"What do the rows of this file stand for? Its columns are: {found}.", options=options)
        return start, (question,)
    columns = drafts[kind]
    line_items = kind == "invoice" and "line_amount" in columns
    if kind == "invoice" and not line_items:
        columns = {f: c for f, c in columns.items() if not f.startswith("line_")}
    profile = msgspec.structs.replace(
        start,
        name=start.name or "proposed",
        title=start.title or f"Proposed from the columns: {KIND_TITLES[kind]}",
        kind=kind,
        columns=columns,
        one_per="line" if line_items else "row",
        outgoing="skip",
    )
    return profile, _missing(profile, header, (kind,))


def _columns(kind: Kind, header: Sequence[str], looked: Looked) -> dict[str, str]:
    """Fields by header word; an earlier word of a field's list wins over a later one, and a column serves one field."""
    places: dict[str, list[int]] = {}
    for at, text in enumerate(header):
        places.setdefault(headers.fold(headers.currency_named(text)[0]), []).append(at)
    wishes = [
        (rank, order, field, places[word])
        for order, (field, synonyms) in enumerate(words.VOCABULARY[kind].items())
        for rank, word in enumerate(synonyms)
        if word in places
    ]
    columns: dict[str, str] = {}
    taken: set[int] = set()
    for _, _, field, found in sorted(wishes, key=lambda wish: (wish[0], wish[1])):
        if field in columns or taken & set(found):
            continue
        if not all(looked.could_be(field, at) for at in found):
            continue
        columns[field] = _name(header, found[0]) if len(found) == 1 else header[found[0]].strip()
        taken.update(found)
    return columns


def _kind(drafts: Mapping[Kind, Mapping[str, str]]) -> Kind | None:
    """The one kind whose needs are met and whose telling fields stand out; None where two are as likely."""
    scores: dict[Kind, tuple[int, int]] = {}
    for kind, columns in drafts.items():
        if all(any(field in columns for field in choice) for choice in words.NEEDED[kind]):
            scores[kind] = (len(words.TELLING[kind] & columns.keys()), len(columns))
    if "customer" in scores and any({"amount", "date", "due_date", "issue_date"} & drafts[kind].keys() for kind in _MONEYED):
        # Names beside money or dates: some document whose other columns we do not know, never a mere list of customers.
        del scores["customer"]
    if not scores:
        return None
    best = max(scores.values())
    leaders = [kind for kind, score in scores.items() if score == best]
    # Without one telling field the header fits several kinds equally ("date, customer, amount").
    return leaders[0] if len(leaders) == 1 and (best[0] > 0 or len(scores) == 1) else None


def _missing(profile: Profile, header: Sequence[str], kinds: Sequence[Kind]) -> tuple[Question, ...]:
    """A question for each field without a column, or with two."""
    asked: list[Question] = []
    keys = headers.keys_of(header)
    if profile.kind_column and len(headers.positions(header, profile.kind_column)) != 1:
        message = f"There is no one column {profile.kind_column!r} that says what each row is. Found: {', '.join(keys)}."
        return (Question(code="kind_column", message=message, options=tuple(Option(value=k, label=k) for k in keys)),)
    filled = set(profile.columns) | set(profile.constants) | {c.field for c in profile.conditions} | {profile.heading_field}
    for kind in kinds:
        for choice in words.NEEDED[kind]:
            if not any(field in filled for field in choice):
                label = " or ".join(choice).replace("_", " ")
                message = f"Which column holds the {label} of the {KIND_TITLES[kind]}? Found: {', '.join(keys)}."
                options = tuple(Option(value=key, label=key) for key in keys)
                asked.append(Question(code=f"column:{choice[0]}", message=message, field=choice[0], options=options))
    for field, column in profile.columns.items():
        found = headers.positions(header, column)
        if len(found) > 1:
            places = " and ".join(str(at + 1) for at in found)
            message = f"The header {column!r} stands twice, as columns {places}: which of them is the {field.replace('_', ' ')}?"
            options = tuple(Option(value=f"#{at + 1}", label=f"column {at + 1}") for at in found)
            asked.append(Question(code=f"column:{field}", message=message, field=field, options=options))
        elif not found:
            message = f"There is no column {column!r} for the {field.replace('_', ' ')}. Found: {', '.join(keys)}."
            asked.append(Question(code=f"column:{field}", message=message, field=field, options=tuple(Option(value=k, label=k) for k in keys)))
    return tuple({question.code: question for question in asked}.values())
