from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from migrate.core.documents import document, fields
from migrate.core.facts import StrategyItem
from migrate.core.findings import Finding, Grade, blocking
from migrate.core.image.facts import ImageProblem
from migrate.core.image.index import ImageReference
from migrate.core.image.names import LINUX_ARM64
from migrate.core.observation import ContainerImage, Observation
from migrate.core.preflight import findings
from migrate.core.repository.guarding import tag_is_locked
from migrate.core.settings import ImageMode, Settings
from tests.fakes.facts import (
    ARM64_DIGEST,
    IMAGE,
    alarm,
    child,
    definition,
    deployment,
    multi_platform,
    observation,
    repository,
    service,
    settings,
    single_platform,
)

SETTINGS = settings()
EXTERNAL = replace(SETTINGS, image=replace(SETTINGS.image, mode=ImageMode.EXTERNAL))
ON_LAUNCH_TYPE: dict[str, Any] = {"launch_type": "FARGATE", "strategy": ()}
SIDECAR = ImageReference("docker.io", "envoyproxy/envoy", tag="v1.12")


def found(now: Observation, wanted: Settings = SETTINGS) -> dict[str, Finding]:
    return {item.code: item for item in findings(now, wanted)}


def served(**more: Any) -> Observation:
    return observation(service=service(**(ON_LAUNCH_TYPE | more)))


def imaged(*images: ContainerImage, **more: Any) -> Observation:
    return observation(images=images, **more)


def test_the_demo_service_has_nothing_in_its_way() -> None:
    seen = findings(observation(), SETTINGS)
    assert [(item.code, item.grade) for item in seen] == [
        ("cluster.provider-missing", Grade.INFO),
        ("image.single-platform", Grade.INFO),
        ("task-definition.platform-unset", Grade.INFO),
    ]
    assert blocking(seen, 3) == ()


@pytest.mark.parametrize(
    ("now", "code", "stage"),
    [
        (served(deployment_controller="CODE_DEPLOY", deployments=()), "service.controller", 0),
        (served(scheduling_strategy="DAEMON"), "service.daemon", 0),
        (observation(service=service(deployment(state="IN_PROGRESS"))), "service.deployment-in-progress", 0),
        (
            observation(service=service(deployment(), deployment("D0", status="ACTIVE"))),
            "service.deployment-in-progress",
            0,
        ),
        (served(launch_type="EC2"), "service.launch-type", 2),
        (served(platform_version="1.3.0"), "service.platform-version", 2),
        (
            observation(task_definition=replace(definition(), tags=(("aws:cloudformation:stack-name", "shop"),))),
            "service.owned",
            0,
        ),
        (
            served(document=document({"tags": [{"key": "aws:cloudformation:stack-name", "value": "shop"}]})),
            "service.owned",
            0,
        ),
        (observation(task_definition=definition(architecture="ARM64")), "task-definition.already-arm64", 0),
        (imaged(ContainerImage("app", IMAGE, None, "denied")), "image.unreadable", 0),
        (imaged(ContainerImage("other", IMAGE, single_platform())), "task-definition.container", 0),
        (imaged(ContainerImage("app", IMAGE.at(ARM64_DIGEST), single_platform())), "image.pinned-by-digest", 1),
        (
            imaged(ContainerImage("app", IMAGE, single_platform(children=(child(LINUX_ARM64, ARM64_DIGEST),)))),
            "image.without-amd64",
            0,
        ),
        (observation(repository=None), "repository.not-ecr", 0),
    ],
)
def test_what_no_stage_could_pass_blocks_before_anything_is_changed(now: Observation, code: str, stage: int) -> None:
    finding = found(now)[code]
    assert (finding.grade, finding.stage) == (Grade.BLOCK, stage)
    assert finding.runbook == f"findings#{code.replace('.', '-')}"
    assert finding.text
    assert finding.advice


def test_c18_windows_is_refused_before_any_build() -> None:
    windows = definition()
    system = replace(windows.runtime_platform, operating_system_family="WINDOWS_SERVER_2022_CORE")
    finding = found(observation(task_definition=replace(windows, runtime_platform=system)))["task-definition.windows"]
    assert (finding.grade, finding.stage) == (Grade.BLOCK, 0)


def test_c54_a_field_that_a_new_revision_would_lose_blocks_stage_2() -> None:
    made = definition({**fields(definition().document), "gpuFabric": {"links": 4}})
    finding = found(observation(task_definition=made))["task-definition.unknown-field"]
    assert (finding.grade, finding.stage) == (Grade.BLOCK, 2)
    assert "gpuFabric" in finding.text


@pytest.mark.parametrize("version", ["LATEST", "1.4.0", "1.5.0", None])
def test_a_platform_version_that_has_arm64_is_no_finding(version: str | None) -> None:
    assert "service.platform-version" not in found(served(platform_version=version))


def test_c47_a_desired_count_of_0_is_warned_of() -> None:
    assert found(served(desired_count=0))["service.desired-count-zero"].grade is Grade.WARN


def test_c15_a_sidecar_without_arm64_blocks_stage_2_only() -> None:
    images = (
        ContainerImage("app", IMAGE, single_platform()),
        ContainerImage("envoy", SIDECAR, single_platform(reference=SIDECAR)),
    )
    seen = findings(imaged(*images), SETTINGS)
    finding = next(item for item in seen if item.code == "image.sidecar-without-arm64")
    assert "envoy" in finding.text
    assert ("image", str(SIDECAR)) in finding.evidence
    assert blocking(seen, 1) == ()
    assert blocking(seen, 2) == (finding,)


def test_a_sidecar_that_cannot_be_read_is_unknown_not_ok() -> None:
    images = (ContainerImage("app", IMAGE, single_platform()), ContainerImage("envoy", SIDECAR, None, "denied"))
    assert found(imaged(*images))["image.unreadable"].grade is Grade.UNKNOWN


def test_c03_an_index_of_one_platform_is_single_platform() -> None:
    seen = found(imaged(ContainerImage("app", IMAGE, single_platform(is_index=True))))
    assert "an index of one platform" in seen["image.single-platform"].text
    assert "image.multi-platform" not in seen


def test_a_tag_that_is_multi_platform_already_is_told() -> None:
    assert "image.multi-platform" in found(imaged(ContainerImage("app", IMAGE, multi_platform())))


@pytest.mark.parametrize(
    ("grade", "shown"), [("block", Grade.BLOCK), ("emergency", Grade.BLOCK), ("warn", Grade.WARN), ("info", Grade.INFO)]
)
def test_c08_problems_of_the_image_are_carried_over_with_their_evidence(grade: str, shown: Grade) -> None:
    problem = ImageProblem("image.platform-mismatch", grade, "It lies.", (("digest", ARM64_DIGEST),))
    seen = found(imaged(ContainerImage("app", IMAGE, multi_platform(problems=(problem,)))))
    finding = seen["image.platform-mismatch"]
    assert (finding.grade, finding.stage) == (shown, 2)
    assert ("task definition", "$.containerDefinitions[0].image") in finding.evidence
    assert set(problem.evidence) <= set(finding.evidence)


MODES = [
    ("MUTABLE", (), False),
    ("IMMUTABLE", (), True),
    ("IMMUTABLE_WITH_EXCLUSION", ("tag*",), False),
    ("IMMUTABLE_WITH_EXCLUSION", ("release-*", "v?"), True),
    ("MUTABLE_WITH_EXCLUSION", ("tag1",), True),
    ("MUTABLE_WITH_EXCLUSION", ("release-*", "TAG1"), False),
    ("MUTABLE_WITH_EXCLUSION", (), False),
]


@pytest.mark.parametrize(("mode", "filters", "locked"), MODES)
def test_c05_whether_the_tag_is_locked_hangs_on_mode_and_filters(
    mode: str, filters: tuple[str, ...], locked: bool
) -> None:
    assert tag_is_locked(repository(mode, *filters), "tag1") is locked
    finding = found(observation(repository=repository(mode, *filters))).get("repository.immutable-tag")
    assert (finding is not None) is locked
    if finding is not None:
        assert (finding.grade, finding.stage) == (Grade.BLOCK, 1)
        assert "never changes a repository's mutability" in finding.advice
        assert "new tag" in finding.advice
        assert ("imageTagMutability", mode) in finding.evidence


def test_an_external_image_needs_no_repository_of_ours() -> None:
    assert not {"repository.not-ecr", "repository.immutable-tag"} & set(found(observation(repository=None), EXTERNAL))
    assert "repository.immutable-tag" not in found(observation(repository=repository("IMMUTABLE")), EXTERNAL)


def test_c37_a_provider_that_the_cluster_lacks_is_added_when_it_is_fargates_own() -> None:
    assert "FARGATE_SPOT" in found(observation())["cluster.provider-missing"].text
    cluster = replace(observation().cluster, capacity_providers=("FARGATE", "FARGATE_SPOT"))
    assert "cluster.provider-missing" not in found(observation(cluster=cluster))


def test_a_provider_that_nobody_made_blocks_stage_3_only() -> None:
    wanted = replace(SETTINGS, capacity=(StrategyItem("graviton", weight=1),))
    seen = findings(observation(), wanted)
    finding = next(item for item in seen if item.code == "cluster.provider-unknown")
    assert "graviton" in finding.text
    assert (blocking(seen, 2), blocking(seen, 3)) == ((), (finding,))


def test_alarms_that_fire_block_and_silent_ones_are_warned_of() -> None:
    watched = settings(alarms=("a", "b", "c"))
    now = observation(alarms=(alarm("a", "ALARM"), alarm("b", "INSUFFICIENT_DATA")))
    seen = found(now, watched)
    assert (seen["alarms.firing"].grade, seen["alarms.firing"].text.split(" ")[0]) == (Grade.BLOCK, "a")
    assert seen["alarms.no-data"].text.startswith("b, c has no data")
    assert not {"alarms.firing", "alarms.no-data"} & set(found(observation(), SETTINGS))


def test_alarms_of_the_service_and_of_the_settings_are_watched_once() -> None:
    now = observation(service=service(alarm_names=("a",), **ON_LAUNCH_TYPE), alarms=(alarm("a", "ALARM"),))
    assert found(now, settings(alarms=("a",)))["alarms.firing"].text.startswith("a is in ALARM")


def test_blocks_come_first_and_codes_are_unique() -> None:
    now = observation(service=service(desired_count=0, scheduling_strategy="DAEMON", **ON_LAUNCH_TYPE))
    seen = findings(now, SETTINGS)
    grades = [list(Grade).index(item.grade) for item in seen]
    assert grades == sorted(grades)
    assert len({item.code for item in seen}) == len(seen)
