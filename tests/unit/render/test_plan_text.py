"""A plan as people read it, whole: a change of a word shows in the snapshots."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from rich.console import RenderableType
from syrupy.assertion import SnapshotAssertion

from migrate.core.documents import document
from migrate.core.observation import Observation
from migrate.core.plan.detail import stage_detail, stage_details
from migrate.core.plan.plan import StageStatus, make_plan
from migrate.core.rollout.history import RolloutHistory, StageTime
from migrate.core.settings import ArchitectureMode, Settings
from migrate.core.stages import Stage
from migrate.render import plan as plans
from migrate.render.plan_markdown import plan_markdown
from migrate.render.sides import sides
from migrate.render.text import shown
from tests.fakes.facts import alarm, definition, observation, repository, rollouts, service, settings

SETTINGS = settings(soak=timedelta(minutes=2), alarms=("web-errors",))
QUIET = observation(alarms=(alarm(),), rollouts=rollouts(95, 130, 110))


def whole(seen: Observation, wanted: Settings = SETTINGS) -> RenderableType:
    plan = make_plan(seen, wanted, None)
    return plans.plan(plan, stage_details(plan, wanted))


def one_stage(stage: Stage, wanted: Settings = SETTINGS) -> RenderableType:
    plan = make_plan(QUIET, wanted, None)
    return plans.stage(plan, stage_detail(plan, stage, wanted), with_findings=True)


SHOWN = {
    "plan": whole(QUIET),
    "plan that is blocked": whole(observation(repository=repository("IMMUTABLE"))),
    "stage": one_stage(Stage.IMAGE),
    "stage with a twin": one_stage(Stage.ARCHITECTURE, replace(SETTINGS, architecture=ArchitectureMode.CANARY)),
}


def test_a_plan_for_a_pull_request(snapshot: SnapshotAssertion) -> None:
    plan = make_plan(QUIET, SETTINGS, None)
    assert plan_markdown(plan, stage_details(plan, SETTINGS)) == snapshot


def test_what_comes_from_an_account_is_no_markup_in_a_pull_request() -> None:
    hostile = "</details><img src=x onerror=alert(1)> ```\n| [x](javascript:y) @everyone\x1b[31m"
    seen = observation(
        service=service(document=document({"loadBalancers": [{"containerName": hostile}], hostile: 1})),
        task_definition=definition(
            {
                "family": "web",
                "cpu": "256",
                "memory": "512",
                "containerDefinitions": [{"name": hostile, "image": "web:tag1"}],
            }
        ),
    )
    plan = make_plan(seen, SETTINGS, None)
    told = plan_markdown(plan, stage_details(plan, SETTINGS))
    outside = re.sub(r"(`{3,})[a-z]*\n.*?\n\1\n", "", told, flags=re.DOTALL)
    assert "<img" not in outside
    assert not re.search(r"(?<!\\)\]\(", outside)
    assert "\x1b" not in told
    assert outside.count("<details>") == outside.count("</details>") == 6


@pytest.mark.parametrize("stage", [Stage.ARCHITECTURE, Stage.CAPACITY])
def test_both_sides_whole(stage: Stage, snapshot: SnapshotAssertion) -> None:
    plan = make_plan(QUIET, SETTINGS, None)
    assert shown(sides(plan, [stage_detail(plan, stage, SETTINGS)]), width=80, colour=False) == snapshot


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("name", SHOWN)
def test_what_people_read(name: str, width: int, snapshot: SnapshotAssertion) -> None:
    told = shown(SHOWN[name], width=width, colour=False)
    assert all(len(line) <= width for line in told.splitlines())
    assert told == snapshot


def test_nothing_is_cut_off_in_a_narrow_terminal() -> None:
    narrow = shown(SHOWN["plan"], width=60, colour=False)
    joined = "".join(narrow.split())
    assert "…" not in narrow
    for complete in ("migrate-guard-aaaaaaaaaaaa-tag1", "a" * 64, "findings#image-single-platform"):
        assert complete in joined


@pytest.mark.parametrize(
    ("statuses", "next_one"),
    [
        ([StageStatus.NEXT, StageStatus.LATER], "Next: `migrate apply --stage 0`."),
        ([StageStatus.PROVEN, StageStatus.ENTERED], "Next: `migrate apply --stage 1`."),
        (
            [StageStatus.PROVEN, StageStatus.BLOCKED],
            "Next: mend what blocks stage 1, then look again with `migrate plan`.",
        ),
        ([StageStatus.PROVEN, StageStatus.PROVEN], "Every stage is proven."),
    ],
)
def test_a_plan_ends_with_what_is_to_be_done(statuses: list[StageStatus], next_one: str) -> None:
    plan = make_plan(observation(), SETTINGS, None)
    stages = tuple(replace(item, status=status) for item, status in zip(plan.stages, statuses, strict=False))
    assert plans.next_step(replace(plan, stages=stages)) == next_one


def test_colour_is_only_there_where_it_is_wanted() -> None:
    assert "\x1b[" in shown(SHOWN["plan"], width=80, colour=True)
    assert "\x1b[" not in shown(SHOWN["plan"], width=80, colour=False)


@pytest.mark.parametrize(
    ("deploys", "history", "told"),
    [
        (0, None, "10 min of soak"),
        (2, None, "10 min of soak and 2 deployments; this service has no deployment to tell how long one takes"),
        (1, (1, 90, 90, 90), "about 11 min 30 s: 10 min of soak and 1 deployment of 1 min 30 s (the last one that"),
        (2, (3, 60, 90, 300), "about 13 min: 10 min of soak and 2 deployments of 1 min to 5 min, mostly 1 min 30 s"),
    ],
)
def test_how_long_a_stage_takes_is_told_with_what_that_is_known_by(
    deploys: int, history: tuple[int, int, int, int] | None, told: str
) -> None:
    seen = RolloutHistory(history[0], *(timedelta(seconds=item) for item in history[1:])) if history else None
    assert plans.took(StageTime(deploys, timedelta(minutes=10), seen)).startswith(told)
