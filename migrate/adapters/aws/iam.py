"""Asks IAM what the caller may do, before anything is tried."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from migrate.adapters.aws.ecs import batches
from migrate.adapters.aws.errors import code_of, translated
from migrate.adapters.aws.session import AwsSession
from migrate.core.permission.answers import Answer, PermissionAnswers, Question
from migrate.errors import AccessError

if TYPE_CHECKING:
    from mypy_boto3_iam.type_defs import ContextEntryTypeDef, EvaluationResultTypeDef

Keys = tuple[tuple[str, str], ...]

RESOURCES_PER_CALL = 100
"""Ours: the API names no limit, and answers in pages of a hundred results."""


class AwsPermissionReader:
    """The port PermissionReader over boto3."""

    def __init__(self, session: AwsSession) -> None:
        self._session = session
        self._entities: dict[str, str] = {}

    def answers(self, principal: str, questions: Sequence[Question]) -> PermissionAnswers:
        """Return what IAM answers about a user or role, one call for each resource that is asked about.

        A role may have a path that the ARN of its session does not tell: it is then looked up by name. Raises
        AccessError where IAM may not be asked, or does not know the principal.
        """
        try:
            found = self._simulated(self._entity(principal), questions)
        except _NoSuchEntityError as error:
            self._entities[principal] = self._with_path(principal, error)
            found = self._simulated(self._entity(principal), questions)
        return PermissionAnswers(self._entity(principal), found)

    def prepare(self, principal: str, questions: Sequence[Question]) -> None:
        """Ask for many services at once: what is asked about many resources alike is one call for a hundred of them.

        Raises as answers does.
        """
        try:
            self._simulate_many(self._entity(principal), questions)
        except _NoSuchEntityError as error:
            self._entities[principal] = self._with_path(principal, error)
            self._simulate_many(self._entity(principal), questions)

    def _entity(self, principal: str) -> str:
        return self._entities.get(principal, principal)

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
        for (resource, keys), asked in _by_resource(questions).items():
            actions = tuple(sorted(asked))
            results = self._session.once(
                "iam:SimulatePrincipalPolicy",
                (principal, resource, keys, actions),
                partial(self._results, principal, (resource,), keys, actions),
            )
            known = (item for item in results if item["EvalActionName"] in asked)
            found.extend(parsed(asked[item["EvalActionName"]], item) for item in known)
        return tuple(found)

    def _simulate_many(self, principal: str, questions: Sequence[Question]) -> None:
        alike: dict[tuple[Keys, tuple[str, ...]], list[str]] = {}
        for (resource, keys), asked in _by_resource(questions).items():
            alike.setdefault((keys, tuple(sorted(asked))), []).append(resource)
        for (keys, actions), resources in alike.items():
            for batch in batches(resources, RESOURCES_PER_CALL):
                results = self._results(principal, batch, keys, actions)
                for resource in batch:
                    own = [mine for item in results for mine in about_one(resource, item)]
                    if self._session.shared is not None and len(own) == len(actions):
                        key = (principal, resource, keys, actions)
                        self._session.shared.put("iam:SimulatePrincipalPolicy", key, own)

    def _results(
        self, principal: str, resources: Sequence[str], keys: Keys, actions: Sequence[str]
    ) -> list[EvaluationResultTypeDef]:
        with translated("iam", self._session.region.name):
            try:
                pages = (
                    self._session.iam()
                    .get_paginator("simulate_principal_policy")
                    .paginate(
                        PolicySourceArn=principal,
                        ActionNames=list(actions),
                        ResourceArns=list(resources),
                        ContextEntries=_entries(self._session.region.name, keys),
                    )
                )
                return [item for page in pages for item in page["EvaluationResults"]]
            except ClientError as error:
                if code_of(error) in {"NoSuchEntity", "NoSuchEntityException"}:
                    raise _NoSuchEntityError(principal) from error
                raise

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


def _by_resource(questions: Iterable[Question]) -> dict[tuple[str, Keys], dict[str, Question]]:
    ordered = sorted(questions, key=lambda item: (item.resource, item.context, item.action))
    return {
        about: {question.action: question for question in group}
        for about, group in groupby(ordered, key=lambda item: (item.resource, item.context))
    }


def about_one(resource: str, result: EvaluationResultTypeDef) -> Iterator[EvaluationResultTypeDef]:
    """Yield what a result about many resources says of one (IAM API, EvaluationResult: ResourceSpecificResults)."""
    specific = result.get("ResourceSpecificResults") or []
    own = [item for item in specific if item["EvalResourceName"] == resource]
    if own:
        yield {**result, "ResourceSpecificResults": own}
    elif not specific and result.get("EvalResourceName") == resource:
        yield result


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
