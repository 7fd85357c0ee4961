"""One suite over the fake and over the real adapter, whose IAM answers from recordings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from migrate.adapters.aws.iam import AwsPermissionReader
from migrate.adapters.aws.session import AwsSession, Region
from migrate.core.permission.answers import Question
from migrate.errors import AccessError
from migrate.ports import PermissionReader
from tests.fakes.permissions import FakePermissionReader
from tests.unit.aws.recordings import ACCOUNT, REGION, SERVICE_ARN, Recordings, made_up_core

ROLE = f"arn:aws:iam::{ACCOUNT}:role/deploy"
WITH_PATH = f"arn:aws:iam::{ACCOUNT}:role/teams/shop/deploy"
REPOSITORY = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/shop/web"
UPDATE = Question("ecs:UpdateService", SERVICE_ARN)
STOP = Question("ecs:StopServiceDeployment", SERVICE_ARN, stage=1)
PASS = Question("iam:PassRole", ROLE, (("iam:PassedToService", "ecs-tasks.amazonaws.com"),), 2)


def evaluated(action: str, decision: str = "allowed", **more: Any) -> dict[str, Any]:
    return {"EvalActionName": action, "EvalResourceName": "*", "EvalDecision": decision, **more}


@dataclass
class Scene:
    """A reader, and what its IAM shall say."""

    fake: FakePermissionReader
    recordings: Recordings | None = None

    @property
    def reader(self) -> PermissionReader:
        return AwsPermissionReader(self.recordings.session) if self.recordings else self.fake

    def will_say(self, *results: dict[str, Any]) -> None:
        for item in results:
            missing = tuple(sorted(item.get("MissingContextValues", ())))
            self.fake.denials[item["EvalActionName"]] = (item["EvalDecision"], missing)
        if self.recordings:
            answer = {"EvaluationResults": list(results), "IsTruncated": False}
            self.recordings.answer("iam", "simulate_principal_policy", answer)

    def does_not_know(self, principal: str, *, instead: str | None = None) -> None:
        if instead:
            self.fake.paths = {principal: instead}
        else:
            self.fake.unknown = frozenset({principal})
        if self.recordings:
            self.recordings.refuse("iam", "simulate_principal_policy", "NoSuchEntity", status=404)
            if instead:
                role = {
                    "Path": "/teams/shop/",
                    "RoleName": "deploy",
                    "RoleId": "AROAMADEUPMADEUP",
                    "Arn": instead,
                    "CreateDate": "2026-01-01",
                }
                self.recordings.answer("iam", "get_role", {"Role": role}, RoleName="deploy")
            else:
                self.recordings.refuse("iam", "get_role", "NoSuchEntity", status=404)

    def refuses(self) -> None:
        self.fake.refuses = True
        if self.recordings:
            message = f"User: {ROLE} is not authorized to perform: iam:SimulatePrincipalPolicy on resource: {ROLE}"
            self.recordings.refuse("iam", "simulate_principal_policy", "AccessDenied", message, 403)

    def has_policy(self, known: bool | None) -> None:
        self.fake.repository_policy = known
        if not self.recordings:
            return
        if known:
            self.recordings.answer("ecr", "get_repository_policy", {"policyText": "{}"})
        else:
            code = "AccessDeniedException" if known is None else "RepositoryPolicyNotFoundException"
            self.recordings.refuse("ecr", "get_repository_policy", code)


@pytest.fixture(params=["fake", "real"])
def scene(request: pytest.FixtureRequest) -> Iterator[Scene]:
    if request.param == "fake":
        yield Scene(FakePermissionReader())
        return
    recordings = Recordings(AwsSession(made_up_core(), Region(REGION, "the test")))
    yield Scene(FakePermissionReader(), recordings)
    recordings.assert_all_asked()


def test_each_question_has_its_answer(scene: Scene) -> None:
    scene.will_say(evaluated("ecs:UpdateService"), evaluated("ecs:StopServiceDeployment", "implicitDeny"))
    found = scene.reader.answers(ROLE, (UPDATE, STOP))
    assert found.principal == ROLE
    answers = {item.question: item for item in found.answers}
    assert answers[UPDATE].is_allowed
    assert (answers[STOP].decision, answers[STOP].question.stage) == ("implicitDeny", 1)
    assert found.problem == ""


def test_condition_keys_that_nobody_knows_are_told_sorted(scene: Scene) -> None:
    missing = ["aws:SourceIp", "aws:ResourceTag/team"]
    scene.will_say(evaluated("ecs:UpdateService", "implicitDeny", MissingContextValues=missing))
    (answer,) = scene.reader.answers(ROLE, (UPDATE,)).answers
    assert answer.missing_keys == ("aws:ResourceTag/team", "aws:SourceIp")


def test_a_role_with_a_path_is_found_by_its_name(scene: Scene) -> None:
    scene.does_not_know(ROLE, instead=WITH_PATH)
    scene.will_say(evaluated("ecs:UpdateService"))
    assert scene.reader.answers(ROLE, (UPDATE,)).principal == WITH_PATH


def test_a_principal_that_iam_does_not_know_is_an_error(scene: Scene) -> None:
    scene.does_not_know(ROLE)
    with pytest.raises(AccessError, match="does not know"):
        scene.reader.answers(ROLE, (UPDATE,))


def test_where_simulating_is_denied_it_is_an_error(scene: Scene) -> None:
    scene.refuses()
    with pytest.raises(AccessError, match="iam:SimulatePrincipalPolicy"):
        scene.reader.answers(ROLE, (UPDATE,))


@pytest.mark.parametrize("known", [True, False, None])
def test_whether_a_repository_has_a_policy_of_its_own(scene: Scene, known: bool | None) -> None:
    scene.has_policy(known)
    assert scene.reader.has_repository_policy(REPOSITORY) is known
