"""What is said in colour can be read on white and on black."""

from __future__ import annotations

import re
from io import StringIO
from pathlib import Path

import pytest
from rich.color import Color
from rich.console import Console
from rich.text import Text

import migrate
from migrate.render.colours import NUMBERS, has_many_colours, readable
from migrate.render.text import shown

_NAMED = re.compile(r'"(?:bold |dim )?(red|green|yellow|blue|cyan|magenta)"')


def luminance(number: int) -> float:
    """Return the relative luminance of a colour of the palette of 256, 0 to 1 (WCAG 2.2, "relative luminance")."""
    parts = [part / 255 for part in Color.from_ansi(number).get_truecolor()]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("name", NUMBERS)
def test_a_colour_is_far_enough_from_white_and_from_black(name: str) -> None:
    own = luminance(NUMBERS[name])
    assert (1 + 0.05) / (own + 0.05) >= 3
    assert (own + 0.05) / 0.05 >= 3


def test_every_colour_that_is_named_is_one_of_these() -> None:
    sources = [path for part in ("render", "cli") for path in (Path(migrate.__file__).parent / part).glob("*.py")]
    named = {found for path in sources for found in _NAMED.findall(path.read_text())}
    assert named == set(NUMBERS)


def test_they_are_taken_where_there_are_256_and_the_terminals_own_elsewhere() -> None:
    words = Text("warn", "bold yellow")
    assert "\x1b[1;38;5;136m" in shown(words, width=80, colour=True, many_colours=True)
    assert "\x1b[1;33m" in shown(words, width=80, colour=True)
    assert "\x1b" not in shown(words, width=80, colour=False, many_colours=True)
    live = readable(Console(file=StringIO(), force_terminal=True, color_system="256", _environ={}))
    assert live.get_style("yellow").color == Color.parse("color(136)")


def test_a_terminal_says_how_many_it_has() -> None:
    assert has_many_colours({"TERM": "xterm-256color"})
    assert has_many_colours({"TERM": "xterm", "COLORTERM": "truecolor"})
    assert not has_many_colours({"TERM": "xterm"})
