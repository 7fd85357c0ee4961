from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from migrate.core.facts import StrategyItem
from migrate.core.findings import Grade, blocking
from migrate.core.image.documents import ImageConfig
from migrate.core.image.names import LINUX_AMD64
from migrate.core.observation import ContainerImage, Observation
from migrate.core.preflight import findings
from migrate.core.preflight.signals import signal_doubt
from migrate.core.surroundings import CapacityProvider, ProviderKind, Surroundings
from tests.fakes.facts import IMAGE, ORIGINAL_DIGEST, SPOT, child, single_platform
from tests.fakes.preflight import ON_EC2, SETTINGS, TO_EC2, container, described, found, rolled

SPOT_ONLY = replace(SETTINGS, capacity=(StrategyItem("FARGATE_SPOT", weight=1),))
ON_DEMAND_ONLY = replace(SETTINGS, capacity=(StrategyItem("FARGATE", weight=1),))
GROUP = "arn:aws:elasticloadbalancing:us-east-1:111122223333:targetgroup/web/0123456789abcdef"
FARGATE_TASK = {"networkMode": "awsvpc", "cpu": "256", "memory": "512"}
FROM_FARGATE: list[tuple[dict[str, Any], dict[str, Any], str, Grade, str]] = [
    ({}, {"requiresCompatibilities": ["FARGATE"]}, "task-definition.fargate-only", Grade.BLOCK, "EC2, FARGATE"),
    (
        {},
        {"ephemeralStorage": {"sizeInGiB": 50}},
        "task-definition.ephemeral-storage-on-instances",
        Grade.BLOCK,
        "root volume",
    ),
    (
        {"networkConfiguration": {"awsvpcConfiguration": {"subnets": ["s"], "assignPublicIp": "ENABLED"}}},
        {},
        "service.public-ip-on-instances",
        Grade.BLOCK,
        "NAT gateway",
    ),
    (
        {"volumeConfigurations": [{"name": "data", "managedEBSVolume": {"roleArn": "r"}}]},
        {},
        "service.volume-on-instances",
        Grade.WARN,
        "instances",
    ),
    ({}, {}, "service.platform-version-on-instances", Grade.WARN, "has to be empty"),
]


@pytest.mark.parametrize(("answer", "revision", "code", "grade", "change"), FROM_FARGATE)
def test_c56_each_field_that_ties_to_fargate_is_named_with_its_change(
    answer: dict[str, Any], revision: dict[str, Any], code: str, grade: Grade, change: str
) -> None:
    now = described(answer, revision)
    finding = found(now, TO_EC2)[code]
    assert (finding.grade, finding.stage) == (grade, 3)
    assert change in finding.advice
    assert finding.evidence[0][1].startswith("$.")
    assert code not in found(now, SETTINGS)


@pytest.mark.parametrize("compatible", [["EC2", "FARGATE"], ["EC2"], []])
def test_c56_a_revision_that_ec2_takes_is_no_finding(compatible: list[str]) -> None:
    seen = found(described({}, {"requiresCompatibilities": compatible}, platform_version=None), TO_EC2)
    assert not [code for code in seen if "instances" in code or "fargate-only" in code]


def test_c56_managed_instances_ask_for_a_compatibility_of_their_own() -> None:
    around = {
        "surroundings": Surroundings(
            capacity_providers=(CapacityProvider("graviton", kind=ProviderKind.MANAGED_INSTANCES),)
        )
    }
    revision = {"requiresCompatibilities": ["FARGATE", "EC2"]}
    finding = found(described({}, revision, around=around), TO_EC2)["task-definition.fargate-only"]
    assert "MANAGED_INSTANCES" in finding.advice


def test_c56_a_service_that_is_on_ec2_already_is_not_asked() -> None:
    now = described({}, {"requiresCompatibilities": ["EC2"]}, platform_version=None, **ON_EC2)
    assert not [code for code in found(now, TO_EC2) if "instances" in code or "fargate" in code]


def to_fargate(**revision: Any) -> Observation:
    return described({}, {**FARGATE_TASK, **revision}, **ON_EC2)


@pytest.mark.parametrize(
    ("cpu", "memory", "sold"),
    [
        ("256", "512", True),
        ("256", "4096", False),
        ("512", "1024", True),
        ("1024", "8192", True),
        ("1024", "9216", False),
        ("4096", "30720", True),
        ("8192", "16384", True),
        ("8192", "18432", False),
        ("16384", "122880", True),
        ("32768", "249856", True),
        (None, "512", False),
        ("300", "600", False),
    ],
)
def test_c56_only_sizes_that_fargate_sells_go_there(cpu: str | None, memory: str, sold: bool) -> None:
    seen = found(to_fargate(cpu=cpu, memory=memory))
    assert ("task-definition.fargate-size" not in seen) is sold
    if not sold:
        assert (seen["task-definition.fargate-size"].grade, seen["task-definition.fargate-size"].stage) == (
            Grade.BLOCK,
            3,
        )


@pytest.mark.parametrize(
    ("revision", "path"),
    [
        ({"networkMode": "bridge"}, "$.networkMode"),
        ({"networkMode": None}, "$.networkMode"),
        ({"pidMode": "host"}, "$.pidMode"),
        ({"ipcMode": "task"}, "$.ipcMode"),
        ({"requiresCompatibilities": ["EC2"]}, "$.requiresCompatibilities"),
        ({"volumes": [{"name": "v", "host": {"sourcePath": "/data"}}]}, "$.volumes[0].host.sourcePath"),
        (
            {"volumes": [{"name": "v", "dockerVolumeConfiguration": {"scope": "shared"}}]},
            "$.volumes[0].dockerVolumeConfiguration",
        ),
        (container(privileged=True), "$.containerDefinitions[0].privileged"),
        (container(links=["db"]), "$.containerDefinitions[0].links"),
        (
            container(linuxParameters={"sharedMemorySize": 64}),
            "$.containerDefinitions[0].linuxParameters.sharedMemorySize",
        ),
        (
            container(linuxParameters={"capabilities": {"add": ["NET_ADMIN"]}}),
            "$.containerDefinitions[0].linuxParameters.capabilities.add",
        ),
        (
            container(logConfiguration={"logDriver": "json-file"}),
            "$.containerDefinitions[0].logConfiguration.logDriver",
        ),
        (
            container(resourceRequirements=[{"type": "GPU", "value": "1"}]),
            "$.containerDefinitions[0].resourceRequirements[0]",
        ),
        (container(stopTimeout=300), "$.containerDefinitions[0].stopTimeout"),
    ],
)
def test_c56_what_fargate_does_not_take_blocks_the_stage_that_leads_there(revision: dict[str, Any], path: str) -> None:
    now = to_fargate(**revision)
    finding = found(now)["task-definition.not-on-fargate"]
    assert (finding.grade, finding.stage) == (Grade.BLOCK, 3)
    assert ("task definition", path) in finding.evidence
    assert "task-definition.not-on-fargate" not in {item.code for item in blocking(findings(now, SETTINGS), 2)}


def test_c56_what_fargate_takes_is_no_finding() -> None:
    fine = container(
        stopTimeout=120,
        linuxParameters={"initProcessEnabled": True, "capabilities": {"add": ["SYS_PTRACE"], "drop": ["ALL"]}},
        logConfiguration={"logDriver": "awslogs"},
    )
    seen = found(to_fargate(pidMode="task", requiresCompatibilities=["EC2", "FARGATE"], **fine))
    assert not {"task-definition.not-on-fargate", "task-definition.fargate-size"} & set(seen)


@pytest.mark.parametrize(
    ("version", "blocked"), [("1.3.0", True), ("1.2.0", True), ("1.4.0", False), ("LATEST", False)]
)
def test_a_platform_version_before_1_4_0_has_no_arm64_and_no_large_tasks(version: str, *, blocked: bool) -> None:
    seen = found(described({}, {"cpu": "8192", "memory": "16384"}, platform_version=version))
    assert ("service.platform-version" in seen) is blocked


def test_c60_arm64_on_spot_is_allowed_by_default() -> None:
    seen = findings(described(rolled(100, 200), {"networkMode": "awsvpc"}), SETTINGS)
    assert blocking(seen, 3) == ()


def test_c60_spot_alone_is_warned_of_with_a_base_that_would_do() -> None:
    finding = found(described(rolled(50, 200), desired_count=5), SPOT_ONLY)["capacity.spot-only"]
    assert (finding.grade, finding.stage) == (Grade.WARN, 3)
    assert "does not fall back" in finding.text
    # ceil(50 % of 5)
    assert "3 would hold" in finding.advice


@pytest.mark.parametrize(
    ("minimum", "base", "told"), [(50, 1, True), (50, 2, False), (25, 1, False), (100, 2, True), (100, 4, False)]
)
def test_c60_the_base_is_held_against_the_minimum_healthy_count(minimum: int, base: int, *, told: bool) -> None:
    wanted = replace(SETTINGS, capacity=(StrategyItem("FARGATE", base=base), StrategyItem("FARGATE_SPOT", weight=1)))
    seen = found(described(rolled(minimum, 200)), wanted)
    assert ("capacity.base-small" in seen) is (told and base < 4)
    if told:
        assert seen["capacity.base-small"].grade is Grade.INFO


def test_c60_what_is_certain_counts_the_share_of_the_weights_too() -> None:
    # Of 8 tasks: base 1, and a quarter of the other 7.
    finding = found(described(rolled(50, 200), desired_count=8), replace(SETTINGS, capacity=SPOT))[
        "capacity.base-small"
    ]
    assert "2 of 8 tasks are left" in finding.text
    assert "asks for 4" in finding.text


def test_c60_a_count_so_small_that_nothing_runs_on_spot_is_told() -> None:
    assert found(described(rolled(100, 200), desired_count=1))["capacity.nothing-on-spot"].grade is Grade.INFO


def test_c60_no_spot_is_wanted_and_nothing_is_said_of_it() -> None:
    seen = found(described(rolled(100, 200), desired_count=1), ON_DEMAND_ONLY)
    assert not [code for code in seen if code.startswith(("capacity.", "container."))]


BALANCED = {"loadBalancers": [{"targetGroupArn": GROUP, "containerName": "app", "containerPort": 80}]}


@pytest.mark.parametrize(("timeout", "told"), [(None, True), (30, True), (119, True), (120, False)])
def test_stop_timeout_behind_a_load_balancer_is_held_against_the_two_minutes(
    timeout: int | None, *, told: bool
) -> None:
    revision = container(**({} if timeout is None else {"stopTimeout": timeout}))
    seen = found(described(BALANCED, revision, target_group_arns=(GROUP,)))
    assert ("container.stop-timeout" in seen) is told
    if told:
        assert f"{timeout or 30} s after SIGTERM" in seen["container.stop-timeout"].text


@pytest.mark.parametrize(("seconds", "told"), [(300, True), (120, True), (119, False), (0, False)])
def test_a_target_group_that_drains_longer_than_spot_waits_is_warned_of(seconds: int, *, told: bool) -> None:
    around = {"surroundings": Surroundings(deregistration_delays=((GROUP, seconds),))}
    seen = found(described(BALANCED, around=around, target_group_arns=(GROUP,)))
    assert ("service.deregistration-delay" in seen) is told
    if told:
        assert ("target group", GROUP) in seen["service.deregistration-delay"].evidence
    assert "service.deregistration-delay" not in found(described(BALANCED, around=around), ON_DEMAND_ONLY)


def started(
    entrypoint: tuple[str, ...] = (), arguments: tuple[str, ...] = (), stop_signal: str = "", **of_container: Any
) -> Observation:
    config = ImageConfig(platform=LINUX_AMD64, entrypoint=entrypoint, command=arguments, stop_signal=stop_signal)
    facts = single_platform(children=(child(LINUX_AMD64, ORIGINAL_DIGEST, config=config),))
    return described({}, container(**of_container), around={"images": (ContainerImage("app", IMAGE, facts),)})


@pytest.mark.parametrize(
    "words",
    [
        ("/bin/sh", "-c", "cd /app && node server.js"),
        ("bash", "-lc", "source env; python app.py"),
        ("sh", "-ec", "migrate\npython app.py"),
        ("sh", "-c", "node server.js | tee log"),
        ("busybox", "sh", "-c", "a; b"),
    ],
)
def test_a_shell_that_keeps_sigterm_to_itself_is_warned_of(words: tuple[str, ...]) -> None:
    finding = found(started(words))["container.sigterm-not-passed-on"]
    assert (finding.grade, finding.stage) == (Grade.WARN, 3)
    assert ("process", " ".join(words)[:200]) in finding.evidence
    assert ("digest", ORIGINAL_DIGEST) in finding.evidence


@pytest.mark.parametrize(
    "words",
    [
        ("/bin/sh", "-c", "node server.js"),
        ("/bin/sh", "-c", "node x.js > log 2>&1"),
        ("npm", "start"),
        ("yarn", "start"),
    ],
)
def test_a_shell_form_of_one_command_cannot_be_decided(words: tuple[str, ...]) -> None:
    assert found(started(words))["container.sigterm-undecided"].grade is Grade.UNKNOWN


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("node", "server.js"),
        ("/bin/sh", "-c", "exec node server.js"),
        ("/bin/sh", "-c", "cd /app && exec node server.js --name='a;b'"),
        ("tini", "--", "node", "server.js"),
        ("/docker-entrypoint.sh", "nginx"),
        ("sh", "/entry.sh", "-c", "a; b"),
        ("sh",),
        ("sh", "-c"),
    ],
)
def test_what_starts_the_application_itself_is_no_finding(words: tuple[str, ...]) -> None:
    assert signal_doubt(words) is None


def test_what_the_definition_sets_over_the_image_counts_and_is_named_by_its_path() -> None:
    shell = ("/bin/sh", "-c", "a; b")
    assert "container.sigterm-not-passed-on" not in found(started(shell, entryPoint=["node", "server.js"]))
    by_command = found(started(("/bin/sh", "-c"), ("exec node x",), command=["a; b"]))
    assert ("task definition", "$.containerDefinitions[0].command") in by_command[
        "container.sigterm-not-passed-on"
    ].evidence
    assert signal_doubt(("/bin/sh", "-c", "exec node x")) is None


def test_an_init_process_does_not_help_a_shell() -> None:
    now = started(("sh", "-c", "a; b"), linuxParameters={"initProcessEnabled": True})
    assert "initProcessEnabled does not help" in found(now)["container.sigterm-not-passed-on"].text


def test_signals_of_a_container_that_is_not_essential_and_of_services_without_spot_are_their_own_affair() -> None:
    assert "container.sigterm-not-passed-on" not in found(started(("sh", "-c", "a; b"), essential=False))
    assert "container.sigterm-not-passed-on" not in found(started(("sh", "-c", "a; b")), ON_DEMAND_ONLY)


@pytest.mark.parametrize(
    ("signal", "told"), [("SIGKILL", True), ("9", True), ("SIGQUIT", False), ("SIGTERM", False), ("", False)]
)
def test_an_image_that_asks_to_be_killed_is_warned_of(signal: str, *, told: bool) -> None:
    seen = found(started(("nginx",), stop_signal=signal))
    assert ("container.stop-signal-kills" in seen) is told
    if told:
        assert ("STOPSIGNAL", signal) in seen["container.stop-signal-kills"].evidence
