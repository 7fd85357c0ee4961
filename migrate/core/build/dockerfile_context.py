"""What a build copies out of its context, and whether programs among it are for the platform asked for.

Source: Dockerfile reference, COPY (a directory is copied by its content; a destination that ends in a slash, or of
several sources, is a directory).
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass

from migrate.core.build.dockerfile import assignments, parse_dockerfile
from migrate.core.build.dockerfile_rules import place
from migrate.core.build.dockerfile_stages import BuildGraph, BuildTarget, Stage, build_graph
from migrate.core.build.dockerfile_variables import expand
from migrate.core.build.dockerignore import path_pattern
from migrate.core.build.facts import BuildSource, ContextProgram
from migrate.core.findings import Grade
from migrate.core.image.binaries import DEFAULT_SEARCH_PATH
from migrate.core.image.executables import AARCH64_MACHINE, MACHINES, X86_64_MACHINE
from migrate.core.image.facts import ImageProblem

_MACHINE_OF = {"amd64": X86_64_MACHINE, "arm64": AARCH64_MACHINE}
_I386_MACHINE = 0x03
_SHOWN = 8
_SHELLS = frozenset({"sh", "bash", "ash", "dash", "/bin/sh", "/bin/bash"})


@dataclass(frozen=True, slots=True)
class Copied:
    """One COPY or ADD from the context: its sources with variables put in, and where they end up."""

    stage: Stage
    line: int
    written: str
    sources: tuple[str, ...]
    destination: str
    in_image: bool

    def matches(self, path: str) -> bool:
        """Tell whether a file of the context is among the sources."""
        parts = path.split("/")
        above = {"/".join(parts[:end]) for end in range(1, len(parts) + 1)}
        return any(
            source == "." or any(path_pattern(source).fullmatch(item) for item in above) for source in self.sources
        )

    def names(self, path: str) -> bool:
        """Tell whether a file is a source by its own name, and not as part of a directory or a pattern."""
        return path in self.sources

    def target(self, path: str) -> str:
        """Return where a file of the context comes to lie in the image."""
        for source in self.sources:
            if source == ".":
                return posixpath.normpath(posixpath.join(self.destination, path))
            if path.startswith(f"{source}/"):
                return posixpath.normpath(posixpath.join(self.destination, path[len(source) + 1 :]))
        is_directory = self.destination.endswith(("/", "/.")) or len(self.sources) > 1
        inside = posixpath.basename(path) if is_directory else ""
        return posixpath.normpath(posixpath.join(self.destination, inside))


def copied(graph: BuildGraph) -> Iterator[Copied]:
    """Yield every COPY and ADD from the context, in the stages that count."""
    directories: dict[int, str] = {}
    for stage in graph.used:
        directory = directories.get(stage.parent, "/") if stage.parent is not None else "/"
        for step in stage.steps:
            instruction = step.instruction
            if instruction.keyword == "WORKDIR":
                directory = posixpath.join(directory, step.text)
            if instruction.keyword not in {"COPY", "ADD"} or instruction.flag("from"):
                continue
            words = [expand(word, step.values).text for word in instruction.words]
            sources = [word for word in words[:-1] if "://" not in word and not word.startswith("<<")]
            if sources:
                yield Copied(
                    stage,
                    instruction.line,
                    instruction.script,
                    tuple(posixpath.normpath(source).lstrip("/") or "." for source in sources),
                    posixpath.join(directory, words[-1]),
                    stage.index in graph.chain,
                )
        directories[stage.index] = directory


def context_sources(text: str, targets: tuple[BuildTarget, ...]) -> tuple[str, ...]:
    """Return the paths and patterns below the context that a Dockerfile copies, for any of the targets."""
    dockerfile = parse_dockerfile(text)
    found = [
        source for target in targets for item in copied(build_graph(dockerfile, target)) for source in item.sources
    ]
    return tuple(dict.fromkeys(found))


@dataclass(frozen=True, slots=True)
class StartedProgram:
    """What an image starts: the first word of it, where it starts, and where programs are looked for."""

    name: str
    directory: str = "/"
    search_path: tuple[str, ...] = ()

    def is_at(self, path: str) -> bool:
        """Tell whether this is the file that is started, as execvp finds it."""
        if "/" in self.name:
            return posixpath.normpath(posixpath.join(self.directory, self.name)) == path
        return posixpath.basename(path) == self.name and posixpath.dirname(path) in self.search_path


def started_program(graph: BuildGraph) -> StartedProgram | None:
    """Return what ENTRYPOINT or CMD of the image start; None where neither says so."""
    found: dict[str, tuple[str, ...]] = {}
    directory, search_path = "/", DEFAULT_SEARCH_PATH
    for stage in graph.stages:
        for step in stage.steps if stage.index in graph.chain else ():
            if step.instruction.keyword in {"ENTRYPOINT", "CMD"}:
                found[step.instruction.keyword] = step.instruction.words
            elif step.instruction.keyword == "WORKDIR":
                directory = posixpath.join(directory, step.text)
            elif step.instruction.keyword == "ENV":
                # What stands before $PATH is looked through first; the base image's own is not known.
                given = dict(assignments(step.instruction)).get("PATH")
                search_path = f"{expand(given, step.values).text}:{search_path}" if given else search_path
    words = found.get("ENTRYPOINT") or found.get("CMD") or ()
    if len(words) > 2 and words[0] in _SHELLS and words[1] == "-c":  # noqa: PLR2004 (sh -c text)
        words = tuple(words[2].split())
    name = next((word for word in words if word != "exec"), "")
    return StartedProgram(name, directory, tuple(search_path.split(":"))) if name else None


def copied_programs(graph: BuildGraph, target: BuildTarget, source: BuildSource) -> Iterator[ImageProblem]:
    """Yield the lines that copy programs of another machine into the image."""
    wanted = _MACHINE_OF.get(target.platform.canonical.architecture)
    if wanted is None:
        return
    foreign = {X86_64_MACHINE, AARCH64_MACHINE, _I386_MACHINE} - {wanted}
    program = started_program(graph)
    for item in copied(graph):
        strange = [found for found in source.programs if found.machine in foreign and item.matches(found.path)]
        started = [found for found in strange if program is not None and program.is_at(item.target(found.path))]
        if started and item.in_image:
            yield _copied_problem(item, started, target, source, starts=True)
        rest = [found for found in strange if found not in started and (item.in_image or item.names(found.path))]
        if rest and (item.in_image or not _runs_elsewhere(item.stage, target)):
            yield _copied_problem(item, rest, target, source, starts=False)


def _runs_elsewhere(stage: Stage, target: BuildTarget) -> bool:
    return stage.platform is not None and not stage.platform.matches(target.platform)


def _copied_problem(
    item: Copied, programs: list[ContextProgram], target: BuildTarget, source: BuildSource, *, starts: bool
) -> ImageProblem:
    machine = MACHINES[programs[0].machine]
    count = (
        f"{programs[0].path}, a program for {machine}," if len(programs) == 1 else f"{len(programs)} {machine} files"
    )
    what = "and the image starts it" if starts else f"though the build is for {target.platform}"
    listed = tuple(("context file", f"{found.path} ({MACHINES[found.machine]})") for found in programs[:_SHOWN])
    return ImageProblem(
        "dockerfile.copied-binary",
        Grade.BLOCK if starts else Grade.WARN,
        f"Line {item.line}: COPY takes {count} from the context {what}.",
        (*place(source.path, item.line, item.written), ("stage", item.stage.title), *listed),
    )


def origins(graph: BuildGraph, target: BuildTarget, source: BuildSource) -> Iterator[tuple[str, str]]:
    """Yield paths of the image and where a build for the target gets them: another stage, or a fitting program."""
    wanted = _MACHINE_OF.get(target.platform.canonical.architecture)
    for item in copied(graph):
        for found in source.programs:
            if item.in_image and found.machine == wanted and item.matches(found.path):
                yield item.target(found.path), f"line {item.line}, {found.path}"
    for stage in graph.used:
        for step in stage.steps:
            instruction = step.instruction
            if stage.index in graph.chain and instruction.keyword == "COPY" and instruction.flag("from"):
                destination = expand(instruction.words[-1], step.values).text if instruction.words else ""
                yield destination.rstrip("/"), f"line {instruction.line}, from {instruction.flag('from')}"
