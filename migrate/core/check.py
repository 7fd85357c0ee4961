"""What a check answers: can this run on ARM64 and on Spot, and if not, what stops it.

Findings come from preflight and are judged here by grade and stage alone, whatever their codes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from migrate.core.findings import Finding, Grade
from migrate.core.stages import Stage

SEVERITY = (Grade.BLOCK, Grade.WARN, Grade.UNKNOWN, Grade.INFO)
"""Grades from the heaviest to the lightest, as ``--fail-on`` counts them."""

_GROUPS = {
    "image": "images",
    "task-definition": "task definition",
    "service": "service",
    "cluster": "capacity",
    "capacity": "capacity",
    "repository": "repository",
    "build": "build",
    "dockerfile": "build",
    "crossing": "what has to cross to arm64",
    "container": "containers",
    "alarms": "alarms",
    "permissions": "permissions",
}
"""What a finding is about, by the first part of its code; any other part stands for itself."""


class Subject(StrEnum):
    """What was looked at."""

    SERVICE = "service"
    TASK_DEFINITION = "task-definition"
    IMAGES = "images"
    DOCKERFILE = "dockerfile"


class Readiness(StrEnum):
    """The answer to one question; what could not be decided is never ready."""

    READY = "ready"
    ALREADY = "already"
    BLOCKED = "blocked"
    UNDECIDED = "undecided"
    NOT_ASKED = "not-asked"


class FailOn(StrEnum):
    """The lightest grade that ends a command with exit code 3; each holds the ones before it."""

    BLOCK = "block"
    WARN = "warn"
    UNKNOWN = "unknown"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class CheckReport:
    """All that a check found. ``name`` says what was looked at, ``findings`` stand heaviest first."""

    subject: Subject
    name: str
    arm64: Readiness
    spot: Readiness
    findings: tuple[Finding, ...]

    @property
    def counts(self) -> dict[str, int]:
        """How many findings there are of each grade."""
        return count(self.findings)

    @property
    def summary(self) -> str:
        """The answer in one line: counts, ARM64, Spot, and the first thing that stops each."""
        parts = [_said("ARM64", self.arm64, self.in_the_way(Stage.ARCHITECTURE))]
        if self.spot is Readiness.READY and self.arm64 in (Readiness.BLOCKED, Readiness.UNDECIDED):
            parts.append("nothing else is in the way of Spot")
        elif self.spot is not Readiness.NOT_ASKED:
            parts.append(_said("Spot", self.spot, self.in_the_way(Stage.CAPACITY)))
        return f"{counted(self.findings)}: {'; '.join(parts)}"

    def in_the_way(self, stage: Stage) -> tuple[Finding, ...]:
        """Return what stops ARM64 (up to stage 2) or Spot (stage 3): blocks, or else what could not be decided."""
        found = [item for item in self.findings if _concerns(item, stage)]
        blocks = tuple(item for item in found if item.grade is Grade.BLOCK)
        return blocks or tuple(item for item in found if _leaves_open(item))


def report(
    subject: Subject,
    name: str,
    findings: Iterable[Finding],
    *,
    on_arm64: bool = False,
    on_spot: bool = False,
    asks_spot: bool = True,
) -> CheckReport:
    """Judge findings. ``on_arm64`` and ``on_spot`` say what is so already, ``asks_spot`` whether Spot is a question."""
    found = tuple(sorted(dict.fromkeys(findings), key=lambda item: (SEVERITY.index(item.grade), item.stage, item.code)))
    arm64 = _readiness([item for item in found if _concerns(item, Stage.ARCHITECTURE)], already=on_arm64)
    spot = _readiness([item for item in found if _concerns(item, Stage.CAPACITY)], already=on_spot)
    return CheckReport(subject, name, arm64, spot if asks_spot else Readiness.NOT_ASKED, found)


def _concerns(finding: Finding, stage: Stage) -> bool:
    return finding.stage <= stage if stage is Stage.ARCHITECTURE else finding.stage == stage


def _readiness(findings: list[Finding], *, already: bool) -> Readiness:
    if already:
        return Readiness.ALREADY
    if any(item.grade is Grade.BLOCK for item in findings):
        return Readiness.BLOCKED
    return Readiness.UNDECIDED if any(map(_leaves_open, findings)) else Readiness.READY


def _leaves_open(finding: Finding) -> bool:
    """Tell what leaves the answer open; what nobody knows of the caller says nothing about the service."""
    return finding.grade is Grade.UNKNOWN and group_of(finding) != _GROUPS["permissions"]


def count(findings: Iterable[Finding]) -> dict[str, int]:
    """Count findings by grade, heaviest first, zeros included."""
    found = Counter(item.grade for item in findings)
    return {grade.value: found[grade] for grade in SEVERITY}


def counted(findings: Iterable[Finding]) -> str:
    """Return the counts in words: ``2 block, 1 warn``."""
    return ", ".join(f"{number} {grade}" for grade, number in count(findings).items() if number) or "nothing found"


def _said(what: str, readiness: Readiness, reasons: tuple[Finding, ...]) -> str:
    because = reasons[0].text.rstrip(".") if reasons else ""
    return {
        Readiness.READY: f"ready for {what}",
        Readiness.ALREADY: f"runs on {what} already",
        Readiness.BLOCKED: f"cannot go to {what} yet because: {because}",
        Readiness.UNDECIDED: f"it is undecided whether it can go to {what}: {because}",
        Readiness.NOT_ASKED: "",
    }[readiness]


def fails(findings: Iterable[Finding], fail_on: FailOn) -> bool:
    """Tell whether one of the findings is as heavy as ``fail_on`` or heavier."""
    if fail_on is FailOn.NEVER:
        return False
    lightest = SEVERITY.index(Grade(fail_on.value))
    return any(SEVERITY.index(item.grade) <= lightest for item in findings)


def group_of(finding: Finding) -> str:
    """Return what a finding is about: a container or image that its evidence names, else what its code begins with."""
    evidence = dict(finding.evidence)
    if "container" in evidence:
        return f"container {evidence['container']}"
    family = finding.code.partition(".")[0]
    if family == "image" and "image" in evidence:
        return f"image {evidence['image']}"
    return _GROUPS.get(family, family)


def grouped(findings: Iterable[Finding]) -> tuple[tuple[str, tuple[Finding, ...]], ...]:
    """Return findings by what they are about: the group with the heaviest finding first, in each the heaviest first."""
    groups: dict[str, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(group_of(finding), []).append(finding)

    def weight(finding: Finding) -> tuple[int, int, str]:
        return SEVERITY.index(finding.grade), finding.stage, finding.code

    ordered = {name: tuple(sorted(items, key=weight)) for name, items in groups.items()}
    places = list(dict.fromkeys(_GROUPS.values()))

    def place(name: str) -> tuple[int, int, str]:
        own = places.index(name) if name in places else (-1 if " " in name else len(places))
        return SEVERITY.index(ordered[name][0].grade), own, name

    return tuple((name, ordered[name]) for name in sorted(ordered, key=place))
