"""What batches do where AWS is not as tidy as a fleet: names that are gone, dear listings, roles with paths."""

from __future__ import annotations

from typing import Any

import pytest

from migrate.adapters.aws.application_autoscaling import all_scaling_policies
from migrate.adapters.aws.batches import AwsBatchReader
from migrate.adapters.aws.ecr import EcrRepositoryReader, repositories
from migrate.adapters.aws.iam import AwsPermissionReader
from migrate.adapters.aws.session import AwsSession, Region
from migrate.adapters.shared_reads import SharedReads
from migrate.core.image.names import ImageReference
from migrate.core.permission.answers import Question
from tests.unit.aws.recordings import ACCOUNT, REGION, REGISTRY, Recordings, made_up_core

ROLE = f"arn:aws:iam::{ACCOUNT}:role/migrate"
ROLE_WITH_PATH = f"arn:aws:iam::{ACCOUNT}:role/team/migrate"


@pytest.fixture
def session() -> AwsSession:
    return AwsSession(made_up_core(), Region(REGION, "the test"), shared=SharedReads())


def image(name: str) -> ImageReference:
    return ImageReference(REGISTRY, name, tag="1")


def a_repository(name: str) -> dict[str, Any]:
    return {"repositoryName": name, "repositoryUri": f"{REGISTRY}/{name}", "registryId": ACCOUNT}


def result(action: str, *resources: str, decision: str = "allowed") -> dict[str, Any]:
    specific = [{"EvalResourceName": name, "EvalResourceDecision": decision} for name in resources]
    return {
        "EvalActionName": action,
        "EvalResourceName": "*",
        "EvalDecision": decision,
        "ResourceSpecificResults": specific,
    }


def test_one_repository_that_is_gone_takes_no_other_with_it(aws: Recordings) -> None:
    aws.refuse("ecr", "describe_repositories", "RepositoryNotFoundException")
    aws.answer("ecr", "describe_repositories", {"repositories": [a_repository("api")]}, repositoryNames=["api"])
    aws.refuse("ecr", "describe_repositories", "RepositoryNotFoundException")
    found = repositories(aws.session, [image("api"), image("gone")])
    assert {name: item.name if item else None for name, item in found.items()} == {
        f"{REGISTRY}/api": "api",
        f"{REGISTRY}/gone": None,
    }


def test_a_repository_of_a_batch_is_not_asked_for_again(aws: Recordings) -> None:
    aws.answer("ecr", "describe_repositories", {"repositories": [a_repository("api"), a_repository("web")]})
    AwsBatchReader(aws.session, AwsPermissionReader(aws.session), size=2).repositories([image("api"), image("web")])
    reader = EcrRepositoryReader(aws.session)
    assert [found.name for name in ("api", "web") if (found := reader.repository(image(name)))] == [
        "api",
        "web",
    ]
    assert aws.session.calls.total == 1


def test_a_listing_that_takes_more_calls_than_the_services_is_given_up(aws: Recordings) -> None:
    page = {"ScalingPolicies": [], "NextToken": "more"}
    aws.answer("application_autoscaling", "describe_scaling_policies", page)
    aws.answer("application_autoscaling", "describe_scaling_policies", page)
    assert all_scaling_policies(aws.session, 2) is None


def test_a_role_with_a_path_is_looked_up_once_for_all(aws: Recordings) -> None:
    asked = [Question("ecs:UpdateService", name) for name in ("arn:aws:ecs:a", "arn:aws:ecs:b")]
    both = {"EvaluationResults": [result("ecs:UpdateService", "arn:aws:ecs:a", "arn:aws:ecs:b")], "IsTruncated": False}
    role = {"Path": "/team/", "RoleName": "migrate", "RoleId": "A" * 16, "Arn": ROLE_WITH_PATH, "CreateDate": 0}
    aws.refuse("iam", "simulate_principal_policy", "NoSuchEntity")
    aws.answer("iam", "get_role", {"Role": role})
    aws.answer("iam", "simulate_principal_policy", both)
    reader = AwsPermissionReader(aws.session)
    reader.prepare(ROLE, asked)
    for question in asked:
        answers = reader.answers(ROLE, [question])
        assert answers.principal == ROLE_WITH_PATH
        assert [(item.question, item.is_allowed) for item in answers.answers] == [(question, True)]
    assert aws.session.calls.by_operation == {"iam:GetRole": 1, "iam:SimulatePrincipalPolicy": 2}


def test_each_resource_has_its_own_answer(aws: Recordings) -> None:
    asked = [Question("ecr:PutImage", name) for name in ("arn:aws:ecr:a", "arn:aws:ecr:b")]
    mixed = result("ecr:PutImage", "arn:aws:ecr:a")
    mixed["ResourceSpecificResults"] += result("ecr:PutImage", "arn:aws:ecr:b", decision="implicitDeny")[
        "ResourceSpecificResults"
    ]
    aws.answer("iam", "simulate_principal_policy", {"EvaluationResults": [mixed], "IsTruncated": False})
    reader = AwsPermissionReader(aws.session)
    reader.prepare(ROLE, asked)
    found = reader.answers(ROLE, asked).answers
    assert {item.question.resource: item.is_allowed for item in found} == {
        "arn:aws:ecr:a": True,
        "arn:aws:ecr:b": False,
    }
