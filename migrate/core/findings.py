"""Findings: what preflight saw, graded, with the evidence and the runbook section that treats it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Grade(StrEnum):
    """How much a finding weighs: block stops, warn wants a look, info only tells, unknown could not be decided."""

    BLOCK = "block"
    WARN = "warn"
    INFO = "info"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that preflight or a proof found.

    ``code`` never changes its meaning (for example ``image.single-platform``); ``stage`` is the first stage that the
    finding touches; ``evidence`` are name and value pairs; ``runbook`` names file and section.
    """

    code: str
    grade: Grade
    stage: int
    text: str
    advice: str
    runbook: str
    evidence: tuple[tuple[str, str], ...] = ()


def blocking(findings: tuple[Finding, ...], stage: int) -> tuple[Finding, ...]:
    """Return the findings that forbid ``stage``: those graded block that touch it or an earlier stage."""
    return tuple(finding for finding in findings if finding.grade is Grade.BLOCK and finding.stage <= stage)
