"""Stage 2 with a twin service: canary and mixed, forwards, taken up after a kill, and undone from every step."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from migrate.core.facts import StrategyItem
from migrate.core.gates import Verdict
from migrate.core.preview import SERVICE
from migrate.core.settings import ArchitectureMode
from migrate.core.stages import Position, Stage
from migrate.core.twin import TWIN, twin_count, twin_name
from migrate.errors import BlockedError, ExitCode
from tests.fakes.aws_ports import FakeServiceReader
from tests.fakes.aws_simulation import Fate
from tests.fakes.aws_world import PREFIX, World
from tests.fakes.clock import FakeClock
from tests.fakes.migration import SETTINGS, Operator
from tests.functional.test_interruptions import crashed_at_every_point

CANARY = replace(SETTINGS, architecture=ArchitectureMode.CANARY)
MIXED = replace(SETTINGS, architecture=ArchitectureMode.MIXED)
TWIN_ARN = f"{PREFIX}:service/demo/web-migrate-arm64"


def ready(settings: object = CANARY, desired: int = 8) -> Operator:
    world = World.with_demo_service(FakeClock(), desired=desired)
    return Operator.of(world, settings).reach(1)  # type: ignore[arg-type]


def of_the_twin(operator: Operator) -> list[str]:
    return [item.operation for item in operator.stacks.previewed if (item.type, item.name) == (SERVICE, TWIN)]


def test_a_canary_is_proven_before_the_service_follows_and_then_it_goes() -> None:
    operator = ready()
    before = len(operator.world.writes)
    outcome = operator.apply(2)
    assert outcome.exit_code is ExitCode.DONE, outcome
    assert operator.verdicts() == [Verdict.PASS] * 3
    assert operator.world.writes[before:] == [
        "create service web-migrate-arm64",
        "update service",
        "delete service web-migrate-arm64",
    ]
    assert operator.status().architectures == (("arm64", 8),)
    assert operator.record.twin is None
    assert operator.status().drift == ()
    assert operator.apply(3).exit_code is ExitCode.DONE


def test_the_twin_has_a_share_of_the_tasks_on_the_same_target_groups_and_settings() -> None:
    operator = ready(MIXED)
    operator.apply(2)
    twin = FakeServiceReader(operator.world).service("demo", TWIN_ARN)
    main = operator.service
    assert (twin.desired_count, twin.target_group_arns) == (2, main.target_group_arns)
    assert twin.strategy == main.strategy == (StrategyItem("FARGATE", weight=1),)
    assert {task.architecture for task in FakeServiceReader(operator.world).tasks(twin)} == {"arm64"}


def test_mixed_keeps_both_and_proves_both() -> None:
    operator = ready(MIXED)
    main = operator.service.primary
    outcome = operator.apply(2)
    assert outcome.exit_code is ExitCode.DONE, outcome
    assert operator.verdicts() == [Verdict.PASS] * 2
    assert operator.service.primary == main, "the service itself was not deployed"
    assert operator.record.position == Position(Stage.ARCHITECTURE)
    assert operator.record.twin is not None
    assert operator.record.twin.arn == TWIN_ARN
    assert operator.status().drift == ()
    assert "nothing was changed" in operator.apply(2).text
    assert TWIN_ARN in operator.world.services


def test_stage_3_is_refused_while_both_architectures_stay() -> None:
    operator = ready(MIXED).reach(2)
    writes = list(operator.world.writes)
    with pytest.raises(BlockedError, match="twin"):
        operator.apply(3)
    assert operator.world.writes == writes
    assert operator.record.position == Position(Stage.ARCHITECTURE)


def test_after_mixed_the_service_follows_its_twin_once_the_settings_say_so() -> None:
    operator = ready(MIXED).reach(2)
    operator.settings = CANARY
    assert operator.apply(2).exit_code is ExitCode.DONE
    assert operator.status().architectures == (("arm64", 8),)
    assert TWIN_ARN not in operator.world.services
    assert operator.apply(3).exit_code is ExitCode.DONE


@pytest.mark.parametrize("fate", [Fate.EXEC_FORMAT, Fate.UNHEALTHY])
@pytest.mark.parametrize("settings", [CANARY, MIXED], ids=["canary", "mixed"])
def test_a_twin_that_fails_goes_and_the_service_was_never_touched(settings: object, fate: Fate) -> None:
    operator = ready(settings)
    main = operator.service.primary
    operator.world.next_deployment(fate)
    outcome = operator.apply(2)
    assert outcome.exit_code is ExitCode.ROLLED_BACK, outcome
    assert any("the service itself was not touched" in reason for reason in outcome.reasons)
    assert operator.service.primary == main
    assert TWIN_ARN not in operator.world.services
    assert operator.record.twin is None
    assert operator.record.position == Position(Stage.IMAGE)
    assert operator.apply(2).exit_code is ExitCode.DONE, "mended, it can be tried again"


def test_a_service_that_fails_after_its_twin_was_good_goes_back_and_the_twin_goes() -> None:
    operator = ready()
    operator.world.next_deployment(Fate.HEALTHY)
    operator.world.next_deployment(Fate.UNHEALTHY)
    outcome = operator.apply(2)
    assert outcome.exit_code is ExitCode.ROLLED_BACK, outcome
    assert operator.status().architectures == (("x86_64", 8),)
    assert TWIN_ARN not in operator.world.services
    assert operator.status().drift == ()


@pytest.mark.parametrize("settings", [CANARY, MIXED], ids=["canary", "mixed"])
def test_a_stage_2_with_a_twin_that_died_anywhere_is_finished_by_the_next_apply(settings: object) -> None:
    start = ready(settings)
    whole = start.copied()
    whole.apply(2)
    for operator in crashed_at_every_point(start, lambda operator: operator.apply(2)):
        operator.world.pass_time(timedelta(minutes=5))
        outcome = operator.apply(2)
        assert outcome.exit_code is ExitCode.DONE, outcome
        assert set(operator.world.services) == set(whole.world.services)
        assert len(operator.world.demo.history) == len(whole.world.demo.history)
        assert operator.world.writes.count("create service web-migrate-arm64") == 1
        assert operator.record.position == Position(Stage.ARCHITECTURE)
        assert operator.status().drift == ()


@pytest.mark.parametrize("to", [Stage.IMAGE, Stage.ORIGINAL])
@pytest.mark.parametrize("settings", [CANARY, MIXED], ids=["canary", "mixed"])
def test_a_stage_2_with_a_twin_that_died_anywhere_can_be_rolled_back(settings: object, to: Stage) -> None:
    start = ready(settings)
    for operator in crashed_at_every_point(start, lambda operator: operator.apply(2)):
        operator.world.pass_time(timedelta(minutes=5))
        outcome = operator.roll_back(to)
        assert outcome.exit_code is ExitCode.DONE, outcome
        assert list(operator.world.services) == [operator.service.arn]
        assert operator.status().architectures == (("x86_64", 8),)
        assert operator.record.twin is None
        assert operator.record.position.proven <= Stage.IMAGE


def test_a_mixed_service_is_rolled_back_to_the_original_with_its_tag() -> None:
    operator = ready(MIXED)
    former = operator.record.baseline.image.manifest.encode()
    operator.apply(2)
    assert operator.roll_back(Stage.ORIGINAL).exit_code is ExitCode.DONE
    assert operator.tag[1] == former
    assert TWIN_ARN not in operator.world.services
    assert operator.service.launch_type == "FARGATE"


def test_a_service_that_has_the_twins_name_is_left_alone() -> None:
    operator = ready()
    world = operator.world
    definition = operator.service.task_definition_arn
    world.add_service("web-migrate-arm64", definition, desired=1, launch_type="FARGATE", strategy=())
    writes = list(world.writes)
    with pytest.raises(BlockedError, match="web-migrate-arm64 already"):
        operator.apply(2)
    assert world.writes == writes
    assert operator.roll_back(Stage.ORIGINAL).exit_code is ExitCode.DONE
    assert TWIN_ARN in world.services


def test_a_service_without_tasks_gets_a_twin_without_tasks_and_is_not_proven() -> None:
    operator = ready(desired=8)
    operator.world.scale(0)
    operator.world.pass_time(timedelta(minutes=5))
    outcome = operator.apply(2)
    assert outcome.exit_code is ExitCode.HELD
    assert FakeServiceReader(operator.world).service("demo", TWIN_ARN).desired_count == 0


@pytest.mark.parametrize(
    ("desired", "share", "count"), [(8, 25, 2), (1, 25, 1), (9, 25, 3), (0, 25, 0), (4, 100, 4), (1000, 1, 10)]
)
def test_the_size_of_a_twin(desired: int, share: int, count: int) -> None:
    assert twin_count(desired, share) == count


def test_the_name_of_a_twin_fits_ecs_and_is_told_apart() -> None:
    assert twin_name("web") == "web-migrate-arm64"
    long, other = twin_name("a" * 255), twin_name("a" * 254 + "b")
    assert (len(long), len(other)) == (255, 255)
    assert long != other
