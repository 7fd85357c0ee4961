from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from migrate.adapters.aws.iam import AwsPermissionReader, parsed, repository_parts
from migrate.adapters.aws.session import AwsSession
from migrate.core.permission.answers import Question
from migrate.errors import AccessError
from tests.unit.aws.recordings import ACCOUNT, REGION, SERVICE_ARN, Recordings

ROLE = f"arn:aws:iam::{ACCOUNT}:role/deploy"
USER = f"arn:aws:iam::{ACCOUNT}:user/ada"
TASK_ROLE = f"arn:aws:iam::{ACCOUNT}:role/task"
UPDATE = Question("ecs:UpdateService", SERVICE_ARN)
STOP = Question("ecs:StopServiceDeployment", SERVICE_ARN)
PASS = Question("iam:PassRole", TASK_ROLE, (("iam:PassedToService", "ecs-tasks.amazonaws.com"),), 2)


def evaluated(action: str, decision: str = "allowed", **more: Any) -> Any:
    return {"EvalActionName": action, "EvalDecision": decision, **more}


def keys(**more: str) -> list[dict[str, Any]]:
    told = {"aws:RequestedRegion": REGION, **{name.replace("_", ":", 1): value for name, value in more.items()}}
    return [
        {"ContextKeyName": name, "ContextKeyValues": [value], "ContextKeyType": "string"}
        for name, value in sorted(told.items())
    ]


def test_one_call_a_resource_with_its_condition_keys(session: AwsSession, aws: Recordings) -> None:
    aws.answer(
        *("iam", "simulate_principal_policy"),
        {"EvaluationResults": [evaluated("ecs:StopServiceDeployment"), evaluated("ecs:UpdateService")]},
        PolicySourceArn=ROLE,
        ActionNames=["ecs:StopServiceDeployment", "ecs:UpdateService"],
        ResourceArns=[SERVICE_ARN],
        ContextEntries=keys(),
    )
    aws.answer(
        *("iam", "simulate_principal_policy"),
        {"EvaluationResults": [evaluated("iam:PassRole", "explicitDeny")]},
        PolicySourceArn=ROLE,
        ActionNames=["iam:PassRole"],
        ResourceArns=[TASK_ROLE],
        ContextEntries=keys(iam_PassedToService="ecs-tasks.amazonaws.com"),
    )
    found = AwsPermissionReader(session).answers(ROLE, (PASS, UPDATE, STOP))
    assert {item.question.action: item.decision for item in found.answers} == {
        "ecs:StopServiceDeployment": "allowed",
        "ecs:UpdateService": "allowed",
        "iam:PassRole": "explicitDeny",
    }
    assert session.calls.by_operation == {"iam:SimulatePrincipalPolicy": 2}


def test_answers_in_pages_are_read_to_the_end(session: AwsSession, aws: Recordings) -> None:
    first = {"EvaluationResults": [evaluated("ecs:StopServiceDeployment")], "IsTruncated": True, "Marker": "more"}
    aws.answer("iam", "simulate_principal_policy", first)
    aws.answer("iam", "simulate_principal_policy", {"EvaluationResults": [evaluated("ecs:UpdateService")]})
    found = AwsPermissionReader(session).answers(ROLE, (UPDATE, STOP)).answers
    assert {item.question for item in found} == {UPDATE, STOP}


def test_a_user_that_is_gone_is_looked_up_by_no_name(session: AwsSession, aws: Recordings) -> None:
    aws.refuse("iam", "simulate_principal_policy", "NoSuchEntity", status=404)
    with pytest.raises(AccessError, match="does not know"):
        AwsPermissionReader(session).answers(USER, (UPDATE,))


def test_a_denied_look_up_of_the_role_says_which_permission(session: AwsSession, aws: Recordings) -> None:
    aws.refuse("iam", "simulate_principal_policy", "NoSuchEntity", status=404)
    aws.refuse("iam", "get_role", "AccessDenied", status=403)
    with pytest.raises(AccessError, match="iam:GetRole"):
        AwsPermissionReader(session).answers(ROLE, (UPDATE,))


@pytest.mark.parametrize(
    ("result", "decision", "by", "missing"),
    [
        (evaluated("x:Y"), "allowed", "", ()),
        (evaluated("x:Y", "implicitDeny", MissingContextValues=["b", "a"]), "implicitDeny", "", ("a", "b")),
        (
            evaluated("x:Y", "implicitDeny", OrganizationsDecisionDetail={"AllowedByOrganizations": False}),
            *("implicitDeny", "a service control policy", ()),
        ),
        (
            evaluated("x:Y", "implicitDeny", PermissionsBoundaryDecisionDetail={"AllowedByPermissionsBoundary": False}),
            *("implicitDeny", "the permissions boundary", ()),
        ),
        (
            evaluated(
                "x:Y",
                "implicitDeny",
                ResourceSpecificResults=[{"EvalResourceName": "r", "EvalResourceDecision": "allowed"}],
            ),
            *("allowed", "", ()),
        ),
    ],
    ids=["allowed", "condition", "organization", "boundary", "of the resource"],
)
def test_what_an_evaluation_says(result: Any, decision: str, by: str, missing: tuple[str, ...]) -> None:
    answer = parsed(UPDATE, result)
    assert (answer.decision, answer.by, answer.missing_keys) == (decision, by, missing)


def test_the_policy_of_a_repository_is_asked_for_in_its_own_region(session: AwsSession) -> None:
    client = session.ecr("eu-west-1")
    seen: list[dict[str, Any]] = []

    def refuse(params: dict[str, Any], **_: Any) -> None:
        seen.append(params)
        raise ClientError({"Error": {"Code": "RepositoryPolicyNotFoundException"}}, "GetRepositoryPolicy")

    client.meta.events.register("before-parameter-build.ecr.GetRepositoryPolicy", refuse)
    arn = f"arn:aws:ecr:eu-west-1:{ACCOUNT}:repository/shop/web"
    assert AwsPermissionReader(session).has_repository_policy(arn) is False
    assert seen == [{"registryId": ACCOUNT, "repositoryName": "shop/web"}]
    assert repository_parts(arn) == ("eu-west-1", ACCOUNT, "shop/web")
