"""A Dockerfile read into its instructions, with the line that each stands on.

Follows BuildKit 0.34 (frontend/dockerfile/parser: parser.go, directives.go, split_command.go, line_parsers.go) and is
compared with it in the tests. Libraries were looked at first: dockerfile-parse 2.0 knows neither heredocs nor the
escape directive, and ``dockerfile`` 3.4, BuildKit's own parser in Go, has no build for arm64.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_DIRECTIVE = re.compile(r"#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*")
_DIRECTIVES = frozenset({"syntax", "escape", "check"})
_HEREDOC = re.compile(r"(\d*)<<(-?)\s*([^<]+)")
_BLANK = re.compile(r"[\t\v\f\r ]+")
_WITH_HEREDOCS = frozenset({"ADD", "COPY", "RUN", "ONBUILD"})
_MOST_INSTRUCTIONS = 4096
_QUOTES = frozenset({'"', "'"})
KEYWORDS = frozenset(
    {
        *("ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "MAINTAINER"),
        *("ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"),
    }
)
"""Instructions of the Dockerfile reference."""


@dataclass(frozen=True, slots=True)
class Heredoc:
    """A here-document of an instruction; ``line`` is that of its first line of content."""

    name: str
    content: str
    line: int


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction. ``keyword`` is in capitals, ``text`` what follows the flags, continued lines joined.

    ``words`` are the items of the JSON form (``is_exec``) or the text cut at white space. ``lines`` are number and text
    of the lines it is written on, those of its heredocs included and comments left out.
    """

    keyword: str
    flags: tuple[tuple[str, str], ...]
    text: str
    words: tuple[str, ...]
    is_exec: bool
    line: int
    last_line: int
    lines: tuple[tuple[int, str], ...]
    heredocs: tuple[Heredoc, ...] = ()

    def flag(self, name: str) -> str:
        """Return the value of a flag, empty where it is not given; of a repeated one, the last."""
        return dict(self.flags).get(name, "")

    @property
    def script(self) -> str:
        """Everything it is written with, heredocs included."""
        return "\n".join(text for _, text in self.lines)


@dataclass(frozen=True, slots=True)
class Dockerfile:
    """A Dockerfile. ``fault`` says why no build could be made from it, empty where one could; ``fault_line`` where."""

    instructions: tuple[Instruction, ...]
    syntax: str = ""
    escape: str = "\\"
    fault: str = ""
    fault_line: int = 0


@dataclass(slots=True)
class _Reader:
    """Goes through the lines once."""

    lines: list[str]
    at: int = 0
    syntax: str = ""
    escape: str = "\\"
    seen: set[str] = field(default_factory=set)
    directives_over: bool = False
    count: int = 0

    @property
    def ended(self) -> bool:
        return self.at >= len(self.lines)

    def next(self) -> tuple[int, str]:
        """Return the number (from 1) and the text of the next line."""
        self.at += 1
        return self.at, self.lines[self.at - 1]

    def cut_continuation(self, line: str) -> tuple[str, bool]:
        """Take the sign of continuation off a line; an escaped one is none."""
        bare = line.rstrip(" \t")
        continues = bare.endswith(self.escape) and not bare.endswith(self.escape * 2)
        return (bare[: -len(self.escape)], True) if continues else (line, False)


class _RefusedError(Exception):
    """BuildKit would refuse the file."""

    def __init__(self, line: int, text: str) -> None:
        super().__init__(text)
        self.line = line


def parse_dockerfile(text: str) -> Dockerfile:
    """Read a Dockerfile. Never raises: what cannot be read ends in ``fault``, with the instructions before it."""
    reader = _Reader([line.rstrip("\r") for line in text.removeprefix("\ufeff").removesuffix("\n").split("\n")])
    found: list[Instruction] = []
    try:
        found.extend(_instructions(reader))
    except _RefusedError as error:
        return Dockerfile(tuple(found), reader.syntax, reader.escape, str(error), error.line)
    fault = "" if found else "the file has no instructions"
    return Dockerfile(tuple(found), reader.syntax, reader.escape, fault, 0 if found else len(reader.lines))


def _instructions(reader: _Reader) -> Iterator[Instruction]:
    while not reader.ended:
        number, line = reader.next()
        line = line.lstrip()
        _directive(reader, number, line)
        if not line or line.startswith("#"):
            continue
        piece, continues = reader.cut_continuation(line)
        lines = [(number, piece)]
        while continues and not reader.ended:
            number, line = reader.next()
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            piece, continues = reader.cut_continuation(line)
            lines.append((number, piece))
        if "".join(text for _, text in lines).strip():
            reader.count += 1
            if reader.count > _MOST_INSTRUCTIONS:
                raise _RefusedError(number, f"it has more than {_MOST_INSTRUCTIONS} instructions")
            yield _instruction(reader, lines)


def _directive(reader: _Reader, number: int, line: str) -> None:
    """Read a parser directive; they stand before everything else, comments and empty lines included."""
    match = None if reader.directives_over else _DIRECTIVE.fullmatch(line)
    name = match[1].lower() if match else ""
    if match is None or name not in _DIRECTIVES:
        reader.directives_over = True
        return
    if name in reader.seen:
        raise _RefusedError(number, f"the directive {name} is given twice")
    reader.seen.add(name)
    if name == "syntax":
        reader.syntax = match[2]
    elif name == "escape":
        if match[2] not in {"\\", "`"}:
            raise _RefusedError(number, f"the escape token {match[2]!r} is neither a backslash nor a backtick")
        reader.escape = match[2]


def _instruction(reader: _Reader, lines: list[tuple[int, str]]) -> Instruction:
    joined = "".join(text for _, text in lines).strip()
    keyword, rest = _cut(joined)
    keyword = keyword.upper()
    flags, text = _flags(rest)
    heredocs = []
    if keyword in _WITH_HEREDOCS and "<<" in joined:
        for word in shell_words(joined):
            match = _HEREDOC.fullmatch(word)
            name = _unquoted(match[3]) if match else ""
            if match and name:
                heredocs.append(_heredoc(reader, name, lines[0][0], tabs=bool(match[2])))
    inside = [
        (heredoc.line + place, line) for heredoc in heredocs for place, line in enumerate(heredoc.content.splitlines())
    ]
    words, is_exec = _words(text)
    return Instruction(keyword, flags, text, words, is_exec, lines[0][0], reader.at, (*lines, *inside), tuple(heredocs))


def _heredoc(reader: _Reader, name: str, line: int, *, tabs: bool) -> Heredoc:
    first = reader.at + 1
    content: list[str] = []
    while not reader.ended:
        _, text = reader.next()
        if (text.lstrip("\t") if tabs else text) == name:
            return Heredoc(name, "".join(f"{item}\n" for item in content), first)
        content.append(text)
    raise _RefusedError(line, f"the heredoc {name} has no end")


def _flags(text: str) -> tuple[tuple[tuple[str, str], ...], str]:
    """Take the flags off the front: ``--name=value`` or ``--name``, until a word that is none or a lone ``--``."""
    flags: list[tuple[str, str]] = []
    at = 0
    for word in shell_words(text):
        if not word.startswith("--"):
            break
        at = text.index(word, at) + len(word)
        if word == "--":
            break
        name, _, value = _unquoted(word).removeprefix("--").partition("=")
        flags.append((name, value))
    return tuple(flags), text[at:].lstrip()


def _words(text: str) -> tuple[tuple[str, ...], bool]:
    if text.startswith("["):
        try:
            value = json.loads(text)
        except ValueError:
            value = None
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value), True
    return tuple(word for word in _BLANK.split(text) if word), False


def shell_words(text: str) -> Iterator[str]:
    """Cut a text at white space outside quotes, quotes and escapes left as they are written."""
    word, quote, escaped = "", "", False
    for sign in text:
        if escaped or (sign == "\\" and quote != "'"):
            word, escaped = word + sign, not escaped
        elif quote or sign in _QUOTES:
            word += sign
            quote = "" if sign == quote else (quote or sign)
        elif sign.isspace():
            if word:
                yield word
            word = ""
        else:
            word += sign
    if word:
        yield word


def _unquoted(word: str) -> str:
    """Return a word as a shell would pass it on, without expanding anything in it."""
    plain, quote, escaped = "", "", False
    for sign in word:
        if escaped:
            plain, escaped = plain + sign, False
        elif sign == "\\" and quote != "'":
            escaped = True
        elif sign in _QUOTES and quote in {"", sign}:
            quote = "" if quote else sign
        else:
            plain += sign
    return plain


def assignments(instruction: Instruction) -> tuple[tuple[str, str | None], ...]:
    """Return names and values of ARG and ENV: ``name=value ...``, ``name ...`` of ARG, or the old ``name value``."""
    words = list(shell_words(instruction.text))
    if instruction.keyword != "ARG" and len(words) > 1 and "=" not in words[0]:
        return ((words[0], _BLANK.split(instruction.text.strip(), 1)[1]),)
    pairs = [word.partition("=") for word in words]
    return tuple((_unquoted(name), value if equals else None) for name, equals, value in pairs)


def _cut(text: str) -> tuple[str, str]:
    parts = _BLANK.split(text, 1)
    return parts[0], parts[1].strip() if len(parts) > 1 else ""
