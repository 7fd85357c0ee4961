"""An IAM for tests: a caller whose policies allow everything but what is said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from migrate.core.permission.answers import Answer, PermissionAnswers, Question
from migrate.errors import AccessError


@dataclass
class FakePermissionReader:
    """The port PermissionReader.

    ``denials`` holds decision and missing condition keys by action; ``paths`` the ARNs of roles that have a path, by
    the ARN without; ``unknown`` principals do not exist; ``refuses`` says that the caller may not simulate.
    """

    denials: dict[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)
    paths: Mapping[str, str] = field(default_factory=dict)
    unknown: frozenset[str] = frozenset()
    refuses: bool = False
    repository_policy: bool | None = False
    asked: list[tuple[str, tuple[Question, ...]]] = field(default_factory=list)

    def answers(self, principal: str, questions: Sequence[Question]) -> PermissionAnswers:
        self.asked.append((principal, tuple(questions)))
        if self.refuses:
            raise AccessError("The credentials may not do iam:SimulatePrincipalPolicy.", then="Allow it.")
        if principal in self.unknown:
            raise AccessError(f"IAM does not know {principal}.", then="Look by hand.")
        found = tuple(Answer(item, *self.denials.get(item.action, ("allowed", ()))) for item in questions)
        ordered = sorted(found, key=lambda item: (item.question.resource, item.question.context, item.question.action))
        return PermissionAnswers(self.paths.get(principal, principal), tuple(ordered))

    def has_repository_policy(self, repository_arn: str) -> bool | None:
        del repository_arn
        return self.repository_policy
