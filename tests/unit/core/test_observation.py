from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from migrate.core.documents import document, fields
from migrate.core.facts import Architecture, StrategyItem
from migrate.core.observation import ContainerImage, Observation, drift, foreign_changes, observed_fingerprint
from migrate.core.record import Record
from migrate.core.stages import Position, Stage
from migrate.core.task_definition import with_architecture
from tests.fakes.facts import (
    FARGATE,
    FOREIGN,
    IMAGE,
    NEW,
    OLD,
    SPOT,
    built,
    definition,
    deployment,
    multi_platform,
    observation,
    record,
    service,
    settings,
    single_platform,
)

SETTINGS = settings()
ARM64_DOCUMENT = with_architecture(definition().document, Architecture.ARM64)
ON_FARGATE: dict[str, Any] = {"launch_type": None, "strategy": FARGATE}
ON_SPOT: dict[str, Any] = {"launch_type": None, "strategy": SPOT}
AT_3 = record(
    adopted=True,
    index=built(),
    arm64_task_definition_arn=NEW,
    position=Position(Stage.CAPACITY),
)


def seen(arn: str = OLD, name: str = "D1", image: Any = None, **more: Any) -> Observation:
    found = service(deployment(name, arn), **({"launch_type": "FARGATE", "strategy": ()} | more))
    seen = observation(service=found, images=(ContainerImage("app", IMAGE, image or single_platform()),))
    return replace(seen, task_definition=replace(seen.task_definition, arn=arn))


def at(stage: Stage, **more: Any) -> Record:
    return record(adopted=True, position=Position(stage), **more)


def entered(stage: Stage, **more: Any) -> Record:
    return record(adopted=True, position=Position(stage.before, entered=stage), **more)


@pytest.mark.parametrize(
    ("known", "now"),
    [
        (at(Stage.ORIGINAL), seen()),
        (at(Stage.BASELINE), seen(**ON_FARGATE)),
        (at(Stage.IMAGE, index=built()), seen(**ON_FARGATE, image=multi_platform())),
        (AT_3, seen(NEW, **ON_SPOT, image=multi_platform())),
        (AT_3, seen(NEW, **(ON_SPOT | {"strategy": tuple(reversed(SPOT))}), image=multi_platform())),
        (AT_3, seen(NEW, **ON_SPOT, image=multi_platform(), desired_count=40)),
    ],
    ids=["original", "baseline", "image", "capacity", "items in another order", "scaled"],
)
def test_a_service_that_is_where_it_was_left_has_not_drifted(known: Record, now: Observation) -> None:
    assert drift(known, SETTINGS, now) == ()


@pytest.mark.parametrize(
    ("known", "now", "told"),
    [
        (at(Stage.ORIGINAL), seen(FOREIGN), "did not deploy"),
        (at(Stage.ORIGINAL), seen(**ON_FARGATE), "its capacity is FARGATE weight 1 base 0"),
        (at(Stage.BASELINE), seen(), "its capacity is launch type FARGATE"),
        (at(Stage.BASELINE), seen(name="D7", **ON_FARGATE), "deployment D7 was started since ours (D1)"),
        (at(Stage.BASELINE), seen(**ON_FARGATE, image=multi_platform()), "did not push"),
        (at(Stage.IMAGE, index=built()), seen(**ON_FARGATE), "did not push"),
        (AT_3, seen(NEW, **ON_FARGATE, image=multi_platform()), "its capacity is"),
    ],
)
def test_c43_what_somebody_else_changed_is_told(known: Record, now: Observation, told: str) -> None:
    assert told in "; ".join(drift(known, SETTINGS, now))


@pytest.mark.parametrize(
    ("known", "now"),
    [
        (entered(Stage.BASELINE), seen(name="D8")),
        (entered(Stage.BASELINE), seen(name="D8", **ON_FARGATE)),
        (entered(Stage.IMAGE, index=built()), seen(**ON_FARGATE)),
        (entered(Stage.IMAGE, index=built()), seen(**ON_FARGATE, image=multi_platform())),
        (replace(AT_3, position=Position(Stage.ARCHITECTURE, Stage.CAPACITY)), seen(NEW, "D8", **ON_FARGATE)),
        (replace(AT_3, position=Position(Stage.ARCHITECTURE, Stage.CAPACITY)), seen(NEW, "D8", **ON_SPOT)),
    ],
)
def test_a_stage_that_was_begun_may_be_on_either_side(known: Record, now: Observation) -> None:
    assert [item for item in drift(known, SETTINGS, now) if "tag" not in item] == []


def test_an_arm64_revision_that_nobody_had_time_to_record_is_ours() -> None:
    known = entered(Stage.ARCHITECTURE, index=built())
    made = replace(definition(), arn=NEW, document=document({**fields(ARM64_DOCUMENT), "revision": 2}))
    now = replace(seen(NEW, **ON_FARGATE, image=multi_platform()), task_definition=made)
    assert drift(known, SETTINGS, now) == ()
    assert drift(at(Stage.IMAGE, index=built()), SETTINGS, now) != ()


def test_c43_a_revision_of_others_is_foreign_even_while_a_stage_is_begun() -> None:
    known = entered(Stage.ARCHITECTURE, index=built())
    theirs = replace(seen(FOREIGN, **ON_FARGATE), task_definition=definition(arn=FOREIGN))
    assert "did not deploy" in foreign_changes(known, SETTINGS, theirs)[0]
    moved = (StrategyItem("FARGATE_SPOT", weight=1),)
    assert "capacity" in foreign_changes(known, SETTINGS, seen(launch_type=None, strategy=moved))[0]
    assert foreign_changes(known, SETTINGS, seen(name="D8", **ON_FARGATE, image=multi_platform())) == ()


def test_the_strategy_that_stage_3_put_in_place_is_ours_after_the_settings_changed() -> None:
    wanted = replace(SETTINGS, capacity=(StrategyItem("FARGATE_SPOT", weight=1),))
    now = seen(NEW, **ON_SPOT, image=multi_platform())
    assert drift(replace(AT_3, applied_capacity=SPOT), wanted, now) == ()
    assert drift(AT_3, wanted, now) != ()


def fingerprint(now: Observation) -> str:
    return observed_fingerprint(now, "app")


@pytest.mark.parametrize(
    "other",
    [
        seen(FOREIGN),
        seen(name="D2"),
        seen(**ON_FARGATE),
        seen(image=multi_platform()),
        seen(document=document({"serviceName": "web", "healthCheckGracePeriodSeconds": 30})),
    ],
    ids=["revision", "deployment", "capacity", "image", "settings"],
)
def test_a_plan_is_bound_to_what_it_was_made_from(other: Observation) -> None:
    assert fingerprint(other) != fingerprint(seen())


def test_c35_counts_do_not_bind_a_plan() -> None:
    assert fingerprint(seen(desired_count=40, running_count=3, pending_count=2)) == fingerprint(seen())
    reordered: dict[str, Any] = {"launch_type": None, "strategy": tuple(reversed(SPOT))}
    assert fingerprint(seen(**reordered)) == fingerprint(seen(**ON_SPOT))
