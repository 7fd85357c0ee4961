"""Words in lines of the width that there is: broken between words alone, so that what is copied is whole."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

_GAP = 2
_HANG = 2


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Words, filled to the width. What follows the first line of what is indented, or ``hang``, stands further in.

    A path, a digest or an ARN that is wider than its room stays whole: it stands further to the left, and where even
    that does not do, the terminal wraps it, and it can still be copied.
    """

    words: str | Text
    style: str = ""
    hang: int = 0

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the lines."""
        text = self.words if isinstance(self.words, Text) else Text(self.words, self.style)
        for column, line in filled(text, options.max_width, self.hang):
            yield _line(Text(" " * column).append_text(line))


@dataclass(slots=True)
class Rows:
    """Rows of labels and words, a column for each label; words fill what is left of the width.

    ``room`` is how many columns words need beside their labels: where there are fewer, they stand below.
    """

    labels: int = 1
    indent: int = 0
    style: str = "dim"
    narrowest: int = 0
    room: int = 0
    _rows: list[tuple[tuple[Text, ...], Text, int]] = field(default_factory=list)

    def add(self, *cells: str | Text, hang: int = 0) -> None:
        """Add a row: its labels, and its words last, of any number of lines."""
        *labels, words = cells
        shown = tuple(Text(label, self.style) if isinstance(label, str) else label for label in labels)
        self._rows.append((shown, Text(words) if isinstance(words, str) else words, hang))

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the lines."""
        widths = [
            max([self.narrowest, *(labels[column].cell_len for labels, _, _ in self._rows)])
            for column in range(self.labels)
        ]
        start = self.indent + sum(widths) + _GAP * self.labels
        if options.max_width - start < self.room:
            start = self.indent + _HANG
        for labels, words, hang in self._rows:
            head = Text(" " * self.indent)
            for label, width in zip(labels, widths, strict=True):
                head.append_text(label).append(" " * (width - label.cell_len + _GAP))
            head.rstrip()
            for column, line in filled(words, options.max_width, hang, start):
                if line.plain and head.plain and column < head.cell_len + _GAP:
                    # What is too wide to stand beside its labels stands below them.
                    yield _line(head)
                    head = Text()
                if line.plain:
                    head.append(" " * (column - head.cell_len)).append_text(line)
                yield _line(head)
                head = Text()


def filled(text: Text, width: int, hang: int = 0, start: int = 0) -> Iterator[tuple[int, Text]]:
    """Yield the lines that words fill between the columns ``start`` and ``width``, and the column each begins at."""
    for whole in text.split(allow_blank=True):
        indent = len(whole.plain) - len(whole.plain.lstrip())
        column = start + indent
        further = column + (hang or (_HANG if indent else 0))
        line = whole[indent:]
        for part in line.divide(_ends(line.plain, width - column, width - further)):
            part.rstrip()
            yield max(0, min(column, width - part.cell_len)), part
            column = further


def _ends(words: str, first: int, others: int) -> Iterator[int]:
    """Yield after which characters a line ends, the first one of ``first`` columns."""
    begin, end, room = 0, 0, first
    for word in re.finditer(r"(?:[-+] )?\S+\s*", words):
        if end > begin and cell_len(words[begin : word.end()].rstrip()) > room:
            yield end
            begin, room = end, others
        end = word.end()


def _line(text: Text) -> Text:
    """Return the text as a line that rich neither breaks nor cuts."""
    text.no_wrap, text.overflow = True, "ignore"
    return text
