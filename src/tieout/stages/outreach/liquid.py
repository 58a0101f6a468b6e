"""The template language of our letters, fenced in: no Python object is ever reached, and nothing runs long.

Values are strings, or lists and dictionaries of strings; what a template names and does not get is an error, never a gap.
The result is plain text; HTML is made from it afterwards with everything escaped, so that no value can act in either.
"""

from __future__ import annotations

from liquid import BoundTemplate, Environment, StrictUndefined
from liquid.exceptions import LiquidError

__all__ = ["LiquidError", "names", "template"]


class _Fenced(Environment):
    context_depth_limit = 8
    block_nesting_limit = 8
    loop_iteration_limit = 2_000
    output_stream_limit = 200_000
    local_namespace_limit = 50_000


_LETTERS = _Fenced(undefined=StrictUndefined, autoescape=False)

#: What reads other templates or the clock has no place in a letter: the same facts give the same words.
for _tag in ("include", "render", "extends", "block", "macro", "call", "import", "from"):
    _LETTERS.tags.pop(_tag, None)
_LETTERS.filters.pop("date", None)


def template(source: str) -> BoundTemplate:
    """Parse `source`. Raises LiquidError with its line."""
    return _LETTERS.from_string(source)


def names(parsed: BoundTemplate) -> set[str]:
    """The facts a template asks for, by their first name."""
    return {str(name).split(".")[0].split("[")[0] for name in parsed.global_variables()}
