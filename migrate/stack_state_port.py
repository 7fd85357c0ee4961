"""What reading and writing the whole state of a team's own stack needs from outside."""

from __future__ import annotations

from typing import Protocol


class StackState(Protocol):
    """The state of one stack as a document, as `pulumi stack export` writes it: secrets in it stay encrypted."""

    @property
    def place(self) -> str:
        """Where it is, as a person says it."""
        ...

    def read(self) -> str:
        """Return the document. Raises MigrateError where it cannot be had."""
        ...

    def keep(self, text: str) -> str:
        """Write a document beside the state, for a way back, and return where it is.

        The same document goes to the same place. Raises MigrateError where it cannot be written.
        """
        ...

    def write(self, text: str) -> None:
        """Put a document in place of the state, whole or not at all. Raises MigrateError where it did not."""
        ...

    def import_command(self) -> str:
        """Return the command that brings what was written into the stack; empty where it is there already."""
        ...

    def way_back(self, kept: str) -> str:
        """Return the command that brings a kept document back."""
        ...
