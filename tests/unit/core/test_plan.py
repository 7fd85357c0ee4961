from __future__ import annotations

from dataclasses import replace

import pytest

from migrate.core.cost.cost import PriceEstimate, UnknownPrice
from migrate.core.facts import StrategyItem
from migrate.core.first_record import first_record
from migrate.core.observation import ContainerImage
from migrate.core.plan.plan import MigrationPlan, StageStatus, make_plan
from migrate.core.record import Record
from migrate.core.repository.guarding import guard_tag
from migrate.core.settings import ImageMode
from migrate.core.stages import Position, Stage
from migrate.core.status import status_of
from tests.fakes.facts import (
    FARGATE,
    IMAGE,
    INDEX_DIGEST,
    NEW,
    ORIGINAL_DIGEST,
    SPOT,
    built,
    definition,
    deployment,
    multi_platform,
    observation,
    record,
    repository,
    service,
    settings,
    single_platform,
    tasks,
)

SETTINGS = settings()


def planned(known: Record | None = None) -> MigrationPlan:
    return make_plan(observation(), SETTINGS, known)


def statuses(plan: MigrationPlan) -> list[StageStatus]:
    return [stage.status for stage in plan.stages]


def test_a_first_plan_has_every_stage_and_only_the_first_is_next() -> None:
    plan = planned()
    assert [stage.stage for stage in plan.stages] == [0, 1, 2, 3]
    assert statuses(plan) == [StageStatus.NEXT, *[StageStatus.LATER] * 3]


@pytest.mark.parametrize(
    ("position", "shown"),
    [
        (Position(Stage.IMAGE), ["proven", "proven", "next", "later"]),
        (Position(Stage.IMAGE, entered=Stage.ARCHITECTURE), ["proven", "proven", "entered", "later"]),
        (Position(Stage.CAPACITY), ["proven"] * 4),
    ],
)
def test_a_later_plan_shows_where_the_service_is(position: Position, shown: list[str]) -> None:
    assert statuses(planned(record(adopted=True, index=built(), position=position))) == shown


def test_a_finding_blocks_its_own_stage_and_all_after_it() -> None:
    plan = make_plan(observation(repository=repository("IMMUTABLE")), SETTINGS, None)
    assert statuses(plan) == ["next", "blocked", "blocked", "blocked"]
    assert [finding.code for finding in plan.stage(Stage.IMAGE).findings][:1] == ["repository.immutable-tag"]


def test_every_stage_says_what_it_changes_writes_and_proves_and_how_it_is_undone() -> None:
    plan = planned()
    for stage in plan.stages:
        assert stage.changes
        assert stage.writes
        assert stage.gate[-1] == "all of it for 600 s without a break, within 2400 s"
        assert stage.way_back
    changes = {change.what: (change.before, change.after) for stage in plan.stages for change in stage.changes}
    assert changes["capacity"] == ("launch type FARGATE", "FARGATE weight 1")
    assert changes["runtimePlatform.cpuArchitecture"] == ("X86_64", "ARM64")
    assert changes["cluster capacity providers"] == ("FARGATE", "FARGATE, FARGATE_SPOT")
    assert changes["capacity provider strategy"] == (
        "FARGATE weight 1",
        "FARGATE weight 1 base 1, FARGATE_SPOT weight 3",
    )


def test_a_service_on_a_strategy_gets_no_deployment_at_the_baseline() -> None:
    now = observation(service=service(launch_type=None, strategy=FARGATE))
    assert [stage.deploys for stage in make_plan(now, SETTINGS, None).stages] == [0, 1, 1, 2]
    assert [stage.deploys for stage in planned().stages] == [1, 1, 1, 2]


def test_an_external_image_is_not_pushed_by_us() -> None:
    external = replace(SETTINGS, image=replace(SETTINGS.image, mode=ImageMode.EXTERNAL))
    stage = make_plan(observation(), external, None).stage(Stage.IMAGE)
    assert stage.writes == ("ecs:UpdateService (forced deployment)",)


def test_prices_fall_from_stage_to_stage_and_are_a_range_on_spot() -> None:
    prices = [stage.price for stage in planned().stages]
    assert all(isinstance(price, PriceEstimate) for price in prices)
    steady = [price for price in prices if isinstance(price, PriceEstimate)]
    assert steady[0].high == steady[1].high > steady[2].high
    assert steady[3].low < steady[3].high == steady[2].high


def test_a_task_without_a_size_has_no_price() -> None:
    now = observation(task_definition=definition({"family": "web"}))
    assert isinstance(make_plan(now, SETTINGS, None).stages[0].price, UnknownPrice)


def test_after_the_stages_their_own_findings_are_none() -> None:
    known = record(adopted=True, index=built(), arm64_task_definition_arn=NEW, position=Position(Stage.ARCHITECTURE))
    now = observation(
        service=service(deployment("D1", NEW)),
        task_definition=definition(architecture="ARM64"),
        images=(ContainerImage("app", IMAGE, multi_platform()),),
    )
    assert make_plan(now, SETTINGS, known).findings == ()


def test_the_first_record_holds_the_way_back() -> None:
    found = first_record(observation(), SETTINGS, "{}")
    image = found.baseline.image
    assert (image.digest, image.manifest, image.guard_tag) == (
        ORIGINAL_DIGEST,
        "{}",
        f"migrate-guard-{'a' * 12}-tag1",
    )
    assert (found.last_deployment_id, found.position, found.version) == ("D1", Position(), 0)
    assert image.children == ()


def test_c03_the_children_of_a_one_platform_index_are_recorded() -> None:
    index = single_platform(is_index=True, digest=INDEX_DIGEST)
    found = first_record(observation(images=(ContainerImage("app", IMAGE, index),)), SETTINGS)
    assert found.baseline.image.children == (("linux/amd64", ORIGINAL_DIGEST),)
    assert found.running_digests(Stage.BASELINE, "linux/amd64") == (INDEX_DIGEST, ORIGINAL_DIGEST)


def test_a_guard_tag_fits_ecr_and_names_the_digest() -> None:
    assert len(guard_tag("t" * 128, ORIGINAL_DIGEST)) == 128


def test_a_status_counts_what_runs_and_says_how_it_knows() -> None:
    mixed = (*tasks(2), *tasks(1, provider="FARGATE_SPOT", architecture=None), *tasks(1, last_status="PENDING"))
    status = status_of(replace(observation(), tasks=mixed), None, SETTINGS, None)
    assert status.architectures == (("X86_64 (by revision)", 1), ("x86_64", 2))
    assert status.split == (("FARGATE", 2), ("FARGATE_SPOT", 1))
    assert (status.position, status.drift) == (Position(), ())


def test_a_status_tells_drift_from_the_record() -> None:
    moved = (StrategyItem("FARGATE_SPOT", weight=1),)
    now = observation(service=service(strategy=moved))
    status = status_of(now, record(adopted=True, position=Position(Stage.BASELINE)), SETTINGS, None)
    assert status.drift == ("its capacity is FARGATE_SPOT weight 1 base 0",)
    assert status_of(observation(service=service(strategy=SPOT)), None, SETTINGS, None).drift == ()
