"""Text of others as it may be shown: nothing in it that moves a cursor, turns the reading direction, or hides."""

from __future__ import annotations


def printable(text: str) -> str:
    """Return the text with a space for every character that is not to be seen."""
    return "".join(character if character.isprintable() else " " for character in text)
