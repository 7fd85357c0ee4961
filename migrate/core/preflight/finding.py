"""Findings of preflight are made here, so that code and runbook section cannot drift apart."""

from __future__ import annotations

from migrate.core.findings import Finding, Grade


def finding(
    code: str, grade: Grade, stage: int, text: str, advice: str, evidence: tuple[tuple[str, str], ...] = ()
) -> Finding:
    """Return a finding whose runbook section is named like its code."""
    return Finding(code, grade, stage, text, advice, f"findings#{code.replace('.', '-')}", evidence)
