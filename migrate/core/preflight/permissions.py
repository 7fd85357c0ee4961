"""Preflight of the caller's permissions: what a stage would be denied, before it starts."""

from __future__ import annotations

from collections.abc import Iterator

from migrate.core.findings import Finding, Grade
from migrate.core.permission.answers import Answer, PermissionAnswers
from migrate.core.preflight.finding import finding

_COVERED = (
    "Simulated were the caller's own policies, permissions boundary and service control policies; session, resource "
    "and endpoint policies were not."
)


def permission_findings(answers: PermissionAnswers | None) -> Iterator[Finding]:
    """Yield which permissions are missing, one finding a stage, and which could not be decided."""
    if answers is None:
        return
    if answers.problem:
        yield finding(
            "permissions.not-simulated",
            Grade.UNKNOWN,
            0,
            f"Whether the credentials may do what the stages need could not be asked: {answers.problem}",
            "Compare the role with what `migrate iam` prints, or allow iam:SimulatePrincipalPolicy for it.",
            (("principal", answers.principal),),
        )
        return
    denied = [item for item in answers.answers if not item.is_allowed]
    open_ones = [item for item in denied if _is_open(item, answers)]
    for stage in sorted({item.question.stage for item in denied}):
        of_stage = [item for item in denied if item.question.stage == stage]
        yield from _missing(stage, [item for item in of_stage if item not in open_ones], answers)
        yield from _undecided(stage, [item for item in of_stage if item in open_ones], answers)


def _is_open(answer: Answer, answers: PermissionAnswers) -> bool:
    """Tell a denial that a condition, or a policy of the repository, may turn into a permission.

    A condition may also be why it is denied outright: "unless signed in with MFA" is one that nobody can simulate.
    """
    if answer.missing_keys:
        return True
    plain = answer.decision == "implicitDeny" and not answer.by
    return plain and answer.question.on_repository and answers.repository_policy is not False


def _missing(stage: int, denied: list[Answer], answers: PermissionAnswers) -> Iterator[Finding]:
    if denied:
        yield finding(
            "permissions.missing",
            Grade.BLOCK,
            stage,
            f"The credentials may not do {_actions(denied)}, which stage {stage} needs.",
            f"Allow it for {answers.principal}: `migrate iam --verb apply --stage {stage}` prints a policy. {_COVERED}",
            _evidence(denied, answers),
        )


def _undecided(stage: int, denied: list[Answer], answers: PermissionAnswers) -> Iterator[Finding]:
    if denied:
        keys = sorted({key for item in denied for key in item.missing_keys})
        why = f"the conditions on {', '.join(keys)}" if keys else "the policy of the repository"
        yield finding(
            "permissions.undecided",
            Grade.UNKNOWN,
            stage,
            f"Whether the credentials may do {_actions(denied)}, which stage {stage} needs, depends on {why}.",
            f"Compare the policies with what `migrate iam --verb apply --stage {stage}` prints. {_COVERED}",
            _evidence(denied, answers),
        )


def _actions(denied: list[Answer]) -> str:
    return ", ".join(dict.fromkeys(item.question.action for item in denied))


def _evidence(denied: list[Answer], answers: PermissionAnswers) -> tuple[tuple[str, str], ...]:
    found = [("principal", answers.principal)]
    for item in denied:
        by = f" by {item.by}" if item.by else ""
        found.append((item.question.action, f"{item.decision}{by} on {item.question.resource}"))
    return tuple(found)
