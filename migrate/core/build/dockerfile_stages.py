"""The stages of a Dockerfile as one build sees them: who stands on whom, for which platform, and which are needed.

Source: BuildKit 0.34, frontend/dockerfile/dockerfile2llb/convert.go (a stage that stands on another one has that one's
platform; an ARG's default wins over an automatic platform argument, a build argument over both).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from migrate.core.build.dockerfile import Dockerfile, Instruction, assignments
from migrate.core.build.dockerfile_variables import expand
from migrate.core.image.names import Platform

SCRATCH = "scratch"
TARGET_ARGUMENTS = ("TARGETPLATFORM", "TARGETOS", "TARGETARCH", "TARGETVARIANT")
_EXPANDED = frozenset({"ADD", "ARG", "COPY", "ENV", "EXPOSE", "LABEL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"})
"""Instructions whose text BuildKit itself puts variables in; RUN leaves that to the shell."""

_MOST_VARIABLES = 256
_LONGEST_VALUE = 4096
_MOUNT_FROM = re.compile(r"(?:^|,)from=([^,]+)")


@dataclass(frozen=True, slots=True)
class BuildTarget:
    """What one build is for: a platform, on a builder of another or the same, a stage, and build arguments."""

    platform: Platform
    build_platform: Platform
    stage: str | None = None
    arguments: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """An instruction in its stage, with the variables that it sees; ``text`` has them put in where BuildKit does."""

    instruction: Instruction
    values: Mapping[str, str]
    text: str


@dataclass(frozen=True, slots=True)
class Stage:
    """One FROM and what follows it. ``base`` is an image's name, ``parent`` the stage it stands on instead.

    ``platform`` is what it runs on; None where a variable leaves it open. ``platform_flag`` is as written.
    """

    index: int
    name: str
    base: str
    parent: int | None
    platform: Platform | None
    platform_flag: str
    line: int
    steps: tuple[Step, ...]
    undecided: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """What to call it: its name or its number."""
        return self.name or f"number {self.index}"


@dataclass(frozen=True, slots=True)
class BaseUse:
    """An image that the build takes from a registry, for which platform, and where it says so.

    ``in_image`` tells whether it lies below the image that is built, and not only beside it.
    """

    image: str
    platform: Platform | None
    line: int
    in_image: bool
    undecided: bool = False


@dataclass(frozen=True, slots=True)
class BuildGraph:
    """The stages that the target needs, in their order; ``chain`` are those that the built image is made of.

    ``fault`` says why there is no such build.
    """

    stages: tuple[Stage, ...]
    needed: frozenset[int]
    chain: frozenset[int]
    fault: str = ""

    @property
    def used(self) -> tuple[Stage, ...]:
        """The stages that count."""
        return tuple(stage for stage in self.stages if stage.index in self.needed)

    def bases(self) -> Iterator[BaseUse]:
        """Yield the images that are fetched, those of COPY --from and of mounts included."""
        for stage in self.used:
            in_image = stage.index in self.chain
            if stage.parent is None and stage.base.lower() != SCRATCH:
                yield BaseUse(stage.base, stage.platform, stage.line, in_image, bool(stage.undecided))
            for step in stage.steps:
                for source in _sources(step.instruction):
                    if _stage_named(self.stages[: stage.index], source) is None and source.lower() != SCRATCH:
                        yield BaseUse(source, self.target_platform, step.instruction.line, in_image=False)

    @property
    def target_platform(self) -> Platform | None:
        """What the built image runs on."""
        return next((stage.platform for stage in reversed(self.stages) if stage.index in self.chain), None)


def automatic_arguments(target: BuildTarget) -> dict[str, str]:
    """Return the platform arguments of the global scope (Dockerfile reference)."""
    found: dict[str, str] = {}
    for prefix, platform in (("TARGET", target.platform), ("BUILD", target.build_platform)):
        found |= {
            f"{prefix}PLATFORM": str(platform),
            f"{prefix}OS": platform.os,
            f"{prefix}ARCH": platform.architecture,
            f"{prefix}VARIANT": platform.variant,
        }
    return found


def global_values(dockerfile: Dockerfile, target: BuildTarget) -> dict[str, str]:
    """Return the variables that FROM may use: platform arguments, and ARG before the first FROM over them."""
    values, given = automatic_arguments(target), dict(target.arguments)
    for instruction in dockerfile.instructions:
        if instruction.keyword == "FROM":
            break
        if instruction.keyword == "ARG":
            for name, default in assignments(instruction):
                if name in given:
                    values[name] = given[name]
                elif default is not None:
                    values[name] = expand(default, values).text
    return values


def build_graph(dockerfile: Dockerfile, target: BuildTarget) -> BuildGraph:
    """Return what a build for the target goes through."""
    globals_ = global_values(dockerfile, target)
    stages: list[Stage] = []
    ends: list[dict[str, str]] = []
    names: dict[str, Stage] = {}
    for number, block in enumerate(_blocks(dockerfile)):
        stage, end = _stage(number, block, names, ends, globals_, target)
        stages.append(stage)
        ends.append(end)
        if stage.name:
            names[stage.name] = stage
    if not stages:
        return BuildGraph((), frozenset(), frozenset(), "it has no FROM")
    wanted = stages[-1] if target.stage is None else _stage_named(stages, target.stage)
    if wanted is None:
        return BuildGraph(tuple(stages), frozenset(), frozenset(), f"it has no stage {target.stage}")
    chain = {wanted.index}
    while wanted.parent is not None:
        wanted = stages[wanted.parent]
        chain.add(wanted.index)
    return BuildGraph(tuple(stages), frozenset(_needed(stages, max(chain))), frozenset(chain))


def _blocks(dockerfile: Dockerfile) -> list[list[Instruction]]:
    blocks: list[list[Instruction]] = []
    for instruction in dockerfile.instructions:
        if instruction.keyword == "FROM":
            blocks.append([instruction])
        elif blocks:
            blocks[-1].append(instruction)
    return blocks


def _stage(
    number: int,
    block: list[Instruction],
    before: Mapping[str, Stage],
    ends: list[dict[str, str]],
    globals_: Mapping[str, str],
    target: BuildTarget,
) -> tuple[Stage, dict[str, str]]:
    first = block[0]
    words = first.words
    named = len(words) > 2 and words[1].lower() == "as"  # noqa: PLR2004 (FROM image AS name)
    base = expand(words[0], globals_) if words else expand("", {})
    flag = first.flag("platform")
    wish = expand(flag, globals_)
    parent = before.get(base.text.lower())
    platform = parent.platform if parent else _platform(wish.text) if flag else target.platform
    values = dict(ends[parent.index]) if parent else {}
    steps = tuple(_steps(block[1:], values, globals_, dict(target.arguments)))
    stage = Stage(
        index=number,
        name=words[2].lower() if named else "",
        base=words[0] if words and (base.missing or base.undecided) else base.text,
        parent=parent.index if parent else None,
        platform=platform,
        platform_flag=flag,
        line=first.line,
        steps=steps,
        undecided=(*base.missing, *base.undecided, *wish.missing, *wish.undecided),
    )
    return stage, values


def _steps(
    block: list[Instruction], values: dict[str, str], globals_: Mapping[str, str], given: Mapping[str, str]
) -> Iterator[Step]:
    """Yield the instructions in turn; ``values`` is carried from one to the next, and is the stage's end at last."""
    seen = dict(values)
    for instruction in block:
        text = instruction.text
        if instruction.keyword in _EXPANDED:
            text = expand(text, values).text
        yield Step(instruction, seen, text)
        changed: dict[str, str] = {}
        for name, written in assignments(instruction) if instruction.keyword in {"ARG", "ENV"} else ():
            value = expand(written, values).text if written is not None else globals_.get(name)
            if instruction.keyword == "ARG":
                value = given.get(name, value)
            if value is not None and (name in values or len(values) + len(changed) < _MOST_VARIABLES):
                changed[name] = value[:_LONGEST_VALUE]
        if changed:
            values |= changed
            seen = dict(values)


def _sources(instruction: Instruction) -> Iterator[str]:
    """Yield what COPY --from and RUN --mount=from= name: stages or images."""
    for name, value in instruction.flags:
        if name == "from" and instruction.keyword == "COPY" and value:
            yield value
        elif name == "mount" and instruction.keyword == "RUN":
            yield from _MOUNT_FROM.findall(value)


def _needed(stages: list[Stage], last: int) -> set[int]:
    found: set[int] = set()
    waiting = [last]
    while waiting:
        index = waiting.pop()
        if index in found:
            continue
        found.add(index)
        stage = stages[index]
        waiting += [] if stage.parent is None else [stage.parent]
        for step in stage.steps:
            for source in _sources(step.instruction):
                other = _stage_named(stages[:index], source)
                waiting += [] if other is None else [other.index]
    return found


def _stage_named(stages: list[Stage] | tuple[Stage, ...], name: str) -> Stage | None:
    """Return a stage by name, of several the last, or by number."""
    found = next((stage for stage in reversed(stages) if stage.name and stage.name == name.lower()), None)
    if found is None and name.isdecimal() and int(name) < len(stages):
        return stages[int(name)]
    return found


def _platform(text: str) -> Platform | None:
    """Read ``linux/arm64/v8``; one word is an architecture or a system (containerd, platforms.Parse)."""
    parts = text.lower().split("/")
    if not text or not all(parts) or len(parts) > 3:  # noqa: PLR2004 (system, architecture, variant)
        return None
    if len(parts) == 1:
        return None if parts[0] in {"linux", "windows", "darwin"} else Platform("linux", parts[0]).canonical
    return Platform(parts[0], parts[1], parts[2] if len(parts) > 2 else "").canonical  # noqa: PLR2004
