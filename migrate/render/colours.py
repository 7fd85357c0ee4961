"""Colours that can be read on light ground as on dark.

The sixteen that every terminal has are its own to choose: yellow, green and cyan are next to invisible on white in the
palette of many. Where there are 256, the same ones are taken for everybody; each has a contrast of 3:1 or more against
white and against black (WCAG 2.2, success criterion 1.4.11).
"""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console
from rich.theme import Theme

NUMBERS = {"red": 160, "green": 28, "yellow": 136, "cyan": 31, "magenta": 133}
"""Of the palette of 256, by the names that the renderers use."""

_READABLE = Theme(
    {
        f"{weight}{name}": f"{weight}color({number})"
        for name, number in NUMBERS.items()
        for weight in ("", "bold ", "dim ")
    }
)


def has_many_colours(environment: Mapping[str, str]) -> bool:
    """Tell whether a terminal says that it has 256 colours or more, by TERM or by COLORTERM."""
    return "256color" in environment.get("TERM", "") or environment.get("COLORTERM", "") in {"truecolor", "24bit"}


def readable(console: Console) -> Console:
    """Return the console with these colours, where it has as many."""
    if console.color_system in {"256", "truecolor"}:
        console.push_theme(_READABLE)
    return console
