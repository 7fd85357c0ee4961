"""Stage 2 with a twin service: canary and mixed, forwards, taken up after a kill, and undone from every step."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from functools import partial
from importlib.resources import files

import jsonschema
import pytest

from migrate.core.cost.cost import PriceEstimate
from migrate.core.evidence import EventKind
from migrate.core.facts import StrategyItem
from migrate.core.gate.gate import Verdict
from migrate.core.settings import ArchitectureMode, Settings
from migrate.core.stack.preview import SERVICE
from migrate.core.stages import Position, Stage
from migrate.core.twin import TWIN, twin_count, twin_name
from migrate.errors import BlockedError, ExitCode, WorldChangedError
from migrate.render import text
from migrate.render.structured import status_document, to_json
from tests.fakes.aws_ports import FakeServiceReader
from tests.fakes.aws_simulation import Fate
from tests.fakes.aws_world import PREFIX, World
from tests.fakes.clock import FakeClock
from tests.fakes.migration import SETTINGS, Operator
from tests.fakes.mortal_steps import Died
from tests.functional.test_interruptions import crashed_at_every_point

CANARY = replace(SETTINGS, architecture=ArchitectureMode.CANARY)
MIXED = replace(SETTINGS, architecture=ArchitectureMode.MIXED)
SCHEMA = json.loads(files("migrate.render").joinpath("documents.schema.json").read_text(encoding="utf-8"))
TWIN_ARN = f"{PREFIX}:service/demo/web-migrate-arm64"


def ready(settings: Settings = CANARY, desired: int = 8) -> Operator:
    world = World.with_demo_service(FakeClock(), desired=desired)
    return Operator.of(world, settings).reach(1)


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


@pytest.mark.parametrize(("settings", "says"), [(MIXED, "mixed-stays"), (CANARY, "the service has a twin")])
def test_stage_3_is_refused_while_both_architectures_stay(settings: Settings, says: str) -> None:
    operator = ready(MIXED).reach(2)
    operator.settings = settings
    writes = list(operator.world.writes)
    with pytest.raises(BlockedError, match=says):
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
def test_a_twin_that_fails_goes_and_the_service_was_never_touched(settings: Settings, fate: Fate) -> None:
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


def crash(operator: Operator, service: str, count: int) -> None:
    """Let tasks of a service end by themselves; ECS starts others."""
    simulated = next(item for item in operator.world.services.values() if item.name == service)
    for task in [task for task in simulated.living(simulated.primary) if task.running_since is not None][:count]:
        task.stop(operator.world.clock.now(), "EssentialContainerExited", "Essential container in task exited", 139)


def crashing(twin: int, service: int) -> Operator:
    """Return an operator whose gate forgives single stops, with tasks of both services that crash in the soak."""
    operator = ready()
    operator.gate(failure_limit=4, soak=timedelta(minutes=10))
    for minutes in (4, 5, 6):
        after = timedelta(minutes=minutes)
        operator.world.clock.after(after, partial(crash, operator, "web-migrate-arm64", twin))
        operator.world.clock.after(after, partial(crash, operator, "web", service))
    return operator


def test_a_twin_that_restarts_more_than_the_amd64_tasks_goes_whatever_the_limits_forgive() -> None:
    operator = crashing(twin=1, service=0)
    main = operator.service.primary
    outcome = operator.apply(2)
    assert outcome.exit_code is ExitCode.ROLLED_BACK, outcome
    assert any("twin: since" in reason and "crashed" in reason for reason in outcome.reasons), outcome.reasons
    assert operator.service.primary == main, "the service itself was not touched"
    assert TWIN_ARN not in operator.world.services


def test_crashes_that_come_to_both_alike_do_not_speak_against_the_twin() -> None:
    outcome = crashing(twin=1, service=4).apply(2)
    assert outcome.exit_code is ExitCode.DONE, outcome


@pytest.mark.parametrize(
    ("cpu", "exit_code", "says"),
    [
        ({"web": 30.0, "web-migrate-arm64": 31.0}, ExitCode.DONE, "CPUUtilization twin 31.0 %, service 30.0 %"),
        (
            {"web": 30.0, "web-migrate-arm64": 95.0},
            ExitCode.ROLLED_BACK,
            "twin 95.0 %, service 30.0 % (more than twice",
        ),
        ({}, ExitCode.DONE, "CPUUtilization: not compared, no data"),
    ],
    ids=["alike", "near its end", "no data"],
)
def test_the_twin_is_compared_by_what_ecs_measures_of_both(
    cpu: dict[str, float], exit_code: ExitCode, says: str
) -> None:
    operator = ready()
    operator.gate(soak=timedelta(minutes=10))
    now = operator.world.clock.now()
    for service, value in cpu.items():
        series = [(now + timedelta(minutes=minute), value) for minute in range(60)]
        operator.sources.metrics.values[f"CPUUtilization {service}"] = series
    assert operator.apply(2).exit_code is exit_code
    told = [
        item["text"]
        for event in operator.events()
        if event.kind is EventKind.MEASUREMENT
        for item in json.loads(event.data)["measurements"]
        if item["check"] == "twin"
    ]
    assert any(says in text for text in told), told


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
@pytest.mark.parametrize("theirs", ["revision", "capacity"])
def test_c43_what_others_do_to_the_service_while_its_twin_is_judged_is_not_undone(
    settings: Settings, theirs: str
) -> None:
    operator = ready(settings)

    def deployed() -> None:
        spot = (StrategyItem("FARGATE_SPOT", weight=7),)
        operator.world.deploy() if theirs == "revision" else operator.world.apply_update(strategy=spot, force=True)

    operator.world.clock.after(timedelta(seconds=90), deployed)
    outcome = operator.apply(2)
    assert outcome.exit_code is ExitCode.HELD, outcome
    assert "which this migration did not" in outcome.reasons[0] or "no stage gives it" in outcome.reasons[0]
    primary = operator.service.primary
    assert primary is not None
    assert primary.id == operator.world.demo.history[-1].id
    assert operator.world.writes[-1] == "update service", "theirs"
    assert operator.world.writes.count("update service") == 3, "stages 0 and 1, and theirs"


@pytest.mark.parametrize("settings", [CANARY, MIXED], ids=["canary", "mixed"])
def test_a_stage_2_with_a_twin_that_died_anywhere_is_finished_by_the_next_apply(settings: Settings) -> None:
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
def test_a_stage_2_with_a_twin_that_died_anywhere_can_be_rolled_back(settings: Settings, to: Stage) -> None:
    start = ready(settings)
    for operator in crashed_at_every_point(start, lambda operator: operator.apply(2)):
        operator.world.pass_time(timedelta(minutes=5))
        outcome = operator.roll_back(to)
        assert outcome.exit_code is ExitCode.DONE, outcome
        assert list(operator.world.services) == [operator.service.arn]
        assert operator.status().architectures == (("x86_64", 8),)
        assert operator.record.twin is None
        assert operator.record.position.proven <= Stage.IMAGE


def killed_in_the_making(settings: Settings) -> Operator:
    """Return an operator whose Pulumi was killed while ECS made the twin."""
    operator = ready(settings)
    operator.stacks.interrupt_after["up_service"] = Died()
    with pytest.raises(Died):
        operator.apply(2)
    assert TWIN_ARN in operator.world.services
    operator.stacks.lose_twin()
    operator.world.pass_time(timedelta(minutes=5))
    return operator


@pytest.mark.parametrize("settings", [CANARY, MIXED], ids=["canary", "mixed"])
def test_a_twin_whose_making_was_cut_off_is_adopted_by_the_next_apply(settings: Settings) -> None:
    operator = killed_in_the_making(settings)
    outcome = operator.apply(2)
    assert outcome.exit_code is ExitCode.DONE, outcome
    assert operator.world.writes.count("create service web-migrate-arm64") == 1
    assert of_the_twin(operator).count("import") == 1
    assert (TWIN_ARN in operator.world.services) is (settings is MIXED)
    assert operator.status().drift == ()


@pytest.mark.parametrize("to", [Stage.IMAGE, Stage.ORIGINAL])
def test_a_twin_whose_making_was_cut_off_goes_with_a_rollback(to: Stage) -> None:
    operator = killed_in_the_making(CANARY)
    outcome = operator.roll_back(to)
    assert outcome.exit_code is ExitCode.DONE, outcome
    assert list(operator.world.services) == [operator.service.arn]
    assert operator.world.writes.count("delete service web-migrate-arm64") == 1
    assert operator.record.twin is None


@pytest.mark.parametrize("back", [False, True], ids=["apply", "rollback"])
def test_a_service_that_took_the_twins_name_meanwhile_is_not_adopted(back: bool) -> None:
    operator = killed_in_the_making(CANARY)
    operator.world.delete_service(TWIN_ARN)
    amd64 = operator.service.task_definition_arn
    operator.world.add_service("web-migrate-arm64", amd64, desired=1, launch_type="FARGATE", strategy=())
    writes = list(operator.world.writes)
    if back:
        assert operator.roll_back(Stage.IMAGE).exit_code is ExitCode.DONE
    else:
        with pytest.raises(BlockedError, match="did not make it"):
            operator.apply(2)
        assert operator.world.writes == writes
    assert TWIN_ARN in operator.world.services


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


def test_status_and_price_show_both_services() -> None:
    operator = ready(MIXED)
    alone = operator.status().price
    operator.apply(2)
    status = operator.status()
    assert status.architectures == (("x86_64", 8),)
    assert status.twin is not None
    assert (status.twin.service, status.twin.desired_count) == (TWIN_ARN, 2)
    assert status.twin.architectures == (("arm64", 2),)
    shown = text.shown(text.status(status), width=120, colour=False)
    assert "arm64 2 of 2, web:2" in shown
    assert isinstance(status.price, PriceEstimate)
    assert isinstance(alone, PriceEstimate)
    assert status.price.high > alone.high
    planned = operator.plan().stage(Stage.ARCHITECTURE).price
    assert planned == status.price
    document = json.loads(to_json(status_document(status)))
    assert document["twin"]["architectures"] == {"arm64": 2}
    jsonschema.validate(document, SCHEMA)


def test_a_twin_that_somebody_else_deleted_is_told_and_does_not_hold_up_the_way_back() -> None:
    operator = ready(MIXED).reach(2)
    operator.world.delete_service(TWIN_ARN)
    assert operator.status().drift == ("its twin web-migrate-arm64 is gone",)
    with pytest.raises(WorldChangedError):
        operator.apply(2)
    assert operator.roll_back(Stage.IMAGE).exit_code is ExitCode.DONE
    assert operator.record.twin is None


def test_a_twin_that_somebody_else_deployed_is_told() -> None:
    operator = ready(MIXED).reach(2)
    operator.world.deploy(service=TWIN_ARN)
    assert "its twin runs" in operator.status().drift[0]


def test_a_new_baseline_does_not_forget_a_twin() -> None:
    operator = ready(MIXED).reach(2)
    operator.world.deploy()
    with pytest.raises(BlockedError, match="twin"):
        operator.rebaseline()


@pytest.mark.parametrize(
    ("settings", "deploys", "writes", "twin"),
    [
        (CANARY, 2, ["create", "update", "delete"], "2 tasks of web-migrate-arm64 on ARM64; it goes once"),
        (MIXED, 1, ["create"], "2 tasks of web-migrate-arm64 on ARM64; it stays"),
    ],
    ids=["canary", "mixed"],
)
def test_the_plan_says_what_becomes_of_the_twin(settings: Settings, deploys: int, writes: list[str], twin: str) -> None:
    operator = ready(settings)
    stage = operator.plan().stage(Stage.ARCHITECTURE)
    assert stage.deploys == deploys
    assert stage.changes[0].after.startswith(twin)
    assert [
        word for write in stage.writes for word in ("create", "update", "delete") if f":{word.title()}S" in write
    ] == writes
    before = len(operator.world.writes)
    operator.apply(2)
    assert [write.split()[0] for write in operator.world.writes[before:]] == writes
    assert (operator.plan().stage(Stage.CAPACITY).status == "blocked") is (settings is MIXED)


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
