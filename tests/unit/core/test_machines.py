from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.core.documents import document
from migrate.core.placement.machines import (
    UNLIMITED,
    TaskNeeds,
    amount,
    new_machine_room,
    room_now,
    surely_fits,
    task_needs,
)
from migrate.core.surroundings import InstanceType
from tests.fakes import facts
from tests.fakes.surroundings import instance, kinds, task

KINDS = {kind.name: kind for kind in kinds()}
SERVICE = facts.service()


@pytest.mark.parametrize(
    ("text", "expected"),
    [("256", 256), (512, 512), (".5 vCPU", 512), ("1 vcpu", 1024), ("2 GB", 2048), ("0.5GB", 512), ("", 0), (None, 0)],
)
def test_sizes_are_read_in_every_legal_spelling(text: str | int | None, expected: int) -> None:
    assert amount(text) == expected


def test_a_task_without_a_size_of_its_own_needs_what_its_containers_reserve() -> None:
    definition = facts.definition(
        {
            "containerDefinitions": [
                {"name": "app", "cpu": 128, "memory": 512, "memoryReservation": 256},
                {"name": "side", "cpu": 64, "memory": 128},
            ]
        }
    )
    assert task_needs(definition, SERVICE) == TaskNeeds(cpu=192, memory=384)


@pytest.mark.parametrize(
    ("mode", "ports", "alone"),
    [
        ("bridge", [{"containerPort": 80, "hostPort": 80}], True),
        ("bridge", [{"containerPort": 80, "hostPort": 0}], False),
        ("bridge", [{"containerPort": 80}], False),
        ("host", [{"containerPort": 80}], True),
        ("awsvpc", [{"containerPort": 80, "hostPort": 80}], False),
    ],
)
def test_a_fixed_host_port_leaves_one_task_a_machine(mode: str, ports: list[dict[str, int]], alone: bool) -> None:
    assert task_needs(task(mode=mode, portMappings=ports), SERVICE).alone is alone


def test_distinct_instances_leave_one_task_a_machine() -> None:
    apart = facts.service(document=document({"placementConstraints": [{"type": "distinctInstance"}]}))
    assert task_needs(task(), apart).alone
    assert new_machine_room(KINDS["m7g.xlarge"], task_needs(task(), apart), trunked=True).tasks == 1


def test_c52_a_task_of_4_gib_does_not_fit_on_2() -> None:
    room = new_machine_room(KINDS["t4g.small"], TaskNeeds(1024, 4096, own_interface=True), trunked=False)
    assert (room.cpu, room.memory, room.by_size, room.tasks) == (2, 0, 0, 0)


def test_c52_network_interfaces_limit_awsvpc_tasks_unless_there_is_a_trunk() -> None:
    small = TaskNeeds(cpu=128, memory=256, own_interface=True)
    assert new_machine_room(KINDS["m7g.large"], small, trunked=False).tasks == 2
    assert new_machine_room(KINDS["m7g.large"], small, trunked=True).tasks == 16
    bridge = TaskNeeds(cpu=128, memory=256)
    assert new_machine_room(KINDS["m7g.large"], bridge, trunked=False).interfaces == UNLIMITED


def test_a_registered_machine_takes_what_remains() -> None:
    needs, kind = TaskNeeds(cpu=512, memory=1024, own_interface=True), KINDS["m7g.xlarge"]
    busy = instance(kind="m7g.xlarge", remaining_cpu=1024, remaining_memory=9000, running_tasks=1)
    assert room_now(busy, kind, needs).tasks == 2
    assert room_now(instance(kind="m7g.xlarge", running_tasks=3), kind, needs).tasks == 0
    trunk = instance(kind="m7g.xlarge", running_tasks=3, attributes=[("ecs.awsvpc-trunk-id", "eni-1")])
    assert room_now(trunk, kind, needs).tasks == 8


@pytest.mark.parametrize("state", [{"status": "DRAINING"}, {"agent_connected": False}])
def test_a_machine_that_drains_or_is_out_of_touch_takes_nothing(state: dict[str, Any]) -> None:
    assert room_now(instance(**state), KINDS["m7g.large"], TaskNeeds(1, 1)).tasks == 0


@given(
    st.integers(1, 64), st.integers(512, 500_000), st.integers(2, 15), st.integers(0, 70_000), st.integers(0, 500_000)
)
def test_as_many_tasks_as_said_fit_and_one_more_does_not(
    vcpus: int, memory: int, interfaces: int, cpu: int, needed: int
) -> None:
    kind, needs = InstanceType("x", (), vcpus, memory, interfaces), TaskNeeds(cpu, needed, own_interface=True)
    count = new_machine_room(kind, needs, trunked=False).tasks
    assert count * cpu <= vcpus * 1024
    assert count * needed <= memory
    assert count <= interfaces - 1
    more = count + 1
    assert more * cpu > vcpus * 1024 or more * needed > memory or more > interfaces - 1


def test_a_task_of_all_the_memory_may_not_be_placed() -> None:
    assert not surely_fits(KINDS["t4g.small"], TaskNeeds(0, 2000))
    assert surely_fits(KINDS["t4g.small"], TaskNeeds(0, 1800))
