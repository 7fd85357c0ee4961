"""The documents as tests read them: sections, links, and the commands in them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from textwrap import dedent

from migrate.adapters.runbook_files import anchor

ROOT = Path(__file__).parents[2]
RUNBOOKS = ROOT / "runbooks"
DOCUMENTS = (*sorted(ROOT.glob("*.md")), *sorted(RUNBOOKS.glob("*.md")), ROOT / "migrate" / "render" / "documents.md")

_FENCE = re.compile(r"^ *```(?P<language>\w*)\n(?P<body>.*?)^ *```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^(?P<marks>#{1,6}) (?P<title>.+)$", re.MULTILINE)
_LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)\s]+)\)")
_INLINE = re.compile(r"(?<!`)`(?P<code>[^`\n]+(?:\n[^`\n]+)?)`(?!`)")
_SHELL = frozenset({">", ">>", "|", "&&", ";"})
"""Words that end the arguments of a command."""
_SUBSTITUTED = re.compile(r"^[A-Z_]+=\$\((?P<command>.*)\)$")


@dataclass(frozen=True, slots=True)
class Section:
    """A second-level section: its anchor, the titles of its third level, and its text."""

    anchor: str
    parts: tuple[tuple[str, str], ...]


def without_code(text: str) -> str:
    return _FENCE.sub("", text)


def anchors(path: Path) -> set[str]:
    return {anchor(match["title"]) for match in _HEADING.finditer(without_code(path.read_text(encoding="utf-8")))}


def sections(path: Path) -> list[Section]:
    text = _FENCE.sub(lambda match: match[0].replace("#", " "), path.read_text(encoding="utf-8"))
    found = []
    for block in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        title, _, rest = block.partition("\n")
        parts = [part.partition("\n") for part in re.split(r"^### ", rest, flags=re.MULTILINE)[1:]]
        found.append(Section(anchor(title), tuple((name.strip(), body.strip()) for name, _, body in parts)))
    return found


def links(path: Path) -> list[str]:
    return [match["target"] for match in _LINK.finditer(without_code(path.read_text(encoding="utf-8")))]


def code_blocks(path: Path, language: str) -> list[str]:
    found = _FENCE.finditer(path.read_text(encoding="utf-8"))
    return [dedent(match["body"]) for match in found if match["language"] == language]


def commands(path: Path, program: str) -> Iterator[list[str]]:
    """Yield every command of a program that a document shows, in a shell block or in the text, as an argument list."""
    text = path.read_text(encoding="utf-8")
    lines = [line for block in code_blocks(path, "sh") for line in block.replace("\\\n", " ").splitlines()]
    lines += [" ".join(match["code"].split()) for match in _INLINE.finditer(_FENCE.sub("", text))]
    for line in lines:
        shown = line.strip().removeprefix("$ ")
        substituted = _SUBSTITUTED.match(shown)
        words = shlex.split(substituted["command"] if substituted else shown, comments=True)
        if len(words) > 1 and words[0] == program:
            yield list(takewhile(lambda word: word not in _SHELL, words[1:]))
