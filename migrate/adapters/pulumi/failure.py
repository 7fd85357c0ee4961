"""A failed operation of the engine, and what of it is evidence."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_LONGEST_WHY = 3000
_TRACEBACK = re.compile(r"Traceback \(most recent call last\)")
_INLINE = re.compile(r"python inline source runtime error: ")
_AFTERMATH = re.compile(
    r"error: (update failed|preview failed|Resource monitor has terminated|Exception calling application)"
)
"""What the engine adds once something else has failed."""

_COMMAND_RESULT = re.compile(r"^\s*(code: \d+|stdout:|stderr:)\s*", re.MULTILINE)
"""How the SDK's CommandError labels what it holds (pulumi 3.272 SDK, CommandResult)."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed operation: the stack and verb as people say them, the engine's errors, and all that was printed.

    ``pulumi`` is the command that runs Pulumi on that stack, where it is not one of ours.
    """

    stack: str
    verb: str
    errors: Sequence[str]
    text: str
    interrupted: bool = False
    pulumi: str = ""

    @property
    def command(self) -> str:
        """The command that runs Pulumi on the stack, up to its arguments."""
        return self.pulumi or f"migrate stack {self.stack} --"

    @property
    def why(self) -> str:
        """The evidence, short: the engine's own errors, or what was printed last."""
        errors = [_INLINE.sub("", _TRACEBACK.split(text)[0]).strip() for text in self.errors]
        told = [text for text in errors if text and not _AFTERMATH.match(text)] or errors
        if told:
            return "\n".join(told)[:_LONGEST_WHY]
        lines = (_COMMAND_RESULT.sub("", line).strip() for line in self.text.splitlines())
        return "\n".join(line for line in lines if line)[-_LONGEST_WHY:]

    @property
    def whole(self) -> str:
        """Everything that was said."""
        return "\n".join((*self.errors, self.text))
