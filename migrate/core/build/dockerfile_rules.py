"""What in a Dockerfile holds a build to amd64, each with the line it stands on.

Only the stages that the target needs are looked at. Sources: Dockerfile reference ("Automatic platform ARGs in the
global scope"), BuildKit 0.34 (dockerfile2llb/convert.go), cases C06 and C14.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from migrate.core.build.dockerfile_stages import (
    SCRATCH,
    TARGET_ARGUMENTS,
    BaseUse,
    BuildGraph,
    BuildTarget,
    Stage,
    Step,
    automatic_arguments,
)
from migrate.core.build.dockerfile_variables import names_in
from migrate.core.build.facts import BaseImage
from migrate.core.findings import Grade
from migrate.core.image.facts import ImageProblem

_DECIDING = frozenset(TARGET_ARGUMENTS) - {"TARGETVARIANT"}
_SHOWN = 160
_LOOKED_AT = 1024
_SECRET = re.compile(
    r"(?P<kept>://)[^/\s@\"']+(?=@)"
    r"|(?P<header>Authorization:\s*(?:\w+\s+)?)[^\s\"']+"
    r"|(?P<named>\w*(?:TOKEN|SECRET|PASSW|PASS\b|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|CREDENTIAL|SIGNATURE)[\w-]*\s*[=:]\s*)"
    r"[^\s&\"']+",
    re.IGNORECASE,
)


def without_secrets(text: str) -> str:
    """Return the beginning of a text without logins, tokens and keys, as far as they can be told by their names."""
    return _SECRET.sub(lambda match: f"{match['kept'] or match['header'] or match['named']}***", text)


def place(path: str, line: int, text: str) -> tuple[tuple[str, str], ...]:
    """Return where something stands, as evidence."""
    return (("file", path), ("line", str(line)), ("instruction", without_secrets(" ".join(text.split()))[:_SHOWN]))


def pinned_platforms(
    graph: BuildGraph, target: BuildTarget, path: str, *, native_known: bool = True
) -> Iterator[ImageProblem]:
    """Yield the stages that are for another platform than the one that is asked for.

    ``native_known``: the builder said what it runs on. Where it did not, $BUILDPLATFORM may be the right one.
    """
    for stage in graph.used:
        flag = stage.platform_flag
        if not flag or stage.parent is not None or stage.base.lower() == SCRATCH:
            continue
        evidence = place(path, stage.line, f"FROM --platform={flag} {stage.base}")
        in_image = stage.index in graph.chain
        if stage.platform is None:
            text = f"Line {stage.line}: what platform {flag} stands for could not be decided."
            yield ImageProblem("dockerfile.platform-unknown", Grade.UNKNOWN, text, evidence)
        elif stage.platform.matches(target.platform):
            continue
        elif in_image:
            text = (
                f"Line {stage.line}: FROM --platform={flag} puts {stage.platform} files into the image, "
                f"whose metadata will say {target.platform}."
            )
            sure = native_known or "BUILD" not in flag
            yield ImageProblem("dockerfile.platform-pinned", Grade.BLOCK if sure else Grade.UNKNOWN, text, evidence)
        elif "BUILD" not in flag and not _cross_compiles(stage):
            text = (
                f"Line {stage.line}: stage {stage.title} is always built for {stage.platform}; programs that are "
                f"copied out of it will not run on {target.platform}."
            )
            yield ImageProblem("dockerfile.platform-pinned", Grade.WARN, text, evidence)


def _cross_compiles(stage: Stage) -> bool:
    return any(names_in(step.instruction.script) & _DECIDING & step.values.keys() for step in stage.steps)


def base_images(graph: BuildGraph, bases: tuple[BaseImage, ...], path: str) -> Iterator[ImageProblem]:
    """Yield the images below and beside the built one that are not there for the platform that is needed."""
    known = {base.image: base for base in bases}
    for use in graph.bases():
        base = known.get(use.image)
        evidence = (*place(path, use.line, use.image), ("image", use.image))
        if use.undecided or use.platform is None:
            text = f"Line {use.line}: the image {use.image} hangs on a variable that could not be followed."
            yield ImageProblem("dockerfile.base-unknown", Grade.UNKNOWN, text, evidence)
        elif base is None or base.problem or not base.platforms:
            why = base.problem if base and base.problem else "its platforms are not declared"
            text = f"Line {use.line}: whether {use.image} has {use.platform} could not be found out: {why}"
            yield ImageProblem("dockerfile.base-unknown", Grade.UNKNOWN, text, evidence)
        elif not any(platform.matches(use.platform) for platform in base.platforms):
            yield _base_problem(use, base, evidence)


def _base_problem(use: BaseUse, base: BaseImage, evidence: tuple[tuple[str, str], ...]) -> ImageProblem:
    found = ", ".join(str(platform) for platform in base.platforms)
    evidence = (*evidence, ("platforms", found))
    if base.pinned and not base.is_index:
        text = (
            f"Line {use.line}: {use.image} is pinned to the digest of one manifest, for {found}; the build for "
            f"{use.platform} would take it all the same."
        )
        return ImageProblem("dockerfile.base-pinned", Grade.BLOCK, text, evidence)
    text = f"Line {use.line}: {use.image} has no {use.platform} (it has: {found})."
    return ImageProblem("dockerfile.base-without-platform", Grade.BLOCK, text, evidence)


def platform_arguments(graph: BuildGraph, target: BuildTarget, path: str) -> Iterator[ImageProblem]:
    """Yield uses of TARGETARCH and its kin that say nothing, or always the same, about the platform asked for."""
    automatic = automatic_arguments(target)
    for stage in graph.used:
        told: set[str] = set()
        for step in stage.steps:
            instruction = step.instruction
            if instruction.keyword in {"ARG", "ONBUILD", "CMD", "ENTRYPOINT", "HEALTHCHECK"}:
                continue
            for name in sorted((names_in(instruction.script) & _DECIDING) - told):
                problem = _argument_problem(stage, step, name, automatic, path)
                if problem is not None:
                    told.add(name)
                    yield problem


def _argument_problem(stage: Stage, step: Step, name: str, automatic: dict[str, str], path: str) -> ImageProblem | None:
    instruction = step.instruction
    line = next((number for number, text in instruction.lines if name in text), instruction.line)
    evidence = (*place(path, line, instruction.script), ("argument", name), ("stage", stage.title))
    if name not in step.values:
        if re.search(rf"(?:^|[\s;&|(]){name}=", instruction.script):
            return None
        # BuildKit puts in what it does not know as nothing; a shell may have got it from elsewhere.
        sure = instruction.keyword != "RUN" or re.search(rf"\$\{{{name}:?-[^}}]*(?:amd64|x86|x64)", instruction.script)
        text = (
            f"Line {line}: {name} is not declared in stage {stage.title} (ARG {name}), so it is empty there, for "
            "every platform."
        )
        return ImageProblem("dockerfile.targetarch-undeclared", Grade.BLOCK if sure else Grade.WARN, text, evidence)
    value = step.values[name]
    if value == automatic[name]:
        return None
    text = (
        f"Line {line}: {name} is always {value or 'empty'} in stage {stage.title}: a default value, ENV or build "
        f"argument has been put over {automatic[name]}."
    )
    return ImageProblem("dockerfile.targetarch-pinned", Grade.BLOCK, text, evidence)
