"""Checks over the scripted world: a service before and after its migration, files and images without any service."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from migrate.adapters.registry.inspect import RegistryInspector
from migrate.core.check import CheckReport, Readiness, Subject
from migrate.core.findings import Finding, Grade
from migrate.core.image.names import ImageReference
from migrate.core.stages import Stage
from migrate.core.task_definition_file import read_task_definition
from migrate.errors import BlockedError, ExitCode, NotFoundError
from migrate.workflows.check import check_images, check_service, check_task_definition
from migrate.workflows.observe import observe
from migrate.workflows.permissions import with_permissions
from tests.fakes.aws_world import REGISTRY
from tests.fakes.image_content import AMD64_ELF, REPOSITORY, Entry, Shelf, two_platforms
from tests.fakes.image_registry import FakeImageRegistry
from tests.fakes.migration import Operator

IMAGE = f"{REGISTRY}/{REPOSITORY}"


def codes(report: CheckReport, grade: Grade) -> set[str]:
    return {item.code for item in report.findings if item.grade is grade}


def found(report: CheckReport, code: str) -> Finding:
    return next(item for item in report.findings if item.code == code)


@pytest.fixture
def operator() -> Operator:
    return Operator.of()


def test_a_service_that_may_go_is_ready_and_nothing_is_changed_or_saved(operator: Operator) -> None:
    before = len(operator.world.writes)
    report = check_service(operator.runtime)
    assert (report.subject, report.arm64, report.spot) == (Subject.SERVICE, Readiness.READY, Readiness.READY)
    assert report.name == operator.service.arn
    assert codes(report, Grade.BLOCK) == set()
    assert len(operator.world.writes) == before
    assert operator.store.plan(operator.service.arn) is None
    assert operator.store.record(operator.service.arn) is None


def test_what_stops_it_is_said_with_its_stage(operator: Operator) -> None:
    operator.world.script_alarm("web-errors", "ALARM")
    report = check_service(operator.runtime)
    assert report.arm64 is Readiness.BLOCKED
    assert codes(report, Grade.BLOCK) == {"alarms.firing"}
    assert "cannot go to ARM64 yet because: web-errors" in report.summary


def test_a_migrated_service_is_fine(operator: Operator) -> None:
    operator.reach(3)
    report = check_service(operator.runtime)
    assert (report.arm64, report.spot) == (Readiness.ALREADY, Readiness.ALREADY)
    assert codes(report, Grade.BLOCK) == set()


def test_c53_a_service_that_somebody_moved_by_hand_is_no_fault(operator: Operator) -> None:
    operator.reach(2)
    operator.store = type(operator.store)()
    report = check_service(operator.runtime)
    assert report.arm64 is Readiness.ALREADY
    assert codes(report, Grade.BLOCK) == set()


def deny(operator: Operator, **denials: tuple[str, tuple[str, ...]]) -> None:
    operator.permissions.denials = {name.replace("_", ":", 1): decision for name, decision in denials.items()}


def test_missing_permissions_block_the_stage_that_needs_them_and_no_earlier_one(operator: Operator) -> None:
    deny(operator, ecs_RegisterTaskDefinition=("implicitDeny", ()), ecs_UpdateService=("explicitDeny", ()))
    report = check_service(operator.runtime)
    missing = {item.stage: item for item in report.findings if item.code == "permissions.missing"}
    assert set(missing) == {0, 2}
    assert "ecs:UpdateService" in missing[0].text
    assert dict(missing[0].evidence)["ecs:UpdateService"].startswith("explicitDeny on arn:aws:ecs:")
    assert "migrate iam --verb apply --stage 2" in missing[2].advice


def test_a_missing_permission_ends_a_stage_before_it_begins(operator: Operator) -> None:
    operator.reach(1)
    deny(operator, ecs_RegisterTaskDefinition=("implicitDeny", ()))
    writes = list(operator.world.writes)
    with pytest.raises(BlockedError, match="preflight") as caught:
        operator.apply(2)
    assert "ecs:RegisterTaskDefinition" in caught.value.why
    assert caught.value.runbook == "findings#permissions-missing"
    assert operator.world.writes == writes


def test_a_way_back_is_never_refused_for_a_permission(operator: Operator) -> None:
    operator.reach(2)
    deny(operator, ecs_UpdateService=("implicitDeny", ()))
    asked = len(operator.permissions.asked)
    assert operator.roll_back(Stage.IMAGE).exit_code is ExitCode.DONE
    assert len(operator.permissions.asked) == asked


def test_a_gate_asks_iam_nothing(operator: Operator) -> None:
    operator.apply(0)
    assert len(operator.permissions.asked) == 1
    principal, questions = operator.permissions.asked[0]
    assert principal.startswith("arn:aws:iam::")
    assert {item.stage for item in questions} == {0}


def test_a_condition_or_a_policy_of_the_repository_leaves_it_open(operator: Operator) -> None:
    deny(operator, ecr_PutImage=("implicitDeny", ()), ecs_UpdateService=("implicitDeny", ("aws:ResourceTag/team",)))
    operator.permissions.repository_policy = True
    report = check_service(operator.runtime)
    open_ones = [item for item in report.findings if item.code == "permissions.undecided"]
    assert {item.grade for item in open_ones} == {Grade.UNKNOWN}
    assert any("aws:ResourceTag/team" in item.text for item in open_ones)
    assert "permissions.missing" not in codes(report, Grade.BLOCK)
    operator.permissions.repository_policy = False
    again = check_service(operator.runtime)
    assert "ecr:PutImage" in found(again, "permissions.missing").text


def test_a_denial_that_hangs_on_a_condition_is_no_block(operator: Operator) -> None:
    deny(operator, ecs_UpdateService=("explicitDeny", ("aws:MultiFactorAuthPresent",)))
    told = found(check_service(operator.runtime), "permissions.undecided")
    assert "aws:MultiFactorAuthPresent" in told.text


def test_where_nobody_may_simulate_it_is_unknown_and_says_how_to_compare(operator: Operator) -> None:
    operator.permissions.refuses = True
    report = check_service(operator.runtime)
    told = found(report, "permissions.not-simulated")
    assert told.grade is Grade.UNKNOWN
    assert "`migrate iam`" in told.advice
    assert report.arm64 is Readiness.READY
    assert operator.apply(0).exit_code is ExitCode.DONE


def test_what_this_service_has_no_use_for_is_not_asked(operator: Operator) -> None:
    check_service(operator.runtime)
    asked = {item.action for item in operator.permissions.asked[0][1]}
    assert not asked & {"ecs:TagResource", "ecs:PutClusterCapacityProviders", "iam:PassRole"}
    assert {"ecs:UpdateService", "ecr:PutImage", "ecs:RegisterTaskDefinition", "ecs:StopServiceDeployment"} <= asked


@pytest.mark.parametrize(
    ("caller", "principal"),
    [
        ("arn:aws:sts::111122223333:assumed-role/deploy/ada", "arn:aws:iam::111122223333:role/deploy"),
        ("arn:aws:iam::111122223333:user/ada", "arn:aws:iam::111122223333:user/ada"),
    ],
)
def test_the_policies_asked_about_are_those_of_the_user_or_role(caller: str, principal: str) -> None:
    operator = Operator.of()
    seen = observe(operator.runtime)
    named = replace(seen, account=replace(seen.account, caller_arn=caller))
    with_permissions(operator.runtime, named, (Stage.BASELINE,))
    assert operator.permissions.asked[0][0] == principal


def test_the_root_user_is_not_asked_about_and_a_federated_one_cannot_be() -> None:
    operator = Operator.of()
    seen = observe(operator.runtime)
    root = replace(seen, account=replace(seen.account, caller_arn="arn:aws:iam::111122223333:root"))
    assert with_permissions(operator.runtime, root, tuple(Stage)).permissions is None
    caller = "arn:aws:sts::111122223333:federated-user/ada"
    federated = replace(seen, account=replace(seen.account, caller_arn=caller))
    answers = with_permissions(operator.runtime, federated, (Stage.BASELINE,)).permissions
    assert answers is not None
    assert "users and roles only" in answers.problem
    assert operator.permissions.asked == []


# Files and images need no service.


def a_file(*containers: dict[str, Any], **more: Any) -> str:
    base = {"family": "web", "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"], "cpu": "256"}
    return json.dumps({**base, "memory": "512", "containerDefinitions": list(containers), **more})


def inspector(registry: FakeImageRegistry | None = None) -> RegistryInspector:
    """Return an inspector over good images ``both``, amd64-only ``old``, and ``lying`` with an x86 file for arm64."""
    shelf = Shelf()
    amd64, _, _ = two_platforms(shelf, tag="both")
    wrong = shelf.image("linux/arm64", Entry("app", AMD64_ELF))
    shelf.index(amd64, wrong, tag="lying")
    shelf.image("linux/amd64", Entry("app", AMD64_ELF), tag="old")
    return RegistryInspector(registry or FakeImageRegistry(shelf))


def checked(text: str) -> CheckReport:
    return check_task_definition(inspector(), read_task_definition(text, "file.json"))


def container(tag: str, name: str = "web") -> dict[str, Any]:
    return {"name": name, "image": f"{IMAGE}:{tag}", "essential": True}


def test_a_file_whose_images_have_arm64_is_ready() -> None:
    report = checked(a_file(container("both")))
    assert (report.subject, report.name, report.arm64) == (Subject.TASK_DEFINITION, "web", Readiness.READY)
    assert codes(report, Grade.BLOCK) == set()
    assert {item.code.partition(".")[0] for item in report.findings} <= {"image", "task-definition"}


def test_c15_a_file_is_stopped_by_the_one_container_without_arm64() -> None:
    report = checked(a_file(container("both"), {**container("old", "envoy"), "essential": False}))
    assert report.arm64 is Readiness.BLOCKED
    (stopped,) = [item for item in report.findings if item.grade is Grade.BLOCK]
    assert dict(stopped.evidence)["container"] == "envoy"
    assert "linux/arm64" in stopped.text


def test_c06_a_file_whose_image_starts_an_x86_program_names_the_file_in_the_image() -> None:
    report = checked(a_file(container("lying")))
    wrong = found(report, "image.wrong-binary")
    assert (wrong.grade, dict(wrong.evidence)["container"]) == (Grade.BLOCK, "web")
    assert any(value == "/app" for _, value in wrong.evidence)


def test_c18_a_file_for_windows_is_refused() -> None:
    report = checked(a_file(container("both"), runtimePlatform={"operatingSystemFamily": "WINDOWS_SERVER_2022_CORE"}))
    assert report.arm64 is Readiness.BLOCKED
    assert "task-definition.windows" in codes(report, Grade.BLOCK)


def test_a_file_that_says_arm64_already_over_images_without_is_blocked() -> None:
    platform = {"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"}
    assert checked(a_file(container("both"), runtimePlatform=platform)).arm64 is Readiness.READY
    assert checked(a_file(container("old"), runtimePlatform=platform)).arm64 is Readiness.BLOCKED


def test_a_placeholder_for_an_image_is_undecided_and_named_by_its_place() -> None:
    report = checked(a_file(container("both"), {"name": "app", "image": "<IMAGE1_NAME>"}))
    assert report.arm64 is Readiness.UNDECIDED
    evidence = dict(found(report, "image.unreadable").evidence)
    assert evidence == {"container": "app", "task definition": "$.containerDefinitions[1].image"}


def test_an_image_of_a_file_that_cannot_be_read_is_undecided_and_the_others_are_judged() -> None:
    report = checked(a_file(container("gone"), container("old", "envoy")))
    assert "image.unreadable" in codes(report, Grade.UNKNOWN)
    assert report.arm64 is Readiness.BLOCKED


def images(*tags: str) -> CheckReport:
    return check_images(inspector(), [ImageReference.parse(f"{IMAGE}:{tag}") for tag in tags])


def test_an_image_with_arm64_is_ready_and_spot_is_no_question() -> None:
    report = images("both")
    assert (report.subject, report.arm64, report.spot) == (Subject.IMAGES, Readiness.READY, Readiness.NOT_ASKED)


def test_an_image_without_arm64_is_blocked_with_what_there_is() -> None:
    report = images("both", "old")
    stopped = found(report, "image.without-arm64")
    assert dict(stopped.evidence)["platforms"] == "linux/amd64"
    assert dict(stopped.evidence)["image"].endswith(":old")
    assert report.arm64 is Readiness.BLOCKED


def test_c06_an_image_that_lies_is_blocked_by_the_file() -> None:
    wrong = found(images("lying"), "image.wrong-binary")
    assert any(value == "/app" for _, value in wrong.evidence)


def test_some_images_that_cannot_be_read_are_undecided_and_all_of_them_an_error() -> None:
    report = images("both", "gone")
    assert report.arm64 is Readiness.UNDECIDED
    assert dict(found(report, "image.unreadable").evidence)["image"].endswith(":gone")
    with pytest.raises(NotFoundError):
        images("gone")
