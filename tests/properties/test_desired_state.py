"""Design rule 1: both stacks are a pure function of record, settings and stage, and no way back deletes anything."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.core.capacity import expected_split, follows
from migrate.core.desired_state import desired_state
from migrate.core.facts import Strategy, StrategyItem
from migrate.core.record import Record
from migrate.core.settings import ImageMode, Settings
from migrate.core.stages import Stage
from tests.fakes.facts import FARGATE, NEW, built, record, settings

WEIGHTS = st.integers(0, 10)


@st.composite
def strategies(draw: st.DrawFn) -> Strategy:
    first, second = draw(WEIGHTS), draw(WEIGHTS)
    if first + second == 0:
        first = 1
    base = draw(st.integers(0, 5))
    return (StrategyItem("FARGATE", weight=first, base=base), StrategyItem("FARGATE_SPOT", weight=second))


RECORDS: st.SearchStrategy[Record] = st.builds(
    lambda adopted, made, arm64, copy, on_strategy: record(
        adopted=adopted or made,
        shelved=made,
        index=built() if made else None,
        arm64_task_definition_arn=NEW if arm64 else None,
        replacement_task_definition_arn=copy,
        **({"launch_type": None, "strategy": FARGATE} if on_strategy else {}),
    ),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.sampled_from([None, "", NEW.replace(":2", ":3")]),
    st.booleans(),
)
SETTINGS: st.SearchStrategy[Settings] = st.builds(
    lambda mode, capacity: replace(settings(), image=replace(settings().image, mode=mode), capacity=capacity),
    st.sampled_from(ImageMode),
    strategies(),
)
STAGES = st.sampled_from(Stage)


@given(RECORDS, SETTINGS, STAGES)
def test_the_same_inputs_give_the_same_state(known: Record, wanted: Settings, stage: Stage) -> None:
    assert desired_state(known, wanted, stage) == desired_state(replace(known), replace(wanted), stage)


@given(RECORDS, SETTINGS, STAGES, STAGES)
def test_what_a_stage_made_stays_in_the_program_below_it(
    known: Record, wanted: Settings, first: Stage, second: Stage
) -> None:
    upper, lower = max(first, second), min(first, second)
    above = desired_state(known, wanted, upper)
    # The record remembers what the upper stage has made.
    made = replace(
        known,
        adopted=True,
        shelved=known.shelved or upper >= Stage.IMAGE,
        index=known.index or (built() if upper >= Stage.IMAGE else None),
        arm64_task_definition_arn=known.arm64_task_definition_arn or (NEW if upper >= Stage.ARCHITECTURE else None),
    )
    below = desired_state(made, wanted, lower)
    names = {item.logical_name for item in below.service.task_definitions}
    assert {item.logical_name for item in above.service.task_definitions} <= names
    assert below.image.present >= above.image.present
    if above.service.cluster is not None:
        assert below.service.cluster is not None
        assert set(above.service.cluster.capacity_providers) <= set(below.service.cluster.capacity_providers)


@given(RECORDS, SETTINGS, STAGES)
def test_a_strategy_always_comes_with_a_forced_deployment_where_ours_can_differ(
    known: Record, wanted: Settings, stage: Stage
) -> None:
    inputs = desired_state(replace(known, adopted=True), wanted, stage).service.service
    moved = inputs.strategy != known.baseline.service.strategy
    assert inputs.force_new_deployment or not moved
    assert bool(inputs.triggers) is inputs.force_new_deployment


def placed(strategy: Strategy, count: int) -> dict[str, int]:
    """Place tasks one at a time, each where the most is missing, as ECS does."""
    seen = {item.provider: 0 for item in strategy}
    for number in range(1, count + 1):
        wanted = expected_split(strategy, number)
        seen[max(wanted, key=lambda name: wanted[name] - seen[name])] += 1
    return seen


@given(strategies(), st.integers(1, 60))
def test_what_ecs_makes_of_a_strategy_follows_it(strategy: Strategy, count: int) -> None:
    assert follows(strategy, placed(strategy, count))


@given(strategies(), st.integers(0, 60))
def test_a_split_is_of_all_tasks(strategy: Strategy, count: int) -> None:
    assert sum(expected_split(strategy, count).values()) == pytest.approx(count)
