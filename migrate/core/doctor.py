"""Whether a machine has what a migration needs: one diagnosis for each thing, with what to do about it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from migrate.core.build.facts import Builder
from migrate.core.build.readiness import builder_problems
from migrate.core.findings import Grade
from migrate.core.image.names import Platform
from migrate.core.permission.answers import PermissionAnswers
from migrate.errors import ExitCode, MigrateError

_SKEW_WORTH_A_WORD = timedelta(seconds=30)
_SKEW_REFUSED = timedelta(minutes=5)
"""A signature is taken within five minutes of its time (AWS General Reference, "Signature Version 4")."""
_LITTLE, _TOO_LITTLE = 2 << 30, 200 << 20
_AMD64 = Platform("linux", "amd64")
_ARM64 = Platform("linux", "arm64")


class Health(StrEnum):
    """How it stands with one thing; ``skipped`` is what could not be asked, or is not needed."""

    WELL = "well"
    DOUBTFUL = "doubtful"
    ILL = "ill"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One thing that was looked at. ``then`` is what to do next, ``runbook`` a file and section; both may be empty."""

    subject: str
    health: Health
    text: str
    then: str = ""
    runbook: str = ""


@dataclass(frozen=True, slots=True)
class Diagnoses:
    """All of them, in the order in which a migration meets them."""

    found: tuple[Diagnosis, ...]

    @property
    def exit_code(self) -> ExitCode:
        """Blocked where anything is ill."""
        ill = any(item.health is Health.ILL for item in self.found)
        return ExitCode.BLOCKED if ill else ExitCode.DONE

    def count(self, health: Health) -> int:
        """How many of a kind there are."""
        return sum(item.health is health for item in self.found)


def of_error(subject: str, error: MigrateError) -> Diagnosis:
    """Return the diagnosis where looking, or what was looked at, failed."""
    return Diagnosis(subject, Health.ILL, f"{error}", error.then, error.runbook)


def of_plugin(name: str, wanted: str, place: str) -> Diagnosis:
    """Judge a plugin of Pulumi: ``place`` is where it was found, empty where it was not."""
    if place:
        return Diagnosis(f"plugin {name}", Health.WELL, f"{wanted}, {place}")
    text = f"Version {wanted} is not installed; Pulumi fetches it when it is needed first, where it may."
    return Diagnosis(
        f"plugin {name}",
        Health.DOUBTFUL,
        text,
        f"Fetch it now: `pulumi plugin install resource {name} {wanted}`.",
        "errors#engine",
    )


def of_builder(builder: Builder) -> Diagnosis:
    """Judge what would build the arm64 image, by the rules of preflight."""
    problems = sorted(builder_problems(builder), key=lambda item: item.grade != Grade.BLOCK)
    if problems:
        worst = problems[0]
        health = Health.ILL if worst.grade == Grade.BLOCK else Health.DOUBTFUL
        then = (
            "Name another in image.builder of migrate.toml, or make one: `docker buildx create --name multi-platform "
        )
        then += "--driver docker-container --bootstrap`. Where your CI builds, set image.mode to external."
        return Diagnosis("builder", health, worst.text, then, f"findings#{worst.code.replace('.', '-')}")
    ours = [str(one) for one in (_AMD64, _ARM64) if one in builder.platforms]
    others = len(builder.platforms) - len(ours)
    platforms = ", ".join([*ours, *([f"{others} other platforms"] if others > 1 else [])])
    text = f"{builder.name} ({builder.driver}), {platforms or 'platforms not known'}"
    if builder.platforms and _ARM64 not in builder.platforms:
        emulated = ", ".join(builder.registered) or "none"
        then = "On Debian: apt-get install qemu-user-static binfmt-support; elsewhere: docker run --privileged --rm "
        then += "tonistiigi/binfmt --install arm64. A Dockerfile that only copies needs no emulator."
        return Diagnosis(
            "builder",
            Health.DOUBTFUL,
            f"{text}: it cannot execute linux/arm64 (emulators registered: {emulated}).",
            then,
            "errors#builder",
        )
    return Diagnosis("builder", Health.WELL, text)


def of_clock(skew: timedelta) -> Diagnosis:
    """Judge how far this machine's clock is ahead of AWS's (behind, where it is negative)."""
    seconds = skew.total_seconds()
    direction = "ahead of" if seconds > 0 else "behind"
    text = f"{abs(seconds):.0f} s {direction} AWS's clock"
    if abs(skew) < _SKEW_WORTH_A_WORD:
        return Diagnosis("clock", Health.WELL, f"within {_SKEW_WORTH_A_WORD.total_seconds():.0f} s of AWS's clock")
    health = Health.ILL if abs(skew) >= _SKEW_REFUSED else Health.DOUBTFUL
    then = "Let the clock be set over the network: `timedatectl set-ntp true`. AWS refuses a time five minutes off."
    return Diagnosis("clock", health, f"{text}.", then, "errors#credentials")


def of_disk(place: str, free: int) -> Diagnosis:
    """Judge the bytes that are free where the state is kept."""
    text = f"{free / (1 << 30):.1f} GiB free at {place}"
    if free >= _LITTLE:
        return Diagnosis("disk", Health.WELL, text)
    then = "Make room there, or keep the state elsewhere: MIGRATE_STATE_DIR. What is kept of images takes 512 MiB."
    return Diagnosis("disk", Health.ILL if free < _TOO_LITTLE else Health.DOUBTFUL, f"{text}.", then, "errors#state")


def of_schema(name: str, found: int | None, newest: int) -> Diagnosis:
    """Judge the tables of the database; ``found`` None: there is no database yet, and the first run makes it."""
    if found is None:
        return Diagnosis("database", Health.WELL, f"{name}: not made yet, the first run makes it")
    if found > newest:
        text = f"{name} has tables of version {found}; this program knows versions up to {newest}."
        then = "Use the newer version of migrate for every service that is kept there."
        return Diagnosis("database", Health.ILL, text, then, "errors#state")
    more = "" if found == newest else f", to be brought to {newest} by the next run"
    return Diagnosis("database", Health.WELL, f"{name}, tables of version {found}{more}")


def of_permissions(answers: PermissionAnswers) -> Diagnosis:
    """Judge what IAM says that the caller may do, from the stages that need it."""
    if answers.problem:
        text = f"IAM could not be asked: {answers.problem}"
        then = "What is missing shows when it is needed; `migrate iam` prints all that is."
        return Diagnosis("permissions", Health.SKIPPED, text, then, "errors#permission")
    missing = [answer.question for answer in answers.answers if not answer.is_allowed]
    if not missing:
        return Diagnosis("permissions", Health.WELL, f"{answers.principal} may do what the stages need")
    actions = _listed(
        f"{action} (stage {stage})" for action, stage in dict.fromkeys((q.action, q.stage) for q in missing)
    )
    then = (
        "Have them allowed: `migrate iam --look` prints the whole policy; `migrate check` says which are really needed."
    )
    return Diagnosis("permissions", Health.DOUBTFUL, f"Missing: {actions}.", then, "errors#permission")


def _listed(texts: Iterable[str], most: int = 8) -> str:
    found: Sequence[str] = tuple(texts)
    more = f" and {len(found) - most} more" if len(found) > most else ""
    return ", ".join(found[:most]) + more
