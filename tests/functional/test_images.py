"""What lies in images, from the registry to what an operator sees and what a stage does."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from migrate.core.documents import document
from migrate.core.findings import Finding, Grade
from migrate.core.image.executables import AARCH64_MACHINE
from migrate.core.settings import ImageMode
from migrate.errors import BlockedError, ExitCode
from tests.fakes.aws_world import REGISTRY, TAG, World
from tests.fakes.clock import FakeClock
from tests.fakes.image_content import AMD64_ELF, ARM64_ELF, REPOSITORY, Entry, Shelf, digest_of, elf
from tests.fakes.migration import SETTINGS, Operator

EXTERNAL = replace(SETTINGS, image=replace(SETTINGS.image, mode=ImageMode.EXTERNAL))
LOADER = "/lib/ld-linux-aarch64.so.1"
NAME = f"{REGISTRY}/{REPOSITORY}"


def world_of(*containers: dict[str, Any], **revision: Any) -> World:
    """Return a world whose service runs these containers; the image behind the tag is amd64 only."""
    world = World(FakeClock())
    world.shelf.image("linux/amd64", Entry("app", AMD64_ELF), tag=TAG)
    first = world.register(
        document(
            {
                "family": "web",
                "cpu": "256",
                "memory": "512",
                "networkMode": "awsvpc",
                "requiresCompatibilities": ["FARGATE"],
                "containerDefinitions": list(containers),
                **revision,
            }
        )
    )
    world.add_service("web", first.arn, desired=4, launch_type="FARGATE", strategy=())
    world.script_alarm("web-errors", "OK")
    world.pass_time(timedelta(minutes=10))
    return world


def pushed(world: World, *arm64: Entry) -> None:
    """Let the tag hold an index as the team's CI made it: the old amd64 half, and an arm64 half of these entries."""
    amd64 = world.shelf.image("linux/amd64", Entry("app", AMD64_ELF))
    world.shelf.index(amd64, world.shelf.image("linux/arm64", *arm64), tag=TAG)


def findings_of(operator: Operator) -> dict[str, Finding]:
    return {item.code: item for item in operator.plan().findings}


WEB: dict[str, Any] = {"name": "web", "image": f"{NAME}:{TAG}", "essential": True}
CHECK = {"healthCheck": {"command": ["CMD-SHELL", "curl -f http://localhost/ || exit 1"]}}


@pytest.mark.parametrize(
    ("container", "arm64", "said"),
    [
        (WEB, (Entry("app", elf(AARCH64_MACHINE, LOADER)), Entry(LOADER[1:], AMD64_ELF)), "cannot load what it needs"),
        (
            {**WEB, **CHECK},
            (Entry("app", ARM64_ELF), Entry("bin/sh", ARM64_ELF), Entry("usr/bin/curl", AMD64_ELF)),
            "the health check cannot run",
        ),
        (
            WEB,
            (
                Entry("app", b"#!/usr/bin/python3\n"),
                Entry("usr/bin/python3", ARM64_ELF),
                Entry("usr/lib/python3/dist-packages/numpy/_m.cpython-311-x86_64-linux-gnu.so", AMD64_ELF),
            ),
            "that Python would load are for x86: numpy",
        ),
    ],
)
def test_c06_what_the_start_needs_is_proven_as_the_start_itself_is(
    container: dict[str, Any], arm64: tuple[Entry, ...], said: str
) -> None:
    operator = Operator.of(world_of(container), EXTERNAL).reach(0)
    deployments = operator.service.deployments
    pushed(operator.world, *arm64)
    outcome = operator.apply(1)
    assert outcome.exit_code is ExitCode.ROLLED_BACK, outcome
    assert said in "; ".join(outcome.reasons)
    assert operator.service.deployments == deployments
    blocks = {item.code for item in operator.plan().findings if item.grade is Grade.BLOCK}
    assert blocks & {"image.wrong-library", "image.wrong-health-check", "image.wrong-native-module"}


def test_c06_x86_files_that_nothing_was_seen_to_need_are_told_and_stop_nothing() -> None:
    operator = Operator.of(world_of(WEB), EXTERNAL).reach(0)
    pushed(operator.world, Entry("app", ARM64_ELF), Entry("opt/tool", AMD64_ELF))
    found = findings_of(operator)["image.foreign-binary"]
    assert (found.grade, dict(found.evidence)["file"]) == (Grade.WARN, "/opt/tool")
    assert operator.apply(1).exit_code is ExitCode.DONE
    assert operator.apply(2).exit_code is ExitCode.DONE


def test_c14_what_a_pin_could_be_is_looked_up_behind_its_tag() -> None:
    pinned = Shelf().image("linux/amd64", Entry("app", AMD64_ELF))["digest"]
    world = world_of({**WEB, "image": f"{NAME}:{TAG}@{pinned}"})
    pushed(world, Entry("app", ARM64_ELF))
    index = digest_of(world.shelf.manifests[TAG][1])
    found = findings_of(Operator.of(world))["image.pinned-by-digest"]
    assert (found.grade, found.stage) == (Grade.BLOCK, 1)
    assert f"{NAME}@{index}" in found.advice
    with pytest.raises(BlockedError):
        Operator.of(world).reach(0).apply(1)


def test_c15_every_container_of_the_revision_is_looked_at() -> None:
    envoy = {"name": "envoy", "image": f"{NAME}:envoy", "essential": False}
    world = world_of(WEB, envoy)
    world.shelf.image("linux/amd64", Entry("app", AMD64_ELF, 0o700), tag="envoy")
    found = findings_of(Operator.of(world))["image.sidecar-without-arm64"]
    assert (found.grade, found.stage) == (Grade.BLOCK, 2)
    assert f"Container envoy: {NAME}:envoy has no linux/arm64" in found.text
    assert ("task definition", "$.containerDefinitions[1].image") in found.evidence


@pytest.mark.parametrize(
    "revision",
    [
        {"runtimePlatform": {"operatingSystemFamily": "WINDOWS_SERVER_2022_CORE", "cpuArchitecture": "X86_64"}},
        {"volumes": [{"name": "pipe", "host": {"sourcePath": "\\\\.\\pipe\\docker_engine"}}]},
    ],
)
def test_c18_windows_is_refused_before_anything_is_built_or_pushed(revision: dict[str, Any]) -> None:
    world = world_of(WEB, **revision)
    operator = Operator.of(world)
    with pytest.raises(BlockedError) as refused:
        operator.apply(0)
    assert "task-definition.windows" in refused.value.why
    assert world.writes == []
    assert not any("image" in call for call in operator.stacks.calls)
