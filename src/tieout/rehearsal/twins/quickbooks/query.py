"""The query language: read into a question, or refused the way QuickBooks refuses (4000 where it cannot be read, 4001 where
it asks for what is not there).

It knows select with *, count(*) or fields, where with =, <, >, <=, >=, IN, LIKE joined by AND, orderby, startposition and
maxresults; it has no OR, no joins, no groups.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from tieout.rehearsal.twins.quickbooks import refusals
from tieout.rehearsal.twins.quickbooks.shapes import BY_SPELLING

#: The most objects one answer holds, and how many it holds where nothing is said.
MOST, USUAL = 1000, 100
_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:\\.|[^'\\])*')|(?P<number>-?\d+(?:\.\d+)?(?![\w.]))|(?P<word>[A-Za-z_][\w.]*)|(?P<sign><=|>=|[=<>(),*]))", re.ASCII
)
_COMPARISONS = ("=", "<", ">", "<=", ">=")
_CLAUSES = {"where", "order", "orderby", "startposition", "maxresults", "and", "or"}


class Token(NamedTuple):
    kind: str
    text: str
    column: int


class Condition(NamedTuple):
    """`operator` is one of = < > <= >= in like; only `in` has several values."""

    field: str
    operator: str
    values: tuple[str, ...]


class Order(NamedTuple):
    field: str
    falling: bool


class Question(NamedTuple):
    """What a statement asks; no fields means all of them."""

    entity: str
    fields: tuple[str, ...]
    counting: bool
    where: tuple[Condition, ...]
    order: tuple[Order, ...]
    start: int
    size: int


def read(statement: str) -> Question:
    """The question a statement asks. Raises Refused."""
    if not statement.strip():
        raise refusals.unparsed("The query provided was empty")
    return _Reader(_tokens(statement)).question()


def _tokens(statement: str) -> list[Token]:
    tokens = []
    position = 0
    end = len(statement.rstrip())
    while position < end:
        match = _TOKEN.match(statement, position)
        if match is None:
            column = position + len(statement[position:]) - len(statement[position:].lstrip())
            raise refusals.unparsed(f'Invalid content. Lexical error at line 1, column {column + 1}. Encountered: "{statement[column]}"')
        kind = str(match.lastgroup)
        tokens.append(Token(kind, match[kind], match.start(kind) + 1))
        position = match.end()
    return [*tokens, Token("end", "<EOF>", end + 1)]


class _Reader:
    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0

    def question(self) -> Question:
        self._word("select")
        fields, counting = self._fields()
        self._word("from")
        entity = self._entity()
        where: tuple[Condition, ...] = ()
        if self._is_word("where"):
            where = self._conditions()
        order = self._order()
        start, size = self._page()
        if self._next.kind != "end":
            raise self._unexpected("<EOF>", "and", "orderby", "startposition", "maxresults")
        return Question(entity, fields, counting, where, order, start, size)

    def _fields(self) -> tuple[tuple[str, ...], bool]:
        if self._is_word("count"):
            for sign in "(*)":
                self._sign(sign)
            return (), True
        names: list[str] = []
        everything = False
        while True:
            if self._is_sign("*"):
                everything = True
            else:
                names.append(self._name())
            if not self._is_sign(","):
                return (() if everything else tuple(names)), False

    def _entity(self) -> str:
        token = self._next
        spelling = self._name()
        entity = BY_SPELLING.get(spelling.lower())
        if entity is None:
            raise refusals.invalid_query(f"{spelling} at column {token.column} is no entity that can be queried")
        return entity

    def _conditions(self) -> tuple[Condition, ...]:
        found = [self._condition()]
        while self._is_word("and"):
            found.append(self._condition())
        return tuple(found)

    def _condition(self) -> Condition:
        field = self._name()
        if self._is_word("in"):
            self._sign("(")
            values = [self._literal()]
            while self._is_sign(","):
                values.append(self._literal())
            self._sign(")")
            return Condition(field, "in", tuple(values))
        if self._is_word("like"):
            return Condition(field, "like", (self._literal(),))
        token = self._next
        if token.kind != "sign" or token.text not in _COMPARISONS:
            raise self._unexpected(*_COMPARISONS, "in", "like")
        self._at += 1
        return Condition(field, token.text, (self._literal(),))

    def _order(self) -> tuple[Order, ...]:
        if self._is_word("order"):
            self._word("by")
        elif not self._is_word("orderby"):
            return ()
        found = []
        while True:
            field = self._name()
            falling = self._is_word("desc")
            if not falling:
                self._is_word("asc")
            found.append(Order(field, falling))
            if not self._is_sign(","):
                return tuple(found)

    def _page(self) -> tuple[int, int]:
        said = {"startposition": 1, "maxresults": USUAL}
        while self._next.kind == "word" and self._next.text.lower() in said:
            name = self._next.text.lower()
            self._at += 1
            token = self._next
            if token.kind != "number" or "." in token.text:
                raise self._unexpected("<INTEGER>")
            self._at += 1
            said[name] = int(token.text)
        start, size = said["startposition"], said["maxresults"]
        if min(start, size) < 1:
            raise refusals.invalid_query(f"value {min(start, size)} is too small. Min allowed value is 1")
        if size > MOST:
            raise refusals.invalid_query(f"value {size} is too large. Max allowed value is {MOST}")
        return start, size

    # Tokens

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    def _is_word(self, word: str) -> bool:
        found = self._next.kind == "word" and self._next.text.lower() == word
        self._at += found
        return found

    def _is_sign(self, sign: str) -> bool:
        found = self._next.kind == "sign" and self._next.text == sign
        self._at += found
        return found

    def _word(self, word: str) -> None:
        if not self._is_word(word):
            raise self._unexpected(word)

    def _sign(self, sign: str) -> None:
        if not self._is_sign(sign):
            raise self._unexpected(sign)

    def _name(self) -> str:
        token = self._next
        if token.kind != "word" or token.text.lower() in _CLAUSES:
            raise self._unexpected("<IDENTIFIER>")
        self._at += 1
        return token.text

    def _literal(self) -> str:
        token = self._next
        if token.kind == "text":
            value = re.sub(r"\\(.)", r"\1", token.text[1:-1])
        elif token.kind == "number" or token.text.lower() in ("true", "false"):
            value = token.text
        else:
            raise self._unexpected("<QUOTED VALUE>", "<NUMBER>", "true", "false")
        self._at += 1
        return value

    def _unexpected(self, *expected: str) -> refusals.Refused:
        token = self._next
        kind = {"word": "<IDENTIFIER> ", "text": "<QUOTED> ", "end": ""}.get(token.kind, "")
        known = f"<{token.text.upper()}> " if token.text.lower() in _CLAUSES else kind
        options = " ".join(f'"{option}"' for option in expected)
        return refusals.unparsed(f'Encountered " {known}"{token.text} "" at line 1, column {token.column}. Was expecting one of: {options}')
