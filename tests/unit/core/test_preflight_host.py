from __future__ import annotations

from typing import Any

import pytest

from migrate.core.findings import Grade, blocking
from migrate.core.preflight import findings
from migrate.core.surroundings import Surroundings
from tests.fakes.preflight import SETTINGS, container, described, found, instance

DAEMON: dict[str, Any] = {"scheduling_strategy": "DAEMON", "launch_type": "EC2"}


@pytest.mark.parametrize(
    ("revision", "path", "named"),
    [
        ({"networkMode": "host"}, "$.networkMode", "networkMode host"),
        ({"pidMode": "host"}, "$.pidMode", "pidMode host"),
        ({"ipcMode": "host"}, "$.ipcMode", "ipcMode host"),
        (
            {"volumes": [{"name": "docker", "host": {"sourcePath": "/var/run/docker.sock"}}]},
            "$.volumes[0].host.sourcePath",
            "/var/run/docker.sock",
        ),
        (container(privileged=True), "$.containerDefinitions[0].privileged", "container app privileged"),
        (
            container(linuxParameters={"devices": [{"hostPath": "/dev/fuse"}]}),
            "$.containerDefinitions[0].linuxParameters.devices",
            "devices of container app",
        ),
    ],
)
def test_c48_every_way_into_the_host_is_flagged(revision: dict[str, Any], path: str, named: str) -> None:
    finding = found(described({}, revision))["task-definition.host-access"]
    assert (finding.grade, finding.stage) == (Grade.WARN, 2)
    assert ("task definition", path) in finding.evidence
    assert named in finding.text


@pytest.mark.parametrize(
    "revision",
    [
        {"networkMode": "awsvpc", "pidMode": "task", "ipcMode": "none"},
        {
            "volumes": [
                {"name": "scratch", "host": {}},
                {"name": "efs", "efsVolumeConfiguration": {"fileSystemId": "f"}},
            ]
        },
        container(privileged=False, linuxParameters={"initProcessEnabled": True}),
    ],
)
def test_c48_what_stays_within_the_task_is_no_host_access(revision: dict[str, Any]) -> None:
    assert "task-definition.host-access" not in found(described({}, revision))


def test_c48_a_daemon_on_x86_instances_is_refused_before_anything_and_they_are_named() -> None:
    around = {"surroundings": Surroundings(container_instances=(instance("m5.large", "x86_64"),))}
    finding = found(described({"schedulingStrategy": "DAEMON"}, around=around, **DAEMON))["service.daemon"]
    assert (finding.grade, finding.stage) == (Grade.BLOCK, 0)
    assert ("i-m5.large", "m5.large") in finding.evidence
    assert "Fargate" in finding.text


def test_c48_a_daemon_whose_instances_are_not_known_is_refused() -> None:
    assert found(described({}, **DAEMON))["service.daemon"].stage == 0


def test_c48_where_every_instance_is_arm64_only_stage_3_does_not_apply() -> None:
    around = {"surroundings": Surroundings(container_instances=(instance("m7g.large", "arm64"),))}
    seen = findings(described({}, around=around, **DAEMON), SETTINGS)
    codes = {item.code for item in blocking(seen, 2)}
    assert not {"service.daemon", "service.launch-type"} & codes
    assert "service.daemon" in {item.code for item in blocking(seen, 3)}


def test_c48_a_daemon_is_not_measured_by_the_percentages_of_a_replica() -> None:
    answer = {"deploymentConfiguration": {"minimumHealthyPercent": 100, "maximumPercent": 100}}
    assert "service.rollout-impossible" not in found(described(answer, **DAEMON))


def test_c47_nothing_to_exercise_is_told_with_what_can_be_done_without_raising_the_count() -> None:
    finding = found(described({}, desired_count=0))["service.desired-count-zero"]
    assert (finding.grade, finding.stage) == (Grade.WARN, 0)
    assert "not exercised" in finding.text
    assert "run-task" in finding.advice
    assert "never raises the desired count" in finding.advice
    assert ("service", "$.desiredCount") in finding.evidence
