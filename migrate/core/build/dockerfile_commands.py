"""Commands in a Dockerfile that name amd64: compilers told to build for it, downloads, packages, flags, paths.

An instruction that also knows ARM, or asks which machine it is on, is taken to handle both.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from migrate.core.build.dockerfile_rules import place, without_secrets
from migrate.core.build.dockerfile_stages import BuildGraph, BuildTarget, Stage, Step
from migrate.core.findings import Grade
from migrate.core.image.facts import ImageProblem

_KNOWS_BOTH = re.compile(
    r"aarch64|arm64|armv8|TARGETARCH|TARGETPLATFORM|BUILDARCH|BUILDPLATFORM|uname\s+-[mpai]|`arch`|\$\(arch\)"
    r"|--print-arch|--eval[^\n]{0,80}_arch|go\s+env\s+GOARCH|HOSTTYPE|DEB_(?:HOST|BUILD|TARGET)",
)
_ONLY_FOR = r"(?:amd64|x86[_-]64|x64|linux64|386|i[36]86)"
_LOOKED_AT = frozenset({"RUN", "ENV", "ARG", "ADD", "COPY", "ENTRYPOINT", "CMD", "WORKDIR", "HEALTHCHECK"})
_LONGEST_LINE, _LONGEST_SCRIPT = 16 << 10, 64 << 10
_WEAKEST = re.compile(r"(?<![A-Za-z0-9])(?:amd64|x86[_-]64|linux[-_]?x64|linux64)(?![A-Za-z0-9])")


@dataclass(frozen=True, slots=True)
class _Rule:
    """A pattern within one line, and what it means. ``anywhere``: it decides what is built, on whatever platform."""

    pattern: re.Pattern[str]
    code: str
    grade: Grade
    text: str
    anywhere: bool = False


_RULES = (
    _Rule(
        # Go, "Environment variables"; rustc, "Targets"; .NET, RID catalog.
        re.compile(
            r"\bGOARCH[= ]\"?(?:amd64|386)\b|--target[= ]\"?(?:x86_64|i[36]86)-\S+|CARGO_BUILD_TARGET[= ]\"?x86_64"
            r"|(?:\s-r|--runtime|RuntimeIdentifiers?=|--arch)[ =]*\"?(?:linux-(?:musl-)?)?x64\b"
        ),
        "dockerfile.built-for-amd64",
        Grade.BLOCK,
        "the compiler is told to build for amd64, whatever platform is asked for",
        anywhere=True,
    ),
    _Rule(
        re.compile(rf"(?:https?|ftp)://\S*(?<![A-Za-z0-9]){_ONLY_FOR}(?![A-Za-z0-9])"),
        "dockerfile.download-for-amd64",
        Grade.WARN,
        "what is downloaded is for amd64 by its name",
    ),
    _Rule(
        # Debian, "Multiarch HOWTO".
        re.compile(r"dpkg\s+--add-architecture\s+(?:amd64|i386)|(?<=[\w.+-]):(?:amd64|i386)\b"),
        "dockerfile.foreign-packages",
        Grade.WARN,
        "packages of amd64 are installed by name",
    ),
    _Rule(
        # GCC manual, "x86 Options".
        re.compile(
            r"(?<!\S)[\"']?-m(?:arch=(?!armv|native)[\w-]+|tune=(?!cortex|neoverse|generic|native)[\w-]+|64|32|x32"
            r"|sse[\w.]*|avx\w*|fpmath=\w+|fma|bmi2?|aes|popcnt)(?![\w-])"
        ),
        "dockerfile.compiler-flags",
        Grade.WARN,
        "a compiler flag is one of x86",
    ),
    _Rule(_WEAKEST, "dockerfile.names-amd64", Grade.WARN, "amd64 is named"),
)


def commands(graph: BuildGraph, target: BuildTarget, path: str) -> Iterator[ImageProblem]:
    """Yield the lines that name amd64, each once and by the strongest rule. For a build for amd64 there are none."""
    if target.platform.canonical.architecture == "amd64":
        return
    for stage in graph.used:
        for step in stage.steps:
            if step.instruction.keyword in _LOOKED_AT and not _KNOWS_BOTH.search(
                step.instruction.script[:_LONGEST_SCRIPT]
            ):
                yield from _in_step(stage, step, target, path)


def _in_step(stage: Stage, step: Step, target: BuildTarget, path: str) -> Iterator[ImageProblem]:
    elsewhere = stage.platform is not None and not stage.platform.matches(target.platform)
    for number, text, written in _lines(step):
        line = text[:_LONGEST_LINE]
        for rule in _RULES:
            # A tool for the machine that builds is right in a stage that runs there.
            match = rule.pattern.search(line) if rule.anywhere or not elsewhere else None
            if match:
                # What a variable brought in is not shown: it may be somebody's secret.
                said = match[0] if match[0] in written else re.sub(r".*(?=" + _ONLY_FOR + ")", "...", match[0])
                told = f"Line {number}: {rule.text}: {without_secrets(said.strip())}."
                yield ImageProblem(rule.code, rule.grade, told, (*place(path, number, written), ("stage", stage.title)))
                break


def _lines(step: Step) -> Iterator[tuple[int, str, str]]:
    """Yield number, what is to be looked at, and what is written there: variables put in may hold secrets."""
    instruction = step.instruction
    if len(instruction.lines) == 1 and instruction.keyword not in {"RUN", "CMD", "ENTRYPOINT", "HEALTHCHECK"}:
        # With the variables put in: what names TARGETARCH names the right platform.
        yield instruction.line, f"{instruction.keyword} {step.text}", instruction.script
        return
    for number, text in instruction.lines:
        if not text.lstrip().startswith("#"):
            yield number, text, text
