from __future__ import annotations

import pytest

from migrate.adapters.processes import UNTOLD
from migrate.adapters.store.claims import claim_of, may_take
from migrate.errors import LockedError
from tests.fakes.record_store import FakeProcesses
from tests.fakes.records import SERVICE_ARN, a_run

HERE = "machine-1"
NOW = 1_800_000_000.0


@pytest.mark.parametrize(
    ("machine", "then", "now", "taken"),
    [
        (HERE, "tick 1", None, True),
        (HERE, "tick 1", "tick 9", True),
        (HERE, "tick 1", "tick 1", False),
        # What is not told proves nothing.
        (HERE, "tick 1", UNTOLD, False),
        (HERE, UNTOLD, "tick 9", False),
        (HERE, UNTOLD, UNTOLD, False),
        (HERE, UNTOLD, None, True),
        # It was gone before it could be looked at.
        (HERE, None, None, True),
        # The same process id elsewhere says nothing about the holder.
        ("machine-2", "tick 1", None, False),
        ("machine-2", "tick 1", "tick 9", False),
    ],
)
def test_another_run_takes_a_claim_only_from_a_process_that_is_provably_gone(
    machine: str, then: str | None, now: str | None, taken: bool
) -> None:
    holder = claim_of(SERVICE_ARN, a_run(), table(machine, then))
    mine = table(HERE, now)
    wanted = claim_of(SERVICE_ARN, a_run("run-2", process=4712), mine)
    if taken:
        may_take(holder, wanted, mine, NOW)
    else:
        with pytest.raises(LockedError):
            may_take(holder, wanted, mine, NOW)


@pytest.mark.parametrize(
    ("machine", "process", "now", "taken"),
    [
        (HERE, 4711, "tick 1", True),
        (HERE, 4712, "tick 1", False),
        (HERE, 4712, None, True),
        (HERE, 4712, "tick 9", True),
        # A program that does not say when it lives: a person who resumes on another machine has made sure himself.
        ("machine-2", 4712, "tick 1", True),
        (HERE, 4712, UNTOLD, True),
    ],
)
def test_a_run_is_resumed_unless_its_former_process_is_provably_there(
    machine: str, process: int, now: str | None, taken: bool
) -> None:
    holder = claim_of(SERVICE_ARN, a_run(), table(machine, "tick 1"))
    mine = table(HERE, now)
    wanted = claim_of(SERVICE_ARN, a_run(process=process), mine)
    if taken:
        may_take(holder, wanted, mine, NOW)
    else:
        with pytest.raises(LockedError):
            may_take(holder, wanted, mine, NOW)


@pytest.mark.parametrize("wanted", ["run-1", "run-2"])
@pytest.mark.parametrize("machine", [HERE, "machine-2"])
@pytest.mark.parametrize(
    ("silent", "taken"),
    [(0.0, False), (119.9, False), (120.0, True), (86_400.0, True), (-3600.0, False)],
    ids=["just heard", "in time", "silent", "long silent", "a clock that was set back"],
)
def test_a_holder_that_was_not_heard_of_for_two_minutes_may_be_followed_wherever_it_is(
    machine: str, wanted: str, silent: float, taken: bool
) -> None:
    holder = claim_of(SERVICE_ARN, a_run(), table(machine, "tick 1"), now=NOW - silent)
    mine = table(HERE, "tick 1")
    claim = claim_of(SERVICE_ARN, a_run(wanted, process=4712), mine)
    if taken:
        may_take(holder, claim, mine, NOW)
    else:
        with pytest.raises(LockedError):
            may_take(holder, claim, mine, NOW)


def test_who_is_refused_learns_when_the_holder_was_last_heard_of() -> None:
    holder = claim_of(SERVICE_ARN, a_run(), table("machine-2", "tick 1"), now=NOW - 74)
    mine = table(HERE, None)
    with pytest.raises(LockedError) as refused:
        may_take(holder, claim_of(SERVICE_ARN, a_run("run-2"), mine), mine, NOW)
    assert refused.value.why == (
        "ada started it on workstation (process 4711) at 2026-11-25 12:00:00+00:00; last heard of 1 min 14 s ago, at "
        "2027-01-15 07:58:46+00:00."
    )
    assert "once it was not heard of for 2 min" in refused.value.then


def table(machine: str, started: str | None) -> FakeProcesses:
    return FakeProcesses(machine, {} if started is None else {4711: started})
