"""Lines of a text of any size, each of bounded length, remembered until their rows are safe.

A line that never ends is stepped over in pieces. Lines can be put back: when a stray quotation mark has swallowed good
rows, they are read again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import TextIO

#: Longest line that is taken, in characters. The widest export seen has lines of some 20,000.
LONGEST = 1 << 20


class Lines:
    """An iterator over lines; `taken` holds those handed out since `forget`, `count` how many were handed out in all."""

    def __init__(self, text: TextIO, *, tame: bool) -> None:
        self._text = text
        self._tame = tame  # the whole file was looked through: no NUL bytes, no endless lines
        self._again: deque[str] = deque()
        self.taken: list[str] = []
        self.count = 0
        self.nul = False
        self.too_long: list[tuple[int, str]] = []  # line number, its beginning

    def forget(self) -> None:
        """The rows made of the lines so far are safe."""
        self.taken.clear()
        self.too_long.clear()
        self.nul = False

    def put_back(self, lines: list[str]) -> None:
        """Hand these out again, next."""
        self._again.extendleft(reversed(lines))
        self.count -= len(lines)

    def __iter__(self) -> Iterator[str]:
        return self._quickly() if self._tame else self._carefully()

    def _quickly(self) -> Iterator[str]:
        taken, again, text = self.taken, self._again, self._text
        while True:
            while again:
                line = again.popleft()
                self.count += 1
                taken.append(line)
                yield line
            for line in text:
                self.count += 1
                taken.append(line)
                yield line
                if again:
                    break
            else:
                if not again:
                    return

    def _carefully(self) -> Iterator[str]:
        taken, again, readline = self.taken, self._again, self._text.readline
        while True:
            line = again.popleft() if again else readline(LONGEST)
            if not line:
                return
            self.count += 1
            if "\0" in line:
                self.nul = True
            if len(line) >= LONGEST and not line.endswith(("\n", "\r")):
                self.too_long.append((self.count, line[:200]))
                self._step_over()
                line = "\n"
            taken.append(line)
            yield line

    def _step_over(self) -> None:
        while (piece := self._text.readline(LONGEST)) and not piece.endswith(("\n", "\r")):
            pass
