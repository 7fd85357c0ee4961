"""Preflight of SIGTERM: whether the signal that ends a Spot task ever reaches the application (facts F27)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from migrate.core.documents import Json
from migrate.core.findings import Finding, Grade
from migrate.core.image.index import ChildFacts, ImageConfig, ImageFacts
from migrate.core.image.names import LINUX_AMD64, LINUX_ARM64
from migrate.core.observation import Observation
from migrate.core.preflight.finding import finding
from migrate.core.preflight.paths import Evidence, in_task_definition
from migrate.core.service_settings import child
from migrate.core.task_definition import containers, process_overrides

_SHELLS = frozenset({"sh", "bash", "dash", "ash", "busybox", "zsh", "ksh"})
_SCRIPT_RUNNERS = frozenset({"npm", "npx", "yarn", "pnpm"})
_KILLING = frozenset({"SIGKILL", "KILL", "9"})
_COMMAND_FLAG = re.compile(r"-[a-z]*c")
_QUOTED_OR_REDIRECTED = re.compile(r"'[^']*'|\"[^\"]*\"|\d*>&\d?|&>")
_COMPOUND = re.compile(r"[;&|\n]|\b(?:if|for|while|until|case)\b")
_LAST_EXEC = re.compile(r"(?:^|[;&|\n]\s*)exec\s[^;&|\n]*$")


@dataclass(frozen=True, slots=True)
class SignalDoubt:
    """Why SIGTERM may not arrive; ``sure`` when a shell certainly keeps it to itself."""

    text: str
    sure: bool


def signal_findings(observation: Observation) -> Iterator[Finding]:
    """Yield containers whose process is started so that SIGTERM may not reach it."""
    for index, container in enumerate(containers(observation.task_definition.document)):
        if container.get("essential") is False:
            continue
        image = observation.image(str(container.get("name")))
        if image is None or image.facts is None:
            continue
        config = _config(image.facts)
        if config is not None and config.stop_signal.upper() in _KILLING:
            yield finding(
                "container.stop-signal-kills",
                Grade.WARN,
                3,
                f"The image of container {container.get('name')} asks to be stopped by {config.stop_signal}, which "
                "ends it at once, whatever stopTimeout says.",
                "Take STOPSIGNAL out of the Dockerfile, or name the signal that the application ends on.",
                (
                    *in_task_definition(f"$.containerDefinitions[{index}].image"),
                    ("STOPSIGNAL", config.stop_signal),
                    ("image", str(image.reference)),
                ),
            )
        words, evidence = _process(container, index, image.facts)
        doubt = signal_doubt(words)
        if doubt is None:
            continue
        yield _told(container, doubt, (*evidence, ("process", " ".join(words)[:200]), ("image", str(image.reference))))


def _told(container: dict[str, Json], doubt: SignalDoubt, evidence: Evidence) -> Finding:
    text = f"Container {container.get('name')}: {doubt.text}"
    advice = (
        "Start the application itself (exec form, or `exec` before the last command), and let it finish its requests "
        "on SIGTERM: a Spot task gets it two minutes before its end."
    )
    if not doubt.sure:
        return finding("container.sigterm-undecided", Grade.UNKNOWN, 3, text, advice, evidence)
    if child(container, "linuxParameters").get("initProcessEnabled"):
        text += " initProcessEnabled does not help: it signals the shell."
    return finding("container.sigterm-not-passed-on", Grade.WARN, 3, text, advice, evidence)


def signal_doubt(words: tuple[str, ...]) -> SignalDoubt | None:
    """Return what speaks against SIGTERM reaching the application started by ``words``; None: nothing seen."""
    if not words:
        return None
    program = words[0].rsplit("/", 1)[-1]
    if program in _SCRIPT_RUNNERS:
        return SignalDoubt(f"{program} stands between ECS and the application and may not pass SIGTERM on.", sure=False)
    script = _script(words)
    if script is None:
        return None
    bare = _QUOTED_OR_REDIRECTED.sub("", script).strip()
    if _LAST_EXEC.search(bare):
        return None
    if _COMPOUND.search(bare):
        return SignalDoubt(
            f"{program} -c runs more than one command and waits for the last: as process 1 it does not pass SIGTERM "
            "on, so that the application is killed when stopTimeout is over.",
            sure=True,
        )
    return SignalDoubt(
        f"the application is started through {program} -c. Some shells replace themselves by a single command, others "
        "stay in between and do not pass SIGTERM on.",
        sure=False,
    )


def _script(words: tuple[str, ...]) -> str | None:
    """Return the script of ``sh -c script``; None for any other process."""
    program, rest = words[0].rsplit("/", 1)[-1], list(words[1:])
    if program not in _SHELLS:
        return None
    if program == "busybox":
        rest = rest[1:]
    for place, word in enumerate(rest[:-1]):
        if _COMMAND_FLAG.fullmatch(word):
            return rest[place + 1].strip()
        if not word.startswith("-"):
            return None
    return None


def _process(container: dict[str, Json], index: int, facts: ImageFacts) -> tuple[tuple[str, ...], Evidence]:
    """Return the words that start the container, as ECS and Docker join them, and where they stand."""
    overrides = process_overrides(container)
    one, config = _chosen(facts), _config(facts)
    path = f"$.containerDefinitions[{index}]"
    entry, command = overrides.entry_point, overrides.command
    if entry is not None:
        # An entry point of the definition also takes the image's command away (ECS API, ContainerDefinition; Docker).
        return (*entry, *(command or ())), in_task_definition(f"{path}.entryPoint")
    from_image = config.entrypoint if config is not None else ()
    if command is not None:
        return (*from_image, *command), in_task_definition(f"{path}.command")
    place = in_task_definition(f"{path}.image")
    digest: Evidence = (("digest", one.digest),) if one is not None else ()
    return (*from_image, *(config.command if config is not None else ())), (*place, *digest)


def _chosen(facts: ImageFacts) -> ChildFacts | None:
    return facts.child_for(LINUX_ARM64) or facts.child_for(LINUX_AMD64)


def _config(facts: ImageFacts) -> ImageConfig | None:
    one = _chosen(facts)
    return one.config if one is not None else None
