"""What .dockerignore keeps out of a build context.

Source: Dockerfile reference, ".dockerignore file"; moby/patternmatcher (Go's filepath.Match per part of the path,
``**`` for any number of them, ``!`` for exceptions, the last match decides, and a directory stands for what is in it).
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class _Pattern:
    keeps: bool
    shape: re.Pattern[str]


class IgnoredPaths:
    """The patterns of one .dockerignore file, in their order."""

    def __init__(self, text: str) -> None:
        self._patterns = tuple(_patterns(text.removeprefix("\ufeff").splitlines()))
        self.has_exceptions = any(pattern.keeps for pattern in self._patterns)

    def __contains__(self, path: str) -> bool:
        """Tell whether a path below the context, ``a/b``, is kept out, by itself or by a directory above it."""
        parts = path.split("/")
        above = ["/".join(parts[:end]) for end in range(1, len(parts) + 1)]
        ignored = False
        for pattern in self._patterns:
            if pattern.keeps is ignored and any(pattern.shape.fullmatch(candidate) for candidate in above):
                ignored = not pattern.keeps
        return ignored


def _patterns(lines: Iterable[str]) -> Iterable[_Pattern]:
    for line in lines:
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        keeps = text.startswith("!")
        cleaned = posixpath.normpath(text.removeprefix("!").strip()).lstrip("/")
        if cleaned not in {"", "."}:
            yield _Pattern(keeps, path_pattern(cleaned))


def path_pattern(text: str) -> re.Pattern[str]:
    """Return what a pattern of paths matches: ``*``, ``?`` and ``[...]`` within a part, ``**`` over parts."""
    shape = re.sub(
        r"(?P<all>\*\*/)|(?P<rest>\*\*)|(?P<part>\*)|(?P<one>\?)|(?P<set>\[\^?[^\]]+\])|\\(?P<escaped>.)|(?P<plain>.)",
        _translated,
        text,
        flags=re.DOTALL,
    )
    try:
        return re.compile(shape, re.DOTALL)
    except re.error:
        # A set that is none: Go refuses the pattern, and nothing has such a name.
        return re.compile(re.escape(text))


def _translated(match: re.Match[str]) -> str:
    kind = str(match.lastgroup)
    fixed = {"all": "(?:.*/)?", "rest": ".*", "part": "[^/]*", "one": "[^/]"}
    if kind in fixed:
        return fixed[kind]
    return match[0] if kind == "set" else re.escape(match[kind])
