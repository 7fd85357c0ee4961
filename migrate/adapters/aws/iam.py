"""Asks IAM what the caller may do, before anything is tried."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from migrate.adapters.aws.errors import code_of, translated
from migrate.adapters.aws.session import AwsSession
from migrate.core.permission_answers import Answer, PermissionAnswers, Question
from migrate.errors import AccessError

if TYPE_CHECKING:
    from mypy_boto3_iam.type_defs import ContextEntryTypeDef, EvaluationResultTypeDef


class AwsPermissionReader:
    """The port PermissionReader over boto3."""

    def __init__(self, session: AwsSession) -> None:
        self._session = session

    def answers(self, principal: str, questions: Sequence[Question]) -> PermissionAnswers:
        """Return what IAM answers about a user or role, one call for each resource that is asked about.

        A role may have a path that the ARN of its session does not tell: it is then looked up by name. Raises
        AccessError where IAM may not be asked, or does not know the principal.
        """
        entity = principal
        try:
            found = self._simulated(entity, questions)
        except _NoSuchEntityError as error:
            entity = self._with_path(principal, error)
            found = self._simulated(entity, questions)
        return PermissionAnswers(entity, found)

    def has_repository_policy(self, repository_arn: str) -> bool | None:
        """Tell whether a repository has a policy of its own; None where that may not be asked."""
        region, account, name = repository_parts(repository_arn)
        client = self._session.ecr(region)
        try:
            client.get_repository_policy(registryId=account, repositoryName=name)
        except ClientError as error:
            return False if code_of(error) == "RepositoryPolicyNotFoundException" else None
        return True

    def _simulated(self, principal: str, questions: Sequence[Question]) -> tuple[Answer, ...]:
        found: list[Answer] = []
        ordered = sorted(questions, key=lambda item: (item.resource, item.context, item.action))
        for (resource, keys), group in groupby(ordered, key=lambda item: (item.resource, item.context)):
            found.extend(self._about(principal, resource, keys, list(group)))
        return tuple(found)

    def _about(
        self, principal: str, resource: str, keys: tuple[tuple[str, str], ...], questions: list[Question]
    ) -> list[Answer]:
        asked = {question.action: question for question in questions}
        with translated("iam", self._session.region.name):
            try:
                pages = (
                    self._session.iam()
                    .get_paginator("simulate_principal_policy")
                    .paginate(
                        PolicySourceArn=principal,
                        ActionNames=sorted(asked),
                        ResourceArns=[resource],
                        ContextEntries=_entries(self._session.region.name, keys),
                    )
                )
                results = [item for page in pages for item in page["EvaluationResults"]]
            except ClientError as error:
                if code_of(error) in {"NoSuchEntity", "NoSuchEntityException"}:
                    raise _NoSuchEntityError(principal) from error
                raise
        return [parsed(asked[item["EvalActionName"]], item) for item in results if item["EvalActionName"] in asked]

    def _with_path(self, principal: str, unknown: Exception) -> str:
        prefix, slash, name = principal.rpartition("/")
        if not slash or not prefix.endswith(":role"):
            raise _unknown(principal) from unknown
        with translated("iam", self._session.region.name):
            try:
                return self._session.iam().get_role(RoleName=name)["Role"]["Arn"]
            except ClientError as error:
                if code_of(error) in {"NoSuchEntity", "NoSuchEntityException"}:
                    raise _unknown(principal) from error
                raise


class _NoSuchEntityError(Exception):
    """IAM knows no such user or role."""


def _unknown(principal: str) -> AccessError:
    return AccessError(
        f"IAM does not know {principal}.",
        why="The session of these credentials names a role that is not in this account.",
        then="Look at the policies of the role by hand.",
        runbook="errors#permission",
    )


def _entries(region: str, keys: Iterable[tuple[str, str]]) -> list[ContextEntryTypeDef]:
    """Return the condition keys of the call; the region is one that policies often ask about."""
    told = {"aws:RequestedRegion": region, **dict(keys)}
    return [
        {"ContextKeyName": name, "ContextKeyValues": [value], "ContextKeyType": "string"}
        for name, value in sorted(told.items())
    ]


def parsed(question: Question, result: EvaluationResultTypeDef) -> Answer:
    """Return one EvaluationResult; the resource's own result wins over the action's (IAM API, EvaluationResult)."""
    own = result.get("ResourceSpecificResults") or []
    decision = own[0]["EvalResourceDecision"] if own else result["EvalDecision"]
    missing = (own[0].get("MissingContextValues") if own else None) or result.get("MissingContextValues") or []
    answer = Answer(question, str(decision), tuple(sorted(missing)))
    if not answer.is_allowed and not result.get("OrganizationsDecisionDetail", {}).get("AllowedByOrganizations", True):
        return replace(answer, by="a service control policy")
    boundary = result.get("PermissionsBoundaryDecisionDetail", {})
    if not answer.is_allowed and not boundary.get("AllowedByPermissionsBoundary", True):
        return replace(answer, by="the permissions boundary")
    return answer


def repository_parts(arn: str) -> tuple[str, str, str]:
    """Return region, account and name of a repository's ARN (``arn:aws:ecr:REGION:ACCOUNT:repository/NAME``)."""
    _, _, _, region, account, resource = arn.split(":", 5)
    return region, account, resource.partition("/")[2]
