"""Reading YAML with positions: every problem names line, column, path, cause and, for a misspelt key, the nearest valid one.

All problems of a file are gathered before it is refused, so that one reading mends it. Aliases are refused (they can
blow a small file up without bound), and so is a key given twice (YAML would silently keep the last).
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec
import yaml

_MAX_CHARACTERS = 500_000
_MAX_DEPTH = 40


class Problem(msgspec.Struct, frozen=True):
    """One thing wrong: 1-based line and column, path such as `segments[0].steps[1].tone`, and what to do."""

    line: int
    column: int
    path: str
    message: str

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}, {self.path or 'top level'}: {self.message}"


class PolicyInvalid(ValueError):
    """The policy cannot be used; `problems` lists every cause with its place."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda p: (p.line, p.column)))
        super().__init__("\n".join(str(p) for p in self.problems))


def nearest(word: str, known: Collection[str]) -> str:
    """`; did you mean X?` for the nearest known word, or the list of what is known."""
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.55)
    return f"; did you mean {close[0]}?" if close else f"; known: {', '.join(sorted(known))}"


class Spot:
    """A value of the file with its place. Reading methods note a problem and return a harmless stand-in."""

    def __init__(self, node: yaml.Node, path: str, problems: list[Problem], key: yaml.Node | None = None) -> None:
        self.node, self.path, self.problems, self.key = node, path, problems, key

    def fault(self, message: str, node: yaml.Node | None = None) -> None:
        mark = (node or self.node).start_mark
        self.problems.append(Problem(mark.line + 1, mark.column + 1, self.path, message))

    def _child(self, node: yaml.Node, step: str, key: yaml.Node | None = None) -> Spot:
        path = f"{self.path}{step}" if step.startswith("[") or not self.path else f"{self.path}.{step}"
        return Spot(node, path, self.problems, key)

    def pairs(self) -> dict[str, Spot]:
        """The mapping as key → value; empty (with a problem) for anything else."""
        if not isinstance(self.node, yaml.MappingNode):
            self.fault(f"expected a mapping of keys to values, found {self._kind()}")
            return {}
        found: dict[str, Spot] = {}
        for key, value in self.node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else "?"
            if name in found:
                self.fault(f"key {name} is given twice", key)
            found[name] = self._child(value, name, key)
        return found

    def keys(self, *, required: Collection[str] = (), optional: Collection[str] = ()) -> dict[str, Spot]:
        """The mapping with exactly these keys: unknown ones and missing ones are problems."""
        pairs = self.pairs()
        known = {*required, *optional}
        if isinstance(self.node, yaml.MappingNode):
            for key, _ in self.node.value:
                if isinstance(key, yaml.ScalarNode) and key.value not in known:
                    self.fault(f"unknown key {key.value}{nearest(key.value, known)}", key)
            for name in sorted(set(required) - set(pairs)):
                self.fault(f"missing key {name}")
        return {name: spot for name, spot in pairs.items() if name in known}

    def many(self) -> list[Spot]:
        """The items of a list; empty (with a problem) for anything else."""
        if not isinstance(self.node, yaml.SequenceNode):
            self.fault(f"expected a list, found {self._kind()}")
            return []
        return [self._child(node, f"[{i}]") for i, node in enumerate(self.node.value)]

    def one_or_many(self) -> list[Spot]:
        return self.many() if isinstance(self.node, yaml.SequenceNode) else [self]

    @property
    def is_mapping(self) -> bool:
        return isinstance(self.node, yaml.MappingNode)

    def _kind(self) -> str:
        if isinstance(self.node, yaml.ScalarNode):
            return repr(self.node.value) if self.node.value else "nothing"
        return "a mapping" if self.is_mapping else "a list"

    def text(self) -> str:
        if isinstance(self.node, yaml.ScalarNode) and self.node.value.strip():
            return str(self.node.value)
        self.fault(f"expected a word or a sentence, found {self._kind()}")
        return ""

    def whole(self, *, least: int | None = None, most: int | None = None) -> int:
        """A whole number within bounds, both included."""
        text = self.node.value if isinstance(self.node, yaml.ScalarNode) else ""
        try:
            number = int(text)
        except ValueError:
            self.fault(f"expected a whole number, found {self._kind()}")
            return least or 0
        if (least is not None and number < least) or (most is not None and number > most):
            self.fault(f"{number} is out of range ({'any' if least is None else least} to {'any' if most is None else most})")
        return number

    def decimal(self) -> Decimal:
        """A plain non-negative decimal number such as 25.00."""
        text = self.node.value if isinstance(self.node, yaml.ScalarNode) else ""
        try:
            number = Decimal(text)
        except InvalidOperation:
            number = Decimal("NaN")
        if not number.is_finite() or number < 0:
            self.fault(f"expected a plain amount such as 25.00, found {self._kind()}")
            return Decimal(0)
        return number

    def flag(self) -> bool:
        text = self.node.value.casefold() if isinstance(self.node, yaml.ScalarNode) else ""
        if text not in {"true", "false", "yes", "no", "on", "off"}:
            self.fault(f"expected true or false, found {self._kind()}")
        return text in {"true", "yes", "on"}

    def choice(self, known: Collection[str]) -> str:
        text = self.text()
        if text and text not in known:
            self.fault(f"{text} is not known here{nearest(text, known)}")
        return text if text in known else sorted(known)[0]


def _at(mark: Any, message: str) -> Problem:
    return Problem(mark.line + 1, mark.column + 1, "", message) if mark else Problem(1, 1, "", message)


def _composed(text: str, loader: Any) -> yaml.Node | None:
    depth = 0
    for event in yaml.parse(text, Loader=loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _MAX_DEPTH:
            raise PolicyInvalid([_at(event.start_mark, "nested too deeply")])
        if isinstance(event, yaml.AliasEvent):
            raise PolicyInvalid([_at(event.start_mark, f"alias *{event.anchor}: write the value out")])
    node: yaml.Node | None = yaml.compose(text, Loader=loader)
    return node


def _composed_or_refused(text: str) -> yaml.Node | None:
    try:
        return _composed(text, yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        raise PolicyInvalid([_at(error.problem_mark or error.context_mark, f"not valid YAML: {error.problem or error.context}")]) from None
    except yaml.YAMLError as error:
        raise PolicyInvalid([Problem(1, 1, "", f"not valid YAML: {error}")]) from None


def read_yaml(text: str) -> Spot:
    """The top of a YAML document. Raises PolicyInvalid where it is no YAML, too large, nested without end or uses aliases."""
    if len(text) > _MAX_CHARACTERS:
        raise PolicyInvalid([Problem(1, 1, "", f"the file is larger than {_MAX_CHARACTERS} characters")])
    try:
        node = _composed(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, PolicyInvalid):
        # libyaml is ten times as fast, and every worker reads the policy; its complaints are vaguer, so those come from the other.
        node = _composed_or_refused(text)
    if node is None:
        raise PolicyInvalid([Problem(1, 1, "", "the file is empty")])
    return Spot(node, "", [])
