"""Mistakes in a settings file, told so that they can be mended at once: file, line, key, found, expected."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from migrate.config.locate import KeyPath, line_of
from migrate.errors import SettingsError, UnprovingCheckError


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake: the key's path and what is wrong there, to be read behind the key's name.

    ``blocks`` marks what can be read and must not be acted on: a check that proves nothing.
    """

    path: KeyPath
    text: str
    blocks: bool = False


def settings_error(path: Path, text: str, mistakes: Sequence[Mistake]) -> SettingsError:
    """Return all mistakes of a file as one error, in the order of their lines."""
    told = sorted(((_line(text, mistake.path), mistake) for mistake in mistakes), key=lambda pair: pair[0])
    sentences = [f"{path}, line {line}: {shown(mistake.path)} {mistake.text}" for line, mistake in told]
    sentences = [text if text.endswith("?") else f"{text}." for text in sentences]
    error = UnprovingCheckError if all(mistake.blocks for mistake in mistakes) else SettingsError
    return error(
        sentences[0],
        why="\n".join(sentences[1:]),
        then=f"Mend {path}; nothing was looked at and nothing was changed.",
    )


def shown(path: KeyPath) -> str:
    """Return a key as it is spoken of: ``capacity.strategy[1].weight``."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")


def quoted(value: str) -> str:
    """Return a text as TOML writes it."""
    # JSON escapes all that TOML wants escaped, but for DEL.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _line(text: str, path: KeyPath) -> int:
    """Return the key's line, or that of the table that misses it, or (no table) the last one."""
    for length in range(len(path), 0, -1):
        line = line_of(text, path[:length])
        if line is not None:
            return line
    return max(1, len(text.rstrip("\n").split("\n")))
