"""What a shell text plainly starts, and what a launcher hands on to: words only, no file is looked at here.

Sources: POSIX shell command language (reserved words, expansions); manual pages of env, nice, timeout and stdbuf
(coreutils), tini, dumb-init, gosu, su-exec, setpriv, chpst and s6-setuidgid.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

_LONGEST_TEXT = 1 << 16
_MOST_COMMANDS = 256
_MOST_WORDS = 256
_LONGEST_VALUE = 4096
_SHELL_NAMES = frozenset({"sh", "bash", "ash", "dash", "busybox", "ksh", "zsh"})
_TOKEN = re.compile(
    r"""(?P<comment>(?:(?<=\s)|\A)\#[^\n]*)
    |(?P<operator>\|\||&&|;;|[;&|()\n`])
    |(?P<redirect>\d?(?:<<-?|<|>>|>)&?[ \t]*[^\s;&|()<>]*)
    |(?P<word>(?:"(?:[^"\\]|\\.)*"|'[^']*'|\\.|\$\([^()\n]{0,200}\)|\$\{[^}\n]{0,200}\}|[^\s;&|()<>"'\\`])+)
    |(?P<other>.)""",
    re.DOTALL | re.VERBOSE,
)
_PIECE = re.compile(
    r"""'(?P<single>[^']*)'|"(?P<double>(?:[^"\\]|\\.)*)"|\\(?P<escaped>.)|(?P<plain>[^'"\\]+|.)""",
    re.DOTALL | re.VERBOSE,
)
_HERE_DOCUMENT = re.compile(r"(?<!<)<<-?[ \t]*(?P<quote>['\"\\]?)(?P<end>\w+)")
_BACKQUOTED = re.compile(r"`[^`\n]{0,200}`")
_VARIABLE = re.compile(r"\$(?:\{(?P<braced>\w+)(?::?[-=](?P<default>[^{}$]*))?\}|(?P<bare>\w+))")
_ASSIGNMENT = re.compile(r"(?P<name>[A-Za-z_]\w*)=(?P<value>.*)", re.DOTALL)
_ALL_ARGUMENTS = frozenset({"$@", "${@}", "$*", "${*}"})
_RESERVED = frozenset(
    {"exec", "then", "do", "else", "if", "elif", "while", "until", "nohup", "time", "!", "{", "command", "builtin"}
)
_PREFIXES = frozenset({"export", "local", "readonly", "declare"})
_ASKS_MACHINE = re.compile(r"uname\s+-[a-z]*[mpia]|dpkg\s+--print-architecture|apk\s+--print-arch|\barch\b|TARGETARCH")
_BUILT_IN_WORDS = (
    "[ [[ ]] . : alias bg break case cd continue do done echo elif else esac eval exit export false fg fi for function "
    "getopts hash if in jobs kill let local printf pwd read readonly return select set shift shopt source test then "
    "times trap true type typeset ulimit umask unalias unset until wait while { }"
)
_BUILT_IN = frozenset(_BUILT_IN_WORDS.split())


@dataclass(slots=True)
class ShellReading:
    """A shell text, read: the commands that it plainly starts, each as its words.

    ``passes_arguments`` says that it starts what it is given (``exec "$@"``); ``is_open`` that it starts something
    that only the run can tell; ``asks_machine`` that it looks at the machine it runs on.
    """

    commands: list[tuple[str, ...]] = field(default_factory=list)
    passes_arguments: bool = False
    is_open: bool = False
    asks_machine: bool = False


@dataclass(frozen=True, slots=True)
class _Launcher:
    """How a launcher takes the command that it starts: words before it, and options that take a value."""

    operands: int = 0
    valued: frozenset[str] = frozenset()


def _launcher(operands: int = 0, valued: str = "") -> _Launcher:
    return _Launcher(operands, frozenset(valued.split()))


_LAUNCHERS: Mapping[str, _Launcher] = {
    "catatonit": _launcher(),
    "chpst": _launcher(valued="-u -U -b -/ -n -m -d -o -p -f -c -r -t"),
    "chroot": _launcher(1),
    "ddtrace-run": _launcher(),
    "docker-init": _launcher(valued="-p -e"),
    "dumb-init": _launcher(valued="-r --rewrite"),
    "gosu": _launcher(1),
    "ionice": _launcher(valued="-c -n -p -P -u"),
    "newrelic-admin": _launcher(1),
    "nice": _launcher(valued="-n --adjustment"),
    "nohup": _launcher(),
    "opentelemetry-instrument": _launcher(valued="--traces_exporter --metrics_exporter --service_name"),
    "s6-setuidgid": _launcher(1),
    "setpriv": _launcher(valued="--reuid --regid --groups --inh-caps --ambient-caps --bounding-set --securebits"),
    "setsid": _launcher(),
    "setuidgid": _launcher(1),
    "stdbuf": _launcher(valued="-i -o -e"),
    "su-exec": _launcher(1),
    "sudo": _launcher(valued="-u -g -U -h -p -C -r -t"),
    "timeout": _launcher(1, "-s -k --signal --kill-after"),
    "tini": _launcher(valued="-p -e"),
    "tini-static": _launcher(valued="-p -e"),
    "with-contenv": _launcher(),
}
_RUNNERS: Mapping[str, str] = {"bundle": "exec", "pdm": "run", "pipenv": "run", "poetry": "run", "uv": "run"}
"""Programs that start another one after a word of their own."""
SUPERVISORS = frozenset({"circusd", "init", "my_init", "runit", "runsvdir", "s6-svscan", "supervisord", "systemd"})
"""Programs that start what their own files name; those files are not read."""
SERVICE_DIRECTORIES = (
    "/etc/s6-overlay/s6-rc.d",
    "/etc/services.d",
    "/etc/service",
    "/etc/sv",
    "/etc/runit/runsvdir/default",
)
"""Where s6-overlay and runit keep a directory with a ``run`` script for every service that they start."""


def is_shell(name: str) -> bool:
    """Whether a program of this base name reads a shell text."""
    return name in _SHELL_NAMES


def is_built_in(name: str) -> bool:
    """Whether a shell does it by itself, so that no program is started."""
    return name in _BUILT_IN


def is_launcher(name: str) -> bool:
    """Whether a program of this base name does nothing but start another one."""
    return name == "env" or name in _LAUNCHERS


def launched(name: str, arguments: tuple[str, ...]) -> tuple[str, ...] | None:
    """Return the command that a launcher of this base name starts; None where the program is no launcher."""
    if name == "env":
        return _by_env(arguments)
    if name in _LAUNCHERS:
        launcher = _LAUNCHERS[name]
        return _past_options(arguments, launcher.valued)[launcher.operands :]
    if name in _RUNNERS and _RUNNERS[name] in arguments:
        return _past_options(arguments[arguments.index(_RUNNERS[name]) + 1 :], frozenset())
    if "--" in arguments[:-1]:
        return arguments[arguments.index("--") + 1 :]
    return None


def _past_options(arguments: tuple[str, ...], valued: frozenset[str]) -> tuple[str, ...]:
    position = 0
    while position < len(arguments) and arguments[position].startswith("-"):
        if arguments[position] == "--":
            return arguments[position + 1 :]
        position += 2 if arguments[position] in valued else 1
    return arguments[position:]


def _by_env(arguments: tuple[str, ...]) -> tuple[str, ...]:
    """Return what env starts: past its options and assignments, with ``-S`` split as it splits it."""
    waiting = list(reversed(arguments[:_MOST_WORDS]))
    while waiting:
        word = waiting.pop()
        if word == "--":
            break
        if word.startswith(("-S", "--split-string")):
            text = word.removeprefix("--split-string").removeprefix("-S").removeprefix("=")
            text = text or (waiting.pop() if waiting else "")
            pieces = [_unquoted(piece, {}) or piece for piece in text.split()]
            waiting += reversed(pieces[:_MOST_WORDS])
        elif word in {"-u", "--unset", "-C", "--chdir"}:
            del waiting[-1:]
        elif not word.startswith("-") and not _ASSIGNMENT.fullmatch(word):
            waiting.append(word)
            break
    return tuple(reversed(waiting))


def read_shell(text: str, variables: Mapping[str, str]) -> ShellReading:
    """Read what a shell text plainly starts. Quadratic in nothing; at most 64 KiB and 256 commands are looked at."""
    reading = ShellReading(asks_machine=_ASKS_MACHINE.search(text[:_LONGEST_TEXT]) is not None)
    known = dict(variables)
    for words in _simple_commands(text[:_LONGEST_TEXT]):
        if len(reading.commands) >= _MOST_COMMANDS:
            reading.is_open = True
            break
        _read_command(words, known, reading)
    return reading


def _simple_commands(text: str) -> Iterator[list[str]]:
    words: list[str] = []
    one_form = _BACKQUOTED.sub("$(.)", _without_here_documents(text.replace("\\\n", " ")))
    for token in _TOKEN.finditer(one_form):
        if token.lastgroup == "word":
            words.append(token[0])
        elif token.lastgroup == "operator":
            if words:
                yield words
            words = []
    if words:
        yield words


def _without_here_documents(text: str) -> str:
    """Return a text without its here-documents: they are content, and an apostrophe in one would hide what follows."""
    kept: list[str] = []
    end = ""
    for line in text.split("\n"):
        if end:
            if line.strip("\t") == end:
                end = ""
            continue
        kept.append(line)
        found = _HERE_DOCUMENT.search(line)
        end = found["end"] if found else ""
    return "\n".join(kept)


def _read_command(words: list[str], known: dict[str, str], reading: ShellReading) -> None:
    position = 0
    while position < len(words):
        word = words[position]
        assigned = _ASSIGNMENT.fullmatch(word)
        if assigned:
            value = _unquoted(assigned["value"], known)
            if value is None:
                known.pop(assigned["name"], None)
            else:
                known[assigned["name"]] = value
        elif word not in _RESERVED and word not in _PREFIXES:
            break
        position += 1
    rest = words[position:]
    if not rest:
        return
    if rest[0] == "set" and "--" in rest[:-1]:
        rest = rest[rest.index("--") + 1 :]
        if rest[0].strip('"') in _ALL_ARGUMENTS:
            return
    _take(rest, known, reading)


def _take(words: list[str], known: dict[str, str], reading: ShellReading) -> None:
    if words[0].strip('"') in _ALL_ARGUMENTS:
        reading.passes_arguments = True
        return
    name = _unquoted(words[0], known)
    if name is None or name == "eval":
        reading.is_open = True
    if not name:
        return
    more: list[str] = []
    for word in words[1:]:
        if word.strip('"') in _ALL_ARGUMENTS:
            # What is handed on may be the launcher's command: `exec gosu app "$@"`.
            reading.passes_arguments = True
            break
        more.append(_unquoted(word, known) or "")
    reading.commands.append((name, *more))


def _unquoted(word: str, known: Mapping[str, str]) -> str | None:
    """Return a word as the shell would make it; None where only the run can tell."""
    made: list[str] = []
    for piece in _PIECE.finditer(word):
        if piece["single"] is not None:
            made.append(piece["single"])
            continue
        if piece["escaped"] is not None:
            made.append(piece["escaped"])
            continue
        text = _expanded(piece["double"] if piece["double"] is not None else piece["plain"], known)
        if text is None:
            return None
        made.append(text)
    return "".join(made)


def _expanded(text: str, known: Mapping[str, str]) -> str | None:
    made: list[str] = []
    end = 0
    for match in _VARIABLE.finditer(text):
        value: str | None = known.get(match["braced"] or match["bare"]) or match["default"]
        if value is None:
            return None
        made += [text[end : match.start()], value]
        end = match.end()
    made.append(text[end:])
    whole = "".join(made)
    # A value may hold others twice, and those others twice: what grows without end leads to no file.
    return None if "$" in text[end:] or "`" in whole or len(whole) > _LONGEST_VALUE else whole
