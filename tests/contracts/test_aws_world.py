"""The scripted world plays what AWS was seen to do, the same way whoever looks and when."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.core.documents import document, fields
from migrate.core.facts import Architecture, StrategyItem
from migrate.core.task_definition import with_architecture
from migrate.errors import AccessError, InterruptedRunError
from tests.fakes.aws_ports import FakeHealthReader, FakeServiceReader
from tests.fakes.aws_simulation import Fate, next_providers
from tests.fakes.aws_world import World
from tests.fakes.clock import FakeClock
from tests.fakes.image_content import two_platforms

MINUTES = timedelta(minutes=1)


@pytest.fixture
def world() -> World:
    return World.with_demo_service(FakeClock())


@pytest.mark.parametrize("fate", [Fate.EXEC_FORMAT, Fate.NO_PLATFORM, Fate.UNHEALTHY])
def test_c31_the_circuit_breaker_ends_in_a_steady_service_under_another_id(world: World, fate: Fate) -> None:
    before = world.demo.primary.task_definition_arn
    world.next_deployment(fate)
    begun = world.deploy()
    world.pass_time(20 * MINUTES)
    service = FakeServiceReader(world).service("demo", "web")
    assert service.primary is not None
    assert (service.primary.rollout_state, service.task_definition_arn) == ("COMPLETED", before)
    assert begun not in {item.id for item in service.deployments}
    assert (service.running_count, service.desired_count) == (4, 4)
    assert any("failed" in event.message for event in service.events)


def test_an_arm64_revision_on_an_amd64_image_finds_no_platform(world: World) -> None:
    current = world.revisions[world.demo.primary.task_definition_arn]
    arm64 = world.register(with_architecture(current.document, Architecture.ARM64))
    assert arm64.runtime_platform.cpu_architecture == "ARM64"
    world.apply_update(task_definition=arm64.arn, force=True)
    assert world.demo.primary.fate is Fate.NO_PLATFORM
    two_platforms(world.shelf, tag="tag1")
    world.apply_update(task_definition=arm64.arn, force=True)
    world.pass_time(5 * MINUTES)
    reader = FakeServiceReader(world)
    tasks = reader.tasks(reader.service("demo", "web"))
    assert {task.architecture for task in tasks} == {"arm64"}


def test_a_stuck_deployment_never_ends_and_says_why(world: World) -> None:
    world.next_deployment(Fate.STUCK)
    world.apply_update(force=True)
    world.pass_time(120 * MINUTES)
    service = FakeServiceReader(world).service("demo", "web")
    assert service.primary is not None
    assert (service.primary.rollout_state, service.running_count) == ("IN_PROGRESS", 4)
    assert "Capacity is unavailable" in service.events[0].message


def test_c32_a_service_cannot_go_to_an_inactive_revision(world: World) -> None:
    other = world.register(document({**fields(next(iter(world.revisions.values())).document)}))
    world.deregister(other.arn)
    with pytest.raises(AccessError, match="inactive"):
        world.apply_update(task_definition=other.arn)


def test_c37_a_strategy_needs_a_forced_deployment(world: World) -> None:
    with pytest.raises(AccessError, match="force a new deployment"):
        world.apply_update(strategy=(StrategyItem("FARGATE", 1),))


def test_c35_the_desired_count_follows_auto_scaling(world: World) -> None:
    for desired in (10, 14, 6, 0):
        world.scale(desired)
        world.pass_time(5 * MINUTES)
        service = FakeServiceReader(world).service("demo", "web")
        assert (service.desired_count, service.running_count, len(service.deployments)) == (desired, desired, 1)


def test_c57_a_refused_look_fails_as_often_as_it_was_told_to(world: World) -> None:
    reader = FakeServiceReader(world)
    world.refuse("service", AccessError("Throttled.", then="Wait."), times=2)
    for _ in range(2):
        with pytest.raises(AccessError):
            reader.service("demo", "web")
    assert reader.service("demo", "web").name == "web"


def test_an_alarm_plays_its_script(world: World) -> None:
    world.script_alarm("web-errors", "ALARM", after=2 * MINUTES)
    world.script_alarm("web-errors", "OK", after=4 * MINUTES)
    states = []
    for _ in range(5):
        states += [alarm.state for alarm in FakeHealthReader(world).alarms(("web-errors", "missing"))]
        world.clock.sleep(MINUTES)
    assert states == ["OK", "OK", "ALARM", "ALARM", "OK"]


@given(st.lists(st.integers(1, 90), max_size=12))
def test_who_looks_and_when_changes_nothing(looks: list[int]) -> None:
    watched, left_alone = (World.with_demo_service(FakeClock()) for _ in range(2))
    for world in (watched, left_alone):
        world.next_deployment(Fate.EXEC_FORMAT)
        world.deploy()
    for seconds in looks:
        watched.pass_time(timedelta(seconds=seconds))
        FakeServiceReader(watched).service("demo", "web")
    left_alone.pass_time(timedelta(seconds=sum(looks)))
    seen, unseen = (FakeServiceReader(world).service("demo", "web") for world in (watched, left_alone))
    assert seen == unseen


@given(st.integers(0, 30), st.integers(0, 5), st.integers(0, 9), st.integers(1, 9))
def test_providers_follow_base_and_weights(desired: int, base: int, first: int, second: int) -> None:
    strategy = (StrategyItem("FARGATE", first, base), StrategyItem("FARGATE_SPOT", second))
    placed = next_providers(strategy, [], desired)
    assert len(placed) == desired
    rest = max(0, desired - base)
    assert abs(placed.count("FARGATE") - min(base, desired) - rest * first / (first + second)) <= 1


def test_the_clock_does_what_is_due_on_the_way_and_stops_when_told() -> None:
    clock, done = FakeClock(), list[str]()
    clock.after(2 * MINUTES, lambda: done.append("second"))
    clock.after(1 * MINUTES, lambda: done.append("first"))
    clock.after(9 * MINUTES, lambda: done.append("never"))
    clock.stop_after(5 * MINUTES)
    with pytest.raises(InterruptedRunError):
        clock.sleep(30 * MINUTES)
    assert (done, clock.elapsed) == (["first", "second"], 5 * MINUTES)
    clock.sleep(MINUTES)
    assert clock.elapsed == 6 * MINUTES
