"""Case C52: machines that cannot take the task, by architecture, size, interfaces and number."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from migrate.core.facts import Architecture, StrategyItem
from migrate.core.findings import Grade
from migrate.core.observation import Observation
from migrate.core.surroundings import Launch, Surroundings, Unread
from tests.fakes import facts
from tests.fakes.surroundings import (
    PROVIDER,
    X86_PARAMETER,
    found,
    grades,
    group,
    instance,
    launch,
    machines,
    provider,
    task,
    to_graviton,
)

GRAVITON = to_graviton()
X86_64 = Architecture.X86_64


def seen(around: Surroundings, *, desired: int = 4, definition: Any = None, **service: Any) -> Observation:
    return facts.observation(
        surroundings=around,
        service=facts.service(desired_count=desired, **service),
        task_definition=definition or task(),
    )


def ready(count: int = 4) -> tuple[Any, ...]:
    return tuple(instance(number) for number in range(count))


def test_c52_a_graviton_group_with_room_has_nothing_against_it() -> None:
    assert found(seen(machines(group(maximum=10, instances=4, desired=4), *ready())), GRAVITON) == {}


def test_c52_t4g_with_an_x86_image_never_starts() -> None:
    told = found(seen(machines(group(launch("t4g.small", X86_64)))), GRAVITON)
    code = "instances.image-architecture"
    assert (told[code].grade, told[code].stage) == (Grade.BLOCK, 3)
    assert f"t4g.small with {X86_PARAMETER}" in told[code].text
    assert (f"t4g.small with {X86_PARAMETER}", "machine ARM64, image X86_64") in told[code].evidence
    # A machine that never starts is no x86 machine: one cause, one finding.
    assert "instances.no-arm64" not in told


def test_c52_an_image_that_ec2_does_not_show_starts_no_new_machine() -> None:
    made = group(launch("m7g.large", None), instances=4, desired=4)
    assert grades(seen(machines(made, *ready())), GRAVITON) == {"instances.image-missing": Grade.WARN}
    unread = Unread("the machine images", "ec2:DescribeImages", "AccessDenied")
    told = grades(seen(machines(made, *ready(), unread=(unread,))), GRAVITON)
    assert told == {"surroundings.unread": Grade.UNKNOWN}


def test_c52_one_wrong_launch_among_good_ones_is_a_warning() -> None:
    made = group(launch("t4g.small", X86_64), launch(), instances=4, desired=4)
    assert grades(seen(machines(made, *ready())), GRAVITON) == {"instances.image-architecture": Grade.WARN}


def test_c52_a_group_of_x86_machines_never_takes_an_arm64_task() -> None:
    told = found(seen(machines(group(launch("m5.large", X86_64)))), GRAVITON)["instances.no-arm64"]
    assert (told.grade, told.stage) == (Grade.BLOCK, 3)
    assert "m5.large" in told.text


@pytest.mark.parametrize(
    ("arm64", "grade"),
    [(0, Grade.BLOCK), (1, Grade.WARN), (2, Grade.INFO)],
    ids=["no arm64 machine", "too few", "enough"],
)
def test_c52_m5_and_m7g_under_one_provider_are_fine_only_with_enough_arm64(arm64: int, grade: Grade) -> None:
    made = group(launch("m5.large", None), launch("m7g.large"), instances=4, desired=4)
    there = [*(instance(n) for n in range(arm64)), *(instance(9 - n, "m5.large") for n in range(2))]
    told = found(seen(machines(made, *there), definition=task("512", "1024")), GRAVITON)
    mixed = told["instances.mixed-architectures"]
    assert mixed.grade is grade
    assert f"4 are wanted there, and the arm64 machines registered now take {arm64 * 2}" in mixed.text
    assert ("i-9", "m5.large X86_64, ACTIVE") in mixed.evidence


def test_c52_x86_machines_on_their_way_out_of_an_arm64_group_say_nothing() -> None:
    made = group(instances=5, desired=5)
    assert found(seen(machines(made, *ready(), instance(9, "m5.large"))), GRAVITON) == {}


def test_c52_a_task_of_1024_and_4096_does_not_fit_on_t4g_small() -> None:
    around = machines(group(launch("t4g.small")))
    told = found(seen(around, definition=task("1024", "4096")), GRAVITON)["instances.too-small"]
    assert told.grade is Grade.BLOCK
    assert "1024 cpu units and 4096 MiB" in told.text
    assert ("t4g.small", "2 vCPU, 2048 MiB") in told.evidence


def test_c52_one_type_too_small_among_larger_ones_is_a_warning() -> None:
    made = group(launch("t4g.small"), launch("m7g.large"))
    told = grades(seen(machines(made), definition=task("1024", "4096")), GRAVITON)
    assert told["instances.too-small"] is Grade.WARN


def test_c52_a_task_of_all_the_memory_is_tight_unless_a_machine_shows_that_it_fits() -> None:
    whole = task("1024", "2000")
    made = group(launch("t4g.small"), instances=4, desired=4)
    assert grades(seen(machines(made), definition=whole), GRAVITON)["instances.tight"] is Grade.WARN
    there = [instance(n, "t4g.small", registered_memory=2001, remaining_memory=2001) for n in range(4)]
    assert found(seen(machines(made, *there), definition=whole), GRAVITON) == {}
    less = [instance(n, "t4g.small", registered_memory=1900, remaining_memory=1900) for n in range(4)]
    assert grades(seen(machines(made, *less), definition=whole), GRAVITON)["instances.too-small"] is Grade.BLOCK


def test_c52_network_interfaces_bind_before_cpu_and_memory() -> None:
    small = task("128", "256")
    enough = found(seen(machines(group(maximum=2)), definition=small), GRAVITON)["instances.network-interfaces"]
    assert enough.grade is Grade.INFO
    assert ("tasks a machine by network interfaces", "2") in enough.evidence
    short = seen(machines(group(maximum=1)), definition=small)
    assert grades(short, GRAVITON)["instances.network-interfaces"] is Grade.BLOCK
    assert "awsvpcTrunking" in found(short, GRAVITON)["instances.network-interfaces"].advice
    trunked = seen(machines(group(maximum=1), trunking=True), definition=small)
    assert "instances.network-interfaces" not in found(trunked, GRAVITON)
    bridge = seen(machines(group(maximum=1)), definition=task("128", "256", "bridge"))
    assert "instances.network-interfaces" not in found(bridge, GRAVITON)


def test_c52_a_machine_with_a_trunk_shows_that_interfaces_do_not_bind() -> None:
    trunk = instance(1, attributes=[("ecs.awsvpc-trunk-id", "eni-1")])
    observed = seen(machines(group(maximum=1, desired=1, instances=1), trunk), definition=task("128", "256"))
    assert found(observed, GRAVITON) == {}


def test_c52_larger_machines_that_run_already_soften_a_launch_that_is_too_small() -> None:
    made = group(launch("t4g.small"), instances=4, desired=4)
    told = grades(seen(machines(made, *ready()), definition=task("1024", "4096")), GRAVITON)
    assert told == {"instances.too-small": Grade.WARN}


def test_c52_one_cause_is_told_once() -> None:
    too_small = grades(seen(machines(group(launch("t4g.small"))), definition=task("1024", "4096")), GRAVITON)
    assert "instances.group-too-small" not in too_small
    short = grades(seen(machines(group(maximum=1, desired=1, instances=1), instance(1))), GRAVITON)
    assert short == {"instances.group-too-small": Grade.BLOCK}


def test_c52_a_group_is_not_called_too_small_while_one_of_its_types_is_unknown() -> None:
    either = group(launch("t4g.small"), Launch("", "", "arm64", Architecture.ARM64), maximum=2)
    told = found(seen(machines(either), desired=40), GRAVITON)
    assert not {"instances.group-too-small", "instances.group-at-maximum"} & set(told)


def test_c52_a_maximum_of_0_starts_nothing() -> None:
    told = found(seen(machines(group(maximum=0))), GRAVITON)
    assert {code: item.grade for code, item in told.items()} == {"instances.group-maximum": Grade.BLOCK}
    assert ("minimum, desired, maximum", "0, 0, 0") in told["instances.group-maximum"].evidence


def test_c52_a_group_that_is_too_small_even_when_empty_is_refused() -> None:
    told = grades(seen(machines(group(maximum=1)), definition=task("1024", "1024")), GRAVITON)
    assert told["instances.group-too-small"] is Grade.BLOCK
    assert "instances.group-too-small" not in found(seen(machines(group(maximum=2))), GRAVITON)


def test_c52_a_group_at_its_maximum_with_full_machines() -> None:
    full = [instance(n, remaining_cpu=0, running_tasks=2) for n in range(4)]
    at_most = group(maximum=4, desired=4, instances=4)
    # Tasks run there that may end: no false refusal.
    assert grades(seen(machines(at_most, *full)), GRAVITON) == {"instances.group-at-maximum": Grade.WARN}
    draining = [instance(n, status="DRAINING") for n in range(2)]
    kept = [instance(9 - n, remaining_cpu=0) for n in range(4)]
    assert grades(seen(machines(at_most, *kept, *draining)), GRAVITON) == {"instances.group-at-maximum": Grade.BLOCK}
    assert found(seen(machines(group(maximum=8, desired=4, instances=4), *full)), GRAVITON) == {}
    # Machines that drain make room in the group for others.
    leaving = (*full[:2], *(instance(9 - n, status="DRAINING") for n in range(2)))
    assert found(seen(machines(at_most, *leaving)), GRAVITON) == {}


def test_c52_from_zero_the_path_to_the_first_machine_is_explained() -> None:
    told = found(seen(machines(group())), GRAVITON)["instances.none-registered"]
    assert told.grade is Grade.INFO
    assert "no container instances were found in the capacity provider" in told.text
    assert "15 minutes" in told.text
    hasty = replace(GRAVITON, gate=replace(GRAVITON.gate, deadline=timedelta(minutes=10)))
    assert grades(seen(machines(group())), hasty)["instances.none-registered"] is Grade.WARN


def test_c52_machines_in_service_that_the_cluster_does_not_know_are_told() -> None:
    told = grades(seen(machines(group(desired=2, instances=2))), GRAVITON)
    assert told == {"instances.not-registered": Grade.WARN}
    # Another provider's instances are none of this one's.
    stranger = instance(1, provider="other")
    assert "instances.not-registered" in found(seen(machines(group(desired=2, instances=2), stranger)), GRAVITON)


def test_c52_without_managed_scaling_nothing_starts_for_tasks_that_wait() -> None:
    off = provider(managed_scaling=False)
    code = "instances.managed-scaling-off"
    assert grades(seen(machines(group(), of=off)), GRAVITON)[code] is Grade.BLOCK
    assert grades(seen(machines(group(desired=2), of=off)), GRAVITON)[code] is Grade.WARN
    assert grades(seen(machines(group(), *ready(), of=off)), GRAVITON) == {code: Grade.WARN}
    suspended = group(suspended_processes=("Launch",))
    assert grades(seen(machines(suspended)), GRAVITON)["instances.launch-suspended"] is Grade.BLOCK
    assert grades(seen(machines(suspended, *ready())), GRAVITON) == {"instances.launch-suspended": Grade.WARN}


def test_c52_a_group_that_is_gone_is_told_unless_it_could_not_be_read() -> None:
    gone = machines(groups=())
    assert grades(seen(gone), GRAVITON) == {"instances.group-missing": Grade.BLOCK}
    unread = Unread("the Auto Scaling groups g", "autoscaling:DescribeAutoScalingGroups", "AccessDenied")
    assert grades(seen(replace(gone, unread=(unread,))), GRAVITON) == {"surroundings.unread": Grade.UNKNOWN}


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (launch("m7g.large", None), None),
        (launch("m99g.large", None), "instances.architecture-undecided"),
        (Launch("", "ami-1"), "instances.architecture-undecided"),
        (Launch("", "ami-1", "", Architecture.ARM64), None),
        (Launch("", "ami-1", "", X86_64), "instances.no-arm64"),
    ],
    ids=["image unknown", "type unknown", "requirements", "requirements and arm64 image", "requirements and x86 image"],
)
def test_c52_what_cannot_be_told_is_unknown_and_never_fine(made: Launch, expected: str | None) -> None:
    told = found(seen(machines(group(made, instances=4, desired=4, maximum=9))), GRAVITON)
    about = {code for code in told if "arm64" in code or "architecture" in code}
    assert about == ({expected} if expected else set())
    if expected == "instances.architecture-undecided":
        assert told[expected].grade is Grade.UNKNOWN


def test_c52_a_service_on_the_group_already_is_judged_for_stage_2() -> None:
    around = machines(group(launch("m5.large", X86_64)), *(instance(n, "m5.large") for n in range(4)))
    here = seen(around, strategy=(StrategyItem(PROVIDER, weight=1),))
    assert found(here)["instances.no-arm64"].stage == 2
    assert found(here, GRAVITON)["instances.no-arm64"].stage == 2


def test_only_the_share_of_the_strategy_is_wanted_on_a_provider() -> None:
    settings = replace(GRAVITON, capacity=(StrategyItem(PROVIDER, weight=1), StrategyItem("other", weight=3)))
    around = machines(group(maximum=1), *ready(1))
    told = found(seen(around, desired=8), settings)
    assert "instances.group-too-small" not in told
    idle = replace(GRAVITON, capacity=(StrategyItem("other", weight=1), StrategyItem(PROVIDER, weight=0)))
    assert found(seen(machines(group(launch("m5.large", X86_64)))), idle) == {}


def test_c47_a_service_at_zero_is_judged_for_one_task() -> None:
    around = machines(group(launch("t4g.small")))
    assert "instances.too-small" in found(seen(around, desired=0, definition=task("1024", "4096")), GRAVITON)


def test_machines_that_were_not_read_are_not_judged() -> None:
    assert found(seen(Surroundings()), GRAVITON) == {}
