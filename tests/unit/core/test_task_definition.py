from __future__ import annotations

from typing import Any

import pytest

from migrate.core.documents import Document, document, fields
from migrate.core.facts import Architecture
from migrate.core.image.binaries import ProcessOverrides
from migrate.core.provider.task_definition import untranslated_task_definition_fields
from migrate.core.task_definition import (
    ANSWER_ONLY_FIELDS,
    containers,
    equivalent,
    process_overrides,
    registrable,
    with_architecture,
)


def definition(mode: str = "awsvpc", container: dict[str, Any] | None = None, **more: Any) -> Document:
    app = {"name": "app", "image": "repo:tag1", "essential": True} | (container or {})
    content = {"family": "web", "networkMode": mode, "cpu": "256", "memory": "512", "containerDefinitions": [app]}
    return document(content | more)


FIRELENS = {"firelensConfiguration": {"type": "fluentbit"}}
PAIRS: dict[str, tuple[Document, Document]] = {
    "environment in another order": (
        definition(container={"environment": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]}),
        definition(container={"environment": [{"name": "B", "value": "2"}, {"name": "A", "value": "1"}]}),
    ),
    "secrets in another order": (
        definition(container={"secrets": [{"name": "A", "valueFrom": "x"}, {"name": "B", "valueFrom": "y"}]}),
        definition(container={"secrets": [{"name": "B", "valueFrom": "y"}, {"name": "A", "valueFrom": "x"}]}),
    ),
    "containers in another order": (
        definition(containerDefinitions=[{"name": "a", "image": "1"}, {"name": "b", "image": "2"}]),
        definition(containerDefinitions=[{"name": "b", "image": "2"}, {"name": "a", "image": "1"}]),
    ),
    **{
        f"{name} empty or absent": (definition(container={name: []}), definition())
        for name in ("mountPoints", "volumesFrom", "systemControls", "portMappings", "environment", "secrets")
    },
    "cpu 0 or absent": (definition(container={"cpu": 0}), definition()),
    "user 0 or absent on a FireLens container": (
        definition(container={**FIRELENS, "user": "0"}),
        definition(container=FIRELENS),
    ),
    "environment value null": (
        definition(container={"environment": [{"name": "A", "value": None}]}),
        definition(),
    ),
    "hostPort absent or equal in awsvpc": (
        definition(container={"portMappings": [{"containerPort": 80}]}),
        definition(container={"portMappings": [{"containerPort": 80, "hostPort": 80, "protocol": "tcp"}]}),
    ),
    "hostPort absent or 0 in bridge": (
        definition("bridge", {"portMappings": [{"containerPort": 80}]}),
        definition("bridge", {"portMappings": [{"containerPort": 80, "hostPort": 0}]}),
    ),
    "essential absent or true": (
        definition(containerDefinitions=[{"name": "app", "image": "repo:tag1"}]),
        definition(),
    ),
    "configureAtLaunch false or absent": (
        definition(volumes=[{"name": "data", "configureAtLaunch": False}]),
        definition(volumes=[{"name": "data"}]),
    ),
    "volumes in another order": (
        definition(volumes=[{"name": "a"}, {"name": "b"}]),
        definition(volumes=[{"name": "b"}, {"name": "a"}]),
    ),
    "null or absent": (definition(taskRoleArn=None, container={"command": None}), definition()),
    "the answer's own fields": (definition(revision=3, status="ACTIVE", registeredAt="2026"), definition()),
    "health check defaults": (
        definition(container={"healthCheck": {"command": ["CMD", "true"]}}),
        definition(container={"healthCheck": {"command": ["CMD", "true"], "interval": 30, "timeout": 5, "retries": 3}}),
    ),
}


@pytest.mark.parametrize("name", PAIRS)
def test_c33_the_same_thing_in_other_words_is_no_difference(name: str) -> None:
    left, right = PAIRS[name]
    assert equivalent(left, right)


@pytest.mark.parametrize(
    "changed",
    [
        definition(container={"image": "repo:tag2"}),
        definition(container={"cpu": 64}),
        definition(container={"user": "0"}),
        definition(container={"essential": False}),
        definition(container={"environment": [{"name": "A", "value": "1"}]}),
        definition(container={"command": ["a", "b"]}),
        definition(container={"portMappings": [{"containerPort": 80}]}),
        definition("bridge"),
        definition(cpu="512"),
        definition(volumes=[{"name": "data", "configureAtLaunch": True}]),
        definition(runtimePlatform={"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"}),
    ],
)
def test_c33_a_real_difference_stays_one(changed: Document) -> None:
    assert not equivalent(changed, definition())


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ({"command": ["a", "b"]}, {"command": ["b", "a"]}),
        ({"portMappings": [{"containerPort": 80}]}, {"portMappings": [{"containerPort": 80, "hostPort": 81}]}),
        ({"environment": [{"name": "A", "value": "1"}]}, {"environment": [{"name": "A", "value": "2"}]}),
    ],
)
def test_c33_order_and_values_that_mean_something_are_compared(left: dict[str, Any], right: dict[str, Any]) -> None:
    mode = "bridge" if "portMappings" in left else "awsvpc"
    assert not equivalent(definition(mode, left), definition(mode, right))


@pytest.mark.parametrize(
    ("found", "system"),
    [
        (None, "LINUX"),
        ({}, "LINUX"),
        ({"cpuArchitecture": "X86_64"}, "LINUX"),
        ({"operatingSystemFamily": "LINUX"}, "LINUX"),
        (
            {"cpuArchitecture": "X86_64", "operatingSystemFamily": "WINDOWS_SERVER_2022_CORE"},
            "WINDOWS_SERVER_2022_CORE",
        ),
    ],
)
def test_c53_both_fields_of_the_platform_are_written_out(found: dict[str, str] | None, system: str) -> None:
    original = definition() if found is None else definition(runtimePlatform=found)
    moved = fields(with_architecture(original, Architecture.ARM64))
    assert moved.pop("runtimePlatform") == {"cpuArchitecture": "ARM64", "operatingSystemFamily": system}
    carried = registrable(original)
    carried.pop("runtimePlatform", None)
    assert moved == carried


def test_c54_a_revision_takes_no_field_that_only_the_answer_has() -> None:
    only: dict[str, Any] = dict.fromkeys(ANSWER_ONLY_FIELDS, "something")
    answer = definition(**only, ipcMode=None, placementConstraints=[])
    assert registrable(answer) == fields(definition())
    assert untranslated_task_definition_fields(answer) == ()


def test_c54_a_field_of_the_future_is_named_instead_of_lost() -> None:
    later = definition(gpuFabric={"links": 4}, anotherOne=None, empty=[])
    assert untranslated_task_definition_fields(later) == ("gpuFabric",)


def test_containers_come_in_the_order_of_the_definition() -> None:
    text = definition(containerDefinitions=[{"name": "b"}, {"name": "a"}])
    assert [item["name"] for item in containers(text)] == ["b", "a"]
    assert containers(document({"family": "web"})) == ()


def test_what_a_container_sets_over_its_image_is_read_and_secrets_are_left_behind() -> None:
    found = process_overrides(
        {
            "entryPoint": ["/start"],
            "command": [],
            "workingDirectory": "/srv",
            "environment": [
                {"name": "PATH", "value": "/opt/bin"},
                {"name": "LD_LIBRARY_PATH", "value": "/opt/lib"},
                {"name": "TOKEN", "value": "not a path"},
                {"name": "NONE", "value": None},
            ],
            "healthCheck": {"command": ["CMD-SHELL", "true"]},
            "mountPoints": [{"sourceVolume": "a", "containerPath": "/data"}, {"sourceVolume": "b"}],
            "volumesFrom": [{"sourceContainer": "agent"}],
        }
    )
    assert (found.entry_point, found.command, found.working_directory) == (("/start",), None, "/srv")
    assert (found.search_path, found.library_path) == ("/opt/bin", "/opt/lib")
    assert found.health_check == ("CMD-SHELL", "true")
    assert found.mounts == ("/data", "/")
    assert found.variables == (("LD_LIBRARY_PATH", "/opt/lib"), ("PATH", "/opt/bin"))
    assert process_overrides({}) == ProcessOverrides()
