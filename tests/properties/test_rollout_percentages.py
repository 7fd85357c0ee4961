"""Minimum and maximum percent against the scheduler that they bind: a simulation decides who is right (case C46)."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from migrate.core.rollout_percentages import Rollout, rollout_room

COUNTS = st.integers(1, 40)
PERCENT = st.integers(0, 100)
MAXIMUM = st.integers(100, 200)


def rolls(desired: int, minimum: int, maximum: int) -> tuple[bool, int]:
    """Replace old tasks by new ones within the limits; return whether it ends, and the fewest tasks that ran."""
    keep, most = math.ceil(desired * minimum / 100), math.floor(desired * maximum / 100)
    old, new, fewest = desired, 0, desired
    for _ in range(4 * desired + 4):
        if old == 0 and new == desired:
            return True, fewest
        start = min(most - old - new, desired - new)
        if start > 0:
            new += start
            continue
        stop = min(old, old + new - keep)
        if stop <= 0:
            return False, fewest
        old -= stop
        fewest = min(fewest, old + new)
    return False, fewest


@given(COUNTS, PERCENT, MAXIMUM)
def test_c46_a_rollout_is_dead_exactly_where_the_scheduler_cannot_end_it(
    desired: int, minimum: int, maximum: int
) -> None:
    ends, _ = rolls(desired, minimum, maximum)
    assert (rollout_room(desired, minimum, maximum).rollout is Rollout.DEAD) is not ends


@given(COUNTS, PERCENT, MAXIMUM)
def test_c46_what_is_called_ok_never_leaves_the_service_without_a_task(
    desired: int, minimum: int, maximum: int
) -> None:
    _, fewest = rolls(desired, minimum, maximum)
    if rollout_room(desired, minimum, maximum).rollout is Rollout.OK:
        assert fewest >= 1


@given(COUNTS, PERCENT, MAXIMUM)
def test_c46_the_minimum_rounds_up_and_the_maximum_down_for_every_count(
    desired: int, minimum: int, maximum: int
) -> None:
    room = rollout_room(desired, minimum, maximum)
    assert (room.keep - 1) * 100 < desired * minimum <= room.keep * 100
    assert room.most * 100 <= desired * maximum < (room.most + 1) * 100


@given(PERCENT, MAXIMUM)
def test_c46_nothing_desired_is_nothing_exercised(minimum: int, maximum: int) -> None:
    assert rollout_room(0, minimum, maximum).rollout is Rollout.NOT_EXERCISED
