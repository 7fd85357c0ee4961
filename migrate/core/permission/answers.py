"""What IAM answers about the caller: who can be asked about, and what to ask before a stage is applied.

Simulated are the policies of the user or role, its permissions boundary and service control policies; session policies,
resource policies, resource control policies and endpoint policies are not (IAM API reference, SimulatePrincipalPolicy).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from migrate.core.permission.needed import Permission, Target, permissions_to_act
from migrate.core.permission.policy import Scope, context

_ASSUMED = re.compile(r"arn:(?P<partition>[^:]+):sts::(?P<account>\d{12}):assumed-role/(?P<role>[^/]+)/.+")
_ROOT = re.compile(r"arn:[^:]+:iam::\d{12}:root")
_ENTITY = re.compile(r"arn:[^:]+:iam::\d{12}:(?:user|role)/.+")


@dataclass(frozen=True, slots=True)
class Question:
    """May the caller do an action on a resource, with these condition keys? ``stage`` is the first that needs it."""

    action: str
    resource: str
    context: tuple[tuple[str, str], ...] = ()
    stage: int = 0
    on_repository: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """IAM's answer: ``decision`` is allowed, explicitDeny or implicitDeny.

    ``missing_keys`` are condition keys that a policy asks about and the simulation did not know; ``by`` names who
    denies, where IAM says it: a permissions boundary or the organization.
    """

    question: Question
    decision: str
    missing_keys: tuple[str, ...] = ()
    by: str = ""

    @property
    def is_allowed(self) -> bool:
        """Whether the simulated policies allow it."""
        return self.decision == "allowed"


@dataclass(frozen=True, slots=True)
class PermissionAnswers:
    """All answers about one caller; ``problem`` says why there are none.

    ``repository_policy`` tells whether the repository has a policy of its own, which may allow more: None is unknown.
    """

    principal: str
    answers: tuple[Answer, ...] = ()
    problem: str = ""
    repository_policy: bool | None = None


def is_root(caller_arn: str) -> bool:
    """Tell the account's root user, whom no policy of the account limits and whom nobody can simulate."""
    return _ROOT.fullmatch(caller_arn) is not None


def simulated_principal(caller_arn: str) -> str | None:
    """Return the user or role whose policies decide for a caller; None where IAM cannot simulate it.

    The ARN of a session does not tell the path of its role; a role with a path has to be looked up by its name
    (IAM user guide, "IAM identifiers").
    """
    match = _ASSUMED.fullmatch(caller_arn)
    if match is not None:
        return f"arn:{match['partition']}:iam::{match['account']}:role/{match['role']}"
    return caller_arn if _ENTITY.fullmatch(caller_arn) else None


def questions(stages: Iterable[int], scope: Scope, *, not_needed: Iterable[str] = ()) -> tuple[Question, ...]:
    """Return what to ask before the stages are applied, each permission once, under its first stage.

    ``not_needed`` are actions that this service has no use for.
    """
    useless, first = frozenset(not_needed), dict[Permission, int]()
    for stage in sorted(stages):
        for permission in permissions_to_act(stage):
            first.setdefault(permission, stage)
    return tuple(
        Question(
            permission.action,
            resource,
            tuple(sorted(context(permission.condition, scope).items())),
            stage,
            on_repository=permission.target in (Target.REPOSITORY, Target.IMAGES),
        )
        for permission, stage in sorted(first.items())
        if permission.action not in useless
        for resource in scope.resources(permission.target)
    )
